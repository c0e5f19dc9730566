package durabletest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"testing"

	"custos/durable"
)

// FS checks that what open makes, an empty file system each time, is as
// durable.FS says.
func FS(t *testing.T, open func(t *testing.T) durable.FS) {
	t.Run("Files", func(t *testing.T) { testFiles(t, open(t)) })
	t.Run("Names", func(t *testing.T) { testNames(t, open(t)) })
	t.Run("Outside", func(t *testing.T) { testOutside(t, open(t)) })
	t.Run("Lock", func(t *testing.T) { testLock(t, open(t)) })
	t.Run("WriteFile", func(t *testing.T) { testWriteFile(t, open(t)) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testFiles(t *testing.T, fsys durable.FS) {
	_, err := fsys.OpenFile("a", os.O_RDONLY, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("opening nothing: %v", err)
	}
	f, err := fsys.OpenFile("a", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	must(t, err)
	_, err = f.Write([]byte("hello"))
	must(t, err)
	_, err = f.WriteAt([]byte("J"), 8)
	must(t, err)
	must(t, f.Sync())
	must(t, f.Truncate(10))
	info, err := f.Stat()
	must(t, err)
	if info.Size() != 10 || info.IsDir() {
		t.Errorf("size %d", info.Size())
	}
	p := make([]byte, 12)
	n, err := f.ReadAt(p, 1)
	if n != 9 || !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], []byte("ello\x00\x00\x00J\x00")) {
		t.Errorf("read %q, %v", p[:n], err)
	}
	must(t, f.Close())
	if _, err := f.Write(p); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write to a closed file: %v", err)
	}
	if _, err := fsys.OpenFile("a", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("making what exists: %v", err)
	}
	f, err = fsys.OpenFile("a", os.O_RDONLY, 0)
	must(t, err)
	if _, err := f.Write(p); err == nil {
		t.Error("wrote to a file opened for reading")
	}
	all, err := io.ReadAll(f)
	must(t, err)
	if len(all) != 10 {
		t.Errorf("read %d bytes", len(all))
	}
	must(t, f.Close())
}

func testNames(t *testing.T, fsys durable.FS) {
	must(t, durable.MkdirAll(fsys, "x/y/z", 0o700))
	must(t, durable.MkdirAll(fsys, "x/y/z", 0o700))
	for _, name := range []string{"x/2", "x/1", "x/y/3"} {
		must(t, durable.WriteFile(fsys, name, []byte(name), 0o600))
	}
	if err := durable.MkdirAll(fsys, "x/1/no", 0o700); err == nil {
		t.Error("made a folder in a file")
	}
	list, err := fsys.ReadDir("x")
	must(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"1", "2", "y"}) || !list[2].IsDir() {
		t.Errorf("listed %v", names)
	}
	must(t, fsys.Rename("x/1", "x/y/3"))
	data, err := durable.ReadFile(fsys, "x/y/3")
	must(t, err)
	if string(data) != "x/1" {
		t.Errorf("read %q", data)
	}
	if err := fsys.Remove("x/y"); err == nil {
		t.Error("removed a folder with files in it")
	}
	must(t, fsys.Remove("x/y/3"))
	must(t, fsys.Remove("x/y/z"))
	must(t, fsys.SyncDir("x/y"))
	must(t, fsys.Remove("x/y"))
	for _, f := range []func() error{
		func() error { return fsys.Remove("x/y") },
		func() error { return fsys.Rename("x/y", "x/w") },
		func() error { return fsys.SyncDir("x/y") },
		func() error { _, err := fsys.Stat("x/y"); return err },
		func() error { _, err := fsys.ReadDir("x/y"); return err },
	} {
		if err := f(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing name: %v", err)
		}
	}
}

func testOutside(t *testing.T, fsys durable.FS) {
	for _, name := range []string{"../a", "/etc/passwd", "x/../../a"} {
		if f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err == nil {
			t.Errorf("opened %s", name)
			must(t, f.Close())
		}
		if err := fsys.Remove(name); err == nil {
			t.Errorf("removed %s", name)
		}
		if err := fsys.MkdirAll(name, 0o700); err == nil {
			t.Errorf("made %s", name)
		}
	}
}

func testLock(t *testing.T, fsys durable.FS) {
	l, err := fsys.Lock("lock")
	must(t, err)
	if _, err := fsys.Lock("lock"); !errors.Is(err, durable.ErrLocked) {
		t.Fatalf("locked twice: %v", err)
	}
	must(t, l.Close())
	l, err = fsys.Lock("lock")
	must(t, err)
	must(t, l.Close())
}

func testWriteFile(t *testing.T, fsys durable.FS) {
	for _, text := range []string{"first, and longer", "second", ""} {
		must(t, durable.WriteFile(fsys, "f", []byte(text), 0o600))
		data, err := durable.ReadFile(fsys, "f")
		must(t, err)
		if string(data) != text {
			t.Errorf("read %q, want %q", data, text)
		}
	}
	info, err := fsys.Stat("f")
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	list, err := fsys.ReadDir(".")
	must(t, err)
	if len(list) != 1 {
		t.Errorf("WriteFile left %d names behind", len(list)-1)
	}
}
