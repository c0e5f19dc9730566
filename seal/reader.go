package seal

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sync"

	"custos/evidence"
)

// batch is how many chunks are fetched from the payload in one read at most.
const batch = 8

// Reader reads the plaintext of a sealed object at any offset. It opens only
// the chunks a read touches and gives out no byte of a chunk that is not as it
// was sealed. All methods may be called concurrently, if payload's ReadAt may.
//
// io.NewSectionReader(r, 0, r.Size()) is an io.ReadSeeker over it; for
// http.ServeContent use Cursor, which opens no chunk twice.
type Reader struct {
	aead    cipher.AEAD
	payload io.ReaderAt
	size    int64     // of the plaintext
	chunks  int64     // >= 1
	buffers sync.Pool // of *[]byte, at most batch sealed chunks each
}

var _ io.ReaderAt = (*Reader)(nil)

// NewReader makes the reader of a payload of sealedSize bytes. It reads the
// last chunk and checks that it was sealed as the last, so that Size can be
// trusted.
//
// Codes: Corrupt for a length that cannot be, a payload shorter than
// sealedSize, or a wrong last chunk (cut, extended, another object's, or
// another key); errors of payload are passed on wrapped.
func NewReader(key FileKey, nonce Nonce, payload io.ReaderAt, sealedSize int64) (*Reader, error) {
	size, err := PlainSize(sealedSize)
	if err != nil {
		return nil, err
	}
	aead, err := payloadCipher(key, nonce)
	if err != nil {
		return nil, err
	}
	r := &Reader{aead: aead, payload: payload, size: size, chunks: (sealedSize + sealedChunk - 1) / sealedChunk}
	buf := r.buffer(1)
	defer r.buffers.Put(buf)
	sealed, err := r.fetch(*buf, r.chunks-1, 1)
	if err != nil {
		return nil, err
	}
	var n chunkNonce
	if _, err := r.open(sealed[:0], sealed, r.chunks-1, &n); err != nil {
		return nil, err
	}
	return r, nil
}

// Size is the length of the plaintext in bytes.
func (r *Reader) Size() int64 { return r.size }

// ReadAt reads plaintext as io.ReaderAt says. Where it meets damage it returns
// the bytes before the damaged chunk and a Corrupt error that names the
// chunk's offset; a negative off is Invalid; errors of the payload are passed
// on wrapped.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, evidence.Errorf(evidence.Invalid, "a sealed object has no offset %d", off)
	}
	if off >= r.size {
		return 0, io.EOF
	}
	var atEnd error
	if int64(len(p)) > r.size-off {
		p, atEnd = p[:r.size-off], io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	first := off / ChunkSize
	count := (off+int64(len(p))-1)/ChunkSize - first + 1
	buf := r.buffer(min(count, batch))
	defer r.buffers.Put(buf)
	var nonce chunkNonce
	done := 0
	for count > 0 {
		n := min(count, batch)
		sealed, err := r.fetch(*buf, first, n)
		if err != nil {
			return done, err
		}
		for range n {
			one := sealed[:min(len(sealed), sealedChunk)]
			sealed = sealed[len(one):]
			c, err := r.openInto(p[done:], one, first, off+int64(done)-first*ChunkSize, &nonce)
			if err != nil {
				return done, err
			}
			done += c
			first++
		}
		count -= n
	}
	return done, atEnd
}

// openInto opens chunk number chunk and copies its plaintext from skip on into
// p; whole chunks are opened in place, without the copy.
func (r *Reader) openInto(p, sealed []byte, chunk, skip int64, nonce *chunkNonce) (int, error) {
	if n := len(sealed) - Overhead; skip == 0 && len(p) >= n {
		_, err := r.open(p[:0:n], sealed, chunk, nonce)
		return n, err
	}
	plain, err := r.open(sealed[:0], sealed, chunk, nonce)
	if err != nil {
		return 0, err
	}
	return copy(p, plain[skip:]), nil
}

// open appends the plaintext of one chunk to dst. The cipher clears what it
// wrote if the tag is wrong.
func (r *Reader) open(dst, sealed []byte, chunk int64, nonce *chunkNonce) ([]byte, error) {
	plain, err := r.aead.Open(dst, nonce.set(uint64(chunk), chunk == r.chunks-1), sealed, nil)
	if err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err,
			fmt.Sprintf("the stored bytes are damaged: the part at offset %d (up to %d bytes) is not as it was sealed", chunk*ChunkSize, ChunkSize))
	}
	return plain, nil
}

// fetch reads n sealed chunks from number chunk on; the object's last may be short.
func (r *Reader) fetch(buf []byte, chunk, n int64) ([]byte, error) {
	from := chunk * sealedChunk
	to := min(from+n*sealedChunk, r.size+r.chunks*Overhead)
	got, err := r.payload.ReadAt(buf[:to-from], from)
	if int64(got) == to-from {
		return buf[:got], nil // with io.EOF or without: both are allowed at the end
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, evidence.Wrap(evidence.Corrupt, io.ErrUnexpectedEOF,
			fmt.Sprintf("the stored bytes end too early, in the %d bytes from offset %d", n*ChunkSize, chunk*ChunkSize))
	}
	return nil, fmt.Errorf("read sealed object: %w", err)
}

// buffer has room for n sealed chunks.
func (r *Reader) buffer(n int64) *[]byte {
	if b, ok := r.buffers.Get().(*[]byte); ok && int64(len(*b)) >= n*sealedChunk {
		return b
	}
	b := make([]byte, n*sealedChunk)
	return &b
}
