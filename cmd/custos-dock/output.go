package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"custos/evidence"
)

func newOutput(c *console, asJSON bool) output {
	switch f, ok := c.stdout.(*os.File); {
	case asJSON:
		return &lines{c: c, print: printJSON, last: map[string]evidence.CameraStatus{}}
	case ok && term.IsTerminal(int(f.Fd())):
		return &bars{progress: mpb.New(mpb.WithOutput(f), mpb.WithWidth(30)), of: map[string]*bar{}}
	}
	return &lines{c: c, print: printLine, last: map[string]evidence.CameraStatus{}}
}

// lines prints a line for every change that people would want to know of.
type lines struct {
	c       *console
	print   func(io.Writer, evidence.DockStatus, *evidence.CameraStatus)
	last    map[string]evidence.CameraStatus // by device
	message string
}

func (l *lines) log() io.Writer { return l.c.stderr }
func (l *lines) close()         {}

func (l *lines) show(s evidence.DockStatus) {
	if s.Message != l.message {
		l.message = s.Message
		l.print(l.c.stdout, s, nil)
	}
	for _, c := range s.Cameras {
		was, ok := l.last[c.Device]
		if ok && was.State == c.State && was.Message == c.Message && was.Wiped == c.Wiped && was.Done == c.Done && was.Files == c.Files {
			continue
		}
		l.last[c.Device] = c
		l.print(l.c.stdout, s, &c)
	}
}

// event is one line of --json.
type event struct {
	At      string                 `json:"at"`
	Event   string                 `json:"event"` // "dock": its message changed; "camera": a camera changed
	Message string                 `json:"message,omitempty"`
	Camera  *evidence.CameraStatus `json:"camera,omitempty"`
}

func printJSON(w io.Writer, s evidence.DockStatus, c *evidence.CameraStatus) {
	e := event{At: evidence.FormatTime(s.At), Event: "dock", Message: s.Message}
	if c != nil {
		e.Event, e.Message, e.Camera = "camera", "", c
	}
	// Standard output that is gone is no reason to stop taking footage in.
	_ = json.NewEncoder(w).Encode(e)
}

func printLine(w io.Writer, s evidence.DockStatus, c *evidence.CameraStatus) {
	if c == nil {
		if s.Message == "" {
			s.Message = "The server is there and takes footage in."
		}
		fmt.Fprintln(w, s.Message)
		return
	}
	fmt.Fprintln(w, describe(*c))
}

// describe is one line about one camera.
func describe(c evidence.CameraStatus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", c.Device, c.State)
	if c.State != evidence.CameraGone && c.Files > 0 {
		fmt.Fprintf(&b, ", %d of %d in the vault, %d wiped", c.Done, c.Files, c.Wiped)
		if c.Sent < c.Bytes {
			fmt.Fprintf(&b, ", %s of %s sent", size(c.Sent), size(c.Bytes))
		}
	}
	if c.LeftOver > 0 {
		fmt.Fprintf(&b, ", %d left alone", c.LeftOver)
	}
	if c.Message != "" {
		b.WriteString(". " + c.Message)
	}
	return b.String()
}

func size(n int64) string {
	for _, u := range []struct {
		bytes int64
		name  string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= u.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// bars shows a live bar for every camera.
type bars struct {
	progress *mpb.Progress
	of       map[string]*bar
}

type bar struct {
	bar *mpb.Bar
	now chan evidence.CameraStatus // the latest, of one
}

func (b *bars) log() io.Writer { return b.progress }

func (b *bars) show(s evidence.DockStatus) {
	for _, c := range s.Cameras {
		x := b.of[c.Device]
		if x == nil {
			x = &bar{now: make(chan evidence.CameraStatus, 1)}
			x.bar = b.progress.AddBar(max(c.Bytes, 1),
				mpb.PrependDecorators(decor.Name(fit(c.Device, 16), decor.WC{W: 17, C: decor.DindentRight})),
				mpb.AppendDecorators(decor.Any(latest(x.now))))
			b.of[c.Device] = x
		}
		select {
		case <-x.now:
		default:
		}
		x.now <- c
		x.bar.SetTotal(max(c.Bytes, 1), false)
		x.bar.SetCurrent(c.Sent)
	}
}

// latest keeps the last status it was sent, for drawing.
func latest(now <-chan evidence.CameraStatus) func(decor.Statistics) string {
	var c evidence.CameraStatus
	return func(decor.Statistics) string {
		select {
		case c = <-now:
		default:
		}
		s := fmt.Sprintf(" %s %d/%d", c.State, c.Wiped, c.Files)
		if c.Rate > 0 {
			s += " " + size(c.Rate) + "/s"
		}
		if c.Message != "" {
			s += " " + c.Message
		}
		return s
	}
}

func fit(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

func (b *bars) close() {
	for _, x := range b.of {
		x.bar.Abort(false)
	}
	b.progress.Wait()
}
