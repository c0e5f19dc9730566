package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
)

// benchTrail looks for pages of 50 in the trail of a force of 22,000: each
// filter and the usual pairs, the first page and pages far down, of people and
// items that occur often, seldom and never.
//
// CUSTOS_BENCH_TRAIL is how many events (else 1 M); CUSTOS_BENCH_TRAIL_ON is
// the address of a database that stays, and is not filled a second time.
func benchTrail(t *testing.T, b *bench) {
	n := b.count(1_000_000, 100_000)
	if s := os.Getenv("CUSTOS_BENCH_TRAIL"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if on := os.Getenv("CUSTOS_BENCH_TRAIL_ON"); on != "" {
		trailOn(t, b, openDB(t, on), n)
		return
	}
	addresses := both(t)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) { trailOn(t, b, openDB(t, addresses[e]), n) })
	}
}

func trailOn(t *testing.T, b *bench, db *database.DB, n int) {
	l, err := ledger.Open(t.Context(), ledger.Config{DB: db, Origin: ledgertest.Origin})
	if err != nil {
		t.Fatal(err)
	}
	force := ledgertest.Force{Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Step: 730 * 24 * time.Hour / time.Duration(n), People: 22_000}
	there, err := l.Search(t.Context(), ledger.Search{}, ledger.Place{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(there.Entries) == 0 {
		in := ledgertest.Insert{DB: db, Rand: rand.NewChaCha8([32]byte{}), Event: force.Event, Unsealed: true}
		if err := ledgertest.Bulk(t.Context(), db, func() error { return in.Run(t.Context(), 0, n) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range searches(force, n) {
		var first, deep []time.Duration
		for i := range 40 {
			search := s.of(i)
			page, took := searched(t, l, search, ledger.Place{})
			first = append(first, took)
			// Far down: a place in the middle of the time, then page after page.
			place := ledger.Place{At: database.Micros(force.Start.Add(time.Duration(n/2+i*n/100) * force.Step)), Event: "z"}
			for range 3 {
				if page, took = searched(t, l, search, place); !page.More {
					break
				}
				place = page.Next
				deep = append(deep, took)
			}
		}
		on := fmt.Sprintf(" of %s, %s", millions(n), db.Engine())
		b.add(t, measured("trail by "+s.name+", first page"+on+", p95", "ms", []float64{quantile(first, 0.95)}).atMost(100))
		if len(deep) > 0 {
			b.add(t, measured("trail by "+s.name+", deep page"+on+", p95", "ms", []float64{quantile(deep, 0.95)}).atMost(100))
		}
	}
}

func searched(t *testing.T, l *ledger.Ledger, s ledger.Search, after ledger.Place) (ledger.Page, time.Duration) {
	t.Helper()
	begun := time.Now()
	page, err := l.Search(t.Context(), s, after, 50)
	if err != nil {
		t.Fatal(err)
	}
	return page, time.Since(begun)
}

type searchOf struct {
	name string
	of   func(i int) ledger.Search
}

// searches are the filters. The i-th of each asks for another value: the most
// frequent first, then ever rarer ones.
func searches(f ledgertest.Force, n int) []searchOf {
	person := func(i int) string { return f.Person(i * i * 13 % f.People) }
	recording := func(i int) evidence.ID { return f.Recording(n / 60 * i / 40) }
	number := func(i int) string { return f.Case(i * i * (n / 400) / 1600) }
	purpose := func(i int) string { return []string{"investigation", "statement", "supervision", "complaint"}[i%4] }
	verb := func(i int) []evidence.Verb {
		return []evidence.Verb{[]evidence.Verb{evidence.Consult, evidence.Disclose, evidence.Administer, evidence.Derive}[i%4]}
	}
	week := func(s ledger.Search, i int) ledger.Search {
		s.From = f.Start.Add(time.Duration(i*n/42) * f.Step)
		s.To = s.From.Add(7 * 24 * time.Hour)
		return s
	}
	none := evidence.ID("none")
	return []searchOf{
		{"nothing", func(int) ledger.Search { return ledger.Search{} }},
		{"time", func(i int) ledger.Search { return week(ledger.Search{}, i) }},
		{"person", func(i int) ledger.Search { return ledger.Search{Actor: person(i)} }},
		{"person and time", func(i int) ledger.Search { return week(ledger.Search{Actor: person(i)}, i) }},
		{"recording", func(i int) ledger.Search { return ledger.Search{Item: recording(i)} }},
		{"no such recording", func(int) ledger.Search { return ledger.Search{Item: none} }},
		{"case", func(i int) ledger.Search { return ledger.Search{Reference: number(i)} }},
		{"purpose", func(i int) ledger.Search { return ledger.Search{Purpose: purpose(i)} }},
		{"purpose and time", func(i int) ledger.Search { return week(ledger.Search{Purpose: purpose(i)}, i) }},
		{"verb", func(i int) ledger.Search { return ledger.Search{Verbs: verb(i)} }},
		{"verb and time", func(i int) ledger.Search { return week(ledger.Search{Verbs: verb(i)}, i) }},
		{"refusals", func(int) ledger.Search { return ledger.Search{Phase: evidence.Refused} }},
		{"person and verb", func(i int) ledger.Search { return ledger.Search{Actor: person(i), Verbs: verb(i)} }},
		{"person and recording", func(i int) ledger.Search { return ledger.Search{Actor: person(i), Item: recording(i)} }},
		{"person and case", func(i int) ledger.Search { return ledger.Search{Actor: person(i), Reference: number(i)} }},
		{"person and purpose", func(i int) ledger.Search { return ledger.Search{Actor: person(i), Purpose: purpose(i)} }},
		{"case and verb", func(i int) ledger.Search { return ledger.Search{Reference: number(i), Verbs: verb(i)} }},
		{"recording and verb", func(i int) ledger.Search { return ledger.Search{Item: recording(i), Verbs: verb(i)} }},
		{"purpose and verb", func(i int) ledger.Search { return ledger.Search{Purpose: purpose(i), Verbs: verb(i)} }},
		{"the service itself and purpose", func(i int) ledger.Search { return ledger.Search{Actor: "prepare", Purpose: purpose(i)} }},
	}
}

func millions(n int) string { return fmt.Sprintf("%g M", float64(n)/1e6) }
