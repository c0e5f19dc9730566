package e2e

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/evidence"
	"custos/test/rig"
)

// marker is in everything hostile that these stories send. Nobody may repeat it.
const marker = "x7Marker9q"

// capture is a good capture of content.
func capture(content []byte) map[string]any {
	return map[string]any{
		"device": "K-0900", "officer": "4711", "fileName": "DCIM/a.wav", "sha256": evidence.Digest(sha256.Sum256(content)).String(),
		"length": len(content), "dockedAt": time.Now().UTC(), "started": "2026-11-21T09:00:00Z",
	}
}

// offer begins an upload of content with a capture, content in the request.
func (f *shift) offer(t *testing.T, capture map[string]any, content []byte, header ...string) (status int, location string, h http.Header, b []byte) {
	t.Helper()
	text, err := json.Marshal(capture)
	if err != nil {
		t.Fatal(err)
	}
	return f.tus(t, http.MethodPost, "/files/", content, append([]string{"Upload-Length", fmt.Sprint(len(content)),
		"Upload-Metadata", "capture " + base64.StdEncoding.EncodeToString(text)}, header...)...)
}

// outcome waits for what becomes of an upload: 200 and the receipt, or why not.
func (f *shift) outcome(t *testing.T, location string) (status int, h http.Header, b []byte) {
	t.Helper()
	within(t, 30*time.Second, "the upload is not decided", func() bool {
		status, _, h, b = f.tus(t, http.MethodGet, location+"/receipt?wait=10", nil)
		return status != http.StatusAccepted
	})
	return status, h, b
}

func TestHostileInput(t *testing.T) {
	t.Parallel()
	f := newSmall(t, `max_upload = "8MiB"`)
	files := f.tree(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, *shift)
	}{
		{"uploads that are not what they say", uploadsThatLie},
		{"hostile text in every field", hostileFields},
		{"requests of no known form", requestsOfNoForm},
		{"files that attack the media tools", filesThatAttack},
		{"somebody else's upload and receipt", othersUploads},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.run(t, &shift{s: f.s.For(t), central: f.central.For(t), native: f.native})
		})
	}
	if strings.Contains(f.s.Log(), marker) {
		t.Errorf("the log repeats what was sent:\n%s", f.s.Log())
	}
	for _, secret := range []string{f.central.Key(), rig.Password, "K-0417", "T100000Z"} {
		if strings.Contains(f.s.Log(), secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
	if strings.Contains(f.s.Log(), "panic") {
		t.Errorf("a panic:\n%s", f.s.Log())
	}
	for _, p := range f.tree(t) {
		if dir := strings.Split(p, "/")[0]; !slices.Contains(files, p) && dir != "store" && dir != "scratch" && !strings.HasPrefix(p, "custos.db") {
			t.Errorf("a new file: %s", p)
		}
		if strings.Contains(p, marker) || strings.Contains(p, "passwd") {
			t.Errorf("a name from outside became a file's: %s", p)
		}
	}
	// Nothing is lost: what was there plays, and all agrees.
	who := f.s.SignIn("supervisor")
	for _, c := range cards(t, who) {
		if c.Device == "K-0417" {
			v := consult(t, who, c.ID)
			if _, _, b := who.Do(http.MethodGet, "/media/"+v.ID+"/1/master", nil); !bytes.Equal(b, f.native["K-0417_4711_20261121T100000Z_001.WAV"]) {
				t.Error("the first recording is not what it was")
			}
		}
	}
	clean(t, f.s)
}

// tree is every file of the service.
func (f *shift) tree(t *testing.T) (files []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(f.s.Dir), ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func uploadsThatLie(t *testing.T, f *shift) {
	content, err := os.ReadFile(sound(t, 20, 50_000))
	if err != nil {
		t.Fatal(err)
	}
	other := evidence.Digest(sha256.Sum256([]byte("other")))
	with := func(key string, value any) map[string]any {
		c := capture(content)
		c[key] = value
		return c
	}
	for _, c := range []struct {
		name    string
		capture map[string]any
		body    []byte
		header  []string
		status  int
		code    string
	}{
		{"oversized", capture(make([]byte, 9<<20)), nil, []string{"Upload-Length", fmt.Sprint(9 << 20)}, http.StatusRequestEntityTooLarge, "invalid"},
		{"absurd length", capture(content), nil, []string{"Upload-Length", "99999999999999999999999"}, http.StatusBadRequest, "invalid"},
		{"negative length", capture(content), nil, []string{"Upload-Length", "-1"}, http.StatusBadRequest, "invalid"},
		{"another length than the capture's", with("length", 7), content, nil, http.StatusBadRequest, "invalid"},
		{"more bytes than announced", capture(content[:1000]), content, []string{"Upload-Length", "1000"}, http.StatusRequestEntityTooLarge, "invalid"},
		{"a wrong checksum", capture(content), content, []string{"Upload-Checksum", "sha256 " + base64.StdEncoding.EncodeToString(other[:])}, 460, "corrupt"},
		{"an unknown checksum", capture(content), content, []string{"Upload-Checksum", "md5 AAAA"}, http.StatusBadRequest, "invalid"},
		{"no digest", with("sha256", ""), content, nil, http.StatusBadRequest, "invalid"},
		{"from the future", with("dockedAt", time.Now().Add(48*time.Hour)), content, nil, http.StatusBadRequest, "invalid"},
		{"too much metadata", with("group", strings.Repeat(marker, 4000)), content, nil, http.StatusRequestHeaderFieldsTooLarge, "invalid"},
		{"another protocol", capture(content), content, []string{"Tus-Resumable", "0.2.0"}, http.StatusPreconditionFailed, "invalid"},
		{"another type", capture(content), content, []string{"Content-Type", "text/html"}, http.StatusUnsupportedMediaType, "invalid"},
		{"no key", capture(content), content, []string{"Authorization", ""}, http.StatusUnauthorized, "unauthenticated"},
		{"a wrong key", capture(content), content, []string{"Authorization", "Bearer " + marker}, http.StatusUnauthorized, "unauthenticated"},
	} {
		status, _, h, b := f.offer(t, c.capture, c.body, c.header...)
		if status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, status, c.status, b)
			continue
		}
		if code, _ := problem(t, h, b); code != c.code {
			t.Errorf("%s: code %s, want %s", c.name, code, c.code)
		}
		if bytes.Contains(b, []byte(marker)) {
			t.Errorf("%s: the answer repeats what was sent: %s", c.name, b)
		}
	}

	// All bytes arrive, and they are others than the camera had.
	before := len(cards(t, f.s.SignIn("supervisor")))
	status, location, _, b := f.offer(t, with("sha256", other.String()), content)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, b)
	}
	status, h, b := f.outcome(t, location)
	if code, detail := problem(t, h, b); status != http.StatusGone || code != "corrupt" || !strings.Contains(detail, "camera") {
		t.Errorf("other bytes than offered: %d %s", status, b)
	}
	if after := len(cards(t, f.s.SignIn("supervisor"))); after != before {
		t.Errorf("%d recordings after %d", after, before)
	}
}

func hostileFields(t *testing.T, f *shift) {
	values := map[string]string{
		"path":     "../../../../" + marker + "/passwd",
		"absolute": "/etc/" + marker + "/passwd",
		"drive":    `C:\` + marker,
		"nul":      "a\x00" + marker,
		"line":     "a\nsha256: " + marker,
		"bidi":     "a\u202e" + marker,
		"long":     strings.Repeat(marker, 200),
		"markup":   "<script>" + marker + "</script>",
		"sql":      "'; DROP TABLE segments; -- " + marker,
		"format":   "%s%n" + marker,
	}
	n := 0
	for _, field := range []string{"device", "officer", "category", "fileName", "group", "zone", "source", "profile"} {
		for kind, value := range values {
			n++
			content, err := os.ReadFile(sound(t, byte(100+n), 500))
			if err != nil {
				t.Fatal(err)
			}
			c := capture(content)
			c[field] = value
			status, location, h, b := f.offer(t, c, content)
			unsafe := kind == "nul" || kind == "line" || kind == "bidi" || kind == "long" ||
				field == "fileName" && (kind == "path" || kind == "absolute" || kind == "drive")
			switch {
			case status == http.StatusBadRequest:
				if code, detail := problem(t, h, b); code != "invalid" || !strings.Contains(detail, field) || strings.Contains(detail, marker) {
					t.Errorf("%s %s: %s", field, kind, b)
				}
			case unsafe:
				t.Errorf("%s %s is taken in: %d", field, kind, status)
			case status != http.StatusCreated:
				t.Errorf("%s %s: %d %s", field, kind, status, b)
			default: // plain text to us, whatever it means to others
				if status, _, b := f.outcome(t, location); status != http.StatusOK {
					t.Errorf("%s %s: no receipt: %d %s", field, kind, status, b)
				}
			}
		}
	}
	who := f.s.SignIn("supervisor")
	for _, c := range cards(t, who) {
		_, h, _ := who.Do(http.MethodGet, "/api/recordings/"+c.ID, nil)
		if !strings.HasPrefix(h.Get("Content-Type"), "application/json") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("hostile text could be taken for a page: %v", h)
		}
	}
}

func requestsOfNoForm(t *testing.T, f *shift) {
	who := f.s.SignIn("supervisor")
	long := strings.Repeat(marker, 40_000)
	for _, c := range []struct {
		name, method, path string
		body               any
		status             []int
		code               string
	}{
		{"a body too large", http.MethodPost, "/api/session", map[string]string{"name": long, "password": "x"}, []int{413}, "invalid"},
		{"a name too long", http.MethodPost, "/api/session", map[string]string{"name": long[:500], "password": "x"}, []int{422}, "invalid"},
		{"a wrong password", http.MethodPost, "/api/session", map[string]string{"name": marker, "password": marker}, []int{401}, "unauthenticated"},
		{"a wrong type", http.MethodPost, "/api/session", map[string]any{"name": []string{marker}, "password": 7}, []int{422}, "invalid"},
		{"a field too many", http.MethodPost, "/api/session", map[string]any{"name": "a", "password": "b", marker: 1}, []int{422}, "invalid"},
		{"no such thing", http.MethodGet, "/api/" + marker, nil, []int{404}, "not_found"},
		{"a path that climbs", http.MethodGet, "/log/..%2f..%2f" + marker, nil, []int{404}, "not_found"},
		{"a tile that is none", http.MethodGet, "/log/tile/99/" + marker, nil, []int{404}, "not_found"},
		{"a recording that is none", http.MethodGet, "/api/recordings/" + marker, nil, []int{404}, "not_found"},
		{"a long identifier", http.MethodGet, "/api/recordings/" + long[:200], nil, []int{404, 422}, ""},
		{"a viewing that is none", http.MethodGet, "/media/" + marker + "/1/master", nil, []int{404}, "not_found"},
		{"a segment that is none", http.MethodGet, "/media/00000000000000000000000000/" + marker + "/master", nil, []int{404}, "not_found"},
		{"a cursor that is none", http.MethodGet, "/api/recordings?cursor=" + marker, nil, []int{422}, "invalid"},
		{"a time that is none", http.MethodGet, "/api/recordings?from=" + marker, nil, []int{422}, "invalid"},
		{"a number that is none", http.MethodGet, "/api/recordings?limit=" + marker, nil, []int{422}, "invalid"},
		{"a method that is none", http.MethodPatch, "/api/recordings", nil, []int{404, 405}, ""},
		{"somebody's word for a dock", http.MethodGet, "/api/dock", nil, []int{401}, "unauthenticated"},
	} {
		status, h, b := who.Do(c.method, c.path, c.body)
		if !slices.Contains(c.status, status) {
			t.Errorf("%s: %d, want %v: %.300s", c.name, status, c.status, b)
			continue
		}
		if code, _ := problem(t, h, b); c.code != "" && code != c.code {
			t.Errorf("%s: code %s, want %s", c.name, code, c.code)
		}
		if bytes.Contains(b, []byte(marker)) {
			t.Errorf("%s: the answer repeats what was sent: %s", c.name, b)
		}
	}
	for name, header := range map[string][]string{
		"another site's page": {"Origin", "https://" + marker + ".example", "Sec-Fetch-Site", "cross-site"},
	} {
		status, h, b := who.Do(http.MethodPost, "/api/session", map[string]string{"name": "a", "password": "b"}, header...)
		if code, _ := problem(t, h, b); status != http.StatusForbidden || code != "denied" {
			t.Errorf("%s: %d %s", name, status, b)
		}
	}
}

// box is a QuickTime atom.
func box(kind string, parts ...[]byte) []byte {
	b := slices.Concat(parts...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(b)+8)), []byte(kind), b)
}

// filesThatAttack are taken in as evidence like anything else, looked at in
// the sandbox, and shown as what they are: nothing that plays.
func filesThatAttack(t *testing.T, f *shift) {
	const unpacked = 256 << 20
	var small bytes.Buffer
	z := zlib.NewWriter(&small)
	zeros := make([]byte, 1<<20)
	for range unpacked / len(zeros) {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := slices.Concat(box("ftyp", []byte("qt  \x00\x00\x00\x00qt  ")),
		box("moov", box("cmov", box("dcom", []byte("zlib")), box("cmvd", binary.BigEndian.AppendUint32(nil, unpacked), small.Bytes()))))
	huge := filepath.Join(t.TempDir(), "huge.avi")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=black:s=10000x10000", "-frames:v", "1", "-c:v", "mjpeg", huge).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	picture, err := os.ReadFile(huge)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(secret, []byte(marker), 0o644); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"bomb.mov":     bomb,
		"huge.avi":     picture,
		"playlist.mp4": []byte("#EXTM3U\n#EXTINF:10,\nfile://" + secret + "\n"),
		"concat.mp4":   []byte("ffconcat version 1.0\nfile " + secret + "\n"),
		"sdp.mp4":      []byte("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
		"text.mp4":     []byte("Not footage at all.\n"),
	}
	for name, content := range files {
		c := capture(content)
		c["fileName"], c["device"] = "DCIM/"+name, "K-0666"
		status, location, _, b := f.offer(t, c, content)
		if status != http.StatusCreated {
			t.Fatalf("%s: %d %s", name, status, b)
		}
		if status, _, b := f.outcome(t, location); status != http.StatusOK {
			t.Fatalf("%s: no receipt: %d %s", name, status, b)
		}
	}
	who := f.s.SignIn("supervisor")
	found := 0
	within(t, 90*time.Second, "the files are not judged", func() bool {
		found = 0
		for _, c := range cards(t, who) {
			if c.Device == "K-0666" && c.State == evidence.MediaPending {
				return false
			}
			if c.Device == "K-0666" {
				found++
			}
		}
		return true
	})
	if found != len(files) {
		t.Errorf("%d of %d files are in the catalogue", found, len(files))
	}
	for _, c := range cards(t, who) {
		if c.Device != "K-0666" {
			continue
		}
		r := read(t, who, c.ID)
		name := filepath.Base(r.Segments[0].FileName)
		if r.State != evidence.MediaNone || r.Why == "" || len(r.Copies) != 0 || strings.Contains(r.Why, marker) {
			t.Errorf("%s: %s, %q, %d copies", name, r.State, r.Why, len(r.Copies))
		}
		v := consult(t, who, c.ID) // the master itself stays evidence, byte for byte
		if _, h, b := who.Do(http.MethodGet, "/media/"+v.ID+"/1/master", nil); !bytes.Equal(b, files[name]) || strings.HasPrefix(h.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d bytes as %s", name, len(b), h.Get("Content-Type"))
		}
	}
	if status, body := get(t, f.s.URL+"/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, body)
	}
}

// othersUploads: a dock sees nothing of another's.
func othersUploads(t *testing.T, f *shift) {
	content, err := os.ReadFile(sound(t, 30, 5000))
	if err != nil {
		t.Fatal(err)
	}
	status, location, _, b := f.offer(t, capture(content), content[:0], "Upload-Length", "5000")
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, b)
	}
	other := f.s.NewDock("other")
	for _, method := range []string{http.MethodHead, http.MethodPatch, http.MethodDelete} {
		status, _, _, _ := f.tus(t, method, location, content, "Upload-Offset", "0", "Authorization", "Bearer "+other.Key())
		if status != http.StatusNotFound {
			t.Errorf("another dock may %s: %d", method, status)
		}
	}
	if status, _, h, b := f.tus(t, http.MethodGet, location+"/receipt", nil, "Authorization", "Bearer "+other.Key()); status != http.StatusNotFound {
		t.Errorf("another dock may ask for the receipt: %d %s", status, b)
	} else if code, _ := problem(t, h, b); code != "not_found" {
		t.Errorf("%s", b)
	}
	if status, _, _, b := f.tus(t, http.MethodGet, "/api/recordings", nil); status != http.StatusUnauthorized {
		t.Errorf("a dock may read recordings: %d %s", status, b)
	}
	if status, _, _, b := f.tus(t, http.MethodDelete, location, nil); status != http.StatusNoContent {
		t.Errorf("its own dock may not give it up: %d %s", status, b)
	}
	// A key that was revoked is one no more.
	var docks []struct{ ID, Name string }
	if err := json.Unmarshal([]byte(f.s.Run("admin", "dock", "list", "--json")), &docks); err != nil {
		t.Fatal(err)
	}
	for _, d := range docks {
		if d.Name == "other" {
			f.s.Run("admin", "dock", "revoke", d.ID)
		}
	}
	if status, _, _, b := f.offer(t, capture(content), content, "Authorization", "Bearer "+other.Key()); status != http.StatusUnauthorized && status != http.StatusForbidden {
		t.Errorf("a revoked dock may upload: %d %s", status, b)
	}
}

// Somebody in the middle answers with receipts that are good, and for other
// files: an earlier film of the same name, the same bytes on another camera.
func TestReceiptsOfOtherFilesWipeNothing(t *testing.T) {
	t.Parallel()
	f := newSmall(t)
	old := f.central.Receipts()[0].Receipt
	target, err := url.Parse(f.s.URL)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	middle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/receipt") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write(old)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(middle.Close)

	again := f.central.Put(filepath.Join(f.central.Cameras, "bay-1"), "K-0417", "4711", "100000", 1, sound(t, 2, 200_000))
	copied := f.central.Put(f.central.Camera("bay-2", "K-0999", "4711"), "K-0999", "4711", "100000", 1, sound(t, 1, 200_000))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := f.central.Command(ctx, "run", "--json", "--stable", "1s", "--server", middle.URL)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	who := f.s.SignIn("administrator")
	within(t, 30*time.Second, "the dock raises no alarm", func() bool {
		return cameraOf(t, who, "K-0417").State == evidence.CameraProblem && cameraOf(t, who, "K-0999").State == evidence.CameraProblem
	})
	cancel()
	_ = cmd.Wait() // killed
	for _, p := range []string{again, copied} {
		if _, err := os.Stat(p); err != nil {
			t.Errorf("wiped by another file's receipt: %v", err)
		}
	}
	if n := len(f.central.Receipts()); n != 1 {
		t.Errorf("%d receipts in the journal", n)
	}
	// The true receipts do.
	f.central.Empty(time.Minute)
	for _, p := range []string{again, copied} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s was not wiped", p)
		}
	}
}
