package dock_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"custos/camera"
	"custos/camera/cameratest"
	"custos/client"
	"custos/client/clienttest"
	"custos/dock"
	"custos/evidence"
	"custos/receipt"
)

var begin = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

var head = "\x00\x00\x00\x18ftypisom"

// footage is a film of n bytes that differs from that of every other name.
func footage(name string, n int) []byte {
	return []byte(head + strings.Repeat(name+" ", n/(len(name)+1)+1))[:max(n, len(head)+len(name))]
}

// errKilled is the power cut.
var errKilled = errors.New("killed")

// world is a docking station, its cameras and a server, run one job at a time
// in an order that only the seed decides.
type world struct {
	t        testing.TB
	random   *rand.Rand
	chance   io.Reader
	server   *clienttest.Server
	cards    map[string]*cameratest.Card // by bay
	journal  journal
	m        *dock.Machine
	now      dock.Time
	pending  []*dock.Job
	effects  int // journal appends, removals, calls so far
	killAt   int // the effect at which power goes; 0: never
	after    bool
	parallel int
	calls    []string
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), chance: rand.NewChaCha8([32]byte{byte(seed)}),
		server: clienttest.New(), cards: map[string]*cameratest.Card{},
		now: dock.Time{Wall: begin},
	}
	w.journal.w = w
	w.boot()
	return w
}

// boot starts the agent anew with what the journal holds.
func (w *world) boot() {
	w.t.Helper()
	memory := dock.NewMemory()
	for _, r := range w.journal.records {
		if err := memory.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.pending = nil
	w.now.Since = 0
	w.m = dock.NewMachine(dock.Config{
		Stable: 3 * time.Second, Poll: time.Second, Parallel: w.parallel, Backoff: client.Backoff{Min: time.Second, Max: time.Minute},
		Rand: w.chance, Check: w.check, Journal: &w.journal, Memory: memory, Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) check(note []byte, c evidence.Capture) error {
	_, err := receipt.Check(note, w.server.Trust(), receipt.Expect{Device: c.Device, FileName: c.FileName, Digest: c.Digest, Length: c.Length})
	return err
}

// effect counts what leaves a trace outside the agent. do is called unless
// power goes before it.
func (w *world) effect(name string, do func()) {
	w.effects++
	cut := w.killAt > 0 && w.effects == w.killAt
	if cut && !w.after {
		panic(errKilled)
	}
	w.calls = append(w.calls, name)
	do()
	if cut {
		panic(errKilled)
	}
}

// dockCard plugs a card into a bay.
func (w *world) dockCard(bay string) *cameratest.Card {
	c := cameratest.New()
	w.cards[bay] = c
	return c
}

// camera is a card of the custos layout with a device number on it.
func (w *world) camera(bay, device string) *cameratest.Card {
	c := w.dockCard(bay)
	c.Write("CAMERA.JSON", []byte(`{"device":"`+device+`","officer":"4417"}`), begin)
	return c
}

// step lets a fifth of a second pass and some jobs run.
func (w *world) step() {
	w.t.Helper()
	w.now.Since += 200 * time.Millisecond
	w.now.Wall = w.now.Wall.Add(200 * time.Millisecond)
	bays, _ := station{w}.Bays()
	w.m.SetBays(bays)
	jobs, err := w.m.Next(w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.pending = append(w.pending, jobs...)
	for n := w.random.IntN(4); n > 0 && len(w.pending) > 0; n-- {
		i := w.random.IntN(len(w.pending))
		j := w.pending[i]
		w.pending = slices.Delete(w.pending, i, i+1)
		r := j.Run(context.Background(), w.bench())
		if err := w.m.Done(w.now, j, r); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) bench() dock.Bench {
	return dock.Bench{Station: station{w}, Server: server{w}, Profiles: profiles(w.t)}
}

// profiles are read once; they do not change.
var profiles = func() func(testing.TB) camera.Profiles {
	read := sync.OnceValues(camera.Shipped)
	return func(t testing.TB) camera.Profiles {
		ps, err := read()
		if err != nil {
			t.Fatal(err)
		}
		return ps
	}
}()

// run steps for d of the world's time.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	for end := w.now.Since + d; w.now.Since < end; {
		w.step()
	}
}

// settle runs until nothing is left to do, at most an hour of the world's.
func (w *world) settle() {
	w.t.Helper()
	for end := w.now.Since + time.Hour; ; w.step() {
		if w.now.Since > end {
			w.t.Fatalf("not settled after an hour: %+v", w.m.Status(w.now))
		}
		if len(w.pending) == 0 && w.m.Settled() {
			// Twice: a look may be due.
			w.run(2 * time.Second)
			if w.m.Settled() {
				return
			}
		}
	}
}

// status is the state of the camera in a bay of this device.
func (w *world) status(device string) evidence.CameraStatus {
	w.t.Helper()
	for _, c := range w.m.Status(w.now).Cameras {
		if c.Device == device {
			return c
		}
	}
	w.t.Fatalf("no camera %s in %+v", device, w.m.Status(w.now))
	return evidence.CameraStatus{}
}

type station struct{ w *world }

func (s station) Bays() ([]string, error) {
	var names []string
	for b := range s.w.cards {
		names = append(names, b)
	}
	slices.Sort(names)
	return names, nil
}

func (s station) Open(bay string) (camera.Card, error) {
	c := s.w.cards[bay]
	if c == nil || c.Gone() {
		return nil, fs.ErrNotExist
	}
	return &guarded{c, s.w}, nil
}

func (s station) Same(bay string, card camera.Card) bool {
	g := card.(*guarded)
	return s.w.cards[bay] == g.Card && !g.Gone()
}

func (s station) Label(bay string) string { return bay }

// guarded is the conscience of every test: nothing leaves a card that the
// vault does not hold and that has no valid receipt in the journal.
type guarded struct {
	*cameratest.Card
	w *world
}

func (g *guarded) Remove(name string) error {
	var err error
	g.w.effect("remove "+name, func() {
		data, ok := g.Data(name)
		if ok && !strings.HasSuffix(name, ".THM") {
			if !g.w.server.Holds(data) {
				g.w.t.Errorf("%s was wiped and is not in the vault", name)
			}
			if !g.w.journal.intends(name, sha256.Sum256(data)) {
				g.w.t.Errorf("%s was wiped and the journal does not say so first", name)
			}
			if !g.w.journal.proves(name, sha256.Sum256(data)) {
				g.w.t.Errorf("%s was wiped without a valid receipt in the journal", name)
			}
		}
		err = g.Card.Remove(name)
	})
	return err
}

// journal is in memory and loses power with the world.
type journal struct {
	w       *world
	records [][]byte
	fail    error
}

func (j *journal) Append(r []byte) error {
	if j.fail != nil {
		return j.fail
	}
	j.w.effect("journal", func() { j.records = append(j.records, bytes.Clone(r)) })
	return nil
}

func (j *journal) Rewrite(records iter.Seq[[]byte]) error {
	j.records = nil
	for r := range records {
		j.records = append(j.records, bytes.Clone(r))
	}
	return nil
}

// proves looks for a receipt of these bytes that checks out.
func (j *journal) proves(name string, digest evidence.Digest) bool {
	for _, r := range j.records {
		var line struct {
			Device, File, Receipt string
			Sha256                evidence.Digest
		}
		if err := json.Unmarshal(r, &line); err != nil {
			j.w.t.Fatal(err)
		}
		if line.Receipt == "" || line.File != name || line.Sha256 != digest {
			continue
		}
		if _, err := receipt.Check([]byte(line.Receipt), j.w.server.Trust(), receipt.Expect{
			Device: line.Device, FileName: name, Digest: digest, Length: j.w.length(name, digest),
		}); err == nil {
			return true
		}
	}
	return false
}

// intends reports whether the last word on these bytes is that they go.
func (j *journal) intends(name string, digest evidence.Digest) bool {
	last := ""
	for _, r := range j.records {
		var line struct {
			State, File string
			Sha256      evidence.Digest
		}
		if err := json.Unmarshal(r, &line); err != nil {
			j.w.t.Fatal(err)
		}
		if line.File == name && line.Sha256 == digest {
			last = line.State
		}
	}
	return last == "wiping"
}

// length is how long the file with this digest is on any card.
func (w *world) length(name string, digest evidence.Digest) int64 {
	for _, c := range w.cards {
		if data, ok := c.Data(name); ok && sha256.Sum256(data) == digest {
			return int64(len(data))
		}
	}
	return -1
}

// server counts its calls as effects.
type server struct{ w *world }

func (s server) Create(ctx context.Context, c evidence.Capture) (at string, err error) {
	s.w.effect("create "+c.Device+"/"+c.FileName, func() { at, err = s.w.server.Create(ctx, c) })
	return at, err
}

func (s server) Upload(ctx context.Context, at string, r io.ReaderAt, n int64, p func(int64)) (err error) {
	s.w.effect("upload", func() { err = s.w.server.Upload(ctx, at, r, n, p) })
	return err
}

func (s server) Receipt(ctx context.Context, at string, d time.Duration) (note []byte, err error) {
	s.w.effect("receipt", func() { note, err = s.w.server.Receipt(ctx, at, d) })
	return note, err
}

func (s server) Status(context.Context, evidence.DockStatus) error { return nil }

// killed runs until power goes; it reports whether it did.
func (w *world) killed(run func()) (cut bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != errKilled {
				panic(p)
			}
			cut = true
		}
	}()
	run()
	return false
}

func media(names []string) (left []string) {
	for _, n := range names {
		if strings.HasSuffix(n, ".MP4") {
			left = append(left, n)
		}
	}
	return left
}

func path(i int) string { return fmt.Sprintf("DCIM/100/FILM%04d.MP4", i) }
