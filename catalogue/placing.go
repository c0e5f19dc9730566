package catalogue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"custos/database"
	"custos/evidence"
)

// Placing is what the rule looks at in a recording. It costs the same whether
// there is such a recording or not, nearly; it fails with NotFound.
func (c *Catalogue) Placing(ctx context.Context, id evidence.ID) (p evidence.Placing, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		p, err = placingOf(ctx, tx, id)
		return err
	})
	return p, err
}

func placingOf(ctx context.Context, tx *database.Tx, id evidence.ID) (p evidence.Placing, err error) {
	err = tx.QueryRow(ctx, "SELECT owner, unit, class FROM recordings WHERE id = ?", id).Scan(&p.Owner, &p.Unit, &p.Class)
	missing := errors.Is(err, sql.ErrNoRows)
	if err != nil && !missing {
		return p, fmt.Errorf("read recording: %w", err)
	}
	rows, err := tx.Query(ctx, "SELECT case_id FROM recording_cases WHERE recording = ? ORDER BY case_id", id)
	if p.Cases, err = database.Collect(rows, err, func(r *sql.Rows) (id evidence.ID, err error) {
		err = r.Scan(&id)
		return id, err
	}); err != nil {
		return p, fmt.Errorf("read cases of recording: %w", err)
	}
	rows, err = tx.Query(ctx, "SELECT person, until FROM recording_listed WHERE recording = ? ORDER BY person", id)
	p.Listed, err = database.Collect(rows, err, func(r *sql.Rows) (l evidence.Listing, err error) {
		var until int64
		err = r.Scan(&l.Person, &until)
		l.Until = database.Time(until)
		return l, err
	})
	if err != nil {
		return p, fmt.Errorf("read access list: %w", err)
	}
	if missing {
		return evidence.Placing{}, noRecording()
	}
	return p, nil
}

// Placings is Placing of several recordings at once; those that do not exist
// are left out.
func (c *Catalogue) Placings(ctx context.Context, ids []evidence.ID) (map[evidence.ID]evidence.Placing, error) {
	const together = 500
	out := map[evidence.ID]evidence.Placing{}
	err := c.db.Read(ctx, func(tx *database.Tx) error {
		for some := range slices.Chunk(ids, together) {
			at := map[evidence.ID]*evidence.Placing{}
			rows, err := tx.Query(ctx, "SELECT id, owner, unit, class FROM recordings WHERE id IN "+marks(len(some)), anys(some)...)
			if _, err = database.Collect(rows, err, func(r *sql.Rows) (id evidence.ID, err error) {
				var p evidence.Placing
				err = r.Scan(&id, &p.Owner, &p.Unit, &p.Class)
				at[id] = &p
				return id, err
			}); err != nil {
				return err
			}
			if err := fillPlacings(ctx, tx, at); err != nil {
				return err
			}
			for id, p := range at {
				out[id] = *p
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	return out, nil
}

// fillPlacings reads the cases and access lists of recordings.
func fillPlacings(ctx context.Context, tx *database.Tx, at map[evidence.ID]*evidence.Placing) error {
	if len(at) == 0 {
		return nil
	}
	ids := anys(slices.Collect(maps.Keys(at)))
	rows, err := tx.Query(ctx, "SELECT recording, case_id FROM recording_cases WHERE recording IN "+marks(len(ids)), ids...)
	if _, err = database.Collect(rows, err, func(r *sql.Rows) (id evidence.ID, err error) {
		var inCase evidence.ID
		if err = r.Scan(&id, &inCase); err == nil {
			at[id].Cases = append(at[id].Cases, inCase)
		}
		return id, err
	}); err != nil {
		return err
	}
	rows, err = tx.Query(ctx, "SELECT recording, person, until FROM recording_listed WHERE recording IN "+marks(len(ids)), ids...)
	_, err = database.Collect(rows, err, func(r *sql.Rows) (id evidence.ID, err error) {
		var l evidence.Listing
		var until int64
		if err = r.Scan(&id, &l.Person, &until); err == nil {
			l.Until = database.Time(until)
			at[id].Listed = append(at[id].Listed, l)
		}
		return id, err
	})
	return err
}

// Listed tells whether anybody's name is on some recording's access list at t.
func (c *Catalogue) Listed(ctx context.Context, person evidence.ID, t time.Time) (yes bool, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		return tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM recording_listed WHERE person = ? AND (until = 0 OR until > ?))", person, database.Micros(t)).Scan(&yes)
	})
	if err != nil {
		return false, fmt.Errorf("look for access lists: %w", err)
	}
	return yes, nil
}

// set changes one column of a recording. It fails with NotFound.
func set(ctx context.Context, tx *database.Tx, query string, args ...any) error {
	n, err := tx.Exec(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("change recording: %w", err)
	}
	if n == 0 {
		return noRecording()
	}
	return nil
}

// SetOwner says whose footage a recording is, and of which unit. It fails with
// NotFound.
func (c *Catalogue) SetOwner(ctx context.Context, tx *database.Tx, id, owner, unit evidence.ID) error {
	return set(ctx, tx, "UPDATE recordings SET owner = ?, unit = ? WHERE id = ?", owner, unit, id)
}

// SetClass says how closely a recording is kept, and replaces its access list.
// It fails with NotFound.
func (c *Catalogue) SetClass(ctx context.Context, tx *database.Tx, id evidence.ID, class evidence.Class, list []evidence.Listing) error {
	if err := set(ctx, tx, "UPDATE recordings SET class = ? WHERE id = ?", class, id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM recording_listed WHERE recording = ?", id); err != nil {
		return fmt.Errorf("change access list: %w", err)
	}
	for _, l := range list {
		if _, err := tx.Exec(ctx, `INSERT INTO recording_listed (recording, person, until, started_at)
			SELECT id, ?, ?, started_at FROM recordings WHERE id = ?`, l.Person, database.Micros(l.Until), id); err != nil {
			return fmt.Errorf("change access list: %w", err)
		}
	}
	return nil
}

// SetCase puts a recording into a case, or takes it out. changed is false
// where it was so already. It fails with NotFound.
func (c *Catalogue) SetCase(ctx context.Context, tx *database.Tx, id, inCase evidence.ID, in bool) (changed bool, err error) {
	if err := lock(ctx, tx, id); err != nil {
		return false, err
	}
	query := "DELETE FROM recording_cases WHERE recording = ? AND case_id = ?"
	if in {
		query = `INSERT INTO recording_cases (recording, case_id, started_at)
			SELECT id, ?, started_at FROM recordings WHERE id = ? ON CONFLICT DO NOTHING`
		n, err := tx.Exec(ctx, query, inCase, id)
		if err != nil {
			return false, fmt.Errorf("put into case: %w", err)
		}
		return n > 0, nil
	}
	n, err := tx.Exec(ctx, query, id, inCase)
	if err != nil {
		return false, fmt.Errorf("take out of case: %w", err)
	}
	return n > 0, nil
}

// restart brings the copies of a recording's start into line with it.
func restart(ctx context.Context, tx *database.Tx, id evidence.ID, started time.Time) error {
	for _, table := range []string{"recording_cases", "recording_listed"} {
		if _, err := tx.Exec(ctx, "UPDATE "+table+" SET started_at = ? WHERE recording = ? AND started_at <> ?",
			database.Micros(started), id, database.Micros(started)); err != nil {
			return fmt.Errorf("sum up recording: %w", err)
		}
	}
	return nil
}

// Unowned is a recording that is nobody's yet.
type Unowned struct {
	ID        evidence.ID
	Device    string
	Officer   string // collar number, as the camera gave it
	StartedAt time.Time
}

// Unowned are up to limit recordings that are nobody's, in order of ID, after
// the one named.
func (c *Catalogue) Unowned(ctx context.Context, after evidence.ID, limit int) (out []Unowned, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id, device, officer, started_at FROM recordings WHERE owner = '' AND id > ? ORDER BY id LIMIT ?", after, limit)
		out, err = database.Collect(rows, err, func(r *sql.Rows) (u Unowned, err error) {
			var started int64
			err = r.Scan(&u.ID, &u.Device, &u.Officer, &started)
			u.StartedAt = database.Time(started)
			return u, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for recordings of nobody: %w", err)
	}
	return out, nil
}
