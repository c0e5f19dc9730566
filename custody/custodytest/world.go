// Package custodytest builds a small world around a custody for tests: real
// vault, ledger, catalogue and access on a database, objects in a file system
// in memory, a clock that stands until it is moved, people and docks. The
// world can crash and come back.
package custodytest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/access"
	"custos/catalogue"
	"custos/custody"
	"custos/database"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/identity"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/organisation"
	"custos/receipt"
	"custos/tlog"
	"custos/vault"
)

// World is a custody and what it stands on. Its fields are replaced by Reopen;
// its methods are for the test's own goroutine, unless they say otherwise.
type World struct {
	DB           *database.DB
	Disk         *durabletest.Memory // the objects
	Keys         *vault.Keystore
	Vault        *vault.Vault
	Ledger       *ledger.Ledger
	Catalogue    *catalogue.Catalogue
	Access       *access.Access
	Identity     *identity.Directory
	Organisation *organisation.Organisation
	Custody      *custody.Custody
	Clock        *Clock

	Log        ledgertest.Key
	ReceiptKey string // vkey
	Published  string // the ledger's file outside the database

	// Holder says whose footage a camera made. At first the footage of number N
	// is that of Person(access.Officer, N), of UnitA.
	Holder func(device, officer string) custody.Holder
	// Standing is where people belong. Call Access.Changed after a change.
	Standing map[evidence.ID]access.Standing
	// Register is the cases and incidents by number; at first CaseOpen, IncidentOpen and CaseClosed.
	Register map[string]custody.Reference

	// Collected is custody's hook; set it and Reopen.
	Collected func(ctx context.Context, tx *database.Tx, recording evidence.ID, segment int) error
	// Step is told each step of custody; it may be set at any time between calls.
	Step func(name string)
	// Read is told before each read of an object in final storage; as Step.
	Read func()

	t        testing.TB
	receipts note.Signer
	stop     func()
}

// Clock is a clock that stands until it is moved. Its methods may be called
// concurrently.
type Clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock on.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// New builds a world on an empty database. Its ledger runs until the test ends.
func New(t testing.TB, db *database.DB) *World {
	t.Helper()
	w := &World{
		DB: db, t: t, Disk: durabletest.NewMemory(), Clock: &Clock{now: time.Date(2026, 3, 2, 21, 0, 0, 0, time.UTC)},
		Published: filepath.Join(t.TempDir(), "published", "checkpoint"), stop: func() {},
	}
	must(t, os.Mkdir(filepath.Dir(w.Published), 0o700))
	var err error
	w.Log, err = ledgertest.NewKey(ledgertest.Origin)
	must(t, err)
	skey, vkey, err := note.GenerateKey(rand.Reader, "custos.example/receipts")
	must(t, err)
	w.ReceiptKey = vkey
	w.receipts, err = note.NewSigner(skey)
	must(t, err)
	w.Keys, err = vault.CreateKeystore(durabletest.NewMemory())
	must(t, err)
	w.Catalogue, err = catalogue.Open(t.Context(), db, catalogue.Options{Now: w.Clock.Now})
	must(t, err)
	w.people()
	w.Access, err = access.New(access.Config{Now: w.Clock.Now, Standing: func(ctx context.Context, person evidence.ID, at time.Time) (s access.Standing, err error) {
		s = w.Standing[person]
		s.Listed, err = w.Catalogue.Listed(ctx, person, at)
		return s, err
	}})
	must(t, err)
	w.Identity, err = identity.Open(t.Context(), db, identity.Options{Optional: true, Record: w.happened, Now: w.Clock.Now, Role: func(name string) bool { return w.Access.RoleName(name) != "" }})
	must(t, err)
	w.Organisation, err = organisation.Open(t.Context(), db, organisation.Options{Now: w.Clock.Now})
	must(t, err)
	t.Cleanup(func() { w.stop() })
	w.Reopen()
	return w
}

// A unit and what is in the register at first.
const (
	UnitA               = evidence.ID("unit-a")
	CaseOpen     string = "CR/12345/26"
	CaseClosed   string = "42AB/0001/20"
	IncidentOpen string = "INC-77"
)

func (w *World) people() {
	w.Holder = func(_, officer string) custody.Holder {
		if officer == "" {
			return custody.Holder{}
		}
		return custody.Holder{Person: evidence.ID(Person(access.Officer, officer).ID), Unit: UnitA, How: "number"}
	}
	w.Standing = map[evidence.ID]access.Standing{}
	w.Register = map[string]custody.Reference{
		CaseOpen:     {ID: "case-1", Number: CaseOpen, Case: true, Open: true},
		CaseClosed:   {ID: "case-2", Number: CaseClosed, Case: true},
		IncidentOpen: {ID: "incident-1", Number: IncidentOpen, Open: true},
	}
}

// happened records sign-ins once there is a custody; the accounts of a test are
// made before.
func (w *World) happened(ctx context.Context, tx *database.Tx, h identity.Happened) error {
	return w.Custody.Happened(ctx, tx, h)
}

// Crash is what a power cut does, and the start after it. seed decides what
// the disk had not yet written and kept all the same.
func (w *World) Crash(seed uint64) {
	w.t.Helper()
	w.Disk = w.Disk.Crash(seed)
	w.Reopen()
}

// Reopen stops the ledger and opens vault, ledger and custody anew, as after a
// restart.
func (w *World) Reopen() {
	w.t.Helper()
	w.stop()
	ctx := w.t.Context()
	folder, err := vault.OpenFolder(w.Disk, -1)
	must(w.t, err)
	w.Vault, err = vault.Open(ctx, vault.Config{DB: w.DB, Store: &watched{folder, w}, StoreName: "main", Keys: w.Keys, Now: w.Clock.Now})
	must(w.t, err)
	w.Ledger, err = ledger.Open(ctx, ledger.Config{
		DB: w.DB, Origin: ledgertest.Origin, Signer: w.Log.Signer, Published: w.Published, Interval: 5 * time.Millisecond, Now: w.Clock.Now,
	})
	must(w.t, err)
	w.Custody, err = custody.Open(ctx, custody.Config{
		DB: w.DB, Vault: w.Vault, Ledger: w.Ledger, Catalogue: w.Catalogue, Access: w.Access, Receipts: w.receipts,
		LogKey: w.Log.VKey, Store: "main", Now: w.Clock.Now, Collected: w.Collected,
		HolderOf: func(_ context.Context, _ *database.Tx, device, officer string, _ time.Time) (custody.Holder, error) {
			return w.Holder(device, officer), nil
		},
		Register: func(_ context.Context, number string) (custody.Reference, error) {
			if r, ok := w.Register[number]; ok {
				return r, nil
			}
			return custody.Reference{}, evidence.Errorf(evidence.NotFound, "There is no such case.")
		},
		Step: func(name string) {
			if w.Step != nil {
				w.Step(name)
			}
		},
	})
	must(w.t, err)
	runCtx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func(l *ledger.Ledger) {
		defer close(done)
		_ = l.Run(runCtx) // a ledger that stops says so to whoever asks it
	}(w.Ledger)
	w.stop = func() { cancel(); <-done }
}

// watched tells the world when final storage is read.
type watched struct {
	vault.Store
	w *World
}

func (s *watched) Open(ctx context.Context, place vault.Place, name string) (vault.Object, error) {
	o, err := s.Store.Open(ctx, place, name)
	if err != nil || place != vault.Final {
		return o, err
	}
	return &watchedObject{o, s.w}, nil
}

type watchedObject struct {
	vault.Object
	w *World
}

func (o *watchedObject) ReadAt(p []byte, off int64) (int, error) {
	if o.w.Read != nil {
		o.w.Read()
	}
	return o.Object.ReadAt(p, off)
}

// Dock is a docking station.
func Dock(name string) evidence.Actor {
	return evidence.Actor{Kind: evidence.Dock, ID: "dock-" + name, Name: name, Role: "dock"}
}

// Person is somebody signed in. Role is one of access's; number is the collar
// number, of officers.
func Person(role access.Role, number string) evidence.Actor {
	return evidence.Actor{Kind: evidence.Person, ID: string(role) + number, Name: "The " + string(role), Number: number,
		Role: string(role), Session: "session-" + string(role) + number, Address: "192.0.2.7"}
}

// Capture is what a dock says of a file with these bytes.
func Capture(data []byte, device, name string) evidence.Capture {
	return evidence.Capture{Device: device, Officer: "4711", FileName: name, Digest: sha256.Sum256(data), Length: int64(len(data)),
		Started: time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC), Source: "name", DockedAt: time.Date(2026, 3, 2, 20, 59, 0, 0, time.UTC), Profile: "test"}
}

// Upload brings bytes as far as an upload that is complete.
func (w *World) Upload(actor evidence.Actor, data []byte) evidence.ID {
	w.t.Helper()
	ctx := w.t.Context()
	id, err := w.Custody.Receive(ctx, actor, int64(len(data)))
	must(w.t, err)
	n, err := w.Custody.Append(ctx, id, 0, bytes.NewReader(data))
	must(w.t, err)
	if n != int64(len(data)) {
		w.t.Fatalf("%d of %d bytes are durable", n, len(data))
	}
	return id
}

func (w *World) collect(actor evidence.Actor, data []byte, capture evidence.Capture) (evidence.ID, int) {
	w.t.Helper()
	id, n, err := w.Custody.Collect(w.t.Context(), actor, w.Upload(actor, data), capture)
	must(w.t, err)
	return id, n
}

// Collect takes a file in by a dock and gives its recording and segment.
func (w *World) Collect(data []byte, device, name string) (evidence.ID, int) {
	w.t.Helper()
	return w.collect(Dock("front desk"), data, Capture(data, device, name))
}

// CollectAs is Collect with all that the dock says.
func (w *World) CollectAs(data []byte, capture evidence.Capture) (evidence.ID, int) {
	w.t.Helper()
	return w.collect(Dock("front desk"), data, capture)
}

// Trust is what a dock has pinned.
func (w *World) Trust() receipt.Trust {
	return receipt.Trust{Receipt: w.ReceiptKey, Log: w.Log.VKey}
}

// Events are an item's events in order. It fails the test where one is missing.
func (w *World) Events(item evidence.ID) []ledger.Entry {
	w.t.Helper()
	list, err := w.Ledger.History(w.t.Context(), item, 0, 100_000)
	must(w.t, err)
	for i, e := range list {
		if e.ItemSeq != uint64(i+1) {
			w.t.Fatalf("event %d of %s has number %d", i+1, item, e.ItemSeq)
		}
	}
	return list
}

// Count is how many events of an item have a verb and a phase.
func (w *World) Count(item evidence.ID, verb evidence.Verb, phase evidence.Phase) int {
	w.t.Helper()
	n := 0
	for _, e := range w.Events(item) {
		if e.Get("verb") == string(verb) && e.Get("phase") == string(phase) {
			n++
		}
	}
	return n
}

// Damage flips one bit of an object in final storage.
func (w *World) Damage(object evidence.ID) {
	w.t.Helper()
	name := w.ObjectName(object)
	f, err := w.Disk.OpenFile("objects/"+name[len(name)-2:]+"/"+name, os.O_RDWR, 0)
	must(w.t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], 0)
	must(w.t, err)
	b[0] ^= 1
	_, err = f.WriteAt(b[:], 0)
	must(w.t, err)
	must(w.t, f.Close())
}

// ObjectName is the name in the store of an object that was kept, or of an
// upload.
func (w *World) ObjectName(object evidence.ID) (name string) {
	w.t.Helper()
	must(w.t, w.DB.Read(w.t.Context(), func(tx *database.Tx) error {
		return tx.QueryRow(w.t.Context(), "SELECT name FROM vault_objects WHERE id = ? UNION ALL SELECT name FROM vault_uploads WHERE id = ?",
			string(object), string(object)).Scan(&name)
	}))
	return name
}

// Exec changes the database behind everybody's back.
func (w *World) Exec(query string, args ...any) {
	w.t.Helper()
	must(w.t, w.DB.Write(w.t.Context(), func(tx *database.Tx) error {
		n, err := tx.Exec(w.t.Context(), query, args...)
		if err == nil && n == 0 {
			w.t.Errorf("%s changed nothing", query)
		}
		return err
	}))
}

// Forget makes the ledger see, at its next opening, that a later checkpoint
// than the database knows of was published: so it looks when an old backup of
// the database was brought back.
func (w *World) Forget() {
	w.t.Helper()
	st, err := w.Ledger.Status(w.t.Context())
	must(w.t, err)
	signed, err := (tlog.Checkpoint{Origin: ledgertest.Origin, Size: st.Events + 100, Root: tlog.Hash{1}}).Sign(w.Log.Signer)
	must(w.t, err)
	w.stop()
	must(w.t, os.WriteFile(w.Published, signed, 0o600))
	w.Reopen()
}

// Settle waits until a checkpoint covers every event so far.
func (w *World) Settle() {
	w.t.Helper()
	for {
		st, err := w.Ledger.Status(w.t.Context())
		must(w.t, err)
		if st.CheckpointSize == st.Events {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Check is custody's check of everything, deep.
func (w *World) Check() (findings []custody.Finding) {
	w.t.Helper()
	_, err := w.Custody.Check(w.t.Context(), true, func(f custody.Finding) { findings = append(findings, f) })
	must(w.t, err)
	return findings
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
