package torture_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/receipt"
	"custos/test/torture"
	"custos/tlog"
)

// TestLogIsWatched shows the watcher of the log one that keeps its promises,
// and then four that do not.
func TestLogIsWatched(t *testing.T) {
	db := databasetest.SQLite(t)
	l, key := ledgertest.Start(t, db)
	var ref ledger.Ref
	for range 3 {
		if err := db.Write(t.Context(), func(tx *database.Tx) (err error) {
			ref, err = l.Append(t.Context(), tx, ledger.Event{Item: "item", Verb: evidence.Verify, Phase: evidence.Outcome, Actor: evidence.Server("test")})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	_, head, err := l.Wait(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tlog.ParseCheckpoint(head)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(c tlog.Checkpoint) []byte {
		b, err := c.Sign(key.Signer)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	forged := sign(tlog.Checkpoint{Origin: c.Origin, Size: c.Size - 1, Root: c.Root})
	larger := sign(tlog.Checkpoint{Origin: c.Origin, Size: c.Size + 1, Root: c.Root})
	other, err := ledgertest.NewKey(key.Verifier.Name())
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := c.Sign(other.Signer)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		name    string
		seen    []byte // before
		doubled bool   // the first leaf stands in the second place too
		want    bool   // a violation
	}{
		{"sound", head, false, false},
		{"another beginning", forged, false, true},
		{"shrunk", larger, false, true},
		{"signed by another key", foreign, false, true},
		{"a leaf twice", nil, true, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			handler := ledgertest.Handler(l)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !k.doubled || !strings.HasPrefix(r.URL.Path, "/tile/entries/") {
					handler.ServeHTTP(w, r)
					return
				}
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, r)
				b := rec.Body.Bytes()
				copy(b[2+tlog.LeafSize:], b[:2+tlog.LeafSize])
				_, _ = w.Write(b) // the client is this test
			}))
			defer srv.Close()
			y := torture.NewTally(t, "watched", 1)
			watch, err := torture.NewLog(srv.URL+"/", key.VKey, y)
			if err != nil {
				t.Fatal(err)
			}
			if k.seen != nil {
				_, _ = watch.Saw(k.seen) // a bad one is noted
			}
			if _, err := watch.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := y.Violations() > 0; got != k.want {
				t.Errorf("%d violations", y.Violations())
			}
		})
	}
}

// TestReceiptsAreJudged has receipts that are none.
func TestReceiptsAreJudged(t *testing.T) {
	y := torture.NewTally(t, "judged", 1)
	film := torture.NewOriginal(0, "bay", "T1", "a.MP4", []byte("film"))
	sound := torture.Vouched(y, []torture.Kept{
		{Device: "T1", File: "a.MP4", Digest: film.Digest, Text: "not a receipt"},
		{Device: "T1", File: "b.MP4", Digest: film.Digest, Text: "for nothing that was there"},
	}, receipt.Trust{}, torture.Account(film))
	if len(sound) != 0 || y.Violations() != 2 {
		t.Errorf("%d sound, %d violations", len(sound), y.Violations())
	}
}
