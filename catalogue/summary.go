package catalogue

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"custos/database"
	"custos/evidence"
)

// Summarise makes the card of a recording from its segments and working copies.
//
// It starts with the earliest segment whose trusted time is known, else when it
// first arrived here. Its state is the best that any segment offers to watch: a
// card must not say that nothing can be seen while something can. Why is the
// first reason that any segment gives, so that the card does not hide the one
// that cannot be shown. Its poster is that of the first segment that has one.
func Summarise(rec evidence.Recording, copies []evidence.WorkingCopy) Card {
	best := []evidence.MediaState{evidence.MediaPlayable, evidence.MediaProxy, evidence.MediaAudio, evidence.MediaPending, evidence.MediaNone}
	k := Card{ID: rec.ID, Device: rec.Device, Officer: rec.Officer, Category: rec.Category, Placing: rec.Placing,
		CreatedAt: rec.CreatedAt, Segments: len(rec.Segments), State: evidence.MediaPending}
	segments := slices.Clone(rec.Segments)
	Order(segments)
	rank := len(best)
	for _, s := range segments {
		if t := s.Clock.Trusted; !t.IsZero() && (k.StartedAt.IsZero() || t.Before(k.StartedAt)) {
			k.StartedAt = t
		}
		k.Bytes += s.Length
		k.Duration += s.Media.Duration
		if r := slices.Index(best, s.Media.State); r >= 0 && r < rank {
			rank, k.State = r, s.Media.State
		}
		if k.Why == "" {
			k.Why = s.Media.Why
		}
		if k.Poster == 0 && slices.ContainsFunc(copies, func(w evidence.WorkingCopy) bool {
			return w.Kind == evidence.Poster && w.Segment == s.Number
		}) {
			k.Poster = s.Number
		}
	}
	if k.StartedAt.IsZero() {
		k.StartedAt = k.CreatedAt
	}
	return k
}

// sumUp brings the recording's own row into line with its segments and
// posters. The recording must be locked.
func sumUp(ctx context.Context, tx *database.Tx, recording evidence.ID) error {
	var created int64
	if err := tx.QueryRow(ctx, "SELECT created_at FROM recordings WHERE id = ?", recording).Scan(&created); err != nil {
		return fmt.Errorf("read recording: %w", err)
	}
	segments, err := segmentsOf(ctx, tx, recording)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT segment FROM working_copies WHERE recording = ? AND kind = ?", recording, evidence.Poster)
	posters, err := database.Collect(rows, err, func(r *sql.Rows) (w evidence.WorkingCopy, err error) {
		w.Kind = evidence.Poster
		err = r.Scan(&w.Segment)
		return w, err
	})
	if err != nil {
		return fmt.Errorf("read posters: %w", err)
	}
	k := Summarise(evidence.Recording{Segments: segments, CreatedAt: database.Time(created)}, posters)
	_, err = tx.Exec(ctx, "UPDATE recordings SET started_at = ?, segments = ?, bytes = ?, duration_ms = ?, state = ?, why = ?, poster_segment = ? WHERE id = ?",
		database.Micros(k.StartedAt), k.Segments, k.Bytes, k.Duration, k.State, k.Why, k.Poster, recording)
	if err != nil {
		return fmt.Errorf("sum up recording: %w", err)
	}
	return restart(ctx, tx, recording, k.StartedAt)
}
