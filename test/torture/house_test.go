package torture_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"custos/access"
	"custos/camera"
	"custos/camera/cameratest"
	"custos/catalogue"
	"custos/client"
	"custos/custody"
	"custos/database"
	"custos/dock"
	"custos/durable"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/ingest"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/receipt"
	"custos/vault"
)

// house is a whole server and a dock in one process. Keys, store and the
// dock's journal are on file systems in memory; the database is a real one,
// for SQLite writes its files itself.
type house struct {
	t    *testing.T
	db   *database.DB
	keys *durabletest.Memory
	disk *durabletest.Memory // of the store
	book *durabletest.Memory // of the dock's journal

	logKey, receiptKey ledgertest.Key
	published          string
	day                int // the server's clock is so many days ahead, for a new bucket key each

	stop     func() // ends the server that runs
	custody  *custody.Custody
	ingest   *ingest.Server
	profiles camera.Profiles

	card    *cameratest.Card
	journal *durable.Journal
	machine *dock.Machine
	since   time.Duration
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, keys: durabletest.NewMemory(), disk: durabletest.NewMemory(), book: durabletest.NewMemory(),
		published: filepath.Join(dir, "published.checkpoint"), card: cameratest.New()}
	var err error
	if h.db, err = database.Open(t.Context(), "sqlite:"+filepath.Join(dir, "house.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	if h.logKey, err = ledgertest.NewKey("torture.example/log"); err != nil {
		t.Fatal(err)
	}
	if h.receiptKey, err = ledgertest.NewKey("torture.example/receipts"); err != nil {
		t.Fatal(err)
	}
	if h.profiles, err = camera.Load(""); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateKeystore(h.keys); err != nil {
		t.Fatal(err)
	}
	h.openServer()
	h.openDock()
	t.Cleanup(func() { h.stop(); h.closeDock() })
	return h
}

func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.day) * 24 * time.Hour) }

func (h *house) trust() receipt.Trust {
	return receipt.Trust{Receipt: h.receiptKey.VKey, Log: h.logKey.VKey}
}

// openServer opens the rooms as cmd/custos does.
func (h *house) openServer() {
	h.t.Helper()
	if err := h.tryServer(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tryServer() error {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	keys, err := vault.OpenKeystore(h.keys)
	if err != nil {
		return err
	}
	store, err := vault.OpenFolder(h.disk, -1)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Config{DB: h.db, Store: store, StoreName: "main", Keys: keys, Now: h.now, PartSize: partOfHouse})
	if err != nil {
		return err
	}
	l, err := ledger.Open(ctx, ledger.Config{
		DB: h.db, Origin: "torture.example/log", Signer: h.logKey.Signer, Published: h.published, Now: h.now, Interval: time.Millisecond,
	})
	if err != nil {
		return err
	}
	c, err := catalogue.Open(ctx, h.db, catalogue.Options{Now: h.now})
	if err != nil {
		return err
	}
	rule, err := access.New(access.Config{Now: h.now})
	if err != nil {
		return err
	}
	h.custody, err = custody.Open(ctx, custody.Config{
		DB: h.db, Vault: v, Ledger: l, Catalogue: c, Access: rule, Receipts: h.receiptKey.Signer, LogKey: h.logKey.VKey, Store: "main", Now: h.now,
	})
	if err != nil {
		return err
	}
	h.ingest, err = ingest.Open(ctx, ingest.Config{
		DB: h.db, Custody: h.custody, Log: quiet, Now: h.now,
		Actor: func(*http.Request) (evidence.Actor, error) {
			return evidence.Actor{Kind: evidence.Dock, ID: "d1", Name: "Dock 1", Role: string(evidence.Dock)}, nil
		},
		ReadDeadline: func(http.ResponseWriter, time.Time) error { return nil },
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, run := range []func(context.Context) error{l.Run, h.ingest.Run} {
		wg.Go(func() {
			if err := run(ctx); err != nil {
				h.t.Errorf("run: %v", err)
			}
		})
	}
	h.stop = func() { cancel(); wg.Wait() }
	return nil
}

// partOfHouse is small, so that a file of a few chunks has several parts.
const partOfHouse = 128 << 10

// openDock opens the journal and starts a machine on what it holds.
func (h *house) openDock() {
	h.t.Helper()
	if err := h.tryDock(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tryDock() error {
	memory := dock.NewMemory()
	var err error
	if h.journal, err = durable.OpenJournal(h.book, "journal", memory.Replay); err != nil {
		h.journal = nil
		return err
	}
	h.since = 0
	h.machine = dock.NewMachine(dock.Config{
		Stable: time.Second, Poll: time.Second, Rand: zeros{}, Journal: h.journal, Memory: memory, Log: slog.New(slog.DiscardHandler),
		Check: func(note []byte, want evidence.Capture) error {
			_, err := receipt.Check(note, h.trust(), receipt.Expect{Device: want.Device, FileName: want.FileName, Digest: want.Digest, Length: want.Length})
			return err
		},
	})
	h.machine.SetBays([]string{"bay"})
	return nil
}

func (h *house) closeDock() {
	if h.machine != nil {
		h.machine.Close()
	}
	if h.journal != nil {
		_ = h.journal.Close() // its last sync may have failed; that is the point
	}
	h.machine, h.journal = nil, nil
}

// zeros is chance for pauses, of which nothing depends here.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// turn has the dock do what it may do now, one job after the other. It fails
// when the journal cannot be written.
func (h *house) turn(ctx context.Context, server dock.Server) error {
	h.since += 700 * time.Millisecond
	at := func() dock.Time { return dock.Time{Wall: h.now(), Since: h.since} }
	jobs, err := h.machine.Next(at())
	for _, j := range jobs {
		r := j.Run(ctx, dock.Bench{Station: bay{h.card}, Server: server, Profiles: h.profiles, Wait: 0})
		if e := h.machine.Done(at(), j, r); err == nil {
			err = e
		}
	}
	return err
}

// bay is a docking station with one camera.
type bay struct{ card *cameratest.Card }

func (b bay) Bays() ([]string, error)              { return []string{"bay"}, nil }
func (b bay) Open(string) (camera.Card, error)     { return b.card, nil }
func (b bay) Same(_ string, card camera.Card) bool { return card == camera.Card(b.card) }
func (b bay) Label(string) string                  { return "bay" }

// RoundTrip takes a request straight to the upload server: one goroutine, so
// that a number replays what happened.
func (h *house) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	h.ingest.ServeHTTP(w, in)
	return w.Result(), in.Body.Close()
}

func (h *house) client() (*client.Client, error) {
	return client.New(client.Config{URL: "http://127.0.0.1", Key: "key", Transport: h})
}

// derive makes a working copy of a master; doing it again is no error.
func (h *house) derive(ctx context.Context, r receipt.Receipt) error {
	err := h.custody.Derive(ctx, evidence.Server("media"), r.Recording, r.Segment, "poster",
		func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
			return custody.Derived{Copies: []custody.NewCopy{{Kind: evidence.Poster, Type: "image/jpeg", Tool: "torture 1", Data: custody.InMemory([]byte("poster"))}}}, nil
		})
	if evidence.CodeOf(err) == evidence.Conflict {
		return nil
	}
	return err
}

// master reads a master through a viewing of its own.
func (h *house) master(ctx context.Context, r receipt.Receipt) (b []byte, err error) {
	who := evidence.Actor{Kind: evidence.Person, ID: "p1", Name: "A. Investigator", Role: "investigator", Session: "s1"}
	k, err := h.custody.Consult(ctx, who, r.Recording, evidence.Purpose{Code: "technical", Reference: "TORTURE/1"})
	if err != nil {
		return nil, fmt.Errorf("consult: %w", err)
	}
	m, err := h.custody.Master(ctx, who, k.ID, r.Segment)
	if err != nil {
		return nil, fmt.Errorf("open master: %w", err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return io.ReadAll(io.NewSectionReader(m, 0, m.Length))
}

// stopped tells whether the vault has refused to go on.
func (h *house) stopped(ctx context.Context) bool {
	s, err := h.custody.StoreState(ctx)
	return err != nil || s.State == custody.StoreStopped
}
