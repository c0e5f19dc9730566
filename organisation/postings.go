package organisation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
)

// Posting is that a person belongs to a unit for a time.
type Posting struct {
	ID     evidence.ID `json:"id"`
	Person evidence.ID `json:"person"`
	Unit   evidence.ID `json:"unit"`
	Lead   bool        `json:"lead"`           // leads the unit: supervises all who are posted to it or below it
	From   time.Time   `json:"from,omitzero"`  // zero = since ever
	Until  time.Time   `json:"until,omitzero"` // zero = still
}

// Post posts a person. It uses all of p but ID. It fails with NotFound for a
// unit that does not exist, Invalid for an end before the beginning, and
// Conflict where the unit is closed or the person has another posting at some
// moment of it: end that first.
func (o *Organisation) Post(ctx context.Context, tx *database.Tx, p Posting) (Posting, error) {
	if err := o.turn(ctx, tx); err != nil {
		return Posting{}, err
	}
	if _, err := evidence.ParseID(string(p.Person)); err != nil {
		return Posting{}, err
	}
	if err := checkSpan(p.From, p.Until); err != nil {
		return Posting{}, err
	}
	if _, err := openUnit(ctx, tx, p.Unit); err != nil {
		return Posting{}, err
	}
	var others int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM postings WHERE person = ? AND "+overlaps, append([]any{p.Person}, span(p.From, p.Until)...)...).Scan(&others); err != nil {
		return Posting{}, fmt.Errorf("post: %w", err)
	}
	if others > 0 {
		return Posting{}, evidence.Errorf(evidence.Conflict, "The person has another posting in that time. Nothing was changed; end it first, or begin later.")
	}
	p.ID, p.From, p.Until = o.newID(), database.Time(database.Micros(p.From)), database.Time(database.Micros(p.Until))
	lead := 0
	if p.Lead {
		lead = 1
	}
	if _, err := tx.Exec(ctx, "INSERT INTO postings (id, person, unit, lead, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?)",
		p.ID, p.Person, p.Unit, lead, database.Micros(p.From), database.Micros(p.Until)); err != nil {
		return Posting{}, fmt.Errorf("post: %w", err)
	}
	return p, nil
}

// EndPosting gives a posting its end and returns it as it was. It fails with
// NotFound, with Conflict where it has an end, and with Invalid for an end
// before its beginning.
func (o *Organisation) EndPosting(ctx context.Context, tx *database.Tx, id evidence.ID, until time.Time) (before Posting, err error) {
	if err := o.turn(ctx, tx); err != nil {
		return Posting{}, err
	}
	before, err = scanPosting(tx.QueryRow(ctx, "SELECT "+postingColumns+" FROM postings WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Posting{}, evidence.Errorf(evidence.NotFound, "There is no such posting.")
	}
	if err != nil {
		return Posting{}, fmt.Errorf("end posting: %w", err)
	}
	if err := end(ctx, tx, "postings", id, before.From, before.Until, until); err != nil {
		return Posting{}, err
	}
	return before, nil
}

// end gives the open row id of table its end.
func end(ctx context.Context, tx *database.Tx, table string, id evidence.ID, from, ended, until time.Time) error {
	if !ended.IsZero() {
		return evidence.Errorf(evidence.Conflict, "That has an end already. Nothing was changed.")
	}
	if until.IsZero() {
		return evidence.Errorf(evidence.Invalid, "The end needs a time. Nothing was changed.")
	}
	if err := checkSpan(from, until); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+table+" SET until_at = ? WHERE id = ?", database.Micros(until), id); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	return nil
}

// PostingsAt are the postings that hold at t, of everybody, in no order.
func (o *Organisation) PostingsAt(ctx context.Context, tx *database.Tx, t time.Time) ([]Posting, error) {
	return listPostings(ctx, tx, holds, at(t)...)
}

// PostingsAfter are the postings that hold at t or later, of everybody, in no
// order.
func (o *Organisation) PostingsAfter(ctx context.Context, tx *database.Tx, t time.Time) ([]Posting, error) {
	return listPostings(ctx, tx, "until_at = 0 OR until_at > ?", database.Micros(t))
}

// postingAt is the posting of a person that holds at t, false where there is
// none.
func postingAt(ctx context.Context, tx *database.Tx, person evidence.ID, t time.Time) (Posting, bool, error) {
	p, err := scanPosting(tx.QueryRow(ctx, "SELECT "+postingColumns+" FROM postings WHERE person = ? AND "+holds, append([]any{person}, at(t)...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Posting{}, false, nil
	}
	if err != nil {
		return Posting{}, false, fmt.Errorf("read posting: %w", err)
	}
	return p, true, nil
}

const postingColumns = "id, person, unit, lead, from_at, until_at"

func scanPosting(r interface{ Scan(...any) error }) (p Posting, err error) {
	var lead, from, until int64
	err = r.Scan(&p.ID, &p.Person, &p.Unit, &lead, &from, &until)
	p.Lead, p.From, p.Until = lead != 0, database.Time(from), database.Time(until)
	return p, err
}

func listPostings(ctx context.Context, tx *database.Tx, where string, args ...any) ([]Posting, error) {
	rows, err := tx.Query(ctx, "SELECT "+postingColumns+" FROM postings WHERE "+where+" ORDER BY from_at DESC, id DESC", args...)
	out, err := database.Collect(rows, err, func(r *sql.Rows) (Posting, error) { return scanPosting(r) })
	if err != nil {
		return nil, fmt.Errorf("list postings: %w", err)
	}
	return out, nil
}
