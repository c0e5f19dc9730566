package playback_test

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/custody"
	"custos/custody/custodytest"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/media"
	"custos/playback"
	"custos/work"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// room is a player in a world, whose work runs until the test ends.
type room struct {
	*custodytest.World
	t      testing.TB
	queue  *work.Queue
	player *playback.Player
	who    evidence.Actor
}

func newRoom(t testing.TB, tools *media.Tools) *room {
	t.Helper()
	w := custodytest.New(t, databasetest.SQLite(t))
	r := &room{World: w, t: t, who: custodytest.Person(access.Officer, "4711")}
	var err error
	r.queue, err = work.Open(t.Context(), w.DB, work.Options{Poll: 20 * time.Millisecond})
	must(t, err)
	w.Collected = func(ctx context.Context, tx *database.Tx, recording evidence.ID, segment int) error {
		return playback.Enqueue(ctx, r.queue, tx, recording, segment)
	}
	w.Reopen()
	r.player = playback.New(playback.Config{DB: w.DB, Custody: w.Custody, Catalogue: w.Catalogue, Queue: r.queue, Tools: tools, Scratch: t.TempDir()})
	return r
}

func (r *room) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.queue.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
}

// settled waits until no work about a recording is left.
func (r *room) settled(id evidence.ID) []work.Status {
	r.t.Helper()
	for {
		jobs, err := r.queue.About(r.t.Context(), string(id))
		must(r.t, err)
		open := false
		for _, j := range jobs {
			open = open || j.State == work.Waiting || j.State == work.Running
		}
		if !open {
			return jobs
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (r *room) segment(id evidence.ID) evidence.Segment {
	r.t.Helper()
	s, err := r.Catalogue.Segment(r.t.Context(), id, 1)
	must(r.t, err)
	return s
}

func (r *room) view(id evidence.ID) (playback.View, playback.ViewSegment) {
	r.t.Helper()
	v, err := r.player.Open(r.t.Context(), r.who, id, evidence.Purpose{})
	must(r.t, err)
	return v, v.Segments[0]
}

// get asks the player for bytes of a viewing, as a browser does.
func (r *room) get(view evidence.ID, what, method string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	q := httptest.NewRequest(method, "/", nil)
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	must(r.t, r.player.Serve(w, q, r.who, view, 1, what))
	return w
}

// film makes a small film with ffmpeg.
func film(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	args = append([]string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=2",
		"-f", "lavfi", "-i", "sine=duration=2"}, append(args, file)...)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	b, err := os.ReadFile(file)
	must(t, err)
	return b
}

func TestFromTheMasterToTheScreen(t *testing.T) {
	tools, err := media.Find(t.Context(), "")
	if err != nil {
		t.Skip(err)
	}
	r := newRoom(t, tools)
	mp4 := film(t, "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart")
	avi := film(t, "b.avi", "-c:v", "mpeg4", "-c:a", "mp3")
	wav := film(t, "c.wav", "-map", "1")
	// Everything behind the table of contents is noise.
	broken := bytes.Clone(mp4)
	at := bytes.Index(broken, []byte("mdat")) + 4
	for i := at; i < len(broken); i++ {
		broken[i] = byte(i * 7)
	}
	ids := map[string]evidence.ID{}
	for name, data := range map[string][]byte{"mp4": mp4, "avi": avi, "wav": wav, "broken": broken, "text": []byte("not a film\n")} {
		ids[name], _ = r.Collect(data, "CAM", name)
	}
	r.run()
	for name, want := range map[string]struct {
		state  evidence.MediaState
		copies int
	}{
		"mp4": {evidence.MediaPlayable, 3}, "avi": {evidence.MediaProxy, 3}, "wav": {evidence.MediaAudio, 1},
		"broken": {evidence.MediaNone, 0}, "text": {evidence.MediaNone, 0},
	} {
		for _, j := range r.settled(ids[name]) {
			if j.State != work.Done {
				t.Errorf("%s: work is %s: %s", name, j.State, j.Message)
			}
		}
		m := r.segment(ids[name]).Media
		copies, err := r.Catalogue.Copies(t.Context(), ids[name])
		must(t, err)
		if m.State != want.state || len(copies) != want.copies || (m.State == evidence.MediaNone) != (m.Why != "" && m.Type == "") && m.State != evidence.MediaProxy {
			t.Errorf("%s: %+v with %d copies", name, m, len(copies))
		}
		must(t, r.Custody.Verify(t.Context(), evidence.Server("test"), ids[name]))
	}

	// A job that ran and could not say so runs again and does nothing.
	must(t, r.DB.Write(t.Context(), func(tx *database.Tx) error {
		return playback.Enqueue(t.Context(), r.queue, tx, ids["mp4"], 1)
	}))
	r.settled(ids["mp4"])
	if n := r.Count(ids["mp4"], evidence.Derive, evidence.Intent); n != 1 {
		t.Errorf("prepared %d times", n)
	}

	v, s := r.view(ids["mp4"])
	if s.Source == "" || s.Type != "video/mp4" || s.Trickplay == nil || s.Trickplay.Count == 0 || s.Waveform == nil || v.Watermark == "" || s.DurationMs < 1900 {
		t.Errorf("the film is shown as %+v", s)
	}
	if got := r.get(v.ID, "master", "GET"); !bytes.Equal(got.Body.Bytes(), mp4) {
		t.Error("the master is not what was collected")
	}
	if err := r.player.AskProxy(t.Context(), r.who, v.ID, 1); evidence.CodeOf(err) != evidence.Conflict {
		t.Errorf("a proxy of what needs none: %v", err)
	}

	v, s = r.view(ids["avi"])
	if s.Source != "" || s.ProxyState != "" || s.Why == "" {
		t.Errorf("before its proxy: %+v", s)
	}
	for range 2 { // asked twice, made once
		must(t, r.player.AskProxy(t.Context(), r.who, v.ID, 1))
	}
	r.settled(ids["avi"])
	v, err = r.player.View(t.Context(), r.who, v.ID)
	must(t, err)
	if s := v.Segments[0]; s.ProxyState != "ready" || s.Source != "/media/"+string(v.ID)+"/1/proxy" || s.Type != "video/mp4" {
		t.Errorf("with its proxy: %+v", s)
	}
	if got := r.get(v.ID, "proxy", "GET"); got.Code != 200 || !bytes.Contains(got.Body.Bytes()[:64], []byte("ftyp")) {
		t.Errorf("the proxy: %d", got.Code)
	}
	must(t, r.player.AskProxy(t.Context(), r.who, v.ID, 1)) // and once more, now that it is there
	r.settled(ids["avi"])
	if n := r.Count(ids["avi"], evidence.Derive, evidence.Outcome); n != 2 {
		t.Errorf("%d working copies were made on record, want 2", n)
	}
}

// playable is a recording of these bytes that counts as playable.
func (r *room) playable(data []byte) evidence.ID {
	r.t.Helper()
	id, _ := r.Collect(data, "CAM", "a.mp4")
	must(r.t, r.Custody.Derive(r.t.Context(), evidence.Server("test"), id, 1, "prepare", func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
		return custody.Derived{Media: &evidence.Media{State: evidence.MediaPlayable, Type: "video/mp4"}}, nil
	}))
	return id
}

func TestRanges(t *testing.T) {
	r := newRoom(t, nil)
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(i ^ i>>8)
	}
	id := r.playable(data)
	v, _ := r.view(id)
	whole := r.get(v.ID, "master", "GET")
	tag := whole.Header().Get("ETag")
	for _, c := range []struct {
		name, method string
		header       []string
		status       int
		body         []byte
		says         string
	}{
		{"whole", "GET", nil, 200, data, ""},
		{"head", "HEAD", nil, 200, nil, ""},
		{"single", "GET", []string{"Range", "bytes=65530-65540"}, 206, data[65530:65541], "bytes 65530-65540/200000"},
		{"open", "GET", []string{"Range", "bytes=199999-"}, 206, data[199999:], "bytes 199999-199999/200000"},
		{"suffix", "GET", []string{"Range", "bytes=-3"}, 206, data[199997:], "bytes 199997-199999/200000"},
		{"too far", "GET", []string{"Range", "bytes=200000-"}, 416, nil, "bytes */200000"},
		{"nonsense", "GET", []string{"Range", "bytes=a-b"}, 416, nil, ""},
		{"if-range, the same", "GET", []string{"Range", "bytes=0-1", "If-Range", tag}, 206, data[:2], "bytes 0-1/200000"},
		{"if-range, another", "GET", []string{"Range", "bytes=0-1", "If-Range", `"x"`}, 200, data, ""},
	} {
		w := r.get(v.ID, "master", c.method, c.header...)
		if w.Code != c.status || c.status < 400 && !bytes.Equal(w.Body.Bytes(), c.body) || w.Header().Get("Content-Range") != c.says {
			t.Errorf("%s: %d, %d bytes, %v", c.name, w.Code, w.Body.Len(), w.Header())
		}
		if w.Header().Get("Cache-Control") != "no-store" && c.status < 400 || c.status == 200 && w.Header().Get("Content-Type") != "video/mp4" {
			t.Errorf("%s: %v", c.name, w.Header())
		}
	}
	if !strings.Contains(tag, r.segment(id).Digest.String()) {
		t.Errorf("the tag is %s", tag)
	}
	w := r.get(v.ID, "master", "GET", "Range", "bytes=0-1,100000-100002")
	_, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	must(t, err)
	parts := multipart.NewReader(w.Body, params["boundary"])
	for _, want := range [][]byte{data[:2], data[100000:100003]} {
		p, err := parts.NextPart()
		must(t, err)
		if got, err := io.ReadAll(p); err != nil || !bytes.Equal(got, want) {
			t.Errorf("a part is %v, %v", got, err)
		}
	}
}

func TestWhatCannotBeServed(t *testing.T) {
	r := newRoom(t, nil)
	id := r.playable(make([]byte, 200_000))
	v, _ := r.view(id)
	for what, segment := range map[string]int{"nothing": 1, "proxy": 1, "master": 2, "poster": 1} {
		w := httptest.NewRecorder()
		err := r.player.Serve(w, httptest.NewRequest("GET", "/", nil), r.who, v.ID, segment, what)
		if evidence.CodeOf(err) != evidence.NotFound || w.Body.Len() != 0 {
			t.Errorf("%s of %d: %v", what, segment, err)
		}
	}
	// Damage in the middle: no byte of the damaged chunk goes out, and whoever
	// asked is told by the length that the answer is not whole.
	r.Damage(r.segment(id).Object)
	w := httptest.NewRecorder()
	err := r.player.Serve(w, httptest.NewRequest("GET", "/", nil), r.who, v.ID, 1, "master")
	if evidence.CodeOf(err) != evidence.Corrupt || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "200000" {
		t.Errorf("damaged: %v, %d bytes, %v", err, w.Body.Len(), w.Header())
	}
}

// discard is an answer that nobody keeps.
type discard struct {
	header http.Header
	n      int64
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }

// Serving takes the same memory however long the film is.
func TestServingTakesLittleMemory(t *testing.T) {
	r := newRoom(t, nil)
	const length = 32 << 20
	id := r.playable(make([]byte, length))
	v, _ := r.view(id)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := &discard{header: http.Header{}}
	must(t, r.player.Serve(d, httptest.NewRequest("GET", "/", nil), r.who, v.ID, 1, "master"))
	runtime.ReadMemStats(&after)
	if d.n != length {
		t.Fatalf("%d bytes were served", d.n)
	}
	// What else the world does in the background, and the race detector, count
	// too; a body held whole, or copied once, would be length or more.
	if used := after.TotalAlloc - before.TotalAlloc; used > length/2 {
		t.Errorf("serving %d bytes allocated %d", length, used)
	}
}
