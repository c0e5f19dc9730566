// Package oversight is what outsiders and operators see of the health of the
// evidence: the published log (C2SP tlog-tiles) and the state of the ledger.
// It tells nothing of any recording.
package oversight

import (
	"context"
	"net/http"
	"strings"

	"custos/evidence"
	"custos/ledger"
	"custos/witness"
)

// Oversight publishes. Its methods may be called concurrently.
type Oversight struct {
	ledger  *ledger.Ledger
	witness *witness.Keeper
	key     string
}

// New makes an Oversight of a ledger whose log key is the note vkey key, and
// of what outsiders vouch for it (nil: nobody does).
func New(l *ledger.Ledger, w *witness.Keeper, key string) *Oversight {
	if w == nil {
		w = witness.None()
	}
	return &Oversight{l, w, key}
}

// Log is the state of the ledger and its log.
type Log struct {
	ledger.Status
	Key     string // vkey
	Witness witness.Outside
}

// OK is the word for a ledger that takes events and signs.
const OK = "ok"

// Word is the state in the words that stores use too: OK, else the ledger's own.
func (l Log) Word() string {
	if l.State == ledger.Running {
		return OK
	}
	return string(l.State)
}

// Log tells how the ledger is. Errors: Unavailable.
func (o *Oversight) Log(ctx context.Context) (Log, error) {
	st, err := o.ledger.Status(ctx)
	return Log{st, o.key, o.witness.Status()}, err
}

// ServeLog answers a read of the published log. path is what follows /log/:
// checkpoint, tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]. It returns an
// error before anything was written. Errors: NotFound, Unavailable.
func (o *Oversight) ServeLog(w http.ResponseWriter, r *http.Request, path string) error {
	var b []byte
	var err error
	h := w.Header()
	if path == "checkpoint" {
		if b, err = o.ledger.Checkpoint(r.Context()); err == nil {
			b = o.witness.Decorate(b)
		}
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
	} else {
		b, err = o.ledger.ReadTile(r.Context(), path)
		if evidence.CodeOf(err) == evidence.Invalid { // a path like any other that is not there
			err = evidence.Wrap(evidence.NotFound, err, "The log has nothing there.")
		}
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Cache-Control", "max-age=31536000, immutable") // a tile never changes
	}
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return evidence.Errorf(evidence.NotFound, "The log has nothing there yet.")
	}
	if strings.HasPrefix(path, "tile/") {
		h.Set("Access-Control-Allow-Origin", "*") // public by design
	}
	_, err = w.Write(b)
	return err
}
