// Package identity knows who somebody is: the people with accounts, how they
// prove it, their sign-in sessions, and the docks' keys. What somebody may do
// is package access's; where they belong is package organisation's.
//
// Authenticate and AuthenticateDock make an evidence.Actor; everything above
// takes that for who acts.
//
// Writes take the caller's transaction, so that custody can write the ledger's
// record of them in the same one. Signing in and out is recorded here, and by
// the caller.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/webauthn"

	"custos/database"
	"custos/evidence"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are the settings of identity; the zero value is right for a server.
type Options struct {
	// Role tells whether a role exists; nil: every text is one.
	Role func(name string) bool

	// Key hides small secrets and makes challenges: KeyLength random bytes that
	// are not in the database. nil: one for the life of this Directory, which
	// fits tests.
	Key []byte
	// Site is where browsers reach the service. Left out: http://localhost.
	Site Site
	// Optional lets people without a second factor sign in with a password
	// alone. It is for demonstrations and tests.
	Optional bool
	// Record writes what happened into the ledger, in the transaction that
	// makes it happen. nil: nobody does.
	Record func(ctx context.Context, tx *database.Tx, h Happened) error

	Now  func() time.Time // nil = time.Now
	Rand io.Reader        // nil = crypto/rand; else used by one goroutine at a time
}

// Happened is something about signing in that the ledger must know.
type Happened struct {
	Actor  evidence.Actor // of a failure: only where the request came from
	Failed bool
	Fields []evidence.Field
}

// Directory is the open register of people, sessions and docks. All methods
// may be called concurrently.
type Directory struct {
	db      *database.DB
	now     func() time.Time
	role    func(string) bool
	cost    cost
	decoy   string        // a password hash that no password matches
	signIns chan struct{} // a place for each sign-in that may hash at once
	setting sync.Mutex    // held while the hash of a new password is made

	secret   []byte // Options.Key
	site     Site
	rp       *webauthn.WebAuthn // nil: the site's address cannot have passkeys
	optional bool
	record   func(ctx context.Context, tx *database.Tx, h Happened) error

	randMu sync.Mutex
	rand   io.Reader // guarded by randMu
}

// Open brings the tables of identity in db to the newest version.
func Open(ctx context.Context, db *database.DB, opt Options) (*Directory, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open identity: %w", err)
	}
	if err := db.Migrate(ctx, "identity", files); err != nil {
		return nil, fmt.Errorf("open identity: %w", err)
	}
	dir := &Directory{db: db, now: opt.Now, role: opt.Role, rand: opt.Rand, cost: owasp, signIns: make(chan struct{}, 2)}
	if dir.role == nil {
		dir.role = func(string) bool { return true }
	}
	if dir.now == nil {
		dir.now = time.Now
	}
	if dir.rand == nil {
		dir.rand = rand.Reader
	}
	if err := dir.setUp(opt); err != nil {
		return nil, fmt.Errorf("open identity: %w", err)
	}
	if dir.decoy, err = dir.hash(""); err != nil { // the rules for passwords refuse the empty one
		return nil, fmt.Errorf("open identity: %w", err)
	}
	return dir, nil
}

// setUp takes over what Options say of passkeys, codes and the ledger.
func (dir *Directory) setUp(opt Options) (err error) {
	dir.secret, dir.site, dir.optional, dir.record = opt.Key, opt.Site, opt.Optional, opt.Record
	if dir.secret == nil {
		dir.secret = make([]byte, KeyLength)
		if err := dir.random(dir.secret); err != nil {
			return err
		}
	}
	if len(dir.secret) != KeyLength {
		return errors.New("the key has not 32 bytes")
	}
	if dir.site.URL == "" {
		dir.site = Site{Name: "Custos", URL: "http://localhost"}
	}
	if dir.record == nil {
		dir.record = func(context.Context, *database.Tx, Happened) error { return nil }
	}
	dir.rp, err = newRelyingParty(dir.site)
	return err
}

// random fills b.
func (dir *Directory) random(b []byte) error {
	dir.randMu.Lock()
	defer dir.randMu.Unlock()
	if _, err := io.ReadFull(dir.rand, b); err != nil {
		return fmt.Errorf("draw random numbers: %w", err)
	}
	return nil
}

func (dir *Directory) newID() evidence.ID {
	dir.randMu.Lock()
	defer dir.randMu.Unlock()
	return evidence.NewID(dir.now(), dir.rand)
}

// newSecret is 256 random bits as 43 characters of base64url after prefix, and
// the SHA-256 of that text, which is all that is stored of it.
func (dir *Directory) newSecret(prefix string) (secret string, stored []byte, err error) {
	var b [32]byte
	if err := dir.random(b[:]); err != nil {
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
