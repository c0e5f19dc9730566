package tlog_test

import (
	"fmt"
	"strings"
	"testing"

	fwitness "github.com/transparency-dev/formats/witness"

	"custos/evidence"
	"custos/tlog"
	"custos/tlog/tlogtest"
)

// five are witnesses A to E, the last of ML-DSA-44.
func five() (map[string]*tlogtest.Cosigner, string) {
	all := map[string]*tlogtest.Cosigner{}
	var lines strings.Builder
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		kind := byte(tlogtest.Ed25519)
		if name == "E" {
			kind = tlogtest.MLDSA44
		}
		all[name] = tlogtest.NewCosigner("witness.example/"+name, kind)
		fmt.Fprintf(&lines, "witness %s\t%s  https://%s.example/\n", name, all[name].Key, name)
	}
	return all, lines.String()
}

func TestPolicies(t *testing.T) {
	witnesses, lines := five()
	_, cp := small()
	for _, c := range []struct {
		rules   string
		signers string
		met     bool
	}{
		{"quorum none", "", true},
		{"quorum A", "", false},
		{"quorum A", "B C D E", false},
		{"quorum A", "A", true},
		{"quorum E", "E", true},
		{"group g any A B\nquorum g", "B", true},
		{"group g any A B\nquorum g", "C", false},
		{"group g all A B\nquorum g", "B", false},
		{"group g all A B\nquorum g", "B A", true},
		{"group g 2 A B C\nquorum g", "A C", true},
		{"group g 2 A B C\nquorum g", "C", false},
		{"group x 2 A B C\n  group y any D E\n# both\n\ngroup z all x y\n quorum\tz ", "A B", false},
		{"group x 2 A B C\ngroup y any D E\ngroup z all x y\nquorum z", "A B E", true},
	} {
		policy, err := tlog.ParsePolicy([]byte(lines + c.rules + "\n"))
		if err != nil {
			t.Errorf("%s: %v", c.rules, err)
			continue
		}
		var cosigned []string
		for _, name := range strings.Fields(c.signers) {
			cosigned = append(cosigned, strings.TrimSuffix(witnesses[name].Sign(cp, tlogtest.Time), "\n"))
		}
		signed := tlog.AddLines(cp, cosigned...)
		good, err := tlog.Cosignatures(signed, policy.Keys())
		if err != nil {
			t.Fatal(err)
		}
		if got := policy.Met(good); got != c.met {
			t.Errorf("%q signed by %q: %v", c.rules, c.signers, got)
		}
		// Code that is not ours agrees; it knows Ed25519 only.
		if strings.Contains(c.rules, "E") || strings.Contains(c.rules, "none") {
			continue
		}
		theirs, err := fwitness.ParsePolicy([]byte(strings.Split(lines, "witness E")[0] + c.rules + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := theirs.Satisfied(signed); got != c.met {
			t.Errorf("%q signed by %q: formats says %v", c.rules, c.signers, got)
		}
	}
}

func TestPoliciesThatAreNone(t *testing.T) {
	_, lines := five()
	a := tlogtest.NewCosigner("witness.example/A", tlogtest.Ed25519).Key.String()
	for says, rules := range map[string]string{
		"no line that begins with quorum": "",
		"Line 7":                          "quorum none\nquorum A",
		"Line 6":                          "quorum nobody",
		"a number from 1":                 "group g 3 A B\nquorum g",
		"any, all or a number":            "group g some A B\nquorum g",
		"defined on no line":              "group g any h\ngroup h any A\nquorum g",
		"in a group already":              "group g all A A\nquorum g",
		"the name A is taken":             "group A any B\nquorum A",
		"the name none":                   "group none any B\nquorum none",
		"the same key":                    "witness F " + a + "\nquorum A",
		"log's key":                       "log nonsense\nquorum A",
		"none of log":                     "witness F\nquorum A",
		"something else":                  "quorum A\r",
	} {
		_, err := tlog.ParsePolicy([]byte(lines + rules + "\n"))
		if evidence.CodeOf(err) != evidence.Invalid || !strings.Contains(evidence.MessageOf(err), says) {
			t.Errorf("%q: %v", rules, err)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	_, lines := five()
	f.Add([]byte(lines + "group g 2 A B C\ngroup h any g D\nquorum h\n"))
	f.Add([]byte("log " + tlogtest.NewKey("force.example/log", "x").VKey + " https://force.example/log\nquorum none"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := tlog.ParsePolicy(b)
		if err != nil {
			if evidence.CodeOf(err) != evidence.Invalid {
				t.Fatal(err)
			}
			return
		}
		if p.Met(nil) && p.Quorum != "none" {
			t.Fatal("met by nobody")
		}
	})
}
