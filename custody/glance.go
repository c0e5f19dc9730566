package custody

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// glance is a poster looked at in one sign-in session.
type glance struct {
	session   string
	recording evidence.ID
}

// Glance opens the poster of a recording for a list. The look is recorded
// before the first byte, once for each sign-in session and recording. Errors:
// NotFound, Denied, Unavailable.
func (c *Custody) Glance(ctx context.Context, actor evidence.Actor, recording evidence.ID, segment int) (*Content, error) {
	r, err := c.Catalogue.Get(ctx, recording)
	if err != nil {
		return nil, err
	}
	d, err := c.allowed(ctx, actor, evidence.Consult, recording, r.Placing, evidence.Purpose{})
	if err != nil {
		return nil, err
	}
	w, err := c.Catalogue.Copy(ctx, recording, segment, evidence.Poster)
	if err != nil { // nothing to look at, so nothing to record
		return nil, err
	}
	g := glance{actor.ID + "/" + actor.Session, recording}
	c.mu.Lock()
	_, known := c.seen[g]
	c.mu.Unlock()
	if !known {
		if err := c.recordGlance(ctx, actor, g, d.Grant); err != nil {
			return nil, err
		}
	}
	return c.copy(ctx, w, nil)
}

const (
	glancesCached = 100_000
	glanceKept    = 24 * time.Hour // longer than any sign-in session
)

func (c *Custody) recordGlance(ctx context.Context, actor evidence.Actor, g glance, grant evidence.ID) error {
	c.Step("glance.intent")
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO custody_glances (session, recording, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			g.session, string(g.recording), database.Micros(c.Now()))
		if err != nil || n == 0 {
			return err
		}
		_, err = c.Ledger.Append(ctx, tx, ledger.Event{
			Item: g.recording, Verb: evidence.Consult, Phase: evidence.Intent, At: c.Now(), Actor: actor,
			Fields: []evidence.Field{evidence.F("what", "poster in a list"), evidence.F("break_glass", string(grant))},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("record a look at a poster: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) >= glancesCached {
		clear(c.seen)
	}
	c.seen[g] = struct{}{}
	return nil
}

// LastConsulted tells who looked at a recording last, for the basic view of
// the trail (ICO guidance, Nov 2025). ok is false if nobody did.
func (c *Custody) LastConsulted(ctx context.Context, recording evidence.ID) (by evidence.Actor, at time.Time, ok bool, err error) {
	err = c.DB.Read(ctx, func(tx *database.Tx) error {
		var who string
		var opened int64
		err := tx.QueryRow(ctx, `SELECT actor, opened FROM custody_consultations WHERE recording = ? ORDER BY opened DESC LIMIT 1`, string(recording)).Scan(&who, &opened)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		at, ok = database.Time(opened), true
		return json.Unmarshal([]byte(who), &by)
	})
	if err != nil {
		err = fmt.Errorf("look up last viewing: %w", err)
	}
	return by, at, ok, err
}
