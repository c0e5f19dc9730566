package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/access"
	"custos/approval"
	"custos/cases"
	"custos/catalogue"
	"custos/custody"
	"custos/database"
	"custos/durable"
	"custos/evidence"
	"custos/identity"
	"custos/ledger"
	"custos/organisation"
	"custos/playback"
	"custos/staff"
	"custos/vault"
	"custos/witness"
	"custos/work"
)

// app is the rooms of the house, opened and wired. What serves is added by
// serve; commands use what they need.
type app struct {
	cfg          Config
	log          *slog.Logger
	db           *database.DB
	keys         *vault.Keystore
	vault        *vault.Vault
	ledger       *ledger.Ledger
	witness      *witness.Keeper
	catalogue    *catalogue.Catalogue
	access       *access.Access
	identity     *identity.Directory
	organisation *organisation.Organisation
	staff        *staff.Staff
	cases        *cases.Cases
	queue        *work.Queue
	custody      *custody.Custody
	signers      signers

	approvals *approval.Room

	onCheckpoint func([]byte) // set before the ledger runs
	onApproval   func()       // set before anything is served, as the next
	onGlass      func(approval.Emergency)
}

// forceZone is the clock that people of the service live by; web's time.ts has
// the same.
const forceZone = "Europe/London"

// storeName is what receipts call the one store of the embedded default.
const storeName = "main"

func logger(c Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	opt := &slog.HandlerOptions{Level: level}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

// open opens everything that c names. The caller closes it.
func open(ctx context.Context, c Config, log *slog.Logger) (a *app, err error) {
	a = &app{cfg: c, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.signers, err = readSigners(c.Keys); err != nil {
		return a, err
	}
	for _, dir := range []string{c.Store, c.Scratch} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return a, fmt.Errorf("make folder: %w", err)
		}
	}
	if a.db, err = database.Open(ctx, c.Database); err != nil {
		return a, err
	}
	if err := a.openStores(ctx); err != nil {
		return a, err
	}
	a.custody, err = custody.Open(ctx, custody.Config{
		DB: a.db, Vault: a.vault, Ledger: a.ledger, Witness: a.witness, Catalogue: a.catalogue, Access: a.access,
		Receipts: a.signers.receipt, LogKey: a.signers.logKey, Store: storeName, Logger: log, Step: killPoint(),
		HolderOf: a.holderOf, Register: a.register,
		Collected: func(ctx context.Context, tx *database.Tx, recording evidence.ID, segment int) error {
			return playback.Enqueue(ctx, a.queue, tx, recording, segment)
		},
	})
	if err != nil {
		return a, err
	}
	zone, err := time.LoadLocation(forceZone)
	if err != nil {
		return a, fmt.Errorf("open people: %w", err)
	}
	a.staff = staff.New(staff.Config{DB: a.db, Identity: a.identity, Organisation: a.organisation, Custody: a.custody, Access: a.access, Zone: zone})
	a.cases = cases.New(cases.Config{Identity: a.identity, Organisation: a.organisation, Custody: a.custody, Access: a.access})
	if err := a.openApprovals(ctx); err != nil {
		return a, err
	}
	return a, a.staff.Adopt(ctx)
}

func (a *app) openStores(ctx context.Context) (err error) {
	keyDisk, err := durable.Open(a.cfg.Keys)
	if err != nil {
		return err
	}
	if a.keys, err = vault.OpenKeystore(keyDisk); err != nil {
		return err
	}
	disk, err := durable.Open(a.cfg.Store)
	if err != nil {
		return err
	}
	reserve, err := a.cfg.reserve()
	if err != nil {
		return err
	}
	store, err := vault.OpenFolder(disk, reserve)
	if err != nil {
		return err
	}
	if a.vault, err = vault.Open(ctx, vault.Config{DB: a.db, Store: store, StoreName: storeName, Keys: a.keys, Logger: a.log}); err != nil {
		return err
	}
	if a.ledger, err = ledger.Open(ctx, ledger.Config{
		DB: a.db, Origin: a.cfg.Origin, Signer: a.signers.log, Published: filepath.Join(a.cfg.Data, "published.checkpoint"), Logger: a.log,
		OnCheckpoint: func(b []byte) {
			a.witness.Notify(ctx)
			if a.onCheckpoint != nil {
				a.onCheckpoint(b)
			}
		},
	}); err != nil {
		return err
	}
	if a.witness, err = a.openWitness(ctx); err != nil {
		return err
	}
	if a.catalogue, err = catalogue.Open(ctx, a.db, catalogue.Options{}); err != nil {
		return err
	}
	if err := a.openPeople(ctx); err != nil {
		return err
	}
	a.queue, err = work.Open(ctx, a.db, work.Options{Logger: a.log})
	return err
}

func (a *app) close() error {
	if a.db == nil {
		return nil
	}
	return a.db.Close()
}

// signers are the keys that sign for the force.
type signers struct {
	log, receipt       note.Signer
	logKey, receiptKey string // vkeys
}

// signingKeys is the file in the key folder that holds them.
const signingKeys = "signing.json"

type signingFile struct {
	Log        string `json:"log"`
	LogKey     string `json:"logKey"`
	Receipt    string `json:"receipt"`
	ReceiptKey string `json:"receiptKey"`
}

func readSigners(dir string) (s signers, err error) {
	b, err := os.ReadFile(filepath.Join(dir, signingKeys))
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("there are no keys in %s; `custos admin init` makes them, or bring back the folder from its backup", dir)
	}
	if err != nil {
		return s, fmt.Errorf("read keys: %w", err)
	}
	var f signingFile
	if err := json.Unmarshal(b, &f); err != nil {
		return s, errors.New("read keys: the file of signing keys is damaged") // the cause would quote it
	}
	s.logKey, s.receiptKey = f.LogKey, f.ReceiptKey
	if s.log, err = note.NewSigner(f.Log); err != nil {
		return s, errors.New("read keys: the log's key is damaged")
	}
	if s.receipt, err = note.NewSigner(f.Receipt); err != nil {
		return s, errors.New("read keys: the receipt key is damaged")
	}
	return s, nil
}

func makeSigners(rand io.Reader, dir durable.FS, origin string) (err error) {
	var f signingFile
	if f.Log, f.LogKey, err = note.GenerateKey(rand, origin); err != nil {
		return fmt.Errorf("make keys: %w", err)
	}
	if f.Receipt, f.ReceiptKey, err = note.GenerateKey(rand, strings.TrimSuffix(origin, "/log")+"/receipts"); err != nil {
		return fmt.Errorf("make keys: %w", err)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(dir, signingKeys, append(b, '\n'), 0o600)
}
