package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

// Damage is one thing that Audit found wrong.
type Damage struct {
	Index int64       // place in the log, -1 where it is about none
	Event evidence.ID // "" where it is about none
	Item  evidence.ID
	What  string
}

func (d Damage) String() string {
	var b strings.Builder
	if d.Index >= 0 {
		fmt.Fprintf(&b, "entry %d, ", d.Index)
	}
	if d.Event != "" {
		fmt.Fprintf(&b, "event %s, ", d.Event)
	}
	if d.Item != "" {
		fmt.Fprintf(&b, "item %s, ", d.Item)
	}
	return strings.TrimSuffix(b.String(), ", ") + ": " + d.What
}

// maxDamage is how many findings an AuditError names; Total counts them all.
const maxDamage = 1000

// AuditError is what is wrong with a ledger.
type AuditError struct {
	Damaged []Damage // the first maxDamage
	Total   int
}

func (e *AuditError) Error() string {
	var lines []string
	for _, d := range e.Damaged {
		lines = append(lines, d.String())
	}
	if more := e.Total - len(e.Damaged); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// audit is an Audit on its way.
type audit struct {
	head  head
	last  tlog.Checkpoint
	edge  edge
	found AuditError
}

func (a *audit) damaged(d Damage) {
	a.found.Total++
	if len(a.found.Damaged) < maxDamage {
		a.found.Damaged = append(a.found.Damaged, d)
	}
}

// Audit computes everything anew from what is stored: each leaf from the
// event's fields and key, each item's chain, each tile, the root, and the
// root at the last published size. progress, if not nil, is told how many of
// how many leaves are done. The ledger may go on meanwhile; leaves that came
// after the start are not looked at. Audit fails with Corrupt, wrapping an
// *AuditError that names each damaged entry, and with Unavailable where the
// database cannot be read.
func (l *Ledger) Audit(ctx context.Context, progress func(done, total int64)) error {
	a := audit{last: l.last()}
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) (err error) {
		a.head, err = readHead(ctx, tx, "")
		return err
	})
	const step = 4 * tlog.TileWidth
	for from := int64(0); err == nil && from < a.head.Size; from += step {
		to := min(from+step, a.head.Size)
		err = l.cfg.DB.Read(ctx, func(tx *database.Tx) error { return a.leaves(ctx, tx, from, to) })
		if progress != nil {
			progress(to, a.head.Size)
		}
	}
	if err == nil {
		err = l.cfg.DB.Read(ctx, func(tx *database.Tx) error { return a.finish(ctx, tx) })
	}
	if err != nil {
		return unavailable(err)
	}
	if a.found.Total > 0 {
		return evidence.Wrap(evidence.Corrupt, &a.found, fmt.Sprintf("The ledger is damaged in %d places.", a.found.Total))
	}
	return nil
}

// auditRow is a leaf with all that must agree with it. Pointers are nil where
// the other table has no row.
type auditRow struct {
	idx     int64
	event   string
	leaf    []byte
	item    *string
	seq     *uint64
	verb    *string
	actor   *string
	at      *int64
	copy    []byte // the event's own copy of the leaf
	key     []byte
	fields  []byte
	itemKey []byte
	prev    []byte // leaf of the event before, from the log
	prevIdx *int64
	listed  *string // kind in the trail
	found   found   // the rest of its row there
}

const auditQuery = `SELECT l.idx, l.event, l.leaf, e.item, e.item_seq, e.verb, e.actor_id, e.at, e.leaf, e.event_key, e.fields, i.item_key, pl.leaf, pl.idx,
		t.kind, COALESCE(t.at, 0), COALESCE(t.item, ''), COALESCE(t.actor, ''), COALESCE(t.reference, ''), COALESCE(t.purpose, '')
	FROM ledger_leaves l
	LEFT JOIN ledger_events e ON e.id = l.event
	LEFT JOIN ledger_items i ON i.item = e.item
	LEFT JOIN ledger_events p ON p.item = e.item AND p.item_seq = e.item_seq - 1
	LEFT JOIN ledger_leaves pl ON pl.event = p.id
	LEFT JOIN ledger_trail t ON t.event = e.id
	WHERE l.idx >= ? AND l.idx < ? ORDER BY l.idx`

// leaves audits the leaves from, …, to-1.
func (a *audit) leaves(ctx context.Context, tx *database.Tx, from, to int64) error {
	rows, err := tx.Query(ctx, auditQuery, from, to)
	if err != nil {
		return err
	}
	defer rows.Close() // Err below tells of failures
	var found []auditRow
	for rows.Next() {
		var r auditRow
		if err := rows.Scan(&r.idx, &r.event, &r.leaf, &r.item, &r.seq, &r.verb, &r.actor, &r.at, &r.copy, &r.key, &r.fields, &r.itemKey, &r.prev, &r.prevIdx,
			&r.listed, &r.found.at, &r.found.item, &r.found.actor, &r.found.reference, &r.found.purpose); err != nil {
			return err
		}
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := rows.Close(); err != nil { // tiles are read on the same connection
		return err
	}
	var stored []byte // the tile of leaf hashes
	for idx := from; idx < to; idx++ {
		if idx%tlog.TileWidth == 0 {
			if stored, err = readTile(ctx, tx, 0, idx/tlog.TileWidth); err != nil {
				return err
			}
		}
		var hash tlog.Hash // of the leaf; where that is gone, the tile's word for it
		at := int(idx%tlog.TileWidth) * hashSize
		if at+hashSize <= len(stored) {
			hash = tlog.Hash(stored[at : at+hashSize])
		}
		if len(found) == 0 || found[0].idx != idx {
			a.damaged(Damage{Index: idx, What: "the leaf is missing from the log"})
		} else {
			a.row(found[0], hash)
			hash = tlog.LeafHash(found[0].leaf)
			found = found[1:]
		}
		if err := a.add(ctx, tx, hash); err != nil {
			return err
		}
	}
	return nil
}

// row audits one leaf against its event and the tree.
func (a *audit) row(r auditRow, inTree tlog.Hash) {
	d := Damage{Index: r.idx, Event: evidence.ID(r.event)}
	if r.item != nil {
		d.Item = evidence.ID(*r.item)
	}
	for _, what := range r.faults(inTree) {
		d.What = what
		a.damaged(d)
	}
}

func (r auditRow) faults(inTree tlog.Hash) (out []string) {
	check := func(ok bool, what string) {
		if !ok {
			out = append(out, what)
		}
	}
	check(tlog.LeafHash(r.leaf) == inTree, "the leaf is not the one in the tree")
	if r.item == nil {
		return append(out, "the event is missing")
	}
	check(bytes.Equal(r.copy, r.leaf), "the leaf in the log is not the event's")
	leaf, err := tlog.ParseLeaf(r.leaf)
	if err != nil {
		return append(out, "the leaf cannot be read")
	}
	var fields []evidence.Field
	if json.Unmarshal(r.fields, &fields) != nil || tlog.CheckFields(fields) != nil {
		return append(out, "the event's fields cannot be read")
	}
	check(tlog.Commit(r.key, fields) == leaf.Commitment, "the event's fields or key are not those committed to")
	check(len(r.itemKey) == tlog.KeySize && tlog.ItemTag(r.itemKey, *r.item) == leaf.Tag, "the item or its key is not the one in the leaf")
	check(leaf.Seq == *r.seq, "the number in the item's history is not the one in the leaf")
	if leaf.Seq > 1 {
		check(r.prev != nil, "the item's event before this one is missing from the log")
		check(r.prev == nil || tlog.LeafHash(r.prev) == leaf.Prev, "the item's event before this one is not the one that the leaf follows")
		check(r.prevIdx == nil || *r.prevIdx < r.idx, "the item's event before this one stands later in the log")
	}
	e := Entry{Fields: fields}
	check(e.Get("event") == r.event && e.Get("item") == *r.item && e.Get("verb") == *r.verb &&
		e.Get("actor_id") == *r.actor && e.Get("at") == evidence.FormatTime(database.Time(*r.at)), "what it is listed under is not what its fields say")
	return append(out, r.unlisted(fields)...)
}

// unlisted compares the event with its row of the trail: an event that was
// taken out there would be found by nobody who looks for it.
func (r auditRow) unlisted(fields []evidence.Field) (out []string) {
	want := findBy(fields)
	if r.listed == nil {
		return []string{"the trail does not list the event"}
	}
	have := r.found
	have.event, have.kind, have.by = r.event, *r.listed, want.by
	if have != want {
		out = append(out, "what the trail lists it under is not what its fields say")
	}
	return out
}

// add adds a leaf hash to the tree that is built anew, and compares tiles that
// fill up with those stored.
func (a *audit) add(ctx context.Context, tx *database.Tx, hash tlog.Hash) error {
	if err := a.edge.leaf(hash, a.compare(ctx, tx)); err != nil {
		return err
	}
	if a.edge.size == a.last.Size {
		root, err := a.edge.root()
		if err != nil {
			return err
		}
		if root != a.last.Root {
			a.damaged(Damage{Index: -1, What: fmt.Sprintf("the first %d leaves do not give the root of the last published checkpoint", a.last.Size)})
		}
	}
	return nil
}

func (a *audit) compare(ctx context.Context, tx *database.Tx) func(level int, idx int64, hashes []byte) error {
	return func(level int, idx int64, hashes []byte) error {
		stored, err := readTile(ctx, tx, level, idx)
		if err != nil {
			return err
		}
		// A tile that was partial at the start may have grown.
		if !bytes.HasPrefix(stored, hashes) {
			a.damaged(Damage{Index: -1, What: fmt.Sprintf("tile %d of level %d is not what the leaves give", idx, level)})
		}
		return nil
	}
}

// readTile is a tile as stored, nil where there is none.
func readTile(ctx context.Context, tx *database.Tx, level int, idx int64) ([]byte, error) {
	var hashes []byte
	err := tx.QueryRow(ctx, "SELECT hashes FROM ledger_tiles WHERE level = ? AND idx = ?", level, idx).Scan(&hashes)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return hashes, err
}

// finish audits what is not about one leaf.
func (a *audit) finish(ctx context.Context, tx *database.Tx) error {
	if err := a.edge.partial(a.compare(ctx, tx)); err != nil {
		return err
	}
	root, err := a.edge.root()
	if err != nil {
		return err
	}
	if root != a.head.Root {
		a.damaged(Damage{Index: -1, What: fmt.Sprintf("the %d leaves do not give the root of the log", a.head.Size)})
	}
	if a.last.Size > a.head.Size {
		a.damaged(Damage{Index: -1, What: fmt.Sprintf("the database has %d leaves, the last published checkpoint covers %d", a.head.Size, a.last.Size)})
	}
	outbox := ""
	if tx.Engine() == database.Postgres {
		outbox = " AND NOT EXISTS (SELECT 1 FROM ledger_outbox o WHERE o.event = e.id)"
	}
	err = a.list(ctx, tx, "the event has no leaf in the log",
		"SELECT e.id, e.item FROM ledger_events e WHERE NOT EXISTS (SELECT 1 FROM ledger_leaves l WHERE l.event = e.id)"+outbox)
	if err != nil {
		return err
	}
	return a.items(ctx, tx)
}

// items audits what the ledger remembers of each item's last event.
func (a *audit) items(ctx context.Context, tx *database.Tx) error {
	rows, err := tx.Query(ctx, `SELECT i.item, i.prev, e.leaf,
			EXISTS (SELECT 1 FROM ledger_events x WHERE x.item = i.item AND x.item_seq >= i.next_seq)
		FROM ledger_items i LEFT JOIN ledger_events e ON e.item = i.item AND e.item_seq = i.next_seq - 1`)
	if err != nil {
		return err
	}
	defer rows.Close() // Err below tells of failures
	for rows.Next() {
		d := Damage{Index: -1, What: "the record of the item's last event is wrong, or events at the end of its history are missing"}
		var prev, leaf []byte
		var beyond bool
		if err := rows.Scan(&d.Item, &prev, &leaf, &beyond); err != nil {
			return err
		}
		if hash := tlog.LeafHash(leaf); leaf == nil || beyond || !bytes.Equal(prev, hash[:]) {
			a.damaged(d)
		}
	}
	return rows.Err()
}

// list notes what for each event and item that query finds.
func (a *audit) list(ctx context.Context, tx *database.Tx, what, query string) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() // Err below tells of failures
	for rows.Next() {
		d := Damage{Index: -1, What: what}
		if err := rows.Scan(&d.Event, &d.Item); err != nil {
			return err
		}
		a.damaged(d)
	}
	return rows.Err()
}
