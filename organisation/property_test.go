package organisation_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/organisation"
)

// model is the register as one would write it without a database: every row
// that was ever accepted, looked through from end to end.
type model struct {
	postings []organisation.Posting
	holdings []organisation.Holding
	parents  map[evidence.ID]evidence.ID
}

func within(from, until, t time.Time) bool {
	return !t.Before(from) && (until.IsZero() || t.Before(until))
}

// meet tells whether two half-open intervals share a moment.
func meet(from, until, from2, until2 time.Time) bool {
	empty := func(a, b time.Time) bool { return !b.IsZero() && !b.After(a) }
	if empty(from, until) {
		return false
	}
	return (until2.IsZero() || from.Before(until2)) && (until.IsZero() || from2.Before(until))
}

func (m *model) holder(device, number string, t time.Time) (h holder) {
	find := func(kind organisation.Kind, thing, how string) {
		for _, x := range m.holdings {
			if h.person == "" && thing != "" && x.Kind == kind && x.Thing == thing && within(x.From, x.Until, t) {
				h.person, h.how = x.Person, how
			}
		}
	}
	find(organisation.Number, number, organisation.ByNumber)
	find(organisation.Camera, device, organisation.ByAssignment)
	for _, p := range m.postings {
		if h.person != "" && p.Person == h.person && within(p.From, p.Until, t) {
			h.unit = p.Unit
		}
	}
	return h
}

// below tells whether u is top or stands below it.
func (m *model) below(u, top evidence.ID) bool {
	for ; u != ""; u = m.parents[u] {
		if u == top {
			return true
		}
	}
	return false
}

func (m *model) led(person evidence.ID, t time.Time) (n int) {
	for _, p := range m.postings {
		if p.Person == person && p.Lead && within(p.From, p.Until, t) {
			for u := range m.parents {
				if m.below(u, p.Unit) {
					n++
				}
			}
		}
	}
	return n
}

// Whatever is done to the register, in any order: what it accepts never
// overlaps, the tree never has a cycle, and at every moment it answers as the
// model does.
func TestHistories(t *testing.T) {
	open := func(t *testing.T, db *database.DB) *organisation.Organisation {
		o, err := organisation.Open(t.Context(), db, organisation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		rapid.Check(t, func(rt *rapid.T) { history(rt, t.Context(), db, o) })
	})
}

func history(t *rapid.T, ctx context.Context, db *database.DB, o *organisation.Organisation) {
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	// Every history has people, things and units of its own in the same tables.
	own := rand.Text()[:10]
	people := []evidence.ID{somebody(), somebody(), somebody()}
	things := []string{own + "-1", own + "-2"}
	hour := rapid.Custom(func(t *rapid.T) time.Time {
		h := rapid.IntRange(0, 12).Draw(t, "hour")
		if h == 0 {
			return time.Time{}
		}
		return base.Add(time.Duration(h) * time.Hour)
	})
	m := &model{parents: map[evidence.ID]evidence.ID{}}
	var units []evidence.ID
	try := func(f func(tx *database.Tx) error) bool {
		err := db.Write(ctx, f)
		if err != nil && evidence.CodeOf(err) != evidence.Conflict && evidence.CodeOf(err) != evidence.Invalid {
			t.Fatal(err)
		}
		return err == nil
	}
	steps := map[string]func(t *rapid.T){
		"unit": func(t *rapid.T) {
			parent := evidence.ID("")
			if len(units) > 0 {
				parent = rapid.SampledFrom(append(units, "")).Draw(t, "parent")
			}
			try(func(tx *database.Tx) error {
				u, err := o.AddUnit(ctx, tx, organisation.Unit{Name: "u", Code: rand.Text()[:16], Parent: parent})
				units, m.parents[u.ID] = append(units, u.ID), parent
				return err
			})
		},
		"move": func(t *rapid.T) {
			if len(units) == 0 {
				t.Skip()
			}
			u, to := rapid.SampledFrom(units).Draw(t, "unit"), rapid.SampledFrom(append(units, "")).Draw(t, "to")
			moved := try(func(tx *database.Tx) error { _, err := o.MoveUnit(ctx, tx, u, to); return err })
			if moved == m.below(to, u) {
				t.Fatalf("moved below itself: %v", moved)
			}
			if moved {
				m.parents[u] = to
			}
		},
		"post": func(t *rapid.T) {
			if len(units) == 0 {
				t.Skip()
			}
			p := organisation.Posting{Person: rapid.SampledFrom(people).Draw(t, "person"), Unit: rapid.SampledFrom(units).Draw(t, "unit"),
				Lead: rapid.Bool().Draw(t, "lead"), From: hour.Draw(t, "from"), Until: hour.Draw(t, "until")}
			free := p.Until.IsZero() || p.Until.After(p.From)
			for _, q := range m.postings {
				free = free && !(q.Person == p.Person && meet(q.From, q.Until, p.From, p.Until))
			}
			done := try(func(tx *database.Tx) error {
				q, err := o.Post(ctx, tx, p)
				p.ID = q.ID
				return err
			})
			if done != free && (p.Until.IsZero() || p.Until.After(p.From)) { // an empty one may be refused or not
				t.Fatalf("%+v: done %v, free %v of %+v", p, done, free, m.postings)
			}
			if done {
				m.postings = append(m.postings, p)
			}
		},
		"end posting": func(t *rapid.T) {
			if len(m.postings) == 0 {
				t.Skip()
			}
			p := &m.postings[rapid.IntRange(0, len(m.postings)-1).Draw(t, "which")]
			until := hour.Draw(t, "until")
			if try(func(tx *database.Tx) error { _, err := o.EndPosting(ctx, tx, p.ID, until); return err }) {
				p.Until = until
			}
		},
		"give": func(t *rapid.T) {
			h := organisation.Holding{Kind: rapid.SampledFrom([]organisation.Kind{organisation.Number, organisation.Camera}).Draw(t, "kind"),
				Thing: rapid.SampledFrom(things).Draw(t, "thing"), Person: rapid.SampledFrom(people).Draw(t, "person"), From: hour.Draw(t, "from"), Until: hour.Draw(t, "until")}
			free := true
			for _, q := range m.holdings {
				free = free && !(q.Kind == h.Kind && q.Thing == h.Thing && meet(q.From, q.Until, h.From, h.Until))
			}
			done := try(func(tx *database.Tx) error {
				q, err := o.Give(ctx, tx, h)
				h.ID = q.ID
				return err
			})
			if done != free && (h.Until.IsZero() || h.Until.After(h.From)) {
				t.Fatalf("%+v: done %v, free %v of %+v", h, done, free, m.holdings)
			}
			if done {
				m.holdings = append(m.holdings, h)
			}
		},
		"end holding": func(t *rapid.T) {
			if len(m.holdings) == 0 {
				t.Skip()
			}
			h := &m.holdings[rapid.IntRange(0, len(m.holdings)-1).Draw(t, "which")]
			until := hour.Draw(t, "until")
			if try(func(tx *database.Tx) error { _, err := o.EndHolding(ctx, tx, h.ID, until); return err }) {
				h.Until = until
			}
		},
	}
	t.Repeat(steps)

	for h := range 14 {
		at := base.Add(time.Duration(h)*time.Hour - time.Microsecond*time.Duration(h%2))
		device, number := rapid.SampledFrom(append(things, "")).Draw(t, "device"), rapid.SampledFrom(append(things, "")).Draw(t, "number")
		if err := db.Read(ctx, func(tx *database.Tx) error {
			person, unit, how, err := o.HolderOf(ctx, tx, device, number, at)
			if got, want := (holder{person, unit, how}), m.holder(device, number, at); got != want {
				t.Fatalf("%q %q at %v: %+v, want %+v", device, number, at, got, want)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		s, err := o.Standing(ctx, people[0], at)
		if err != nil {
			t.Fatal(err)
		}
		if want := m.led(people[0], at); len(s.Led) != want {
			t.Fatalf("leads %d units at %v, want %d", len(s.Led), at, want)
		}
	}
}
