package identity

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"custos/database"
	"custos/evidence"
)

// Enter is AddPerson for somebody who has no way to sign in yet: it takes a
// link of Invite, or SetPassword. It takes no time of the transaction, however
// many are entered.
func (dir *Directory) Enter(ctx context.Context, tx *database.Tx, p Person) error {
	if err := dir.checkPerson(&p); err != nil {
		return err
	}
	return dir.insertPerson(ctx, tx, p, "")
}

// Describe gives a person another name and collar number ("" = none) and
// returns them as they were. It fails with NotFound, Invalid for text that
// cannot be kept, and Conflict where somebody else has the number.
func (dir *Directory) Describe(ctx context.Context, tx *database.Tx, id evidence.ID, name, number string) (before Person, err error) {
	if before, _, err = personBy(ctx, tx, "id = ?"+tx.Locking(), id); err != nil {
		return Person{}, err
	}
	after := before
	after.Name, after.Number = strings.TrimSpace(name), strings.TrimSpace(number)
	if err := dir.checkPerson(&after); err != nil {
		return Person{}, err
	}
	_, err = tx.Exec(ctx, "UPDATE people SET name = ?, number = ? WHERE id = ?", after.Name, after.Number, id)
	if database.IsDuplicate(err) {
		return Person{}, evidence.Wrap(evidence.Conflict, err, "Somebody else has that collar number.")
	}
	if err != nil {
		return Person{}, fmt.Errorf("describe person: %w", err)
	}
	return before, nil
}

// ListIn is List as a transaction sees it.
func (dir *Directory) ListIn(ctx context.Context, tx *database.Tx) ([]Person, error) {
	rows, err := tx.Query(ctx, "SELECT "+personColumns+" FROM people ORDER BY login")
	people, err := database.Collect(rows, err, func(r *sql.Rows) (Person, error) {
		p, _, err := scanPerson(r)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return people, nil
}

// PersonIn is Person as a transaction sees it. It fails with NotFound.
func (dir *Directory) PersonIn(ctx context.Context, tx *database.Tx, id evidence.ID) (Person, error) {
	p, _, err := personBy(ctx, tx, "id = ?", id)
	return p, err
}

// CheckLogin fails with Invalid for what cannot be a sign-in name, in lower
// case.
func CheckLogin(login string) error { return checkLogin(login) }
