// Package access knows who may do what to which recording: the one rule that
// decides. Who somebody is, is package identity's; where they belong, package
// organisation's.
//
// The rule denies by default. What it allows is the policy, a text
// (policy.toml), and nothing else: a permission is a verb, how far it reaches,
// for which classes of recordings and in which state. Scope turns the
// permissions of somebody into an evidence.Scope, which is the filter of lists
// and the check of one recording alike; Decide asks Scope, and says why.
package access

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"custos/evidence"
)

// Standing is what the rule must know of a person besides their role.
type Standing struct {
	Units  []evidence.ID // theirs: those they lead with all below, or the one they are posted to
	Cases  []evidence.ID // open cases they are a member of
	Grants []Grant       // emergency access
	Listed bool          // their name is on some recording's access list
}

// Grant is emergency access that somebody opened.
type Grant struct {
	ID    evidence.ID
	Until time.Time
}

// Config says what the rule stands on. The zero value is the shipped policy in
// a force where nobody belongs anywhere.
type Config struct {
	Policy   []byte // nil: Shipped
	Purposes []byte // nil: ShippedPurposes
	// Standing tells where a person belongs at a moment. It is asked at most once a second for one
	// person, or after Changed. nil: nowhere.
	Standing func(ctx context.Context, person evidence.ID, at time.Time) (Standing, error)
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: discard
}

// Access is the rule. All methods may be called concurrently.
type Access struct {
	policy   policy
	purposes []Purpose
	texts    [2]evidence.Digest // of both
	standing func(ctx context.Context, person evidence.ID, at time.Time) (Standing, error)
	now      func() time.Time
	log      *slog.Logger

	mu    sync.Mutex
	known map[evidence.ID]known // by person; guarded by mu
	age   uint64                // grows with Changed; guarded by mu
}

// known is a standing and when it was asked for.
type known struct {
	Standing
	at time.Time
}

// New makes the rule. It fails with Invalid for a policy that cannot be
// followed.
func New(c Config) (*Access, error) {
	if c.Policy == nil {
		c.Policy = Shipped
	}
	p, err := parsePolicy(c.Policy)
	if err != nil {
		return nil, err
	}
	if c.Purposes == nil {
		c.Purposes = ShippedPurposes
	}
	purposes, err := parsePurposes(c.Purposes)
	if err != nil {
		return nil, err
	}
	a := &Access{policy: p, purposes: purposes, texts: [2]evidence.Digest{sha256.Sum256(c.Policy), sha256.Sum256(c.Purposes)}, standing: c.Standing, now: c.Now, log: c.Logger, known: map[evidence.ID]known{}}
	if a.standing == nil {
		a.standing = func(context.Context, evidence.ID, time.Time) (Standing, error) { return Standing{}, nil }
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a, nil
}

// Texts are the SHA-256 of the policy and of the list of purposes.
func (a *Access) Texts() (policy, purposes evidence.Digest) { return a.texts[0], a.texts[1] }

// How long a standing is believed, so that a check costs no look into the
// database. A change made by another server takes effect this much later; one
// made by this server, at once (Changed).
const (
	standingKept = time.Second
	standingMost = 50_000 // people remembered
)

// Changed makes the rule ask anew where everybody belongs. Call it when a
// change of that has been committed.
func (a *Access) Changed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.age++
	clear(a.known)
}

// standingOf is where a person belongs now.
func (a *Access) standingOf(ctx context.Context, person evidence.ID, now time.Time) (Standing, error) {
	a.mu.Lock()
	k, ok := a.known[person]
	age := a.age
	a.mu.Unlock()
	if since := now.Sub(k.at); ok && since >= 0 && since < standingKept {
		return k.Standing, nil
	}
	s, err := a.standing(ctx, person, now)
	if err != nil {
		return Standing{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if age != a.age { // it changed while it was read
		return s, nil
	}
	if len(a.known) >= standingMost {
		clear(a.known)
	}
	a.known[person] = known{s, now}
	return s, nil
}
