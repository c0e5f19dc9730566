package organisation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// CaseKind tells a case from an incident.
type CaseKind string

// The kinds of entries in the register.
const (
	OfCase     CaseKind = "case"
	OfIncident CaseKind = "incident"
)

// Case is an entry of the register of cases and incidents.
type Case struct {
	ID       evidence.ID `json:"id"`
	Number   string      `json:"number"` // 1 to 40 bytes, upper case, unique for ever
	Kind     CaseKind    `json:"kind"`
	Title    string      `json:"title"` // up to 200 bytes; only for who may know
	OpenedAt time.Time   `json:"openedAt"`
	OpenedBy string      `json:"openedBy"`          // who entered it: Actor.ID
	ClosedAt time.Time   `json:"closedAt,omitzero"` // zero = open
	ClosedBy string      `json:"closedBy,omitempty"`
}

// Membership is that a person works on a case for a time.
type Membership struct {
	ID     evidence.ID `json:"id"`
	Case   evidence.ID `json:"case"`
	Number string      `json:"number"` // the case's
	Person evidence.ID `json:"person"`
	Role   string      `json:"role"`           // what they do in it, in words, up to 60 bytes
	From   time.Time   `json:"from,omitzero"`  // zero = since ever
	Until  time.Time   `json:"until,omitzero"` // zero = still
}

// NormalNumber is how the number of a case or incident is kept: upper case,
// no space around it, one space within.
func NormalNumber(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), " ")) }

// AddCase enters a case or incident. It uses Number, Kind and Title of c. It
// fails with Invalid for text that cannot be kept or an unknown kind, and with
// Conflict where the number is in the register.
func (o *Organisation) AddCase(ctx context.Context, tx *database.Tx, c Case, by string) (Case, error) {
	var err error
	if c.Number, err = line("number", NormalNumber(c.Number), 40); err != nil {
		return Case{}, err
	}
	if c.Title, err = line("title", c.Title, 200); err != nil {
		return Case{}, err
	}
	if c.Kind != OfCase && c.Kind != OfIncident {
		return Case{}, evidence.Errorf(evidence.Invalid, "The register has cases and incidents, nothing else.")
	}
	now := database.Micros(o.now())
	c.ID, c.OpenedAt, c.OpenedBy, c.ClosedAt, c.ClosedBy = o.newID(), database.Time(now), by, time.Time{}, ""
	_, err = tx.Exec(ctx, "INSERT INTO cases (id, number, kind, title, opened_at, opened_by, closed_at, closed_by) VALUES (?, ?, ?, ?, ?, ?, 0, '')",
		c.ID, c.Number, c.Kind, c.Title, now, by)
	if database.IsDuplicate(err) {
		return Case{}, evidence.Wrap(evidence.Conflict, err, "That number is in the register. Nothing was changed.")
	}
	if err != nil {
		return Case{}, fmt.Errorf("add case: %w", err)
	}
	return c, nil
}

// CloseCase closes a case and returns it as it was; its members stay on record
// and no longer reach what belongs to it as members. It fails with NotFound,
// and Conflict where it is closed.
func (o *Organisation) CloseCase(ctx context.Context, tx *database.Tx, id evidence.ID, by string) (before Case, err error) {
	if before, err = o.openCase(ctx, tx, id); err != nil {
		return Case{}, err
	}
	if _, err := tx.Exec(ctx, "UPDATE cases SET closed_at = ?, closed_by = ? WHERE id = ?", database.Micros(o.now()), by, id); err != nil {
		return Case{}, fmt.Errorf("close case: %w", err)
	}
	return before, nil
}

// AddMember makes a person a member of an open case. It uses Case, Person,
// Role, From and Until of m. It fails with NotFound for no such case, Invalid
// for text that cannot be kept or an end before the beginning, and Conflict
// where the case is closed or the person is a member at some moment of it.
func (o *Organisation) AddMember(ctx context.Context, tx *database.Tx, m Membership) (Membership, error) {
	if _, err := evidence.ParseID(string(m.Person)); err != nil {
		return Membership{}, err
	}
	var err error
	if m.Role, err = line("role in the case", m.Role, 60); err != nil {
		return Membership{}, err
	}
	if err := checkSpan(m.From, m.Until); err != nil {
		return Membership{}, err
	}
	c, err := o.openCase(ctx, tx, m.Case)
	if err != nil {
		return Membership{}, err
	}
	var others int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM case_members WHERE case_id = ? AND person = ? AND "+overlaps,
		append([]any{m.Case, m.Person}, span(m.From, m.Until)...)...).Scan(&others); err != nil {
		return Membership{}, fmt.Errorf("add member: %w", err)
	}
	if others > 0 {
		return Membership{}, evidence.Errorf(evidence.Conflict, "The person is a member in that time already. Nothing was changed.")
	}
	m.ID, m.Number, m.From, m.Until = o.newID(), c.Number, database.Time(database.Micros(m.From)), database.Time(database.Micros(m.Until))
	if _, err := tx.Exec(ctx, "INSERT INTO case_members (id, case_id, person, role, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?)",
		m.ID, m.Case, m.Person, m.Role, database.Micros(m.From), database.Micros(m.Until)); err != nil {
		return Membership{}, fmt.Errorf("add member: %w", err)
	}
	return m, nil
}

// EndMember ends a membership and returns it as it was. It fails with NotFound,
// with Conflict where it has an end, and with Invalid for an end before its
// beginning.
func (o *Organisation) EndMember(ctx context.Context, tx *database.Tx, id evidence.ID, until time.Time) (before Membership, err error) {
	if err := o.turn(ctx, tx); err != nil {
		return Membership{}, err
	}
	before, err = scanMember(tx.QueryRow(ctx, "SELECT "+memberColumns+" FROM case_members m JOIN cases c ON c.id = m.case_id WHERE m.id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Membership{}, evidence.Errorf(evidence.NotFound, "There is no such member.")
	}
	if err != nil {
		return Membership{}, fmt.Errorf("end member: %w", err)
	}
	if err := end(ctx, tx, "case_members", id, before.From, before.Until, until); err != nil {
		return Membership{}, err
	}
	return before, nil
}

// CaseBy is a case or incident by its number, in any case of letters, open or
// closed. It fails with NotFound.
func (o *Organisation) CaseBy(ctx context.Context, number string) (c Case, err error) {
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		c, err = caseBy(ctx, tx, "number", NormalNumber(number))
		return err
	})
	return c, err
}

// Case is a case or incident by its identifier. It fails with NotFound.
func (o *Organisation) Case(ctx context.Context, id evidence.ID) (c Case, err error) {
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		c, err = caseBy(ctx, tx, "id", string(id))
		return err
	})
	return c, err
}

// Members are all who are or were members of a case, the latest first.
func (o *Organisation) Members(ctx context.Context, id evidence.ID) (out []Membership, err error) {
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+memberColumns+" FROM case_members m JOIN cases c ON c.id = m.case_id WHERE m.case_id = ? ORDER BY m.from_at DESC, m.id DESC", id)
		out, err = database.Collect(rows, err, func(r *sql.Rows) (Membership, error) { return scanMember(r) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return out, nil
}

// ofMember is the condition of a case that a person is a member of; ofReader
// that of one whose title they may read: also those they entered.
const (
	ofMember = "id IN (SELECT case_id FROM case_members WHERE person = ? AND " + holds + ")"
	ofReader = "opened_by = ? OR " + ofMember
)

// CaseFilter picks cases; the zero value picks all.
type CaseFilter struct {
	Open   *bool       // nil = both
	Kind   CaseKind    // "" = both
	Text   string      // in number or title, in any case of letters
	Reader evidence.ID // Text is looked for in the titles of their own cases only; "" = in all titles
	Member evidence.ID // only those that this person is a member of now
	Before evidence.ID // only those entered before this one: the last of the page before
	Limit  int         // 0 = 100
}

// Knows tells whether a person may know what a case is about: they are a
// member of it at t, or entered it.
func (o *Organisation) Knows(ctx context.Context, person evidence.ID, t time.Time, ids ...evidence.ID) (known map[evidence.ID]bool, err error) {
	known = map[evidence.ID]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	args := append([]any{string(person), person}, at(t)...)
	for _, id := range ids {
		args = append(args, id)
	}
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id FROM cases WHERE ("+ofReader+") AND id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args...)
		list, err := database.Collect(rows, err, scanID)
		for _, id := range list {
			known[id] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for cases of person: %w", err)
	}
	return known, nil
}

// Cases are the cases that f picks, the latest first.
func (o *Organisation) Cases(ctx context.Context, f CaseFilter) (out []Case, err error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, a ...any) {
		where, args = append(where, condition), append(args, a...)
	}
	if f.Open != nil && *f.Open {
		add("closed_at = 0")
	} else if f.Open != nil {
		add("closed_at <> 0")
	}
	if f.Kind != "" {
		add("kind = ?", f.Kind)
	}
	if f.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(f.Text)) + "%"
		titles, reader := "", []any{}
		if f.Reader != "" {
			titles, reader = " AND ("+ofReader+")", append([]any{string(f.Reader), f.Reader}, at(o.now())...)
		}
		add(`(lower(number) LIKE ? ESCAPE '\' OR (lower(title) LIKE ? ESCAPE '\'`+titles+`))`, append([]any{like, like}, reader...)...)
	}
	if f.Member != "" {
		add(ofMember, append([]any{f.Member}, at(o.now())...)...)
	}
	if f.Before != "" {
		add("id < ?", f.Before)
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+caseColumns+" FROM cases WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
		out, err = database.Collect(rows, err, func(r *sql.Rows) (Case, error) { return scanCase(r) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return out, nil
}

const caseColumns = "id, number, kind, title, opened_at, opened_by, closed_at, closed_by"

func scanCase(r interface{ Scan(...any) error }) (c Case, err error) {
	var opened, closed int64
	err = r.Scan(&c.ID, &c.Number, &c.Kind, &c.Title, &opened, &c.OpenedBy, &closed, &c.ClosedBy)
	c.OpenedAt, c.ClosedAt = database.Time(opened), database.Time(closed)
	return c, err
}

func caseBy(ctx context.Context, tx *database.Tx, column, value string) (Case, error) {
	c, err := scanCase(tx.QueryRow(ctx, "SELECT "+caseColumns+" FROM cases WHERE "+column+" = ?", value))
	if errors.Is(err, sql.ErrNoRows) {
		return Case{}, evidence.Errorf(evidence.NotFound, "There is no such case or incident in the register.")
	}
	if err != nil {
		return Case{}, fmt.Errorf("read case: %w", err)
	}
	return c, nil
}

// openCase takes the turn and reads a case; Conflict for a closed one.
func (o *Organisation) openCase(ctx context.Context, tx *database.Tx, id evidence.ID) (Case, error) {
	if err := o.turn(ctx, tx); err != nil {
		return Case{}, err
	}
	c, err := caseBy(ctx, tx, "id", string(id))
	if err == nil && !c.ClosedAt.IsZero() {
		return Case{}, evidence.Errorf(evidence.Conflict, "That case is closed. Nothing was changed.")
	}
	return c, err
}

const memberColumns = "m.id, m.case_id, c.number, m.person, m.role, m.from_at, m.until_at"

func scanMember(r interface{ Scan(...any) error }) (m Membership, err error) {
	var from, until int64
	err = r.Scan(&m.ID, &m.Case, &m.Number, &m.Person, &m.Role, &from, &until)
	m.From, m.Until = database.Time(from), database.Time(until)
	return m, err
}
