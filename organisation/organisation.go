// Package organisation knows where people belong, at every moment: the tree of
// units, postings, who held which collar number and which camera, and the
// register of cases and incidents with their members. Who somebody is, is
// package identity's; people are here by their identifiers only.
//
// Everything has a time from which and a time until which it held, half-open;
// the zero from is "since ever", the zero until is "still". Nothing is
// overwritten: what ends gets its end, what follows is a new row, so that
// HolderOf and Standing answer for the moment of a recording and not for today.
//
// Writes take the caller's transaction, so that custody can write the ledger's
// record of them in the same one, and hold one lock of the database until it
// ends: changes of the organisation take turns.
package organisation

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"custos/database"
	"custos/evidence"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are the settings of an Organisation; the zero value is right for a
// server.
type Options struct {
	Now  func() time.Time // nil = time.Now
	Rand io.Reader        // nil = crypto/rand; else used by one goroutine at a time

	// Changed is called after each change is durable. nil = nobody listens.
	Changed func()
}

// Organisation is the open register. All methods may be called concurrently.
type Organisation struct {
	db      *database.DB
	now     func() time.Time
	changed func()

	randMu sync.Mutex
	rand   io.Reader // guarded by randMu
}

// Open brings the tables of organisation in db to the newest version.
func Open(ctx context.Context, db *database.DB, opt Options) (*Organisation, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open organisation: %w", err)
	}
	if err := db.Migrate(ctx, "organisation", files); err != nil {
		return nil, fmt.Errorf("open organisation: %w", err)
	}
	o := &Organisation{db: db, now: opt.Now, rand: opt.Rand, changed: opt.Changed}
	if o.changed == nil {
		o.changed = func() {}
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.rand == nil {
		o.rand = rand.Reader
	}
	return o, nil
}

func (o *Organisation) newID() evidence.ID {
	o.randMu.Lock()
	defer o.randMu.Unlock()
	return evidence.NewID(o.now(), o.rand)
}

// turn waits until no other change of the organisation is under way, and has
// the change told once it is durable.
func (o *Organisation) turn(ctx context.Context, tx *database.Tx) error {
	var id int
	if err := tx.QueryRow(ctx, "SELECT id FROM organisation_turn WHERE id = 1"+tx.Locking()).Scan(&id); err != nil {
		return fmt.Errorf("wait for turn: %w", err)
	}
	tx.AfterCommit(o.changed)
	return nil
}

// overlaps is the condition of a row whose interval shares a moment with the
// one that span gives the arguments of. An empty interval shares none.
const overlaps = "(until_at = 0 OR until_at > ?) AND (CAST(? AS BIGINT) = 0 OR from_at < ?) AND (until_at = 0 OR until_at > from_at)"

func span(from, until time.Time) []any {
	f, u := database.Micros(from), database.Micros(until)
	return []any{f, u, u}
}

// holds is the condition of a row whose interval has the moment that at gives
// the arguments of.
const holds = "from_at <= ? AND (until_at = 0 OR until_at > ?)"

// at takes every time before 1970, which a camera without a clock may tell,
// for the first moment that there is.
func at(t time.Time) []any {
	m := max(database.Micros(t), 0)
	return []any{m, m}
}

// checkSpan fails with Invalid for an interval that ends before it begins, and
// for times before 1970, which mean something else here.
func checkSpan(from, until time.Time) error {
	if database.Micros(from) < 0 || database.Micros(until) < 0 {
		return evidence.Errorf(evidence.Invalid, "Times begin in 1970 here. Nothing was changed.")
	}
	if !until.IsZero() && until.Before(from) {
		return evidence.Errorf(evidence.Invalid, "The end is before the beginning. Nothing was changed.")
	}
	return nil
}

// line is s without space around it. It fails with Invalid for one that is
// empty, longer than limit bytes or not one line of printable text.
func line(what, s string, limit int) (string, error) {
	s = strings.TrimSpace(s)
	ok := s != "" && len(s) <= limit && utf8.ValidString(s)
	for _, r := range s {
		ok = ok && unicode.IsPrint(r)
	}
	if !ok {
		return "", evidence.Errorf(evidence.Invalid, "The %s must be one line of text, 1 to %d bytes long. Nothing was changed.", what, limit)
	}
	return s, nil
}

func scanID(r *sql.Rows) (id evidence.ID, err error) {
	err = r.Scan(&id)
	return id, err
}
