package tlog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
	"custos/tlog"
	"custos/tlog/tlogtest"
)

// small is a log of three leaves and its checkpoint.
func small() (*tlogtest.Log, []byte) {
	l := tlogtest.NewLog("log")
	for range 3 {
		l.Add("01kamwtz3f0w9hq1c7c9m2v5ta", evidence.Consult, evidence.Intent, nil, nil)
	}
	return l, l.Checkpoint(3)
}

func TestOurCosignaturesAreReadByOthers(t *testing.T) {
	_, cp := small()
	for _, kind := range []byte{tlogtest.Ed25519, tlogtest.MLDSA44} {
		w := tlogtest.NewCosigner("witness.example/w1", kind)
		signed := tlog.AddLines(cp, strings.TrimSuffix(w.Sign(cp, tlogtest.Time), "\n"))
		var v note.Verifier
		var err error
		if kind == tlogtest.MLDSA44 {
			v, err = fnote.NewMLDSAVerifier(w.Key.String())
		} else {
			v, err = fnote.NewVerifierForCosignatureV1(w.Key.String())
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
			t.Errorf("%s: %v", w.Key.Algorithm(), err)
		}
	}
}

func TestCosignaturesOfOthersAreRead(t *testing.T) {
	_, cp := small()
	text, _, _ := strings.Cut(string(cp), "\n\n")
	sk, vk, err := fnote.GenerateMLDSAKey("witness.example/ml")
	if err != nil {
		t.Fatal(err)
	}
	ml, err := fnote.NewMLDSASigner(sk)
	if err != nil {
		t.Fatal(err)
	}
	esk, evk, err := note.GenerateKey(nil, "witness.example/ed")
	if err != nil {
		t.Fatal(err)
	}
	ed, err := fnote.NewSignerForCosignatureV1(esk)
	if err != nil {
		t.Fatal(err)
	}
	if evk, err = fnote.VKeyToCosignatureV1(evk); err != nil {
		t.Fatal(err)
	}
	var keys []*tlog.WitnessKey
	for _, v := range []string{evk, vk} {
		k, err := tlog.ParseWitnessKey(v)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, ed, ml)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tlog.Cosignatures(signed, keys)
	if err != nil || len(got) != 2 || got[0].Key != keys[0] || got[1].Key != keys[1] {
		t.Fatalf("%v, %v", got, err)
	}
	for _, c := range got {
		if d := time.Since(c.Time); d < 0 || d > time.Minute {
			t.Errorf("%s: signed at %s", c.Key.Algorithm(), c.Time)
		}
	}
}

// The golden file fixes the signature lines of both kinds for ever.
func TestGoldenCosignedCheckpoint(t *testing.T) {
	_, cp := small()
	var lines []string
	var keys []*tlog.WitnessKey
	var vkeys strings.Builder
	for _, w := range []*tlogtest.Cosigner{tlogtest.NewCosigner("witness.example/ed", tlogtest.Ed25519), tlogtest.NewCosigner("witness.example/ml", tlogtest.MLDSA44)} {
		lines = append(lines, strings.TrimSuffix(w.Sign(cp, tlogtest.Time), "\n"))
		keys = append(keys, w.Key)
		vkeys.WriteString(w.Key.String() + "\n")
	}
	golden := filepath.Join("testdata", "cosigned.checkpoint")
	if *update {
		// ML-DSA signs at random here: a golden file is one of many good ones.
		if err := os.WriteFile(golden, tlog.AddLines(cp, lines...), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", "cosigned.vkeys"), []byte(vkeys.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, cp) {
		t.Error("the checkpoint below the cosignatures is another")
	}
	old, err := os.ReadFile(filepath.Join("testdata", "cosigned.vkeys"))
	if err != nil || string(old) != vkeys.String() {
		t.Errorf("the keys of the golden file are others (%v)", err)
	}
	got, err := tlog.Cosignatures(b, keys)
	if err != nil || len(got) != 2 || !got[0].Time.Equal(tlogtest.Time.Truncate(time.Second)) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBadCosignatures(t *testing.T) {
	l, cp := small()
	l.Add("01kamwtz3f0w9hq1c7c9m2v5ta", evidence.Consult, evidence.Intent, nil, nil)
	other := l.Checkpoint(4)
	for _, kind := range []byte{tlogtest.Ed25519, tlogtest.MLDSA44} {
		w := tlogtest.NewCosigner("witness.example/w1", kind)
		stranger := tlogtest.NewCosigner("stranger.example", kind)
		keys := []*tlog.WitnessKey{w.Key}
		with := func(lines ...string) []byte {
			return tlog.AddLines(cp, strings.Split(strings.Join(lines, ""), "\n")[0])
		}
		if _, err := tlog.Cosignatures(with(w.Sign(other, tlogtest.Time)), keys); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("of another checkpoint: %v", err)
		}
		if _, err := tlog.Cosignatures(with(w.Sign(cp, time.Unix(0, 0))), keys); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("without a time: %v", err)
		}
		if got, err := tlog.Cosignatures(with(stranger.Sign(cp, tlogtest.Time)), keys); err != nil || len(got) != 0 {
			t.Errorf("of a stranger: %v, %v", got, err)
		}
		if got, err := tlog.Cosignatures(cp, keys); err != nil || len(got) != 0 {
			t.Errorf("none: %v, %v", got, err)
		}
	}
}

func TestWitnessKeysThatAreNone(t *testing.T) {
	good := tlogtest.NewCosigner("witness.example/w1", tlogtest.Ed25519).Key.String()
	log := tlogtest.NewKey("force.example/log", "x").VKey
	for _, s := range []string{
		"", "+", "++", good[1:], strings.ToUpper(good), good + "A", strings.Replace(good, "+", " +", 1), log,
		strings.Replace(good, "w1", "w2", 1), good[:len(good)-4],
	} {
		if _, err := tlog.ParseWitnessKey(s); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzCosignatures(f *testing.F) {
	_, cp := small()
	ed, ml := tlogtest.NewCosigner("witness.example/ed", tlogtest.Ed25519), tlogtest.NewCosigner("witness.example/ml", tlogtest.MLDSA44)
	f.Add(cp)
	f.Add(append(bytes.Clone(cp), ed.Sign(cp, tlogtest.Time)...))
	f.Add(append(bytes.Clone(cp), ml.Sign(cp, tlogtest.Time)...))
	keys := []*tlog.WitnessKey{ed.Key, ml.Key}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := tlog.Cosignatures(b, keys)
		if err != nil {
			return
		}
		if len(got) > 0 && !bytes.HasPrefix(b, cp[:bytes.Index(cp, []byte("\n\n"))]) {
			t.Fatal("a witness has signed what it never saw")
		}
		again, err := tlog.Cosignatures(tlog.AddLines(b), keys)
		if err != nil || len(again) != len(got) {
			t.Fatalf("%d signatures, then %d (%v)", len(got), len(again), err)
		}
	})
}

func FuzzWitnessKey(f *testing.F) {
	f.Add(tlogtest.NewCosigner("w", tlogtest.Ed25519).Key.String())
	f.Add(tlogtest.NewCosigner("witness.example/ml", tlogtest.MLDSA44).Key.String())
	f.Fuzz(func(t *testing.T, s string) {
		k, err := tlog.ParseWitnessKey(s)
		if err == nil && (k.String() != s || !strings.HasPrefix(s, k.Name()+"+")) {
			t.Fatalf("%q is read as %q", s, k)
		}
	})
}
