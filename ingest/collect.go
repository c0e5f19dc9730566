package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"custos/database"
	"custos/evidence"
)

// Run collects complete uploads and ends expired ones until ctx is done; then
// it waits for what is under way. It fails only when the tables cannot be read
// at the start. One Run for each server; several servers on one database share
// the work by leases.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Recover(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("run ingest: %w", err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range s.Workers {
		wg.Go(func() { s.work(ctx) })
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "sweep of uploads failed; the next one is in a minute", "err", err)
			}
		}
	}
}

// Recover picks up what a stopped server left. Run calls it.
func (s *Server) Recover(ctx context.Context) error {
	if s.DB.Engine() == database.SQLite {
		// One process owns the file, so every lease in it is a dead one's.
		if _, err := s.change(ctx, "UPDATE uploads SET due_at = 0 WHERE state IN ('joining', 'complete', 'collecting', 'refused', 'abandoned') AND due_at > 0"); err != nil {
			return err
		}
	}
	return s.sweep(ctx)
}

// sweep marks complete what has all its bytes and was not marked before a
// crash, ends what has expired, and frees what is held for nothing.
func (s *Server) sweep(ctx context.Context) error {
	const many = 1 << 20
	now := database.Micros(s.Now())
	var errs []error
	ids, err := s.ids(ctx, many, "state = 'open'")
	errs = append(errs, err)
	for _, id := range ids {
		n, length, err := s.Custody.Received(ctx, id)
		if err == nil && n == length {
			err = s.finish(ctx, &upload{id: id})
		} else if evidence.CodeOf(err) == evidence.NotFound {
			err = nil // its client hears so; the row expires
		}
		errs = append(errs, err)
	}
	ids, err = s.ids(ctx, many, "(state = 'open' OR state = 'complete' AND concat = 'partial') AND expires_at <= ? AND "+notInUse, now)
	errs = append(errs, err)
	for _, id := range ids {
		if !s.tryLock(id) {
			continue // it moves after all
		}
		_, err := s.abandon(ctx, id, expiredMessage)
		s.unlock(id)
		errs = append(errs, err)
	}
	ids, err = s.ids(ctx, many, "holding = 1 AND state IN ('refused', 'abandoned') AND due_at <= ?", now)
	errs = append(errs, err)
	for _, id := range ids {
		s.free(ctx, evidence.Server("ingest"), id)
	}
	return errors.Join(errs...)
}

// free lets custody drop the bytes of an upload that is refused or abandoned.
// What fails is logged and done again by the next sweep.
func (s *Server) free(ctx context.Context, actor evidence.Actor, id evidence.ID) {
	err := s.Custody.Abandon(ctx, actor, id)
	if err == nil || evidence.CodeOf(err) == evidence.NotFound {
		_, err = s.change(ctx, "UPDATE uploads SET holding = 0 WHERE id = ?", id)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "bytes of a given-up upload are still there", "upload", id, "err", err)
	}
}

// work collects one upload after the other.
func (s *Server) work(ctx context.Context) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		id, err := s.claim(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "cannot look for complete uploads", "err", err)
		}
		if id != "" {
			s.kick() // there may be more for the others
			s.collect(ctx, id)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

const due = "state IN ('joining', 'complete', 'collecting') AND concat <> 'partial' AND due_at <= ?"

// claim takes an upload that is due and a lease on it; "" when there is none.
func (s *Server) claim(ctx context.Context) (evidence.ID, error) {
	ids, err := s.ids(ctx, 4*s.Workers, due, database.Micros(s.Now()))
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		now := s.Now()
		ok, err := s.change(ctx, `UPDATE uploads SET due_at = ?, tries = tries + 1, updated_at = ?,
			state = CASE state WHEN 'complete' THEN 'collecting' ELSE state END WHERE id = ? AND `+due,
			database.Micros(now.Add(lease)), database.Micros(now), id, database.Micros(now))
		if err != nil {
			return "", err
		}
		if ok {
			return id, nil
		}
	}
	return "", nil
}

// collect brings a claimed upload to its end, or notes why it could not.
func (s *Server) collect(ctx context.Context, id evidence.ID) {
	stop := s.keepLease(ctx, id)
	err := s.bringIn(ctx, id)
	stop()
	switch code := evidence.CodeOf(err); {
	case err == nil:
		return
	case ctx.Err() != nil:
		return // the server stops; Recover goes on from here
	case code == evidence.Corrupt || code == evidence.Invalid || code == evidence.NotFound || code == evidence.Denied:
		// Denied too: each try would put another refusal into the ledger.
		s.Log.WarnContext(ctx, "upload refused", "upload", id, "code", code, "err", err)
		err = s.refuse(ctx, id, code, evidence.MessageOf(err))
	default:
		s.Log.ErrorContext(ctx, "upload not collected; trying again", "upload", id, "err", err)
		err = s.postpone(ctx, id, code, evidence.MessageOf(err))
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "upload's state not noted; its lease runs out by itself", "upload", id, "err", err)
	}
}

// keepLease extends the lease on id until stop is called, which waits.
func (s *Server) keepLease(ctx context.Context, id evidence.ID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if _, err := s.change(ctx, "UPDATE uploads SET due_at = ? WHERE id = ? AND "+working,
					database.Micros(s.Now().Add(lease)), id); err != nil && ctx.Err() == nil {
					s.Log.WarnContext(ctx, "lease not extended", "upload", id, "err", err)
				}
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

const working = "state IN ('joining', 'collecting')"

// bringIn joins where there is something to join, collects, and lets follow
// what follows. Every step may have been taken before.
func (s *Server) bringIn(ctx context.Context, id evidence.ID) error {
	u, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	if u.state == joining {
		if err := s.join(ctx, u); err != nil {
			return err
		}
	}
	recording, segment, err := s.Custody.Collect(ctx, u.actor, u.id, u.capture)
	if err != nil {
		return err
	}
	if s.OnCollected != nil {
		if err := s.OnCollected(ctx, recording, segment); err != nil {
			return evidence.Wrap(evidence.Unavailable, err, "the file is in the vault, but what follows could not be started; the server tries again")
		}
	}
	_, err = s.change(ctx, `UPDATE uploads SET state = 'collected', holding = 0, due_at = 0, code = '', message = '',
		recording = ?, segment = ?, updated_at = ? WHERE id = ? AND `+working,
		string(recording), segment, database.Micros(s.Now()), u.id)
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "upload collected", "upload", u.id, "recording", recording, "segment", segment, "bytes", u.length)
	s.announce()
	return nil
}

// join appends the parts of a final upload to it, from where it stands, and
// gives them up once all their bytes are durable in it.
func (s *Server) join(ctx context.Context, u *upload) error {
	at, length, err := s.Custody.Received(ctx, u.id)
	if err != nil {
		return err
	}
	parts, err := s.parts(ctx, u.id)
	if err != nil {
		return err
	}
	var start int64 // of the part, in the final upload
	for _, p := range parts {
		if end := start + p.length; at < end {
			if at, err = s.appendPart(ctx, u.id, at, p.id, at-start); err != nil {
				return err
			}
			if at != end {
				return evidence.Errorf(evidence.Corrupt, "a part is shorter than it was; start over")
			}
		}
		start += p.length
	}
	if at != length || at != u.length {
		return evidence.Errorf(evidence.Corrupt, "the parts are not as long as the final upload; start over")
	}
	return s.joined(ctx, u, parts)
}

// appendPart appends what part has from skip on to final at offset at.
func (s *Server) appendPart(ctx context.Context, final evidence.ID, at int64, part evidence.ID, skip int64) (n int64, err error) {
	r, err := s.Custody.ReadReceived(ctx, part)
	if err != nil {
		return at, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if _, err := io.CopyN(io.Discard, r, skip); err != nil {
		return at, fmt.Errorf("skip what was joined before: %w", err)
	}
	return s.Custody.Append(ctx, final, at, r)
}

// joined marks a final upload as having all its bytes, and its parts as used.
func (s *Server) joined(ctx context.Context, u *upload, parts []*upload) error {
	now := database.Micros(s.Now())
	err := s.DB.Write(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE uploads SET state = 'collecting', updated_at = ? WHERE id = ? AND state = 'joining'", now, u.id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE uploads SET state = 'abandoned', code = 'not_found', message = ?, due_at = 0, updated_at = ?
			WHERE id IN (SELECT part FROM upload_parts WHERE final = ?) AND state = 'complete' AND `+notInUse, usedMessage, now, u.id)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p, err := s.get(ctx, p.id); err != nil {
			return err
		} else if p.state == abandoned {
			s.free(ctx, u.actor, p.id)
		}
	}
	return nil
}

// parts are the parts of a final upload in order; one may come up again.
func (s *Server) parts(ctx context.Context, final evidence.ID) (parts []*upload, err error) {
	err = s.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+columns+" FROM uploads JOIN upload_parts ON part = id WHERE final = ? ORDER BY position", final)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scan(rows)
			if err != nil {
				return err
			}
			parts = append(parts, p)
		}
		return rows.Err()
	})
	return parts, err
}

// refuse ends an upload that can never be collected. Its reason stays for the
// dock; its bytes go.
func (s *Server) refuse(ctx context.Context, id evidence.ID, code evidence.Code, message string) error {
	_, err := s.change(ctx, "UPDATE uploads SET state = 'refused', code = ?, message = ?, due_at = 0, updated_at = ? WHERE id = ? AND "+working,
		string(code), message, database.Micros(s.Now()), id)
	if err != nil {
		return err
	}
	s.announce()
	s.free(ctx, evidence.Server("ingest"), id)
	return nil
}

// postpone leaves an upload for later: after 1 s, 2 s, 4 s …, 5 min at most.
func (s *Server) postpone(ctx context.Context, id evidence.ID, code evidence.Code, message string) error {
	u, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	pause := min(time.Second<<min(max(u.tries-1, 0), 20), 5*time.Minute)
	now := s.Now()
	_, err = s.change(ctx, "UPDATE uploads SET code = ?, message = ?, due_at = ?, updated_at = ? WHERE id = ? AND "+working,
		string(code), message, database.Micros(now.Add(pause)), database.Micros(now), id)
	return err
}
