package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"custos/receipt"
	"custos/test/rig"
)

// Site is a service, its docking stations and the account of what was put on
// cameras there. It belongs to one goroutine.
type Site struct {
	t       testing.TB
	Tally   *Tally
	Rand    *rand.Rand
	Service *rig.Service
	Docks   []*Station
	Log     *Log
	Person  *rig.Person // an investigator, who may see everything

	dir      string
	trust    receipt.Trust
	footage  []byte             // a short film that plays; nil: none
	account  map[claim]Original // everything that ever was on a camera
	round    []Original         // what this round put there
	sound    map[claim]receipt.Receipt
	old      [][]byte // small contents of earlier rounds, to dock again
	cameras  []string // folders of this round
	serial   int
	viewings []viewing // that the service said yes to
}

// viewing is a consultation that was answered with 201.
type viewing struct{ recording, id string }

// Place is where a new site's things are.
type Place struct {
	Dir     string // folder of all of it
	Data    string // the service's data folder; "" = in Dir
	Footage string // a short film; "" = none
}

// NewSite makes a service with docks stations. Nothing runs.
func NewSite(t testing.TB, y *Tally, r *rand.Rand, bin string, place Place, docks int) *Site {
	t.Helper()
	s := &Site{t: t, Tally: y, Rand: r, dir: place.Dir, account: map[claim]Original{}, sound: map[claim]receipt.Receipt{}}
	s.Service = rig.New(t, bin, place.Dir)
	s.Service.Configure(`reserve = "16MiB"`)
	for i := range docks {
		s.Docks = append(s.Docks, &Station{t: t, Dock: s.Service.NewDock(fmt.Sprintf("d%d", i+1))})
	}
	if place.Data != "" {
		if err := s.moveData(place.Data); err != nil {
			t.Fatal(err)
		}
	}
	if place.Footage != "" {
		var err error
		if s.footage, err = os.ReadFile(place.Footage); err != nil {
			t.Fatal(err)
		}
	}
	var keys struct{ LogKey, ReceiptKey string }
	if err := json.Unmarshal([]byte(s.Service.Run("admin", "keys", "show", "--json")), &keys); err != nil {
		t.Fatal(err)
	}
	s.trust = receipt.Trust{Receipt: keys.ReceiptKey, Log: keys.LogKey}
	s.Start()
	var err error
	if s.Log, err = NewLog(s.Service.URL+"/log/", keys.LogKey, y); err != nil {
		t.Fatal(err)
	}
	s.Person = s.Service.SignIn("investigator")
	s.Service.Stop()
	return s
}

// moveData moves everything but the configuration to the folder to.
func (s *Site) moveData(to string) error {
	list, err := os.ReadDir(s.Service.Dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Name() == "custos.toml" || e.Name() == "server.log" {
			continue
		}
		if out, err := exec.Command("mv", filepath.Join(s.Service.Dir, e.Name()), to).CombinedOutput(); err != nil {
			return fmt.Errorf("move data: %w: %s", err, out)
		}
	}
	// What was just copied must not be what a power cut takes.
	if out, err := exec.Command("sync", "-f", to).CombinedOutput(); err != nil {
		return fmt.Errorf("sync: %w: %s", err, out)
	}
	s.Service.Configure(fmt.Sprintf("data = %q", to))
	return nil
}

// Start starts the server. Its port is not held while it is down, so another
// connection of this machine may sit on it for a moment.
func (s *Site) Start() {
	s.t.Helper()
	var err error
	for range 10 {
		if err = s.Service.TryStart(); err == nil {
			return
		}
		s.Service.Kill()
		if !strings.Contains(tail(s.Service.Log(), 600), "address already in use") {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	s.t.Fatalf("the server does not start: %v\n%s", err, tail(s.Service.Log(), 4000))
}

// StartDying starts a server that kills itself at a step, which may happen
// before it is ready.
func (s *Site) StartDying(step string, nth int) {
	for range 5 {
		err := s.Service.TryStart(fmt.Sprintf("CUSTOS_KILL_AT=%s:%d", step, nth))
		if err == nil || !strings.Contains(tail(s.Service.Log(), 600), "address already in use") {
			return
		}
		s.Service.Kill()
		time.Sleep(500 * time.Millisecond)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// Fill docks a camera with a few files at each station. clips are real
// footage.
func (s *Site) Fill(files, clips, part int) {
	s.t.Helper()
	s.round, s.cameras = nil, nil
	s.serial++
	var last []byte
	for i, d := range s.Docks {
		device := fmt.Sprintf("T%d-%d", s.serial, i+1)
		dir := d.Camera(fmt.Sprintf("bay%d", s.serial), device, "4711")
		s.cameras = append(s.cameras, dir)
		for n := 1; n <= files; n++ {
			var b []byte
			switch {
			case n <= clips && s.footage != nil:
				b = Unique(s.Rand, s.footage, 1+s.Rand.IntN(100_000))
			case n == files && i > 0 && s.Rand.IntN(2) == 0:
				b = last // the same bytes in two cameras
			case len(s.old) > 0 && s.Rand.IntN(10) == 0:
				b = s.old[s.Rand.IntN(len(s.old))] // bytes that came before
			default:
				b = Film(s.Rand, Size(s.Rand, part))
			}
			last = b
			if len(b) < 300_000 && len(s.old) < 50 {
				s.old = append(s.old, b)
			}
			name := fmt.Sprintf("DCIM/20261121/%s_4711_20261121T%02d%02d%02dZ_%03d.MP4", device, s.Rand.IntN(24), s.Rand.IntN(60), s.Rand.IntN(60), n)
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), b, 0o644); err != nil {
				s.t.Fatal(err)
			}
			o := NewOriginal(i, dir, device, name, b)
			s.round = append(s.round, o)
			s.account[of(o)] = o
		}
	}
	s.Tally.Add("files put on cameras", len(s.round))
}

// Emptied tells whether everything was wiped.
func (s *Site) Emptied() bool {
	s.t.Helper()
	for _, o := range s.round {
		gone, err := missing(o)
		if err != nil {
			s.t.Fatal(err)
		}
		if !gone {
			return false
		}
	}
	return true
}

// StartDocks starts all stations.
func (s *Site) StartDocks() {
	for _, d := range s.Docks {
		d.Start()
	}
}

// KillDocks kills all stations.
func (s *Site) KillDocks() {
	for _, d := range s.Docks {
		d.Kill()
	}
}

// Finish lets fresh docks empty the cameras with the server as it runs.
func (s *Site) Finish(within time.Duration) {
	s.t.Helper()
	s.KillDocks()
	s.StartDocks()
	deadline := time.Now().Add(within)
	for !s.Emptied() {
		if time.Now().After(deadline) {
			s.Tally.Violation("after %s without trouble the cameras are not empty: %s", within, s.left())
			break
		}
		if !s.Service.Alive() {
			s.Tally.Violation("the server ended by itself: %s", tail(s.Service.Log(), 1500))
			break
		}
		time.Sleep(30 * time.Millisecond)
	}
	s.KillDocks()
}

func (s *Site) left() string {
	var names []string
	for _, o := range s.round {
		if gone, err := missing(o); err == nil && !gone {
			names = append(names, o.String())
		}
	}
	for _, d := range s.Docks {
		names = append(names, "\n"+tail(d.said(), 800))
	}
	return strings.Join(names, ", ")
}

// Forget removes the cameras of this round, all empty now.
func (s *Site) Forget() {
	s.t.Helper()
	for _, dir := range s.cameras {
		if err := os.RemoveAll(dir); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Station is a docking station whose agent is a process.
type Station struct {
	*rig.Dock
	Bandwidth string // of all uploads together, as 6MB; "" = no limit

	t    testing.TB
	cmd  *exec.Cmd
	done chan error
}

func (d *Station) journal() string { return filepath.Join(d.Dir, "journal") }

// Start starts the agent, if it does not run.
func (d *Station) Start() {
	d.t.Helper()
	if d.cmd != nil {
		return
	}
	out, err := os.OpenFile(filepath.Join(d.Dir, "dock.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	args := []string{"run", "--json", "--stable", "1s"}
	if d.Bandwidth != "" {
		args = append(args, "--bandwidth", d.Bandwidth)
	}
	d.cmd = d.Command(context.Background(), args...)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := errors.Join(d.cmd.Start(), out.Close()); err != nil {
		d.t.Fatal(err)
	}
	d.done = make(chan error, 1)
	cmd, done := d.cmd, d.done
	go func() { done <- cmd.Wait() }()
	d.t.Cleanup(d.Kill)
}

// Kill ends the agent at once.
func (d *Station) Kill() {
	if d.cmd == nil {
		return
	}
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL) // gone already: fine
	<-d.done
	d.cmd = nil
}

func (d *Station) said() string {
	b, err := os.ReadFile(filepath.Join(d.Dir, "dock.log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}
