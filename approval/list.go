package approval

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"custos/access"
	"custos/database"
	"custos/evidence"
)

// Shown is a request with what the reader may do to it.
type Shown struct {
	Request
	Title string // of the kind
	Can   Can
}

// Which requests are listed.
const (
	ToDecide = "decide" // open, of others, of kinds that the reader may approve
	Mine     = "mine"   // asked for by the reader
	Over     = "done"   // not open any more, of kinds that the reader may ask for or approve
)

// Page is one page of a list, newest first.
type Page struct {
	Items []Shown
	Next  evidence.ID // cursor of the next page, "" after the last
}

const pageLimit = 50

// List gives the requests that by may know of, newest first. before is the
// cursor: the Next of the page before, "" for the first page. It fails with
// Invalid for another list or cursor.
func (m *Room) List(ctx context.Context, by evidence.Actor, which string, before evidence.ID) (Page, error) {
	if before != "" {
		if _, err := evidence.ParseID(string(before)); err != nil {
			return Page{}, evidence.Errorf(evidence.Invalid, "That place in the list is not known. Start again from the top.")
		}
	}
	where, args, err := m.where(by, which)
	if err != nil || where == "" {
		return Page{}, err
	}
	if before != "" {
		where, args = where+" AND id < ?", append(args, string(before))
	}
	rows, err := m.rows(ctx, where+" ORDER BY id DESC LIMIT ?", append(args, pageLimit+1)...)
	if err != nil {
		return Page{}, err
	}
	var p Page
	if len(rows) > pageLimit {
		rows = rows[:pageLimit]
		p.Next = rows[pageLimit-1].ID
	}
	for _, r := range rows {
		s, err := m.shown(ctx, r, by)
		if err != nil {
			return Page{}, err
		}
		p.Items = append(p.Items, s)
	}
	return p, nil
}

// where is the filter of a list; "" = nothing can be in it.
func (m *Room) where(by evidence.Actor, which string) (where string, args []any, err error) {
	switch which {
	case Mine:
		return "requester = ?", []any{by.ID}, nil
	case ToDecide:
		kinds := m.May(by).Decide
		if len(kinds) == 0 {
			return "", nil, nil
		}
		in, args := oneOf(kinds)
		return "state = 'open' AND expires_at > ? AND requester <> ? AND kind IN " + in,
			append([]any{database.Micros(m.Now()), by.ID}, args...), nil
	case Over:
		may := m.May(by)
		kinds := slices.Concat(may.Decide, may.Ask)
		if len(kinds) == 0 {
			return "", nil, nil
		}
		in, args := oneOf(kinds)
		return "state <> 'open' AND kind IN " + in, args, nil
	}
	return "", nil, evidence.Errorf(evidence.Invalid, "There is no such list of requests.")
}

func oneOf(kinds []Kind) (string, []any) {
	args := make([]any, len(kinds))
	for i, k := range kinds {
		args[i] = k.Name
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?, ", len(kinds)), ", ") + ")", args
}

func (m *Room) rows(ctx context.Context, where string, args ...any) (out []row, err error) {
	err = m.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+columns+" FROM approvals WHERE "+where, args...)
		out, err = database.Collect(rows, err, func(r *sql.Rows) (row, error) { return scan(r) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	return out, nil
}

func (m *Room) shown(ctx context.Context, r row, by evidence.Actor) (Shown, error) {
	if r.State == StillOpen && !m.Now().Before(r.ExpiresAt) { // EndExpired has not come to it yet
		r.State, r.DecidedAt = Expired, r.ExpiresAt
	}
	can, err := m.can(ctx, r, by)
	s := Shown{Request: r.Request, Title: r.Kind, Can: can}
	if k, err := m.kind(r.Kind); err == nil { // else of a kind that this version does not know
		s.Title = k.Title
	}
	return s, err
}

// Show gives one request that by may know of. It fails with NotFound.
func (m *Room) Show(ctx context.Context, by evidence.Actor, id evidence.ID) (Shown, error) {
	r, err := m.look(ctx, by, id)
	if err != nil {
		return Shown{}, err
	}
	return m.shown(ctx, r, by)
}

// May is which kinds of request somebody may ask for, and which decide.
type May struct {
	Ask    []Kind
	Decide []Kind
}

// May tells what by may do with requests at all.
func (m *Room) May(by evidence.Actor) (may May) {
	for _, k := range m.kinds {
		if m.Access.Can(by, access.AskOf(k.Name)) {
			may.Ask = append(may.Ask, k)
		}
		if m.Access.Can(by, access.ApproveOf(k.Name)) {
			may.Decide = append(may.Decide, k)
		}
	}
	return may
}

// Waiting is how many open requests by may approve just now.
func (m *Room) Waiting(ctx context.Context, by evidence.Actor) (n int, err error) {
	where, args, err := m.where(by, ToDecide)
	if err != nil || where == "" {
		return 0, err
	}
	rows, err := m.rows(ctx, where+" ORDER BY id DESC LIMIT 200", args...)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		can, err := m.can(ctx, r, by)
		if err != nil {
			return 0, err
		}
		if can.Approve.May {
			n++
		}
	}
	return n, nil
}

// Counts is how the room is, for whoever runs the service.
type Counts struct {
	Open    int // requests that wait for a decision
	Glass   int // emergency access in use
	Opened  int // emergency access ever opened
	Reviews int // that wait
	Overdue int // of those
}

// Counts counts, at one moment.
func (m *Room) Counts(ctx context.Context) (c Counts, err error) {
	now := database.Micros(m.Now())
	err = m.DB.Read(ctx, func(tx *database.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM approvals WHERE state = 'open' AND expires_at > ?", now).Scan(&c.Open); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN ended_at = 0 AND until_at > ? THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN reviewed_at = 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN reviewed_at = 0 AND due_at <= ? THEN 1 ELSE 0 END), 0)
			FROM break_glass`, now, now).Scan(&c.Opened, &c.Glass, &c.Reviews, &c.Overdue)
	})
	if err != nil {
		return c, fmt.Errorf("count approvals: %w", err)
	}
	return c, nil
}
