package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/work"
)

// world is one database and the servers that use it.
type world struct {
	*testing.T
	address string
	seed    byte
	shared  *database.DB // SQLite in a bubble, see server
}

// each runs f for each engine in a bubble with a clock of its own. The
// PostgreSQL server itself stays outside: only the connections are inside.
func each(t *testing.T, f func(w *world)) {
	t.Helper()
	run := func(t *testing.T, address string) {
		synctest.Test(t, func(t *testing.T) { f(&world{T: t, address: address}) })
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")) })
	t.Run("postgres", func(t *testing.T) { run(t, databasetest.PostgresURL(t)) })
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) code(err error, want evidence.Code) {
	w.Helper()
	if got := evidence.CodeOf(err); got != want {
		w.Fatalf("got code %q (%v), want %q", got, err, want)
	}
}

// server is one process with its own connections.
type server struct {
	*work.Queue
	w    *world
	db   *database.DB
	stop func() // ends Run and waits for it
}

// server makes a server. In a bubble those of one SQLite file share its handle:
// a handle that waits for another sleeps by the bubble's clock, which stands
// still while anybody waits for a mutex.
func (w *world) server(opt work.Options) *server {
	w.Helper()
	if !strings.HasPrefix(w.address, "sqlite:") {
		return w.alone(opt)
	}
	if w.shared == nil {
		w.shared = w.open()
	}
	return w.on(w.shared, opt)
}

// alone makes a server with a handle of its own.
func (w *world) alone(opt work.Options) *server {
	w.Helper()
	return w.on(w.open(), opt)
}

func (w *world) open() *database.DB {
	w.Helper()
	db, err := database.Open(context.Background(), w.address)
	w.check(err)
	w.Cleanup(func() {
		if err := db.Close(); err != nil {
			w.Error(err)
		}
	})
	return db
}

func (w *world) on(db *database.DB, opt work.Options) *server {
	w.Helper()
	if opt.Rand == nil {
		w.seed++
		opt.Rand = rand.NewChaCha8([32]byte{w.seed})
	}
	q, err := work.Open(context.Background(), db, opt)
	w.check(err)
	return &server{Queue: q, w: w, db: db}
}

// run starts Run; it is stopped when the test ends, if not before.
func (s *server) run() *server {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Run(ctx); err != nil {
			s.w.Error(err)
		}
	}()
	s.stop = func() {
		cancel()
		<-ended
	}
	s.w.Cleanup(s.stop)
	return s
}

func (s *server) add(j work.Job) bool {
	s.w.Helper()
	var added bool
	s.w.check(s.db.Write(context.Background(), func(tx *database.Tx) (err error) {
		added, err = s.Enqueue(context.Background(), tx, j)
		return err
	}))
	return added
}

func (s *server) counts() work.Counts {
	s.w.Helper()
	c, err := s.Counts(context.Background())
	s.w.check(err)
	return c
}

func (s *server) about(subject string) work.Status {
	s.w.Helper()
	all, err := s.About(context.Background(), subject)
	s.w.check(err)
	if len(all) != 1 {
		s.w.Fatalf("%d jobs about %s", len(all), subject)
	}
	return all[0]
}

// seen is what handlers did.
type seen struct {
	tries []work.Job
	times []time.Time
	most  int // at once
}

// tally notes what handlers do.
type tally struct {
	mu  sync.Mutex
	all seen
	now int
}

func (y *tally) seen() seen {
	y.mu.Lock()
	defer y.mu.Unlock()
	return seen{slices.Clone(y.all.tries), slices.Clone(y.all.times), y.all.most}
}

func (y *tally) begin(j work.Job) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.all.tries, y.all.times = append(y.all.tries, j), append(y.all.times, time.Now())
	y.now++
	y.all.most = max(y.all.most, y.now)
}

func (y *tally) end() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.now--
}

func (y *tally) subjects() (out []string) {
	for _, j := range y.seen().tries {
		out = append(out, j.Subject)
	}
	return out
}

// does is a handler that notes the job and ends with err after d.
func (y *tally) does(d time.Duration, err error) work.Handler {
	return func(ctx context.Context, j work.Job) error {
		y.begin(j)
		defer y.end()
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func TestAJobIsPartOfItsTransaction(t *testing.T) {
	each(t, func(w *world) {
		ctx := context.Background()
		s := w.server(work.Options{Poll: time.Hour}) // so that only waking explains a run
		var y tally
		s.Handle("probe", 1, y.does(0, nil))
		s.run()
		synctest.Wait()
		boom := errors.New("boom")
		if err := s.db.Write(ctx, func(tx *database.Tx) error {
			if _, err := s.Enqueue(ctx, tx, work.Job{Kind: "probe", Subject: "rolled back"}); err != nil {
				return err
			}
			return boom
		}); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		began := time.Now()
		if !s.add(work.Job{Kind: "probe", Subject: "kept", Key: "k", Payload: json.RawMessage(`{"n": 1}`)}) {
			t.Fatal("not enqueued")
		}
		time.Sleep(time.Second)
		if got := y.subjects(); !slices.Equal(got, []string{"kept"}) {
			t.Fatalf("ran %q", got)
		}
		if y.seen().times[0].Sub(began) > 100*time.Millisecond {
			t.Error("the commit woke nobody")
		}
		j := y.seen().tries[0]
		if string(j.Payload) != `{"n": 1}` || j.Key != "k" || j.Try != 1 || j.MaxTries != work.DefaultTries || !j.RunAt.Equal(began) {
			t.Errorf("the handler got %+v", j)
		}
		if c := s.counts(); c != (work.Counts{Done: 1}) {
			t.Errorf("%+v", c)
		}
		if got := s.about("kept"); got.State != work.Done || got.ID != j.ID || got.Tries != 1 || got.Message != "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestAKeyIsHeldWhileWaitingAndRunning(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{})
		var y tally
		s.Handle("probe", 3, y.does(10*time.Second, work.Permanent(errors.New("no"))))
		s.Handle("poster", 3, y.does(10*time.Second, nil))
		probe := work.Job{Kind: "probe", Key: "r1", Subject: "s"}
		if !s.add(probe) || s.add(probe) {
			t.Fatal("waiting: the key is not held")
		}
		if !s.add(work.Job{Kind: "poster", Key: "r1"}) || !s.add(work.Job{Kind: "probe", Key: "r2"}) ||
			!s.add(work.Job{Kind: "probe"}) || !s.add(work.Job{Kind: "probe"}) {
			t.Fatal("another kind, another key or no key is refused")
		}
		s.run()
		time.Sleep(time.Second)
		if s.add(probe) {
			t.Fatal("running: the key is not held")
		}
		time.Sleep(time.Minute)
		if !s.add(probe) {
			t.Fatal("failed: the key is still held")
		}
		failed, err := s.About(context.Background(), "s")
		w.check(err)
		w.code(s.Retry(context.Background(), failed[0].ID), evidence.Conflict) // the other waits or runs with the key
		time.Sleep(time.Minute)
		if !s.add(work.Job{Kind: "poster", Key: "r1"}) {
			t.Fatal("done: the key is still held")
		}
		id := evidence.NewID(time.Now(), rand.NewChaCha8([32]byte{99}))
		if !s.add(work.Job{ID: id, Kind: "probe"}) {
			t.Fatal("an ID of the caller's is refused")
		}
		time.Sleep(time.Minute)
		if s.add(work.Job{ID: id, Kind: "probe"}) {
			t.Fatal("the same job twice")
		}
	})
}

func TestJobsThatCannotBeKept(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{})
		for _, j := range []work.Job{
			{},
			{Kind: "k", Payload: json.RawMessage("{")},
			{Kind: "k", Subject: "a\x00b"},
			{Kind: "k", Key: "\xff"},
			{Kind: "k", MaxTries: -1},
			{Kind: "k", ID: "../../etc"},
		} {
			w.code(s.db.Write(context.Background(), func(tx *database.Tx) error {
				_, err := s.Enqueue(context.Background(), tx, j)
				return err
			}), evidence.Invalid)
		}
		if c := s.counts(); c != (work.Counts{}) {
			t.Errorf("%+v", c)
		}
	})
}

func TestRunAtIsHonouredInOrder(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{Poll: time.Minute})
		var y tally
		s.Handle("probe", 1, y.does(time.Second, nil))
		s.run()
		began := time.Now()
		for i, d := range []time.Duration{90 * time.Second, 30 * time.Second, 0} {
			s.add(work.Job{Kind: "probe", Subject: fmt.Sprint(i), RunAt: began.Add(d)})
		}
		time.Sleep(5 * time.Minute)
		if got := y.subjects(); !slices.Equal(got, []string{"2", "1", "0"}) {
			t.Fatalf("ran %q", got)
		}
		for i, want := range []time.Duration{0, 30 * time.Second, 90 * time.Second} {
			if got := y.seen().times[i].Sub(began); got < want || got > want+time.Second {
				t.Errorf("job %d ran after %v, not %v", i, got, want)
			}
		}
	})
}

func TestFailedTriesBackOff(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{Backoff: 8 * time.Second})
		var y tally
		s.Handle("probe", 1, func(ctx context.Context, j work.Job) error {
			y.begin(j)
			defer y.end()
			switch {
			case j.Try == 1:
				panic("a bug")
			case j.Try < 5:
				return fmt.Errorf("try %d\x00 \xff: %s", j.Try, strings.Repeat("é", 2000))
			}
			return nil
		})
		s.run()
		s.add(work.Job{Kind: "probe", Subject: "s"})
		time.Sleep(time.Second)
		if got := s.about("s"); got.State != work.Waiting || got.Message != "panic: a bug" || got.Tries != 1 || !got.Due.After(time.Now()) {
			t.Errorf("%+v", got)
		}
		time.Sleep(30 * time.Second)
		if got := s.about("s"); !strings.HasPrefix(got.Message, "try ") || len(got.Message) > 1010 {
			t.Errorf("message %q", got.Message)
		}
		time.Sleep(5 * time.Minute)
		if len(y.seen().times) != 5 {
			t.Fatalf("%d tries", len(y.seen().times))
		}
		spread := false
		for i := 1; i < 5; i++ {
			longest := 8 * time.Second << (i - 1)
			got := y.seen().times[i].Sub(y.seen().times[i-1])
			if got < longest/2 || got > longest+time.Millisecond {
				t.Errorf("waited %v after try %d, want %v to %v", got, i, longest/2, longest)
			}
			spread = spread || got != longest
		}
		if !spread {
			t.Error("no jitter")
		}
		if got := s.about("s"); got.State != work.Done || got.Tries != 5 || got.Message != "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatHasFailedWaitsForAPerson(t *testing.T) {
	each(t, func(w *world) {
		ctx := context.Background()
		s := w.server(work.Options{Backoff: time.Second, Poll: 10 * time.Second})
		var y tally
		s.Handle("hopeless", 1, y.does(0, fmt.Errorf("probe: %w", work.Permanent(errors.New("not a film")))))
		s.Handle("unlucky", 1, y.does(0, errors.New("store away")))
		s.run()
		s.add(work.Job{Kind: "hopeless", Subject: "h"})
		s.add(work.Job{Kind: "unlucky", Subject: "u", MaxTries: 3})
		time.Sleep(time.Hour)
		if got := s.about("h"); got.State != work.Failed || got.Tries != 1 || got.Message != "probe: not a film" {
			t.Errorf("%+v", got)
		}
		u := s.about("u")
		if u.State != work.Failed || u.Tries != 3 || u.Message != "store away" {
			t.Errorf("%+v", u)
		}
		if c := s.counts(); c != (work.Counts{Failed: 2}) {
			t.Errorf("%+v", c)
		}
		w.check(s.Retry(ctx, u.ID))
		time.Sleep(time.Hour)
		if got := s.about("u"); got.Tries != 3 || len(y.seen().tries) != 1+6 {
			t.Errorf("%+v after %d tries", got, len(y.seen().tries))
		}
		w.code(s.Retry(ctx, "0000000000zzzzzzzzzzzzzzzz"), evidence.NotFound)
		w.check(s.Retry(ctx, u.ID))
		w.code(s.Retry(ctx, u.ID), evidence.Conflict)
		time.Sleep(time.Minute) // lets it end before the database closes
		recent, err := s.Recent(ctx, 1)
		w.check(err)
		if len(recent) != 1 || recent[0].Subject != "u" {
			t.Errorf("changed last: %+v", recent)
		}
		if work.Permanent(nil) != nil {
			t.Error("no error became one")
		}
	})
}

func TestWhatIsNotYetPossibleWaitsForAsLongAsItTakes(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{Backoff: time.Second, Poll: 10 * time.Second})
		room := make(chan struct{})
		var y tally
		s.Handle("probe", 1, func(_ context.Context, j work.Job) error {
			y.begin(j)
			defer y.end()
			select {
			case <-room:
				return nil
			default:
				return fmt.Errorf("probe: %w", work.NotYet(errors.New("no room")))
			}
		})
		s.run()
		s.add(work.Job{Kind: "probe", Subject: "s", MaxTries: 2})
		time.Sleep(time.Hour)
		got := s.about("s")
		if got.State != work.Waiting || got.Tries != 0 || got.Message != "probe: no room" {
			t.Errorf("%+v", got)
		}
		if n := len(y.seen().times); n < 100 || n > 3600 {
			t.Errorf("%d tries in an hour", n)
		}
		close(room)
		time.Sleep(time.Minute)
		if got := s.about("s"); got.State != work.Done || got.Tries != 1 {
			t.Errorf("%+v", got)
		}
		if work.NotYet(nil) != nil {
			t.Error("no error became one")
		}
	})
}
