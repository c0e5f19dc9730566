package custos_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dependencyRow is a line of a table in docs/dependencies.md.
var dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^ |]+) \\| (.+) \\| (.+) \\|$")

// TestDependenciesAreExplained compares docs/dependencies.md with what the
// code imports and with every package.json. A section is named after the file
// whose direct requirements it lists.
func TestDependenciesAreExplained(t *testing.T) {
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]map[string]string{}
	for section := range strings.SplitSeq(string(page), "\n## ") {
		name, rest, _ := strings.Cut(section, "\n")
		if !strings.HasSuffix(name, "go.mod") && !strings.HasSuffix(name, "package.json") {
			continue
		}
		said[name] = map[string]string{}
		for _, row := range dependencyRow.FindAllStringSubmatch(rest, -1) {
			said[name][row[1]] = row[2]
		}
	}
	needed := packageFiles(t)
	needed["go.mod"] = goRequirements(t)
	for _, file := range slices.Sorted(maps.Keys(needed)) {
		for _, name := range slices.Sorted(maps.Keys(needed[file])) {
			if got, want := said[file][name], needed[file][name]; got != want {
				t.Errorf("%s needs %s %s; docs/dependencies.md says %q", file, name, want, got)
			}
		}
		for name := range said[file] {
			if _, ok := needed[file][name]; !ok {
				t.Errorf("docs/dependencies.md lists %s, which %s does not need", name, file)
			}
		}
		delete(said, file)
	}
	for file := range said {
		t.Errorf("docs/dependencies.md speaks of %s, which is not there", file)
	}
}

// goRequirements gives the modules that our packages and their tests import,
// with their versions.
func goRequirements(t *testing.T) map[string]string {
	t.Helper()
	run := func(args ...string) []string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.Fields(string(out))
	}
	imports := run("list", "-f", `{{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	slices.Sort(imports)
	imports = slices.DeleteFunc(slices.Compact(imports), func(p string) bool {
		return strings.HasPrefix(p, "custos/") || !strings.Contains(strings.Split(p, "/")[0], ".")
	})
	modules := run(append([]string{"list", "-f", "{{with .Module}}{{.Path}}@{{.Version}}{{end}}"}, imports...)...)
	m := map[string]string{}
	for _, mod := range modules {
		name, version, _ := strings.Cut(mod, "@")
		m[name] = version
	}
	if len(m) == 0 {
		t.Fatal("found no module that is imported")
	}
	return m
}

// packageFiles reads the requirements of every package.json.
func packageFiles(t *testing.T) map[string]map[string]string {
	t.Helper()
	files := map[string]map[string]string{}
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == "node_modules" || e.Name() == "build" || e.Name() == "demo-data" || e.Name() == ".git") {
			return filepath.SkipDir
		}
		if path.Base(name) != "package.json" {
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var p struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
		needs := map[string]string{}
		maps.Copy(needs, p.Dependencies)
		maps.Copy(needs, p.DevDependencies)
		files[filepath.ToSlash(name)] = needs
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
