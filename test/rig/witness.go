package rig

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	_ "modernc.org/sqlite" // the stock witness's database
)

// StockWitness is a witness of another hand, filippo.io/torchwood's
// litewitness, on this machine. Its key is Ed25519, in an SSH agent as it wants
// it.
type StockWitness struct {
	VKey string
	URL  string
	cmd  *exec.Cmd
}

// NewStockWitness starts the program that CUSTOS_LITEWITNESS names (make tools)
// as the witness called name of one log. Without the program the test is
// skipped, or fails where CUSTOS_TEST_ALL is set. It ends with the test.
func NewStockWitness(t testing.TB, name, origin, logKey string) *StockWitness {
	t.Helper()
	program := os.Getenv("CUSTOS_LITEWITNESS")
	if program == "" {
		if os.Getenv("CUSTOS_TEST_ALL") != "" {
			t.Fatal("CUSTOS_LITEWITNESS does not name litewitness; make tools builds it")
		}
		t.Skip("CUSTOS_LITEWITNESS does not name litewitness")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	socket := serveKey(t, dir, private)
	print, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	w := &StockWitness{VKey: cosigner(name, public)}
	listen, file := freePort(t), filepath.Join(dir, "witness.db")
	w.URL = "http://" + listen
	log, err := os.Create(filepath.Join(dir, "witness.log"))
	if err != nil {
		t.Fatal(err)
	}
	w.cmd = exec.Command(program, "-name", name, "-db", file, "-ssh-agent", socket, "-key", ssh.FingerprintSHA256(print), "-listen", listen)
	w.cmd.Stdout, w.cmd.Stderr = log, log
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill() // it may have ended
		_ = w.cmd.Wait()
		_ = log.Close()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(w.URL + "/")
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(log.Name())
			t.Fatalf("the stock witness does not answer: %v\n%s", err, b)
		}
	}
	// What witnessctl add-log and add-key do. That program cannot be built from
	// the module proxy: it needs sigsum.org/sigsum-go.
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	empty := sha256.Sum256(nil)
	for _, q := range [][]any{
		{"INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", origin, base64.StdEncoding.EncodeToString(empty[:])},
		{"INSERT INTO key (origin, key) VALUES (?, ?)", origin, logKey},
	} {
		if _, err := db.ExecContext(context.Background(), q[0].(string), q[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// cosigner is the vkey of an Ed25519 witness (C2SP tlog-cosignature).
func cosigner(name string, key ed25519.PublicKey) string {
	raw := append([]byte{4}, key...)
	h := sha256.Sum256([]byte(name + "\n" + string(raw)))
	return fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(h[:]), base64.StdEncoding.EncodeToString(raw))
}

// serveKey is an SSH agent with one key.
func serveKey(t testing.TB, dir string, key ed25519.PrivateKey) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "agent")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() { // ends with ln
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = agent.ServeAgent(ring, conn) // ends with the other side
				_ = conn.Close()
			}()
		}
	}()
	return socket
}
