package identity

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"custos/database"
	"custos/evidence"
)

// SetRole gives a person another role and ends their sessions at once: nobody
// goes on with what an earlier role allowed. It fails with Invalid for an
// unknown role and NotFound.
//
// It is for the act of two people; see package approval.
func (dir *Directory) SetRole(ctx context.Context, tx *database.Tx, id evidence.ID, role string) error {
	if !dir.role(role) {
		return evidence.Errorf(evidence.Invalid, "There is no such role.")
	}
	changed, err := tx.Exec(ctx, "UPDATE people SET role = ? WHERE id = ?", role, id)
	if err != nil {
		return fmt.Errorf("set role: %w", err)
	}
	if changed == 0 {
		return noPerson()
	}
	return dir.RevokeSessions(ctx, tx, id)
}

// Locked reads people as they are and keeps them so until the transaction
// ends. They are locked in one order, so that two who decide about each other
// do not wait for each other. Those without an account are left out.
func (dir *Directory) Locked(ctx context.Context, tx *database.Tx, ids ...evidence.ID) (map[evidence.ID]Person, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	out := map[evidence.ID]Person{}
	for _, id := range slices.Compact(ids) {
		p, _, err := personBy(ctx, tx, "id = ?"+tx.Locking(), id)
		if evidence.CodeOf(err) == evidence.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[id] = p
	}
	return out, nil
}

// DockByID is one dock, revoked or not, kept as it is until the transaction
// ends. It fails with NotFound.
func (dir *Directory) DockByID(ctx context.Context, tx *database.Tx, id evidence.ID) (Dock, error) {
	rows, err := tx.Query(ctx, "SELECT "+dockColumns+" FROM docks WHERE id = ?"+tx.Locking(), id)
	docks, err := database.Collect(rows, err, func(r *sql.Rows) (Dock, error) { return scanDock(r) })
	if err != nil {
		return Dock{}, fmt.Errorf("read dock: %w", err)
	}
	if len(docks) == 0 {
		return Dock{}, evidence.Errorf(evidence.NotFound, "There is no such dock.")
	}
	return docks[0], nil
}
