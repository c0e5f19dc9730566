package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"custos/access"
	"custos/identity"
)

type demoCmd struct {
	Dir    string `help:"Folder of the demo; it survives and the next demo goes on with it." default:"demo-data" type:"path"`
	Listen string `help:"Address and port." default:"127.0.0.1:8080"`
}

// demoPassword is the same for everybody in the demo, and is printed.
const demoPassword = "custos-demo-force"

// demoPeople has one person for each role that can do something today.
var demoPeople = []identity.Person{
	{Login: "adeyemi", Name: "PC T. Adeyemi", Number: "4711", Role: access.Officer},
	{Login: "whitfield", Name: "PC L. Whitfield", Number: "4702", Role: access.Officer},
	{Login: "patel", Name: "Insp. R. Patel", Number: "7731", Role: access.Supervisor},
	{Login: "okafor", Name: "DC N. Okafor", Number: "5120", Role: access.Investigator},
	{Login: "llewellyn", Name: "S. Llewellyn", Role: access.DisclosureOfficer},
	{Login: "begum", Name: "A. Begum", Role: access.RecordsManager},
	{Login: "hughes", Name: "DCI M. Hughes", Number: "9004", Role: access.ProfessionalStandards},
	{Login: "ortiz", Name: "J. Ortiz", Role: access.Auditor},
	{Login: "novak", Name: "P. Novak", Role: access.DataProtectionOfficer},
	{Login: "admin", Name: "Demo administrator", Role: access.Administrator},
}

// Run sets the demo up where it is not there yet, and runs it until stopped.
func (d *demoCmd) Run(ctx context.Context, s streams) error {
	path := filepath.Join(d.Dir, "custos.toml")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := d.build(ctx, s); err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else {
		fmt.Fprintf(s.out, "Going on with the demo in %s (make demo-clean removes it)\n", d.Dir)
	}
	cfg, err := readConfig(path)
	if err != nil {
		return err
	}
	cfg.Listen = d.Listen
	logs, err := os.OpenFile(filepath.Join(d.Dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logs.Close() // a log of the demo; nothing hangs on it
	return d.run(ctx, cfg, s, streams{s.in, logs, logs})
}

// run starts the server and, once it answers, the dock agent.
func (d *demoCmd) run(ctx context.Context, cfg Config, s, quiet streams) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	err := serve(ctx, cfg, quiet, func(url string) {
		wg.Go(func() {
			if err := d.dock(ctx, url, quiet); err != nil {
				cancel(err)
			}
		})
		wg.Go(func() {
			if err := d.putIn(ctx); err != nil {
				cancel(err)
			}
		})
		d.greet(s, url)
	})
	cancel(nil)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if err != nil {
		return fmt.Errorf("%w\n  The server's log: %s", err, filepath.Join(d.Dir, "server.log"))
	}
	fmt.Fprintf(s.out, "\nStopped. What was stored stays in %s; make demo goes on with it.\n", d.Dir)
	return nil
}

func (d *demoCmd) dock(ctx context.Context, url string, s streams) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	agent := filepath.Join(filepath.Dir(self), "custos-dock")
	cmd := exec.CommandContext(ctx, agent, "run", "--config", filepath.Join(d.Dir, "dock.toml"), "--server", url)
	cmd.Stdout, cmd.Stderr = s.out, s.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true} // Ctrl-C is ours to pass on
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("it ended by itself")
	}
	return fmt.Errorf("the dock agent (%s): %w; its words are in %s", agent, err, filepath.Join(d.Dir, "server.log"))
}

// putIn docks the cameras of the shift once the agent is watching, each with
// its clock as it is at that moment: only so can the dock measure the offset.
func (d *demoCmd) putIn(ctx context.Context) error {
	for _, k := range demoShift(filepath.Join(d.Dir, "shift")) {
		if _, err := os.Stat(k.dir); errors.Is(err, os.ErrNotExist) {
			continue // docked in an earlier demo
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(4 * time.Second):
		}
		if err := k.prepare(time.Now()); err != nil {
			return err
		}
		if err := os.Rename(k.dir, filepath.Join(d.Dir, "cameras", filepath.Base(k.dir))); err != nil {
			return fmt.Errorf("dock camera %s: %w", k.device, err)
		}
	}
	return nil
}

// demoShift is the cameras of a shift, not docked yet.
func demoShift(dir string) []simCamera {
	return []simCamera{
		{dir: filepath.Join(dir, "bay-1"), device: "K-0417", officer: "4711", drift: 41 * time.Second},
		{dir: filepath.Join(dir, "bay-2"), device: "K-0522", officer: "4702", drift: -3 * time.Second},
	}
}

func (d *demoCmd) greet(s streams, url string) {
	self, err := os.Executable()
	if err != nil {
		self = "build/custos"
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, self); err == nil && !strings.HasPrefix(rel, "..") {
			self = rel
		}
	}
	var roles strings.Builder
	for _, p := range demoPeople {
		fmt.Fprintf(&roles, "  %-12s %-20s %s\n", p.Login, p.Name, strings.ReplaceAll(string(p.Role), "_", " "))
	}
	fmt.Fprintf(s.out, `
Custos is running:  %s

Sign in as (password for all: %s)
%s
Three things to try
  1. Sign in as okafor. The newest recording of camera K-0417 has three segments and a gap: watch it,
     then open its Custody tab and press Verify: your browser checks every proof itself.
  2. Sign in as patel and open Docks. In another terminal, bring new footage in and watch it arrive:
     %s sim --camera %s/cameras/bay-3 --every 20s
  3. Disclose a recording and check the bundle without Custos: copy its identifier from its page, then
     %s --config %s/custos.toml export --to "Defence" --out %s/bundle RECORDING
     %s-verify --log-key "$(%s --config %s/custos.toml admin keys show --log)" %s/bundle

Ctrl-C ends it; what was stored stays in %s.
`, url, demoPassword, roles.String(), self, rel(d.Dir), self, rel(d.Dir), rel(d.Dir), self, self, rel(d.Dir), rel(d.Dir), rel(d.Dir))
}

// rel is path as somebody in the current folder would write it.
func rel(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if r, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return path
}

// build makes the demo force in a folder of another name and moves it into
// place when it is whole, so that a demo cut off while it was made is made anew.
func (d *demoCmd) build(ctx context.Context, s streams) error {
	tmp := d.Dir + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	step := func(what string) { fmt.Fprintf(s.out, "  %s\n", what) }
	fmt.Fprintln(s.out, "Preparing the demo")
	step("keys, database, log")
	cfg := Config{Force: "Anytown Police (demo)", Origin: "demo.custos/log", Listen: d.Listen, MFA: mfaOptional}
	if err := initService(ctx, tmp, cfg); err != nil {
		return err
	}
	full, err := cfg.filled(tmp)
	if err != nil {
		return err
	}
	a, err := open(ctx, full, logger(Config{LogLevel: "warn"}, s.err))
	if err != nil {
		return err
	}
	step("people, units and a docking station")
	for _, p := range demoPeople {
		if err := addUser(ctx, a, access.Operator("demo"), p, demoPassword); err != nil {
			return errors.Join(err, a.close())
		}
	}
	if err := demoOrganisation(ctx, a); err != nil {
		return errors.Join(err, a.close())
	}
	if err := addDock(ctx, a, access.Operator("demo"), "Anytown Central", filepath.Join(tmp, "dock.toml"),
		dockFile{Server: "http://" + d.Listen, Name: "Anytown Central", Watch: []string{"cameras"}, Journal: "dock-journal"}); err != nil {
		return errors.Join(err, a.close())
	}
	if err := a.close(); err != nil {
		return err
	}
	if err := demoCameras(ctx, tmp, step); err != nil {
		return err
	}
	return os.Rename(tmp, d.Dir)
}

// demoCameras fills two cameras with a shift's footage.
func demoCameras(ctx context.Context, dir string, step func(string)) error {
	walking, more, err := footage()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	shift := demoShift(filepath.Join(dir, "shift"))
	one, two := &shift[0], &shift[1]
	if err := os.MkdirAll(filepath.Join(dir, "cameras"), 0o700); err != nil {
		return err
	}
	whole := []time.Duration{10 * time.Second}
	takes := map[*simCamera][]take{
		one: {
			{started: now.Add(-2 * time.Hour), category: "stop-search", source: walking, lengths: []time.Duration{20 * time.Second, 20 * time.Second, 15 * time.Second}, gap: 12 * time.Second, as: "mp4"},
			{started: now.Add(-5 * time.Hour), source: walking, from: 30 * time.Second, lengths: []time.Duration{12 * time.Second}, as: "mp4"},
		},
		two: {
			{started: now.Add(-3 * time.Hour), category: "traffic", source: walking, from: 15 * time.Second, lengths: []time.Duration{18 * time.Second}, as: "avi"},
			{started: now.Add(-26 * time.Hour), source: walking, from: 50 * time.Second, lengths: []time.Duration{14 * time.Second}, as: "mp4"},
		},
	}
	if p := more["gp-karma.mp4"]; p != "" {
		takes[one] = append(takes[one], take{started: now.Add(-4 * time.Hour), category: "traffic", source: p, lengths: whole, as: "as it is"})
		takes[two] = append(takes[two], take{started: now.Add(-27 * time.Hour), source: p, lengths: whole, as: "as it is", cut: true})
	}
	if p := more["asl.mkv"]; p != "" {
		takes[two] = append(takes[two], take{started: now.Add(-6 * time.Hour), category: "domestic", source: p, lengths: whole, as: "as it is"})
	}
	if p := more["jfk.wav"]; p != "" {
		takes[one] = append(takes[one], take{started: now.Add(-7 * time.Hour), source: p, lengths: whole, as: "as it is"})
	}
	for _, k := range []*simCamera{one, two} {
		step("footage for camera " + k.device)
		if err := k.prepare(time.Now()); err != nil {
			return err
		}
		for _, t := range takes[k] {
			if err := k.record(ctx, t); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(two.dir, "DCIM", "README.TXT"), []byte("Not footage: the dock leaves this file and says so.\n"), 0o644)
}
