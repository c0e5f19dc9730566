package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/test/rig"
	"custos/tlog"
)

// export discloses recordings as the bag dir.
func export(t *testing.T, s *rig.Service, dir string, args ...string) {
	t.Helper()
	var done struct {
		Bundle, Dir string
		Files       int
	}
	out := s.Run(append([]string{"export", "--json", "--to", "Defence", "--reference", "42AB/8812/26", "--out", dir}, args...)...)
	if err := json.Unmarshal([]byte(out), &done); err != nil || done.Dir != dir || done.Files == 0 {
		t.Fatalf("export: %v: %s", err, out)
	}
}

// verdict is what custos-verify says of a bag, and its exit code.
func verdict(t *testing.T, s *rig.Service, args ...string) (exit int, r bundle.Report) {
	t.Helper()
	cmd := exec.Command(filepath.Join(s.Bin, "custos-verify"), append([]string{"--json"}, args...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	exit = cmd.ProcessState.ExitCode()
	if exit == 2 {
		return exit, r
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("custos-verify ended with %d: %v: %s%s", exit, err, &out, &said)
	}
	return exit, r
}

// names tells whether a report has a check of this state, name and subject.
func names(r bundle.Report, state bundle.State, name, subject string) bool {
	return slices.ContainsFunc(r.Checks, func(c bundle.Check) bool {
		return c.State == state && c.Name == name && strings.Contains(c.Subject, subject)
	})
}

func load(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	bag := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		bag[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bag
}

func clone(bag fstest.MapFS) fstest.MapFS {
	c := fstest.MapFS{}
	for name, f := range bag {
		c[name] = &fstest.MapFile{Data: slices.Clone(f.Data)}
	}
	return c
}

// edit changes a JSON file of a bag.
func edit[T any](t *testing.T, bag fstest.MapFS, name string, change func(*T)) {
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

type eventsFile struct {
	Version   int              `json:"version"`
	Histories []bundle.History `json:"histories"`
}

// events changes the histories of a bag.
func events(change func([]bundle.History)) func(*testing.T, fstest.MapFS) {
	return func(t *testing.T, bag fstest.MapFS) {
		edit(t, bag, "custody/events.json", func(e *eventsFile) { change(e.Histories) })
	}
}

// proofs changes every proof of a bag.
func proofs(t *testing.T, bag fstest.MapFS, change func(*tlog.Proof)) {
	t.Helper()
	for name, f := range bag {
		if !strings.HasPrefix(name, "custody/proofs/") {
			continue
		}
		p, err := tlog.ParseProof(f.Data)
		if err != nil {
			t.Fatal(err)
		}
		change(&p)
		f.Data = p.Marshal()
	}
}

// resigned puts a key of somebody else, and the checkpoint signed by it, into
// a bag: everything in it then fits together.
func resigned(t *testing.T, bag fstest.MapFS, swapKey bool) {
	t.Helper()
	head, err := tlog.ParseCheckpoint(bag["custody/checkpoint"].Data)
	if err != nil {
		t.Fatal(err)
	}
	secret, vkey, err := note.GenerateKey(rand.Reader, head.Origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := head.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	was, wasKey := asJSON(t, string(bag["custody/checkpoint"].Data)), strings.TrimSpace(string(bag["keys/log.vkey"].Data))
	bag["custody/checkpoint"].Data = signed
	proofs(t, bag, func(p *tlog.Proof) { p.Checkpoint = signed })
	page := strings.ReplaceAll(string(bag["view.html"].Data), was, asJSON(t, string(signed)))
	if swapKey {
		bag["keys/log.vkey"].Data = []byte(vkey + "\n")
		page = strings.ReplaceAll(page, asJSON(t, wasKey), asJSON(t, vkey))
	}
	bag["view.html"].Data = []byte(page)
}

func asJSON(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func courtVerifies(t *testing.T, f *shift) {
	who := f.s.SignIn("supervisor")
	all := f.prepared(t, who)
	first, second := all["K-0417 100000"], all["K-0417 120000"]
	proven(t, history(t, who, first.ID), f.s.LogKey())
	_, _, stale := who.Do(http.MethodGet, "/log/checkpoint", nil)
	consult(t, who, first.ID) // the log goes on

	dir := filepath.Join(t.TempDir(), "bundle")
	export(t, f.s, dir, first.ID, second.ID)
	for _, manifest := range []string{"manifest-sha256.txt", "tagmanifest-sha256.txt"} {
		cmd := exec.Command("sha256sum", "--quiet", "--strict", "-c", manifest)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("sha256sum: %v: %s", err, out)
		}
	}
	key := f.s.LogKey()
	exit, r := verdict(t, f.s, "--log-key", key, dir)
	if exit != 0 {
		t.Fatalf("custos-verify ends with %d: %+v", exit, r.Failed())
	}
	for _, check := range []string{"bag", "files", "chunks", "openings", "chain", "complete", "masters", "metadata", "checkpoint", "inclusion", "key", "viewer"} {
		if !names(r, bundle.Proven, check, "") {
			t.Errorf("%s is not proven", check)
		}
	}
	if exit, _ := verdict(t, f.s, dir); exit != 3 {
		t.Errorf("without the force's key: exit %d, want 3", exit)
	}
	if exit, _ := verdict(t, f.s, dir+"-elsewhere"); exit != 2 {
		t.Errorf("without a bundle: exit %d, want 2", exit)
	}
	now := filepath.Join(t.TempDir(), "checkpoint")
	_, _, text := who.Do(http.MethodGet, "/log/checkpoint", nil)
	if err := os.WriteFile(now, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, r := verdict(t, f.s, "--log-key", key, "--checkpoint", now, dir); exit != 0 {
		t.Errorf("with today's checkpoint: exit %d: %+v", exit, r.Failed())
	}
	bag := load(t, dir)
	for name, b := range bag {
		if rest, ok := strings.CutPrefix(name, "data/"+first.ID+"/"); ok {
			if _, file, _ := strings.Cut(rest, "_"); !bytes.Equal(b.Data, f.native[file]) {
				t.Errorf("%s is not what was on the camera", name)
			}
		}
	}
	tamperings(t, f.s, bag, evidence.ID(first.ID), evidence.ID(second.ID), stale)
}

// tamperings are made by somebody who knows the format and, unless plain,
// writes all manifests anew. Each must be seen and named.
func tamperings(t *testing.T, s *rig.Service, good fstest.MapFS, first, second evidence.ID, stale []byte) {
	var master string
	for name := range good {
		if strings.HasPrefix(name, "data/"+string(first)) && (master == "" || name < master) {
			master = name
		}
	}
	index := func(h []bundle.History, id evidence.ID) int {
		return slices.IndexFunc(h, func(h bundle.History) bool { return h.Recording == id })
	}
	of := func(id evidence.ID, change func(*bundle.History)) func(*testing.T, fstest.MapFS) {
		return events(func(h []bundle.History) { change(&h[index(h, id)]) })
	}
	type change = func(*testing.T, fstest.MapFS)
	key := s.LogKey()
	for _, c := range []struct {
		name           string
		plain          bool // manifests as they were
		change         change
		check, subject string
	}{
		{"a byte of a master", true, func(_ *testing.T, b fstest.MapFS) { b[master].Data[100] ^= 1 }, "files", master},
		{"a byte of a master, manifests anew", false, func(_ *testing.T, b fstest.MapFS) { b[master].Data[100] ^= 1 }, "masters", master},
		{"a master cut", false, func(_ *testing.T, b fstest.MapFS) { b[master].Data = b[master].Data[:1000] }, "masters", master},
		{"a master left out", false, func(_ *testing.T, b fstest.MapFS) {
			delete(b, master)
			delete(b, "chunks/"+strings.TrimPrefix(master, "data/")+".json")
		}, "metadata", master},
		{"a byte of the metadata", true, func(_ *testing.T, b fstest.MapFS) { b["metadata.json"].Data[60] ^= 1 }, "files", "metadata.json"},
		{"the camera in the metadata", false, func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["recordings"].([]any)[0].(map[string]any)["device"] = "K-9999" })
		}, "metadata", ""},
		{"an event dropped", false, of(first, func(h *bundle.History) { h.Events = slices.Delete(h.Events, 1, 2) }), "chain", string(first)},
		{"the last event dropped", false, of(first, func(h *bundle.History) { h.Events = h.Events[:len(h.Events)-1] }), "complete", string(first)},
		{"events reordered", false, of(first, func(h *bundle.History) { h.Events[1], h.Events[2] = h.Events[2], h.Events[1] }), "chain", string(first)},
		{"an event doubled", false, of(first, func(h *bundle.History) { h.Events = slices.Insert(h.Events, 2, h.Events[1]) }), "chain", string(first)},
		{"a foreign event", false, events(func(h []bundle.History) {
			h[index(h, first)].Events[1] = h[index(h, second)].Events[1]
		}), "chain", string(first)},
		{"a field altered", false, of(first, func(h *bundle.History) {
			for i := range h.Events[0].Fields {
				if f := &h.Events[0].Fields[i]; f.Name == "actor_name" {
					v := "somebody else"
					f.Value = &v
				}
			}
		}), "openings", string(first) + " event 1"},
		{"a proof altered", false, func(t *testing.T, b fstest.MapFS) {
			p, err := tlog.ParseProof(b["custody/proofs/0002.tlog-proof"].Data)
			if err != nil {
				t.Fatal(err)
			}
			p.Path[0][3] ^= 1
			b["custody/proofs/0002.tlog-proof"].Data = p.Marshal()
		}, "inclusion", "event 2"},
		{"a stale checkpoint", false, func(t *testing.T, b fstest.MapFS) {
			b["custody/checkpoint"].Data = stale
			proofs(t, b, func(p *tlog.Proof) { p.Checkpoint = stale })
		}, "inclusion", ""},
		{"a checkpoint of another log", false, func(t *testing.T, b fstest.MapFS) { resigned(t, b, false) }, "checkpoint", ""},
		{"another key, everything signed with it", false, func(t *testing.T, b fstest.MapFS) { resigned(t, b, true) }, "key", "keys/log.vkey"},
		{"a file added", true, func(_ *testing.T, b fstest.MapFS) { b["data/more.mp4"] = &fstest.MapFile{Data: []byte("x")} }, "bag", "data/more.mp4"},
		{"a file added, manifests anew", false, func(_ *testing.T, b fstest.MapFS) {
			b["data/"+string(first)+"/09_more.mp4"] = &fstest.MapFile{Data: []byte("x")}
		}, "metadata", "09_more.mp4"},
		{"a file removed", true, func(_ *testing.T, b fstest.MapFS) { delete(b, "README.txt") }, "bag", "README.txt"},
		{"the viewer's page", true, func(_ *testing.T, b fstest.MapFS) { b["view.html"].Data[500] ^= 1 }, "files", "view.html"},
		{"what the viewer shows", false, func(_ *testing.T, b fstest.MapFS) {
			b["view.html"].Data = bytes.Replace(b["view.html"].Data, []byte(`"recipient":"Defence"`), []byte(`"recipient":"Nobody!"`), 1)
		}, "viewer", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bag := clone(good)
			c.change(t, bag)
			if !c.plain {
				bundletest.Reseal(bag)
			}
			dir := filepath.Join(t.TempDir(), "bag")
			if err := os.CopyFS(dir, bag); err != nil {
				t.Fatal(err)
			}
			exit, r := verdict(t, s, "--log-key", key, dir)
			if exit != 1 || !names(r, bundle.Failed, c.check, c.subject) {
				t.Errorf("exit %d; no failed check %q of %q in %+v", exit, c.check, c.subject, r.Failed())
			}
		})
	}
	// A program of another release looks the same to this one, so it is named
	// and not called wrong: docs/formats/bundle.md.
	t.Run("the viewer's program", func(t *testing.T) {
		bag := clone(good)
		bag["view.html"].Data = bytes.Replace(bag["view.html"].Data, []byte("</body>"), []byte("<script>alert(1)</script></body>"), 1)
		bundletest.Reseal(bag)
		dir := filepath.Join(t.TempDir(), "bag")
		if err := os.CopyFS(dir, bag); err != nil {
			t.Fatal(err)
		}
		if exit, r := verdict(t, s, "--log-key", key, dir); exit != 3 || !names(r, bundle.NotProven, "viewer", "view.html") {
			t.Errorf("%+v", r.Checks)
		}
	})
	t.Run("a bag that fits together by another key is sound to nobody", func(t *testing.T) {
		bag := clone(good)
		resigned(t, bag, true)
		bundletest.Reseal(bag)
		dir := filepath.Join(t.TempDir(), "bag")
		if err := os.CopyFS(dir, bag); err != nil {
			t.Fatal(err)
		}
		if exit, r := verdict(t, s, dir); exit != 3 || !names(r, bundle.NotProven, "key", "") {
			t.Errorf("exit %d: %+v", exit, r.Failed())
		}
	})
}
