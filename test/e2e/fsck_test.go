package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"testing"

	"custos/custody"
	"custos/evidence"
	"custos/test/rig"
)

func digest(b []byte) evidence.Digest { return sha256.Sum256(b) }

// fsck is the report of custos admin fsck.
func fsck(t *testing.T, s *rig.Service) (ok bool, findings []custody.Finding) {
	t.Helper()
	out, said, err := s.Try("", "admin", "fsck", "--json")
	var r struct {
		OK       bool
		Examined custody.Examined
		Findings []custody.Finding
	}
	if jerr := json.Unmarshal([]byte(out), &r); jerr != nil {
		t.Fatalf("fsck: %v: %v\n%s%s", err, jerr, out, said)
	}
	if r.OK != (err == nil) || r.OK != (len(r.Findings) == 0) || r.Examined.Objects == 0 || r.Examined.Entries == 0 {
		t.Fatalf("fsck contradicts itself: %v: %s", err, out)
	}
	return r.OK, r.Findings
}

// clean fails unless store, ledger and catalogue agree.
func clean(t *testing.T, s *rig.Service) {
	t.Helper()
	if ok, findings := fsck(t, s); !ok {
		t.Errorf("fsck: %+v", findings)
	}
}
