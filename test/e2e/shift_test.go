// Package e2e tells stories with the real binaries: footage goes from a dock
// to the vault, is found, watched in a real browser, disclosed and verified,
// and the service is hurt on the way.
//
// Stories that need something this machine lacks are skipped with the reason;
// with CUSTOS_TEST_ALL set they fail instead.
package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"custos/evidence"
	"custos/test/rig"
)

// missing skips a story for want of something, or fails it where all must run.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CUSTOS_TEST_ALL") != "" {
		t.Fatalf("this machine has no %s", what)
	}
	t.Skipf("this machine has no %s", what)
}

// shift is a service with footage of one shift in it.
type shift struct {
	s              *rig.Service
	central, north *rig.Dock
	native         map[string][]byte // what was on the cameras: by file name
	stay           []string          // files that a dock must leave, below Cameras
}

// put places a file on a camera and remembers its bytes.
func (f *shift) put(t *testing.T, d *rig.Dock, camera, device, officer, hhmmss string, n int, from string) string {
	t.Helper()
	p := d.Put(camera, device, officer, hhmmss, n, from)
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	f.native[filepath.Base(p)] = b
	return p
}

// leave places a file on a camera that is not footage.
func (f *shift) leave(t *testing.T, d *rig.Dock, camera, name, content string) {
	t.Helper()
	p := filepath.Join(camera, name)
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(d.Cameras, p)
	if err != nil {
		t.Fatal(err)
	}
	f.stay = append(f.stay, rel)
}

// where somebody finds more footage, if it is there.
const more = "../../../shared/media/"

// fill puts a shift's footage on two cameras at the central dock, and one file
// of it once more on the same camera at the north dock, as after a card was
// copied.
func (f *shift) fill(t *testing.T) {
	t.Helper()
	one := f.central.Camera("bay-1", "K-0417", "4711")
	two := f.central.Camera("bay-2", "K-0522", "4702")
	f.stay = append(f.stay, "bay-1/CAMERA.JSON", "bay-2/CAMERA.JSON")

	// Three segments of four: the third never came off the camera.
	for _, g := range []struct {
		n    int
		from int
		at   string
	}{{1, 0, "10:00:00"}, {2, 4, "10:00:04"}, {4, 20, "10:00:20"}} {
		p := f.put(t, f.central, one, "K-0417", "4711", "100000", g.n, footage(t, "film.mp4", g.from, 4))
		name, _ := filepath.Rel(one, strings.TrimSuffix(p, ".MP4")+".JSON")
		f.leave(t, f.central, one, name, `{"category": "stop-search", "started": "2026-11-21T`+g.at+`Z"}`)
	}
	f.put(t, f.central, one, "K-0417", "4711", "110000", 1, footage(t, "film.avi", 8, 3))
	f.put(t, f.central, one, "K-0417", "4711", "120000", 1, footage(t, "sound.wav", 0, 3))
	f.put(t, f.central, two, "K-0522", "4702", "100000", 1, footage(t, "film.ts", 12, 3))
	f.put(t, f.central, two, "K-0522", "4702", "110000", 1, footage(t, "hevc.mp4", 16, 2))
	f.put(t, f.central, two, "K-0522", "4702", "120000", 1, footage(t, "film.mkv", 20, 3))
	f.put(t, f.central, two, "K-0522", "4702", "130000", 1, cutShort(t, footage(t, "cut.mp4", 24, 3)))
	for hhmmss, name := range map[string]string{"140000": "gp-karma.mp4", "150000": "asl.mkv", "160000": "jfk.wav"} {
		if _, err := os.Stat(more + name); err == nil {
			f.put(t, f.central, two, "K-0522", "4702", hhmmss, 1, more+name)
		}
	}
	f.leave(t, f.central, two, "DCIM/20261121/K-0522_4702_20261121T170000Z_001.MP4", "")
	f.leave(t, f.central, two, "DCIM/20261121/K-0522_4702_20261121T180000Z_001.MP4", "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n")
	f.leave(t, f.central, two, "DCIM/20261121/K-0522_4702_20261121T190000Z_001.MP4", "Not footage at all.\n")

	again := f.north.Camera("bay-9", "K-0417", "4711")
	first := "K-0417_4711_20261121T100000Z_001.MP4"
	p := filepath.Join(again, "DCIM", "20261121", first)
	if err := os.WriteFile(p, f.native[first], 0o644); err != nil {
		t.Fatal(err)
	}
}

// films are what footage has cut already.
var films sync.Map // name, from and seconds → func() []byte

// footage is rig.Footage; what several stories need is cut once.
func footage(t *testing.T, name string, from, seconds int) string {
	t.Helper()
	once, _ := films.LoadOrStore(fmt.Sprint(name, " ", from, " ", seconds), sync.OnceValue(func() []byte {
		b, err := os.ReadFile(rig.Footage(t, name, from, seconds))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}))
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, once.(func() []byte)(), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// cutShort is a copy of an MP4 without its end, where its index is.
func cutShort(t *testing.T, from string) string {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "cut.mp4")
	if err := os.WriteFile(to, b[:len(b)*3/5], 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

// newShift is a service into which two docks, at the same time, have emptied
// their cameras. config are further lines of its configuration.
func newShift(t *testing.T, config ...string) *shift {
	t.Helper()
	s := rig.New(t, rig.Binaries(t), "", config...)
	f := &shift{s: s, native: map[string][]byte{}}
	f.central, f.north = s.NewDock("central"), s.NewDock("north")
	f.fill(t)
	s.Start()
	var wg sync.WaitGroup
	for _, d := range []*rig.Dock{f.central, f.north} {
		wg.Go(func() {
			if out, err := d.TryEmpty(time.Minute); err != nil {
				t.Errorf("custos-dock run --once: %v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.Fatalf("a dock failed; the server said:\n%s", s.Log())
	}
	return f
}

// recording is what these stories read of a recording.
type recording struct {
	ID, Device, Officer, Category, Why, Poster string
	StartedAt                                  time.Time
	State                                      evidence.MediaState
	Segments                                   []evidence.Segment
	Arrivals                                   []evidence.Arrival
	Gaps                                       []evidence.Gap
	Copies                                     []evidence.WorkingCopy
	Work                                       []struct{ Kind, State, Message string }
	Can                                        struct{ Consult, Export, Trail bool }
	LastViewed                                 *struct{ By string }
}

type card struct {
	ID, Device, Officer string
	State               evidence.MediaState
}

func cards(t *testing.T, p *rig.Person) []card {
	t.Helper()
	var page struct {
		Items []card
		Next  string
	}
	p.JSON(http.MethodGet, "/api/recordings?limit=200", nil, http.StatusOK, &page)
	if page.Next != "" {
		t.Fatal("more recordings than these stories make")
	}
	return page.Items
}

func read(t *testing.T, p *rig.Person, id string) (r recording) {
	t.Helper()
	p.JSON(http.MethodGet, "/api/recordings/"+id, nil, http.StatusOK, &r)
	return r
}

// prepared waits until nothing is pending, and gives the recordings by camera
// and the time in their file names, as in "K-0417 100000".
func (f *shift) prepared(t *testing.T, p *rig.Person) map[string]recording {
	t.Helper()
	var list []card
	within(t, 90*time.Second, "the recordings are not prepared", func() bool {
		list = cards(t, p)
		for _, c := range list {
			if c.State == evidence.MediaPending {
				return false
			}
		}
		return len(list) > 0
	})
	all := map[string]recording{}
	for _, c := range list {
		r := read(t, p, c.ID)
		name := filepath.Base(r.Segments[0].FileName)
		_, at, _ := strings.Cut(name, "T")
		all[r.Device+" "+at[:6]] = r
	}
	return all
}

// within tries until ok, and fails when the time is over.
func within(t *testing.T, d time.Duration, otherwise string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise)
		}
	}
}

// view is an open viewing.
type view struct {
	ID        string
	Watermark string
	Segments  []struct {
		Number                          int
		Source, Type, State, ProxyState string
		Trickplay                       *struct{ URL string }
		Waveform                        *struct{ URL string }
	}
}

var purpose = map[string]any{"purpose": map[string]string{"code": "technical", "reference": "SD-8812"}}

func consult(t *testing.T, p *rig.Person, id string) (v view) {
	t.Helper()
	p.JSON(http.MethodPost, "/api/recordings/"+id+"/consultations", purpose, http.StatusCreated, &v)
	return v
}

// problem reads a refusal, which must be of the promised form.
func problem(t *testing.T, header http.Header, body []byte) (code, detail string) {
	t.Helper()
	var p struct{ Type, Title, Detail, Code, Reference string }
	if err := json.Unmarshal(body, &p); err != nil || !strings.HasPrefix(header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("not a problem (%v): %s: %.300s", err, header.Get("Content-Type"), body)
		return "", ""
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Code == "" || p.Reference == "" {
		t.Errorf("a problem lacks something: %s", body)
	}
	return p.Code, p.Detail
}

// refused asks for what must be refused with status and code.
func refused(t *testing.T, p *rig.Person, method, path string, body any, status int, code string) {
	t.Helper()
	got, h, b := p.Do(method, path, body)
	if got != status {
		t.Fatalf("%s: %s %s: %d, want %d: %s", p.Who, method, path, got, status, b)
	}
	if c, _ := problem(t, h, b); c != code {
		t.Fatalf("%s: %s %s: code %s, want %s", p.Who, method, path, c, code)
	}
}
