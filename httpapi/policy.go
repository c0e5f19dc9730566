package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"custos/evidence"
)

// policy says who may use a route at all; what they may do with a particular
// recording is decided below, by access through custody. A route cannot be
// registered without one.
type policy struct {
	name string
	// allow tells whether the actor may; it runs after signing in. nil: anyone,
	// signed in or not.
	allow func(s *Server, a evidence.Actor) bool
	// keyed: the caller is a dock with its key, not a person with a session.
	keyed bool
	// fresh: the person must have proven who they are a short while ago.
	fresh bool
	// enrolling: also in a session in which nothing else may be done yet.
	enrolling bool
}

// route is one registered way in. Method is "" where the pattern takes any.
type route struct {
	method, pattern string
	policy          policy
}

// own is for handlers that decide for themselves who may call them.
func own(name string) policy { return policy{name: name} }

var (
	anyone   = policy{name: "anyone"}
	person   = policy{name: "a person signed in", allow: func(*Server, evidence.Actor) bool { return true }}
	dockOnly = policy{name: "a dock", keyed: true, allow: func(*Server, evidence.Actor) bool { return true }}
)

// may is a person whose role opens an area; see access.
func may(area string) policy {
	return policy{name: "may open " + area, allow: func(s *Server, a evidence.Actor) bool { return s.Access.Can(a, area) }}
}

// fresh is p for what must not be done from a screen that somebody left open:
// exports, and changes of rules, keys and roles. Where the person did not prove
// who they are within the last five minutes the route answers 403 with the code
// step_up; the browser then asks for it (POST /api/session/step-up) and sends
// its request again.
func fresh(p policy) policy {
	p.name += ", who has just proven that it is them"
	p.fresh = true
	return p
}

// enrolling is p also for whoever is just setting up how they sign in: such a
// session is fresh, as it serves nothing else.
func enrolling(p policy) policy {
	p.enrolling = true
	return p
}

// authenticate finds out who calls and whether the policy lets them.
func (s *Server) authenticate(r *http.Request, p policy) (evidence.Actor, error) {
	if p.allow == nil {
		return evidence.Actor{}, nil
	}
	if err := fromElsewhere(r); err != nil {
		return evidence.Actor{}, err
	}
	var a evidence.Actor
	var err error
	st := stateOf(r.Context())
	if p.keyed {
		a, err = s.dockByKey(r)
	} else {
		c, cerr := r.Cookie(s.cookieName())
		if cerr != nil {
			return a, evidence.Errorf(evidence.Unauthenticated, "Nobody is signed in. Sign in to go on.")
		}
		a, st.session, err = s.Identity.Authenticate(r.Context(), c.Value)
		st.token = c.Value
	}
	if err != nil {
		return evidence.Actor{}, err
	}
	a.Address = s.caller(r)
	st.actor = a
	if err := s.limited(r.Context(), s.rates.account, a.ID); err != nil {
		return evidence.Actor{}, err
	}
	if st.session.Enrolling && !p.enrolling {
		return evidence.Actor{}, evidence.Errorf(evidence.Denied, "Set up a passkey or a code app first. Until then this account can do nothing else.")
	}
	if !p.allow(s, a) {
		return evidence.Actor{}, evidence.Errorf(evidence.Denied, "Your role does not include this. Ask an administrator if it should.")
	}
	if p.fresh && !st.session.Enrolling && !st.session.Fresh(s.Now()) {
		return evidence.Actor{}, evidence.Errorf(evidence.StepUp, "Show once more that it is you. Nothing was changed yet.")
	}
	return a, nil
}

// dockByKey tells whose key a request carries. Keys that are none count as
// attempts to sign in from their address: uploads have no other limit there.
func (s *Server) dockByKey(r *http.Request) (evidence.Actor, error) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return evidence.Actor{}, evidence.Errorf(evidence.Unauthenticated, "A dock must give its key.")
	}
	from := "dock " + s.caller(r)
	if err := refusal(r.Context(), s.rates.signIn.empty(from)); err != nil {
		return evidence.Actor{}, err
	}
	a, err := s.Identity.AuthenticateDock(r.Context(), key)
	if evidence.CodeOf(err) == evidence.Unauthenticated {
		s.rates.signIn.take(from)
	}
	return a, err
}

// handle registers a plain route. h returns an error before it wrote anything,
// or writes the whole answer and returns nil.
func (s *Server) handle(pattern string, p policy, h func(w http.ResponseWriter, r *http.Request, a evidence.Actor) error) {
	s.list(pattern, p)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		a, err := s.authenticate(r, p)
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, maxPlain)
			err = h(w, r, a)
		}
		if err == nil {
			return
		}
		if rec, ok := w.(*recorder); ok && rec.status != 0 { // too late to say so
			note(r.Context(), err)
			return
		}
		writeProblem(w, r, err)
	})
}

// mount registers a handler of another room, which asks itself who calls; p
// says in words whom it lets in.
func (s *Server) mount(pattern string, p policy, h http.Handler) {
	s.list(pattern, p)
	s.mux.Handle(pattern, h)
}

func (s *Server) list(pattern string, p policy) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "", pattern
	}
	s.listed = append(s.listed, route{method, path, p})
}

// described registers a route of the described API: JSON in and out, types in
// the OpenAPI document.
func described[I, O any](s *Server, method, path, summary string, p policy, h func(ctx context.Context, a evidence.Actor, in *I) (*O, error)) {
	describedUpTo(s, 256<<10, method, path, summary, p, h)
}

// describedUpTo is described for a body of up to limit bytes.
func describedUpTo[I, O any](s *Server, limit int64, method, path, summary string, p policy, h func(ctx context.Context, a evidence.Actor, in *I) (*O, error)) {
	s.list(method+" "+path, p)
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary,
		Description: "Who: " + p.name + ".", MaxBodyBytes: limit,
		BodyReadTimeout: -1, // Patience.Body; huma's own would end a request that works for longer
		Middlewares: huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			r := unwrap(ctx)
			if _, err := s.authenticate(r, p); err != nil {
				note(r.Context(), err)
				problem := problemOf(r.Context(), err)
				ctx.SetHeader("Content-Type", "application/problem+json")
				ctx.SetHeader("Cache-Control", "no-store")
				setRetry(ctx.SetHeader, stateOf(r.Context()))
				ctx.SetStatus(problem.Status)
				_ = s.api.Marshal(ctx.BodyWriter(), "application/json", problem) // the client went away
				return
			}
			ctx.SetHeader("Cache-Control", "no-store")
			next(ctx)
		}},
	}
	if method == http.MethodPost || method == http.MethodDelete || method == http.MethodPut {
		op.DefaultStatus = http.StatusOK
		var o O
		switch any(o).(type) {
		case struct{}, signedOut: // nothing to read
			op.DefaultStatus = http.StatusNoContent
		}
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, s.Patience.Answer)
		defer cancel()
		out, err := h(ctx, stateOf(ctx).actor, in)
		if err != nil {
			note(ctx, err)
			return nil, problemOf(ctx, err)
		}
		return out, nil
	})
}

func operationID(method, path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '{' || r == '}' })
	return strings.ToLower(method) + "-" + strings.Join(words[1:], "-")
}
