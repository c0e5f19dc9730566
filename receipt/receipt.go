// Package receipt is what a dock gets for each file and checks before it wipes
// the camera: a signed note that says which bytes lie in which store, and
// proves that the log has recorded it. The format is docs/formats/receipt.md.
//
// All functions may be called concurrently.
package receipt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
	"custos/tlog"
)

// MaxSize is the length of the longest receipt, in bytes.
const MaxSize = 1_000_000

// Receipt says that a file is in final storage and in the log.
type Receipt struct {
	Recording   evidence.ID
	Segment     int // from 1
	Device      string
	FileName    string // as the dock gave it, path with /
	Digest      evidence.Digest
	Length      int64   // bytes
	Stores      []Store // at least one
	CollectedAt time.Time
	Known       bool         // the vault had these bytes as this segment before
	Event       tlog.Opening // the outcome of the collection
	Path        []tlog.Hash  // its inclusion proof, RFC 6962 2.1.1, from the leaf's sibling up
	Checkpoint  []byte       // signed note of the tree that Path leads to
}

// Store is a place where the bytes lie.
type Store struct {
	Name     string
	ReadBack time.Time // when they were read from there and had the digest
}

// Trust holds the keys pinned at enrolment, as note verifier keys.
type Trust struct {
	Receipt string
	Log     string
}

// Expect is what the dock knows of the file on the camera by its own reading.
type Expect struct {
	Device   string
	FileName string
	Digest   evidence.Digest
	Length   int64
}

// Sign writes the receipt. It fails with Invalid for a receipt that nobody
// could read back: no store, no leaf, a zero time, a segment below 1, or one
// longer than MaxSize. It does not check the proofs; Check does.
func Sign(r Receipt, signer note.Signer) ([]byte, error) {
	text := r.text()
	if _, err := parse(text); err != nil {
		return nil, evidence.Wrap(evidence.Invalid, err, "the receipt is not complete")
	}
	b, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, evidence.Wrap(evidence.Internal, err, "sign the receipt")
	}
	if len(b) > MaxSize {
		return nil, evidence.Errorf(evidence.Invalid, "the receipt would be longer than %d bytes", MaxSize)
	}
	return b, nil
}

// Check tells whether b is a receipt for the file want, good enough to wipe
// the original. It fails with Denied when a signature is by another key than
// the pinned one, with Corrupt when the receipt is broken or contradicts
// itself, and with Invalid when it is sound but for something else, or when a
// pinned key cannot be read.
func Check(b []byte, t Trust, want Expect) (Receipt, error) {
	r, err := open(b, t.Receipt)
	if err != nil {
		return Receipt{}, err
	}
	if err := r.is(want); err != nil {
		return Receipt{}, err
	}
	if err := r.inLog(t.Log); err != nil {
		return Receipt{}, err
	}
	if err := r.isCollected(); err != nil {
		return Receipt{}, err
	}
	return r, nil
}

// open checks the signature and reads the text.
func open(b []byte, vkey string) (Receipt, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Receipt{}, evidence.Wrap(evidence.Invalid, err, "The pinned receipt key cannot be read. Enrol this dock again.")
	}
	if len(b) > MaxSize {
		return Receipt{}, evidence.Errorf(evidence.Corrupt, "The receipt is longer than a receipt can be.")
	}
	n, err := note.Open(b, note.VerifierList(v))
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unknown):
		return Receipt{}, evidence.Wrap(evidence.Denied, err, "The receipt is not signed with the key that this dock was given at enrolment.")
	case err != nil:
		return Receipt{}, evidence.Wrap(evidence.Corrupt, err, "The receipt was damaged or altered: its signature does not fit.")
	}
	// note.Open allows more signatures and loose base64. A receipt is one
	// text: no byte of it can change unnoticed.
	sig, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil || string(b) != n.Text+"\n"+fmt.Sprintf("— %s %s\n", v.Name(), encodeBytes(sig)) {
		return Receipt{}, evidence.Errorf(evidence.Corrupt, "The receipt was damaged or altered: something was added to its signature.")
	}
	return parse(n.Text)
}

// is compares r with the file on the camera.
func (r Receipt) is(want Expect) error {
	switch {
	case r.Device != want.Device:
		return evidence.Errorf(evidence.Invalid, "The receipt is for a file of another camera.")
	case r.FileName != want.FileName:
		return evidence.Errorf(evidence.Invalid, "The receipt is for another file of this camera.")
	case r.Digest != want.Digest:
		return evidence.Errorf(evidence.Invalid, "The receipt is for other bytes than those on the camera: the SHA-256 differs.")
	case r.Length != want.Length:
		return evidence.Errorf(evidence.Invalid, "The receipt is for a file of another length.")
	}
	return nil
}

// inLog checks opening against leaf, leaf against proof, proof against
// checkpoint, checkpoint against the pinned key.
func (r Receipt) inLog(vkey string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return evidence.Wrap(evidence.Invalid, err, "The pinned log key cannot be read. Enrol this dock again.")
	}
	if err := r.Event.Check(); err != nil {
		return evidence.Wrap(evidence.Corrupt, err, "The receipt contradicts itself: the event shown is not the one in the log entry.")
	}
	// The name of the log's key is the log's origin (C2SP tlog-checkpoint).
	c, err := tlog.OpenCheckpoint(r.Checkpoint, v.Name(), v)
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unknown):
		return evidence.Wrap(evidence.Denied, err, "The receipt leads to a log whose key is not the one that this dock was given at enrolment.")
	case err != nil:
		return evidence.Wrap(evidence.Corrupt, err, "The checkpoint in the receipt cannot be trusted.")
	case r.Event.Index >= c.Size:
		return evidence.Errorf(evidence.Corrupt, "The checkpoint in the receipt is older than the log entry it should prove.")
	}
	err = c.CheckInclusion(r.Path, r.Event.Index, tlog.LeafHash(r.Event.Leaf))
	return evidence.Wrap(evidence.Corrupt, err, "The log entry in the receipt is not where the log has it.")
}

// isCollected tells whether the logged event is the collection that the
// receipt speaks of.
func (r Receipt) isCollected() error {
	for _, f := range []evidence.Field{
		evidence.F("verb", string(evidence.Collect)),
		evidence.F("phase", string(evidence.Outcome)),
	} {
		if v, ok := r.Event.Get(f.Name); !ok || v != f.Value {
			return evidence.Errorf(evidence.Invalid, "The log entry is not that of a completed collection (%s).", f.Name)
		}
	}
	for _, f := range []evidence.Field{
		evidence.F("item", string(r.Recording)),
		evidence.F("segment", strconv.Itoa(r.Segment)),
		evidence.F("device", r.Device),
		evidence.F("file_name", r.FileName),
		evidence.F("sha256", r.Digest.String()),
		evidence.F("length", r.Length),
	} {
		if v, ok := r.Event.Get(f.Name); !ok || v != f.Value {
			return evidence.Errorf(evidence.Invalid, "The log entry is about something else than the receipt (%s).", f.Name)
		}
	}
	return nil
}
