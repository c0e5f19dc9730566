package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/catalogue"
	"custos/database"
	"custos/evidence"
	"custos/test/rig"
)

const rangeLength = 64 << 10

// benchRead asks for ranges at random offsets of one long recording, and of the
// same bytes in a plain file from net/http: once with nothing of either in
// memory, once with all that fits.
func benchRead(t *testing.T, b *bench) {
	length := b.size(10e9, 1e9)
	s := rig.New(t, b.bin, "", unlimited...)
	s.Start(noTools)
	d := newDock(t, s, "Central")
	file := newNoise(length)
	plain := file.write(t, filepath.Join(t.TempDir(), "plain"))
	at, _, err := d.send(t.Context(), "LONG", file)
	if err != nil {
		t.Fatal(err)
	}
	d.receipt(t, at)
	id := recordingOf(t, s.SignIn("investigator"), "LONG")
	s.Stop()
	lookedInto(t, s, id)
	s.Start(noTools)
	v := newViewer(t, s)
	ours := v.open(t, id)
	theirs, pid := servePlain(t, plain)
	v.same(t, file, ours, theirs)

	sealed := regular(t, filepath.Join(s.Dir, "store"))
	for _, cold := range []bool{true, false} {
		var pairs, cpu []pair
		n := b.count(1000, 500)
		for i := range b.count(7, 5) + 1 {
			if cold {
				uncache(t, append(sealed, plain)...)
			} else if i == 0 {
				warm(t, append(sealed, plain)...)
			}
			before := pair{cpuOf(t, s.PID()), cpuOf(t, pid)}
			p := v.round(t, ours, theirs, length, n)
			if i > 0 {
				pairs = append(pairs, p)
				cpu = append(cpu, pair{(cpuOf(t, s.PID()) - before.ours) / float64(n), (cpuOf(t, pid) - before.peer) / float64(n)})
			}
		}
		name := map[bool]string{true: "from disk", false: "from memory"}[cold]
		b.add(t, compared(fmt.Sprintf("64 KiB of %d GB over HTTP, %s, p95", length/1e9, name), "ms", "file by net/http", pairs).ratioAtMost(2))
		b.add(t, compared("server's CPU for each of them, "+name, "CPU-ms", "file by net/http", cpu))
	}
}

// lookedInto says in the catalogue of a service that is not running what a
// server with ffmpeg says of footage soon after it came.
func lookedInto(t *testing.T, s *rig.Service, recording evidence.ID) {
	t.Helper()
	db := openDB(t, "sqlite:"+filepath.Join(s.Dir, "custos.db"))
	c, err := catalogue.Open(t.Context(), db, catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *database.Tx) error {
		return c.SetMedia(t.Context(), tx, recording, 1, evidence.Media{State: evidence.MediaPlayable, Type: "video/mp4"})
	}); err != nil {
		t.Fatal(err)
	}
}

// viewer is somebody signed in whose every request takes the same way, here
// and at the peer.
type viewer struct {
	base string
	http http.Client
}

func newViewer(t *testing.T, s *rig.Service) *viewer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{base: s.URL, http: http.Client{Jar: jar, Timeout: time.Minute}}
	v.post(t, "/api/session", map[string]string{"name": "supervisor", "password": rig.Password}, nil)
	return v
}

func (v *viewer) post(t *testing.T, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := v.http.Post(v.base+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s: %d %v: %s", path, res.StatusCode, err, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatal(err)
		}
	}
}

// open begins a viewing and gives the address of the master.
func (v *viewer) open(t *testing.T, recording evidence.ID) string {
	t.Helper()
	var view struct{ ID evidence.ID }
	v.post(t, "/api/recordings/"+string(recording)+"/consultations", map[string]any{"purpose": map[string]string{"code": "technical", "reference": "bench"}}, &view)
	return v.base + "/media/" + string(view.ID) + "/1/master"
}

// get reads a range into p and tells how long that took, to its last byte.
func (v *viewer) get(t *testing.T, url string, p []byte, off int64) time.Duration {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin") // as a player on a page asks
	req.Header.Set("Sec-Fetch-Dest", "video")
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1))
	begun := time.Now()
	res, err := v.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadFull(res.Body, p)
	d := time.Since(begun)
	if cerr := res.Body.Close(); err != nil || cerr != nil || res.StatusCode != http.StatusPartialContent {
		t.Fatalf("range at %d: %s %v %v", off, res.Status, err, cerr)
	}
	return d
}

// same makes sure that both servers give the bytes that were sent.
func (v *viewer) same(t *testing.T, file *noise, urls ...string) {
	t.Helper()
	want, got := make([]byte, rangeLength), make([]byte, rangeLength)
	for _, off := range []int64{0, 12345, file.length / 2, file.length - rangeLength} {
		if _, err := file.ReadAt(want, off); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		for _, u := range urls {
			if v.get(t, u, got, off); !bytes.Equal(want, got) {
				t.Fatalf("%s gives other bytes at %d", u, off)
			}
		}
	}
}

// round asks n times here and there, in turns, and gives the 95th percentiles
// in milliseconds. No offset comes twice, nor the peer's here.
func (v *viewer) round(t *testing.T, ours, theirs string, length int64, n int) pair {
	t.Helper()
	p := make([]byte, rangeLength)
	var a, c []time.Duration
	for range n {
		a = append(a, v.get(t, ours, p, rand.Int64N(length-rangeLength)))
		c = append(c, v.get(t, theirs, p, rand.Int64N(length-rangeLength)))
	}
	return pair{quantile(a, 0.95), quantile(c, 0.95)}
}

// warm reads files into memory.
func warm(t *testing.T, files ...string) {
	t.Helper()
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, mib)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// servePlain starts the peer; see TestMain.
func servePlain(t *testing.T, file string) (url string, pid int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "CUSTOS_BENCH_SERVE="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // gone already: fine
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + strings.TrimSpace(line) + "/", cmd.Process.Pid
}

// benchVerify checks a disclosed bundle, and lets sha256sum read the same files.
func benchVerify(t *testing.T, b *bench) {
	length := b.size(2e9, 256e6)
	s := rig.New(t, b.bin, "", unlimited...)
	s.Start(noTools)
	d := newDock(t, s, "Central")
	at, _, err := d.send(t.Context(), "CASE", newNoise(length))
	if err != nil {
		t.Fatal(err)
	}
	d.receipt(t, at)
	id := recordingOf(t, s.SignIn("investigator"), "CASE")
	bag, key := filepath.Join(t.TempDir(), "bag"), s.LogKey()
	s.Run("export", "--to", "Defence", "--out", bag, string(id))
	s.Stop()
	files := regular(t, bag)
	var pairs []pair
	for i := range b.count(5, 3) + 1 {
		ours, _ := took(t, filepath.Join(b.bin, "custos-verify"), "--log-key", key, bag)
		theirs, _ := took(t, "sha256sum", slices.Clone(files)...)
		if i > 0 { // the first one brings all of it into memory, for both
			pairs = append(pairs, pair{megabytes(length, ours), megabytes(length, theirs)})
		}
	}
	b.add(t, compared("verifying a bundle of "+gigabytes(length), "MB/s", "sha256sum", pairs).ratioAtLeast(0.9))
}

func gigabytes(n int64) string { return fmt.Sprintf("%.2g GB", float64(n)/1e9) }
