package vaulttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"custos/seal"
	"custos/vault"
)

// Watched is a Store that looks at all ciphertext on its way to another. One
// chunk of one object must always have the same ciphertext, and no two objects
// may share any: sealing is a function of file key, chunk and plaintext, so
// either would show two plaintexts, or one key, where there must not be.
//
// It also crashes: see Crash. After a crash, After makes one over the new
// store that remembers what the old one saw. All methods may be called
// concurrently.
type Watched struct {
	vault.Store
	seen *seen

	mu    sync.Mutex
	calls int  // guarded by mu: changing calls so far
	at    int  // guarded by mu: the call that crashes; 0 = none
	after bool // guarded by mu: it takes effect first
	dead  bool // guarded by mu
}

type seen struct {
	mu     sync.Mutex
	chunks map[string][sha256.Size]byte // guarded by mu: of "name/chunk"
	owners map[[sha256.Size]byte]string // guarded by mu: the other way round
	wrong  []string                     // guarded by mu
}

// ErrCrash is what a Watched store returns from its crash on.
var ErrCrash = errors.New("the machine is gone")

// Watch makes a Watched.
func Watch(s vault.Store) *Watched {
	return &Watched{Store: s, seen: &seen{chunks: map[string][sha256.Size]byte{}, owners: map[[sha256.Size]byte]string{}}}
}

// After is a Watched over s that remembers all w has seen.
func (w *Watched) After(s vault.Store) *Watched { return &Watched{Store: s, seen: w.seen} }

// Crash makes the nth changing call from now on return ErrCrash, and every
// call after it. If after is set the nth still takes effect: the crash comes
// between the store's work and the caller's.
func (w *Watched) Crash(nth int, after bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.after = w.calls+nth, after
}

// Calls is how many changing calls there were.
func (w *Watched) Calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// Wrong says what was sealed twice; nil if all is well.
func (w *Watched) Wrong() []string {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	return w.seen.wrong
}

func (w *Watched) change(f func() error) error {
	w.mu.Lock()
	w.calls++
	hit := w.at > 0 && w.calls == w.at
	dead := w.dead || hit && !w.after
	w.dead = w.dead || hit
	w.mu.Unlock()
	if dead {
		return ErrCrash
	}
	if err := f(); err != nil {
		return err
	}
	if hit {
		return ErrCrash
	}
	return nil
}

// Begin is as vault.Store says.
func (w *Watched) Begin(ctx context.Context, name string) error {
	return w.change(func() error { return w.Store.Begin(ctx, name) })
}

// PutPart is as vault.Store says.
func (w *Watched) PutPart(ctx context.Context, name string, offset int64, p []byte) error {
	return w.change(func() error {
		w.seen.look(name, offset, p) // whatever comes of it, it may be on the medium
		return w.Store.PutPart(ctx, name, offset, bytes.Clone(p))
	})
}

// Finish is as vault.Store says.
func (w *Watched) Finish(ctx context.Context, name string, size int64) error {
	return w.change(func() error { return w.Store.Finish(ctx, name, size) })
}

// Remove is as vault.Store says.
func (w *Watched) Remove(ctx context.Context, place vault.Place, name string) error {
	return w.change(func() error { return w.Store.Remove(ctx, place, name) })
}

func (s *seen) look(name string, offset int64, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const sealedChunk = seal.ChunkSize + seal.Overhead
	if offset%sealedChunk != 0 {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: a part at %d, inside a chunk", name, offset))
	}
	for chunk := offset / sealedChunk; len(p) > 0; chunk++ {
		n := min(len(p), sealedChunk)
		sum := sha256.Sum256(p[:n])
		p = p[n:]
		key := fmt.Sprintf("%s/%d", name, chunk)
		if old, ok := s.chunks[key]; ok && old != sum {
			s.wrong = append(s.wrong, fmt.Sprintf("%s was sealed with two plaintexts", key))
		}
		if owner, ok := s.owners[sum]; ok && owner != key {
			s.wrong = append(s.wrong, fmt.Sprintf("%s and %s were sealed under one key", key, owner))
		}
		s.chunks[key], s.owners[sum] = sum, key
	}
}
