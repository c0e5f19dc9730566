package identity

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
)

// An account is closed for a while after this many failures in this time (R23).
const (
	failureLimit  = 5
	failureWindow = 15 * time.Minute
	failureKept   = 24 * time.Hour // then forgotten here; the ledger has its own record
)

// badSignIn is the one answer to every sign-in that fails, so that it tells a
// stranger nothing about which names exist.
func badSignIn() error {
	return evidence.Errorf(evidence.Unauthenticated, "That name and password did not work. After five failures an account stays closed for 15 minutes; an administrator can set a new password.")
}

// SignIn proves who somebody is by name and password, and begins a session.
// The token is shown to the browser once and is not stored; address is the IP
// address that the request came from.
//
// It fails with Unauthenticated, in one wording and after about the same time,
// for an unknown name, a wrong password, an account that is disabled, idle for
// 90 days, or closed by five failures within 15 minutes; with Unavailable where
// ctx ends before one of the two places for hashing (46 MiB each) is free.
//
// A sign-in counts as failed from before its password is looked at until it
// has succeeded, so guesses made at the same time count too: no account sees
// more than five wrong guesses in any 15 minutes.
func (dir *Directory) SignIn(ctx context.Context, login, password, address string) (token string, actor evidence.Actor, err error) {
	select {
	case dir.signIns <- struct{}{}:
		defer func() { <-dir.signIns }()
	case <-ctx.Done():
		return "", evidence.Actor{}, evidence.Wrap(evidence.Unavailable, ctx.Err(), "Too many people are signing in just now. Try again in a moment.")
	}
	if len(password) > passwordMax {
		password = "" // no account has it; nor has any this long
	}
	if checkText("address", address, 64) != nil {
		address = ""
	}
	login = normalLogin(login)
	if checkLogin(login) != nil {
		login = "" // nobody's, and safe to ask the database for
	}
	stored, err := dir.beginSignIn(ctx, login, address)
	if err != nil {
		return "", evidence.Actor{}, err
	}
	ok, err := matches(stored, password)
	if err != nil {
		return "", evidence.Actor{}, err
	}
	if !ok || stored == dir.decoy {
		return "", evidence.Actor{}, badSignIn()
	}
	return dir.endSignIn(ctx, login, stored, address)
}

// beginSignIn records a failure, to be taken back, and returns the stored
// password to compare with: the decoy where nothing could match. It writes as
// much for a name that nobody has and for a closed account as for any other,
// so that the time a disk takes tells them apart no better than the words do.
func (dir *Directory) beginSignIn(ctx context.Context, login, address string) (stored string, err error) {
	now := dir.now()
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		// The lock makes attempts on one account take turns here.
		p, password, err := personBy(ctx, tx, "login = ?"+tx.Locking(), login)
		if err != nil && evidence.CodeOf(err) != evidence.NotFound {
			return err
		}
		var failures int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM sign_in_failures WHERE person = ? AND person <> '' AND closed = 0 AND at > ?",
			p.ID, database.Micros(now.Add(-failureWindow))).Scan(&failures); err != nil {
			return fmt.Errorf("count failed sign-ins: %w", err)
		}
		stored = password
		if p.ID == "" || p.Disabled || now.Sub(p.ActiveAt) > idleLimit || failures >= failureLimit {
			stored = dir.decoy
		}
		closed := 0
		if failures >= failureLimit {
			closed = 1 // does not count: else anybody could keep the account closed for ever
		}
		if _, err := tx.Exec(ctx, "DELETE FROM sign_in_failures WHERE at < ?", database.Micros(now.Add(-failureKept))); err != nil {
			return fmt.Errorf("forget old failed sign-ins: %w", err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO sign_in_failures (id, person, address, closed, at) VALUES (?, ?, ?, ?, ?)",
			dir.newID(), p.ID, address, closed, database.Micros(now)); err != nil {
			return fmt.Errorf("count sign-in: %w", err)
		}
		return nil
	})
	return stored, err
}

// endSignIn begins the session of a person whose password matched stored.
func (dir *Directory) endSignIn(ctx context.Context, login, stored, address string) (token string, actor evidence.Actor, err error) {
	token, kept, err := dir.newSecret("")
	if err != nil {
		return "", evidence.Actor{}, err
	}
	now := dir.now()
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		p, password, err := personBy(ctx, tx, "login = ?"+tx.Locking(), login)
		if err != nil {
			return err
		}
		if p.Disabled || password != stored { // changed while the hash was made
			return badSignIn()
		}
		s := Session{ID: dir.newID(), Person: p.ID, Address: address}
		actor = p.actor(s)
		for _, do := range []struct {
			query string
			args  []any
		}{
			{"DELETE FROM sign_in_failures WHERE person = ?", []any{p.ID}},
			{"UPDATE people SET active_at = ? WHERE id = ?", []any{database.Micros(now), p.ID}},
			{"DELETE FROM sign_in_sessions WHERE created_at < ?", []any{database.Micros(now.Add(-sessionLimit))}},
			{"INSERT INTO sign_in_sessions (id, token, person, address, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
				[]any{s.ID, kept, p.ID, address, database.Micros(now), database.Micros(now)}},
		} {
			if _, err := tx.Exec(ctx, do.query, do.args...); err != nil {
				return fmt.Errorf("begin session: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return "", evidence.Actor{}, err
	}
	return token, actor, nil
}

// Failure is one sign-in that did not succeed.
type Failure struct {
	Person  evidence.ID `json:"person,omitempty"` // "" = no account has the name that was typed
	Address string      `json:"address"`
	Closed  bool        `json:"closed"` // the account was closed by then; no password was looked at
	At      time.Time   `json:"at"`
}

// Failures are the failed sign-ins of the last 24 hours, newest first, at most
// 1,000, without those that a later success took back.
func (dir *Directory) Failures(ctx context.Context) (out []Failure, err error) {
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT person, address, closed <> 0, at FROM sign_in_failures WHERE at > ? ORDER BY at DESC LIMIT 1000",
			database.Micros(dir.now().Add(-failureKept)))
		out, err = collect(rows, err, func(r *sql.Rows) (f Failure, err error) {
			var at int64
			err = r.Scan(&f.Person, &f.Address, &f.Closed, &at)
			f.At = database.Time(at)
			return f, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read failed sign-ins: %w", err)
	}
	return out, nil
}
