package catalogue_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"custos/catalogue"
	"custos/evidence"
)

func TestGaps(t *testing.T) {
	seg := func(number, sequence int, start time.Duration, length evidence.Duration) evidence.Segment {
		s := evidence.Segment{Number: number, Sequence: sequence, Media: evidence.Media{Duration: length}}
		if start >= 0 {
			s.Clock.DeviceStarted = day.Add(start)
		}
		return s
	}
	minute := evidence.Duration(60_000)
	for name, c := range map[string]struct {
		segments []evidence.Segment
		want     []evidence.Gap
	}{
		"none":           {nil, nil},
		"one":            {[]evidence.Segment{seg(1, 7, 0, minute)}, nil},
		"seamless":       {[]evidence.Segment{seg(1, 1, 0, minute), seg(2, 2, time.Minute, minute)}, nil},
		"just tolerated": {[]evidence.Segment{seg(1, 1, 0, minute), seg(2, 2, 61*time.Second, minute), seg(3, 3, 120*time.Second, minute)}, nil},
		"hole":           {[]evidence.Segment{seg(1, 1, 0, minute), seg(2, 2, 61*time.Second+time.Millisecond, minute)}, []evidence.Gap{{After: 1, Length: 1001}}},
		"overlap":        {[]evidence.Segment{seg(1, 1, 0, minute), seg(2, 2, 50*time.Second, minute)}, []evidence.Gap{{After: 1, Length: -10_000}}},
		"missing and hole": {[]evidence.Segment{seg(2, 5, 4*time.Minute, minute), seg(1, 2, 0, minute)},
			[]evidence.Gap{{After: 1, Length: 180_000, Missing: []int{3, 4}}}},
		"missing, length not known":   {[]evidence.Segment{seg(1, 1, 0, 0), seg(2, 3, time.Hour, 0)}, []evidence.Gap{{After: 1, Missing: []int{2}}}},
		"time not known":              {[]evidence.Segment{seg(1, 1, -1, minute), seg(2, 2, time.Hour, minute)}, nil},
		"some without a sequence":     {[]evidence.Segment{seg(1, 9, 0, minute), seg(2, 0, time.Minute, minute)}, nil},
		"two of one sequence":         {[]evidence.Segment{seg(1, 4, 0, minute), seg(2, 4, time.Minute, minute)}, nil},
		"without sequences, by clock": {[]evidence.Segment{seg(1, 0, time.Hour, minute), seg(2, 0, 0, minute)}, []evidence.Gap{{After: 2, Length: 59 * minute}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.segments)
			if d := cmp.Diff(c.want, catalogue.Gaps(evidence.Recording{Segments: c.segments})); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(before, c.segments); d != "" {
				t.Error("the recording was changed", d)
			}
		})
	}
}

func TestGapsOfAHostileCameraAreBounded(t *testing.T) {
	rec := evidence.Recording{Segments: []evidence.Segment{{Number: 1, Sequence: 1}, {Number: 2, Sequence: math.MaxInt - 5}, {Number: 3, Sequence: math.MaxInt}}}
	total := 0
	for _, g := range catalogue.Gaps(rec) {
		total += len(g.Missing)
	}
	if total != 1000 {
		t.Errorf("%d missing numbers listed", total)
	}
}

// Whatever order segments are stored in, people see one and the same.
func TestOrderDependsOnTheSegmentsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "n")
		segments := make([]evidence.Segment, n)
		for i := range segments {
			segments[i] = evidence.Segment{Number: i + 1, Sequence: rapid.IntRange(0, 3).Draw(t, "sequence"),
				Clock: evidence.Clock{DeviceStarted: day.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "start")) * time.Second)}}
		}
		a, b := slices.Clone(segments), rapid.Permutation(segments).Draw(t, "stored")
		catalogue.Order(a)
		catalogue.Order(b)
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
	})
}
