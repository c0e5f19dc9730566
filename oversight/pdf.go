package oversight

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"custos/evidence"
	"custos/tlog"
)

// Millimetres of a page of A4 on its side.
const (
	pdfMargin = 10.0
	pdfLine   = 3.9
)

// pdfColumns are the columns of the list and their widths in millimetres.
var pdfColumns = []struct {
	title string
	width float64
}{{"When (UTC)", 33}, {"Who", 50}, {"What", 30}, {"To what", 47}, {"Why", 42}, {"Particulars", 75}}

// sheet is a PDF on its way. Its fonts hold Latin, Greek and Cyrillic, so that
// names stand there as people have them.
type sheet struct {
	*fpdf.Fpdf
	list bool // the next page begins with the titles of the columns
}

// pdf writes the answer as a document: what it is, for whom it was made, what
// was asked, up to which checkpoint; then the events.
func (e *Export) pdf(ctx context.Context, w io.Writer) (int, error) {
	t := e.trail
	p := &sheet{Fpdf: fpdf.New("L", "mm", "A4", "")}
	p.AddUTF8FontFromBytes("go", "", goregular.TTF)
	p.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	p.SetMargins(pdfMargin, 16, pdfMargin)
	p.SetAutoPageBreak(false, 0)
	p.AliasNbPages("{pages}")
	p.SetCreationDate(e.at.UTC())
	p.SetModificationDate(e.at.UTC())
	p.SetTitle(e.title(), true)
	p.SetHeaderFunc(func() { p.head(t.Classification, t.Force, e.title()) })
	p.SetFooterFunc(func() { p.foot(t.Classification, string(e.id)) })
	p.AddPage()
	if err := p.about(e); err != nil {
		return 0, err
	}
	if e.report {
		counts, err := t.count(ctx, e.actor, e.question.From, e.question.To)
		if err != nil {
			return 0, err
		}
		p.counts(counts)
	}
	p.list = true
	p.titles()
	n, err := e.each(ctx, func(ev TrailEvent) error {
		p.event(ev)
		return p.Error()
	})
	if err != nil {
		return n, err
	}
	if n == 0 {
		p.text("No event matches.")
	}
	return n, p.Output(w)
}

func (e *Export) title() string {
	if e.report {
		return "Log of the six operations, Data Protection Act 2018 s.62"
	}
	return "Trail of the evidence"
}

func (p *sheet) head(classification, force, title string) {
	p.SetY(6)
	p.SetFont("go", "B", 8)
	p.CellFormat(0, 4, classification, "", 1, "C", false, 0, "")
	p.SetFont("go", "", 8)
	p.CellFormat(0, 4, force+"  ·  "+title, "", 1, "L", false, 0, "")
	p.SetY(16)
	if p.list {
		p.titles()
	}
}

func (p *sheet) foot(classification, export string) {
	p.SetY(-11)
	p.SetFont("go", "", 7)
	p.CellFormat(120, 4, "Given out as event "+export, "", 0, "L", false, 0, "")
	p.SetFont("go", "B", 8)
	p.CellFormat(37, 4, classification, "", 0, "C", false, 0, "")
	p.SetFont("go", "", 7)
	p.CellFormat(0, 4, fmt.Sprintf("Page %d of {pages}", p.PageNo()), "", 0, "R", false, 0, "")
}

func (p *sheet) text(s string) {
	p.SetFont("go", "", 8)
	p.MultiCell(0, 4.4, s, "", "L", false)
}

// about says what the document is.
func (p *sheet) about(e *Export) error {
	c, err := tlog.ParseCheckpoint(e.checkpoint)
	if err != nil {
		return err
	}
	p.SetFont("go", "B", 14)
	p.CellFormat(0, 9, e.title(), "", 1, "L", false, 0, "")
	a := e.actor
	p.text(fmt.Sprintf("Made %s for %s, %s, account %s.", e.at.UTC().Format("2 January 2006, 15:04:05 UTC"), strings.TrimSpace(a.Name+" "+a.Number), a.Role, a.ID))
	asked := "everything"
	if q := e.about[2:]; len(q) > 0 {
		var parts []string
		for _, f := range q {
			parts = append(parts, strings.TrimPrefix(f.Name, "sought_")+" "+f.Value)
		}
		asked = strings.Join(parts, "; ")
	}
	p.text("Asked for: " + asked + ".")
	p.text(fmt.Sprintf("Log at that moment: %s, %d entries, root %s.", c.Origin, c.Size, c.Root))
	p.text("Values are as they were recorded at the time. Times are UTC. This document proves nothing by itself: the JSON form of the trail holds the proofs. " +
		"Events about recordings that the person named above may not know of are not in it.")
	p.Ln(3)
	return nil
}

// counts is the table of the six operations.
func (p *sheet) counts(s S62) {
	widths := []float64{45, 25, 25, 25, 25}
	row := func(style string, cells ...string) {
		p.SetFont("go", style, 8)
		for i, c := range cells {
			align := "R"
			if i == 0 {
				align = "L"
			}
			p.CellFormat(widths[i], 5, c, "B", 0, align, false, 0, "")
		}
		p.Ln(5)
	}
	row("B", "Operation", "Begun", "Done", "Refused", "Failed")
	for _, o := range s.Operations {
		row("", o.Operation, fmt.Sprint(o.Begun), fmt.Sprint(o.Done), fmt.Sprint(o.Refused), fmt.Sprint(o.Failed))
	}
	p.Ln(4)
}

func (p *sheet) titles() {
	p.SetFont("go", "B", 7.5)
	for _, c := range pdfColumns {
		p.CellFormat(c.width, 5, c.title, "B", 0, "L", false, 0, "")
	}
	p.Ln(5.5)
}

// event is one row, as high as its fullest cell.
func (p *sheet) event(ev TrailEvent) {
	p.SetFont("go", "", 7)
	what := ev.get("verb")
	if o := operationOf(evidence.Verb(what)); o != "" {
		what = o
	}
	at := ev.get("at")
	if t, err := time.Parse(evidence.TimeFormat, at); err == nil {
		at = t.Format("2006-01-02 15:04:05.00")
	}
	who := strings.TrimSpace(ev.get("actor_name")+" "+ev.get("actor_number")) + "\n" + strings.Trim(ev.get("actor_role")+", "+ev.get("address"), ", ")
	why := strings.Trim(ev.get("purpose")+", "+ev.get("reference"), ", ")
	if n := ev.get("note"); n != "" {
		why = strings.TrimSpace(why + "\n" + n)
	}
	cells := []string{at + "\n" + entryNumber(ev), who, what + "\n" + ev.get("phase"), string(ev.Item) + fmt.Sprintf("\nnumber %d of its history", ev.ItemSeq), why, ev.other()}
	var lines [][]string
	high := 1
	for i, c := range cells {
		l := p.wrapped(c, pdfColumns[i].width-2)
		lines, high = append(lines, l), max(high, len(l))
	}
	_, height := p.GetPageSize()
	if p.GetY()+float64(high)*pdfLine > height-13 {
		p.AddPage()
		p.SetFont("go", "", 7)
	}
	x, y := p.GetXY()
	for i, l := range lines {
		for k, s := range l {
			p.SetXY(x, y+float64(k)*pdfLine)
			p.CellFormat(pdfColumns[i].width, pdfLine, s, "", 0, "L", false, 0, "")
		}
		x += pdfColumns[i].width
	}
	y += float64(high)*pdfLine + 0.8
	p.SetDrawColor(200, 200, 200)
	p.Line(pdfMargin, y, 297-pdfMargin, y)
	p.SetDrawColor(0, 0, 0)
	p.SetXY(pdfMargin, y+0.8)
}

func entryNumber(ev TrailEvent) string {
	if ev.Index < 0 {
		return "not in the log yet"
	}
	return fmt.Sprintf("log entry %d", ev.Index)
}

// mostLines is how many lines of one cell are shown: a value may be of 65,535
// bytes, and a row must fit on a page.
const mostLines = 36

// wrapped cuts a text into lines, inside words too: digests and names of files
// have no spaces.
func (p *sheet) wrapped(s string, width float64) (out []string) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r >= ' ' && r != 0x7f && r < 0x10000: // what the fonts have no sign for is shown as a box
			return r
		}
		return '\uFFFD'
	}, s)
	for _, part := range strings.Split(s, "\n") {
		if part == "" {
			continue
		}
		line, broad := "", 0.0
		for _, r := range part {
			w := p.GetStringWidth(string(r))
			if broad+w > width {
				if cut := strings.LastIndexByte(line, ' '); cut > len(line)/2 {
					out, line = append(out, line[:cut]), line[cut+1:]
				} else {
					out, line = append(out, line), ""
				}
				broad = p.GetStringWidth(line)
			}
			line, broad = line+string(r), broad+w
			if len(out) >= mostLines {
				return append(out[:mostLines-1], "… the rest is in the CSV and JSON forms")
			}
		}
		out = append(out, line)
	}
	return out
}
