// Package work runs jobs that must not be forgotten: probing a master, making
// its poster, sweeping. A job is enqueued in the transaction that makes it
// necessary, so it exists exactly if that transaction does; from then on it is
// tried until it is done or has failed in a way a person must look at.
//
// A job runs at least once. It runs on one worker at a time: a worker holds a
// lease that it renews while the job runs, and a job whose lease ran out (its
// server died) runs again elsewhere. So a handler must bear to be run again
// after it was cut off anywhere.
//
// Any number of servers may share a PostgreSQL database; on SQLite the queues
// of one machine share the file.
package work

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"custos/database"
	"custos/evidence"
)

//go:embed migrations
var migrations embed.FS

// State is how far a job has come.
type State string

// The states. Waiting and running jobs hold their key.
const (
	Waiting State = "waiting" // for its time, a free worker, or the next try
	Running State = "running" // a worker holds its lease, or died with it
	Failed  State = "failed"  // no try is left: a person should look, then Retry
	Done    State = "done"
)

// DefaultTries is how often a job is tried if it does not say: with the default
// backoff that is about two hours.
const DefaultTries = 12

// Job is something to do.
type Job struct {
	ID       evidence.ID     // given if empty; a job whose ID exists already is not enqueued again
	Kind     string          // which handler
	Key      string          // unique within its kind while waiting or running; "" = none
	Subject  string          // what it is about, a recording's ID, say; "" = nothing
	Payload  json.RawMessage // for the handler; may be empty
	RunAt    time.Time       // not before; zero = at once
	MaxTries int             // 0 = DefaultTries
	Try      int             // which try this is, from 1; set for handlers only
}

// Handler does one job. Its context ends when the lease is lost or the server
// has to stop; it must then return soon. A returned error (or a panic) makes
// it a failed try.
type Handler func(ctx context.Context, job Job) error

// Options are settings of a queue; the zero value is good.
type Options struct {
	Now     func() time.Time // nil = time.Now
	Rand    io.Reader        // for IDs and jitter; nil = crypto/rand
	Logger  *slog.Logger     // nil = none
	Lease   time.Duration    // how long a dead server's jobs wait for another; 0 = 1 min
	Poll    time.Duration    // how often to look for jobs of other servers; 0 = 1 s
	Backoff time.Duration    // the longest wait before the second try, doubled for each further one up to 1 h; 0 = 5 s
	Grace   time.Duration    // how long Run lets jobs go on after its context ended; 0 = 5 s
	Keep    time.Duration    // how long done jobs are kept; 0 = 7 days
}

const maxBackoff = time.Hour

// Queue is the jobs of one database. All methods may be called concurrently.
type Queue struct {
	db  *database.DB
	opt Options

	wake chan struct{} // holds one token: look for work

	mu      sync.Mutex // guards what follows, and reading opt.Rand
	pools   map[string]pool
	periods map[string]time.Duration
	running bool
}

// pool is who does the jobs of one kind.
type pool struct {
	workers int
	run     Handler
}

// Open brings the tables up to date and makes the queue. Nothing runs before Run.
func Open(ctx context.Context, db *database.DB, opt Options) (*Queue, error) {
	if err := db.Migrate(ctx, "work", migrations); err != nil {
		return nil, err
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Rand == nil {
		opt.Rand = rand.Reader
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	for d, standard := range map[*time.Duration]time.Duration{
		&opt.Lease: time.Minute, &opt.Poll: time.Second, &opt.Backoff: 5 * time.Second,
		&opt.Grace: 5 * time.Second, &opt.Keep: 7 * 24 * time.Hour,
	} {
		if *d <= 0 {
			*d = standard
		}
	}
	return &Queue{
		db: db, opt: opt, wake: make(chan struct{}, 1),
		pools: map[string]pool{}, periods: map[string]time.Duration{},
	}, nil
}

// Handle says who does the jobs of a kind, and how many of them at a time on
// this server. Jobs of kinds without a handler wait. It panics if Run has
// begun, workers < 1, or the kind has a handler already.
func (q *Queue) Handle(kind string, workers int, f Handler) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, taken := q.pools[kind]; q.running || workers < 1 || taken {
		panic("work: a handler comes once, before Run, with a worker: " + kind)
	}
	q.pools[kind] = pool{workers, f}
}

// Every makes Run enqueue a job of that kind, without payload, for every whole
// period since 1970 UTC: once, however many servers run, and for the present
// period at once if nobody has yet. A period in which the job before is still
// waiting or running is left out. It panics if Run has begun or the period is
// not within a second and the time done jobs are kept.
func (q *Queue) Every(kind string, period time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running || period < time.Second || period > q.opt.Keep {
		panic("work: a period is fixed before Run, within a second and the time done jobs are kept: " + kind)
	}
	q.periods[kind] = period
}

// periodKey is the key of the jobs that Every enqueues.
const periodKey = "every"

// periodJob is the same job on every server, by its ID.
func periodJob(kind string, slot time.Time) Job {
	h := sha256.Sum256([]byte(kind))
	return Job{ID: evidence.NewID(slot, bytes.NewReader(h[:])), Kind: kind, Key: periodKey, RunAt: slot}
}

// Enqueue adds a job within tx and wakes the workers once tx is durable. It
// returns false, and adds nothing, where a job of that kind and key is waiting
// or running, or one with that ID exists.
//
// A running job with the key may have looked at the world before tx changed
// it: a handler that must see every change takes no key, or a key per change.
//
// It fails with Invalid for a job that cannot be kept.
func (q *Queue) Enqueue(ctx context.Context, tx *database.Tx, job Job) (bool, error) {
	if err := job.check(); err != nil {
		return false, err
	}
	now := q.opt.Now()
	if job.ID == "" {
		job.ID = q.newID(now)
	}
	if job.RunAt.IsZero() {
		job.RunAt = now
	}
	if job.MaxTries == 0 {
		job.MaxTries = DefaultTries
	}
	added, err := insert(ctx, tx, job, now)
	if err != nil || !added {
		return false, err
	}
	tx.AfterCommit(q.look)
	return true, nil
}

func (j Job) check() error {
	text := j.Kind + j.Key + j.Subject
	switch {
	case j.Kind == "":
		return evidence.Errorf(evidence.Invalid, "a job needs a kind")
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return evidence.Errorf(evidence.Invalid, "the kind, key and subject of a job are plain text")
	case len(j.Payload) > 0 && !json.Valid(j.Payload):
		return evidence.Errorf(evidence.Invalid, "the payload of a job is JSON")
	case j.MaxTries < 0:
		return evidence.Errorf(evidence.Invalid, "a job is tried once at least")
	}
	if j.ID != "" {
		_, err := evidence.ParseID(string(j.ID))
		return err
	}
	return nil
}

// look wakes the dispatcher, if there is one.
func (q *Queue) look() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue) newID(now time.Time) evidence.ID {
	q.mu.Lock()
	defer q.mu.Unlock()
	return evidence.NewID(now, q.opt.Rand)
}

// permanent marks an error that no retry helps.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks err as one that no retry helps: the job fails at once. It
// returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

func isPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// notYet marks an error that says nothing of the job.
type notYet struct{ error }

func (n notYet) Unwrap() error { return n.error }

// NotYet marks err as one that says nothing of the job: something it needs is
// not there now, such as room or a tool. The try does not count; the job waits
// about four times Options.Backoff, for as many times as it takes. It returns
// nil for nil.
func NotYet(err error) error {
	if err == nil {
		return nil
	}
	return notYet{err}
}

func isNotYet(err error) bool {
	var n notYet
	return errors.As(err, &n)
}
