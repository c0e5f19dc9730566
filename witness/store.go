package witness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

// load reads what was signed and stamped before this start.
func (k *Keeper) load(ctx context.Context) error {
	err := k.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		for _, p := range k.parties {
			var at int64
			err := tx.QueryRow(ctx, "SELECT size, at FROM witness_signed WHERE witness = ?", p.Key.String()).Scan(&p.size, &at)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if err == nil {
				p.has, p.at = p.size, database.Time(at)
			}
		}
		for _, a := range k.authorities {
			var at int64
			err := tx.QueryRow(ctx, "SELECT size, at FROM witness_stamps WHERE authority = ? ORDER BY at DESC LIMIT 1", a.Name).Scan(&a.size, &at)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if err == nil {
				a.at = database.Time(at)
				a.again = a.at.Add(k.cfg.StampEvery)
			}
		}
		return k.loadBest(ctx, tx)
	})
	return evidence.Wrap(evidence.Unavailable, err, "What witnesses signed cannot be read from the database.")
}

// loadBest reads the newest cosigned checkpoint. One that another policy found
// good enough is none.
func (k *Keeper) loadBest(ctx context.Context, tx *database.Tx) error {
	if len(k.parties) == 0 {
		return nil
	}
	var s signed
	var at int64
	var text string
	err := tx.QueryRow(ctx, "SELECT size, at, checkpoint FROM witness_cosigned WHERE id = 1").Scan(&s.size, &at, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	s.note, s.at = []byte(text), database.Time(at)
	if err := k.metBy(s.note); err != nil {
		k.cfg.Logger.Warn("the last cosigned checkpoint is not one by the witness policy of today", "err", err)
		return nil
	}
	k.best = s
	return nil
}

// save writes down what was signed since the last time. Another server's later
// row stays.
func (k *Keeper) save(ctx context.Context) {
	k.mu.Lock()
	dirty, best := k.dirty, k.best
	type row struct {
		key  string
		size int64
		at   time.Time
	}
	var rows []row
	for _, p := range k.parties {
		if !p.at.IsZero() {
			rows = append(rows, row{p.Key.String(), p.size, p.at})
		}
	}
	k.dirty = false
	k.mu.Unlock()
	if !dirty {
		return
	}
	err := k.cfg.DB.Write(ctx, func(tx *database.Tx) error {
		for _, r := range rows {
			_, err := tx.Exec(ctx, `INSERT INTO witness_signed (witness, size, at) VALUES (?, ?, ?) ON CONFLICT (witness) DO UPDATE SET size = excluded.size, at = excluded.at
				WHERE excluded.size >= witness_signed.size`, r.key, r.size, database.Micros(r.at))
			if err != nil {
				return fmt.Errorf("keep what a witness signed: %w", err)
			}
		}
		if best.size == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, `INSERT INTO witness_cosigned (id, size, at, checkpoint) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET size = excluded.size, at = excluded.at, checkpoint = excluded.checkpoint
			WHERE excluded.size >= witness_cosigned.size`, best.size, database.Micros(best.at), string(best.note))
		return err
	})
	if err != nil { // the witnesses have it, and the next second tries again
		k.cfg.Logger.Warn("what witnesses signed could not be written down", "err", err)
		k.mu.Lock()
		k.dirty = true
		k.mu.Unlock()
	}
}

func (k *Keeper) keepStamp(ctx context.Context, s Stamp, size int64, checkpoint []byte) error {
	err := k.cfg.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO witness_stamps (authority, size, at, checkpoint, response) VALUES (?, ?, ?, ?, ?) ON CONFLICT (authority, at) DO NOTHING",
			s.Authority, size, database.Micros(s.Time), string(checkpoint), s.Response)
		return err
	})
	return evidence.Wrap(evidence.Unavailable, err, "The timestamp could not be written down.")
}

var errOther = errors.New("the policy does not find these signatures enough")

// metBy tells whether the policy of today finds a checkpoint of the database
// well enough signed.
func (k *Keeper) metBy(note []byte) error {
	signed, err := tlog.Cosignatures(note, k.cfg.Policy.Keys())
	if err == nil && !k.cfg.Policy.Met(signed) {
		err = errOther
	}
	return err
}

// Kept calls f with each timestamp that was kept, oldest first, and the
// checkpoint that it is over. Errors: Unavailable, or f's own.
func (k *Keeper) Kept(ctx context.Context, f func(s Stamp, checkpoint []byte) error) error {
	after, authority := int64(-1), ""
	for {
		type kept struct {
			Stamp
			checkpoint string
			at         int64
		}
		var page []kept
		err := k.cfg.DB.Read(ctx, func(tx *database.Tx) error {
			rows, err := tx.Query(ctx, "SELECT authority, at, checkpoint, response FROM witness_stamps WHERE (at, authority) > (?, ?) ORDER BY at, authority LIMIT 100", after, authority)
			if err != nil {
				return err
			}
			defer rows.Close() // Err below tells of failures
			for rows.Next() {
				var s kept
				if err := rows.Scan(&s.Authority, &s.at, &s.checkpoint, &s.Response); err != nil {
					return err
				}
				s.Time = database.Time(s.at)
				page = append(page, s)
			}
			return rows.Err()
		})
		if err != nil {
			return evidence.Wrap(evidence.Unavailable, err, "The kept timestamps cannot be read from the database.")
		}
		for _, s := range page {
			if err := f(s.Stamp, []byte(s.checkpoint)); err != nil {
				return err
			}
			after, authority = s.at, s.Authority
		}
		if len(page) < 100 {
			return nil
		}
	}
}
