// Package ledger records every act on evidence as an event in an append-only
// transparency log kept in the service's own database. Append puts an event and
// its place into the caller's transaction, so that nothing changes without its
// record; Run gathers new leaves into the Merkle tree, signs its head after the
// commit, and hands the checkpoint out once it is durable outside the database.
//
// What a crash leaves behind is always something Run goes on from: events
// without a place in the tree, a tree whose head nobody signed, or a signed
// head that nobody has seen. Recovery is the normal path. A database that is
// older than the last checkpoint that left the house, or tells another story,
// stays readable but is refused: it takes no event and its head is not signed.
//
// Formats: docs/formats/ledger.md. All methods may be called concurrently.
package ledger

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

//go:embed migrations
var migrations embed.FS

// Config says how a ledger works. DB and Origin are required; without Signer
// and Published the ledger can be read, audited and appended to, not run.
type Config struct {
	DB        *database.DB
	Origin    string      // names the log for ever; first line of its checkpoints
	Signer    note.Signer // the log's Ed25519 key; its name should be Origin
	Published string      // file that holds the last checkpoint published, outside the database
	Now       func() time.Time
	Rand      io.Reader
	Logger    *slog.Logger
	Interval  time.Duration // between two checkpoints while events come in; 0 = 200 ms

	// OnCheckpoint is called by Run after a checkpoint is durable, in
	// ascending order of size, one call at a time. It should return quickly.
	OnCheckpoint func(checkpoint []byte)
}

// State is what a ledger is doing.
type State string

// The states.
const (
	Ready   State = "ready"   // takes events; Run has not been called, or has ended without an error
	Running State = "running" // takes events and signs
	Refused State = "refused" // the database is not the one whose checkpoints were published; readable
	Corrupt State = "corrupt" // tree and leaves disagree; readable, nothing is signed
	Failed  State = "failed"  // a checkpoint could not be made durable; restart after mending the cause
)

// Ledger is an open ledger.
type Ledger struct {
	cfg  Config
	wake chan struct{} // holds one: somebody waits for a checkpoint

	randMu sync.Mutex // guards reads of cfg.Rand

	actedMu sync.Mutex
	acted   map[acted]bool // whom the trail lists already; guarded by actedMu

	mu        sync.Mutex
	state     State           // guarded by mu
	stopped   error           // why it takes no events; guarded by mu
	trouble   string          // of the last round, when it will be tried again; guarded by mu
	published tlog.Checkpoint // guarded by mu; Size 0 = none yet
	note      []byte          // signed form of published, nil = none yet; guarded by mu
	at        time.Time       // when published was made or read; guarded by mu
	changed   chan struct{}   // closed and replaced when published or stopped changes; guarded by mu
}

// Open migrates the ledger's tables and compares the database with the last
// checkpoint published. A database that does not fit gives a ledger in state
// Refused or Corrupt, not an error: it can still be read. Open fails with
// Invalid for a wrong Config and Unavailable where database or file cannot be
// read.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	if cfg.DB == nil || cfg.Origin == "" || (cfg.Signer != nil) != (cfg.Published != "") {
		return nil, evidence.Errorf(evidence.Invalid, "a ledger needs a database and an origin, and to sign both a key and a file for what it published")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Interval <= 0 {
		cfg.Interval = 200 * time.Millisecond
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := cfg.DB.Migrate(ctx, "ledger", files); err != nil {
		return nil, evidence.Wrap(evidence.Unavailable, err, "The ledger's tables could not be brought up to date.")
	}
	l := &Ledger{cfg: cfg, wake: make(chan struct{}, 1), state: Ready, changed: make(chan struct{}), acted: map[acted]bool{}}
	if err := l.listOld(ctx); err != nil {
		return nil, evidence.Wrap(evidence.Unavailable, err, "The older events could not be listed in the trail. They are safe; start again to go on.")
	}
	if err := l.readPublished(); err != nil {
		return nil, err
	}
	if err := l.checkStart(ctx); err != nil {
		if code := evidence.CodeOf(err); code != evidence.Corrupt && code != evidence.Conflict {
			return nil, err
		}
		l.refuse(err)
	}
	return l, nil
}

// refuse puts a ledger whose database does not fit into its state for good.
func (l *Ledger) refuse(err error) {
	state := Refused
	if evidence.CodeOf(err) == evidence.Corrupt {
		state = Corrupt
	} else {
		err = evidence.Wrap(evidence.Unavailable, err, evidence.MessageOf(err))
	}
	l.stop(state, err)
}

// stop makes the ledger take no more events. The first reason stays.
func (l *Ledger) stop(state State, err error) {
	l.cfg.Logger.Error("ledger stopped", "state", string(state), "error", err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped == nil {
		l.state, l.stopped = state, err
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// usable is nil while the ledger takes events, else why not.
func (l *Ledger) usable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopped
}

// Accepts is nil while the ledger takes events, else why it does not. Who
// serves evidence asks it first: what could not be recorded must not be seen.
func (l *Ledger) Accepts() error { return l.usable() }

// Checkpoint is the newest checkpoint that this process published or found
// published, a signed note. It fails with NotFound before the first one.
func (l *Ledger) Checkpoint(context.Context) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.note == nil {
		return nil, evidence.Errorf(evidence.NotFound, "The log has no checkpoint yet.")
	}
	return l.note, nil
}

// Status is how a ledger is.
type Status struct {
	Events         int64     `json:"events"`         // recorded
	Size           int64     `json:"size"`           // of them in the tree
	CheckpointSize int64     `json:"checkpointSize"` // of them covered by the newest checkpoint
	CheckpointAt   time.Time `json:"checkpointAt"`   // when that was made; after a start, when its file was
	State          State     `json:"state"`
	Message        string    `json:"message,omitempty"` // for people, when something is wrong
}

// Status tells how the ledger is. It fails with Unavailable.
func (l *Ledger) Status(ctx context.Context) (Status, error) {
	l.mu.Lock()
	s := Status{CheckpointSize: l.published.Size, CheckpointAt: l.at, State: l.state, Message: l.trouble}
	if l.stopped != nil {
		s.Message = evidence.MessageOf(l.stopped)
	}
	l.mu.Unlock()
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		h, err := readHead(ctx, tx, "")
		if err != nil {
			return err
		}
		s.Size = h.Size
		s.Events, err = countEvents(ctx, tx)
		return err
	})
	if evidence.CodeOf(err) == evidence.Corrupt { // that is what the caller asks for
		s.State, s.Message, err = Corrupt, evidence.MessageOf(err), nil
	}
	return s, unavailable(err)
}

// countEvents is how many events are recorded, in the tree or not.
func countEvents(ctx context.Context, tx *database.Tx) (int64, error) {
	q := "SELECT COALESCE(MAX(idx), -1) + 1 FROM ledger_leaves"
	if tx.Engine() == database.Postgres {
		q = "SELECT (" + q + ") + (SELECT COUNT(*) FROM ledger_outbox)"
	}
	var n int64
	err := tx.QueryRow(ctx, q).Scan(&n)
	return n, err
}

// unavailable gives a code to errors of the database that have none.
func unavailable(err error) error {
	if err == nil || evidence.CodeOf(err) != evidence.Internal {
		return err
	}
	return evidence.Wrap(evidence.Unavailable, err, "The ledger's database does not answer as it should. Nothing was changed; try again.")
}
