package bundle

import (
	"time"

	"custos/evidence"
)

// State is how a check ended.
type State string

// How checks end.
const (
	Proven    State = "proven"
	Failed    State = "failed"
	NotProven State = "not_proven" // nothing is wrong, and nothing shows that it is right
)

// Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"`    // as in docs/formats/bundle.md, section Verifying
	Subject string `json:"subject"` // file, recording or event; "" = the whole bag
	State   State  `json:"state"`
	Says    string `json:"says"` // one or two plain sentences
	// Asked is set where the person checking asked for it: then it must be proven.
	Asked bool `json:"asked,omitempty"`
}

// Report is what Verify found. What it says of the bundle beside Checks is as
// the bag has it, proven or not.
type Report struct {
	Bundle      evidence.ID         `json:"bundle"`
	Force       string              `json:"force"`
	Recipient   string              `json:"recipient"`
	MadeAt      time.Time           `json:"madeAt"`
	Recordings  []RecordingReport   `json:"recordings"`
	Files       int                 `json:"files"` // in the bag
	Bytes       int64               `json:"bytes"` // that were hashed
	LogKey      string              `json:"logKey"`
	Fingerprint string              `json:"fingerprint"` // of LogKey, to compare by telephone
	Checkpoint  *CheckpointInReport `json:"checkpoint,omitempty"`
	Checks      []Check             `json:"checks"`
}

// RecordingReport is one recording in the bag.
type RecordingReport struct {
	Recording evidence.ID `json:"recording"`
	Device    string      `json:"device"`
	StartedAt time.Time   `json:"startedAt"`
	Masters   int         `json:"masters"`
	Events    int         `json:"events"`
}

// CheckpointInReport is the head of the log that the proofs lead to.
type CheckpointInReport struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"` // base64
}

// Outcome is what a report comes to.
type Outcome string

// What a report can come to.
const (
	Sound       Outcome = "sound"       // everything holds, by a key got another way
	Wrong       Outcome = "wrong"       // at least one check failed
	Unconfirmed Outcome = "unconfirmed" // everything fits together, but the key, a sealed master, the viewer's program, or a witness or timestamp that was asked for is not confirmed
)

// Outcome sums the checks up.
func (r Report) Outcome() Outcome {
	out := Sound
	for _, c := range r.Checks {
		switch {
		case c.State == Failed:
			return Wrong
		case c.State == NotProven && (c.Asked || c.Name == "key" || c.Name == "masters" || c.Name == "viewer"):
			out = Unconfirmed
		}
	}
	return out
}

// Failed are the checks that failed.
func (r Report) Failed() []Check { return r.in(Failed) }

func (r Report) in(s State) []Check {
	var out []Check
	for _, c := range r.Checks {
		if c.State == s {
			out = append(out, c)
		}
	}
	return out
}
