package vault_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"custos/database"
	"custos/database/databasetest"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/seal"
	"custos/vault"

	"pgregory.net/rapid"
)

// sender is a model of one upload: what must be there.
type sender struct {
	id    evidence.ID
	sure  []byte // what was acknowledged, or found to be durable
	tried []byte // what was sent after that and not acknowledged
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// look checks that what is durable is what was sent: at least what was
// acknowledged, at most what was tried.
func (s *sender) look(t fataler, h *house) {
	t.Helper()
	r, err := h.Received(ctx, s.id)
	if err != nil {
		t.Fatalf("received: %v", err)
	}
	all := append(bytes.Clone(s.sure), s.tried...)
	if r.Offset < int64(len(s.sure)) || r.Offset > int64(len(all)) {
		t.Fatalf("%d bytes are durable, want %d to %d", r.Offset, len(s.sure), len(all))
	}
	s.sure, s.tried = all[:r.Offset], all[r.Offset:]
	rd, err := h.ReadReceived(ctx, s.id)
	if err != nil {
		t.Fatalf("read received: %v", err)
	}
	got, err := io.ReadAll(rd)
	if err == nil {
		err = rd.Close()
	}
	if err != nil || !bytes.Equal(got, s.sure) {
		t.Fatalf("what is durable is not what was sent: %d bytes, want %d, %v", len(got), len(s.sure), err)
	}
}

// send appends data; whether it crashes or not, look then tells what holds.
func (s *sender) send(h *house, data []byte) error {
	s.tried = data
	at, err := h.Append(ctx, s.id, int64(len(s.sure)), bytes.NewReader(data))
	if err == nil && at != int64(len(s.sure)+len(data)) {
		return fmt.Errorf("acknowledged %d bytes without an error, sent up to %d", at, len(s.sure)+len(data))
	}
	if at > int64(len(s.sure)) {
		n := at - int64(len(s.sure))
		s.sure, s.tried = append(s.sure, data[:n]...), data[n:]
	}
	return err
}

func bytesOf(seed uint64, n int) []byte {
	b := make([]byte, n)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// Whatever a sender sends, and whenever the power goes: what was acknowledged
// is there, nothing else is, and no chunk is ever sealed with two plaintexts.
func TestNoHistorySealsTwice(t *testing.T) {
	db := databasetest.SQLite(t)
	keys := keystore(t, durabletest.NewMemory())
	rapid.Check(t, func(rt *rapid.T) {
		h := build(t, db)
		h.keys = keys
		h.part = rapid.SampledFrom([]int{1, 2, 3}).Draw(rt, "part") * seal.ChunkSize
		h.open(t)
		s := &sender{id: newID()}
		known := rapid.Bool().Draw(rt, "known")
		length := rapid.IntRange(0, 6*chunk).Draw(rt, "length")
		announced := int64(-1)
		if known {
			announced = int64(length)
		}
		must(t, h.Begin(ctx, s.id, announced))
		for step := range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "crash") {
			case 0:
				h.store.Crash(rapid.IntRange(1, 8).Draw(rt, "call"), rapid.Bool().Draw(rt, "after"))
			case 1:
				h.fs.Fail(durabletest.Fault{Nth: rapid.IntRange(1, 12).Draw(rt, "op"), Short: true, Stays: true})
			}
			left := length - len(s.sure)
			n := left
			if rapid.Bool().Draw(rt, "some") {
				n = rapid.IntRange(0, left).Draw(rt, "bytes")
			}
			data := bytesOf(uint64(step), n)
			if rapid.Bool().Draw(rt, "same") {
				data = append(bytes.Clone(s.tried[:min(n, len(s.tried))]), data[min(n, len(s.tried)):]...)
			}
			err := s.send(h, data)
			if err == nil && rapid.IntRange(0, 3).Draw(rt, "finish") == 0 && (!known || len(s.sure) == length) {
				_, err = h.Finish(ctx, s.id)
			}
			if err != nil || rapid.Bool().Draw(rt, "cut") {
				h.powerCut(t, rapid.Uint64().Draw(rt, "seed"))
			}
			if wrong := h.store.Wrong(); wrong != nil {
				rt.Fatalf("%q", wrong)
			}
			s.look(rt, h)
			if r, err := h.Received(ctx, s.id); err != nil || r.Complete {
				break
			}
		}
		h.powerCut(t, 1)
		if r, err := h.Received(ctx, s.id); err != nil {
			rt.Fatalf("%v", err)
		} else if known && !r.Complete {
			if err := s.send(h, bytesOf(99, length-len(s.sure))); err != nil {
				rt.Fatalf("the end: %v", err)
			}
		}
		h.finish(t, s.id, s.sure)
		h.keep(t, s.id)
		tidy(t, h)
	})
}

// tidy checks that the store holds nothing that no row knows.
func tidy(t testing.TB, h *house) {
	t.Helper()
	must(t, h.Strays(ctx, func(s vault.Stray) error {
		if s.Missing { // an object of another house on the same database
			return nil
		}
		t.Fatalf("a stray: %+v", s)
		return nil
	}))
	if left, err := h.fs.ReadDir("incoming"); err != nil || len(left) > 0 {
		t.Fatalf("%d objects stay incoming, %v", len(left), err)
	}
}

// A sender comes back with other bytes for a part whose ciphertext may be in
// the store; sealing anew then crashes at every step, and the sender comes
// back with other bytes once more.
func TestSealingAnewSurvivesACrashAtEveryStep(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		anew := 0
		for _, after := range []bool{false, true} {
			for step := 1; ; step++ {
				h := build(t, db)
				s := &sender{id: newID()}
				must(t, h.Begin(ctx, s.id, -1))
				must(t, s.send(h, bytesOf(1, 2*chunk+100)))
				h.store.Crash(1, true) // in the store, and not acknowledged
				want(t, evidence.Unavailable, s.send(h, bytesOf(2, 2*chunk)))
				h.powerCut(t, uint64(step))
				s.look(t, h)

				h.store.Crash(step, after)
				before := h.store.Calls()
				err := s.send(h, bytesOf(3, 2*chunk))
				if h.store.Calls()-before >= 4 {
					anew++
				}
				h.powerCut(t, uint64(step)+7)
				s.look(t, h)
				must(t, s.send(h, bytesOf(4, chunk)))
				s.look(t, h)
				h.finish(t, s.id, s.sure)
				h.keep(t, s.id)
				tidy(t, h)
				if err == nil {
					break
				}
			}
		}
		if anew == 0 {
			t.Fatal("nothing was ever sealed anew")
		}
	})
}

// Crashes at every step of an upload's life, with the same bytes again after.
func TestAnUploadSurvivesACrashAtEveryStep(t *testing.T) {
	db := databasetest.SQLite(t)
	for step := 1; ; step++ {
		crashed := false
		for seed := range uint64(3) {
			h := build(t, db)
			data := bytesOf(5, 3*chunk+9)
			s := &sender{id: newID()}
			must(t, h.Begin(ctx, s.id, -1))
			h.fs.Fail(durabletest.Fault{Nth: step, Short: true, Stays: true})
			err := s.send(h, data)
			if err == nil {
				_, err = h.Finish(ctx, s.id)
			}
			if err != nil {
				crashed = true
				want(t, evidence.Unavailable, err)
			}
			h.powerCut(t, seed)
			s.look(t, h)
			if r, err := h.Received(ctx, s.id); err == nil && !r.Complete {
				must(t, s.send(h, data[len(s.sure):]))
			}
			h.finish(t, s.id, data)
			h.keep(t, s.id)
			h.powerCut(t, seed)
			must(t, h.Check(ctx, s.id))
			tidy(t, h)
		}
		if !crashed {
			if step < 10 {
				t.Fatalf("only %d steps", step)
			}
			return
		}
	}
}

// A sender who does not say how much there is may end wherever the last crash
// left it, also at the end of a part.
func TestAnUploadCanEndWhereItBrokeOff(t *testing.T) {
	for step := 1; step <= 4; step++ {
		h := build(t, databasetest.SQLite(t))
		s := &sender{id: newID()}
		must(t, h.Begin(ctx, s.id, -1))
		h.store.Crash(step, true)
		want(t, evidence.Unavailable, s.send(h, bytesOf(1, 9*chunk)))
		h.powerCut(t, 0)
		s.look(t, h)
		h.finish(t, s.id, s.sure)
	}
}
