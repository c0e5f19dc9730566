package ledger_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// record appends events as given.
func (h *house) record(l *ledger.Ledger, events ...ledger.Event) {
	h.t.Helper()
	for _, e := range events {
		err := h.db.Write(h.ctx, func(tx *database.Tx) error {
			_, err := l.Append(h.ctx, tx, e)
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// mixed are n events of few people, items and cases, two at each time: the
// place between two pages must lose neither.
func mixed(n int) []ledger.Event {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	var out []ledger.Event
	for i := range n {
		e := ledgertest.Event(evidence.ID(pick("a", "b", "c", "service")))
		e.At = day.Add(time.Duration(i/2) * time.Minute)
		e.Verb = evidence.Verb(pick("consult", "consult", "derive", "disclose"))
		e.Phase = evidence.Phase(pick("intent", "outcome", "refused"))
		e.Actor.ID = pick("p1", "p2", "p3")
		e.Purpose = evidence.Purpose{Code: pick("", "investigation", "complaint"), Reference: pick("", "Case 17/2026", "case  17/2026", "INC 4")}
		out = append(out, e)
	}
	return out
}

// all pages through a search.
func (h *house) all(l *ledger.Ledger, s ledger.Search, limit int) (out []ledger.Entry) {
	h.t.Helper()
	for after := (ledger.Place{}); ; {
		p, err := l.Search(h.ctx, s, after, limit)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(p.Entries) > limit {
			h.t.Fatalf("a page of %d has %d events", limit, len(p.Entries))
		}
		out = append(out, p.Entries...)
		if !p.More {
			return out
		}
		if p.Next == after {
			h.t.Fatalf("%+v does not come on from %+v", s, after)
		}
		after = p.Next
	}
}

// naive is what s chooses among entries, newest first.
func naive(entries []ledger.Entry, s ledger.Search) (ids []evidence.ID) {
	is := func(e ledger.Entry, name, want string) bool { return want == "" || e.Get(name) == want }
	for _, e := range entries {
		at, _ := time.Parse(evidence.TimeFormat, e.Get("at"))
		if is(e, "item", string(s.Item)) && is(e, "actor_id", s.Actor) && is(e, "purpose", s.Purpose) && is(e, "phase", string(s.Phase)) &&
			(s.Reference == "" || ledger.Fold(e.Get("reference")) == ledger.Fold(s.Reference)) &&
			(s.Verbs == nil || slices.Contains(s.Verbs, evidence.Verb(e.Get("verb")))) &&
			(s.From.IsZero() || !at.Before(s.From)) && (s.To.IsZero() || at.Before(s.To)) {
			ids = append(ids, e.Event)
		}
	}
	return ids
}

func idsOf(entries []ledger.Entry) (ids []evidence.ID) {
	for _, e := range entries {
		ids = append(ids, e.Event)
	}
	return ids
}

// Every combination of filters, in pages of several sizes, finds what a walk
// through all events finds, newest first.
func TestSearchFindsWhatAWalkFinds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		h.record(l, mixed(300)...)
		entries := h.all(l, ledger.Search{}, 1000)
		slices.SortFunc(entries, func(a, b ledger.Entry) int {
			return -cmp.Or(strings.Compare(a.Get("at"), b.Get("at")), strings.Compare(string(a.Event), string(b.Event)))
		})
		if len(entries) != 300 {
			t.Fatalf("%d events", len(entries))
		}
		random := rand.New(rand.NewPCG(3, 4))
		some := func() bool { return random.IntN(3) == 0 }
		for range 120 {
			var s ledger.Search
			if some() {
				s.Item = []evidence.ID{"a", "service", "none"}[random.IntN(3)]
			}
			if some() {
				s.Actor = []string{"p1", "p3", "nobody"}[random.IntN(3)]
			}
			if some() {
				s.Reference = []string{"case 17/2026", "inc 4"}[random.IntN(2)]
			}
			if some() {
				s.Purpose = "complaint"
			}
			if some() {
				s.Verbs = [][]evidence.Verb{{evidence.Consult}, {evidence.Derive, evidence.Disclose}, {"unheard of"}}[random.IntN(3)]
			}
			if some() {
				s.Phase = evidence.Refused
			}
			if some() {
				s.From, s.To = day.Add(30*time.Minute), day.Add(100*time.Minute)
			}
			want := naive(entries, s)
			for _, limit := range []int{1, 7, 1000} {
				if got := idsOf(h.all(l, s, limit)); !slices.Equal(got, want) {
					t.Fatalf("%+v, pages of %d: %d events, want %d", s, limit, len(got), len(want))
				}
			}
			if n, err := l.Count(h.ctx, s, 1000); err != nil || n != len(want) {
				t.Fatalf("%+v: counted %d (%v), want %d", s, n, err, len(want))
			}
		}
		if n, err := l.Count(h.ctx, ledger.Search{}, 10); err != nil || n != 10 {
			t.Errorf("counted %d up to 10, %v", n, err)
		}
		counted, err := l.CountItems(h.ctx, []evidence.Verb{evidence.Consult, evidence.Disclose}, day.Add(30*time.Minute), day.Add(100*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for _, verb := range []evidence.Verb{evidence.Consult, evidence.Disclose, evidence.Derive} {
			s := ledger.Search{Item: "a", Verbs: []evidence.Verb{verb}, Phase: evidence.Refused, From: day.Add(30 * time.Minute), To: day.Add(100 * time.Minute)}
			want := len(naive(entries, s))
			if verb == evidence.Derive {
				want = 0 // was not asked for
			}
			if n := counted[ledger.Kind{Verb: verb, Phase: evidence.Refused}]["a"]; n != want {
				t.Errorf("%s: %d refusals of a, want %d", verb, n, want)
			}
		}
	})
}

// Two filters that have nothing in common among very many events: the search
// gives way now and then, and ends.
func TestSearchGivesWay(t *testing.T) {
	h := newHouse(t, databasetest.SQLite(t))
	l := h.open()
	in := ledgertest.Insert{DB: h.db, Rand: rand.NewChaCha8([32]byte{}), Unsealed: true, Event: func(i int) ledger.Event {
		e := ledgertest.Event("a")
		e.At, e.Actor.ID, e.Purpose.Code = day.Add(time.Duration(i)*time.Second), fmt.Sprint("person-", i%2), fmt.Sprint("purpose-", i%2)
		return e
	}}
	if err := in.Run(h.ctx, 0, 24_000); err != nil {
		t.Fatal(err)
	}
	s := ledger.Search{Actor: "person-0", Purpose: "purpose-1"} // never both
	var pages int
	for after := (ledger.Place{}); ; pages++ {
		p, err := l.Search(h.ctx, s, after, 50)
		if err != nil || len(p.Entries) > 0 {
			t.Fatalf("%d events, %v", len(p.Entries), err)
		}
		if after = p.Next; !p.More {
			break
		}
	}
	if pages < 5 || pages > 12 {
		t.Errorf("12,000 rows were looked at in %d pages and a last", pages)
	}
}

// Values are those of the time: who was renamed stands in each event under the
// name of then, and is found by both.
func TestActorsUnderEveryName(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		e := ledgertest.Event("a")
		h.record(l, e, e)
		e.Actor.Name, e.Actor.Role = "Sgt Bo Other_Name", "supervisor"
		h.record(l, e)
		for word, want := range map[string]int{"sample": 1, "bo": 2, "r_n": 1, "4711": 2, e.Actor.ID: 2, "%": 0, "nobody": 0} {
			got, err := l.Actors(h.ctx, word, 10)
			if err != nil || len(got) != want {
				t.Errorf("%q: %+v, %v, want %d", word, got, err, want)
			}
		}
		if got := h.all(l, ledger.Search{Actor: e.Actor.ID}, 10); len(got) != 3 || got[0].Get("actor_name") != "Sgt Bo Other_Name" || got[2].Get("actor_name") != "PC Bo Sample" {
			t.Errorf("%+v", got)
		}
	})
}

var force = ledgertest.Force{Start: day, Step: time.Second, People: 40}

// insert inserts the events of a force.
func (h *house) insert(n int) {
	h.t.Helper()
	in := ledgertest.Insert{DB: h.db, Rand: rand.NewChaCha8([32]byte{}), Event: force.Event}
	if err := in.Run(h.ctx, 0, n); err != nil {
		h.t.Fatal(err)
	}
}

// Events that are inserted by the thousand, for measuring, are row for row
// what Append writes.
func TestInsertIsAppend(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var now time.Time
		l, err := ledger.Open(h.ctx, ledger.Config{DB: db, Origin: origin, Rand: rand.NewChaCha8([32]byte{}), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 400 {
			e := force.Event(i)
			now = e.At
			h.record(l, e)
		}
		if err := db.Write(h.ctx, func(tx *database.Tx) error { return ledger.Gather(h.ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		appended := h.dump()
		for _, table := range tables {
			h.exec("DELETE FROM " + table)
		}
		h.insert(400)
		if d := gocmp.Diff(appended, h.dump()); d != "" {
			t.Errorf("the rows differ (-appended +inserted):\n%s", d)
		}
	})
}

var tables = []string{"ledger_events", "ledger_leaves", "ledger_trail", "ledger_actors", "ledger_items"}

// dump is every row of every table that an event is written to.
func (h *house) dump() (rows []string) {
	h.t.Helper()
	for _, table := range tables {
		rows = append(rows, h.rows("SELECT * FROM "+table+" ORDER BY 1, 2, 3")...)
	}
	return rows
}

func (h *house) rows(query string) (out []string) {
	h.t.Helper()
	err := h.db.Read(h.ctx, func(tx *database.Tx) error {
		got, err := tx.Query(h.ctx, query)
		if err != nil {
			return err
		}
		defer got.Close()
		names, err := got.Columns()
		if err != nil {
			return err
		}
		for got.Next() {
			values := make([]any, len(names))
			into := make([]any, len(names))
			for i := range values {
				into[i] = &values[i]
			}
			if err := got.Scan(into...); err != nil {
				return err
			}
			out = append(out, fmt.Sprintf("%v", values))
		}
		return got.Err()
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// trail is what the tables of the trail hold.
func (h *house) trail() []string {
	return append(h.rows("SELECT * FROM ledger_trail ORDER BY event"), h.rows("SELECT * FROM ledger_actors ORDER BY 1, 2, 3, 4, 5")...)
}

// A ledger from before the trail is listed at its next start, as if it had
// always been.
func TestOlderEventsAreListed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		h.record(l, mixed(30)...)
		odd := ledgertest.Event("a")
		odd.Actor.ID, odd.Purpose.Reference = "p\xff", strings.Repeat("é", 300)+"\x00"
		h.record(l, odd)
		h.insert(2500)
		want := h.trail()
		h.exec("DELETE FROM ledger_trail")
		h.exec("DELETE FROM ledger_actors")
		h.exec("UPDATE ledger_trail_state SET event = '', done = 0")
		l = h.open()
		if d := gocmp.Diff(want, h.trail()); d != "" {
			t.Errorf("listed anew (-before +after):\n%s", d)
		}
		if err := l.Audit(h.ctx, nil); err != nil && evidence.CodeOf(err) != evidence.Corrupt {
			t.Error(err)
		}
	})
}

// allOf is everything that an audit says.
func allOf(err error) string {
	var audit *ledger.AuditError
	if errors.As(err, &audit) {
		return audit.Error()
	}
	return ""
}

// Who takes an event out of the trail, or puts it under another name, is found.
func TestAuditOfTheTrail(t *testing.T) {
	for name, change := range map[string]string{
		"taken out": "DELETE FROM ledger_trail WHERE item = 'b'",
		"renamed":   "UPDATE ledger_trail SET actor = 'somebody' WHERE item = 'b'",
		"hidden":    "UPDATE ledger_trail SET kind = 'verify.outcome' WHERE item = 'b'",
		"moved":     "UPDATE ledger_trail SET at = at + 1 WHERE item = 'b'",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, databasetest.SQLite(t))
			l := h.open()
			h.append(l, "a", "b", "a")
			stop := ledgertest.Run(t, l)
			h.wait(l, ledger.Ref{Event: h.all(l, ledger.Search{}, 10)[0].Event})
			stop()
			if err := l.Audit(h.ctx, nil); err != nil {
				t.Fatal(err)
			}
			h.exec(change)
			if err := l.Audit(h.ctx, nil); err == nil || !strings.Contains(allOf(err), "trail") {
				t.Errorf("found %v", err)
			}
		})
	}
}
