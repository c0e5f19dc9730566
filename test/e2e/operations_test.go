package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"custos/evidence"
	"custos/test/rig"
)

// get asks without signing in and gives status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b.String()
}

// agent runs a dock's agent beside the test.
type agent struct {
	t    *testing.T
	said bytes.Buffer // read after end
	done chan error
}

func startAgent(t *testing.T, d *rig.Dock, args ...string) *agent {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := d.Command(ctx, append([]string{"run", "--once", "--json", "--stable", "1s"}, args...)...)
	a := &agent{t: t, done: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &a.said, &a.said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { a.done <- cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		err := <-a.done
		a.done <- err
	})
	return a
}

// ready waits until the agent has emptied every camera.
func (a *agent) ready(within time.Duration) {
	a.t.Helper()
	select {
	case err := <-a.done:
		a.done <- err
		if err != nil {
			a.t.Fatalf("the dock: %v\n%s", err, &a.said)
		}
	case <-time.After(within):
		a.t.Fatal("the dock is not ready in time")
	}
}

// cameraOf is what the docks page says of a camera.
func cameraOf(t *testing.T, p *rig.Person, device string) (found evidence.CameraStatus) {
	t.Helper()
	var list struct {
		Docks []struct{ Cameras []evidence.CameraStatus }
	}
	p.JSON(http.MethodGet, "/api/docks", nil, http.StatusOK, &list)
	for _, d := range list.Docks {
		for _, c := range d.Cameras {
			if c.Device == device {
				found = c
			}
		}
	}
	return found
}

// plays reads every master of every recording whole and compares it.
func (f *shift) plays(t *testing.T, who *rig.Person) {
	t.Helper()
	n := 0
	for _, c := range cards(t, who) {
		r := read(t, who, c.ID)
		v := consult(t, who, c.ID)
		for _, s := range r.Segments {
			want := f.native[filepath.Base(s.FileName)]
			if status, _, b := who.Do(http.MethodGet, fmt.Sprintf("/media/%s/%d/master", v.ID, s.Number), nil); status != http.StatusOK || !bytes.Equal(b, want) {
				t.Errorf("%s: %d, %d bytes, want %d", s.FileName, status, len(b), len(want))
			}
			n++
		}
	}
	if n != len(f.native) {
		t.Errorf("%d masters play, want %d", n, len(f.native))
	}
}

// newSmall is a service, started, with one camera of one small recording that
// is emptied already.
func newSmall(t *testing.T, config ...string) *shift {
	t.Helper()
	s := rig.New(t, rig.Binaries(t), "", config...)
	f := &shift{s: s, native: map[string][]byte{}, central: s.NewDock("central")}
	f.put(t, f.central, f.central.Camera("bay-1", "K-0417", "4711"), "K-0417", "4711", "100000", 1, sound(t, 1, 200_000))
	s.Start()
	f.central.Empty(time.Minute)
	return f
}

// more puts another file on the camera of newSmall.
func (f *shift) more(t *testing.T, hhmmss string, seed byte, n int) {
	t.Helper()
	f.put(t, f.central, filepath.Join(f.central.Cameras, "bay-1"), "K-0417", "4711", hhmmss, 1, sound(t, seed, n))
}

func TestBackupDestroyRestore(t *testing.T) {
	t.Parallel()
	f := newSmall(t)
	s := f.s
	who := s.SignIn("supervisor")
	id := cards(t, who)[0].ID
	consult(t, who, id)
	before := history(t, who, id)
	f.more(t, "110000", 2, 300_000)
	f.central.Empty(time.Minute)

	dir := t.TempDir()
	backup, keys := filepath.Join(dir, "backup"), filepath.Join(dir, "keys")
	s.Run("admin", "backup", backup, "--keys", keys) // while the server runs
	if _, said, err := s.Try("", "admin", "backup", backup, "--keys", filepath.Join(backup, "keys")); err == nil {
		t.Errorf("keys may lie in the backup: %s", said)
	}
	if found, err := exec.Command("grep", "-rlaE", "AGE-SECRET-KEY|PRIVATE[+]KEY", backup).Output(); len(found) > 0 {
		t.Errorf("the backup holds keys (%v): %s", err, found)
	}
	// Work goes on after the backup, and is lost with the machine.
	key := s.LogKey()
	consult(t, who, id)
	history(t, who, id)
	s.Stop()
	newer, err := os.ReadFile(filepath.Join(s.Dir, "published.checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.Dir); err != nil {
		t.Fatal(err)
	}

	restore := func(to string) *rig.Service {
		t.Helper()
		cmd := exec.Command(filepath.Join(s.Bin, "custos"), "admin", "restore", "--from", backup, "--keys", keys, "--dir", to)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "every byte was read and agrees") {
			t.Fatalf("restore: %v\n%s", err, out)
		}
		return s.At(to)
	}
	t.Run("an old backup under a newer checkpoint does not sign", func(t *testing.T) {
		s := restore(filepath.Join(dir, "old")).For(t)
		if err := os.WriteFile(filepath.Join(s.Dir, "published.checkpoint"), newer, 0o600); err != nil {
			t.Fatal(err)
		}
		s.StartUnready()
		if status, body := get(t, s.URL+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"ledger":false`) {
			t.Errorf("readyz: %d %s", status, body)
		}
		var system struct {
			Ledger struct{ State, Message string }
		}
		s.SignIn("administrator").JSON(http.MethodGet, "/api/system", nil, http.StatusOK, &system)
		if system.Ledger.State != "refused" || !strings.Contains(system.Ledger.Message, "older") && !strings.Contains(system.Ledger.Message, "behind") {
			t.Errorf("the system page says %+v", system.Ledger)
		}
		who := s.SignIn("supervisor")
		if n := len(cards(t, who)); n != 2 {
			t.Errorf("%d recordings are listed", n)
		}
		read(t, who, id)
		var h map[string]any
		who.JSON(http.MethodGet, "/api/recordings/"+id+"/history", nil, http.StatusOK, &h)
		refused(t, who, http.MethodPost, "/api/recordings/"+id+"/consultations", purpose, http.StatusServiceUnavailable, "unavailable")
		if status, body := get(t, s.URL+"/log/checkpoint"); status != http.StatusOK || body != string(newer) {
			t.Errorf("another checkpoint is published: %d %s", status, body)
		}
		s.Stop()
	})
	t.Run("the service goes on where the backup was made", func(t *testing.T) {
		s := restore(filepath.Join(dir, "new")).For(t)
		s.Start()
		who := s.SignIn("supervisor")
		f.plays(t, who)
		after := history(t, who, id)
		proven(t, after, key)
		if len(after.Events) <= len(before.Events) {
			t.Errorf("the history has %d events after %d", len(after.Events), len(before.Events))
		}
		for i, e := range before.Events {
			if !bytes.Equal(e.Leaf, after.Events[i].Leaf) {
				t.Fatalf("event %d of the history is another one", i+1)
			}
		}
		f.more(t, "120000", 3, 150_000)
		f.central.Empty(time.Minute)
		f.plays(t, who)
		clean(t, s)
		s.Stop()
	})
}

func TestStopDuringAnUpload(t *testing.T) {
	t.Parallel()
	f := newSmall(t)
	f.more(t, "110000", 2, 4_000_000)
	a := startAgent(t, f.central, "--bandwidth", "1MB")
	who := f.s.SignIn("administrator")
	within(t, 20*time.Second, "nothing is uploaded", func() bool { return cameraOf(t, who, "K-0417").Sent > 1_000_000 })
	begun := time.Now()
	f.s.Stop() // must end with exit code 0
	if took := time.Since(begun); took > 25*time.Second {
		t.Errorf("stopping took %v", took)
	}
	f.s.Start()
	a.ready(time.Minute)
	uploads := 0
	for _, e := range f.central.Journal() {
		if e.State == "upload" && strings.Contains(e.File, "T110000Z") {
			uploads++
		}
		if e.State == "lost" {
			t.Errorf("the server lost %s", e.File)
		}
	}
	if uploads != 1 {
		t.Errorf("the upload was begun %d times", uploads)
	}
	f.plays(t, f.s.SignIn("supervisor"))
	clean(t, f.s)
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	f := newSmall(t)
	f.s.Stop()
	path := filepath.Join(f.s.Dir, "custos.toml")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f.s.Configure(`reserve = "100TiB"`)
	f.s.StartUnready()
	f.full(t, func() {
		f.s.Stop()
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		f.s.Start()
	})
}

// A real disk that is full, and that somebody makes larger while the server runs.
func TestFullDiskIsMadeLarger(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		missing(t, "root to mount a small disk")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=3m,mode=0700"); err != nil {
		missing(t, "right to mount a small disk")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	f := newSmall(t, fmt.Sprintf("store = %q", disk))
	f.full(t, func() {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m,mode=0700"); err != nil {
			t.Fatal(err)
		}
	})
}

// full finds that the store takes nothing more in, that the dock waits, and
// that everything else goes on; then, once there is room, that the dock goes
// on by itself.
func (f *shift) full(t *testing.T, makeRoom func()) {
	t.Helper()
	who, administrator := f.s.SignIn("supervisor"), f.s.SignIn("administrator")
	f.plays(t, who)
	f.more(t, "110000", 2, 5_000_000)
	a := startAgent(t, f.central)
	within(t, 20*time.Second, "the dock does not say that it waits", func() bool {
		c := cameraOf(t, administrator, "K-0417")
		return c.State == evidence.CameraWaiting && c.Message != "" && c.Wiped == 0
	})
	status, code, detail := f.upload(t, 6_000_000)
	if status != http.StatusInsufficientStorage || code != "full" || detail == "" {
		t.Errorf("an upload is answered with %d %s %q", status, code, detail)
	}
	r := cards(t, who)
	if len(r) != 1 {
		t.Errorf("%d recordings", len(r))
	}
	v := consult(t, who, r[0].ID)
	if status, _, b := who.Do(http.MethodGet, "/media/"+v.ID+"/1/master", nil); status != http.StatusOK || len(b) != 200_000 {
		t.Errorf("reads do not go on: %d, %d bytes", status, len(b))
	}
	makeRoom()
	a.ready(2 * time.Minute)
	if status, body := get(t, f.s.URL+"/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, body)
	}
	f.plays(t, f.s.SignIn("supervisor"))
	clean(t, f.s)
}

// upload begins an upload of n bytes as the dock central would, and gives how
// it was refused.
func (f *shift) upload(t *testing.T, n int) (status int, code, detail string) {
	t.Helper()
	sum := evidence.Digest(sha256.Sum256([]byte("other bytes")))
	capture, err := json.Marshal(evidence.Capture{Device: "K-1", FileName: "a.wav", Digest: sum, Length: int64(n), DockedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	status, _, h, b := f.tus(t, http.MethodPost, "/files/", make([]byte, n), "Upload-Length", fmt.Sprint(n),
		"Upload-Metadata", "capture "+base64.StdEncoding.EncodeToString(capture))
	code, detail = problem(t, h, b)
	return status, code, detail
}

// tus sends a request with the key of the dock central.
func (f *shift) tus(t *testing.T, method, path string, body []byte, header ...string) (status int, location string, h http.Header, b []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.s.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.central.Key())
	req.Header.Set("Tus-Resumable", "1.0.0")
	if body != nil {
		req.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), res.Header, answer.Bytes()
}

func TestWithoutFFmpegFootageIsKeptAndWaits(t *testing.T) {
	t.Parallel()
	s := rig.New(t, rig.Binaries(t), "")
	f := &shift{s: s, native: map[string][]byte{}, central: s.NewDock("central")}
	f.put(t, f.central, f.central.Camera("bay-1", "K-0417", "4711"), "K-0417", "4711", "100000", 1, footage(t, "film.mp4", 0, 2))
	s.Start("PATH=/nonexistent")
	f.central.Empty(time.Minute)
	who := s.SignIn("supervisor")
	id := cards(t, who)[0].ID
	within(t, 10*time.Second, "nobody says what the footage waits for", func() bool {
		r := read(t, who, id)
		return r.State == evidence.MediaPending && len(r.Work) == 1 && r.Work[0].State == "waiting" && strings.Contains(r.Work[0].Message, "ffmpeg")
	})
	f.plays(t, who) // its bytes are there
	var system struct{ Work struct{ Waiting, Failed int } }
	s.SignIn("administrator").JSON(http.MethodGet, "/api/system", nil, http.StatusOK, &system)
	if system.Work.Waiting != 1 || system.Work.Failed != 0 {
		t.Errorf("%+v", system.Work)
	}
	s.Stop()
	s.Start()
	if r := f.prepared(t, s.SignIn("supervisor"))["K-0417 100000"]; r.State != evidence.MediaPlayable || r.Poster == "" {
		t.Errorf("once ffmpeg is there: %s, poster %q", r.State, r.Poster)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	f := newSmall(t)
	if status, body := get(t, f.s.URL+"/healthz"); status != http.StatusOK || !strings.Contains(body, "alive") {
		t.Errorf("healthz: %d %s", status, body)
	}
	if status, body := get(t, f.s.URL+"/readyz"); status != http.StatusOK || !strings.Contains(body, `"store":true`) || !strings.Contains(body, `"ledger":true`) {
		t.Errorf("readyz: %d %s", status, body)
	}
	status, body := get(t, f.s.URL+"/metrics")
	for _, metric := range []string{"custos_http_request_seconds_count", "go_goroutines", "process_open_fds"} {
		if !strings.Contains(body, "\n"+metric) {
			t.Errorf("metrics (%d) lack %s", status, metric)
		}
	}
	id := cards(t, f.s.SignIn("supervisor"))[0].ID
	for _, secret := range []string{"K-0417", "4711", "T100000Z", id, f.central.Key()} {
		if strings.Contains(body, secret) {
			t.Errorf("metrics tell %q", secret)
		}
	}
	// Two servers never share a folder.
	if _, said, err := f.s.Try("", "serve"); err == nil || !strings.Contains(said, "another server") {
		t.Errorf("a second server: %v %s", err, said)
	}
}
