// Package vaulttest has what every vault.Store must pass, and a wrapper of a
// store that crashes on command and notices when one chunk of an object is
// ever sealed with two plaintexts.
package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"testing"

	"custos/durable"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/vault"
)

// Store checks that what open makes, an empty store each time, is as
// vault.Store says.
func Store(t *testing.T, open func(t *testing.T) vault.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s vault.Store)
	}{
		{"Parts", testParts},
		{"Finish", testFinish},
		{"Names", testNames},
		{"Remove", testRemove},
		{"List", testList},
		{"Concurrency", testConcurrency},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, code evidence.Code, err error) {
	t.Helper()
	if got := evidence.CodeOf(err); got != code {
		t.Errorf("got %q (%v), want %q", got, err, code)
	}
}

// Read is all of an object.
func Read(t testing.TB, s vault.Store, place vault.Place, name string) []byte {
	t.Helper()
	o, err := s.Open(context.Background(), place, name)
	must(t, err)
	data, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
	must(t, err)
	must(t, o.Close())
	return data
}

func testParts(t *testing.T, s vault.Store) {
	ctx := context.Background()
	want(t, evidence.NotFound, s.PutPart(ctx, "nobody", 0, []byte("x")))
	_, err := s.Open(ctx, vault.Incoming, "nobody")
	want(t, evidence.NotFound, err)
	must(t, s.Begin(ctx, "abc"))
	must(t, s.PutPart(ctx, "abc", 4, []byte("EFGH")))
	must(t, s.PutPart(ctx, "abc", 0, []byte("abcd")))
	must(t, s.Begin(ctx, "abc"))
	must(t, s.PutPart(ctx, "abc", 4, []byte("efgh")))
	want(t, evidence.Invalid, s.PutPart(ctx, "abc", -1, nil))
	if got := Read(t, s, vault.Incoming, "abc"); string(got) != "abcdefgh" {
		t.Errorf("read %q", got)
	}
	_, err = s.Open(ctx, vault.Final, "abc")
	want(t, evidence.NotFound, err)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.PutPart(gone, "abc", 0, []byte("no")); err == nil {
		t.Error("wrote for a request that was given up")
	}
}

func testFinish(t *testing.T, s vault.Store) {
	ctx := context.Background()
	want(t, evidence.NotFound, s.Finish(ctx, "nobody", 0))
	must(t, s.Begin(ctx, "abc"))
	must(t, s.PutPart(ctx, "abc", 0, []byte("abcdefgh")))
	want(t, evidence.Conflict, s.Finish(ctx, "abc", 9))
	for range 2 {
		must(t, s.Finish(ctx, "abc", 5))
	}
	want(t, evidence.Conflict, s.Finish(ctx, "abc", 4))
	want(t, evidence.Conflict, s.PutPart(ctx, "abc", 0, []byte("ABC")))
	want(t, evidence.Conflict, s.Begin(ctx, "abc"))
	_, err := s.Open(ctx, vault.Incoming, "abc")
	want(t, evidence.NotFound, err)
	if got := Read(t, s, vault.Final, "abc"); string(got) != "abcde" {
		t.Errorf("read %q", got)
	}
	o, err := s.Open(ctx, vault.Final, "abc")
	must(t, err)
	p := make([]byte, 4)
	if n, err := o.ReadAt(p, 3); n != 2 || !errors.Is(err, io.EOF) || string(p[:2]) != "de" {
		t.Errorf("read at the end: %q, %v", p[:n], err)
	}
	must(t, o.Close())
	must(t, s.Begin(ctx, "empty"))
	must(t, s.Finish(ctx, "empty", 0))
	if got := Read(t, s, vault.Final, "empty"); len(got) != 0 {
		t.Errorf("read %q", got)
	}
}

func testNames(t *testing.T, s vault.Store) {
	ctx := context.Background()
	for _, name := range []string{"", "ab", "../abc", "a/bcd", "ABC", "abc.new", "a b c", string(bytes.Repeat([]byte{'a'}, 65))} {
		want(t, evidence.Invalid, s.Begin(ctx, name))
		want(t, evidence.Invalid, s.PutPart(ctx, name, 0, nil))
		want(t, evidence.Invalid, s.Finish(ctx, name, 0))
		want(t, evidence.Invalid, s.Remove(ctx, vault.Final, name))
		_, err := s.Open(ctx, vault.Final, name)
		want(t, evidence.Invalid, err)
	}
}

func testRemove(t *testing.T, s vault.Store) {
	ctx := context.Background()
	for _, name := range []string{"one", "two"} {
		must(t, s.Begin(ctx, name))
		must(t, s.PutPart(ctx, name, 0, []byte(name)))
	}
	must(t, s.Finish(ctx, "two", 3))
	must(t, s.Remove(ctx, vault.Final, "one"))
	must(t, s.Remove(ctx, vault.Incoming, "two"))
	if got := Read(t, s, vault.Incoming, "one"); string(got) != "one" {
		t.Errorf("removing what is final took what is incoming: %q", got)
	}
	if got := Read(t, s, vault.Final, "two"); string(got) != "two" {
		t.Errorf("removing what is incoming took what is final: %q", got)
	}
	for range 2 {
		must(t, s.Remove(ctx, vault.Incoming, "one"))
		must(t, s.Remove(ctx, vault.Final, "two"))
	}
	_, err := s.Open(ctx, vault.Incoming, "one")
	want(t, evidence.NotFound, err)
	_, err = s.Open(ctx, vault.Final, "two")
	want(t, evidence.NotFound, err)
}

func testList(t *testing.T, s vault.Store) {
	ctx := context.Background()
	var names []string
	for i := range 12 {
		name := fmt.Sprintf("n%02d%c%d", i, 'a'+i%3, i%2)
		names = append(names, name)
		must(t, s.Begin(ctx, name))
		if i >= 2 {
			must(t, s.Finish(ctx, name, 0))
		}
	}
	list := func(place vault.Place, after string) (got []string) {
		must(t, s.List(ctx, place, after, func(name string) error {
			got = append(got, name)
			return nil
		}))
		return got
	}
	all := list(vault.Final, "")
	if got := slices.Sorted(slices.Values(all)); !slices.Equal(got, names[2:]) {
		t.Errorf("final: %v", got)
	}
	for i, name := range all {
		if got := list(vault.Final, name); !slices.Equal(got, all[i+1:]) {
			t.Errorf("after %s: %v, want %v", name, got, all[i+1:])
		}
	}
	if got := list(vault.Incoming, ""); !slices.Equal(got, names[:2]) {
		t.Errorf("incoming: %v", got)
	}
	stop := errors.New("stop")
	if err := s.List(ctx, vault.Final, "", func(string) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func testConcurrency(t *testing.T, s vault.Store) {
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			name := fmt.Sprintf("object%02d", i)
			if err := s.Begin(ctx, name); err != nil {
				t.Error(err)
				return
			}
			for part := range 4 {
				if err := s.PutPart(ctx, name, int64(part)*2, fmt.Appendf(nil, "%02d", i)); err != nil {
					t.Error(err)
				}
			}
			if err := s.Finish(ctx, name, 8); err != nil {
				t.Error(err)
			}
			if got := Read(t, s, vault.Final, name); string(got) != fmt.Sprintf("%02d%02d%02d%02d", i, i, i, i) {
				t.Errorf("%s: %q", name, got)
			}
		})
	}
	wg.Wait()
}

// PowerCuts checks a store that keeps its objects in a durable.FS: what it
// acknowledged is there after a power cut at any step, with any outcome, and
// after the same work is done again; and what failed has a code that stops the
// vault, save for a full disk. It is called like this:
//
//	vaulttest.PowerCuts(t, func(fsys durable.FS) (vault.Store, error) {
//		return vault.OpenFolder(fsys, -1)
//	})
func PowerCuts(t *testing.T, open func(fsys durable.FS) (vault.Store, error)) {
	for step := 1; ; step++ {
		m := durabletest.NewMemory()
		must(t, errOf(open(m)))
		m.Fail(durabletest.Fault{Nth: step, Short: true, Stays: true})
		sure, err := work(m, open)
		if err == nil {
			if step < 8 {
				t.Fatalf("the work takes only %d steps", step-1)
			}
			break
		}
		for seed := range uint64(8) {
			after := m.Crash(seed)
			s, err := open(after)
			must(t, err)
			sure.check(t, s, fmt.Sprintf("step %d, seed %d", step, seed))
			all, err := work(after, open)
			if err != nil {
				t.Fatalf("step %d, seed %d: once more: %v", step, seed, err)
			}
			s, err = open(after.Crash(seed))
			must(t, err)
			all.check(t, s, fmt.Sprintf("step %d, seed %d, again", step, seed))
		}
	}
	t.Run("Codes", func(t *testing.T) { testCodes(t, open) })
}

func errOf(_ vault.Store, err error) error { return err }

// acknowledged is what a store said yes to.
type acknowledged struct{ parts, finished, removed bool }

func work(fsys durable.FS, open func(durable.FS) (vault.Store, error)) (done acknowledged, err error) {
	ctx := context.Background()
	s, err := open(fsys)
	if err != nil {
		return done, err
	}
	again := func(err error) bool { return err != nil && evidence.CodeOf(err) != evidence.Conflict }
	if err := s.Begin(ctx, "object"); again(err) {
		return done, err
	}
	for i, part := range []string{"first part, ", "second"} {
		if err := s.PutPart(ctx, "object", int64(i)*12, []byte(part)); again(err) {
			return done, err
		}
	}
	done.parts = true
	if err := s.Finish(ctx, "object", 18); err != nil {
		return done, err
	}
	done.finished = true
	if err := s.Begin(ctx, "other1"); err != nil {
		return done, err
	}
	if err := s.Remove(ctx, vault.Incoming, "other1"); err != nil {
		return done, err
	}
	done.removed = true
	return done, nil
}

func (a acknowledged) check(t *testing.T, s vault.Store, when string) {
	t.Helper()
	ctx := context.Background()
	get := func(place vault.Place) string {
		o, err := s.Open(ctx, place, "object")
		if err != nil {
			return "(" + string(evidence.CodeOf(err)) + ")"
		}
		must(t, o.Close())
		return string(Read(t, s, place, "object"))
	}
	const whole = "first part, second"
	final, incoming := get(vault.Final), get(vault.Incoming)
	if a.finished && final != whole {
		t.Fatalf("%s: a finished object is %q", when, final)
	}
	if a.parts && final != whole && (len(incoming) < len(whole) || incoming[:len(whole)] != whole) {
		t.Fatalf("%s: acknowledged parts are %q, final %q", when, incoming, final)
	}
	if final != "(not_found)" && final != whole {
		t.Fatalf("%s: final storage holds %q", when, final)
	}
	if a.removed {
		_, err := s.Open(ctx, vault.Incoming, "other1")
		want(t, evidence.NotFound, err)
	}
}

func testCodes(t *testing.T, open func(durable.FS) (vault.Store, error)) {
	ctx := context.Background()
	for _, op := range []durabletest.Op{durabletest.Write, durabletest.Sync} {
		for fault, code := range map[error]evidence.Code{
			syscall.EIO: evidence.Internal, syscall.ENOSPC: evidence.Full, syscall.EDQUOT: evidence.Full,
		} {
			m := durabletest.NewMemory()
			s, err := open(m)
			must(t, err)
			must(t, s.Begin(ctx, "object"))
			m.Fail(durabletest.Fault{Op: op, Err: fault})
			want(t, code, s.PutPart(ctx, "object", 0, []byte("data")))
		}
	}
	for _, op := range []durabletest.Op{durabletest.Sync, durabletest.Rename, durabletest.SyncDir} {
		m := durabletest.NewMemory()
		s, err := open(m)
		must(t, err)
		must(t, s.Begin(ctx, "object"))
		m.Fail(durabletest.Fault{Op: op})
		want(t, evidence.Internal, s.Finish(ctx, "object", 0))
	}
}
