// Package access knows who may do what: the people with accounts, their
// sign-in sessions, the docks' keys, and the one rule that decides.
//
// The rule denies by default. What it allows is the table in policy.go and
// nothing else: who is not in the table, for an act that is not in it, gets
// nothing. The filter of a list (Scope) and the check of one recording
// (Decide) are the same rule; Decide asks Scope.
//
// Accounts with passwords are the first way to prove who one is. Passkeys and
// the force's own identity provider, units, case membership and purposes come
// in behind the same two questions: Authenticate makes an evidence.Actor, and
// Decide and Scope answer for it.
//
// Writes take the caller's transaction, so that custody can write the ledger's
// record of them in the same one. Signing in and out is recorded here, and by
// the caller.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
	"unicode/utf8"

	"custos/database"
	"custos/evidence"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are the settings of access; the zero value is right for a server.
type Options struct {
	Now  func() time.Time // nil = time.Now
	Rand io.Reader        // nil = crypto/rand; else used by one goroutine at a time
}

// Access is the open register of people, sessions and docks, and the rule.
// All methods may be called concurrently.
type Access struct {
	db      *database.DB
	now     func() time.Time
	policy  policy
	cost    cost
	decoy   string        // a password hash that no password matches
	signIns chan struct{} // a place for each sign-in that may hash at once
	setting sync.Mutex    // held while the hash of a new password is made

	randMu sync.Mutex
	rand   io.Reader // guarded by randMu
}

// Open brings the tables of access in db to the newest version.
func Open(ctx context.Context, db *database.DB, opt Options) (*Access, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open access: %w", err)
	}
	if err := db.Migrate(ctx, "access", files); err != nil {
		return nil, fmt.Errorf("open access: %w", err)
	}
	a := &Access{db: db, now: opt.Now, rand: opt.Rand, policy: newPolicy(), cost: owasp, signIns: make(chan struct{}, 2)}
	if a.now == nil {
		a.now = time.Now
	}
	if a.rand == nil {
		a.rand = rand.Reader
	}
	if a.decoy, err = a.hash(""); err != nil { // the rules for passwords refuse the empty one
		return nil, fmt.Errorf("open access: %w", err)
	}
	return a, nil
}

// random fills b.
func (a *Access) random(b []byte) error {
	a.randMu.Lock()
	defer a.randMu.Unlock()
	if _, err := io.ReadFull(a.rand, b); err != nil {
		return fmt.Errorf("draw random numbers: %w", err)
	}
	return nil
}

func (a *Access) newID() evidence.ID {
	a.randMu.Lock()
	defer a.randMu.Unlock()
	return evidence.NewID(a.now(), a.rand)
}

// newSecret is 256 random bits as 43 characters of base64url after prefix, and
// the SHA-256 of that text, which is all that is stored of it.
func (a *Access) newSecret(prefix string) (secret string, stored []byte, err error) {
	var b [32]byte
	if err := a.random(b[:]); err != nil {
		return "", nil, err
	}
	secret = prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, storedSecret(secret), nil
}

// storedSecret is how a secret of newSecret is looked up. A search by digest
// tells a guesser nothing through its timing, and 256 random bits need no slow
// hash.
func storedSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // an error of the reading itself is in rows.Err
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// checkText fails with Invalid for a text that cannot be kept or shown in one
// line.
func checkText(what, s string, limit int) error {
	if len(s) > limit || !utf8.ValidString(s) {
		return evidence.Errorf(evidence.Invalid, "The %s must be text of at most %d bytes.", what, limit)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return evidence.Errorf(evidence.Invalid, "The %s must be one line of plain text.", what)
		}
	}
	return nil
}
