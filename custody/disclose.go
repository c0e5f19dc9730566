package custody

import (
	"context"
	"fmt"
	"slices"
	"time"

	"custos/bundle"
	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// Disclosure is permission, already recorded, to let recordings out in one
// bundle. It belongs to the function it was passed to.
type Disclosure struct {
	Bundle     evidence.ID
	Actor      evidence.Actor
	Purpose    evidence.Purpose
	Recipient  string
	Force      string
	Recordings []evidence.Recording

	custody *Custody
	intents map[evidence.ID]ledger.Ref
}

// Disclose decides, records the intent for every recording in one transaction,
// lets write make the bundle, and records the outcome. recipient and force are
// the parties, as the bundle will name them. What write returns is the digest
// of the bundle's tag manifest, which fixes all of its bytes. A failure is
// recorded and returned. Errors: NotFound, Denied, Invalid without
// purpose or recipient, Unavailable, or write's own.
func (c *Custody) Disclose(ctx context.Context, actor evidence.Actor, recordings []evidence.ID, p evidence.Purpose, recipient, force string,
	write func(ctx context.Context, d *Disclosure) (evidence.Digest, error)) error {
	if p.Code == "" || recipient == "" || len(recordings) == 0 {
		return evidence.Errorf(evidence.Invalid, "A disclosure needs recordings, a purpose and a recipient.")
	}
	d := &Disclosure{Bundle: evidence.NewID(c.Now(), c.Rand), Actor: actor, Purpose: p, Recipient: recipient, Force: force,
		custody: c, intents: map[evidence.ID]ledger.Ref{}}
	for i, id := range recordings {
		if slices.Contains(recordings[:i], id) {
			return evidence.Errorf(evidence.Invalid, "A recording is named twice. Name each once.")
		}
		r, err := c.Catalogue.Get(ctx, id)
		if err != nil {
			return err
		}
		if err := c.allow(ctx, actor, evidence.Disclose, r.ID, r.Placing, p); err != nil {
			return err
		}
		d.Recordings = append(d.Recordings, r)
	}
	c.Step("disclose.intent")
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		for _, r := range d.Recordings {
			ref, err := c.Ledger.Append(ctx, tx, d.event(c, r, evidence.Intent, bundle.Commit(d.Bundle, masters(r))...))
			if err != nil {
				return err
			}
			d.intents[r.ID] = ref
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("disclose: %w", err)
	}
	digest, failed := write(ctx, d)
	phase, more := evidence.Outcome, evidence.F(bundle.TagManifestField, digest)
	if failed != nil {
		phase, more = evidence.Failed, evidence.F("reason", short(failed))
	}
	c.Step("disclose.outcome")
	// The outcome is recorded even if whoever asked has given up by now.
	ctx = context.WithoutCancel(ctx)
	err = c.DB.Write(ctx, func(tx *database.Tx) error {
		for _, r := range d.Recordings {
			if _, err := c.Ledger.Append(ctx, tx, d.event(c, r, phase, evidence.F(bundle.BundleField, string(d.Bundle)), more)); err != nil {
				return err
			}
		}
		return nil
	})
	if failed != nil {
		if err != nil {
			c.Logger.ErrorContext(ctx, "a failed disclosure could not be recorded", "bundle", d.Bundle, "err", err)
		}
		return failed
	}
	if err != nil {
		return fmt.Errorf("record disclosure: %w", err)
	}
	return nil
}

func (d *Disclosure) event(c *Custody, r evidence.Recording, phase evidence.Phase, fields ...evidence.Field) ledger.Event {
	return ledger.Event{Item: r.ID, Verb: evidence.Disclose, Phase: phase, At: c.Now(), Actor: d.Actor, Purpose: d.Purpose,
		Fields: append([]evidence.Field{evidence.F("recipient", d.Recipient), evidence.F("force", d.Force)}, fields...)}
}

func masters(r evidence.Recording) []bundle.Master {
	var list []bundle.Master
	for _, s := range r.Segments {
		list = append(list, bundle.Master{Recording: r.ID, Segment: s.Number, FileName: s.FileName, Digest: s.Digest, Length: s.Length})
	}
	return list
}

// Masters are the masters that the bundle is to hold.
func (d *Disclosure) Masters() []bundle.Master {
	var list []bundle.Master
	for _, r := range d.Recordings {
		list = append(list, masters(r)...)
	}
	return list
}

// Open reads one of those masters.
func (d *Disclosure) Open(ctx context.Context, m bundle.Master) (*Content, error) {
	s, err := d.custody.Catalogue.Segment(ctx, m.Recording, m.Segment)
	if err != nil {
		return nil, err
	}
	return d.custody.content(ctx, s.Object, nil)
}

// patience is how long a disclosure waits for witnesses. One that is made while
// they are down says so and can be checked against the force's key alone.
const patience = 15 * time.Second

// Histories waits until the log covers the intents, and a while for witnesses
// to sign that, and gives the histories of all recordings up to them, with
// proofs to one checkpoint, and what timestamp authorities say of it.
func (d *Disclosure) Histories(ctx context.Context) ([]bundle.History, bundle.Vouched, error) {
	size := int64(0)
	for _, ref := range d.intents {
		index, _, err := d.custody.Ledger.Wait(ctx, ref)
		if err != nil {
			return nil, bundle.Vouched{}, err
		}
		size = max(size, index+1)
	}
	checkpoint, witnessed, v, err := d.vouched(ctx, size)
	if err != nil {
		return nil, v, err
	}
	var list []bundle.History
	for _, r := range d.Recordings {
		h, err := d.custody.history(ctx, r.ID, d.intents[r.ID].ItemSeq, checkpoint)
		if err != nil {
			return nil, v, err
		}
		h.Witnessed = witnessed
		list = append(list, h)
	}
	return list, v, nil
}

// vouched is a checkpoint of at least size entries, cosigned if that can be had
// soon, and stamped with the time.
func (d *Disclosure) vouched(ctx context.Context, size int64) (checkpoint []byte, witnessed bool, v bundle.Vouched, err error) {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if checkpoint, err = d.custody.Witness.Cosigned(soon, size); err != nil {
		if evidence.CodeOf(err) != evidence.NotFound {
			v.Missing = append(v.Missing, "Not enough witnesses had signed the log's checkpoint when this bundle was made.")
		}
		if checkpoint, err = d.custody.Ledger.Checkpoint(ctx); err != nil {
			return nil, false, v, err
		}
		checkpoint = d.custody.Witness.Decorate(checkpoint)
	} else {
		witnessed = true
	}
	stamps, missing := d.custody.Witness.Stamps(ctx, checkpoint)
	for _, s := range stamps {
		v.Timestamps = append(v.Timestamps, bundle.Timestamp{Authority: s.Authority, Response: s.Response})
	}
	v.Missing = append(v.Missing, missing...)
	return checkpoint, witnessed, v, nil
}
