package httpapi

import (
	"context"
	"net/http"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/identity"
)

// SessionView is one sign-in that has not ended.
type SessionView struct {
	ID        string    `json:"id"`
	Address   string    `json:"address" doc:"IP address at sign-in."`
	CreatedAt time.Time `json:"createdAt"`
	SeenAt    time.Time `json:"seenAt" doc:"Last used, to the minute."`
	EndsAt    time.Time `json:"endsAt" doc:"If it is not used again."`
	Method    string    `json:"method" doc:"How the person proved who they are." enum:"password"`
	This      bool      `json:"this" doc:"The session of this request."`
}

// Account is how somebody signs in, and where they are signed in now.
type Account struct {
	Login    string        `json:"login"`
	Sessions []SessionView `json:"sessions"`
}

type passwordIn struct {
	Body struct {
		Password string `json:"password" maxLength:"1000"`
	}
}

type oneID struct {
	ID string `path:"id" maxLength:"26"`
}

func (s *Server) accountRoutes() {
	described(s, http.MethodGet, "/api/account", "How one signs in, and where one is signed in", person, func(ctx context.Context, a evidence.Actor, _ *struct{}) (*body[Account], error) {
		account, err := s.account(ctx, a)
		return &body[Account]{account}, err
	})
	described(s, http.MethodPut, "/api/account/password", "Set another password of one's own", fresh(person), func(ctx context.Context, a evidence.Actor, in *passwordIn) (*signedIn, error) {
		var out identity.SignedIn
		err := s.Custody.OwnAccount(ctx, a, []evidence.Field{evidence.F("what", "password changed")}, func(tx *database.Tx) (err error) {
			out, err = s.Identity.ChangePassword(ctx, tx, stateOf(ctx).token, in.Body.Password)
			return err
		})
		return s.signedIn(out, err)
	})
	described(s, http.MethodDelete, "/api/account/sessions/{id}", "End a session of one's own", person, func(ctx context.Context, a evidence.Actor, in *oneID) (*struct{}, error) {
		return nil, s.Custody.OwnAccount(ctx, a, []evidence.Field{evidence.F("what", "session ended"), evidence.F("ended_session", in.ID)}, func(tx *database.Tx) error {
			return s.Identity.RevokeSession(ctx, tx, evidence.ID(a.ID), evidence.ID(in.ID))
		})
	})
}

func (s *Server) account(ctx context.Context, a evidence.Actor) (Account, error) {
	p, err := s.Identity.Person(ctx, evidence.ID(a.ID))
	if err != nil {
		return Account{}, err
	}
	sessions, err := s.sessions(ctx, p.ID, a)
	return Account{Login: p.Login, Sessions: sessions}, err
}

// sessions are those of a person, newest first; that of actor is marked.
func (s *Server) sessions(ctx context.Context, person evidence.ID, actor evidence.Actor) ([]SessionView, error) {
	all, err := s.Identity.Sessions(ctx, person)
	if err != nil {
		return nil, err
	}
	out := []SessionView{}
	for i := len(all) - 1; i >= 0; i-- {
		x := all[i]
		out = append(out, SessionView{ID: string(x.ID), Address: x.Address, CreatedAt: x.CreatedAt, SeenAt: x.SeenAt, EndsAt: x.Ends(),
			Method: x.Method, This: string(x.ID) == actor.Session})
	}
	return out, nil
}
