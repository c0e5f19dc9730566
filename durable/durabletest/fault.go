package durabletest

import (
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// Op is a kind of operation that can be made to fail.
type Op string

// The kinds. All but Read change something.
const (
	Any      Op = "" // any that changes something
	Create   Op = "create"
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Rename   Op = "rename"
	Remove   Op = "remove"
	Mkdir    Op = "mkdir"
	SyncDir  Op = "syncdir"
	Read     Op = "read" // of a file or a folder
)

// Fault is a failure to come. The operation that meets it does nothing but
// return the error, save for Short, and for Sync, after which some of the data
// may be on the medium.
type Fault struct {
	Op    Op     // which kind fails
	Path  string // only names that begin so; "" = all
	Nth   int    // the how-manieth from now on, counting from 1; 0 = the next
	Err   error  // what it returns; nil = EIO
	Short bool   // Write: the first half of the bytes is written
	Stays bool   // every change after it fails as well: a point of crash
}

// Fail plans a fault. Each happens once, save for Stays.
func (m *Memory) Fail(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.Nth = max(1, f.Nth)
	if f.Err == nil {
		f.Err = syscall.EIO
	}
	m.faults = append(m.faults, &f)
}

// Heal forgets all faults, past and to come. What a failed Sync lost stays lost.
func (m *Memory) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults, m.dead = nil, nil
}

// Ops is how many changing operations were begun so far. A test runs once to
// count, then again with a Fault{Nth: n, Stays: true} for each n.
func (m *Memory) Ops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// act is what an operation meets on its way; m.mu is held.
func (m *Memory) act(op Op, name string) error {
	_, err := m.fault(op, name)
	return err
}

func (m *Memory) fault(op Op, name string) (*Fault, error) {
	if op != Read {
		m.ops++
		if m.dead != nil {
			return nil, &fs.PathError{Op: string(op), Path: name, Err: m.dead}
		}
	}
	for i, f := range m.faults {
		if f.Op != op && (f.Op != Any || op == Read) || !strings.HasPrefix(name, f.Path) {
			continue
		}
		if f.Nth--; f.Nth > 0 {
			continue
		}
		m.faults = slices.Delete(m.faults, i, i+1)
		if f.Stays {
			m.dead = f.Err
		}
		return f, &fs.PathError{Op: string(op), Path: name, Err: f.Err}
	}
	return nil, nil
}
