package vault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/seal"
	"custos/vault"
	"custos/vault/vaulttest"

	"filippo.io/age"
)

var day = time.Date(2026, 11, 22, 6, 2, 0, 0, time.UTC)

// house is a vault on a file system in memory, and what it stands on.
type house struct {
	db    *database.DB
	keys  *vault.Keystore
	fs    *durabletest.Memory
	store *vaulttest.Watched
	part  int
	*vault.Vault
}

// build makes a house with parts of two chunks.
func build(t testing.TB, db *database.DB) *house {
	t.Helper()
	h := &house{db: db, keys: keystore(t, durabletest.NewMemory()), fs: durabletest.NewMemory(), part: 2 * seal.ChunkSize}
	h.store = vaulttest.Watch(folder(t, h.fs))
	h.open(t)
	return h
}

func (h *house) open(t testing.TB) {
	t.Helper()
	v, err := vault.Open(context.Background(), vault.Config{
		DB: h.db, Store: h.store, StoreName: "folder", Keys: h.keys, PartSize: h.part, Now: func() time.Time { return day },
	})
	must(t, err)
	h.Vault = v
}

// powerCut loses what was not synced and starts again.
func (h *house) powerCut(t testing.TB, seed uint64) {
	t.Helper()
	h.fs = h.fs.Crash(seed)
	h.store = h.store.After(folder(t, h.fs))
	h.open(t)
}

func (h *house) sound(t interface{ Fatalf(string, ...any) }) {
	if wrong := h.store.Wrong(); wrong != nil {
		t.Fatalf("sealed twice: %q", wrong)
	}
}

func newID() evidence.ID { return evidence.NewID(day, chance) }

// chance makes identifiers, and footage.
var chance = &lockedRand{r: rand.NewChaCha8([32]byte{1})}

type lockedRand struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (l *lockedRand) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

func footage(n int) []byte {
	b := make([]byte, n)
	_, _ = chance.Read(b) // never fails
	return b
}

func (h *house) add(t testing.TB, id evidence.ID, offset int, data []byte) {
	t.Helper()
	got, err := h.Append(ctx, id, int64(offset), bytes.NewReader(data))
	must(t, err)
	if got != int64(offset+len(data)) {
		t.Fatalf("%d bytes are durable, want %d", got, offset+len(data))
	}
}

var ctx = context.Background()

func (h *house) keep(t testing.TB, id evidence.ID) {
	t.Helper()
	must(t, h.db.Write(ctx, func(tx *database.Tx) error { return h.Keep(ctx, tx, id) }))
}

// finish ends an upload and checks that final storage holds exactly data.
func (h *house) finish(t testing.TB, id evidence.ID, data []byte) {
	t.Helper()
	s, err := h.Finish(ctx, id)
	must(t, err)
	if s != (vault.Sealed{Object: id, Digest: sha256.Sum256(data), Length: int64(len(data))}) {
		t.Fatalf("sealed %+v of %d bytes", s, len(data))
	}
	d, n, err := h.ReadBack(ctx, id)
	must(t, err)
	if d != s.Digest || n != s.Length {
		t.Fatalf("read back %v, %d", d, n)
	}
	h.sound(t.(interface{ Fatalf(string, ...any) }))
}

const chunk = seal.ChunkSize

// Lengths and cuts around every border: tail, chunk, part.
var borders = []int{0, 1, 100, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 3 * chunk, 4*chunk + 7}

func TestUploadsResumeAtEveryClassOfOffset(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		for _, length := range borders {
			data := footage(length)
			for _, cut := range borders {
				if cut > length {
					continue
				}
				for _, known := range []bool{true, false} {
					id := newID()
					announced := int64(-1)
					if known {
						announced = int64(length)
					}
					must(t, h.Begin(ctx, id, announced))
					h.add(t, id, 0, data[:cut])
					if r, err := h.Received(ctx, id); err != nil || r != (vault.Received{Offset: int64(cut), Length: announced, Complete: known && cut == length}) {
						t.Fatalf("cut at %d of %d: %+v, %v", cut, length, r, err)
					}
					h.open(t)
					h.add(t, id, cut, data[cut:])
					h.finish(t, id, data)
				}
			}
		}
	})
}

func TestAppendAnswersConflicts(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	id := newID()
	want(t, evidence.Invalid, h.Begin(ctx, "../x", 1))
	want(t, evidence.Invalid, h.Begin(ctx, id, -2))
	_, err := h.Append(ctx, id, 0, nil)
	want(t, evidence.NotFound, err)
	_, err = h.Finish(ctx, id)
	want(t, evidence.NotFound, err)
	must(t, h.Begin(ctx, id, 10))
	want(t, evidence.Conflict, h.Begin(ctx, id, 10))
	h.add(t, id, 0, []byte("01234"))
	at, err := h.Append(ctx, id, 4, bytes.NewReader([]byte("4")))
	want(t, evidence.Conflict, err)
	if at != 5 {
		t.Errorf("told to go on at %d", at)
	}
	_, err = h.Finish(ctx, id)
	want(t, evidence.Conflict, err)
	at, err = h.Append(ctx, id, 5, bytes.NewReader([]byte("56789X")))
	want(t, evidence.Invalid, err)
	if at != 10 {
		t.Errorf("kept up to %d", at)
	}
	want(t, evidence.Conflict, h.db.Write(ctx, func(tx *database.Tx) error { return h.Keep(ctx, tx, id) }))
	h.finish(t, id, []byte("0123456789"))
	_, err = h.Append(ctx, id, 10, bytes.NewReader(nil))
	want(t, evidence.Conflict, err)
	h.keep(t, id)
	h.keep(t, id) // again is no error
	want(t, evidence.Conflict, h.Begin(ctx, id, 10))
	want(t, evidence.Conflict, h.Abandon(ctx, id))
	h.finish(t, id, []byte("0123456789")) // the same answer
	if r, err := h.Received(ctx, id); err != nil || r != (vault.Received{Offset: 10, Length: 10, Complete: true}) {
		t.Errorf("%+v, %v", r, err)
	}
	want(t, evidence.NotFound, h.db.Write(ctx, func(tx *database.Tx) error { return h.Keep(ctx, tx, newID()) }))
}

func TestOneAppendAtATime(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	id := newID()
	must(t, h.Begin(ctx, id, -1))
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := h.Append(ctx, id, 0, r)
		done <- err
	}()
	_, err := w.Write([]byte("a"))
	must(t, err)
	_, err = h.Append(ctx, id, 0, bytes.NewReader([]byte("b")))
	want(t, evidence.Conflict, err)
	want(t, evidence.Conflict, h.Abandon(ctx, id))
	_, err = h.Finish(ctx, id)
	want(t, evidence.Conflict, err)
	must(t, w.Close())
	must(t, <-done)
	h.finish(t, id, []byte("a"))
}

// Two servers on one database: whoever comes second changes nothing.
func TestTwoVaultsOnOneUpload(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		other := *h
		other.open(t)
		id := newID()
		must(t, h.Begin(ctx, id, -1))
		data := footage(3 * chunk)
		r, w := io.Pipe()
		done := make(chan error)
		go func() {
			_, err := h.Append(ctx, id, 0, r)
			done <- err
		}()
		_, err := w.Write(data[:chunk])
		must(t, err)
		other.add(t, id, 0, footage(2*chunk+5)) // other bytes, while the first still waits for more
		_, err = w.Write(data[chunk:])
		must(t, err)
		must(t, w.Close())
		want(t, evidence.Conflict, <-done)
		h.sound(t)
	})
}

func TestWhatArrivedBeforeTheSenderBrokeOffIsKept(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	broken := errors.New("broken pipe")
	for _, n := range borders {
		id, data := newID(), footage(n+1000)
		must(t, h.Begin(ctx, id, -1))
		at, err := h.Append(ctx, id, 0, io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || at != int64(n) {
			t.Fatalf("%d bytes kept of %d, %v", at, n, err)
		}
		h.powerCut(t, uint64(n))
		gone, cancel := context.WithCancel(ctx)
		at, err = h.Append(gone, id, at, io.MultiReader(bytes.NewReader(data[n:n+500]), readerFunc(func([]byte) (int, error) {
			cancel() // the request ends, and with it what the sender sends
			return 0, context.Canceled
		})))
		if !errors.Is(err, context.Canceled) || at != int64(n)+500 {
			t.Fatalf("%d bytes kept of %d, %v", at, n+500, err)
		}
		h.add(t, id, n+500, data[n+500:])
		h.finish(t, id, data)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestPutKeepOpenAndExport(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		data := footage(3*chunk + 11)
		id := newID()
		_, err := h.Put(ctx, id, iotest.ErrReader(errors.New("no")))
		want(t, evidence.Unavailable, err)
		if list, err := h.Uploads(ctx); err != nil || len(list) != 0 {
			t.Fatalf("a failed Put left %v, %v", list, err)
		}
		_, err = h.Put(ctx, id, bytes.NewReader([]byte("a first try that nobody kept")))
		must(t, err)
		_, err = h.Put(ctx, id, bytes.NewReader(data))
		must(t, err)
		_, err = h.Open(ctx, id)
		want(t, evidence.NotFound, err)
		boom := errors.New("boom")
		if err := h.db.Write(ctx, func(tx *database.Tx) error {
			must(t, h.Keep(ctx, tx, id))
			return boom
		}); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		_, err = h.Open(ctx, id)
		want(t, evidence.NotFound, err)
		h.keep(t, id)
		_, err = h.Put(ctx, id, bytes.NewReader(data))
		want(t, evidence.Conflict, err)
		must(t, h.Check(ctx, id))
		p, err := h.Open(ctx, id)
		must(t, err)
		for _, at := range borders {
			for _, n := range borders {
				got, err := io.ReadAll(io.NewSectionReader(p, int64(at), int64(n)))
				must(t, err)
				if !bytes.Equal(got, data[min(at, len(data)):min(at+n, len(data))]) {
					t.Errorf("%d bytes at %d are wrong", n, at)
				}
			}
		}
		must(t, p.Close())
		export(t, h, id, data)
		var infos []vault.ObjectInfo
		must(t, h.Objects(ctx, func(o vault.ObjectInfo) error {
			infos = append(infos, o)
			return nil
		}))
		want := vault.ObjectInfo{ID: id, Store: "folder", Length: int64(len(data)), SealedLength: seal.SealedSize(int64(len(data))),
			Digest: sha256.Sum256(data), Bucket: "day-2026-11-22", KeptAt: day}
		if len(infos) != 1 || infos[0] != want {
			t.Errorf("listed %+v", infos)
		}
	})
}

// export opens prefix and ciphertext with stock age: with the bucket's
// identity, and with that of a receiver.
func export(t *testing.T, h *house, id evidence.ID, data []byte) {
	t.Helper()
	receiver, err := age.GenerateX25519Identity()
	must(t, err)
	bucket, err := h.keys.Existing(ctx, "day-2026-11-22")
	must(t, err)
	for _, c := range []struct {
		to age.Identity
		r  []age.Recipient
	}{{bucket.Identity, nil}, {receiver, []age.Recipient{receiver.Recipient()}}} {
		prefix, err := h.Prefix(ctx, id, c.r...)
		must(t, err)
		o, err := h.Ciphertext(ctx, id)
		must(t, err)
		r, err := age.Decrypt(io.MultiReader(bytes.NewReader(prefix), io.NewSectionReader(o, 0, o.Size())), c.to)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		must(t, o.Close())
		if !bytes.Equal(got, data) {
			t.Error("age reads other bytes")
		}
	}
}

func TestReadReceived(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	for _, n := range borders {
		id, data := newID(), footage(n)
		must(t, h.Begin(ctx, id, -1))
		h.add(t, id, 0, data)
		for _, step := range []func(){func() {}, func() { h.finish(t, id, data) }, func() { h.keep(t, id) }} {
			step()
			r, err := h.ReadReceived(ctx, id)
			must(t, err)
			got, err := io.ReadAll(r)
			must(t, err)
			must(t, r.Close())
			if !bytes.Equal(got, data) {
				t.Fatalf("%d bytes came back as %d", n, len(got))
			}
		}
	}
	_, err := h.ReadReceived(ctx, newID())
	want(t, evidence.NotFound, err)
}
