package ingest

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"custos/evidence"
)

// create is POST on the prefix: creation, with or without a first piece of
// the body, or concatenation.
func (s *Server) create(w http.ResponseWriter, r *http.Request, actor evidence.Actor) error {
	u, parts, err := s.newUpload(r, actor)
	if err != nil {
		return err
	}
	withBody := r.ContentLength != 0
	if withBody {
		if u.final() {
			return fail(http.StatusBadRequest, evidence.Invalid, "a final upload takes its bytes from its parts, not from a body")
		}
		if err := checkType(r); err != nil {
			return err
		}
		if r.ContentLength > u.length {
			return tooLong()
		}
	}
	sum, err := checksumOf(r)
	if err != nil {
		return err
	}
	body, done, err := s.body(w, r, sum) // checks first: a bad body opens no upload
	if err != nil {
		return err
	}
	defer done()

	// Half a creation helps nobody, so a client that goes away does not stop it.
	ctx := context.WithoutCancel(r.Context())
	if err := s.openUpload(ctx, u, parts); err != nil {
		return err
	}
	w.Header().Set("Location", s.Prefix+string(u.id))
	if u.final() {
		s.kick()
		w.WriteHeader(http.StatusCreated)
		return nil
	}
	if withBody || u.length == 0 {
		if !s.tryLock(u.id) {
			return busy()
		}
		defer s.unlock(u.id)
		n, err := s.receive(ctx, u, 0, body)
		if err != nil {
			return err
		}
		w.Header().Set("Upload-Offset", strconv.FormatInt(n, 10))
	}
	s.setExpires(w.Header(), u)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// newUpload reads what a POST asks for and checks all that can be checked
// before anything is opened.
func (s *Server) newUpload(r *http.Request, actor evidence.Actor) (*upload, []evidence.ID, error) {
	u := &upload{actor: actor, state: open, expires: s.Now().Add(s.Expiry)}
	var err error
	if u.concat, err = single(r.Header, "Upload-Concat"); err != nil {
		return nil, nil, err
	}
	kind, parts, err := parseConcat(u.concat, s.Prefix)
	if err != nil {
		return nil, nil, err
	}
	if r.Header.Get("Upload-Defer-Length") != "" {
		return nil, nil, evidence.Errorf(evidence.Invalid, "this server needs the length at creation; creation-defer-length is not offered")
	}
	if kind == concatFinal {
		u.state = joining
		u.length, err = s.lengthOfParts(r, actor, parts)
	} else {
		u.length, err = size(r.Header, "Upload-Length")
	}
	if err != nil {
		return nil, nil, err
	}
	if u.length > s.MaxSize {
		return nil, nil, fail(http.StatusRequestEntityTooLarge, evidence.Invalid, "an upload may have %d bytes at most", s.MaxSize)
	}
	if u.metadata, err = single(r.Header, "Upload-Metadata"); err != nil {
		return nil, nil, err
	}
	if len(u.metadata) > maxMetadata {
		return nil, nil, fail(http.StatusRequestHeaderFieldsTooLarge, evidence.Invalid, "Upload-Metadata may have %d bytes at most", maxMetadata)
	}
	if kind == concatPartial {
		// A part is nothing by itself; what the file is stands with the final.
		if _, err := parseMetadata(u.metadata); err != nil {
			return nil, nil, err
		}
		u.capture = evidence.Capture{Device: "upload", FileName: "part", Length: u.length}
		return u, nil, nil
	}
	u.capture, err = captureOf(u.metadata, u.length, s.Now())
	return u, parts, err
}

// lengthOfParts is the length of a final upload.
func (s *Server) lengthOfParts(r *http.Request, actor evidence.Actor, parts []evidence.ID) (int64, error) {
	if r.Header.Get("Upload-Length") != "" {
		return 0, evidence.Errorf(evidence.Invalid, "a final upload has the length of its parts; leave out Upload-Length")
	}
	var sum int64
	for _, id := range parts {
		p, err := s.find(r.Context(), actor, string(id))
		if err != nil {
			return 0, err
		}
		if err := s.gone(p); err != nil {
			return 0, err
		}
		if !p.partial() {
			return 0, evidence.Errorf(evidence.Invalid, "only uploads opened with Upload-Concat: partial can be parts")
		}
		if p.state != complete {
			return 0, evidence.Errorf(evidence.Conflict, "a part is not finished; concatenation-unfinished is not offered")
		}
		if sum += p.length; sum > s.MaxSize { // p.length ≤ MaxSize, so the sum cannot wrap
			return sum, nil
		}
	}
	return sum, nil
}

// openUpload opens the incoming object and notes the upload. A crash between
// the two leaves an empty incoming object that no client ever heard of.
func (s *Server) openUpload(ctx context.Context, u *upload, parts []evidence.ID) error {
	s.creating.Lock()
	defer s.creating.Unlock()
	use, err := s.usage(ctx, u.actor.ID)
	if err != nil {
		return err
	}
	if use.open >= int64(s.MaxOpen) {
		return fail(http.StatusTooManyRequests, evidence.Unavailable, "there are %d unfinished uploads already; finish or delete some", use.open)
	}
	if u.length > s.MaxOpenBytes-use.bytes {
		return evidence.Errorf(evidence.Full, "the server has no room for more unfinished uploads now; keep the file and try again later")
	}
	if u.id, err = s.Custody.Receive(ctx, u.actor, u.length); err != nil {
		return err
	}
	if err := s.insert(ctx, u, parts); err != nil {
		return errors.Join(err, s.Custody.Abandon(ctx, u.actor, u.id))
	}
	return nil
}

func checkType(r *http.Request) error {
	if r.Header.Get("Content-Type") != bodyType {
		return fail(http.StatusUnsupportedMediaType, evidence.Invalid, "the body must be sent as %s", bodyType)
	}
	return nil
}

func tooLong() error {
	return fail(http.StatusRequestEntityTooLarge, evidence.Invalid, "the body is longer than what is left of the upload")
}

func checksumOf(r *http.Request) (*checksum, error) {
	v, err := single(r.Header, "Upload-Checksum")
	if err != nil {
		return nil, err
	}
	return parseChecksum(v)
}
