package custody

import (
	"context"
	"errors"

	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/ledger"
)

// accounts is the item of sign-ins and of what people do to their own accounts:
// apart from what is done to the service, as it is so much more.
const accounts = "accounts"

// Happened records what package identity says of signing in and out, in the
// transaction that makes it happen. While the ledger takes nothing, people
// still sign in, to see why: they see no footage then, and the server's log
// says that the record is missing. Errors: those of the database.
func (c *Custody) Happened(ctx context.Context, tx *database.Tx, h identity.Happened) error {
	if err := c.Ledger.Accepts(); err != nil {
		c.Logger.ErrorContext(ctx, "a sign-in or sign-out could not be recorded", "actor", h.Actor.ID, "err", err)
		return nil
	}
	phase := evidence.Outcome
	if h.Failed {
		phase = evidence.Refused
	}
	_, err := c.Ledger.Append(ctx, tx, ledger.Event{Item: accounts, Verb: evidence.Identify, Phase: phase, At: c.Now(), Actor: h.Actor, Fields: h.Fields})
	return err
}

// OwnAccount records what actor does to their own account (another password, a
// passkey, the end of a session) in the transaction that do makes the change
// in: no change without its record. There is nothing to decide; that it is
// their own is for the caller to see to. Errors: Unavailable, or do's own.
func (c *Custody) OwnAccount(ctx context.Context, actor evidence.Actor, fields []evidence.Field, do func(tx *database.Tx) error) error {
	return c.DB.Write(ctx, func(tx *database.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		_, err := c.Ledger.Append(ctx, tx, ledger.Event{Item: accounts, Verb: evidence.Identify, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Fields: fields})
		return err
	})
}

// EndSignedOut ends the viewings whose sign-in session has ended; open tells
// which of the sessions have not. What is being read breaks off. It knows the
// viewings that this process serves: each server does so for its own, twice a
// second and whenever it ends a session. Nothing more is read of a viewing whose
// end could not be recorded; EndExpired records it later. Errors: those of open
// and the ledger.
func (c *Custody) EndSignedOut(ctx context.Context, open func(ctx context.Context, sessions []string) (map[string]bool, error)) error {
	c.mu.Lock()
	viewings, sessions := map[string][]*consult{}, []string{}
	for _, k := range c.open {
		if !k.ended {
			if viewings[k.Actor.Session] == nil {
				sessions = append(sessions, k.Actor.Session)
			}
			viewings[k.Actor.Session] = append(viewings[k.Actor.Session], k)
		}
	}
	c.mu.Unlock()
	if len(sessions) == 0 {
		return nil
	}
	still, err := open(ctx, sessions)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if still[s] {
			continue
		}
		for _, k := range viewings[s] {
			err = errors.Join(err, c.end(ctx, k, "signed out", 0))
		}
	}
	return err
}
