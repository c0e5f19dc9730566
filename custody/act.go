package custody

import (
	"context"
	"errors"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// Act records an act on the service that needs a right of its own (see
// access.Can) in the transaction that do makes the change in. do gives what
// the event says of it, also with an error: where it refuses (Denied), that is
// recorded as well.
// Errors: Denied, Unavailable, or do's own.
func (c *Custody) Act(ctx context.Context, actor evidence.Actor, right string, phase evidence.Phase,
	do func(tx *database.Tx) ([]evidence.Field, error)) error {
	if err := c.may(ctx, actor, right); err != nil {
		return err
	}
	var about []evidence.Field
	err := c.DB.Write(ctx, func(tx *database.Tx) (err error) {
		if about, err = do(tx); err != nil {
			return err
		}
		return c.administered(ctx, tx, actor, phase, about)
	})
	return c.refused(ctx, actor, about, err)
}

// Approval is what somebody asked for that only another person can allow.
type Approval struct {
	Request   evidence.ID
	Kind      string
	Requester evidence.Actor // as they were when they asked
	Asked     time.Time
	Reason    string
}

// fields are what every event about a request says of it.
func (a Approval) fields(what string) []evidence.Field {
	return []evidence.Field{
		evidence.F("what", what), evidence.F("approval", string(a.Request)), evidence.F("kind", a.Kind),
		evidence.F("requested_by", a.Requester.ID), evidence.F("requested_by_name", a.Requester.Name),
		evidence.F("requested_by_number", a.Requester.Number), evidence.F("requested_by_role", a.Requester.Role),
		evidence.F("requested_at", a.Asked), evidence.F("request_reason", a.Reason),
	}
}

// Requested is Act for whatever happens to a request but its approval: what
// says it, and do gives the request and more to say.
func (c *Custody) Requested(ctx context.Context, actor evidence.Actor, right, what string, phase evidence.Phase,
	do func(tx *database.Tx) (Approval, []evidence.Field, error)) error {
	return c.Act(ctx, actor, right, phase, func(tx *database.Tx) ([]evidence.Field, error) {
		a, more, err := do(tx)
		return append(a.fields(what), more...), err
	})
}

// Approved carries out what one person asked for and another approves. do
// makes the change, and gives the request it belongs to and what the change's
// event says: what was done, the values before and after. The change, the
// approval and an event of each, both naming both people, are one transaction:
// all of it happened or nothing. Errors: Denied, also where the two are one
// person; Unavailable; or do's own.
func (c *Custody) Approved(ctx context.Context, approver evidence.Actor, right string,
	do func(tx *database.Tx) (Approval, []evidence.Field, error)) error {
	if err := c.may(ctx, approver, right); err != nil {
		return err
	}
	c.Step("approved.change")
	var a Approval
	err := c.DB.Write(ctx, func(tx *database.Tx) (err error) {
		var change []evidence.Field
		if a, change, err = do(tx); err != nil {
			return err
		}
		if a.Requester.ID == "" || a.Requester.ID == approver.ID {
			return evidence.Errorf(evidence.Denied, "Nobody can approve what they asked for themselves.")
		}
		c.Step("approved.record")
		if err := c.administered(ctx, tx, approver, evidence.Outcome, a.fields("approval given")); err != nil {
			return err
		}
		if len(change) == 0 {
			return errors.New("a change that nobody could read about later")
		}
		return c.administered(ctx, tx, approver, evidence.Outcome, append(change, a.fields("")[1:]...))
	})
	if err == nil {
		c.Step("approved.done")
	}
	return c.refused(ctx, approver, a.fields("approval"), err)
}

// may refuses, on record, whoever does not have a right.
func (c *Custody) may(ctx context.Context, actor evidence.Actor, right string) error {
	if c.Access.Can(actor, right) {
		return nil
	}
	return c.refuse(ctx, actor, evidence.Administer, "service", evidence.Purpose{}, "Your role does not include this. Ask an administrator if it should.")
}

// refused records a refusal that was decided within a transaction; about is
// what it was about. Any other error it gives back as it is.
func (c *Custody) refused(ctx context.Context, actor evidence.Actor, about []evidence.Field, err error) error {
	if evidence.CodeOf(err) != evidence.Denied {
		return err
	}
	why := evidence.MessageOf(err)
	_, rerr := c.record(ctx, ledger.Event{Item: "service", Verb: evidence.Administer, Phase: evidence.Refused, Actor: actor,
		Fields: append(about, evidence.F("reason", why))})
	if rerr != nil {
		c.Logger.ErrorContext(ctx, "a refusal could not be recorded", "verb", evidence.Administer, "err", rerr)
	}
	return &evidence.Error{Code: evidence.Denied, Message: why, Err: rerr}
}

func (c *Custody) administered(ctx context.Context, tx *database.Tx, actor evidence.Actor, phase evidence.Phase, fields []evidence.Field) error {
	_, err := c.Ledger.Append(ctx, tx, ledger.Event{Item: "service", Verb: evidence.Administer, Phase: phase, At: c.Now(), Actor: actor, Fields: fields})
	return err
}
