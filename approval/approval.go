// Package approval is where two people meet: an act that one person asks for
// and another allows, and emergency access, which one person takes and another
// reviews.
//
// A request is of a registered kind. Approving it and carrying it out are one
// transaction with the change itself and its events, under a lock on the
// request's row: it is carried out once or not at all, however many approve it
// at the same time and wherever the power goes. Nobody approves what they
// asked for, what is about themselves, or what somebody asked for whom they
// report to.
//
// Emergency access (break-glass) takes effect at once, for 15 minutes at most.
// What makes it safe is what follows: an alert to those who review it, every
// look under it marked in the trail, and a review due within 24 hours.
package approval

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/identity"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what a Room is made of. All fields but the last group must be set.
type Config struct {
	DB       *database.DB
	Custody  *custody.Custody
	Access   *access.Access
	Identity *identity.Directory
	// ReportsTo tells whether person a reported to person b at a time,
	// directly or through others.
	ReportsTo func(ctx context.Context, a, b evidence.ID, at time.Time) (bool, error)

	Changed func()           // told after any change of a request; nil: nobody listens
	Glass   func(Emergency)  // told after any change of emergency access; nil: as above
	Now     func() time.Time // nil: time.Now
	Rand    io.Reader        // nil: crypto/rand; else used by one goroutine at a time
	Logger  *slog.Logger     // nil: discard
}

// Room is the open room. All methods may be called concurrently.
type Room struct {
	Config
	kinds []Kind // by name

	randMu sync.Mutex // guards reads of Config.Rand
}

// Open brings the tables up to date. Kinds are those of requests that there
// can be.
func Open(ctx context.Context, c Config, kinds ...Kind) (*Room, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open approvals: %w", err)
	}
	if err := c.DB.Migrate(ctx, "approval", files); err != nil {
		return nil, fmt.Errorf("open approvals: %w", err)
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Glass == nil {
		c.Glass = func(Emergency) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Room{Config: c, kinds: kinds}, nil
}

func (m *Room) newID() evidence.ID {
	m.randMu.Lock()
	defer m.randMu.Unlock()
	return evidence.NewID(m.Now(), m.Rand)
}

// reports is ReportsTo for two actors who are people; anybody else reports to
// nobody.
func (m *Room) reports(ctx context.Context, a, b evidence.Actor) (bool, error) {
	if a.Kind != evidence.Person || b.Kind != evidence.Person {
		return false, nil
	}
	r, err := m.ReportsTo(ctx, evidence.ID(a.ID), evidence.ID(b.ID), m.Now())
	if err != nil {
		return false, fmt.Errorf("look up who reports to whom: %w", err)
	}
	return r, nil
}
