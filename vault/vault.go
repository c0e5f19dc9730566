// Package vault keeps sealed objects: it seals what arrives while it arrives,
// puts it in a store part by part, goes on after a crash, reads it back, and
// opens it at any offset. Only custody imports it.
//
// What it promises. Every byte that Append acknowledged is on the medium, and
// so is the record of it. No two plaintexts are ever sealed under one file key
// and chunk, whatever crashes and whatever a sender does; how is written in
// docs/formats/keystore.md. Neither store nor database holds plaintext. What
// is damaged is Corrupt, never served.
//
// Errors are of package evidence. Where a method says nothing else: NotFound
// for an identifier the vault does not know, Conflict for one that another
// call is busy with, Full, and Unavailable once a write or sync of the store
// has failed, until the vault is opened again.
package vault

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/seal"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	defaultPart = 8 << 20
	sealedChunk = seal.ChunkSize + seal.Overhead
	maxLength   = 1 << 50 // of an upload, bytes
)

// Config is what a vault is made of.
type Config struct {
	DB        *database.DB
	Store     Store
	StoreName string // of Store, as receipts and the ledger name it
	Keys      *Keystore
	Logger    *slog.Logger

	Now  func() time.Time // nil = time.Now
	Rand io.Reader        // nil = crypto/rand

	// PartSize is how many bytes are sealed and put at a time, rounded down to
	// whole chunks of 64 KiB; 0 = 8 MiB. An Append holds two parts in memory.
	PartSize int
}

// Vault is an open vault. All methods may be called concurrently.
type Vault struct {
	db    *database.DB
	store Store
	name  string
	keys  *Keystore
	log   *slog.Logger
	now   func() time.Time
	rand  io.Reader
	part  int // chunks
	// A player asks for a range every second or so. What is remembered for it
	// never changes: the row of an object that was kept, and its key.
	kept   cache[object]  // by identifier
	opened cache[fileKey] // by name in the store

	mu     sync.Mutex
	busy   map[evidence.ID]bool // guarded by mu: uploads that a call is changing
	broken error                // guarded by mu: the write that failed
}

// Open opens a vault: it brings its tables to the newest version and finishes
// removing what was abandoned when the service last ended.
func Open(ctx context.Context, cfg Config) (*Vault, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	if err := cfg.DB.Migrate(ctx, "vault", files); err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	v := &Vault{
		db: cfg.DB, store: cfg.Store, name: cfg.StoreName, keys: cfg.Keys, log: cfg.Logger,
		now: cfg.Now, rand: cfg.Rand, part: cfg.PartSize / seal.ChunkSize,
		busy: map[evidence.ID]bool{},
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.rand == nil {
		v.rand = rand.Reader
	}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if cfg.PartSize == 0 {
		v.part = defaultPart / seal.ChunkSize
	}
	v.part = max(1, v.part)
	list, err := v.Uploads(ctx)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	for _, u := range list {
		if u.State != string(abandoned) {
			continue
		}
		if err := v.Abandon(ctx, u.ID); err != nil {
			v.log.WarnContext(ctx, "an abandoned upload could not be removed; the next start tries again", "upload", u.ID, "err", err)
		}
	}
	return v, nil
}

// Space tells how many bytes the store has free and in all. It fails with
// errors.ErrUnsupported where the store does not know.
func (v *Vault) Space() (free, total int64, err error) {
	if s, ok := v.store.(spacer); ok {
		return s.Space()
	}
	return 0, 0, errors.ErrUnsupported
}

// StoreName is the store's name, as configured.
func (v *Vault) StoreName() string { return v.name }

// hold makes id the caller's until release is called.
func (v *Vault) hold(id evidence.ID) (release func(), err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.busy[id] {
		return nil, evidence.Errorf(evidence.Conflict, "Something else is writing to this upload")
	}
	v.busy[id] = true
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.busy, id)
	}, nil
}

const stoppedMessage = "The vault stopped taking footage in because its storage failed while writing. What was acknowledged is safe and can be watched, and cameras keep what was not. Check the storage, then restart the service"

// taking fails with Unavailable once a write of the store has failed.
func (v *Vault) taking() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return evidence.Wrap(evidence.Unavailable, v.broken, stoppedMessage)
}

// stored judges what a change of the store returned: an error without a code
// means that nothing it writes can be relied on any more.
func (v *Vault) stored(err error) error {
	if evidence.CodeOf(err) != evidence.Internal {
		return err
	}
	v.mu.Lock()
	if v.broken == nil {
		v.broken = err
		v.log.Error("the store failed while writing; the vault takes nothing in until it is restarted", "err", err)
	}
	v.mu.Unlock()
	return v.taking()
}

// newKey draws a file key for an object of the bucket.
func (v *Vault) newKey(ctx context.Context, bucket string) (seal.Prefix, *seal.Sealer, error) {
	b, err := v.keys.Bucket(ctx, bucket)
	if err != nil {
		return nil, nil, err
	}
	prefix, key, nonce, err := seal.NewPrefix(v.rand, b.Recipient)
	if err != nil {
		return nil, nil, err
	}
	sealer, err := seal.NewSealer(key, nonce)
	return prefix, sealer, err
}

func (v *Vault) newName() string { return string(evidence.NewID(v.now(), v.rand)) }

// Begin makes room for an upload of length bytes; -1 = not known yet. Codes:
// Conflict if id is taken, Invalid for a length that cannot be.
func (v *Vault) Begin(ctx context.Context, id evidence.ID, length int64) error {
	if err := v.taking(); err != nil {
		return err
	}
	if _, err := evidence.ParseID(string(id)); err != nil {
		return err
	}
	if length < -1 || length > maxLength {
		return evidence.Errorf(evidence.Invalid, "An upload cannot be %d bytes long", length)
	}
	release, err := v.hold(id)
	if err != nil {
		return err
	}
	defer release()
	now := v.now()
	u := &upload{
		id: id, name: v.newName(), state: receiving, bucket: "day-" + now.UTC().Format(time.DateOnly),
		length: length, begun: now, updated: now,
	}
	if u.prefix, _, err = v.newKey(ctx, u.bucket); err != nil {
		return err
	}
	if err := v.insert(ctx, u); err != nil {
		return err
	}
	err = v.stored(v.store.Begin(ctx, u.name))
	if err != nil {
		return errors.Join(err, v.remove(context.WithoutCancel(ctx), u))
	}
	return nil
}

// Received is how far an upload has come.
type Received struct {
	Offset   int64 // bytes that are durable
	Length   int64 // bytes in all; -1 = not known yet
	Complete bool  // nothing more can be appended
}

// Received tells how far an upload has come, also once it was kept.
func (v *Vault) Received(ctx context.Context, id evidence.ID) (Received, error) {
	u, err := v.upload(ctx, id)
	if evidence.CodeOf(err) == evidence.NotFound {
		o, oerr := v.object(ctx, id)
		if oerr != nil {
			return Received{}, oerr
		}
		return Received{Offset: o.length, Length: o.length, Complete: true}, nil
	}
	if err != nil {
		return Received{}, err
	}
	if u.state == abandoned {
		return Received{}, unknown()
	}
	return Received{u.offset(), u.length, u.state != receiving || u.offset() == u.length}, nil
}

// Abandon deletes an upload and its bytes. Codes: Conflict if it was kept.
func (v *Vault) Abandon(ctx context.Context, id evidence.ID) error {
	release, err := v.hold(id)
	if err != nil {
		return err
	}
	defer release()
	return v.abandon(ctx, id)
}

// abandon is Abandon for who holds id.
func (v *Vault) abandon(ctx context.Context, id evidence.ID) error {
	u, err := v.upload(ctx, id)
	if evidence.CodeOf(err) == evidence.NotFound {
		if _, oerr := v.object(ctx, id); oerr == nil {
			return evidence.Errorf(evidence.Conflict, "This is kept; only retention can end it")
		}
	}
	if err != nil {
		return err
	}
	u.state = abandoned // from here on nobody can keep it
	if err := v.save(ctx, u); err != nil {
		return err
	}
	return v.remove(ctx, u)
}

// remove removes an upload's bytes, then its row.
func (v *Vault) remove(ctx context.Context, u *upload) error {
	for _, name := range []string{u.name, u.other} {
		if name == "" {
			continue
		}
		v.opened.forget(name)
		for _, place := range []Place{Incoming, Final} {
			if err := v.stored(v.store.Remove(ctx, place, name)); err != nil {
				return err
			}
		}
	}
	return v.delete(ctx, u)
}

// Sealed is a finished object.
type Sealed struct {
	Object evidence.ID // the upload's identifier, which is the object's from now on
	Digest evidence.Digest
	Length int64 // of the plaintext, bytes
}

// Put seals a whole object that is made here, such as a working copy; Keep
// must follow. What is left of an earlier Put of id that was not kept is
// deleted first, and so is this one's if it fails. Codes: Conflict if id is
// kept already; errors of r.
func (v *Vault) Put(ctx context.Context, id evidence.ID, r io.Reader) (Sealed, error) {
	if err := v.Abandon(ctx, id); err != nil && evidence.CodeOf(err) != evidence.NotFound {
		return Sealed{}, err
	}
	if err := v.Begin(ctx, id, -1); err != nil {
		return Sealed{}, err
	}
	_, err := v.Append(ctx, id, 0, r)
	var s Sealed
	if err == nil {
		s, err = v.Finish(ctx, id)
	}
	if err != nil {
		return Sealed{}, errors.Join(err, v.Abandon(context.WithoutCancel(ctx), id))
	}
	return s, nil
}

// Keep makes a finished upload an object for good, in the caller's
// transaction: if that rolls back, the upload is as it was. To keep again what
// was kept is no error. Codes: Conflict if it is not finished.
func (v *Vault) Keep(ctx context.Context, tx *database.Tx, id evidence.ID) error {
	if err := v.taking(); err != nil {
		return err
	}
	u, err := loadUpload(ctx, tx, id)
	if evidence.CodeOf(err) == evidence.NotFound {
		_, err = loadObject(ctx, tx, id)
		return err
	}
	if err != nil {
		return err
	}
	if u.state != finished {
		return evidence.Errorf(evidence.Conflict, "This upload is not finished; it cannot be kept yet")
	}
	return v.keep(ctx, tx, u)
}
