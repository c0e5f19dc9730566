package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"custos/staff"
)

// A force from commands: units, then people by a preview and exactly that.
func TestPeopleAndUnitsByCommand(t *testing.T) {
	dir := t.TempDir()
	said := func(want int, args ...string) string {
		t.Helper()
		var out, failed bytes.Buffer
		if code := run(t.Context(), append([]string{"--config", filepath.Join(dir, "svc", "custos.toml")}, args...), streams{strings.NewReader(""), &out, &failed}); code != want {
			t.Fatalf("%v ended with %d: %s%s", args, code, &out, &failed)
		}
		return out.String() + failed.String()
	}
	said(0, "admin", "init", "--dir", filepath.Join(dir, "svc"), "--force", "Thornshire Police")
	said(0, "admin", "unit", "add", "tp", "Thornshire Police")
	said(0, "admin", "unit", "add", "resp-a", "Response A", "--below", "TP")
	if got := said(1, "admin", "unit", "move", "TP", "RESP-A"); !strings.Contains(got, "below itself") {
		t.Errorf("got %s", got)
	}
	said(1, "admin", "unit", "close", "NONE")

	file := filepath.Join(dir, "staff.csv")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("login,name,number,role,unit,lead\nash,Ash Grove,4711,officer,RESP-A,yes\n")
	said(2, "admin", "people", "import", file)
	if got := said(0, "admin", "people", "import", file, "--dry-run"); !strings.Contains(got, "1 new, 0 changed") || !strings.Contains(got, "unit: RESP-A (lead)") {
		t.Errorf("the dry run says %s", got)
	}
	if got := said(0, "admin", "user", "list"); got != "" {
		t.Errorf("the dry run made %s", got)
	}
	var p staff.Preview
	if err := json.Unmarshal([]byte(said(0, "admin", "people", "import", file, "--dry-run", "--json")), &p); err != nil {
		t.Fatal(err)
	}
	said(1, "admin", "people", "import", file, "--preview", strings.Repeat("0", 64))
	said(0, "admin", "people", "import", file, "--preview", p.Digest.String())
	if got := said(0, "admin", "user", "list"); !strings.Contains(got, "Ash Grove") || !strings.Contains(got, "4711") {
		t.Errorf("the people are %s", got)
	}
	write("login,name\nash,Ash Hill\nnobody,\n")
	if got := said(1, "admin", "people", "import", file, "--dry-run"); !strings.Contains(got, "1 changed, 0 unchanged, 1 refused") {
		t.Errorf("the dry run says %s", got)
	}
	said(1, "admin", "unit", "close", "RESP-A")
	said(0, "admin", "unit", "rename", "RESP-A", "Response Alpha")
	if got := said(0, "admin", "unit", "list"); !strings.Contains(got, "RESP-A           TP               Response Alpha") {
		t.Errorf("the units are %s", got)
	}
}
