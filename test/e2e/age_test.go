package e2e

import (
	"bytes"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	_ "modernc.org/sqlite" // the service's own database, read from outside

	"custos/bundle"
)

// peers are programs that are not ours and open age files.
func peers(t *testing.T, hybrid bool) map[string]func(identity, from, to string) *exec.Cmd {
	t.Helper()
	list := map[string]func(identity, from, to string) *exec.Cmd{}
	stock := func(program string) func(identity, from, to string) *exec.Cmd {
		return func(identity, from, to string) *exec.Cmd {
			return exec.Command(program, "-d", "-i", identity, "-o", to, from)
		}
	}
	if program := os.Getenv("CUSTOS_AGE"); program != "" {
		list["age 1.3"] = stock(program)
	} else if os.Getenv("CUSTOS_TEST_ALL") != "" {
		missing(t, "CUSTOS_AGE")
	}
	if program := "/usr/bin/age"; !hybrid {
		if _, err := os.Stat(program); err == nil {
			list["Debian's age"] = stock(program)
		} else if os.Getenv("CUSTOS_TEST_ALL") != "" {
			missing(t, program)
		}
	}
	if _, err := os.Stat("age/node_modules"); err == nil {
		list["age-encryption"] = func(identity, from, to string) *exec.Cmd {
			return exec.Command("node", "age/open.mjs", identity, from, to)
		}
	} else if os.Getenv("CUSTOS_TEST_ALL") != "" {
		missing(t, "test/e2e/age/node_modules (npm ci there)")
	}
	if len(list) == 0 {
		missing(t, "age but ours")
	}
	return list
}

func sealedBundle(t *testing.T, f *shift) {
	r := f.prepared(t, f.s.SignIn("supervisor"))["K-0417 120000"]
	want := f.native[filepath.Base(r.Segments[0].FileName)]
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, recipient, identity string
		hybrid                    bool
	}{
		{"classic", classic.Recipient().String(), classic.String(), false},
		{"hybrid", hybrid.Recipient().String(), hybrid.String(), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bundle")
			export(t, f.s, dir, "--recipient", c.recipient, r.ID)
			exit, report := verdict(t, f.s, "--log-key", f.s.LogKey(), dir)
			if exit != 3 || len(report.Failed()) > 0 || !names(report, bundle.NotProven, "masters", ".age") {
				t.Fatalf("exit %d: %+v", exit, report.Checks)
			}
			sealed, err := filepath.Glob(filepath.Join(dir, "data", r.ID, "*.age"))
			if err != nil || len(sealed) != 1 {
				t.Fatalf("sealed masters: %v %v", sealed, err)
			}
			for _, b := range load(t, dir) {
				if bytes.Contains(b.Data, want[len(want)/2:len(want)/2+64]) {
					t.Fatal("the master lies open in a sealed bundle")
				}
			}
			identity := filepath.Join(t.TempDir(), "identity.txt")
			if err := os.WriteFile(identity, []byte(c.identity+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for name, open := range peers(t, c.hybrid) {
				opens(t, name, open, identity, sealed[0], want)
			}
		})
	}
	t.Run("both kinds at once are refused", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "bundle")
		_, said, err := f.s.Try("", "export", "--to", "Defence", "--out", dir, "--recipient", classic.Recipient().String(), "--recipient", hybrid.Recipient().String(), r.ID)
		if err == nil || strings.Contains(said, "panic") {
			t.Errorf("%v: %s", err, said)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Error("a bundle was left")
		}
	})
}

func opens(t *testing.T, name string, open func(identity, from, to string) *exec.Cmd, identity, from string, want []byte) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "opened")
	if out, err := open(identity, from, to).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s opens other bytes: %d, want %d: %v", name, len(got), len(want), err)
	}
}

// Nobody needs Custos to read their own evidence: docs/formats/keystore.md.
func storedMasterOpens(t *testing.T, f *shift) {
	r := f.prepared(t, f.s.SignIn("supervisor"))["K-0417 100000"]
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.s.Dir, "custos.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var name, bucket string
	var prefix []byte
	if err := db.QueryRow(`SELECT o.name, o.bucket, o.prefix FROM segments s JOIN vault_objects o ON o.id = s.object WHERE s.recording = ? AND s.number = ?`,
		r.ID, r.Segments[0].Number).Scan(&name, &bucket, &prefix); err != nil {
		t.Fatal(err)
	}
	payload, err := os.ReadFile(filepath.Join(f.s.Dir, "store", "objects", name[len(name)-2:], name))
	if err != nil {
		t.Fatal(err)
	}
	want := f.native[filepath.Base(r.Segments[0].FileName)]
	if bytes.Contains(payload, want[len(want)/2:len(want)/2+64]) {
		t.Error("the store holds plaintext")
	}
	sealed := filepath.Join(t.TempDir(), "master.age")
	if err := os.WriteFile(sealed, append(prefix, payload...), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(f.s.Dir, "keys")
	for program, open := range peers(t, true) {
		identity := filepath.Join(t.TempDir(), "bucket.txt")
		if out, err := open(filepath.Join(keys, "server.key"), filepath.Join(keys, "buckets", bucket+".age"), identity).CombinedOutput(); err != nil {
			t.Fatalf("%s: open the bucket: %v: %s", program, err, out)
		}
		opens(t, program, open, identity, sealed, want)
	}
}
