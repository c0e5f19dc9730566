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

// Kind is what sort of thing a person holds.
type Kind string

// The kinds.
const (
	Number Kind = "number" // a collar number
	Camera Kind = "camera" // a camera, by the serial or asset number that its recordings carry
)

// Holding is that a collar number or a camera is one person's for a time:
// for years, or for one shift where cameras are drawn from a pool.
type Holding struct {
	ID     evidence.ID `json:"id"`
	Kind   Kind        `json:"kind"`
	Thing  string      `json:"thing"` // the collar number, up to 32 bytes, or the camera, up to 128; case matters
	Person evidence.ID `json:"person"`
	From   time.Time   `json:"from,omitzero"`  // zero = since ever
	Until  time.Time   `json:"until,omitzero"` // zero = still
}

func (k Kind) limit() (words string, limit int, err error) {
	switch k {
	case Number:
		return "collar number", 32, nil
	case Camera:
		return "camera", 128, nil
	default:
		return "", 0, evidence.Errorf(evidence.Invalid, "People hold collar numbers and cameras, nothing else.")
	}
}

// Give gives a number or camera to a person. It uses all of h but ID. It fails
// with Invalid for text that cannot be kept or an end before the beginning,
// and with Conflict where somebody, the person included, has the thing at some
// moment of that time.
func (o *Organisation) Give(ctx context.Context, tx *database.Tx, h Holding) (Holding, error) {
	if err := o.turn(ctx, tx); err != nil {
		return Holding{}, err
	}
	words, limit, err := h.Kind.limit()
	if err != nil {
		return Holding{}, err
	}
	if h.Thing, err = line(words, h.Thing, limit); err != nil {
		return Holding{}, err
	}
	if _, err := evidence.ParseID(string(h.Person)); err != nil {
		return Holding{}, err
	}
	if err := checkSpan(h.From, h.Until); err != nil {
		return Holding{}, err
	}
	var others int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM holdings WHERE kind = ? AND thing = ? AND "+overlaps,
		append([]any{h.Kind, h.Thing}, span(h.From, h.Until)...)...).Scan(&others); err != nil {
		return Holding{}, fmt.Errorf("give %s: %w", h.Kind, err)
	}
	if others > 0 {
		return Holding{}, evidence.Errorf(evidence.Conflict, "That %s is with somebody in that time. Nothing was changed; end that first, or begin later.", words)
	}
	h.ID, h.From, h.Until = o.newID(), database.Time(database.Micros(h.From)), database.Time(database.Micros(h.Until))
	if _, err := tx.Exec(ctx, "INSERT INTO holdings (id, kind, thing, person, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?)",
		h.ID, h.Kind, h.Thing, h.Person, database.Micros(h.From), database.Micros(h.Until)); err != nil {
		return Holding{}, fmt.Errorf("give %s: %w", h.Kind, err)
	}
	return h, nil
}

// EndHolding gives a holding its end and returns it as it was. It fails with
// NotFound, with Conflict where it has an end, and with Invalid for an end
// before its beginning.
func (o *Organisation) EndHolding(ctx context.Context, tx *database.Tx, id evidence.ID, until time.Time) (before Holding, err error) {
	if err := o.turn(ctx, tx); err != nil {
		return Holding{}, err
	}
	before, err = scanHolding(tx.QueryRow(ctx, "SELECT "+holdingColumns+" FROM holdings WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Holding{}, evidence.Errorf(evidence.NotFound, "There is no such collar number or camera of anybody.")
	}
	if err != nil {
		return Holding{}, fmt.Errorf("end holding: %w", err)
	}
	if err := end(ctx, tx, "holdings", id, before.From, before.Until, until); err != nil {
		return Holding{}, err
	}
	return before, nil
}

// HoldingsAfter are the holdings of one kind that hold at t or later, of
// everybody, the latest first.
func (o *Organisation) HoldingsAfter(ctx context.Context, tx *database.Tx, kind Kind, t time.Time) ([]Holding, error) {
	return listHoldings(ctx, tx, "kind = ? AND (until_at = 0 OR until_at > ?)", kind, database.Micros(t))
}

// NewThing tells whether nobody ever had a number or camera.
func (o *Organisation) NewThing(ctx context.Context, tx *database.Tx, kind Kind, thing string) (bool, error) {
	var n int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM holdings WHERE kind = ? AND thing = ?", kind, thing).Scan(&n); err != nil {
		return false, fmt.Errorf("look for %s: %w", kind, err)
	}
	return n == 0, nil
}

// Things are all numbers, or all cameras, that anybody has, had or will have.
func (o *Organisation) Things(ctx context.Context, tx *database.Tx, kind Kind) (map[string]bool, error) {
	rows, err := tx.Query(ctx, "SELECT DISTINCT thing FROM holdings WHERE kind = ?", kind)
	list, err := database.Collect(rows, err, func(r *sql.Rows) (s string, err error) {
		err = r.Scan(&s)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, err)
	}
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s] = true
	}
	return out, nil
}

// holderAt is who has a thing at t, "" where nobody.
func holderAt(ctx context.Context, tx *database.Tx, kind Kind, thing string, t time.Time) (person evidence.ID, err error) {
	if thing == "" {
		return "", nil
	}
	err = tx.QueryRow(ctx, "SELECT person FROM holdings WHERE kind = ? AND thing = ? AND "+holds, append([]any{kind, thing}, at(t)...)...).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for holder: %w", err)
	}
	return person, nil
}

const holdingColumns = "id, kind, thing, person, from_at, until_at"

func scanHolding(r interface{ Scan(...any) error }) (h Holding, err error) {
	var from, until int64
	err = r.Scan(&h.ID, &h.Kind, &h.Thing, &h.Person, &from, &until)
	h.From, h.Until = database.Time(from), database.Time(until)
	return h, err
}

func listHoldings(ctx context.Context, tx *database.Tx, where string, args ...any) ([]Holding, error) {
	rows, err := tx.Query(ctx, "SELECT "+holdingColumns+" FROM holdings WHERE "+where+" ORDER BY from_at DESC, id DESC", args...)
	out, err := database.Collect(rows, err, func(r *sql.Rows) (Holding, error) { return scanHolding(r) })
	if err != nil {
		return nil, fmt.Errorf("list holdings: %w", err)
	}
	return out, nil
}
