package organisation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// Unit is a part of the force that people are posted to.
type Unit struct {
	ID        evidence.ID `json:"id"`
	Name      string      `json:"name"`             // as shown, up to 128 bytes
	Code      string      `json:"code"`             // 1 to 16 of A-Z 0-9 . - _, unique for ever
	Parent    evidence.ID `json:"parent,omitempty"` // "" = the top
	CreatedAt time.Time   `json:"createdAt"`
	ClosedAt  time.Time   `json:"closedAt,omitzero"` // zero = open
}

var unitCode = regexp.MustCompile(`^[A-Z0-9][A-Z0-9._-]{0,15}$`)

// NormalCode is how a unit's code is kept: without space around it, upper case.
func NormalCode(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// AddUnit makes a unit. It uses Name, Code and Parent of u. It fails with
// Invalid for text that cannot be kept, NotFound for a parent that does not
// exist, and Conflict where the code was used before or the parent is closed.
func (o *Organisation) AddUnit(ctx context.Context, tx *database.Tx, u Unit) (Unit, error) {
	if err := o.turn(ctx, tx); err != nil {
		return Unit{}, err
	}
	var err error
	if u.Name, err = line("unit's name", u.Name, 128); err != nil {
		return Unit{}, err
	}
	if u.Code = NormalCode(u.Code); !unitCode.MatchString(u.Code) {
		return Unit{}, evidence.Errorf(evidence.Invalid, "A unit's code has 1 to 16 letters A to Z, digits and . - _, and begins with a letter or digit.")
	}
	if u.Parent != "" {
		if _, err := openUnit(ctx, tx, u.Parent); err != nil {
			return Unit{}, err
		}
	}
	u.ID, u.ClosedAt = o.newID(), time.Time{}
	now := database.Micros(o.now())
	u.CreatedAt = database.Time(now)
	_, err = tx.Exec(ctx, "INSERT INTO units (id, name, code, parent, created_at, closed_at) VALUES (?, ?, ?, ?, ?, 0)", u.ID, u.Name, u.Code, u.Parent, now)
	if database.IsDuplicate(err) {
		return Unit{}, evidence.Wrap(evidence.Conflict, err, "Another unit has or had that code. Choose another.")
	}
	if err != nil {
		return Unit{}, fmt.Errorf("add unit: %w", err)
	}
	return u, nil
}

// RenameUnit gives a unit another name and returns it as it was. It fails with
// Invalid and NotFound.
func (o *Organisation) RenameUnit(ctx context.Context, tx *database.Tx, id evidence.ID, name string) (before Unit, err error) {
	if err := o.turn(ctx, tx); err != nil {
		return Unit{}, err
	}
	if name, err = line("unit's name", name, 128); err != nil {
		return Unit{}, err
	}
	if before, err = unitBy(ctx, tx, id); err != nil {
		return Unit{}, err
	}
	if _, err := tx.Exec(ctx, "UPDATE units SET name = ? WHERE id = ?", name, id); err != nil {
		return Unit{}, fmt.Errorf("rename unit: %w", err)
	}
	return before, nil
}

// MoveUnit puts a unit, with all below it, under another parent ("" = the top)
// and returns it as it was. It fails with NotFound, and with Conflict where
// the unit would come to stand below itself or a closed unit.
func (o *Organisation) MoveUnit(ctx context.Context, tx *database.Tx, id, parent evidence.ID) (before Unit, err error) {
	if err := o.turn(ctx, tx); err != nil {
		return Unit{}, err
	}
	if before, err = unitBy(ctx, tx, id); err != nil {
		return Unit{}, err
	}
	for above := parent; above != ""; {
		if above == id {
			return Unit{}, evidence.Errorf(evidence.Conflict, "A unit cannot stand below itself. Nothing was changed.")
		}
		u, err := unitBy(ctx, tx, above)
		if err != nil {
			return Unit{}, err
		}
		if above == parent && !u.ClosedAt.IsZero() {
			return Unit{}, closedUnit()
		}
		above = u.Parent
	}
	if _, err := tx.Exec(ctx, "UPDATE units SET parent = ? WHERE id = ?", parent, id); err != nil {
		return Unit{}, fmt.Errorf("move unit: %w", err)
	}
	return before, nil
}

// CloseUnit closes a unit for good; what it was stays on record. It fails with
// NotFound, and with Conflict where it is closed, has open units below it, or
// somebody is or will be posted to it.
func (o *Organisation) CloseUnit(ctx context.Context, tx *database.Tx, id evidence.ID) (before Unit, err error) {
	if err := o.turn(ctx, tx); err != nil {
		return Unit{}, err
	}
	if before, err = openUnit(ctx, tx, id); err != nil {
		return Unit{}, err
	}
	now := database.Micros(o.now())
	var below, posted int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM units WHERE parent = ? AND closed_at = 0", id).Scan(&below); err != nil {
		return Unit{}, fmt.Errorf("close unit: %w", err)
	}
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM postings WHERE unit = ? AND (until_at = 0 OR until_at > ?)", id, now).Scan(&posted); err != nil {
		return Unit{}, fmt.Errorf("close unit: %w", err)
	}
	if below > 0 || posted > 0 {
		return Unit{}, evidence.Errorf(evidence.Conflict, "The unit still has %d open units below it and %d people. Nothing was changed; move them first.", below, posted)
	}
	if _, err := tx.Exec(ctx, "UPDATE units SET closed_at = ? WHERE id = ?", now, id); err != nil {
		return Unit{}, fmt.Errorf("close unit: %w", err)
	}
	return before, nil
}

// Units are all units, closed ones too, by code.
func (o *Organisation) Units(ctx context.Context) (units []Unit, err error) {
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		units, err = o.UnitsIn(ctx, tx)
		return err
	})
	return units, err
}

// UnitsIn is Units as a transaction sees them.
func (o *Organisation) UnitsIn(ctx context.Context, tx *database.Tx) ([]Unit, error) {
	rows, err := tx.Query(ctx, "SELECT "+unitColumns+" FROM units ORDER BY code")
	units, err := database.Collect(rows, err, func(r *sql.Rows) (Unit, error) { return scanUnit(r) })
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	return units, nil
}

// UnitIn is one unit as a transaction sees it. It fails with NotFound.
func (o *Organisation) UnitIn(ctx context.Context, tx *database.Tx, id evidence.ID) (Unit, error) {
	return unitBy(ctx, tx, id)
}

const unitColumns = "id, name, code, parent, created_at, closed_at"

func scanUnit(r interface{ Scan(...any) error }) (u Unit, err error) {
	var created, closed int64
	err = r.Scan(&u.ID, &u.Name, &u.Code, &u.Parent, &created, &closed)
	u.CreatedAt, u.ClosedAt = database.Time(created), database.Time(closed)
	return u, err
}

// unitBy reads one unit; NotFound where there is none.
func unitBy(ctx context.Context, tx *database.Tx, id evidence.ID) (Unit, error) {
	u, err := scanUnit(tx.QueryRow(ctx, "SELECT "+unitColumns+" FROM units WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Unit{}, evidence.Errorf(evidence.NotFound, "There is no such unit.")
	}
	if err != nil {
		return Unit{}, fmt.Errorf("read unit: %w", err)
	}
	return u, nil
}

func closedUnit() error {
	return evidence.Errorf(evidence.Conflict, "That unit is closed. Nothing was changed; choose one that is open.")
}

// openUnit is unitBy that fails with Conflict for a closed one.
func openUnit(ctx context.Context, tx *database.Tx, id evidence.ID) (Unit, error) {
	u, err := unitBy(ctx, tx, id)
	if err == nil && !u.ClosedAt.IsZero() {
		return Unit{}, closedUnit()
	}
	return u, err
}
