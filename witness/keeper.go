// Package witness has outsiders vouch for the log: witnesses cosign its
// checkpoints (C2SP tlog-witness), so that nobody who holds the log's key can
// write it anew, and timestamp authorities say when a checkpoint existed
// (RFC 3161). Nothing waits for them but who asks for a cosigned checkpoint: a
// witness that is down holds up no event, and is asked again until it has
// caught up.
package witness

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

//go:embed migrations
var migrations embed.FS

// Log is what a Keeper has vouched for.
type Log interface {
	// Checkpoint is the newest one; NotFound before the first.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Consistency is the proof that the tree of older leaves (at least 1)
	// begins the tree of newer ones.
	Consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error)
}

// Authority is one that gives timestamps.
type Authority struct {
	Name  string // of ASCII letters, digits, dots and dashes; names its files in bundles
	URL   string
	Roots *x509.CertPool // what its certificate must lead to
}

// Config is what a Keeper is made of. DB and Log must be set.
type Config struct {
	DB          *database.DB
	Log         Log
	Policy      *tlog.Policy // whom to ask and how many are enough; nil = no witness
	Authorities []Authority
	StampEvery  time.Duration    // between two timestamps while the log grows; 0 = 1 h
	Client      *http.Client     // nil = one of its own
	Now         func() time.Time // nil: time.Now
	Rand        io.Reader        // nil: crypto/rand
	Logger      *slog.Logger     // nil: discard
}

// Times of asking.
const (
	// hold is how long witnesses are given to sign one and the same checkpoint
	// before those who have go on to a newer one.
	hold = time.Second
	// refresh is how old a signature on the newest checkpoint may grow before
	// its witness is asked again: so a quiet log shows who is there.
	refresh = 10 * time.Minute
	// store is how often what was signed is written down, if anything was.
	store = time.Second
	// firstPause and lastPause are between two attempts that failed.
	firstPause = 500 * time.Millisecond
	lastPause  = time.Minute
)

// Keeper asks. All methods may be called concurrently.
type Keeper struct {
	cfg     Config
	started time.Time

	mu          sync.Mutex
	parties     []*party      // fields guarded by mu
	authorities []*authority  // likewise
	newest      signed        // checkpoint of the log; guarded by mu
	noted       []noted       // checkpoints that not all have signed; guarded by mu
	target      *target       // what is being signed now; guarded by mu
	best        signed        // newest that enough have signed; guarded by mu
	changed     chan struct{} // closed and replaced when one of these changes; guarded by mu
	dirty       bool          // something is not written down; guarded by mu
}

// signed is a checkpoint; size 0 = none.
type signed struct {
	size int64
	note []byte
	at   time.Time // when it came or was signed
}

// noted is when a checkpoint came.
type noted struct {
	size int64
	at   time.Time
}

// party is a witness as it is known here.
type party struct {
	tlog.PolicyWitness
	has     int64     // entries that it has cosigned, as far as is known
	size    int64     // of the last checkpoint that it signed for us
	at      time.Time // when, by its own clock; zero = never
	trouble string    // why the last attempt failed; "" = it did not
	fails   int       // attempts in a row
	again   time.Time // not asked before
	asked   time.Time // when it signed last, by our clock
}

// target is a checkpoint that witnesses sign together.
type target struct {
	signed
	lines map[*party]tlog.Cosignature
	met   bool
}

// Open brings the tables up to date and reads what was signed so far. It fails
// with Invalid for a policy whose witnesses have no addresses, and with
// Unavailable.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	if err := c.DB.Migrate(ctx, "witness", files); err != nil {
		return nil, evidence.Wrap(evidence.Unavailable, err, "The tables of witnesses could not be brought up to date.")
	}
	if c.StampEvery <= 0 {
		c.StampEvery = time.Hour
	}
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{cfg: c, started: c.Now(), changed: make(chan struct{})}
	if c.Policy != nil {
		for _, w := range c.Policy.Witnesses {
			if w.URL == "" {
				return nil, evidence.Errorf(evidence.Invalid, "The witness %s has no address in the witness policy. Put its URL behind its key.", w.Name)
			}
			k.parties = append(k.parties, &party{PolicyWitness: w})
		}
	}
	for _, a := range c.Authorities {
		k.authorities = append(k.authorities, &authority{Authority: a})
	}
	return k, k.load(ctx)
}

// None is a Keeper whom nobody vouches for anything. It need not Run.
func None() *Keeper { return &Keeper{cfg: Config{Now: time.Now}, changed: make(chan struct{})} }

// Run asks witnesses and authorities until ctx ends; then it returns nil. What
// goes wrong with them is in Status, and never an error here.
func (k *Keeper) Run(ctx context.Context) error {
	k.Notify(ctx)
	var parts sync.WaitGroup
	for _, p := range k.parties {
		parts.Go(func() { k.attend(ctx, p) })
	}
	for _, a := range k.authorities {
		parts.Go(func() { k.stampNowAndThen(ctx, a) })
	}
	tick := time.NewTicker(store)
	defer tick.Stop()
	told := false
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			k.save(ctx)
			told = k.tell(told)
		}
	}
	parts.Wait()
	k.save(context.WithoutCancel(ctx))
	return nil
}

// tell puts into the log that not enough witnesses sign, once, and that they do
// again. It gives whether the former was the last that was said.
func (k *Keeper) tell(told bool) bool {
	st := k.Status()
	late := !st.Since.IsZero() && k.cfg.Now().Sub(st.Since) >= Grace
	switch {
	case late && !told:
		k.cfg.Logger.Error("the log is not witnessed", "since", st.Since, "witnessed", st.Size)
	case told && st.Since.IsZero():
		k.cfg.Logger.Info("the log is witnessed again", "size", st.Size)
		return false
	}
	return told || late
}

// Notify tells that the log may have a newer checkpoint. It returns at once.
func (k *Keeper) Notify(ctx context.Context) {
	b, err := k.cfg.Log.Checkpoint(ctx)
	if err != nil {
		return // none yet
	}
	c, err := tlog.ParseCheckpoint(b)
	if err != nil {
		k.cfg.Logger.Error("witness: the newest checkpoint cannot be read", "err", err)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Size <= k.newest.size {
		return
	}
	now := k.cfg.Now()
	came := noted{c.Size, now}
	if k.newest.size == 0 && k.best.size > 0 { // nobody knows when, since the last signature
		came.at = k.best.at
	}
	k.newest = signed{c.Size, b, now}
	if len(k.parties) > 0 {
		k.note(came)
		k.forget()
	}
	k.wake()
}

// note remembers when a checkpoint came, until everybody has signed it or a
// newer one. A log that nobody signs for long is remembered coarsely: each
// checkpoint counts as old as the one before it.
func (k *Keeper) note(n noted) {
	const most = 512
	if len(k.noted) >= most {
		n.at = k.noted[most-1].at
		k.noted = k.noted[:most-1]
	}
	k.noted = append(k.noted, n)
}

// forget drops what everybody has signed. mu is held.
func (k *Keeper) forget() {
	least := k.best.size
	for _, p := range k.parties {
		least = min(least, p.size)
	}
	n := 0
	for n < len(k.noted) && k.noted[n].size <= least {
		n++
	}
	k.noted = k.noted[n:]
}

// since is when the first checkpoint came that covers more than size; zero =
// none has. mu is held.
func (k *Keeper) since(size int64) time.Time {
	for _, n := range k.noted {
		if n.size > size {
			return n.at
		}
	}
	return time.Time{}
}

// wake tells everybody who waits. mu is held.
func (k *Keeper) wake() {
	close(k.changed)
	k.changed = make(chan struct{})
}
