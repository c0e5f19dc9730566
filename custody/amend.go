package custody

import (
	"context"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// Amend records acts on what the service knows of people, units and cases, in
// the transaction that do makes the changes in: one event for each list of
// fields that do returns, in that order; no change without its record, and none
// of them where one fails. right is what the actor's role must include
// (access.Can). Errors: Denied, which is recorded, Unavailable, or do's own.
func (c *Custody) Amend(ctx context.Context, actor evidence.Actor, right string, do func(tx *database.Tx) ([][]evidence.Field, error)) error {
	if !c.Access.Can(actor, right) {
		return c.refuse(ctx, actor, evidence.Administer, "service", evidence.Purpose{}, "The role does not include this. Nothing was changed.")
	}
	return c.DB.Write(ctx, func(tx *database.Tx) error {
		acts, err := do(tx)
		if err != nil {
			return err
		}
		for _, fields := range acts {
			if _, err := c.Ledger.Append(ctx, tx, ledger.Event{
				Item: "service", Verb: evidence.Administer, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Fields: fields,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
