package dock_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"custos/camera"
	"custos/client/clienttest"
	"custos/dock"
	"custos/durable"
	"custos/evidence"
	"custos/receipt"
)

// put writes a camera of the custos layout into a folder.
func put(t *testing.T, dir, device string, films ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "DCIM"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"CAMERA.JSON": []byte(`{"device":"` + device + `"}`)}
	for _, f := range films {
		files["DCIM/"+f] = footage(device+f, 3000)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func agent(t *testing.T, s *clienttest.Server, f dock.Folders, journalDir string) (*dock.Agent, func()) {
	t.Helper()
	disk, err := durable.Open(journalDir)
	if err != nil {
		t.Fatal(err)
	}
	memory := dock.NewMemory()
	j, err := durable.OpenJournal(disk, "journal", memory.Replay)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := camera.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	a := &dock.Agent{
		Station: f, Server: s, Profiles: ps, Name: "Front desk", Version: "test", Log: log,
		Config: dock.Config{Rand: rand.Reader, Journal: j, Memory: memory, Log: log, Check: func(note []byte, c evidence.Capture) error {
			_, err := receipt.Check(note, s.Trust(), receipt.Expect{Device: c.Device, FileName: c.FileName, Digest: c.Digest, Length: c.Length})
			return err
		}},
	}
	return a, func() {
		if err := errors.Join(j.Close(), disk.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestAgentEmptiesRealFoldersOnce(t *testing.T) {
	root, fixed, journals := t.TempDir(), t.TempDir(), t.TempDir()
	put(t, filepath.Join(root, "CAM1"), "K-1", "a.MP4", "b.MP4")
	put(t, fixed, "K-2", "a.MP4")
	if err := os.WriteFile(filepath.Join(root, "not-a-folder"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.New()
		a, closeAll := agent(t, s, dock.Folders{Roots: []string{root}, Cameras: []string{fixed}}, journals)
		defer closeAll()
		a.Once = true
		var last evidence.DockStatus
		a.Show = func(s evidence.DockStatus) { last = s }
		begin := time.Now()
		if err := a.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d > time.Minute {
			t.Errorf("took %s", d)
		}
		if s.Len() != 3 || !dock.Well(last) || len(last.Cameras) != 2 {
			t.Errorf("vault has %d, status %+v", s.Len(), last)
		}
		told := s.Statuses()
		if len(told) == 0 || told[len(told)-1].Cameras[0].State != evidence.CameraReady || told[0].Name != "Front desk" {
			t.Errorf("the server was told %+v", told)
		}
	})
	for _, gone := range []string{"CAM1/DCIM/a.MP4", "CAM1/DCIM/b.MP4"} {
		if _, err := os.Stat(filepath.Join(root, gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "CAM1/CAMERA.JSON")); err != nil {
		t.Error(err)
	}
}

// stuckServer holds every upload until it is told to stop.
type stuckServer struct {
	*clienttest.Server
	uploading atomic.Bool
}

func (s *stuckServer) Receipt(ctx context.Context, _ string, _ time.Duration) ([]byte, error) {
	s.uploading.Store(true)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAgentStopsAtOnceAndGoesOnLater(t *testing.T) {
	root, journals := t.TempDir(), t.TempDir()
	put(t, filepath.Join(root, "CAM1"), "K-1", "a.MP4")
	synctest.Test(t, func(t *testing.T) {
		s := &stuckServer{Server: clienttest.New()}
		a, closeAll := agent(t, s.Server, dock.Folders{Roots: []string{root}}, journals)
		a.Server = s
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- a.Run(ctx) }()
		time.Sleep(time.Minute)
		if !s.uploading.Load() {
			t.Error("nothing is under way")
		}
		begin := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begin) > time.Second {
			t.Errorf("stopped with %v after %s", err, time.Since(begin))
		}
		closeAll()

		a, closeAll = agent(t, s.Server, dock.Folders{Roots: []string{root}}, journals)
		defer closeAll()
		a.Once = true
		if err := a.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if s.Uploads() != 1 || s.Len() != 1 {
			t.Errorf("%d uploads, vault has %d", s.Uploads(), s.Len())
		}
	})
}

func TestFoldersSeesCamerasComeAndGo(t *testing.T) {
	root, fixed := t.TempDir(), t.TempDir()
	f := dock.Folders{Roots: []string{root, filepath.Join(root, "missing")}, Cameras: []string{fixed}}
	if bays, err := f.Bays(); err == nil || len(bays) != 1 {
		t.Errorf("bays %q, %v: a missing root must be told", bays, err)
	}
	if _, err := f.Open(fixed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty mount point is an empty bay, got %v", err)
	}
	put(t, fixed, "K-1", "a.MP4")
	card, err := f.Open(fixed)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Same(fixed, card) {
		t.Error("it is the same card")
	}
	if err := os.Rename(fixed, fixed+"-unplugged"); err != nil {
		t.Fatal(err)
	}
	if f.Same(fixed, card) {
		t.Error("the card is gone")
	}
	put(t, fixed, "K-2", "a.MP4")
	if f.Same(fixed, card) {
		t.Error("it is another card")
	}
	if err := card.Close(); err != nil {
		t.Error(err)
	}
}
