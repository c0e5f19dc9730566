package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/tlog/tlogtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"custos-verify": main})
}

// Scripts have two commands more: "bag DIR [WITNESS]" writes a sound bag, signed
// by a witness of that name, its log key to the file log.vkey, later and forked
// checkpoints beside it, and witness policies that it meets and does not meet;
// "reseal DIR"
// writes its manifests anew, as somebody who tampers well would; "patch FILE
// OLD NEW" changes the first OLD in a file; "trail FILE" and "trail FILE ITEM"
// write a trail of everything, or of one item, of the same log.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bag":    bag,
			"reseal": reseal,
			"patch":  patch,
			"trail":  trail,
		},
	})
}

func bag(ts *testscript.TestScript, _ bool, args []string) {
	s := bundletest.New()
	stranger := tlogtest.NewCosigner("inspectorate.example/w", tlogtest.MLDSA44)
	good := "quorum none\n"
	if len(args) > 1 {
		witness := tlogtest.NewCosigner(args[1], tlogtest.Ed25519)
		s.Cosigners = append(s.Cosigners, witness)
		good = fmt.Sprintf("witness w %s\nquorum w\n", witness.Key)
	}
	s.Disclose()
	_, err := s.Write(ts.MkAbs(args[0]))
	ts.Check(err)
	root, err := os.ReadFile(filepath.Join("..", "..", "timestamp", "testdata", "golden.pem"))
	ts.Check(err)
	size := s.Log.Size()
	same := s.Log.Checkpoint(size)
	s.Log.Add(bundletest.First, evidence.Consult, evidence.Intent, nil, nil)
	fork := bundletest.New(1, 2, 3)
	fork.Disclose()
	for name, b := range map[string][]byte{
		"log.vkey": []byte(s.Log.Key.VKey + "\n"), "same": same,
		"later": s.Log.Checkpoint(size + 1), "fork": fork.Log.Checkpoint(size),
		"good.policy": []byte(good), "pins.policy": []byte("log " + s.Log.Key.VKey + "\n" + good), "roots.pem": root,
		"other.policy": fmt.Appendf(nil, "witness inspectorate %s\nquorum inspectorate\n", stranger.Key),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), b, 0o600))
	}
	ts.Setenv("KEY", s.Log.Key.VKey)
}

func trail(ts *testscript.TestScript, _ bool, args []string) {
	s := bundletest.New(1, 2, 3)
	s.Disclose()
	size := s.Log.Size()
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	head := bundle.Trail{Export: bundletest.Bundle, Force: "Example Constabulary", MadeBy: evidence.Actor{Name: "Ana Auditor"},
		LogKey: s.Log.Key.VKey, Checkpoint: string(s.Log.Checkpoint(size))}
	items := []evidence.ID{bundletest.First, bundletest.Second}
	var whole *bundle.TrailItem
	if len(args) > 1 {
		items = []evidence.ID{evidence.ID(args[1])}
		head.Question = []evidence.Field{{Name: "sought_item", Value: args[1]}}
		whole = &bundle.TrailItem{Item: items[0], Key: s.Log.ItemKey(items[0])}
	}
	ts.Check(bundle.WriteTrail(file, head, func(add func(bundle.TrailEvent) error) (*bundle.TrailItem, error) {
		for _, item := range items {
			for _, o := range slices.Backward(s.Log.Events(item)) {
				if err := add(bundle.TrailEvent{Opening: o, Proof: s.Log.Path(size, o.Index)}); err != nil {
					return nil, err
				}
			}
		}
		return whole, nil
	}))
	ts.Check(file.Close())
	ts.Check(os.WriteFile(ts.MkAbs("log.vkey"), []byte(s.Log.Key.VKey+"\n"), 0o600))
}

func reseal(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	files := fstest.MapFS{}
	ts.Check(filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		rel, relErr := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = &fstest.MapFile{Data: b}
		return errors.Join(err, relErr)
	}))
	bundletest.Reseal(files)
	for name, f := range files {
		ts.Check(os.WriteFile(filepath.Join(dir, name), f.Data, 0o600))
	}
}

func patch(ts *testscript.TestScript, _ bool, args []string) {
	old := ts.ReadFile(args[0])
	if !strings.Contains(old, args[1]) {
		ts.Fatalf("%q is not in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(old, args[1], args[2], 1)), 0o600))
}

// What the program is made of is a short list that a reader can go through,
// and none of it can reach a network or start a program: crypto/x509 needs
// package net to read addresses in certificates, but nothing of it that opens a
// socket is in the binary.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Standard}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		name, standard, _ := strings.Cut(strings.TrimSpace(line), " ")
		if standard == "false" {
			got = append(got, name)
		}
		if slices.Contains([]string{"net/http", "os/exec", "plugin", "C"}, name) {
			t.Errorf("the verifier is built with %s", name)
		}
	}
	slices.Sort(got)
	b, err := os.ReadFile("testdata/dependencies.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Fields(string(b)), got); d != "" {
		t.Errorf("dependencies (-list +built):\n%s", d)
	}
}

// The linker leaves out what is never called; what is left opens no socket and
// starts no program.
func TestNoSockets(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "custos-verify")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("go", "tool", "nm", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), " syscall.read") {
		t.Fatal("the list of symbols has not even what reads a file")
	}
	for line := range strings.Lines(string(out)) {
		name := line[strings.LastIndexByte(strings.TrimSpace(line), ' ')+1:]
		for _, bad := range []string{"syscall.socket", "syscall.Socket", "syscall.connect", "syscall.Connect", "syscall.bind", "syscall.Listen", "syscall.forkExec", "syscall.Exec", "net.Dial", "net.(*Dialer)", "net.Listen", "net.(*Resolver)"} {
			if strings.HasPrefix(strings.TrimSpace(name), bad) {
				t.Errorf("the verifier is built with %s", name)
			}
		}
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

// A script that pipes the result into a full disk must not read success.
func TestAResultThatCannotBeWrittenIsNoSuccess(t *testing.T) {
	s := bundletest.New(1, 2, 3)
	s.Disclose()
	dir := filepath.Join(t.TempDir(), "bag")
	if _, err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	var problems strings.Builder
	args := []string{dir}
	if exit := run(t.Context(), args, s.Log.Key.VKey, &strings.Builder{}, &problems); exit != exitSound {
		t.Fatalf("exit %d: %s", exit, &problems)
	}
	if exit := run(t.Context(), args, s.Log.Key.VKey, closed{}, &problems); exit != exitCannot {
		t.Errorf("exit %d", exit)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if exit := run(ctx, args, s.Log.Key.VKey, &strings.Builder{}, &problems); exit != exitCannot {
		t.Errorf("interrupted: exit %d", exit)
	}
}

func TestHostileTextIsSpeltOut(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 📷":         "plain é 📷",
		"\x1b[2Jgone\r\n":   `\x1b[2Jgone\r\n`,
		"\u202e4pm.exe":     `\u202e4pm.exe`,
		"a\u00a0b\u200bc'd": `a\u00a0b\u200bc'd`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999_999: "999999 bytes", 1_500_000: "1.5 MB", 2_300_000_000: "2.3 GB"} {
		if got := size(n); got != want {
			t.Error(fmt.Sprint(n), got, want)
		}
	}
}
