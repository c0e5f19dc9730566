// Package witnesstest is a witness for tests: it speaks C2SP tlog-witness,
// keeps its state in memory, and refuses a log that was rebuilt or rolled back.
package witnesstest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/tlog"
	"custos/tlog/tlogtest"
)

// Witness cosigns the checkpoints of one log. It may be called concurrently.
type Witness struct {
	*tlogtest.Cosigner
	Now func() time.Time // nil: time.Now

	log note.Verifier

	mu      sync.Mutex
	last    tlog.Checkpoint // what it signed last; guarded by mu
	down    bool            // guarded by mu
	refused int             // how often it did not sign; guarded by mu
}

// New makes the witness called name of the log whose vkey is log.
func New(name string, kind byte, log string) *Witness {
	v, err := note.NewVerifier(log)
	if err != nil {
		panic(err) // a mistake in the test
	}
	return &Witness{Cosigner: tlogtest.NewCosigner(name, kind), log: v}
}

// Policy is the line of a witness policy for this witness at url.
func (w *Witness) Policy(name, url string) string {
	return fmt.Sprintf("witness %s %s %s\n", name, w.Key, url)
}

// Down makes the witness answer 503, or well again.
func (w *Witness) Down(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// Size is how many entries it has cosigned.
func (w *Witness) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Size
}

// Refused is how often it refused to sign, other than to name its size.
func (w *Witness) Refused() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}

// ServeHTTP answers POST …/add-checkpoint.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/add-checkpoint") {
		http.Error(rw, "not found", http.StatusNotFound)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		http.Error(rw, "down", http.StatusServiceUnavailable)
		return
	}
	status, answer := w.add(body)
	if status == http.StatusConflict {
		rw.Header().Set("Content-Type", "text/x.tlog.size")
	} else if status != http.StatusOK {
		w.refused++
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, answer) // the client sees that it is cut off
}

// add is what the specification says of add-checkpoint, in its order. mu is
// held.
func (w *Witness) add(body []byte) (int, string) {
	head, msg, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	number, isOld := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseInt(number, 10, 64)
	if !ok || !isOld || err != nil || old < 0 || strconv.FormatInt(old, 10) != number || len(lines) > 64 {
		return http.StatusBadRequest, "bad request\n"
	}
	var proof []tlog.Hash
	for _, line := range lines[1:] {
		h, err := xtlog.ParseHash(line)
		if err != nil {
			return http.StatusBadRequest, "bad hash\n"
		}
		proof = append(proof, h)
	}
	c, err := tlog.ParseCheckpoint(msg)
	if err != nil || c.Origin != w.log.Name() {
		return http.StatusNotFound, "unknown log\n"
	}
	if _, err := tlog.OpenCheckpoint(msg, c.Origin, w.log); err != nil {
		return http.StatusForbidden, "not signed\n"
	}
	switch {
	case old > c.Size:
		return http.StatusBadRequest, "old is larger\n"
	case old != w.last.Size:
		return http.StatusConflict, fmt.Sprintf("%d\n", w.last.Size)
	case old == 0 && len(proof) > 0, old > 0 && c.CheckConsistency(proof, w.last) != nil:
		return http.StatusUnprocessableEntity, "not consistent\n"
	}
	w.last = c
	now := time.Now
	if w.Now != nil {
		now = w.Now
	}
	return http.StatusOK, w.Sign(msg, now())
}
