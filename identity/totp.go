package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // what code apps compute with: RFC 6238, 1.2
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"time"

	"custos/database"
	"custos/evidence"
)

// What code apps take for granted (RFC 6238, 5.2 and 4.1).
const (
	totpPeriod = 30 * time.Second
	totpDigits = 6
	totpSecret = 20 // bytes, the length of the hash (RFC 4226, 4)
	// totpSkew is how many periods the app's clock may be off either way.
	totpSkew = 1
)

func totpStep(t time.Time) int64 { return t.Unix() / int64(totpPeriod/time.Second) }

// hotp is the code of one step (RFC 4226, 5.3) with that many digits.
func hotp(secret []byte, step int64, digits int) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	limit := uint32(1)
	for range digits {
		limit *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%limit)
}

// matchTOTP finds the step after `after` and close to now whose code this is;
// 0 where there is none. A code works once: its step is the next `after`.
func matchTOTP(secret []byte, code string, now time.Time, after int64) (step int64) {
	for d := int64(-totpSkew); d <= totpSkew; d++ {
		at := totpStep(now) + d
		if subtle.ConstantTimeCompare([]byte(hotp(secret, at, totpDigits)), []byte(code)) == 1 && at > after {
			step = at
		}
	}
	return step
}

// NewTOTP is a secret for a code app that is not confirmed yet.
type NewTOTP struct {
	Secret string `json:"secret"` // base32, for typing
	URI    string `json:"uri"`    // otpauth://…, for a QR code
}

// BeginTOTP makes a secret for the code app of a session's person, in place of
// one that was not confirmed. It counts for nothing before ConfirmTOTP. It
// fails with Conflict where the person has one already, and Unauthenticated.
func (dir *Directory) BeginTOTP(ctx context.Context, token string) (out NewTOTP, err error) {
	secret := make([]byte, totpSecret)
	if err := dir.random(secret); err != nil {
		return NewTOTP{}, err
	}
	now := dir.now()
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		p, _, err := sessionBy(ctx, tx, token, now)
		if err != nil {
			return err
		}
		sealed, err := dir.seal("totp/"+string(p.ID), secret)
		if err != nil {
			return err
		}
		changed, err := tx.Exec(ctx, `INSERT INTO totps (person, secret, step, created_at, confirmed_at) VALUES (?, ?, 0, ?, 0)
			ON CONFLICT (person) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at WHERE totps.confirmed_at = 0`,
			p.ID, sealed, database.Micros(now))
		if err != nil {
			return fmt.Errorf("begin codes: %w", err)
		}
		if changed == 0 {
			return evidence.Errorf(evidence.Conflict, "You have a code app already. Remove it first; nothing was changed.")
		}
		out.Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
		label := url.PathEscape(dir.site.Name + ":" + p.Login)
		out.URI = "otpauth://totp/" + label + "?" + url.Values{"secret": {out.Secret}, "issuer": {dir.site.Name}}.Encode()
		return nil
	})
	return out, err
}

// ConfirmTOTP makes the secret of BeginTOTP count, once its app has shown a
// code of it, and renews the session. It fails with Invalid for a wrong code or
// where the account has no password to go with the codes, NotFound where there
// is nothing to confirm.
func (dir *Directory) ConfirmTOTP(ctx context.Context, tx *database.Tx, token, code string) (SignedIn, error) {
	now := dir.now()
	p, s, err := sessionBy(ctx, tx, token, now)
	if err != nil {
		return SignedIn{}, err
	}
	if _, password, err := personBy(ctx, tx, "id = ?", p.ID); err != nil {
		return SignedIn{}, err
	} else if password == "" {
		return SignedIn{}, evidence.Errorf(evidence.Invalid, "Codes go with a password. Set a password first.")
	}
	t, err := dir.totpOf(ctx, tx, p.ID)
	if err != nil {
		return SignedIn{}, err
	}
	if t == nil || t.confirmed {
		return SignedIn{}, evidence.Errorf(evidence.NotFound, "There is no code app to confirm. Begin again.")
	}
	step := matchTOTP(t.secret, code, now, 0)
	if step == 0 {
		return SignedIn{}, evidence.Errorf(evidence.Invalid, "That is not the code that the app should show. Look at the clock of the device, and type the newest code.")
	}
	if _, err := tx.Exec(ctx, "UPDATE totps SET step = ?, confirmed_at = ? WHERE person = ?", step, database.Micros(now), p.ID); err != nil {
		return SignedIn{}, fmt.Errorf("confirm codes: %w", err)
	}
	return dir.enrolled(ctx, tx, token, s, ByCode)
}

// RevokeTOTP takes away a code app that was lost, whatever else there is. It
// fails with NotFound.
func (dir *Directory) RevokeTOTP(ctx context.Context, tx *database.Tx, person evidence.ID) error {
	n, err := tx.Exec(ctx, "DELETE FROM totps WHERE person = ?", person)
	if err != nil {
		return fmt.Errorf("remove codes: %w", err)
	}
	if n == 0 {
		return evidence.Errorf(evidence.NotFound, "There is no code app to remove.")
	}
	return nil
}

// RemoveTOTP takes somebody's code app away. It fails with NotFound where they
// have none, and with Conflict where they could not sign in any more.
func (dir *Directory) RemoveTOTP(ctx context.Context, tx *database.Tx, person evidence.ID) error {
	if err := dir.RevokeTOTP(ctx, tx, person); err != nil {
		return err
	}
	return dir.notTheLast(ctx, tx, person)
}

// totp is somebody's code app.
type totp struct {
	secret    []byte
	step      int64
	confirmed bool
}

// totpOf is nil where the person has none.
func (dir *Directory) totpOf(ctx context.Context, tx *database.Tx, person evidence.ID) (*totp, error) {
	var t totp
	var sealed []byte
	var confirmed int64
	err := tx.QueryRow(ctx, "SELECT secret, step, confirmed_at FROM totps WHERE person = ?", person).Scan(&sealed, &t.step, &confirmed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read codes: %w", err)
	}
	t.confirmed = confirmed != 0
	t.secret, err = dir.unseal("totp/"+string(person), sealed)
	return &t, err
}
