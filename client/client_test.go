package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"custos/client"
	"custos/client/clienttest"
	"custos/evidence"
	"custos/receipt"
)

func start(t *testing.T) (*clienttest.Server, *client.Client) {
	t.Helper()
	s := clienttest.New()
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	c, err := client.New(client.Config{URL: h.URL, Key: clienttest.Key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return s, c
}

func footage(n int) ([]byte, evidence.Capture) {
	data := bytes.Repeat([]byte("footage "), n/8+1)[:n]
	return data, evidence.Capture{Device: "K-1", FileName: "DCIM/ä b.mp4", Digest: sha256.Sum256(data), Length: int64(n)}
}

func TestUploadBreaksResumesAndGetsItsReceipt(t *testing.T) {
	s, c := start(t)
	ctx := context.Background()
	data, capture := footage(300_000)
	at, err := c.Create(ctx, capture)
	if err != nil {
		t.Fatal(err)
	}
	s.Set(clienttest.Faults{CutAfter: 100_000})
	if err := c.Upload(ctx, at, bytes.NewReader(data), capture.Length, nil); evidence.CodeOf(err) != evidence.Unavailable {
		t.Fatalf("a broken upload gave %v", err)
	}
	s.Set(clienttest.Faults{})
	var first, last int64 = -1, 0
	err = c.Upload(ctx, at, bytes.NewReader(data), capture.Length, func(n int64) {
		if first < 0 {
			first = n
		}
		last = n
	})
	if err != nil || first != 100_000 || last != capture.Length {
		t.Fatalf("resumed at %d, ended at %d: %v", first, last, err)
	}
	note, err := c.Receipt(ctx, at, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := receipt.Expect{Device: "K-1", FileName: capture.FileName, Digest: capture.Digest, Length: capture.Length}
	if _, err := receipt.Check(note, s.Trust(), want); err != nil {
		t.Error(err)
	}
	if !s.Holds(data) {
		t.Error("the vault does not hold the bytes")
	}
}

func TestAnswersBecomeCodes(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
		code        evidence.Code
		message     string
	}{
		"full":             {507, "application/problem+json", `{"code":"full","detail":"No room until noon."}`, evidence.Full, "No room until noon."},
		"full, plain":      {507, "text/html", "<html>", evidence.Full, "no room"},
		"lost":             {404, "", "", evidence.NotFound, "does not know"},
		"gone":             {410, "", "", evidence.NotFound, ""},
		"wrong key":        {401, "", "", evidence.Unauthenticated, "key"},
		"too large":        {413, "", "", evidence.Invalid, "stays on the camera"},
		"locked":           {423, "", "", evidence.Conflict, ""},
		"proxy":            {502, "text/html", "<html>", evidence.Unavailable, "tried again"},
		"redirect":         {302, "", "", evidence.Unavailable, ""},
		"other digest":     {422, "application/problem+json", `{"code":"corrupt","detail":"differs"}`, evidence.Corrupt, "differs"},
		"unknown code":     {500, "application/problem+json", `{"code":"root","detail":"x\u001b[2Jy"}`, evidence.Unavailable, "x [2Jy"},
		"endless":          {500, "application/problem+json", `{"detail":"` + strings.Repeat("x", 2<<20), evidence.Unavailable, ""},
		"internal of ours": {500, "application/problem+json", `{"code":"internal"}`, evidence.Unavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && r.URL.Path != "/files/1/receipt" {
					t.Errorf("followed to %s", r.URL)
				}
				w.Header().Set("Content-Type", c.contentType)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer h.Close()
			cl, err := client.New(client.Config{URL: h.URL, Key: "k"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = cl.Receipt(context.Background(), "/files/1", time.Second)
			if evidence.CodeOf(err) != c.code || !strings.Contains(evidence.MessageOf(err), c.message) {
				t.Errorf("got %s %q, want %s %q", evidence.CodeOf(err), evidence.MessageOf(err), c.code, c.message)
			}
			if strings.ContainsAny(evidence.MessageOf(err), "\x1b\n") {
				t.Errorf("control characters in %q", evidence.MessageOf(err))
			}
		})
	}
}

func TestLocationOfAnotherHostIsRefused(t *testing.T) {
	for _, location := range []string{"https://evil.example/files/1", "/api/session", "", "//evil.example/files/1"} {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusCreated)
		}))
		c, err := client.New(client.Config{URL: h.URL, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		if at, err := c.Create(context.Background(), evidence.Capture{}); err == nil {
			t.Errorf("%q: accepted as %q", location, at)
		}
		h.Close()
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for name, cfg := range map[string]client.Config{
		"no address":   {Key: "k"},
		"plain http":   {URL: "http://custos.force.example", Key: "k"},
		"other scheme": {URL: "ftp://custos.force.example", Key: "k"},
		"no key":       {URL: "https://custos.force.example"},
		"broken key":   {URL: "https://custos.force.example", Key: "a\nb"},
		"no CA":        {URL: "https://custos.force.example", Key: "k", CA: []byte("nothing")},
		"negative":     {URL: "https://custos.force.example", Key: "k", Bandwidth: -1},
	} {
		if _, err := client.New(cfg); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyThePinnedAuthorityIsTrusted(t *testing.T) {
	s := clienttest.New()
	h := httptest.NewTLSServer(s.Handler())
	defer h.Close()
	h.Config.ErrorLog = nil
	ours := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
	c, err := client.New(client.Config{URL: h.URL, Key: clienttest.Key, CA: ours})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if d, err := c.Dock(context.Background()); err != nil || d.Name != "Front desk" {
		t.Errorf("got %+v, %v", d, err)
	}
	c, err = client.New(client.Config{URL: h.URL, Key: clienttest.Key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Dock(context.Background()); !strings.Contains(evidence.MessageOf(err), "certificate") {
		t.Errorf("an unknown authority gave %v", err)
	}
}

type brokenCard struct{ io.ReaderAt }

var errSector = errors.New("unreadable sector")

func (b brokenCard) ReadAt(p []byte, off int64) (int, error) {
	if off >= 128<<10 {
		return 0, errSector
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestTheCardsErrorIsTheCardsError(t *testing.T) {
	_, c := start(t)
	data, capture := footage(300_000)
	at, err := c.Create(context.Background(), capture)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Upload(context.Background(), at, brokenCard{bytes.NewReader(data)}, capture.Length, nil); !errors.Is(err, errSector) {
		t.Errorf("got %v", err)
	}
	if err := c.Upload(context.Background(), at, bytes.NewReader(data[:100_000]), capture.Length, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that shrank gave %v", err)
	}
}

// In a bubble with its own clock: an hour of waiting takes no time.
func TestBandwidthAndStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.New()
		l := newPipeListener()
		h := &http.Server{Handler: s.Handler()}
		go func() { _ = h.Serve(l) }()
		transport := &http.Transport{DialContext: l.dial}
		c, err := client.New(client.Config{URL: "http://localhost", Key: clienttest.Key, Bandwidth: 100_000, Stall: 10 * time.Second, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		data, capture := footage(1_000_000)
		at, err := c.Create(context.Background(), capture)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := c.Upload(context.Background(), at, bytes.NewReader(data), capture.Length, nil); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d < 9*time.Second || d > 11*time.Second {
			t.Errorf("1 MB at 100 kB/s took %s", d)
		}
		l.stall()
		begin = time.Now()
		err = c.Upload(context.Background(), at, bytes.NewReader(data), capture.Length, nil)
		if d := time.Since(begin); evidence.CodeOf(err) != evidence.Unavailable || d > 11*time.Second {
			t.Errorf("a dead connection gave %v after %s", err, d)
		}
		transport.CloseIdleConnections()
		_ = h.Close()
	})
}

// pipeListener connects through net.Pipe, which a bubble can wait on.
type pipeListener struct {
	conns chan net.Conn
	dead  chan struct{}
	shut  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{}), make(chan struct{})}
}

func (l *pipeListener) stall() { close(l.dead) }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	select {
	case <-l.dead:
		<-ctx.Done()
		return nil, ctx.Err()
	default:
	}
	a, b := net.Pipe()
	l.conns <- a
	return deadable{b, l}, nil
}

type deadable struct {
	net.Conn
	l *pipeListener
}

func (d deadable) Write(p []byte) (int, error) {
	select {
	case <-d.l.dead:
		return len(p), nil // swallowed: no answer will come
	default:
		return d.Conn.Write(p)
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.shut:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.shut)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestBackoffGrowsStaysInBoundsAndHeedsTheServer(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	b := client.Backoff{Min: time.Second, Max: time.Minute}
	seen := map[time.Duration]bool{}
	for tries := 1; tries < 60; tries++ {
		full := min(time.Minute, time.Second<<min(tries-1, 10))
		d := b.Wait(tries, nil, random)
		if d < full/2 || d > full {
			t.Errorf("try %d: %s, want %s to %s", tries, d, full/2, full)
		}
		seen[d] = true
	}
	if len(seen) < 40 {
		t.Errorf("only %d different waits: no chance in them", len(seen))
	}
	busy := evidence.Wrap(evidence.Full, &client.Problem{Status: 507, RetryAfter: 10 * time.Minute}, "full")
	if d := b.Wait(1, busy, random); d != 10*time.Minute {
		t.Errorf("the server asked for 10 min, got %s", d)
	}
}
