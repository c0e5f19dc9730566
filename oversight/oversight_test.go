package oversight_test

import (
	"bytes"
	"net/http/httptest"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger/ledgertest"
	"custos/oversight"
	"custos/tlog"
)

func TestThePublishedLog(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		l, key := ledgertest.Start(t, db)
		o := oversight.New(l, nil, key.VKey)
		get := func(path string) (*httptest.ResponseRecorder, error) {
			w := httptest.NewRecorder()
			err := o.ServeLog(w, httptest.NewRequest("GET", "/", nil), path)
			if err != nil && w.Body.Len() > 0 {
				t.Errorf("%s: bytes and %v", path, err)
			}
			return w, err
		}
		if _, err := get("checkpoint"); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("an empty log: %v", err)
		}
		for range 3 {
			if err := db.Write(ctx, func(tx *database.Tx) error {
				_, err := l.Append(ctx, tx, ledgertest.Event("item"))
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		for {
			st, err := o.Log(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if st.CheckpointSize == 3 && st.Key == key.VKey {
				break
			}
			time.Sleep(time.Millisecond)
		}
		w, err := get("checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		c, err := tlog.OpenCheckpoint(w.Body.Bytes(), ledgertest.Origin, key.Verifier)
		if err != nil || c.Size != 3 {
			t.Errorf("the checkpoint is %+v, %v", c, err)
		}
		entries, err := get("tile/entries/000.p/3")
		if err != nil || entries.Body.Len() == 0 {
			t.Fatalf("entries: %v", err)
		}
		hashes, err := get("tile/0/000.p/3")
		if err != nil || hashes.Body.Len() != 96 {
			t.Fatalf("hashes: %v", err)
		}
		whole, err := l.ReadTile(ctx, "tile/0/000.p/3")
		if err != nil || !bytes.Equal(whole, hashes.Body.Bytes()) {
			t.Errorf("the tile is not the ledger's: %v", err)
		}
		for _, path := range []string{"", "nothing", "tile/0/000", "tile/0/000.p/4", "tile/entries/001", "tile/../checkpoint", "tile/0/../../x"} {
			if _, err := get(path); evidence.CodeOf(err) != evidence.NotFound {
				t.Errorf("%q: %v", path, err)
			}
		}
	})
}
