package custody

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
)

// Reference is a case or incident in the force's register.
type Reference struct {
	ID     evidence.ID
	Number string
	Case   bool // else an incident
	Open   bool
}

// purposeFor is the purpose a look is recorded with. Somebody who watches their
// own footage need not give one; another need not give it again while it
// lasts. Errors: Invalid for one that is missing, unknown, or without the
// reference it needs.
func (c *Custody) purposeFor(ctx context.Context, actor evidence.Actor, recording evidence.ID, own bool, p evidence.Purpose) (evidence.Purpose, access.Purpose, error) {
	if p.Code == "" && own {
		p.Code = access.OwnFootage
	}
	if p.Code == access.OwnFootage {
		if !own {
			return p, access.Purpose{}, evidence.Errorf(evidence.Invalid, "This is not your own footage. Say for what purpose it is to be viewed.")
		}
		return p, access.Purpose{Code: access.OwnFootage}, nil
	}
	if p.Code == "" {
		earlier, rule, err := c.earlierPurpose(ctx, actor, recording)
		if err != nil || earlier.Code != "" {
			return earlier, rule, err
		}
		return p, rule, evidence.Errorf(evidence.Invalid, "Say for what purpose this recording is to be viewed.")
	}
	rule, err := c.Access.Purpose(p.Code)
	if err != nil {
		return p, rule, err
	}
	p.Reference, err = c.reference(ctx, rule, p.Reference)
	return p, rule, err
}

// reference checks what goes with a purpose, and gives it as the register
// writes it.
func (c *Custody) reference(ctx context.Context, rule access.Purpose, text string) (string, error) {
	text = strings.TrimSpace(text)
	if rule.Reference == access.NeedsNone {
		return text, nil
	}
	if text == "" {
		return "", evidence.Errorf(evidence.Invalid, "The purpose %q needs a %s.", rule.Name, strings.ToLower(rule.Label))
	}
	if rule.Reference == access.NeedsText {
		return text, nil
	}
	kind := map[access.Needs]string{access.NeedsCase: "case", access.NeedsIncident: "incident", access.NeedsEither: "case or incident"}[rule.Reference]
	unknown := evidence.Errorf(evidence.Invalid, "There is no open %s with that number. Nothing was shown. Check the number; if it is right, have it entered under Cases first.", kind)
	if c.Register == nil {
		return "", unknown
	}
	ref, err := c.Register(ctx, text)
	if evidence.CodeOf(err) == evidence.NotFound || evidence.CodeOf(err) == evidence.Invalid {
		return "", unknown
	}
	if err != nil {
		return "", err
	}
	if !ref.Open || ref.Case && rule.Reference == access.NeedsIncident || !ref.Case && rule.Reference == access.NeedsCase {
		return "", unknown
	}
	return ref.Number, nil
}

// earlierPurpose is the purpose that the same person gave for the same
// recording in the same session, where it still holds; its code is "" where
// there is none.
func (c *Custody) earlierPurpose(ctx context.Context, actor evidence.Actor, recording evidence.ID) (p evidence.Purpose, rule access.Purpose, err error) {
	if actor.Session == "" {
		return p, rule, nil
	}
	now := c.Now()
	err = c.DB.Read(ctx, func(tx *database.Tx) error {
		var text string
		var opened int64
		err := tx.QueryRow(ctx, `SELECT purpose, opened FROM custody_consultations WHERE session = ? AND recording = ? ORDER BY opened DESC LIMIT 1`,
			actor.Session, recording).Scan(&text, &opened)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var earlier evidence.Purpose
		if err := json.Unmarshal([]byte(text), &earlier); err != nil {
			return err
		}
		given, err := c.Access.Purpose(earlier.Code)
		if err != nil { // the list has changed, or it was one's own footage then
			return nil
		}
		if since := database.Time(opened); now.Before(since.Add(given.Lasts)) {
			p, rule = earlier, given
		}
		return nil
	})
	if err != nil {
		return evidence.Purpose{}, access.Purpose{}, fmt.Errorf("look up purpose: %w", err)
	}
	return p, rule, nil
}

// PurposeNow is the purpose that actor has given for a recording and need not
// give again yet. needed tells whether they must say one before they may watch
// it: it is not their own, and none holds.
func (c *Custody) PurposeNow(ctx context.Context, actor evidence.Actor, r evidence.Recording) (now evidence.Purpose, needed bool, err error) {
	if c.Access.Decide(ctx, actor, evidence.Consult, r.Placing).Reach == evidence.Own {
		return now, false, nil
	}
	now, _, err = c.earlierPurpose(ctx, actor, r.ID)
	return now, now.Code == "", err
}

// HoldRequest says that a recording was watched for a purpose that forbids to
// dispose of it before somebody has looked into the matter (I7).
type HoldRequest struct {
	ID        evidence.ID `json:"id"`
	Recording evidence.ID `json:"recording"`
	Purpose   string      `json:"purpose"` // code
	Reference string      `json:"reference"`
	Name      string      `json:"name"` // who watched, as they were called
	At        time.Time   `json:"at"`
}

// requestHold records a hold request, once for each matter and recording, in
// the transaction that records the look.
func (c *Custody) requestHold(ctx context.Context, tx *database.Tx, k Consultation) (id evidence.ID, err error) {
	var open int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM custody_hold_requests WHERE recording = ? AND closed = 0 AND purpose = ? AND reference = ?`,
		k.Recording, k.Purpose.Code, k.Purpose.Reference).Scan(&open); err != nil || open > 0 {
		return "", err
	}
	id = evidence.NewID(k.Opened, c.Rand)
	_, err = tx.Exec(ctx, `INSERT INTO custody_hold_requests (id, recording, purpose, reference, person, name, at, consultation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		id, k.Recording, k.Purpose.Code, k.Purpose.Reference, k.Actor.ID, k.Actor.Name, database.Micros(k.Opened), k.ID)
	return id, err
}

const holdRequestColumns = "SELECT id, recording, purpose, reference, name, at FROM custody_hold_requests WHERE closed = 0"

// HoldRequestsOn are the open hold requests on one recording, oldest first.
// Who may dispose of a recording asks here first.
func (c *Custody) HoldRequestsOn(ctx context.Context, recording evidence.ID) ([]HoldRequest, error) {
	return c.holdRequests(ctx, holdRequestColumns+" AND recording = ? ORDER BY id", recording)
}

// HoldRequests are up to limit open hold requests, newest first, on recordings
// that actor may know of; before is the ID to go on from, "" = the newest.
func (c *Custody) HoldRequests(ctx context.Context, actor evidence.Actor, before evidence.ID, limit int) (out []HoldRequest, err error) {
	if before == "" {
		before = "~" // after every ID
	}
	for len(out) < limit {
		page, err := c.holdRequests(ctx, holdRequestColumns+" AND id < ? ORDER BY id DESC LIMIT ?", before, limit)
		if err != nil {
			return nil, err
		}
		recordings := make([]evidence.ID, len(page))
		for i, h := range page {
			recordings[i] = h.Recording
		}
		placings, err := c.Catalogue.Placings(ctx, recordings)
		if err != nil {
			return nil, err
		}
		for _, h := range page {
			before = h.ID
			p, ok := placings[h.Recording]
			if ok && c.Access.Decide(ctx, actor, access.Find, p).Allowed && len(out) < limit {
				out = append(out, h)
			}
		}
		if len(page) < limit {
			break
		}
	}
	return out, nil
}

func (c *Custody) holdRequests(ctx context.Context, query string, args ...any) (out []HoldRequest, err error) {
	err = c.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close() // nothing is lost: what counts is rows.Err
		for rows.Next() {
			var h HoldRequest
			var at int64
			if err := rows.Scan(&h.ID, &h.Recording, &h.Purpose, &h.Reference, &h.Name, &at); err != nil {
				return err
			}
			h.At = database.Time(at)
			out = append(out, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read hold requests: %w", err)
	}
	return out, nil
}
