// Command custos is the server and what runs it: serve, export, admin, and a
// demonstration force. See README.md and docs/operations.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // days of the force's zone, also on a machine without tzdata

	"github.com/alecthomas/kong"

	"custos/evidence"
	"custos/media"
)

// version is set when a release is built.
var version = "dev"

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

type cli struct {
	Config string `help:"The configuration file." default:"custos.toml" env:"CUSTOS_CONFIG" type:"path"`

	Serve   serveCmd         `cmd:"" help:"Run the server."`
	Demo    demoCmd          `cmd:"" help:"A demonstration force with docked cameras and real footage."`
	Sim     simCmd           `cmd:"" help:"A simulated camera: puts new recordings into a folder now and then."`
	Export  exportCmd        `cmd:"" help:"Disclose recordings as a bundle that anybody can check."`
	Admin   adminCmd         `cmd:"" help:"Set up and look after a service."`
	Version kong.VersionFlag `help:"Show the version."`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "confined" { // the sandbox starts us anew; see media.Confine
		fmt.Fprintln(os.Stderr, media.Confine(os.Args[2:]))
		os.Exit(1)
	}
	syscall.Umask(0o077) // nothing this program writes is for others on the machine
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run is main without the process: 0 only when all is well, 2 for a command
// that cannot be understood.
func run(ctx context.Context, args []string, s streams) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("custos"), kong.Description("Body-worn video evidence, provably kept."),
		kong.Vars{"version": version}, kong.Writers(s.out, s.err), kong.UsageOnError(),
		kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "custos:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if exit >= 0 { // --help or --version
		return exit
	}
	if err != nil {
		fmt.Fprintln(s.err, "custos:", err)
		return 2
	}
	if err := k.Run(&c); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(s.err, "custos:", explain(err))
		}
		return 1
	}
	return 0
}

// errSaid is a failure that the command has explained already.
var errSaid = errors.New("said already")

// explain gives the sentence for people and, since whoever runs commands on
// the server may know it, the cause.
func explain(err error) string {
	var e *evidence.Error
	if errors.As(err, &e) && e.Err != nil && e.Err.Error() != e.Message {
		return e.Message + "\n  Cause: " + e.Err.Error()
	}
	return err.Error()
}
