package evidence

import (
	"slices"
	"time"
)

// Class says how closely a recording is kept.
type Class int

// The classes.
const (
	Normal       Class = iota // whoever a rule reaches it for
	Restricted                // professional standards look, or somebody must be kept from it
	Confidential              // as Restricted, for fewer people still
)

// Classes are the words for the classes, by number.
var classes = []string{"normal", "restricted", "confidential"}

// String is the class in one word.
func (c Class) String() string {
	if c < 0 || int(c) >= len(classes) {
		return "unknown"
	}
	return classes[c]
}

// ParseClass reads what String writes. It fails with Invalid.
func ParseClass(s string) (Class, error) {
	if i := slices.Index(classes, s); i >= 0 {
		return Class(i), nil
	}
	return 0, Errorf(Invalid, "There is no such class of recordings.")
}

// State is whether it is known whose footage a recording is.
type State string

// The states.
const (
	Assigned   State = "assigned"   // its officer is known
	Unassigned State = "unassigned" // nobody held its camera or its number when it began
)

// Listing is one place on the access list of a recording: somebody who may know
// of it and watch it though its class would keep them out, if their role gives
// the list any weight.
type Listing struct {
	Person ID        `json:"person"`
	Until  time.Time `json:"until,omitzero"` // from then on no more; zero = no end
}

// Placing is what the rule looks at in a recording.
type Placing struct {
	Owner  ID // account of the person whose footage it is, as of its start; "" = nobody's
	Unit   ID // unit they were posted to then; "" = none
	Class  Class
	Cases  []ID // cases it belongs to
	Listed []Listing
}

// State is derived from the owner.
func (p Placing) State() State {
	if p.Owner == "" {
		return Unassigned
	}
	return Assigned
}

// Reach is how far a permission goes.
type Reach string

// The reaches.
const (
	Own    Reach = "own"    // footage of the person themself
	Unit   Reach = "unit"   // footage of people posted to their units when it was made
	Case   Reach = "case"   // footage in cases they are a member of
	Listed Reach = "listed" // footage whose access list names them
	Force  Reach = "force"  // all footage
)

// Term is one way to be allowed. All of it must fit.
type Term struct {
	Reach   Reach
	Person  ID        // for Own and Listed: whose
	Units   []ID      // for Unit
	Cases   []ID      // for Case
	At      time.Time // for Listed: now
	Classes []Class   // never empty
	State   State     // "" = any
	Grant   ID        // emergency access that gives it, "" = the role
}

// Scope is of which recordings something is allowed: those that any of its
// terms covers. The zero value covers none. It is the filter of a list and the
// check of one recording alike: package catalogue turns it into SQL that finds
// exactly what Covers covers.
type Scope []Term

// Live is the scope without the terms that can cover nothing, or nothing that
// another does not cover, and without the units and persons that are nobody's.
// Who turns a scope into something else starts from it.
func (s Scope) Live() (out Scope) {
	none := func(id ID) bool { return id == "" }
	for _, t := range s {
		t.Units = slices.DeleteFunc(slices.Clone(t.Units), none)
		t.Cases = slices.DeleteFunc(slices.Clone(t.Cases), none)
		ok := len(t.Classes) > 0
		switch t.Reach {
		case Force:
		case Own:
			ok = ok && t.Person != "" && t.State != Unassigned
		case Listed:
			ok = ok && t.Person != ""
		case Unit:
			ok = ok && len(t.Units) > 0
		case Case:
			ok = ok && len(t.Cases) > 0
		default:
			ok = false
		}
		if ok {
			out = append(out, t)
		}
	}
	all := slices.Clone(out)
	return slices.DeleteFunc(out, func(t Term) bool {
		return t.Reach != Force && slices.ContainsFunc(all, t.within)
	})
}

// within tells whether all of f covers what t does: f reaches everything.
func (t Term) within(f Term) bool {
	return f.Reach == Force && (f.State == "" || f.State == t.State) &&
		!slices.ContainsFunc(t.Classes, func(c Class) bool { return !slices.Contains(f.Classes, c) })
}

// Everything is the scope of somebody whom nothing is kept from.
func Everything() Scope {
	return Scope{{Reach: Force, Classes: []Class{Normal, Restricted, Confidential}}}
}

// Covers tells whether a recording is within the scope.
func (s Scope) Covers(p Placing) bool {
	_, ok := s.By(p)
	return ok
}

// By is the first term that covers a recording. ok is false where none does.
func (s Scope) By(p Placing) (t Term, ok bool) {
	for _, t := range s {
		if t.covers(p) {
			return t, true
		}
	}
	return Term{}, false
}

func (t Term) covers(p Placing) bool {
	if !slices.Contains(t.Classes, p.Class) || t.State != "" && t.State != p.State() {
		return false
	}
	switch t.Reach {
	case Force:
		return true
	case Own:
		return t.Person != "" && t.Person == p.Owner
	case Unit:
		return p.Unit != "" && slices.Contains(t.Units, p.Unit)
	case Case:
		return slices.ContainsFunc(p.Cases, func(id ID) bool { return id != "" && slices.Contains(t.Cases, id) })
	case Listed:
		return t.Person != "" && slices.ContainsFunc(p.Listed, func(l Listing) bool {
			return l.Person == t.Person && (l.Until.IsZero() || t.At.Before(l.Until))
		})
	}
	return false
}
