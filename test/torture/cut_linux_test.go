package torture_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"custos/durable"
	"custos/test/rig"
	"custos/test/torture"
)

// Going down as after a power cut: linux/fs/xfs/libxfs/xfs_fs.h. ext4 has the
// same under the name EXT4_IOC_SHUTDOWN.
const (
	ioctlShutdown = 0x8004587d // _IOR('X', 125, uint32)
	noLogFlush    = 2          // what is in memory is lost, the log's buffer too
)

// volume is a file system in a file, mounted.
type volume struct {
	kind, image, mount string
}

// newVolume makes and mounts one. It skips the test where that cannot be done
// on this machine at all.
func newVolume(t *testing.T, kind, dir string) *volume {
	t.Helper()
	mkfs, err := exec.LookPath("mkfs." + kind)
	if err != nil {
		t.Skipf("power cuts on %s need mkfs.%s", kind, kind)
	}
	v := &volume{kind, filepath.Join(dir, kind+".img"), filepath.Join(dir, kind)}
	if err := errors.Join(os.Mkdir(v.mount, 0o700), os.WriteFile(v.image, nil, 0o600), os.Truncate(v.image, 2<<30)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkfs, "-q", v.image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs: %v: %s", err, out)
	}
	if err := v.up(); err != nil {
		t.Skipf("power cuts need loop devices and mount: %v", err)
	}
	t.Cleanup(func() {
		if err := v.down(); err != nil {
			t.Error(err)
		}
	})
	if err := os.Remove(filepath.Join(v.mount, "lost+found")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return v
}

func (v *volume) up() error {
	if out, err := exec.Command("mount", "-t", v.kind, "-o", "loop", v.image, v.mount).CombinedOutput(); err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	return nil
}

// down unmounts and waits until the loop device is gone. A file that somebody
// who was killed has open takes a moment to close.
func (v *volume) down() (err error) {
	for range 200 {
		if err = unix.Unmount(v.mount, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if errors.Is(err, unix.EINVAL) { // not mounted
		return nil
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", v.mount, err)
	}
	for range 100 {
		out, err := exec.Command("losetup", "-j", v.image).Output()
		if err != nil {
			return fmt.Errorf("losetup: %w", err)
		}
		if len(strings.TrimSpace(string(out))) == 0 {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the loop device of %s stays", v.image)
}

// cut is the power cut: from now on nothing reaches the medium, and what was
// not synced is lost.
func (v *volume) cut() error {
	d, err := os.Open(v.mount)
	if err != nil {
		return err
	}
	return errors.Join(unix.IoctlSetPointerInt(int(d.Fd()), ioctlShutdown, noLogFlush), d.Close())
}

// TestPowerCuts cuts the power under the server's data: under a server that is
// halted, which answers nobody any more, and under one that goes on for a
// while on a dead file system and may say what is no longer true.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	if os.Getenv("CUSTOS_TORTURE_APART") == "" {
		apart(t)
		return
	}
	opt := torture.Read(t)
	y := torture.NewTally(t, "cuts", opt.Seed)
	defer y.End()
	bin := rig.Torture(t)
	began := time.Now()
	t.Run("on", func(t *testing.T) {
		for i, kind := range []string{"ext4", "xfs"} {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				c := &cuts{t: t, y: y, kind: kind, most: opt.Cuts}
				c.late = func() bool { return opt.Until > 0 && time.Since(began) > opt.Until }
				for n := uint64(0); c.done < 2*opt.Cuts && !c.late(); n++ {
					t.Run(fmt.Sprintf("%03d", n), func(t *testing.T) { c.life(t, bin, opt.Seed, uint64(i+1)<<32|n) })
					if t.Failed() || t.Skipped() || c.done == 0 {
						return
					}
				}
			})
		}
	})
}

// apart runs the test in a process with mounts of its own. A mount that others
// can see may be copied into their name spaces and then stays, alive, when it
// is unmounted here.
func apart(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("power cuts need root, to mount a file system of their own")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(os.Args[1:], "-test.run=^"+t.Name()+"$")...)
	cmd.Env = append(os.Environ(), "CUSTOS_TORTURE_APART=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// The child ends with this thread, so the thread is kept.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("power cuts need mounts of their own: %v", err)
	}
	if err != nil {
		t.Error(err)
	}
}

// cuts is the work on one file system.
type cuts struct {
	t    *testing.T
	y    *torture.Tally
	kind string
	most int // of each sort
	done int
	late func() bool
	site *torture.Site
	disk *volume
}

// roundsOfVolume is how many rounds one volume lives through.
const roundsOfVolume = 10

// life is the rounds of one volume.
func (c *cuts) life(t *testing.T, bin string, seed, stream uint64) {
	dir := folder(t, c.y)
	c.disk = newVolume(t, c.kind, dir)
	c.site = torture.NewSite(t, c.y, torture.Random(seed, stream), bin, torture.Place{Dir: dir, Data: c.disk.mount}, 2)
	for _, d := range c.site.Docks {
		d.Bandwidth = "6MB" // so that a cut meets uploads half done
	}
	for n := range roundsOfVolume {
		final := n == roundsOfVolume-1 || c.late()
		final = c.round(t, n, final) || final
		if final {
			return
		}
	}
}

// round is some cuts, then a finish in peace. It tells whether it was the last.
func (c *cuts) round(t *testing.T, n int, final bool) bool {
	t.Helper()
	s, began := c.site, time.Now()
	s.Fill(3+s.Rand.IntN(3), 0, 8<<20)
	stop := s.Log.Watch()
	s.Start()
	s.StartDocks()
	for range 1 + s.Rand.IntN(4) {
		if c.done >= 2*c.most {
			break
		}
		c.untilUploading()
		time.Sleep(time.Duration(s.Rand.IntN(1200)) * time.Millisecond)
		halted := c.done%2 == 0
		if c.uploading() {
			c.y.Add("power cuts that met uploads half done", 1)
		}
		if err := c.cut(halted); err != nil {
			t.Fatal(err)
		}
		c.done++
		sort := "server going on"
		if halted {
			sort = "server halted"
		}
		c.y.Add(fmt.Sprintf("power cuts on %s, %s", c.kind, sort), 1)
		s.CheckWipes()
		s.Start()
		if s.Rand.IntN(2) == 0 { // docks whose pauses have grown long
			s.KillDocks()
		}
		s.StartDocks()
		if s.Emptied() {
			break
		}
	}
	final = final || c.done >= 2*c.most
	s.Finish(2 * time.Minute)
	s.Check(final)
	stop()
	s.Service.Stop()
	s.Fsck(final || n%5 == 4)
	s.Forget()
	c.y.Add("rounds on "+c.kind, 1)
	c.y.Say("%s round %d: %d cuts so far, %.1fs, violations %d", c.kind, n, c.done, time.Since(began).Seconds(), c.y.Violations())
	return final
}

// untilUploading waits until something is on its way in, or all is done.
func (c *cuts) untilUploading() {
	deadline := time.Now().Add(8 * time.Second)
	for time.Now().Before(deadline) && !c.site.Emptied() && !c.uploading() {
		time.Sleep(20 * time.Millisecond)
	}
}

// uploading tells whether the store has something that is not whole yet.
func (c *cuts) uploading() bool {
	list, err := os.ReadDir(filepath.Join(c.disk.mount, "store", "incoming"))
	return err == nil && len(list) > 0
}

// cut cuts the power, lets the server die, and brings the file system back as
// a machine does that boots.
func (c *cuts) cut(halted bool) error {
	s := c.site
	if halted && s.Service.Alive() {
		if err := syscall.Kill(-s.Service.PID(), syscall.SIGSTOP); err != nil {
			return err
		}
	}
	if err := c.disk.cut(); err != nil {
		return fmt.Errorf("cut the power: %w", err)
	}
	if !halted {
		time.Sleep(time.Duration(s.Rand.IntN(600)) * time.Millisecond)
	}
	s.Service.Kill()
	if err := c.disk.down(); err != nil {
		return err
	}
	return c.disk.up()
}

// cutting is a folder whose power is cut in the middle of a sync of a folder,
// and where somebody else notices first.
type cutting struct {
	*durable.Disk
	disk  *volume
	other *os.File
}

func (c cutting) SyncDir(name string) error {
	dir, err := os.Open(filepath.Join(c.disk.mount, name))
	if err != nil {
		return err
	}
	if _, err := c.other.WriteString("more"); err != nil {
		return err
	}
	if err := c.disk.cut(); err != nil {
		return err
	}
	if c.other.Sync() == nil {
		return errors.New("a file was synced on a dead disk")
	}
	time.Sleep(100 * time.Millisecond)
	return errors.Join(dir.Sync(), dir.Close())
}

// TestNoPromiseOnADeadDisk cuts the power between the opening of a folder and
// its sync. XFS may say yes to that sync; WriteFile must not.
func TestNoPromiseOnADeadDisk(t *testing.T) {
	if os.Getenv("CUSTOS_TORTURE_APART") == "" {
		apart(t)
		return
	}
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			v := newVolume(t, kind, t.TempDir())
			d, err := durable.Open(v.mount)
			if err != nil {
				t.Fatal(err)
			}
			other, err := os.Create(filepath.Join(v.mount, "other"))
			if err != nil {
				t.Fatal(err)
			}
			err = durable.WriteFile(cutting{d, v, other}, "f", []byte("text"), 0o600)
			if err := errors.Join(other.Close(), d.Close()); err != nil {
				t.Error(err)
			}
			if err == nil {
				t.Error("WriteFile promised a file on a disk that had died")
			}
			if err := errors.Join(v.down(), v.up()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
