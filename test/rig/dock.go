package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"custos/durable"
	"custos/evidence"
	"custos/receipt"
)

// Dock is a docking station of the service.
type Dock struct {
	t       testing.TB
	s       *Service
	Dir     string
	Cameras string // folder in which cameras are docked
}

// NewDock enrols a dock.
func (s *Service) NewDock(name string) *Dock {
	s.t.Helper()
	d := &Dock{t: s.t, s: s, Dir: filepath.Join(filepath.Dir(s.Dir), "dock-"+name)}
	d.Cameras = filepath.Join(d.Dir, "cameras")
	if err := os.MkdirAll(d.Cameras, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.Run("admin", "dock", "add", name, "--out", filepath.Join(d.Dir, "dock.toml"), "--watch", d.Cameras)
	return d
}

// For is the same dock for a part of the test.
func (d *Dock) For(t testing.TB) *Dock {
	return &Dock{t: t, s: d.s.For(t), Dir: d.Dir, Cameras: d.Cameras}
}

// Command is a custos-dock command on this dock.
func (d *Dock) Command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(args, "--config", filepath.Join(d.Dir, "dock.toml"), "--journal", filepath.Join(d.Dir, "journal"))
	return exec.CommandContext(ctx, filepath.Join(d.s.Bin, "custos-dock"), args...)
}

// Empty runs the agent until all docked cameras are ready, and gives its output.
func (d *Dock) Empty(within time.Duration) string {
	d.t.Helper()
	out, err := d.TryEmpty(within)
	if err != nil {
		d.t.Fatalf("custos-dock run --once: %v\n%s\nserver:\n%s", err, out, d.s.Log())
	}
	return out
}

// TryEmpty is Empty for cameras that need not become ready. It may be called
// on several docks at the same time.
func (d *Dock) TryEmpty(within time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), within)
	defer cancel()
	out, err := d.Command(ctx, "run", "--once", "--json", "--stable", "1s").CombinedOutput()
	return string(out), err
}

// Entry is one record of a dock's journal: docs/dock.md.
type Entry struct {
	State, Device, File string
	Digest              evidence.Digest `json:"sha256"`
	Capture             *evidence.Capture
	Upload, Receipt     string
}

// Journal is the journal of a dock whose agent does not run, oldest first.
func (d *Dock) Journal() (list []Entry) {
	d.t.Helper()
	disk, err := durable.Open(filepath.Join(d.Dir, "journal"))
	if err != nil {
		d.t.Fatal(err)
	}
	journal, err := durable.OpenJournal(disk, "journal", func(record []byte) error {
		var e Entry
		err := json.Unmarshal(record, &e)
		list = append(list, e)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		d.t.Fatal(err)
	}
	return list
}

// Received is what a dock knows of a file and the receipt it has for it.
type Received struct {
	Capture evidence.Capture
	Receipt []byte
}

// Receipts are the receipts that the dock has checked and kept, oldest first.
func (d *Dock) Receipts() (list []Received) {
	d.t.Helper()
	type key struct {
		device, file string
		digest       evidence.Digest
	}
	captures := map[key]evidence.Capture{}
	for _, e := range d.Journal() {
		k := key{e.Device, e.File, e.Digest}
		if e.Capture != nil {
			captures[k] = *e.Capture
		}
		if e.Receipt != "" {
			list = append(list, Received{captures[k], []byte(e.Receipt)})
		}
	}
	return list
}

// Key is the key with which the dock signs in.
func (d *Dock) Key() string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.Dir, "dock.toml"))
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "key = "); ok {
			return strings.Trim(strings.TrimSpace(value), `'"`)
		}
	}
	d.t.Fatal("dock.toml has no key")
	return ""
}

// Trust are the keys that docks of this service pin.
func (s *Service) Trust() receipt.Trust {
	s.t.Helper()
	var keys struct{ LogKey, ReceiptKey string }
	if err := json.Unmarshal([]byte(s.Run("admin", "keys", "show", "--json")), &keys); err != nil {
		s.t.Fatal(err)
	}
	return receipt.Trust{Receipt: keys.ReceiptKey, Log: keys.LogKey}
}

// Camera makes an empty camera in a bay, in the layout of the profile custos.
func (d *Dock) Camera(bay, device, officer string) string {
	d.t.Helper()
	dir := filepath.Join(d.Cameras, bay)
	if err := os.MkdirAll(filepath.Join(dir, "DCIM", "20261121"), 0o755); err != nil {
		d.t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{"device": device, "officer": officer})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "CAMERA.JSON"), b, 0o644); err != nil {
		d.t.Fatal(err)
	}
	return dir
}

// Put places a file on a camera as segment n of the recording started at hhmmss.
func (d *Dock) Put(camera, device, officer, hhmmss string, n int, from string) string {
	d.t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		d.t.Fatal(err)
	}
	name := fmt.Sprintf("%s_%s_20261121T%sZ_%03d%s", device, officer, hhmmss, n, strings.ToUpper(filepath.Ext(from)))
	p := filepath.Join(camera, "DCIM", "20261121", name)
	if err := os.WriteFile(p, b, 0o644); err != nil {
		d.t.Fatal(err)
	}
	return p
}
