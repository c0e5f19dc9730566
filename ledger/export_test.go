package ledger

import (
	"context"

	"custos/database"
)

// Steps of a round, so that tests can stop between them as a crash does.

// Gather gathers inside tx.
func Gather(ctx context.Context, tx *database.Tx) error {
	_, _, err := gather(ctx, tx)
	return err
}

// Publish signs and publishes the head as the database has it.
func (l *Ledger) Publish(ctx context.Context) error {
	var h head
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) (err error) {
		h, err = readHead(ctx, tx, "")
		return err
	})
	if err != nil {
		return err
	}
	return l.publish(ctx, h)
}

// Round is one whole turn.
func (l *Ledger) Round(ctx context.Context) error {
	_, err := l.round(ctx)
	return err
}
