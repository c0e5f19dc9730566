package catalogue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"custos/database"
	"custos/evidence"
)

// Few are those recordings of ids that there are, without segments and
// arrivals.
func (c *Catalogue) Few(ctx context.Context, ids []evidence.ID) (map[evidence.ID]evidence.Recording, error) {
	out := map[evidence.ID]evidence.Recording{}
	const together = 500
	err := c.db.Read(ctx, func(tx *database.Tx) error {
		for len(ids) > 0 {
			n := min(together, len(ids))
			var args []any
			for _, id := range ids[:n] {
				args = append(args, string(id))
			}
			rows, err := tx.Query(ctx, "SELECT id, device, officer, category, take, started_at, created_at, duration_ms FROM recordings WHERE id IN (?"+
				strings.Repeat(", ?", n-1)+")", args...)
			few, err := collect(rows, err, func(r *sql.Rows) (rec evidence.Recording, err error) {
				var started, created int64
				err = r.Scan(&rec.ID, &rec.Device, &rec.Officer, &rec.Category, &rec.Group, &started, &created, &rec.Duration)
				rec.StartedAt, rec.CreatedAt = database.Time(started), database.Time(created)
				return rec, err
			})
			if err != nil {
				return err
			}
			for _, rec := range few {
				out[rec.ID] = rec
			}
			ids = ids[n:]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	return out, nil
}
