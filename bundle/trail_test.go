package bundle_test

import (
	"bytes"
	"slices"
	"testing"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/tlog"
)

// trailOf is a file of some events of a story.
func trailOf(t testing.TB, s *bundletest.Story, whole *bundle.TrailItem, list ...tlog.Opening) []byte {
	t.Helper()
	size := s.Log.Size()
	var b bytes.Buffer
	err := bundle.WriteTrail(&b, bundle.Trail{LogKey: s.Log.Key.VKey, Checkpoint: string(s.Log.Checkpoint(size))},
		func(add func(bundle.TrailEvent) error) (*bundle.TrailItem, error) {
			for _, o := range list {
				var path []tlog.Hash
				if o.Index >= 0 {
					path = s.Log.Path(size, o.Index)
				}
				if err := add(bundle.TrailEvent{Opening: o, Proof: path}); err != nil {
					return nil, err
				}
			}
			return whole, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestVerifyTrail(t *testing.T) {
	s := bundletest.New(1, 2, 3)
	s.Disclose()
	first, second := s.Log.Events(bundletest.First), s.Log.Events(bundletest.Second)
	whole := &bundle.TrailItem{Item: bundletest.First, Key: s.Log.ItemKey(bundletest.First)}
	waiting := slices.Clone(first)
	waiting[len(waiting)-1].Index = -1
	forked := bundletest.New(4, 5, 6)
	forked.Disclose()
	for _, c := range []struct {
		name  string
		file  []byte
		want  bundle.Outcome
		check string // that is not proven as it would be
	}{
		{"all of one", trailOf(t, s, whole, first...), bundle.Sound, "complete"},
		{"a list", trailOf(t, s, nil, first[1], second[0], first[3]), bundle.Sound, "complete"},
		{"nothing found", trailOf(t, s, nil), bundle.Sound, "complete"},
		{"waiting for the log", trailOf(t, s, nil, waiting...), bundle.Sound, "inclusion"},
		{"one left out", trailOf(t, s, whole, slices.Delete(slices.Clone(first), 1, 2)...), bundle.Wrong, "chain"},
		{"of another item", trailOf(t, s, whole, append(slices.Clone(first), second[0])...), bundle.Wrong, "chain"},
		{"twice", trailOf(t, s, nil, first[0], first[0]), bundle.Wrong, "inclusion"},
		{"events of another log", trailOf(t, s, nil, forked.Log.Events(bundletest.First)[:2]...), bundle.Wrong, "inclusion"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := bundle.VerifyTrail(c.file, bundle.Options{LogKey: s.Log.Key.VKey})
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome() != c.want || !slices.ContainsFunc(r.Checks, func(k bundle.Check) bool {
				return k.Name == c.check && (k.State == bundle.Failed) == (c.want == bundle.Wrong) && k.State != bundle.Proven
			}) {
				t.Errorf("%s: %+v", r.Outcome(), r.Checks)
			}
		})
	}
	for _, file := range []string{"", "{}", `{"format":"custos trail v2"}`, string(trailOf(t, s, nil)[:40]), string(trailOf(t, s, nil)) + "{}"} {
		if _, err := bundle.VerifyTrail([]byte(file), bundle.Options{}); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%.40q: %v", file, err)
		}
	}
}

// However a file is broken, it is said and not sworn by.
func FuzzVerifyTrail(f *testing.F) {
	s := bundletest.New(1, 2, 3)
	s.Disclose()
	good := trailOf(f, s, &bundle.TrailItem{Item: bundletest.First, Key: s.Log.ItemKey(bundletest.First)}, s.Log.Events(bundletest.First)...)
	f.Add(good)
	f.Add(trailOf(f, s, nil, s.Log.Events(bundletest.Second)...))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := bundle.VerifyTrail(file, bundle.Options{LogKey: s.Log.Key.VKey})
		if err == nil && r.Events > 0 && len(r.Checks) == 0 {
			t.Error("events, and nothing was looked at")
		}
	})
}
