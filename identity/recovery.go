package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"

	"custos/database"
	"custos/evidence"
)

// recoveryCodes is how many codes somebody gets at once.
const recoveryCodes = 10

// newRecoveryCode is 80 random bits as four groups of letters and digits that
// are hard to mistake.
func (dir *Directory) newRecoveryCode() (string, error) {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [16]byte
	if err := dir.random(b[:]); err != nil {
		return "", err
	}
	var out strings.Builder
	for i, v := range b {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[v&31])
	}
	return out.String(), nil
}

// storedRecoveryCode is what is kept of a code, however it was typed: case,
// blanks and hyphens do not matter, and o is 0, i and l are 1.
func (dir *Directory) storedRecoveryCode(code string) []byte {
	code = strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(code))
	m := hmac.New(sha256.New, dir.key("recovery"))
	m.Write([]byte(code))
	return m.Sum(nil)
}

// NewRecoveryCodes gives the person of a session ten codes, each of which
// stands once for a code app's code, in place of any they had. They are shown
// this once.
func (dir *Directory) NewRecoveryCodes(ctx context.Context, tx *database.Tx, person evidence.ID) ([]string, error) {
	if _, err := tx.Exec(ctx, "DELETE FROM recovery_codes WHERE person = ?", person); err != nil {
		return nil, fmt.Errorf("make recovery codes: %w", err)
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		code, err := dir.newRecoveryCode()
		if err != nil {
			return nil, err
		}
		codes[i] = code
		if _, err := tx.Exec(ctx, "INSERT INTO recovery_codes (person, code, used_at) VALUES (?, ?, 0)", person, dir.storedRecoveryCode(code)); err != nil {
			return nil, fmt.Errorf("make recovery codes: %w", err)
		}
	}
	return codes, nil
}

// recoveryCodesOf are the stored forms of the codes that somebody has left.
func recoveryCodesOf(ctx context.Context, tx *database.Tx, person evidence.ID) ([][]byte, error) {
	rows, err := tx.Query(ctx, "SELECT code FROM recovery_codes WHERE person = ? AND used_at = 0", person)
	codes, err := database.Collect(rows, err, func(r *sql.Rows) (b []byte, err error) {
		err = r.Scan(&b)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read recovery codes: %w", err)
	}
	return codes, nil
}
