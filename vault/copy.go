package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"custos/database"
	"custos/evidence"
)

// copyPart is how many bytes Backup and Restore move at a time.
const copyPart = 4 << 20

// Backup copies the sealed payload of every kept object that to does not have
// yet into it, under its name in this store; objects never change, so one that
// is there with the right size is passed over. Nothing is decrypted. copied is
// told the bytes of each object that to has now.
func (v *Vault) Backup(ctx context.Context, to Store, copied func(bytes int64)) error {
	return v.objects(ctx, func(o *object) error {
		if err := copyObject(ctx, v.store, to, o.name, o.sealedLength); err != nil {
			return fmt.Errorf("copy object %s: %w", o.id, err)
		}
		copied(o.sealedLength)
		return nil
	})
}

// Restore brings the payload of every kept object that this store lacks from a
// store that Backup wrote, and gives up every upload that was under way: its
// bytes were not in the backup, and the sender still has them.
func (v *Vault) Restore(ctx context.Context, from Store) error {
	uploads, err := v.Uploads(ctx)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if err := v.Abandon(ctx, u.ID); err != nil {
			return fmt.Errorf("give up upload %s: %w", u.ID, err)
		}
	}
	return v.objects(ctx, func(o *object) error {
		if err := copyObject(ctx, from, v.store, o.name, o.sealedLength); err != nil {
			return fmt.Errorf("bring object %s back: %w", o.id, err)
		}
		return nil
	})
}

func copyObject(ctx context.Context, from, to Store, name string, size int64) (err error) {
	there, err := to.Open(ctx, Final, name)
	if err == nil {
		same := there.Size() == size
		if err := there.Close(); err != nil {
			return err
		}
		if same {
			return nil
		}
		return evidence.Errorf(evidence.Conflict, "there is another object of that name already")
	}
	if evidence.CodeOf(err) != evidence.NotFound {
		return err
	}
	src, err := from.Open(ctx, Final, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if src.Size() != size {
		return evidence.Errorf(evidence.Corrupt, "the stored object has %d bytes and should have %d", src.Size(), size)
	}
	if err := to.Begin(ctx, name); err != nil {
		return err
	}
	buf := make([]byte, copyPart)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := src.ReadAt(buf[:min(copyPart, size-at)], at)
		if err != nil && !(errors.Is(err, io.EOF) && at+int64(n) == size) {
			return err
		}
		if err := to.PutPart(ctx, name, at, buf[:n]); err != nil {
			return err
		}
		at += int64(n)
	}
	return to.Finish(ctx, name, size)
}

// Totals counts the kept objects and their bytes, sealed.
func (v *Vault) Totals(ctx context.Context) (objects, bytes int64, err error) {
	err = v.db.Read(ctx, func(tx *database.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*), CAST(coalesce(sum(sealed_length), 0) AS BIGINT) FROM vault_objects`).Scan(&objects, &bytes)
	})
	return objects, bytes, dbError(err)
}

// Accepts tells why footage would be refused now: Full, Unavailable, or nil.
func (v *Vault) Accepts() error {
	if err := v.taking(); err != nil {
		return err
	}
	if s, ok := v.store.(interface{ room(need int64) error }); ok {
		return s.room(0)
	}
	return nil
}
