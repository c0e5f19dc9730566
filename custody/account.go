package custody

import (
	"context"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// OwnAccount records what actor does to their own account (another password, a
// passkey, the end of a session) in the transaction that do makes the change
// in: no change without its record. There is nothing to decide; that it is
// their own is for the caller to see to. Errors: Unavailable, or do's own.
func (c *Custody) OwnAccount(ctx context.Context, actor evidence.Actor, fields []evidence.Field, do func(tx *database.Tx) error) error {
	return c.DB.Write(ctx, func(tx *database.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		_, err := c.Ledger.Append(ctx, tx, ledger.Event{Item: "service", Verb: evidence.Identify, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Fields: fields})
		return err
	})
}
