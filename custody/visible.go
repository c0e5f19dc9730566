package custody

import (
	"context"
	"fmt"
	"strings"

	"custos/access"
	"custos/database"
	"custos/evidence"
)

// Sight is what somebody may know of an item of the ledger.
type Sight struct {
	Visible   bool
	Recording evidence.ID // that the item is, or that an upload became; "" = neither
	Owner     evidence.ID // account of whoever's footage it is; "" = nobody's
}

// Visible says of which items of the ledger actor may know: whose recording
// they may not find, of that they may not read in the trail either, nor of the
// uploads that it came from. What is no recording hides none. Nothing is
// recorded: the caller has recorded why it asks. Errors: Unavailable.
func (c *Custody) Visible(ctx context.Context, actor evidence.Actor, items []evidence.ID) (map[evidence.ID]Sight, error) {
	out := map[evidence.ID]Sight{}
	recordingOf := map[evidence.ID]evidence.ID{}
	var ids []evidence.ID
	for _, item := range items {
		out[item] = Sight{Visible: true}
		if _, err := evidence.ParseID(string(item)); err == nil {
			ids = append(ids, item)
			recordingOf[item] = item
		}
	}
	if err := c.becameOf(ctx, ids, recordingOf); err != nil {
		return nil, err
	}
	var recordings []evidence.ID
	for _, r := range recordingOf {
		recordings = append(recordings, r)
	}
	placings, err := c.Catalogue.Placings(ctx, recordings)
	if err != nil {
		return nil, err
	}
	for item, recording := range recordingOf {
		if p, ok := placings[recording]; ok {
			out[item] = Sight{Visible: c.Access.Decide(ctx, actor, access.Find, p).Allowed, Recording: recording, Owner: p.Owner}
		}
	}
	return out, nil
}

// becameOf notes which recording each upload among items became.
func (c *Custody) becameOf(ctx context.Context, items []evidence.ID, became map[evidence.ID]evidence.ID) error {
	const together = 500
	err := c.DB.Read(ctx, func(tx *database.Tx) error {
		for len(items) > 0 {
			n := min(together, len(items))
			var args []any
			for _, id := range items[:n] {
				args = append(args, string(id))
			}
			rows, err := tx.Query(ctx, "SELECT upload, recording FROM custody_collected WHERE upload IN (?"+strings.Repeat(", ?", n-1)+")", args...)
			if err != nil {
				return err
			}
			defer rows.Close() // Err below tells of failures
			for rows.Next() {
				var upload, recording evidence.ID
				if err := rows.Scan(&upload, &recording); err != nil {
					return err
				}
				became[upload] = recording
			}
			if err := rows.Err(); err != nil {
				return err
			}
			items = items[n:]
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up uploads: %w", err)
	}
	return nil
}
