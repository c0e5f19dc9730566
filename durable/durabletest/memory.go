// Package durabletest has a durable.FS in memory for tests: it loses power and
// fails on command. It also has the suite that every durable.FS passes.
package durabletest

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"custos/durable"
)

// Memory is a file system in memory that keeps apart what programs see and
// what is on the medium. Sync and SyncDir carry over; Crash cuts the power.
//
// What a crash leaves: everything synced. Of each write that was not synced,
// all, its first bytes, its length as zeros, or nothing. Of names made, moved
// or removed since the last SyncDir of their folder, some: a rename happens
// whole or not at all, and what hangs on a change that was lost is lost too.
// The seed decides. A file whose name was not synced may be gone however often
// its data was; that is stricter than most real file systems.
//
// After a failed Sync what was written stays visible, but a later Sync does
// not bring it to the medium; that is what kernels do.
//
// The same calls in the same order give the same results. All methods may be
// called concurrently.
type Memory struct {
	mu       sync.Mutex
	root     *node
	pending  []*move // changes of names not yet on the medium, oldest first
	random   *rand.Rand
	faults   []*Fault
	dead     error // what every change returns since a Fault with Stays
	ops      int
	capacity int64 // 0 = no limit
	locks    map[string]bool
}

var _ durable.FS = (*Memory)(nil)

// node is a file or folder; its fields belong to the Memory's mutex.
type node struct {
	dir  bool
	mode fs.FileMode
	time time.Time

	data    []byte   // file: what programs see
	disk    []byte   // file: what is on the medium
	unsaved []change // file: from disk to data, in order

	names     map[string]*node // folder: what programs see
	diskNames map[string]*node // folder: what is on the medium
}

// change is a write at an offset, or a new length.
type change struct {
	offset int64
	data   []byte
	length int64 // where data is nil
}

// move is one change of names: each entry gets or loses its node, all at once.
type move struct {
	entries []entry
}

type entry struct {
	dir  *node
	name string
	node *node // nil: removed
}

// NewMemory is an empty file system.
func NewMemory() *Memory { return newMemory(1) }

func newMemory(seed uint64) *Memory {
	return &Memory{root: newDir(0o755), random: rand.New(rand.NewPCG(seed, 0)), locks: map[string]bool{}}
}

func newDir(mode fs.FileMode) *node {
	return &node{dir: true, mode: mode | fs.ModeDir, names: map[string]*node{}, diskNames: map[string]*node{}}
}

// SetCapacity limits what all files hold together, in bytes; 0 = no limit.
// Writes beyond it write what fits and fail with ENOSPC.
func (m *Memory) SetCapacity(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = n
}

// Free tells what SetCapacity leaves; without a limit, 1 TiB.
func (m *Memory) Free() (free, total int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.capacity == 0 {
		return 1 << 40, 1 << 40, nil
	}
	return max(0, m.capacity-m.root.used()), m.capacity, nil
}

func (n *node) used() int64 {
	sum := int64(len(n.data))
	for _, c := range n.names {
		sum += c.used()
	}
	return sum
}

// Crash is the file system as it is after the power came back: a new Memory
// without faults. The old one goes on apart from it.
func (m *Memory) Crash(seed uint64) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	random := rand.New(rand.NewPCG(seed, 7))
	lost := map[entry]bool{}
	after := map[*node]map[string]*node{}
	namesOf := func(d *node) map[string]*node {
		if after[d] == nil {
			after[d] = map[string]*node{}
			for name, n := range d.diskNames {
				after[d][name] = n
			}
		}
		return after[d]
	}
	for _, mv := range m.pending {
		gone := random.IntN(2) == 0
		for _, e := range mv.entries {
			gone = gone || lost[entry{dir: e.dir, name: e.name}]
		}
		for _, e := range mv.entries {
			switch {
			case gone:
				lost[entry{dir: e.dir, name: e.name}] = true
			case e.node == nil:
				delete(namesOf(e.dir), e.name)
			default:
				namesOf(e.dir)[e.name] = e.node
			}
		}
	}
	out := newMemory(seed)
	out.capacity = m.capacity
	copies := map[*node]*node{}
	var revive func(n *node) *node
	revive = func(n *node) *node {
		if c := copies[n]; c != nil {
			return c
		}
		c := &node{dir: n.dir, mode: n.mode, time: n.time}
		copies[n] = c
		if !n.dir {
			c.disk = survive(n.disk, n.unsaved, random)
			c.data = slices.Clone(c.disk)
			return c
		}
		c.names, c.diskNames = map[string]*node{}, map[string]*node{}
		names := namesOf(n)
		for _, name := range sorted(names) {
			c.names[name] = revive(names[name])
			c.diskNames[name] = c.names[name]
		}
		return c
	}
	out.root = revive(m.root)
	return out
}

// survive is a file's content after a crash, or after a sync that failed.
func survive(disk []byte, unsaved []change, random *rand.Rand) []byte {
	out := slices.Clone(disk)
	for _, c := range unsaved {
		switch random.IntN(4) {
		case 0: // nothing
		case 1:
			out = c.apply(out)
		case 2:
			if c.data != nil {
				c.data = c.data[:random.IntN(len(c.data)+1)]
			}
			out = c.apply(out)
		case 3:
			if c.data != nil && c.offset+int64(len(c.data)) > int64(len(out)) {
				out = change{length: c.offset + int64(len(c.data))}.apply(out)
			}
		}
	}
	return out
}

func (c change) apply(to []byte) []byte {
	end := c.length
	if c.data != nil {
		end = max(int64(len(to)), c.offset+int64(len(c.data)))
	}
	if end > int64(len(to)) {
		to = append(to, make([]byte, end-int64(len(to)))...)
	}
	to = to[:end]
	copy(to[min(c.offset, end):], c.data)
	return to
}

func sorted(names map[string]*node) []string {
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// find walks to name; m.mu is held.
func (m *Memory) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	at := m.root
	if name == "." {
		return at, nil
	}
	for _, part := range strings.Split(name, "/") {
		if !at.dir {
			return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
		}
		next := at.names[part]
		if next == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		at = next
	}
	return at, nil
}

// move changes names for programs, and notes the change for the medium; m.mu
// is held.
func (m *Memory) move(entries ...entry) {
	for _, e := range entries {
		if e.node == nil {
			delete(e.dir.names, e.name)
		} else {
			e.dir.names[e.name] = e.node
		}
	}
	m.pending = append(m.pending, &move{entries})
}

// OpenFile is as durable.FS says.
func (m *Memory) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("open", name)
	switch {
	case err == nil && flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case err == nil && n.dir && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		dir, derr := m.find("open", path.Dir(name))
		if derr != nil {
			return nil, derr
		}
		if err := m.act(Create, name); err != nil {
			return nil, err
		}
		n = &node{mode: perm, time: time.Unix(int64(m.ops), 0)}
		m.move(entry{dir, path.Base(name), n})
	case err != nil:
		return nil, err
	}
	f := &file{m: m, n: n, name: name, flag: flag}
	if flag&os.O_TRUNC != 0 && len(n.data) > 0 {
		if err := f.truncate(0); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Rename is as durable.FS says.
func (m *Memory) Rename(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("rename", oldname)
	if err != nil {
		return err
	}
	from, err := m.find("rename", path.Dir(oldname))
	if err != nil {
		return err
	}
	to, err := m.find("rename", path.Dir(newname))
	if err != nil {
		return err
	}
	if old := to.names[path.Base(newname)]; old == n {
		return nil
	} else if old != nil && old.dir {
		return &fs.PathError{Op: "rename", Path: newname, Err: fs.ErrExist}
	}
	if err := m.act(Rename, newname); err != nil {
		return err
	}
	m.move(entry{from, path.Base(oldname), nil}, entry{to, path.Base(newname), n})
	return nil
}

// Remove is as durable.FS says.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("remove", name)
	if err != nil {
		return err
	}
	if n.dir && len(n.names) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	dir, err := m.find("remove", path.Dir(name))
	if err != nil {
		return err
	}
	if err := m.act(Remove, name); err != nil {
		return err
	}
	m.move(entry{dir, path.Base(name), nil})
	return nil
}

// MkdirAll is as durable.FS says.
func (m *Memory) MkdirAll(name string, perm fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mkdirAll(name, perm)
}

func (m *Memory) mkdirAll(name string, perm fs.FileMode) error {
	n, err := m.find("mkdir", name)
	if err == nil && !n.dir {
		return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := m.mkdirAll(path.Dir(name), perm); err != nil {
		return err
	}
	dir, err := m.find("mkdir", path.Dir(name))
	if err != nil {
		return err
	}
	if err := m.act(Mkdir, name); err != nil {
		return err
	}
	m.move(entry{dir, path.Base(name), newDir(perm)})
	return nil
}

// ReadDir is as durable.FS says.
func (m *Memory) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
	}
	if err := m.act(Read, name); err != nil {
		return nil, err
	}
	var list []fs.DirEntry
	for _, c := range sorted(n.names) {
		list = append(list, fs.FileInfoToDirEntry(n.names[c].info(c)))
	}
	return list, nil
}

// Stat is as durable.FS says.
func (m *Memory) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(name)), nil
}

// SyncDir is as durable.FS says.
func (m *Memory) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, err := m.find("syncdir", name)
	if err != nil {
		return err
	}
	if err := m.act(SyncDir, name); err != nil {
		return err
	}
	// What concerns this folder, and what that hangs on, newest first.
	wanted := map[entry]bool{}
	var todo, rest []*move
	for _, mv := range slices.Backward(m.pending) {
		take := slices.ContainsFunc(mv.entries, func(e entry) bool {
			return e.dir == dir || wanted[entry{dir: e.dir, name: e.name}]
		})
		if !take {
			rest = append(rest, mv)
			continue
		}
		todo = append(todo, mv)
		for _, e := range mv.entries {
			wanted[entry{dir: e.dir, name: e.name}] = true
		}
	}
	slices.Reverse(rest)
	m.pending = rest
	for _, mv := range slices.Backward(todo) {
		for _, e := range mv.entries {
			if e.node == nil {
				delete(e.dir.diskNames, e.name)
			} else {
				e.dir.diskNames[e.name] = e.node
			}
		}
	}
	return nil
}

// Lock is as durable.FS says. A crash gives every lock back.
func (m *Memory) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, durable.ErrLocked
	}
	m.locks[name] = true
	return &heldLock{m: m, name: name}, nil
}

type heldLock struct {
	m    *Memory
	name string
	once sync.Once
}

func (l *heldLock) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		delete(l.m.locks, l.name)
	})
	return nil
}
