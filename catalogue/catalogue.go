// Package catalogue knows which recordings there are: their segments, when and
// through which dock they arrived, and the working copies made of them. It
// holds no footage and decides nothing about who may see what; it lists what a
// Query asks for and nothing wider.
//
// Everything that changes the catalogue takes the caller's transaction, so
// that the change and the ledger's record of it commit together or not at all.
// Reads open a snapshot of their own.
//
// # Numbers and order of segments
//
// A segment's number is its place in the order of arrival, from 1. It is
// written into receipts and ledger entries, so it never changes, also when a
// segment arrives later that belongs earlier in the take. The order in which
// people see the segments is worked out whenever they are read (see Order):
// Get returns them in that order, which need not be that of their numbers.
package catalogue

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"
	"unicode/utf8"

	"custos/database"
	"custos/evidence"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are the catalogue's settings; the zero value is right for a server.
type Options struct {
	Now func() time.Time // nil = time.Now
}

// Catalogue is an open catalogue. All methods may be called concurrently;
// writes to one recording take turns.
type Catalogue struct {
	db  *database.DB
	now func() time.Time
}

// Open brings the catalogue's tables in db to the newest version.
func Open(ctx context.Context, db *database.DB, opt Options) (*Catalogue, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	if err := db.Migrate(ctx, "catalogue", files); err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	c := &Catalogue{db: db, now: opt.Now}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// noRecording and noSegment are worded alike for what is not there and what
// may not be seen.
func noRecording() error {
	return evidence.Errorf(evidence.NotFound, "There is no such recording, or you may not see it.")
}

func noSegment() error {
	return evidence.Errorf(evidence.NotFound, "The recording has no such segment.")
}

// lock keeps other writers off one recording until the transaction ends. Every
// write below begins with it: numbers, replaced copies and the sums in the
// recording's row come from what the lock has made still, and one order of
// locking cannot deadlock. It fails with NotFound.
func lock(ctx context.Context, tx *database.Tx, recording evidence.ID) error {
	var one int
	err := tx.QueryRow(ctx, "SELECT 1 FROM recordings WHERE id = ?"+tx.Locking(), recording).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return noRecording()
	}
	if err != nil {
		return fmt.Errorf("lock recording: %w", err)
	}
	return nil
}

// texts are the longest texts the catalogue takes, in bytes. What comes from a
// camera is hostile; PostgreSQL also refuses NUL and broken UTF-8, and both
// engines must refuse the same.
const (
	nameLimit = 256  // device, officer, category, group, zone, dock: these are indexed
	textLimit = 4096 // file names, reasons, tool descriptions
)

// checkText fails with Invalid for a text the catalogue cannot keep as it is.
func checkText(what, s string, limit int) error {
	if len(s) > limit {
		return evidence.Errorf(evidence.Invalid, "The %s is longer than %d bytes.", what, limit)
	}
	if !utf8.ValidString(s) {
		return evidence.Errorf(evidence.Invalid, "The %s is not valid text.", what)
	}
	for i := range len(s) {
		if s[i] == 0 {
			return evidence.Errorf(evidence.Invalid, "The %s has a NUL character in it.", what)
		}
	}
	return nil
}
