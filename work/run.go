package work

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"custos/database"
	"custos/evidence"
)

// Why a handler's context ended (context.Cause).
var (
	errStopping = errors.New("the server is stopping")
	errLost     = errors.New("the lease was lost")
)

const pruneEvery = time.Hour

// Run does jobs until ctx ends. Then no new job begins; those running have
// Grace to end, after which their contexts end and those that return an error
// are given back as if the try had not been. It returns when every handler has.
// A database that fails is asked again: Run ends for nothing but ctx. It fails
// with Conflict if the queue runs already.
func (q *Queue) Run(ctx context.Context) error {
	q.mu.Lock()
	if q.running {
		q.mu.Unlock()
		return evidence.Errorf(evidence.Conflict, "the queue runs already")
	}
	q.running = true
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		q.running = false
		q.mu.Unlock()
	}()
	alive, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	d := &dispatcher{q: q, alive: alive, busy: map[string]int{}, slots: map[string]time.Time{}}
	for ctx.Err() == nil {
		timer := time.NewTimer(d.step())
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	ended := make(chan struct{})
	go func() {
		d.workers.Wait()
		close(ended)
	}()
	grace := time.NewTimer(q.opt.Grace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		stop(errStopping)
		<-ended
	}
	return nil
}

// dispatcher hands due jobs to workers. Its fields belong to Run's goroutine
// unless they say otherwise.
type dispatcher struct {
	q       *Queue
	alive   context.Context // of handlers and of the database: outlives Run's by Grace
	workers sync.WaitGroup
	slots   map[string]time.Time // kind → last period enqueued
	pruned  time.Time

	mu   sync.Mutex
	busy map[string]int // mu; kind → workers at work
}

// step does what is due and tells how long to wait if nothing happens.
func (d *dispatcher) step() time.Duration {
	q := d.q
	ctx, cancel := context.WithTimeout(d.alive, q.opt.Lease)
	defer cancel()
	wait, err := d.dispatch(ctx)
	if err != nil {
		q.opt.Logger.Error("jobs wait: the database failed", "err", err)
		return q.opt.Poll
	}
	return min(max(wait, 0), q.opt.Poll)
}

func (d *dispatcher) dispatch(ctx context.Context) (wait time.Duration, err error) {
	q := d.q
	wait = q.opt.Poll
	if now := q.opt.Now(); now.Sub(d.pruned) >= pruneEvery {
		if err := q.prune(ctx); err != nil {
			return 0, err
		}
		d.pruned = now
	}
	if err := d.periods(ctx); err != nil {
		return 0, err
	}
	free := d.free()
	kinds := make([]string, 0, len(free))
	for kind := range free {
		kinds = append(kinds, kind)
	}
	due, err := q.nextDue(ctx, kinds)
	if err != nil {
		return 0, err
	}
	for kind, at := range due {
		if left := at.Sub(q.opt.Now()); left > 0 {
			wait = min(wait, left)
			continue
		}
		leases, err := q.claim(ctx, kind, free[kind])
		if err != nil {
			return 0, err
		}
		for _, l := range leases {
			d.start(l)
		}
		// More may be due, or the rest is being claimed by another server right
		// now; a worker that ends wakes us, too.
		if len(leases) > 0 && len(leases) < free[kind] {
			wait = 0
		}
	}
	return wait, nil
}

// free is how many workers of each kind have nothing to do; kinds without one
// are absent.
func (d *dispatcher) free() map[string]int {
	d.q.mu.Lock()
	defer d.q.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	free := map[string]int{}
	for kind, p := range d.q.pools {
		if n := p.workers - d.busy[kind]; n > 0 {
			free[kind] = n
		}
	}
	return free
}

// periods enqueues what Every asked for.
func (d *dispatcher) periods(ctx context.Context) error {
	q := d.q
	now := q.opt.Now()
	q.mu.Lock()
	var jobs []Job
	for kind, period := range q.periods {
		slot := time.UnixMicro(now.UnixMicro() / period.Microseconds() * period.Microseconds())
		if !d.slots[kind].Equal(slot) {
			jobs = append(jobs, periodJob(kind, slot))
		}
	}
	q.mu.Unlock()
	for _, j := range jobs {
		if err := q.db.Write(ctx, func(tx *database.Tx) error {
			_, err := q.Enqueue(ctx, tx, j)
			return err
		}); err != nil {
			return err
		}
		d.slots[j.Kind] = j.RunAt
	}
	return nil
}

// start gives a claimed job to a worker.
func (d *dispatcher) start(l lease) {
	q := d.q
	q.mu.Lock()
	run := q.pools[l.job.Kind].run
	q.mu.Unlock()
	d.mu.Lock()
	d.busy[l.job.Kind]++
	d.mu.Unlock()
	d.workers.Go(func() {
		defer q.look()
		defer func() {
			d.mu.Lock()
			d.busy[l.job.Kind]--
			d.mu.Unlock()
		}()
		d.work(&l, run)
	})
}

// work does one try and records how it ended. If that cannot be recorded the
// lease runs out and the job runs again.
func (d *dispatcher) work(l *lease, run Handler) {
	q := d.q
	log := q.opt.Logger.With("job", l.job.ID, "kind", l.job.Kind, "try", l.job.Try)
	var e ending
	if l.job.Try > l.job.MaxTries {
		e = ending{state: Failed, tries: l.job.Try - 1, message: "the server stopped every time this ran"}
	} else {
		ctx, cancel := context.WithCancelCause(d.alive)
		// The lease is kept as long as the handler runs, even one that does not
		// heed a stopping server.
		keeping, release := context.WithCancel(context.WithoutCancel(d.alive))
		var keeper sync.WaitGroup
		keeper.Go(func() { q.keep(keeping, l, cancel) })
		err := q.try(ctx, l.job, run)
		release()
		keeper.Wait()
		lost := errors.Is(context.Cause(ctx), errLost)
		cancel(nil)
		if lost {
			log.Warn("a job was cut off: its lease was lost")
			return
		}
		e = d.judge(l.job, err)
		if err != nil {
			log.Warn("a job's try failed", "code", evidence.CodeOf(err), "state", e.state)
		}
	}
	// Not d.alive: a stopping server still gives its leases back.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.alive), q.opt.Lease)
	defer cancel()
	held, err := q.end(ctx, l, e)
	if err != nil {
		log.Error("a job's end was not recorded: it will run again", "err", err)
	} else if !held {
		log.Warn("a job's end came too late: another worker has it")
	}
}

// judge says what becomes of a job whose try ended with err.
func (d *dispatcher) judge(j Job, err error) ending {
	now := d.q.opt.Now()
	switch {
	case err == nil:
		return ending{state: Done, tries: j.Try}
	case isPermanent(err):
		return ending{state: Failed, tries: j.Try, message: message(err)}
	case d.alive.Err() != nil:
		return ending{state: Waiting, due: now, tries: j.Try - 1, message: message(errStopping)}
	case isNotYet(err):
		return ending{state: Waiting, due: now.Add(d.q.backoff(3)), tries: j.Try - 1, message: message(err)}
	case j.Try >= j.MaxTries:
		return ending{state: Failed, tries: j.Try, message: message(err)}
	}
	return ending{state: Waiting, due: now.Add(d.q.backoff(j.Try)), tries: j.Try, message: message(err)}
}

// try runs the handler; a panic is an error.
func (q *Queue) try(ctx context.Context, j Job, run Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.opt.Logger.Error("a job's handler panicked", "job", j.ID, "kind", j.Kind, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run(ctx, j)
}

// keep renews the lease until ctx ends. It stops the handler with errLost when
// another worker has the job, or a third of a lease before one might have.
func (q *Queue) keep(ctx context.Context, l *lease, stop context.CancelCauseFunc) {
	third := q.opt.Lease / 3
	tick := time.NewTicker(third)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		short, done := context.WithTimeout(ctx, third)
		held, err := q.renew(short, l)
		done()
		if ctx.Err() != nil {
			return
		}
		if err == nil && !held || err != nil && !q.opt.Now().Add(third).Before(l.until) {
			stop(errLost)
			return
		}
	}
}

// backoff is how long to wait after a try that failed (1, 2, …): twice as long
// each time, and a random part of the last half less, so that jobs that failed
// together do not come back together.
func (q *Queue) backoff(try int) time.Duration {
	wait := maxBackoff
	if try < 30 {
		wait = min(q.opt.Backoff<<(try-1), maxBackoff)
	}
	var b [8]byte
	q.mu.Lock()
	_, err := io.ReadFull(q.opt.Rand, b[:])
	q.mu.Unlock()
	if err != nil {
		return wait // only the spread is lost
	}
	return wait - time.Duration(binary.BigEndian.Uint64(b[:])%uint64(wait/2+1))
}
