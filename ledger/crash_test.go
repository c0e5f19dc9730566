package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/tlog"
)

var errCrash = errors.New("the power went")

// Whatever moment the power goes, the next start goes on from there: an event
// that was committed is in its item's history and in the tree, one that was
// not never happened, and no checkpoint is contradicted.
func TestCrashPoints(t *testing.T) {
	gather := func(h *house, after error) {
		h.t.Helper()
		err := h.db.Write(h.ctx, func(tx *database.Tx) error {
			return errors.Join(ledger.Gather(h.ctx, tx), after)
		})
		if !errors.Is(err, after) {
			h.t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		want  int // events of item a in the end
		crash func(h *house, l *ledger.Ledger)
	}{
		{"before the commit of an event", 3, func(h *house, l *ledger.Ledger) {
			err := h.db.Write(h.ctx, func(tx *database.Tx) error {
				_, err := l.Append(h.ctx, tx, ledgertest.Event("a"))
				return errors.Join(err, errCrash)
			})
			if !errors.Is(err, errCrash) {
				h.t.Fatal(err)
			}
		}},
		{"after the commit of an event", 4, func(h *house, l *ledger.Ledger) { h.append(l, "a") }},
		{"before the commit of the tree", 4, func(h *house, l *ledger.Ledger) { h.append(l, "a"); gather(h, errCrash) }},
		{"after the commit of the tree", 4, func(h *house, l *ledger.Ledger) { h.append(l, "a"); gather(h, nil) }},
		{"before the checkpoint is durable", 4, func(h *house, l *ledger.Ledger) {
			h.append(l, "a")
			gather(h, nil)
			dir := h.published + ".d" // a folder that is not there stands for a disk that fails
			broken, err := ledger.Open(h.ctx, ledger.Config{DB: h.db, Origin: origin, Signer: h.key.Signer, Published: dir + "/x"})
			if err != nil {
				h.t.Fatal(err)
			}
			if s, err := broken.Status(h.ctx); err != nil || s.State != ledger.Refused {
				h.t.Fatalf("without its file: %+v, %v", s, err)
			}
		}},
		{"after the checkpoint is durable", 4, func(h *house, l *ledger.Ledger) {
			h.append(l, "a")
			gather(h, nil)
			if err := l.Publish(h.ctx); err != nil {
				h.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db)
				l := h.open()
				h.append(l, "a", "b", "a", "a")
				if err := l.Round(h.ctx); err != nil {
					t.Fatal(err)
				}
				before, err := l.Checkpoint(h.ctx)
				if err != nil {
					t.Fatal(err)
				}
				c.crash(h, l)

				l = h.open() // after the restart
				if err := l.Round(h.ctx); err != nil {
					t.Fatal(err)
				}
				h.checkItem(l, "a", c.want)
				h.checkItem(l, "b", 1)
				h.checkConsistent(l, before)
				if err := l.Audit(h.ctx, nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// checkConsistent checks that the newest checkpoint extends an older one.
func (h *house) checkConsistent(l *ledger.Ledger, older []byte) {
	h.t.Helper()
	signed, err := l.Checkpoint(h.ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	var c [2]tlog.Checkpoint
	for i, b := range [][]byte{older, signed} {
		if c[i], err = tlog.OpenCheckpoint(b, origin, h.key.Verifier); err != nil {
			h.t.Fatal(err)
		}
	}
	path, err := l.Consistency(h.ctx, c[0].Size, c[1].Size)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := c[1].CheckConsistency(path, c[0]); err != nil {
		h.t.Fatal(err)
	}
}

// A first checkpoint that was never noted in the database, or never written,
// is no reason to refuse.
func TestCrashAtFirstCheckpoint(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.append(h.open(), "a")
		if err := db.Write(h.ctx, func(tx *database.Tx) error { return ledger.Gather(h.ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		l := h.open()
		if err := l.Publish(h.ctx); err != nil {
			t.Fatal(err)
		}
		h.exec("UPDATE ledger_head SET published = 0")
		l = h.open()
		h.append(l, "a")
		if err := l.Round(h.ctx); err != nil {
			t.Fatal(err)
		}
		h.checkItem(l, "a", 2)
	})
}

// A checkpoint that cannot be made durable is not handed out, and nothing is
// taken any more until a restart.
func TestPublishedCannotBeWritten(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		handed := 0
		open := func(file string) *ledger.Ledger {
			l, err := ledger.Open(h.ctx, ledger.Config{DB: db, Origin: origin, Signer: h.key.Signer, Published: file, OnCheckpoint: func([]byte) { handed++ }})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		l := open(h.published + ".missing/checkpoint")
		ref := h.append(l, "a")[0]
		if err := l.Run(h.ctx); evidence.CodeOf(err) != evidence.Unavailable {
			t.Errorf("run: %v", err)
		}
		if _, err := l.Checkpoint(h.ctx); evidence.CodeOf(err) != evidence.NotFound || handed != 0 {
			t.Errorf("a checkpoint that is not durable was handed out (%d, %v)", handed, err)
		}
		if _, _, err := l.Wait(h.ctx, ref); evidence.CodeOf(err) != evidence.Unavailable {
			t.Errorf("wait: %v", err)
		}
		h.refuses(l, evidence.Unavailable, ledger.Failed)
		if err := l.Run(h.ctx); evidence.CodeOf(err) != evidence.Unavailable {
			t.Errorf("a second run: %v", err)
		}
		l = open(h.published)
		if err := l.Round(h.ctx); err != nil {
			t.Fatal(err)
		}
		h.checkItem(l, "a", 1)
		if b, err := os.ReadFile(h.published); err != nil || handed != 1 || !bytes.Contains(b, []byte(origin+"\n1\n")) {
			t.Errorf("%q, %v, handed out %d", b, err, handed)
		}
	})
}

// refuses checks that l takes no event but can be read.
func (h *house) refuses(l *ledger.Ledger, code evidence.Code, state ledger.State) {
	h.t.Helper()
	err := h.db.Write(h.ctx, func(tx *database.Tx) error {
		_, err := l.Append(h.ctx, tx, ledgertest.Event("a"))
		return err
	})
	if evidence.CodeOf(err) != code {
		h.t.Errorf("append: %v, want %s", err, code)
	}
	if s, err := l.Status(h.ctx); err != nil || s.State != state || s.Message == "" {
		h.t.Errorf("status: %+v, %v, want %s", s, err, state)
	}
	if _, err := l.History(h.ctx, "a", 0, 10); err != nil {
		h.t.Errorf("history: %v", err)
	}
}

// backup copies the ledger's rows, as a backup of the database does; restore
// puts them back.
func (h *house) backup() (restore func()) {
	h.t.Helper()
	tables := []string{"ledger_items", "ledger_events", "ledger_leaves", "ledger_tiles", "ledger_head"}
	if h.db.Engine() == database.Postgres {
		tables = append(tables, "ledger_outbox")
	}
	saved := map[string][][]any{}
	err := h.db.Read(h.ctx, func(tx *database.Tx) error {
		for _, table := range tables {
			rows, err := tx.Query(h.ctx, "SELECT * FROM "+table)
			if err != nil {
				return err
			}
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				values, into := make([]any, len(columns)), make([]any, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				saved[table] = append(saved[table], values)
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return func() {
		h.t.Helper()
		err := h.db.Write(h.ctx, func(tx *database.Tx) error {
			for _, table := range tables {
				if _, err := tx.Exec(h.ctx, "DELETE FROM "+table); err != nil {
					return err
				}
				for _, values := range saved[table] {
					marks := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
					if _, err := tx.Exec(h.ctx, "INSERT INTO "+table+" VALUES ("+marks+")", values...); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// A restored old backup, a database that went another way, and a missing or
// foreign file: nothing is signed, nothing is taken, everything can be read.
func TestOtherHistoryIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(h *house, restore func())
	}{
		{"an old backup", func(h *house, restore func()) { restore() }},
		{"an old backup that went on by itself, shorter", func(h *house, restore func()) { restore(); h.goOn(1) }},
		{"an old backup that went on by itself, as long", func(h *house, restore func()) { restore(); h.goOn(3) }},
		{"an old backup that went on by itself, longer", func(h *house, restore func()) { restore(); h.goOn(5) }},
		{"the file is gone", func(h *house, _ func()) {
			if err := os.Remove(h.published); err != nil {
				h.t.Fatal(err)
			}
		}},
		{"the file is of another log", func(h *house, _ func()) { h.publish(tlog.Checkpoint{Origin: "other", Size: 1}) }},
		{"the file holds something else", func(h *house, _ func()) {
			if err := os.WriteFile(h.published, []byte("hello\n"), 0o600); err != nil {
				h.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db)
				l := h.open()
				h.append(l, "a", "b", "a")
				if err := l.Round(h.ctx); err != nil {
					t.Fatal(err)
				}
				restore := h.backup()
				h.append(l, "a", "b", "a")
				if err := l.Round(h.ctx); err != nil {
					t.Fatal(err)
				}
				c.spoil(h, restore)
				before, _ := os.ReadFile(h.published) // may be missing, and must then stay so
				signed := 0
				l, err := ledger.Open(h.ctx, ledger.Config{DB: db, Origin: origin, Signer: h.key.Signer, Published: h.published, OnCheckpoint: func([]byte) { signed++ }})
				if err != nil {
					t.Fatal(err)
				}
				h.refuses(l, evidence.Unavailable, ledger.Refused)
				ctx, cancel := context.WithTimeout(h.ctx, 30*time.Millisecond)
				defer cancel()
				if err := l.Run(ctx); err != nil || signed != 0 {
					t.Errorf("run: %v, signed %d", err, signed)
				}
				if after, _ := os.ReadFile(h.published); !bytes.Equal(before, after) {
					t.Errorf("the file changed from %q to %q", before, after)
				}
			})
		})
	}
}

// goOn appends n events on the restored database as a server would that knows
// nothing of the file.
func (h *house) goOn(n int) {
	h.exec("UPDATE ledger_head SET published = 0")
	other := *h
	other.published = h.published + ".other"
	l := other.open()
	h.append(l, slices.Repeat([]evidence.ID{"a"}, n)...)
	if err := l.Round(h.ctx); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) publish(c tlog.Checkpoint) {
	b, err := c.Sign(h.key.Signer)
	if err == nil {
		err = os.WriteFile(h.published, b, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// The database is exchanged for an older one while the server runs.
func TestRolledBackWhileRunning(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		l := h.open()
		h.append(l, "a")
		if err := l.Round(h.ctx); err != nil {
			t.Fatal(err)
		}
		restore := h.backup()
		h.append(l, "a", "a")
		if err := l.Round(h.ctx); err != nil {
			t.Fatal(err)
		}
		restore()
		if err := l.Run(h.ctx); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("run: %v", err)
		}
		h.refuses(l, evidence.Corrupt, ledger.Corrupt)
	})
}

func TestCorruptLedgerStops(t *testing.T) {
	for _, c := range []struct{ name, spoil string }{
		{"a tile at the edge", "UPDATE ledger_tiles SET hashes = (SELECT hashes FROM ledger_tiles WHERE level = 0 AND idx = 0) WHERE level = 1"},
		{"a tile is gone", "DELETE FROM ledger_tiles WHERE level = 0 AND idx = 1"},
		{"the root", "UPDATE ledger_head SET root = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"},
		{"the root is unreadable", "UPDATE ledger_head SET root = ''"},
		{"a new leaf is missing", "DELETE FROM ledger_leaves WHERE idx = 300"},
	} {
		t.Run(c.name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db)
				l := h.open()
				if err := ledgertest.Fill(h.ctx, db, 300); err != nil {
					t.Fatal(err)
				}
				if err := l.Round(h.ctx); err != nil {
					t.Fatal(err)
				}
				if err := ledgertest.Fill(h.ctx, db, 302); err != nil {
					t.Fatal(err)
				}
				h.exec(c.spoil)
				if err := l.Run(h.ctx); evidence.CodeOf(err) != evidence.Corrupt {
					t.Errorf("run: %v", err)
				}
				h.refuses(l, evidence.Corrupt, ledger.Corrupt)
			})
		})
	}
	t.Run("at the start", func(t *testing.T) {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			h := newHouse(t, db)
			l := h.open()
			h.append(l, "a", "a", "b")
			if err := l.Round(h.ctx); err != nil {
				t.Fatal(err)
			}
			h.exec("UPDATE ledger_leaves SET leaf = (SELECT leaf FROM ledger_leaves WHERE idx = 0) WHERE idx = 1")
			l = h.open()
			h.refuses(l, evidence.Corrupt, ledger.Corrupt)
			if err := l.Run(h.ctx); evidence.CodeOf(err) != evidence.Corrupt {
				t.Errorf("run: %v", err)
			}
		})
	})
}
