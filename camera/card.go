package camera

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// folder is a Card on the real file system. The open root pins the mount: if
// the card is swapped, calls fail rather than reach the new one.
type folder struct {
	root *os.Root
}

// OpenFolder holds dir open as a card.
func OpenFolder(dir string) (Card, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open camera: %w", err)
	}
	return &folder{root}, nil
}

func (c *folder) Close() error { return c.root.Close() }

func (c *folder) ReadDir(name string, max int) ([]Entry, bool, error) {
	if err := c.plainParents(path.Join(name, "x")); err != nil {
		return nil, false, err
	}
	d, err := c.root.Open(name)
	if err != nil {
		return nil, false, err
	}
	names, err := d.Readdirnames(max + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return nil, false, err
	}
	more := len(names) > max
	names = names[:min(len(names), max)]
	slices.Sort(names)
	entries := make([]Entry, 0, len(names))
	for _, n := range names {
		// Through the root, not DirEntry.Info, which goes by path.
		e, err := c.Lstat(path.Join(name, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since it was listed
		}
		if err != nil {
			return nil, false, err
		}
		entries = append(entries, e)
	}
	return entries, more, nil
}

func (c *folder) Lstat(name string) (Entry, error) {
	info, err := c.root.Lstat(name)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Name: path.Base(name), Mode: info.Mode(), Stamp: stampOf(info)}, nil
}

func (c *folder) Open(name string) (File, error) {
	if err := c.plainParents(name); err != nil {
		return nil, err
	}
	before, err := c.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("open %q: not a regular file", name)
	}
	// O_NONBLOCK: if a pipe takes the file's place now, do not wait for it.
	f, err := c.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("open %q: it was replaced while being opened", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f}, nil
}

func (c *folder) Remove(name string) error {
	if err := c.plainParents(name); err != nil {
		return err
	}
	e, err := c.root.Lstat(name)
	if err != nil {
		return err
	}
	if !e.Mode().IsRegular() {
		return fmt.Errorf("remove %q: not a regular file", name)
	}
	if err := c.root.Remove(name); err != nil {
		return err
	}
	d, err := c.root.Open(path.Dir(name))
	if err != nil {
		return fmt.Errorf("removed, but the folder cannot be made durable: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("removed, but the folder cannot be made durable: %w", err)
	}
	return nil
}

// plainParents refuses a path that goes through anything but real folders.
// os.Root alone would follow links that stay inside the root.
func (c *folder) plainParents(name string) error {
	for i, r := range name {
		if r != '/' {
			continue
		}
		info, err := c.root.Lstat(name[:i])
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%q: not a folder", name[:i])
		}
	}
	return nil
}

type osFile struct{ *os.File }

func (f osFile) Stamp() (Stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return Stamp{}, err
	}
	return stampOf(info), nil
}

// safePath says why a path from a camera cannot be used, or "".
func safePath(name string) string {
	switch {
	case len(name) > MaxPath || len(path.Base(name)) > MaxName:
		return "its name is too long"
	case !printable(name):
		return "its name has characters that cannot be shown"
	case strings.Contains(name, `\`):
		return "its name has a backslash"
	case !fs.ValidPath(name):
		return "its name is not a plain path"
	}
	return ""
}

// SameFolder reports whether card is the camera that is at dir now. It is
// false when the camera was unplugged or another one has taken its place.
func SameFolder(card Card, dir string) bool {
	c, ok := card.(*folder)
	if !ok {
		return false
	}
	held, err := c.root.Stat(".")
	if err != nil {
		return false
	}
	there, err := os.Stat(dir)
	return err == nil && os.SameFile(held, there)
}
