package catalogue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"custos/database"
	"custos/evidence"
)

// Get is one recording with its segments, in the order people see (see Order),
// and its arrivals, in the order they came in; all of one moment. It fails
// with NotFound.
func (c *Catalogue) Get(ctx context.Context, id evidence.ID) (rec evidence.Recording, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rec = evidence.Recording{ID: id}
		var started, created int64
		err := tx.QueryRow(ctx, "SELECT device, officer, category, take, started_at, created_at, duration_ms FROM recordings WHERE id = ?", id).
			Scan(&rec.Device, &rec.Officer, &rec.Category, &rec.Group, &started, &created, &rec.Duration)
		if errors.Is(err, sql.ErrNoRows) {
			return noRecording()
		}
		if err != nil {
			return fmt.Errorf("read recording: %w", err)
		}
		rec.StartedAt, rec.CreatedAt = database.Time(started), database.Time(created)
		if rec.Segments, err = segmentsOf(ctx, tx, id); err != nil {
			return err
		}
		if rec.Arrivals, err = arrivalsOf(ctx, tx, id); err != nil {
			return err
		}
		rec.Placing, err = placingOf(ctx, tx, id)
		return err
	})
	if err != nil {
		return evidence.Recording{}, err
	}
	return rec, nil
}

// Segment is one segment by its number. It fails with NotFound.
func (c *Catalogue) Segment(ctx context.Context, recording evidence.ID, number int) (seg evidence.Segment, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+segmentColumns+" FROM segments WHERE recording = ? AND number = ?", recording, number)
		found, err := database.Collect(rows, err, scanSegment)
		if err != nil {
			return fmt.Errorf("read segment: %w", err)
		}
		if len(found) == 0 {
			return noSegment()
		}
		seg = found[0]
		return nil
	})
	return seg, err
}

const segmentColumns = `recording, number, object, file_name, sequence, digest, length,
	device_started, zone, offset_ms, clock_source, trusted,
	state, why, media_type, format, video, audio, width, height, frame_rate, duration_ms`

func scanSegment(r *sql.Rows) (s evidence.Segment, err error) {
	var digest []byte
	var device, trusted int64
	var offset sql.NullInt64
	m := &s.Media
	if err := r.Scan(&s.Recording, &s.Number, &s.Object, &s.FileName, &s.Sequence, &digest, &s.Length,
		&device, &s.Clock.DeviceZone, &offset, &s.Clock.Source, &trusted,
		&m.State, &m.Why, &m.Type, &m.Format, &m.Video, &m.Audio, &m.Width, &m.Height, &m.Rate, &m.Duration); err != nil {
		return s, err
	}
	s.Clock.DeviceStarted, s.Clock.Trusted = database.Time(device), database.Time(trusted)
	if offset.Valid {
		d := evidence.Duration(offset.Int64)
		s.Clock.Offset = &d
	}
	s.Digest, err = digestOf(digest)
	return s, err
}

// digestOf refuses a stored digest of the wrong length: corrupt data is never
// served as good.
func digestOf(b []byte) (d evidence.Digest, err error) {
	if len(b) != len(d) {
		return d, evidence.Errorf(evidence.Corrupt, "A SHA-256 in the catalogue is %d bytes long. Nothing was changed; the database must be checked.", len(b))
	}
	return evidence.Digest(b), nil
}

func segmentsOf(ctx context.Context, tx *database.Tx, recording evidence.ID) ([]evidence.Segment, error) {
	rows, err := tx.Query(ctx, "SELECT "+segmentColumns+" FROM segments WHERE recording = ?", recording)
	segments, err := database.Collect(rows, err, scanSegment)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	Order(segments)
	return segments, nil
}

func arrivalsOf(ctx context.Context, tx *database.Tx, recording evidence.ID) ([]evidence.Arrival, error) {
	rows, err := tx.Query(ctx, "SELECT id, segment, device, file_name, dock, docked_at, at FROM arrivals WHERE recording = ? ORDER BY id", recording)
	out, err := database.Collect(rows, err, func(r *sql.Rows) (a evidence.Arrival, err error) {
		var docked, at int64
		err = r.Scan(&a.ID, &a.Segment, &a.Device, &a.FileName, &a.Dock, &docked, &at)
		a.DockedAt, a.At = database.Time(docked), database.Time(at)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("read arrivals: %w", err)
	}
	return out, nil
}

// Object is one object that the vault must hold.
type Object struct {
	ID        evidence.ID // opaque name in the vault
	Recording evidence.ID
	Segment   int
	Kind      evidence.CopyKind // "" = the master
	Digest    evidence.Digest   // of the plaintext
	Length    int64             // of the plaintext, bytes
}

// Objects calls fn for every object the catalogue expects in the vault:
// masters first, then working copies, each in ascending order of object. It
// reads in short snapshots, since a check of a whole store may take days:
// what is added meanwhile may or may not be seen. It stops at fn's first error
// and returns it.
func (c *Catalogue) Objects(ctx context.Context, fn func(Object) error) error {
	for _, query := range []string{
		"SELECT object, recording, number, '', digest, length FROM segments WHERE object > ? ORDER BY object LIMIT 1000",
		"SELECT object, recording, segment, kind, digest, length FROM working_copies WHERE object > ? ORDER BY object LIMIT 1000",
	} {
		var last evidence.ID
		for {
			page, err := c.objects(ctx, query, last)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, o := range page {
				if err := fn(o); err != nil {
					return err
				}
				last = o.ID
			}
		}
	}
	return nil
}

func (c *Catalogue) objects(ctx context.Context, query string, after evidence.ID) (page []Object, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, query, after)
		page, err = database.Collect(rows, err, func(r *sql.Rows) (o Object, err error) {
			var digest []byte
			if err := r.Scan(&o.ID, &o.Recording, &o.Segment, &o.Kind, &digest, &o.Length); err != nil {
				return o, err
			}
			o.Digest, err = digestOf(digest)
			return o, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	return page, nil
}
