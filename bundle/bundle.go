// Package bundle writes and verifies what a court gets: a BagIt bag (RFC 8493)
// with masters, their custody history, the proofs that the history is in the
// force's log, and a viewer that needs no network and no account. The format
// is docs/formats/bundle.md.
//
// A Writer is for one goroutine. Everything else may be called concurrently.
package bundle

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"time"

	"custos/evidence"
	"custos/tlog"
)

// Info is what the bundle is. Texts are shown to the receiver as they are.
type Info struct {
	Bundle     evidence.ID
	Force      string
	MadeAt     time.Time
	MadeBy     string // person, as the receiver is to see them
	Recipient  string
	Purpose    evidence.Purpose
	Software   string // name and version
	LogKey     string // note verifier key of the log
	ReceiptKey string // note verifier key of receipts; "" = none
	Recordings []Recording
}

// Recording is what the catalogue says of a recording.
type Recording struct {
	evidence.Recording
	Gaps []evidence.Gap `json:"gaps,omitempty"`
}

// Master is one native file to put into the bundle.
type Master struct {
	Recording evidence.ID
	Segment   int    // from 1
	FileName  string // as the camera had it
	Digest    evidence.Digest
	Length    int64 // bytes
	// Seal, where not nil, wraps the file in the bag so that only the receiver
	// reads it, as age.Encrypt does. Closing the writer it returns ends the
	// sealed file and leaves dst open.
	Seal func(dst io.Writer) (io.WriteCloser, error)
}

// History is what happened to one recording, with what proves it. The server
// gives the same shape to browsers.
type History struct {
	Recording  evidence.ID           `json:"recording"`
	ItemKey    []byte                `json:"itemKey"`
	Events     []tlog.Opening        `json:"events"`
	Proofs     map[int64][]tlog.Hash `json:"proofs,omitempty"` // by Index; RFC 6962 paths
	Checkpoint string                `json:"checkpoint,omitempty"`
	LogKey     string                `json:"logKey,omitempty"`
	Pending    int                   `json:"pending"`   // events that are not in the log yet; 0 in a bundle
	Witnessed  bool                  `json:"witnessed"` // the server found enough cosignatures under Checkpoint
}

// Vouched is what outsiders say of a bundle's checkpoint, beside the
// cosignatures under it.
type Vouched struct {
	Timestamps []Timestamp
	Missing    []string // who was asked and gave nothing: one sentence each
}

// Timestamp is one authority's answer (RFC 3161, TimeStampResp in DER) over
// the bytes of the checkpoint.
type Timestamp struct {
	Authority string
	Response  []byte
}

// Names of the fields that a disclosure's events carry.
const (
	BundleField      = "bundle"             // of intent and outcome
	MastersField     = "masters_sha256"     // of the intent
	TagManifestField = "tagmanifest_sha256" // of the outcome
)

// Commit gives the fields that the intent to disclose a recording in a bundle
// must carry: the bundle's identifier and a digest over the masters of this
// recording that it will hold. With them the receiver sees whether the history
// was cut off at the end, or a master left out.
func Commit(bundle evidence.ID, masters []Master) []evidence.Field {
	sorted := slices.SortedFunc(slices.Values(masters), func(a, b Master) int { return cmp.Compare(a.Segment, b.Segment) })
	h := sha256.New()
	for _, m := range sorted {
		fmt.Fprintf(h, "%d %s %d\n", m.Segment, m.Digest, m.Length)
	}
	return []evidence.Field{
		evidence.F(BundleField, string(bundle)),
		evidence.F(MastersField, evidence.Digest(h.Sum(nil)).String()),
	}
}

// metadata is metadata.json.
type metadata struct {
	Version    int              `json:"version"`
	Bundle     evidence.ID      `json:"bundle"`
	Force      string           `json:"force"`
	MadeAt     time.Time        `json:"madeAt"`
	Software   string           `json:"software"`
	MadeBy     string           `json:"madeBy"`
	Recipient  string           `json:"recipient"`
	Purpose    evidence.Purpose `json:"purpose"`
	Files      []file           `json:"files"`
	Recordings []Recording      `json:"recordings"`
	Missing    []string         `json:"missing,omitempty"`
}

// file is one master in the bag. Digest and Length are those of the master
// before sealing.
type file struct {
	Path      string          `json:"path"`
	Recording evidence.ID     `json:"recording"`
	Segment   int             `json:"segment"`
	FileName  string          `json:"fileName"`
	Digest    evidence.Digest `json:"sha256"`
	Length    int64           `json:"length"`
	Sealed    bool            `json:"sealed"`
}

// events is custody/events.json.
type events struct {
	Version   int       `json:"version"`
	Histories []History `json:"histories"`
}

// view is what view.html shows.
type view struct {
	Metadata   metadata  `json:"metadata"`
	Histories  []History `json:"histories"`
	Checkpoint string    `json:"checkpoint"`
	LogKey     string    `json:"logKey"`
}

const version = 1

// Fingerprint is how people compare a key by telephone: the SHA-256 of the
// verifier key line, in groups of four hexadecimal digits.
func Fingerprint(vkey string) string {
	d := evidence.Digest(sha256.Sum256([]byte(vkey))).String()
	var groups []byte
	for i := 0; i < len(d); i += 4 {
		if i > 0 {
			groups = append(groups, ' ')
		}
		groups = append(groups, d[i:i+4]...)
	}
	return string(groups)
}
