package dock

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"custos/evidence"
)

// state is how far bytes have come, as the journal knows it.
type state string

// States of bytes. A later record of the same bytes replaces an earlier one.
const (
	hashed   state = "hashed"  // read from a camera
	uploaded state = "upload"  // announced; Upload names the place
	lost     state = "lost"    // the server does not know the upload, or got other bytes: begin again
	received state = "receipt" // a checked receipt is in Receipt
	wiping   state = "wiping"  // about to be removed from the card
	wiped    state = "wiped"   // removed from the card
	kept     state = "kept"    // in the vault, but the card would not let it go
)

// keptFor is how many days wiped entries stay in the journal.
const keptFor = 90

// record is one line of the journal, JSON.
type record struct {
	State   state             `json:"state"`
	At      time.Time         `json:"at"` // by the dock's clock
	Device  string            `json:"device"`
	File    string            `json:"file"`
	Digest  evidence.Digest   `json:"sha256"`
	Capture *evidence.Capture `json:"capture,omitempty"`
	Upload  string            `json:"upload,omitempty"`
	Receipt string            `json:"receipt,omitempty"`
	Why     string            `json:"why,omitempty"`
}

// key names bytes of a camera.
type key struct {
	device, file string
	digest       evidence.Digest
}

// entry is all the journal knows of some bytes.
type entry struct {
	state   state
	at      time.Time
	capture evidence.Capture
	upload  string
	receipt []byte
	why     string
}

// Memory is the journal's content in memory. The Machine owns it.
type Memory struct {
	entries map[key]*entry
}

// NewMemory is the memory of an empty journal.
func NewMemory() *Memory { return &Memory{entries: map[key]*entry{}} }

// Replay takes one record of the journal. It fails with Corrupt for one that
// it cannot read: a journal that is not understood must not lead to wiping.
func (m *Memory) Replay(text []byte) error {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return evidence.Wrap(evidence.Corrupt, err, "The dock's journal has a record that cannot be read. Nothing is wiped. Move the journal away and start again: cameras are then read anew.")
	}
	m.apply(r)
	return nil
}

func (m *Memory) apply(r record) {
	k := key{r.Device, r.File, r.Digest}
	e := m.entries[k]
	if e == nil {
		e = &entry{}
		m.entries[k] = e
	}
	e.state, e.at, e.why = r.State, r.At, r.Why
	if r.Capture != nil {
		e.capture = *r.Capture
	}
	if r.Upload != "" {
		e.upload = r.Upload
	}
	if r.State == lost {
		e.upload, e.receipt = "", nil
	}
	if r.Receipt != "" {
		e.receipt = []byte(r.Receipt)
	}
}

// Len is how many different files the journal knows.
func (m *Memory) Len() int { return len(m.entries) }

// Compact rewrites the journal to one record a file and forgets files that
// were wiped more than 90 days before now. Their receipts are on the server.
func (m *Memory) Compact(j Journal, now time.Time) error {
	for k, e := range m.entries {
		if (e.state == wiped || e.state == wiping) && now.Sub(e.at) > keptFor*24*time.Hour {
			delete(m.entries, k)
		}
	}
	var failed error
	err := j.Rewrite(m.records(&failed))
	return cmp.Or(failed, err)
}

func (m *Memory) records(failed *error) iter.Seq[[]byte] {
	keys := make([]key, 0, len(m.entries))
	for k := range m.entries {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(strings.Compare(a.device, b.device), strings.Compare(a.file, b.file),
			slices.Compare(a.digest[:], b.digest[:]))
	})
	return func(yield func([]byte) bool) {
		for _, k := range keys {
			e := m.entries[k]
			text, err := json.Marshal(record{
				State: e.state, At: e.at, Device: k.device, File: k.file, Digest: k.digest,
				Capture: &e.capture, Upload: e.upload, Receipt: string(e.receipt), Why: e.why,
			})
			if err != nil {
				*failed = err
				return
			}
			if !yield(text) {
				return
			}
		}
	}
}
