package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"custos/durable"
	"custos/evidence"
	"custos/receipt"
)

// Kept is a receipt as it lies in a dock's journal.
type Kept struct {
	Device string          `json:"device"`
	File   string          `json:"file"`
	Digest evidence.Digest `json:"sha256"`
	Text   string          `json:"receipt"`
}

// Receipts are all receipts in a journal, each once, oldest first. A torn last
// record is cut off in fsys, so give it a copy of a journal that is in use.
func Receipts(fsys durable.FS, name string) (kept []Kept, err error) {
	known := map[string]bool{}
	j, err := durable.OpenJournal(fsys, name, func(record []byte) error {
		var k Kept
		if err := json.Unmarshal(record, &k); err != nil {
			return err
		}
		if k.Text != "" && !known[k.Text] {
			known[k.Text] = true
			kept = append(kept, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kept, j.Close()
}

// receiptsOf reads a copy of the journal in the folder dir.
func receiptsOf(dir string) (kept []Kept, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "custos-journal-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := os.WriteFile(filepath.Join(scratch, "journal"), b, 0o600); err != nil {
		return nil, err
	}
	disk, err := durable.Open(scratch)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, disk.Close()) }()
	return Receipts(disk, "journal")
}

// claim is what a receipt in a journal speaks of.
type claim struct {
	device, file string
	digest       evidence.Digest
}

// Vouched checks every receipt against the account: it must be a good receipt
// for a file that was on a camera. It gives the sound ones by what they are for.
func Vouched(y *Tally, kept []Kept, trust receipt.Trust, account map[claim]Original) map[claim]receipt.Receipt {
	sound := map[claim]receipt.Receipt{}
	for _, k := range kept {
		at := claim{k.Device, k.File, k.Digest}
		o, ok := account[at]
		if !ok {
			y.Violation("a dock has a receipt for %s %s, which was on no camera", k.Device, k.File)
			continue
		}
		r, err := receipt.Check([]byte(k.Text), trust, receipt.Expect{Device: o.Device, FileName: o.Name, Digest: o.Digest, Length: o.Length})
		if err != nil {
			y.Violation("the receipt for %s is not one: %v", o, err)
			continue
		}
		sound[at] = r
	}
	return sound
}

// of is what a receipt for o would be for.
func of(o Original) claim { return claim{o.Device, o.Name, o.Digest} }

// missing tells whether an original is no longer on its card.
func missing(o Original) (bool, error) {
	_, err := os.Lstat(filepath.Join(o.Card, filepath.FromSlash(o.Name)))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at card: %w", err)
	}
	return false, nil
}

// Account is an account of originals.
func Account(all ...Original) map[claim]Original {
	m := map[claim]Original{}
	for _, o := range all {
		m[of(o)] = o
	}
	return m
}
