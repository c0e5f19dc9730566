package custody

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// How long a consultation lasts without use, and at most.
const (
	consultIdle = 15 * time.Minute
	consultMost = 12 * time.Hour
)

// Consultation is permission, already recorded, to look at one recording for
// one purpose in one sign-in session.
type Consultation struct {
	ID        evidence.ID
	Recording evidence.ID
	Actor     evidence.Actor
	Purpose   evidence.Purpose
	Opened    time.Time
	Expires   time.Time // moves with use
}

// consult is a Consultation with what changes while it is used.
type consult struct {
	Consultation
	limit time.Time // Opened + consultMost
}

// Consult decides, records the intent and returns a consultation; its ID then
// reads without further events until it ends. Errors: NotFound, Denied,
// Invalid for a purpose without code, Unavailable if the ledger takes nothing.
func (c *Custody) Consult(ctx context.Context, actor evidence.Actor, recording evidence.ID, p evidence.Purpose) (Consultation, error) {
	r, err := c.Catalogue.Get(ctx, recording)
	if err != nil {
		return Consultation{}, err
	}
	if err := c.allow(ctx, actor, evidence.Consult, r, p); err != nil {
		return Consultation{}, err
	}
	if p.Code == "" {
		return Consultation{}, evidence.Errorf(evidence.Invalid, "Say for what purpose this recording is to be viewed.")
	}
	now := c.Now()
	k := Consultation{ID: evidence.NewID(now, c.Rand), Recording: recording, Actor: actor, Purpose: p, Opened: now, Expires: now.Add(consultIdle)}
	who, err := json.Marshal(actor)
	if err != nil {
		return Consultation{}, fmt.Errorf("consult: %w", err)
	}
	why, err := json.Marshal(p)
	if err != nil {
		return Consultation{}, fmt.Errorf("consult: %w", err)
	}
	c.Step("consult.intent")
	err = c.DB.Write(ctx, func(tx *database.Tx) error {
		if _, err := c.Ledger.Append(ctx, tx, ledger.Event{
			Item: recording, Verb: evidence.Consult, Phase: evidence.Intent, At: now, Actor: actor, Purpose: p,
			Fields: []evidence.Field{evidence.F("consultation", string(k.ID))},
		}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO custody_consultations (id, recording, actor, session, purpose, opened, expires)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, string(k.ID), string(recording), string(who), actor.Session, string(why),
			database.Micros(now), database.Micros(k.Expires))
		return err
	})
	if err != nil {
		return Consultation{}, fmt.Errorf("consult: %w", err)
	}
	return k, nil
}

// Consulting gives an open consultation of this actor's session and keeps it
// alive. Errors: NotFound for one that ended, expired or is somebody else's.
func (c *Custody) Consulting(ctx context.Context, actor evidence.Actor, id evidence.ID) (Consultation, error) {
	k, err := c.consulting(ctx, id)
	if err != nil {
		return Consultation{}, err
	}
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.Actor.ID != actor.ID || k.Actor.Session != actor.Session || now.After(k.Expires) {
		return Consultation{}, ended()
	}
	if e := now.Add(consultIdle); e.Before(k.limit) {
		k.Expires = e
	}
	return k.Consultation, nil
}

func ended() error {
	return evidence.Errorf(evidence.NotFound, "This viewing has ended. Open the recording again to go on.")
}

func (c *Custody) consulting(ctx context.Context, id evidence.ID) (*consult, error) {
	c.mu.Lock()
	k := c.open[id]
	c.mu.Unlock()
	if k != nil {
		return k, nil
	}
	k = &consult{}
	err := c.DB.Read(ctx, func(tx *database.Tx) error {
		var who, why string
		var opened, expires int64
		if err := tx.QueryRow(ctx, `SELECT recording, actor, purpose, opened, expires FROM custody_consultations WHERE id = ? AND ended = 0`, string(id)).
			Scan(&k.Recording, &who, &why, &opened, &expires); err != nil {
			return err
		}
		k.ID, k.Opened, k.Expires = id, database.Time(opened), database.Time(expires)
		k.limit = k.Opened.Add(consultMost)
		return errors.Join(json.Unmarshal([]byte(who), &k.Actor), json.Unmarshal([]byte(why), &k.Purpose))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ended()
	}
	if err != nil {
		return nil, fmt.Errorf("look up consultation: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.open[id]; other != nil {
		return other, nil
	}
	c.open[id] = k
	return k, nil
}

// Content is bytes that may be served because the look at them is recorded.
// The caller closes it.
type Content struct {
	io.ReaderAt
	Length int64
	Type   string // media type; "" for a master that was not probed
	Digest evidence.Digest
	Tool   string
	Info   string
	close  func() error
}

// Close ends reading.
func (r *Content) Close() error { return r.close() }

// Master opens a master within a consultation. Errors: NotFound, Corrupt,
// Unavailable. What is read counts towards the consultation's outcome.
func (c *Custody) Master(ctx context.Context, actor evidence.Actor, id evidence.ID, segment int) (*Content, error) {
	k, err := c.Consulting(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	s, err := c.Catalogue.Segment(ctx, k.Recording, segment)
	if err != nil {
		return nil, err
	}
	content, err := c.content(ctx, s.Object, id)
	if err != nil {
		return nil, err
	}
	content.Type, content.Digest = s.Media.Type, s.Digest
	return content, nil
}

// Copy opens a working copy within a consultation. Errors as Master.
func (c *Custody) Copy(ctx context.Context, actor evidence.Actor, id evidence.ID, segment int, kind evidence.CopyKind) (*Content, error) {
	k, err := c.Consulting(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return c.copy(ctx, k.Recording, segment, kind, id)
}

func (c *Custody) copy(ctx context.Context, recording evidence.ID, segment int, kind evidence.CopyKind, consultation evidence.ID) (*Content, error) {
	w, err := c.Catalogue.Copy(ctx, recording, segment, kind)
	if err != nil {
		return nil, err
	}
	content, err := c.content(ctx, w.Object, consultation)
	if err != nil {
		return nil, err
	}
	content.Type, content.Digest, content.Tool, content.Info = w.Type, w.Digest, w.Tool, w.Info
	return content, nil
}

func (c *Custody) content(ctx context.Context, object, consultation evidence.ID) (*Content, error) {
	p, err := c.Vault.Open(ctx, object)
	if err != nil {
		return nil, err
	}
	var r io.ReaderAt = p
	if consultation != "" {
		r = &counted{p, c, consultation}
	}
	return &Content{ReaderAt: r, Length: p.Size(), close: p.Close}, nil
}

// counted adds what is read to the consultation's bytes.
type counted struct {
	io.ReaderAt
	c  *Custody
	id evidence.ID
}

func (r *counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	r.c.mu.Lock()
	r.c.bytes[r.id] += int64(n)
	r.c.mu.Unlock()
	return n, err
}

// EndConsult records the outcome: how long, how many bytes. watched is how
// long the picture ran by the viewer's own account. Ending twice is no error.
func (c *Custody) EndConsult(ctx context.Context, actor evidence.Actor, id evidence.ID, watched time.Duration) error {
	k, err := c.consulting(ctx, id)
	if evidence.CodeOf(err) == evidence.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if k.Actor.ID != actor.ID || k.Actor.Session != actor.Session {
		return ended()
	}
	return c.end(ctx, k, "closed", watched)
}

func (c *Custody) end(ctx context.Context, k *consult, how string, watched time.Duration) error {
	now := c.Now()
	c.mu.Lock()
	served := c.bytes[k.ID]
	c.mu.Unlock()
	c.Step("consult.outcome")
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE custody_consultations SET ended = ? WHERE id = ? AND ended = 0`, database.Micros(now), string(k.ID))
		if err != nil || n == 0 {
			return err
		}
		f := []evidence.Field{
			evidence.F("consultation", string(k.ID)), evidence.F("ended", how),
			evidence.F("open_ms", now.Sub(k.Opened).Milliseconds()), evidence.F("bytes", served),
		}
		if watched > 0 {
			f = append(f, evidence.F("watched_ms", watched.Milliseconds()))
		}
		_, err = c.Ledger.Append(ctx, tx, ledger.Event{
			Item: k.Recording, Verb: evidence.Consult, Phase: evidence.Outcome, At: now, Actor: k.Actor, Purpose: k.Purpose, Fields: f,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("end consultation: %w", err)
	}
	c.mu.Lock()
	delete(c.open, k.ID)
	delete(c.bytes, k.ID)
	c.mu.Unlock()
	return nil
}

// EndExpired ends the consultations that nobody used for 15 minutes; a server
// that was restarted ends those it finds the same way. Call it every minute.
func (c *Custody) EndExpired(ctx context.Context) error {
	now := c.Now()
	var ids []evidence.ID
	err := c.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM custody_consultations WHERE ended = 0 AND expires < ? ORDER BY expires LIMIT 500`, database.Micros(now))
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
	if err != nil {
		return fmt.Errorf("end consultations: %w", err)
	}
	for _, id := range ids {
		k, err := c.consulting(ctx, id)
		if evidence.CodeOf(err) == evidence.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		idle, expires := now.After(k.Expires), k.Expires
		c.mu.Unlock()
		if idle {
			err = c.end(ctx, k, "left", 0)
		} else { // in use: the row learns its new time
			err = c.DB.Write(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE custody_consultations SET expires = ? WHERE id = ? AND ended = 0`, database.Micros(expires), string(id))
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

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
	if err := c.allow(ctx, actor, evidence.Consult, r, evidence.Purpose{}); err != nil {
		return nil, err
	}
	g := glance{actor.ID + "/" + actor.Session, recording}
	c.mu.Lock()
	_, known := c.seen[g]
	c.mu.Unlock()
	if !known {
		if err := c.recordGlance(ctx, actor, g); err != nil {
			return nil, err
		}
	}
	return c.copy(ctx, recording, segment, evidence.Poster, "")
}

const glancesCached = 100_000

func (c *Custody) recordGlance(ctx context.Context, actor evidence.Actor, g glance) error {
	c.Step("glance.intent")
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO custody_glances (session, recording, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			g.session, string(g.recording), database.Micros(c.Now()))
		if err != nil || n == 0 {
			return err
		}
		_, err = c.Ledger.Append(ctx, tx, ledger.Event{
			Item: g.recording, Verb: evidence.Consult, Phase: evidence.Intent, At: c.Now(), Actor: actor,
			Fields: []evidence.Field{evidence.F("what", "poster in a list")},
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
