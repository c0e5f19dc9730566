package custody

import (
	"context"

	"custos/evidence"
	"custos/ledger"
	"custos/vault"
)

// Backup copies every sealed object to another store; see vault.Vault.Backup.
// It reads no plaintext. That a backup was made is recorded first.
func (c *Custody) Backup(ctx context.Context, actor evidence.Actor, to vault.Store, copied func(bytes int64)) error {
	if err := c.service(ctx, actor, "backup made"); err != nil {
		return err
	}
	return c.Vault.Backup(ctx, to, copied)
}

// Restore brings objects back that this store lacks; see vault.Vault.Restore.
func (c *Custody) Restore(ctx context.Context, actor evidence.Actor, from vault.Store) error {
	if err := c.service(ctx, actor, "restored from backup"); err != nil {
		return err
	}
	return c.Vault.Restore(ctx, from)
}

// service records an act on the service as a whole, before it is done.
func (c *Custody) service(ctx context.Context, actor evidence.Actor, what string) error {
	if d := c.Access.Decide(ctx, actor, evidence.Administer, evidence.Placing{}); !d.Allowed {
		return c.refuse(ctx, actor, evidence.Administer, "service", evidence.Purpose{}, d.Reason)
	}
	_, err := c.record(ctx, ledger.Event{Item: "service", Verb: evidence.Administer, Phase: evidence.Intent, Actor: actor,
		Fields: []evidence.Field{evidence.F("what", what)}})
	return err
}
