package catalogue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"custos/database"
	"custos/evidence"
)

func checkMedia(m evidence.Media) error {
	if m.Duration < 0 || m.Width < 0 || m.Height < 0 || !(m.Rate >= 0) || math.IsInf(m.Rate, 1) { // !(>=) refuses NaN too
		return evidence.Errorf(evidence.Invalid, "A master cannot have a length, size or frame rate below zero.")
	}
	for _, t := range []struct {
		what, s string
		limit   int
	}{
		{"reason", m.Why, textLimit}, {"media type", m.Type, nameLimit}, {"format", m.Format, nameLimit},
		{"video codec", m.Video, nameLimit}, {"audio codec", m.Audio, nameLimit},
	} {
		if err := checkText(t.what, t.s, t.limit); err != nil {
			return err
		}
	}
	return nil
}

// SetMedia records what probing a master found, and what it means for the
// recording's card. It fails with NotFound, or Invalid for text that cannot be
// kept.
func (c *Catalogue) SetMedia(ctx context.Context, tx *database.Tx, recording evidence.ID, segment int, m evidence.Media) error {
	if m.State == "" {
		return evidence.Errorf(evidence.Invalid, "What was found of the master lacks its state.")
	}
	if err := checkMedia(m); err != nil {
		return err
	}
	if err := lock(ctx, tx, recording); err != nil {
		return err
	}
	changed, err := tx.Exec(ctx, `UPDATE segments SET state = ?, why = ?, media_type = ?, format = ?, video = ?, audio = ?,
			width = ?, height = ?, frame_rate = ?, duration_ms = ?
		WHERE recording = ? AND number = ?`,
		m.State, m.Why, m.Type, m.Format, m.Video, m.Audio, m.Width, m.Height, m.Rate, m.Duration, recording, segment)
	if err != nil {
		return fmt.Errorf("set media: %w", err)
	}
	if changed == 0 {
		return noSegment()
	}
	return sumUp(ctx, tx, recording)
}

const copyColumns = "recording, segment, kind, object, media_type, length, digest, tool, info, made_at"

// AddCopy records a working copy, in place of one of the same kind and segment
// if there is one. It returns the object that is no longer wanted, "" for
// none: it is for the caller to erase once the transaction is durable. It
// fails with NotFound, or Invalid for a copy that cannot be kept.
func (c *Catalogue) AddCopy(ctx context.Context, tx *database.Tx, w evidence.WorkingCopy) (replaced evidence.ID, err error) {
	if w.Kind == "" || w.Object == "" || w.Length < 0 {
		return "", evidence.Errorf(evidence.Invalid, "A working copy needs its kind, its object and a length that is not negative.")
	}
	for _, s := range []string{string(w.Kind), w.Type, w.Tool, w.Info} {
		if err := checkText("description of the working copy", s, textLimit); err != nil {
			return "", err
		}
	}
	if err := lockSegment(ctx, tx, w.Recording, w.Segment); err != nil {
		return "", err
	}
	err = tx.QueryRow(ctx, "SELECT object FROM working_copies WHERE recording = ? AND segment = ? AND kind = ?", w.Recording, w.Segment, w.Kind).Scan(&replaced)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("add working copy: %w", err)
	}
	if replaced == w.Object {
		replaced = "" // the same copy recorded twice must not be erased
	}
	_, err = tx.Exec(ctx, `INSERT INTO working_copies (`+copyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (recording, segment, kind) DO UPDATE SET object = excluded.object, media_type = excluded.media_type,
			length = excluded.length, digest = excluded.digest, tool = excluded.tool, info = excluded.info, made_at = excluded.made_at`,
		w.Recording, w.Segment, w.Kind, w.Object, w.Type, w.Length, w.Digest[:], w.Tool, w.Info, database.Micros(w.MadeAt))
	if database.IsDuplicate(err) {
		return "", evidence.Wrap(evidence.Conflict, err, "Another working copy uses that object.")
	}
	if err != nil {
		return "", fmt.Errorf("add working copy: %w", err)
	}
	return replaced, sumUp(ctx, tx, w.Recording)
}

// Copy is one working copy. It fails with NotFound where there is none.
func (c *Catalogue) Copy(ctx context.Context, recording evidence.ID, segment int, kind evidence.CopyKind) (evidence.WorkingCopy, error) {
	copies, err := c.copies(ctx, " WHERE recording = ? AND segment = ? AND kind = ?", recording, segment, kind)
	if err != nil {
		return evidence.WorkingCopy{}, err
	}
	if len(copies) == 0 {
		return evidence.WorkingCopy{}, evidence.Errorf(evidence.NotFound, "There is no such working copy of that segment.")
	}
	return copies[0], nil
}

// Copies are all working copies of a recording, by segment number and kind.
func (c *Catalogue) Copies(ctx context.Context, recording evidence.ID) ([]evidence.WorkingCopy, error) {
	return c.copies(ctx, " WHERE recording = ? ORDER BY segment, kind", recording)
}

func (c *Catalogue) copies(ctx context.Context, where string, args ...any) (out []evidence.WorkingCopy, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+copyColumns+" FROM working_copies"+where, args...)
		out, err = database.Collect(rows, err, func(r *sql.Rows) (w evidence.WorkingCopy, err error) {
			var digest []byte
			var made int64
			if err := r.Scan(&w.Recording, &w.Segment, &w.Kind, &w.Object, &w.Type, &w.Length, &digest, &w.Tool, &w.Info, &made); err != nil {
				return w, err
			}
			w.MadeAt = database.Time(made)
			w.Digest, err = digestOf(digest)
			return w, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read working copies: %w", err)
	}
	return out, nil
}
