package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"custos/evidence"
)

const (
	tusVersion = "1.0.0"
	extensions = "creation,creation-with-upload,checksum,expiration,termination,concatenation"
	bodyType   = "application/offset+octet-stream"

	statusChecksumMismatch = 460 // tus 1.0.0, Checksum
)

// failure is an error whose HTTP status the protocol fixes.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail makes a failure with a sentence for people.
func fail(status int, code evidence.Code, format string, args ...any) error {
	return &failure{status, evidence.Errorf(code, format, args...)}
}

// statusOf is the HTTP status of err.
func statusOf(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.status
	}
	switch evidence.CodeOf(err) {
	case evidence.NotFound:
		return http.StatusNotFound
	case evidence.Denied:
		return http.StatusForbidden
	case evidence.Unauthenticated:
		return http.StatusUnauthorized
	case evidence.Invalid:
		return http.StatusBadRequest
	case evidence.Conflict, evidence.Held:
		return http.StatusConflict
	case evidence.Full:
		return http.StatusInsufficientStorage
	case evidence.TooMany:
		return http.StatusTooManyRequests
	case evidence.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// ServeHTTP speaks tus 1.0.0 and GET {id}/receipt below the prefix. The server
// it stands in must have no WriteTimeout: a PATCH lasts as long as it moves.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.serve(w, r); err != nil {
		s.Problem(w, r, statusOf(err), err)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength != 0 {
		// Also where the body is not wanted: net/http reads what is left of it.
		if err := s.deadline(w, time.Now().Add(s.Stall)); err != nil {
			return evidence.Wrap(evidence.Unavailable, err, "the connection is gone")
		}
	}
	method := r.Method
	if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
		method = m
	}
	rest, ok := strings.CutPrefix(r.URL.Path+"/", s.Prefix)
	if !ok {
		return unknown()
	}
	rest = strings.TrimSuffix(rest, "/")
	if name, ok := strings.CutSuffix(rest, "/receipt"); ok {
		return s.serveReceipt(w, r, method, name)
	}

	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	if method == http.MethodOptions {
		h.Set("Tus-Version", tusVersion)
		h.Set("Tus-Extension", extensions)
		h.Set("Tus-Checksum-Algorithm", checksumAlgorithms)
		h.Set("Tus-Max-Size", strconv.FormatInt(s.MaxSize, 10))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if v := r.Header.Values("Tus-Resumable"); len(v) != 1 || v[0] != tusVersion {
		h.Set("Tus-Version", tusVersion)
		return fail(http.StatusPreconditionFailed, evidence.Invalid, "this server speaks tus %s", tusVersion)
	}
	actor, err := s.Actor(r)
	if err != nil {
		return err
	}
	if rest == "" || rest == "/" {
		if method != http.MethodPost {
			return notAllowed(w, "OPTIONS, POST")
		}
		return s.create(w, r, actor)
	}
	u, err := s.find(r.Context(), actor, rest)
	if err != nil {
		return err
	}
	switch method {
	case http.MethodHead:
		return s.head(w, r, u)
	case http.MethodPatch:
		return s.patch(w, r, u)
	case http.MethodDelete:
		return s.terminate(w, r, u)
	default:
		return notAllowed(w, "OPTIONS, HEAD, PATCH, DELETE")
	}
}

func notAllowed(w http.ResponseWriter, allow string) error {
	w.Header().Set("Allow", allow)
	return fail(http.StatusMethodNotAllowed, evidence.Invalid, "this method is not spoken here")
}

// find is the upload that a path names. Somebody else's is NotFound, as if it
// were not there.
func (s *Server) find(ctx context.Context, actor evidence.Actor, name string) (*upload, error) {
	id, err := evidence.ParseID(name)
	if err != nil {
		return nil, unknown()
	}
	u, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	if u.actor.Kind != actor.Kind || u.actor.ID != actor.ID {
		return nil, unknown()
	}
	return u, nil
}

// gone is why an upload takes no more requests, nil if it does.
func (s *Server) gone(u *upload) error {
	switch {
	case u.state == refused || u.state == abandoned:
		return &failure{http.StatusGone, &evidence.Error{Code: u.code, Message: u.message}}
	case u.resumable() && !s.Now().Before(u.expires):
		return fail(http.StatusGone, evidence.NotFound, expiredMessage)
	}
	return nil
}

const (
	expiredMessage    = "the upload has expired; start over"
	terminatedMessage = "the upload was given up; start over"
	usedMessage       = "the part is used up; its bytes are in the final upload"
)

// offset is how many bytes of u are durable.
func (s *Server) offset(ctx context.Context, u *upload) (int64, error) {
	if u.state != open && u.state != joining {
		return u.length, nil
	}
	n, _, err := s.Custody.Received(ctx, u.id)
	return n, err
}

func (s *Server) head(w http.ResponseWriter, r *http.Request, u *upload) error {
	if err := s.gone(u); err != nil {
		return err
	}
	h := w.Header()
	if u.state != joining {
		n, err := s.offset(r.Context(), u)
		if err != nil {
			return err
		}
		if n == u.length && u.state == open {
			// The server stopped between the last byte and this note of it.
			if err := s.finish(r.Context(), u); err != nil {
				return err
			}
		}
		h.Set("Upload-Offset", strconv.FormatInt(n, 10))
	}
	h.Set("Upload-Length", strconv.FormatInt(u.length, 10))
	if u.metadata != "" {
		h.Set("Upload-Metadata", u.metadata)
	}
	if u.concat != concatNone {
		h.Set("Upload-Concat", u.concat)
	}
	s.setExpires(h, u)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) setExpires(h http.Header, u *upload) {
	if u.resumable() {
		h.Set("Upload-Expires", u.expires.UTC().Format(http.TimeFormat))
	}
}

// terminate gives up an upload that has not become evidence yet.
func (s *Server) terminate(w http.ResponseWriter, r *http.Request, u *upload) error {
	if err := s.gone(u); err != nil {
		return err
	}
	if !u.resumable() {
		return fail(http.StatusForbidden, evidence.Denied, "every byte of the upload is here and it is being taken into custody, or was; it cannot be withdrawn")
	}
	if !s.tryLock(u.id) {
		return busy()
	}
	defer s.unlock(u.id)
	ctx := context.WithoutCancel(r.Context()) // half a termination helps nobody
	ok, err := s.abandon(ctx, u.id, terminatedMessage)
	if err != nil {
		return err
	}
	if !ok {
		return busy()
	}
	s.free(ctx, u.actor, u.id)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func busy() error {
	return fail(http.StatusLocked, evidence.Conflict, "the upload is in use by another request; try again in a moment")
}

// problem answers with problem+json (RFC 9457) where nobody gave a better way.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, err error) {
	if status >= 500 {
		s.Log.ErrorContext(r.Context(), "upload request failed", "method", r.Method, "status", status, "err", err)
	}
	title := http.StatusText(status)
	if status == statusChecksumMismatch {
		title = "Checksum Mismatch"
	}
	body, merr := json.Marshal(map[string]any{
		"type": "about:blank", "title": title, "status": status,
		"detail": evidence.MessageOf(err), "code": evidence.CodeOf(err),
	})
	if merr != nil {
		panic(fmt.Sprintf("ingest: a problem of plain text cannot be written: %v", merr))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.Log.DebugContext(r.Context(), "client went away before its answer", "err", err)
	}
}
