package organisation_test

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/organisation"
)

// bench is an open Organisation on its own database, with a clock that the
// test moves.
type bench struct {
	*testing.T
	*organisation.Organisation
	db    *database.DB
	clock time.Time
}

func each(t *testing.T, f func(b *bench)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := &bench{T: t, db: db, clock: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
		var err error
		b.Organisation, err = organisation.Open(t.Context(), db, organisation.Options{Now: func() time.Time { return b.clock }})
		b.must(err)
		f(b)
	})
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) wantCode(err error, code evidence.Code) {
	b.Helper()
	if evidence.CodeOf(err) != code {
		b.Errorf("want code %q, got %q: %v", code, evidence.CodeOf(err), err)
	}
}

func somebody() evidence.ID {
	return evidence.NewID(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), rand.Reader)
}

func write[T any](b *bench, f func(ctx context.Context, tx *database.Tx) (T, error)) (v T, err error) {
	err = b.db.Write(b.Context(), func(tx *database.Tx) error {
		v, err = f(b.Context(), tx)
		return err
	})
	return v, err
}

func (b *bench) tryUnit(u organisation.Unit) (organisation.Unit, error) {
	return write(b, func(ctx context.Context, tx *database.Tx) (organisation.Unit, error) { return b.AddUnit(ctx, tx, u) })
}

func (b *bench) unit(code string, parent evidence.ID) evidence.ID {
	b.Helper()
	u, err := b.tryUnit(organisation.Unit{Name: "Unit " + code, Code: code, Parent: parent})
	b.must(err)
	return u.ID
}

func (b *bench) move(id, parent evidence.ID) error {
	_, err := write(b, func(ctx context.Context, tx *database.Tx) (organisation.Unit, error) {
		return b.MoveUnit(ctx, tx, id, parent)
	})
	return err
}

func (b *bench) closeUnit(id evidence.ID) error {
	_, err := write(b, func(ctx context.Context, tx *database.Tx) (organisation.Unit, error) { return b.CloseUnit(ctx, tx, id) })
	return err
}

func (b *bench) post(p organisation.Posting) (organisation.Posting, error) {
	return write(b, func(ctx context.Context, tx *database.Tx) (organisation.Posting, error) { return b.Post(ctx, tx, p) })
}

func (b *bench) endPosting(id evidence.ID, until time.Time) error {
	_, err := write(b, func(ctx context.Context, tx *database.Tx) (organisation.Posting, error) {
		return b.EndPosting(ctx, tx, id, until)
	})
	return err
}

func (b *bench) give(kind organisation.Kind, thing string, person evidence.ID, from, until time.Time) (organisation.Holding, error) {
	return write(b, func(ctx context.Context, tx *database.Tx) (organisation.Holding, error) {
		return b.Give(ctx, tx, organisation.Holding{Kind: kind, Thing: thing, Person: person, From: from, Until: until})
	})
}

func (b *bench) endHolding(id evidence.ID, until time.Time) error {
	_, err := write(b, func(ctx context.Context, tx *database.Tx) (organisation.Holding, error) {
		return b.EndHolding(ctx, tx, id, until)
	})
	return err
}

type holder struct {
	person, unit evidence.ID
	how          string
}

func (b *bench) holder(device, number string, at time.Time) (h holder) {
	b.Helper()
	b.must(b.db.Read(b.Context(), func(tx *database.Tx) (err error) {
		h.person, h.unit, h.how, err = b.HolderOf(b.Context(), tx, device, number, at)
		return err
	}))
	return h
}

func TestUnits(t *testing.T) {
	each(t, func(b *bench) {
		top := b.unit("ap", "")
		a := b.unit("RESP-A", top)
		deep := b.unit("A1", a)
		for _, u := range []organisation.Unit{{Name: "x", Code: ""}, {Name: "", Code: "X"}, {Name: "x", Code: "A B"}, {Name: "x\ny", Code: "X"}, {Name: "x", Code: "ABCDEFGHIJKLMNOPQ"}} {
			_, err := b.tryUnit(u)
			b.wantCode(err, evidence.Invalid)
		}
		_, err := b.tryUnit(organisation.Unit{Name: "Other", Code: " resp-a "})
		b.wantCode(err, evidence.Conflict)
		_, err = b.tryUnit(organisation.Unit{Name: "Other", Code: "Z", Parent: somebody()})
		b.wantCode(err, evidence.NotFound)

		b.wantCode(b.move(top, deep), evidence.Conflict)
		b.wantCode(b.move(a, a), evidence.Conflict)
		b.must(b.move(deep, top))
		b.must(b.move(a, deep))
		b.wantCode(b.move(top, a), evidence.Conflict)

		before, err := write(b, func(ctx context.Context, tx *database.Tx) (organisation.Unit, error) {
			return b.RenameUnit(ctx, tx, a, " Response Alpha ")
		})
		b.must(err)
		if before.Name != "Unit RESP-A" || before.Parent != deep {
			b.Errorf("it was %+v", before)
		}
		p, err := b.post(organisation.Posting{Person: somebody(), Unit: a})
		b.must(err)
		b.wantCode(b.closeUnit(deep), evidence.Conflict) // a is below
		b.wantCode(b.closeUnit(a), evidence.Conflict)    // somebody is there
		b.must(b.endPosting(p.ID, b.clock))
		b.must(b.closeUnit(a))
		b.wantCode(b.closeUnit(a), evidence.Conflict)
		_, err = b.post(organisation.Posting{Person: somebody(), Unit: a})
		b.wantCode(err, evidence.Conflict)
		_, err = b.tryUnit(organisation.Unit{Name: "Below closed", Code: "BC", Parent: a})
		b.wantCode(err, evidence.Conflict)
		b.wantCode(b.move(deep, a), evidence.Conflict)
		_, err = b.tryUnit(organisation.Unit{Name: "Again", Code: "RESP-A"})
		b.wantCode(err, evidence.Conflict) // a code is never used again

		units, err := b.Units(b.Context())
		b.must(err)
		if len(units) != 3 || units[0].Code != "A1" || units[1].Code != "AP" || units[2].Name != "Response Alpha" || !units[2].ClosedAt.Equal(b.clock) {
			b.Errorf("units are %+v", units)
		}
	})
}

// The story of a number and a pool camera that go from hand to hand: footage
// is whose it was when it was taken.
func TestHolderOf(t *testing.T) {
	each(t, func(b *bench) {
		day := func(d, h int) time.Time { return time.Date(2026, 3, d, h, 0, 0, 0, time.UTC) }
		response, cid := b.unit("R", ""), b.unit("C", "")
		old, young := somebody(), somebody()

		n, err := b.give(organisation.Number, "4711", old, time.Time{}, time.Time{})
		b.must(err)
		_, err = b.give(organisation.Number, "4711", young, day(5, 0), time.Time{})
		b.wantCode(err, evidence.Conflict)
		b.must(b.endHolding(n.ID, day(5, 0)))
		b.wantCode(b.endHolding(n.ID, day(6, 0)), evidence.Conflict)
		_, err = b.give(organisation.Number, " 4711 ", young, day(5, 0), time.Time{})
		b.must(err)
		p, err := b.post(organisation.Posting{Person: old, Unit: response, From: day(1, 0)})
		b.must(err)
		b.must(b.endPosting(p.ID, day(3, 0)))
		_, err = b.post(organisation.Posting{Person: old, Unit: cid, From: day(2, 0)})
		b.wantCode(err, evidence.Conflict)
		_, err = b.post(organisation.Posting{Person: old, Unit: cid, From: day(3, 0)})
		b.must(err)
		_, err = b.give(organisation.Camera, "CAM-1", young, day(4, 6), day(4, 14))
		b.must(err)
		_, err = b.give(organisation.Camera, "CAM-1", old, day(4, 13), day(4, 22))
		b.wantCode(err, evidence.Conflict)
		_, err = b.give(organisation.Camera, "CAM-1", old, day(4, 14), day(4, 22))
		b.must(err)

		for _, c := range []struct {
			device, number string
			at             time.Time
			want           holder
		}{
			{"X", "4711", time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), holder{old, "", organisation.ByNumber}},
			{"X", "4711", time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), holder{old, "", organisation.ByNumber}},
			{"X", "4711", time.Time{}, holder{old, "", organisation.ByNumber}},
			{"X", "4711", day(1, 0), holder{old, response, organisation.ByNumber}},
			{"X", "4711", day(3, 0).Add(-time.Microsecond), holder{old, response, organisation.ByNumber}},
			{"X", "4711", day(3, 0), holder{old, cid, organisation.ByNumber}},
			{"X", "4711", day(5, 0).Add(-time.Microsecond), holder{old, cid, organisation.ByNumber}},
			{"X", "4711", day(5, 0), holder{young, "", organisation.ByNumber}},
			{"CAM-1", "", day(4, 5), holder{}},
			{"CAM-1", "", day(4, 6), holder{young, "", organisation.ByAssignment}},
			{"CAM-1", "", day(4, 14), holder{old, cid, organisation.ByAssignment}},
			{"CAM-1", "", day(4, 22), holder{}},
			{"CAM-1", "9999", day(4, 7), holder{young, "", organisation.ByAssignment}}, // nobody's number: the camera tells
			{"CAM-1", "4711", day(4, 7), holder{old, cid, organisation.ByNumber}},      // the number wins
			{"cam-1", "", day(4, 7), holder{}},
			{"", "", day(4, 7), holder{}},
		} {
			if got := b.holder(c.device, c.number, c.at); got != c.want {
				b.Errorf("%q %q at %v: %+v, want %+v", c.device, c.number, c.at, got, c.want)
			}
		}
		past, err := b.Past(b.Context(), old)
		b.must(err)
		if len(past.Postings) != 2 || past.Postings[0].Unit != cid || len(past.Numbers) != 1 || !past.Numbers[0].Until.Equal(day(5, 0)) || len(past.Cameras) != 1 {
			b.Errorf("past is %+v", past)
		}
	})
}

func TestWhatCannotBeHeld(t *testing.T) {
	each(t, func(b *bench) {
		p := somebody()
		for _, h := range []organisation.Holding{
			{Kind: "pet", Thing: "1", Person: p}, {Kind: organisation.Number, Thing: " ", Person: p},
			{Kind: organisation.Number, Thing: "1\t2", Person: p}, {Kind: organisation.Number, Thing: "1", Person: "nobody"},
			{Kind: organisation.Number, Thing: "1", Person: p, From: b.clock, Until: b.clock.Add(-1)},
			{Kind: organisation.Number, Thing: "1", Person: p, From: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)},
		} {
			_, err := b.give(h.Kind, h.Thing, h.Person, h.From, h.Until)
			b.wantCode(err, evidence.Invalid)
		}
		b.wantCode(b.endHolding(p, b.clock), evidence.NotFound)
		b.wantCode(b.endPosting(p, b.clock), evidence.NotFound)
		h, err := b.give(organisation.Number, "1", p, b.clock, time.Time{})
		b.must(err)
		b.wantCode(b.endHolding(h.ID, time.Time{}), evidence.Invalid)
		b.wantCode(b.endHolding(h.ID, b.clock.Add(-time.Second)), evidence.Invalid)
		// A mistake is ended where it began: it never held, and is in nobody's way.
		b.must(b.endHolding(h.ID, b.clock))
		_, err = b.give(organisation.Number, "1", somebody(), time.Time{}, time.Time{})
		b.must(err)
	})
}

func TestStandingAndReports(t *testing.T) {
	each(t, func(b *bench) {
		top := b.unit("TOP", "")
		mid := b.unit("MID", top)
		low := b.unit("LOW", mid)
		aside := b.unit("ASIDE", top)
		chief, insp, pc, other := somebody(), somebody(), somebody(), somebody()
		for _, p := range []organisation.Posting{
			{Person: chief, Unit: top, Lead: true}, {Person: insp, Unit: mid, Lead: true, From: b.clock},
			{Person: pc, Unit: low}, {Person: other, Unit: aside},
		} {
			_, err := b.post(p)
			b.must(err)
		}
		standing := func(p evidence.ID) organisation.Standing {
			s, err := b.Standing(b.Context(), p, b.clock)
			b.must(err)
			return s
		}
		if s := standing(insp); s.Unit != mid || !s.Lead || len(s.Led) != 2 || len(standing(chief).Led) != 4 {
			b.Errorf("the inspector stands at %+v, the chief at %+v", s, standing(chief))
		}
		if s := standing(pc); s.Unit != low || s.Lead || len(s.Led) != 0 || len(s.Cases) != 0 {
			b.Errorf("the constable stands at %+v", s)
		}
		if s := standing(somebody()); s.Unit != "" || s.Lead || len(s.Led)+len(s.Cases) != 0 {
			b.Errorf("nobody stands at %+v", s)
		}
		for _, c := range []struct {
			a, b evidence.ID
			at   time.Time
			want bool
		}{
			{pc, insp, b.clock, true}, {pc, chief, b.clock, true}, {insp, chief, b.clock, true},
			{pc, insp, b.clock.Add(-time.Second), false}, // not there yet
			{other, insp, b.clock, false}, {insp, pc, b.clock, false}, {insp, insp, b.clock, false}, {pc, somebody(), b.clock, false}, {somebody(), chief, b.clock, false},
		} {
			got, err := b.ReportsTo(b.Context(), c.a, c.b, c.at)
			b.must(err)
			if got != c.want {
				b.Errorf("%+v: %v", c, got)
			}
		}
	})
}

func TestRegister(t *testing.T) {
	each(t, func(b *bench) {
		add := func(c organisation.Case) (organisation.Case, error) {
			return write(b, func(ctx context.Context, tx *database.Tx) (organisation.Case, error) {
				return b.AddCase(ctx, tx, c, "me")
			})
		}
		join := func(m organisation.Membership) (organisation.Membership, error) {
			return write(b, func(ctx context.Context, tx *database.Tx) (organisation.Membership, error) {
				return b.AddMember(ctx, tx, m)
			})
		}
		c, err := add(organisation.Case{Number: " 42/ab  17 ", Kind: organisation.OfCase, Title: "Burglary, 5% of_it"})
		b.must(err)
		if c.Number != "42/AB 17" || c.OpenedBy != "me" || !c.OpenedAt.Equal(b.clock) {
			b.Errorf("got %+v", c)
		}
		_, err = add(organisation.Case{Number: "42/AB 17", Kind: organisation.OfIncident, Title: "x"})
		b.wantCode(err, evidence.Conflict)
		for _, bad := range []organisation.Case{{Number: "", Kind: "case", Title: "x"}, {Number: "1", Kind: "cold", Title: "x"}, {Number: "1", Kind: "case"},
			{Number: "12345678901234567890123456789012345678901", Kind: "case", Title: "x"}, {Number: "1\x002", Kind: "case", Title: "x"}} {
			_, err = add(bad)
			b.wantCode(err, evidence.Invalid)
		}
		b.clock = b.clock.Add(time.Second)
		i, err := add(organisation.Case{Number: "I-1", Kind: organisation.OfIncident, Title: "Noise"})
		b.must(err)
		if got, err := b.CaseBy(b.Context(), "42/Ab 17"); err != nil || got != c {
			b.Errorf("%+v, %v", got, err)
		}
		_, err = b.CaseBy(b.Context(), "43")
		b.wantCode(err, evidence.NotFound)

		dc := somebody()
		m, err := join(organisation.Membership{Case: c.ID, Person: dc, Role: "Officer in the case", From: b.clock})
		b.must(err)
		_, err = join(organisation.Membership{Case: c.ID, Person: dc, Role: "again"})
		b.wantCode(err, evidence.Conflict)
		_, err = join(organisation.Membership{Case: somebody(), Person: dc, Role: "x"})
		b.wantCode(err, evidence.NotFound)
		cases := func(at time.Time) int {
			s, err := b.Standing(b.Context(), dc, at)
			b.must(err)
			return len(s.Cases)
		}
		if cases(b.clock) != 1 || cases(b.clock.Add(-1)) != 0 {
			b.Error("membership does not follow its time")
		}
		open := true
		for want, f := range map[string]organisation.CaseFilter{
			"2": {}, "1a": {Open: &open, Limit: 1}, "1b": {Kind: organisation.OfIncident}, "1c": {Text: "5% OF_"}, "0a": {Text: "5_"},
			"1d": {Member: dc}, "1f": {Text: "BURGLARY", Reader: dc}, "0d": {Text: "burglary", Reader: somebody()}, "1g": {Text: "noise", Reader: "me"}, "1h": {Text: "42/ab", Reader: somebody()}, "1e": {Before: i.ID}, "0b": {Before: c.ID}, "0c": {Member: somebody()},
		} {
			got, err := b.Cases(b.Context(), f)
			b.must(err)
			if len(got) != int(want[0]-'0') {
				b.Errorf("%+v gives %+v", f, got)
			}
		}
		for person, want := range map[evidence.ID]int{dc: 1, "me": 2, somebody(): 0} {
			known, err := b.Knows(b.Context(), person, b.clock, c.ID, i.ID)
			b.must(err)
			if len(known) != want || want == 1 && !known[c.ID] {
				b.Errorf("%s knows %v", person, known)
			}
		}
		closed, err := write(b, func(ctx context.Context, tx *database.Tx) (organisation.Case, error) {
			return b.CloseCase(ctx, tx, c.ID, "me")
		})
		b.must(err)
		if closed != c || cases(b.clock) != 0 {
			b.Errorf("it was %+v; a member of a closed case stands in %d", closed, cases(b.clock))
		}
		_, err = write(b, func(ctx context.Context, tx *database.Tx) (organisation.Case, error) {
			return b.CloseCase(ctx, tx, c.ID, "me")
		})
		b.wantCode(err, evidence.Conflict)
		_, err = join(organisation.Membership{Case: c.ID, Person: somebody(), Role: "x"})
		b.wantCode(err, evidence.Conflict)
		b.clock = b.clock.Add(time.Hour)
		_, err = write(b, func(ctx context.Context, tx *database.Tx) (organisation.Membership, error) {
			return b.EndMember(ctx, tx, m.ID, b.clock)
		})
		b.must(err)
		members, err := b.Members(b.Context(), c.ID)
		b.must(err)
		if len(members) != 1 || !members[0].Until.Equal(b.clock) || members[0].Number != c.Number {
			b.Errorf("members are %+v", members)
		}
	})
}

// Two who give the same camera away at the same time cannot both succeed.
func TestChangesTakeTurns(t *testing.T) {
	each(t, func(b *bench) {
		for range 10 {
			var wg sync.WaitGroup
			done := make([]error, 4)
			for i := range done {
				wg.Go(func() { _, done[i] = b.give(organisation.Camera, "CAM-9", somebody(), b.clock, b.clock.Add(time.Hour)) })
			}
			wg.Wait()
			good := 0
			for _, err := range done {
				if err == nil {
					good++
				} else {
					b.wantCode(err, evidence.Conflict)
				}
			}
			if good != 1 {
				b.Fatalf("%d got the one camera", good)
			}
			b.clock = b.clock.Add(time.Hour)
		}
	})
}
