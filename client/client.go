// Package client is the dock's side of the server's API: announce, upload
// (tus 1.0.0, resumable), fetch receipts, say how the cameras are.
//
// It decides nothing about evidence. A nil error of Upload only means that
// the server has taken all bytes in; whether they are kept is told by a
// receipt, which the caller checks. Every error has an evidence code; errors
// that may pass by themselves are Unavailable or Full.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"custos/evidence"
)

// Limits of what is read from the server.
const (
	maxAnswer  = 1 << 20 // bytes of an answer
	maxMessage = 300     // bytes of a problem's text that are passed on
)

// Config says how to reach the server. URL and Key must be given.
type Config struct {
	URL       string // such as https://custos.force.example; plain http only to this machine itself
	Key       string // the dock's key, sent as a bearer token
	CA        []byte // PEM certificates to trust instead of the system's; nil: the system's
	Bandwidth int64  // bytes a second for all uploads together; 0: no limit
	Stall     time.Duration
	Transport http.RoundTripper // nil: a new one; CA is then used
	Agent     string            // User-Agent, such as "custos-dock/1.2"
}

// Client talks to one server. Its methods may be called concurrently.
type Client struct {
	base  *url.URL
	key   string
	agent string
	http  *http.Client
	limit *rate.Limiter // nil: no limit
	stall time.Duration
}

// chunk is how many bytes are read and sent between two looks at the limit.
const chunk = 64 << 10

// defaultStall ends a transfer in which nothing has moved for so long.
const defaultStall = time.Minute

// New checks the configuration; it does not talk to the server. It fails with
// Invalid.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil {
		return nil, evidence.Errorf(evidence.Invalid, "the server's address must be like https://custos.force.example")
	}
	if base.Scheme == "http" && !loopback(base.Hostname()) {
		return nil, evidence.Errorf(evidence.Invalid, "footage is sent over https only; plain http works to this machine itself")
	}
	if cfg.Key == "" || strings.ContainsAny(cfg.Key, " \r\n\t") {
		return nil, evidence.Errorf(evidence.Invalid, "the dock's key is missing or has spaces in it")
	}
	if cfg.Bandwidth < 0 {
		return nil, evidence.Errorf(evidence.Invalid, "the bandwidth cannot be negative")
	}
	c := &Client{base: base, key: cfg.Key, agent: cfg.Agent, stall: cfg.Stall}
	if c.stall <= 0 {
		c.stall = defaultStall
	}
	if cfg.Bandwidth > 0 {
		c.limit = rate.NewLimiter(rate.Limit(cfg.Bandwidth), chunk)
	}
	transport := cfg.Transport
	if transport == nil {
		if transport, err = newTransport(cfg.CA); err != nil {
			return nil, err
		}
	}
	c.http = &http.Client{
		Transport: transport,
		// The key must not follow a redirect to somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func newTransport(ca []byte) (http.RoundTripper, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 0, // Upload and Receipt have their own limits
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   8,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if ca != nil {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca) {
			return nil, evidence.Errorf(evidence.Invalid, "the certificate file holds no certificate")
		}
	}
	return t, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Dock is what the server says of this dock.
type Dock struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Force      string    `json:"force"`
	Now        time.Time `json:"now"`        // the server's clock
	ReceiptKey string    `json:"receiptKey"` // only for comparing with the pinned one, never instead of it
	LogKey     string    `json:"logKey"`     // likewise
	MaxUpload  int64     `json:"maxUpload"`  // bytes of one file; 0: no limit
}

// Dock asks the server who this dock is. A wrong key is Unauthenticated.
func (c *Client) Dock(ctx context.Context) (Dock, error) {
	var d Dock
	ctx, cancel := context.WithTimeout(ctx, c.stall)
	defer cancel()
	_, body, err := c.do(ctx, http.MethodGet, "/api/dock", nil, nil)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return d, evidence.Wrap(evidence.Unavailable, err, "The server's answer cannot be read. Is this the address of a Custos server?")
	}
	return d, nil
}

// Status tells the server how the cameras are.
func (c *Client) Status(ctx context.Context, s evidence.DockStatus) error {
	body, err := json.Marshal(s)
	if err != nil {
		return evidence.Wrap(evidence.Internal, err, "the dock's status cannot be written")
	}
	ctx, cancel := context.WithTimeout(ctx, c.stall)
	defer cancel()
	_, _, err = c.do(ctx, http.MethodPut, "/api/dock/status", body, http.Header{"Content-Type": {"application/json"}})
	return err
}

// Create announces a file and returns the upload's path on the server, which
// stays good across restarts of both sides. Full means that the server has no
// room now, Invalid that it will never take this file.
func (c *Client) Create(ctx context.Context, capture evidence.Capture) (string, error) {
	meta, err := json.Marshal(capture)
	if err != nil {
		return "", evidence.Wrap(evidence.Internal, err, "the file's description cannot be written")
	}
	ctx, cancel := context.WithTimeout(ctx, c.stall)
	defer cancel()
	res, _, err := c.do(ctx, http.MethodPost, "/files/", nil, http.Header{
		"Tus-Resumable":   {"1.0.0"},
		"Upload-Length":   {strconv.FormatInt(capture.Length, 10)},
		"Upload-Metadata": {"capture " + base64.StdEncoding.EncodeToString(meta)},
	})
	if err != nil {
		return "", err
	}
	loc, err := c.base.Parse(res.Header.Get("Location"))
	if err != nil || loc.Host != c.base.Host || !strings.HasPrefix(loc.Path, "/files/") {
		return "", evidence.Errorf(evidence.Unavailable, "The server's answer cannot be read: it names no place for the upload.")
	}
	return loc.Path, nil
}

// Upload sends what the server does not have yet of the length bytes of r,
// and calls progress, if not nil, with how many bytes the server has, from
// this goroutine or one it started, never after Upload returned. NotFound
// means that the server does not know the upload: start over. An error of r
// is returned as it is, without a code. Upload does not retry; calling it
// again resumes.
func (c *Client) Upload(ctx context.Context, at string, r io.ReaderAt, length int64, progress func(sent int64)) error {
	offset, err := c.offset(ctx, at, length)
	if err != nil {
		return err
	}
	if progress == nil {
		progress = func(int64) {}
	}
	progress(offset)
	if offset == length {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(c.stall, func() { cancel(errStalled) })
	defer idle.Stop()
	body := &source{
		ctx: ctx, r: r, at: offset, end: length, limit: c.limit, done: make(chan struct{}),
		moved: func(sent int64) { idle.Reset(c.stall); progress(sent) },
	}
	res, _, err := c.send(ctx, http.MethodPatch, at, body, length-offset, http.Header{
		"Tus-Resumable": {"1.0.0"},
		"Upload-Offset": {strconv.FormatInt(offset, 10)},
		"Content-Type":  {"application/offset+octet-stream"},
	})
	<-body.done // the transport may still be reading when it answers early
	if body.err != nil {
		return body.err
	}
	if err != nil {
		return err
	}
	if got, err := uploadOffset(res, length); err != nil || got != length {
		return evidence.Errorf(evidence.Unavailable, "The server took only a part of the file. The rest is sent again.")
	}
	return nil
}

var errStalled = errors.New("nothing has moved")

func (c *Client) offset(ctx context.Context, at string, length int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.stall)
	defer cancel()
	res, _, err := c.do(ctx, http.MethodHead, at, nil, http.Header{"Tus-Resumable": {"1.0.0"}})
	if err != nil {
		return 0, err
	}
	return uploadOffset(res, length)
}

func uploadOffset(res *http.Response, length int64) (int64, error) {
	n, err := strconv.ParseInt(res.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || n < 0 || n > length {
		return 0, evidence.Errorf(evidence.Unavailable, "The server's answer cannot be read: it does not say how much of the file it has.")
	}
	return n, nil
}

// source reads the file for the transport, no faster than the limit.
type source struct {
	ctx     context.Context
	r       io.ReaderAt
	at, end int64
	limit   *rate.Limiter
	moved   func(sent int64)
	err     error         // of r; read after done
	done    chan struct{} // closed by Close
	closed  bool          // owned by the transport
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if s.at >= s.end {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), chunk, s.end-s.at)]
	if s.limit != nil {
		if err := s.limit.WaitN(s.ctx, len(p)); err != nil {
			return 0, err
		}
	}
	n, err := s.r.ReadAt(p, s.at)
	if n == len(p) {
		err = nil
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the file is shorter than it was
		}
		s.err = err
		return 0, err
	}
	s.at += int64(n)
	s.moved(s.at)
	return n, nil
}

func (s *source) Close() error {
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	return nil
}

// Receipt asks for the receipt of an upload, waiting up to wait for it. The
// note is nil while the server is still collecting. Corrupt: the bytes that
// arrived are not the ones announced. NotFound: the upload is unknown. The
// receipt is not checked here.
func (c *Client) Receipt(ctx context.Context, at string, wait time.Duration) (note []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+c.stall)
	defer cancel()
	res, body, err := c.do(ctx, http.MethodGet, at+"/receipt?wait="+strconv.Itoa(int(wait.Seconds())), nil, nil)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusAccepted {
		return nil, nil
	}
	if len(body) == 0 {
		return nil, evidence.Errorf(evidence.Unavailable, "The server sent an empty receipt.")
	}
	return body, nil
}

func (c *Client) do(ctx context.Context, method, path string, body []byte, h http.Header) (*http.Response, []byte, error) {
	return c.send(ctx, method, path, bytes.NewReader(body), int64(len(body)), h)
}

// send makes one request and reads its whole answer.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, length int64, h http.Header) (*http.Response, []byte, error) {
	at := c.base.JoinPath() // a copy
	at.Path, at.RawQuery, _ = strings.Cut(path, "?")
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return nil, nil, evidence.Wrap(evidence.Internal, err, "the request cannot be made")
	}
	if h != nil {
		req.Header = h
	}
	req.ContentLength = length
	if length == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("User-Agent", c.agent)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, nil, unreachable(ctx, err)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, nil, unreachable(ctx, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, nil, problem(res, answer)
	}
	return res, answer, nil
}
