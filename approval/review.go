package approval

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
)

// Outcome is what a review found.
type Outcome string

// The outcomes.
const (
	Justified    Outcome = "justified"
	NotJustified Outcome = "not_justified"
)

// Review ends the task that emergency access leaves: another person says
// whether it was justified, and why. It fails with Denied, on record, for
// whoever may not (see ShownGlass), Invalid without outcome or note, and
// Conflict while the access lasts or where it was reviewed already.
func (m *Room) Review(ctx context.Context, by evidence.Actor, id evidence.ID, found Outcome, note string) (Emergency, error) {
	if found != Justified && found != NotJustified {
		return Emergency{}, evidence.Errorf(evidence.Invalid, "Say whether the access was justified.")
	}
	note, err := line("note", note, reasonLeast, reasonMost)
	if err != nil {
		return Emergency{}, err
	}
	e, err := m.emergency(ctx, by, id)
	if err != nil {
		return Emergency{}, err
	}
	reports, err := m.reports(ctx, by, e.By)
	if err != nil {
		return Emergency{}, err
	}
	who, err := json.Marshal(by)
	if err != nil {
		return Emergency{}, err
	}
	err = m.Custody.Act(ctx, by, access.ReviewBreakGlass, evidence.Outcome, func(tx *database.Tx) ([]evidence.Field, error) {
		if e, err = readGlass(ctx, tx, "id = ?"+tx.Locking(), string(id)); err != nil {
			return nil, err
		}
		about := e.fields("emergency access reviewed")
		if err := m.mayReview(e, by, reports); err != nil {
			return about, err
		}
		e.ReviewedAt, e.ReviewedBy, e.Outcome, e.Note = m.Now().UTC().Truncate(time.Microsecond), by, found, note
		_, err := tx.Exec(ctx, "UPDATE break_glass SET reviewed_at = ?, reviewed_by = ?, outcome = ?, note = ? WHERE id = ?",
			database.Micros(e.ReviewedAt), string(who), string(found), note, string(id))
		return append(about, evidence.F("outcome", string(found)), evidence.F("review_note", note)), err
	})
	if err != nil {
		return Emergency{}, err
	}
	m.Glass(e)
	return e, nil
}

// mayReview gives nil, or why by may not review e.
func (m *Room) mayReview(e Emergency, by evidence.Actor, reports bool) error {
	switch {
	case !e.ReviewedAt.IsZero():
		return evidence.Errorf(evidence.Conflict, "%s has reviewed this already.", e.ReviewedBy.Name)
	case e.By.ID == by.ID:
		return evidence.Errorf(evidence.Denied, "You took this access yourself. Somebody else must review it.")
	case !m.Access.Can(by, access.ReviewBreakGlass):
		return evidence.Errorf(evidence.Denied, "Your role does not include reviewing emergency access.")
	case reports:
		return evidence.Errorf(evidence.Denied, "You report to %s, who took this access. Somebody who does not must review it.", e.By.Name)
	case e.InUse(m.Now()):
		return evidence.Errorf(evidence.Conflict, "The access is still open. It is reviewed when it has ended; you can end it now.")
	}
	return nil
}

// ShownGlass is emergency access with what the reader may do about it.
type ShownGlass struct {
	Emergency
	InUse   bool
	Overdue bool
	End     Ability
	Review  Ability
}

// GlassPage is one page of a list, newest first.
type GlassPage struct {
	Items []ShownGlass
	Next  evidence.ID // cursor of the next page, "" after the last
}

// ListGlass gives the emergency access that by may know of: all of it for
// those who review it, else their own. Reviews that wait come alone where
// waiting is set, those due first; else newest first, with before as the
// cursor. It fails with Invalid for another cursor.
func (m *Room) ListGlass(ctx context.Context, by evidence.Actor, waiting bool, before evidence.ID) (GlassPage, error) {
	where, args := "1 = 1", []any{}
	if !m.Access.Can(by, access.ReviewBreakGlass) {
		where, args = "person = ?", append(args, by.ID)
	}
	order := " ORDER BY id DESC LIMIT ?"
	if waiting {
		where, order = where+" AND reviewed_at = 0", " ORDER BY due_at, id LIMIT ?"
	} else if before != "" {
		if _, err := evidence.ParseID(string(before)); err != nil {
			return GlassPage{}, evidence.Errorf(evidence.Invalid, "That place in the list is not known. Start again from the top.")
		}
		where, args = where+" AND id < ?", append(args, string(before))
	}
	var list []Emergency
	err := m.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+glassColumns+" FROM break_glass WHERE "+where+order, append(args, pageLimit+1)...)
		list, err = database.Collect(rows, err, func(r *sql.Rows) (Emergency, error) { return scanGlass(r) })
		return err
	})
	if err != nil {
		return GlassPage{}, fmt.Errorf("list emergency access: %w", err)
	}
	var p GlassPage
	if len(list) > pageLimit {
		list = list[:pageLimit]
		if !waiting {
			p.Next = list[pageLimit-1].ID
		}
	}
	for _, e := range list {
		s, err := m.ShowGlass(ctx, e, by)
		if err != nil {
			return GlassPage{}, err
		}
		p.Items = append(p.Items, s)
	}
	return p, nil
}

// ShowGlass adds to e what by may do about it.
func (m *Room) ShowGlass(ctx context.Context, e Emergency, by evidence.Actor) (ShownGlass, error) {
	now := m.Now()
	s := ShownGlass{Emergency: e, InUse: e.InUse(now), Overdue: e.Overdue(now)}
	if !s.InUse {
		s.End.Why = "This access has ended."
	} else {
		s.End.May = true
	}
	reports, err := m.reports(ctx, by, e.By)
	s.Review = ability(m.mayReview(e, by, reports))
	return s, err
}

// ToReview is how many reviews wait for by, and how many of them are overdue.
func (m *Room) ToReview(ctx context.Context, by evidence.Actor) (n, overdue int, err error) {
	if !m.Access.Can(by, access.ReviewBreakGlass) {
		return 0, 0, nil
	}
	p, err := m.ListGlass(ctx, by, true, "")
	for _, e := range p.Items {
		if e.By.ID == by.ID {
			continue
		}
		n++
		if e.Overdue {
			overdue++
		}
	}
	return n, overdue, err
}
