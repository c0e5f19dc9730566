package ingest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"custos/evidence"
)

// Docks keeps the last status of every docking station in memory and passes
// each new one on. Nothing of it outlives the process: docks report again
// within 15 s. Its methods may be called concurrently.
type Docks struct {
	now func() time.Time

	mu   sync.Mutex
	last map[string]Seen                       // mu; by dock ID
	subs map[chan evidence.DockStatus]struct{} // mu
}

// Seen is a dock's last status and when it came, by the server's clock.
type Seen struct {
	evidence.DockStatus
	LastSeen time.Time `json:"lastSeen"`
}

// NewDocks makes an empty Docks. now is the clock, nil for time.Now.
func NewDocks(now func() time.Time) *Docks {
	if now == nil {
		now = time.Now
	}
	return &Docks{now: now, last: map[string]Seen{}, subs: map[chan evidence.DockStatus]struct{}{}}
}

const (
	maxCameras    = 128 // in one status
	maxCurrent    = 64  // files of one camera in one status
	maxStatusText = 300 // bytes of one text in a status
	subscription  = 64  // statuses a subscriber may lag behind
)

// Put takes in what a dock says of itself. Dock and Name come from actor, not
// from the status; hostile text in it is made fit to show. Denied when the
// actor is no dock, Invalid when there is too much of it.
func (d *Docks) Put(actor evidence.Actor, st evidence.DockStatus) error {
	if actor.Kind != evidence.Dock {
		return evidence.Errorf(evidence.Denied, "only a dock reports a dock's status")
	}
	if len(st.Cameras) > maxCameras {
		return evidence.Errorf(evidence.Invalid, "a status may hold %d cameras at most", maxCameras)
	}
	for _, c := range st.Cameras {
		if len(c.Current) > maxCurrent {
			return evidence.Errorf(evidence.Invalid, "a status may name %d files of a camera at most", maxCurrent)
		}
	}
	st = fit(st)
	st.Dock, st.Name = actor.ID, actor.Name

	d.mu.Lock()
	defer d.mu.Unlock()
	d.last[st.Dock] = Seen{st, d.now().UTC()}
	for ch := range d.subs {
		select {
		case ch <- st:
			continue
		default:
		}
		// Full: the oldest goes, so that a slow reader still ends at the
		// newest. Only Put sends, under mu, so there is room after this.
		select {
		case <-ch:
		default:
		}
		ch <- st
	}
	return nil
}

// fit is a copy of st with text that can be shown.
func fit(st evidence.DockStatus) evidence.DockStatus {
	st.Version, st.Message = shown(st.Version), shown(st.Message)
	st.Cameras = slices.Clone(st.Cameras)
	for i := range st.Cameras {
		c := &st.Cameras[i]
		c.Device, c.Officer, c.Profile = shown(c.Device), shown(c.Officer), shown(c.Profile)
		c.State, c.Message = evidence.CameraState(shown(string(c.State))), shown(c.Message)
		c.Current = slices.Clone(c.Current)
		for j := range c.Current {
			f := &c.Current[j]
			f.Name, f.State, f.Message = shown(f.Name), shown(f.State), shown(f.Message)
		}
	}
	return st
}

// shown is s, cut short and with _ for what isText forbids.
func shown(s string) string {
	if len(s) > maxStatusText {
		s = s[:maxStatusText]
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return '_'
		}
		return r
	}, s)
}

// All is the last status of every dock heard of since the start, by dock ID.
func (d *Docks) All() []Seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Seen, 0, len(d.last))
	for _, s := range d.last {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Seen) int { return strings.Compare(a.Dock, b.Dock) })
	return all
}

// Subscribe passes on every status put from now until ctx is done; then the
// channel is closed. A reader that lags more than 64 behind misses the oldest.
// The statuses are shared: readers must not change them.
func (d *Docks) Subscribe(ctx context.Context) <-chan evidence.DockStatus {
	ch := make(chan evidence.DockStatus, subscription)
	d.mu.Lock()
	d.subs[ch] = struct{}{}
	d.mu.Unlock()
	context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.subs, ch)
		close(ch)
	})
	return ch
}
