//go:build unix

package camera_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"custos/camera"
)

func TestFolderNeverLeavesTheCameraOrFollowsALink(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.mp4")
	card := filepath.Join(dir, "card")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(outside, mp4, 0o600))
	must(os.MkdirAll(filepath.Join(card, "sub"), 0o700))
	must(os.WriteFile(filepath.Join(card, "sub/real.mp4"), mp4, 0o600))
	must(os.Symlink(outside, filepath.Join(card, "out.mp4")))
	must(os.Symlink("sub/real.mp4", filepath.Join(card, "in.mp4")))
	must(os.Symlink("sub", filepath.Join(card, "loop")))
	must(syscall.Mkfifo(filepath.Join(card, "pipe.mp4"), 0o600))

	c, err := camera.OpenFolder(card)
	must(err)
	defer func() { must(c.Close()) }()
	_, items, left := read(t, shipped(t), c, written)
	if len(items) != 1 || items[0].Capture.FileName != "sub/real.mp4" || len(left) != 4 {
		t.Errorf("took %v, left %v", items, left)
	}
	for _, name := range []string{"out.mp4", "in.mp4", "loop/real.mp4", "pipe.mp4", "sub", "../" + filepath.Base(dir), "nothing"} {
		if f, err := c.Open(name); err == nil {
			t.Errorf("opened %s", name)
			must(f.Close())
		}
		if err := c.Remove(name); err == nil {
			t.Errorf("removed %s", name)
		}
	}
	must(c.Remove("sub/real.mp4"))
	if _, err := os.Stat(filepath.Join(card, "sub/real.mp4")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}
