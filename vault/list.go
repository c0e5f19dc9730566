package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
)

// ObjectInfo describes a kept object.
type ObjectInfo struct {
	ID           evidence.ID
	Store        string
	Length       int64 // of the plaintext, bytes
	SealedLength int64 // of the payload in the store, bytes
	Digest       evidence.Digest
	Bucket       string
	KeptAt       time.Time
}

// page is how many rows are read at a time, so that no transaction is open
// while fn runs.
const page = 256

// Objects passes all kept objects in order of their identifiers, which is that
// of arrival. An error of fn ends it and is returned.
func (v *Vault) Objects(ctx context.Context, fn func(ObjectInfo) error) error {
	return v.objects(ctx, func(o *object) error {
		return fn(ObjectInfo{
			ID: o.id, Store: o.store, Length: o.length, SealedLength: o.sealedLength,
			Digest: o.digest, Bucket: o.bucket, KeptAt: o.kept,
		})
	})
}

func (v *Vault) objects(ctx context.Context, fn func(*object) error) error {
	for after := evidence.ID(""); ; {
		var list []*object
		err := v.db.Read(ctx, func(tx *database.Tx) error {
			rows, err := tx.Query(ctx, `SELECT `+objectColumns+` FROM vault_objects WHERE id > ? ORDER BY id LIMIT ?`, string(after), page)
			if err != nil {
				return fmt.Errorf("list objects: %w", err)
			}
			defer rows.Close() // nothing is lost: what counts is rows.Err
			for rows.Next() {
				o, err := scanObject(rows)
				if err != nil {
					return err
				}
				list = append(list, o)
			}
			return rows.Err()
		})
		if err != nil {
			return dbError(err)
		}
		for _, o := range list {
			if err := fn(o); err != nil {
				return err
			}
			after = o.id
		}
		if len(list) < page {
			return nil
		}
	}
}

// UploadInfo describes an upload that was not kept.
type UploadInfo struct {
	ID      evidence.ID
	State   string // receiving, finishing, finished, abandoned
	Offset  int64  // bytes that are durable
	Length  int64  // bytes in all; -1 = not known yet
	Updated time.Time
}

// Uploads are all uploads that were not kept, oldest first. Which of them have
// waited too long is for others to say; see Abandon.
func (v *Vault) Uploads(ctx context.Context) ([]UploadInfo, error) {
	var list []UploadInfo
	err := v.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, state, length, chunks, tail, updated_at FROM vault_uploads ORDER BY id`)
		if err != nil {
			return fmt.Errorf("list uploads: %w", err)
		}
		defer rows.Close() // nothing is lost: what counts is rows.Err
		for rows.Next() {
			var u upload
			var updated int64
			if err := rows.Scan(&u.id, &u.state, &u.length, &u.chunks, &u.tail, &updated); err != nil {
				return fmt.Errorf("list uploads: %w", err)
			}
			list = append(list, UploadInfo{u.id, string(u.state), u.offset(), u.length, database.Time(updated)})
		}
		return rows.Err()
	})
	return list, dbError(err)
}

// Stray is a disagreement between store and records.
type Stray struct {
	Name    string // in the store; where Missing, the object's identifier
	Place   Place
	Missing bool // the records have it and the store does not
}

// Strays passes what is in the store and in no record, then the kept and the
// finished objects that are in the records and not in the store. It may run
// while uploads arrive. An error of fn ends it and is returned.
func (v *Vault) Strays(ctx context.Context, fn func(Stray) error) error {
	for _, place := range []Place{Incoming, Final} {
		err := v.store.List(ctx, place, "", func(name string) error {
			known, err := v.knownName(ctx, name)
			if err != nil || known {
				return err
			}
			// Rows come before objects and go after them, so one that is
			// still there without a row is a stray.
			if there, err := v.there(ctx, place, name); err != nil || !there {
				return err
			}
			return fn(Stray{Name: name, Place: place})
		})
		if err != nil {
			return err
		}
	}
	missing := func(o *object) error {
		there, err := v.there(ctx, Final, o.name)
		if err != nil || there {
			return err
		}
		return fn(Stray{Name: string(o.id), Place: Final, Missing: true})
	}
	if err := v.objects(ctx, missing); err != nil {
		return err
	}
	uploads, err := v.Uploads(ctx)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if u.State != string(finished) {
			continue
		}
		o, err := v.finishedOrKept(ctx, u.ID)
		if evidence.CodeOf(err) == evidence.NotFound { // abandoned meanwhile
			continue
		}
		if err == nil {
			err = missing(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) knownName(ctx context.Context, name string) (known bool, err error) {
	err = v.db.Read(ctx, func(tx *database.Tx) error {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM vault_objects WHERE name = ? UNION ALL
			SELECT 1 FROM vault_uploads WHERE name = ? OR other = ? LIMIT 1`, name, name, name).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		known = err == nil
		return err
	})
	return known, dbError(err)
}

// there tells whether the store has an object.
func (v *Vault) there(ctx context.Context, place Place, name string) (bool, error) {
	o, err := v.store.Open(ctx, place, name)
	switch evidence.CodeOf(err) {
	case "":
		if err := o.Close(); err != nil {
			return false, fmt.Errorf("close object: %w", err)
		}
		return true, nil
	case evidence.NotFound:
		return false, nil
	case evidence.Invalid: // a name that no store of ours gave
		return true, nil
	}
	return false, err
}
