package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// spoolInMemory is up to what size footage is handed over in memory.
const spoolInMemory = 64 << 20

// Spool copies size bytes of r into a file without a name: in memory up to
// 64 MiB, else in dir. The kernel frees it when the last descriptor closes,
// also after a kill or a crash, so no plaintext is ever left behind under a
// name. Put dir on a tmpfs or an encrypted disk to keep plaintext off the
// platters altogether.
func Spool(ctx context.Context, dir string, r io.Reader, size int64) (_ *os.File, err error) {
	f, err := nameless(dir, size)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	n, err := io.Copy(f, &interruptible{ctx, r})
	if err != nil {
		return nil, fmt.Errorf("spool footage: %w", err)
	}
	if n != size {
		return nil, fmt.Errorf("spool footage: %d bytes came, %d were promised", n, size)
	}
	return f, nil
}

// Scratch is an empty file without a name in dir, for a tool to write to.
func Scratch(dir string) (*os.File, error) { return nameless(dir, spoolInMemory+1) }

func nameless(dir string, size int64) (*os.File, error) {
	if size <= spoolInMemory {
		fd, err := unix.MemfdCreate("footage", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, fmt.Errorf("spool footage: %w", err)
		}
		return os.NewFile(uintptr(fd), "footage"), nil
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), "footage"), nil
	}
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) {
		return nil, fmt.Errorf("spool footage in %s: %w", dir, err)
	}
	// A file system without O_TMPFILE: named for an instant, still empty.
	f, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("spool footage: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("spool footage: %w", err), f.Close())
	}
	return f, nil
}

// interruptible ends a long copy when its context ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
