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
	return evidence.Errorf(evidence.Unauthenticated, "That name, password and code did not work together. After five failures an account stays closed for 15 minutes; an administrator can help.")
}

func badStepUp() error {
	return evidence.Errorf(evidence.Denied, "That did not prove that it is you. Nothing was changed. After five failures the account stays closed for 15 minutes.")
}

// Proof is what somebody offers to show who they are. Address is the IP
// address that the request came from; Code is that of a code app or a recovery
// code, "" for whoever has neither.
type Proof struct {
	Login, Password, Code, Address string
}

// SignedIn is somebody with a session. The token is shown to the browser once
// and is not stored.
type SignedIn struct {
	Token   string
	Actor   evidence.Actor
	Session Session
}

// SignIn proves who somebody is by name and password, and begins a session.
//
// It fails with Unauthenticated, in one wording and after about the same time,
// for an unknown name, a wrong password, a missing, wrong or used code, an account that is disabled, idle for
// 90 days, or closed by five failures within 15 minutes; with Unavailable where
// ctx ends before one of the two places for hashing (46 MiB each) is free.
//
// A sign-in counts as failed from before its password is looked at until it
// has succeeded, so guesses made at the same time count too: no account sees
// more than five wrong guesses in any 15 minutes.
//
// Where MFA is required, the password of somebody who has no second factor yet
// begins an enrolling session; once they have one it opens nothing alone.
func (dir *Directory) SignIn(ctx context.Context, proof Proof) (SignedIn, error) {
	in, err := dir.prove(ctx, proof, func(ctx context.Context, tx *database.Tx, p Person, by shown) (SignedIn, error) {
		return dir.begin(ctx, tx, p, proof.Address, by)
	})
	if evidence.CodeOf(err) == evidence.NotFound { // the account went away meanwhile
		err = badSignIn()
	}
	return in, err
}

// StepUp proves once more who the person of a session is, for what must not be
// done from a screen left open. The session gets another token; the one given
// is worthless afterwards. A failure counts and reads like one of SignIn;
// Login of the proof is not looked at. It fails with Unauthenticated also where
// the session has ended.
func (dir *Directory) StepUp(ctx context.Context, token string, proof Proof) (SignedIn, error) {
	now := dir.now()
	if err := dir.db.Read(ctx, func(tx *database.Tx) error {
		p, _, err := sessionBy(ctx, tx, token, now)
		proof.Login = p.Login
		return err
	}); err != nil {
		return SignedIn{}, err
	}
	in, err := dir.prove(ctx, proof, func(ctx context.Context, tx *database.Tx, _ Person, by shown) (SignedIn, error) {
		return dir.renew(ctx, tx, token, by.method)
	})
	if evidence.CodeOf(err) == evidence.Unauthenticated {
		// Another code: the session goes on, only this proof was no good.
		err = badStepUp()
	}
	return in, err
}

// finish does what follows a good proof, in the transaction that takes its
// failure back.
type finish func(ctx context.Context, tx *database.Tx, p Person, by shown) (SignedIn, error)

// prove checks a proof; see SignIn.
func (dir *Directory) prove(ctx context.Context, proof Proof, then finish) (SignedIn, error) {
	select {
	case dir.signIns <- struct{}{}:
		defer func() { <-dir.signIns }()
	case <-ctx.Done():
		return SignedIn{}, evidence.Wrap(evidence.Unavailable, ctx.Err(), "Too many people are signing in just now. Try again in a moment.")
	}
	if len(proof.Password) > passwordMax {
		proof.Password = "" // no account has it; nor has any this long
	}
	if checkText("address", proof.Address, 64) != nil {
		proof.Address = ""
	}
	proof.Login = normalLogin(proof.Login)
	if checkLogin(proof.Login) != nil {
		proof.Login = "" // nobody's, and safe to ask the database for
	}
	t, err := dir.beginProof(ctx, proof)
	if err != nil {
		return SignedIn{}, err
	}
	ok, err := matches(t.stored, proof.Password)
	if err != nil {
		return SignedIn{}, err
	}
	by, good := dir.judge(t.factors, proof.Code, dir.now())
	if !ok || !good || t.stored == dir.decoy {
		return SignedIn{}, dir.failed(ctx, t.person, proof.Address, ByPassword, "", badSignIn())
	}
	return dir.endProof(ctx, proof, t.stored, by, then)
}

// try is an attempt that was begun.
type try struct {
	person  evidence.ID // "" = no account has the name
	stored  string      // the password to compare with; the decoy where nothing could match
	factors factors
}

// failed records a failed proof in the ledger and returns err. It writes the
// same for a name that nobody has, and never the name that was typed: people
// type passwords into the wrong box.
func (dir *Directory) failed(ctx context.Context, person evidence.ID, address, method, why string, err error) error {
	h := Happened{Failed: true, Actor: evidence.Actor{Kind: evidence.Person, Name: "Somebody not signed in", Address: address},
		Fields: []evidence.Field{evidence.F("what", "sign-in failed"), evidence.F("method", method), evidence.F("account", string(person)), evidence.F("reason", why)}}
	if werr := dir.db.Write(ctx, func(tx *database.Tx) error { return dir.record(ctx, tx, h) }); werr != nil {
		return werr
	}
	return err
}

// beginProof records a failure, to be taken back, and returns what to compare
// with: the decoy where nothing could match. It writes as
// much for a name that nobody has and for a closed account as for any other,
// so that the time a disk takes tells them apart no better than the words do.
func (dir *Directory) beginProof(ctx context.Context, proof Proof) (t try, err error) {
	now := dir.now()
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		// The lock makes attempts on one account take turns here.
		p, password, err := personBy(ctx, tx, "login = ?"+tx.Locking(), proof.Login)
		if err != nil && evidence.CodeOf(err) != evidence.NotFound {
			return err
		}
		var failures int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM sign_in_failures WHERE person = ? AND person <> '' AND closed = 0 AND at > ?",
			p.ID, database.Micros(now.Add(-failureWindow))).Scan(&failures); err != nil {
			return fmt.Errorf("count failed sign-ins: %w", err)
		}
		if t.factors, err = dir.factorsOf(ctx, tx, p.ID); err != nil {
			return err
		}
		t.person, t.stored = p.ID, password
		if password == "" || p.ID == "" || p.Disabled || now.Sub(p.ActiveAt) > idleLimit || failures >= failureLimit {
			t.stored = dir.decoy
		}
		closed := 0
		if failures >= failureLimit {
			closed = 1 // does not count: else anybody could keep the account closed for ever
		}
		if _, err := tx.Exec(ctx, "DELETE FROM sign_in_failures WHERE at < ?", database.Micros(now.Add(-failureKept))); err != nil {
			return fmt.Errorf("forget old failed sign-ins: %w", err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO sign_in_failures (id, person, address, closed, at) VALUES (?, ?, ?, ?, ?)",
			dir.newID(), p.ID, proof.Address, closed, database.Micros(now)); err != nil {
			return fmt.Errorf("count sign-in: %w", err)
		}
		return nil
	})
	return t, err
}

// endProof goes on with a person whose password matched stored.
func (dir *Directory) endProof(ctx context.Context, proof Proof, stored string, by shown, then finish) (in SignedIn, err error) {
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		p, password, err := personBy(ctx, tx, "login = ?"+tx.Locking(), proof.Login)
		if err != nil {
			return err
		}
		if p.Disabled || password != stored { // changed while the hash was made
			return badSignIn()
		}
		if _, err := tx.Exec(ctx, "DELETE FROM sign_in_failures WHERE person = ?", p.ID); err != nil {
			return fmt.Errorf("take failure back: %w", err)
		}
		if err := by.use(ctx, tx, p.ID, dir.now()); err != nil {
			return err
		}
		in, err = then(ctx, tx, p, by)
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

// begin begins a session.
func (dir *Directory) begin(ctx context.Context, tx *database.Tx, p Person, address string, by shown) (SignedIn, error) {
	token, kept, err := dir.newSecret("")
	if err != nil {
		return SignedIn{}, err
	}
	now := database.Micros(dir.now())
	at := database.Time(now)
	s := Session{ID: dir.newID(), Person: p.ID, Address: address, CreatedAt: at, SeenAt: at, Method: by.method, ProvenAt: at, Enrolling: by.enrolling}
	enrolling := 0
	if by.enrolling {
		enrolling = 1
	}
	for _, do := range []struct {
		query string
		args  []any
	}{
		{"UPDATE people SET active_at = ? WHERE id = ?", []any{now, p.ID}},
		{"DELETE FROM sign_in_sessions WHERE created_at < ?", []any{now - sessionLimit.Microseconds()}},
		{"INSERT INTO sign_in_sessions (id, token, person, address, created_at, seen_at, method, proven_at, enrolling) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			[]any{s.ID, kept, p.ID, address, now, now, by.method, now, enrolling}},
	} {
		if _, err := tx.Exec(ctx, do.query, do.args...); err != nil {
			return SignedIn{}, fmt.Errorf("begin session: %w", err)
		}
	}
	h := Happened{Actor: p.actor(s), Fields: []evidence.Field{evidence.F("what", "signed in"), evidence.F("method", by.method)}}
	return SignedIn{token, p.actor(s), s}, dir.record(ctx, tx, h)
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
		out, err = database.Collect(rows, err, func(r *sql.Rows) (f Failure, err error) {
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
