// Package staff keeps people, their accounts and where they belong in step:
// what joins identity and organisation, and the record of it. Every change is
// one transaction with its event, which has the values before and after as
// they were read then.
//
// Times that people give are the times from which a change holds, and may lie
// in the past: an officer has been in a unit before somebody wrote it down.
package staff

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/organisation"
)

// Config is what a Staff stands on. All fields but Now must be
// set.
type Config struct {
	DB           *database.DB
	Identity     *identity.Directory
	Organisation *organisation.Organisation
	Custody      *custody.Custody
	Access       *access.Access
	Zone         *time.Location   // the force's clock: where a day begins
	Now          func() time.Time // nil: time.Now
}

// Staff is the register of people as administrators work with it. All methods
// may be called concurrently; those that change something fail with Denied for
// an actor who may not open the people.
type Staff struct{ Config }

// New gives the register of people.
func New(c Config) *Staff {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Staff{c}
}

func (s *Staff) newID() evidence.ID { return evidence.NewID(s.Now(), rand.Reader) }

// approved are the roles that nobody gives alone: whoever has one could look
// at, or shape, what others do, or let footage out. A supervisor or investigator
// is entered by one: a force has thousands, and what they may do asks for a
// purpose and leaves a trail.
var approved = map[access.Role]bool{
	access.Administrator: true, access.ProfessionalStandards: true, access.Auditor: true,
	access.DisclosureOfficer: true, access.RecordsManager: true, access.DataProtectionOfficer: true,
}

// NeedsApproval tells whether a role is given by two people only.
func NeedsApproval(role access.Role) bool { return approved[role] }

func approvalFirst() error {
	return evidence.Errorf(evidence.Denied, "That role is given by two people. Nothing was changed; make the account with another role and ask for this one.")
}

// amend makes one change with its one event.
func (s *Staff) amend(ctx context.Context, actor evidence.Actor, do func(tx *database.Tx) ([]evidence.Field, error)) error {
	return s.Custody.Amend(ctx, actor, access.People, func(tx *database.Tx) ([][]evidence.Field, error) {
		fields, err := do(tx)
		return [][]evidence.Field{kept(fields)}, err
	})
}

// kept are the fields that say something.
func kept(fields []evidence.Field) (out []evidence.Field) {
	for _, f := range fields {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

// of are the fields that say who an event is about, as they were then.
func of(what string, p identity.Person) []evidence.Field {
	return []evidence.Field{evidence.F("what", what), evidence.F("account", string(p.ID)), evidence.F("login", p.Login), evidence.F("name", p.Name), evidence.F("number", p.Number)}
}

// Hire is somebody new.
type Hire struct {
	Login, Name, Number string
	Role                access.Role
	Unit                evidence.ID // "" = none yet
	Lead                bool
	From                time.Time // of number and posting; zero: since ever for a number nobody had before, else now
	Password            string    // "" = no way to sign in yet
}

// Add makes an account, with number and posting. It fails with Invalid,
// NotFound and Conflict as identity.AddPerson, organisation.Give and
// organisation.Post do, and with Denied where a person gives a role that needs
// two.
func (s *Staff) Add(ctx context.Context, actor evidence.Actor, h Hire) (id evidence.ID, err error) {
	if NeedsApproval(h.Role) && actor.Kind == evidence.Person {
		return "", approvalFirst()
	}
	err = s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		p := identity.Person{ID: s.newID(), Login: h.Login, Name: h.Name, Number: strings.TrimSpace(h.Number), Role: h.Role}
		id = p.ID
		fields, err := s.enter(ctx, tx, p, h)
		return append(of("account made", p), fields...), err
	})
	return id, err
}

// enter makes an account with what belongs to it, and gives the fields beyond
// those of of.
func (s *Staff) enter(ctx context.Context, tx *database.Tx, p identity.Person, h Hire) ([]evidence.Field, error) {
	fields := []evidence.Field{evidence.F("role", p.Role)}
	add := func(ctx context.Context, tx *database.Tx, p identity.Person) error {
		return s.Identity.AddPerson(ctx, tx, p, h.Password)
	}
	if h.Password == "" {
		add = s.Identity.Enter
	}
	if err := add(ctx, tx, p); err != nil {
		return nil, err
	}
	if p.Number != "" {
		from, err := s.numberFrom(ctx, tx, p.Number, h.From)
		if err != nil {
			return nil, err
		}
		if _, err := s.Organisation.Give(ctx, tx, organisation.Holding{Kind: organisation.Number, Thing: p.Number, Person: p.ID, From: from}); err != nil {
			return nil, err
		}
		fields = append(fields, evidence.F("number_from", from))
	}
	if h.Unit != "" {
		from := h.From
		if from.IsZero() {
			from = s.Now()
		}
		posting, err := s.Organisation.Post(ctx, tx, organisation.Posting{Person: p.ID, Unit: h.Unit, Lead: h.Lead, From: from})
		if err != nil {
			return nil, err
		}
		words, err := s.unitWords(ctx, tx, posting.Unit, posting.Lead)
		if err != nil {
			return nil, err
		}
		fields = append(fields, evidence.F("unit", words), evidence.F("posted_from", posting.From))
	}
	return fields, nil
}

// numberFrom is from when a number is somebody's where from was not given:
// footage that a new account's officer took before is theirs, unless the
// number was somebody else's before.
func (s *Staff) numberFrom(ctx context.Context, tx *database.Tx, number string, from time.Time) (time.Time, error) {
	if !from.IsZero() {
		return from, nil
	}
	fresh, err := s.Organisation.NewThing(ctx, tx, organisation.Number, strings.TrimSpace(number))
	if fresh || err != nil {
		return time.Time{}, err
	}
	return s.Now(), nil
}

// unitWords is how a unit is written in events: code and name as they are now.
func (s *Staff) unitWords(ctx context.Context, tx *database.Tx, id evidence.ID, lead bool) (string, error) {
	if id == "" {
		return "", nil
	}
	u, err := s.Organisation.UnitIn(ctx, tx, id)
	if err != nil {
		return "", err
	}
	words := u.Code + " " + u.Name
	if lead {
		words += " (lead)"
	}
	return words, nil
}

// Describe gives a person another name or collar number, the number from a
// time on (zero: as for Hire). nil = as it is; a number of "" = none. It fails
// with NotFound, Invalid, and Conflict where the number is somebody else's.
func (s *Staff) Describe(ctx context.Context, actor evidence.Actor, person evidence.ID, name, number *string, from time.Time) error {
	if from.After(s.Now()) {
		return evidence.Errorf(evidence.Invalid, "A collar number cannot change in the future. Nothing was changed; change it on the day.")
	}
	return s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		p, err := s.Identity.PersonIn(ctx, tx, person)
		if err != nil {
			return nil, err
		}
		fields := of("person changed", p)
		after := p
		if name != nil && strings.TrimSpace(*name) != p.Name {
			after.Name = strings.TrimSpace(*name)
			fields = append(fields, evidence.F("name_after", after.Name))
		}
		if number != nil && strings.TrimSpace(*number) != p.Number {
			after.Number = strings.TrimSpace(*number)
			at, err := s.renumber(ctx, tx, p, after.Number, from)
			if err != nil {
				return nil, err
			}
			fields = append(fields, evidence.F("number_after", orNone(after.Number)), evidence.F("number_from", at))
		}
		if after == p {
			return nil, evidence.Errorf(evidence.Invalid, "That is how it is already. Nothing was changed.")
		}
		_, err = s.Identity.Describe(ctx, tx, p.ID, after.Name, after.Number)
		return fields, err
	})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// renumber ends the numbers that p has and gives the next, and says from when.
func (s *Staff) renumber(ctx context.Context, tx *database.Tx, p identity.Person, number string, from time.Time) (time.Time, error) {
	end, err := s.dropNumbers(ctx, tx, p.ID, from)
	if err != nil || number == "" {
		return end, err
	}
	if p.Number == "" { // nothing ended: as for somebody new
		if end, err = s.numberFrom(ctx, tx, number, from); err != nil {
			return end, err
		}
	}
	_, err = s.Organisation.Give(ctx, tx, organisation.Holding{Kind: organisation.Number, Thing: number, Person: p.ID, From: end})
	return end, err
}

// dropNumbers ends the numbers that somebody has, at from or else now, and
// says when.
func (s *Staff) dropNumbers(ctx context.Context, tx *database.Tx, person evidence.ID, from time.Time) (time.Time, error) {
	if from.IsZero() {
		from = s.Now()
	}
	past, err := s.Organisation.PastIn(ctx, tx, person)
	if err != nil {
		return from, err
	}
	for _, h := range past.Numbers {
		if h.Until.IsZero() {
			if _, err := s.Organisation.EndHolding(ctx, tx, h.ID, from); err != nil {
				return from, err
			}
		}
	}
	return from, nil
}

// Post posts a person to a unit from a time on (zero: now); the posting that
// they have then ends. It fails with NotFound, Invalid, and Conflict where the
// unit is closed or a later posting is in the way.
func (s *Staff) Post(ctx context.Context, actor evidence.Actor, p organisation.Posting) error {
	if p.From.IsZero() {
		p.From = s.Now()
	}
	return s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		who, err := s.Identity.PersonIn(ctx, tx, p.Person)
		if err != nil {
			return nil, err
		}
		before, err := s.repost(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		after, err := s.unitWords(ctx, tx, p.Unit, p.Lead)
		return append(of("person posted", who), evidence.F("unit_before", before), evidence.F("unit_after", after), evidence.F("posted_from", p.From)), err
	})
}

// repost ends what p follows and posts; before is the unit in words.
func (s *Staff) repost(ctx context.Context, tx *database.Tx, p organisation.Posting) (before string, err error) {
	past, err := s.Organisation.PastIn(ctx, tx, p.Person)
	if err != nil {
		return "", err
	}
	for _, old := range past.Postings {
		if !old.Until.IsZero() || old.From.After(p.From) {
			continue // organisation says what is in the way
		}
		if before, err = s.unitWords(ctx, tx, old.Unit, old.Lead); err != nil {
			return "", err
		}
		if _, err := s.Organisation.EndPosting(ctx, tx, old.ID, p.From); err != nil {
			return "", err
		}
	}
	_, err = s.Organisation.Post(ctx, tx, p)
	return before, err
}

// EndPosting ends a posting at a time (zero: now); nothing follows it.
func (s *Staff) EndPosting(ctx context.Context, actor evidence.Actor, id evidence.ID, until time.Time) error {
	if until.IsZero() {
		until = s.Now()
	}
	return s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		p, err := s.Organisation.EndPosting(ctx, tx, id, until)
		if err != nil {
			return nil, err
		}
		who, err := s.Identity.PersonIn(ctx, tx, p.Person)
		if err != nil {
			return nil, err
		}
		before, err := s.unitWords(ctx, tx, p.Unit, p.Lead)
		return append(of("posting ended", who), evidence.F("unit_before", before), evidence.F("posted_from", p.From), evidence.F("posted_until", until)), err
	})
}

// Issue gives a camera to a person for a time (From zero: now; Until zero:
// until it is returned). It fails with NotFound, Invalid, and Conflict where
// somebody has it.
func (s *Staff) Issue(ctx context.Context, actor evidence.Actor, h organisation.Holding) error {
	h.Kind = organisation.Camera
	if h.From.IsZero() {
		h.From = s.Now()
	}
	return s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		who, err := s.Identity.PersonIn(ctx, tx, h.Person)
		if err != nil {
			return nil, err
		}
		given, err := s.Organisation.Give(ctx, tx, h)
		return append(of("camera issued", who), evidence.F("camera", given.Thing), evidence.F("issued_from", given.From), evidence.F("issued_until", given.Until)), err
	})
}

// Return ends that somebody has a camera or number, at a time (zero: now).
func (s *Staff) Return(ctx context.Context, actor evidence.Actor, id evidence.ID, until time.Time) error {
	if until.IsZero() {
		until = s.Now()
	}
	return s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		h, err := s.Organisation.EndHolding(ctx, tx, id, until)
		if err != nil {
			return nil, err
		}
		if h.Kind != organisation.Camera {
			return nil, evidence.Errorf(evidence.Invalid, "A collar number ends by changing the person. Nothing was changed.")
		}
		who, err := s.Identity.PersonIn(ctx, tx, h.Person)
		return append(of("camera returned", who), evidence.F("camera", h.Thing), evidence.F("issued_from", h.From), evidence.F("issued_until", until)), err
	})
}

// Adopt takes the collar numbers of accounts made before there was an
// organisation into it, since ever: whose own footage is stays as it was.
func (s *Staff) Adopt(ctx context.Context) error {
	var left []identity.Person
	look := func(tx *database.Tx) error {
		people, err := s.Identity.ListIn(ctx, tx)
		if err != nil {
			return err
		}
		known, err := s.Organisation.Things(ctx, tx, organisation.Number)
		left = slices.DeleteFunc(people, func(p identity.Person) bool { return p.Number == "" || p.Disabled || known[p.Number] })
		return err
	}
	if err := s.DB.Read(ctx, look); err != nil || len(left) == 0 {
		return err
	}
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		if err := look(tx); err != nil { // another server may have been quicker
			return err
		}
		for _, p := range left {
			if _, err := s.Organisation.Give(ctx, tx, organisation.Holding{Kind: organisation.Number, Thing: p.Number, Person: p.ID}); err != nil {
				return fmt.Errorf("take over collar numbers: %w", err)
			}
		}
		return nil
	})
}
