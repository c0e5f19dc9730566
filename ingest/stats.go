package ingest

import (
	"context"
	"time"

	"custos/database"
	"custos/evidence"
)

// Stats is what is on its way in.
type Stats struct {
	Open    int        `json:"open"`    // unfinished uploads
	Bytes   int64      `json:"bytes"`   // of them that are durable, as far as Uploads reaches
	Length  int64      `json:"length"`  // bytes they will have
	Failing int        `json:"failing"` // complete, but the last try to collect them failed
	Uploads []Progress `json:"uploads"` // the 200 that moved last
}

// Progress is one unfinished upload.
type Progress struct {
	ID       evidence.ID   `json:"id"`
	Dock     string        `json:"dock"` // ID of who sends it
	Device   string        `json:"device"`
	FileName string        `json:"fileName"` // hostile text, fit to show
	State    string        `json:"state"`    // open, joining, complete, collecting
	Offset   int64         `json:"offset"`   // bytes durable
	Length   int64         `json:"length"`   // bytes
	Code     evidence.Code `json:"code,omitempty"`
	Message  string        `json:"message,omitempty"` // why the last try to collect it failed
	At       time.Time     `json:"at"`                // last change of state
}

const maxProgress = 200

// Stats tells what is on its way in, parts included.
func (s *Server) Stats(ctx context.Context) (Stats, error) {
	st := Stats{Uploads: []Progress{}}
	const unfinished = "state IN ('open', 'joining', 'complete', 'collecting')"
	var us []*upload
	err := s.DB.Read(ctx, func(tx *database.Tx) error {
		err := tx.QueryRow(ctx, `SELECT count(*), CAST(coalesce(sum(length), 0) AS BIGINT),
			coalesce(sum(CASE WHEN code <> '' THEN 1 ELSE 0 END), 0) FROM uploads WHERE `+unfinished).Scan(&st.Open, &st.Length, &st.Failing)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT "+columns+" FROM uploads WHERE "+unfinished+" ORDER BY updated_at DESC, id DESC LIMIT ?", maxProgress)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			u, err := scan(rows)
			if err != nil {
				return err
			}
			us = append(us, u)
		}
		return rows.Err()
	})
	if err != nil {
		return st, err
	}
	for _, u := range us {
		n, err := s.offset(ctx, u)
		if evidence.CodeOf(err) == evidence.NotFound {
			continue // ended since it was listed
		}
		if err != nil {
			return st, err
		}
		st.Bytes += n
		st.Uploads = append(st.Uploads, Progress{u.id, u.actor.ID, u.capture.Device, u.capture.FileName,
			string(u.state), n, u.length, u.code, u.message, u.updated})
	}
	return st, nil
}

// Pending tells whether an upload is known here and not done with: its bytes
// are still needed.
func (s *Server) Pending(ctx context.Context, id evidence.ID) (pending bool, err error) {
	err = s.DB.Read(ctx, func(tx *database.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) > 0 FROM uploads WHERE id = ? AND state IN ('open', 'joining', 'complete', 'collecting')", string(id)).Scan(&pending)
	})
	return pending, err
}
