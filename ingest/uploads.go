package ingest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"custos/database"
	"custos/evidence"
)

// state is how far an upload has come.
//
//	open ──→ complete ──→ collecting ──→ collected
//	            ↑              └───────→ refused
//	joining ────┘ (or refused)
//	open ──→ abandoned
//
// A part stays complete until it expires or its final upload has its bytes;
// then it is abandoned.
type state string

const (
	open       state = "open"       // bytes may come
	joining    state = "joining"    // a final upload whose parts are being put together
	complete   state = "complete"   // every byte is durable
	collecting state = "collecting" // on its way into final storage
	collected  state = "collected"  // in final storage, read back, in catalogue and ledger
	refused    state = "refused"    // not what its client said; start over
	abandoned  state = "abandoned"  // given up by its client, or expired
)

// upload is a row of the table uploads.
type upload struct {
	id        evidence.ID
	actor     evidence.Actor
	capture   evidence.Capture
	metadata  string
	concat    string
	length    int64
	state     state
	expires   time.Time
	tries     int
	code      evidence.Code
	message   string
	recording evidence.ID
	segment   int
	receipt   []byte
	updated   time.Time
}

func (u *upload) partial() bool { return u.concat == concatPartial }
func (u *upload) final() bool   { return u.concat != concatNone && !u.partial() }

// resumable tells whether an upload waits for its client and expires.
func (u *upload) resumable() bool { return u.state == open || u.partial() && u.state == complete }

const columns = `id, actor, capture, metadata, concat, length, state, expires_at, tries, code, message, recording, segment, receipt, updated_at`

func scan(row interface{ Scan(...any) error }) (*upload, error) {
	var u upload
	var actor, capture string
	var expires, updated int64
	err := row.Scan(&u.id, &actor, &capture, &u.metadata, &u.concat, &u.length, &u.state, &expires, &u.tries,
		&u.code, &u.message, &u.recording, &u.segment, &u.receipt, &updated)
	if err != nil {
		return nil, err
	}
	u.expires, u.updated = database.Time(expires), database.Time(updated)
	if err := json.Unmarshal([]byte(actor), &u.actor); err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err, "the upload's record cannot be read")
	}
	if err := json.Unmarshal([]byte(capture), &u.capture); err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err, "the upload's record cannot be read")
	}
	return &u, nil
}

func unknown() error {
	return evidence.Errorf(evidence.NotFound, "there is no such upload; start over")
}

// get reads an upload. NotFound.
func (s *Server) get(ctx context.Context, id evidence.ID) (u *upload, err error) {
	err = s.DB.Read(ctx, func(tx *database.Tx) error {
		u, err = getIn(ctx, tx, id, "")
		return err
	})
	return u, err
}

func getIn(ctx context.Context, tx *database.Tx, id evidence.ID, locking string) (*upload, error) {
	u, err := scan(tx.QueryRow(ctx, "SELECT "+columns+" FROM uploads WHERE id = ?"+locking, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknown()
	}
	return u, err
}

// insert adds a new upload, its parts with it. Conflict when a part is no
// longer what a final upload needs.
func (s *Server) insert(ctx context.Context, u *upload, parts []evidence.ID) error {
	actor, err := json.Marshal(u.actor)
	if err != nil {
		return err
	}
	capture, err := json.Marshal(u.capture)
	if err != nil {
		return err
	}
	now := database.Micros(s.Now())
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO uploads (id, dock, actor, capture, metadata, concat, length, state, holding,
			expires_at, due_at, tries, code, message, recording, segment, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, 0, 0, '', '', '', 0, ?, ?)`,
			u.id, u.actor.ID, string(actor), string(capture), u.metadata, u.concat, u.length, string(u.state),
			database.Micros(u.expires), now, now)
		if err != nil {
			return err
		}
		for i, part := range parts {
			p, err := getIn(ctx, tx, part, tx.Locking())
			if err != nil {
				return err
			}
			if !p.partial() || p.state != complete {
				return evidence.Errorf(evidence.Conflict, "a part is not finished, or was given up")
			}
			if _, err := tx.Exec(ctx, "INSERT INTO upload_parts (final, position, part) VALUES (?, ?, ?)", u.id, i, part); err != nil {
				return err
			}
		}
		return nil
	})
}

// change runs one UPDATE and tells whether it met a row.
func (s *Server) change(ctx context.Context, query string, args ...any) (bool, error) {
	var n int64
	err := s.DB.Write(ctx, func(tx *database.Tx) (err error) {
		n, err = tx.Exec(ctx, query, args...)
		return err
	})
	return n > 0, err
}

// touch moves an upload's end away while it makes progress. To spare a tiny
// PATCH a write, it does so only when at least 1 % of the time has gone.
func (s *Server) touch(ctx context.Context, u *upload) error {
	now := s.Now()
	expires := now.Add(s.Expiry)
	if expires.Sub(u.expires) < s.Expiry/100 {
		return nil
	}
	_, err := s.change(ctx, "UPDATE uploads SET expires_at = ?, updated_at = ? WHERE id = ? AND state = ?",
		database.Micros(expires), database.Micros(now), u.id, string(open))
	if err == nil {
		u.expires = expires
	}
	return err
}

// finish marks an open upload complete: every byte is durable. It may be
// called again and again.
func (s *Server) finish(ctx context.Context, u *upload) error {
	now := s.Now()
	_, err := s.change(ctx, "UPDATE uploads SET state = ?, expires_at = ?, updated_at = ? WHERE id = ? AND state = ?",
		string(complete), database.Micros(now.Add(s.Expiry)), database.Micros(now), u.id, string(open))
	if err != nil {
		return err
	}
	u.state = complete
	s.announce()
	s.kick()
	return nil
}

// notInUse is the condition that no final upload is still being made from the
// row of uploads.
const notInUse = `NOT EXISTS (SELECT 1 FROM upload_parts p JOIN uploads f ON f.id = p.final
	WHERE p.part = uploads.id AND f.state = 'joining')`

// abandon marks an upload given up, if it is still resumable and no final
// upload is being made from it. The bytes go when free next runs.
func (s *Server) abandon(ctx context.Context, id evidence.ID, why string) (bool, error) {
	ok, err := s.change(ctx, `UPDATE uploads SET state = 'abandoned', code = 'not_found', message = ?, due_at = 0, updated_at = ?
		WHERE id = ? AND (state = 'open' OR state = 'complete' AND concat = 'partial') AND `+notInUse,
		why, database.Micros(s.Now()), id)
	if ok {
		s.announce()
	}
	return ok, err
}

// usage is what the quotas look at.
type usage struct {
	open  int64 // unfinished uploads of one dock, its unused parts included
	bytes int64 // of all unfinished uploads, at their full length
}

func (s *Server) usage(ctx context.Context, dock string) (u usage, err error) {
	err = s.DB.Read(ctx, func(tx *database.Tx) error {
		const unfinished = "state IN ('open', 'joining', 'complete', 'collecting')"
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM uploads WHERE "+unfinished+" AND dock = ?", dock).Scan(&u.open); err != nil {
			return err
		}
		// Lengths are at most 2^63-1 each; PostgreSQL sums them as NUMERIC.
		return tx.QueryRow(ctx, "SELECT CAST(coalesce(sum(length), 0) AS BIGINT) FROM uploads WHERE "+unfinished).Scan(&u.bytes)
	})
	return u, err
}

// ids lists the uploads that a condition holds for, longest due first.
func (s *Server) ids(ctx context.Context, limit int, where string, args ...any) (ids []evidence.ID, err error) {
	err = s.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id FROM uploads WHERE "+where+" ORDER BY due_at, id LIMIT ?", append(args, limit)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id evidence.ID
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}
