package bundle_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/tlog/tlogtest"
)

func TestWhatIsWrittenLiesUnderItsNameOnlyWhenWhole(t *testing.T) {
	s := bundletest.New()
	s.Disclose()
	dir := filepath.Join(t.TempDir(), "bag")
	sum, err := s.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := os.ReadFile(filepath.Join(dir, "tagmanifest-sha256.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := bundle.Summary{Dir: dir, Files: 3, Bytes: 4<<20 + 22, TagManifest: sha256.Sum256(tag)}
	if d := cmp.Diff(want, sum); d != "" {
		t.Error(d)
	}
	if _, err := os.Stat(dir + ".partial"); !os.IsNotExist(err) {
		t.Errorf("the partial folder is still there: %v", err)
	}
	if _, err := s.Write(dir); evidence.CodeOf(err) != evidence.Conflict {
		t.Errorf("written over: %v", err)
	}
}

// A bag of a released version must stay readable: this one is of the first.
func TestGoldenBag(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	dir := mustWrite(t, s)
	const golden = "testdata/v1"
	got := load(t, dir)
	delete(got, "view.html") // the viewer changes with each release,
	tag := "tagmanifest-sha256.txt"
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(string(got[tag].Data))), func(l string) bool { return strings.HasSuffix(l, " view.html\n") })
	got[tag].Data = []byte(strings.Join(lines, ""))
	if *update {
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(golden, got); err != nil {
			t.Fatal(err)
		}
	}
	old := load(t, golden)
	if d := cmp.Diff(slices.Sorted(maps.Keys(old)), slices.Sorted(maps.Keys(got))); d != "" {
		t.Fatal(d)
	}
	for name := range old {
		if d := cmp.Diff(string(old[name].Data), string(got[name].Data)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	// and nothing else about the old bag may be wrong.
	for _, c := range verify(t, old, bundle.Options{LogKey: s.Log.Key.VKey}).Failed() {
		if c.Subject != "view.html" {
			t.Errorf("%+v", c)
		}
	}
}

func TestCloseRefusesABagThatItsReceiverWouldRefuse(t *testing.T) {
	for name, spoil := range map[string]func(*bundletest.Story){
		"no disclosure recorded": func(*bundletest.Story) {},
		"disclosure of another bundle": func(s *bundletest.Story) {
			id := s.Info.Bundle
			s.Info.Bundle = "01kamxyz000000000000000001"
			s.Disclose()
			s.Info.Bundle = id
		},
		"something happened since": func(s *bundletest.Story) {
			s.Disclose()
			s.Log.Add(first, evidence.Consult, evidence.Intent, nil, nil)
		},
		"another master than was recorded": func(s *bundletest.Story) {
			all := s.Masters
			s.Masters = all[:2]
			s.Disclose()
			s.Masters = all
		},
		"wrong log key": func(s *bundletest.Story) {
			s.Disclose()
			s.Info.LogKey = tlogtest.NewKey("force.example/log", "other").VKey
		},
		"a recording that is not described": func(s *bundletest.Story) {
			s.Disclose()
			s.Info.Recordings = s.Info.Recordings[:1]
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := bundletest.New(3, 5, 7)
			spoil(s)
			dir := filepath.Join(t.TempDir(), "bag")
			if _, err := s.Write(dir); evidence.CodeOf(err) != evidence.Corrupt {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("a bag that is not in order has its name: %v", err)
			}
		})
	}
}

func TestAddMaster(t *testing.T) {
	s := bundletest.New()
	m, good := s.Masters[0], s.Bytes[s.Masters[0].Digest.String()]
	boom := errors.New("boom")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		m    bundle.Master
		r    io.Reader
		code evidence.Code
		err  error
	}{
		{"other bytes", t.Context(), m, bytes.NewReader(append(bytes.Clone(good[1:]), 'x')), evidence.Corrupt, nil},
		{"too short", t.Context(), m, bytes.NewReader(good[:len(good)-1]), evidence.Corrupt, nil},
		{"too long", t.Context(), m, bytes.NewReader(append(bytes.Clone(good), 0)), evidence.Corrupt, nil},
		{"endless", t.Context(), m, endless{}, evidence.Corrupt, nil},
		{"the vault fails", t.Context(), m, io.MultiReader(bytes.NewReader(good[:9]), iotest.ErrReader(boom)), evidence.Internal, boom},
		{"the vault says why", t.Context(), m, iotest.ErrReader(evidence.Errorf(evidence.Unavailable, "x")), evidence.Unavailable, nil},
		{"cancelled", cancelled, m, bytes.NewReader(good), evidence.Internal, context.Canceled},
		{"segment 0", t.Context(), bundle.Master{Recording: first, Digest: m.Digest, Length: m.Length}, bytes.NewReader(good), evidence.Invalid, nil},
		{"no recording", t.Context(), bundle.Master{Recording: "../x", Segment: 1}, bytes.NewReader(good), evidence.Invalid, nil},
		{"sealing fails", t.Context(), sealed(m, func(io.Writer) (io.WriteCloser, error) { return nil, boom }), bytes.NewReader(good), evidence.Internal, boom},
		{"sealing fails at the end", t.Context(), sealed(m, func(w io.Writer) (io.WriteCloser, error) { return badClose{w}, nil }), bytes.NewReader(good), evidence.Internal, io.ErrClosedPipe},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bag")
			w, err := bundle.Create(dir, s.Info)
			if err != nil {
				t.Fatal(err)
			}
			err = w.AddMaster(c.ctx, c.m, c.r)
			if evidence.CodeOf(err) != c.code || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("got %s: %v", evidence.CodeOf(err), err)
			}
			if err := w.Abort(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(dir + ".partial"); !os.IsNotExist(err) {
				t.Errorf("something was left: %v", err)
			}
		})
	}
}

func sealed(m bundle.Master, f func(io.Writer) (io.WriteCloser, error)) bundle.Master {
	m.Seal = f
	return m
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type badClose struct{ io.Writer }

func (badClose) Close() error { return io.ErrClosedPipe }

func TestOrderOfCalls(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	w, err := bundle.Create(filepath.Join(t.TempDir(), "bag"), s.Info)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(t.Context()); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("no history: %v", err)
	}
	for _, want := range []evidence.Code{"", evidence.Conflict} {
		if err := w.AddMaster(t.Context(), s.Masters[0], bytes.NewReader(s.Bytes[s.Masters[0].Digest.String()])); evidence.CodeOf(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	h := s.History(first)
	if err := w.SetHistory(h); err != nil {
		t.Fatal(err)
	}
	s.Log.Add(second, evidence.Consult, evidence.Intent, nil, nil)
	if err := w.SetHistory(s.History(second)); evidence.CodeOf(err) != evidence.Conflict {
		t.Errorf("two checkpoints: %v", err)
	}
	delete(h.Proofs, h.Events[2].Index)
	if err := w.SetHistory(h); evidence.CodeOf(err) != evidence.Conflict {
		t.Errorf("event not in the log: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
}

func TestCreateRefuses(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	dir := t.TempDir()
	if _, err := bundle.Create(dir, s.Info); evidence.CodeOf(err) != evidence.Conflict {
		t.Errorf("over a folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "a.partial"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Create(filepath.Join(dir, "a"), s.Info); evidence.CodeOf(err) != evidence.Conflict {
		t.Errorf("over what was cut off: %v", err)
	}
	if _, err := bundle.Create(filepath.Join(dir, "no", "b"), s.Info); evidence.CodeOf(err) != evidence.Unavailable {
		t.Errorf("in no folder: %v", err)
	}
	s.Info.Bundle = "../x"
	if _, err := bundle.Create(filepath.Join(dir, "c"), s.Info); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("no identifier: %v", err)
	}
}

// Masters sealed for a receiver: only they read them, and the verifier says
// what it could not see.
func TestSealedMasters(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s := bundletest.New(3<<20, 5, 7)
	s.Disclose()
	for i := range s.Masters {
		s.Masters[i].Seal = func(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, identity.Recipient()) }
	}
	bag := load(t, mustWrite(t, s))
	r := verify(t, bag, bundle.Options{LogKey: s.Log.Key.VKey})
	if r.Outcome() != bundle.Unconfirmed {
		t.Errorf("%s\n%s", r.Outcome(), show(r))
	}
	for _, m := range s.Masters {
		if !names(r, bundle.NotProven, "masters", ".age", m.Digest.String()) {
			t.Errorf("the digest of segment %d is not told:\n%s", m.Segment, show(r))
		}
	}
	f := bag["data/"+string(first)+"/02_AXIS_0002.MP4.age"]
	if f == nil {
		t.Fatalf("no sealed file: %v", slices.Sorted(maps.Keys(bag)))
	}
	plain, err := age.Decrypt(bytes.NewReader(f.Data), identity)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(plain)
	if err != nil || !bytes.Equal(got, s.Bytes[s.Masters[2].Digest.String()]) {
		t.Errorf("what was sealed is not the master: %v", err)
	}
}

// No name that a camera or a person gave can end the element that holds the
// viewer's data.
func TestHostileNamesStayInTheViewersData(t *testing.T) {
	s := bundletest.New(3, 5, 7)
	s.Disclose()
	page := string(load(t, mustWrite(t, s))["view.html"].Data)
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="bag">`)
	data, _, ok2 := strings.Cut(rest, "</script>")
	if !ok || !ok2 || strings.ContainsAny(data, "<>&\u2028\u2029") {
		t.Fatalf("the data hold what HTML could read")
	}
	var v struct {
		Metadata struct {
			Recipient string
			Files     []struct{ FileName string }
		}
	}
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Fatal(err)
	}
	if v.Metadata.Recipient != s.Info.Recipient || v.Metadata.Files[0].FileName != bundletest.Hostile {
		t.Errorf("%+v", v)
	}
}

// A master of any length passes through in a few MiB of memory.
func TestMemoryDoesNotGrowWithTheMaster(t *testing.T) {
	const length = 192 << 20
	s := bundletest.New(3, 5, 7)
	w, err := bundle.Create(filepath.Join(t.TempDir(), "bag"), s.Info)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = w.AddMaster(t.Context(), bundle.Master{Recording: first, Segment: 9, Length: length}, endless{})
	runtime.ReadMemStats(&after)
	if evidence.CodeOf(err) != evidence.Corrupt {
		t.Fatal(err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
}
