package bench

import (
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/ledger/ledgertest"
)

// both gives an address on each engine. PostgreSQL's server syncs.
func both(t *testing.T) map[database.Engine]string {
	t.Helper()
	return map[database.Engine]string{
		database.SQLite:   "sqlite:" + t.TempDir() + "/custos.db",
		database.Postgres: databasetest.DurablePostgresURL(t),
	}
}

var engines = []database.Engine{database.SQLite, database.Postgres}

func openDB(t *testing.T, address string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// benchLedger has no peer: nothing else does the same.
func benchLedger(t *testing.T, b *bench) {
	addresses := both(t)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) { ledgerOn(t, b, openDB(t, addresses[e])) })
	}
}

func ledgerOn(t *testing.T, b *bench, db *database.DB) {
	on := ", " + string(db.Engine())
	l, _ := ledgertest.Start(t, db)
	warm := ledgertest.Load{Rate: 250, For: 2 * time.Second, Items: 500}
	if _, _, err := warm.Run(t.Context(), db, l); err != nil {
		t.Fatal(err)
	}
	// A third of the time each: three repetitions, one load.
	var commits, proofs []float64
	for range 3 {
		load := ledgertest.Load{Rate: 250, For: time.Duration(b.count(20, 4)) * time.Second, Items: 500}
		appended, proved, err := load.Run(t.Context(), db, l)
		if err != nil {
			t.Fatal(err)
		}
		commits = append(commits, ms(appended.P99))
		proofs = append(proofs, ms(proved.P99))
	}
	b.add(t, measured("250 events/s: due to commit, p99"+on, "ms", commits))
	b.add(t, measured("250 events/s: commit to proof, p99"+on, "ms", proofs).atMost(1000))

	n := b.count(1_000_000, 100_000)
	if err := ledgertest.Fill(t.Context(), db, n); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := l.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.CheckpointSize >= int64(n) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	var times []float64
	for i := range 6 {
		p, err := ledgertest.Proofs(t.Context(), l, 2000)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			times = append(times, ms(p.P99))
		}
	}
	b.add(t, measured("inclusion proof among "+thousands(n)+", p99"+on, "ms", times).atMost(20))
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func thousands(n int) string {
	if n >= 1e6 {
		return "1 M"
	}
	return "100 k"
}
