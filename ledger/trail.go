package ledger

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// found is what an event is found by: its row in ledger_trail. It follows from
// the event's fields alone, so that the table can be made anew from them.
type found struct {
	event     string
	at        int64
	kind      string // verb.phase
	item      string
	actor     string
	reference string // folded
	purpose   string
	by        acted
}

// acted is one name, number and role that somebody acted under.
type acted struct{ actor, kind, name, number, role string }

// indexed is how much of a value an index holds, in bytes: PostgreSQL refuses
// entries of more than 2,704.
const indexed = 200

// findBy reads from an event's fields what it is found by.
func findBy(fields []evidence.Field) found {
	e := Entry{Fields: fields}
	at, err := time.Parse(evidence.TimeFormat, e.Get("at"))
	if err != nil {
		at = time.Time{} // what is damaged is found first, and by Audit
	}
	f := found{
		event: e.Get("event"), at: database.Micros(at), kind: e.Get("verb") + "." + e.Get("phase"), item: e.Get("item"),
		actor: short(e.Get("actor_id")), reference: Fold(e.Get("reference")), purpose: short(e.Get("purpose")),
	}
	if f.reference == "" { // what is done to a case names it as a field of the act
		f.reference = Fold(e.Get("case"))
	}
	f.by = acted{f.actor, e.Get("actor_kind"), short(e.Get("actor_name")), short(e.Get("actor_number")), short(e.Get("actor_role"))}
	return f
}

// Fold makes references that people would call the same, the same: upper case,
// one space between words.
func Fold(reference string) string {
	return short(strings.ToUpper(strings.Join(strings.Fields(reference), " ")))
}

// short is as much of a value as an index holds, without the byte that
// PostgreSQL takes in no text.
func short(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > indexed {
		s = strings.ToValidUTF8(s[:indexed], "")
	}
	return s
}

// list writes the event's row of the trail, in the event's own transaction.
func (l *Ledger) list(ctx context.Context, tx *database.Tx, fields []evidence.Field) error {
	f := findBy(fields)
	if _, err := tx.Exec(ctx, "INSERT INTO ledger_trail (event, at, kind, item, actor, reference, purpose) VALUES (?, ?, ?, ?, ?, ?, ?)",
		f.event, f.at, f.kind, f.item, f.actor, f.reference, f.purpose); err != nil {
		return err
	}
	l.actedMu.Lock()
	known := l.acted[f.by]
	l.actedMu.Unlock()
	if known {
		return nil
	}
	if err := listActor(ctx, tx, f.by); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		l.actedMu.Lock()
		defer l.actedMu.Unlock()
		if len(l.acted) >= actedCached {
			clear(l.acted)
		}
		l.acted[f.by] = true
	})
	return nil
}

// actedCached bounds the memory that Append takes for whom it has listed.
const actedCached = 50_000

func listActor(ctx context.Context, tx *database.Tx, by acted) error {
	_, err := tx.Exec(ctx, "INSERT INTO ledger_actors (actor, actor_kind, name, number, role) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		by.actor, by.kind, by.name, by.number, by.role)
	return err
}

// listOld lists the events that were recorded before there was a trail, a
// thousand in a transaction. What was listed stays, so a start that was broken
// off is gone on from; servers that start together do no harm.
func (l *Ledger) listOld(ctx context.Context) error {
	for listed := 0; ; {
		var done bool
		var n int
		err := l.cfg.DB.Write(ctx, func(tx *database.Tx) (err error) {
			n, done, err = listSome(ctx, tx)
			return err
		})
		if err != nil || done {
			return err
		}
		if listed += n; listed%100_000 == 0 {
			l.cfg.Logger.Info("ledger: listing older events in the trail", "events", listed)
		}
	}
}

func listSome(ctx context.Context, tx *database.Tx) (n int, done bool, err error) {
	const some = 1000
	var after string
	if err := tx.QueryRow(ctx, "SELECT event, done <> 0 FROM ledger_trail_state WHERE id = 1"+tx.Locking()).Scan(&after, &done); err != nil || done {
		return 0, done, err
	}
	rows, err := tx.Query(ctx, "SELECT id, fields FROM ledger_events WHERE id > ? ORDER BY id LIMIT ?", after, some)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close() // Err below tells of failures
	var old []found
	for rows.Next() {
		var body []byte
		var fields []evidence.Field
		if err := rows.Scan(&after, &body); err != nil {
			return 0, false, err
		}
		if json.Unmarshal(body, &fields) != nil {
			fields = nil // Audit says so
		}
		f := findBy(fields)
		f.event = after
		old = append(old, f)
	}
	if err := rows.Err(); err != nil {
		return 0, false, err
	}
	for _, f := range old {
		if _, err := tx.Exec(ctx, "INSERT INTO ledger_trail (event, at, kind, item, actor, reference, purpose) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event) DO NOTHING",
			f.event, f.at, f.kind, f.item, f.actor, f.reference, f.purpose); err != nil {
			return 0, false, err
		}
		if err := listActor(ctx, tx, f.by); err != nil {
			return 0, false, err
		}
	}
	done = len(old) < some
	_, err = tx.Exec(ctx, "UPDATE ledger_trail_state SET event = ?, done = ? WHERE id = 1", after, map[bool]int{true: 1}[done])
	return len(old), done, err
}
