package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

// Event is one thing that was done, tried or refused.
type Event struct {
	Item    evidence.ID // what it was done to; or a short name such as "service"
	Verb    evidence.Verb
	Phase   evidence.Phase
	At      time.Time // zero = now
	Actor   evidence.Actor
	Purpose evidence.Purpose
	Fields  []evidence.Field // of the act itself; no name twice, none of headerNames
}

// Ref is the place of an event in its item's history.
type Ref struct {
	Event   evidence.ID
	Item    evidence.ID
	ItemSeq uint64 // from 1
	Leaf    []byte // tlog.LeafSize bytes
}

// headerNames are the fields that Append writes, in their order.
func headerNames() []string {
	return []string{"event", "item", "verb", "phase", "at", "actor_kind", "actor_id", "actor_name", "actor_number",
		"actor_role", "address", "session", "purpose", "reference", "note"}
}

// fields are the event's fields as they are committed to: header first, empty
// ones left out, bytes that are not text replaced, for values come from
// cameras too.
func (e Event) fields(id evidence.ID) ([]evidence.Field, error) {
	a, p := e.Actor, e.Purpose
	values := []string{string(id), string(e.Item), string(e.Verb), string(e.Phase), evidence.FormatTime(e.At), string(a.Kind), a.ID, a.Name,
		a.Number, a.Role, a.Address, a.Session, p.Code, p.Reference, p.Note}
	header := headerNames()
	out := make([]evidence.Field, 0, len(header)+len(e.Fields))
	add := func(name, value string) {
		if value != "" {
			out = append(out, evidence.Field{Name: name, Value: strings.ToValidUTF8(value, "\uFFFD")})
		}
	}
	for i, name := range header {
		add(name, values[i])
	}
	for _, f := range e.Fields {
		if slices.Contains(header, f.Name) {
			return nil, evidence.Errorf(evidence.Invalid, "field %s of an event is written by the ledger itself", f.Name)
		}
		add(f.Name, f.Value)
	}
	return out, tlog.CheckFields(out)
}

// Append records e in the caller's transaction: the event and its place in its
// item's history commit, or vanish, with the change they describe. On
// PostgreSQL the item's history is locked until the transaction ends, so
// callers append last. It fails with Invalid for an event without item, verb
// or phase or with fields that no event can have, and with Unavailable or
// Corrupt while the ledger takes no events; the caller must then not act.
func (l *Ledger) Append(ctx context.Context, tx *database.Tx, e Event) (Ref, error) {
	if err := l.usable(); err != nil {
		return Ref{}, err
	}
	if e.Item == "" || len(e.Item) > 64 || e.Verb == "" || e.Phase == "" || strings.ToValidUTF8(string(e.Item), "") != string(e.Item) {
		return Ref{}, evidence.Errorf(evidence.Invalid, "an event needs an item, a verb and a phase")
	}
	if e.At.IsZero() {
		e.At = l.cfg.Now()
	}
	id, keys, err := l.draw()
	if err != nil {
		return Ref{}, err
	}
	fields, err := e.fields(id)
	if err != nil {
		return Ref{}, err
	}
	it, err := lockItem(ctx, tx, string(e.Item), keys[:tlog.KeySize])
	if err != nil {
		return Ref{}, unavailable(fmt.Errorf("lock item: %w", err))
	}
	key := keys[tlog.KeySize:]
	leaf := tlog.Leaf{Tag: tlog.ItemTag(it.key, string(e.Item)), Seq: it.seq, Prev: it.prev, Commitment: tlog.Commit(key, fields)}.Encode()
	ref := Ref{Event: id, Item: e.Item, ItemSeq: it.seq, Leaf: leaf}
	if err := insert(ctx, tx, ref, e, key, fields); err != nil {
		return Ref{}, unavailable(fmt.Errorf("append event: %w", err))
	}
	if err := l.list(ctx, tx, fields); err != nil {
		return Ref{}, unavailable(fmt.Errorf("list event: %w", err))
	}
	return ref, nil
}

// draw makes an event's identifier and two keys: for its item, should it be
// new, and for the event.
func (l *Ledger) draw() (evidence.ID, []byte, error) {
	l.randMu.Lock()
	defer l.randMu.Unlock()
	keys := make([]byte, 2*tlog.KeySize)
	if _, err := io.ReadFull(l.cfg.Rand, keys); err != nil {
		return "", nil, evidence.Wrap(evidence.Internal, err, "There are no random numbers for the event's keys. Nothing was changed.")
	}
	return evidence.NewID(l.cfg.Now(), l.cfg.Rand), keys, nil
}

type item struct {
	key  []byte
	seq  uint64 // of the next leaf
	prev tlog.Hash
}

// lockItem reads the item's row for update, making it with newKey if need be.
func lockItem(ctx context.Context, tx *database.Tx, name string, newKey []byte) (item, error) {
	it, err := readItem(ctx, tx, name, tx.Locking())
	if !errors.Is(err, sql.ErrNoRows) {
		return it, err
	}
	// Another transaction may make the same item now; whoever is second waits
	// here and then finds the row of the first.
	_, err = tx.Exec(ctx, "INSERT INTO ledger_items (item, item_key, next_seq, prev) VALUES (?, ?, 1, ?) ON CONFLICT (item) DO NOTHING",
		name, newKey, make([]byte, len(tlog.Hash{})))
	if err != nil {
		return item{}, err
	}
	return readItem(ctx, tx, name, tx.Locking())
}

func readItem(ctx context.Context, tx *database.Tx, name, locking string) (item, error) {
	var it item
	var prev []byte
	err := tx.QueryRow(ctx, "SELECT item_key, next_seq, prev FROM ledger_items WHERE item = ?"+locking, name).Scan(&it.key, &it.seq, &prev)
	if err == nil && (len(it.key) != tlog.KeySize || len(prev) != len(it.prev)) {
		err = evidence.Errorf(evidence.Corrupt, "The ledger's row of this item is damaged. Nothing was changed; run custos admin fsck.")
	}
	copy(it.prev[:], prev)
	return it, err
}

func insert(ctx context.Context, tx *database.Tx, ref Ref, e Event, key []byte, fields []evidence.Field) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	hash := tlog.LeafHash(ref.Leaf)
	if _, err := tx.Exec(ctx, "UPDATE ledger_items SET next_seq = ?, prev = ? WHERE item = ?", ref.ItemSeq+1, hash[:], string(e.Item)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO ledger_events (id, item, item_seq, verb, actor_id, at, leaf, event_key, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		string(ref.Event), string(e.Item), ref.ItemSeq, string(e.Verb), strings.ToValidUTF8(e.Actor.ID, "\uFFFD"), database.Micros(e.At), ref.Leaf, key, body)
	if err != nil {
		return err
	}
	if tx.Engine() == database.Postgres {
		_, err = tx.Exec(ctx, "INSERT INTO ledger_outbox (event, leaf) VALUES (?, ?)", string(ref.Event), ref.Leaf)
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO ledger_leaves (idx, event, leaf) SELECT COALESCE(MAX(idx), -1) + 1, ?, ? FROM ledger_leaves", string(ref.Event), ref.Leaf)
	return err
}
