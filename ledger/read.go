package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

// Entry is an event as it was recorded, with the key that opens it. The key is
// for making openings, never for handing out.
type Entry struct {
	Event   evidence.ID
	Item    evidence.ID
	ItemSeq uint64
	Index   int64 // place in the log; -1 = none yet
	Leaf    []byte
	Key     []byte // of the event, tlog.KeySize bytes
	Fields  []evidence.Field
}

// Get is the value of a field, "" where the event has none.
func (e Entry) Get(name string) string {
	for _, f := range e.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Open makes the opening of the entry; see tlog.Open.
func (e Entry) Open(withhold func(name string) bool) tlog.Opening {
	return tlog.Open(e.Leaf, e.Index, e.Key, e.Fields, withhold)
}

// Wait waits until a checkpoint that this process published covers the event,
// and gives the event's place in the log and the checkpoint. The event's
// transaction must have committed; of ref only Event is looked at. It fails with NotFound for an event that
// was not recorded, and with Unavailable or Corrupt when ctx ends before or
// the ledger stops: the event is recorded even then.
func (l *Ledger) Wait(ctx context.Context, ref Ref) (int64, []byte, error) {
	index, checked := int64(-1), int64(-1)
	for {
		l.mu.Lock()
		size, signed, stopped, changed := l.published.Size, l.note, l.stopped, l.changed
		l.mu.Unlock()
		if index < 0 && checked < size || checked < 0 {
			i, err := l.index(ctx, ref.Event)
			if err != nil {
				return 0, nil, err
			}
			index, checked = i, size
		}
		if index >= 0 && index < size {
			return index, signed, nil
		}
		if stopped != nil {
			return 0, nil, stopped
		}
		select {
		case l.wake <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
			return 0, nil, evidence.Wrap(evidence.Unavailable, ctx.Err(), "The event is recorded, but no checkpoint covers it yet. Ask again later.")
		case <-changed:
		}
	}
}

// index is the event's place in the log, -1 where it has none yet.
func (l *Ledger) index(ctx context.Context, event evidence.ID) (int64, error) {
	index := int64(-1)
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		return tx.QueryRow(ctx, "SELECT COALESCE(l.idx, -1) FROM ledger_events e LEFT JOIN ledger_leaves l ON l.event = e.id WHERE e.id = ?", string(event)).Scan(&index)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, evidence.Errorf(evidence.NotFound, "There is no such event in the ledger.")
	}
	return index, unavailable(err)
}

// Proof is the RFC 6962 audit path of the leaf at index in the tree of the
// first size leaves. It fails with NotFound where there is no such tree yet.
func (l *Ledger) Proof(ctx context.Context, index, size int64) ([]tlog.Hash, error) {
	var path []tlog.Hash
	err := l.tree(ctx, size, func(tx *database.Tx) (err error) {
		if index < 0 || index >= size {
			return evidence.Errorf(evidence.NotFound, "The log has no entry of that number.")
		}
		path, err = xtlog.ProveRecord(size, index, tileReader{ctx, tx})
		return err
	})
	return path, err
}

// Consistency is the RFC 6962 proof that the tree of newer leaves begins with
// the tree of older leaves, both at least 1. It fails with NotFound where
// there are no such trees yet.
func (l *Ledger) Consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error) {
	var path []tlog.Hash
	err := l.tree(ctx, newer, func(tx *database.Tx) (err error) {
		if older < 1 || older > newer {
			return evidence.Errorf(evidence.NotFound, "The log has no such sizes to compare.")
		}
		path, err = consistency(ctx, tx, older, newer)
		return err
	})
	return path, err
}

func (l *Ledger) tree(ctx context.Context, size int64, f func(tx *database.Tx) error) error {
	return unavailable(l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		h, err := readHead(ctx, tx, "")
		if err == nil && size > h.Size {
			err = evidence.Errorf(evidence.NotFound, "The log is not that long yet.")
		}
		if err != nil {
			return err
		}
		return f(tx)
	}))
}

const entryColumns = "e.id, e.item, e.item_seq, COALESCE(l.idx, -1), e.leaf, e.event_key, e.fields FROM ledger_events e LEFT JOIN ledger_leaves l ON l.event = e.id"

func readEntries(ctx context.Context, tx *database.Tx, query string, args ...any) ([]Entry, error) {
	rows, err := tx.Query(ctx, "SELECT "+entryColumns+query, args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer rows.Close() // Err below tells of failures
	var out []Entry
	for rows.Next() {
		var e Entry
		var fields []byte
		if err := rows.Scan(&e.Event, &e.Item, &e.ItemSeq, &e.Index, &e.Leaf, &e.Key, &fields); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		if err := json.Unmarshal(fields, &e.Fields); err != nil {
			return nil, evidence.Wrap(evidence.Corrupt, err, "An event in the ledger is damaged and cannot be shown. Run custos admin fsck.")
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

// History is the item's events with item_seq above afterSeq, in order, at most
// limit of them. It fails with Corrupt for an event that cannot be read; that
// events are as they were recorded is for tlog.CheckChain to tell.
func (l *Ledger) History(ctx context.Context, item evidence.ID, afterSeq uint64, limit int) ([]Entry, error) {
	var out []Entry
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) (err error) {
		out, err = readEntries(ctx, tx, " WHERE e.item = ? AND e.item_seq > ? ORDER BY e.item_seq LIMIT ?", string(item), afterSeq, limit)
		return err
	})
	return out, unavailable(err)
}

// ItemKey is the key whose holder can find the item's leaves in the log. It
// fails with NotFound for an item without events.
func (l *Ledger) ItemKey(ctx context.Context, name evidence.ID) ([]byte, error) {
	var it item
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) (err error) {
		it, err = readItem(ctx, tx, string(name), "")
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, evidence.Errorf(evidence.NotFound, "Nothing is recorded of this item.")
	}
	return it.key, unavailable(err)
}

// ReadTile serves C2SP tlog-tiles: "tile/<L>/<N>[.p/<W>]" and
// "tile/entries/<N>[.p/<W>]", as far as the newest checkpoint reaches. It
// fails with Invalid for a path that can name no tile, NotFound for a tile
// that is not (yet) there, and Corrupt for a damaged one.
func (l *Ledger) ReadTile(ctx context.Context, path string) ([]byte, error) {
	t, err := tlog.ParseTilePath(path)
	if err != nil {
		return nil, err
	}
	if !tlog.InTree(t, l.last().Size) {
		return nil, evidence.Errorf(evidence.NotFound, "The log has no such tile yet.")
	}
	var out []byte
	err = l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		if t.L == tlog.Entries {
			first := t.N * tlog.TileWidth
			leaves, err := readLeaves(ctx, tx, first, first+int64(t.W))
			if err != nil {
				return err
			}
			if len(leaves) != t.W {
				return disagree()
			}
			out, err = tlog.EncodeEntries(leaves)
			return err
		}
		err := tx.QueryRow(ctx, "SELECT hashes FROM ledger_tiles WHERE level = ? AND idx = ?", t.L, t.N).Scan(&out)
		if errors.Is(err, sql.ErrNoRows) || err == nil && len(out) < t.W*hashSize {
			return disagree()
		}
		out = out[:min(len(out), t.W*hashSize)]
		return err
	})
	return out, unavailable(err)
}
