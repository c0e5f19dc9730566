package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"custos/client/clienttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"custos-dock": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer,
		},
	})
}

// startServer starts a server and writes dock.toml as `custos admin docks add`
// does. "server full" has no room.
func startServer(ts *testscript.TestScript, _ bool, args []string) {
	s := clienttest.New()
	h := httptest.NewServer(s.Handler())
	ts.Defer(h.Close)
	trust := s.Trust()
	if len(args) == 1 && args[0] == "full" {
		s.Set(clienttest.Faults{Full: true})
	}
	text := fmt.Sprintf("server = %q\nkey = %q\nreceipt_key = %q\nlog_key = %q\nwatch = [\"bays\"]\njournal = \"journal\"\nstable = \"1s\"\nname = \"Front desk\"\n",
		h.URL, clienttest.Key, trust.Receipt, trust.Log)
	ts.Check(os.WriteFile(ts.MkAbs("dock.toml"), []byte(text), 0o600))
	ts.Setenv("SERVER", h.URL)
}

func TestConfigurationThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	good := "server='https://custos.example'\nkey='k'\nreceipt_key='r'\nlog_key='l'\nwatch=['.']\n"
	for name, c := range map[string]struct {
		text  string
		flags []string
		want  string
	}{
		"nothing":       {"", nil, "server is missing"},
		"no key":        {"server='https://custos.example'\n", nil, "key is missing"},
		"no pinned key": {"server='https://custos.example'\nkey='k'\n", nil, "receipt_key is missing"},
		"no folder":     {"server='https://custos.example'\nkey='k'\nreceipt_key='r'\nlog_key='l'\n", nil, "watch or cameras"},
		"misspelt":      {good + "bandwith='1MB'\n", nil, "no such key: bandwith"},
		"bad rate":      {good, []string{"--bandwidth", "fast"}, "bandwidth"},
		"slow rate":     {good, []string{"--bandwidth", "9k"}, "at least 10kB"},
		"bad time":      {good + "stable='1h'\n", nil, "stable"},
		"bad pinned":    {good, nil, "pinned key"},
		"plain http":    {strings.Replace(good, "https", "http", 1), nil, "https only"},
		"parallel":      {good, []string{"--parallel", "99"}, "parallel"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "dock.toml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			args := append([]string{"run", "--once", "--config", file, "--journal", filepath.Join(dir, "journal")}, c.flags...)
			code := run(context.Background(), args, nil, &out, &errs, func(string) string { return "" })
			if code != 2 || !strings.Contains(errs.String(), c.want) {
				t.Errorf("code %d: %s", code, errs.String())
			}
		})
	}
}

func TestRates(t *testing.T) {
	for s, want := range map[string]int64{"": 0, "800k": 800_000, "5MB": 5_000_000, "5 MB/s": 5_000_000, "1000000": 1_000_000, "1GB": 1e9} {
		if got, err := bytesPerSecond(s); got != want || err != nil {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"-1", "5 apples", "9", "99999999999"} {
		if got, err := bytesPerSecond(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
}
