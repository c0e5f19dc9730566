package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// How long a session lasts (R23; OWASP ASVS 5.0, 7.3).
const (
	idleLock     = 30 * time.Minute
	sessionLimit = 12 * time.Hour
	// seenEvery is how often a use is written down: a session may lock this
	// much early, never late.
	seenEvery = time.Minute
	// freshFor is how long a proof of who somebody is counts for what must not
	// be done from a screen left open (ASVS 5.0, 7.5.3).
	freshFor = 5 * time.Minute
)

// How somebody proved who they are.
const (
	ByPasskey      = "passkey"
	ByPassword     = "password" // alone
	ByCode         = "code"     // with a password
	ByRecoveryCode = "recovery code"
	ByLink         = "link" // an enrolment link; opens nothing but enrolling
)

// Session is one sign-in that has not ended.
type Session struct {
	ID        evidence.ID `json:"id"` // its token is a secret and is nowhere stored
	Person    evidence.ID `json:"person"`
	Address   string      `json:"address"` // at sign-in
	CreatedAt time.Time   `json:"createdAt"`
	SeenAt    time.Time   `json:"seenAt"` // last used, to the minute
	Method    string      `json:"method"` // how it was begun or, after that, last proven: ByPassword, …
	ProvenAt  time.Time   `json:"provenAt"`
	Enrolling bool        `json:"enrolling"` // may do nothing but set up how its person signs in
}

// Fresh tells whether the person proved who they are within the last five
// minutes: at sign-in, or since by StepUp.
func (s Session) Fresh(now time.Time) bool { return now.Sub(s.ProvenAt) < freshFor }

// Ends is when the session ends if it is not used again.
func (s Session) Ends() time.Time {
	idle, limit := s.SeenAt.Add(idleLock), s.CreatedAt.Add(sessionLimit)
	if idle.Before(limit) {
		return idle
	}
	return limit
}

func (p Person) actor(s Session) evidence.Actor {
	return evidence.Actor{Kind: evidence.Person, ID: string(p.ID), Name: p.Name, Number: p.Number,
		Address: s.Address, Session: string(s.ID), Role: p.Role}
}

// Authenticate says whose session a token is of, with the role and number
// the person has now. Address is the one of the sign-in; the caller puts that
// of the request in its place.
//
// It fails with Unauthenticated, in one wording, for a token that is unknown,
// ended, unused for 30 minutes or older than 12 hours, or whose account is
// disabled.
func (dir *Directory) Authenticate(ctx context.Context, token string) (evidence.Actor, Session, error) {
	now := dir.now()
	var p Person
	var s Session
	err := dir.db.Read(ctx, func(tx *database.Tx) (err error) {
		p, s, err = sessionBy(ctx, tx, token, now)
		return err
	})
	if err != nil {
		return evidence.Actor{}, Session{}, err
	}
	if now.Sub(s.SeenAt) >= seenEvery {
		if err := dir.exec(ctx, "UPDATE sign_in_sessions SET seen_at = ? WHERE id = ? AND seen_at < ?",
			database.Micros(now), s.ID, database.Micros(now)); err != nil {
			return evidence.Actor{}, Session{}, fmt.Errorf("keep session: %w", err)
		}
	}
	return p.actor(s), s, nil
}

// sessionBy is the session of a token and whose it is; see Authenticate.
func sessionBy(ctx context.Context, tx *database.Tx, token string, now time.Time) (p Person, s Session, err error) {
	var created, seen, proven, disabled int64
	err = tx.QueryRow(ctx, `SELECT s.id, s.person, s.address, s.created_at, s.seen_at, s.method, s.proven_at, s.enrolling <> 0, p.id, p.login, p.name, p.number, p.role, p.disabled_at
		FROM sign_in_sessions s JOIN people p ON p.id = s.person WHERE s.token = ?`, storedSecret(token)).
		Scan(&s.ID, &s.Person, &s.Address, &created, &seen, &s.Method, &proven, &s.Enrolling, &p.ID, &p.Login, &p.Name, &p.Number, &p.Role, &disabled)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Person{}, Session{}, fmt.Errorf("look for session: %w", err)
	}
	s.CreatedAt, s.SeenAt, s.ProvenAt = database.Time(created), database.Time(seen), database.Time(proven)
	if err != nil || disabled != 0 || !now.Before(s.Ends()) {
		return Person{}, Session{}, evidence.Errorf(evidence.Unauthenticated, "You are not signed in, or your session has ended. Sign in to go on.")
	}
	return p, s, nil
}

// renew gives a session another token, so that one that was stolen before is
// worthless after, and notes how its person has just proven who they are. It
// fails with Unauthenticated where the session has ended meanwhile.
func (dir *Directory) renew(ctx context.Context, tx *database.Tx, token, method string) (SignedIn, error) {
	now := dir.now()
	p, s, err := sessionBy(ctx, tx, token, now)
	if err != nil {
		return SignedIn{}, err
	}
	token, kept, err := dir.newSecret("")
	if err != nil {
		return SignedIn{}, err
	}
	s.Method, s.ProvenAt = method, database.Time(database.Micros(now))
	if _, err := tx.Exec(ctx, "UPDATE sign_in_sessions SET token = ?, method = ?, proven_at = ? WHERE id = ?",
		kept, method, database.Micros(now), s.ID); err != nil {
		return SignedIn{}, fmt.Errorf("renew session: %w", err)
	}
	if err := dir.record(ctx, tx, Happened{Actor: p.actor(s), Fields: []evidence.Field{evidence.F("what", "proven again"), evidence.F("method", method)}}); err != nil {
		return SignedIn{}, err
	}
	return SignedIn{token, p.actor(s), s}, nil
}

// SessionOpen tells whether the session that actor acts in has not ended and
// its account is open (disabling one ends its sessions). Unlike Authenticate it does not count as use: a page
// that only listens must lock.
func (dir *Directory) SessionOpen(ctx context.Context, actor evidence.Actor) (bool, error) {
	sessions, err := dir.Sessions(ctx, evidence.ID(actor.ID))
	if err != nil {
		return false, err
	}
	for _, s := range sessions {
		if string(s.ID) == actor.Session && actor.ID != "" {
			return true, nil
		}
	}
	return false, nil
}

// OpenSessions tells which of the sessions have not ended. It does not count
// as use.
func (dir *Directory) OpenSessions(ctx context.Context, sessions []string) (map[string]bool, error) {
	open, now := map[string]bool{}, dir.now()
	err := dir.db.Read(ctx, func(tx *database.Tx) error {
		for some := range slices.Chunk(sessions, 500) {
			args := make([]any, len(some))
			for i, s := range some {
				args[i] = s
			}
			rows, err := tx.Query(ctx, "SELECT id, created_at, seen_at FROM sign_in_sessions WHERE id IN (?"+strings.Repeat(", ?", len(some)-1)+")", args...)
			found, err := database.Collect(rows, err, func(r *sql.Rows) (s Session, err error) {
				var created, seen int64
				err = r.Scan(&s.ID, &created, &seen)
				s.CreatedAt, s.SeenAt = database.Time(created), database.Time(seen)
				return s, err
			})
			if err != nil {
				return fmt.Errorf("look for sessions: %w", err)
			}
			for _, s := range found {
				open[string(s.ID)] = now.Before(s.Ends())
			}
		}
		return nil
	})
	return open, err
}

// exec runs one statement in a transaction of its own.
func (dir *Directory) exec(ctx context.Context, query string, args ...any) error {
	return dir.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
}

// SignOut ends the session of a token. Signing out twice, or with a token that
// never was, succeeds: nobody is signed in with it afterwards.
func (dir *Directory) SignOut(ctx context.Context, token string) error {
	return dir.db.Write(ctx, func(tx *database.Tx) error {
		p, s, err := sessionBy(ctx, tx, token, dir.now())
		if _, err := tx.Exec(ctx, "DELETE FROM sign_in_sessions WHERE token = ?", storedSecret(token)); err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
		if evidence.CodeOf(err) == evidence.Unauthenticated {
			return nil
		}
		if err != nil {
			return err
		}
		return dir.record(ctx, tx, Happened{Actor: p.actor(s), Fields: []evidence.Field{evidence.F("what", "signed out")}})
	})
}

// Sessions are the sessions of a person that have not ended, oldest first;
// everybody's for "".
func (dir *Directory) Sessions(ctx context.Context, person evidence.ID) (out []Session, err error) {
	now := dir.now()
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id, person, address, created_at, seen_at, method, proven_at, enrolling <> 0 FROM sign_in_sessions WHERE ? = '' OR person = ? ORDER BY id", person, person)
		all, err := database.Collect(rows, err, func(r *sql.Rows) (s Session, err error) {
			var created, seen, proven int64
			err = r.Scan(&s.ID, &s.Person, &s.Address, &created, &seen, &s.Method, &proven, &s.Enrolling)
			s.CreatedAt, s.SeenAt, s.ProvenAt = database.Time(created), database.Time(seen), database.Time(proven)
			return s, err
		})
		for _, s := range all {
			if now.Before(s.Ends()) {
				out = append(out, s)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return out, nil
}

// RevokeSession ends one session of a person at once. It fails with NotFound
// where it has ended already or is somebody else's.
func (dir *Directory) RevokeSession(ctx context.Context, tx *database.Tx, person, id evidence.ID) error {
	ended, err := tx.Exec(ctx, "DELETE FROM sign_in_sessions WHERE id = ? AND person = ?", id, person)
	if err != nil {
		return fmt.Errorf("revoke session: %w", err)
	}
	if ended == 0 {
		return evidence.Errorf(evidence.NotFound, "There is no such session; it may have ended.")
	}
	return nil
}

// RevokeSessions ends every session of a person at once.
func (dir *Directory) RevokeSessions(ctx context.Context, tx *database.Tx, person evidence.ID) error {
	if _, err := tx.Exec(ctx, "DELETE FROM sign_in_sessions WHERE person = ?", person); err != nil {
		return fmt.Errorf("revoke sessions: %w", err)
	}
	return nil
}
