package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"custos/evidence"
)

// Decision is an answer of the rule.
type Decision struct {
	Allowed bool
	Reason  string         // one sentence that may be shown to the actor and goes into the ledger
	Reach   evidence.Reach // by which it is allowed
	Grant   evidence.ID    // emergency access that allows it, "" = the role does
	Until   time.Time      // when that ends; zero without Grant
}

// Scope says of which recordings actor may do verb. The actor must come from
// package identity, Operator or evidence.Server: its role is believed. Where
// it cannot be found out where somebody belongs, the scope covers nothing.
func (a *Access) Scope(ctx context.Context, actor evidence.Actor, verb evidence.Verb) evidence.Scope {
	s, err := a.scope(ctx, actor, verb)
	if err != nil {
		a.log.ErrorContext(ctx, "where somebody belongs cannot be read, so nothing is allowed to them", "actor", actor.ID, "err", err)
		return nil
	}
	return s
}

func (a *Access) scope(ctx context.Context, actor evidence.Actor, verb evidence.Verb) (out evidence.Scope, err error) {
	now := a.now()
	may := a.policy.of(actor).may[verb]
	person := evidence.ID("")
	var where Standing
	if actor.Kind == evidence.Person {
		person = evidence.ID(actor.ID)
		if where, err = a.standingOf(ctx, person, now); err != nil {
			return nil, err
		}
	}
	for _, p := range may {
		if t, ok := p.term(person, where, now); ok {
			out = append(out, t)
		}
	}
	if _, ok := a.policy.people[actor.Role]; !ok || person == "" {
		return out, nil
	}
	for _, g := range where.Grants {
		if !now.Before(g.Until) {
			continue
		}
		for _, p := range a.policy.emergency.may[verb] {
			if t, ok := p.term(person, where, now); ok {
				t.Grant = g.ID
				out = append(out, t)
			}
		}
	}
	return out, nil
}

// term is what a permission comes to for somebody; ok is false where it comes
// to nothing.
func (p permission) term(person evidence.ID, where Standing, now time.Time) (t evidence.Term, ok bool) {
	t = evidence.Term{Reach: p.reach, Classes: p.classes, State: p.state}
	switch p.reach {
	case evidence.Own:
		t.Person = person
		return t, person != ""
	case evidence.Listed:
		t.Person, t.At = person, now
		return t, person != "" && where.Listed
	case evidence.Unit:
		t.Units = where.Units
		return t, len(t.Units) > 0
	case evidence.Case:
		t.Cases = where.Cases
		return t, len(t.Cases) > 0
	}
	return t, true
}

// Decide says whether actor may do verb to r, and why. It allows exactly what
// Scope covers.
func (a *Access) Decide(ctx context.Context, actor evidence.Actor, verb evidence.Verb, r evidence.Placing) Decision {
	rule := a.policy.of(actor)
	if rule.name == "" {
		return Decision{Reason: "The account has no role that this service knows."}
	}
	scope, err := a.scope(ctx, actor, verb)
	if err != nil {
		a.log.ErrorContext(ctx, "where somebody belongs cannot be read, so nothing is allowed to them", "actor", actor.ID, "err", err)
		return Decision{Reason: "Where the account belongs cannot be read just now, so nothing is allowed to it."}
	}
	if t, ok := scope.By(r); ok {
		d := Decision{Allowed: true, Reason: a.why(rule, verb, t), Reach: t.Reach, Grant: t.Grant}
		if t.Grant != "" {
			d.Until = a.until(ctx, actor, t.Grant)
		}
		return d
	}
	may := rule.may[verb]
	if len(may) == 0 {
		return Decision{Reason: fmt.Sprintf("The role %q does not allow to %s recordings.", rule.name, words(verb))}
	}
	var reaches []string
	for _, p := range may {
		if s := p.says(); !slices.Contains(reaches, s) {
			reaches = append(reaches, s)
		}
	}
	return Decision{Reason: fmt.Sprintf("The role %q allows to %s %s, and this is none of these.", rule.name, words(verb), strings.Join(reaches, "; "))}
}

// until is when emergency access ends: now, where that is not known any more.
func (a *Access) until(ctx context.Context, actor evidence.Actor, grant evidence.ID) time.Time {
	now := a.now()
	if where, err := a.standingOf(ctx, evidence.ID(actor.ID), now); err == nil {
		for _, g := range where.Grants {
			if g.ID == grant {
				return g.Until
			}
		}
	}
	return now
}

// why is the sentence of an allowed act.
func (a *Access) why(r rule, verb evidence.Verb, t evidence.Term) string {
	name := fmt.Sprintf("The role %q", r.name)
	if t.Grant != "" {
		name = a.policy.emergency.name
	}
	p := permission{verb: verb, reach: t.Reach, classes: t.Classes, state: t.State}
	return fmt.Sprintf("%s allows to %s %s, and this is one.", name, words(verb), p.says())
}

// says is what a permission reaches, in words.
func (p permission) says() string {
	what := map[evidence.Reach]string{
		evidence.Own: "one's own recordings", evidence.Unit: "recordings of one's units", evidence.Case: "recordings in one's cases",
		evidence.Listed: "recordings whose access list names one", evidence.Force: "every recording",
	}[p.reach]
	if p.state != "" {
		what += " that is " + string(p.state)
	}
	if len(p.classes) == 3 {
		return what
	}
	names := make([]string, len(p.classes))
	for i, c := range p.classes {
		names[i] = c.String()
	}
	return what + " of class " + strings.Join(names, " or ")
}

func words(verb evidence.Verb) string {
	switch verb {
	case Trail:
		return "see the history of"
	case evidence.Derive:
		return "make working copies of"
	case evidence.Combine:
		return "put into cases"
	case Assign:
		return "say whose is"
	default:
		return string(verb)
	}
}

// Can tells whether actor may open an area. An unknown area is closed.
func (a *Access) Can(actor evidence.Actor, area string) bool {
	r := a.policy.of(actor)
	if area == Recordings {
		return len(r.may[Find]) > 0
	}
	return slices.Contains(r.areas, area)
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
	Cases      bool `json:"cases"`
	AddCases   bool `json:"addCases"` // enter new ones
	Approvals  bool `json:"approvals"`
	BreakGlass bool `json:"breakGlass"` // open emergency access for oneself
	Holds      bool `json:"holds"`
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
		Cases:      a.Can(actor, Cases),
		AddCases:   a.Can(actor, ManageCases),
		Approvals:  a.Can(actor, Approvals),
		BreakGlass: a.Can(actor, OpenBreakGlass),
		Holds:      a.Can(actor, Holds),
	}
}

// RecordingAbilities is what somebody may do to one recording, for buttons to
// show exactly that.
type RecordingAbilities struct {
	Consult  bool `json:"consult"`
	Export   bool `json:"export"` // disclose
	Trail    bool `json:"trail"`
	Combine  bool `json:"combine"`  // put it into a case
	Restrict bool `json:"restrict"` // say how closely it is kept
	Assign   bool `json:"assign"`   // say whose it is
}

// AbilitiesOn are the answers of Decide for r.
func (a *Access) AbilitiesOn(ctx context.Context, actor evidence.Actor, r evidence.Placing) RecordingAbilities {
	may := func(verb evidence.Verb) bool { return a.Decide(ctx, actor, verb, r).Allowed }
	return RecordingAbilities{
		Consult: may(evidence.Consult), Export: may(evidence.Disclose), Trail: may(Trail),
		Combine: may(evidence.Combine), Restrict: may(Restrict), Assign: may(Assign),
	}
}

// Operator is whoever runs a command on the server itself; login is the name
// the operating system knows them by.
func Operator(login string) evidence.Actor {
	return evidence.Actor{Kind: evidence.Operator, ID: login, Name: login, Role: string(evidence.Operator)}
}
