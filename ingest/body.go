package ingest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"custos/evidence"
)

// body reads what a client sends. Every read has until the stall limit; then
// the request ends and its turn is free for the next.
type body struct {
	s        *Server
	w        http.ResponseWriter
	r        io.Reader
	inMemory bool
	ended    bool  // io.EOF was seen
	err      error // the client's side failed; never io.EOF
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if !b.inMemory {
		// Deadlines of a connection are on the machine's clock, whatever Now says.
		if b.err = b.s.deadline(b.w, time.Now().Add(b.s.Stall)); b.err != nil {
			return 0, b.err
		}
	}
	n, err := b.r.Read(p)
	if err == io.EOF {
		b.ended = true
	} else if err != nil {
		b.err = err
	}
	return n, err
}

// more tells whether a byte follows where none should.
func (b *body) more() bool {
	var one [1]byte
	n, _ := io.ReadFull(b, one[:]) // an error here means no byte, which is what was asked
	return n > 0
}

// lift takes the deadline away once the body has ended: left in place it would
// end the connection, and with it the request, while the server still works.
// Before that it stays, because net/http reads what is left of a body.
func (b *body) lift() {
	if b.inMemory || !b.ended {
		return
	}
	if err := b.s.deadline(b.w, time.Time{}); err != nil && b.err == nil {
		b.err = err
	}
}

// deadline is ReadDeadline for transports that may not have it, such as a
// test's recorder.
func (s *Server) deadline(w http.ResponseWriter, at time.Time) error {
	err := s.ReadDeadline(w, at)
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// failure is what to answer when the client's side failed.
func (b *body) failure() error {
	b.w.Header().Set("Connection", "close") // or net/http would wait for the rest of it
	if errors.Is(b.err, os.ErrDeadlineExceeded) {
		return &failure{http.StatusRequestTimeout, evidence.Wrap(evidence.Unavailable, b.err, "nothing came for too long; ask with HEAD and go on from there")}
	}
	return &failure{http.StatusBadRequest, evidence.Wrap(evidence.Unavailable, b.err, "the body ended early; ask with HEAD and go on from there")}
}

// body is the request's body for receive. With a checksum it is read whole
// first, into memory, and fails with 460 if it does not match. done gives the
// memory's slot back; it is nil with an error.
func (s *Server) body(w http.ResponseWriter, r *http.Request, sum *checksum) (b *body, done func(), err error) {
	b = &body{s: s, w: w, r: r.Body}
	if sum == nil {
		return b, func() {}, nil
	}
	if r.ContentLength > maxChecked {
		return nil, nil, tooLongToCheck()
	}
	select {
	case s.checks <- struct{}{}:
	case <-r.Context().Done():
		return nil, nil, evidence.Wrap(evidence.Unavailable, r.Context().Err(), "the client went away")
	}
	whole, err := b.checked(max(r.ContentLength, 0), sum)
	if err != nil {
		<-s.checks
		return nil, nil, err
	}
	return &body{s: s, w: w, r: whole, inMemory: true}, func() { <-s.checks }, nil
}

// checked reads b to its end, length bytes as far as the client says, and
// holds it against sum.
func (b *body) checked(length int64, sum *checksum) (*bytes.Buffer, error) {
	var whole bytes.Buffer
	whole.Grow(int(length) + bytes.MinRead)
	n, err := whole.ReadFrom(io.LimitReader(b, maxChecked+1))
	b.lift()
	switch {
	case err != nil || b.err != nil:
		return nil, b.failure()
	case n > maxChecked:
		return nil, tooLongToCheck()
	case !sum.matches(whole.Bytes()):
		return nil, fail(statusChecksumMismatch, evidence.Corrupt, "the bytes do not match their checksum; none were kept, send them again")
	}
	return &whole, nil
}

func tooLongToCheck() error {
	return fail(http.StatusRequestEntityTooLarge, evidence.Invalid, "a body with a checksum may have %d bytes at most", maxChecked)
}
