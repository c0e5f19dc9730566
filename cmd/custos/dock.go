package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"custos/database"
	"custos/durable"
	"custos/evidence"
)

type dockCmd struct {
	Add    dockAddCmd    `cmd:"" help:"Enrol a docking station; writes the file that its agent is started with."`
	List   dockListCmd   `cmd:"" help:"List docking stations."`
	Revoke dockRevokeCmd `cmd:"" help:"End a docking station's key at once."`
}

type dockAddCmd struct {
	Name   string   `arg:"" help:"What people call it, e.g. \"Central, ground floor\"."`
	Out    string   `help:"The agent's configuration file to write." required:"" type:"path"`
	Server string   `help:"The server's address as the dock reaches it. Left out: the configured one."`
	CA     string   `help:"Certificate of the authority that signed the server's, PEM. Left out: that of the service's own authority, if it has one." type:"path"`
	Watch  []string `help:"Folders in which cameras appear, to write into the file."`
}

// Run enrols the dock.
func (d *dockAddCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		if d.Server == "" {
			d.Server = a.cfg.url()
		}
		if d.CA == "" && a.cfg.ownTLS() { // nobody else vouches for the server
			ca, err := a.cfg.authority()
			if err != nil {
				return err
			}
			d.CA = string(ca.PEM())
		}
		if err := addDock(ctx, a, operator(), d.Name, d.Out, dockFile{Server: d.Server, Name: d.Name, CA: d.CA, Watch: d.Watch}); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s is enrolled. Bring %s to the station and start: custos-dock run --config dock.toml\nThe file holds the dock's key: keep it from others.\n", d.Name, d.Out)
		return nil
	})
}

// dockFile is the part of the agent's configuration that enrolment knows.
type dockFile struct {
	Server     string   `toml:"server"`
	Key        string   `toml:"key"`
	ReceiptKey string   `toml:"receipt_key"`
	LogKey     string   `toml:"log_key"`
	CA         string   `toml:"ca,omitempty"`
	Name       string   `toml:"name,omitempty"`
	Watch      []string `toml:"watch,omitempty"`
	Journal    string   `toml:"journal,omitempty"`
}

func addDock(ctx context.Context, a *app, by evidence.Actor, name, out string, f dockFile) error {
	if err := a.custody.Administer(ctx, by, []evidence.Field{evidence.F("what", "dock enrolled"), evidence.F("dock", name)}, func(tx *database.Tx) error {
		_, key, err := a.identity.AddDock(ctx, tx, name)
		f.Key = key
		return err
	}); err != nil {
		return err
	}
	f.ReceiptKey, f.LogKey = a.signers.receiptKey, a.signers.logKey
	b, err := toml.Marshal(f)
	if err != nil {
		return err
	}
	dir, err := durable.Open(filepath.Dir(out))
	if err != nil {
		return err
	}
	return durable.WriteFile(dir, filepath.Base(out), append([]byte("# Docking station "+strings.Map(printable, name)+". Holds its key: keep it from others.\n"), b...), 0o600)
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '_'
}

type dockListCmd struct {
	JSON bool `help:"One JSON array."`
}

// Run lists the docks.
func (d *dockListCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		docks, err := a.identity.Docks(ctx)
		if err != nil {
			return err
		}
		if d.JSON {
			return printJSON(s, docks)
		}
		for _, k := range docks {
			state := "enrolled " + k.EnrolledAt.Format(time.DateOnly)
			if !k.RevokedAt.IsZero() {
				state = "revoked " + k.RevokedAt.Format(time.DateOnly)
			}
			fmt.Fprintf(s.out, "%s  %-30s %s\n", k.ID, k.Name, state)
		}
		return nil
	})
}

type dockRevokeCmd struct {
	ID string `arg:"" help:"The dock's identifier, from dock list."`
}

// Run revokes the key.
func (d *dockRevokeCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		id, err := evidence.ParseID(d.ID)
		if err != nil {
			return err
		}
		if err := a.custody.Administer(ctx, operator(), []evidence.Field{evidence.F("what", "dock revoked"), evidence.F("dock", d.ID)},
			func(tx *database.Tx) error { return a.identity.RevokeDock(ctx, tx, id) }); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "That dock's key no longer works.")
		return nil
	})
}
