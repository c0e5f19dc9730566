// Package cameratest has a camera in memory that breaks on command.
package cameratest

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"custos/camera"
)

// The ways a card fails.
var (
	ErrGone     = errors.New("input/output error: no such device")
	ErrSector   = errors.New("input/output error: unreadable sector")
	ErrReadOnly = errors.New("read-only file system")
)

// Card is a camera's card. It may be opened again after it was closed. All
// methods may be called concurrently.
type Card struct {
	mu       sync.Mutex
	files    map[string]*content
	inode    uint64
	gone     bool
	readOnly bool
	removed  []string
}

type content struct {
	data  []byte
	stamp camera.Stamp
	mode  fs.FileMode
	bad   int64 // reads that touch this offset fail; -1: none
	noise bool  // every read gives other bytes
	reads int
}

// New makes an empty card.
func New() *Card { return &Card{files: map[string]*content{}} }

// Write puts a file on the card, as a camera does: a name written again is a
// new file.
func (c *Card) Write(name string, data []byte, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inode++
	c.files[name] = &content{
		data:  slices.Clone(data),
		stamp: camera.Stamp{Size: int64(len(data)), ModTime: at, Inode: c.inode},
		bad:   -1,
	}
}

// Special puts something on the card that is no ordinary file.
func (c *Card) Special(name string, mode fs.FileMode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inode++
	c.files[name] = &content{mode: mode, stamp: camera.Stamp{Inode: c.inode}, bad: -1}
}

// Append makes a file grow, as it does while the camera records.
func (c *Card) Append(name string, data []byte, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.files[name]
	f.data = append(f.data, data...)
	f.stamp.Size, f.stamp.ModTime = int64(len(f.data)), at
}

// BreakAt makes every read of a file that touches offset fail; -1 heals it.
func (c *Card) BreakAt(name string, offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[name].bad = offset
}

// Noise makes a file read differently each time.
func (c *Card) Noise(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[name].noise = true
}

// SetReadOnly makes every removal fail.
func (c *Card) SetReadOnly(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readOnly = on
}

// SetGone unplugs the card or plugs it in again. Inodes are not stable across
// mounts, so they change.
func (c *Card) SetGone(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone && !on {
		for _, f := range c.files {
			c.inode++
			f.stamp.Inode = c.inode
		}
	}
	c.gone = on
}

// Gone reports whether the card is unplugged.
func (c *Card) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// Data is what a file holds now; ok is false when it is not there.
func (c *Card) Data(name string) (data []byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[name]
	if !ok {
		return nil, false
	}
	return slices.Clone(f.data), true
}

// Names are the names on the card, sorted.
func (c *Card) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for n := range c.files {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Removed are the names that were removed, in order.
func (c *Card) Removed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.removed)
}

// ReadDir is as camera.Card says.
func (c *Card) ReadDir(name string, max int) ([]camera.Entry, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil, false, ErrGone
	}
	prefix := ""
	if name != "." {
		prefix = name + "/"
	}
	seen := map[string]camera.Entry{}
	for n, f := range c.files {
		rest, ok := strings.CutPrefix(n, prefix)
		if !ok {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if deeper {
			seen[first] = camera.Entry{Name: first, Mode: fs.ModeDir}
		} else {
			seen[first] = camera.Entry{Name: first, Mode: f.mode, Stamp: f.stamp}
		}
	}
	if len(seen) == 0 && name != "." {
		return nil, false, fs.ErrNotExist
	}
	var entries []camera.Entry
	for _, e := range seen {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b camera.Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries[:min(max, len(entries))], len(entries) > max, nil
}

// Lstat is as camera.Card says.
func (c *Card) Lstat(name string) (camera.Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return camera.Entry{}, ErrGone
	}
	if f, ok := c.files[name]; ok {
		return camera.Entry{Name: path.Base(name), Mode: f.mode, Stamp: f.stamp}, nil
	}
	for n := range c.files {
		if strings.HasPrefix(n, name+"/") {
			return camera.Entry{Name: path.Base(name), Mode: fs.ModeDir}, nil
		}
	}
	return camera.Entry{}, fs.ErrNotExist
}

// Open is as camera.Card says.
func (c *Card) Open(name string) (camera.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f, ok := c.files[name]; {
	case c.gone:
		return nil, ErrGone
	case !ok:
		return nil, fs.ErrNotExist
	case f.mode != 0:
		return nil, errors.New("not a regular file")
	default:
		return &file{c, f}, nil
	}
}

// Remove is as camera.Card says.
func (c *Card) Remove(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch _, ok := c.files[name]; {
	case c.gone:
		return ErrGone
	case c.readOnly:
		return ErrReadOnly
	case !ok:
		return fs.ErrNotExist
	}
	delete(c.files, name)
	c.removed = append(c.removed, name)
	return nil
}

// Close does nothing: the same card can be docked again.
func (c *Card) Close() error { return nil }

type file struct {
	card *Card
	*content
}

func (f *file) Stamp() (camera.Stamp, error) {
	f.card.mu.Lock()
	defer f.card.mu.Unlock()
	if f.card.gone {
		return camera.Stamp{}, ErrGone
	}
	return f.stamp, nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.card.mu.Lock()
	defer f.card.mu.Unlock()
	if f.card.gone {
		return 0, ErrGone
	}
	if f.bad >= 0 && off <= f.bad && f.bad < off+int64(len(p)) {
		return 0, ErrSector
	}
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if f.noise && int64(n)+off == int64(len(f.data)) {
		f.reads++
		p[n-1] ^= byte(f.reads)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Close() error { return nil }
