// Package dock is the agent at the docking station. It takes every media file
// from every docked camera into the vault and wipes a file only after the
// server has proved, with a receipt, that it keeps exactly these bytes.
//
// The way of one file: it is seen; it has not changed for a while; it is
// hashed at first touch and the digest is journalled; it is announced and
// uploaded; its receipt is fetched, checked completely against pinned keys and
// journalled; the file on the card is compared with what was hashed; the
// intent to wipe is journalled; that one file is removed and its folder
// synced; that too is journalled.
//
// What the journal knows is keyed by device, file name and digest, so it
// speaks of bytes and never of a place on a card: a card that comes back, a
// re-used card, two cameras with the same names and a power cut at any point
// all lead through the same way again, past what is already done. A digest is
// believed for as long as the card stays mounted and the file's size, time
// and inode stay the same; after a restart or a new docking the file is read
// again before it is wiped.
//
// Machine holds all decisions. It is single-threaded and has no clock, so a
// seed replays any run. Agent gives it a clock, workers and a server.
package dock

import (
	"context"
	"io"
	"iter"
	"time"

	"custos/camera"
	"custos/evidence"
)

// Server is what the agent needs of a server; client.Client is one. Errors
// carry evidence codes: Full and Unavailable pass by themselves, NotFound
// means an unknown upload, Corrupt that other bytes arrived than announced. An
// error without a code comes from the card.
type Server interface {
	Create(ctx context.Context, c evidence.Capture) (upload string, err error)
	Upload(ctx context.Context, upload string, r io.ReaderAt, length int64, progress func(sent int64)) error
	Receipt(ctx context.Context, upload string, wait time.Duration) (note []byte, err error)
	Status(ctx context.Context, s evidence.DockStatus) error
}

// Journal is an append-only record that survives power cuts; durable.Journal
// is one. After a failed Append nothing may be done any more.
type Journal interface {
	Append(record []byte) error
	Rewrite(records iter.Seq[[]byte]) error
}

// Check says whether note is a receipt for exactly this file, signed and
// logged by the pinned keys. Only nil lets a file be wiped.
type Check func(note []byte, want evidence.Capture) error

// Station is where cameras are docked. A bay is a folder where one camera may
// appear.
type Station interface {
	Bays() ([]string, error)
	// Open holds the camera in a bay; fs.ErrNotExist: there is none.
	Open(bay string) (camera.Card, error)
	// Same reports whether card is still the camera in the bay.
	Same(bay string, card camera.Card) bool
	// Label is what the bay's camera is called where it does not say itself.
	Label(bay string) string
}

// Time is a moment for a Machine: the clock on the wall, which may jump, for
// what is written down; and time since the start, which may not, for waiting.
type Time struct {
	Wall  time.Time
	Since time.Duration
}
