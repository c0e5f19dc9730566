package access

import (
	"context"
	"fmt"
	"slices"

	"custos/evidence"
)

// Scope is of which recordings something is allowed: all of them, those of one
// officer, or, the zero value, none. It is the filter of a list.
type Scope struct {
	All     bool
	Officer string // collar number; "" = nobody's, not even of recordings without an officer
}

// Covers tells whether r is within the scope.
func (s Scope) Covers(r evidence.Recording) bool {
	return s.All || s.Officer != "" && s.Officer == r.Officer
}

// Empty tells whether the scope covers nothing.
func (s Scope) Empty() bool { return !s.All && s.Officer == "" }

// Decision is an answer of the rule.
type Decision struct {
	Allowed bool
	Reason  string // one sentence that may be shown to the actor and goes into the ledger
}

// Scope says of which recordings actor may do verb.
func (a *Access) Scope(actor evidence.Actor, verb evidence.Verb) Scope {
	switch a.policy.of(actor).verbs[verb] {
	case all:
		return Scope{All: true}
	case own:
		return Scope{Officer: actor.Number}
	default:
		return Scope{}
	}
}

// Decide says whether actor may do verb to r, and why. It allows exactly what
// Scope covers. The actor must come from Authenticate, AuthenticateDock,
// Operator or evidence.Server: its role is believed.
func (a *Access) Decide(_ context.Context, actor evidence.Actor, verb evidence.Verb, r evidence.Recording) Decision {
	rule, scope := a.policy.of(actor), a.Scope(actor, verb)
	d := Decision{Allowed: scope.Covers(r)}
	switch {
	case rule.name == "":
		d.Reason = "The account has no role that this service knows."
	case scope.All:
		d.Reason = fmt.Sprintf("The role %q allows to %s every recording.", rule.name, words(verb))
	case rule.verbs[verb] == own && d.Allowed:
		d.Reason = fmt.Sprintf("The role %q allows to %s one's own recordings, and this is one.", rule.name, words(verb))
	case rule.verbs[verb] == own && scope.Empty():
		d.Reason = fmt.Sprintf("The role %q allows to %s one's own recordings, and the account has no collar number.", rule.name, words(verb))
	case rule.verbs[verb] == own:
		d.Reason = fmt.Sprintf("The role %q allows to %s one's own recordings, and this is not one.", rule.name, words(verb))
	default:
		d.Reason = fmt.Sprintf("The role %q does not allow to %s recordings.", rule.name, words(verb))
	}
	return d
}

func words(verb evidence.Verb) string {
	switch verb {
	case Trail:
		return "see the history of"
	case evidence.Derive:
		return "make working copies of"
	default:
		return string(verb)
	}
}

// Can tells whether actor may open an area. An unknown area is closed.
func (a *Access) Can(actor evidence.Actor, area string) bool {
	if area == Recordings {
		return !a.Scope(actor, Find).Empty()
	}
	return slices.Contains(a.policy.of(actor).areas, area)
}

// Abilities is what somebody may open, for menus to show exactly that.
type Abilities struct {
	Recordings bool `json:"recordings"`
	Docks      bool `json:"docks"`
	System     bool `json:"system"`
	Log        bool `json:"log"`
	People     bool `json:"people"`
	AuditBasic bool `json:"auditBasic"`
	AuditFull  bool `json:"auditFull"`
}

// Abilities are all answers of Can.
func (a *Access) Abilities(actor evidence.Actor) Abilities {
	return Abilities{
		Recordings: a.Can(actor, Recordings),
		Docks:      a.Can(actor, Docks),
		System:     a.Can(actor, Health),
		Log:        a.Can(actor, Log),
		People:     a.Can(actor, People),
		AuditBasic: a.Can(actor, AuditBasic),
		AuditFull:  a.Can(actor, AuditFull),
	}
}

// RecordingAbilities is what somebody may do to one recording, for buttons to
// show exactly that.
type RecordingAbilities struct {
	Consult bool `json:"consult"`
	Export  bool `json:"export"` // disclose
	Trail   bool `json:"trail"`
}

// AbilitiesOn are the answers of Decide for r.
func (a *Access) AbilitiesOn(ctx context.Context, actor evidence.Actor, r evidence.Recording) RecordingAbilities {
	return RecordingAbilities{
		Consult: a.Decide(ctx, actor, evidence.Consult, r).Allowed,
		Export:  a.Decide(ctx, actor, evidence.Disclose, r).Allowed,
		Trail:   a.Decide(ctx, actor, Trail, r).Allowed,
	}
}

// Operator is whoever runs a command on the server itself; login is the name
// the operating system knows them by.
func Operator(login string) evidence.Actor {
	return evidence.Actor{Kind: evidence.Operator, ID: login, Name: login, Role: string(evidence.Operator)}
}
