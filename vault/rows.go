package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/seal"

	"golang.org/x/crypto/chacha20poly1305"
)

// state is how far an upload's row has come.
type state string

const (
	receiving state = "receiving"
	finishing state = "finishing" // the last chunk may have been sealed: nothing is appended any more
	finished  state = "finished"  // in final storage
	abandoned state = "abandoned" // its bytes are being removed
)

// upload is a row of vault_uploads; docs/formats/keystore.md says what its
// fields mean. Whoever changes one holds its id, and throws the value away
// when save fails.
type upload struct {
	id      evidence.ID
	name    string
	other   string
	bucket  string
	prefix  seal.Prefix
	state   state
	version int64
	length  int64
	chunks  int64

	midstate []byte
	pending  []byte
	tail     []byte
	digest   evidence.Digest // once finished
	begun    time.Time
	updated  time.Time
}

// offset is how many bytes are durable.
func (u *upload) offset() int64 {
	if u.state == finished {
		return u.length
	}
	n := u.chunks * seal.ChunkSize
	if len(u.tail) > 0 {
		n += int64(len(u.tail)) - chacha20poly1305.NonceSizeX - chacha20poly1305.Overhead
	}
	return n
}

// object is a row of vault_objects, or a finished upload as it will be there.
type object struct {
	id           evidence.ID
	name         string
	store        string
	bucket       string
	prefix       seal.Prefix
	length       int64
	sealedLength int64
	digest       evidence.Digest
	kept         time.Time
}

func (u *upload) object(store string) *object {
	return &object{
		id: u.id, name: u.name, store: store, bucket: u.bucket, prefix: u.prefix,
		length: u.length, sealedLength: seal.SealedSize(u.length), digest: u.digest,
	}
}

func unknown() error {
	return evidence.Errorf(evidence.NotFound, "The vault has nothing under this identifier")
}

// bin is b as the database wants it: a column is never NULL.
func bin(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (v *Vault) insert(ctx context.Context, u *upload) error {
	err := v.db.Write(ctx, func(tx *database.Tx) error {
		if _, err := loadObject(ctx, tx, u.id); evidence.CodeOf(err) != evidence.NotFound {
			if err == nil {
				err = evidence.Errorf(evidence.Conflict, "This identifier is taken")
			}
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO vault_uploads (id, name, other, store, format, bucket, prefix, state, version,
			length, chunks, midstate, pending, tail, digest, begun_at, updated_at)
			VALUES (?, ?, '', ?, ?, ?, ?, ?, 0, ?, 0, ?, ?, ?, ?, ?, ?)`,
			string(u.id), u.name, v.name, seal.Format, u.bucket, bin(u.prefix), string(u.state),
			u.length, []byte{}, []byte{}, []byte{}, []byte{}, database.Micros(u.begun), database.Micros(u.updated))
		return err
	})
	if database.IsDuplicate(err) {
		return evidence.Wrap(evidence.Conflict, err, "This identifier is taken")
	}
	return dbError(err)
}

// dbError keeps an error that has a code and gives the rest one: the vault did
// nothing wrong, and the same call may work later.
func dbError(err error) error {
	if evidence.CodeOf(err) != evidence.Internal {
		return err
	}
	return evidence.Wrap(evidence.Unavailable, err, "The vault's records cannot be reached now. What was acknowledged is safe")
}

// save writes all that can change of an upload, if nobody else changed it.
func (v *Vault) save(ctx context.Context, u *upload) error {
	now := v.now()
	err := v.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE vault_uploads SET name = ?, other = ?, prefix = ?, state = ?, version = version + 1,
			length = ?, chunks = ?, midstate = ?, pending = ?, tail = ?, digest = ?, updated_at = ? WHERE id = ? AND version = ?`,
			u.name, u.other, bin(u.prefix), string(u.state), u.length, u.chunks, bin(u.midstate), bin(u.pending), bin(u.tail),
			bin(digestBytes(u.digest)), database.Micros(now), string(u.id), u.version)
		if err == nil && n != 1 {
			err = evidence.Errorf(evidence.Conflict, "Something else is writing to this upload")
		}
		return err
	})
	if err != nil {
		return dbError(err)
	}
	u.version++
	u.updated = now
	return nil
}

func (v *Vault) delete(ctx context.Context, u *upload) error {
	return dbError(v.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM vault_uploads WHERE id = ? AND version = ?`, string(u.id), u.version)
		return err
	}))
}

func digestBytes(d evidence.Digest) []byte {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

func readDigest(b []byte) (d evidence.Digest, err error) {
	if len(b) != 0 && len(b) != len(d) {
		return d, evidence.Errorf(evidence.Corrupt, "A record of the vault is damaged")
	}
	copy(d[:], b)
	return d, nil
}

func knownFormat(format string) error {
	if format != seal.Format {
		return evidence.Errorf(evidence.Corrupt, "This object is of a format that this version does not know")
	}
	return nil
}

func (v *Vault) upload(ctx context.Context, id evidence.ID) (u *upload, err error) {
	err = v.db.Read(ctx, func(tx *database.Tx) error {
		u, err = loadUpload(ctx, tx, id)
		return err
	})
	return u, dbError(err)
}

func loadUpload(ctx context.Context, tx *database.Tx, id evidence.ID) (*upload, error) {
	u := upload{id: id}
	var format string
	var digest []byte
	var begun, updated int64
	err := tx.QueryRow(ctx, `SELECT name, other, format, bucket, prefix, state, version, length, chunks, midstate, pending,
		tail, digest, begun_at, updated_at FROM vault_uploads WHERE id = ?`, string(id)).Scan(
		&u.name, &u.other, &format, &u.bucket, &u.prefix, &u.state, &u.version, &u.length, &u.chunks, &u.midstate, &u.pending,
		&u.tail, &digest, &begun, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknown()
	}
	if err != nil {
		return nil, fmt.Errorf("read upload: %w", err)
	}
	if err := knownFormat(format); err != nil {
		return nil, err
	}
	if u.digest, err = readDigest(digest); err != nil {
		return nil, err
	}
	if n := len(u.tail); n > 0 && n <= chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, evidence.Errorf(evidence.Corrupt, "A record of the vault is damaged")
	}
	u.begun, u.updated = database.Time(begun), database.Time(updated)
	return &u, nil
}

func (v *Vault) object(ctx context.Context, id evidence.ID) (o *object, err error) {
	err = v.db.Read(ctx, func(tx *database.Tx) error {
		o, err = loadObject(ctx, tx, id)
		return err
	})
	return o, dbError(err)
}

const objectColumns = `id, name, store, format, bucket, prefix, length, sealed_length, digest, kept_at`

func loadObject(ctx context.Context, tx *database.Tx, id evidence.ID) (*object, error) {
	o, err := scanObject(tx.QueryRow(ctx, `SELECT `+objectColumns+` FROM vault_objects WHERE id = ?`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknown()
	}
	return o, err
}

func scanObject(row interface{ Scan(...any) error }) (*object, error) {
	var o object
	var format string
	var digest []byte
	var kept int64
	if err := row.Scan(&o.id, &o.name, &o.store, &format, &o.bucket, &o.prefix, &o.length, &o.sealedLength, &digest, &kept); err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	if err := knownFormat(format); err != nil {
		return nil, err
	}
	var err error
	o.digest, err = readDigest(digest)
	o.kept = database.Time(kept)
	return &o, err
}

// finishedOrKept is the object of that id, also before it was kept.
func (v *Vault) finishedOrKept(ctx context.Context, id evidence.ID) (*object, error) {
	var found *object
	err := v.db.Read(ctx, func(tx *database.Tx) error {
		o, err := loadObject(ctx, tx, id)
		if evidence.CodeOf(err) != evidence.NotFound {
			found = o
			return err
		}
		u, err := loadUpload(ctx, tx, id)
		if err == nil && u.state != finished {
			err = unknown()
		}
		if err == nil {
			found = u.object(v.name)
		}
		return err
	})
	return found, dbError(err)
}

func (v *Vault) keep(ctx context.Context, tx *database.Tx, u *upload) error {
	n, err := tx.Exec(ctx, `DELETE FROM vault_uploads WHERE id = ? AND version = ?`, string(u.id), u.version)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	if n != 1 {
		return evidence.Errorf(evidence.Conflict, "Something else is writing to this upload")
	}
	o := u.object(v.name)
	if _, err := tx.Exec(ctx, `INSERT INTO vault_objects (`+objectColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(o.id), o.name, o.store, seal.Format, o.bucket, bin(o.prefix), o.length, o.sealedLength, bin(o.digest[:]),
		database.Micros(v.now())); err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	return nil
}
