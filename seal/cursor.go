package seal

import (
	"io"

	"custos/evidence"
)

// maxAhead is how much plaintext a Cursor holds at most: enough that a store
// over a network is asked rarely, little enough for hundreds of viewers.
const maxAhead = batch * ChunkSize

// Cursor reads a Reader from a place on: the io.ReadSeeker that
// http.ServeContent wants. Small reads are served from whole chunks read ahead
// (after a seek the rest of one, then one, then twice as many each time, up to
// 512 KiB), so no chunk is opened twice in a sequential read, and none in vain
// for a short range. One goroutine at a time.
type Cursor struct {
	r     *Reader
	at    int64  // where the next Read begins
	ahead int    // bytes to read ahead next
	room  []byte // backs held
	held  []byte // plaintext from at on
}

var _ io.ReadSeeker = (*Cursor)(nil)

// Cursor makes a Cursor at offset 0.
func (r *Reader) Cursor() *Cursor { return &Cursor{r: r, ahead: ChunkSize} }

// Read reads on. Errors are those of Reader.ReadAt, and come only after all
// bytes before the damage were given out.
func (c *Cursor) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.at >= c.r.size {
		return 0, io.EOF
	}
	if len(c.held) == 0 {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.held)
	c.held = c.held[n:]
	c.at += int64(n)
	return n, nil
}

// fill reads ahead up to the end of a chunk. It fails only where it got nothing.
func (c *Cursor) fill() error {
	n := c.ahead - int(c.at%ChunkSize)
	if len(c.room) < n {
		c.room = make([]byte, c.ahead)
	}
	got, err := c.r.ReadAt(c.room[:n], c.at)
	if got == 0 && err != nil {
		return err
	}
	c.held = c.room[:got]
	if n == c.ahead {
		c.ahead = min(2*c.ahead, maxAhead)
	}
	return nil
}

// Seek moves the cursor, as io.Seeker says. It fails with Invalid for a place
// before the start; a place behind the end reads as the end.
func (c *Cursor) Seek(offset int64, whence int) (int64, error) {
	to := offset
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		to += c.at
	case io.SeekEnd:
		to += c.r.size
	default:
		return 0, evidence.Errorf(evidence.Invalid, "a seek counts from the start, the place or the end")
	}
	if to < 0 {
		return 0, evidence.Errorf(evidence.Invalid, "a sealed object has no offset %d", to)
	}
	if to != c.at {
		c.at, c.held, c.ahead = to, nil, ChunkSize
	}
	return to, nil
}
