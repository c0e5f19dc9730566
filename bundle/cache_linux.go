package bundle

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropCache asks the kernel to forget the pages of f. It is a hint: where it
// is refused, verifying may read memory in place of the medium, as everywhere
// else.
func dropCache(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
