package custos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	// A test as docs/security.md names it: package.TestName, the browser's
	// tests: `web/e2e: name`, or a file.
	goTest      = regexp.MustCompile("`([a-z0-9/-]+)\\.((?:Test|Fuzz)\\w+)`")
	browserTest = regexp.MustCompile("`web/e2e: ([^`]+)`")
	namedFile   = regexp.MustCompile(`\b((?:docs|web)/[\w./-]+\.(?:md|ts|mjs|json))\b`)
	asvsRow     = regexp.MustCompile(`(?m)^\| ((?:\d+\.\d+\.\d+(?:, | to )?)+) \|[^|]+\|(.+)\|$`)
	asvsLine    = regexp.MustCompile(`(\d+\.\d+\.)(\d+)(?: to \d+\.\d+\.(\d+))?`)
)

// TestSecurityPageNamesTestsThatExist keeps docs/security.md from claiming
// what no test shows any more.
func TestSecurityPageNamesTestsThatExist(t *testing.T) {
	page := read(t, "docs/security.md")
	named := goTest.FindAllStringSubmatch(page, -1)
	if len(named) < 100 {
		t.Fatalf("the page names %d tests", len(named))
	}
	for _, m := range named {
		dir, name := m[1], m[2]
		if dir == "custos" {
			dir = "."
		}
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(read(t, f), "\nfunc "+name+"(") }) {
			t.Errorf("%s has no %s", m[1], name)
		}
	}
	browser := read(t, "web/e2e/tests.mjs")
	for _, m := range browserTest.FindAllStringSubmatch(page, -1) {
		name, _, _ := strings.Cut(m[1], " (")
		if !strings.Contains(browser, "name: '"+name+"'") {
			t.Errorf("the browser has no test %q", name)
		}
	}
	for _, m := range namedFile.FindAllStringSubmatch(page, -1) {
		read(t, m[1])
	}
}

// level3 are the lines of level 3 that REQUIREMENTS R28 names.
var level3 = strings.Fields("2.3.5 3.5.8 4.1.5 5.2.5 5.3.3 7.5.3 8.3.2 11.3.4 12.3.5 13.3.3 14.2.7 15.2.4 15.2.5 15.4.2")

// TestSecurityPageHasEveryLine: each line of ASVS 5.0 that the service is to
// keep stands in the page once, with what covers it.
func TestSecurityPageHasEveryLine(t *testing.T) {
	said := map[string]string{}
	for _, row := range asvsRow.FindAllStringSubmatch(read(t, "docs/security.md"), -1) {
		for _, m := range asvsLine.FindAllStringSubmatch(row[1], -1) {
			from, _ := strconv.Atoi(m[2]) // digits, as the expression has it
			to := from
			if m[3] != "" {
				to, _ = strconv.Atoi(m[3])
			}
			for n := from; n <= to; n++ {
				id := fmt.Sprint(m[1], n)
				if said[id] != "" {
					t.Errorf("%s stands there twice", id)
				}
				said[id] = strings.TrimSpace(row[2])
			}
		}
	}
	wanted := 0
	for line := range strings.Lines(read(t, "testdata/asvs-5.0.txt")) {
		id, level, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") || level == "3" && !slices.Contains(level3, id) {
			continue
		}
		wanted++
		if said[id] == "" {
			t.Errorf("%s (level %s) is not in the page", id, level)
		}
	}
	if wanted != 267 {
		t.Errorf("%d lines are wanted", wanted)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
