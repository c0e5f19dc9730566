package catalogue

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// seed writes cards straight into the table, many to a statement.
func seed(t testing.TB, db *database.DB, cards []Card) {
	t.Helper()
	ctx := context.Background()
	for part := range slices.Chunk(cards, 1000) {
		args := make([]any, 0, 10*len(part))
		for _, k := range part {
			args = append(args, k.ID, k.Device, k.Officer, database.Micros(k.StartedAt), database.Micros(k.CreatedAt), k.Segments, k.Bytes,
				k.Placing.Owner, k.Placing.Unit, k.Placing.Class)
		}
		values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, '', '', ?, ?, ?, ?, 0, 'pending', '', 0, ?, ?, ?), ", len(part)), ", ")
		if err := db.Write(ctx, func(tx *database.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO recordings (id, device, officer, category, take, started_at, created_at,
				segments, bytes, duration_ms, state, why, poster_segment, owner, unit, class) VALUES `+values, args...); err != nil {
				return err
			}
			return seedPlacing(ctx, tx, part)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "ANALYZE")
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// seedPlacing writes cases and access lists.
func seedPlacing(ctx context.Context, tx *database.Tx, cards []Card) error {
	c := &Catalogue{}
	for _, k := range cards {
		for _, id := range k.Placing.Cases {
			if _, err := c.SetCase(ctx, tx, k.ID, id, true); err != nil {
				return err
			}
		}
		if len(k.Placing.Listed) > 0 {
			if err := c.SetClass(ctx, tx, k.ID, k.Placing.Class, k.Placing.Listed); err != nil {
				return err
			}
		}
	}
	return nil
}

var everything = evidence.Everything()

// ownOf is the scope of an officer.
func ownOf(person evidence.ID) evidence.Scope {
	return evidence.Scope{{Reach: evidence.Own, Person: person, Classes: []evidence.Class{evidence.Normal}}}
}

// unitsOf is the scope of a supervisor.
func unitsOf(person evidence.ID, units ...evidence.ID) evidence.Scope {
	return append(ownOf(person), evidence.Term{Reach: evidence.Unit, Units: units, Classes: []evidence.Class{evidence.Normal}})
}

// force makes n cards of a force with n/500 officers over n/1000 days, in the
// order of their arrival.
func force(n int) []Card {
	cards := make([]Card, n)
	for i := range cards {
		at := start.Add(time.Duration(i) * 86400 * time.Millisecond)
		officer := (i * 7919) % max(n/500, 1)
		cards[i] = Card{ID: evidence.NewID(at.Add(8*time.Hour), rand.Reader), Device: fmt.Sprintf("X81-%05d", officer),
			Officer: fmt.Sprintf("%05d", officer), StartedAt: at, CreatedAt: at.Add(8 * time.Hour), Segments: 1, Bytes: 1 << 30,
			Placing: evidence.Placing{Owner: evidence.ID(fmt.Sprintf("%05d", officer)), Unit: evidence.ID(fmt.Sprintf("u%03d", officer%100))}}
		if i%997 == 0 {
			cards[i].Placing.Class = evidence.Restricted
		}
	}
	return cards
}

func open(t testing.TB, db *database.DB) *Catalogue {
	t.Helper()
	c, err := Open(context.Background(), db, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every filter of the list that can give more than a page is read in the order
// of an index: no engine sorts, and none reads the whole table. (Where
// PostgreSQL expects less than a page, it may rightly fetch and sort that.)
func TestListNeverSorts(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		open(t, db)
		cards := force(20_000)
		seed(t, db, cards)
		middle := cards[10_000]
		from, to := middle.StartedAt.Add(-48*time.Hour), middle.StartedAt.Add(time.Hour)
		for name, q := range map[string]Query{
			"all":           {Scope: everything},
			"own":           {Scope: ownOf(middle.Placing.Owner)},
			"normal":        {Scope: evidence.Scope{{Reach: evidence.Force, Classes: []evidence.Class{evidence.Normal}}}},
			"unit":          {Scope: unitsOf("", "u007")[1:]},
			"officer":       {Scope: everything, Officer: middle.Officer},
			"device":        {Scope: everything, Device: middle.Device},
			"time":          {Scope: everything, From: from, To: to},
			"officer, time": {Scope: everything, Officer: middle.Officer, From: start, To: to},
			"device, time":  {Scope: everything, Device: middle.Device, From: start, To: to},
		} {
			for _, later := range []bool{false, true} {
				t.Run(fmt.Sprint(name, later), func(t *testing.T) {
					if later {
						q.Cursor = q.cursorAt(database.Micros(middle.StartedAt), middle.ID)
					}
					parts, err := q.parts()
					if err != nil || len(parts) != 1 {
						t.Fatal(len(parts), err)
					}
					query := parts[0].query("", 61)
					plan := explain(t, db, query.sql, query.args)
					for _, bad := range []string{"Sort", "Seq Scan", "TEMP B-TREE", "SCAN recordings\n"} {
						if strings.Contains(plan, bad) {
							t.Errorf("%q in the plan:\n%s", bad, plan)
						}
					}
					if !strings.Contains(plan, "recordings_by_") {
						t.Errorf("no index in the plan:\n%s", plan)
					}
				})
			}
		}
	})
}

func explain(t *testing.T, db *database.DB, query string, args []any) string {
	t.Helper()
	var plan strings.Builder
	if err := db.Read(t.Context(), func(tx *database.Tx) error {
		how, fields := "EXPLAIN ", 1
		if db.Engine() == database.SQLite {
			how, fields = "EXPLAIN QUERY PLAN ", 4
		}
		rows, err := tx.Query(t.Context(), how+query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			cells, to := make([]string, fields), make([]any, fields)
			for i := range cells {
				to[i] = &cells[i]
			}
			if err := rows.Scan(to...); err != nil {
				return err
			}
			plan.WriteString(cells[fields-1] + "\n")
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// somePlacing is one of many placings.
func somePlacing(i int) evidence.Placing {
	p := evidence.Placing{Owner: []evidence.ID{"", "p1", "p2"}[i%3], Unit: []evidence.ID{"", "u1", "u2", "u3"}[i/3%4], Class: evidence.Class(i / 5 % 3)}
	if i%4 == 1 {
		p.Cases = append(p.Cases, "c1")
	}
	if i%6 > 3 {
		p.Cases = append(p.Cases, "c2")
	}
	for j, until := range []time.Time{{}, start, start.Add(time.Hour)} {
		if i%7 == j+1 {
			p.Listed = append(p.Listed, evidence.Listing{Person: []evidence.ID{"p1", "p2"}[i/7%2], Until: until})
		}
	}
	return p
}

// drawScope is any scope that the rule could make, and some that it could not.
func drawScope(rt *rapid.T) evidence.Scope {
	id := func(what string, of ...evidence.ID) evidence.ID { return rapid.SampledFrom(of).Draw(rt, what) }
	many := func(what string, of ...evidence.ID) []evidence.ID {
		list := rapid.SliceOfDistinct(rapid.SampledFrom(of), rapid.ID).Draw(rt, what)
		if rapid.IntRange(0, 5).Draw(rt, "many") == 0 { // more than have an arm each
			for i := range 2 * partsMost {
				list = append(list, evidence.ID(fmt.Sprint("x", i)))
			}
		}
		return list
	}
	term := rapid.Custom(func(rt *rapid.T) evidence.Term {
		return evidence.Term{
			Reach:  rapid.SampledFrom([]evidence.Reach{evidence.Own, evidence.Unit, evidence.Case, evidence.Listed, evidence.Force, "elsewhere"}).Draw(rt, "reach"),
			Person: id("person", "", "p1", "p2", "p3"), Units: many("units", "u1", "u2", "u3", "u9"), Cases: many("cases", "c1", "c2", "c9"),
			At:      start.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "at")) * 30 * time.Minute),
			Classes: rapid.SampledFrom([][]evidence.Class{{0}, {1}, {0, 1}, {1, 2}, {0, 1, 2}}).Draw(rt, "classes"),
			State:   rapid.SampledFrom([]evidence.State{"", evidence.Assigned, evidence.Unassigned}).Draw(rt, "state"),
		}
	})
	return rapid.SliceOfN(term, 0, 4).Draw(rt, "scope")
}

// Whatever is asked, and whoever asks, paging through the list gives exactly what a plain look
// at every card gives: the filter of the list is the check of one recording
// (evidence.Scope.Covers). Count and Days agree.
func TestListIsThePlainFilter(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := open(t, db)
		var cards []Card
		for i := range 120 { // many that start together, some before 1970, some of no officer
			at := start.AddDate(0, 0, -(i%10)*(i%10)*250).Add(time.Duration(i%4) * 7 * time.Hour)
			cards = append(cards, Card{ID: evidence.NewID(start.Add(time.Duration(i)*time.Second), rand.Reader),
				Device: string(rune('A' + i%3)), Officer: []string{"", "1", "2", "22"}[i%4], StartedAt: at, CreatedAt: start, Placing: somePlacing(i)})
		}
		seed(t, db, cards)
		slices.SortFunc(cards, func(a, b Card) int {
			return -max(min(a.StartedAt.Compare(b.StartedAt)*2+strings.Compare(string(a.ID), string(b.ID)), 1), -1)
		})
		zones := []*time.Location{time.UTC}
		for _, name := range []string{"Europe/London", "Asia/Kathmandu"} { // summer time; a quarter of an hour
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			zones = append(zones, zone)
		}
		rapid.Check(t, func(rt *rapid.T) {
			day := rapid.Custom(func(rt *rapid.T) time.Time {
				if rapid.Bool().Draw(rt, "open") {
					return time.Time{}
				}
				return rapid.SampledFrom(cards).Draw(rt, "at").StartedAt
			})
			officer := rapid.SampledFrom([]string{"", "1", "2", "22", "3"})
			q := Query{Officer: officer.Draw(rt, "officer"), Device: rapid.SampledFrom([]string{"", "A", "B", "Z"}).Draw(rt, "device"),
				From: day.Draw(rt, "from"), To: day.Draw(rt, "to"), Limit: rapid.IntRange(1, 60).Draw(rt, "limit"),
				Scope: drawScope(rt), Whole: rapid.Bool().Draw(rt, "whole")}
			var want []evidence.ID
			zone := rapid.SampledFrom(zones).Draw(rt, "zone")
			perDay := map[string]int{}
			for _, k := range cards {
				known := q.Scope.Covers(k.Placing)
				if known && (q.Officer == "" || q.Officer == k.Officer) && (q.Device == "" || q.Device == k.Device) &&
					(q.From.IsZero() || !k.StartedAt.Before(q.From)) && (q.To.IsZero() || k.StartedAt.Before(q.To)) {
					want = append(want, k.ID)
					perDay[k.StartedAt.In(zone).Format(time.DateOnly)]++
				}
			}
			var got []evidence.ID
			for {
				p, err := c.List(t.Context(), q)
				if err != nil {
					rt.Fatal(err)
				}
				for _, k := range p.Items {
					got = append(got, k.ID)
					if q.Whole && !q.Scope.Covers(k.Placing) {
						rt.Fatalf("the card of %s says %+v", k.ID, k.Placing)
					}
				}
				if p.Next == "" {
					break
				}
				if len(p.Items) != q.Limit {
					rt.Fatalf("a page of %d that is not the last", len(p.Items))
				}
				q.Cursor = p.Next
			}
			if !slices.Equal(got, want) {
				rt.Fatalf("got %v, want %v", got, want)
			}
			n, err := c.Count(t.Context(), q)
			if err != nil || n != int64(len(want)) {
				rt.Fatalf("counted %d (%v), want %d", n, err, len(want))
			}
			days, err := c.Days(t.Context(), q, zone)
			if err != nil || len(days) != len(perDay) {
				rt.Fatalf("days %v (%v), want %v", days, err, perDay)
			}
			for i, d := range days {
				if perDay[d.Day] != d.Count || i > 0 && days[i-1].Day <= d.Day {
					rt.Fatalf("days %v, want %v", days, perDay)
				}
			}
		})
	})
}

func TestAnEmptyQueryFindsNothing(t *testing.T) {
	db := databasetest.SQLite(t)
	c := open(t, db)
	seed(t, db, append(force(3), Card{ID: evidence.NewID(start, rand.Reader), StartedAt: start})) // one of no officer
	for _, q := range []Query{{}, {Scope: evidence.Scope{}}, {Scope: ownOf("")}} {
		p, err := c.List(t.Context(), q)
		if err != nil || len(p.Items) != 0 || p.Next != "" {
			t.Errorf("%+v found %+v, %v", q, p, err)
		}
	}
}

func TestBadLimitsAndCursorsAreInvalid(t *testing.T) {
	c := open(t, databasetest.SQLite(t))
	q := Query{Scope: everything, Officer: "7"}
	good := q.cursorAt(-5, evidence.NewID(start, rand.Reader))
	for _, b := range []Query{
		{Scope: everything, Limit: -1}, {Scope: everything, Limit: 201}, {Scope: everything, Cursor: "x"}, {Scope: everything, Cursor: good}, // given for another filter
		{Scope: everything, Officer: "7", Cursor: good + "\n"}, {Scope: everything, Officer: "7", Cursor: good[1:]}, {Cursor: "x"}, {Scope: everything, Officer: "\x00"}, {Scope: everything, Device: "\xff"},
	} {
		if _, err := c.List(t.Context(), b); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%+v: %v", b, err)
		}
	}
	q.Cursor = good
	if _, err := c.List(t.Context(), q); err != nil {
		t.Error(err)
	}
	for i := range good {
		for _, with := range []byte("A_9") {
			if good[i] == with {
				continue
			}
			q.Cursor = good[:i] + string(with) + good[i+1:]
			if _, _, err := q.position(); evidence.CodeOf(err) != evidence.Invalid {
				t.Fatalf("character %d changed and not noticed", i)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	q := Query{Scope: everything}
	f.Add(q.cursorAt(0, evidence.NewID(start, rand.Reader)))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		q.Cursor = cursor
		started, id, err := q.position()
		if err != nil {
			if evidence.CodeOf(err) != evidence.Invalid {
				t.Errorf("code %q", evidence.CodeOf(err))
			}
			return
		}
		if again := q.cursorAt(started, id); again != cursor {
			t.Errorf("%q and %q say the same", cursor, again)
		}
	})
}

// BenchmarkList reads pages of 60 from a catalogue of CUSTOS_BENCH_RECORDINGS
// recordings (100,000 unless set) on both engines.
func BenchmarkList(b *testing.B) {
	n := 100_000
	if s := os.Getenv("CUSTOS_BENCH_RECORDINGS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	cards := force(n)
	middle := cards[n/2]
	for _, db := range []*database.DB{databasetest.SQLite(b), databasetest.Postgres(b)} {
		c := open(b, db)
		seed(b, db, cards)
		old := Query{Scope: everything}
		old.Cursor = old.cursorAt(database.Micros(cards[n/10].StartedAt), cards[n/10].ID)
		week := Query{Scope: everything, From: middle.StartedAt, To: middle.StartedAt.AddDate(0, 0, 7)}
		for name, q := range map[string]Query{"newest": {Scope: everything}, "deep": old, "own": {Scope: ownOf(middle.Placing.Owner)}, "week": week} {
			b.Run(fmt.Sprintf("%s/%s", db.Engine(), name), func(b *testing.B) {
				for b.Loop() {
					if p, err := c.List(b.Context(), q); err != nil || len(p.Items) == 0 {
						b.Fatal(err)
					}
				}
			})
		}
		for name, q := range map[string]Query{"days": {Scope: everything}, "days of a month": {Scope: everything, From: middle.StartedAt, To: middle.StartedAt.AddDate(0, 1, 0)}} {
			b.Run(fmt.Sprintf("%s/%s", db.Engine(), name), func(b *testing.B) {
				for b.Loop() {
					if d, err := c.Days(b.Context(), q, time.UTC); err != nil || len(d) == 0 {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
