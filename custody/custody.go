// Package custody is the one door to bytes and to the ledger. Every act on
// evidence is one of the verbs of DPA 2018 s.62 and goes the same way: decide
// (access), record the intent durably (ledger), act (vault), record the
// outcome. If the intent cannot be recorded, nothing happens.
//
// The order of steps in each verb is chosen so that a crash between any two of
// them leaves either nothing or something that the same verb, run again,
// completes. Recovery is the normal path: there is no other code for it.
//
// All methods of Custody may be called concurrently.
package custody

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/access"
	"custos/catalogue"
	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/vault"
	"custos/witness"
)

//go:embed migrations
var migrations embed.FS

// Config is what a Custody is made of. All fields but Witness and the last group must be set.
type Config struct {
	DB        *database.DB
	Vault     *vault.Vault
	Ledger    *ledger.Ledger
	Witness   *witness.Keeper // what outsiders vouch for; somebody must Run it. nil: nobody vouches
	Catalogue *catalogue.Catalogue
	Access    *access.Access
	Receipts  note.Signer // signs receipts; its key is pinned by docks
	LogKey    string      // the log's vkey, for histories
	Store     string      // name of the store receipts speak of

	// Collected runs in the transaction that takes a new segment in, so that
	// work on it is queued if and only if it was collected. May be nil.
	Collected func(ctx context.Context, tx *database.Tx, recording evidence.ID, segment int) error

	// HolderOf says whose footage a camera made: by the collar number it gave,
	// else by its own identity. nil: nobody's.
	HolderOf func(ctx context.Context, tx *database.Tx, device, officer string, at time.Time) (Holder, error)
	// Register finds a case or incident by its number. nil: there are none.
	Register func(ctx context.Context, number string) (Reference, error)

	Now    func() time.Time // nil: time.Now
	Rand   io.Reader        // nil: crypto/rand
	Logger *slog.Logger     // nil: discard
	// Step is told the name of each step just before it is taken. Tests stop
	// the process there. nil: nobody listens.
	Step func(name string)
}

// Custody is the door. Its fields are set by Open and never changed, except
// those under mu.
type Custody struct {
	Config

	// loading is held while a consultation is read from its row into open, and
	// while one that ended is taken out, so that none comes back from the dead.
	// It is taken before mu.
	loading sync.Mutex

	mu    sync.Mutex
	seen  map[glance]struct{}      // posters already recorded; a cache of custody_glances
	gates map[evidence.ID]*gate    // one change of an upload at a time
	open  map[evidence.ID]*consult // consultations used lately
}

// Open brings the tables up to date and gives the door.
func Open(ctx context.Context, c Config) (*Custody, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open custody: %w", err)
	}
	if err := c.DB.Migrate(ctx, "custody", files); err != nil {
		return nil, fmt.Errorf("open custody: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Witness == nil {
		c.Witness = witness.None()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Step == nil {
		c.Step = func(string) {}
	}
	return &Custody{
		Config: c,
		seen:   map[glance]struct{}{},
		gates:  map[evidence.ID]*gate{},
		open:   map[evidence.ID]*consult{},
	}, nil
}

// record writes one event in a transaction of its own.
func (c *Custody) record(ctx context.Context, e ledger.Event) (ref ledger.Ref, err error) {
	if e.At.IsZero() {
		e.At = c.Now()
	}
	err = c.DB.Write(ctx, func(tx *database.Tx) error {
		ref, err = c.Ledger.Append(ctx, tx, e)
		return err
	})
	return ref, err
}

// refuse records that actor was not allowed, and gives the error to return.
// The refusal stands even where it could not be recorded; then the cause says
// so.
func (c *Custody) refuse(ctx context.Context, actor evidence.Actor, verb evidence.Verb, item evidence.ID, purpose evidence.Purpose, why string) error {
	_, err := c.record(ctx, ledger.Event{
		Item: item, Verb: verb, Phase: evidence.Refused, Actor: actor, Purpose: purpose,
		Fields: []evidence.Field{evidence.F("reason", why)},
	})
	if err != nil {
		c.Logger.ErrorContext(ctx, "a refusal could not be recorded", "verb", verb, "err", err)
	}
	// Not Wrap: that gives nil for nil, and a refusal must never be nil.
	return &evidence.Error{Code: evidence.Denied, Message: why, Err: err}
}

// allow decides; a refusal is recorded under the recording.
func (c *Custody) allow(ctx context.Context, actor evidence.Actor, verb evidence.Verb, recording evidence.ID, r evidence.Placing, p evidence.Purpose) error {
	_, err := c.allowed(ctx, actor, verb, recording, r, p)
	return err
}

// allowed is allow, and gives what the rule said.
func (c *Custody) allowed(ctx context.Context, actor evidence.Actor, verb evidence.Verb, recording evidence.ID, r evidence.Placing, p evidence.Purpose) (access.Decision, error) {
	d := c.Access.Decide(ctx, actor, verb, r)
	if d.Allowed {
		return d, nil
	}
	return d, c.refuse(ctx, actor, verb, recording, p, d.Reason)
}

// short keeps a failure's text fit for an event: events are kept for ever.
func short(err error) string {
	s := evidence.MessageOf(err)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") // the cut may be inside a letter
	}
	return s
}

// Allow decides as every verb does first, and records a refusal. Who must look
// something up before they call the verb asks here before they do. Errors:
// Denied.
func (c *Custody) Allow(ctx context.Context, actor evidence.Actor, verb evidence.Verb, r evidence.Recording) error {
	return c.allow(ctx, actor, verb, r.ID, r.Placing, evidence.Purpose{})
}

// unknown is the item under which it is recorded that somebody asked for a
// recording that does not exist.
const unknown = "recordings"

// Find gives a recording that actor may know of. Errors: NotFound; Denied for
// one that is there and that they may not know of: whoever answers them says
// the same for both. Both are recorded, and cost the same reads and the same
// commit, so that the time tells them apart no better than the words.
func (c *Custody) Find(ctx context.Context, actor evidence.Actor, recording evidence.ID) (evidence.Recording, error) {
	p, err := c.Catalogue.Placing(ctx, recording)
	if evidence.CodeOf(err) == evidence.NotFound {
		c.Access.Decide(ctx, actor, access.Find, p)
		_ = c.refuse(ctx, actor, access.Find, unknown, evidence.Purpose{}, "There is no recording "+string(recording)+".")
		return evidence.Recording{}, err
	}
	if err != nil {
		return evidence.Recording{}, err
	}
	if err := c.allow(ctx, actor, access.Find, recording, p, evidence.Purpose{}); err != nil {
		return evidence.Recording{}, err
	}
	return c.Catalogue.Get(ctx, recording)
}

// Administer records an act on the service itself (an account, a dock's key)
// in the transaction that do makes the change in: no change without its
// record. Errors: Denied, Unavailable, or do's own.
func (c *Custody) Administer(ctx context.Context, actor evidence.Actor, fields []evidence.Field, do func(tx *database.Tx) error) error {
	if d := c.Access.Decide(ctx, actor, evidence.Administer, evidence.Placing{}); !d.Allowed {
		return c.refuse(ctx, actor, evidence.Administer, "service", evidence.Purpose{}, d.Reason)
	}
	return c.DB.Write(ctx, func(tx *database.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		_, err := c.Ledger.Append(ctx, tx, ledger.Event{Item: "service", Verb: evidence.Administer, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Fields: fields})
		return err
	})
}
