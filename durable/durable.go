// Package durable is a small file system interface and the rules that make
// what is written through it survive a power cut.
//
// The rules. Data is on the medium when File.Sync has returned nil; a new,
// renamed or removed name is when FS.SyncDir of its folder has. A failed write
// or sync is never retried into success: after a failed fsync the kernel may
// have thrown the data away and a second fsync says yes to nothing, so the
// caller rewrites from scratch under a new name or stops. An acknowledgement
// to the outside always needs a journal or database record with its own sync
// as well, because on XFS an fsync of a folder succeeds after the file system
// has died.
//
// Disk is the real thing. Package durabletest has one in memory that loses
// power and fails on command.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// FS is a folder and everything under it. Names are relative, with slashes, as
// io/fs.ValidPath has them; "." is the folder itself. A missing name fails
// with an error that is fs.ErrNotExist. All methods may be called
// concurrently.
type FS interface {
	// OpenFile opens a file with os.O_ flags. A file that O_CREATE makes has a
	// durable name only after SyncDir of its folder.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename gives a file a new name, replacing what had it. Either both the
	// new name appears and the old one goes or neither; durable after SyncDir
	// of both folders.
	Rename(oldname, newname string) error
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// MkdirAll makes a folder and those above it; see the function MkdirAll
	// for folders that must last.
	MkdirAll(name string, perm fs.FileMode) error
	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a file or folder.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error
	// Lock takes the lock kept in the file name, made if absent, against every
	// other holder in this and other processes. It does not wait: it fails
	// with ErrLocked. Closing, or the end of the process, gives it back.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt and WriteAt may be called concurrently.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Sync returns once the data and the length are on the medium. After it
	// has failed nothing written since the last Sync may be relied on.
	Sync() error
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
}

// ErrLocked is Lock's answer when somebody else holds the lock.
var ErrLocked = errors.New("locked by another process")

// IsFull tells whether err says that the medium or a quota has no room left.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// MkdirAll makes a folder and those above it so that they last: the folder
// above each new one is synced.
func MkdirAll(fsys FS, name string, perm fs.FileMode) error {
	info, err := fsys.Stat(name)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("make folder %s: %w", name, syscall.ENOTDIR)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	above := path.Dir(name)
	if above != name {
		if err := MkdirAll(fsys, above, perm); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(name, perm); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := fsys.SyncDir(above); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return nil
}

// WriteFile makes name hold exactly data, whatever happens: after a power cut
// it holds the old bytes or the new ones, and the new ones once WriteFile has
// returned nil. It writes name+".new" and renames that; one WriteFile of a
// name at a time. After an error it may hold either.
func WriteFile(fsys FS, name string, data []byte, perm fs.FileMode) error {
	temp := name + ".new"
	f, err := fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fsys.Rename(temp, name)
	}
	if err == nil {
		err = fsys.SyncDir(path.Dir(name))
	}
	if err == nil {
		// XFS says yes to the sync of a folder after it has died, and no to
		// that of a file.
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write file %s: %w", name, err)
	}
	return nil
}

// ReadFile reads a whole file.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return data, err
}
