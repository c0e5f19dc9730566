package bundle_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"custos/bundle"
	"custos/evidence"
	"custos/receipt/receipttest"
	"custos/tlog"
)

const (
	first  = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5ta")
	second = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5tb")
	theBag = evidence.ID("01kamxyz000000000000000000")
)

// hostile is a file name that tries everything.
const hostile = "DCIM/</script><script>alert(1)</script>\n\u202e\"'&4pm.mp4"

// story is a small log, its recordings and what a bundle of them needs.
type story struct {
	log     *receipttest.Log
	info    bundle.Info
	masters []bundle.Master
	bytes   map[string][]byte // by digest
}

// newStory has one recording of two segments, docked twice, and one of one
// segment, both looked at by somebody. footage sets how long masters are.
func newStory(footage ...int) *story {
	if len(footage) == 0 {
		footage = []int{3<<20 + 17, 5, 1 << 20}
	}
	s := &story{log: receipttest.NewLog("log"), bytes: map[string][]byte{}}
	s.log.Add("01kamwtz3f0w9hq1c7c9m2v5tz", evidence.Consult, evidence.Intent, nil, nil)
	s.collect(first, 1, hostile, footage[0])
	s.collect(second, 1, "DCIM/other.mp4", footage[2])
	s.collect(first, 2, "DCIM/AXIS_0002.MP4", footage[1])
	s.log.Add(first, evidence.Consult, evidence.Intent, []evidence.Field{
		evidence.F("purpose", "complaint"), evidence.F("note", "seen by \u202e<b>Insp. Patel</b>"),
	}, func(name string) bool { return name == "note" })
	s.log.Collect(first, 1, s.expect(0), nil) // docked again
	s.info = bundle.Info{
		Bundle: theBag, Force: "Example Constabulary", MadeAt: receipttest.Time, MadeBy: "DC 4711 Adeyemi",
		Recipient: "Smith & Partners </script>", Purpose: evidence.Purpose{Code: "disclosure", Reference: "42AB/8812/26"},
		Software: "custos 1.0", LogKey: s.log.Key.VKey, ReceiptKey: receipttest.NewKey("force.example/receipts", "r").VKey,
	}
	for _, id := range []evidence.ID{first, second} {
		r := bundle.Recording{Recording: evidence.Recording{ID: id, Device: "AXIS-W120-0017", Officer: "4711", StartedAt: receipttest.Time}}
		for _, m := range s.of(id) {
			r.Segments = append(r.Segments, evidence.Segment{Recording: id, Number: m.Segment, FileName: m.FileName, Digest: m.Digest, Length: m.Length})
		}
		s.info.Recordings = append(s.info.Recordings, r)
	}
	return s
}

func (s *story) collect(id evidence.ID, segment int, name string, length int) {
	b := bytes.Repeat([]byte(fmt.Sprintf("%s %d ", id, segment)), length/20+1)[:length]
	d := evidence.Digest(sha256.Sum256(b))
	s.bytes[d.String()] = b
	s.masters = append(s.masters, bundle.Master{Recording: id, Segment: segment, FileName: name, Digest: d, Length: int64(length)})
	s.log.Collect(id, segment, s.expect(len(s.masters)-1), nil)
}

func (s *story) expect(i int) receipttest.Expect {
	m := s.masters[i]
	return receipttest.Expect{Device: "AXIS-W120-0017", FileName: m.FileName, Digest: m.Digest, Length: m.Length}
}

func (s *story) of(id evidence.ID) []bundle.Master {
	var out []bundle.Master
	for _, m := range s.masters {
		if m.Recording == id {
			out = append(out, m)
		}
	}
	return out
}

// disclose records the intent for every recording.
func (s *story) disclose() {
	for _, r := range s.info.Recordings {
		s.log.Add(r.ID, evidence.Disclose, evidence.Intent, bundle.Commit(s.info.Bundle, s.of(r.ID)), nil)
	}
}

func (s *story) history(id evidence.ID) bundle.History {
	h := bundle.History{
		Recording: id, ItemKey: s.log.ItemKey(id), Events: s.log.Events(id), Proofs: map[int64][]tlog.Hash{},
		Checkpoint: string(s.log.Checkpoint(s.log.Size())), LogKey: s.log.Key.VKey,
	}
	for _, e := range h.Events {
		h.Proofs[e.Index] = s.log.Path(s.log.Size(), e.Index)
	}
	return h
}

// write makes the bag in dir.
func (s *story) write(dir string) (bundle.Summary, error) {
	ctx := context.Background()
	w, err := bundle.Create(dir, s.info)
	if err != nil {
		return bundle.Summary{}, err
	}
	for _, m := range s.masters {
		if err := w.AddMaster(ctx, m, bytes.NewReader(s.bytes[m.Digest.String()])); err != nil {
			return bundle.Summary{}, err
		}
	}
	for _, r := range s.info.Recordings {
		if err := w.SetHistory(s.history(r.ID)); err != nil {
			return bundle.Summary{}, err
		}
	}
	return w.Close(ctx)
}

func (s *story) mustWrite(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bag")
	if _, err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// load copies a bag into memory, where tests tamper with it.
func load(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func clone(bag fstest.MapFS) fstest.MapFS {
	out := fstest.MapFS{}
	for name, f := range bag {
		out[name] = &fstest.MapFile{Data: bytes.Clone(f.Data), Mode: f.Mode}
	}
	return out
}

// reseal writes manifests and chunk lists anew, as somebody who tampers well
// would.
func reseal(bag fstest.MapFS) {
	var octets, files int
	for _, name := range slices.Collect(maps.Keys(bag)) {
		rest, ok := strings.CutPrefix(name, "data/")
		if !ok {
			continue
		}
		b := bag[name].Data
		octets += len(b)
		files++
		var chunks []string
		for i := 0; i < len(b); i += 1 << 20 {
			chunks = append(chunks, evidence.Digest(sha256.Sum256(b[i:min(len(b), i+1<<20)])).String())
		}
		list, err := json.Marshal(map[string]any{"version": 1, "file": name, "chunkSize": 1 << 20, "sha256": chunks, "length": len(b)})
		if err != nil {
			panic(err)
		}
		bag["chunks/"+rest+".json"] = &fstest.MapFile{Data: list}
	}
	head, _, _ := strings.Cut(string(bag["bag-info.txt"].Data), "Payload-Oxum: ")
	bag["bag-info.txt"].Data = []byte(fmt.Sprintf("%sPayload-Oxum: %d.%d\n", head, octets, files))
	for _, m := range []string{"manifest-sha256.txt", "tagmanifest-sha256.txt"} {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(bag)) {
			payload := strings.HasPrefix(name, "data/")
			if name != "tagmanifest-sha256.txt" && payload == (m == "manifest-sha256.txt") {
				fmt.Fprintf(&b, "%s  %s\n", evidence.Digest(sha256.Sum256(bag[name].Data)), name)
			}
		}
		bag[m] = &fstest.MapFile{Data: []byte(b.String())}
	}
}

// edit changes a JSON file of the bag.
func edit[T any](t testing.TB, bag fstest.MapFS, name string, change func(*T)) {
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

func verify(t testing.TB, bag fs.FS, opt bundle.Options) bundle.Report {
	t.Helper()
	r, err := bundle.Verify(context.Background(), bag, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// names tells whether r has a check of that name and state whose subject and
// sentence hold the texts.
func names(r bundle.Report, state bundle.State, name, subject, says string) bool {
	return slices.ContainsFunc(r.Checks, func(c bundle.Check) bool {
		return c.State == state && c.Name == name && strings.Contains(c.Subject, subject) && strings.Contains(c.Says, says)
	})
}

func show(r bundle.Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-10s %-11s %s: %s\n", c.State, c.Name, c.Subject, c.Says)
	}
	return b.String()
}

// failing is a reader that ends in an error.
func failing(b []byte, err error) io.Reader {
	return io.MultiReader(bytes.NewReader(b), &broken{err})
}

type broken struct{ err error }

func (b *broken) Read([]byte) (int, error) { return 0, b.err }

func sum(b []byte) string { return evidence.Digest(sha256.Sum256(b)).String() }

// macOf withholds an opened field: docs/formats/ledger.md.
func macOf(f tlog.OpenField) []byte {
	h := hmac.New(sha256.New, f.Salt)
	fmt.Fprintf(h, "%s\x00%s", f.Name, *f.Value)
	return h.Sum(nil)
}
