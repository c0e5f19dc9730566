package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"custos/database/databasetest"
)

// TestStockClients lets tus-js-client and Uppy upload to the real handler, in
// node. It needs testdata/tusclient/node_modules (npm ci there); with
// CUSTOS_TEST_NODE or CUSTOS_TEST_ALL set its absence is a failure.
func TestStockClients(t *testing.T) {
	dir := filepath.Join("testdata", "tusclient")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "tus-js-client")); err != nil {
		if os.Getenv("CUSTOS_TEST_NODE") == "" && os.Getenv("CUSTOS_TEST_ALL") == "" {
			t.Skip("the stock tus clients are not installed: run npm ci in ingest/testdata/tusclient")
		}
		t.Fatal(err)
	}
	st := newStation(t, databasetest.SQLite(t), func(c *Config) { c.Now = time.Now })
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		if err := st.s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	base := st.serve()
	node := exec.CommandContext(ctx, "node", "run.mjs", base+"/files/")
	node.Dir = dir
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s%s", err, out, stderr.Bytes())
	}
	type line struct{ Name, URL, SHA256, Error, Note string }
	seen := map[string]line{}
	d := json.NewDecoder(bytes.NewReader(out))
	for d.More() {
		var l line
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		seen[l.Name] = l
		if l.Error != "" {
			t.Errorf("%s: %s", l.Name, l.Error)
		} else if l.URL != "" {
			u, err := url.Parse(l.URL)
			if err != nil {
				t.Fatal(err)
			}
			res := request(t, "GET", base+u.Path+"/receipt?wait=20", nil)
			expect(t, res, 200)
			if m := st.fake.masters[idOf(u.Path)]; m.digest.String() != l.SHA256 {
				t.Errorf("%s: collected %s, want %s", l.Name, m.digest, l.SHA256)
			}
		}
	}
	if len(seen) != 15 {
		t.Errorf("heard of %d stories", len(seen))
	}
	if l := seen["tus-js-client wrong checksum"]; l.Note != "460" {
		t.Errorf("a wrong checksum was answered with %q", l.Note)
	}
	if l := seen["tus-js-client terminates"]; l.Note != "410" {
		t.Errorf("after termination HEAD says %q", l.Note)
	}
	if n := len(seen) - 2; len(st.fake.masters) != n {
		t.Errorf("%d masters, want %d", len(st.fake.masters), n)
	}
}
