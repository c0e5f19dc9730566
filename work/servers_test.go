package work_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"custos/database/databasetest"
	"custos/evidence"
	"custos/work"
)

func TestTwoServersShareTheWorkAndNoJobRunsTwice(t *testing.T) {
	each(t, func(w *world) {
		const jobs = 120
		var all tally
		own := make([]tally, 2)
		for i := range own {
			s := w.server(work.Options{})
			s.Handle("probe", 4, func(ctx context.Context, j work.Job) error {
				own[i].begin(j)
				defer own[i].end()
				return all.does(time.Second, nil)(ctx, j)
			})
			if i == 0 {
				for n := range jobs {
					s.add(work.Job{Kind: "probe", Subject: fmt.Sprint(n)})
				}
			}
			s.run()
		}
		time.Sleep(time.Minute)
		got := all.subjects()
		slices.Sort(got)
		if len(got) != jobs || len(slices.Compact(got)) != jobs {
			t.Fatalf("%d runs of %d jobs", len(all.seen().tries), jobs)
		}
		for i := range own {
			if own[i].seen().most != 4 {
				t.Errorf("server %d did %d at once, not 4", i, own[i].seen().most)
			}
			if len(own[i].seen().tries) < jobs/4 {
				t.Errorf("server %d did %d of %d", i, len(own[i].seen().tries), jobs)
			}
		}
	})
}

func TestALongJobKeepsItsLease(t *testing.T) {
	each(t, func(w *world) {
		var y tally
		for range 2 {
			s := w.server(work.Options{Lease: 30 * time.Second, Poll: 10 * time.Second})
			s.Handle("proxy", 2, y.does(20*time.Minute, nil))
			s.run()
			if y.seen().tries == nil {
				s.add(work.Job{Kind: "proxy", Subject: "s"})
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Hour)
		if len(y.seen().tries) != 1 {
			t.Errorf("ran %d times", len(y.seen().tries))
		}
	})
}

// A server that lost its database is, to the others, a dead one. Its handler
// must have been told to stop before another server begins.
func TestADeadServersJobRunsElsewhere(t *testing.T) {
	each(t, func(w *world) {
		dying := w.alone(work.Options{Lease: 30 * time.Second, Grace: time.Second})
		told := make(chan time.Time, 1)
		dying.Handle("probe", 1, func(ctx context.Context, _ work.Job) error {
			<-ctx.Done()
			told <- time.Now()
			return nil // too late: must not count
		})
		dying.run()
		dying.add(work.Job{Kind: "probe", Subject: "s", Key: "k"})
		time.Sleep(time.Minute)

		other := w.server(work.Options{})
		var y tally
		other.Handle("probe", 1, y.does(time.Second, nil))
		other.run()
		time.Sleep(time.Minute)
		if len(y.seen().tries) != 0 {
			t.Fatal("ran although the first server lives")
		}
		w.check(dying.db.Close())
		cut := time.Now()
		time.Sleep(time.Minute)
		if len(y.seen().tries) != 1 || y.seen().tries[0].Try != 2 || y.seen().tries[0].Key != "k" {
			t.Fatalf("after the cut: %+v", y.seen().tries)
		}
		if waited := y.seen().times[0].Sub(cut); waited > 31*time.Second {
			t.Errorf("waited %v for a lease of 30 s", waited)
		}
		if at := <-told; !at.Before(y.seen().times[0]) {
			t.Errorf("told to stop at %v, run elsewhere at %v", at, y.seen().times[0])
		}
		if got := other.about("s"); got.State != work.Done || got.Tries != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAJobThatKillsItsServersFails(t *testing.T) {
	each(t, func(w *world) {
		var ran atomic.Int32
		for range 3 {
			s := w.alone(work.Options{Lease: 10 * time.Second, Grace: time.Second})
			s.Handle("bomb", 1, func(ctx context.Context, _ work.Job) error {
				ran.Add(1)
				<-ctx.Done()
				return nil
			})
			s.run()
			if ran.Load() == 0 {
				s.add(work.Job{Kind: "bomb", Subject: "s", MaxTries: 2})
			}
			time.Sleep(20 * time.Second)
			if ran.Load() == 2 && s.about("s").State == work.Failed {
				break
			}
			w.check(s.db.Close())
			time.Sleep(20 * time.Second)
		}
		s := w.server(work.Options{})
		if got := s.about("s"); ran.Load() != 2 || got.State != work.Failed || got.Tries != 2 || got.Message == "" {
			t.Errorf("ran %d times: %+v", ran.Load(), got)
		}
	})
}

func TestStoppingLetsJobsEndOrGivesThemBack(t *testing.T) {
	each(t, func(w *world) {
		var short, long tally
		s := w.server(work.Options{Grace: 10 * time.Second, Poll: 10 * time.Second})
		s.Handle("short", 1, short.does(8*time.Second, nil))
		s.Handle("long", 1, long.does(time.Hour, nil))
		s.run()
		s.add(work.Job{Kind: "short", Subject: "1"})
		s.add(work.Job{Kind: "short", Subject: "2"}) // waits for the one worker
		s.add(work.Job{Kind: "long", Subject: "3", MaxTries: 1})
		time.Sleep(time.Second)
		began := time.Now()
		s.stop()
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("stopping took %v", d)
		}
		if got := s.about("1"); got.State != work.Done {
			t.Errorf("%+v", got)
		}
		if got := s.about("2"); got.State != work.Waiting || got.Tries != 0 {
			t.Errorf("began while stopping: %+v", got)
		}
		if got := s.about("3"); got.State != work.Waiting || got.Tries != 0 || got.Message == "" {
			t.Errorf("not given back: %+v", got)
		}
		s.run()
		time.Sleep(2 * time.Hour)
		if c := s.counts(); c != (work.Counts{Done: 3}) {
			t.Errorf("%+v", c)
		}
	})
}

// A server whose clock is an hour slow takes leases that have run out for
// everybody else. Its job is then another's, and it must change nothing.
func TestAnOldLeaseChangesNothing(t *testing.T) {
	each(t, func(w *world) {
		var y tally
		slow := w.server(work.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
		slow.Handle("quick", 1, y.does(5*time.Second, nil))
		stopped := make(chan time.Time, 1)
		slow.Handle("long", 1, func(ctx context.Context, _ work.Job) error {
			<-ctx.Done()
			stopped <- time.Now()
			return nil
		})
		began := time.Now()
		slow.add(work.Job{Kind: "quick", Subject: "q"})
		slow.add(work.Job{Kind: "long", Subject: "l"})
		slow.run()
		time.Sleep(time.Second)
		other := w.server(work.Options{})
		other.Handle("quick", 1, y.does(10*time.Minute, nil))
		other.Handle("long", 1, y.does(10*time.Minute, nil))
		other.run()
		time.Sleep(5 * time.Minute)
		for _, subject := range []string{"q", "l"} {
			if got := other.about(subject); got.State != work.Running || got.Tries != 2 {
				t.Errorf("ended by a lease that was not held: %+v", got)
			}
		}
		if d := (<-stopped).Sub(began); d > 30*time.Second {
			t.Errorf("told after %v that the lease was lost", d)
		}
		slow.stop()
		time.Sleep(6 * time.Minute)
		if c := other.counts(); c != (work.Counts{Done: 2}) {
			t.Errorf("%+v", c)
		}
	})
}

// A handler that does not heed its context still keeps its lease: better a
// slow stop than the same job twice at once.
func TestAStubbornJobIsNotRunElsewhereWhileItsServerStops(t *testing.T) {
	each(t, func(w *world) {
		var y tally
		s := w.server(work.Options{Lease: 10 * time.Second, Grace: time.Second})
		s.Handle("probe", 1, func(_ context.Context, j work.Job) error {
			return y.does(time.Minute, nil)(context.Background(), j)
		})
		s.run()
		s.add(work.Job{Kind: "probe"})
		time.Sleep(time.Second)
		other := w.server(work.Options{})
		other.Handle("probe", 1, y.does(0, nil))
		other.run()
		s.stop()
		time.Sleep(time.Minute)
		if len(y.seen().tries) != 1 {
			t.Errorf("ran %d times", len(y.seen().tries))
		}
	})
}

func TestEveryPeriodHasOneJobHoweverManyServersRun(t *testing.T) {
	each(t, func(w *world) {
		var quick, slow tally
		time.Sleep(20 * time.Second) // not at a border of periods
		for range 2 {
			s := w.server(work.Options{})
			s.Handle("sweep", 1, quick.does(time.Second, nil))
			s.Handle("slow", 1, slow.does(150*time.Second, nil))
			s.Every("sweep", time.Minute)
			s.Every("slow", time.Minute)
			s.run()
			time.Sleep(5 * time.Second)
		}
		time.Sleep(9 * time.Minute)
		if len(quick.seen().times) != 10 { // the present period at once, then nine borders
			t.Fatalf("ran %d times: %v", len(quick.seen().times), quick.seen().times)
		}
		for _, at := range quick.seen().times[1:] {
			if d := at.Sub(at.Truncate(time.Minute)); d > time.Second {
				t.Errorf("ran %v after the border", d)
			}
		}
		if slow.seen().most != 1 || len(slow.seen().tries) != 4 {
			t.Errorf("slow jobs ran %d times, %d at once", len(slow.seen().tries), slow.seen().most)
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestDoneJobsAreForgottenAfterAWeek(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{Poll: 20 * time.Minute})
		var y tally
		s.Handle("good", 1, y.does(0, nil))
		s.Handle("bad", 1, y.does(0, work.Permanent(errors.New("no"))))
		s.run()
		s.add(work.Job{Kind: "good"})
		s.add(work.Job{Kind: "bad"})
		s.add(work.Job{Kind: "nobody's"})
		time.Sleep(7*24*time.Hour - time.Minute)
		if c := s.counts(); c != (work.Counts{Waiting: 1, Failed: 1, Done: 1}) {
			t.Errorf("before: %+v", c)
		}
		time.Sleep(2 * time.Hour)
		if c := s.counts(); c != (work.Counts{Waiting: 1, Failed: 1}) {
			t.Errorf("after: %+v", c)
		}
	})
}

func TestMistakesOfTheProgramAreLoud(t *testing.T) {
	each(t, func(w *world) {
		s := w.server(work.Options{})
		nothing := func(context.Context, work.Job) error { return nil }
		s.Handle("k", 1, nothing)
		loud := func(name string, f func()) {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}
		loud("two handlers", func() { s.Handle("k", 1, nothing) })
		loud("no workers", func() { s.Handle("l", 0, nothing) })
		loud("no period", func() { s.Every("k", 0) })
		loud("a period longer than done jobs are kept", func() { s.Every("k", 8*24*time.Hour) })
		s.run()
		synctest.Wait()
		loud("a handler while running", func() { s.Handle("m", 1, nothing) })
		loud("a period while running", func() { s.Every("k", time.Minute) })
		w.code(s.Run(context.Background()), evidence.Conflict)
	})
}

// By the real clock, with a handle each on SQLite too: many enqueue at once
// while two servers work.
func TestServersInEarnest(t *testing.T) {
	for engine, address := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"postgres": "",
	} {
		t.Run(engine, func(t *testing.T) {
			if address == "" {
				address = databasetest.PostgresURL(t)
			}
			w := &world{T: t, address: address}
			var y tally
			servers := []*server{w.alone(work.Options{Poll: 5 * time.Millisecond}), w.alone(work.Options{Poll: 5 * time.Millisecond})}
			for _, s := range servers {
				s.Handle("probe", 3, y.does(time.Millisecond, nil))
				s.run()
			}
			later := time.Now().Add(300 * time.Millisecond)
			var added atomic.Int32
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					for n := range 10 {
						key := work.Job{Kind: "probe", Key: fmt.Sprint(n % 5), RunAt: later}
						if servers[(i+n)%2].add(key) {
							added.Add(1)
						}
						servers[i%2].add(work.Job{Kind: "probe"})
					}
				})
			}
			wg.Wait()
			want := work.Counts{Done: int(added.Load()) + 60}
			for try := 0; servers[0].counts() != want; try++ {
				if try == 2000 {
					t.Fatalf("%+v, want %+v", servers[0].counts(), want)
				}
				time.Sleep(5 * time.Millisecond)
			}
			if len(y.subjects()) != want.Done {
				t.Errorf("%d runs of %d jobs", len(y.subjects()), want.Done)
			}
			if time.Now().Before(later) || added.Load() < 5 {
				t.Errorf("%d jobs for 5 keys", added.Load())
			}
		})
	}
}
