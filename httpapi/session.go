package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"custos/access"
	"custos/evidence"
	"custos/identity"
)

func unwrap(ctx huma.Context) *http.Request {
	r, _ := humago.Unwrap(ctx)
	return r
}

// cookieName carries the __Host- prefix where browsers honour it: over TLS.
func (s *Server) cookieName() string {
	if s.Secure {
		return "__Host-custos"
	}
	return "custos"
}

func (s *Server) cookie(token string, maxAge int) http.Cookie {
	return http.Cookie{Name: s.cookieName(), Value: token, Path: "/", HttpOnly: true, Secure: s.Secure,
		SameSite: http.SameSiteStrictMode, MaxAge: maxAge}
}

// body is a described answer of type T.
type body[T any] struct{ Body T }

// Me is the person signed in, and what the screens may offer them.
type Me struct {
	ID             string           `json:"id"`
	Name           string           `json:"name"`
	Number         string           `json:"number"`
	Role           string           `json:"role"`
	RoleName       string           `json:"roleName"`
	Force          string           `json:"force"`
	Classification string           `json:"classification"`
	Can            access.Abilities `json:"can"`
}

func (s *Server) me(a evidence.Actor) Me {
	return Me{
		ID: a.ID, Name: a.Name, Number: a.Number, Role: a.Role, RoleName: s.Access.RoleName(a.Role),
		Force: s.Force, Classification: s.Classification,
		Can: s.Access.Abilities(a),
	}
}

type signInIn struct {
	Body struct {
		Name     string `json:"name" maxLength:"200"`
		Password string `json:"password" maxLength:"1000"`
	}
}

type signedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

func (s *Server) signedIn(in identity.SignedIn, err error) (*signedIn, error) {
	if err != nil {
		return nil, err
	}
	return &signedIn{SetCookie: s.cookie(in.Token, 0), Body: s.me(in.Actor)}, nil
}

type stepUpIn struct {
	Body struct {
		Password string `json:"password" maxLength:"1000"`
	}
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

// Session is a browser's session; Me is left out where nobody is signed in.
type Session struct {
	Me *Me `json:"me,omitempty"`
}

// cookieIn is a request of somebody who may be signed in.
type cookieIn struct {
	Cookie string `header:"Cookie" hidden:"true"`
}

// request is as much of the request as tells who sent it.
func (in *cookieIn) request(ctx context.Context) *http.Request {
	r := &http.Request{Header: http.Header{"Cookie": {in.Cookie}}, RemoteAddr: stateOf(ctx).address}
	return r.WithContext(ctx)
}

func (s *Server) sessionRoutes() {
	described(s, http.MethodPost, "/api/session", "Sign in", anyone, func(ctx context.Context, _ evidence.Actor, in *signInIn) (*signedIn, error) {
		if err := s.limited(ctx, s.rates.signIn, stateOf(ctx).address); err != nil {
			return nil, err
		}
		return s.signedIn(s.Identity.SignIn(ctx, identity.Proof{Login: in.Body.Name, Password: in.Body.Password, Address: stateOf(ctx).address}))
	})
	described(s, http.MethodPost, "/api/session/step-up", "Prove once more who is signed in", person, func(ctx context.Context, _ evidence.Actor, in *stepUpIn) (*signedIn, error) {
		st := stateOf(ctx)
		return s.signedIn(s.Identity.StepUp(ctx, st.token, identity.Proof{Password: in.Body.Password, Address: st.address}))
	})
	described(s, http.MethodDelete, "/api/session", "Sign out", anyone, func(ctx context.Context, _ evidence.Actor, in *cookieIn) (*signedOut, error) {
		if c, err := in.request(ctx).Cookie(s.cookieName()); err == nil {
			if err := s.Identity.SignOut(ctx, c.Value); err != nil && evidence.CodeOf(err) != evidence.Unauthenticated {
				return nil, err
			}
		}
		return &signedOut{SetCookie: s.cookie("", -1)}, nil
	})
	// Not an error where nobody is signed in: every page asks this first.
	described(s, http.MethodGet, "/api/session", "Who is signed in", anyone, func(ctx context.Context, _ evidence.Actor, in *cookieIn) (*body[Session], error) {
		a, err := s.authenticate(in.request(ctx), person)
		if evidence.CodeOf(err) == evidence.Unauthenticated {
			return &body[Session]{}, nil
		}
		if err != nil {
			return nil, err
		}
		me := s.me(a)
		return &body[Session]{Session{&me}}, nil
	})
}
