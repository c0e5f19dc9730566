package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"custos/evidence"
)

// fakeCustody keeps incoming objects and masters in memory, as durable as the
// test: a "crash" is a panic out of a call, and the fake lives on.
type fakeCustody struct {
	// step runs before (after = false) and after each call took effect. It may
	// panic to play a crash, or return an error to fail the call; after the
	// effect the error is what the caller sees of a call that did work.
	step    func(call string, after bool) error
	discard bool // count and hash, keep no bytes

	mu       sync.Mutex
	rng      *rand.ChaCha8
	at       time.Time
	incoming map[evidence.ID]*object
	masters  map[evidence.ID]*master // by upload
	pending  int                     // so many calls of Receipt are Unavailable
	room     int64                   // bytes until Full, 0 = no limit
	used     int64
}

type object struct {
	bytes  []byte
	hash   hash.Hash
	offset int64
	length int64
	writer bool
}

type master struct {
	recording evidence.ID
	bytes     []byte
	digest    evidence.Digest
	length    int64
	capture   evidence.Capture
	actor     evidence.Actor
}

func newFake() *fakeCustody {
	return &fakeCustody{
		rng: rand.NewChaCha8([32]byte{1}), at: start,
		incoming: map[evidence.ID]*object{}, masters: map[evidence.ID]*master{},
	}
}

func (f *fakeCustody) enter(call string) error {
	if f.step == nil {
		return nil
	}
	return f.step(call, false)
}

func (f *fakeCustody) leave(call string) error {
	if f.step == nil {
		return nil
	}
	return f.step(call, true)
}

func (f *fakeCustody) newID() evidence.ID {
	f.at = f.at.Add(time.Millisecond)
	return evidence.NewID(f.at, f.rng)
}

func (f *fakeCustody) Receive(ctx context.Context, actor evidence.Actor, length int64) (evidence.ID, error) {
	if err := f.enter("receive"); err != nil {
		return "", err
	}
	f.mu.Lock()
	id := f.newID()
	f.incoming[id] = &object{hash: sha256.New(), length: length}
	f.mu.Unlock()
	return id, f.leave("receive")
}

func (f *fakeCustody) take(id evidence.ID, offset int64) (*object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.incoming[id]
	if o == nil {
		return nil, evidence.Errorf(evidence.NotFound, "no such incoming object")
	}
	if o.writer || o.offset != offset {
		return nil, evidence.Errorf(evidence.Conflict, "another writer, or a wrong offset")
	}
	o.writer = true
	return o, nil
}

func (f *fakeCustody) Append(ctx context.Context, id evidence.ID, offset int64, r io.Reader) (int64, error) {
	if err := f.enter("append"); err != nil {
		return offset, err
	}
	o, err := f.take(id, offset)
	if err != nil {
		return offset, err
	}
	defer func() { f.mu.Lock(); o.writer = false; f.mu.Unlock() }()
	buf := make([]byte, 32<<10)
	for {
		n, rerr := r.Read(buf)
		f.mu.Lock()
		full := f.room > 0 && f.used+int64(n) > f.room
		if full {
			n = int(f.room - f.used)
		}
		n = int(min(int64(n), o.length-o.offset))
		o.hash.Write(buf[:n])
		if !f.discard {
			o.bytes = append(o.bytes, buf[:n]...)
		}
		o.offset += int64(n)
		f.used += int64(n)
		at := o.offset
		f.mu.Unlock()
		switch {
		case full:
			return at, evidence.Errorf(evidence.Full, "no room")
		case rerr == io.EOF:
			return at, f.leave("append")
		case rerr != nil:
			return at, fmt.Errorf("read what is sent: %w", rerr)
		}
	}
}

func (f *fakeCustody) Received(ctx context.Context, id evidence.ID) (int64, int64, error) {
	if err := f.enter("received"); err != nil {
		return 0, 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.incoming[id]
	if o == nil {
		return 0, 0, evidence.Errorf(evidence.NotFound, "no such incoming object")
	}
	return o.offset, o.length, nil
}

func (f *fakeCustody) ReadReceived(ctx context.Context, id evidence.ID) (io.ReadCloser, error) {
	if err := f.enter("read"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.incoming[id]
	if o == nil {
		return nil, evidence.Errorf(evidence.NotFound, "no such incoming object")
	}
	return io.NopCloser(bytes.NewReader(o.bytes)), nil
}

func (f *fakeCustody) Abandon(ctx context.Context, actor evidence.Actor, id evidence.ID) error {
	if err := f.enter("abandon"); err != nil {
		return err
	}
	f.mu.Lock()
	_, ok := f.incoming[id]
	delete(f.incoming, id)
	f.mu.Unlock()
	if !ok {
		return evidence.Errorf(evidence.NotFound, "no such incoming object")
	}
	return f.leave("abandon")
}

func (f *fakeCustody) Collect(ctx context.Context, actor evidence.Actor, id evidence.ID, c evidence.Capture) (evidence.ID, int, error) {
	if err := f.enter("collect"); err != nil {
		return "", 0, err
	}
	f.mu.Lock()
	m, o := f.masters[id], f.incoming[id]
	if m == nil {
		if o == nil {
			f.mu.Unlock()
			return "", 0, evidence.Errorf(evidence.NotFound, "no such incoming object")
		}
		d := evidence.Digest(o.hash.Sum(nil))
		if o.offset != o.length || c.Length != o.length || !c.Digest.IsZero() && c.Digest != d {
			f.mu.Unlock()
			return "", 0, evidence.Errorf(evidence.Corrupt, "the bytes received are not the bytes the dock read")
		}
		m = &master{f.newID(), o.bytes, d, o.length, c, actor}
		f.masters[id] = m
		delete(f.incoming, id)
	}
	f.mu.Unlock()
	return m.recording, 1, f.leave("collect")
}

func (f *fakeCustody) Receipt(ctx context.Context, id evidence.ID) ([]byte, error) {
	if err := f.enter("receipt"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.masters[id]
	if m == nil {
		return nil, evidence.Errorf(evidence.NotFound, "not collected")
	}
	if f.pending > 0 {
		f.pending--
		return nil, evidence.Errorf(evidence.Unavailable, "the log does not cover it yet")
	}
	return fmt.Appendf(nil, "receipt %s %s\n", m.recording, m.digest), nil
}
