package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// Search chooses events of the trail; zero values choose all.
type Search struct {
	Item      evidence.ID
	Actor     string // account or dock ID, or the name of a part of the service
	Reference string // case or incident number, in any case and spacing; see Fold
	Purpose   string // code
	Verbs     []evidence.Verb
	Phase     evidence.Phase
	From, To  time.Time // From ≤ at < To; zero = open
}

// Place is a place in the trail, newest first: what follows it is older. The
// zero Place is before the newest.
type Place struct {
	At    int64 // microseconds, see database.Micros
	Event evidence.ID
}

// Place is where the entry stands in the trail.
func (e Entry) Place() Place { return Place{findBy(e.Fields).at, e.Event} }

// Page is a part of the trail.
type Page struct {
	Entries []Entry
	Next    Place // where the part ends
	More    bool  // there may be more after Next
}

// looked bounds how many rows one Search looks at: where two filters have
// little in common, a page ends before it is full rather than late.
const looked = 1_000

// Search is the events that s chooses and that follow after, newest first by
// the time they happened, at most limit (up to 1,000) of them. A page may have
// fewer, even none, with More set: then the search goes on from Next. Events
// recorded meanwhile stand before Next and move nothing. It fails with Corrupt
// for an event that the trail lists and the ledger lacks.
func (l *Ledger) Search(ctx context.Context, s Search, after Place, limit int) (Page, error) {
	var p Page
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		q, err := s.plan(ctx, tx)
		if err != nil {
			return err
		}
		var ids []string
		if ids, p.Next, p.More, err = q.page(ctx, tx, after, limit); err != nil {
			return err
		}
		p.Entries, err = readListed(ctx, tx, ids)
		return err
	})
	if err != nil {
		return Page{}, unavailable(err)
	}
	return p, nil
}

// Count is how many events s chooses, counted up to most.
func (l *Ledger) Count(ctx context.Context, s Search, most int) (n int, err error) {
	err = l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		q, err := s.plan(ctx, tx)
		if err != nil {
			return err
		}
		for after := (Place{}); n < most; {
			ids, next, more, err := q.page(ctx, tx, after, min(most-n, looked))
			if err != nil {
				return err
			}
			n += len(ids)
			if !more {
				break
			}
			after = next
		}
		return nil
	})
	return n, unavailable(err)
}

// Kind is a verb and a phase.
type Kind struct {
	Verb  evidence.Verb
	Phase evidence.Phase
}

// CountItems is how many events of each kind each item has in a time: From ≤
// at < To. It reads an index through, so it takes seconds for millions.
func (l *Ledger) CountItems(ctx context.Context, verbs []evidence.Verb, from, to time.Time) (map[Kind]map[evidence.ID]int, error) {
	out := map[Kind]map[evidence.ID]int{}
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		q, err := Search{Verbs: verbs, From: from, To: to}.plan(ctx, tx)
		if err != nil {
			return err
		}
		for _, k := range q.kinds {
			verb, phase, _ := strings.Cut(k, ".")
			if out[Kind{evidence.Verb(verb), evidence.Phase(phase)}], err = q.countItems(ctx, tx, k); err != nil {
				return err
			}
		}
		return nil
	})
	return out, unavailable(err)
}

func (q plan) countItems(ctx context.Context, tx *database.Tx, kind string) (map[evidence.ID]int, error) {
	where, args := q.times("kind = ?", []any{kind})
	rows, err := tx.Query(ctx, "SELECT item, COUNT(*) FROM ledger_trail WHERE "+where+" GROUP BY item", args...)
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	defer rows.Close() // Err below tells of failures
	out := map[evidence.ID]int{}
	for rows.Next() {
		var item evidence.ID
		var n int
		if err := rows.Scan(&item, &n); err != nil {
			return nil, fmt.Errorf("count events: %w", err)
		}
		out[item] = n
	}
	return out, rows.Err()
}

// Entry is one event by its identifier. It fails with NotFound.
func (l *Ledger) Entry(ctx context.Context, event evidence.ID) (Entry, error) {
	var list []Entry
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) (err error) {
		list, err = readEntries(ctx, tx, " WHERE e.id = ?", string(event))
		return err
	})
	if err == nil && len(list) == 0 {
		err = evidence.Errorf(evidence.NotFound, "There is no such event in the ledger.")
	}
	if err != nil {
		return Entry{}, unavailable(err)
	}
	return list[0], nil
}

// plan is a search made ready: the index that it reads and what is left to
// compare in each row.
type plan struct {
	Search
	column string // of the index that leads to the events; "" = kind alone
	value  string
	kinds  []string
	rest   []test
}

type test struct{ column, value string }

func (s Search) plan(ctx context.Context, tx *database.Tx) (plan, error) {
	q := plan{Search: s}
	var tests []test
	for _, t := range []test{{"item", string(s.Item)}, {"reference", Fold(s.Reference)}, {"actor", short(s.Actor)}, {"purpose", short(s.Purpose)}} {
		if t.value != "" {
			tests = append(tests, t)
		}
	}
	if len(tests) > 0 {
		best, err := narrowest(ctx, tx, tests)
		if err != nil {
			return q, err
		}
		q.column, q.value = tests[best].column, tests[best].value
		q.rest = slices.Delete(tests, best, best+1)
	}
	kinds, err := kindsOf(ctx, tx, q.column, q.value)
	q.kinds = slices.DeleteFunc(kinds, func(k string) bool {
		verb, phase, _ := strings.Cut(k, ".")
		return len(s.Verbs) > 0 && !slices.Contains(s.Verbs, evidence.Verb(verb)) || s.Phase != "" && string(s.Phase) != phase
	})
	return q, err
}

// only is the condition of one filter. It names the condition of the partial
// indexes too, which SQLite does not see in a parameter.
func only(column string) string {
	if column == "reference" || column == "purpose" {
		return column + " = ? AND " + column + " <> ''"
	}
	return column + " = ?"
}

// narrowest is the filter that leaves the fewest events, as far as a short
// look tells.
func narrowest(ctx context.Context, tx *database.Tx, tests []test) (best int, err error) {
	if len(tests) == 1 {
		return 0, nil
	}
	const enough = 2000
	least := enough + 1
	for i, t := range tests {
		var n int
		err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_trail WHERE "+only(t.column)+" LIMIT ?) AS few", t.value, enough).Scan(&n)
		if err != nil {
			return 0, err
		}
		if n < least {
			best, least = i, n
		}
	}
	return best, nil
}

// kindsOf are the kinds of event that there are: for each a seek in the index,
// not a walk through it.
func kindsOf(ctx context.Context, tx *database.Tx, column string, value any) (kinds []string, err error) {
	where, args := "", []any{}
	if column != "" {
		where, args = only(column)+" AND ", []any{value, value}
	}
	least := "(SELECT t.kind FROM ledger_trail t WHERE " + where + "t.kind > %s ORDER BY t.kind LIMIT 1)"
	rows, err := tx.Query(ctx, "WITH RECURSIVE k (kind) AS (SELECT "+fmt.Sprintf(least, "''")+
		" UNION ALL SELECT "+fmt.Sprintf(least, "k.kind")+" FROM k WHERE k.kind IS NOT NULL) SELECT kind FROM k WHERE kind IS NOT NULL", args...)
	if err != nil {
		return nil, fmt.Errorf("read kinds of events: %w", err)
	}
	defer rows.Close() // Err below tells of failures
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			return nil, err
		}
		kinds = append(kinds, k)
	}
	return kinds, rows.Err()
}

// times adds the limits of time to a condition.
func (s Search) times(where string, args []any) (string, []any) {
	if !s.From.IsZero() {
		where, args = where+" AND at >= ?", append(args, database.Micros(s.From))
	}
	if !s.To.IsZero() {
		where, args = where+" AND at < ?", append(args, database.Micros(s.To))
	}
	return where, args
}

// page is the events after a place, at most limit of them, where it ends, and
// whether it ended before the last.
func (q plan) page(ctx context.Context, tx *database.Tx, after Place, limit int) (ids []string, next Place, more bool, err error) {
	next = after
	step := limit + 1 // one more than is wanted tells whether there is more
	if len(q.rest) > 0 {
		step = max(4*limit, 200)
	}
	for seen := 0; ; {
		rows, err := q.rows(ctx, tx, next, step)
		if err != nil {
			return nil, next, false, err
		}
		for _, r := range rows {
			if q.keeps(r) {
				if len(ids) == limit {
					return ids, next, true, nil
				}
				ids = append(ids, r.event)
			}
			next = Place{r.at, evidence.ID(r.event)}
		}
		if len(rows) < step {
			return ids, next, false, nil
		}
		if seen += len(rows); seen >= looked {
			return ids, next, true, nil
		}
		step = min(2*step, looked-seen+1)
	}
}

func (q plan) keeps(r found) bool {
	have := map[string]string{"item": r.item, "actor": r.actor, "reference": r.reference, "purpose": r.purpose}
	for _, t := range q.rest {
		if have[t.column] != t.value {
			return false
		}
	}
	return true
}

// rows are the next rows of the index, merged from one run for each kind.
func (q plan) rows(ctx context.Context, tx *database.Tx, after Place, limit int) ([]found, error) {
	if len(q.kinds) == 0 {
		return nil, nil
	}
	columns := "at, event, '' AS item, '' AS actor, '' AS reference, '' AS purpose" // all in the index
	if len(q.rest) > 0 {
		columns = "at, event, item, actor, reference, purpose"
	}
	var runs []string
	var args []any
	for i, kind := range q.kinds {
		where := "kind = ?"
		if q.column != "" {
			where, args = only(q.column)+" AND kind = ?", append(args, q.value)
		}
		where, args = q.times(where, append(args, kind))
		if after != (Place{}) {
			where, args = where+" AND (at, event) < (?, ?)", append(args, after.At, string(after.Event))
		}
		args = append(args, limit)
		runs = append(runs, fmt.Sprintf("SELECT * FROM (SELECT %s FROM ledger_trail WHERE %s ORDER BY at DESC, event DESC LIMIT ?) AS k%d", columns, where, i))
	}
	rows, err := tx.Query(ctx, strings.Join(runs, " UNION ALL ")+" ORDER BY at DESC, event DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("search trail: %w", err)
	}
	defer rows.Close() // Err below tells of failures
	var out []found
	for rows.Next() {
		var r found
		if err := rows.Scan(&r.at, &r.event, &r.item, &r.actor, &r.reference, &r.purpose); err != nil {
			return nil, fmt.Errorf("search trail: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// readListed reads the events of a page, in its order.
func readListed(ctx context.Context, tx *database.Tx, ids []string) ([]Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	list, err := readEntries(ctx, tx, " WHERE e.id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args...)
	if err != nil {
		return nil, err
	}
	place := map[evidence.ID]int{}
	for i, id := range ids {
		place[evidence.ID(id)] = i
	}
	if len(list) != len(ids) {
		return nil, evidence.Errorf(evidence.Corrupt, "The trail lists an event that the ledger lacks. Run custos admin fsck.")
	}
	slices.SortFunc(list, func(a, b Entry) int { return place[a.Event] - place[b.Event] })
	return list, nil
}

// Actor is somebody under one name, number and role that they acted under.
type Actor struct {
	ID     string
	Kind   evidence.ActorKind
	Name   string
	Number string
	Role   string
}

// Actors are whoever acted and has word, in any case, in a name or number that
// they acted under, or as their identifier; at most limit, by name. Who was
// renamed is found by both names.
func (l *Ledger) Actors(ctx context.Context, word string, limit int) (out []Actor, err error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(short(word))) + "%"
	err = l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, `SELECT actor, actor_kind, name, number, role FROM ledger_actors
			WHERE actor <> '' AND (lower(name) LIKE ? ESCAPE '\' OR lower(number) LIKE ? ESCAPE '\' OR actor = ?) ORDER BY name, number, actor, role LIMIT ?`,
			like, like, short(word), limit)
		if err != nil {
			return err
		}
		defer rows.Close() // Err below tells of failures
		for rows.Next() {
			var a Actor
			if err := rows.Scan(&a.ID, &a.Kind, &a.Name, &a.Number, &a.Role); err != nil {
				return err
			}
			out = append(out, a)
		}
		return rows.Err()
	})
	return out, unavailable(err)
}
