package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/tlog"
)

// Many append at once, to few or many items, some to several in one
// transaction and in any order, some roll back: every history is whole, in the
// order in which its transactions committed, and every event gets its proof.
func TestManyAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		ledgertest.Run(t, l)
		round := 0
		rapid.Check(t, func(t *rapid.T) {
			if round++; round > 12 {
				return // each round costs many commits
			}
			type act struct {
				items []int
				back  bool
			}
			acts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
				return act{rapid.SliceOfN(rapid.IntRange(0, 3), 1, 3).Draw(t, "items"), rapid.IntRange(0, 4).Draw(t, "back") == 0}
			}), 1, 24).Draw(t, "acts")
			name := func(i int) evidence.ID { return evidence.ID(fmt.Sprintf("r%d-%d", round, i)) }
			want := map[int]int{}
			var wg sync.WaitGroup
			errs := make([]error, len(acts))
			for n, a := range acts {
				if !a.back {
					for _, i := range a.items {
						want[i]++
					}
				}
				wg.Go(func() {
					var refs []ledger.Ref
					err := db.Write(h.ctx, func(tx *database.Tx) error {
						refs = nil
						for _, i := range a.items {
							ref, err := l.Append(h.ctx, tx, ledgertest.Event(name(i)))
							if err != nil {
								return err
							}
							refs = append(refs, ref)
						}
						if a.back {
							return errCrash
						}
						return nil
					})
					if a.back && errors.Is(err, errCrash) {
						return
					}
					for _, r := range refs {
						if err == nil {
							_, _, err = l.Wait(h.ctx, r)
						}
					}
					errs[n] = err
				})
			}
			wg.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			for i, n := range want {
				h.checkItem(l, name(i), n)
			}
		})
		if err := l.Audit(h.ctx, nil); err != nil {
			t.Error(err)
		}
	})
}

// Two servers on one database both run: whatever each of them signs is of one
// history.
func TestTwoSequencers(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var mu sync.Mutex
		var signed [][]byte
		var servers []*ledger.Ledger
		for i := range 2 {
			l, err := ledger.Open(h.ctx, ledger.Config{
				DB: db, Origin: origin, Signer: h.key.Signer, Published: fmt.Sprint(h.published, i), Interval: time.Millisecond,
				OnCheckpoint: func(b []byte) {
					mu.Lock()
					defer mu.Unlock()
					signed = append(signed, b)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			servers = append(servers, l)
		}
		for _, l := range servers {
			ledgertest.Run(t, l)
		}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for g := range errs {
			wg.Go(func() {
				for n := range 15 {
					l := servers[(g+n)%2]
					var ref ledger.Ref
					err := db.Write(h.ctx, func(tx *database.Tx) (err error) {
						ref, err = l.Append(h.ctx, tx, ledgertest.Event(evidence.ID([]string{"a", "b", "c"}[n%3])))
						return err
					})
					if err == nil {
						_, _, err = l.Wait(h.ctx, ref)
					}
					errs[g] = errors.Join(errs[g], err)
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(signed) < 4 {
			t.Fatalf("only %d checkpoints: this tests nothing", len(signed))
		}
		for _, b := range signed {
			h.checkConsistent(servers[0], b)
		}
		for _, item := range []evidence.ID{"a", "b", "c"} {
			h.checkItem(servers[1], item, 40)
		}
	})
}

// Audit names what is damaged, and only that.
func TestAuditNamesDamage(t *testing.T) {
	type spoiling struct {
		name  string
		spoil string
		want  []string // each must be in one line; lines without one are too many
	}
	cases := []spoiling{
		{"nothing", "", nil},
		{"a field", "UPDATE ledger_events SET fields = REPLACE_FIELDS WHERE ID_AT 2", []string{"entry 2, *fields or key"}},
		{"fields unreadable", "UPDATE ledger_events SET fields = event_key WHERE ID_AT 2", []string{"entry 2, *cannot be read"}},
		{"an event key", "UPDATE ledger_events SET event_key = (SELECT item_key FROM ledger_items WHERE item = 'b') WHERE ID_AT 2", []string{"entry 2, *fields or key"}},
		{"an item key", "UPDATE ledger_items SET item_key = (SELECT event_key FROM ledger_events WHERE ID_AT 0) WHERE item = 'b'", []string{"entry 1, *item or its key", "entry 4, *item or its key"}},
		{"who it is listed under", "UPDATE ledger_events SET actor_id = 'x' WHERE ID_AT 3", []string{"entry 3, *listed under"}},
		{"when it is listed", "UPDATE ledger_events SET at = at + 1 WHERE ID_AT 3", []string{"entry 3, *listed under"}},
		{"an event's leaf", "UPDATE ledger_events SET leaf = (SELECT leaf FROM ledger_leaves WHERE idx = 0) WHERE ID_AT 3", []string{"entry 3, *not the event's"}},
		{"an event is gone", "DELETE FROM ledger_events WHERE ID_AT 2", []string{"entry 2, *event is missing", "entry 3, *event before this one is missing"}},
		{"the last event is gone", "DELETE FROM ledger_events WHERE ID_AT 5", []string{"entry 5, *event is missing", "item a: *last event"}},
		{"a leaf", "UPDATE ledger_leaves SET leaf = (SELECT leaf FROM ledger_leaves WHERE idx = 3) WHERE idx = 2",
			[]string{"entry 2, *in the tree", "entry 2, *not the event's", "entry 2, *fields or key", "entry 2, *number in", "entry 2, *follows", "entry 3, *follows", "tile 0 of level 0", "root of the last", "root of the log"}},
		{"a leaf is gone", "DELETE FROM ledger_leaves WHERE idx = 4", []string{"entry 4: the leaf is missing", "event *has no leaf"}},
		{"a leaf names no event", "UPDATE ledger_leaves SET event = event || '-' WHERE idx = 4", []string{"entry 4, *event is missing", "event *has no leaf"}},
		{"a tile", "UPDATE ledger_tiles SET hashes = (SELECT leaf FROM ledger_leaves WHERE idx = 0)",
			[]string{"entry 0, *in the tree", "entry 1, *in the tree", "entry 2, *in the tree", "entry 3, *in the tree", "entry 4, *in the tree", "entry 5, *in the tree", "tile 0 of level 0"}},
		{"the root", "UPDATE ledger_head SET root = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='", []string{"root of the log"}},
		{"an item's last event", "UPDATE ledger_items SET next_seq = 7 WHERE item = 'a'", []string{"item a: *last event"}},
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		h.append(l, "a", "b", "a", "a", "b", "a")
		if err := l.Round(h.ctx); err != nil {
			t.Fatal(err)
		}
		restore := h.backup()
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				h := *h
				h.t = t
				defer restore()
				if c.spoil != "" {
					fields := `replace(CAST(fields AS TEXT), 'PC Bo', 'PC Cy')`
					if db.Engine() == database.Postgres {
						fields = `convert_to(replace(convert_from(fields, 'UTF8'), 'PC Bo', 'PC Cy'), 'UTF8')`
					}
					h.exec(strings.NewReplacer("REPLACE_FIELDS", fields, "ID_AT", "id = (SELECT event FROM ledger_leaves WHERE idx =").Replace(closed(c.spoil)))
				}
				h.checkDamage(l.Audit(h.ctx, nil), c.want)
			})
		}
	})
}

// closed closes the bracket that ID_AT opens.
func closed(query string) string {
	if before, after, ok := strings.Cut(query, "ID_AT "); ok {
		return before + "ID_AT " + after[:1] + ")" + after[1:]
	}
	return query
}

func (h *house) checkDamage(err error, want []string) {
	h.t.Helper()
	var lines []string
	var audit *ledger.AuditError
	if errors.As(err, &audit) {
		lines = strings.Split(audit.Error(), "\n")
		if evidence.CodeOf(err) != evidence.Corrupt {
			h.t.Errorf("code %s", evidence.CodeOf(err))
		}
	} else if err != nil {
		h.t.Fatal(err)
	}
	for _, w := range want {
		first, second, _ := strings.Cut(w, "*")
		i := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, first) && strings.Contains(s, second) })
		if i < 0 {
			h.t.Errorf("nothing says %q", w)
			continue
		}
		lines = slices.Delete(lines, i, i+1)
	}
	for _, s := range lines {
		h.t.Errorf("not expected: %s", s)
	}
}

func TestAuditOfAnEmptyLedger(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		if err := l.Audit(h.ctx, nil); err != nil {
			t.Error(err)
		}
		h.append(l, "a") // committed, not in the tree yet
		if err := l.Audit(h.ctx, nil); err != nil {
			t.Error(err)
		}
	})
}

// A log client that is not ours reads the whole log and computes it anew.
func TestOthersFsck(t *testing.T) {
	fsck := os.Getenv("CUSTOS_TESSERA_FSCK")
	if fsck == "" {
		var err error
		if fsck, err = exec.LookPath("tessera-fsck"); err != nil {
			t.Skip("neither CUSTOS_TESSERA_FSCK nor tessera-fsck in PATH")
		}
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		h.append(l, slices.Repeat([]evidence.ID{"a", "b"}, 150)...)
		if err := l.Round(h.ctx); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(ledgertest.Handler(l))
		defer server.Close()
		vkey := filepath.Join(t.TempDir(), "vkey")
		if err := os.WriteFile(vkey, []byte(h.key.VKey), 0o600); err != nil {
			t.Fatal(err)
		}
		check := func() string {
			ctx, cancel := context.WithTimeout(h.ctx, 20*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, fsck, "-N", "4", "--ui=false", "--logtostderr", "--storage_url="+server.URL+"/", "--public_key="+vkey).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return string(out)
		}
		if out := check(); !strings.Contains(out, "Successfully fsck'd log with size 300") {
			t.Error(out)
		}
		h.exec("UPDATE ledger_leaves SET leaf = (SELECT leaf FROM ledger_leaves WHERE idx = 3) WHERE idx = 7")
		if out := check(); strings.Contains(out, "Successfully") {
			t.Error("an altered leaf passed: this tests nothing: " + out)
		}
	})
}

// BenchmarkAppend is one event in a transaction of its own.
func BenchmarkAppend(b *testing.B) {
	for _, e := range []struct {
		name string
		open func(testing.TB) *database.DB
	}{{"sqlite", databasetest.SQLite}, {"postgres", databasetest.Postgres}} {
		b.Run(e.name, func(b *testing.B) {
			db := e.open(b)
			l, _ := ledgertest.Start(b, db)
			for b.Loop() {
				err := db.Write(b.Context(), func(tx *database.Tx) error {
					_, err := l.Append(b.Context(), tx, ledgertest.Event("a"))
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestOpeningHoldsNoKey(t *testing.T) {
	h := newHouse(t, databasetest.SQLite(t))
	l := h.open()
	h.append(l, "a")
	got, err := l.History(h.ctx, "a", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	o := got[0].Open(func(name string) bool { return strings.HasPrefix(name, "actor") })
	if _, ok := o.Get("actor_name"); ok || o.Index != 0 {
		t.Errorf("%+v", o)
	}
	if v, ok := o.Get("reference"); !ok || v != "case 17/2026" {
		t.Error(v)
	}
	if leaf, err := tlog.ParseLeaf(o.Leaf); err != nil || leaf.Seq != 1 {
		t.Error(err)
	}
}
