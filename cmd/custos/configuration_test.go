package main

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const configurationHead = `# Configuration of the server

Made from the comments of ` + "`Config`" + ` in cmd/custos/config.go; a test fails when this
page is older than they are. Renew it with

    go test ./cmd/custos -run ConfigurationPage -update

The file is TOML. ` + "`custos admin init`" + ` writes one with every key explained in it.
The server and every command read the same file: ` + "`--config FILE`" + `, else
` + "`$CUSTOS_CONFIG`" + `, else custos.toml in the current folder. Paths of database,
store, keys, scratch, witnesses and timestamp_roots are relative to the data folder, and ` + "`data`" + ` itself to the
file; give certificate and key with their full paths. A key that is not listed
here is refused at the start, so that a misspelt one is noticed. Changes take
effect when the server is started again.

Sizes are numbers with B, KiB, MiB, GiB, TiB (1024) or KB, MB, GB, TB (1000);
times are like 90s, 30m or 336h.

| key | is a | meaning |
|---|---|---|
`

const configurationEnd = `
Environment: ` + "`CUSTOS_CONFIG`" + ` names the file. ` + "`NOTIFY_SOCKET`" + `, set by systemd, is told
when requests are answered. ` + "`SUDO_USER`" + ` stands beside the account's name in the
trail of what operators did.
`

func TestConfigurationPageIsCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString(configurationHead)
	kinds := map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "number", reflect.Slice: "list of texts"}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		key, says, kind := f.Tag.Get("toml"), f.Tag.Get("comment"), kinds[f.Type.Kind()]
		if key == "" || says == "" || kind == "" {
			t.Errorf("%s has no key, no comment, or is of a kind that this page cannot name", f.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, kind, strings.ReplaceAll(says, "|", `\|`))
	}
	b.WriteString(configurationEnd)
	const page = "../../docs/configuration.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("docs/configuration.md is not current (renew it with -update):\n%s", diff)
	}
}
