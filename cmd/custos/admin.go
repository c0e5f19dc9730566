package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"custos/access"
	"custos/database"
	"custos/durable"
	"custos/evidence"
	"custos/vault"
)

type adminCmd struct {
	Init    initCmd    `cmd:"" help:"Make a new service in an empty folder: configuration, keys, database."`
	User    userCmd    `cmd:"" aliases:"users" help:"People and their accounts."`
	Dock    dockCmd    `cmd:"" aliases:"docks" help:"Docking stations and their keys."`
	Keys    keysCmd    `cmd:"" help:"The keys: show what others must pin."`
	Fsck    fsckCmd    `cmd:"" help:"Compare store, ledger and catalogue item by item."`
	Backup  backupCmd  `cmd:"" help:"Copy database and objects to another folder; the keys go elsewhere."`
	Restore restoreCmd `cmd:"" help:"Bring a service back from a backup into an empty folder, and check it."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's tables to this version. The server does so at its start too."`
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
	fmt.Fprintf(s.out, "Next:\n  custos --config %s admin user add --login NAME --role administrator\n  custos --config %s serve\n\n", path, path)
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
		if ok && !strings.HasPrefix(line, "#") && (value == "''" || value == `""` || value == "0" || value == "false") {
			line = "# " + line
		}
		if strings.HasPrefix(line, "# ") && !strings.Contains(line, " = ") {
			out.WriteString("\n")
		}
		out.WriteString(line)
	}
	return []byte(out.String()), nil
}

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Make an account."`
	List     userListCmd     `cmd:"" help:"List accounts."`
	Password userPasswordCmd `cmd:"" help:"Set somebody's password and end their sessions."`
	Disable  userDisableCmd  `cmd:"" help:"Close an account at once."`
}

type userAddCmd struct {
	Login    string `help:"The name to sign in with." required:""`
	Name     string `help:"The name to show. Left out: the sign-in name."`
	Number   string `help:"Collar number, for officers."`
	Role     string `help:"Role: ${enum}." required:"" enum:"officer,supervisor,control_room,investigator,disclosure_officer,records_manager,professional_standards,auditor,data_protection_officer,administrator"`
	Password string `help:"Read the password from this file, or - for standard input. Left out: one is made and shown once." placeholder:"FILE"`
}

// Run makes the account.
func (u *userAddCmd) Run(ctx context.Context, c *cli, s streams) error {
	password, made, err := newPassword(u.Password, s)
	if err != nil {
		return err
	}
	orElse(&u.Name, u.Login)
	return opened(ctx, c, s, func(a *app) error {
		if err := addUser(ctx, a, operator(), access.Person{Login: u.Login, Name: u.Name, Number: u.Number, Role: access.Role(u.Role)}, password); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s may sign in as %s (%s).\n", u.Name, u.Login, a.access.RoleName(u.Role))
		if made {
			fmt.Fprintf(s.out, "Password, shown this once: %s\n", password)
		}
		return nil
	})
}

func addUser(ctx context.Context, a *app, by evidence.Actor, p access.Person, password string) error {
	p.ID = evidence.NewID(time.Now(), rand.Reader)
	return a.custody.Administer(ctx, by, []evidence.Field{
		evidence.F("what", "account made"), evidence.F("account", string(p.ID)), evidence.F("login", p.Login), evidence.F("role", string(p.Role)),
	}, func(tx *database.Tx) error { return a.access.AddPerson(ctx, tx, p, password) })
}

// newPassword reads a password from file, or makes one of 100 random bits.
func newPassword(file string, s streams) (password string, made bool, err error) {
	switch file {
	case "":
		return strings.ToLower(rand.Text()[:20]), true, nil
	case "-":
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && line == "" {
			return "", false, fmt.Errorf("read password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), false, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", false, fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), false, nil
}

type userListCmd struct {
	JSON bool `help:"One JSON array."`
}

// Run lists the accounts.
func (u *userListCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		people, err := a.access.List(ctx)
		if err != nil {
			return err
		}
		if u.JSON {
			return printJSON(s, people)
		}
		for _, p := range people {
			state := ""
			if p.Disabled {
				state = "  disabled"
			}
			fmt.Fprintf(s.out, "%-20s %-24s %-10s %s%s\n", p.Login, p.Name, p.Number, a.access.RoleName(string(p.Role)), state)
		}
		return nil
	})
}

// person finds an account by its sign-in name.
func person(ctx context.Context, a *app, login string) (access.Person, error) {
	people, err := a.access.List(ctx)
	if err != nil {
		return access.Person{}, err
	}
	for _, p := range people {
		if strings.EqualFold(p.Login, login) {
			return p, nil
		}
	}
	return access.Person{}, fmt.Errorf("there is no account %q", login)
}

type userPasswordCmd struct {
	Login    string `arg:"" help:"The name they sign in with."`
	Password string `help:"Read the password from this file, or - for standard input. Left out: one is made and shown once." placeholder:"FILE"`
}

// Run sets the password.
func (u *userPasswordCmd) Run(ctx context.Context, c *cli, s streams) error {
	password, made, err := newPassword(u.Password, s)
	if err != nil {
		return err
	}
	return opened(ctx, c, s, func(a *app) error {
		p, err := person(ctx, a, u.Login)
		if err != nil {
			return err
		}
		if err := a.custody.Administer(ctx, operator(), []evidence.Field{evidence.F("what", "password set"), evidence.F("account", string(p.ID)), evidence.F("login", p.Login)},
			func(tx *database.Tx) error { return a.access.SetPassword(ctx, tx, p.ID, password) }); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s has a new password; their sessions have ended.\n", p.Login)
		if made {
			fmt.Fprintf(s.out, "Password, shown this once: %s\n", password)
		}
		return nil
	})
}

type userDisableCmd struct {
	Login string `arg:"" help:"The name they sign in with."`
}

// Run closes the account.
func (u *userDisableCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		p, err := person(ctx, a, u.Login)
		if err != nil {
			return err
		}
		if err := a.custody.Administer(ctx, operator(), []evidence.Field{evidence.F("what", "account disabled"), evidence.F("account", string(p.ID)), evidence.F("login", p.Login)},
			func(tx *database.Tx) error { return a.access.Disable(ctx, tx, p.ID) }); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s cannot sign in any more; their sessions have ended.\n", p.Login)
		return nil
	})
}

type dockCmd struct {
	Add    dockAddCmd    `cmd:"" help:"Enrol a docking station; writes the file that its agent is started with."`
	List   dockListCmd   `cmd:"" help:"List docking stations."`
	Revoke dockRevokeCmd `cmd:"" help:"End a docking station's key at once."`
}

type dockAddCmd struct {
	Name   string   `arg:"" help:"What people call it, e.g. \"Central, ground floor\"."`
	Out    string   `help:"The agent's configuration file to write." required:"" type:"path"`
	Server string   `help:"The server's address as the dock reaches it. Left out: the configured one."`
	CA     string   `help:"Certificate of the authority that signed the server's, PEM." type:"path"`
	Watch  []string `help:"Folders in which cameras appear, to write into the file."`
}

// Run enrols the dock.
func (d *dockAddCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		if d.Server == "" {
			scheme := "http"
			if a.cfg.secure() {
				scheme = "https"
			}
			d.Server = scheme + "://" + a.cfg.Listen
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
		_, key, err := a.access.AddDock(ctx, tx, name)
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
		docks, err := a.access.Docks(ctx)
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
			func(tx *database.Tx) error { return a.access.RevokeDock(ctx, tx, id) }); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "That dock's key no longer works.")
		return nil
	})
}

type keysCmd struct {
	Show keysShowCmd `cmd:"" help:"The public keys that docks, courts and oversight bodies pin."`
}

type keysShowCmd struct {
	JSON bool `help:"One JSON object."`
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
