// Command custos-dock is the agent at a docking station: it takes the footage
// of docked cameras into the vault and wipes a camera only after the server
// has proved that it keeps every byte.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"custos/evidence"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(code)
}

// cli is the whole command line.
type cli struct {
	Run     runCmd           `cmd:"" help:"Empty docked cameras into the vault, for as long as it runs."`
	Status  statusCmd        `cmd:"" help:"Say how the cameras are. The exit code is 0 only when all is well."`
	Profile profileCmd       `cmd:"" help:"Camera profiles: list them, check one, try them on a folder."`
	Version kong.VersionFlag `help:"Print the version."`
}

// console is where a command talks to people and programs.
type console struct {
	stdout, stderr io.Writer
	env            func(string) string
}

// errNotWell makes the exit code 1 without a message: the output has said it.
var errNotWell = errors.New("not all is well")

// run is main without the process: 0 when all is well, 1 when not, 2 when the
// command line or the configuration cannot be used.
func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer, env func(string) string) (code int) {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("custos-dock"), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Description("The agent at a docking station. A camera is wiped only after the server has proved that it keeps every byte."),
		kong.Exit(func(n int) { exited = n; panic(exit{}) }), kong.Vars{"version": version()})
	if err != nil {
		fmt.Fprintln(stderr, "custos-dock:", err)
		return 2
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(exit); !ok {
				panic(p)
			}
			code = exited
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "custos-dock:", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(&console{stdout, stderr, env})
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNotWell):
		return 1
	}
	fmt.Fprintln(stderr, "custos-dock:", err)
	if evidence.CodeOf(err) == evidence.Invalid {
		return 2
	}
	return 1
}

// exit unwinds out of kong after --help or --version.
type exit struct{}

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "unknown"
}
