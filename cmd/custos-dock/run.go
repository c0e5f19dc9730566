package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/camera"
	"custos/client"
	"custos/dock"
	"custos/durable"
	"custos/evidence"
	"custos/receipt"
)

// compactAt is the size of the journal, in bytes, from which it is made
// smaller at start.
const compactAt = 4 << 20

type runCmd struct {
	Config  string `name:"config" short:"c" help:"Configuration file (TOML)." placeholder:"FILE"`
	Flags   Config `embed:""`
	Once    bool   `help:"End when every camera that is there is done. The exit code is 0 only when all are ready."`
	JSON    bool   `name:"json" help:"Print one JSON object a line for every change."`
	Verbose bool   `short:"v" help:"Log more."`
}

// Run is `custos-dock run`.
func (r *runCmd) Run(ctx context.Context, c *console) (err error) {
	cfg, err := loadConfig(r.Config, r.Flags, c.env)
	if err != nil {
		return err
	}
	ca, err := cfg.secrets()
	if err != nil {
		return err
	}
	out := newOutput(c, r.JSON)
	log := slog.New(slog.NewTextHandler(out.log(), &slog.HandlerOptions{Level: level(r.Verbose)}))

	if err := os.MkdirAll(cfg.Journal, 0o700); err != nil {
		return invalid(err, "the journal's folder cannot be made")
	}
	disk, err := durable.Open(cfg.Journal)
	if err != nil {
		return invalid(err, "the journal's folder "+cfg.Journal+" cannot be used")
	}
	defer func() { err = errors.Join(err, disk.Close()) }()
	lock, err := disk.Lock("lock")
	if err != nil {
		return invalid(err, "another custos-dock works with the journal in "+cfg.Journal)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	memory, journal, err := openJournal(disk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()

	server, err := newClient(cfg, ca)
	if err != nil {
		return err
	}
	defer server.Close()
	agent, err := newAgent(cfg, server, memory, journal, log)
	if err != nil {
		return err
	}
	greet(ctx, server, cfg, log)
	agent.Once = r.Once
	var last evidence.DockStatus
	agent.Show = func(s evidence.DockStatus) {
		last = s
		out.show(s)
		if err := writeStatus(cfg.Journal, s); err != nil {
			log.Warn("the status file cannot be written", "err", err)
		}
	}
	err = agent.Run(ctx)
	out.close()
	if err == nil && r.Once && (ctx.Err() != nil || !dock.Well(last)) {
		return errNotWell
	}
	return err
}

func level(verbose bool) slog.Level {
	if verbose {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

func openJournal(disk *durable.Disk) (*dock.Memory, *durable.Journal, error) {
	memory := dock.NewMemory()
	journal, err := durable.OpenJournal(disk, "journal", memory.Replay)
	if err != nil {
		return nil, nil, err
	}
	if journal.Size() > compactAt {
		if err := memory.Compact(journal, time.Now()); err != nil {
			return nil, nil, errors.Join(err, journal.Close())
		}
	}
	return memory, journal, nil
}

func newClient(cfg Config, ca []byte) (*client.Client, error) {
	bandwidth, err := bytesPerSecond(cfg.Bandwidth)
	if err != nil {
		return nil, err
	}
	return client.New(client.Config{
		URL: cfg.Server, Key: cfg.Key, CA: ca, Bandwidth: bandwidth, Agent: "custos-dock/" + version(),
	})
}

// greet compares what the server says of itself with what is pinned, and the
// two clocks. It changes nothing: keys are trusted as enrolled or not at all.
func greet(ctx context.Context, server *client.Client, cfg Config, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	d, err := server.Dock(ctx)
	if err != nil {
		log.Warn("the server was not reached at start; it is tried again", "code", evidence.CodeOf(err))
		return
	}
	if d.ReceiptKey != cfg.ReceiptKey || d.LogKey != cfg.LogKey {
		log.Error("the server's keys are not the ones pinned at enrolment: no camera will be wiped")
	}
	if off := time.Since(d.Now).Round(time.Second); off.Abs() > 5*time.Second {
		log.Warn("this machine's clock differs from the server's; clock offsets of cameras are measured against this machine's", "by", off)
	}
}

// newAgent wires the agent and checks everything that can be checked before
// a camera is touched.
func newAgent(cfg Config, server dock.Server, memory *dock.Memory, journal dock.Journal, log *slog.Logger) (*dock.Agent, error) {
	stable, err := stableTime(cfg.Stable)
	if err != nil {
		return nil, err
	}
	if cfg.Parallel < 1 || cfg.Parallel > 64 {
		return nil, evidence.Errorf(evidence.Invalid, "parallel must be 1 to 64")
	}
	profiles, err := camera.Load(cfg.Profiles)
	if err != nil {
		return nil, err
	}
	trust := receipt.Trust{Receipt: cfg.ReceiptKey, Log: cfg.LogKey}
	for _, key := range []string{trust.Receipt, trust.Log} {
		if _, err := note.NewVerifier(key); err != nil {
			return nil, invalid(err, "a pinned key cannot be read; enrol the dock again")
		}
	}
	return &dock.Agent{
		Station:  dock.Folders{Roots: cfg.Watch, Cameras: cfg.Cameras},
		Server:   server,
		Profiles: profiles,
		Name:     cfg.Name,
		Version:  version(),
		Log:      log,
		Config: dock.Config{
			Stable: stable, Parallel: cfg.Parallel, Rand: rand.Reader, Journal: journal, Memory: memory, Log: log,
			Check: func(note []byte, want evidence.Capture) error {
				_, err := receipt.Check(note, trust, receipt.Expect{
					Device: want.Device, FileName: want.FileName, Digest: want.Digest, Length: want.Length,
				})
				return err
			},
		},
	}, nil
}

// output is how a run shows what happens.
type output interface {
	show(evidence.DockStatus)
	log() io.Writer
	close()
}
