package catalogue_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"custos/catalogue"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
)

var day = time.Date(2026, 11, 21, 22, 30, 0, 123456000, time.UTC)

// bench is a catalogue with the shorthands that tests need.
type bench struct {
	*testing.T
	*catalogue.Catalogue
	db *database.DB
}

func each(t *testing.T, f func(b *bench)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, err := catalogue.Open(t.Context(), db, catalogue.Options{Now: func() time.Time { return day.Add(8 * time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		f(&bench{t, c, db})
	})
}

func (b *bench) write(f func(ctx context.Context, tx *database.Tx) error) error {
	return b.db.Write(b.Context(), func(tx *database.Tx) error { return f(b.Context(), tx) })
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func newID() evidence.ID { return evidence.NewID(time.Now(), rand.Reader) }

func digest(s string) evidence.Digest { return sha256.Sum256([]byte(s)) }

func segment(c evidence.Capture) evidence.Segment {
	return evidence.Segment{Object: newID(), FileName: c.FileName, Sequence: c.Sequence, Digest: digest(c.FileName), Length: 1000, Clock: catalogue.ClockOf(c)}
}

// add collects one file and returns where it went.
func (b *bench) add(c evidence.Capture) (recording evidence.ID, number int) {
	b.Helper()
	b.must(b.write(func(ctx context.Context, tx *database.Tx) error {
		p, err := b.Place(ctx, tx, newID(), c)
		if err != nil {
			return err
		}
		recording = p.Recording
		number, err = b.AddSegment(ctx, tx, p.Recording, segment(c))
		return err
	}))
	return recording, number
}

func (b *bench) get(id evidence.ID) evidence.Recording {
	b.Helper()
	rec, err := b.Get(b.Context(), id)
	b.must(err)
	return rec
}

func (b *bench) card(id evidence.ID) catalogue.Card {
	b.Helper()
	p, err := b.List(b.Context(), catalogue.Query{Scope: evidence.Everything()})
	b.must(err)
	for _, k := range p.Items {
		if k.ID == id {
			return k
		}
	}
	b.Fatalf("recording %s is not listed", id)
	return catalogue.Card{}
}

func wantCode(t *testing.T, err error, code evidence.Code) {
	t.Helper()
	if evidence.CodeOf(err) != code {
		t.Errorf("want code %q, got %q: %v", code, evidence.CodeOf(err), err)
	}
}

func TestWhatGoesInComesOut(t *testing.T) {
	each(t, func(b *bench) {
		offset := evidence.Duration(-1500)
		c := evidence.Capture{Device: "X81-001", Officer: "4711", Category: "arrest", Group: "g1", Sequence: 3,
			FileName: "DCIM/ä ' ? \"1\".mp4", Started: day, Zone: "Europe/London", Source: "name", Offset: &offset}
		seg := segment(c)
		seg.Media = evidence.Media{State: evidence.MediaProxy, Why: "Browsers play no HEVC.", Type: "video/mp4", Format: "mov", Video: "hevc",
			Audio: "aac", Width: 1920, Height: 1080, Rate: 29.97, Duration: 61234}
		arrival := evidence.Arrival{ID: newID(), Segment: 1, Device: c.Device, FileName: c.FileName, Dock: "Desk 2", DockedAt: day.Add(time.Hour), At: day.Add(2 * time.Hour)}
		id := newID()
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error {
			p, err := b.Place(ctx, tx, id, c)
			b.must(err)
			if p != (catalogue.Placement{Recording: id, New: true}) {
				t.Errorf("placement %+v", p)
			}
			n, err := b.AddSegment(ctx, tx, id, seg)
			b.must(err)
			seg.Recording, seg.Number = id, n
			return b.AddArrival(ctx, tx, id, arrival)
		}))
		want := evidence.Recording{ID: id, Device: "X81-001", Officer: "4711", Category: "arrest", Group: "g1",
			StartedAt: day.Add(1500 * time.Millisecond), CreatedAt: day.Add(8 * time.Hour), Duration: 61234,
			Segments: []evidence.Segment{seg}, Arrivals: []evidence.Arrival{arrival}}
		if d := cmp.Diff(want, b.get(id)); d != "" {
			t.Error(d)
		}
		got, err := b.Segment(t.Context(), id, 1)
		b.must(err)
		if d := cmp.Diff(seg, got); d != "" {
			t.Error(d)
		}
		b.must(b.db.Read(t.Context(), func(tx *database.Tx) error {
			rec, n, object, found, err := b.FindDigest(t.Context(), tx, seg.Digest, seg.Length)
			if err != nil || !found || rec != id || n != 1 || object != seg.Object {
				t.Error(rec, n, object, found, err)
			}
			if _, _, _, found, err = b.FindDigest(t.Context(), tx, seg.Digest, seg.Length+1); found || err != nil {
				t.Error("found a file of another length", err)
			}
			return nil
		}))
		_, err = b.Get(t.Context(), newID())
		wantCode(t, err, evidence.NotFound)
		_, err = b.Segment(t.Context(), id, 2)
		wantCode(t, err, evidence.NotFound)
	})
}

func TestPlaceTiesSegmentsByDeviceAndGroup(t *testing.T) {
	each(t, func(b *bench) {
		first, _ := b.add(evidence.Capture{Device: "A", Group: "1", FileName: "1", Started: day})
		for i, c := range []struct {
			evidence.Capture
			same bool
		}{
			{evidence.Capture{Device: "A", Group: "1", Officer: "12", Category: "stop"}, true},
			{evidence.Capture{Device: "A", Group: "1", Officer: "99", Category: "arrest"}, true},
			{evidence.Capture{Device: "B", Group: "1"}, false},
			{evidence.Capture{Device: "A", Group: "2"}, false},
			{evidence.Capture{Device: "A"}, false},
			{evidence.Capture{Device: "A"}, false},
		} {
			c.FileName, c.Started = fmt.Sprint("f", i), day
			got, n := b.add(c.Capture)
			if (got == first) != c.same {
				t.Errorf("%+v went to its own recording: %v", c.Capture, got != first)
			}
			if want := i + 2; c.same && n != want {
				t.Errorf("segment number %d, want %d", n, want)
			}
		}
		rec := b.get(first)
		if rec.Officer != "12" || rec.Category != "stop" {
			t.Errorf("the first officer and category known must stay: %q %q", rec.Officer, rec.Category)
		}
		n, err := b.Count(t.Context(), catalogue.Query{Scope: evidence.Everything()})
		if b.must(err); n != 5 {
			t.Errorf("%d recordings, want 5", n)
		}
	})
}

func TestNumbersStayAndOrderFollowsTheTake(t *testing.T) {
	each(t, func(b *bench) {
		var id evidence.ID
		for i, seq := range []int{2, 4, 1} { // the first segment comes last
			c := evidence.Capture{Device: "A", Group: "1", Sequence: seq, FileName: fmt.Sprint(seq), Started: day.Add(time.Duration(seq) * time.Minute)}
			var n int
			if id, n = b.add(c); n != i+1 {
				t.Errorf("sequence %d got number %d", seq, n)
			}
		}
		rec := b.get(id)
		var got []string
		for _, s := range rec.Segments {
			got = append(got, fmt.Sprint(s.Sequence, "#", s.Number))
		}
		if strings.Join(got, " ") != "1#3 2#1 4#2" {
			t.Errorf("order is %v", got)
		}
		if !rec.StartedAt.Equal(day.Add(time.Minute)) {
			t.Errorf("starts at %v", rec.StartedAt)
		}
		if d := cmp.Diff([]evidence.Gap{{After: 1, Missing: []int{3}}}, catalogue.Gaps(rec)); d != "" {
			t.Error(d)
		}
	})
}

func TestTheSameFileTwiceIsAConflict(t *testing.T) {
	each(t, func(b *bench) {
		c := evidence.Capture{Device: "A", Group: "1", FileName: "1", Started: day}
		id, _ := b.add(c)
		same, object := segment(c), segment(evidence.Capture{FileName: "other"})
		object.Object = b.get(id).Segments[0].Object
		for _, s := range []evidence.Segment{same, object} {
			err := b.write(func(ctx context.Context, tx *database.Tx) error {
				_, err := b.AddSegment(ctx, tx, id, s)
				return err
			})
			if wantCode(t, err, evidence.Conflict); !database.IsDuplicate(err) {
				t.Errorf("not a duplicate: %v", err)
			}
		}
		same.Length++ // another file, whatever its digest
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error {
			_, err := b.AddSegment(ctx, tx, id, same)
			return err
		}))
	})
}

func TestManyDocksAtOnce(t *testing.T) {
	each(t, func(b *bench) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				c := evidence.Capture{Device: "A", Group: "1", Sequence: i + 1, FileName: fmt.Sprint(i), Started: day}
				if err := b.write(func(ctx context.Context, tx *database.Tx) error {
					p, err := b.Place(ctx, tx, newID(), c)
					if err != nil {
						return err
					}
					_, err = b.AddSegment(ctx, tx, p.Recording, segment(c))
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		page, err := b.List(t.Context(), catalogue.Query{Scope: evidence.Everything()})
		b.must(err)
		if len(page.Items) != 1 || page.Items[0].Segments != 8 {
			t.Fatalf("%+v", page.Items)
		}
		seen := map[int]bool{}
		for _, s := range b.get(page.Items[0].ID).Segments {
			seen[s.Number] = true
		}
		if len(seen) != 8 || !seen[1] || !seen[8] {
			t.Errorf("numbers %v", seen)
		}
	})
}

func TestHostileTextIsRefusedAlikeOnBothEngines(t *testing.T) {
	each(t, func(b *bench) {
		id, _ := b.add(evidence.Capture{Device: "A", FileName: "1", Started: day})
		long := strings.Repeat("x", 5000)
		for _, c := range []evidence.Capture{
			{}, {Device: "A\x00"}, {Device: "\xff"}, {Device: long}, {Device: "A", Officer: "\x00"}, {Device: "A", Group: long}, {Device: "A", Category: "\xfe"},
		} {
			wantCode(t, b.write(func(ctx context.Context, tx *database.Tx) error {
				_, err := b.Place(ctx, tx, newID(), c)
				return err
			}), evidence.Invalid)
		}
		wantCode(t, b.write(func(ctx context.Context, tx *database.Tx) error {
			_, err := b.Place(ctx, tx, "../x", evidence.Capture{Device: "A"})
			return err
		}), evidence.Invalid)
		good := segment(evidence.Capture{FileName: "ok"})
		for name, spoil := range map[string]func(*evidence.Segment){
			"name": func(s *evidence.Segment) { s.FileName = "a\x00" }, "long": func(s *evidence.Segment) { s.FileName = long },
			"zone": func(s *evidence.Segment) { s.Clock.DeviceZone = "\xff" }, "object": func(s *evidence.Segment) { s.Object = "" },
			"digest": func(s *evidence.Segment) { s.Digest = evidence.Digest{} }, "length": func(s *evidence.Segment) { s.Length = -1 },
			"rate": func(s *evidence.Segment) { s.Media.Rate = math.NaN() }, "why": func(s *evidence.Segment) { s.Media.Why = "\x00" },
		} {
			s := good
			spoil(&s)
			t.Run(name, func(t *testing.T) {
				wantCode(t, b.write(func(ctx context.Context, tx *database.Tx) error {
					_, err := b.AddSegment(ctx, tx, id, s)
					return err
				}), evidence.Invalid)
			})
		}
		wantCode(t, b.write(func(ctx context.Context, tx *database.Tx) error {
			return b.AddArrival(ctx, tx, id, evidence.Arrival{ID: newID(), Segment: 1, FileName: "\x00"})
		}), evidence.Invalid)
	})
}

func TestCardsAddUpSegmentsAndCopies(t *testing.T) {
	each(t, func(b *bench) {
		add := func(seq int) (id evidence.ID, n int) {
			return b.add(evidence.Capture{Device: "A", Officer: "7", Group: "1", Sequence: seq, FileName: fmt.Sprint(seq), Started: day.Add(time.Duration(seq) * time.Hour)})
		}
		setMedia := func(id evidence.ID, n int, m evidence.Media) {
			b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.SetMedia(ctx, tx, id, n, m) }))
		}
		addCopy := func(w evidence.WorkingCopy) (replaced evidence.ID) {
			b.must(b.write(func(ctx context.Context, tx *database.Tx) (err error) {
				replaced, err = b.AddCopy(ctx, tx, w)
				return err
			}))
			return replaced
		}
		id, second := add(2)
		_, first := add(1)
		want := catalogue.Card{ID: id, Device: "A", Officer: "7", StartedAt: day.Add(time.Hour), CreatedAt: day.Add(8 * time.Hour),
			Segments: 2, Bytes: 2000, State: evidence.MediaPending}
		check := func() {
			t.Helper()
			if d := cmp.Diff(want, b.card(id)); d != "" {
				t.Error(d)
			}
			copies, err := b.Copies(t.Context(), id)
			b.must(err)
			if d := cmp.Diff(want, catalogue.Summarise(b.get(id), copies)); d != "" {
				t.Error("made anew:", d)
			}
		}
		check()
		setMedia(id, second, evidence.Media{State: evidence.MediaNone, Why: "No picture.", Duration: 100})
		want.Why, want.Duration = "No picture.", 100 // pending still: more may come of the other
		check()
		setMedia(id, first, evidence.Media{State: evidence.MediaProxy, Why: "HEVC.", Duration: 23})
		want.State, want.Why, want.Duration = evidence.MediaProxy, "HEVC.", 123
		check()
		poster := evidence.WorkingCopy{Recording: id, Segment: second, Kind: evidence.Poster, Object: newID(), Type: "image/jpeg",
			Length: 5, Digest: digest("p"), Tool: "ffmpeg 5.1", Info: "at 3 s", MadeAt: day}
		if r := addCopy(poster); r != "" {
			t.Errorf("replaced %q", r)
		}
		want.Poster = second
		check()
		early := poster
		early.Segment, early.Object = first, newID()
		addCopy(early)
		want.Poster = first
		check()

		got, err := b.Copy(t.Context(), id, second, evidence.Poster)
		b.must(err)
		if d := cmp.Diff(poster, got); d != "" {
			t.Error(d)
		}
		if r := addCopy(poster); r != "" {
			t.Errorf("a copy recorded twice replaced itself: %q", r)
		}
		better := poster
		better.Object, better.Info = newID(), "at 9 s"
		if r := addCopy(better); r != poster.Object {
			t.Errorf("replaced %q, want %q", r, poster.Object)
		}
		all, err := b.Copies(t.Context(), id)
		b.must(err)
		if d := cmp.Diff([]evidence.WorkingCopy{better, early}, all); d != "" {
			t.Error(d)
		}
		_, err = b.Copy(t.Context(), id, second, evidence.Proxy)
		wantCode(t, err, evidence.NotFound)

		var objects []evidence.ID
		masters := 0
		b.must(b.Objects(t.Context(), func(o catalogue.Object) error {
			objects = append(objects, o.ID)
			if o.Kind == "" {
				masters++
				if o.Length != 1000 || o.Recording != id {
					t.Errorf("%+v", o)
				}
			}
			return nil
		}))
		if len(objects) != 4 || masters != 2 || objects[2] != early.Object || objects[3] != better.Object {
			t.Errorf("%d objects, %d masters: %v", len(objects), masters, objects)
		}
		boom := errors.New("boom")
		if err := b.Objects(t.Context(), func(catalogue.Object) error { return boom }); !errors.Is(err, boom) {
			t.Error(err)
		}
	})
}

func TestWritesToWhatIsNotThere(t *testing.T) {
	each(t, func(b *bench) {
		id, _ := b.add(evidence.Capture{Device: "A", FileName: "1", Started: day})
		good := evidence.WorkingCopy{Recording: id, Segment: 1, Kind: evidence.Poster, Object: newID()}
		playable := evidence.Media{State: evidence.MediaPlayable}
		for name, c := range map[string]struct {
			do   func(ctx context.Context, tx *database.Tx) error
			code evidence.Code
		}{
			"media of no recording": {func(ctx context.Context, tx *database.Tx) error { return b.SetMedia(ctx, tx, newID(), 1, playable) }, evidence.NotFound},
			"media of no segment":   {func(ctx context.Context, tx *database.Tx) error { return b.SetMedia(ctx, tx, id, 2, playable) }, evidence.NotFound},
			"media without a state": {func(ctx context.Context, tx *database.Tx) error { return b.SetMedia(ctx, tx, id, 1, evidence.Media{}) }, evidence.Invalid},
			"segment of none": {func(ctx context.Context, tx *database.Tx) error {
				_, err := b.AddSegment(ctx, tx, newID(), segment(evidence.Capture{FileName: "2"}))
				return err
			}, evidence.NotFound},
			"arrival of none": {func(ctx context.Context, tx *database.Tx) error {
				return b.AddArrival(ctx, tx, id, evidence.Arrival{ID: newID(), Segment: 9})
			}, evidence.NotFound},
			"copy of none": {func(ctx context.Context, tx *database.Tx) error {
				w := good
				w.Segment = 9
				_, err := b.AddCopy(ctx, tx, w)
				return err
			}, evidence.NotFound},
			"copy without an object": {func(ctx context.Context, tx *database.Tx) error {
				w := good
				w.Object = ""
				_, err := b.AddCopy(ctx, tx, w)
				return err
			}, evidence.Invalid},
			"one object for two copies": {func(ctx context.Context, tx *database.Tx) error {
				if _, err := b.AddCopy(ctx, tx, good); err != nil {
					return err
				}
				w := good
				w.Kind = evidence.Proxy
				_, err := b.AddCopy(ctx, tx, w)
				return err
			}, evidence.Conflict},
			"arrival twice": {func(ctx context.Context, tx *database.Tx) error {
				a := evidence.Arrival{ID: newID(), Segment: 1}
				if err := b.AddArrival(ctx, tx, id, a); err != nil {
					return err
				}
				return b.AddArrival(ctx, tx, id, a)
			}, evidence.Conflict},
			"recording twice": {func(ctx context.Context, tx *database.Tx) error {
				_, err := b.Place(ctx, tx, id, evidence.Capture{Device: "B"})
				return err
			}, evidence.Conflict},
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, b.write(c.do), c.code) })
		}
	})
}

func TestUnknownTimesSortByArrival(t *testing.T) {
	each(t, func(b *bench) {
		id, _ := b.add(evidence.Capture{Device: "A", FileName: "1"})
		rec := b.get(id)
		if !rec.StartedAt.Equal(rec.CreatedAt) || !rec.Segments[0].Clock.Trusted.IsZero() {
			t.Errorf("starts %v, trusted %v", rec.StartedAt, rec.Segments[0].Clock.Trusted)
		}
	})
}
