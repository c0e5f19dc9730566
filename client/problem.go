package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"custos/evidence"
)

// Problem is what the server answered when it refused. It stands in the chain
// of the errors of this package.
type Problem struct {
	Status     int           // HTTP status
	Reference  string        // finds it in the server's log
	RetryAfter time.Duration // when the server said so; 0: it did not
}

func (p *Problem) Error() string {
	s := fmt.Sprintf("HTTP status %d", p.Status)
	if p.Reference != "" {
		s += ", reference " + p.Reference
	}
	return s
}

// problem turns an answer (RFC 9457 where the server speaks it) into an error.
func problem(res *http.Response, body []byte) error {
	var said struct{ Detail, Title, Code, Reference string }
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		if json.Unmarshal(body, &said) != nil {
			said.Detail, said.Code = "", ""
		}
	}
	p := &Problem{Status: res.StatusCode, Reference: oneLine(said.Reference)}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 {
		p.RetryAfter = time.Duration(min(n, 3600)) * time.Second
	}
	code := codeOf(res.StatusCode)
	if c := evidence.Code(said.Code); slices.Contains([]evidence.Code{
		evidence.NotFound, evidence.Denied, evidence.Unauthenticated, evidence.Invalid, evidence.Conflict,
		evidence.Held, evidence.Corrupt, evidence.Full, evidence.Unavailable,
	}, c) {
		code = c
	}
	message := oneLine(said.Detail)
	if message == "" {
		message = oneLine(said.Title)
	}
	if message == "" {
		message = plain(code)
	}
	return evidence.Wrap(code, p, message)
}

func codeOf(status int) evidence.Code {
	switch status {
	case http.StatusUnauthorized:
		return evidence.Unauthenticated
	case http.StatusForbidden:
		return evidence.Denied
	case http.StatusNotFound, http.StatusGone:
		return evidence.NotFound
	case http.StatusConflict, http.StatusLocked:
		return evidence.Conflict
	case http.StatusInsufficientStorage:
		return evidence.Full
	case 460: // tus: checksum mismatch
		return evidence.Corrupt
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return evidence.Unavailable
	}
	if status >= 400 && status < 500 {
		return evidence.Invalid
	}
	return evidence.Unavailable
}

func plain(code evidence.Code) string {
	switch code {
	case evidence.Unauthenticated, evidence.Denied:
		return "The server does not accept this dock's key. The cameras keep their footage. Enrol the dock again."
	case evidence.NotFound:
		return "The server does not know this upload."
	case evidence.Full:
		return "The server has no room. The cameras keep their footage until it has."
	case evidence.Invalid:
		return "The server refuses this file as it is. It stays on the camera."
	}
	return "The server cannot do this now. It is tried again."
}

// unreachable describes a request that got no answer.
func unreachable(ctx context.Context, err error) error {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(context.Cause(ctx), errStalled):
		return evidence.Wrap(evidence.Unavailable, err, "The connection to the server stands still. It is tried again.")
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.As(err, &certificate), errors.As(err, &authority):
		return evidence.Wrap(evidence.Unavailable, err, "The server's certificate cannot be trusted. Nothing is sent until it can.")
	}
	return evidence.Wrap(evidence.Unavailable, err, "The server cannot be reached. The cameras keep their footage; it is tried again.")
}

// oneLine makes text from the network fit to show.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s[:min(len(s), maxMessage)])
}

// Backoff says how long to wait before another try: it doubles from Min to
// Max, with up to half of it left to chance so that docks do not come back in
// step. The zero value is 1 s to 2 min.
type Backoff struct{ Min, Max time.Duration }

// Wait is how long to wait after the tries-th failure (1, 2, …), at least what
// the server asked for in err. random gives one byte of chance.
func (b Backoff) Wait(tries int, err error, random io.Reader) time.Duration {
	if b.Min <= 0 {
		b.Min = time.Second
	}
	if b.Max < b.Min {
		b.Max = max(b.Min, 2*time.Minute)
	}
	d := float64(b.Min) * math.Pow(2, float64(min(max(tries, 1), 40)-1))
	d = min(d, float64(b.Max))
	var chance [1]byte
	if _, err := io.ReadFull(random, chance[:]); err == nil {
		d -= d / 2 * float64(chance[0]) / 255
	}
	var p *Problem
	if errors.As(err, &p) {
		d = max(d, float64(p.RetryAfter))
	}
	return time.Duration(d)
}
