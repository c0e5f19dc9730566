package durable

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Disk is the FS of a folder on this machine. It is built on os.Root: no name,
// symbolic link or race leads out of the folder.
type Disk struct {
	root *os.Root
}

var _ FS = (*Disk)(nil)

// Open opens the folder dir, which must exist.
func Open(dir string) (*Disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Disk{root: root}, nil
}

// Close gives the folder back. Open files stay open.
func (d *Disk) Close() error { return d.root.Close() }

// OpenFile is as FS says.
func (d *Disk) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := d.root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &diskFile{f}, nil
}

// Rename is as FS says.
func (d *Disk) Rename(oldname, newname string) error { return d.root.Rename(oldname, newname) }

// Remove is as FS says.
func (d *Disk) Remove(name string) error { return d.root.Remove(name) }

// MkdirAll is as FS says.
func (d *Disk) MkdirAll(name string, perm fs.FileMode) error { return d.root.MkdirAll(name, perm) }

// Stat is as FS says.
func (d *Disk) Stat(name string) (fs.FileInfo, error) { return d.root.Stat(name) }

// ReadDir is as FS says.
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	list, err := f.ReadDir(-1)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// SyncDir is as FS says.
func (d *Disk) SyncDir(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Lock is as FS says.
func (d *Disk) Lock(name string) (io.Closer, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, closeAfter(f, err)
	}
	return f, nil
}

// Free tells how many bytes this process may still write, and how many the
// file system holds in all.
func (d *Disk) Free() (free, total int64, err error) {
	f, err := d.root.Open(".")
	if err != nil {
		return 0, 0, err
	}
	free, total, err = space(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return free, total, err
}

func closeAfter(f *os.File, err error) error {
	if cerr := f.Close(); cerr != nil {
		return fmt.Errorf("%w (and close: %w)", err, cerr)
	}
	return err
}

// diskFile is an os.File whose Sync leaves out what nobody needs after a
// crash, and which can be read past the page cache.
type diskFile struct {
	*os.File
}

// Sync is as File says: fdatasync, which covers the length, where there is one.
func (f *diskFile) Sync() error { return syncData(f.File) }

// Uncache asks the kernel to forget this file's pages, so that what is read
// next comes from the medium. Pages not yet written back stay.
func (f *diskFile) Uncache() error { return uncache(f.File) }
