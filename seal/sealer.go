package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// Sealer seals the chunks of one payload. It keeps no position: the caller says
// which chunk comes next. Its methods may be called concurrently.
type Sealer struct {
	aead cipher.AEAD
}

// NewSealer makes the sealer of the object with that key and nonce.
func NewSealer(key FileKey, nonce Nonce) (*Sealer, error) {
	aead, err := payloadCipher(key, nonce)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead}, nil
}

func payloadCipher(key FileKey, nonce Nonce) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key[:], nonce[:], "payload", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive payload key: %w", err)
	}
	return chacha20poly1305.New(k)
}

// chunkNonce is the nonce of one chunk: its number as 11 bytes, big-endian,
// then 1 for the last chunk and 0 for the others.
type chunkNonce [chacha20poly1305.NonceSize]byte

func (n *chunkNonce) set(chunk uint64, last bool) []byte {
	binary.BigEndian.PutUint64(n[3:11], chunk)
	n[11] = 0
	if last {
		n[11] = 1
	}
	return n[:]
}

// Seal appends the sealed form of plain to dst, whose first chunk is chunk
// number firstChunk (from 0) of the object, and returns the result. plain is
// whole chunks; if last, it is the end of the object and may end in a shorter
// chunk. dst's spare room must not overlap plain; SealedSize says how much is
// needed.
//
// The same chunk of one object must never be sealed with two plaintexts, nor
// both as last and as not last: see the rules in docs/formats/vault-object.md.
//
// It panics on a short chunk that is not last, and on an empty last chunk of an
// object that is not empty (age's rule): such an object could not be opened.
func (s *Sealer) Seal(dst, plain []byte, firstChunk uint64, last bool) []byte {
	if !last && len(plain)%ChunkSize != 0 {
		panic("seal: a short chunk before the last")
	}
	if last && len(plain) == 0 && firstChunk != 0 {
		panic("seal: an empty last chunk")
	}
	var nonce chunkNonce
	for chunk := firstChunk; len(plain) > 0 || last; chunk++ {
		n := min(len(plain), ChunkSize)
		end := last && n == len(plain)
		dst = s.aead.Seal(dst, nonce.set(chunk, end), plain[:n], nil)
		plain = plain[n:]
		if end {
			break
		}
	}
	return dst
}

// writer seals a stream. It holds back one full chunk, as that may be the last.
type writer struct {
	w      io.Writer
	s      *Sealer
	plain  []byte // len <= ChunkSize
	sealed []byte
	chunk  uint64 // number of the chunk that plain will be
	err    error  // why nothing more can be written
}

// NewWriter seals what is written to it as one whole payload and passes it to w
// chunk by chunk. Close seals the last chunk; it does not close w. After an
// error of w nothing more is sealed. One goroutine at a time.
func NewWriter(w io.Writer, key FileKey, nonce Nonce) (io.WriteCloser, error) {
	s, err := NewSealer(key, nonce)
	if err != nil {
		return nil, err
	}
	return &writer{w: w, s: s, plain: make([]byte, 0, ChunkSize), sealed: make([]byte, 0, sealedChunk)}, nil
}

func (w *writer) Write(p []byte) (int, error) {
	done := 0
	for w.err == nil && done < len(p) {
		if len(w.plain) == ChunkSize {
			w.flush(false)
			continue
		}
		n := min(ChunkSize-len(w.plain), len(p)-done)
		w.plain = append(w.plain, p[done:done+n]...)
		done += n
	}
	return done, w.err
}

func (w *writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.flush(true)
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("seal: write after close")
	return nil
}

func (w *writer) flush(last bool) {
	w.sealed = w.s.Seal(w.sealed[:0], w.plain, w.chunk, last)
	if _, err := w.w.Write(w.sealed); err != nil {
		w.err = fmt.Errorf("write sealed chunk: %w", err)
		return
	}
	w.plain = w.plain[:0]
	w.chunk++
}
