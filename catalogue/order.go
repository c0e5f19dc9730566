package catalogue

import (
	"cmp"
	"slices"
	"time"

	"custos/evidence"
)

// Order sorts segments as people should see them: by the camera's own sequence
// numbers where every segment has one, else by device time; what is still
// level, by device time and then by number. The device's own clock is used,
// not the trusted time: within one take it runs on, while the offset to it is
// measured anew at each docking.
func Order(segments []evidence.Segment) {
	numbered := !slices.ContainsFunc(segments, func(s evidence.Segment) bool { return s.Sequence <= 0 })
	slices.SortFunc(segments, func(a, b evidence.Segment) int {
		if numbered && a.Sequence != b.Sequence {
			return cmp.Compare(a.Sequence, b.Sequence)
		}
		return cmp.Or(a.Clock.DeviceStarted.Compare(b.Clock.DeviceStarted), cmp.Compare(a.Number, b.Number))
	})
}

const (
	// gapTolerance is how far the end of a segment and the start of the next
	// may lie apart. File names carry whole seconds.
	gapTolerance = time.Second
	// missingLimit bounds how many missing sequence numbers one recording can
	// make the catalogue list: the numbers come from a hostile camera.
	missingLimit = 1000
)

// Gaps finds, between neighbours in the order people see, holes and overlaps
// of more than one second and sequence numbers that never arrived (at most
// 1,000 are listed). Holes and overlaps need the device time of both segments
// and the length of the first; where one is not known yet, only missing
// numbers are reported. It changes nothing in rec and reads no clock.
//
// What is missing before the first or after the last segment cannot be seen
// from here: cameras count on from take to take.
func Gaps(rec evidence.Recording) []evidence.Gap {
	segments := slices.Clone(rec.Segments)
	Order(segments)
	var gaps []evidence.Gap
	left := missingLimit
	for i := 1; i < len(segments); i++ {
		a, b := segments[i-1], segments[i]
		g := evidence.Gap{After: a.Number, Missing: missing(a, b, left)}
		left -= len(g.Missing)
		if d := between(a, b); d > gapTolerance || d < -gapTolerance {
			g.Length = evidence.Duration(d.Milliseconds())
		}
		if g.Length != 0 || len(g.Missing) > 0 {
			gaps = append(gaps, g)
		}
	}
	return gaps
}

// between is the time from the end of a to the start of b, 0 if not known.
func between(a, b evidence.Segment) time.Duration {
	if a.Media.Duration <= 0 || a.Clock.DeviceStarted.IsZero() || b.Clock.DeviceStarted.IsZero() {
		return 0
	}
	return b.Clock.DeviceStarted.Sub(a.Clock.DeviceStarted) - a.Media.Duration.Std()
}

// missing lists the sequence numbers between those of a and b, at most limit.
func missing(a, b evidence.Segment, limit int) []int {
	if a.Sequence <= 0 || b.Sequence <= a.Sequence {
		return nil
	}
	var out []int
	for n := a.Sequence + 1; n < b.Sequence && len(out) < limit; n++ {
		out = append(out, n)
	}
	return out
}
