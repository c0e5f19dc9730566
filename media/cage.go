package media

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// cage is one way to lock a command in.
type cage struct {
	name string
	wrap func(argv []string) []string
}

// cages lists the sandboxes to try, strongest first.
func cages(self string) []cage {
	var list []cage
	if bwrap, err := exec.LookPath("bwrap"); err == nil {
		list = append(list, cage{"bubblewrap", func(argv []string) []string {
			args := []string{bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
				"--setenv", "PATH", "/usr/bin", "--setenv", "LC_ALL", "C.UTF-8",
				"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"}
			for _, dir := range []string{"/lib64", "/etc/alternatives"} { // libraries behind links; not everywhere
				if _, err := os.Stat(dir); err == nil {
					args = append(args, "--ro-bind", dir, dir)
				}
			}
			args = append(args, "--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs", "/tmp", "--chdir", "/tmp", "--")
			return append(args, argv...)
		}})
	}
	if self != "" {
		list = append(list, cage{"Landlock", func(argv []string) []string {
			return append([]string{self, "confined"}, argv...)
		}})
	}
	return list
}

// Confine locks the calling process in with Landlock and becomes argv: it may
// read /usr and its own descriptors, write nothing but those, and open no
// network connection. It returns only if that failed. A program whose path is
// given to Find calls it when its first argument is "confined".
func Confine(argv []string) error {
	if len(argv) == 0 {
		return errors.New("confine: nothing to run")
	}
	// Version 4 is the first that forbids TCP; an older kernel is no sandbox.
	if v, err := llsys.LandlockGetABIVersion(); err != nil || v < 4 {
		return fmt.Errorf("confine: this kernel has no Landlock with network rules (version %d, need 4): %w", v, errors.Join(err, unix.ENOSYS))
	}
	dirs := []string{"/usr"}
	for _, dir := range []string{"/lib", "/lib64", "/etc/alternatives", "/proc"} {
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	rules := []landlock.Rule{landlock.RODirs(dirs...), landlock.ROFiles("/etc/ld.so.cache", "/dev/urandom").IgnoreIfMissing(), landlock.RWFiles(os.DevNull)}
	// The footage and the output are opened again by these paths. A file in
	// memory needs no rule and the kernel takes none for it.
	for path, rule := range map[string]landlock.FSRule{inputPath: landlock.ROFiles(inputPath), outputPath: landlock.RWFiles(outputPath)} {
		if to, err := os.Readlink(path); err == nil && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/memfd:") && to != os.DevNull {
			rules = append(rules, rule)
		}
	}
	if err := landlock.V4.RestrictPaths(rules...); err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	if err := landlock.V4.RestrictNet(); err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	for _, r := range os.Environ() { // what the caller set, and nothing it inherited
		name, _, _ := strings.Cut(r, "=")
		if name != "PATH" && name != "LC_ALL" {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("confine: %w", err)
			}
		}
	}
	return fmt.Errorf("confine: %w", unix.Exec(argv[0], argv, os.Environ()))
}
