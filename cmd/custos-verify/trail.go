package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"custos/bundle"
)

// trailMost is the largest trail that is read, in bytes: what a hostile file
// can make this program hold.
const trailMost = 512 << 20

// checkTrail gives the outcome and the text of a trail's report.
func (c command) checkTrail(context.Context, io.Writer) (bundle.Outcome, string, error) {
	opt, err := c.options()
	if err != nil {
		return "", "", err
	}
	f, err := os.Open(c.trail)
	if err != nil {
		return "", "", fmt.Errorf("there is no trail to read: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, trailMost+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", "", fmt.Errorf("the trail cannot be read: %w", err)
	}
	if len(b) > trailMost {
		return "", "", fmt.Errorf("the file has more than %s: no trail has that", size(trailMost))
	}
	report, err := bundle.VerifyTrail(b, opt)
	if err != nil {
		return "", "", err
	}
	if !c.json {
		return report.Outcome(), trailWords(report, c), nil
	}
	text, err := forPrograms(struct {
		Outcome bundle.Outcome `json:"outcome"`
		bundle.TrailReport
	}{report.Outcome(), report})
	return report.Outcome(), text, err
}

// trailWords is the report for people.
func trailWords(r bundle.TrailReport, c command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Part of the trail of %s, given out as event %s", plain(r.Trail.Force), plain(string(r.Trail.Export)))
	line("Made %s by %s", r.Trail.MadeAt.UTC().Format("2 January 2006, 15:04 UTC"), plain(r.Trail.MadeBy.Name))
	if len(r.Trail.Question) == 0 {
		line("Asked for: everything")
	}
	for _, f := range r.Trail.Question {
		line("Asked for: %s %s", plain(strings.TrimPrefix(f.Name, "sought_")), plain(f.Value))
	}
	line("%d events", r.Events)
	line("")
	switch r.Outcome() {
	case bundle.Sound:
		line("EVERYTHING HOLDS. Each event says what was recorded at the time, and stands in the")
		line("log whose key you gave. What a list cannot show stands under NOT PROVEN.")
	case bundle.Unconfirmed:
		line("EVERYTHING FITS TOGETHER, BUT THE LOG'S KEY IS NOT CONFIRMED. See NOT PROVEN and the")
		line("end of this report.")
	default:
		line("SOMETHING IS WRONG WITH THIS TRAIL. Do not rely on it.")
	}
	line("")
	findings(line, r.Report, c)
	advice(line, r.Report, "custos-verify --log-key KEY --trail "+plain(c.trail))
	return b.String()
}
