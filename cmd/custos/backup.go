package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"custos/custody"
	"custos/database"
	"custos/durable"
	"custos/vault"
)

// manifest is backup.json: written last, so a backup without it was cut off.
type manifest struct {
	Version  int       `json:"version"` // 1
	Force    string    `json:"force"`
	Origin   string    `json:"origin"`
	MadeAt   time.Time `json:"madeAt"`
	Software string    `json:"software"`
	Engine   string    `json:"engine"`   // of the database's copy
	Database string    `json:"database"` // its file name
	SHA256   string    `json:"sha256"`   // of that file
	Events   int64     `json:"events"`   // in the ledger
	Objects  int       `json:"objects"`
	Bytes    int64     `json:"bytes"` // of the objects, sealed
}

const (
	manifestFile  = "backup.json"
	publishedFile = "published.checkpoint"
)

type backupCmd struct {
	To   string `arg:"" help:"Folder of the backup. An earlier backup in it is brought up to date: objects never change, so only new ones are copied." type:"path"`
	Keys string `help:"Also copy the keys to this folder. It must not lie where the backup lies." type:"path"`
	JSON bool   `help:"One JSON object."`
}

// Run copies the database first and the objects after it: objects are only
// ever added, so the copy of the database never names one that is missing.
func (b *backupCmd) Run(ctx context.Context, c *cli, s streams) error {
	if b.Keys != "" && (inside(b.Keys, b.To) || inside(b.To, b.Keys)) {
		return errors.New("the keys must not lie in the backup: whoever steals it could read the footage")
	}
	return opened(ctx, c, s, func(a *app) error {
		m, err := backup(ctx, a, b.To)
		if err != nil {
			return err
		}
		if b.Keys != "" {
			if err := copyFolder(a.cfg.Keys, b.Keys); err != nil {
				return err
			}
		}
		if b.JSON {
			return printJSON(s, m)
		}
		fmt.Fprintf(s.out, "Backup of %d ledger events and %d objects (%d bytes) in %s.\n", m.Events, m.Objects, m.Bytes, b.To)
		if b.Keys == "" {
			fmt.Fprintln(s.out, "The keys are not in it. Without their own copy nobody can read this backup: see --keys.")
		}
		fmt.Fprintln(s.out, "Rehearse it: custos admin restore --from BACKUP --keys KEYS --dir EMPTY")
		return nil
	})
}

func inside(p, dir string) bool {
	rel, err := filepath.Rel(dir, p)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func backup(ctx context.Context, a *app, to string) (m manifest, err error) {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return m, fmt.Errorf("make folder: %w", err)
	}
	dir, err := durable.Open(to)
	if err != nil {
		return m, err
	}
	st, err := a.ledger.Status(ctx)
	if err != nil {
		return m, err
	}
	m = manifest{Version: 1, Force: a.cfg.Force, Origin: a.cfg.Origin, MadeAt: time.Now().UTC(), Software: "Custos " + version,
		Engine: string(a.db.Engine()), Database: "database." + string(a.db.Engine()), Events: st.Events}
	// An older manifest must not stand beside a newer database.
	if err := dir.Remove(manifestFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if err := copyFile(filepath.Join(a.cfg.Data, publishedFile), dir, publishedFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if m.SHA256, err = dump(ctx, a.db, dir, to, m.Database); err != nil {
		return m, err
	}
	into, err := vault.OpenFolder(dir, -1)
	if err != nil {
		return m, err
	}
	if err := a.custody.Backup(ctx, operator(), into, func(size int64) { m.Objects, m.Bytes = m.Objects+1, m.Bytes+size }); err != nil {
		return m, err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, durable.WriteFile(dir, manifestFile, append(b, '\n'), 0o600)
}

// dump writes the database's copy under name and gives its SHA-256. The
// checkpoint was copied before it, so the copy is never older than that.
func dump(ctx context.Context, db *database.DB, dir durable.FS, path, name string) (sum string, err error) {
	if err := dir.Remove(name + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := db.Dump(ctx, filepath.Join(path, name+".new")); err != nil {
		return "", err
	}
	f, err := dir.OpenFile(name+".new", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("read the database's copy: %w", err)
	}
	if err := dir.Rename(name+".new", name); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), dir.SyncDir(".")
}

// copyFile copies a small file durably.
func copyFile(from string, to durable.FS, name string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return durable.WriteFile(to, name, b, 0o600)
}

// copyFolder copies a folder of small files (the keys) durably.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		dir, err := durable.Open(filepath.Join(to, filepath.Dir(rel)))
		if err != nil {
			return err
		}
		return copyFile(p, dir, filepath.Base(rel))
	})
}

type restoreCmd struct {
	From     string `help:"Folder of the backup." required:"" type:"path"`
	Keys     string `help:"Folder of the keys' copy." required:"" type:"path"`
	Dir      string `help:"Folder of the new service; must be empty or absent." required:"" type:"path"`
	Database string `help:"For a backup from PostgreSQL: the URL of an empty database."`
	JSON     bool   `help:"One JSON object."`
}

// Run restores and then reads every byte of what it restored.
func (r *restoreCmd) Run(ctx context.Context, s streams) (err error) {
	m, cfg, err := r.bring(ctx)
	if err != nil {
		return err
	}
	full, err := cfg.filled(r.Dir)
	if err != nil {
		return err
	}
	a, err := open(ctx, full, logger(Config{LogLevel: "warn"}, s.err))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.bringObjects(ctx, r.From); err != nil {
		return err
	}
	report := fsckReport{Deep: true, Findings: []custody.Finding{}}
	report.Examined, err = a.custody.Check(ctx, true, func(x custody.Finding) {
		report.Findings = append(report.Findings, x)
		fmt.Fprintln(s.err, finding(x))
	})
	if err != nil {
		return err
	}
	if report.Examined.Entries < m.Events {
		report.Findings = append(report.Findings, custody.Finding{Kind: "missing", Object: "ledger",
			Says: fmt.Sprintf("The backup had %d events, %d came back.", m.Events, report.Examined.Entries)})
	}
	report.OK = len(report.Findings) == 0
	if r.JSON {
		if err := printJSON(s, report); err != nil {
			return err
		}
	}
	if !report.OK {
		fmt.Fprintf(s.err, "Restored to %s, but %d things are not as they must be.\n", r.Dir, len(report.Findings))
		return errSaid
	}
	if !r.JSON {
		fmt.Fprintf(s.out, "Restored to %s: %d objects, %d ledger events; every byte was read and agrees.\n", r.Dir, report.Examined.Objects, report.Examined.Entries)
		fmt.Fprintf(s.out, "Start it with: custos --config %s serve\n", filepath.Join(r.Dir, "custos.toml"))
	}
	return nil
}

// bring puts keys, configuration, checkpoint and database in place.
func (r *restoreCmd) bring(ctx context.Context) (m manifest, cfg Config, err error) {
	b, err := os.ReadFile(filepath.Join(r.From, manifestFile))
	if err != nil {
		return m, cfg, fmt.Errorf("%s holds no finished backup: %w", r.From, err)
	}
	if err := json.Unmarshal(b, &m); err != nil || m.Version != 1 || m.Database != "database.sqlite" && m.Database != "database.postgres" {
		return m, cfg, fmt.Errorf("%s is not a backup that this version reads", r.From)
	}
	if entries, err := os.ReadDir(r.Dir); err == nil && len(entries) > 0 {
		return m, cfg, fmt.Errorf("%s is not empty; nothing was changed", r.Dir)
	}
	if err := checkSum(filepath.Join(r.From, m.Database), m.SHA256); err != nil {
		return m, cfg, err
	}
	cfg = Config{Force: m.Force, Origin: m.Origin}
	full, err := cfg.filled(r.Dir)
	if err != nil {
		return m, cfg, err
	}
	if err := copyFolder(r.Keys, full.Keys); err != nil {
		return m, cfg, fmt.Errorf("copy keys: %w", err)
	}
	dir, err := durable.Open(r.Dir)
	if err != nil {
		return m, cfg, err
	}
	if err := copyFile(filepath.Join(r.From, publishedFile), dir, publishedFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, cfg, err
	}
	if m.Engine == string(database.Postgres) {
		if r.Database == "" {
			return m, cfg, errors.New("this backup is of a PostgreSQL database; name an empty one with --database")
		}
		cfg.Database = r.Database
		err = database.LoadPostgres(ctx, r.Database, filepath.Join(r.From, m.Database))
	} else {
		err = copyLarge(filepath.Join(r.From, m.Database), filepath.Join(r.Dir, "custos.db"))
	}
	if err != nil {
		return m, cfg, err
	}
	text, err := configText(cfg)
	if err != nil {
		return m, cfg, err
	}
	return m, cfg, durable.WriteFile(dir, "custos.toml", text, 0o600)
}

// bringObjects copies the sealed objects, and gives up uploads that were under
// way when the backup was made: their bytes are still on the cameras.
func (a *app) bringObjects(ctx context.Context, from string) error {
	dir, err := durable.Open(from)
	if err != nil {
		return err
	}
	backup, err := vault.OpenFolder(dir, -1)
	if err != nil {
		return err
	}
	return a.custody.Restore(ctx, operator(), backup)
}

func checkSum(path, want string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return fmt.Errorf("%s is damaged: it is not what the backup wrote; nothing was changed", path)
	}
	return nil
}

// copyLarge copies a file of any size durably.
func copyLarge(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
