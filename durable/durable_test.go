package durable_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"custos/durable"
	"custos/durable/durabletest"
)

func disk(t testing.TB, dir string) *durable.Disk {
	t.Helper()
	d, err := durable.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestDiskIsAnFS(t *testing.T) {
	durabletest.FS(t, func(t *testing.T) durable.FS { return disk(t, t.TempDir()) })
}

func TestNoLinkLeadsOutOfTheDisk(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(inside, "way")); err != nil {
		t.Fatal(err)
	}
	d := disk(t, inside)
	if _, err := durable.ReadFile(d, "way/secret"); err == nil {
		t.Fatal("read a file outside")
	}
	if err := durable.WriteFile(d, "way/new", nil, 0o600); err == nil {
		t.Fatal("wrote a file outside")
	}
}

func TestDiskTellsItsRoomAndForgetsPages(t *testing.T) {
	d := disk(t, t.TempDir())
	free, total, err := d.Free()
	if err != nil || free <= 0 || total < free {
		t.Fatalf("free %d of %d, %v", free, total, err)
	}
	if err := durable.WriteFile(d, "f", []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := d.OpenFile("f", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	u, ok := f.(interface{ Uncache() error })
	if !ok {
		t.Fatal("a file of a disk cannot be read past the cache")
	}
	if err := u.Uncache(); err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Fatal("opened a folder that is not there")
	}
}

// After a cut at any step of WriteFile the name holds the old bytes or the
// new ones; after WriteFile has returned nil, the new ones.
func TestWriteFileSurvivesPowerCuts(t *testing.T) {
	for step := 1; step <= 9; step++ {
		for seed := range uint64(20) {
			m := durabletest.NewMemory()
			if err := durable.WriteFile(m, "f", []byte("old bytes"), 0o600); err != nil {
				t.Fatal(err)
			}
			m.Fail(durabletest.Fault{Nth: step, Short: true, Stays: true})
			werr := durable.WriteFile(m, "f", []byte("new"), 0o600)
			data, err := durable.ReadFile(m.Crash(seed), "f")
			if err != nil {
				t.Fatal(err)
			}
			if s := string(data); s != "new" && (werr == nil || s != "old bytes") {
				t.Fatalf("step %d, seed %d: %q after %v", step, seed, s, werr)
			}
			if step > 6 && werr != nil {
				t.Fatalf("WriteFile takes more than 6 steps")
			}
			if step <= 6 && werr == nil {
				t.Fatalf("step %d did not fail", step)
			}
		}
	}
}

func TestIsFull(t *testing.T) {
	m := durabletest.NewMemory()
	m.SetCapacity(4)
	err := durable.WriteFile(m, "f", []byte("12345"), 0o600)
	if !durable.IsFull(err) {
		t.Fatalf("got %v", err)
	}
	if durable.IsFull(syscall.EIO) || durable.IsFull(nil) || !durable.IsFull(syscall.EDQUOT) {
		t.Fatal("full is ENOSPC and EDQUOT, nothing else")
	}
}
