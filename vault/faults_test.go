package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"custos/database"
	"custos/database/databasetest"
	"custos/durable"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/seal"
	"custos/vault"
)

// After a failed write or sync nothing is acknowledged until the vault is
// opened again, and everything that was can be read all the while.
func TestAFailedWriteStopsTheVault(t *testing.T) {
	for _, op := range []durabletest.Op{durabletest.Write, durabletest.Sync, durabletest.Rename, durabletest.SyncDir, durabletest.Mkdir} {
		t.Run(string(op), func(t *testing.T) {
			h := build(t, databasetest.SQLite(t))
			kept, ready := newID(), newID()
			_, err := h.Put(ctx, kept, bytes.NewReader([]byte("kept before")))
			must(t, err)
			h.keep(t, kept)
			_, err = h.Put(ctx, ready, bytes.NewReader([]byte("not kept yet")))
			must(t, err)
			s := &sender{id: newID()}
			must(t, h.Begin(ctx, s.id, -1))
			h.fs.Fail(durabletest.Fault{Op: op})
			data := bytesOf(1, 3*chunk)
			err = s.send(h, data)
			if err == nil {
				_, err = h.Finish(ctx, s.id)
			}
			if err == nil { // the folder was there already
				must(t, h.Begin(ctx, newID(), -1))
				return
			}
			for range 2 { // the file system is well again; the vault does not know
				want(t, evidence.Unavailable, err)
				if m := evidence.MessageOf(err); !strings.Contains(m, "stopped taking footage in") || !strings.Contains(m, "restart") {
					t.Fatalf("it says %q", m)
				}
				err = s.send(h, data[len(s.sure):])
			}
			want(t, evidence.Unavailable, h.Begin(ctx, newID(), 1))
			_, err = h.Finish(ctx, s.id)
			want(t, evidence.Unavailable, err)
			_, err = h.Put(ctx, newID(), bytes.NewReader(nil))
			want(t, evidence.Unavailable, err)
			want(t, evidence.Unavailable, h.db.Write(ctx, func(tx *database.Tx) error { return h.Keep(ctx, tx, ready) }))
			must(t, h.Check(ctx, kept))
			h.powerCut(t, 3)
			s.look(t, h)
			if r, err := h.Received(ctx, s.id); err == nil && !r.Complete {
				must(t, s.send(h, data[len(s.sure):]))
			}
			h.finish(t, s.id, data)
			h.keep(t, ready)
			must(t, h.Check(ctx, ready))
		})
	}
}

// A full disk stops nothing: with room again, the same bytes or others go on.
func TestAFullDisk(t *testing.T) {
	for _, fault := range []durabletest.Fault{
		{Op: durabletest.Write, Err: syscall.ENOSPC, Short: true},
		{Op: durabletest.Sync, Err: syscall.EDQUOT},
		{Op: durabletest.Create, Err: syscall.ENOSPC},
	} {
		for _, same := range []bool{true, false} {
			h := build(t, databasetest.SQLite(t))
			s := &sender{id: newID()}
			if fault.Op == durabletest.Create {
				h.fs.Fail(fault)
				want(t, evidence.Full, h.Begin(ctx, s.id, -1))
				_, err := h.Received(ctx, s.id)
				want(t, evidence.NotFound, err)
				tidy(t, h)
				continue
			}
			must(t, h.Begin(ctx, s.id, -1))
			must(t, s.send(h, bytesOf(1, 2*chunk+1)))
			h.fs.Fail(fault)
			want(t, evidence.Full, s.send(h, bytesOf(2, 3*chunk)))
			s.look(t, h)
			next := bytesOf(3, 3*chunk)
			if same {
				next = s.tried
			}
			must(t, s.send(h, next))
			s.look(t, h)
			h.finish(t, s.id, s.sure)
			h.keep(t, s.id)
			h.powerCut(t, 1)
			must(t, h.Check(ctx, s.id))
			tidy(t, h)
		}
	}
}

func TestAbandonLeavesNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		for _, step := range []int{0, 1, 2, 3, 4, 5} {
			for _, finish := range []bool{false, true} {
				id := newID()
				must(t, h.Begin(ctx, id, -1))
				h.add(t, id, 0, footage(3*chunk))
				if finish {
					_, err := h.Finish(ctx, id)
					must(t, err)
				}
				if step == 0 {
					must(t, h.Abandon(ctx, id))
				} else {
					h.store.Crash(step, true)
					if err := h.Abandon(ctx, id); err != nil {
						_, err = h.Received(ctx, id)
						want(t, evidence.NotFound, err)
						err := h.db.Write(ctx, func(tx *database.Tx) error { return h.Keep(ctx, tx, id) })
						if err == nil {
							t.Fatal("kept what is being removed")
						}
					}
					h.powerCut(t, uint64(step)) // Open goes on with it
				}
				_, err := h.Received(ctx, id)
				want(t, evidence.NotFound, err)
				want(t, evidence.NotFound, h.Abandon(ctx, id))
				if list, err := h.Uploads(ctx); err != nil || len(list) > 0 {
					t.Fatalf("uploads %+v, %v", list, err)
				}
				tidy(t, h)
			}
		}
	})
}

func TestAbandonInTheMiddleOfSealingAnew(t *testing.T) {
	for step := 1; step <= 5; step++ {
		h := build(t, databasetest.SQLite(t))
		s := &sender{id: newID()}
		must(t, h.Begin(ctx, s.id, -1))
		must(t, s.send(h, bytesOf(1, 2*chunk+100)))
		h.store.Crash(1, true)
		want(t, evidence.Unavailable, s.send(h, bytesOf(2, 2*chunk)))
		h.powerCut(t, 1)
		s.look(t, h)
		h.store.Crash(step, true)
		err := s.send(h, bytesOf(3, 2*chunk))
		if (err == nil) != (step > 4) {
			t.Fatalf("step %d: %v", step, err)
		}
		h.powerCut(t, 1)
		must(t, h.Abandon(ctx, s.id))
		tidy(t, h)
	}
}

func TestUploadsAreListed(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	a, b := newID(), newID()
	must(t, h.Begin(ctx, a, 500_000))
	h.add(t, a, 0, footage(100_000))
	_, err := h.Put(ctx, b, bytes.NewReader([]byte("abc")))
	must(t, err)
	list, err := h.Uploads(ctx)
	must(t, err)
	wanted := []vault.UploadInfo{{ID: a, State: "receiving", Offset: 100_000, Length: 500_000, Updated: day}, {ID: b, State: "finished", Offset: 3, Length: 3, Updated: day}}
	slices.SortFunc(wanted, func(x, y vault.UploadInfo) int { return strings.Compare(string(x.ID), string(y.ID)) })
	if !slices.Equal(list, wanted) {
		t.Errorf("got %+v", list)
	}
}

// stored is the file of the only final object.
func stored(t *testing.T, h *house) string {
	t.Helper()
	var names []string
	must(t, h.store.List(ctx, vault.Final, "", func(name string) error {
		names = append(names, "objects/"+name[len(name)-2:]+"/"+name)
		return nil
	}))
	if len(names) != 1 {
		t.Fatalf("%d objects", len(names))
	}
	return names[0]
}

func TestDamageIsNeverServed(t *testing.T) {
	data := footage(3*chunk + 5)
	change := func(at int64) func(t *testing.T, m *durabletest.Memory, name string) {
		return func(t *testing.T, m *durabletest.Memory, name string) {
			f, err := m.OpenFile(name, os.O_RDWR, 0)
			must(t, err)
			var b [1]byte
			_, err = f.ReadAt(b[:], at)
			must(t, err)
			b[0] ^= 1
			_, err = f.WriteAt(b[:], at)
			must(t, err)
			must(t, f.Close())
		}
	}
	size := seal.SealedSize(int64(len(data)))
	for name, damage := range map[string]func(t *testing.T, m *durabletest.Memory, name string){
		"first byte": change(0), "second chunk": change(chunk + 20), "last byte": change(size - 1),
		"missing": func(t *testing.T, m *durabletest.Memory, name string) { must(t, m.Remove(name)) },
		"cut": func(t *testing.T, m *durabletest.Memory, name string) {
			f, err := m.OpenFile(name, os.O_RDWR, 0)
			must(t, err)
			must(t, f.Truncate(2*(chunk+16)))
			must(t, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, databasetest.SQLite(t))
			id := newID()
			_, err := h.Put(ctx, id, bytes.NewReader(data))
			must(t, err)
			h.keep(t, id)
			damage(t, h.fs, stored(t, h))
			want(t, evidence.Corrupt, h.Check(ctx, id))
			_, _, err = h.ReadBack(ctx, id)
			want(t, evidence.Corrupt, err)
			p, err := h.Open(ctx, id)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(io.NewSectionReader(p, 0, p.Size()))
				must(t, p.Close())
			}
			want(t, evidence.Corrupt, err)
			if !bytes.HasPrefix(data, got) {
				t.Error("served bytes that were never received")
			}
			var missing []vault.Stray
			must(t, h.Strays(ctx, func(s vault.Stray) error {
				missing = append(missing, s)
				return nil
			}))
			if name == "missing" != slices.Equal(missing, []vault.Stray{{Name: string(id), Place: vault.Final, Missing: true}}) {
				t.Errorf("strays: %+v", missing)
			}
		})
	}
}

func TestADamagedUploadIsNotSealedAnew(t *testing.T) {
	for _, what := range []string{"bytes", "record"} {
		h := build(t, databasetest.SQLite(t))
		s := &sender{id: newID()}
		must(t, h.Begin(ctx, s.id, -1))
		must(t, s.send(h, bytesOf(1, 2*chunk+100)))
		h.store.Crash(1, true)
		want(t, evidence.Unavailable, s.send(h, bytesOf(2, 2*chunk)))
		h.powerCut(t, 1)
		s.look(t, h)
		if what == "record" {
			other := newID() // its durable chunks are others
			must(t, h.Begin(ctx, other, -1))
			h.add(t, other, 0, bytesOf(9, 2*chunk+100))
			must(t, h.db.Write(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE vault_uploads SET midstate = (SELECT o.midstate FROM vault_uploads o WHERE o.id = ?) WHERE id = ?`, string(other), string(s.id))
				return err
			}))
		} else {
			must(t, h.store.List(ctx, vault.Incoming, "", func(name string) error {
				f, err := h.fs.OpenFile("incoming/"+name, os.O_RDWR, 0)
				must(t, err)
				_, err = f.WriteAt([]byte("damage"), 5)
				must(t, err)
				return f.Close()
			}))
		}
		want(t, evidence.Corrupt, s.send(h, bytesOf(3, 2*chunk)))
	}
}

func TestStraysAreFound(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	id := newID()
	_, err := h.Put(ctx, id, bytes.NewReader([]byte("abc")))
	must(t, err)
	must(t, h.Begin(ctx, newID(), -1))
	must(t, h.store.Begin(ctx, "stray1"))
	must(t, h.store.Begin(ctx, "stray2"))
	must(t, h.store.Finish(ctx, "stray2", 0))
	must(t, durable.WriteFile(h.fs, "incoming/Not ours", nil, 0o600))
	var got []string
	must(t, h.Strays(ctx, func(s vault.Stray) error {
		got = append(got, fmt.Sprint(s))
		return nil
	}))
	if want := []string{"{Not ours incoming false}", "{stray1 incoming false}", "{stray2 final false}"}; !slices.Equal(got, want) {
		t.Errorf("strays %q, want %q", got, want)
	}
	stop := errors.New("stop")
	if err := h.Strays(ctx, func(vault.Stray) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestADestroyedBucketOpensNothing(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	id := newID()
	_, err := h.Put(ctx, id, bytes.NewReader([]byte("abc")))
	must(t, err)
	h.keep(t, id)
	h.keys = keystore(t, durabletest.NewMemory()) // as after the file is gone
	h.open(t)
	_, err = h.Open(ctx, id)
	want(t, evidence.Corrupt, err)
	want(t, evidence.Corrupt, h.Check(ctx, id))
}

// Whoever has the database and the store has no footage.
func TestADumpHoldsNoPlaintext(t *testing.T) {
	dir := t.TempDir()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(dir, "dump.db"))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	h := build(t, db)
	const mark = "PLAINTEXT OF FOOTAGE"
	data := bytes.Repeat([]byte(mark), 20_000)
	var dump bytes.Buffer
	look := func() {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		must(t, err)
		for _, name := range files {
			b, err := os.ReadFile(name)
			must(t, err)
			dump.Write(b)
		}
		for _, place := range []vault.Place{vault.Incoming, vault.Final} {
			must(t, h.store.List(ctx, place, "", func(name string) error {
				o, err := h.store.Open(ctx, place, name)
				must(t, err)
				_, err = io.Copy(&dump, io.NewSectionReader(o, 0, o.Size()))
				must(t, err)
				return o.Close()
			}))
		}
	}
	id := newID()
	must(t, h.Begin(ctx, id, -1))
	for at := 0; at < len(data); at += 77_777 { // tails of all sorts
		h.add(t, id, at, data[at:min(at+77_777, len(data))])
		look()
	}
	h.finish(t, id, data)
	h.keep(t, id)
	look()
	if dump.Len() < 2*len(data) {
		t.Fatalf("the dump has only %d bytes", dump.Len())
	}
	for _, s := range []string{mark[:8], mark[8:16], "FOOTAGEP", "AGE-SECRET"} {
		if bytes.Contains(dump.Bytes(), []byte(s)) {
			t.Errorf("the dump holds %q", s)
		}
	}
}

func TestManyUploadsAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				id, data := newID(), bytesOf(uint64(i)+50, 3*chunk+i*1000)
				err := h.Begin(ctx, id, int64(len(data)))
				for at := 0; at < len(data) && err == nil; at += 70_000 {
					_, err = h.Append(ctx, id, int64(at), bytes.NewReader(data[at:min(at+70_000, len(data))]))
				}
				if err == nil {
					_, err = h.Finish(ctx, id)
				}
				if err == nil {
					err = h.db.Write(ctx, func(tx *database.Tx) error { return h.Keep(ctx, tx, id) })
				}
				if err == nil {
					err = h.Check(ctx, id)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		h.sound(t)
		tidy(t, h)
	})
}

// nowhere is a store that keeps nothing and looks at each part at what is
// held: what a collection leaves, so that when the last one ran, which differs
// from run to run, does not count.
type nowhere struct {
	vault.Store
	most uint64
}

func (n *nowhere) Begin(context.Context, string) error { return nil }
func (n *nowhere) PutPart(context.Context, string, int64, []byte) error {
	n.most = max(n.most, held())
	return nil
}

func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go at the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAnAppendHoldsTwoParts(t *testing.T) {
	total := int64(1 << 30)
	if testing.Short() {
		total = 128 << 20
	}
	n := &nowhere{}
	v, err := vault.Open(ctx, vault.Config{DB: databasetest.SQLite(t), Store: n, Keys: keystore(t, durabletest.NewMemory())})
	must(t, err)
	id := newID()
	must(t, v.Begin(ctx, id, total))
	before := held()
	at, err := v.Append(ctx, id, 0, io.LimitReader(readerFunc(func(p []byte) (int, error) { return len(p), nil }), total))
	must(t, err)
	if at != total {
		t.Fatalf("took %d bytes", at)
	}
	parts := float64(n.most-before) / (8 << 20)
	t.Logf("%.2f parts were held at most", parts)
	if parts < 1 || parts > 2.1 { // less than one: nothing was measured
		t.Errorf("%.2f parts were held", parts)
	}
}
