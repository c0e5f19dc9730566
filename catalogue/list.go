package catalogue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// Query says which recordings are wanted, and of which the asker may know: the
// rule's answer (package access). The zero value finds nothing.
type Query struct {
	Officer  string    // collar number, exactly; "" = any
	Device   string    // exactly; "" = any
	From, To time.Time // From ≤ started < To; zero = open

	Cursor string // Next of the page before; "" = from the newest
	Limit  int    // recordings a page, 1 to 200; 0 = 60

	Scope evidence.Scope // of which recordings the asker may know

	Whole bool // cards tell their cases and access lists too
}

// Card is one recording as lists show it.
type Card struct {
	ID        evidence.ID         `json:"id"`
	Device    string              `json:"device"`
	Officer   string              `json:"officer"`
	Category  evidence.Category   `json:"category"`
	StartedAt time.Time           `json:"startedAt"`  // trusted time
	CreatedAt time.Time           `json:"createdAt"`  // first arrival here
	Duration  evidence.Duration   `json:"durationMs"` // of the segments probed so far
	Segments  int                 `json:"segments"`   // how many
	Bytes     int64               `json:"bytes"`      // of all masters
	State     evidence.MediaState `json:"state"`      // the best any segment offers
	Why       string              `json:"why"`        // the first reason any segment gives
	Poster    int                 `json:"-"`          // segment whose poster stands for the recording, 0 = none
	Placing   evidence.Placing    `json:"-"`          // what decides who may do what to it; without cases and list unless asked for
}

// Page is one page of a list.
type Page struct {
	Items []Card
	Next  string // cursor of the next page, "" after the last
}

// List is one page of the recordings that q asks for, newest first by start
// and then by ID. It reads one table in the order of one index, whatever the
// filter. A recording whose earliest segment arrives while somebody pages
// moves to its new place; no other is passed over or shown twice.
//
// It fails with Invalid for a limit out of range and for a cursor that is
// damaged or was given for another filter, or an officer or device that can be
// nobody's. Days and Count fail with Invalid for the last.
func (c *Catalogue) List(ctx context.Context, q Query) (Page, error) {
	parts, err := q.parts()
	if err != nil {
		return Page{}, err
	}
	if len(parts) == 0 {
		return Page{}, nil
	}
	var cards []Card
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		if cards, err = q.newest(ctx, tx, parts); err != nil || !q.Whole {
			return err
		}
		at := map[evidence.ID]*evidence.Placing{}
		for i := range cards {
			at[cards[i].ID] = &cards[i].Placing
		}
		return fillPlacings(ctx, tx, at)
	})
	if err != nil {
		return Page{}, fmt.Errorf("list recordings: %w", err)
	}
	p := Page{Items: cards}
	if limit := q.limit(); len(cards) > limit { // one more was asked for, to know whether there is a next page
		p.Items = cards[:limit]
		last := p.Items[limit-1]
		p.Next = q.cursorAt(database.Micros(last.StartedAt), last.ID)
	}
	return p, nil
}

// newest are the newest cards of all parts, in the order of the list, one more
// than a page has.
func (q Query) newest(ctx context.Context, tx *database.Tx, parts []part) ([]Card, error) {
	most := q.limit() + 1
	all := together(parts, most)
	rows, err := tx.Query(ctx, all.sql, all.args...)
	cards, err := database.Collect(rows, err, scanCard)
	if err != nil || len(parts) == 1 {
		return cards, err
	}
	slices.SortFunc(cards, func(a, b Card) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(string(b.ID), string(a.ID)))
	})
	cards = slices.CompactFunc(cards, func(a, b Card) bool { return a.ID == b.ID })
	return cards[:min(most, len(cards))], nil
}

// together reads the newest of the first part, and of the others what is not
// older than the last of these: what else they have stands behind it. What
// several parts have comes more than once.
func together(parts []part, most int) (q piece) {
	if len(parts) == 1 {
		return parts[0].query("", most)
	}
	first := parts[0].query("", most)
	q.add("WITH f AS MATERIALIZED ("+first.sql+"), e AS MATERIALIZED (SELECT CASE WHEN COUNT(*) = ? THEN MIN(started_at) END AS at FROM f) SELECT * FROM f",
		append(first.args, most)...)
	for i, p := range parts[1:] {
		one := p.query("(SELECT COALESCE(at, -9223372036854775807) FROM e)", most)
		q.add(fmt.Sprintf(" UNION ALL SELECT * FROM (%s) AS a%d", one.sql, i), one.args...)
	}
	return q
}

const cardColumns = `r.id, r.device, r.officer, r.category, r.started_at, r.created_at, r.duration_ms, r.segments, r.bytes, r.state, r.why, r.poster_segment,
	r.owner, r.unit, r.class`

func scanCard(r *sql.Rows) (k Card, err error) {
	var started, created int64
	err = r.Scan(&k.ID, &k.Device, &k.Officer, &k.Category, &started, &created,
		&k.Duration, &k.Segments, &k.Bytes, &k.State, &k.Why, &k.Poster, &k.Placing.Owner, &k.Placing.Unit, &k.Placing.Class)
	k.StartedAt, k.CreatedAt = database.Time(started), database.Time(created)
	return k, err
}

// part is one arm of a scope with everything that the query asks besides.
type part struct {
	arm
	filter []piece
}

// parts are the arms of the scope, with the filter and the place in the list;
// none where nothing may be known. It fails with Invalid.
func (q Query) parts() (out []part, err error) {
	if q.Limit < 0 || q.Limit > maxLimit {
		return nil, evidence.Errorf(evidence.Invalid, "A page of the list has 1 to %d recordings.", maxLimit)
	}
	filter, err := q.filter()
	if err != nil {
		return nil, err
	}
	var started int64
	var id evidence.ID
	if q.Cursor != "" {
		if started, id, err = q.position(); err != nil {
			return nil, err
		}
	}
	for _, a := range arms(q.Scope.Live()) {
		p := part{a, append([]piece{a.where}, filter...)}
		if q.Cursor != "" {
			p.filter = append(p.filter, piece{a.place() + " < (?, ?)", []any{started, id}})
		}
		out = append(out, p)
	}
	return out, nil
}

// query gives the newest cards of a part, up to most, and none that began
// before since, an expression, if there is one.
func (p part) query(since string, most int) (q piece) {
	q.add("SELECT " + cardColumns + " FROM " + p.from)
	where := p.filter
	if since != "" {
		where = append(slices.Clone(where), piece{sql: strings.TrimPrefix(strings.Split(p.place(), ",")[0], "(") + " >= " + since})
	}
	q.where(where)
	q.add(" ORDER BY "+p.by+" LIMIT ?", most)
	return q
}

// Day is how many recordings began on one day.
type Day struct {
	Day   string `json:"day"` // 2026-11-21
	Count int    `json:"count"`
}

// quarter is a quarter of an hour in microseconds: every zone in use keeps
// whole quarters, so days of any zone are made of them.
const quarter = 15 * 60 * 1000 * 1000

// Days counts the recordings that q asks for by the day they began where
// people are, newest first, without days that have none. Cursor and Limit do
// not matter.
func (c *Catalogue) Days(ctx context.Context, q Query, zone *time.Location) (days []Day, err error) {
	where, err := q.where()
	if err != nil || q.empty() {
		return nil, err
	}
	// SQL's % keeps the sign; times before 1970 must round down as well.
	query := fmt.Sprintf(`SELECT r.started_at - ((r.started_at %% %[1]d) + %[1]d) %% %[1]d AS quarter, COUNT(*)
		FROM recordings r`, quarter) + where.sql + " GROUP BY 1 ORDER BY 1 DESC"
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, query, where.args...)
		parts, err := database.Collect(rows, err, func(r *sql.Rows) (d Day, err error) {
			var micros int64
			err = r.Scan(&micros, &d.Count)
			d.Day = time.UnixMicro(micros).In(zone).Format(time.DateOnly)
			return d, err
		})
		for _, p := range parts {
			if n := len(days); n > 0 && days[n-1].Day == p.Day {
				days[n-1].Count += p.Count
			} else {
				days = append(days, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count days: %w", err)
	}
	return days, nil
}

// Count is how many recordings q asks for. Cursor and Limit do not matter.
func (c *Catalogue) Count(ctx context.Context, q Query) (n int64, err error) {
	where, err := q.where()
	if err != nil || q.empty() {
		return 0, err
	}
	err = c.db.Read(ctx, func(tx *database.Tx) error {
		return tx.QueryRow(ctx, "SELECT COUNT(*) FROM recordings r"+where.sql, where.args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count recordings: %w", err)
	}
	return n, nil
}

const (
	defaultLimit = 60
	maxLimit     = 200
)

func (q Query) limit() int {
	if q.Limit == 0 {
		return defaultLimit
	}
	return q.Limit
}

// empty tells whether the asker may know of no recording at all.
func (q Query) empty() bool { return len(q.Scope.Live()) == 0 }

// filter is what is wanted, without what may be known and the place in the
// list. It fails with Invalid.
func (q Query) filter() (where []piece, err error) {
	if err := errors.Join(checkText("officer", q.Officer, nameLimit), checkText("device", q.Device, nameLimit)); err != nil {
		return nil, err
	}
	add := func(w string, v any) { where = append(where, piece{w, []any{v}}) }
	if q.Officer != "" {
		add("r.officer = ?", q.Officer)
	}
	if q.Device != "" {
		add("r.device = ?", q.Device)
	}
	if !q.From.IsZero() {
		add("r.started_at >= ?", database.Micros(q.From))
	}
	if !q.To.IsZero() {
		add("r.started_at < ?", database.Micros(q.To))
	}
	return where, nil
}

// where is the filter and what may be known, as a clause. It fails with Invalid.
func (q Query) where() (p piece, err error) {
	where, err := q.filter()
	if err != nil {
		return p, err
	}
	if may, all := condition(q.Scope.Live()); !all {
		where = append(where, may)
	}
	p.where(where)
	return p, nil
}

// A cursor is base64url of: version 1 | started_at, 8 bytes big-endian | ID, 26
// bytes | check, 8 bytes. The check is part of a SHA-256 over what stands
// before it and the filter. It is no secret and needs none: a cursor is only a
// place in the list, and what may be seen there is asked anew for every page.
const cursorLength = 1 + 8 + 26 + 8

func (q Query) cursorAt(started int64, id evidence.ID) string {
	b := make([]byte, 0, cursorLength)
	b = append(b, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(started))
	b = append(b, id...)
	return base64.RawURLEncoding.EncodeToString(append(b, q.check(b)...))
}

// position reads q.Cursor.
func (q Query) position() (started int64, id evidence.ID, err error) {
	bad := evidence.Errorf(evidence.Invalid, "That place in the list is not known. Start again from the top.")
	// The decoder skips line ends, so the length of the text is checked too.
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || len(b) != cursorLength || b[0] != 1 || len(q.Cursor) != base64.RawURLEncoding.EncodedLen(cursorLength) {
		return 0, "", bad
	}
	body := b[:cursorLength-8]
	if string(q.check(body)) != string(b[len(body):]) {
		return 0, "", bad
	}
	if id, err = evidence.ParseID(string(body[9:])); err != nil {
		return 0, "", bad
	}
	return int64(binary.BigEndian.Uint64(body[1:9])), id, nil
}

func (q Query) check(body []byte) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%x %q %q %d %d", body, q.Officer, q.Device, database.Micros(q.From), database.Micros(q.To)))
	return sum[:8]
}
