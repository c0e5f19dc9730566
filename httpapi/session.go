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
	Enrolling      bool             `json:"enrolling" doc:"The session may do nothing but set up how its person signs in."`
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
		Code     string `json:"code,omitempty" maxLength:"100" doc:"Of a code app, or a recovery code."`
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
	me := s.me(in.Actor)
	me.Enrolling = in.Session.Enrolling
	return &signedIn{SetCookie: s.cookie(in.Token, 0), Body: me}, nil
}

type stepUpIn struct {
	Body struct {
		Password string                  `json:"password,omitempty" maxLength:"1000"`
		Code     string                  `json:"code,omitempty" maxLength:"100"`
		Passkey  *identity.PasskeyAnswer `json:"passkey,omitempty" doc:"In place of password and code."`
	}
}

// StepUpWays is how somebody can prove once more who they are.
type StepUpWays struct {
	Passkey  identity.PasskeyQuestion `json:"passkey" doc:"Its allow is empty where the person has none."`
	Password bool                     `json:"password"`
	Code     bool                     `json:"code" doc:"A password needs a code with it."`
}

// SignInWays is how anybody can sign in here.
type SignInWays struct {
	PasskeyHost string `json:"passkeyHost" doc:"The host that passkeys belong to; empty where there can be none."`
	URL         string `json:"url" doc:"Where browsers reach the service."`
}

type linkIn struct {
	Body struct {
		Secret string `json:"secret" maxLength:"100"`
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
		return s.signedIn(s.Identity.SignIn(ctx, identity.Proof{Login: in.Body.Name, Password: in.Body.Password, Code: in.Body.Code, Address: stateOf(ctx).address}))
	})
	described(s, http.MethodGet, "/api/session/ways", "How one can sign in here", anyone, func(context.Context, evidence.Actor, *struct{}) (*body[SignInWays], error) {
		site := s.Identity.Site()
		return &body[SignInWays]{SignInWays{PasskeyHost: s.Identity.PasskeyHost(), URL: site.URL}}, nil
	})
	described(s, http.MethodPost, "/api/session/passkey/question", "What a passkey must sign to sign in", anyone, func(ctx context.Context, _ evidence.Actor, _ *struct{}) (*body[identity.PasskeyQuestion], error) {
		if err := s.limited(ctx, s.rates.signIn, stateOf(ctx).address); err != nil {
			return nil, err
		}
		q, err := s.Identity.PasskeySignIn()
		return &body[identity.PasskeyQuestion]{q}, err
	})
	described(s, http.MethodPost, "/api/session/passkey", "Sign in with a passkey", anyone, func(ctx context.Context, _ evidence.Actor, in *body[identity.PasskeyAnswer]) (*signedIn, error) {
		if err := s.limited(ctx, s.rates.signIn, stateOf(ctx).address); err != nil {
			return nil, err
		}
		return s.signedIn(s.Identity.SignInByPasskey(ctx, in.Body, stateOf(ctx).address))
	})
	described(s, http.MethodPost, "/api/session/enrolment", "Begin with an enrolment link", anyone, func(ctx context.Context, _ evidence.Actor, in *linkIn) (*signedIn, error) {
		if err := s.limited(ctx, s.rates.signIn, stateOf(ctx).address); err != nil {
			return nil, err
		}
		return s.signedIn(s.Identity.Enrol(ctx, in.Body.Secret, stateOf(ctx).address))
	})
	s.stepUpRoutes()
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
		a, err := s.authenticate(in.request(ctx), enrolling(person))
		if evidence.CodeOf(err) == evidence.Unauthenticated {
			return &body[Session]{}, nil
		}
		if err != nil {
			return nil, err
		}
		me := s.me(a)
		me.Enrolling = stateOf(ctx).session.Enrolling
		return &body[Session]{Session{&me}}, nil
	})
}

func (s *Server) stepUpRoutes() {
	described(s, http.MethodGet, "/api/session/step-up", "How one can prove once more who is signed in", person, func(ctx context.Context, a evidence.Actor, _ *struct{}) (*body[StepUpWays], error) {
		q, err := s.Identity.PasskeyStepUp(ctx, stateOf(ctx).session)
		if err != nil {
			return nil, err
		}
		c, err := s.Identity.Credentials(ctx, evidence.ID(a.ID))
		return &body[StepUpWays]{StepUpWays{Passkey: q, Password: c.Password, Code: !c.TOTP.IsZero() || len(c.Passkeys) > 0}}, err
	})
	described(s, http.MethodPost, "/api/session/step-up", "Prove once more who is signed in", person, func(ctx context.Context, _ evidence.Actor, in *stepUpIn) (*signedIn, error) {
		st := stateOf(ctx)
		if in.Body.Passkey != nil {
			return s.signedIn(s.Identity.StepUpByPasskey(ctx, st.token, *in.Body.Passkey, st.address))
		}
		return s.signedIn(s.Identity.StepUp(ctx, st.token, identity.Proof{Password: in.Body.Password, Code: in.Body.Code, Address: st.address}))
	})
}
