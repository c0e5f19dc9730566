package oversight

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"custos/evidence"
	"custos/ledger"
)

// Format is how a part of the trail is given out.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	PDF  Format = "pdf"
	JSON Format = "json" // with proofs: docs/formats/trail.md
)

// Formats are all of them.
func Formats() []Format { return []Format{CSV, PDF, JSON} }

// most is how many events a file of each format holds.
func (f Format) most() int {
	return map[Format]int{CSV: 250_000, PDF: 5_000, JSON: 10_000}[f]
}

// Type is the media type.
func (f Format) Type() string {
	return map[Format]string{CSV: "text/csv; charset=utf-8", PDF: "application/pdf", JSON: "application/json"}[f]
}

// Export is a part of the trail, or a report from it, that was asked for,
// allowed and recorded, and is to be written once.
type Export struct {
	Name   string // of the file
	Format Format

	trail      *Trail
	actor      evidence.Actor
	question   Question
	report     bool // of the six operations
	id         evidence.ID
	at         time.Time
	checkpoint []byte
	size       int64
	about      []evidence.Field
}

// checkpointWait is how long an export waits until a checkpoint covers what it
// is to show.
const checkpointWait = 15 * time.Second

// Export begins to give out all that q asks for. The export is on record
// before its first byte, and its outcome, with count and digest, after its
// last. Errors: Denied; Invalid for an unknown format or more events than a
// file of it holds; Unavailable.
func (t *Trail) Export(ctx context.Context, actor evidence.Actor, q Question, format Format) (*Export, error) {
	return t.begin(ctx, actor, q, format, false)
}

// Report begins the report of the six operations of DPA 2018 s.62(1) in a
// time, with the fields of R3. Errors: as Export.
func (t *Trail) Report(ctx context.Context, actor evidence.Actor, from, to time.Time, format Format) (*Export, error) {
	if err := checkPeriod(from, to); err != nil {
		return nil, err
	}
	if format == JSON {
		return nil, evidence.Errorf(evidence.Invalid, "The report is made as CSV or PDF.")
	}
	return t.begin(ctx, actor, Question{Verbs: operations(), From: from, To: to}, format, true)
}

func (t *Trail) begin(ctx context.Context, actor evidence.Actor, q Question, format Format, report bool) (*Export, error) {
	if format.most() == 0 {
		return nil, evidence.Errorf(evidence.Invalid, "The trail is given out as CSV, PDF or JSON.")
	}
	what, name := "export", "trail"
	if report {
		what, name = "s.62 report", "s62-report"
	}
	at := t.Now()
	e := &Export{Format: format, trail: t, actor: actor, question: q, report: report, at: at,
		Name:  fmt.Sprintf("custos-%s-%s.%s", name, at.UTC().Format("20060102T150405Z"), format),
		about: append([]evidence.Field{evidence.F("what", what), evidence.F("format", string(format))}, q.fields()...)}
	if err := t.decide(ctx, actor, e.about); err != nil {
		return nil, err
	}
	ref, err := t.record(ctx, actor, evidence.Intent, e.about)
	if err != nil {
		return nil, err
	}
	e.id = ref.Event
	// What happens from now on is not in it: else a long one would not end.
	if e.question.To.IsZero() || e.question.To.After(at) {
		e.question.To = at
	}
	if err := e.prepare(ctx, ref); err != nil {
		return nil, e.failed(ctx, err)
	}
	return e, nil
}

// prepare counts, and waits for a checkpoint that covers the export's own
// record, so that all before it is covered too.
func (e *Export) prepare(ctx context.Context, ref ledger.Ref) error {
	most := e.Format.most()
	n, err := e.trail.Ledger.Count(ctx, e.question.search(), most+1)
	if err != nil {
		return err
	}
	if n > most {
		return evidence.Errorf(evidence.Invalid, "More than %d events match, which is the most that one file of this kind holds. Choose a shorter time, or CSV, which holds %d.", most, CSV.most())
	}
	ctx, cancel := context.WithTimeout(ctx, checkpointWait)
	defer cancel()
	index, _, err := e.trail.Ledger.Wait(ctx, ref)
	if err != nil {
		return err
	}
	e.checkpoint, e.size, err = e.trail.cosigned(ctx, index+1)
	return err
}

// failed records that the export broke off, and gives the error back.
func (e *Export) failed(ctx context.Context, cause error) error {
	reason := evidence.MessageOf(cause)
	_, err := e.trail.record(context.WithoutCancel(ctx), e.actor, evidence.Failed,
		append([]evidence.Field{evidence.F("export", string(e.id)), evidence.F("reason", reason)}, e.about...))
	if err != nil {
		return fmt.Errorf("%w (and that could not be recorded: %w)", cause, err)
	}
	return cause
}

// Write writes the file and records the outcome. Where it fails, part of the
// file may be written: the receiver must not take that for the whole.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	digest := sha256.New()
	w = io.MultiWriter(w, digest)
	n, err := map[Format]func(context.Context, io.Writer) (int, error){CSV: e.csv, PDF: e.pdf, JSON: e.json}[e.Format](ctx, w)
	if err != nil {
		return e.failed(ctx, err)
	}
	_, err = e.trail.record(context.WithoutCancel(ctx), e.actor, evidence.Outcome, append([]evidence.Field{
		evidence.F("export", string(e.id)), evidence.F("events", n), evidence.F("sha256", fmt.Sprintf("%x", digest.Sum(nil)))}, e.about...))
	return err
}

// each gives every event of the answer, newest first.
func (e *Export) each(ctx context.Context, f func(TrailEvent) error) (n int, err error) {
	for after := (ledger.Place{}); ; {
		events, next, more, err := e.trail.page(ctx, e.actor, e.question, after, 500)
		if err != nil {
			return n, err
		}
		for _, ev := range events {
			if err := f(ev); err != nil {
				return n, err
			}
			n++
		}
		if !more {
			return n, nil
		}
		after = next
	}
}
