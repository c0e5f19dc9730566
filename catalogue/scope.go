package catalogue

import (
	"slices"
	"strings"

	"custos/database"
	"custos/evidence"
)

// A scope (evidence.Scope.Live of it) becomes SQL in two shapes that find the same recordings, those that
// evidence.Scope.Covers covers; a property test keeps the three alike.
//
// A condition says of one row whether it is covered. It serves counting.
//
// Arms serve pages of lists. Each term is one or several parts that an index
// gives in the order of the list. The newest of the first part are read, and of
// the others those that would stand among them: a few steps of an index each,
// however many there are. A single condition with OR would make the database
// choose between reading the list until a page has filled, which is long for
// who may see little, and sorting all they may see, which is long for who may
// see much.

// partsMost is how many units or cases of one term have arms of their own.
// More share one, which sorts.
const partsMost = 12

// piece is a piece of SQL with its arguments.
type piece struct {
	sql  string
	args []any
}

func (p *piece) add(sql string, args ...any) {
	p.sql += sql
	p.args = append(p.args, args...)
}

// where adds a clause of all that is not empty.
func (p *piece) where(all []piece) {
	word := " WHERE "
	for _, w := range all {
		if w.sql != "" {
			p.add(word+w.sql, w.args...)
			word = " AND "
		}
	}
}

func marks(n int) string { return "(" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")" }

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// everyClass tells whether a term leaves out no class.
func everyClass(t evidence.Term) bool { return len(t.Classes) == 3 }

// fits is the part of a term that is not its reach; "" = all rows fit.
func fits(t evidence.Term) piece {
	var p piece
	if !everyClass(t) {
		p.add("r.class IN "+marks(len(t.Classes)), anys(t.Classes)...)
	}
	and := func() {
		if p.sql != "" {
			p.sql += " AND "
		}
	}
	switch t.State {
	case evidence.Assigned:
		and()
		p.add("r.owner <> ''")
	case evidence.Unassigned:
		and()
		p.add("r.owner = ''")
	}
	return p
}

// condition is true of the rows r that the scope covers. all is true where
// that is every row.
func condition(s evidence.Scope) (p piece, all bool) {
	for _, t := range s {
		one := fits(t)
		reach := reachOf(t)
		if reach.sql != "" {
			if one.sql != "" {
				one.sql += " AND "
			}
			one.add(reach.sql, reach.args...)
		}
		if one.sql == "" {
			return piece{}, true
		}
		if p.sql != "" {
			p.sql += " OR "
		}
		p.add("("+one.sql+")", one.args...)
	}
	p.sql = "(" + p.sql + ")"
	return p, false
}

// reachOf is the reach of a term as a condition; "" = every row.
func reachOf(t evidence.Term) (p piece) {
	switch t.Reach {
	case evidence.Own:
		p.add("r.owner = ?", t.Person)
	case evidence.Unit:
		p.add("r.unit IN "+marks(len(t.Units)), anys(t.Units)...)
	case evidence.Case:
		p.add("r.id IN (SELECT recording FROM recording_cases WHERE case_id IN "+marks(len(t.Cases))+")", anys(t.Cases)...)
	case evidence.Listed:
		p.add("r.id IN (SELECT recording FROM recording_listed WHERE person = ? AND (until = 0 OR until > ?))", t.Person, database.Micros(t.At))
	}
	return p
}

// arm is one part of a scope: from is its tables, with r the recordings; by
// names the columns of the order in the index that gives it.
type arm struct {
	from, by string
	where    piece
}

// place is the place in the list of a row of the arm.
func (a arm) place() string { return "(" + strings.ReplaceAll(a.by, " DESC", "") + ")" }

// arms are the parts of a scope, those that hold most first; all of those alike in shape where it is more
// than partsMost of a kind.
func arms(s evidence.Scope) (out []arm) {
	const own, other = "r.started_at DESC, r.id DESC", "k.started_at DESC, k.recording DESC"
	rank := []evidence.Reach{evidence.Force, evidence.Unit, evidence.Own, evidence.Case, evidence.Listed}
	s = slices.Clone(s)
	slices.SortStableFunc(s, func(a, b evidence.Term) int {
		return slices.Index(rank, a.Reach) - slices.Index(rank, b.Reach)
	})
	for _, t := range s {
		add := func(from, by, where string, args ...any) {
			a := arm{from, by, fits(t)}
			if a.where.sql != "" && where != "" {
				a.where.sql += " AND "
			}
			a.where.add(where, args...)
			out = append(out, a)
		}
		// each makes an arm of each part.
		each := func(from, by, column string, parts []evidence.ID) {
			for _, id := range parts {
				add(from, by, column+" = ?", id)
			}
		}
		if len(t.Units) > partsMost && t.Reach == evidence.Unit || len(t.Cases) > partsMost && t.Reach == evidence.Case {
			together, by := reachOf(t), own // no join: a recording may be in several cases
			if t.Reach == evidence.Case {
				by = "r.started_at + 0 DESC, r.id DESC" // few among many: gather and sort, do not read the list for them
			}
			add("recordings r", by, together.sql, together.args...)
			continue
		}
		switch t.Reach {
		case evidence.Force:
			add("recordings r", own, "")
		case evidence.Own:
			add("recordings r", own, "r.owner = ?", t.Person)
		case evidence.Unit:
			each("recordings r", own, "r.unit", t.Units)
		case evidence.Case:
			each("recording_cases k JOIN recordings r ON r.id = k.recording", other, "k.case_id", t.Cases)
		case evidence.Listed:
			add("recording_listed k JOIN recordings r ON r.id = k.recording", other,
				"k.person = ? AND (k.until = 0 OR k.until > ?)", t.Person, database.Micros(t.At))
		}
	}
	return out
}
