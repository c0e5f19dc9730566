package approval

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
)

// failed marks an error of carrying out, as against one of deciding.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// Approve allows a request and carries it out, in one transaction. It fails
// with Denied, on record, for whoever may not (see Can), and with Conflict
// where the request is not open any more. Where carrying out fails, nothing
// was changed: the failure is noted, and the request stays open, unless what it
// asked for can never be done; then its state is Failed.
func (m *Room) Approve(ctx context.Context, by evidence.Actor, id evidence.ID) (Request, error) {
	r, err := m.look(ctx, by, id)
	if err != nil {
		return Request{}, err
	}
	k, err := m.kind(r.Kind)
	if err != nil {
		return Request{}, err
	}
	reports, err := m.reports(ctx, by, r.AskedBy)
	if err != nil {
		return Request{}, err
	}
	err = m.Custody.Approved(ctx, by, access.ApproveOf(r.Kind), func(tx *database.Tx) (custody.Approval, []evidence.Field, error) {
		if r, err = read(ctx, tx, id, tx.Locking()); err != nil {
			return custody.Approval{}, nil, err
		}
		people, err := m.Identity.Locked(ctx, tx, people(r, by)...)
		if err != nil {
			return r.approval(), nil, err
		}
		if err := m.mayApprove(r, by, standingOf(people), reports); err != nil {
			return r.approval(), nil, err
		}
		change, err := k.Carry(ctx, tx, r.Request)
		if err != nil {
			return r.approval(), nil, failed{err}
		}
		return r.approval(), change, m.settle(ctx, tx, &r, Done, by, "")
	})
	var f failed
	if errors.As(err, &f) {
		m.noteFailure(ctx, by, r, f.error)
		return Request{}, f.error
	}
	if err != nil {
		return Request{}, err
	}
	m.Changed()
	return r.Request, nil
}

// Refuse ends a request. Why must be said. Errors as Approve.
func (m *Room) Refuse(ctx context.Context, by evidence.Actor, id evidence.ID, why string) (Request, error) {
	why, err := line("reason", why, reasonLeast, reasonMost)
	if err != nil {
		return Request{}, err
	}
	return m.end(ctx, by, id, "approval refused", Refused, why, func(r row) error { return m.mayRefuse(r, by) })
}

// Withdraw takes one's own request back. Errors as Approve.
func (m *Room) Withdraw(ctx context.Context, by evidence.Actor, id evidence.ID) (Request, error) {
	return m.end(ctx, by, id, "approval withdrawn", Withdrawn, "", func(r row) error { return m.mayWithdraw(r, by) })
}

func (m *Room) end(ctx context.Context, by evidence.Actor, id evidence.ID, what string, to State, note string, may func(row) error) (Request, error) {
	r, err := m.look(ctx, by, id)
	if err != nil {
		return Request{}, err
	}
	right := access.ApproveOf(r.Kind)
	if r.AskedBy.ID == by.ID {
		right = access.AskOf(r.Kind)
	}
	err = m.Custody.Requested(ctx, by, right, what, evidence.Outcome, func(tx *database.Tx) (custody.Approval, []evidence.Field, error) {
		if r, err = read(ctx, tx, id, tx.Locking()); err != nil {
			return custody.Approval{}, nil, err
		}
		if err := may(r); err != nil {
			return r.approval(), nil, err
		}
		return r.approval(), append(r.about(), evidence.F("reason", note)), m.settle(ctx, tx, &r, to, by, note)
	})
	if err != nil {
		return Request{}, err
	}
	m.Changed()
	return r.Request, nil
}

// settle gives an open request, whose row is locked, its final state.
func (m *Room) settle(ctx context.Context, tx *database.Tx, r *row, to State, by evidence.Actor, note string) error {
	who, err := json.Marshal(by)
	if err != nil {
		return err
	}
	r.State, r.DecidedBy, r.DecidedAt, r.Note = to, by, m.Now().UTC().Truncate(time.Microsecond), note
	n, err := tx.Exec(ctx, "UPDATE approvals SET state = ?, decided_by = ?, decided_at = ?, note = ? WHERE id = ? AND state = 'open'",
		string(to), string(who), database.Micros(r.DecidedAt), note, string(r.ID))
	if err != nil {
		return fmt.Errorf("settle request: %w", err)
	}
	if n != 1 {
		return over(*r)
	}
	return nil
}

// noteFailure records that an approved request could not be carried out. What
// cannot be noted is in the log: nothing was changed either way.
func (m *Room) noteFailure(ctx context.Context, by evidence.Actor, r row, cause error) {
	ctx = context.WithoutCancel(ctx)
	why := evidence.MessageOf(cause)
	err := m.Custody.Requested(ctx, by, access.ApproveOf(r.Kind), "approval failed", evidence.Failed, func(tx *database.Tx) (custody.Approval, []evidence.Field, error) {
		now, err := read(ctx, tx, r.ID, tx.Locking())
		if err != nil {
			return r.approval(), nil, err
		}
		if now.State != StillOpen { // somebody else's try succeeded, or ended it
			return r.approval(), nil, over(now)
		}
		switch evidence.CodeOf(cause) {
		case evidence.NotFound, evidence.Conflict, evidence.Invalid: // no later try can succeed
			if err := m.settle(ctx, tx, &now, Failed, by, ""); err != nil {
				return r.approval(), nil, err
			}
		}
		_, err = tx.Exec(ctx, "UPDATE approvals SET failure = ?, failed_at = ? WHERE id = ?", why, database.Micros(m.Now()), string(r.ID))
		return r.approval(), append(r.about(), evidence.F("reason", why)), err
	})
	if err != nil && evidence.CodeOf(err) != evidence.Conflict {
		m.Logger.ErrorContext(ctx, "an approved request failed, and that could not be noted", "approval", r.ID, "err", err)
	}
	m.Changed()
}

// EndExpired ends requests that nobody decided in time, and emergency access
// whose time is up. Call it every few seconds: requests and access past their
// time allow nothing even where it has not run yet.
func (m *Room) EndExpired(ctx context.Context) error {
	if err := m.expire(ctx, "1 = 1"); err != nil {
		return err
	}
	return m.endGlass(ctx)
}

// expire ends the requests past their time that where picks.
func (m *Room) expire(ctx context.Context, where string, args ...any) error {
	var ids []evidence.ID
	err := m.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id FROM approvals WHERE state = 'open' AND expires_at <= ? AND "+where+" LIMIT 500",
			append([]any{database.Micros(m.Now())}, args...)...)
		ids, err = database.Collect(rows, err, func(r *sql.Rows) (id evidence.ID, err error) {
			err = r.Scan(&id)
			return id, err
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("look for expired requests: %w", err)
	}
	by := evidence.Server("approvals")
	for _, id := range ids {
		err := m.Custody.Requested(ctx, by, access.Expire, "approval expired", evidence.Outcome, func(tx *database.Tx) (custody.Approval, []evidence.Field, error) {
			r, err := read(ctx, tx, id, tx.Locking())
			if err != nil {
				return custody.Approval{}, nil, err
			}
			return r.approval(), r.about(), m.settle(ctx, tx, &r, Expired, by, "")
		})
		if err != nil && evidence.CodeOf(err) != evidence.Conflict { // decided meanwhile, or by another server
			return fmt.Errorf("expire request: %w", err)
		}
	}
	if len(ids) > 0 {
		m.Changed()
	}
	return nil
}
