package dock

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"custos/camera"
	"custos/evidence"
)

// Limits of an Agent's own pace.
const (
	tick        = 200 * time.Millisecond // between two turns of the machine, at the most
	restStatus  = 15 * time.Second       // between two statuses when nothing moves
	receiptWait = 20 * time.Second       // that the server may hold a question for a receipt
)

// Agent runs a Machine: it gives it a clock, does its jobs and tells the
// server how the cameras are. Fields must not change while Run runs.
type Agent struct {
	Station  Station
	Server   Server
	Profiles camera.Profiles
	Config   Config // of the Machine
	Name     string // of the dock, as people call it
	Version  string
	Once     bool                      // end when every camera that is there is done
	Show     func(evidence.DockStatus) // called about every second and at every change of state, from Run's goroutine; may be nil
	Now      func() time.Time          // nil: time.Now
	Log      *slog.Logger

	machine *Machine
	began   time.Time
	results chan finished
	jobs    sync.WaitGroup
	shown   evidence.DockStatus // last status that was shown
	shownAt time.Duration
	looked  time.Duration // when bays were last listed
	tell    chan evidence.DockStatus
}

type finished struct {
	job    *Job
	result Result
}

// Run works until ctx ends, which is no error, or with Once until all is
// done. It returns an error only when the journal cannot be written. Uploads
// under way are broken off and go on at the next start; a wipe under way is
// finished and journalled.
func (a *Agent) Run(ctx context.Context) error {
	if a.Now == nil {
		a.Now = time.Now
	}
	a.began, a.looked, a.shownAt = a.Now(), -time.Hour, -time.Hour
	a.machine = NewMachine(a.Config)
	defer a.machine.Close()
	a.results = make(chan finished)
	a.tell = make(chan evidence.DockStatus, 1)
	told := make(chan struct{})
	go a.telling(ctx, told)
	err := a.work(ctx)
	close(a.tell)
	<-told
	return err
}

func (a *Agent) time() Time {
	now := a.Now()
	// Sub uses the monotonic clock where there is one, so jumps do not matter.
	return Time{Wall: now, Since: now.Sub(a.began)}
}

func (a *Agent) work(ctx context.Context) error {
	turn := time.NewTicker(tick)
	defer turn.Stop()
	running := 0
	for {
		t := a.time()
		a.list(t)
		if ctx.Err() == nil {
			jobs, err := a.machine.Next(t)
			for _, j := range jobs {
				running++
				a.start(ctx, j)
			}
			if err != nil {
				return a.stop(running, err)
			}
		}
		a.show(t)
		if ctx.Err() != nil || a.Once && running == 0 && a.machine.Settled() {
			return a.stop(running, nil)
		}
		select {
		case <-ctx.Done():
		case <-turn.C:
		case f := <-a.results:
			running--
			if err := a.machine.Done(a.time(), f.job, f.result); err != nil {
				return a.stop(running, err)
			}
		}
	}
}

func (a *Agent) start(ctx context.Context, j *Job) {
	bench := Bench{Station: a.Station, Server: a.Server, Profiles: a.Profiles, Wait: receiptWait}
	a.jobs.Go(func() { a.results <- finished{j, j.Run(ctx, bench)} })
}

// stop waits for the jobs under way and takes what they bring.
func (a *Agent) stop(running int, err error) error {
	for ; running > 0; running-- {
		f := <-a.results
		if e := a.machine.Done(a.time(), f.job, f.result); err == nil {
			err = e
		}
	}
	a.jobs.Wait()
	a.shownAt = -time.Hour
	a.show(a.time())
	return err
}

func (a *Agent) list(t Time) {
	if t.Since-a.looked < time.Second {
		return
	}
	a.looked = t.Since
	bays, err := a.Station.Bays()
	if err != nil {
		a.Log.Warn("a folder that is watched for cameras cannot be read", "err", err)
	}
	a.machine.SetBays(bays)
}

func (a *Agent) show(t Time) {
	age := t.Since - a.shownAt
	if age < time.Second {
		return
	}
	s := a.machine.Status(t)
	s.Name, s.Version = a.Name, a.Version
	changed := differs(a.shown, s)
	if a.Show != nil {
		a.Show(s)
	}
	a.shownAt = t.Since
	if !changed && !moving(s) && s.At.Sub(a.shown.At).Abs() < restStatus {
		return
	}
	a.shown = s
	select {
	case <-a.tell: // an older one that was not sent yet
	default:
	}
	a.tell <- s
}

// differs tells whether people would want to know at once.
func differs(a, b evidence.DockStatus) bool {
	if len(a.Cameras) != len(b.Cameras) || a.Message != b.Message {
		return true
	}
	for i, c := range b.Cameras {
		d := a.Cameras[i]
		if c.Device != d.Device || c.State != d.State || c.Done != d.Done || c.Wiped != d.Wiped || c.Files != d.Files {
			return true
		}
	}
	return false
}

func moving(s evidence.DockStatus) bool {
	for _, c := range s.Cameras {
		if c.State == evidence.CameraReading || c.State == evidence.CameraUploading {
			return true
		}
	}
	return false
}

// telling sends the latest status to the server, in its own goroutine so that
// a slow server holds nothing up.
func (a *Agent) telling(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	for s := range a.tell {
		// The last status should get out although ctx has ended.
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		if err := a.Server.Status(short, s); err != nil {
			a.Log.Debug("the server did not take the status", "code", evidence.CodeOf(err))
		}
		cancel()
	}
}
