package custody

import (
	"context"
	"fmt"

	"custos/database"
	"custos/evidence"
)

// EndAllowedBy ends every viewing that a grant of emergency access allowed,
// and records their outcomes. Those on other servers end there when their time
// is up, which is that of the grant at the latest.
func (c *Custody) EndAllowedBy(ctx context.Context, grant evidence.ID) error {
	var ids []evidence.ID
	err := c.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM custody_consultations WHERE grant_id = ? AND ended = 0 AND grant_id <> ''`, string(grant))
		ids, err = database.Collect(rows, err, scanID)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for viewings: %w", err)
	}
	for _, id := range ids {
		k, err := c.consulting(ctx, id)
		if evidence.CodeOf(err) == evidence.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if err := c.end(ctx, k, "emergency access ended", 0); err != nil {
			return err
		}
	}
	return nil
}
