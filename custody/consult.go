package custody

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/vault"
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
	Expires   time.Time   // moves with use
	Grant     evidence.ID // emergency access that allows it, "" = none
	Until     time.Time   // when that ends, and this with it
}

// consult is a Consultation with what changes while it is used. Its fields are
// guarded by Custody.mu.
type consult struct {
	Consultation
	placing evidence.Placing // of the recording, as it was when last looked at
	served  int64            // bytes, never too few: those being read now count whole
	resumed bool             // was opened by a server that has ended; what that served is not known
	ended   bool             // the outcome is being recorded, or was

	// masters stay open until the end: a player asks for ranges of them all
	// the time.
	masters map[int]*master
}

// master is an open master that was looked into: nothing of it changes any more.
type master struct {
	segment evidence.Segment
	plain   *vault.Plain
}

// use tells whether the consultation is open, and moves its end.
func (k *consult) use(now time.Time) bool {
	if k.ended || now.After(k.Expires) {
		return false
	}
	k.Expires = now.Add(consultIdle)
	if limit := k.limit(); limit.Before(k.Expires) {
		k.Expires = limit
	}
	return true
}

// limit is when a consultation ends however much it is used.
func (k *Consultation) limit() time.Time {
	limit := k.Opened.Add(consultMost)
	if k.Grant != "" && k.Until.Before(limit) {
		limit = k.Until
	}
	return limit
}

func (k *consult) of(actor evidence.Actor) bool {
	return k.Actor.ID == actor.ID && k.Actor.Session == actor.Session
}

// Consult decides, records the intent and returns a consultation; its ID then
// reads without further events until it ends. Where the purpose asks for it, a
// hold request is recorded in the same transaction. Errors: NotFound, Denied,
// Invalid for a purpose that is missing, unknown or without the reference it
// needs (see purposeFor), Unavailable if the ledger takes nothing.
func (c *Custody) Consult(ctx context.Context, actor evidence.Actor, recording evidence.ID, p evidence.Purpose) (Consultation, error) {
	r, err := c.Catalogue.Get(ctx, recording)
	if err != nil {
		return Consultation{}, err
	}
	d, err := c.allowed(ctx, actor, evidence.Consult, recording, r.Placing, p)
	if err != nil {
		return Consultation{}, err
	}
	p, rule, err := c.purposeFor(ctx, actor, recording, d.Reach == evidence.Own, p)
	if err != nil {
		return Consultation{}, err
	}
	now := c.Now()
	k := Consultation{ID: evidence.NewID(now, c.Rand), Recording: recording, Actor: actor, Purpose: p, Opened: now, Expires: now.Add(consultIdle),
		Grant: d.Grant, Until: d.Until}
	if limit := k.limit(); limit.Before(k.Expires) {
		k.Expires = limit
	}
	fields := []evidence.Field{evidence.F("consultation", string(k.ID)), evidence.F("break_glass", string(k.Grant))}
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
		f := fields
		if rule.Hold {
			hold, err := c.requestHold(ctx, tx, k)
			if err != nil {
				return err
			}
			if hold != "" {
				f = append(slices.Clone(fields), evidence.F("hold_requested", string(hold)))
			}
		}
		if _, err := c.Ledger.Append(ctx, tx, ledger.Event{
			Item: recording, Verb: evidence.Consult, Phase: evidence.Intent, At: now, Actor: actor, Purpose: p, Fields: f,
		}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO custody_consultations (id, recording, actor, session, purpose, opened, expires, grant_id, grant_until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(k.ID), string(recording), string(who), actor.Session, string(why),
			database.Micros(now), database.Micros(k.Expires), string(k.Grant), database.Micros(k.Until))
		return err
	})
	if err != nil {
		return Consultation{}, fmt.Errorf("consult: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[k.ID] = &consult{Consultation: k, placing: r.Placing}
	return k, nil
}

// Consulting gives an open consultation of this actor's session and keeps it
// alive. Errors: NotFound for one that ended, expired or is somebody else's.
func (c *Custody) Consulting(ctx context.Context, actor evidence.Actor, id evidence.ID) (Consultation, error) {
	_, k, err := c.using(ctx, actor, id)
	return k, err
}

// using is Consulting, and gives the consultation itself besides a copy of how
// it is now.
func (c *Custody) using(ctx context.Context, actor evidence.Actor, id evidence.ID) (*consult, Consultation, error) {
	k, err := c.consulting(ctx, id)
	if err != nil {
		return nil, Consultation{}, err
	}
	now := c.Now()
	c.mu.Lock()
	may, placing := k.of(actor) && k.use(now), k.placing
	copied := k.Consultation
	c.mu.Unlock()
	if !may {
		return nil, Consultation{}, ended()
	}
	if !c.Access.Decide(ctx, actor, evidence.Consult, placing).Allowed {
		return nil, Consultation{}, errors.Join(ended(), c.end(ctx, k, "no longer allowed", 0))
	}
	return k, copied, nil
}

// placed makes the open consultations of a recording learn how it is kept now;
// those that are not allowed any more end at once.
func (c *Custody) placed(ctx context.Context, recording evidence.ID) error {
	return c.recheck(ctx, func(k *consult) bool { return k.Recording == recording })
}

// recheck ends the open consultations that the rule does not allow any more:
// of those that which names, by how their recordings are kept now.
func (c *Custody) recheck(ctx context.Context, which func(*consult) bool) error {
	c.mu.Lock()
	var open []*consult
	for _, k := range c.open {
		if !k.ended && which(k) {
			open = append(open, k)
		}
	}
	c.mu.Unlock()
	for _, k := range open {
		p, err := c.Catalogue.Placing(ctx, k.Recording)
		if err != nil {
			return err
		}
		c.mu.Lock()
		k.placing = p
		c.mu.Unlock()
		if c.Access.Decide(ctx, k.Actor, evidence.Consult, p).Allowed {
			continue
		}
		if err := c.end(ctx, k, "no longer allowed", 0); err != nil {
			return err
		}
	}
	return nil
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
	c.loading.Lock()
	defer c.loading.Unlock()
	k = &consult{resumed: true}
	err := c.DB.Read(ctx, func(tx *database.Tx) error {
		var who, why string
		var opened, expires, until int64
		if err := tx.QueryRow(ctx, `SELECT recording, actor, purpose, opened, expires, grant_id, grant_until FROM custody_consultations WHERE id = ? AND ended = 0`, string(id)).
			Scan(&k.Recording, &who, &why, &opened, &expires, &k.Grant, &until); err != nil {
			return err
		}
		k.ID, k.Opened, k.Expires, k.Until = id, database.Time(opened), database.Time(expires), database.Time(until)
		return errors.Join(json.Unmarshal([]byte(who), &k.Actor), json.Unmarshal([]byte(why), &k.Purpose))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ended()
	}
	if err != nil {
		return nil, fmt.Errorf("look up consultation: %w", err)
	}
	if k.placing, err = c.Catalogue.Placing(ctx, k.Recording); err != nil {
		return nil, err
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
// The caller closes it. ReadAt may be called concurrently.
//
// Within a consultation, what is read counts towards its outcome and keeps it
// alive; once that has ended or expired, reading fails with NotFound.
type Content struct {
	Length int64
	Type   string // media type; "" for a master that was not probed
	Digest evidence.Digest
	Tool   string
	Info   string

	c     *Custody
	plain *vault.Plain
	k     *consult // nil: not within a consultation
	stays bool     // open until the consultation ends
}

var _ io.ReaderAt = (*Content)(nil)

// Close ends reading.
func (r *Content) Close() error {
	if r.stays {
		return nil
	}
	return r.plain.Close()
}

// ReadAt reads at offset off, as io.ReaderAt says. Errors: Corrupt at damage.
func (r *Content) ReadAt(p []byte, off int64) (int, error) {
	return r.counted(p, func(p []byte) (int, error) { return r.plain.ReadAt(p, off) })
}

// Cursor reads from the start on, ahead of its reader and each sealed chunk
// once; it is for one goroutine. Errors as ReadAt.
func (r *Content) Cursor() io.ReadSeeker { return &cursor{r.plain.Cursor(), r} }

type cursor struct {
	io.ReadSeeker
	r *Content
}

func (c *cursor) Read(p []byte) (int, error) { return c.r.counted(p, c.ReadSeeker.Read) }

// counted reads into p and counts it. The bytes count before they are read,
// so that an outcome recorded meanwhile never names too few.
func (r *Content) counted(p []byte, read func([]byte) (int, error)) (int, error) {
	if r.k == nil {
		return read(p)
	}
	now, most := r.c.Now(), int64(len(p))
	r.c.mu.Lock()
	ok := r.k.use(now)
	if ok {
		r.k.served += most
	}
	r.c.mu.Unlock()
	if !ok {
		return 0, ended()
	}
	n, err := read(p)
	r.c.mu.Lock()
	r.k.served += int64(n) - most
	r.c.mu.Unlock()
	return n, err
}

// Master opens a master within a consultation. Errors: NotFound, Corrupt,
// Unavailable.
func (c *Custody) Master(ctx context.Context, actor evidence.Actor, id evidence.ID, segment int) (*Content, error) {
	k, now, err := c.using(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	m := k.masters[segment]
	c.mu.Unlock()
	if m == nil {
		if m, err = c.openMaster(ctx, k, now.Recording, segment); err != nil {
			return nil, err
		}
	} else if err := c.Ledger.Accepts(); err != nil { // as content asks
		return nil, err
	}
	return &Content{
		Length: m.plain.Size(), Type: m.segment.Media.Type, Digest: m.segment.Digest,
		c: c, plain: m.plain, k: k, stays: m.segment.Media.State != evidence.MediaPending,
	}, nil
}

// openMaster opens a master of the recording that k looks at. One that was
// looked into belongs to k from then on, and end closes it.
func (c *Custody) openMaster(ctx context.Context, k *consult, recording evidence.ID, segment int) (*master, error) {
	s, err := c.Catalogue.Segment(ctx, recording, segment)
	if err != nil {
		return nil, err
	}
	content, err := c.content(ctx, s.Object, k)
	if err != nil {
		return nil, err
	}
	m := &master{s, content.plain}
	if s.Media.State == evidence.MediaPending {
		return m, nil
	}
	c.mu.Lock()
	other, over := k.masters[segment], k.ended
	if other == nil && !over {
		if k.masters == nil {
			k.masters = map[int]*master{}
		}
		k.masters[segment] = m
	}
	c.mu.Unlock()
	switch {
	case over:
		return nil, errors.Join(ended(), m.plain.Close())
	case other != nil:
		return other, m.plain.Close()
	}
	return m, nil
}

// Copy opens a working copy within a consultation. Errors as Master.
func (c *Custody) Copy(ctx context.Context, actor evidence.Actor, id evidence.ID, segment int, kind evidence.CopyKind) (*Content, error) {
	k, now, err := c.using(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	w, err := c.Catalogue.Copy(ctx, now.Recording, segment, kind)
	if err != nil {
		return nil, err
	}
	return c.copy(ctx, w, k)
}

func (c *Custody) copy(ctx context.Context, w evidence.WorkingCopy, k *consult) (*Content, error) {
	content, err := c.content(ctx, w.Object, k)
	if err != nil {
		return nil, err
	}
	content.Type, content.Digest, content.Tool, content.Info = w.Type, w.Digest, w.Tool, w.Info
	return content, nil
}

// content opens an object for a look at it that is recorded. It asks the
// ledger once more: a record in a database that the ledger has refused, as one
// brought back from an old backup, is no record.
func (c *Custody) content(ctx context.Context, object evidence.ID, k *consult) (*Content, error) {
	if err := c.Ledger.Accepts(); err != nil {
		return nil, err
	}
	p, err := c.Vault.Open(ctx, object)
	if err != nil {
		return nil, err
	}
	return &Content{Length: p.Size(), c: c, plain: p, k: k}, nil
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
	c.mu.Lock()
	own := k.of(actor)
	c.mu.Unlock()
	if !own {
		return ended()
	}
	return c.end(ctx, k, "closed", watched)
}

// end records the outcome. From then on nothing more is read, also where the
// outcome could not be recorded: EndExpired tries again.
func (c *Custody) end(ctx context.Context, k *consult, how string, watched time.Duration) error {
	now := c.Now()
	c.mu.Lock()
	k.ended = true
	bytes := evidence.F("bytes", k.served)
	if k.resumed {
		bytes.Name = "bytes_at_least"
	}
	c.mu.Unlock()
	c.Step("consult.outcome")
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE custody_consultations SET ended = ? WHERE id = ? AND ended = 0`, database.Micros(now), string(k.ID))
		if err != nil || n == 0 {
			return err
		}
		f := []evidence.Field{
			evidence.F("consultation", string(k.ID)), evidence.F("ended", how),
			evidence.F("open_ms", now.Sub(k.Opened).Milliseconds()), bytes,
			evidence.F("break_glass", string(k.Grant)),
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
	c.loading.Lock()
	defer c.loading.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, k.ID)
	var errs error
	for _, m := range k.masters { // a read that is under way fails: nothing is read after the end
		errs = errors.Join(errs, m.plain.Close())
	}
	k.masters = nil
	if errs != nil {
		return fmt.Errorf("close masters: %w", errs)
	}
	return nil
}

// EndExpired ends the consultations that nobody used for 15 minutes; a server
// that was restarted ends those it finds the same way. While the ledger takes
// nothing it does nothing: no bytes leave then, and it ends them later. It ends
// those, too, that the rule has stopped allowing. Call it every minute.
func (c *Custody) EndExpired(ctx context.Context) error {
	if c.Ledger.Accepts() != nil {
		return nil
	}
	if err := c.recheck(ctx, func(*consult) bool { return true }); err != nil {
		return fmt.Errorf("look at viewings again: %w", err)
	}
	now := c.Now()
	ids, err := c.expired(ctx, now)
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
		over, expires := k.ended || now.After(k.Expires), k.Expires
		c.mu.Unlock()
		if over {
			err = c.end(ctx, k, "left", 0)
		} else { // in use: the row learns its new time
			err = c.exec(ctx, `UPDATE custody_consultations SET expires = ? WHERE id = ? AND ended = 0`, database.Micros(expires), string(id))
		}
		if err != nil {
			return err
		}
	}
	return c.exec(ctx, `DELETE FROM custody_glances WHERE at < ?`, database.Micros(now.Add(-glanceKept)))
}

// expired are the consultations whose rows or memory say that their time is up.
func (c *Custody) expired(ctx context.Context, now time.Time) (ids []evidence.ID, err error) {
	c.mu.Lock()
	for id, k := range c.open {
		if now.After(k.Expires) {
			ids = append(ids, id)
		}
	}
	c.mu.Unlock()
	err = c.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM custody_consultations WHERE ended = 0 AND expires < ? ORDER BY expires LIMIT 500`, database.Micros(now))
		late, err := database.Collect(rows, err, scanID)
		ids = append(ids, late...)
		return err
	})
	return ids, err
}

func scanID(r *sql.Rows) (id evidence.ID, err error) {
	err = r.Scan(&id)
	return id, err
}

// exec runs one statement in a transaction of its own.
func (c *Custody) exec(ctx context.Context, query string, args ...any) error {
	return c.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
}
