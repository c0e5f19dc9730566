// Package bundletest makes sample bundles and tampers with them, for tests of
// everything that writes or reads bundles.
package bundletest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"custos/bundle"
	"custos/evidence"
	"custos/tlog"
	"custos/tlog/tlogtest"
)

// The recordings of a story, and its bundle.
const (
	First  = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5ta")
	Second = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5tb")
	Bundle = evidence.ID("01kamxyz000000000000000000")
)

// Hostile is a file name that tries everything.
const Hostile = "DCIM/</script><script>alert(1)</script>\n\u202e\"'&4pm.mp4"

// Story is a small log, its recordings and what a bundle of them needs.
type Story struct {
	Log     *tlogtest.Log
	Info    bundle.Info
	Masters []bundle.Master
	Bytes   map[string][]byte // by digest

	Cosigners []*tlogtest.Cosigner // sign the checkpoint
	Vouched   bundle.Vouched
}

// File is a master as the camera had it.
type File struct {
	Name  string
	Bytes []byte
}

// New tells the story of Of with masters of these lengths; without any, of
// 3 MiB and a little, 5 bytes and 1 MiB.
func New(lengths ...int) *Story {
	if len(lengths) == 0 {
		lengths = []int{3<<20 + 17, 5, 1 << 20}
	}
	filler := func(i int) []byte {
		return bytes.Repeat([]byte{byte('a' + i)}, lengths[i])
	}
	return Of(File{Hostile, filler(0)}, File{"DCIM/AXIS_0002.MP4", filler(1)}, File{"DCIM/other.mp4", filler(2)})
}

// Of has one recording of two segments, the first docked twice, and one of one
// segment. Somebody has watched the first.
func Of(segment1, segment2, other File) *Story {
	s := &Story{Log: tlogtest.NewLog("log"), Bytes: map[string][]byte{}}
	s.Log.Add("01kamwtz3f0w9hq1c7c9m2v5tz", evidence.Consult, evidence.Intent, nil, nil)
	s.collect(First, 1, segment1)
	s.collect(Second, 1, other)
	s.collect(First, 2, segment2)
	s.Log.Add(First, evidence.Consult, evidence.Intent, []evidence.Field{
		evidence.F("actor_kind", string(evidence.Person)), evidence.F("actor_name", "Insp. R. Patel"), evidence.F("actor_number", "7731"),
		evidence.F("purpose", "complaint"), evidence.F("reference", "PSD/114/26"), evidence.F("note", "seen by \u202e<b>Insp. Patel</b>"),
	}, func(name string) bool { return name == "note" })
	s.Log.Collect(First, 1, s.capture(0), nil) // docked again
	s.Info = bundle.Info{
		Bundle: Bundle, Force: "Example Constabulary", MadeAt: tlogtest.Time, MadeBy: "DC 4711 Adeyemi",
		Recipient: "Smith & Partners </script>", Purpose: evidence.Purpose{Code: "disclosure", Reference: "42AB/8812/26"},
		Software: "custos 1.0", LogKey: s.Log.Key.VKey, ReceiptKey: tlogtest.NewKey("force.example/receipts", "r").VKey,
	}
	offset := evidence.Duration(1250)
	for _, id := range []evidence.ID{First, Second} {
		r := bundle.Recording{Recording: evidence.Recording{ID: id, Device: "AXIS-W120-0017", Officer: "4711", StartedAt: tlogtest.Time}}
		for _, m := range s.MastersOf(id) {
			r.Segments = append(r.Segments, evidence.Segment{Recording: id, Number: m.Segment, FileName: m.FileName, Digest: m.Digest, Length: m.Length, Clock: evidence.Clock{
				DeviceStarted: tlogtest.Time.Add(-90 * time.Minute), DeviceZone: "Europe/London", Offset: &offset, Source: "name", Trusted: tlogtest.Time.Add(-90*time.Minute - offset.Std()),
			}})
		}
		s.Info.Recordings = append(s.Info.Recordings, r)
	}
	return s
}

func (s *Story) collect(id evidence.ID, segment int, f File) {
	d := evidence.Digest(sha256.Sum256(f.Bytes))
	s.Bytes[d.String()] = f.Bytes
	s.Masters = append(s.Masters, bundle.Master{Recording: id, Segment: segment, FileName: f.Name, Digest: d, Length: int64(len(f.Bytes))})
	s.Log.Collect(id, segment, s.capture(len(s.Masters)-1), nil)
}

func (s *Story) capture(i int) evidence.Capture {
	m := s.Masters[i]
	return evidence.Capture{Device: "AXIS-W120-0017", FileName: m.FileName, Digest: m.Digest, Length: m.Length}
}

// MastersOf are those of one recording.
func (s *Story) MastersOf(id evidence.ID) []bundle.Master {
	var out []bundle.Master
	for _, m := range s.Masters {
		if m.Recording == id {
			out = append(out, m)
		}
	}
	return out
}

// Disclose records the intent for every recording.
func (s *Story) Disclose() {
	for _, r := range s.Info.Recordings {
		fields := []evidence.Field{
			evidence.F("actor_kind", string(evidence.Person)), evidence.F("actor_name", s.Info.MadeBy),
			evidence.F("purpose", s.Info.Purpose.Code), evidence.F("reference", s.Info.Purpose.Reference),
			evidence.F("recipient", s.Info.Recipient),
		}
		s.Log.Add(r.ID, evidence.Disclose, evidence.Intent, append(fields, bundle.Commit(s.Info.Bundle, s.MastersOf(r.ID))...), nil)
	}
}

// History is the history of a recording at the log's newest checkpoint.
func (s *Story) History(id evidence.ID) bundle.History {
	h := bundle.History{
		Recording: id, ItemKey: s.Log.ItemKey(id), Events: s.Log.Events(id), Proofs: map[int64][]tlog.Hash{},
		Checkpoint: string(s.Checkpoint()), LogKey: s.Log.Key.VKey,
	}
	for _, e := range h.Events {
		h.Proofs[e.Index] = s.Log.Path(s.Log.Size(), e.Index)
	}
	return h
}

// Checkpoint is the newest one, signed by the cosigners too.
func (s *Story) Checkpoint() []byte {
	b := s.Log.Checkpoint(s.Log.Size())
	for _, c := range s.Cosigners {
		b = append(b, c.Sign(b, tlogtest.Time)...)
	}
	return b
}

// Write makes the bag in dir.
func (s *Story) Write(dir string) (bundle.Summary, error) {
	ctx := context.Background()
	w, err := bundle.Create(dir, s.Info)
	if err != nil {
		return bundle.Summary{}, err
	}
	for _, m := range s.Masters {
		if err := w.AddMaster(ctx, m, bytes.NewReader(s.Bytes[m.Digest.String()])); err != nil {
			return bundle.Summary{}, err
		}
	}
	for _, r := range s.Info.Recordings {
		if err := w.SetHistory(s.History(r.ID)); err != nil {
			return bundle.Summary{}, err
		}
	}
	w.SetVouched(s.Vouched)
	return w.Close(ctx)
}

// Reseal writes manifests and chunk lists anew, as somebody who tampers well
// would.
func Reseal(bag fstest.MapFS) {
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
