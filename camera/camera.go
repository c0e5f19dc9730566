// Package camera reads docked cameras of any maker. What a maker's card looks
// like is told by a profile, a small TOML file; the code knows no maker.
//
// A mounted camera is hostile input: it may be forged, infected or broken. So
// nothing outside its folder is ever reached, no link is followed, no device
// or pipe is opened, names, depth and numbers are limited, and a file counts
// as media only if its extension is allowed and its first bytes fit that
// extension. Everything else is left where it is and reported. Nothing is
// executed and no media is decoded here.
package camera

import (
	"io"
	"io/fs"
	"time"
)

// Limits of what is read from one camera. A card that breaks them is read as
// far as they go; what lies beyond is left alone and reported.
const (
	MaxDepth   = 12      // folders below the camera's root
	MaxEntries = 20_000  // files and folders on one camera
	MaxName    = 255     // bytes of one name
	MaxPath    = 1_024   // bytes of a whole path
	MaxSidecar = 1 << 20 // bytes of a sidecar, clock or marker file
	MaxField   = 128     // bytes of one value taken from a camera
)

// Stamp tells whether a file is still the one that was looked at. Two equal
// stamps taken from one open Card mean that nothing was written in between.
// Inode is 0 where the system has none; it is not stable across mounts.
type Stamp struct {
	Size    int64 // bytes
	ModTime time.Time
	Inode   uint64
}

// Equal reports whether a and b are the same size, time and inode.
func (a Stamp) Equal(b Stamp) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.Inode == b.Inode
}

// Entry is one name in a folder, links not followed.
type Entry struct {
	Name  string
	Mode  fs.FileMode // type bits only matter
	Stamp Stamp
}

// Card is a camera that is mounted and held open. Paths are relative to its
// root, with /, and "." is the root. Methods may be called concurrently.
// Errors carry no evidence code; an unplugged camera fails every call.
type Card interface {
	// ReadDir lists at most max names of a folder, sorted; more is true when
	// there were more.
	ReadDir(name string, max int) (entries []Entry, more bool, err error)
	// Lstat looks at one name without following a link.
	Lstat(name string) (Entry, error)
	// Open opens a regular file for reading. It refuses anything else.
	Open(name string) (File, error)
	// Remove removes one regular file and makes that durable. It never
	// removes a folder.
	Remove(name string) error
	Close() error
}

// File is an open regular file of a Card.
type File interface {
	io.ReaderAt
	io.Closer
	Stamp() (Stamp, error)
}
