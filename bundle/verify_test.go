package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/tlog"
	"custos/tlog/tlogtest"
)

func TestGoodBagIsSound(t *testing.T) {
	s := bundletest.New()
	s.Disclose()
	bag := load(t, mustWrite(t, s))
	r := verify(t, bag, bundle.Options{LogKey: s.Log.Key.VKey, ReceiptKey: s.Info.ReceiptKey})
	if r.Outcome() != bundle.Sound {
		t.Fatalf("%s\n%s", r.Outcome(), show(r))
	}
	for _, name := range []string{"bag", "files", "chunks", "openings", "chain", "complete", "masters", "metadata", "checkpoint", "inclusion", "key", "receipt_key", "viewer"} {
		if !names(r, bundle.Proven, name, "", "") {
			t.Errorf("%s is not proven:\n%s", name, show(r))
		}
	}
	for _, name := range []string{"witness", "timestamp"} {
		if !names(r, bundle.NotProven, name, "", "") {
			t.Errorf("%s is not said to be open", name)
		}
	}
	if len(r.Recordings) != 2 || r.Recordings[0].Masters != 2 || r.Recordings[0].Events != 8 || r.Files != len(bag) {
		t.Errorf("%+v", r)
	}
	if r := verify(t, bag, bundle.Options{}); r.Outcome() != bundle.Unconfirmed || r.Fingerprint == "" {
		t.Errorf("without a pinned key: %s\n%s", r.Outcome(), show(r))
	}
}

type eventsFile struct {
	Version   int              `json:"version"`
	Histories []bundle.History `json:"histories"`
}

// Every way to tamper, by somebody who knows the format and writes manifests
// and chunk lists anew, but does not have the log's key.
func TestTamperingIsNamed(t *testing.T) {
	s := bundletest.New()
	s.Disclose()
	good := load(t, mustWrite(t, s))
	other := bundletest.New(7, 7, 7)
	other.Log.Key = tlogtest.NewKey("force.example/log", "stranger")
	other.Info.LogKey = other.Log.Key.VKey
	other.Disclose()
	foreign := load(t, mustWrite(t, other))
	master := "data/" + string(first) + "/02_AXIS_0002.MP4"
	for _, c := range []struct {
		name           string
		change         func(t *testing.T, bag fstest.MapFS)
		check, subject string
		says           string
	}{
		{"changed master", func(_ *testing.T, b fstest.MapFS) { b[master].Data[0] ^= 1 }, "masters", master, "not the file that was collected"},
		{"longer master", func(_ *testing.T, b fstest.MapFS) { b[master].Data = append(b[master].Data, 0) }, "masters", master, "not the file that was collected"},
		{"masters changed places", func(_ *testing.T, b fstest.MapFS) {
			o := "data/" + string(second) + "/01_other.mp4"
			b[master], b[o] = b[o], b[master]
		}, "masters", string(second), "not the file that was collected"},
		{"changed master and description", func(t *testing.T, b fstest.MapFS) {
			b[master].Data[0] ^= 1
			redescribe(t, b, master)
		}, "masters", master, "Other bytes were collected"},
		{"master left out", func(t *testing.T, b fstest.MapFS) {
			delete(b, master)
			delete(b, "chunks/"+strings.TrimPrefix(master, "data/")+".json")
		}, "metadata", master, "not in the bundle"},
		{"master left out and not described", func(t *testing.T, b fstest.MapFS) {
			delete(b, master)
			delete(b, "chunks/"+strings.TrimPrefix(master, "data/")+".json")
			edit(t, b, "metadata.json", func(m *map[string]any) {
				(*m)["files"] = slices.DeleteFunc((*m)["files"].([]any), func(f any) bool { return f.(map[string]any)["path"] == master })
			})
		}, "complete", string(first), "for other masters"},
		{"master added", func(_ *testing.T, b fstest.MapFS) {
			b["data/"+string(first)+"/03_x.mp4"] = &fstest.MapFile{Data: []byte("x")}
		}, "metadata", "03_x.mp4", "not described"},
		{"tag file added", func(_ *testing.T, b fstest.MapFS) { b["read-me-first.html"] = &fstest.MapFile{} }, "bag", "read-me-first.html", "No bundle has a file of this name"},
		{"field altered", history(func(h *bundle.History) {
			v := "training"
			h.Events[6].Fields[len(h.Events[6].Fields)-1].Value = &v
		}), "openings", string(first) + " event 7", "altered"},
		{"field altered in the chain", history(func(h *bundle.History) { v := "x"; h.Events[1].Fields[6].Value = &v }), "chain", string(first), "Event 2 was altered"},
		{"withheld field altered", history(func(h *bundle.History) {
			last := &h.Events[4].Fields[len(h.Events[4].Fields)-1]
			if last.Name != "note" || last.Value != nil {
				panic("the story has changed")
			}
			last.MAC[3] ^= 1
		}), "openings", string(first) + " event 5", "altered"},
		{"digest withheld", history(func(h *bundle.History) {
			for i := range h.Events {
				if p, _ := h.Events[i].Get("phase"); p == "outcome" {
					h.Events[i] = withhold(h.Events[i], "sha256")
				}
			}
		}), "masters", master, "Other bytes were collected"},
		{"verb withheld", history(func(h *bundle.History) { h.Events[4] = withhold(h.Events[4], "verb") }), "openings", "event 5", "does not show what was done"},
		{"event dropped", history(func(h *bundle.History) { h.Events = slices.Delete(h.Events, 4, 5) }), "chain", string(first), "Event 5 is missing"},
		{"first event dropped", history(func(h *bundle.History) { h.Events = h.Events[1:] }), "chain", string(first), "Event 1 is missing"},
		{"tail dropped", history(func(h *bundle.History) { h.Events = h.Events[:len(h.Events)-1] }), "complete", string(first), "does not end with the disclosure"},
		{"whole history dropped", history(func(h *bundle.History) { h.Events = nil }), "complete", string(first), "empty"},
		{"events reordered", history(func(h *bundle.History) { h.Events[2], h.Events[4] = h.Events[4], h.Events[2] }), "chain", string(first), "stands before"},
		{"event doubled", history(func(h *bundle.History) { h.Events = slices.Insert(h.Events, 5, h.Events[4]) }), "chain", string(first), "stands twice"},
		{"foreign event", history(func(h *bundle.History) { h.Events[4] = s.Log.Events(second)[1] }), "chain", string(first), "something else"},
		{"item key of another", history(func(h *bundle.History) { h.ItemKey = s.Log.ItemKey(second) }), "chain", string(first), "something else"},
		{"item key missing", history(func(h *bundle.History) { h.ItemKey = nil }), "chain", string(first), "key that ties"},
		{"history twice", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "custody/events.json", func(e *eventsFile) { e.Histories = append(e.Histories, e.Histories[0]) })
		}, "metadata", string(first), "twice"},
		{"history of a recording missing", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "custody/events.json", func(e *eventsFile) { e.Histories = e.Histories[1:] })
		}, "metadata", string(first), "without a history"},
		{"recording left out of history and description", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "custody/events.json", func(e *eventsFile) { e.Histories = e.Histories[:1] })
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["recordings"] = (*m)["recordings"].([]any)[:1] })
		}, "masters", string(second), "no history"},
		{"spare proof", func(_ *testing.T, b fstest.MapFS) {
			b["custody/proofs/9999.tlog-proof"] = b["custody/proofs/0001.tlog-proof"]
		}, "bag", "9999", "belongs to no event"},
		{"proof missing", func(_ *testing.T, b fstest.MapFS) { delete(b, "custody/proofs/0003.tlog-proof") }, "inclusion", "0003", "missing"},
		{"proof of another event", func(_ *testing.T, b fstest.MapFS) {
			b["custody/proofs/0003.tlog-proof"] = b["custody/proofs/0002.tlog-proof"]
		}, "inclusion", "event 3", "another place"},
		{"proof broken", func(_ *testing.T, b fstest.MapFS) { b["custody/proofs/0003.tlog-proof"].Data[3] ^= 1 }, "inclusion", "event 3", "cannot be read"},
		{"proof path altered", func(_ *testing.T, b fstest.MapFS) {
			p, err := tlog.ParseProof(b["custody/proofs/0003.tlog-proof"].Data)
			if err != nil {
				panic(err)
			}
			p.Path[0][0] ^= 1
			b["custody/proofs/0003.tlog-proof"].Data = p.Marshal()
		}, "inclusion", "event 3", "something else at the place"},
		{"stale checkpoint", func(_ *testing.T, b fstest.MapFS) { reproveAt(s, b, 9) }, "inclusion", string(first), "older than the event"},
		{"checkpoint of another size", func(_ *testing.T, b fstest.MapFS) {
			b["custody/checkpoint"].Data = s.Log.Checkpoint(s.Log.Size() - 1)
		}, "inclusion", string(first), "another checkpoint"},
		{"signature altered", func(_ *testing.T, b fstest.MapFS) {
			c := b["custody/checkpoint"].Data
			c[len(c)-10] ^= 1
		}, "checkpoint", "", "not signed by the log's key"},
		{"checkpoint unreadable", func(_ *testing.T, b fstest.MapFS) { b["custody/checkpoint"].Data = []byte("x") }, "checkpoint", "", "cannot be read"},
		{"log key swapped", func(_ *testing.T, b fstest.MapFS) { b["keys/log.vkey"].Data = []byte(other.Info.LogKey + "\n") }, "key", "keys/log.vkey", "not the one that you gave"},
		{"log key unreadable", func(_ *testing.T, b fstest.MapFS) { b["keys/log.vkey"].Data = []byte("x\n") }, "key", "keys/log.vkey", "cannot be read"},
		{"receipt key swapped", func(_ *testing.T, b fstest.MapFS) {
			b["keys/receipt.vkey"].Data = []byte(other.Info.LogKey + "\n")
		}, "receipt_key", "", "not the one that you gave"},
		{"whole bag by a stranger", func(_ *testing.T, b fstest.MapFS) {
			clear(b)
			maps.Copy(b, clone(foreign))
		}, "checkpoint", "", "not signed by the log's key"},
		{"bundle renamed", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["bundle"] = "01kamxyz000000000000000001" })
			b["bag-info.txt"].Data = bytes.Replace(b["bag-info.txt"].Data, []byte(bundletest.Bundle), []byte("01kamxyz000000000000000001"), 1)
		}, "complete", string(second), "does not end with the disclosure"},
		{"bag-info of another bundle", func(_ *testing.T, b fstest.MapFS) {
			b["bag-info.txt"].Data = bytes.Replace(b["bag-info.txt"].Data, []byte(bundletest.Bundle), []byte("01kamxyz000000000000000001"), 1)
		}, "metadata", "bag-info.txt", "another bundle"},
		{"file name changed", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) {
				(*m)["files"].([]any)[1].(map[string]any)["fileName"] = "elsewhere/AXIS_0002.MP4"
			})
		}, "metadata", master, "another name on the camera"},
		{"camera changed", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["recordings"].([]any)[0].(map[string]any)["device"] = "X" })
		}, "metadata", string(first), "another camera"},
		{"viewer shows another recipient", func(_ *testing.T, b fstest.MapFS) {
			b["view.html"].Data = bytes.Replace(b["view.html"].Data, []byte("Smith"), []byte("Smyth"), 1)
		}, "viewer", "", "something else"},
		{"viewer has two readings", func(_ *testing.T, b fstest.MapFS) {
			b["view.html"].Data = bytes.Replace(b["view.html"].Data, []byte(`"metadata":`), []byte(`"Metadata":{},"metadata":`), 1)
		}, "viewer", "", "no data that can be read"},
		{"recipient changed everywhere", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["recipient"] = "Somebody else" })
			b["view.html"].Data = bytes.Replace(b["view.html"].Data, []byte(`Smith \u0026 Partners \u003c/script\u003e`), []byte("Somebody else"), 1)
		}, "metadata", string(first), "for somebody else"},
		{"purpose changed", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["purpose"].(map[string]any)["reference"] = "1/1" })
		}, "metadata", string(first), "under another reference"},
		{"metadata of another version", func(t *testing.T, b fstest.MapFS) {
			edit(t, b, "metadata.json", func(m *map[string]any) { (*m)["version"] = 2 })
		}, "metadata", "metadata.json", "version 2"},
		{"events are no JSON", func(_ *testing.T, b fstest.MapFS) { b["custody/events.json"].Data = []byte("{") }, "openings", "events.json", "not JSON"},
		{"not a bag", func(_ *testing.T, b fstest.MapFS) { b["bagit.txt"].Data = []byte("BagIt-Version: 0.97\n") }, "bag", "bagit.txt", "BagIt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bag := clone(good)
			c.change(t, bag)
			bundletest.Reseal(bag)
			r := verify(t, bag, bundle.Options{LogKey: s.Log.Key.VKey, ReceiptKey: s.Info.ReceiptKey})
			if r.Outcome() != bundle.Wrong || !names(r, bundle.Failed, c.check, c.subject, c.says) {
				t.Errorf("%s: no failed %q of %q says %q\n%s", r.Outcome(), c.check, c.subject, c.says, show(r))
			}
			if names(r, bundle.Failed, "files", "", "") {
				t.Errorf("the manifests were not written anew:\n%s", show(r))
			}
		})
	}
}

// history is a change of the first recording's history, proofs included.
func history(change func(*bundle.History)) func(*testing.T, fstest.MapFS) {
	return func(t *testing.T, bag fstest.MapFS) {
		edit(t, bag, "custody/events.json", func(e *eventsFile) { change(&e.Histories[0]) })
	}
}

func withhold(e tlog.Opening, name string) tlog.Opening {
	e.Fields = slices.Clone(e.Fields)
	for i, f := range e.Fields {
		if f.Name == name {
			e.Fields[i] = tlog.OpenField{Name: name, MAC: macOf(f)}
		}
	}
	return e
}

// redescribe makes metadata.json fit a master that was changed.
func redescribe(t *testing.T, bag fstest.MapFS, name string) {
	d := sum(bag[name].Data)
	edit(t, bag, "metadata.json", func(m *map[string]any) {
		for _, f := range (*m)["files"].([]any) {
			if f := f.(map[string]any); f["path"] == name {
				f["sha256"] = d
			}
		}
	})
}

// reproveAt puts an older checkpoint under every proof.
func reproveAt(s *bundletest.Story, bag fstest.MapFS, size int64) {
	old := s.Log.Checkpoint(size)
	bag["custody/checkpoint"].Data = old
	for name, f := range bag {
		if !strings.HasPrefix(name, "custody/proofs/") {
			continue
		}
		p, err := tlog.ParseProof(f.Data)
		if err != nil {
			panic(err)
		}
		if p.Checkpoint = old; p.Index < size {
			p.Path = s.Log.Path(size, p.Index)
		}
		f.Data = p.Marshal()
	}
}

// Without touching the manifests, every change of any file is a changed file.
func TestEveryFileIsCovered(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	good := load(t, mustWrite(t, s))
	opt := bundle.Options{LogKey: s.Log.Key.VKey}
	for name := range good {
		n := len(good[name].Data)
		for _, at := range []int{0, n / 3, n / 2, n - 2, n - 1} {
			bag := clone(good)
			bag[name].Data[max(at, 0)] ^= 1
			if r := verify(t, bag, opt); r.Outcome() != bundle.Wrong || !namesFile(r, name) {
				t.Errorf("byte %d of %s: %s\n%s", at, name, r.Outcome(), show(r))
			}
		}
		bag := clone(good)
		delete(bag, name)
		if r := verify(t, bag, opt); !names(r, bundle.Failed, "bag", name, "missing") {
			t.Errorf("%s is missed by nobody:\n%s", name, show(r))
		}
	}
	bag := clone(good)
	bag["data/extra.mp4"] = &fstest.MapFile{Data: []byte("x")}
	if r := verify(t, bag, opt); !names(r, bundle.Failed, "bag", "data/extra.mp4", "added after") {
		t.Errorf("an added file is not named:\n%s", show(r))
	}
	bag = clone(good)
	bag["keys/log.vkey"].Mode = fs.ModeSymlink
	if r := verify(t, bag, opt); !names(r, bundle.Failed, "bag", "keys/log.vkey", "not an ordinary file") {
		t.Errorf("a link is not named:\n%s", show(r))
	}
}

// namesFile: a change of a manifest shows in the files it lists, or in itself.
func namesFile(r bundle.Report, name string) bool {
	if strings.HasSuffix(name, "manifest-sha256.txt") {
		return len(r.Failed()) > 0
	}
	return names(r, bundle.Failed, "files", name, "")
}

func TestDamageIsLocated(t *testing.T) {
	s := bundletest.New(5<<20, 5, 7)
	s.Disclose()
	bag := load(t, mustWrite(t, s))
	for name, f := range bag {
		if len(f.Data) == 5<<20 {
			f.Data[2<<20+9] ^= 1
			f.Data[4<<20] ^= 1
			r := verify(t, bag, bundle.Options{})
			if !names(r, bundle.Failed, "chunks", name, "MiB number 3, 5.") {
				t.Error(show(r))
			}
		}
	}
}

// A force that holds the key can write another log. Two checkpoints show it.
func TestForkIsNamedByASecondCheckpoint(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	bag := load(t, mustWrite(t, s))
	size := s.Log.Size()
	fork := bundletest.New(4, 5, 7)
	fork.Disclose()
	s.Log.Add(first, evidence.Consult, evidence.Intent, nil, nil)
	for _, c := range []struct {
		newer []byte
		state bundle.State
		says  string
	}{
		{s.Log.Checkpoint(size), bundle.Proven, "is the one in the bundle"},
		{fork.Log.Checkpoint(size), bundle.Failed, "forked"},
		{s.Log.Checkpoint(size + 1), bundle.NotProven, "is older than the one that you gave"},
		{s.Log.Checkpoint(size - 1), bundle.NotProven, "that you gave is older"},
		{[]byte("x"), bundle.Failed, "not of this log"},
	} {
		if r := verify(t, bag, bundle.Options{LogKey: s.Log.Key.VKey, Newer: c.newer}); !names(r, c.state, "newer", "", c.says) {
			t.Errorf("no %s %q:\n%s", c.state, c.says, show(r))
		}
	}
}

func TestVerifyFailsOnlyWhereItCannotWork(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	bag := load(t, mustWrite(t, s))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bundle.Verify(ctx, bag, bundle.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := bundle.Verify(t.Context(), bag, bundle.Options{LogKey: "x"}); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("bad log key: %v", err)
	}
	if _, err := bundle.Verify(t.Context(), bag, bundle.Options{ReceiptKey: "x"}); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("bad receipt key: %v", err)
	}
	if _, err := bundle.Verify(t.Context(), noFS{}, bundle.Options{}); evidence.CodeOf(err) != evidence.NotFound {
		t.Errorf("no folder: %v", err)
	}
	if r := verify(t, fstest.MapFS{"x": {}}, bundle.Options{}); r.Outcome() != bundle.Wrong {
		t.Errorf("a folder that is no bag: %s", show(r))
	}
	var last, total int64
	r, err := bundle.Verify(t.Context(), bag, bundle.Options{Progress: func(d, n int64) { last, total = d, n }})
	if err != nil || last != total || total != r.Bytes || total == 0 {
		t.Errorf("progress ended at %d of %d, %d bytes: %v", last, total, r.Bytes, err)
	}
}

type noFS struct{}

func (noFS) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

// scratched is a disc on which one file ends in a read error.
type scratched struct {
	fs.FS
	name string
}

func (s scratched) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err == nil && name == s.name {
		f = scratchedFile{f}
	}
	return f, err
}

type scratchedFile struct{ fs.File }

func (scratchedFile) Read(p []byte) (int, error) { return len(p) / 2, fs.ErrInvalid }

func TestADamagedDiscIsNamed(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	bag := load(t, mustWrite(t, s))
	for name := range bag {
		r := verify(t, scratched{bag, name}, bundle.Options{LogKey: s.Log.Key.VKey})
		if r.Outcome() != bundle.Wrong || !slices.ContainsFunc(r.Failed(), func(c bundle.Check) bool {
			return c.Subject == name && strings.Contains(c.Says, "medium is damaged")
		}) {
			t.Errorf("%s: %s\n%s", name, r.Outcome(), show(r))
		}
	}
}

// Somebody who writes any file anew, and all manifests, makes no sound bag.
func FuzzVerify(f *testing.F) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	good := load(f, mustWrite(f, s))
	paths := slices.Sorted(maps.Keys(good))
	for i, name := range paths {
		if strings.HasSuffix(name, ".json") || strings.HasPrefix(name, "custody/") || strings.HasPrefix(name, "keys/") {
			f.Add(uint8(i), good[name].Data)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		name := paths[int(i)%len(paths)]
		bag := clone(good)
		bag[name].Data = b
		r, err := bundle.Verify(t.Context(), bag, bundle.Options{LogKey: s.Log.Key.VKey})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Outcome() == bundle.Sound) != bytes.Equal(b, good[name].Data) {
			t.Fatalf("%s: %s\n%s", name, r.Outcome(), show(r))
		}
		bundletest.Reseal(bag)
		if _, err := bundle.Verify(t.Context(), bag, bundle.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}
