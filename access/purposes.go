package access

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"custos/evidence"
)

// ShippedPurposes is the list of purposes as it is shipped, a text that people
// read.
//
//go:embed purposes.toml
var ShippedPurposes []byte

// Needs is what must be given with a purpose.
type Needs string

// What a purpose may need.
const (
	NeedsNone     Needs = "none"
	NeedsText     Needs = "text"     // a number that this service cannot check
	NeedsCase     Needs = "case"     // the number of a case in the register
	NeedsIncident Needs = "incident" // the number of an incident in the register
	NeedsEither   Needs = "either"   // one of both
)

// OwnFootage is the purpose of somebody who watches what they recorded, where
// they give no other.
const OwnFootage = "own"

// Purpose is one reason to watch footage that is not one's own.
type Purpose struct {
	Code      string        `json:"code"`
	Name      string        `json:"name"`
	Reference Needs         `json:"reference" enum:"none,text,case,incident,either"`
	Label     string        `json:"label"` // what the field for the reference is called
	Lasts     time.Duration `json:"-"`     // how long it holds for one recording in one session
	Hold      bool          `json:"hold"`  // records a hold request
}

var purposeCode = regexp.MustCompile(`^[a-z][a-z_]{1,30}$`)

// parsePurposes reads a list of purposes. It fails with Invalid.
func parsePurposes(text []byte) (out []Purpose, err error) {
	var f struct {
		Version  int `toml:"version"`
		Purposes []struct {
			Code      string `toml:"code"`
			Name      string `toml:"name"`
			Reference Needs  `toml:"reference"`
			Label     string `toml:"label"`
			Lasts     string `toml:"lasts"`
			Hold      bool   `toml:"hold"`
		} `toml:"purposes"`
	}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, evidence.Wrap(evidence.Invalid, err, "The list of purposes cannot be read.")
	}
	if f.Version != 1 || len(f.Purposes) == 0 {
		return nil, evidence.Errorf(evidence.Invalid, "The list of purposes must be of version 1 and have at least one.")
	}
	for _, p := range f.Purposes {
		wrong := func(what string) error {
			return evidence.Errorf(evidence.Invalid, "In the list of purposes, %q %s.", p.Code, what)
		}
		lasts, err := time.ParseDuration(p.Lasts)
		switch {
		case !purposeCode.MatchString(p.Code) || p.Code == OwnFootage:
			return nil, wrong("is no code")
		case slices.ContainsFunc(out, func(o Purpose) bool { return o.Code == p.Code }):
			return nil, wrong("stands twice")
		case p.Name == "" || p.Reference != NeedsNone && p.Label == "":
			return nil, wrong("needs a name, and a label for its reference")
		case !slices.Contains([]Needs{NeedsNone, NeedsText, NeedsCase, NeedsIncident, NeedsEither}, p.Reference):
			return nil, wrong("needs a reference that this service does not know")
		case err != nil || lasts <= 0 || lasts > sessionMost:
			return nil, wrong("must last up to 12h")
		}
		out = append(out, Purpose{p.Code, p.Name, p.Reference, p.Label, lasts, p.Hold})
	}
	return out, nil
}

// sessionMost is the longest a session lasts; no purpose lasts longer.
const sessionMost = 12 * time.Hour

// Purposes are the reasons that may be given, in the order they are offered.
func (a *Access) Purposes() []Purpose { return slices.Clone(a.purposes) }

// Purpose is one of them. It fails with Invalid.
func (a *Access) Purpose(code string) (Purpose, error) {
	for _, p := range a.purposes {
		if p.Code == code {
			return p, nil
		}
	}
	names := make([]string, len(a.purposes))
	for i, p := range a.purposes {
		names[i] = p.Name
	}
	return Purpose{}, evidence.Errorf(evidence.Invalid, "%s", fmt.Sprintf("That is not a purpose of this force. Choose one of: %s.", strings.Join(names, ", ")))
}
