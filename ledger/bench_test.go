package ledger_test

import (
	"os"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/ledger/ledgertest"
)

// TestMeasure prints what DESIGN's goals ask for: proof within 1 s at 250
// events a second (p99), an inclusion proof among a million within 20 ms
// (p99). It measures only when asked to, by CUSTOS_MEASURE=1.
func TestMeasure(t *testing.T) {
	if os.Getenv("CUSTOS_MEASURE") == "" {
		t.Skip("measures only with CUSTOS_MEASURE=1")
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l, _ := ledgertest.Start(t, db)
		appended, proved, err := ledgertest.Load{Rate: 250, For: 20 * time.Second, Items: 500}.Run(t.Context(), db, l)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("250 events/s: append %v; commit to proof %v", appended, proved)
		start := time.Now()
		if err := ledgertest.Fill(t.Context(), db, 1_000_000); err != nil {
			t.Fatal(err)
		}
		s, err := l.Status(t.Context())
		for ; err == nil && s.CheckpointSize < 1_000_000; s, err = l.Status(t.Context()) {
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("filled to %d in %v", s.Size, time.Since(start))
		proofs, err := ledgertest.Proofs(t.Context(), l, 5000)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("inclusion proof at %d: %v", s.CheckpointSize, proofs)
		if proved.P99 > time.Second || proofs.P99 > 20*time.Millisecond {
			t.Error("slower than the goals")
		}
	})
}
