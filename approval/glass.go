package approval

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
)

const (
	glassMost = 15 * time.Minute // how long emergency access lasts at most
	reviewDue = 24 * time.Hour   // after it was opened
)

// Emergency is one time that somebody took emergency access. Times are UTC.
type Emergency struct {
	ID        evidence.ID
	By        evidence.Actor // as they were
	Reason    string
	Reference string // case or incident number, "" = none
	OpenedAt  time.Time
	Until     time.Time      // allows nothing from then on
	EndedAt   time.Time      // zero while it may still allow something, or its end is not recorded yet
	EndedBy   evidence.Actor // the person, a reviewer, or the service at its time
	DueAt     time.Time      // of the review

	ReviewedAt time.Time // zero until then
	ReviewedBy evidence.Actor
	Outcome    Outcome
	Note       string
}

// InUse tells whether it allows anything at a time.
func (e Emergency) InUse(now time.Time) bool { return e.EndedAt.IsZero() && now.Before(e.Until) }

// Overdue tells whether a review should have been done by a time.
func (e Emergency) Overdue(now time.Time) bool {
	return e.ReviewedAt.IsZero() && !now.Before(e.DueAt)
}

func (e Emergency) fields(what string) []evidence.Field {
	return []evidence.Field{evidence.F("what", what), evidence.F("break_glass", string(e.ID)), evidence.F("taken_by", e.By.ID),
		evidence.F("taken_by_name", e.By.Name), evidence.F("taken_by_number", e.By.Number), evidence.F("reason", e.Reason),
		evidence.F("case", e.Reference), evidence.F("until", e.Until), evidence.F("review_due", e.DueAt)}
}

// Break opens emergency access for by: at once, for 15 minutes at most, and
// with an alert and a review to follow. It fails with Denied, on record, for
// whoever may not, Invalid without a reason, and Conflict while they have one
// open.
func (m *Room) Break(ctx context.Context, by evidence.Actor, reason, reference string) (Emergency, error) {
	reason, err := line("reason", reason, reasonLeast, reasonMost)
	if err != nil {
		return Emergency{}, err
	}
	if reference, err = line("case or incident number", reference, 0, 100); err != nil {
		return Emergency{}, err
	}
	if err := m.endGlass(ctx); err != nil { // one whose time is up must not stand in the way
		return Emergency{}, err
	}
	at := m.Now().UTC().Truncate(time.Microsecond)
	e := Emergency{ID: m.newID(), By: by, Reason: reason, Reference: reference, OpenedAt: at, Until: at.Add(glassMost), DueAt: at.Add(reviewDue)}
	who, err := json.Marshal(by)
	if err != nil {
		return Emergency{}, err
	}
	err = m.Custody.Act(ctx, by, access.OpenBreakGlass, evidence.Intent, func(tx *database.Tx) ([]evidence.Field, error) {
		_, err := tx.Exec(ctx, "INSERT INTO break_glass (id, person, opened_by, reason, reference, opened_at, until_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			string(e.ID), by.ID, string(who), e.Reason, e.Reference, database.Micros(e.OpenedAt), database.Micros(e.Until), database.Micros(e.DueAt))
		if database.IsDuplicate(err) {
			err = evidence.Wrap(evidence.Conflict, err, "You have emergency access already. It can be opened again when that has ended.")
		}
		return e.fields("emergency access opened"), err
	})
	if err != nil {
		return Emergency{}, err
	}
	m.Access.Changed() // the rule asks anew who has emergency access
	m.Logger.WarnContext(ctx, "emergency access was opened", "break_glass", e.ID, "person", by.ID, "until", e.Until)
	m.Glass(e)
	return e, nil
}

// End ends emergency access before its time, and the viewings it allowed: by
// whoever took it, or by somebody who reviews such access. Ending twice is no
// error. It fails with NotFound for whoever may not know of it.
func (m *Room) End(ctx context.Context, by evidence.Actor, id evidence.ID) (Emergency, error) {
	e, err := m.emergency(ctx, by, id)
	if err != nil || !e.EndedAt.IsZero() {
		return e, err
	}
	right := access.ReviewBreakGlass
	if e.By.ID == by.ID {
		right = access.OpenBreakGlass
	}
	return m.endOne(ctx, by, right, id)
}

// endGlass ends what is past its time.
func (m *Room) endGlass(ctx context.Context) error {
	var ids []evidence.ID
	err := m.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id FROM break_glass WHERE ended_at = 0 AND until_at <= ?", database.Micros(m.Now()))
		ids, err = database.Collect(rows, err, func(r *sql.Rows) (id evidence.ID, err error) {
			err = r.Scan(&id)
			return id, err
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("look for emergency access to end: %w", err)
	}
	for _, id := range ids {
		if _, err := m.endOne(ctx, evidence.Server("approvals"), access.Expire, id); err != nil {
			return err
		}
	}
	return nil
}

// endOne records the end and then ends the viewings: those on the way notice
// their limit by themselves, and a crash between the two leaves none that lasts
// longer than that.
func (m *Room) endOne(ctx context.Context, by evidence.Actor, right string, id evidence.ID) (e Emergency, err error) {
	who, err := json.Marshal(by)
	if err != nil {
		return e, err
	}
	ended := evidence.Errorf(evidence.Conflict, "This emergency access has ended already.")
	err = m.Custody.Act(ctx, by, right, evidence.Outcome, func(tx *database.Tx) ([]evidence.Field, error) {
		if e, err = readGlass(ctx, tx, "id = ?"+tx.Locking(), string(id)); err != nil {
			return nil, err
		}
		if !e.EndedAt.IsZero() {
			return nil, ended
		}
		e.EndedAt, e.EndedBy = m.Now().UTC().Truncate(time.Microsecond), by
		if e.Until.Before(e.EndedAt) { // it allowed nothing after that, whenever this runs
			e.EndedAt = e.Until
		}
		_, err = tx.Exec(ctx, "UPDATE break_glass SET ended_at = ?, ended_by = ? WHERE id = ?", database.Micros(e.EndedAt), string(who), string(id))
		return append(e.fields("emergency access ended"), evidence.F("ended", e.EndedAt)), err
	})
	m.Access.Changed()
	if errors.Is(err, ended) {
		return e, m.Custody.EndAllowedBy(ctx, id)
	}
	if err != nil {
		return e, err
	}
	if err := m.Custody.EndAllowedBy(ctx, id); err != nil {
		return e, err
	}
	m.Glass(e)
	return e, nil
}

// Grant is emergency access as the rule must know it. What it allows is the
// policy's.
type Grant struct {
	ID    evidence.ID
	Until time.Time
}

// Grants is the emergency access that a person has open now: one, or none. It
// is one look into an index.
func (m *Room) Grants(ctx context.Context, person evidence.ID) ([]Grant, error) {
	e, err := m.Mine(ctx, person)
	if err != nil || e == nil {
		return nil, err
	}
	return []Grant{{ID: e.ID, Until: e.Until}}, nil
}

// Mine is the emergency access that a person has open now, nil if none.
func (m *Room) Mine(ctx context.Context, person evidence.ID) (*Emergency, error) {
	var e Emergency
	err := m.DB.Read(ctx, func(tx *database.Tx) (err error) {
		e, err = readGlass(ctx, tx, "ended_at = 0 AND person = ?", string(person))
		return err
	})
	if evidence.CodeOf(err) == evidence.NotFound || err == nil && !e.InUse(m.Now()) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &e, nil
}

const glassColumns = `id, opened_by, reason, reference, opened_at, until_at, ended_at, ended_by, due_at, reviewed_at, reviewed_by, outcome, note`

func scanGlass(s interface{ Scan(...any) error }) (e Emergency, err error) {
	var by, ender, reviewer string
	var opened, until, ended, due, reviewed int64
	if err := s.Scan(&e.ID, &by, &e.Reason, &e.Reference, &opened, &until, &ended, &ender, &due, &reviewed, &reviewer, &e.Outcome, &e.Note); err != nil {
		return e, err
	}
	e.OpenedAt, e.Until, e.EndedAt, e.DueAt, e.ReviewedAt = database.Time(opened), database.Time(until), database.Time(ended), database.Time(due), database.Time(reviewed)
	for text, to := range map[*evidence.Actor]string{&e.By: by, &e.EndedBy: ender, &e.ReviewedBy: reviewer} {
		if to != "" {
			err = errors.Join(err, json.Unmarshal([]byte(to), text))
		}
	}
	return e, err
}

func noGlass() error {
	return evidence.Errorf(evidence.NotFound, "There is no such emergency access, or you may not see it.")
}

func readGlass(ctx context.Context, tx *database.Tx, where, arg string) (Emergency, error) {
	e, err := scanGlass(tx.QueryRow(ctx, "SELECT "+glassColumns+" FROM break_glass WHERE "+where, arg))
	if errors.Is(err, sql.ErrNoRows) {
		return e, noGlass()
	}
	if err != nil {
		return e, fmt.Errorf("read emergency access: %w", err)
	}
	return e, nil
}

// emergency gives one that by may know of: their own, or any for those who
// review them.
func (m *Room) emergency(ctx context.Context, by evidence.Actor, id evidence.ID) (e Emergency, err error) {
	err = m.DB.Read(ctx, func(tx *database.Tx) error {
		e, err = readGlass(ctx, tx, "id = ?", string(id))
		return err
	})
	if err == nil && e.By.ID != by.ID && !m.Access.Can(by, access.ReviewBreakGlass) {
		return Emergency{}, noGlass()
	}
	return e, err
}
