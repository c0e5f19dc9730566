package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/sys/unix"

	"custos/client"
	"custos/evidence"
	"custos/test/rig"
)

const mib = 1 << 20

// fileType is a box of ISO/IEC 14496-12, 4.3: a dock takes no file that does
// not begin as its name says.
const fileType = "\x00\x00\x00\x10ftypisom\x00\x00\x02\x00"

// noise is length bytes that no compressor and no digest has seen before: a
// block of random bytes, stamped with salt and place, behind the first bytes of
// an MP4 file. It reads as fast as memory, so that what sends it is not what is
// measured.
type noise struct {
	block  []byte // 1 MiB
	salt   uint64
	length int64
}

func newNoise(length int64) *noise {
	n := &noise{block: make([]byte, mib), salt: rand.Uint64(), length: length}
	r := rand.NewChaCha8([32]byte{1})
	if _, err := r.Read(n.block); err != nil {
		panic(err) // ChaCha8 never fails
	}
	return n
}

// name is one for a camera that has it.
func (n *noise) name() string { return fmt.Sprintf("X-%016x", n.salt) }

// ReadAt is as io.ReaderAt says.
func (n *noise) ReadAt(p []byte, off int64) (int, error) {
	var err error
	if left := n.length - off; int64(len(p)) >= left {
		p, err = p[:max(left, 0)], io.EOF
	}
	for done := 0; done < len(p); {
		at := off + int64(done)
		in := int(at % mib)
		c := copy(p[done:], n.block[in:])
		if in == 0 && c >= len(fileType)+16 {
			stamp := p[done+copy(p[done:], fileType):]
			binary.LittleEndian.PutUint64(stamp, n.salt)
			binary.LittleEndian.PutUint64(stamp[8:], uint64(at))
		}
		done += c
	}
	return len(p), err
}

// write makes a file of it.
func (n *noise) write(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, io.NewSectionReader(n, 0, n.length), make([]byte, mib)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// took is how long a command runs, and the CPU it uses. It must succeed.
func took(t *testing.T, name string, args ...string) (wall, cpu time.Duration) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, said.String())
	}
	return time.Since(begun), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// ownCPU is the CPU time that this process has used so far.
func ownCPU(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// copied is how long cp and sync of files into an empty folder take, which is
// then removed.
func copied(t *testing.T, files ...string) time.Duration {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(files[0]), "copy-")
	if err != nil {
		t.Fatal(err)
	}
	cp, _ := took(t, "cp", append(append([]string{"-r"}, files...), dir)...)
	begun := time.Now()
	for _, name := range regular(t, dir) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d := cp + time.Since(begun)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	return d
}

// regular is every file below dir.
func regular(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// uncache makes the kernel forget what it holds of files, so that the next
// reads come from the disk.
func uncache(t *testing.T, files ...string) {
	t.Helper()
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil { // what is dirty cannot be forgotten
			t.Fatal(err)
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// quantile of times, in milliseconds.
func quantile(d []time.Duration, q float64) float64 {
	d = slices.Sorted(slices.Values(d))
	return d[min(int(float64(len(d))*q), len(d)-1)].Seconds() * 1e3
}

func megabytes(n int64, d time.Duration) float64 { return float64(n) / 1e6 / d.Seconds() }

// noTools is the environment of a server that cannot look into footage: random
// bytes are none, and spooling them would be measured along.
const noTools = "PATH=/nonexistent"

// dock is a client with the key of a dock.
type dock struct {
	*client.Client
	name string
}

func newDock(t *testing.T, s *rig.Service, name string) dock {
	t.Helper()
	d := s.NewDock(name)
	text, err := os.ReadFile(filepath.Join(d.Dir, "dock.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var cfg struct{ Key string }
	if err := toml.Unmarshal(text, &cfg); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Config{URL: s.URL, Key: cfg.Key, Stall: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return dock{c, name}
}

// digest is its SHA-256.
func (n *noise) digest() (d evidence.Digest, err error) {
	h := sha256.New()
	_, err = io.CopyBuffer(h, io.NewSectionReader(n, 0, n.length), make([]byte, mib))
	h.Sum(d[:0])
	return d, err
}

// send uploads a file as a dock does, which has hashed it before. It gives the
// path of the upload once all bytes are durable on the server, and how long
// that took.
func (d dock) send(ctx context.Context, device string, file *noise) (at string, took time.Duration, err error) {
	sum, err := file.digest()
	if err != nil {
		return "", 0, err
	}
	begun := time.Now()
	at, err = d.Create(ctx, evidence.Capture{
		Device: device, Officer: "4711", FileName: device + ".mp4", Digest: sum, Length: file.length, DockedAt: time.Now(),
	})
	if err == nil {
		err = d.Upload(ctx, at, file, file.length, nil)
	}
	return at, time.Since(begun), err
}

// receipt waits for the receipt of an upload.
func (d dock) receipt(t *testing.T, at string) []byte {
	t.Helper()
	for range 60 {
		note, err := d.Receipt(t.Context(), at, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if note != nil {
			return note
		}
	}
	t.Fatal("no receipt within ten minutes")
	return nil
}

// recordingOf is the recording that a camera's only file became.
func recordingOf(t *testing.T, p *rig.Person, device string) evidence.ID {
	t.Helper()
	var page struct{ Items []struct{ ID evidence.ID } }
	p.JSON("GET", "/api/recordings?device="+device, nil, 200, &page)
	if len(page.Items) != 1 {
		t.Fatalf("%d recordings of %s", len(page.Items), device)
	}
	return page.Items[0].ID
}

// resident is the memory of a process in MiB: VmRSS of proc(5).
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return float64(kib) / 1024, err
		}
	}
	return 0, errors.New("the system does not say how much memory the process has")
}

// cpuOf is the CPU time that another process has used so far, in milliseconds:
// the first number of each thread's schedstat, in nanoseconds (Linux,
// Documentation/scheduler/sched-stats.rst).
func cpuOf(t *testing.T, pid int) float64 {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // a thread that has just ended
		}
		if err != nil {
			t.Fatal(err)
		}
		ns, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		total += ns / 1e6
	}
	return total
}

// unlimited is the configuration of a service that is measured: nobody here is
// kept from asking more than people do.
var unlimited = []string{"requests_per_address = -1", "requests_per_account = -1", "sign_ins_per_address = -1"}
