package ledgertest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/tlog"
)

// Insert writes many events straight into the tables, many rows a statement,
// as Append would have written them and the sequencer placed them.
type Insert struct {
	DB    *database.DB
	Rand  io.Reader
	Event func(i int) ledger.Event // with At set
	// Unsealed leaves out the commitments, which take longer than all else:
	// leaves are random, and Audit would rightly object.
	Unsealed bool

	items  map[evidence.ID]*place
	actors map[[5]string]bool
	index  int64
	rows   map[string][]any // by table
}

// place is what the ledger remembers of an item.
type place struct {
	key  []byte
	seq  uint64 // of the last event
	prev tlog.Hash
}

var columns = map[string]string{
	"ledger_events": "id, item, item_seq, verb, actor_id, at, leaf, event_key, fields",
	"ledger_leaves": "idx, event, leaf",
	"ledger_trail":  "event, at, kind, item, actor, reference, purpose",
	"ledger_actors": "actor, actor_kind, name, number, role",
	"ledger_items":  "item, item_key, next_seq, prev",
}

// Run inserts the events from, …, to-1. The ledger must be otherwise idle.
func (in *Insert) Run(ctx context.Context, from, to int) error {
	if in.items == nil {
		if err := in.begin(ctx); err != nil {
			return err
		}
	}
	const together = 20_000 // events in a transaction
	for from < to {
		n := min(together, to-from)
		for i := range n {
			if err := in.add(in.Event(from + i)); err != nil {
				return err
			}
		}
		if err := in.DB.Write(ctx, func(tx *database.Tx) error { return in.write(ctx, tx) }); err != nil {
			return err
		}
		clear(in.rows)
		from += n
	}
	for item, p := range in.items {
		in.row("ledger_items", string(item), p.key, int64(p.seq)+1, p.prev[:])
	}
	err := in.DB.Write(ctx, func(tx *database.Tx) error { return in.write(ctx, tx) })
	clear(in.rows)
	return err
}

func (in *Insert) begin(ctx context.Context) error {
	in.items, in.actors, in.rows = map[evidence.ID]*place{}, map[[5]string]bool{}, map[string][]any{}
	return in.DB.Read(ctx, func(tx *database.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(idx), -1) + 1 FROM ledger_leaves").Scan(&in.index); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT item, item_key, next_seq - 1, prev FROM ledger_items")
		if err != nil {
			return err
		}
		defer rows.Close() // Err below tells of failures
		for rows.Next() {
			var item evidence.ID
			var p place
			var prev []byte
			if err := rows.Scan(&item, &p.key, &p.seq, &prev); err != nil {
				return err
			}
			copy(p.prev[:], prev)
			in.items[item] = &p
		}
		return rows.Err()
	})
}

func (in *Insert) row(table string, values ...any) {
	in.rows[table] = append(in.rows[table], values...)
}

func (in *Insert) add(e ledger.Event) error {
	keys := make([]byte, 2*tlog.KeySize)
	if _, err := io.ReadFull(in.Rand, keys); err != nil {
		return err
	}
	id := evidence.NewID(e.At, in.Rand)
	fields := fieldsOf(id, e)
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	p := in.items[e.Item]
	if p == nil {
		p = &place{key: keys[:tlog.KeySize]}
		in.items[e.Item] = p
	}
	key := keys[tlog.KeySize:]
	p.seq++
	leaf := append([]byte{tlog.LeafVersion}, make([]byte, tlog.LeafSize-1)...)
	if in.Unsealed {
		copy(leaf[1:], keys)
	} else {
		leaf = tlog.Leaf{Tag: tlog.ItemTag(p.key, string(e.Item)), Seq: p.seq, Prev: p.prev, Commitment: tlog.Commit(key, fields)}.Encode()
	}
	p.prev = tlog.LeafHash(leaf)
	at := database.Micros(e.At)
	in.row("ledger_events", string(id), string(e.Item), int64(p.seq), string(e.Verb), e.Actor.ID, at, leaf, key, body)
	in.row("ledger_leaves", in.index, string(id), leaf)
	in.row("ledger_trail", string(id), at, string(e.Verb)+"."+string(e.Phase), string(e.Item), e.Actor.ID, ledger.Fold(e.Purpose.Reference), e.Purpose.Code)
	in.index++
	a := e.Actor
	if by := [5]string{a.ID, string(a.Kind), a.Name, a.Number, a.Role}; !in.actors[by] {
		in.actors[by] = true
		in.row("ledger_actors", by[0], by[1], by[2], by[3], by[4])
	}
	return nil
}

// fieldsOf is an event as it is committed to.
func fieldsOf(id evidence.ID, e ledger.Event) (fields []evidence.Field) {
	a, p := e.Actor, e.Purpose
	for _, f := range append([]evidence.Field{
		{Name: "event", Value: string(id)}, {Name: "item", Value: string(e.Item)}, {Name: "verb", Value: string(e.Verb)},
		{Name: "phase", Value: string(e.Phase)}, {Name: "at", Value: evidence.FormatTime(e.At)}, {Name: "actor_kind", Value: string(a.Kind)},
		{Name: "actor_id", Value: a.ID}, {Name: "actor_name", Value: a.Name}, {Name: "actor_number", Value: a.Number},
		{Name: "actor_role", Value: a.Role}, {Name: "address", Value: a.Address}, {Name: "session", Value: a.Session},
		{Name: "purpose", Value: p.Code}, {Name: "reference", Value: p.Reference}, {Name: "note", Value: p.Note},
	}, e.Fields...) {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

func (in *Insert) write(ctx context.Context, tx *database.Tx) error {
	for table, names := range columns {
		width := strings.Count(names, ",") + 1
		one := "(?" + strings.Repeat(", ?", width-1) + ")"
		end := map[string]string{
			"ledger_actors": " ON CONFLICT DO NOTHING",
			"ledger_items":  " ON CONFLICT (item) DO UPDATE SET next_seq = excluded.next_seq, prev = excluded.prev",
		}[table]
		const together = 500 // rows in a statement
		for args := in.rows[table]; len(args) > 0; {
			n := min(together*width, len(args))
			query := "INSERT INTO " + table + " (" + names + ") VALUES " + one + strings.Repeat(", "+one, n/width-1) + end
			if _, err := tx.Exec(ctx, query, args[:n]...); err != nil {
				return fmt.Errorf("insert into %s: %w", table, err)
			}
			args = args[n:]
		}
	}
	return nil
}

// Force makes the events of a large force in its years of use: people and
// cases that differ much in how often they occur, recordings that are looked
// at mostly when they are new, the service's own work, docks, refusals.
type Force struct {
	Start  time.Time
	Step   time.Duration // between two events
	People int
}

// Event is the i-th of them, always the same.
func (f Force) Event(i int) ledger.Event {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	skewed := func(n int) int { // of n, the first a thousand times as often as the last
		x := r.Float64()
		return int(float64(n) * x * x * x)
	}
	at := f.Start.Add(time.Duration(i) * f.Step)
	recording := max(0, i/60-skewed(i/60+1)) // some 60 events each
	person := skewed(f.People)
	e := ledger.Event{
		Item: f.Recording(recording), At: at, Verb: evidence.Consult, Phase: evidence.Intent,
		Actor: evidence.Actor{Kind: evidence.Person, ID: f.Person(person), Name: fmt.Sprintf("PC Person %d", person), Number: fmt.Sprint(1000 + person),
			Address: fmt.Sprintf("192.0.2.%d", person%250), Session: f.Person(i), Role: "officer"},
		Purpose: evidence.Purpose{Code: []string{"investigation", "statement", "supervision", "complaint"}[min(3, skewed(5))]},
	}
	if e.Purpose.Code == "investigation" {
		e.Purpose.Reference = f.Case(skewed(i/400 + 1))
	}
	switch k := r.IntN(1000); {
	case k < 350:
		e.Fields = []evidence.Field{evidence.F("consultation", f.Person(i))}
	case k < 650:
		e.Phase = evidence.Outcome
		e.Fields = []evidence.Field{evidence.F("consultation", f.Person(i)), evidence.F("ended", "closed"), evidence.F("open_ms", 61_000), evidence.F("bytes", 81_000_000)}
	case k < 655:
		e.Phase = evidence.Refused
		e.Fields = []evidence.Field{evidence.F("reason", "The role \"Officer\" allows to consult one's own recordings, and this is not one.")}
	case k < 665:
		e.Verb = evidence.Disclose
		e.Fields = []evidence.Field{evidence.F("recipient", "Crown Prosecution Service")}
	case k < 850:
		e.Verb, e.Phase, e.Actor, e.Purpose = evidence.Derive, []evidence.Phase{evidence.Intent, evidence.Outcome}[k%2], evidence.Server("prepare"), evidence.Purpose{}
	case k < 900:
		e.Verb, e.Phase, e.Actor, e.Purpose = evidence.Verify, evidence.Outcome, evidence.Server("scrub"), evidence.Purpose{}
	case k < 990:
		e.Verb, e.Phase, e.Purpose = evidence.Collect, []evidence.Phase{evidence.Intent, evidence.Outcome}[k%2], evidence.Purpose{}
		e.Actor = evidence.Actor{Kind: evidence.Dock, ID: f.Person(1_000_000 + person%300), Name: fmt.Sprintf("Dock %d", person%300), Role: "dock"}
	default:
		e.Item, e.Verb, e.Phase, e.Purpose = "service", evidence.Administer, evidence.Outcome, evidence.Purpose{}
	}
	return e
}

// Person, Recording and Case name the n-th of them.
func (f Force) Person(n int) string { return string(f.id('p', n)) }

// Recording is the identifier of the n-th recording.
func (f Force) Recording(n int) evidence.ID { return f.id('r', n) }

// Case is the number of the n-th case.
func (Force) Case(n int) string { return fmt.Sprintf("CASE %d/2026", n) }

func (f Force) id(kind byte, n int) evidence.ID {
	var b [10]byte
	b[0] = kind
	binary.BigEndian.PutUint64(b[2:], uint64(n))
	return evidence.NewID(f.Start, strings.NewReader(string(b[:])))
}

// Bulk runs f without the indexes of the trail and makes them anew after it:
// one sort for each, not a seek for each row.
func Bulk(ctx context.Context, db *database.DB, f func() error) error {
	query := "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'ledger_trail' AND sql IS NOT NULL"
	if db.Engine() == database.Postgres {
		query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'ledger_trail' AND indexname <> 'ledger_trail_pkey'"
	}
	makes := map[string]string{}
	err := db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close() // Err below tells of failures
		for rows.Next() {
			var name, sql string
			if err := rows.Scan(&name, &sql); err != nil {
				return err
			}
			makes[name] = sql
		}
		return rows.Err()
	})
	exec := func(statement string) {
		if err == nil {
			err = db.Write(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, statement)
				return err
			})
		}
	}
	for name := range makes {
		exec("DROP INDEX " + name)
	}
	if err == nil {
		err = f()
	}
	for _, sql := range makes {
		exec(sql)
	}
	exec("ANALYZE")
	return err
}
