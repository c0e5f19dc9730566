package witness_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/tlog"
	"custos/tlog/tlogtest"
	"custos/witness"
	"custos/witness/witnesstest"
)

// safeLog is a log that a test adds to while it is witnessed.
type safeLog struct {
	mu  sync.Mutex
	log *tlogtest.Log
}

func newLog() *safeLog { return &safeLog{log: tlogtest.NewLog("log")} }

func (l *safeLog) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		l.log.Add("01kamwtz3f0w9hq1c7c9m2v5ta", evidence.Consult, evidence.Intent, nil, nil)
	}
}

func (l *safeLog) Checkpoint(context.Context) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log.Size() == 0 {
		return nil, evidence.Errorf(evidence.NotFound, "none yet")
	}
	return l.log.Checkpoint(l.log.Size()), nil
}

func (l *safeLog) Consistency(_ context.Context, older, newer int64) ([]tlog.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Consistency(older, newer), nil
}

// hosts answers requests without a network, by host name.
type hosts map[string]http.Handler

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	handler, ok := h[r.URL.Host]
	if !ok {
		return nil, errors.New("no such host")
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

// world is a log and its witnesses w1, w2, …, the second of ML-DSA-44.
type world struct {
	*testing.T
	db        *database.DB
	log       *safeLog
	hosts     hosts
	said      bytes.Buffer // the keeper's log; read it when the bubble waits
	witnesses []*witnesstest.Witness
	policy    *tlog.Policy
	keeper    *witness.Keeper
}

func newWorld(t *testing.T, db *database.DB, rules string, names ...string) *world {
	w := &world{T: t, db: db, log: newLog(), hosts: hosts{}}
	var lines strings.Builder
	for i, name := range names {
		kind := byte(tlogtest.Ed25519)
		if i == 1 {
			kind = tlogtest.MLDSA44
		}
		one := witnesstest.New(name+".example", kind, w.log.log.Key.VKey)
		w.hosts[name+".example"] = one
		w.witnesses = append(w.witnesses, one)
		lines.WriteString(one.Policy(name, "http://"+name+".example/log/"))
	}
	var err error
	if w.policy, err = tlog.ParsePolicy([]byte(lines.String() + rules + "\n")); err != nil {
		t.Fatal(err)
	}
	return w
}

// run opens a keeper and runs it until the returned function is called.
func (w *world) run() (stop func()) {
	w.Helper()
	w.open()
	ctx, cancel := context.WithCancel(w.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := w.keeper.Run(ctx); err != nil {
			w.Error(err)
		}
	})
	return func() { cancel(); done.Wait() }
}

func (w *world) open() {
	w.Helper()
	var err error
	if w.keeper, err = witness.Open(w.Context(), witness.Config{DB: w.db, Log: w.log, Policy: w.policy, Logger: slog.New(slog.NewTextHandler(&w.said, nil)), Client: &http.Client{Transport: w.hosts}}); err != nil {
		w.Fatal(err)
	}
}

// grow adds n events and tells the keeper.
func (w *world) grow(n int) {
	w.log.add(n)
	w.keeper.Notify(w.Context())
	synctest.Wait()
}

// check tells what is wrong with the cosigned checkpoint of at least size.
func (w *world) check(size int64) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Millisecond)
	defer cancel()
	b, err := w.keeper.Cosigned(ctx, size)
	if err != nil {
		w.Fatal(err)
	}
	c, err := tlog.ParseCheckpoint(b)
	if err != nil || c.Size < size {
		w.Fatalf("%+v, %v", c, err)
	}
	signed, err := tlog.Cosignatures(b, w.policy.Keys())
	if err != nil || !w.policy.Met(signed) {
		w.Errorf("not well enough signed: %v, %v", signed, err)
	}
}

// bubble runs f in its own time, with a database of its own.
func bubble(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	address := "sqlite:" + t.TempDir() + "/test.db"
	synctest.Test(t, func(t *testing.T) {
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		f(t, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryCheckpointIsCosigned(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "group all all w1 w2 w3\nquorum all", "w1", "w2", "w3")
		defer w.run()()
		for _, n := range []int{1, 1, 3, 300, 7} {
			w.grow(n)
			w.check(w.log.log.Size())
		}
		st := w.keeper.Status()
		if !st.Since.IsZero() || st.Size != 312 || !st.Witnessed(time.Now()) {
			t.Errorf("%+v", st)
		}
		for _, s := range st.Witnesses {
			if s.Size != 312 || !s.Since.IsZero() || s.Trouble != "" || s.At.IsZero() {
				t.Errorf("%+v", s)
			}
		}
		newest, _ := w.log.Checkpoint(t.Context())
		if b := w.keeper.Decorate(newest); len(tlog.Signers(b)) != 4 {
			t.Errorf("published with signatures of %q", tlog.Signers(b))
		}
	})
}

// A witness that is down holds nobody up; since when it was is told; it catches
// up by itself.
func TestAWitnessThatIsDown(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "group two 2 w1 w2 w3\nquorum two", "w1", "w2", "w3")
		defer w.run()()
		w.grow(5)
		w.witnesses[2].Down(true)
		time.Sleep(time.Hour)
		wentDown := time.Now()
		for range 50 {
			w.grow(2)
			w.check(w.log.log.Size()) // two of three are enough
			time.Sleep(10 * time.Second)
		}
		st := w.keeper.Status()
		if !st.Witnessed(time.Now()) || !st.Since.IsZero() {
			t.Errorf("%+v", st)
		}
		if s := st.Witnesses[2]; s.Size != 5 || !s.Since.Equal(wentDown) || !strings.Contains(s.Trouble, "503") {
			t.Errorf("%+v, went down at %s", s, wentDown)
		}
		w.witnesses[1].Down(true) // now one of three is not
		wentDown = time.Now()
		w.grow(1)
		time.Sleep(3 * time.Minute)
		w.grow(1)
		if st = w.keeper.Status(); st.Witnessed(time.Now()) || !st.Since.Equal(wentDown) || st.Size != 105 {
			t.Errorf("%+v, went down at %s", st, wentDown)
		}
		synctest.Wait()
		if n := strings.Count(w.said.String(), "the log is not witnessed"); n != 1 {
			t.Errorf("said %d times that the log is not witnessed", n)
		}
		w.witnesses[1].Down(false)
		w.witnesses[2].Down(false)
		time.Sleep(2 * time.Minute) // the longest pause between two attempts, and a little
		w.check(107)
		if !strings.Contains(w.said.String(), "the log is witnessed again") {
			t.Error("that it is witnessed again was not said")
		}
		if st = w.keeper.Status(); !st.Witnessed(time.Now()) || !st.Since.IsZero() || st.Witnesses[2].Size != 107 || st.Witnesses[2].Trouble != "" {
			t.Errorf("%+v", st)
		}
	})
}

// A quiet log is signed anew now and then, so that who is gone is noticed.
func TestAQuietLogShowsWhoIsThere(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "quorum w1", "w1")
		defer w.run()()
		w.grow(3)
		first := w.keeper.Status().Witnesses[0].At
		time.Sleep(25 * time.Minute)
		if at := w.keeper.Status().Witnesses[0].At; at.Sub(first) < 20*time.Minute {
			t.Errorf("signed at %s, and %s later at %s", first, 25*time.Minute, at)
		}
		w.witnesses[0].Down(true)
		time.Sleep(15 * time.Minute)
		if s := w.keeper.Status().Witnesses[0]; s.Trouble == "" || !s.Since.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

// Whoever has the key can write the log anew, and every check but the
// witness's passes: it signs neither another history nor a shorter one.
func TestARebuiltLogIsNotCosigned(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "group two all w1 w2\nquorum two", "w1", "w2")
		stop := w.run()
		w.grow(20)
		w.check(20)
		stop()

		rebuilt := newLog() // of the same key, and longer
		for range 30 {
			rebuilt.log.Add("01kamwtz3f0w9hq1c7c9m2v5tb", evidence.Consult, evidence.Intent, nil, nil)
		}
		w.log = rebuilt
		stop = w.run()
		w.grow(1)
		time.Sleep(time.Hour)
		st := w.keeper.Status()
		if st.Size != 20 || st.Witnessed(time.Now()) || st.Since.IsZero() {
			t.Errorf("%+v", st)
		}
		for i, s := range st.Witnesses {
			if !strings.Contains(s.Trouble, "history was rewritten") || w.witnesses[i].Size() != 20 || w.witnesses[i].Refused() == 0 {
				t.Errorf("%+v", s)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := w.keeper.Cosigned(ctx, 21); evidence.CodeOf(err) != evidence.Unavailable {
			t.Error(err)
		}
		stop()
	})
}

func TestARolledBackLogIsSeenAtTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "group two any w1 w2 w3\nquorum two", "w1", "w2", "w3")
		stop := w.run()
		w.grow(20)
		stop()
		delete(w.hosts, "w3.example")
		w.log = newLog()
		w.log.add(12)
		w.open()
		size, who := w.keeper.Seen(t.Context())
		if size != 20 || !strings.Contains(who, ".example") {
			t.Errorf("%d by %q", size, who)
		}
		if s := w.keeper.Status().Witnesses[0]; !strings.Contains(s.Trouble, "old copy") {
			t.Errorf("%+v", s)
		}
		w.log.add(8) // the right backup
		w.open()
		if size, who := w.keeper.Seen(t.Context()); size > 20 {
			t.Errorf("%d by %q", size, who)
		}
	})
}

// Two servers on one database ask the same witnesses.
func TestTwoServers(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "group two all w1 w2\nquorum two", "w1", "w2")
		defer w.run()()
		second := &world{T: t, db: db, log: w.log, hosts: w.hosts, policy: w.policy, witnesses: w.witnesses}
		defer second.run()()
		for range 20 {
			w.log.add(3)
			second.keeper.Notify(t.Context())
			w.keeper.Notify(t.Context())
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		w.check(60)
		second.check(60)
	})
}

func TestAnswersThatAreNoSignature(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "quorum w1", "w1")
		stranger := witnesstest.New("stranger.example", tlogtest.Ed25519, w.log.log.Key.VKey)
		answers := map[string]http.Handler{
			"not its signature": stranger,
			"far too long": http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				_, _ = rw.Write(make([]byte, 1<<20))
			}),
			"not which": http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.WriteHeader(http.StatusConflict)
				_, _ = rw.Write([]byte("-5\n"))
			}),
			"does not know this log": http.NotFoundHandler(),
		}
		var now atomic.Pointer[http.Handler]
		w.hosts["w1.example"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if h := now.Load(); h != nil {
				(*h).ServeHTTP(rw, r)
				return
			}
			http.Error(rw, "", http.StatusTeapot)
		})
		stop := w.run()
		w.grow(3)
		for says, h := range answers {
			now.Store(&h)
			time.Sleep(2 * time.Minute)
			if s := w.keeper.Status().Witnesses[0]; !strings.Contains(s.Trouble, says) || s.Size != 0 {
				t.Errorf("%s: %+v", says, s)
			}
		}
		stop()
	})
}

func TestWhatWasSignedIsKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db, "group two all w1 w2\nquorum two", "w1", "w2")
		stop := w.run()
		w.log.add(9)
		w.keeper.Notify(t.Context())
		if _, err := w.keeper.Cosigned(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		stop()
		before := w.keeper.Status()
		w.open()
		after := w.keeper.Status()
		if before.Size != 9 || after.Size != 9 || after.At.Sub(before.At).Abs() > time.Microsecond || after.Witnesses[1].Size != 9 || !after.Witnesses[1].At.Equal(before.Witnesses[1].At) {
			t.Errorf("before %+v, after %+v", before, after)
		}
		w.check(9)
		// By a stricter policy, nothing was witnessed yet.
		third := witnesstest.New("w3.example", tlogtest.Ed25519, w.log.log.Key.VKey)
		text := w.witnesses[0].Policy("w1", "http://w1.example") + third.Policy("w3", "http://w3.example") + "group both all w1 w3\nquorum both\n"
		var err error
		if w.policy, err = tlog.ParsePolicy([]byte(text)); err != nil {
			t.Fatal(err)
		}
		w.open()
		if st := w.keeper.Status(); st.Size != 0 || st.Witnesses[0].Size != 9 {
			t.Errorf("%+v", st)
		}
	})
}

func TestWithoutWitnesses(t *testing.T) {
	bubble(t, func(t *testing.T, db *database.DB) {
		w := &world{T: t, db: db, log: newLog(), hosts: hosts{}}
		defer w.run()()
		w.grow(3)
		if _, err := w.keeper.Cosigned(t.Context(), 1); evidence.CodeOf(err) != evidence.NotFound {
			t.Error(err)
		}
		cp, _ := w.log.Checkpoint(t.Context())
		if st := w.keeper.Status(); st.Witnessed(time.Now()) || len(st.Witnesses) > 0 || string(w.keeper.Decorate(cp)) != string(cp) {
			t.Errorf("%+v", st)
		}
	})
}
