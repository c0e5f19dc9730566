package bundle

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"custos/evidence"
)

// chunkSize is how many bytes one entry of a chunk list covers.
const chunkSize = 1 << 20

// fileHash takes a file's bytes in order and knows its SHA-256, its length and
// the SHA-256 of each chunk. It is an io.Writer that never fails. Not for
// concurrent use.
type fileHash struct {
	length int64
	whole  hash.Hash
	chunk  hash.Hash
	filled int                   // bytes in the chunk that is open
	each   func(evidence.Digest) // called for each chunk that is complete
}

// newFileHash makes a fileHash; each may be nil.
func newFileHash(each func(evidence.Digest)) *fileHash {
	return &fileHash{whole: sha256.New(), chunk: sha256.New(), each: each}
}

func (h *fileHash) Write(p []byte) (int, error) {
	n := len(p)
	h.length += int64(n)
	if h.each == nil {
		return h.whole.Write(p)
	}
	// Two digests of the same bytes, side by side: with a second core free
	// the chunks cost no time.
	done := make(chan struct{})
	go func(p []byte) {
		h.whole.Write(p) // a hash.Hash never fails
		close(done)
	}(p)
	for len(p) > 0 {
		take := min(len(p), chunkSize-h.filled)
		h.chunk.Write(p[:take])
		h.filled += take
		p = p[take:]
		if h.filled == chunkSize {
			h.endChunk()
		}
	}
	<-done
	return n, nil
}

func (h *fileHash) endChunk() {
	h.each(evidence.Digest(h.chunk.Sum(nil)))
	h.chunk.Reset()
	h.filled = 0
}

// sum ends the last chunk and gives the digest of everything.
func (h *fileHash) sum() evidence.Digest {
	if h.filled > 0 {
		h.endChunk()
	}
	return evidence.Digest(h.whole.Sum(nil))
}

// chunkWriter writes a chunk list as it becomes known, so that a master of any
// length needs no memory. The first error sticks and is given by close.
type chunkWriter struct {
	w   io.Writer
	n   int
	err error
}

// Field order is the order in which the values become known: the length last.
func (c *chunkWriter) begin(file string) {
	c.printf("{\"version\": 1, \"file\": %q, \"chunkSize\": %d, \"sha256\": [", file, chunkSize)
}

func (c *chunkWriter) add(d evidence.Digest) {
	comma := ","
	if c.n == 0 {
		comma = ""
	}
	c.n++
	c.printf("%s\n\"%s\"", comma, d)
}

func (c *chunkWriter) end(length int64) error {
	c.printf("], \"length\": %d}\n", length)
	return c.err
}

func (c *chunkWriter) printf(format string, args ...any) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.w, format, args...)
	}
}

// chunkList is a file under chunks/.
type chunkList struct {
	Version   int               `json:"version"`
	File      string            `json:"file"`
	ChunkSize int               `json:"chunkSize"`
	SHA256    []evidence.Digest `json:"sha256"`
	Length    int64             `json:"length"`
}
