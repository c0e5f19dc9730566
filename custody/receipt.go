package custody

import (
	"context"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/receipt"
	"custos/tlog"
)

// Receipt is the signed receipt for a collected upload; the same bytes each
// time. It waits until the log covers the collection, at most as long as ctx.
// Errors: NotFound if the upload was not collected, Unavailable while the log
// does not sign.
func (c *Custody) Receipt(ctx context.Context, upload evidence.ID) ([]byte, error) {
	a, err := c.collected(ctx, upload)
	if err != nil || a.receipt != nil {
		return a.receipt, err
	}
	s, err := c.Catalogue.Segment(ctx, a.recording, a.segment)
	if err != nil {
		return nil, err
	}
	index, checkpoint, err := c.Ledger.Wait(ctx, ledger.Ref{Event: a.event, Item: a.recording, ItemSeq: a.itemSeq})
	if err != nil {
		return nil, err
	}
	entry, err := c.entry(ctx, a.recording, a.itemSeq)
	if err != nil {
		return nil, err
	}
	head, err := tlog.ParseCheckpoint(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	path, err := c.Ledger.Proof(ctx, index, head.Size)
	if err != nil {
		return nil, err
	}
	c.Step("receipt.sign")
	at, err := time.Parse(evidence.TimeFormat, entry.Get("at"))
	if err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err, "The ledger's record of this collection has no readable time.")
	}
	signed, err := receipt.Sign(receipt.Receipt{
		Recording: a.recording, Segment: a.segment, Device: a.device, FileName: a.fileName,
		Digest: s.Digest, Length: s.Length,
		Stores:      []receipt.Store{{Name: c.Store, ReadBack: a.readBackAt}},
		CollectedAt: at, Known: a.known,
		Event: tlog.Open(entry.Leaf, index, entry.Key, entry.Fields, nil),
		Path:  path, Checkpoint: checkpoint,
	}, c.Receipts)
	if err != nil {
		return nil, err
	}
	// The first one kept wins, so that a dock that asks twice compares equal.
	err = c.DB.Write(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE custody_collected SET receipt = ? WHERE upload = ? AND receipt IS NULL`, signed, string(upload)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT receipt FROM custody_collected WHERE upload = ?`, string(upload)).Scan(&signed)
	})
	if err != nil {
		return nil, fmt.Errorf("keep receipt: %w", err)
	}
	return signed, nil
}

// entry reads one event of an item's history.
func (c *Custody) entry(ctx context.Context, item evidence.ID, seq uint64) (ledger.Entry, error) {
	list, err := c.Ledger.History(ctx, item, seq-1, 1)
	if err != nil {
		return ledger.Entry{}, err
	}
	if len(list) != 1 || list[0].ItemSeq != seq {
		return ledger.Entry{}, evidence.Errorf(evidence.Corrupt, "the ledger lacks event %d of %s", seq, item)
	}
	return list[0], nil
}
