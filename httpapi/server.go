// Package httpapi is the door for browsers, docks and programs: routes, who
// may use which, errors as problem+json, and the embedded web UI. It decides
// nothing about evidence itself; that is custody's and access's.
package httpapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"custos/access"
	"custos/approval"
	"custos/cases"
	"custos/catalogue"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/ingest"
	"custos/organisation"
	"custos/oversight"
	"custos/playback"
	"custos/staff"
	"custos/work"
)

// Config is what the door opens onto. All fields but the last group must be set.
type Config struct {
	DB           *database.DB
	Access       *access.Access
	Identity     *identity.Directory
	Catalogue    *catalogue.Catalogue
	Custody      *custody.Custody
	Ingest       *ingest.Server
	Docks        *ingest.Docks
	Playback     *playback.Player
	Oversight    *oversight.Oversight
	Trail        *oversight.Trail
	Queue        *work.Queue
	Approvals    *approval.Room
	Organisation *organisation.Organisation
	Staff        *staff.Staff
	Cases        *cases.Cases

	Force          string // name of the force
	Classification string // banner, e.g. OFFICIAL-SENSITIVE
	Version        string
	ReceiptKey     string // vkeys that docks pin
	LogKey         string
	Secure         bool // served over TLS: cookies are marked so
	Proxied        bool // a proxy on this machine says in X-Forwarded-For who asks
	MetricsToken   string
	Authority      []byte // certificate (PEM) of the authority that this service made for itself; nil: none
	Rates          Rates
	Patience       Patience

	UI      http.Handler // the web UI; nil: none
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *prometheus.Registry
}

// Server is the door. Its methods may be called concurrently.
type Server struct {
	Config
	api     huma.API
	mux     *http.ServeMux
	listed  []route // all that is registered
	events  *events
	started time.Time
	seconds *prometheus.HistogramVec
	rates   rates
	stop    context.CancelFunc // ends event streams
	done    context.Context

	mu      sync.Mutex
	closed  bool           // guarded by mu: no stream begins any more
	streams sync.WaitGroup // added to under mu
}

// New builds the door. Close ends its event streams.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Patience = c.Patience.filled()
	s := &Server{Config: c, mux: http.NewServeMux(), events: newEvents(), started: c.Now(), rates: newRates(c.Rates, c.Now)}
	s.done, s.stop = context.WithCancel(context.Background())
	s.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "custos_http_request_seconds", Help: "Time to answer, by route and status.",
		Buckets: []float64{.005, .02, .05, .15, .5, 2, 10, 60},
	}, []string{"route", "status"})
	if c.Metrics != nil {
		c.Metrics.MustRegister(s.seconds)
	}
	s.api = newAPI(s.mux, c.Version)
	s.routes()
	return s
}

// ownErrors makes huma's own refusals look like ours. It is one setting for
// all of the process.
var ownErrors = sync.OnceFunc(func() { huma.NewError = humaError })

func newAPI(mux *http.ServeMux, version string) huma.API {
	ownErrors()
	cfg := huma.DefaultConfig("Custos", version)
	cfg.Info.Description = "Body-worn video evidence: collect, find, watch, verify, disclose."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.Transformers = append(cfg.Transformers, referred)
	return humago.New(mux, cfg)
}

// OpenAPI is the description of the API, as JSON (OpenAPI 3.1).
func OpenAPI(version string) ([]byte, error) {
	s := &Server{Config: Config{Version: version}, mux: http.NewServeMux(), events: newEvents()}
	s.api = newAPI(s.mux, version)
	s.routes()
	return s.api.OpenAPI().MarshalJSON()
}

// Close ends the event streams and waits for them. None begins afterwards.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.streams.Wait()
}

// Handler is the whole door with everything that every request goes through.
func (s *Server) Handler() http.Handler {
	other := http.NewCrossOriginProtection()
	other.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, evidence.Errorf(evidence.Denied, "The request came from another site. Nothing was changed. Use the pages of this service."))
	}))
	return s.watch(s.guard(other.Handler(s.mux)))
}

// ctxKey keys what the transport knows of a request. Packages below get it as
// explicit arguments only.
type ctxKey int

const stateKey ctxKey = 0

// state is what is known of one request.
type state struct {
	reference string
	address   string
	actor     evidence.Actor
	session   identity.Session // of a person
	token     string           // the session's secret
	err       error            // why it failed, for the log
	retry     time.Duration    // after which too many requests are few enough again
}

func stateOf(ctx context.Context) *state {
	if st, ok := ctx.Value(stateKey).(*state); ok {
		return st
	}
	return &state{}
}

func reference(ctx context.Context) string { return stateOf(ctx).reference }

// note keeps the cause of a failure for the request's log line.
func note(ctx context.Context, err error) { stateOf(ctx).err = err }

// watch gives each request its reference, headers, log line and measure, and
// turns a panic into a problem; where part of an answer went out already, it
// breaks the connection, so that nobody takes the part for the whole.
func (s *Server) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.Now()
		st := &state{reference: string(evidence.NewID(begun, rand.Reader)), address: s.caller(r)}
		r = r.WithContext(context.WithValue(r.Context(), stateKey, st))
		s.secure(w.Header())
		rec := &recorder{ResponseWriter: w}
		r = s.patiently(rec, r)
		defer func() {
			rec.hurry() // for what is still to be sent
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				s.Logger.ErrorContext(r.Context(), "panic", "reference", st.reference, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					writeProblem(rec, r, evidence.Errorf(evidence.Internal, "%s", evidence.MessageOf(nil)))
					p = nil
				}
			}
			s.logged(r, rec, st, begun)
			if p != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func (s *Server) logged(r *http.Request, rec *recorder, st *state, begun time.Time) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	took := s.Now().Sub(begun)
	s.seconds.WithLabelValues(route, http.StatusText(status)).Observe(took.Seconds())
	level := slog.LevelDebug
	if status >= 500 && status != http.StatusInsufficientStorage {
		level = slog.LevelError
	} else if status >= 400 {
		level = slog.LevelInfo
	}
	if !s.Logger.Enabled(r.Context(), level) {
		return
	}
	// The route, not the path: a path may hold what somebody looked for.
	args := []any{"route", route, "status", status, "ms", took.Milliseconds(), "bytes", rec.written, "reference", st.reference, "actor", st.actor.ID, "address", st.address}
	if st.err != nil {
		args = append(args, "err", st.err.Error())
	}
	s.Logger.Log(r.Context(), level, "request", args...)
}

// recorder notes what was answered, and gives each write its time.
type recorder struct {
	http.ResponseWriter
	status   int
	written  int64
	patience time.Duration // for each write to be taken
}

// hurry and lift set and take away the deadline for what is written. It does
// not stand while a handler thinks: over HTTP/2 it would end the request.
// Where the connection knows no deadlines, there is nobody to wait for.
func (r *recorder) hurry() {
	_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(r.patience))
}

func (r *recorder) lift() {
	_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Time{})
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
		if h := r.Header(); status >= 400 && h.Get("Cache-Control") == "" { // net/http's own errors drop it
			h.Set("Cache-Control", "no-store")
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.hurry()
	n, err := r.ResponseWriter.Write(p)
	r.lift()
	r.written += int64(n)
	return n, err
}

// FlushError sends what was written; http.ResponseController calls it.
func (r *recorder) FlushError() error {
	r.hurry()
	defer r.lift()
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Server) metricsHandler() http.Handler {
	if s.Metrics == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{})
}
