package custody

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"custos/catalogue"
	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/vault"
)

// Receive opens a place for an upload of length bytes (-1: not known yet).
// Only docks and people who may collect can. Errors: Denied, Full, Unavailable.
func (c *Custody) Receive(ctx context.Context, actor evidence.Actor, length int64) (evidence.ID, error) {
	if d := c.Access.Decide(ctx, actor, evidence.Collect, evidence.Placing{}); !d.Allowed {
		return "", c.refuse(ctx, actor, evidence.Collect, "intake", evidence.Purpose{}, d.Reason)
	}
	id := evidence.NewID(c.Now(), c.Rand)
	if err := c.Vault.Begin(ctx, id, length); err != nil {
		return "", err
	}
	return id, nil
}

// Append takes bytes from r at offset and returns how far the upload is
// durable now, also when it fails: see vault.Vault.Append.
func (c *Custody) Append(ctx context.Context, id evidence.ID, offset int64, r io.Reader) (int64, error) {
	return c.Vault.Append(ctx, id, offset, r)
}

// Received tells how far an upload is durable, and its length (-1: not known).
func (c *Custody) Received(ctx context.Context, id evidence.ID) (offset, length int64, err error) {
	r, err := c.Vault.Received(ctx, id)
	return r.Offset, r.Length, err
}

// ReadReceived gives back what an upload has received; it is for joining
// uploads and for nothing else, and its reader must be closed.
func (c *Custody) ReadReceived(ctx context.Context, id evidence.ID) (io.ReadCloser, error) {
	return c.Vault.ReadReceived(ctx, id)
}

// Abandon deletes an upload that was never collected. Errors: Conflict if it was.
func (c *Custody) Abandon(ctx context.Context, actor evidence.Actor, id evidence.ID) error {
	if d := c.Access.Decide(ctx, actor, evidence.Collect, evidence.Placing{}); !d.Allowed {
		return c.refuse(ctx, actor, evidence.Collect, "intake", evidence.Purpose{}, d.Reason)
	}
	defer c.enter(id)()
	if _, err := c.collected(ctx, id); err == nil {
		return evidence.Errorf(evidence.Conflict, "this upload is in the vault already; only retention can end it")
	} else if evidence.CodeOf(err) != evidence.NotFound {
		return err
	}
	return c.Vault.Abandon(ctx, id)
}

// gate lets one Collect or Abandon of an upload run at a time; the others wait.
type gate struct {
	sync.Mutex
	waiting int // under Custody.mu
}

func (c *Custody) enter(id evidence.ID) (leave func()) {
	c.mu.Lock()
	g := c.gates[id]
	if g == nil {
		g = &gate{}
		c.gates[id] = g
	}
	g.waiting++
	c.mu.Unlock()
	g.Lock()
	return func() {
		g.Unlock()
		c.mu.Lock()
		defer c.mu.Unlock()
		if g.waiting--; g.waiting == 0 {
			delete(c.gates, id)
		}
	}
}

// arrival is what custody_collected holds.
type arrival struct {
	recording  evidence.ID
	segment    int
	known      bool
	event      evidence.ID
	itemSeq    uint64
	device     string
	fileName   string
	readBackAt time.Time
	receipt    []byte
}

func (c *Custody) collected(ctx context.Context, upload evidence.ID) (a arrival, err error) {
	err = c.DB.Read(ctx, func(tx *database.Tx) error {
		var at, seq int64
		err := tx.QueryRow(ctx, `SELECT recording, segment, known, event, item_seq, device, file_name, read_back_at, receipt
			FROM custody_collected WHERE upload = ?`, string(upload)).
			Scan(&a.recording, &a.segment, &a.known, &a.event, &seq, &a.device, &a.fileName, &at, &a.receipt)
		a.readBackAt, a.itemSeq = database.Time(at), uint64(seq)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return a, evidence.Errorf(evidence.NotFound, "this upload has not been collected")
	}
	if err != nil {
		return a, fmt.Errorf("look up upload: %w", err)
	}
	return a, nil
}

// Collect takes a complete upload into custody and tells which recording and
// segment it is. It may be repeated after any failure or crash, with the same
// result. The bytes count as collected only after they were read back from
// final storage and had the digest that was computed when they came in; if c
// names a digest or length, those must agree too. Bytes the vault already has
// become another arrival of the same segment.
//
// Steps, and what a crash after each leaves:
//
//	collect.intent    nothing to see; the upload is complete and waits
//	collect.finish    an intent without outcome; run again
//	collect.readback  the object in final storage, known to no recording; run again
//	collect.outcome   the same, checked; run again
//	(after)           collected: the recording, its segment, the arrival, the
//	                  event and the queued work appeared in one transaction
//
// Errors: Denied; Corrupt if what was received is not what was offered (the
// dock must begin again) or storage gives back something else; Unavailable.
func (c *Custody) Collect(ctx context.Context, actor evidence.Actor, upload evidence.ID, capture evidence.Capture) (evidence.ID, int, error) {
	defer c.enter(upload)()
	switch a, err := c.collected(ctx, upload); {
	case err == nil:
		return a.recording, a.segment, nil
	case evidence.CodeOf(err) != evidence.NotFound:
		return "", 0, err
	}
	if d := c.Access.Decide(ctx, actor, evidence.Collect, evidence.Placing{}); !d.Allowed {
		return "", 0, c.refuse(ctx, actor, evidence.Collect, upload, evidence.Purpose{}, d.Reason)
	}

	c.Step("collect.intent")
	offered := offeredFields(upload, capture)
	if _, err := c.record(ctx, ledger.Event{
		Item: upload, Verb: evidence.Collect, Phase: evidence.Intent, Actor: actor, Fields: offered,
	}); err != nil {
		return "", 0, err
	}

	c.Step("collect.finish")
	sealed, err := c.Vault.Finish(ctx, upload)
	if err != nil {
		return "", 0, c.collectFailed(ctx, actor, upload, offered, err)
	}
	if !agrees(capture, sealed) {
		return "", 0, c.collectFailed(ctx, actor, upload, offered, evidence.Errorf(evidence.Corrupt,
			"What arrived is not what the dock read from the camera. Nothing was stored and the camera must not be wiped; the dock reads the file again."))
	}
	for try := 0; ; try++ {
		t, err := c.readBackFor(ctx, sealed)
		if err != nil {
			return "", 0, c.collectFailed(ctx, actor, upload, offered, err)
		}
		recording, segment, err := c.take(ctx, actor, upload, capture, t)
		if !errors.Is(err, errElsewhere) || try > 0 {
			return recording, segment, err
		}
	}
}

// offeredFields is what a dock said before anything was checked.
func offeredFields(upload evidence.ID, capture evidence.Capture) []evidence.Field {
	f := []evidence.Field{
		evidence.F("upload", string(upload)), evidence.F("device", capture.Device), evidence.F("file_name", capture.FileName),
	}
	if !capture.Digest.IsZero() {
		f = append(f, evidence.F("sha256", capture.Digest))
	}
	if !capture.Digest.IsZero() || capture.Length > 0 {
		f = append(f, evidence.F("length", capture.Length))
	}
	return f
}

// agrees tells whether what arrived is what the dock named; what it did not
// name agrees with everything.
func agrees(capture evidence.Capture, s vault.Sealed) bool {
	if capture.Digest.IsZero() {
		return capture.Length <= 0 || capture.Length == s.Length
	}
	return capture.Digest == s.Digest && capture.Length == s.Length
}

// readBackFor reads the object back that is to keep the sealed bytes: itself,
// or the one that holds the same already.
func (c *Custody) readBackFor(ctx context.Context, s vault.Sealed) (t taken, err error) {
	t = taken{object: s.Object, checked: s.Object, digest: s.Digest, length: s.Length}
	if e, err := c.existing(ctx, s.Digest, s.Length); err != nil {
		return t, err
	} else if e != "" {
		t.checked = e
	}
	c.Step("collect.readback")
	digest, length, err := c.Vault.ReadBack(ctx, t.checked)
	t.at = c.Now()
	if err == nil && (digest != s.Digest || length != s.Length) {
		err = evidence.Errorf(evidence.Corrupt, "the bytes are not those that were written")
	}
	if evidence.CodeOf(err) == evidence.Corrupt {
		err = evidence.Wrap(evidence.Corrupt, err,
			"The storage gave back other bytes than were written to it. The camera must not be wiped; the storage needs attention.")
	}
	return t, err
}

// collectFailed gives err back, after recording it where it is for good.
func (c *Custody) collectFailed(ctx context.Context, actor evidence.Actor, upload evidence.ID, offered []evidence.Field, err error) error {
	if evidence.CodeOf(err) != evidence.Corrupt {
		return err // the same call may work later
	}
	if _, rerr := c.record(ctx, ledger.Event{
		Item: upload, Verb: evidence.Collect, Phase: evidence.Failed, Actor: actor,
		Fields: append(offered, evidence.F("reason", short(err))),
	}); rerr != nil {
		c.Logger.ErrorContext(ctx, "a failure could not be recorded", "upload", upload, "err", rerr)
	}
	return err
}

// existing is the object that already holds these bytes, or "".
func (c *Custody) existing(ctx context.Context, d evidence.Digest, length int64) (object evidence.ID, err error) {
	err = c.DB.Read(ctx, func(tx *database.Tx) error {
		_, _, object, _, err = c.Catalogue.FindDigest(ctx, tx, d, length)
		return err
	})
	return object, err
}

// taken is sealed bytes that are known to be readable.
type taken struct {
	object  evidence.ID // they arrived in
	checked evidence.ID // they were read back from: object, or the one that had them before
	digest  evidence.Digest
	length  int64
	at      time.Time // of reading back
}

// errElsewhere: the same bytes were collected through another dock since they
// were looked for, so it is that object which must be read back.
var errElsewhere = errors.New("the same file came in through another dock at this moment")

// take makes the outcome of a collection, all in one transaction.
func (c *Custody) take(ctx context.Context, actor evidence.Actor, upload evidence.ID, capture evidence.Capture, t taken) (recording evidence.ID, segment int, err error) {
	c.Step("collect.outcome")
	known := false
	var holder Holder
	write := func(tx *database.Tx) (err error) {
		var object evidence.ID
		if recording, segment, object, known, err = c.Catalogue.FindDigest(ctx, tx, t.digest, t.length); err != nil {
			return err
		}
		if known && object != t.checked {
			return errElsewhere
		}
		if !known {
			if recording, segment, holder, err = c.place(ctx, tx, upload, capture, t); err != nil {
				return err
			}
		}
		if err := c.Catalogue.AddArrival(ctx, tx, recording, evidence.Arrival{
			ID: upload, Segment: segment, Device: capture.Device, FileName: capture.FileName,
			Dock: actor.Name, DockedAt: capture.DockedAt, At: t.at,
		}); err != nil {
			return err
		}
		ref, err := c.Ledger.Append(ctx, tx, ledger.Event{
			Item: recording, Verb: evidence.Collect, Phase: evidence.Outcome, At: c.Now(), Actor: actor,
			Fields: append(outcomeFields(recording, segment, upload, capture, t, known, c.Store), holder.fields()...),
		})
		if err != nil {
			return err
		}
		k := 0
		if known {
			k = 1
		}
		_, err = tx.Exec(ctx, `INSERT INTO custody_collected (upload, recording, segment, known, event, item_seq, device, file_name, read_back_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(upload), string(recording), segment, k, string(ref.Event), int64(ref.ItemSeq),
			capture.Device, capture.FileName, database.Micros(t.at))
		return err
	}
	err = c.DB.Write(ctx, write)
	if database.IsDuplicate(err) { // the same bytes came through another dock at the same moment
		err = c.DB.Write(ctx, write)
	}
	if err != nil {
		return "", 0, fmt.Errorf("collect: %w", err)
	}
	c.Step("collect.done")
	if known { // the second copy is not needed; the first was just read back
		if err := c.Vault.Abandon(ctx, upload); err != nil {
			c.Logger.WarnContext(ctx, "a second copy of known bytes stays until fsck removes it", "upload", upload, "err", err)
		}
	}
	return recording, segment, nil
}

// place gives new bytes their recording and segment and keeps them.
func (c *Custody) place(ctx context.Context, tx *database.Tx, upload evidence.ID, capture evidence.Capture, t taken) (recording evidence.ID, segment int, h Holder, err error) {
	p, err := c.Catalogue.Place(ctx, tx, upload, capture)
	if err != nil {
		return "", 0, h, err
	}
	if p.New {
		if h, err = c.settle(ctx, tx, p.Recording, capture.Device, capture.Officer, c.startOf(capture)); err != nil {
			return "", 0, h, err
		}
	}
	segment, err = c.Catalogue.AddSegment(ctx, tx, p.Recording, evidence.Segment{
		Recording: p.Recording, Object: t.object, FileName: capture.FileName, Sequence: capture.Sequence,
		Digest: t.digest, Length: t.length, Clock: catalogue.ClockOf(capture), Media: evidence.Media{State: evidence.MediaPending},
	})
	if err != nil {
		return "", 0, h, err
	}
	if err := c.Vault.Keep(ctx, tx, upload); err != nil {
		return "", 0, h, err
	}
	if c.Collected != nil {
		if err := c.Collected(ctx, tx, p.Recording, segment); err != nil {
			return "", 0, h, err
		}
	}
	return p.Recording, segment, h, nil
}

func outcomeFields(recording evidence.ID, segment int, upload evidence.ID, capture evidence.Capture, t taken, known bool, store string) []evidence.Field {
	k := catalogue.ClockOf(capture)
	f := []evidence.Field{
		evidence.F("recording", string(recording)), evidence.F("segment", segment),
		evidence.F("device", capture.Device), evidence.F("file_name", capture.FileName),
		evidence.F("sha256", t.digest), evidence.F("length", t.length),
		evidence.F("store", store), evidence.F("read_back_at", t.at),
		evidence.F("upload", string(upload)),
	}
	if known {
		f = append(f, evidence.F("known", "yes"))
	}
	for _, o := range []struct {
		name  string
		value string
	}{
		{"officer", capture.Officer}, {"category", string(capture.Category)},
		{"device_started", evidence.FormatTime(k.DeviceStarted)}, {"device_zone", k.DeviceZone}, {"time_source", k.Source},
		{"trusted_started", evidence.FormatTime(k.Trusted)}, {"docked_at", evidence.FormatTime(capture.DockedAt)},
		{"profile", capture.Profile},
	} {
		if o.value != "" {
			f = append(f, evidence.F(o.name, o.value))
		}
	}
	if k.Offset != nil {
		f = append(f, evidence.F("clock_offset_ms", int64(*k.Offset)))
	}
	return f
}

// Sweep gives up what crashes have left behind in the vault: uploads, and
// working copies on their way, that nothing has touched since before and that
// pending does not claim. What was kept is never among them. It tells how many
// there were. Call it now and then.
func (c *Custody) Sweep(ctx context.Context, before time.Time, pending func(context.Context, evidence.ID) (bool, error)) (int, error) {
	uploads, err := c.Vault.Uploads(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, u := range uploads {
		if !u.Updated.Before(before) {
			continue
		}
		if needed, err := pending(ctx, u.ID); err != nil {
			return n, err
		} else if needed {
			continue
		}
		if err := c.Vault.Abandon(ctx, u.ID); err != nil && evidence.CodeOf(err) != evidence.NotFound {
			return n, err
		}
		n++
	}
	return n, nil
}
