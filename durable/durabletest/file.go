package durabletest

import (
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"
)

// file is an open file of a Memory.
type file struct {
	m      *Memory
	n      *node
	name   string
	flag   int
	at     int64 // guarded by m.mu
	closed bool  // guarded by m.mu
}

func (f *file) usable(op string) error {
	if f.closed {
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	}
	if op == "write" && f.flag&(os.O_WRONLY|os.O_RDWR) == 0 || op == "read" && f.flag&os.O_WRONLY != 0 {
		return &fs.PathError{Op: op, Path: f.name, Err: syscall.EBADF}
	}
	return nil
}

func (f *file) Read(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	n, err := f.readAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.readAt(p, off)
}

func (f *file) readAt(p []byte, off int64) (int, error) {
	if err := f.usable("read"); err != nil {
		return 0, err
	}
	if err := f.m.act(Read, f.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.n.data)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.at = int64(len(f.n.data))
	}
	n, err := f.writeAt(p, f.at)
	f.at += int64(n)
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.writeAt(p, off)
}

func (f *file) writeAt(p []byte, off int64) (int, error) {
	if err := f.usable("write"); err != nil {
		return 0, err
	}
	n := len(p)
	fault, err := f.m.fault(Write, f.name)
	if err != nil {
		n = 0
		if fault != nil && fault.Short {
			n = len(p) / 2
		}
	} else if more := off + int64(len(p)) - int64(len(f.n.data)); f.m.capacity > 0 && more > 0 {
		if room := max(0, f.m.capacity-f.m.root.used()); more > room {
			n = int(max(0, int64(len(p))-(more-room)))
			err = &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
		}
	}
	if n > 0 {
		f.change(change{offset: off, data: slices.Clone(p[:n])})
	}
	return n, err
}

func (f *file) change(c change) {
	f.n.data = c.apply(f.n.data)
	f.n.unsaved = append(f.n.unsaved, c)
	f.n.time = time.Unix(int64(f.m.ops), 0)
}

func (f *file) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usable("write"); err != nil {
		return err
	}
	return f.truncate(size)
}

func (f *file) truncate(size int64) error {
	if err := f.m.act(Truncate, f.name); err != nil {
		return err
	}
	f.change(change{length: size})
	return nil
}

func (f *file) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usable("sync"); err != nil {
		return err
	}
	if err := f.m.act(Sync, f.name); err != nil {
		// Some of it may have got there; a later Sync knows nothing of it.
		f.n.disk = survive(f.n.disk, f.n.unsaved, f.m.random)
		f.n.unsaved = nil
		return err
	}
	for _, c := range f.n.unsaved {
		f.n.disk = c.apply(f.n.disk)
	}
	f.n.unsaved = nil
	return nil
}

func (f *file) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usable("close"); err != nil {
		return err
	}
	f.closed = true
	return nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usable("stat"); err != nil {
		return nil, err
	}
	return f.n.info(f.name), nil
}

// info describes a node at one moment.
type info struct {
	name string
	size int64
	mode fs.FileMode
	time time.Time
}

func (n *node) info(name string) fs.FileInfo {
	return info{name, int64(len(n.data)), n.mode, n.time}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
