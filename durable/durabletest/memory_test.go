package durabletest_test

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"custos/durable"
	"custos/durable/durabletest"
)

func TestMemoryIsAnFS(t *testing.T) {
	durabletest.FS(t, func(*testing.T) durable.FS { return durabletest.NewMemory() })
}

func create(t *testing.T, m *durabletest.Memory, name string) durable.File {
	t.Helper()
	f, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// outcomes cuts the power with many seeds and counts what the name holds.
func outcomes(m *durabletest.Memory, name string) map[string]int {
	out := map[string]int{}
	for seed := range uint64(200) {
		data, err := durable.ReadFile(m.Crash(seed), name)
		if errors.Is(err, fs.ErrNotExist) {
			out["(gone)"]++
		} else {
			out[string(data)]++
		}
	}
	return out
}

func TestWhatIsNotSyncedMayBeLost(t *testing.T) {
	m := durabletest.NewMemory()
	f := create(t, m, "f")
	_, err := f.Write([]byte("ab"))
	check(t, err)
	got := outcomes(m, "f")
	for _, want := range []string{"(gone)", "", "a", "ab", "\x00\x00"} {
		if got[want] == 0 {
			t.Errorf("no cut left %q: %v", want, got)
		}
	}
	check(t, m.SyncDir("."))
	if got := outcomes(m, "f"); got["(gone)"] > 0 || got["ab"] == 0 || got[""] == 0 {
		t.Errorf("a synced name with loose data: %v", got)
	}
	check(t, f.Sync())
	if got := outcomes(m, "f"); got["ab"] != 200 {
		t.Errorf("synced data was lost: %v", got)
	}
	_, err = f.WriteAt([]byte("XY"), 0)
	check(t, err)
	check(t, f.Truncate(1))
	if got := outcomes(m, "f"); got["ab"] == 0 || got["X"] == 0 || got["a"] == 0 || got["XY"] == 0 {
		t.Errorf("loose overwriting: %v", got)
	}
}

func TestRenameIsWholeOrNotAtAll(t *testing.T) {
	m := durabletest.NewMemory()
	check(t, durable.MkdirAll(m, "a", 0o700))
	check(t, durable.MkdirAll(m, "b", 0o700))
	check(t, durable.WriteFile(m, "a/f", []byte("1"), 0o600))
	check(t, m.Rename("a/f", "b/f"))
	for seed := range uint64(50) {
		c := m.Crash(seed)
		_, a := c.Stat("a/f")
		_, b := c.Stat("b/f")
		if (a == nil) == (b == nil) {
			t.Fatalf("seed %d: in a %v, in b %v", seed, a == nil, b == nil)
		}
	}
	check(t, m.Rename("b/f", "b/g")) // hangs on the first
	check(t, m.SyncDir("b"))
	if got := outcomes(m, "b/g"); got["1"] != 200 {
		t.Errorf("a synced rename was lost: %v", got)
	}
	if got := outcomes(m, "a/f"); got["(gone)"] != 200 {
		t.Errorf("the old name came back: %v", got)
	}
	check(t, m.Remove("b/g"))
	if got := outcomes(m, "b/g"); got["1"] == 0 || got["(gone)"] == 0 {
		t.Errorf("a loose removal: %v", got)
	}
}

func TestASyncAfterAFailedOneIsWorthNothing(t *testing.T) {
	m := durabletest.NewMemory()
	f := create(t, m, "f")
	check(t, m.SyncDir("."))
	whole := make([]byte, 64)
	for i := range whole {
		whole[i] = 'x'
		_, err := f.WriteAt([]byte{'x'}, int64(i))
		check(t, err)
	}
	m.Fail(durabletest.Fault{Op: durabletest.Sync})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	check(t, f.Sync())
	data, err := durable.ReadFile(m, "f")
	check(t, err)
	if string(data) != string(whole) {
		t.Fatalf("programs see %q", data)
	}
	if got := outcomes(m, "f"); len(got) != 1 || got[string(whole)] > 0 {
		t.Fatalf("a second sync saved what the first had lost: %v", got)
	}
	// Only writing again from scratch helps.
	_, err = f.WriteAt(whole, 0)
	check(t, err)
	check(t, f.Sync())
	if got := outcomes(m, "f"); got[string(whole)] != 200 {
		t.Fatalf("rewritten data was lost: %v", got)
	}
}

func TestFaults(t *testing.T) {
	m := durabletest.NewMemory()
	f := create(t, m, "f")
	m.Fail(durabletest.Fault{Op: durabletest.Write, Nth: 2, Err: syscall.ENOSPC, Short: true})
	_, err := f.Write([]byte("abcd"))
	check(t, err)
	if n, err := f.Write([]byte("efgh")); n != 2 || !durable.IsFull(err) {
		t.Fatalf("short write: %d, %v", n, err)
	}
	m.Fail(durabletest.Fault{Op: durabletest.Read, Path: "f"})
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, syscall.EIO) {
		t.Fatalf("read: %v", err)
	}
	before := m.Ops()
	m.Fail(durabletest.Fault{Nth: 2, Stays: true})
	check(t, f.Sync())
	for range 3 {
		if err := m.SyncDir("."); !errors.Is(err, syscall.EIO) {
			t.Fatalf("after the crash point: %v", err)
		}
	}
	if got := m.Ops() - before; got != 4 {
		t.Errorf("counted %d operations", got)
	}
	m.Heal()
	check(t, m.SyncDir("."))
}

func TestCapacity(t *testing.T) {
	m := durabletest.NewMemory()
	m.SetCapacity(10)
	f := create(t, m, "f")
	if n, err := f.Write(make([]byte, 12)); n != 10 || !durable.IsFull(err) {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if free, total, err := m.Free(); free != 0 || total != 10 || err != nil {
		t.Fatalf("free %d of %d, %v", free, total, err)
	}
	_, err := f.WriteAt([]byte("over"), 2)
	check(t, err)
	check(t, m.Remove("f"))
	if free, _, _ := m.Free(); free != 10 {
		t.Fatalf("free %d", free)
	}
}
