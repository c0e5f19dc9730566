package ingest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"custos/evidence"
)

const (
	maxWait     = 60                     // seconds that a client may wait for a receipt
	receiptPoll = 100 * time.Millisecond // the log is extended every 200 ms
)

// serveReceipt answers GET {id}/receipt?wait=S:
//
//	200 text/plain  the receipt, a signed note
//	202 {"state":"collecting"}  not yet; ask again
//	409  the upload is not complete, or is a part
//	410  refused (code says why: corrupt when the digest was not the one offered), given up or expired
func (s *Server) serveReceipt(w http.ResponseWriter, r *http.Request, method, name string) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if method != http.MethodGet {
		return notAllowed(w, "GET")
	}
	wait := 0
	if v := r.URL.Query().Get("wait"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return evidence.Errorf(evidence.Invalid, "wait must be a number of seconds")
		}
		wait = min(n, maxWait)
	}
	actor, err := s.Actor(r)
	if err != nil {
		return err
	}
	u, err := s.find(r.Context(), actor, name)
	if err != nil {
		return err
	}
	note, err := s.awaitReceipt(r.Context(), u, time.Duration(wait)*time.Second)
	if err != nil {
		return err
	}
	if note == nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		note = []byte(`{"state":"collecting"}` + "\n")
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	if _, err := w.Write(note); err != nil {
		s.Log.DebugContext(r.Context(), "client went away before its receipt", "upload", u.id, "err", err)
	}
	return nil
}

// awaitReceipt is u's receipt, or nil when it is not there after wait.
func (s *Server) awaitReceipt(ctx context.Context, u *upload, wait time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		changed := s.watch() // before looking: a change in between must be seen
		// A request that waits no longer still gets one whole look.
		look := context.WithoutCancel(ctx)
		u, err := s.get(look, u.id)
		if err != nil {
			return nil, err
		}
		note, err := s.receiptOf(look, u)
		if note != nil || err != nil {
			return note, err
		}
		pause := time.Second // another server may be the one that collects
		if u.state == collected {
			pause, changed = receiptPoll, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, nil
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// receiptOf is u's receipt, or nil while there is none yet.
func (s *Server) receiptOf(ctx context.Context, u *upload) ([]byte, error) {
	if u.receipt != nil {
		return u.receipt, nil
	}
	if err := s.gone(u); err != nil {
		return nil, err
	}
	if u.resumable() {
		return nil, evidence.Errorf(evidence.Conflict, "the upload is not complete, or is only a part; there is no receipt to wait for")
	}
	if u.state != collected {
		return nil, nil
	}
	note, err := s.Custody.Receipt(ctx, u.id)
	if evidence.CodeOf(err) == evidence.Unavailable {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.change(ctx, "UPDATE uploads SET receipt = ? WHERE id = ?", note, u.id); err != nil {
		// The receipt itself is good; the next request makes another.
		s.Log.WarnContext(ctx, "receipt not kept", "upload", u.id, "err", err)
	}
	return note, nil
}
