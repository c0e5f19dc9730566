package catalogue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"custos/database"
	"custos/evidence"
)

// Placement says which recording a captured file belongs to.
type Placement struct {
	Recording evidence.ID
	New       bool // the recording was made just now and is still empty
}

// ClockOf keeps the three times of a capture apart (R24): what the device
// said, the offset measured at the dock, and the trusted time made from both.
// Without a measured offset the trusted time is the device's.
func ClockOf(c evidence.Capture) evidence.Clock {
	k := evidence.Clock{DeviceStarted: c.Started, DeviceZone: c.Zone, Offset: c.Offset, Source: c.Source, Trusted: c.Started}
	if c.Offset != nil && !c.Started.IsZero() {
		k.Trusted = c.Started.Add(-c.Offset.Std())
	}
	return k
}

// Place finds the recording that the capture belongs to: the one of the same
// device and group, or a new one under id. A capture without a group is a recording of
// its own. An officer or category that the recording lacks is filled in from
// the capture; one that it has stays. Two transactions that bring segments of one new
// group at the same time get the same recording.
//
// It fails with Invalid where the capture names no device or holds text that cannot be
// kept, and with Conflict where id is taken.
func (c *Catalogue) Place(ctx context.Context, tx *database.Tx, id evidence.ID, capture evidence.Capture) (Placement, error) {
	if _, err := evidence.ParseID(string(id)); err != nil {
		return Placement{}, err
	}
	if capture.Device == "" {
		return Placement{}, evidence.Errorf(evidence.Invalid, "The dock did not say which camera the file is from. The file stays on the camera; the camera's profile at the dock must name the device.")
	}
	for _, t := range []struct{ what, s string }{
		{"device", capture.Device}, {"officer", capture.Officer}, {"category", string(capture.Category)}, {"group", capture.Group},
	} {
		if err := checkText(t.what, t.s, nameLimit); err != nil {
			return Placement{}, err
		}
	}
	now := c.now()
	started := ClockOf(capture).Trusted
	if started.IsZero() {
		started = now
	}
	// The losing one of two inserts waits for the winner's transaction and
	// then finds its row.
	made, err := tx.Exec(ctx, `INSERT INTO recordings (id, device, officer, category, take, started_at, created_at,
			segments, bytes, duration_ms, state, why, poster_segment)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, '', 0)
		ON CONFLICT (device, take) WHERE take <> '' DO NOTHING`,
		id, capture.Device, capture.Officer, capture.Category, capture.Group, database.Micros(started), database.Micros(now), evidence.MediaPending)
	if database.IsDuplicate(err) {
		return Placement{}, evidence.Wrap(evidence.Conflict, err, "A recording of that identifier exists already.")
	}
	if err != nil {
		return Placement{}, fmt.Errorf("place capture: %w", err)
	}
	if made == 1 {
		return Placement{Recording: id, New: true}, nil
	}
	var found evidence.ID
	err = tx.QueryRow(ctx, "SELECT id FROM recordings WHERE device = ? AND take = ? AND take <> ''"+tx.Locking(), capture.Device, capture.Group).Scan(&found)
	if err != nil {
		return Placement{}, fmt.Errorf("place capture: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE recordings SET officer = CASE officer WHEN '' THEN ? ELSE officer END,
			category = CASE category WHEN '' THEN ? ELSE category END
		WHERE id = ? AND (officer = '' OR category = '')`, capture.Officer, capture.Category, found); err != nil {
		return Placement{}, fmt.Errorf("place capture: %w", err)
	}
	return Placement{Recording: found}, nil
}

// AddSegment adds a master to a recording and gives it its number: one more
// than the highest so far, for ever. It uses Object, FileName, Sequence,
// Digest, Length, Clock and Media of seg; an empty media state is pending.
//
// It fails with NotFound where there is no such recording, Invalid for text
// that cannot be kept, and Conflict where a file of the same digest and length
// is in the catalogue already: then roll back and begin again with FindDigest.
// Of two transactions that bring the same file at the same time, the second
// waits for the first and gets the Conflict; database.IsDuplicate is true of it.
func (c *Catalogue) AddSegment(ctx context.Context, tx *database.Tx, recording evidence.ID, seg evidence.Segment) (number int, err error) {
	if err := checkSegment(seg); err != nil {
		return 0, err
	}
	if err := lock(ctx, tx, recording); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) + 1 FROM segments WHERE recording = ?", recording).Scan(&number); err != nil {
		return 0, fmt.Errorf("number segment: %w", err)
	}
	k, m := seg.Clock, seg.Media
	if m.State == "" {
		m.State = evidence.MediaPending
	}
	var offset sql.NullInt64
	if k.Offset != nil {
		offset = sql.NullInt64{Int64: int64(*k.Offset), Valid: true}
	}
	_, err = tx.Exec(ctx, `INSERT INTO segments (`+segmentColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		recording, number, seg.Object, seg.FileName, seg.Sequence, seg.Digest[:], seg.Length,
		database.Micros(k.DeviceStarted), k.DeviceZone, offset, k.Source, database.Micros(k.Trusted),
		m.State, m.Why, m.Type, m.Format, m.Video, m.Audio, m.Width, m.Height, m.Rate, m.Duration)
	if database.IsDuplicate(err) {
		return 0, evidence.Wrap(evidence.Conflict, err, "The same file is in the catalogue already. Nothing is lost; look again.")
	}
	if err != nil {
		return 0, fmt.Errorf("add segment: %w", err)
	}
	return number, sumUp(ctx, tx, recording)
}

func checkSegment(seg evidence.Segment) error {
	if seg.Digest.IsZero() || seg.Length < 0 || seg.Sequence < 0 || seg.Object == "" {
		return evidence.Errorf(evidence.Invalid, "A segment needs its object, its SHA-256, a length and a sequence that are not negative.")
	}
	for _, t := range []struct {
		what, s string
		limit   int
	}{
		{"file name", seg.FileName, textLimit}, {"time zone", seg.Clock.DeviceZone, nameLimit}, {"source of the time", seg.Clock.Source, nameLimit},
	} {
		if err := checkText(t.what, t.s, t.limit); err != nil {
			return err
		}
	}
	return checkMedia(seg.Media)
}

// AddArrival records that a file of the recording came in through a dock. A
// file docked again adds an arrival and no segment. It fails with NotFound
// where there is no such segment and with Conflict where the arrival is known.
func (c *Catalogue) AddArrival(ctx context.Context, tx *database.Tx, recording evidence.ID, a evidence.Arrival) error {
	for _, t := range []struct {
		what, s string
		limit   int
	}{{"device", a.Device, nameLimit}, {"dock", a.Dock, nameLimit}, {"file name", a.FileName, textLimit}} {
		if err := checkText(t.what, t.s, t.limit); err != nil {
			return err
		}
	}
	if err := lockSegment(ctx, tx, recording, a.Segment); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO arrivals (id, recording, segment, device, file_name, dock, docked_at, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		a.ID, recording, a.Segment, a.Device, a.FileName, a.Dock, database.Micros(a.DockedAt), database.Micros(a.At))
	if database.IsDuplicate(err) {
		return evidence.Wrap(evidence.Conflict, err, "That arrival is recorded already.")
	}
	if err != nil {
		return fmt.Errorf("add arrival: %w", err)
	}
	return nil
}

// lockSegment is lock, and fails with NotFound where the recording has no such
// segment.
func lockSegment(ctx context.Context, tx *database.Tx, recording evidence.ID, number int) error {
	if err := lock(ctx, tx, recording); err != nil {
		return err
	}
	var one int
	err := tx.QueryRow(ctx, "SELECT 1 FROM segments WHERE recording = ? AND number = ?", recording, number).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return noSegment()
	}
	if err != nil {
		return fmt.Errorf("look for segment: %w", err)
	}
	return nil
}

// FindDigest finds the master of a file by its SHA-256 and its length in
// bytes. It works in a read transaction too.
func (c *Catalogue) FindDigest(ctx context.Context, tx *database.Tx, digest evidence.Digest, length int64) (recording evidence.ID, segment int, object evidence.ID, found bool, err error) {
	err = tx.QueryRow(ctx, "SELECT recording, number, object FROM segments WHERE digest = ? AND length = ?", digest[:], length).
		Scan(&recording, &segment, &object)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, "", false, nil
	}
	if err != nil {
		return "", 0, "", false, fmt.Errorf("find digest: %w", err)
	}
	return recording, segment, object, true, nil
}
