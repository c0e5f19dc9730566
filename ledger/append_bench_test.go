package ledger_test

import (
	"fmt"
	"testing"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
)

// BenchmarkAppendMany is a hundred events of many people and items in one
// transaction: the disk is waited for once, so that the tables weigh.
func BenchmarkAppendMany(b *testing.B) {
	for _, e := range []struct {
		name string
		open func(testing.TB) *database.DB
	}{{"sqlite", databasetest.SQLite}, {"postgres", databasetest.Postgres}} {
		b.Run(e.name, func(b *testing.B) {
			db := e.open(b)
			l, err := ledger.Open(b.Context(), ledger.Config{DB: db, Origin: origin})
			if err != nil {
				b.Fatal(err)
			}
			done := 0
			many := func(n int) {
				err := db.Write(b.Context(), func(tx *database.Tx) error {
					for range n {
						done++
						e := ledgertest.Event(evidence.ID(fmt.Sprintf("item-%d", done%5000)))
						e.Actor.ID = fmt.Sprintf("person-%d", done%701)
						if _, err := l.Append(b.Context(), tx, e); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for done < 10_000 { // tables that are not empty
				many(1000)
			}
			for b.Loop() {
				many(100)
			}
		})
	}
}
