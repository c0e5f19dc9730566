package main

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/dock-configuration.md anew")

const configurationHead = `# Configuration of a docking station's agent

Made from the comments of ` + "`Config`" + ` in cmd/custos-dock/config.go; a test fails when
this page is older than they are. Renew it with

    go test ./cmd/custos-dock -run ConfigurationPage -update

The file is TOML; ` + "`custos admin dock add`" + ` writes one with the first keys filled
in. ` + "`custos-dock run --config FILE`" + `; flags win over the file, paths in the file are
relative to it, keys that are not listed are refused. How a station is set up
stands in [dock.md](dock.md).

| key | flag | meaning |
|---|---|---|
`

// configFields gives key, flag ("" if there is none) and meaning of every field of Config.
func configFields(t *testing.T) (rows [][3]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Config" {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			text, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			tag := reflect.StructTag(text)
			key := tag.Get("toml")
			name := "--" + cmp.Or(tag.Get("name"), strings.ReplaceAll(key, "_", "-"))
			if tag.Get("kong") == "-" {
				name = ""
			}
			says := cmp.Or(tag.Get("help"), strings.TrimSpace(f.Comment.Text()))
			if key == "" || says == "" {
				t.Errorf("%v has no key or no words", f.Names)
			}
			rows = append(rows, [3]string{key, name, sentence(says)})
		}
		return false
	})
	return rows
}

// sentence makes a Go comment one.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return strings.TrimSuffix(string(unicode.ToUpper(r))+s[n:], ".") + "."
}

func TestConfigurationPageIsCurrent(t *testing.T) {
	rows := configFields(t)
	if n := reflect.TypeFor[Config]().NumField(); len(rows) != n || n == 0 {
		t.Fatalf("read %d fields of %d", len(rows), n)
	}
	var b strings.Builder
	b.WriteString(configurationHead)
	for _, r := range rows {
		if r[1] != "" {
			r[1] = "`" + r[1] + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r[0], r[1], strings.ReplaceAll(r[2], "|", `\|`))
	}
	const page = "../../docs/dock-configuration.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("docs/dock-configuration.md is not current (renew it with -update):\n%s", diff)
	}
}
