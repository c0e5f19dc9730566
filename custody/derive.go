package custody

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// Derived is what making working copies brought.
type Derived struct {
	Media  *evidence.Media // what the master turned out to be; nil: not looked at
	Copies []NewCopy
}

// NewCopy is a working copy on its way into the vault.
type NewCopy struct {
	Kind evidence.CopyKind
	Type string // media type
	Tool string // what made it, with version (R19)
	Info string // JSON about it, for the player
	Data io.Reader
}

// InMemory is a NewCopy's Data from bytes.
func InMemory(b []byte) io.Reader { return bytes.NewReader(b) }

// Derive makes working copies of a master. build gets the master to read and
// never to alter; what it returns is sealed, and listed with the outcome. If
// build fails, the failure is recorded and returned; the master stays as it is.
// Errors: NotFound, Denied, Conflict if there is such a copy already, Corrupt,
// Unavailable, or build's own.
func (c *Custody) Derive(ctx context.Context, actor evidence.Actor, recording evidence.ID, segment int, what string,
	build func(ctx context.Context, s evidence.Segment, master *Content) (Derived, error)) error {
	r, err := c.Catalogue.Get(ctx, recording)
	if err != nil {
		return err
	}
	if err := c.allow(ctx, actor, evidence.Derive, r.ID, r.Placing, evidence.Purpose{}); err != nil {
		return err
	}
	s, err := c.Catalogue.Segment(ctx, recording, segment)
	if err != nil {
		return err
	}
	about := []evidence.Field{evidence.F("what", what), evidence.F("segment", segment), evidence.F("master_sha256", s.Digest)}
	c.Step("derive.intent")
	if _, err := c.record(ctx, ledger.Event{Item: recording, Verb: evidence.Derive, Phase: evidence.Intent, Actor: actor, Fields: about}); err != nil {
		return err
	}
	err = c.derive(ctx, actor, s, about, build)
	if err != nil && ctx.Err() == nil {
		// What the cause is stays in the log of the service: it may quote
		// footage, and the ledger keeps no such thing.
		if _, rerr := c.record(ctx, ledger.Event{
			Item: recording, Verb: evidence.Derive, Phase: evidence.Failed, Actor: actor,
			Fields: append(about, evidence.F("reason", short(err))),
		}); rerr != nil {
			c.Logger.ErrorContext(ctx, "a failure could not be recorded", "recording", recording, "err", rerr)
		}
	}
	return err
}

func (c *Custody) derive(ctx context.Context, actor evidence.Actor, s evidence.Segment, about []evidence.Field,
	build func(ctx context.Context, s evidence.Segment, master *Content) (Derived, error)) (err error) {
	master, err := c.content(ctx, s.Object, nil)
	if err != nil {
		return err
	}
	master.Type, master.Digest = s.Media.Type, s.Digest
	defer func() {
		if cerr := master.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close master: %w", cerr)
		}
	}()
	d, err := build(ctx, s, master)
	if err != nil {
		return err
	}
	var made []evidence.WorkingCopy
	defer func() {
		if err != nil {
			c.giveUp(ctx, made)
		}
	}()
	for _, n := range d.Copies {
		c.Step("derive.put")
		id := evidence.NewID(c.Now(), c.Rand)
		sealed, err := c.Vault.Put(ctx, id, n.Data)
		if err != nil {
			return fmt.Errorf("keep %s: %w", n.Kind, err)
		}
		made = append(made, evidence.WorkingCopy{
			Recording: s.Recording, Segment: s.Number, Kind: n.Kind, Object: id, Type: n.Type,
			Length: sealed.Length, Digest: sealed.Digest, Tool: n.Tool, Info: n.Info, MadeAt: c.Now(),
		})
	}
	c.Step("derive.outcome")
	return c.DB.Write(ctx, func(tx *database.Tx) error {
		fields := about
		if d.Media != nil {
			if err := c.Catalogue.SetMedia(ctx, tx, s.Recording, s.Number, *d.Media); err != nil {
				return err
			}
			fields = append(fields[:len(fields):len(fields)], evidence.F("found", string(d.Media.State)))
		}
		for _, w := range made {
			if err := c.Vault.Keep(ctx, tx, w.Object); err != nil {
				return err
			}
			replaced, err := c.Catalogue.AddCopy(ctx, tx, w)
			if err != nil {
				return err
			}
			if replaced != "" { // two did the same work; the first one's stays
				return evidence.Errorf(evidence.Conflict, "There is a %s of this segment already.", w.Kind)
			}
			fields = append(fields[:len(fields):len(fields)], evidence.F(string(w.Kind)+"_sha256", w.Digest), evidence.F(string(w.Kind)+"_tool", w.Tool))
		}
		_, err := c.Ledger.Append(ctx, tx, ledger.Event{
			Item: s.Recording, Verb: evidence.Derive, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Fields: fields,
		})
		return err
	})
}

// giveUp deletes what was sealed for working copies that were not listed. What
// it cannot delete, or a crash leaves, is for Sweep.
func (c *Custody) giveUp(ctx context.Context, made []evidence.WorkingCopy) {
	for _, w := range made {
		if err := c.Vault.Abandon(context.WithoutCancel(ctx), w.Object); err != nil {
			c.Logger.WarnContext(ctx, "a working copy that is not wanted stays until it is swept", "object", w.Object, "err", err)
		}
	}
}
