package custody

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// RecordRule records by which rule the service decides from now on, where that
// is another than it was. Call it before anything is served.
func (c *Custody) RecordRule(ctx context.Context, policy, purposes evidence.Digest) error {
	digest := policy.String() + purposes.String()
	err := c.DB.Write(ctx, func(tx *database.Tx) error {
		var before string
		err := tx.QueryRow(ctx, "SELECT digest FROM custody_rule WHERE id = 1").Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if before == digest {
			return nil
		}
		if _, err := tx.Exec(ctx, "INSERT INTO custody_rule (id, digest) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET digest = excluded.digest", digest); err != nil {
			return err
		}
		f := []evidence.Field{evidence.F("what", "rule in force"), evidence.F("policy_sha256", policy), evidence.F("purposes_sha256", purposes)}
		if n := len(policy.String()); len(before) == 2*n {
			f = append(f, evidence.F("policy_sha256_before", before[:n]), evidence.F("purposes_sha256_before", before[n:]))
		}
		_, err = c.Ledger.Append(ctx, tx, ledger.Event{Item: "service", Verb: evidence.Administer, Phase: evidence.Outcome, At: c.Now(), Actor: evidence.Server("rule"), Fields: f})
		return err
	})
	if err != nil {
		return fmt.Errorf("record the rule: %w", err)
	}
	return nil
}
