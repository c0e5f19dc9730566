package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"custos/database"
	"custos/evidence"
)

var start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// station is a server under test with its custody, its clock and somebody at
// the dock.
type station struct {
	t    testing.TB
	db   *database.DB
	fake *fakeCustody
	s    *Server
	cfg  Config
	now  time.Time
}

// dockOf reads who sends a request from its Authorization header, whose name
// is taken as it stands.
func dockOf(r *http.Request) (evidence.Actor, error) {
	switch name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); name {
	case "":
		return evidence.Actor{}, evidence.Errorf(evidence.Unauthenticated, "who are you?")
	case "revoked":
		return evidence.Actor{}, evidence.Errorf(evidence.Denied, "this dock may not upload")
	default:
		return evidence.Actor{Kind: evidence.Dock, ID: name, Name: "Dock " + name}, nil
	}
}

func newStation(t testing.TB, db *database.DB, adjust ...func(*Config)) *station {
	t.Helper()
	st := &station{t: t, db: db, fake: newFake(), now: start}
	st.cfg = Config{
		DB: db, Custody: st.fake, Log: slog.New(slog.DiscardHandler), Actor: dockOf,
		Now: func() time.Time { return st.now },
	}
	for _, f := range adjust {
		f(&st.cfg)
	}
	st.restart()
	return st
}

// restart makes a new server on the same database and custody.
func (st *station) restart() {
	st.t.Helper()
	var err error
	if st.s, err = Open(context.Background(), st.cfg); err != nil {
		st.t.Fatal(err)
	}
}

// do sends one request as dock d1, unless a header says otherwise. headers are
// "Name: value"; "Name:" alone removes a default.
func (st *station) do(method, path string, body io.Reader, headers ...string) *http.Response {
	st.t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Authorization", "Bearer d1")
	r.Header.Set("Tus-Resumable", "1.0.0")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	st.s.ServeHTTP(w, r)
	return w.Result()
}

// open opens an upload and returns its path.
func (st *station) open(length int, headers ...string) string {
	st.t.Helper()
	res := st.do("POST", "/files/", nil, append(headers, "Upload-Length: "+strconv.Itoa(length))...)
	if res.StatusCode != 201 {
		st.t.Fatalf("POST: %d %s", res.StatusCode, text(res))
	}
	return res.Header.Get("Location")
}

func (st *station) patch(path string, offset int, body []byte, headers ...string) *http.Response {
	st.t.Helper()
	return st.do("PATCH", path, bytes.NewReader(body), append([]string{"Content-Type: " + bodyType, "Upload-Offset: " + strconv.Itoa(offset)}, headers...)...)
}

// settle collects all that is due now, in this goroutine.
func (st *station) settle() {
	st.t.Helper()
	for {
		id, err := st.s.claim(context.Background())
		if err != nil {
			st.t.Fatal(err)
		}
		if id == "" {
			return
		}
		st.s.collect(context.Background(), id)
	}
}

func (st *station) sweep() {
	st.t.Helper()
	if err := st.s.sweep(context.Background()); err != nil {
		st.t.Fatal(err)
	}
}

func (st *station) row(path string) *upload {
	st.t.Helper()
	u, err := st.s.get(context.Background(), idOf(path))
	if err != nil {
		st.t.Fatal(err)
	}
	return u
}

func idOf(path string) evidence.ID { return evidence.ID(strings.TrimPrefix(path, "/files/")) }

func text(res *http.Response) string {
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// codeOf is the code of a problem+json answer.
func codeOf(t testing.TB, res *http.Response) string {
	t.Helper()
	var p struct{ Type, Title, Detail, Code string }
	if ct := res.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("status %d has type %q", res.StatusCode, ct)
	}
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Title == "" || p.Detail == "" {
		t.Fatalf("a problem without words: %+v", p)
	}
	return p.Code
}

func captureFor(content []byte) evidence.Capture {
	return evidence.Capture{
		Device: "X81234567", Officer: "4711", FileName: "DCIM/100/CLIP0001.MP4",
		Started: start.Add(-8 * time.Hour), Source: "name", Zone: "Europe/London",
		Digest: sha256.Sum256(content), Length: int64(len(content)), DockedAt: start, Profile: "generic",
	}
}

// captureHeader is the Upload-Metadata of c.
func captureHeader(t testing.TB, c evidence.Capture) string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return "Upload-Metadata: capture " + base64.StdEncoding.EncodeToString(b)
}

// some is n bytes that differ from place to place.
func some(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + i>>16)
	}
	return b
}

// breaking reads b and then fails, as a line that is cut.
func breaking(b []byte) io.Reader { return io.MultiReader(bytes.NewReader(b), errReader{}) }

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// newRequest is for requests that do cannot express.
func newRequest(method, path string, headers map[string][]string) (*http.Request, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Authorization", "Bearer d1")
	r.Header.Set("Tus-Resumable", "1.0.0")
	for name, v := range headers {
		r.Header[http.CanonicalHeaderKey(name)] = v
	}
	return r, httptest.NewRecorder()
}
