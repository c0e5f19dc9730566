package staff_test

import (
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/custody/custodytest"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/identity"
	"custos/organisation"
	"custos/staff"
)

// office is a register of people in a world of its own.
type office struct {
	*testing.T
	*custodytest.World
	*staff.Staff
	admin evidence.Actor
}

func newOffice(t *testing.T, db *database.DB) *office {
	w := custodytest.New(t, db)
	return &office{t, w, staff.New(staff.Config{DB: db, Identity: w.Identity, Organisation: w.Organisation, Custody: w.Custody, Access: w.Access,
		Zone: time.FixedZone("BST", 3600), Now: w.Clock.Now}), evidence.Actor{Kind: evidence.Person, ID: "admin", Name: "Admin", Role: access.Administrator}}
}

func each(t *testing.T, f func(o *office)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) { f(newOffice(t, db)) })
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) wantCode(err error, code evidence.Code) {
	o.Helper()
	if evidence.CodeOf(err) != code {
		o.Errorf("want code %q, got %q: %v", code, evidence.CodeOf(err), err)
	}
}

func (o *office) unit(code string) evidence.ID {
	o.Helper()
	u, err := o.AddUnit(o.Context(), o.admin, organisation.Unit{Code: code, Name: "Unit " + code})
	o.must(err)
	return u.ID
}

func (o *office) hire(h staff.Hire) evidence.ID {
	o.Helper()
	if h.Role == "" {
		h.Role = access.Officer
	}
	id, err := o.Add(o.Context(), o.admin, h)
	o.must(err)
	return id
}

func (o *office) past(id evidence.ID) organisation.Past {
	o.Helper()
	p, err := o.Organisation.Past(o.Context(), id)
	o.must(err)
	return p
}

func (o *office) person(login string) identity.Person {
	o.Helper()
	list, err := o.Identity.List(o.Context())
	o.must(err)
	for _, p := range list {
		if p.Login == login {
			return p
		}
	}
	o.Fatalf("there is no %s", login)
	return identity.Person{}
}

// said are the events on the service, the latest last, each as one text.
func (o *office) said() (out []string) {
	o.Helper()
	for _, e := range o.Events("service") {
		var b strings.Builder
		for _, f := range e.Fields {
			b.WriteString(f.Name + "=" + f.Value + "; ")
		}
		out = append(out, b.String())
	}
	return out
}

func (o *office) last(parts ...string) {
	o.Helper()
	said := o.said()
	for _, p := range parts {
		if len(said) == 0 || !strings.Contains(said[len(said)-1], p) {
			o.Errorf("the last event does not say %q: %v", p, said[len(said)-1:])
		}
	}
}

// The working life of an officer: hired, renumbered, posted elsewhere, given a
// pool camera. Each act is one event with what was before and after.
func TestWorkingLife(t *testing.T) {
	each(t, func(o *office) {
		ctx := o.Context()
		a, b := o.unit("A"), o.unit("B")
		o.last("what=unit made", "unit=B Unit B")
		ash := o.hire(staff.Hire{Login: "ash", Name: "Ash Grove", Number: " 4711 ", Unit: a})
		o.last("what=account made", "login=ash", "number=4711", "role=officer", "unit=A Unit A")
		if p := o.past(ash); len(p.Numbers) != 1 || !p.Numbers[0].From.IsZero() || len(p.Postings) != 1 || !p.Postings[0].From.Equal(o.Clock.Now()) {
			o.Errorf("past is %+v", p)
		}
		o.Clock.Move(24 * time.Hour)
		moved := o.Clock.Now()
		o.must(o.Post(ctx, o.admin, organisation.Posting{Person: ash, Unit: b, Lead: true}))
		o.last("unit_before=A Unit A", "unit_after=B Unit B (lead)")
		number, name := "4712", "Ash Grove-Hill"
		o.Clock.Move(time.Hour)
		o.must(o.Describe(ctx, o.admin, ash, &name, &number, time.Time{}))
		o.last("name=Ash Grove;", "name_after=Ash Grove-Hill", "number=4711;", "number_after=4712")
		o.wantCode(o.Describe(ctx, o.admin, ash, &name, &number, time.Time{}), evidence.Invalid)
		o.wantCode(o.Describe(ctx, o.admin, ash, nil, new(string), o.Clock.Now().Add(1)), evidence.Invalid)
		p := o.past(ash)
		if len(p.Numbers) != 2 || p.Numbers[0].Thing != "4712" || !p.Numbers[1].Until.Equal(p.Numbers[0].From) || o.person("ash").Number != "4712" ||
			len(p.Postings) != 2 || !p.Postings[1].Until.Equal(moved) {
			o.Errorf("past is %+v", p)
		}
		// The number that is free again goes to somebody else, from now on only.
		rowan := o.hire(staff.Hire{Login: "rowan", Name: "Rowan", Number: "4711"})
		if n := o.past(rowan).Numbers; len(n) != 1 || !n[0].From.Equal(o.Clock.Now()) {
			o.Errorf("numbers are %+v", n)
		}
		_, err := o.Add(ctx, o.admin, staff.Hire{Login: "elm", Name: "Elm", Number: "4712", Role: access.Officer})
		o.wantCode(err, evidence.Conflict)
		o.must(o.Issue(ctx, o.admin, organisation.Holding{Thing: "CAM-1", Person: ash}))
		o.wantCode(o.Issue(ctx, o.admin, organisation.Holding{Thing: "CAM-1", Person: rowan}), evidence.Conflict)
		o.Clock.Move(time.Hour)
		o.must(o.Return(ctx, o.admin, o.past(ash).Cameras[0].ID, time.Time{}))
		o.last("what=camera returned", "camera=CAM-1", "issued_from=")
		o.must(o.Issue(ctx, o.admin, organisation.Holding{Thing: "CAM-1", Person: rowan}))
		o.wantCode(o.Return(ctx, o.admin, p.Numbers[0].ID, time.Time{}), evidence.Invalid)
		o.must(o.EndPosting(ctx, o.admin, o.past(ash).Postings[0].ID, time.Time{}))
		o.must(o.MoveUnit(ctx, o.admin, b, a))
		o.last("below_after=A Unit A")
		o.must(o.RenameUnit(ctx, o.admin, b, "Bravo"))
		o.last("name_before=Unit B", "name_after=Bravo")
		o.must(o.CloseUnit(ctx, o.admin, b))
		before := len(o.said())
		o.wantCode(o.CloseUnit(ctx, o.admin, b), evidence.Conflict)
		if len(o.said()) != before {
			o.Error("what did not happen is on record")
		}
	})
}

// Nobody but an administrator changes people, and no administrator makes
// another; both attempts change nothing.
func TestWhoMay(t *testing.T) {
	o := newOffice(t, databasetest.SQLite(t))
	for _, role := range o.Access.Roles() {
		if role == access.Administrator {
			continue
		}
		_, err := o.Add(o.Context(), evidence.Actor{Kind: evidence.Person, ID: "x", Role: role}, staff.Hire{Login: "ash", Name: "Ash", Role: access.Officer})
		o.wantCode(err, evidence.Denied)
	}
	for _, role := range []access.Role{access.Administrator, access.ProfessionalStandards, access.Auditor} {
		_, err := o.Add(o.Context(), o.admin, staff.Hire{Login: "ash", Name: "Ash", Role: role})
		o.wantCode(err, evidence.Denied)
	}
	if list, err := o.Identity.List(o.Context()); err != nil || len(list) != 0 {
		t.Errorf("there are %v, %v", list, err)
	}
	_, err := o.Add(o.Context(), access.Operator("root"), staff.Hire{Login: "ash", Name: "Ash", Role: access.Administrator})
	o.must(err)
}

// Accounts from before there was an organisation keep their footage.
func TestAdopt(t *testing.T) {
	each(t, func(o *office) {
		o.must(o.DB.Write(o.Context(), func(tx *database.Tx) error {
			return o.Identity.Enter(o.Context(), tx, identity.Person{ID: evidence.NewID(o.Clock.Now(), strings.NewReader("0123456789")), Login: "old", Name: "Old", Number: "7", Role: access.Officer})
		}))
		for range 2 {
			o.must(o.Adopt(o.Context()))
		}
		p := o.past(o.person("old").ID)
		if len(p.Numbers) != 1 || !p.Numbers[0].From.IsZero() || !p.Numbers[0].Until.IsZero() {
			o.Errorf("numbers are %+v", p.Numbers)
		}
		var who evidence.ID
		o.must(o.DB.Read(o.Context(), func(tx *database.Tx) (err error) {
			who, _, _, err = o.Organisation.HolderOf(o.Context(), tx, "", "7", time.Unix(1, 0))
			return err
		}))
		if who != o.person("old").ID {
			o.Errorf("it is %q's", who)
		}
	})
}
