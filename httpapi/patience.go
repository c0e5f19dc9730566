package httpapi

import (
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"custos/evidence"
)

// Patience is how long the server waits for those who ask. A client that
// moves is never cut off; one that does not is, so that nobody can hold
// connections for nothing.
type Patience struct {
	Header time.Duration // for the whole head of a request; 0: 10 s
	Body   time.Duration // for the whole body, uploads excepted: they have a limit between reads (ingest); 0: 20 s
	Write  time.Duration // until what was written is taken; 0: 30 s
	Media  time.Duration // the same for footage: a player that is paused stops reading; 0: 5 min
	Answer time.Duration // for the work behind an answer of the described API; 0: 1 min
}

func (p Patience) filled() Patience {
	for _, v := range []struct {
		d    *time.Duration
		left time.Duration
	}{{&p.Header, 10 * time.Second}, {&p.Body, 20 * time.Second}, {&p.Write, 30 * time.Second}, {&p.Media, 5 * time.Minute}, {&p.Answer, time.Minute}} {
		if *v.d == 0 {
			*v.d = v.left
		}
	}
	return p
}

// maxPlain is the most bytes that a plain route reads of a body.
const maxPlain = 1 << 20

// HTTP is the server that answers on a listener: the door with its limits on
// heads, idle connections and streams.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: s.Patience.Header, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 100, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second,
			WriteByteTimeout: s.Patience.Write},
		ErrorLog: log.New(&quiet{s.Logger}, "", 0),
	}
}

// quiet passes on what net/http says of broken connections, which anybody may
// cause, without what they sent.
type quiet struct{ log *slog.Logger }

func (q *quiet) Write(p []byte) (int, error) {
	said, _, _ := strings.Cut(string(p), ":")
	if strings.HasPrefix(string(p), "http: ") {
		said, _, _ = strings.Cut(strings.TrimPrefix(string(p), "http: "), " from ")
	}
	q.log.Debug("connection", "said", strings.TrimSpace(said))
	return len(p), nil
}

// patiently gives each request its deadlines. Those of the connection are on
// the machine's clock, whatever Now says.
func (s *Server) patiently(rec *recorder, r *http.Request) *http.Request {
	rec.patience = s.Patience.Write
	if strings.HasPrefix(r.URL.Path, "/media/") {
		rec.patience = s.Patience.Media
	}
	if strings.HasPrefix(r.URL.Path, "/files/") || r.Body == nil || r.Body == http.NoBody {
		return r
	}
	r = r.WithContext(r.Context()) // its own: Body is changed
	r.Body = &slowBody{ReadCloser: r.Body, rc: http.NewResponseController(rec.ResponseWriter), until: time.Now().Add(s.Patience.Body)}
	return r
}

// slowBody is a body that must be there in time. The deadline is lifted at its
// end: left in place it would end the request while the server still works.
type slowBody struct {
	io.ReadCloser
	rc    *http.ResponseController
	until time.Time
	set   bool
}

func (b *slowBody) Read(p []byte) (int, error) {
	if !b.set {
		if err := b.rc.SetReadDeadline(b.until); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
		b.set = true
	}
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		if derr := b.rc.SetReadDeadline(time.Time{}); derr != nil && !errors.Is(derr, http.ErrNotSupported) {
			return n, derr
		}
	}
	return n, err
}

// overdue is the error of work that took longer than Patience.Answer.
func overdue(err error) error {
	return evidence.Wrap(evidence.Unavailable, err, "This took too long and was given up. Nothing was changed. Try again, or ask for less.")
}
