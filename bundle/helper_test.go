package bundle_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/tlog"
)

var update = flag.Bool("update", false, "write the golden bag")

const (
	first  = bundletest.First
	second = bundletest.Second
)

// mustWrite writes the bag of a story that has been told to its end.
func mustWrite(t testing.TB, s *bundletest.Story) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bag")
	if _, err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// load copies a bag into memory, where tests tamper with it.
func load(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func clone(bag fstest.MapFS) fstest.MapFS {
	out := fstest.MapFS{}
	for name, f := range bag {
		out[name] = &fstest.MapFile{Data: bytes.Clone(f.Data), Mode: f.Mode}
	}
	return out
}

// edit changes a JSON file of the bag.
func edit[T any](t testing.TB, bag fstest.MapFS, name string, change func(*T)) {
	t.Helper()
	var v T
	if err := json.Unmarshal(bag[name].Data, &v); err != nil {
		t.Fatal(err)
	}
	change(&v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	bag[name].Data = b
}

func verify(t testing.TB, bag fs.FS, opt bundle.Options) bundle.Report {
	t.Helper()
	r, err := bundle.Verify(context.Background(), bag, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// names tells whether r has a check of that name and state whose subject and
// sentence hold the texts.
func names(r bundle.Report, state bundle.State, name, subject, says string) bool {
	return slices.ContainsFunc(r.Checks, func(c bundle.Check) bool {
		return c.State == state && c.Name == name && strings.Contains(c.Subject, subject) && strings.Contains(c.Says, says)
	})
}

func show(r bundle.Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-10s %-11s %s: %s\n", c.State, c.Name, c.Subject, c.Says)
	}
	return b.String()
}

func sum(b []byte) string { return evidence.Digest(sha256.Sum256(b)).String() }

// macOf withholds an opened field: docs/formats/ledger.md.
func macOf(f tlog.OpenField) []byte {
	h := hmac.New(sha256.New, f.Salt)
	fmt.Fprintf(h, "%s\x00%s", f.Name, *f.Value)
	return h.Sum(nil)
}
