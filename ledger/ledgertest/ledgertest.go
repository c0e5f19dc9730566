// Package ledgertest runs ledgers for the tests of other rooms, serves a log
// over HTTP as tlog-tiles clients expect it, and loads ledgers to measure them.
package ledgertest

import (
	"context"
	"crypto/rand"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// Key is a fresh key of a log.
type Key struct {
	Signer   note.Signer
	Verifier note.Verifier
	VKey     string // note verifier key
}

// NewKey makes a key for the log called origin.
func NewKey(origin string) (Key, error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return Key{}, err
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		return Key{}, err
	}
	v, err := note.NewVerifier(vkey)
	return Key{s, v, vkey}, err
}

// Origin of the ledgers that Start opens.
const Origin = "custos.example/test"

// Start opens a ledger on db, signed by a fresh key, and runs it until the
// test ends. A Run that fails, fails the test.
func Start(t testing.TB, db *database.DB) (*ledger.Ledger, Key) {
	t.Helper()
	key, err := NewKey(Origin)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), ledger.Config{
		DB: db, Origin: Origin, Signer: key.Signer, Published: filepath.Join(t.TempDir(), "checkpoint"),
	})
	if err != nil {
		t.Fatal(err)
	}
	Run(t, l)
	return l, key
}

// Run runs l until the test ends or stop is called. A Run that fails, fails
// the test.
func Run(t testing.TB, l *ledger.Ledger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// Handler serves l's log as C2SP tlog-tiles clients expect it.
func Handler(l *ledger.Ledger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := l.ReadTile
		if r.URL.Path == "/checkpoint" {
			read = func(ctx context.Context, _ string) ([]byte, error) { return l.Checkpoint(ctx) }
		}
		b, err := read(r.Context(), strings.TrimPrefix(r.URL.Path, "/"))
		switch evidence.CodeOf(err) {
		case "":
			if _, err := w.Write(b); err != nil {
				return // the client went away
			}
		case evidence.NotFound, evidence.Invalid:
			http.NotFound(w, r)
		default:
			http.Error(w, evidence.MessageOf(err), http.StatusInternalServerError)
		}
	})
}
