package identity

import (
	"context"
	"crypto/hmac"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
)

// factors is what somebody can show beside their password.
type factors struct {
	password bool
	totp     *totp // nil: none that is confirmed
	recovery [][]byte
	passkeys int
}

// second tells whether there is any second factor: then the password alone
// opens nothing.
func (f factors) second() bool { return f.totp != nil || f.passkeys > 0 }

func (dir *Directory) factorsOf(ctx context.Context, tx *database.Tx, person evidence.ID) (f factors, err error) {
	if f.totp, err = dir.totpOf(ctx, tx, person); err != nil {
		return f, err
	}
	if f.totp != nil && !f.totp.confirmed {
		f.totp = nil
	}
	if f.recovery, err = recoveryCodesOf(ctx, tx, person); err != nil {
		return f, err
	}
	var password string
	if err := tx.QueryRow(ctx, `SELECT COALESCE((SELECT password FROM people WHERE id = ?), ''), (SELECT COUNT(*) FROM passkeys WHERE person = ?)`,
		person, person).Scan(&password, &f.passkeys); err != nil {
		return f, fmt.Errorf("count passkeys: %w", err)
	}
	f.password = password != ""
	return f, nil
}

// shown is how a code that came with a password was good.
type shown struct {
	method    string // ByCode, ByRecoveryCode; ByPassword where none was needed
	enrolling bool   // the password is good, and nothing more than enrolling may follow
	step      int64  // of the code app's code
	code      []byte // stored form of the recovery code
}

// judge says what a right password and this code are good for; ok is false for
// nothing.
func (dir *Directory) judge(f factors, code string, now time.Time) (s shown, ok bool) {
	if code == "" {
		if f.second() {
			return s, false
		}
		return shown{method: ByPassword, enrolling: !dir.optional}, true
	}
	if f.totp != nil {
		if step := matchTOTP(f.totp.secret, code, now, f.totp.step); step != 0 {
			return shown{method: ByCode, step: step}, true
		}
	}
	stored := dir.storedRecoveryCode(code)
	for _, c := range f.recovery {
		if hmac.Equal(c, stored) {
			s = shown{method: ByRecoveryCode, code: c}
		}
	}
	return s, s.code != nil
}

// use makes sure that a code works once. It fails as every bad sign-in where
// somebody else was faster.
func (s shown) use(ctx context.Context, tx *database.Tx, person evidence.ID, now time.Time) error {
	used := int64(1)
	var err error
	switch s.method {
	case ByCode:
		used, err = tx.Exec(ctx, "UPDATE totps SET step = ? WHERE person = ? AND step < ? AND confirmed_at <> 0", s.step, person, s.step)
	case ByRecoveryCode:
		used, err = tx.Exec(ctx, "UPDATE recovery_codes SET used_at = ? WHERE person = ? AND code = ? AND used_at = 0", database.Micros(now), person, s.code)
	}
	if err != nil {
		return fmt.Errorf("use code: %w", err)
	}
	if used == 0 {
		return badSignIn()
	}
	return nil
}

// notTheLast fails with Conflict where a person has no way to sign in left.
func (dir *Directory) notTheLast(ctx context.Context, tx *database.Tx, person evidence.ID) error {
	f, err := dir.factorsOf(ctx, tx, person)
	if err != nil {
		return err
	}
	if f.passkeys > 0 || f.password && (f.totp != nil || dir.optional) {
		return nil
	}
	return evidence.Errorf(evidence.Conflict, "That is the last way for this account to sign in. Set up another one first; nothing was changed.")
}

// enrolled is what follows when a session's person has set up a passkey or a
// code app: an enrolling session becomes a whole one. The token changes.
func (dir *Directory) enrolled(ctx context.Context, tx *database.Tx, token string, s Session, method string) (SignedIn, error) {
	if !s.Enrolling {
		method = s.Method
	} else if _, err := tx.Exec(ctx, "UPDATE sign_in_sessions SET enrolling = 0 WHERE id = ?", s.ID); err != nil {
		return SignedIn{}, fmt.Errorf("end enrolment: %w", err)
	}
	return dir.renew(ctx, tx, token, method)
}

// Credentials is how somebody can sign in, for them and for administrators.
type Credentials struct {
	Password      bool
	Passkeys      []Passkey
	TOTP          time.Time // when the code app was set up; zero: none
	RecoveryLeft  int
	RecoveryUsed  int
	SecondMissing bool // MFA is required and there is no second factor
}

// Credentials are those of a person. It fails with NotFound.
func (dir *Directory) Credentials(ctx context.Context, person evidence.ID) (c Credentials, err error) {
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		_, password, err := personBy(ctx, tx, "id = ?", person)
		if err != nil {
			return err
		}
		c.Password = password != ""
		if c.Passkeys, err = passkeysOf(ctx, tx, person); err != nil {
			return err
		}
		var at int64
		if err := tx.QueryRow(ctx, `SELECT COALESCE((SELECT confirmed_at FROM totps WHERE person = ?), 0),
			(SELECT COUNT(*) FROM recovery_codes WHERE person = ? AND used_at = 0), (SELECT COUNT(*) FROM recovery_codes WHERE person = ? AND used_at <> 0)`,
			person, person, person).Scan(&at, &c.RecoveryLeft, &c.RecoveryUsed); err != nil {
			return fmt.Errorf("read credentials: %w", err)
		}
		c.TOTP = database.Time(at)
		c.SecondMissing = !dir.optional && len(c.Passkeys) == 0 && at == 0
		return nil
	})
	return c, err
}

// WithoutSecondFactor counts the open accounts that may sign in with a password
// alone; 0 where MFA is required, as nobody then may.
func (dir *Directory) WithoutSecondFactor(ctx context.Context) (n int, err error) {
	if !dir.optional {
		return 0, nil
	}
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM people p WHERE p.disabled_at = 0 AND p.password <> ''
			AND NOT EXISTS (SELECT 1 FROM passkeys k WHERE k.person = p.id) AND NOT EXISTS (SELECT 1 FROM totps t WHERE t.person = p.id AND t.confirmed_at <> 0)`).Scan(&n)
	})
	if err != nil {
		err = fmt.Errorf("count accounts without a second factor: %w", err)
	}
	return n, err
}
