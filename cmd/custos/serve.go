package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sys/unix"

	"custos/certificate"
	"custos/evidence"
	"custos/httpapi"
	"custos/ingest"
	"custos/media"
	"custos/oversight"
	"custos/playback"
	"custos/tlog"
	"custos/web"
)

type serveCmd struct{}

// Run serves until ctx ends.
func (*serveCmd) Run(ctx context.Context, c *cli, s streams) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	return serve(ctx, cfg, s, nil)
}

// serve runs the server until ctx ends or something fails for good. ready, if
// not nil, is called with the address once requests are answered.
func serve(ctx context.Context, cfg Config, s streams, ready func(url string)) (err error) {
	log := logger(cfg, s.err)
	unlock, err := lock(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	a, err := open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	shown, err := a.certificates()
	if err != nil {
		return err
	}
	policy, purposes := a.access.Texts()
	// A ledger that takes nothing says so in the pages; nothing is decided for anybody then.
	if err := a.custody.RecordRule(ctx, policy, purposes); err != nil && a.ledger.Accepts() == nil {
		return err
	}
	srv, err := a.server(ctx, shown)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ln = httpapi.LimitConnections(ln, cfg.ConnectionsPerAddress, cfg.Proxied)
	scheme := "http"
	if shown.source != nil {
		scheme = "https"
		ln = tls.NewListener(ln, certificate.Config(shown.source, shown.protocols...))
	}
	url := scheme + "://" + ln.Addr().String()
	log.Info("serving", "address", url, "version", version, "database", string(a.db.Engine()), "log", cfg.Origin)
	return srv.run(ctx, ln, func() {
		if ready != nil {
			ready(url)
		}
		notifyReady()
	})
}

// lock keeps two servers off one data folder.
func lock(dir string) (func() error, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another server runs on %s; stop it first", dir), f.Close())
	}
	return f.Close, nil
}

// server is everything that runs while serving.
type server struct {
	app    *app
	door   *httpapi.Server
	ingest *ingest.Server

	challenges http.Handler // on plain HTTP; nil: there is no plain HTTP
}

func (a *app) server(ctx context.Context, shown shown) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		self = ""
	}
	tools, err := media.Find(ctx, self)
	if err != nil {
		// Footage is taken in all the same; looking at it waits.
		a.log.Error("footage cannot be prepared for watching until this is mended", "err", err)
		tools = nil
	} else {
		a.log.Info("media tools", "tool", tools.Version(), "sandbox", tools.Sandbox())
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &gauges{app: a})
	srv := &server{app: a, challenges: shown.challenges}
	player := playback.New(playback.Config{
		DB: a.db, Custody: a.custody, Catalogue: a.catalogue, Queue: a.queue, Tools: tools, Scratch: a.cfg.Scratch, Logger: a.log,
		Changed: func(id evidence.ID) { srv.door.RecordingChanged(id) },
	})
	max, err := a.cfg.maxUpload()
	if err != nil {
		return nil, err
	}
	srv.ingest, err = ingest.Open(ctx, ingest.Config{
		DB: a.db, Custody: a.custody, Log: a.log, MaxSize: max, Expiry: a.cfg.uploadExpiry(), Workers: a.cfg.CollectAtOnce,
		Actor: func(r *http.Request) (evidence.Actor, error) { return srv.door.DockActor(r) },
		Problem: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			srv.door.UploadProblem(w, r, status, err)
		},
		OnCollected: func(_ context.Context, id evidence.ID, _ int) error {
			srv.door.RecordingChanged(id)
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	trail := oversight.NewTrail(oversight.TrailConfig{
		DB: a.db, Ledger: a.ledger, Witness: a.witness, Access: a.access, Visible: a.custody.Visible,
		LogKey: a.signers.logKey, Force: a.cfg.Force, Classification: a.cfg.Classification,
	})
	srv.door = httpapi.New(httpapi.Config{
		Organisation: a.organisation, Staff: a.staff, Cases: a.cases,
		Access: a.access, Identity: a.identity, Catalogue: a.catalogue, Custody: a.custody, Ingest: srv.ingest, Docks: ingest.NewDocks(nil),
		Playback: player, Oversight: oversight.New(a.ledger, a.witness, a.signers.logKey), Trail: trail, Queue: a.queue, DB: a.db, Approvals: a.approvals,
		Force: a.cfg.Force, Classification: a.cfg.Classification, Version: version, Secure: a.cfg.secure(), Proxied: a.cfg.Proxied, MetricsToken: a.cfg.MetricsToken, Authority: shown.authority,
		Rates: httpapi.Rates{
			PerAddress: float64(a.cfg.RequestsPerAddress), PerAccount: float64(a.cfg.RequestsPerAccount), SignIns: float64(a.cfg.SignInsPerAddress),
		},
		ReceiptKey: a.signers.receiptKey, LogKey: a.signers.logKey, UI: web.Handler(web.CSP), Logger: a.log, Metrics: metrics,
	})
	a.onApproval, a.onGlass = srv.door.ApprovalsChanged, srv.door.GlassChanged
	a.onCheckpoint = func(b []byte) {
		if c, err := tlog.ParseCheckpoint(b); err == nil {
			srv.door.Checkpoint(c.Size)
		}
	}
	return srv, nil
}

// run answers requests and does the work behind them until ctx ends; then it
// lets what is running finish, at most 20 s. The first part that fails for
// good ends everything: a service that cannot record must not serve.
func (s *server) run(ctx context.Context, ln net.Listener, ready func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	part := func(name string, f func(context.Context) error) {
		parts.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				s.app.log.Error("stopping, because a part failed", "part", name, "err", err)
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	s.app.heedWitnesses(ctx)
	part("ledger", s.app.ledger.Run)
	part("witness", s.app.witness.Run)
	part("work", s.app.queue.Run)
	part("ingest", s.ingest.Run)
	part("docks", s.door.WatchDocks)
	part("viewings", func(ctx context.Context) error {
		return every(ctx, time.Minute, func() error { return s.app.custody.EndExpired(ctx) })
	})
	part("signed out", func(ctx context.Context) error { // by another server or a command
		return every(ctx, 500*time.Millisecond, func() error { s.door.EndSignedOut(ctx); return nil })
	})
	part("assignment", func(ctx context.Context) error {
		return every(ctx, time.Minute, func() error { return s.assign(ctx) })
	})
	part("approvals", func(ctx context.Context) error {
		return every(ctx, 5*time.Second, func() error { return s.endExpired(ctx) })
	})
	part("sweep", func(ctx context.Context) error {
		return every(ctx, time.Hour, func() error { return s.sweep(ctx) })
	})
	if s.challenges != nil {
		part("challenges", s.plain)
	}
	h := s.door.HTTP()
	served := make(chan error, 1)
	go func() { served <- h.Serve(ln) }()
	debug.FreeOSMemory() // what only the start needed, such as 46 MiB for a password that nobody has
	ready()
	var err error
	select {
	case err = <-served:
		cancel(err)
	case <-ctx.Done():
		err = context.Cause(ctx)
		if errors.Is(err, context.Canceled) {
			err = nil
		}
	}
	s.app.log.Info("stopping")
	s.door.Close()
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer stop()
	if serr := h.Shutdown(end); serr != nil {
		err = errors.Join(err, h.Close())
	}
	parts.Wait()
	return err
}

// leftOver is how long something in the vault that nobody claims is left alone.
const leftOver = 24 * time.Hour

func (s *server) sweep(ctx context.Context) error {
	n, err := s.app.custody.Sweep(ctx, time.Now().Add(-leftOver), s.ingest.Pending)
	if n > 0 {
		s.app.log.Info("gave up what a crash had left behind", "count", n)
	}
	if err != nil { // the next hour tries again
		s.app.log.Warn("sweep", "err", err)
	}
	return nil
}

// assign gives footage of nobody to whoever held its camera, where that has
// become known since.
func (s *server) assign(ctx context.Context) error {
	n, err := s.app.custody.SettleUnowned(ctx)
	if n > 0 {
		s.app.log.Info("footage was assigned to its officers", "count", n)
	}
	if err != nil { // the next minute tries again
		s.app.log.Warn("assignment", "err", err)
	}
	return nil
}

// every calls f each period until ctx ends or f fails.
func every(ctx context.Context, period time.Duration, f func() error) error {
	t := time.NewTicker(period)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := f(); err != nil {
				return err
			}
		}
	}
}

// notifyReady tells systemd, where it started us, that requests are answered
// (sd_notify(3)).
func notifyReady() {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return // systemd will say that we never reported
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("READY=1")) // as above
}
