// Package cases is the register of cases and incidents as people work with it:
// who may know what a case is about, and the record of every change.
//
// Whoever may open the register finds every number in it, for a purpose must
// name one. What a case is about and who works on it is for those who need to
// know: its members, whoever entered it, and the roles that see all cases. They
// alone change it, and nobody can let themselves in.
package cases

import (
	"context"
	"time"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/organisation"
)

// Config is what Cases stand on. All fields but Now must be set.
type Config struct {
	Identity     *identity.Directory
	Organisation *organisation.Organisation
	Custody      *custody.Custody
	Access       *access.Access
	Now          func() time.Time // nil: time.Now
}

// Cases is the register. All methods may be called concurrently.
type Cases struct{ Config }

// New gives the register.
func New(c Config) *Cases {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Cases{c}
}

// Entry is a case as an actor may see it.
type Entry struct {
	organisation.Case
	Known  bool // the actor may know what it is about; else Title, OpenedBy and ClosedBy are ""
	Manage bool // the actor may close it and choose its members
}

// notKnown is the answer about a case that is in the register and whose
// content the actor need not know; that it exists is no secret.
func notKnown() error {
	return evidence.Errorf(evidence.Denied, "You are not a member of that case. Ask one of its members, or your supervisor, if your work needs it.")
}

func (c *Cases) entries(ctx context.Context, actor evidence.Actor, list ...organisation.Case) ([]Entry, error) {
	ids := make([]evidence.ID, len(list))
	for i, k := range list {
		ids[i] = k.ID
	}
	known, err := c.Organisation.Knows(ctx, evidence.ID(actor.ID), c.Now(), ids...)
	if err != nil {
		return nil, err
	}
	all, manage := c.Access.Can(actor, access.AllCases), c.Access.Can(actor, access.ManageCases)
	out := make([]Entry, len(list))
	for i, k := range list {
		e := Entry{Case: k, Known: all || known[k.ID]}
		e.Manage = e.Known && manage && k.ClosedAt.IsZero()
		if !e.Known {
			e.Title, e.OpenedBy, e.ClosedBy = "", "", ""
		}
		out[i] = e
	}
	return out, nil
}

// List are the cases that f picks, the latest first, as actor may see them.
// Words of titles find those only that actor may read.
func (c *Cases) List(ctx context.Context, actor evidence.Actor, f organisation.CaseFilter) ([]Entry, error) {
	f.Reader = evidence.ID(actor.ID)
	if c.Access.Can(actor, access.AllCases) {
		f.Reader = ""
	}
	list, err := c.Organisation.Cases(ctx, f)
	if err != nil {
		return nil, err
	}
	return c.entries(ctx, actor, list...)
}

// Case is one case as actor may see it, with its members where they may know
// them. It fails with NotFound.
func (c *Cases) Case(ctx context.Context, actor evidence.Actor, id evidence.ID) (Entry, []organisation.Membership, error) {
	k, err := c.Organisation.Case(ctx, id)
	if err != nil {
		return Entry{}, nil, err
	}
	list, err := c.entries(ctx, actor, k)
	if err != nil {
		return Entry{}, nil, err
	}
	if !list[0].Known {
		return list[0], nil, nil
	}
	members, err := c.Organisation.Members(ctx, id)
	return list[0], members, err
}

// change lets actor change a case that they know, and records it.
func (c *Cases) change(ctx context.Context, actor evidence.Actor, id evidence.ID, do func(tx *database.Tx) ([]evidence.Field, error)) error {
	e, _, err := c.Case(ctx, actor, id)
	if err != nil {
		return err
	}
	if !e.Known {
		return notKnown()
	}
	return c.Custody.Amend(ctx, actor, access.ManageCases, func(tx *database.Tx) ([][]evidence.Field, error) {
		fields, err := do(tx)
		return [][]evidence.Field{append([]evidence.Field{evidence.F("case", e.Number), evidence.F("case_id", string(e.ID))}, fields...)}, err
	})
}

// Add enters a case or incident; a person who does so becomes its first member.
// It fails as organisation.AddCase does.
func (c *Cases) Add(ctx context.Context, actor evidence.Actor, k organisation.Case) (out organisation.Case, err error) {
	err = c.Custody.Amend(ctx, actor, access.ManageCases, func(tx *database.Tx) ([][]evidence.Field, error) {
		if out, err = c.Organisation.AddCase(ctx, tx, k, actor.ID); err != nil {
			return nil, err
		}
		if actor.Kind == evidence.Person {
			if _, err := c.Organisation.AddMember(ctx, tx, organisation.Membership{Case: out.ID, Person: evidence.ID(actor.ID), Role: "Entered it", From: out.OpenedAt}); err != nil {
				return nil, err
			}
		}
		return [][]evidence.Field{{evidence.F("what", string(out.Kind)+" entered"), evidence.F("case", out.Number), evidence.F("case_id", string(out.ID)), evidence.F("title", out.Title)}}, nil
	})
	return out, err
}

// Close closes a case. It fails with Denied for one that actor need not know,
// and as organisation.CloseCase does.
func (c *Cases) Close(ctx context.Context, actor evidence.Actor, id evidence.ID) error {
	return c.change(ctx, actor, id, func(tx *database.Tx) ([]evidence.Field, error) {
		before, err := c.Organisation.CloseCase(ctx, tx, id, actor.ID)
		return []evidence.Field{evidence.F("what", string(before.Kind)+" closed"), evidence.F("title", before.Title)}, err
	})
}

// AddMember makes somebody a member from a time on (zero: now). It fails with
// Denied for a case that actor need not know, NotFound for no such person, and
// as organisation.AddMember does.
func (c *Cases) AddMember(ctx context.Context, actor evidence.Actor, m organisation.Membership) error {
	if m.From.IsZero() {
		m.From = c.Now()
	}
	return c.change(ctx, actor, m.Case, func(tx *database.Tx) ([]evidence.Field, error) {
		who, err := c.Identity.PersonIn(ctx, tx, m.Person)
		if err != nil {
			return nil, err
		}
		if who.Disabled {
			return nil, evidence.Errorf(evidence.Invalid, "That account is closed. Nothing was changed; choose somebody else.")
		}
		m, err := c.Organisation.AddMember(ctx, tx, m)
		return []evidence.Field{evidence.F("what", "member added"), evidence.F("account", string(m.Person)), evidence.F("name", who.Name),
			evidence.F("role_in_case", m.Role), evidence.F("member_from", m.From)}, err
	})
}

// EndMember ends a membership at once. It fails with Denied for a case that
// actor need not know, and as organisation.EndMember does.
func (c *Cases) EndMember(ctx context.Context, actor evidence.Actor, id, member evidence.ID) error {
	return c.change(ctx, actor, id, func(tx *database.Tx) ([]evidence.Field, error) {
		until := c.Now()
		m, err := c.Organisation.EndMember(ctx, tx, member, until)
		if err != nil {
			return nil, err
		}
		if m.Case != id {
			return nil, evidence.Errorf(evidence.NotFound, "There is no such member.")
		}
		who, err := c.Identity.PersonIn(ctx, tx, m.Person)
		return []evidence.Field{evidence.F("what", "member ended"), evidence.F("account", string(m.Person)), evidence.F("name", who.Name),
			evidence.F("role_in_case", m.Role), evidence.F("member_from", m.From), evidence.F("member_until", until)}, err
	})
}
