package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// control runs f on the descriptor of file, again while it is interrupted: an
// interrupted call has not failed.
func control(file *os.File, name string, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := conn.Control(func(fd uintptr) {
		for {
			if ferr = f(int(fd)); !errors.Is(ferr, unix.EINTR) {
				return
			}
		}
	}); err != nil {
		return err
	}
	return os.NewSyscallError(name, ferr)
}

func syncData(f *os.File) error { return control(f, "fdatasync", unix.Fdatasync) }

func uncache(f *os.File) error {
	return control(f, "fadvise", func(fd int) error { return unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED) })
}

func lock(f *os.File) error {
	err := control(f, "flock", func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

func space(f *os.File) (free, total int64, err error) {
	var s unix.Statfs_t
	if err := control(f, "fstatfs", func(fd int) error { return unix.Fstatfs(fd, &s) }); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, nil
}
