package ingest

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/database/databasetest"
	"custos/evidence"
)

// However an upload is cut up, broken off, taken up again, sent at the wrong
// place or with the wrong checksum, and however often the server restarts: the
// bytes collected are the bytes sent.
func TestAnyInterleavingYieldsExactlyTheBytes(t *testing.T) {
	st := newStation(t, databasetest.SQLite(t), func(c *Config) { c.MaxOpen = 1 << 20 })
	rapid.Check(t, func(rt *rapid.T) {
		content := some(rapid.IntRange(0, 5000).Draw(rt, "length"))
		path := st.open(len(content), captureHeader(t, captureFor(content)))
		at := 0
		for steps := 0; at < len(content); steps++ {
			rest := content[at:]
			n := rapid.IntRange(0, len(rest)).Draw(rt, "piece")
			if steps > 30 {
				n = len(rest)
			}
			piece := rest[:n]
			sum := sha1.Sum(piece)
			checked := "Upload-Checksum: sha1 " + base64.StdEncoding.EncodeToString(sum[:])
			var res *http.Response
			want := 204
			switch move := rapid.SampledFrom([]string{"piece", "checked", "broken", "broken checked", "wrong place", "wrong sum", "too much", "restart"}).Draw(rt, "move"); move {
			case "piece":
				res = st.patch(path, at, piece)
				at += n
			case "checked":
				res = st.patch(path, at, piece, checked)
				at += n
			case "broken":
				res = st.do("PATCH", path, breaking(piece), "Content-Type: "+bodyType, "Upload-Offset: "+strconv.Itoa(at))
				want = 400
				at += n
				if n == len(rest) {
					want = 204 // nothing after the last byte is asked for
				}
			case "broken checked":
				res = st.do("PATCH", path, breaking(piece), "Content-Type: "+bodyType, "Upload-Offset: "+strconv.Itoa(at), checked)
				want = 400
			case "wrong place":
				other := rapid.IntRange(0, 6000).Filter(func(o int) bool { return o != at }).Draw(rt, "place")
				res = st.patch(path, other, piece)
				want = 409
			case "wrong sum":
				res = st.patch(path, at, append(bytes.Clone(piece[:max(n-1, 0)]), 'x'), "Upload-Checksum: sha1 "+base64.StdEncoding.EncodeToString(make([]byte, 20)))
				want = 460
			case "too much":
				res = st.patch(path, at, append(bytes.Clone(rest), 'x'))
				want = 413
			case "restart":
				var err error
				if st.s, err = Open(context.Background(), st.cfg); err != nil {
					rt.Fatal(err)
				}
				continue
			}
			if res.StatusCode != want {
				rt.Fatalf("status %d, want %d: %s", res.StatusCode, want, text(res))
			}
			if got := st.do("HEAD", path, nil).Header.Get("Upload-Offset"); got != strconv.Itoa(at) {
				rt.Fatalf("stands at %s, want %d", got, at)
			}
		}
		st.settle()
		if m := st.fake.masters[idOf(path)]; m == nil || !bytes.Equal(m.bytes, content) {
			rt.Fatal("collected something else")
		}
	})
}

// serve puts the station's server on the loopback.
func (st *station) serve() string {
	st.t.Helper()
	srv := httptest.NewServer(st.s)
	st.t.Cleanup(srv.Close)
	return srv.URL
}

func request(t testing.TB, method, url string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer d1")
	r.Header.Set("Tus-Resumable", "1.0.0")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func TestSecondWriterIsLockedOutAndAStalledOneLosesItsTurn(t *testing.T) {
	st := newStation(t, databasetest.SQLite(t), func(c *Config) { c.Stall = 300 * time.Millisecond })
	base := st.serve()
	path := st.open(10)
	begun := time.Now()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(begun.Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer d1\r\nTus-Resumable: 1.0.0\r\nContent-Type: %s\r\nUpload-Offset: 0\r\nContent-Length: 10\r\n\r\nhello", path, bodyType)
	for st.do("HEAD", path, nil).Header.Get("Upload-Offset") != "5" {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("the first bytes do not arrive")
		}
		time.Sleep(time.Millisecond)
	}
	octets := "Content-Type: " + bodyType
	res := request(t, "PATCH", base+path, strings.NewReader("world"), octets, "Upload-Offset: 5")
	expect(t, res, 423)
	if got := codeOf(t, res); got != "conflict" {
		t.Errorf("code %q", got)
	}
	expect(t, request(t, "DELETE", base+path, nil), 423)
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 408" {
		t.Fatalf("the stalled client heard %q, %v", answer, err)
	}
	expect(t, request(t, "PATCH", base+path, strings.NewReader("world"), octets, "Upload-Offset: 5"), 204, "Upload-Offset: 10")
}

// A client that is slow but moves is never cut off, and a long wait of the
// server after the body does not end the request.
func TestDeadlineMovesWithTheClientAndIsLifted(t *testing.T) {
	var set, lifted atomic.Int32
	st := newStation(t, databasetest.SQLite(t), func(c *Config) {
		c.ReadDeadline = func(w http.ResponseWriter, at time.Time) error {
			if at.IsZero() {
				lifted.Add(1)
				return nil
			}
			if left := time.Until(at); left < 29*time.Second || left > 30*time.Second {
				t.Errorf("a read may take %v", left)
			}
			if lifted.Load() > 0 {
				t.Error("set again after it was lifted")
			}
			set.Add(1)
			return nil
		}
	})
	path := st.open(10)
	expect(t, st.do("PATCH", path, io.MultiReader(strings.NewReader("he"), strings.NewReader("llo")), "Content-Type: "+bodyType, "Upload-Offset: 0"), 204)
	if set.Load() < 2 || lifted.Load() != 1 {
		t.Errorf("set %d times, lifted %d times", set.Load(), lifted.Load())
	}
	st.cfg.ReadDeadline = func(http.ResponseWriter, time.Time) error { return net.ErrClosed }
	st.restart()
	expect(t, st.patch(path, 5, []byte("world")), 503)
	expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 5")
}

func TestUploadOfAGibibyteStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 1 GiB over the loopback")
	}
	const length = 1 << 30
	st := newStation(t, databasetest.SQLite(t))
	st.fake.discard = true
	base := st.serve()
	path := st.open(length)
	held := func() int64 { // what a collection leaves: when the last one ran does not count
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // pools let go at the second
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, peak := held(), int64(0)
	body := &watched{r: io.LimitReader(zeros{}, length), every: func() { peak = max(peak, held()) }}
	res := request(t, "PATCH", base+path, body, "Content-Type: "+bodyType, "Upload-Offset: 0")
	expect(t, res, 204, "Upload-Offset: "+strconv.Itoa(length))
	t.Logf("%.2f MiB were held at most, client and server together", float64(peak-before)/(1<<20))
	if peak-before > 1<<20 {
		t.Errorf("%d bytes were held", peak-before)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// watched calls every once in 8 MiB.
type watched struct {
	r     io.Reader
	n     int
	every func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.n += n; w.n >= 8<<20 {
		w.n = 0
		w.every()
	}
	return n, err
}

// custody may see a second writer that this server cannot: another server's.
func TestConflictOfCustodyIsALock(t *testing.T) {
	st := newStation(t, databasetest.SQLite(t))
	path := st.open(10)
	st.fake.incoming[idOf(path)].writer = true
	res := st.patch(path, 0, []byte("hello"))
	expect(t, res, 423)
	if got := codeOf(t, res); got != string(evidence.Conflict) {
		t.Errorf("code %q", got)
	}
}
