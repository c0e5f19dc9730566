package custody

import (
	"context"
	"math"

	"custos/access"
	"custos/bundle"
	"custos/evidence"
	"custos/ledger"
	"custos/tlog"
)

// History is everything that happened to a recording, with what a browser or
// anybody else needs to check it: openings, inclusion proofs, one checkpoint.
// Events that the log does not cover yet come last, with index -1, and are
// counted in Pending. Errors: NotFound, Denied, Unavailable.
func (c *Custody) History(ctx context.Context, actor evidence.Actor, recording evidence.ID) (bundle.History, error) {
	r, err := c.Catalogue.Get(ctx, recording)
	if err != nil {
		return bundle.History{}, err
	}
	if err := c.allow(ctx, actor, access.Trail, r.ID, r.Placing, evidence.Purpose{}); err != nil {
		return bundle.History{}, err
	}
	// A cosigned checkpoint says more than the newest one, where it covers
	// everything that happened to the recording.
	if signed := c.Witness.Newest(); signed != nil {
		h, err := c.history(ctx, recording, math.MaxUint64, signed)
		if err != nil || h.Pending == 0 {
			h.Witnessed = err == nil
			return h, err
		}
	}
	checkpoint, err := c.Ledger.Checkpoint(ctx)
	if err != nil {
		return bundle.History{}, err
	}
	return c.history(ctx, recording, math.MaxUint64, c.Witness.Decorate(checkpoint))
}

// historyPage is how many events are read from the ledger at a time.
const historyPage = 500

// history gives the events up to sequence last, proven by checkpoint.
func (c *Custody) history(ctx context.Context, item evidence.ID, last uint64, checkpoint []byte) (bundle.History, error) {
	h := bundle.History{Recording: item, Events: []tlog.Opening{}, Proofs: map[int64][]tlog.Hash{}, Checkpoint: string(checkpoint), LogKey: c.LogKey}
	var size int64
	if len(checkpoint) > 0 {
		head, err := tlog.ParseCheckpoint(checkpoint)
		if err != nil {
			return h, err
		}
		size = head.Size
	}
	var err error
	if h.ItemKey, err = c.Ledger.ItemKey(ctx, item); err != nil {
		return h, err
	}
	for after := uint64(0); ; {
		page, err := c.Ledger.History(ctx, item, after, historyPage)
		if err != nil {
			return h, err
		}
		for _, e := range page {
			if e.ItemSeq > last {
				return h, nil
			}
			if err := c.add(ctx, &h, e, size); err != nil {
				return h, err
			}
			after = e.ItemSeq
		}
		if len(page) < historyPage {
			return h, nil
		}
	}
}

func (c *Custody) add(ctx context.Context, h *bundle.History, e ledger.Entry, size int64) error {
	index := e.Index
	if index >= size { // in the log, but after this checkpoint
		index = -1
	}
	var path []tlog.Hash
	if index >= 0 {
		var err error
		path, err = c.Ledger.Proof(ctx, index, size)
		if evidence.CodeOf(err) == evidence.NotFound {
			// The checkpoint is of a longer log than this database has, an old
			// backup for one: it proves nothing here.
			index, err = -1, nil
		}
		if err != nil {
			return err
		}
	}
	h.Events = append(h.Events, tlog.Open(e.Leaf, index, e.Key, e.Fields, nil))
	if index < 0 {
		h.Pending++
		return nil
	}
	if path == nil {
		path = []tlog.Hash{}
	}
	h.Proofs[index] = path
	return nil
}
