package ledger_test

import (
	"strings"
	"testing"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
)

// A database that fits its own published checkpoint is refused all the same
// where a witness has seen more; one that has as much is not.
func TestADatabaseBehindAWitnessIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		stop := ledgertest.Run(t, l)
		refs := h.append(l, "a", "b", "c")
		if _, _, err := l.Wait(h.ctx, refs[2]); err != nil {
			t.Fatal(err)
		}
		stop()
		l = h.open()
		l.Behind(h.ctx, 3, "court")
		if err := l.Accepts(); err != nil {
			t.Errorf("as long as what the witness has seen: %v", err)
		}
		l.Behind(h.ctx, 4, "court (court.example/w)")
		st, err := l.Status(h.ctx)
		if err != nil || st.State != ledger.Refused || !strings.Contains(st.Message, "court (court.example/w) has signed: it has 3 events in the log, the witness signed 4") {
			t.Errorf("%+v, %v", st, err)
		}
		err = db.Write(h.ctx, func(tx *database.Tx) error {
			_, err := l.Append(h.ctx, tx, ledgertest.Event("d"))
			return err
		})
		if evidence.CodeOf(err) != evidence.Unavailable {
			t.Errorf("an event was taken: %v", err)
		}
	})
}
