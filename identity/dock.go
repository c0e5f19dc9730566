package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// Dock is a docking station that may bring footage.
type Dock struct {
	ID         evidence.ID `json:"id"`
	Name       string      `json:"name"` // as people call it, up to 128 bytes, unique among those not revoked
	EnrolledAt time.Time   `json:"enrolledAt"`
	RevokedAt  time.Time   `json:"revokedAt,omitzero"` // zero = its key is good
	LastSeen   time.Time   `json:"lastSeen,omitzero"`  // last time its key was used, to the minute; zero = never
}

// dockKeyPrefix lets people, and programs that search for leaked secrets, see
// what the text is.
const dockKeyPrefix = "custos-dock-"

// AddDock enrols a dock. The key is shown this once and is not stored. It fails
// with Invalid for a name that cannot be kept and Conflict for one in use.
func (dir *Directory) AddDock(ctx context.Context, tx *database.Tx, name string) (d Dock, key string, err error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return Dock{}, "", evidence.Errorf(evidence.Invalid, "A dock needs a name.")
	}
	if err := checkText("name of the dock", name, 128); err != nil {
		return Dock{}, "", err
	}
	key, stored, err := dir.newSecret(dockKeyPrefix)
	if err != nil {
		return Dock{}, "", err
	}
	now := database.Micros(dir.now())
	d = Dock{ID: dir.newID(), Name: name, EnrolledAt: database.Time(now)}
	_, err = tx.Exec(ctx, "INSERT INTO docks (id, name, key, enrolled_at, revoked_at, seen_at) VALUES (?, ?, ?, ?, 0, 0)", d.ID, name, stored, now)
	if database.IsDuplicate(err) {
		return Dock{}, "", evidence.Wrap(evidence.Conflict, err, "Another dock has that name.")
	}
	if err != nil {
		return Dock{}, "", fmt.Errorf("add dock: %w", err)
	}
	return d, key, nil
}

// AuthenticateDock says which dock a key is of. It fails with Unauthenticated,
// in one wording, for a key that is unknown or revoked.
func (dir *Directory) AuthenticateDock(ctx context.Context, key string) (evidence.Actor, error) {
	now := dir.now()
	var d Dock
	err := dir.db.Read(ctx, func(tx *database.Tx) (err error) {
		d, err = scanDock(tx.QueryRow(ctx, "SELECT "+dockColumns+" FROM docks WHERE key = ? AND revoked_at = 0", storedSecret(key)))
		if errors.Is(err, sql.ErrNoRows) {
			return evidence.Errorf(evidence.Unauthenticated, "The dock's key is not known or was revoked. Footage stays on the cameras; enrol the dock again.")
		}
		if err != nil {
			return fmt.Errorf("look for dock: %w", err)
		}
		return nil
	})
	if err != nil {
		return evidence.Actor{}, err
	}
	if now.Sub(d.LastSeen) >= seenEvery {
		if err := dir.exec(ctx, "UPDATE docks SET seen_at = ? WHERE id = ? AND seen_at < ?", database.Micros(now), d.ID, database.Micros(now)); err != nil {
			return evidence.Actor{}, fmt.Errorf("note dock: %w", err)
		}
	}
	return evidence.Actor{Kind: evidence.Dock, ID: string(d.ID), Name: d.Name, Role: string(evidence.Dock)}, nil
}

// RevokeDock makes a dock's key worthless at once. What the dock brought stays.
// It fails with NotFound where there is no such dock or it was revoked before.
func (dir *Directory) RevokeDock(ctx context.Context, tx *database.Tx, id evidence.ID) error {
	changed, err := tx.Exec(ctx, "UPDATE docks SET revoked_at = ? WHERE id = ? AND revoked_at = 0", database.Micros(dir.now()), id)
	if err != nil {
		return fmt.Errorf("revoke dock: %w", err)
	}
	if changed == 0 {
		return evidence.Errorf(evidence.NotFound, "There is no such dock, or it was revoked before.")
	}
	return nil
}

// Docks are all docks ever enrolled, in the order of enrolment.
func (dir *Directory) Docks(ctx context.Context) (docks []Dock, err error) {
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+dockColumns+" FROM docks ORDER BY id")
		docks, err = database.Collect(rows, err, func(r *sql.Rows) (Dock, error) { return scanDock(r) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list docks: %w", err)
	}
	return docks, nil
}

const dockColumns = "id, name, enrolled_at, revoked_at, seen_at"

func scanDock(r interface{ Scan(...any) error }) (d Dock, err error) {
	var enrolled, revoked, seen int64
	err = r.Scan(&d.ID, &d.Name, &enrolled, &revoked, &seen)
	d.EnrolledAt, d.RevokedAt, d.LastSeen = database.Time(enrolled), database.Time(revoked), database.Time(seen)
	return d, err
}
