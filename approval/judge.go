package approval

import (
	"context"

	"custos/access"
	"custos/evidence"
	"custos/identity"
)

// Ability is whether somebody may do something to a request, and if not, why:
// one sentence for them and for whoever looks later.
type Ability struct {
	May bool   `json:"may"`
	Why string `json:"why" doc:"Why not; empty where they may."`
}

// Can is what somebody may do to one request, for buttons to show exactly that.
type Can struct {
	Approve  Ability `json:"approve"`
	Refuse   Ability `json:"refuse"`
	Withdraw Ability `json:"withdraw"`
}

func ability(err error) Ability {
	if err == nil {
		return Ability{May: true}
	}
	return Ability{Why: evidence.MessageOf(err)}
}

// standings tells how somebody's account is now, and whether it is open.
type standings func(id string) (identity.Person, bool)

func standingOf(people map[evidence.ID]identity.Person) standings {
	return func(id string) (identity.Person, bool) {
		p, ok := people[evidence.ID(id)]
		return p, ok && !p.Disabled
	}
}

// people are those whose accounts decide whether by may approve r.
func people(r row, by evidence.Actor) []evidence.ID {
	ids := []evidence.ID{evidence.ID(r.AskedBy.ID)}
	if by.Kind == evidence.Person {
		ids = append(ids, evidence.ID(by.ID))
	}
	if r.concerned != "" {
		ids = append(ids, r.concerned)
	}
	return ids
}

// mayApprove gives nil, or why by may not approve r. reports tells whether they
// report to whoever asked.
func (m *Room) mayApprove(r row, by evidence.Actor, account standings, reports bool) error {
	if err := m.mayDecide(r, by, "approve"); err != nil {
		return err
	}
	if by.Kind == evidence.Person {
		p, open := account(by.ID)
		if !open || !m.Access.Can(now(by, p.Role), access.ApproveOf(r.Kind)) {
			return evidence.Errorf(evidence.Denied, "Your account no longer includes approving this.")
		}
	}
	if reports {
		return evidence.Errorf(evidence.Denied, "You report to %s, who asked for this. Somebody who does not must approve it.", r.AskedBy.Name)
	}
	if p, open := account(r.AskedBy.ID); !open || !m.Access.Can(now(r.AskedBy, p.Role), access.AskOf(r.Kind)) {
		return evidence.Errorf(evidence.Denied, "%s, who asked for this, may not ask for it any more. Refuse it; whoever still needs it asks again.", r.AskedBy.Name)
	}
	return nil
}

// now is an actor with the role they have now.
func now(a evidence.Actor, role string) evidence.Actor {
	a.Role = role
	return a
}

func (m *Room) mayRefuse(r row, by evidence.Actor) error { return m.mayDecide(r, by, "refuse") }

// mayDecide is what approving and refusing have in common.
func (m *Room) mayDecide(r row, by evidence.Actor, what string) error {
	switch {
	case r.State != StillOpen || !m.Now().Before(r.ExpiresAt):
		return over(r)
	case r.AskedBy.ID == by.ID:
		return evidence.Errorf(evidence.Denied, "You asked for this yourself. Somebody else must %s it.", what)
	case !m.Access.Can(by, access.ApproveOf(r.Kind)):
		return evidence.Errorf(evidence.Denied, "Your role does not include deciding this.")
	case r.concerned != "" && string(r.concerned) == by.ID:
		return evidence.Errorf(evidence.Denied, "This is about you. Somebody else must %s it.", what)
	}
	return nil
}

func (m *Room) mayWithdraw(r row, by evidence.Actor) error {
	switch {
	case r.State != StillOpen || !m.Now().Before(r.ExpiresAt):
		return over(r)
	case r.AskedBy.ID != by.ID:
		return evidence.Errorf(evidence.Denied, "Only %s, who asked for this, can withdraw it.", r.AskedBy.Name)
	case !m.Access.Can(by, access.AskOf(r.Kind)):
		return evidence.Errorf(evidence.Denied, "Your role no longer includes asking for this. Somebody who decides such requests can refuse it.")
	}
	return nil
}

// over says that a request is not open any more.
func over(r row) error {
	how := map[State]string{
		Done: "was approved and carried out", Refused: "was refused", Withdrawn: "was withdrawn", Failed: "could not be carried out",
	}[r.State]
	if how == "" {
		how = "has expired"
	}
	return evidence.Errorf(evidence.Conflict, "This request %s. Nothing more can be done with it.", how)
}

// can are the answers of the rules for r, as by is now.
func (m *Room) can(ctx context.Context, r row, by evidence.Actor) (Can, error) {
	c := Can{Refuse: ability(m.mayRefuse(r, by)), Withdraw: ability(m.mayWithdraw(r, by))}
	if err := m.mayDecide(r, by, "approve"); err != nil {
		c.Approve = ability(err)
		return c, nil
	}
	reports, err := m.reports(ctx, by, r.AskedBy)
	if err != nil {
		return c, err
	}
	accounts := map[evidence.ID]identity.Person{}
	for _, id := range people(r, by) {
		p, err := m.Identity.Person(ctx, id)
		if err != nil && evidence.CodeOf(err) != evidence.NotFound {
			return c, err
		}
		if err == nil {
			accounts[id] = p
		}
	}
	c.Approve = ability(m.mayApprove(r, by, standingOf(accounts), reports))
	return c, nil
}
