// Package ingest is where footage comes in: a tus 1.0.0 server (resumable
// uploads over HTTP) under /files/, and what follows an upload until its dock
// has a receipt. docs/ingest.md is the protocol as it is spoken here.
//
// The bytes and how many of them are durable belong to custody. This package
// keeps a row for each upload, says what the client claims about it, and sees
// to it that an upload whose last byte is durable is collected exactly once,
// however often the server stops on the way: Recover and Run use the same
// functions as the normal path.
//
// Nothing that a client sends is believed. Metadata is text with limits, file
// names are labels and never paths, and the digest it offers is only ever
// compared.
package ingest

import (
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"custos/database"
	"custos/evidence"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Incoming is what this package needs of custody while bytes arrive. All
// methods may be called concurrently.
type Incoming interface {
	// Receive opens an incoming object of length bytes (≥ 0). Its ID is also
	// the upload's. Full when there is no room.
	Receive(ctx context.Context, actor evidence.Actor, length int64) (evidence.ID, error)
	// Append adds r at offset and returns the durable offset, which it also
	// does with an error: bytes read before r failed are kept. Conflict for a
	// wrong offset or a second writer, Full when there is no room.
	Append(ctx context.Context, id evidence.ID, offset int64, r io.Reader) (int64, error)
	// Received is the durable offset and the length. NotFound.
	Received(ctx context.Context, id evidence.ID) (offset, length int64, err error)
	// ReadReceived reads the durable bytes from the start.
	ReadReceived(ctx context.Context, id evidence.ID) (io.ReadCloser, error)
	// Abandon gives up an incoming object. NotFound when there is none.
	Abandon(ctx context.Context, actor evidence.Actor, id evidence.ID) error
}

// Collector is what this package needs of custody once all bytes are there.
type Collector interface {
	// Collect moves a complete incoming object to final storage, reads it back
	// and enters it in the catalogue and the ledger. It is idempotent by id.
	// Corrupt when what was received is not what c claims; then trying again
	// is of no use.
	Collect(ctx context.Context, actor evidence.Actor, id evidence.ID, c evidence.Capture) (recording evidence.ID, segment int, err error)
	// Receipt is the signed receipt of a collected upload, Unavailable while
	// the log does not cover it yet.
	Receipt(ctx context.Context, id evidence.ID) ([]byte, error)
}

// Custody is the one door to bytes and ledger, as this package needs it.
type Custody interface {
	Incoming
	Collector
}

// Config wires a Server. The zero value of every limit stands for its default.
type Config struct {
	DB      *database.DB
	Custody Custody
	Log     *slog.Logger

	// Actor tells who sends a request, and whether they may upload at all:
	// Unauthenticated or Denied otherwise.
	Actor func(*http.Request) (evidence.Actor, error)
	// OnCollected runs after an upload was collected and before it is marked
	// so: at least once for each, again after a crash or an error of its own.
	// It may be called concurrently. nil: nothing follows.
	OnCollected func(ctx context.Context, recording evidence.ID, segment int) error
	// Problem answers a request with err and an HTTP status, as problem+json.
	// nil: a small one of this package.
	Problem func(w http.ResponseWriter, r *http.Request, status int, err error)
	// ReadDeadline sets until when a read from the client may take; the zero
	// time lifts it. nil: http.ResponseController.SetReadDeadline.
	ReadDeadline func(w http.ResponseWriter, at time.Time) error
	// Now is the clock. nil: time.Now.
	Now func() time.Time

	Prefix       string        // path of the uploads, with slashes at both ends; "/files/"
	MaxSize      int64         // bytes of one upload; 64 GiB
	MaxOpen      int           // unfinished uploads of one dock, parts included; 256
	MaxOpenBytes int64         // bytes of all unfinished uploads at their full length; 4 TiB
	Expiry       time.Duration // an open upload ends this long after it last moved; 14 days
	Stall        time.Duration // a client that sends nothing for so long loses its turn; 30 s
	Workers      int           // uploads collected at the same time; 4
}

// Server is the tus server. Its methods may be called concurrently; Run once.
type Server struct {
	Config
	wake   chan struct{} // capacity 1: there is work for Run
	checks chan struct{} // a slot for each body held in memory until its checksum is known

	creating sync.Mutex // opening uploads one by one makes the quotas exact on one server

	mu      sync.Mutex
	writers map[evidence.ID]bool // mu; uploads that a request or a sweep is changing
	changed chan struct{}        // mu; closed and replaced when an upload changes state
}

const (
	maxChecked  = 16 << 20 // bytes of a body that comes with Upload-Checksum
	checkSlots  = 4        // of them in memory at once
	maxMetadata = 16 << 10 // bytes of Upload-Metadata
	maxParts    = 1000     // of one final upload
	lease       = time.Minute
	poll        = 5 * time.Second
	sweepEvery  = time.Minute
)

// Open brings the tables up to date and makes a Server. Uploads that were
// complete when the last server stopped go on once Run is called.
func Open(ctx context.Context, c Config) (*Server, error) {
	if c.DB == nil || c.Custody == nil || c.Actor == nil || c.Log == nil {
		return nil, errors.New("open ingest: database, custody, actor and log must be set")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := c.DB.Migrate(ctx, "ingest", files); err != nil {
		return nil, err
	}
	orDefault(&c.Prefix, "/files/")
	orDefault(&c.MaxSize, 64<<30)
	orDefault(&c.MaxOpen, 256)
	orDefault(&c.MaxOpenBytes, 4<<40)
	orDefault(&c.Expiry, 14*24*time.Hour)
	orDefault(&c.Stall, 30*time.Second)
	orDefault(&c.Workers, 4)
	if !strings.HasPrefix(c.Prefix, "/") || !strings.HasSuffix(c.Prefix, "/") {
		return nil, errors.New("open ingest: the prefix must begin and end with a slash")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ReadDeadline == nil {
		c.ReadDeadline = func(w http.ResponseWriter, at time.Time) error {
			return http.NewResponseController(w).SetReadDeadline(at)
		}
	}
	s := &Server{
		Config:  c,
		wake:    make(chan struct{}, 1),
		checks:  make(chan struct{}, checkSlots),
		writers: map[evidence.ID]bool{},
		changed: make(chan struct{}),
	}
	if s.Problem == nil {
		s.Problem = s.problem
	}
	return s, nil
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// tryLock takes the turn to change an upload; false when somebody has it.
func (s *Server) tryLock(id evidence.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers[id] {
		return false
	}
	s.writers[id] = true
	return true
}

func (s *Server) unlock(id evidence.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writers, id)
}

// watch is closed when some upload next changes state on this server.
func (s *Server) watch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Server) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// kick tells Run that there is work.
func (s *Server) kick() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told already
	}
}
