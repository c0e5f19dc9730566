package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"custos/bundle"
)

// words is the report for people.
func words(r bundle.Report, c command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if r.Bundle != "" {
		line("Evidence bundle %s", plain(string(r.Bundle)))
		line("From %s, for %s, made %s", plain(r.Force), plain(r.Recipient), r.MadeAt.UTC().Format("2 January 2006, 15:04 UTC"))
	}
	for _, rec := range r.Recordings {
		line("Recording %s, camera %s: files %d, events %d", plain(string(rec.Recording)), plain(rec.Device), rec.Masters, rec.Events)
	}
	line("%d files, %s read", r.Files, size(r.Bytes))
	line("")
	verdict(line, r)
	findings(line, r, c)
	advice(line, r, "custos-verify --log-key BAG/keys/log.vkey BAG")
	return b.String()
}

// findings are all checks: what is wrong, what is proven, what is not.
func findings(line func(string, ...any), r bundle.Report, c command) {
	var wrong, open, proven []bundle.Check
	for _, check := range r.Checks {
		switch check.State {
		case bundle.Failed:
			wrong = append(wrong, check)
		case bundle.NotProven:
			open = append(open, check)
		default:
			proven = append(proven, check)
		}
	}
	list(line, "WRONG", wrong)
	list(line, "PROVEN", shortened(proven, c.all))
	list(line, "NOT PROVEN", open)
}

func verdict(line func(string, ...any), r bundle.Report) {
	switch r.Outcome() {
	case bundle.Sound:
		line("EVERYTHING HOLDS. These are the bytes that came off the camera, and the record of")
		line("what was done with them is the one in the log whose key you gave.")
	case bundle.Unconfirmed:
		line("EVERYTHING FITS TOGETHER, BUT NOT ALL OF IT IS CONFIRMED. See NOT PROVEN and the")
		line("end of this report.")
	default:
		line("SOMETHING IS WRONG WITH THIS BUNDLE. Do not rely on it.")
	}
	line("")
}

func list(line func(string, ...any), title string, checks []bundle.Check) {
	if len(checks) == 0 {
		return
	}
	line("%s", title)
	for _, c := range checks {
		where := c.Name
		if c.Subject != "" {
			where += ", " + plain(c.Subject)
		}
		line("  %s", where)
		line("      %s", plain(c.Says))
	}
	line("")
}

// shortened keeps what concerns the whole bundle, and the first few of what
// is said of each file and recording.
func shortened(checks []bundle.Check, all bool) []bundle.Check {
	const few = 5
	var out []bundle.Check
	count := map[string]int{}
	for _, c := range checks {
		if count[c.Name]++; all || count[c.Name] <= few {
			out = append(out, c)
		}
	}
	for _, c := range out {
		if more := count[c.Name] - few; more > 0 && !all {
			out = append(out, bundle.Check{Name: c.Name, Says: fmt.Sprintf("The same holds for %d more. --all names them.", more)})
			count[c.Name] = 0
		}
	}
	return out
}

// advice is what to do now; again is the command to run once the key is confirmed.
func advice(line func(string, ...any), r bundle.Report, again string) {
	key, asked := false, false
	for _, c := range r.Checks {
		key = key || c.Name == "key" && c.State == bundle.NotProven
		asked = asked || c.Asked && c.State == bundle.NotProven
	}
	switch {
	case r.Outcome() == bundle.Wrong:
		line("WHAT TO DO")
		line("  Keep what you have as it is. Ask the force for a new copy and check that. If the")
		line("  new copy is wrong in the same place, it was not the disc or the download.")
	case key:
		line("WHAT TO DO")
		line("  Telephone the force on a number that you did not take from here, and")
		line("  have them read to you the fingerprint of their log key. It must be:")
		line("")
		for i := 0; i < len(r.Fingerprint); i += 40 {
			line("      %s", r.Fingerprint[i:min(i+40, len(r.Fingerprint))])
		}
		line("")
		line("  If it is, run this again with that key:")
		line("")
		line("      %s", again)
	case asked:
		line("WHAT TO DO")
		line("  Ask the force for a newer bundle, made while the witnesses and the timestamp")
		line("  authority that you believe were signing. If there is none, ask the witnesses")
		line("  themselves what they have signed of this log, and when they stopped.")
	case r.Outcome() == bundle.Unconfirmed:
		line("WHAT TO DO")
		line("  Decrypt the files that end in .age with the key that they were sealed for, and")
		line("  compare their SHA-256 with the one above.")
	}
}

// plain shows text that others wrote: what a terminal would act on, or what
// would turn the direction of writing, is spelt out.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d bytes", n)
}
