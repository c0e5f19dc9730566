package identity

import (
	"strings"
	"testing"
	"time"

	"custos/database/databasetest"
	"custos/evidence"
)

func TestPasswordRules(t *testing.T) {
	p := Person{Login: "ash.grove", Name: "Ash Grove", Number: "PC4711"}
	for password, ok := range map[string]bool{
		good:                        true,
		"schäfchen üben":            true,
		"correcthorse":              true,
		strings.Repeat("é", 11):     false,
		"otter lamp1":               false,
		"aaaaaaaaaaaaaaaa":          false,
		"abababababababab":          false,
		"ash.groveash.grove1":       false,
		"Grove Ash PC4711":          false,
		"pc4711pc4711":              false,
		"twelve bytes\xff":          false,
		strings.Repeat("ab1c", 300): false,
	} {
		if err := checkPassword(password, p); (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		} else if err != nil && evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%q: code %q", password, evidence.CodeOf(err))
		}
	}
}

// The numbers are OWASP's, the check is quick enough to wait for, and the
// text is one that other argon2 programs read.
func TestTheRealCostOfAPassword(t *testing.T) {
	a, err := Open(t.Context(), databasetest.SQLite(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := a.hash(good)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=47104,t=1,p=1$") {
		t.Error(stored)
	}
	fastest := time.Hour
	for range 5 {
		began := time.Now()
		if ok, err := matches(stored, good); !ok || err != nil {
			t.Fatal(ok, err)
		}
		fastest = min(fastest, time.Since(began))
	}
	if fastest > time.Second { // 28 ms alone; the machine may be busy, or the race detector on
		t.Errorf("a check takes %v", fastest)
	}
	if ok, err := matches(stored, good+" "); ok || err != nil {
		t.Error("another password matches", err)
	}
}

// The reference implementation (Debian's argon2 0~20171227) made this one:
// printf %s 'otter lamp quarry seven' | argon2 0123456789abcdef -id -k 47104 -t 1 -p 1 -l 32 -e
func TestMatchesWhatTheReferenceWrote(t *testing.T) {
	const reference = "$argon2id$v=19$m=47104,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$lzOy1HFbTvtOlPU4hWpJ3YmA8CW0Wi6iPLWsq+UKhz0"
	if ok, err := matches(reference, good); !ok || err != nil {
		t.Error(ok, err)
	}
	if ok, err := matches(reference, good+"."); ok || err != nil {
		t.Error("another password matches", err)
	}
	if _, err := matches(reference[:len(reference)-1], good); evidence.CodeOf(err) != evidence.Corrupt {
		t.Errorf("a cut hash: %v", err)
	}
}

func FuzzParseHash(f *testing.F) {
	salt, key := strings.Repeat("A", 22), strings.Repeat("A", 43)
	f.Add("$argon2id$v=19$m=47104,t=1,p=1$" + salt + "$" + key)
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$" + salt + "$" + key)
	f.Add("$argon2i$v=19$m=8,t=1,p=1$" + salt + "$" + key)
	f.Add("$argon2id$v=16$m=8,t=1,p=1$" + salt + "$" + key)
	f.Add("$argon2id$v=19$m=8,t=1,p=1,x$" + salt + "$" + key)
	f.Add("$argon2id$v=19$m=08,t=1,p=1$" + salt + "$" + key)
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, stored string) {
		c, s, k, err := parseHash(stored)
		if err != nil {
			if evidence.CodeOf(err) != evidence.Corrupt {
				t.Errorf("code %q", evidence.CodeOf(err))
			}
			return
		}
		if c.memory == 0 || c.memory > costLimit || c.passes == 0 || c.passes > passLimit || c.threads == 0 || len(s) != saltLength || len(k) != hashLength {
			t.Errorf("took %+v, %d, %d", c, len(s), len(k))
		}
	})
}
