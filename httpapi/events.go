package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"custos/access"
	"custos/evidence"
)

// events fans out what happens to open browsers. A browser that does not keep
// up loses events, never delays anybody. Events have no numbers: a gap would
// tell of recordings that somebody may not know of.
type events struct {
	mu   sync.Mutex
	subs map[chan message]struct{}
}

type message struct {
	kind  string
	data  []byte
	needs string      // that its receiver may open
	about evidence.ID // the recording that its receiver must may know of; "" = none
}

func newEvents() *events { return &events{subs: map[chan message]struct{}{}} }

// publish sends v as JSON to all who may know.
func (e *events) publish(kind string, needs string, about evidence.ID, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		return // only plain structs of ours come here
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch := range e.subs {
		select {
		case ch <- message{kind, data, needs, about}:
		default:
		}
	}
}

func (e *events) subscribe() (<-chan message, func()) {
	ch := make(chan message, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.subs[ch] = struct{}{}
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.subs, ch)
	}
}

// RecordingChanged tells browsers that something about a recording is new.
func (s *Server) RecordingChanged(id evidence.ID) {
	s.events.publish("recordings", access.Recordings, id, map[string]evidence.ID{"id": id})
}

// Checkpoint tells browsers that the log has grown.
func (s *Server) Checkpoint(size int64) {
	s.events.publish("checkpoint", access.Health, "", map[string]any{"size": size, "at": s.Now().UTC()})
}

// streamPatience is how long a browser may take to read what is sent.
const streamPatience = 10 * time.Second

// stream is GET /api/events: server-sent events until the browser leaves, the
// session ends or the server stops.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, a evidence.Actor) error {
	if !s.begin() {
		return evidence.Errorf(evidence.Unavailable, "The service is stopping. Nothing is lost; the page comes back by itself.")
	}
	defer s.streams.Done()
	ch, leave := s.events.subscribe()
	defer leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	if rec, ok := w.(*recorder); ok { // a browser that stopped reading must not keep the server from stopping
		rec.patience = streamPatience
	}
	rc := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for {
		if err := rc.Flush(); err != nil {
			return nil // the browser left
		}
		var err error
		select {
		case <-s.done.Done():
			return nil
		case <-r.Context().Done():
			return nil
		case m := <-ch:
			if s.Access.Can(a, m.needs) && s.mayKnow(r.Context(), a, m.about) {
				_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", m.kind, m.data)
			}
		case <-beat.C:
			if !s.still(r, a) {
				return nil
			}
			_, err = fmt.Fprint(w, ": here\n\n")
		}
		if err != nil {
			return nil
		}
	}
}

// mayKnow tells whether an event about a recording may reach somebody.
func (s *Server) mayKnow(ctx context.Context, a evidence.Actor, about evidence.ID) bool {
	if about == "" {
		return true
	}
	p, err := s.Catalogue.Placing(ctx, about)
	return err == nil && s.Access.Decide(ctx, a, access.Find, p).Allowed
}

// begin counts a stream that begins; no stream begins once Close has.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.streams.Add(1)
	}
	return !s.closed
}

// still tells whether the session behind an open stream is still good. It does
// not count as use of the session: a forgotten tab must lock.
func (s *Server) still(r *http.Request, a evidence.Actor) bool {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	ok, err := s.Identity.SessionOpen(ctx, a)
	return err == nil && ok
}
