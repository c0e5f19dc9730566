package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"custos/evidence"
)

// Problem is how every refusal and failure looks to programs: RFC 9457 with a
// stable code and a reference that finds the request in the server's log. It
// never repeats what was sent.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail" doc:"For people: what happened, what is safe, what to do next."`
	Code      string `json:"code" doc:"Stable; for programs." enum:"not_found,denied,unauthenticated,step_up,invalid,conflict,held,corrupt,full,too_many,unavailable,internal"`
	Reference string `json:"reference,omitempty" doc:"Finds this request in the server's log."`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus makes Problem an error that huma can write.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// statuses maps codes to HTTP; this is the one place that does.
var statuses = map[evidence.Code]int{
	evidence.NotFound:        http.StatusNotFound,
	evidence.Denied:          http.StatusForbidden,
	evidence.Unauthenticated: http.StatusUnauthorized,
	evidence.StepUp:          http.StatusForbidden,
	evidence.Invalid:         http.StatusUnprocessableEntity,
	evidence.Conflict:        http.StatusConflict,
	evidence.Held:            http.StatusConflict,
	evidence.Corrupt:         http.StatusInternalServerError,
	evidence.Full:            http.StatusInsufficientStorage,
	evidence.TooMany:         http.StatusTooManyRequests,
	evidence.Unavailable:     http.StatusServiceUnavailable,
	evidence.Internal:        http.StatusInternalServerError,
}

func problem(code evidence.Code, detail string) *Problem {
	status := statuses[code]
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: string(code)}
}

// problemOf turns an error into what the client may know of it. A request that
// the client itself gave up is nobody's fault.
func problemOf(ctx context.Context, err error) *Problem {
	var p *Problem
	if !errors.As(err, &p) {
		if evidence.CodeOf(err) == evidence.Internal && errors.Is(err, context.DeadlineExceeded) {
			err = overdue(err)
		}
		code := evidence.CodeOf(err)
		if code == evidence.Internal && errors.Is(err, context.Canceled) {
			code = evidence.Unavailable
		}
		p = problem(code, evidence.MessageOf(err))
	}
	q := *p
	q.Reference = reference(ctx)
	return &q
}

// writeProblem is problemOf for handlers outside huma.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	note(r.Context(), err)
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Content-Disposition"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	setRetry(h.Set, stateOf(r.Context()))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // the client went away; nothing is lost
	}
}

// humaError gives huma's own refusals (a body that does not fit its schema)
// our form. Details name the place, never the value that was sent.
func humaError(status int, _ string, errs ...error) huma.StatusError {
	code, detail := evidence.Invalid, "The request is not of the form this service takes."
	switch {
	case status == http.StatusNotFound:
		code, detail = evidence.NotFound, "There is no such thing."
	case status == http.StatusRequestEntityTooLarge:
		detail = "The request is larger than this service takes."
	case status >= 500:
		code, detail = evidence.Internal, evidence.MessageOf(nil)
	}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) || d.Location == "" {
			continue
		}
		if d.Message == validation.MsgUnexpectedProperty { // its name was sent, too
			detail += " It has a field that this service does not know."
		} else {
			detail += " Look at " + d.Location + "."
		}
		break
	}
	p := problem(code, detail)
	p.Status, p.Title = status, http.StatusText(status)
	return p
}

// referred gives huma's own refusals their reference, and the log their cause.
func referred(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if !ok || p.Reference != "" {
		return v, nil
	}
	note(ctx.Context(), p)
	return problemOf(ctx.Context(), p), nil
}
