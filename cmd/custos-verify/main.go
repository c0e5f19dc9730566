// Command custos-verify checks an evidence bundle: that its files are the bytes
// that came off the camera, that the record of what was done with them is
// whole, and that the force's log agrees. It checks a part of the trail given
// out with proofs the same way. It reads what it is given and nothing else: no
// network, no configuration, nothing is written.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/bundle"
	"custos/evidence"
)

// What the program ends with: docs/formats/bundle.md, section Verifying.
const (
	exitSound       = 0
	exitWrong       = 1
	exitCannot      = 2
	exitUnconfirmed = 3
)

const usage = `Usage: custos-verify [--log-key KEY|FILE] [--policy FILE] [--json] BAG
       custos-verify [--log-key KEY|FILE] [--policy FILE] [--json] --trail FILE

Checks the evidence bundle in the folder BAG, or the part of the trail in FILE
(JSON, with proofs). It needs no network and changes nothing.

  --log-key KEY|FILE     key of the force's log, or a file that holds it. Get it
                         from the force, not from the bundle. The environment
                         variable CUSTOS_LOG_KEY does the same.
  --checkpoint FILE      a checkpoint of the log that you got elsewhere, to
                         compare with the bundle's
  --policy FILE          whose signatures make the log's checkpoint good: a witness
                         policy (C2SP tlog-policy). Get it from the witnesses or
                         a body that you trust, not from the force.
  --timestamp-roots FILE certificates (PEM) that the certificate of a timestamp
                         authority must lead to
  --json                 print the report for programs
  --all                  also print every single thing that was proven

Ends with 0 if everything holds and the key is the one given, 1 if something is
wrong, 2 if it could not look, 3 if everything fits together but the key, a file
that is sealed for somebody else, or what --policy or --timestamp-roots ask for
is not confirmed.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv("CUSTOS_LOG_KEY"), os.Stdout, os.Stderr))
}

// command is what was asked for.
type command struct {
	bag        string
	trail      string
	logKey     string
	checkpoint string
	policy     string
	roots      string
	json       bool
	all        bool
}

func run(ctx context.Context, args []string, envKey string, out, problems io.Writer) int {
	c, err := parse(args, envKey)
	if errors.Is(err, flag.ErrHelp) {
		return write(out, problems, usage, exitSound)
	}
	if err != nil {
		fmt.Fprintf(problems, "custos-verify: %v\n\n%s", err, usage)
		return exitCannot
	}
	check := c.checkBag
	if c.trail != "" {
		check = c.checkTrail
	}
	outcome, text, err := check(ctx, problems)
	if err != nil {
		// An error of this program has no sentence for people but its own text.
		says := err.Error()
		if evidence.CodeOf(err) != evidence.Internal {
			says = evidence.MessageOf(err)
		}
		fmt.Fprintf(problems, "custos-verify: %s\n", says)
		return exitCannot
	}
	exit := map[bundle.Outcome]int{bundle.Sound: exitSound, bundle.Wrong: exitWrong, bundle.Unconfirmed: exitUnconfirmed}[outcome]
	return write(out, problems, text, exit)
}

// checkBag gives the outcome and the text of a bundle's report.
func (c command) checkBag(ctx context.Context, problems io.Writer) (bundle.Outcome, string, error) {
	report, err := c.verify(ctx, problems)
	if err != nil {
		return "", "", err
	}
	if !c.json {
		return report.Outcome(), words(report, c), nil
	}
	text, err := forPrograms(struct {
		Outcome bundle.Outcome `json:"outcome"`
		bundle.Report
	}{report.Outcome(), report})
	return report.Outcome(), text, err
}

func forPrograms(v any) (string, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return string(b) + "\n", err
}

// write never lets a result that nobody could read pass for a good one.
func write(out, problems io.Writer, text string, exit int) int {
	if _, err := io.WriteString(out, text); err != nil {
		fmt.Fprintf(problems, "custos-verify: the result could not be written: %v\n", err)
		return exitCannot
	}
	return exit
}

func parse(args []string, envKey string) (command, error) {
	c := command{logKey: envKey}
	f := flag.NewFlagSet("custos-verify", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.logKey, "log-key", envKey, "")
	f.StringVar(&c.checkpoint, "checkpoint", "", "")
	f.StringVar(&c.trail, "trail", "", "")
	f.StringVar(&c.policy, "policy", "", "")
	f.StringVar(&c.roots, "timestamp-roots", "", "")
	f.BoolVar(&c.json, "json", false, "")
	f.BoolVar(&c.all, "all", false, "")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	// People put flags behind the folder too; the flag package stops there.
	if c.bag = f.Arg(0); f.NArg() > 1 {
		if err := f.Parse(f.Args()[1:]); err != nil {
			return c, err
		}
		if f.NArg() > 0 {
			return c, errors.New("give one folder")
		}
	}
	switch {
	case c.bag == "" && c.trail == "":
		return c, errors.New("give the folder of the bundle, or with --trail the file of a trail")
	case c.bag != "" && c.trail != "":
		return c, errors.New("give a bundle or a trail, not both")
	}
	return c, nil
}

func (c command) verify(ctx context.Context, problems io.Writer) (bundle.Report, error) {
	opt, err := c.options()
	if err != nil {
		return bundle.Report{}, err
	}
	opt.Progress = progress(problems)
	// A root, not a plain folder: a link in a bundle must not lead out of it.
	root, err := os.OpenRoot(c.bag)
	if err != nil {
		return bundle.Report{}, fmt.Errorf("there is no bundle to read: %w", err)
	}
	report, err := bundle.Verify(ctx, root.FS(), opt)
	return report, errors.Join(err, root.Close())
}

// options are what else was given: whom to believe, and a checkpoint to compare.
func (c command) options() (opt bundle.Options, err error) {
	if opt.LogKey, err = key(c.logKey); err != nil {
		return opt, err
	}
	for _, f := range []struct {
		name, what string
		into       *[]byte
	}{{c.checkpoint, "checkpoint", &opt.Newer}, {c.policy, "witness policy", &opt.Policy}, {c.roots, "file of timestamp roots", &opt.TimeRoots}} {
		if f.name == "" {
			continue
		}
		if *f.into, err = os.ReadFile(f.name); err != nil {
			return opt, fmt.Errorf("the %s that you gave cannot be read: %w", f.what, err)
		}
	}
	return opt, nil
}

// key takes a verifier key or the name of a file that holds one.
func key(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	if _, err := note.NewVerifier(strings.TrimSpace(given)); err == nil {
		return given, nil
	}
	b, err := os.ReadFile(given)
	if err != nil {
		return "", fmt.Errorf("the log key that you gave is neither a key nor a file: %w", err)
	}
	return string(b), nil
}

// progress shows how far hashing is, to somebody who looks at a terminal.
func progress(w io.Writer) func(done, total int64) {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var last time.Time
	return func(done, total int64) {
		if done == total {
			fmt.Fprint(w, "\r\x1b[K")
		} else if now := time.Now(); now.Sub(last) > 200*time.Millisecond {
			last = now
			fmt.Fprintf(w, "\rReading: %d %% of %s", done*100/max(total, 1), size(total))
		}
	}
}
