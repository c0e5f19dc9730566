package dock

import (
	"cmp"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"custos/camera"
	"custos/client"
	"custos/evidence"
)

// Limits of trying again.
const (
	maxReads   = 3                // times an unreadable file is read before it waits for the next docking
	maxDiffers = 2                // times a card may give other bytes than before
	slowRetry  = 10 * time.Minute // for what a person must look at but that may heal
)

// Config is what a Machine works with. All but Stable, Poll, Parallel,
// Backoff and Memory must be given.
type Config struct {
	Stable   time.Duration // a file must not have changed for so long; 0: 3 s
	Poll     time.Duration // between two looks at a bay; 0: 1 s
	Parallel int           // uploads at a time; 0: 4
	Backoff  client.Backoff
	Rand     io.Reader // chance for Backoff
	Check    Check
	Journal  Journal
	Memory   *Memory // the journal's content; nil: empty
	Log      *slog.Logger
}

// Machine decides what is done with every file. It is not safe for
// concurrent use and has no clock of its own.
type Machine struct {
	cfg    Config
	memory *Memory
	bays   map[string]*bay
	began  bool // SetBays was called
	reach  gate // is the server there
	room   gate // has it room
	turns  int  // counts jobs, for fairness between bays
	broken error
}

// gate holds back calls to the server after one has failed.
type gate struct {
	until time.Duration
	tries int
	err   error
}

func (g *gate) shut(at time.Duration) bool { return g.err != nil && at < g.until }

func (g *gate) fail(m *Machine, t Time, err error) {
	g.tries++
	g.err, g.until = err, t.Since+m.cfg.Backoff.Wait(g.tries, err, m.cfg.Rand)
}

// probe keeps a gate that has opened to one call until that has answered.
func (g *gate) probe(t Time) {
	if g.err != nil {
		g.until = t.Since + time.Minute
	}
}

// unanswered lets the next call find out what the last one did not.
func (g *gate) unanswered(t Time) {
	if g.err != nil {
		g.until = t.Since
	}
}

// bay is a place where a camera may be.
type bay struct {
	name     string
	looked   bool          // at least once
	looking  bool          // a look is under way
	nextLook time.Duration // when to look again
	watched  bool          // the agent ran when it became a bay
	trouble  string        // why the camera cannot be read
	card     camera.Card   // nil: no camera
	profile  *camera.Profile
	docked   camera.Docked
	left     []camera.Left
	files    map[string]*file
	gone     []*file // wiped in this docking: for the counts
	inFlight int
	turn     int // when it was last served
	speed    speed
	device   string // of the camera that is or was here, for the status
	officer  string
}

// step is what a file waits for next.
type step int

const (
	growing   step = iota // it must keep still
	hashing               // to be read
	announced             // to be announced
	sending               // to be uploaded
	asking                // to get its receipt
	wipingUp              // to be removed
	inVault               // has its receipt but could not be removed
	notMedia              // left alone
	stuck                 // a person must look; tried again at the next docking
	removed
)

// file is one file on a camera in this docking.
type file struct {
	found   camera.Found
	since   time.Duration // unchanged since
	step    step
	busy    bool
	stale   bool // it changed or vanished while busy
	next    time.Duration
	tries   int // of the current step
	reads   int // read errors
	differs int // times it read differently
	damaged int // times the server received other bytes
	item    camera.Item
	digest  evidence.Digest // zero: not hashed in this docking
	alarm   string          // what a person must know at once; "": nothing
	message string
	sent    atomic.Int64
}

// NewMachine makes a machine with no bays.
func NewMachine(cfg Config) *Machine {
	cfg.Stable = cmp.Or(cfg.Stable, 3*time.Second)
	cfg.Poll = cmp.Or(cfg.Poll, time.Second)
	cfg.Parallel = cmp.Or(cfg.Parallel, 4)
	m := &Machine{cfg: cfg, memory: cfg.Memory, bays: map[string]*bay{}}
	if m.memory == nil {
		m.memory = NewMemory()
	}
	return m
}

// SetBays says which bays there are now. A bay that is no longer named is
// looked at once more when it holds a camera, and then forgotten.
func (m *Machine) SetBays(names []string) {
	for _, n := range names {
		if m.bays[n] == nil {
			m.bays[n] = &bay{name: n, files: map[string]*file{}, watched: m.began}
		}
	}
	m.began = true
	for n, b := range m.bays {
		if !slices.Contains(names, n) && b.card == nil && b.inFlight == 0 && !b.looking {
			delete(m.bays, n)
		}
	}
}

// order is the bays in a fixed order, so that a seed replays a run.
func (m *Machine) order() []*bay {
	all := make([]*bay, 0, len(m.bays))
	for _, b := range m.bays {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *bay) int { return strings.Compare(a.name, b.name) })
	return all
}

func (b *bay) sorted() []*file {
	all := make([]*file, 0, len(b.files))
	for _, f := range b.files {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *file) int { return strings.Compare(a.found.Path, b.found.Path) })
	return all
}

// Next gives the jobs to begin now. Each must be run and handed to Done. It
// fails as Done does.
func (m *Machine) Next(t Time) ([]*Job, error) {
	if m.broken != nil {
		return nil, m.broken
	}
	var jobs []*Job
	for _, b := range m.order() {
		if !b.looking && t.Since >= b.nextLook {
			b.looking = true
			j := &Job{kind: look, bay: b, card: b.card, profile: b.profile, docked: b.docked}
			if b.looked || b.watched {
				j.appeared = t.Wall // it was not there at the look before
			}
			jobs = append(jobs, j)
		}
		if b.card == nil {
			continue
		}
		for _, f := range b.sorted() {
			if f.step == growing && !f.busy && t.Since-f.since >= m.cfg.Stable {
				f.step = hashing
			}
		}
		if f := b.first(t, hashing); f != nil && !b.has(hashing) {
			jobs = append(jobs, m.job(b, f, hash))
		}
		if f := b.first(t, wipingUp); f != nil && !b.has(wipingUp) {
			job, err := m.mayWipe(t, b, f)
			if err != nil {
				return jobs, err
			}
			if job != nil {
				jobs = append(jobs, job)
			}
		}
	}
	return append(jobs, m.calls(t)...), nil
}

// calls gives the jobs that need the server. After a failure a single call
// finds out whether it is back.
func (m *Machine) calls(t Time) (jobs []*Job) {
	sends, asks := m.counts()
	for !m.reach.shut(t.Since) && asks < 4*m.cfg.Parallel {
		b, f := m.fair(t, asking)
		if f == nil {
			break
		}
		asks++
		jobs = append(jobs, m.job(b, f, ask))
		m.reach.probe(t)
	}
	for !m.reach.shut(t.Since) && !m.room.shut(t.Since) && sends < m.cfg.Parallel {
		b, f := m.fair(t, sending, announced)
		if f == nil {
			break
		}
		sends++
		k := send
		if f.step == announced {
			k = announce
		}
		jobs = append(jobs, m.job(b, f, k))
		m.reach.probe(t)
		m.room.probe(t)
	}
	return jobs
}

func (m *Machine) counts() (sends, asks int) {
	for _, b := range m.bays {
		for _, f := range b.files {
			switch {
			case !f.busy:
			case f.step == asking:
				asks++
			case f.step == announced || f.step == sending:
				sends++
			}
		}
	}
	return sends, asks
}

// first is the first idle file that waits for one of the steps, by name.
func (b *bay) first(t Time, steps ...step) *file {
	for _, f := range b.sorted() {
		if !f.busy && t.Since >= f.next && slices.Contains(steps, f.step) {
			return f
		}
	}
	return nil
}

// has reports whether a file of the bay is busy with a step.
func (b *bay) has(s step) bool {
	for _, f := range b.files {
		if f.busy && f.step == s {
			return true
		}
	}
	return false
}

// fair picks a file of the bay with the least under way, and among those of
// the one that was served longest ago.
func (m *Machine) fair(t Time, steps ...step) (*bay, *file) {
	var best *bay
	var chosen *file
	for _, b := range m.order() {
		if b.card == nil {
			continue
		}
		if best != nil && cmp.Or(cmp.Compare(b.inFlight, best.inFlight), cmp.Compare(b.turn, best.turn)) >= 0 {
			continue
		}
		if f := b.first(t, steps...); f != nil {
			best, chosen = b, f
		}
	}
	return best, chosen
}

func (m *Machine) job(b *bay, f *file, k kind) *Job {
	f.busy = true
	b.inFlight++
	m.turns++
	b.turn = m.turns
	j := &Job{
		kind: k, bay: b, file: f, card: b.card, profile: b.profile, docked: b.docked,
		found: f.found, capture: f.item.Capture, with: f.item.Companions, sent: &f.sent,
	}
	if e := m.entry(f); e != nil {
		j.upload = e.upload
	}
	return j
}

func (m *Machine) entry(f *file) *entry {
	if f.digest.IsZero() {
		return nil
	}
	c := f.item.Capture
	return m.memory.entries[key{c.Device, c.FileName, f.digest}]
}

// write journals a state of the file's bytes. When that fails the machine
// stops for good: nothing more may be acknowledged or wiped.
func (m *Machine) write(t Time, f *file, s state, fill func(*record)) error {
	r := record{State: s, At: t.Wall.UTC(), Device: f.item.Capture.Device, File: f.item.Capture.FileName, Digest: f.digest}
	if fill != nil {
		fill(&r)
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = m.cfg.Journal.Append(text)
	}
	if err != nil {
		m.broken = evidence.Wrap(evidence.Unavailable, err,
			"The dock's journal cannot be written. Nothing more is wiped. Check the dock's own disk and start again.")
		return m.broken
	}
	m.memory.apply(r)
	return nil
}

// mayWipe is the only place where a wipe is decided. The receipt is checked
// once more as it lies in the journal, against the digest of this docking.
func (m *Machine) mayWipe(t Time, b *bay, f *file) (*Job, error) {
	e := m.entry(f)
	if e == nil || len(e.receipt) == 0 {
		f.to(announced)
		return nil, nil
	}
	want := f.item.Capture
	want.Digest, want.Length = f.digest, f.found.Stamp.Size
	if err := m.cfg.Check(e.receipt, want); err != nil {
		f.to(announced)
		m.alarm(t, f, err)
		return nil, m.write(t, f, lost, func(r *record) { r.Why = "the receipt in the journal does not check out" })
	}
	if err := m.write(t, f, wiping, nil); err != nil {
		return nil, err
	}
	return m.job(b, f, wipe), nil
}

func (f *file) to(s step) {
	if f.step != s {
		f.tries = 0
	}
	f.step, f.message, f.next = s, "", 0
}

// retry keeps the step and waits.
func (m *Machine) retry(t Time, f *file, err error, message string) {
	f.tries++
	f.message = message
	f.next = t.Since + m.cfg.Backoff.Wait(f.tries, err, m.cfg.Rand)
}

func (f *file) fail(message string) { f.step, f.message = stuck, message }

// alarm reports a receipt that does not check out.
func (m *Machine) alarm(t Time, f *file, err error) {
	m.retry(t, f, err, "")
	f.alarm = "The server's receipt for this file does not check out. The file stays on the camera. Tell whoever runs the server."
	m.cfg.Log.Error("a receipt does not check out; the file stays on the camera", "code", evidence.CodeOf(err), "err", err)
}
