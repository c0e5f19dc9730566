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

// Person is somebody with an account.
type Person struct {
	ID        evidence.ID `json:"id"`
	Login     string      `json:"login"`            // 2 to 64 of a-z 0-9 . _ - @; case does not matter
	Name      string      `json:"name"`             // as shown, up to 128 bytes
	Number    string      `json:"number,omitempty"` // collar number, up to 32 bytes; whose recordings are their own
	Role      string      `json:"role"`
	Disabled  bool        `json:"disabled"`
	CreatedAt time.Time   `json:"createdAt"`
	ActiveAt  time.Time   `json:"activeAt"` // last signed in, made, enabled or given a password
}

// idleLimit is how long an account works without anybody signing in (R23).
const idleLimit = 90 * 24 * time.Hour

func normalLogin(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func checkLogin(login string) error {
	ok := len(login) >= 2 && len(login) <= 64
	for _, r := range login {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-@", r))
	}
	if !ok {
		return evidence.Errorf(evidence.Invalid, "A sign-in name has 2 to 64 letters a to z, digits and . _ - @.")
	}
	return nil
}

// AddPerson makes an account. It uses ID, Login, Name, Number and Role of p.
// Hashing the password takes about 30 ms of the transaction.
//
// It fails with Invalid for a weak password, an unknown role or text that
// cannot be kept, and with Conflict where the sign-in name or the collar
// number belongs to somebody else.
func (dir *Directory) AddPerson(ctx context.Context, tx *database.Tx, p Person, password string) error {
	if err := dir.checkPerson(&p); err != nil {
		return err
	}
	hash, err := dir.newPassword(password, p)
	if err != nil {
		return err
	}
	return dir.insertPerson(ctx, tx, p, hash)
}

// checkPerson brings ID, Login, Name, Number and Role of p into the form in
// which they are kept.
func (dir *Directory) checkPerson(p *Person) error {
	p.Login, p.Name, p.Number = normalLogin(p.Login), strings.TrimSpace(p.Name), strings.TrimSpace(p.Number)
	if _, err := evidence.ParseID(string(p.ID)); err != nil {
		return err
	}
	if err := checkLogin(p.Login); err != nil {
		return err
	}
	if p.Name == "" {
		return evidence.Errorf(evidence.Invalid, "An account needs the person's name.")
	}
	if err := errors.Join(checkText("name", p.Name, 128), checkText("collar number", p.Number, 32)); err != nil {
		return err
	}
	if !dir.role(p.Role) {
		return evidence.Errorf(evidence.Invalid, "There is no such role.")
	}
	return nil
}

func (dir *Directory) insertPerson(ctx context.Context, tx *database.Tx, p Person, hash string) error {
	now := database.Micros(dir.now())
	_, err := tx.Exec(ctx, `INSERT INTO people (id, login, name, number, role, password, disabled_at, created_at, active_at)
		VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)`, p.ID, p.Login, p.Name, p.Number, p.Role, hash, now, now)
	if database.IsDuplicate(err) {
		return evidence.Wrap(evidence.Conflict, err, "Somebody else has that sign-in name or collar number already.")
	}
	if err != nil {
		return fmt.Errorf("add person: %w", err)
	}
	return nil
}

// newPassword checks and hashes a password to be set. Such hashes are made one
// at a time and apart from those of sign-ins: a flood of sign-ins must not
// hold up a transaction.
func (dir *Directory) newPassword(password string, p Person) (string, error) {
	if err := checkPassword(password, p); err != nil {
		return "", err
	}
	dir.setting.Lock()
	defer dir.setting.Unlock()
	return dir.hash(password)
}

// SetPassword gives an account another password, ends its sessions and forgets
// its failed sign-ins. It fails with Invalid and NotFound.
func (dir *Directory) SetPassword(ctx context.Context, tx *database.Tx, id evidence.ID, password string) error {
	p, _, err := personBy(ctx, tx, "id = ?"+tx.Locking(), id)
	if err != nil {
		return err
	}
	hash, err := dir.newPassword(password, p)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE people SET password = ?, active_at = ? WHERE id = ?", hash, database.Micros(dir.now()), id); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM sign_in_failures WHERE person = ?", id); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return dir.RevokeSessions(ctx, tx, id)
}

// ChangePassword is SetPassword by the person themselves, in the session of a
// token: that goes on under another token, and all their others end. It fails
// with Invalid and Unauthenticated.
func (dir *Directory) ChangePassword(ctx context.Context, tx *database.Tx, token, password string) (SignedIn, error) {
	p, s, err := sessionBy(ctx, tx, token, dir.now())
	if err != nil {
		return SignedIn{}, err
	}
	hash, err := dir.newPassword(password, p)
	if err != nil {
		return SignedIn{}, err
	}
	if _, err := tx.Exec(ctx, "UPDATE people SET password = ? WHERE id = ?", hash, p.ID); err != nil {
		return SignedIn{}, fmt.Errorf("change password: %w", err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM sign_in_sessions WHERE person = ? AND id <> ?", p.ID, s.ID); err != nil {
		return SignedIn{}, fmt.Errorf("change password: %w", err)
	}
	return dir.renew(ctx, tx, token, s.Method)
}

// Disable closes an account and ends its sessions at once. Nothing the person
// did is touched. It fails with NotFound; disabling twice changes nothing.
func (dir *Directory) Disable(ctx context.Context, tx *database.Tx, id evidence.ID) error {
	p, _, err := personBy(ctx, tx, "id = ?"+tx.Locking(), id)
	if err != nil || p.Disabled {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE people SET disabled_at = ? WHERE id = ?", database.Micros(dir.now()), id); err != nil {
		return fmt.Errorf("disable person: %w", err)
	}
	return dir.RevokeSessions(ctx, tx, id)
}

// Enable opens a disabled or idle account again. It fails with NotFound, and
// with Conflict where somebody else has the collar number by now.
func (dir *Directory) Enable(ctx context.Context, tx *database.Tx, id evidence.ID) error {
	changed, err := tx.Exec(ctx, "UPDATE people SET disabled_at = 0, active_at = ? WHERE id = ?", database.Micros(dir.now()), id)
	switch {
	case database.IsDuplicate(err):
		return evidence.Wrap(evidence.Conflict, err, "Somebody else has that collar number by now.")
	case err != nil:
		return fmt.Errorf("enable person: %w", err)
	case changed == 0:
		return noPerson()
	}
	return nil
}

// List is everybody with an account, by sign-in name.
func (dir *Directory) List(ctx context.Context) (people []Person, err error) {
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		people, err = dir.ListIn(ctx, tx)
		return err
	})
	return people, err
}

// Person is one person by ID. It fails with NotFound.
func (dir *Directory) Person(ctx context.Context, id evidence.ID) (p Person, err error) {
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		p, _, err = personBy(ctx, tx, "id = ?", id)
		return err
	})
	return p, err
}

// ByName is the account that somebody means by a sign-in name or a collar
// number, open or closed; where a number was several people's, the open one's.
// It fails with NotFound.
func (dir *Directory) ByName(ctx context.Context, text string) (p Person, err error) {
	text = strings.TrimSpace(text)
	login := normalLogin(text)
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		if p, _, err = personBy(ctx, tx, "login = ?", login); evidence.CodeOf(err) != evidence.NotFound || text == "" {
			return err
		}
		p, _, err = personBy(ctx, tx, "number = ? ORDER BY disabled_at LIMIT 1", text)
		return err
	})
	return p, err
}

func noPerson() error { return evidence.Errorf(evidence.NotFound, "There is no such account.") }

const personColumns = "id, login, name, number, role, disabled_at, created_at, active_at, password"

// personBy reads the one person that where picks, with the stored password. It
// fails with NotFound.
func personBy(ctx context.Context, tx *database.Tx, where string, arg any) (Person, string, error) {
	p, password, err := scanPerson(tx.QueryRow(ctx, "SELECT "+personColumns+" FROM people WHERE "+where, arg))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, "", noPerson()
	}
	if err != nil {
		return Person{}, "", fmt.Errorf("read person: %w", err)
	}
	return p, password, nil
}

func scanPerson(r interface{ Scan(...any) error }) (p Person, password string, err error) {
	var disabled, created, active int64
	err = r.Scan(&p.ID, &p.Login, &p.Name, &p.Number, &p.Role, &disabled, &created, &active, &password)
	p.Disabled, p.CreatedAt, p.ActiveAt = disabled != 0, database.Time(created), database.Time(active)
	return p, password, err
}
