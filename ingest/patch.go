package ingest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"custos/evidence"
)

// patch appends the body at Upload-Offset.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, u *upload) error {
	if u.final() {
		return fail(http.StatusForbidden, evidence.Denied, "a final upload takes its bytes from its parts")
	}
	if err := s.gone(u); err != nil {
		return err
	}
	offset, err := size(r.Header, "Upload-Offset")
	if err != nil {
		return err
	}
	if err := checkType(r); err != nil {
		return err
	}
	sum, err := checksumOf(r)
	if err != nil {
		return err
	}
	if !s.tryLock(u.id) {
		return busy()
	}
	defer s.unlock(u.id)
	// Bytes that came are kept, so a client that goes away must not cancel the
	// note of them.
	ctx := context.WithoutCancel(r.Context())
	if u, err = s.get(ctx, u.id); err != nil { // again: what came before had its turn
		return err
	}
	if err := s.gone(u); err != nil {
		return err
	}
	at, err := s.offset(ctx, u)
	if err != nil {
		return err
	}
	if at != offset {
		return fail(http.StatusConflict, evidence.Conflict, "the upload stands at %d; ask with HEAD and go on from there", at)
	}
	if r.ContentLength > u.length-offset {
		return tooLong()
	}
	body, done, err := s.body(w, r, sum)
	if err != nil {
		return err
	}
	defer done()
	n, err := s.receive(ctx, u, offset, body)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Upload-Offset", strconv.FormatInt(n, 10))
	s.setExpires(h, u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// receive appends b to u at offset, which must be where u stands, and marks u
// complete with its last byte. The caller has the turn for u. It returns the
// durable offset; with an error, bytes may have been kept all the same.
func (s *Server) receive(ctx context.Context, u *upload, offset int64, b *body) (int64, error) {
	if u.state == open {
		if err := s.touch(ctx, u); err != nil {
			return offset, err
		}
	}
	n := offset
	var err error
	if u.length > offset {
		n, err = s.Custody.Append(ctx, u.id, offset, io.LimitReader(b, u.length-offset))
	}
	broken := b.err != nil
	excess := err == nil && !broken && n == u.length && b.more() // if that breaks, all bytes are here all the same
	b.lift()
	if n == u.length && u.state == open {
		if ferr := s.finish(ctx, u); ferr != nil {
			return n, errors.Join(ferr, err)
		}
	}
	switch {
	case broken:
		return n, b.failure()
	case err != nil && evidence.CodeOf(err) == evidence.Conflict:
		return n, &failure{http.StatusLocked, err} // the offset was right, so somebody else writes
	case err != nil:
		return n, err
	case excess:
		return n, tooLong()
	}
	return n, nil
}
