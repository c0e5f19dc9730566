package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/tlog"
)

const origin = ledgertest.Origin

// house is a database with a key and a file for the checkpoint, on which
// ledgers can be opened one after another.
type house struct {
	t         *testing.T
	ctx       context.Context
	db        *database.DB
	key       ledgertest.Key
	published string
}

func newHouse(t *testing.T, db *database.DB) *house {
	key, err := ledgertest.NewKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, t.Context(), db, key, filepath.Join(t.TempDir(), "checkpoint")}
}

func (h *house) open() *ledger.Ledger {
	h.t.Helper()
	l, err := ledger.Open(h.ctx, ledger.Config{DB: h.db, Origin: origin, Signer: h.key.Signer, Published: h.published, Interval: 20 * time.Millisecond})
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (h *house) append(l *ledger.Ledger, items ...evidence.ID) []ledger.Ref {
	h.t.Helper()
	var refs []ledger.Ref
	for _, item := range items {
		var ref ledger.Ref
		err := h.db.Write(h.ctx, func(tx *database.Tx) (err error) {
			ref, err = l.Append(h.ctx, tx, ledgertest.Event(item))
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	return refs
}

func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	err := h.db.Write(h.ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(h.ctx, query, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s changed nothing", query)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// checkItem checks an item's whole history as an outsider does, and that it
// has want events.
func (h *house) checkItem(l *ledger.Ledger, item evidence.ID, want int) {
	h.t.Helper()
	entries, err := l.History(h.ctx, item, 0, 1000)
	if err != nil || len(entries) != want {
		h.t.Fatalf("%s: %d events, %v, want %d", item, len(entries), err, want)
	}
	key, err := l.ItemKey(h.ctx, item)
	if err != nil {
		h.t.Fatal(err)
	}
	signed, err := l.Checkpoint(h.ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := tlog.OpenCheckpoint(signed, origin, h.key.Verifier)
	if err != nil {
		h.t.Fatal(err)
	}
	var chain []tlog.Opening
	for _, e := range entries {
		o := e.Open(func(name string) bool { return name == "actor_name" })
		chain = append(chain, o)
		path, err := l.Proof(h.ctx, e.Index, c.Size)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := xtlog.CheckRecord(path, c.Size, c.Root, e.Index, xtlog.RecordHash(e.Leaf)); err != nil {
			h.t.Fatalf("%s, entry %d: %v", item, e.Index, err)
		}
		var nodes [][]byte
		for _, p := range path {
			nodes = append(nodes, p[:])
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(e.Index), uint64(c.Size), rfc6962.DefaultHasher.HashLeaf(e.Leaf), nodes, c.Root[:]); err != nil {
			h.t.Fatalf("%s, entry %d: %v", item, e.Index, err)
		}
		if _, err := (tlog.Proof{Index: e.Index, Path: path, Checkpoint: signed}).CheckOpening(o, origin, h.key.Verifier); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := tlog.CheckChain(tlog.ItemTag(key, string(item)), chain); err != nil {
		h.t.Fatalf("%s: %v", item, err)
	}
}

func (h *house) wait(l *ledger.Ledger, refs ...ledger.Ref) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.ctx, 20*time.Second)
	defer cancel()
	for _, r := range refs {
		if _, _, err := l.Wait(ctx, r); err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestWholeWay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		if _, err := l.Checkpoint(h.ctx); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("a checkpoint before the first event: %v", err)
		}
		stop := ledgertest.Run(t, l)
		refs := h.append(l, "a", "b", "a", "service", "a", "b")
		if s := refs[4].ItemSeq; s != 3 {
			t.Errorf("third event of a has number %d", s)
		}
		h.wait(l, refs...)
		// A Ref kept by its event's ID alone finds its place too.
		if index, _, err := l.Wait(h.ctx, ledger.Ref{Event: refs[4].Event}); err != nil || index != 4 {
			t.Errorf("place %d, %v, want 4", index, err)
		}
		h.checkItem(l, "a", 3)
		h.checkItem(l, "b", 2)
		h.checkItem(l, "service", 1)
		if err := l.Audit(h.ctx, nil); err != nil {
			t.Error(err)
		}
		s, err := l.Status(h.ctx)
		if err != nil || s.Events != 6 || s.Size != 6 || s.CheckpointSize != 6 || s.State != ledger.Running || s.Message != "" || s.CheckpointAt.IsZero() {
			t.Errorf("status %+v, %v", s, err)
		}
		stop()
		again := h.open()
		refs = h.append(again, "a")
		ledgertest.Run(t, again)
		h.wait(again, refs...)
		h.checkItem(again, "a", 4)
		if _, err := again.ItemKey(h.ctx, "nothing"); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("key of nothing: %v", err)
		}
	})
}

func TestFieldsAsTheyWere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		e := ledger.Event{
			Item: "a", Verb: evidence.Disclose, Phase: evidence.Outcome, At: time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.FixedZone("", 3600)),
			Actor:   evidence.Actor{Kind: evidence.Person, ID: "x", Name: "Zoë \x00 \xff\u2028", Number: "1", Role: "r", Address: "::1", Session: "s"},
			Purpose: evidence.Purpose{Code: "p", Reference: "c", Note: "n"},
			Fields:  []evidence.Field{evidence.F("recipient", "CPS <b>"), evidence.F("empty", ""), evidence.F("bytes", 17)},
		}
		err := db.Write(h.ctx, func(tx *database.Tx) error {
			_, err := l.Append(h.ctx, tx, e)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.History(h.ctx, "a", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []evidence.Field{{Name: "event", Value: string(got[0].Event)}, {Name: "item", Value: "a"}, {Name: "verb", Value: "disclose"},
			{Name: "phase", Value: "outcome"}, {Name: "at", Value: "2026-03-01T08:00:00.123456Z"}, {Name: "actor_kind", Value: "person"}, {Name: "actor_id", Value: "x"},
			{Name: "actor_name", Value: "Zoë \x00 \uFFFD\u2028"}, {Name: "actor_number", Value: "1"}, {Name: "actor_role", Value: "r"}, {Name: "address", Value: "::1"},
			{Name: "session", Value: "s"}, {Name: "purpose", Value: "p"}, {Name: "reference", Value: "c"}, {Name: "note", Value: "n"},
			{Name: "recipient", Value: "CPS <b>"}, {Name: "bytes", Value: "17"}}
		if !slices.Equal(got[0].Fields, want) {
			t.Errorf("got  %q\nwant %q", got[0].Fields, want)
		}
		if err := got[0].Open(nil).Check(); err != nil {
			t.Error(err)
		}
	})
}

func TestRefusedEvents(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		for name, change := range map[string]func(*ledger.Event){
			"no item":       func(e *ledger.Event) { e.Item = "" },
			"long item":     func(e *ledger.Event) { e.Item = evidence.ID(strings.Repeat("x", 65)) },
			"no verb":       func(e *ledger.Event) { e.Verb = "" },
			"no phase":      func(e *ledger.Event) { e.Phase = "" },
			"header field":  func(e *ledger.Event) { e.Fields = []evidence.Field{evidence.F("actor_name", "x")} },
			"field twice":   func(e *ledger.Event) { e.Fields = []evidence.Field{evidence.F("x", 1), evidence.F("x", 2)} },
			"strange field": func(e *ledger.Event) { e.Fields = []evidence.Field{evidence.F("X y", 1)} },
			"long value":    func(e *ledger.Event) { e.Fields = []evidence.Field{evidence.F("x", strings.Repeat("x", 70000))} },
		} {
			e := ledgertest.Event("a")
			change(&e)
			err := db.Write(h.ctx, func(tx *database.Tx) error {
				_, err := l.Append(h.ctx, tx, e)
				return err
			})
			if evidence.CodeOf(err) != evidence.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := l.Search(h.ctx, ledger.Search{}, ledger.Place{}, 10); err != nil || len(got.Entries) != 0 {
			t.Errorf("%d events, %v", len(got.Entries), err)
		}
	})
}

func TestWaitEnds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open() // nobody runs it
		ref := h.append(l, "a")[0]
		ctx, cancel := context.WithTimeout(h.ctx, 10*time.Millisecond)
		defer cancel()
		if _, _, err := l.Wait(ctx, ref); evidence.CodeOf(err) != evidence.Unavailable {
			t.Errorf("no checkpoint: %v", err)
		}
		if _, _, err := l.Wait(h.ctx, ledger.Ref{Event: "unknown"}); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("unknown event: %v", err)
		}
	})
}

func TestTiles(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		if err := ledgertest.Fill(h.ctx, db, 70000); err != nil {
			t.Fatal(err)
		}
		for range 70000/4096 + 1 {
			if err := l.Round(h.ctx); err != nil {
				t.Fatal(err)
			}
		}
		for path, want := range map[string]int{
			"tile/0/000": 8192, "tile/0/272": 8192, "tile/0/273.p/112": 112 * 32, "tile/0/273.p/1": 32, "tile/0/000.p/7": 7 * 32, "tile/1/000": 8192,
			"tile/1/001.p/17": 17 * 32, "tile/2/000.p/1": 32, "tile/entries/000": 256 * 107, "tile/entries/273.p/112": 112 * 107,
		} {
			if b, err := l.ReadTile(h.ctx, path); err != nil || len(b) != want {
				t.Errorf("%s: %d bytes, %v, want %d", path, len(b), err, want)
			}
		}
		for path, want := range map[string]evidence.Code{
			"tile/0/273": evidence.NotFound, "tile/0/273.p/113": evidence.NotFound, "tile/3/000.p/1": evidence.NotFound,
			"tile/entries/274": evidence.NotFound, "tile/0/../x": evidence.Invalid, "checkpoint": evidence.Invalid,
		} {
			if _, err := l.ReadTile(h.ctx, path); evidence.CodeOf(err) != want {
				t.Errorf("%s: %v, want %s", path, err, want)
			}
		}
		for _, sizes := range [][2]int64{{1, 70000}, {256, 65536}, {69999, 70000}, {70000, 70000}, {4097, 12345}} {
			if _, err := l.Consistency(h.ctx, sizes[0], sizes[1]); err != nil {
				t.Error(err)
			}
		}
		for _, bad := range [][2]int64{{0, 5}, {-1, 5}, {6, 5}, {5, 70001}} {
			if _, err := l.Consistency(h.ctx, bad[0], bad[1]); evidence.CodeOf(err) != evidence.NotFound {
				t.Errorf("%v: %v", bad, err)
			}
		}
		for _, bad := range [][2]int64{{5, 5}, {-1, 5}, {0, 0}, {5, 70001}} {
			if _, err := l.Proof(h.ctx, bad[0], bad[1]); evidence.CodeOf(err) != evidence.NotFound {
				t.Errorf("%v: %v", bad, err)
			}
		}
	})
}
