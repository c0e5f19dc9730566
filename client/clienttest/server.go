// Package clienttest has a server in memory that speaks the dock's side of
// the API, gives real signed receipts, and fails on command. It can be called
// over HTTP or, for simulations, directly.
package clienttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"custos/evidence"
	"custos/receipt"
	"custos/receipt/receipttest"
	"custos/tlog/tlogtest"
)

// Key is the dock key that the server accepts.
const Key = "dock-key-for-tests"

// Server is the whole server side. All methods may be called concurrently.
type Server struct {
	mu       sync.Mutex
	faults   Faults
	uploads  map[string]*upload
	vault    map[evidence.Digest][]byte
	log      *tlogtest.Log
	key      tlogtest.Key
	count    int
	statuses []evidence.DockStatus
	captures []evidence.Capture
}

// Faults are what goes wrong, until changed.
type Faults struct {
	Down       bool  // nothing answers
	Full       bool  // 507
	Denied     bool  // 401
	CutAfter   int64 // >0: an upload breaks after so many bytes more
	Flip       bool  // bytes are damaged on the way
	Collecting bool  // receipts are not ready
	BadReceipt func(note []byte, want receipt.Expect) []byte
}

type upload struct {
	capture evidence.Capture
	data    []byte
	note    []byte
}

// New makes an empty server.
func New() *Server {
	return &Server{
		uploads: map[string]*upload{},
		vault:   map[evidence.Digest][]byte{},
		log:     tlogtest.NewLog("clienttest"),
		key:     tlogtest.NewKey("receipts.test", "clienttest"),
	}
}

// Trust are the keys a dock of this server pins.
func (s *Server) Trust() receipt.Trust {
	return receipt.Trust{Receipt: s.key.VKey, Log: s.log.Key.VKey}
}

// Set changes what goes wrong.
func (s *Server) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Lose forgets every upload, as a restored server does; the vault stays.
func (s *Server) Lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.uploads)
}

// Holds reports whether exactly these bytes are in the vault.
func (s *Server) Holds(data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, ok := s.vault[sha256.Sum256(data)]
	return ok && bytes.Equal(have, data)
}

// Len is how many different files are in the vault.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.vault)
}

// Uploads is how many uploads were ever begun.
func (s *Server) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Captures are what docks said of the uploads they began, in order.
func (s *Server) Captures() []evidence.Capture {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]evidence.Capture(nil), s.captures...)
}

// Statuses are those received so far.
func (s *Server) Statuses() []evidence.DockStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]evidence.DockStatus(nil), s.statuses...)
}

// trouble is the fault that every call meets, if any. The caller holds mu.
func (s *Server) trouble() error {
	switch {
	case s.faults.Down:
		return evidence.Errorf(evidence.Unavailable, "The server cannot be reached.")
	case s.faults.Denied:
		return evidence.Errorf(evidence.Unauthenticated, "The server does not accept this dock's key.")
	}
	return nil
}

// Create is as client.Client says.
func (s *Server) Create(_ context.Context, c evidence.Capture) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.trouble(); err != nil {
		return "", err
	}
	if s.faults.Full {
		return "", evidence.Errorf(evidence.Full, "The server has no room.")
	}
	s.count++
	s.captures = append(s.captures, c)
	at := "/files/" + strconv.Itoa(s.count)
	s.uploads[at] = &upload{capture: c}
	return at, nil
}

func (s *Server) offset(at string) (int64, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.trouble(); err != nil {
		return 0, 0, err
	}
	u, ok := s.uploads[at]
	if !ok {
		return 0, 0, evidence.Errorf(evidence.NotFound, "The server does not know this upload.")
	}
	return int64(len(u.data)), u.capture.Length, nil
}

// write takes the bytes that follow and says how many it has then.
func (s *Server) write(at string, offset int64, r io.Reader) (int64, error) {
	s.mu.Lock()
	limit := s.faults.CutAfter
	err := s.trouble()
	if err == nil && s.faults.Full {
		err = evidence.Errorf(evidence.Full, "The server has no room.")
	}
	s.mu.Unlock()
	if err != nil {
		return offset, err
	}
	if limit > 0 {
		r = io.LimitReader(r, limit)
	}
	data, readErr := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.uploads[at]
	if !ok {
		return 0, evidence.Errorf(evidence.NotFound, "The server does not know this upload.")
	}
	if int64(len(u.data)) != offset {
		return 0, evidence.Errorf(evidence.Conflict, "The offset does not fit.")
	}
	if s.faults.Flip && len(data) > 0 {
		data[0] ^= 1
	}
	u.data = append(u.data, data...)
	n := int64(len(u.data))
	if readErr != nil {
		return n, readErr
	}
	if n < u.capture.Length {
		return n, evidence.Errorf(evidence.Unavailable, "The connection broke.")
	}
	return n, nil
}

// Upload is as client.Client says.
func (s *Server) Upload(_ context.Context, at string, r io.ReaderAt, length int64, progress func(int64)) error {
	offset, _, err := s.offset(at)
	if err != nil {
		return err
	}
	if offset < length {
		offset, err = s.write(at, offset, io.NewSectionReader(r, offset, length-offset))
	}
	if progress != nil {
		progress(offset)
	}
	return err
}

// Receipt is as client.Client says.
func (s *Server) Receipt(_ context.Context, at string, _ time.Duration) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.trouble(); err != nil {
		return nil, err
	}
	u, ok := s.uploads[at]
	switch {
	case !ok:
		return nil, evidence.Errorf(evidence.NotFound, "The server does not know this upload.")
	case int64(len(u.data)) < u.capture.Length || s.faults.Collecting:
		return nil, nil
	case sha256.Sum256(u.data) != u.capture.Digest:
		return nil, evidence.Errorf(evidence.Corrupt, "The bytes received are not the bytes announced.")
	}
	want := receipt.Expect{Device: u.capture.Device, FileName: u.capture.FileName, Digest: u.capture.Digest, Length: u.capture.Length}
	if u.note == nil {
		s.vault[u.capture.Digest] = u.data
		id := evidence.NewID(tlogtest.Time, strings.NewReader(fmt.Sprintf("%010d", len(s.vault))))
		note, err := receipt.Sign(receipttest.Make(s.log, id, 1, want), s.key.Signer)
		if err != nil {
			return nil, err
		}
		u.note = note
	}
	if s.faults.BadReceipt != nil {
		return s.faults.BadReceipt(u.note, want), nil
	}
	return u.note, nil
}

// ReceiptFor signs a receipt for anything at all, as a server gone bad would.
func (s *Server) ReceiptFor(want receipt.Expect, signer tlogtest.Key) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := evidence.NewID(tlogtest.Time, strings.NewReader("elsewhere!"))
	return receipt.Sign(receipttest.Make(s.log, id, 1, want), signer.Signer)
}

// Status is as client.Client says.
func (s *Server) Status(_ context.Context, st evidence.DockStatus) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.trouble(); err != nil {
		return err
	}
	s.statuses = append(s.statuses, st)
	return nil
}

// Handler speaks the HTTP contract.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/dock", func(w http.ResponseWriter, r *http.Request) {
		t := s.Trust()
		answer(w, map[string]any{"id": "d1", "name": "Front desk", "force": "Test Force",
			"now": tlogtest.Time, "receiptKey": t.Receipt, "logKey": t.Log, "maxUpload": 1 << 40})
	})
	mux.HandleFunc("PUT /api/dock/status", func(w http.ResponseWriter, r *http.Request) {
		var st evidence.DockStatus
		if err := json.NewDecoder(r.Body).Decode(&st); err != nil {
			fail(w, evidence.Wrap(evidence.Invalid, err, "That is no status."))
			return
		}
		if err := s.Status(r.Context(), st); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /files/", s.handleCreate)
	mux.HandleFunc("HEAD /files/{id}", func(w http.ResponseWriter, r *http.Request) {
		offset, length, err := s.offset(r.URL.Path)
		if err != nil {
			fail(w, err)
			return
		}
		tus(w, offset)
		w.Header().Set("Upload-Length", strconv.FormatInt(length, 10))
	})
	mux.HandleFunc("PATCH /files/{id}", func(w http.ResponseWriter, r *http.Request) {
		offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
		if err == nil {
			offset, err = s.write(r.URL.Path, offset, r.Body)
		}
		if err != nil {
			fail(w, err)
			return
		}
		tus(w, offset)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /files/{id}/receipt", func(w http.ResponseWriter, r *http.Request) {
		note, err := s.Receipt(r.Context(), "/files/"+r.PathValue("id"), 0)
		switch {
		case err != nil:
			fail(w, err)
		case note == nil:
			w.WriteHeader(http.StatusAccepted)
			answer(w, map[string]string{"state": "collecting"})
		default:
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(note)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		err := s.trouble()
		s.mu.Unlock()
		if err == nil && r.Header.Get("Authorization") != "Bearer "+Key {
			err = evidence.Errorf(evidence.Unauthenticated, "The server does not accept this dock's key.")
		}
		if err != nil {
			fail(w, err)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) handleCreate(w http.ResponseWriter, r *http.Request) {
	var c evidence.Capture
	name, value, _ := strings.Cut(r.Header.Get("Upload-Metadata"), " ")
	text, err := base64.StdEncoding.DecodeString(value)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || name != "capture" || r.Header.Get("Tus-Resumable") != "1.0.0" ||
		r.Header.Get("Upload-Length") != strconv.FormatInt(c.Length, 10) {
		fail(w, evidence.Errorf(evidence.Invalid, "The upload is not described as it must be."))
		return
	}
	at, err := s.Create(r.Context(), c)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusCreated)
}

func tus(w http.ResponseWriter, offset int64) {
	w.Header().Set("Tus-Resumable", "1.0.0")
	w.Header().Set("Upload-Offset", strconv.FormatInt(offset, 10))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, err error) {
	status := map[evidence.Code]int{
		evidence.NotFound: 404, evidence.Unauthenticated: 401, evidence.Denied: 403, evidence.Invalid: 400,
		evidence.Conflict: 409, evidence.Corrupt: 409, evidence.Full: 507, evidence.Unavailable: 503,
	}[evidence.CodeOf(err)]
	if status == 0 {
		status = 500
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "status": status, "detail": evidence.MessageOf(err), "code": evidence.CodeOf(err), "reference": "ref-1",
	})
}
