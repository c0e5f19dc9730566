package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"custos/access"
	"custos/durable"
	"custos/evidence"
	"custos/vault"
)

type adminCmd struct {
	Init       initCmd       `cmd:"" help:"Make a new service in an empty folder: configuration, keys, database."`
	User       userCmd       `cmd:"" aliases:"users" help:"People and their accounts."`
	People     peopleCmd     `cmd:"" help:"People from a file."`
	Unit       unitCmd       `cmd:"" aliases:"units" help:"The units of the force."`
	Dock       dockCmd       `cmd:"" aliases:"docks" help:"Docking stations and their keys."`
	Approvals  approvalsCmd  `cmd:"" help:"List the requests that wait for a second person."`
	Approve    approveCmd    `cmd:"" help:"Be the second person for a request, where the service has nobody else; it is on record."`
	Keys       keysCmd       `cmd:"" help:"The keys: show what others must pin."`
	TLS        tlsCmd        `cmd:"" name:"tls" help:"The certificate of the service's own authority, for browsers and docks to trust."`
	Fsck       fsckCmd       `cmd:"" help:"Compare store, ledger and catalogue item by item."`
	Backup     backupCmd     `cmd:"" help:"Copy database and objects to another folder; the keys go elsewhere."`
	Restore    restoreCmd    `cmd:"" help:"Bring a service back from a backup into an empty folder, and check it."`
	Migrate    migrateCmd    `cmd:"" help:"Bring the database's tables to this version. The server does so at its start too."`
	Timestamps timestampsCmd `cmd:"" help:"Write the timestamps that were kept into a folder, each beside what it is over."`

	Invite inviteCmd `cmd:"" help:"A one-time link with which somebody sets up how they sign in; so the first administrator begins."`
}

// operator is whoever runs this command, by the name the machine knows.
func operator() evidence.Actor {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if by := os.Getenv("SUDO_USER"); by != "" {
		name += " (" + by + ")"
	}
	return access.Operator(name)
}

// opened runs f with the service that c names, quietly.
func opened(ctx context.Context, c *cli, s streams, f func(a *app) error) (err error) {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	cfg.LogLevel = "warn"
	a, err := open(ctx, cfg, logger(cfg, s.err))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	return f(a)
}

type initCmd struct {
	Dir    string `help:"The folder of the service." default:"." type:"path"`
	Force  string `help:"The name of the force." required:""`
	Origin string `help:"The name of the transparency log, for ever. Left out: made from the force's name."`
	Listen string `help:"Address and port to write into the configuration." default:"127.0.0.1:8080"`
}

// Run makes the folder. It refuses one that has a service already.
func (i *initCmd) Run(ctx context.Context, s streams) error {
	path := filepath.Join(i.Dir, "custos.toml")
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("there is a service in %s already; nothing was changed", i.Dir)
	}
	if i.Origin == "" {
		i.Origin = originOf(i.Force)
	}
	cfg := Config{Force: i.Force, Origin: i.Origin, Listen: i.Listen}
	if err := initService(ctx, i.Dir, cfg); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "A service for %s is ready in %s.\n\n", i.Force, i.Dir)
	fmt.Fprintf(s.out, "Next:\n  custos --config %s admin invite NAME --role administrator\n  custos --config %s serve\n\n", path, path)
	fmt.Fprintf(s.out, "Copy %s to a safe that is not on the database's backup: without it nobody can read the footage.\n", filepath.Join(i.Dir, "keys"))
	return nil
}

// originOf makes a log name from a force's name: "Greater Anytown Police"
// becomes "greater-anytown-police.custos/log".
func originOf(force string) string {
	words := strings.FieldsFunc(strings.ToLower(force), func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		words = []string{"force"}
	}
	return strings.Join(words, "-") + ".custos/log"
}

func initService(ctx context.Context, dir string, cfg Config) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	full, err := cfg.filled(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(full.Keys, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	keys, err := durable.Open(full.Keys)
	if err != nil {
		return err
	}
	if _, err := vault.CreateKeystore(keys); err != nil {
		return err
	}
	if err := makeSigners(rand.Reader, keys, cfg.Origin); err != nil {
		return err
	}
	a, err := open(ctx, full, logger(Config{LogLevel: "warn"}, os.Stderr))
	if err != nil {
		return err
	}
	if err := a.close(); err != nil {
		return err
	}
	// The configuration comes last: with it the service exists.
	b, err := configText(cfg)
	if err != nil {
		return err
	}
	root, err := durable.Open(dir)
	if err != nil {
		return err
	}
	return durable.WriteFile(root, "custos.toml", b, 0o600)
}

// configText is cfg as a file in which every key is explained; those that are
// left at what holds anyway are comments.
func configText(cfg Config) ([]byte, error) {
	b, err := toml.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	out.WriteString("# Configuration of Custos. Every key there is stands here; those behind # are left out.\n\n")
	for line := range strings.Lines(string(b)) {
		_, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if ok && !strings.HasPrefix(line, "#") && (value == "''" || value == "[]" || value == `""` || value == "0" || value == "false") {
			line = "# " + line
		}
		if strings.HasPrefix(line, "# ") && !strings.Contains(line, " = ") {
			out.WriteString("\n")
		}
		out.WriteString(line)
	}
	return []byte(out.String()), nil
}

type keysCmd struct {
	Show keysShowCmd `cmd:"" help:"The public keys that docks, courts and oversight bodies pin."`
}

type keysShowCmd struct {
	JSON bool `help:"One JSON object." xor:"form"`
	Log  bool `help:"The log key alone, for custos-verify --log-key." xor:"form"`
}

// Run shows the public keys.
func (k *keysShowCmd) Run(c *cli, s streams) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	keys, err := readSigners(cfg.Keys)
	if err != nil {
		return err
	}
	if k.JSON {
		return printJSON(s, map[string]string{"logKey": keys.logKey, "receiptKey": keys.receiptKey, "origin": cfg.Origin})
	}
	if k.Log {
		_, err := fmt.Fprintln(s.out, keys.logKey)
		return err
	}
	fmt.Fprintf(s.out, "Log key, for custos-verify --log-key and witnesses:\n  %s\nReceipt key, for docks:\n  %s\n", keys.logKey, keys.receiptKey)
	return nil
}

type migrateCmd struct{}

// Run opens every store, which migrates it.
func (*migrateCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(*app) error {
		fmt.Fprintln(s.out, "The tables are those of this version.")
		return nil
	})
}

func printJSON(s streams, v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
