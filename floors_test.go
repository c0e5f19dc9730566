// Package custos_test checks the house itself: see ARCHITECTURE.md.
package custos_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type floors struct {
	of   map[string]int      // package → floor
	only map[string][]string // package → who may import it
}

// readFloors reads the block fenced by ```floors.
func readFloors(t *testing.T, text string) floors {
	t.Helper()
	_, rest, ok := strings.Cut(text, "```floors\n")
	block, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("ARCHITECTURE.md has no floors block")
	}
	f := floors{of: map[string]int{}, only: map[string][]string{}}
	for line := range strings.Lines(block) {
		words := strings.Fields(strings.ReplaceAll(line, ",", " "))
		if len(words) == 0 {
			continue
		}
		if words[0] == "only" {
			i := max(slices.Index(words, "imports"), slices.Index(words, "import"))
			if i < 0 {
				t.Fatalf("cannot read %q", line)
			}
			f.only[words[i+1]] = words[1:i]
			continue
		}
		n, err := strconv.Atoi(words[0])
		if err != nil {
			t.Fatalf("cannot read %q", line)
		}
		for _, w := range words[1:] {
			f.of[w] = n
		}
	}
	return f
}

// breaks says what is wrong with package pkg (a folder under the module)
// importing imp, or "".
func (f floors) breaks(pkg, imp string) string {
	from, to := strings.Split(pkg, "/")[0], strings.Split(imp, "/")[0]
	if only, ok := f.only[to]; ok && from != to && from != "cmd" && from != "test" && !slices.Contains(only, from) {
		return "only " + strings.Join(only, ", ") + " may import " + to
	}
	if from == to || from == "cmd" || from == "test" || from == "web" && to != "httpapi" {
		return ""
	}
	if to == "web" && from == "httpapi" {
		return ""
	}
	a, ok := f.of[from]
	b, ok2 := f.of[to]
	switch {
	case !ok:
		return "package " + from + " stands on no floor"
	case !ok2:
		return "package " + to + " stands on no floor"
	case b == a:
		return "a look sideways"
	case b > a:
		return "a look up"
	}
	return ""
}

func TestFloorsHold(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	f := readFloors(t, string(text))
	commented := map[string]bool{}
	err = filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if b := e.Name(); name != "." && (strings.HasPrefix(b, ".") || b == "node_modules" || b == "testdata" || b == "build" || b == "demo-data") {
				return filepath.SkipDir
			}
			return nil
		}
		pkg := path.Dir(filepath.ToSlash(name))
		if filepath.Ext(name) != ".go" || pkg == "." {
			return nil
		}
		top := strings.Split(pkg, "/")[0]
		if _, ok := f.of[top]; !ok && top != "cmd" && top != "test" && top != "web" {
			t.Errorf("%s: package %s stands on no floor", name, top)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		test := strings.HasSuffix(name, "_test.go")
		if !test {
			commented[pkg] = commented[pkg] || file.Doc != nil
		}
		for _, im := range file.Imports {
			p, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			imp, ours := strings.CutPrefix(p, "custos/")
			if !ours {
				if top == "evidence" && !test && strings.Contains(strings.Split(p, "/")[0], ".") {
					t.Errorf("%s: evidence imports %s; it may import the standard library only", name, p)
				}
				continue
			}
			if test && strings.HasSuffix(path.Base(imp), "test") {
				continue // helpers for tests may be used by any test
			}
			if why := f.breaks(pkg, imp); why != "" {
				t.Errorf("%s imports %s: %s", name, p, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg, ok := range commented {
		if !ok {
			t.Errorf("package %s has no comment", pkg)
		}
	}
}

func TestFloorsAreNoticedWhenBroken(t *testing.T) {
	f := readFloors(t, "```floors\n0 evidence\n1 seal tlog\n3 vault ledger\n4 custody\n5 playback\nonly custody imports vault\n```")
	for _, c := range []struct{ pkg, imp, want string }{
		{"seal", "evidence", ""},
		{"custody", "vault", ""},
		{"cmd/custos", "custody", ""},
		{"vault/vaulttest", "vault", ""},
		{"seal", "tlog", "a look sideways"},
		{"seal", "custody", "a look up"},
		{"playback", "vault", "only custody may import vault"},
		{"util", "evidence", "package util stands on no floor"},
	} {
		if got := f.breaks(c.pkg, c.imp); got != c.want {
			t.Errorf("%s imports %s: got %q, want %q", c.pkg, c.imp, got, c.want)
		}
	}
}
