package catalogue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"custos/database"
	"custos/evidence"
)

// Card is one recording as lists show it. It fails with NotFound.
func (c *Catalogue) Card(ctx context.Context, id evidence.ID) (k Card, err error) {
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, cardQuery+" WHERE id = ?", id)
		cards, err := collect(rows, err, scanCard)
		if err == nil && len(cards) == 0 {
			err = sql.ErrNoRows
		}
		if err == nil {
			k = cards[0]
		}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return k, noRecording()
	}
	if err != nil {
		return k, fmt.Errorf("look up recording: %w", err)
	}
	return k, nil
}
