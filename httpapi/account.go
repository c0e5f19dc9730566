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
	Method    string    `json:"method" doc:"How the person proved who they are: passkey, code, recovery code, password, link, provider."`
	This      bool      `json:"this" doc:"The session of this request."`
}

// CredentialsView is how somebody can sign in.
type CredentialsView struct {
	Password      bool               `json:"password"`
	Passkeys      []identity.Passkey `json:"passkeys"`
	CodeApp       time.Time          `json:"codeApp,omitzero" doc:"Since when; left out: none."`
	RecoveryLeft  int                `json:"recoveryLeft"`
	RecoveryUsed  int                `json:"recoveryUsed"`
	SecondMissing bool               `json:"secondMissing" doc:"A second factor is required and there is none."`
}

// Account is how somebody signs in, and where they are signed in now.
type Account struct {
	Login       string          `json:"login"`
	Sessions    []SessionView   `json:"sessions"`
	Credentials CredentialsView `json:"credentials"`
}

type passwordIn struct {
	Body struct {
		Password string `json:"password" maxLength:"1000"`
	}
}

type newPasskeyIn struct {
	Body struct {
		Name   string                    `json:"name" maxLength:"64"`
		Answer identity.NewPasskeyAnswer `json:"answer"`
	}
}

type codeIn struct {
	Body struct {
		Code string `json:"code" maxLength:"10"`
	}
}

type oneID struct {
	ID string `path:"id" maxLength:"26"`
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// setUp is who may change how they sign in.
var setUp = enrolling(fresh(person))

func (s *Server) accountRoutes() {
	described(s, http.MethodGet, "/api/account", "How one signs in, and where one is signed in", enrolling(person), func(ctx context.Context, a evidence.Actor, _ *struct{}) (*body[Account], error) {
		account, err := s.account(ctx, a)
		return &body[Account]{account}, err
	})
	described(s, http.MethodPut, "/api/account/password", "Set another password of one's own", setUp, func(ctx context.Context, a evidence.Actor, in *passwordIn) (*signedIn, error) {
		return s.signedIn(s.renewed(ctx, a, "password changed", func(tx *database.Tx, token string) (identity.SignedIn, error) {
			return s.Identity.ChangePassword(ctx, tx, token, in.Body.Password)
		}))
	})
	described(s, http.MethodDelete, "/api/account/sessions/{id}", "End a session of one's own", person, func(ctx context.Context, a evidence.Actor, in *oneID) (*struct{}, error) {
		return nil, s.ownAccount(ctx, a, "session ended", "ended_session", in.ID, func(tx *database.Tx) error {
			return s.Identity.RevokeSession(ctx, tx, evidence.ID(a.ID), evidence.ID(in.ID))
		})
	})
	s.factorRoutes()
}

// factorRoutes are for one's own passkeys, code app and recovery codes.
func (s *Server) factorRoutes() {
	described(s, http.MethodPost, "/api/account/passkeys/question", "What a browser needs to make a passkey", setUp, func(ctx context.Context, _ evidence.Actor, _ *struct{}) (*body[identity.NewPasskeyQuestion], error) {
		q, err := s.Identity.BeginPasskey(ctx, stateOf(ctx).token)
		return &body[identity.NewPasskeyQuestion]{q}, err
	})
	described(s, http.MethodPost, "/api/account/passkeys", "Keep a passkey just made", setUp, func(ctx context.Context, a evidence.Actor, in *newPasskeyIn) (*signedIn, error) {
		return s.signedIn(s.renewed(ctx, a, "passkey set up", func(tx *database.Tx, token string) (identity.SignedIn, error) {
			_, out, err := s.Identity.AddPasskey(ctx, tx, token, in.Body.Name, in.Body.Answer)
			return out, err
		}))
	})
	described(s, http.MethodDelete, "/api/account/passkeys/{id}", "Remove a passkey of one's own", fresh(person), func(ctx context.Context, a evidence.Actor, in *oneID) (*struct{}, error) {
		return nil, s.ownAccount(ctx, a, "passkey removed", "passkey", in.ID, func(tx *database.Tx) error {
			return s.Identity.RemovePasskey(ctx, tx, evidence.ID(a.ID), evidence.ID(in.ID), false)
		})
	})
	described(s, http.MethodPost, "/api/account/code-app/question", "A secret for a code app", setUp, func(ctx context.Context, _ evidence.Actor, _ *struct{}) (*body[identity.NewTOTP], error) {
		made, err := s.Identity.BeginTOTP(ctx, stateOf(ctx).token)
		return &body[identity.NewTOTP]{made}, err
	})
	described(s, http.MethodPost, "/api/account/code-app", "Confirm a code app with a code that it shows", setUp, func(ctx context.Context, a evidence.Actor, in *codeIn) (*signedIn, error) {
		return s.signedIn(s.renewed(ctx, a, "code app set up", func(tx *database.Tx, token string) (identity.SignedIn, error) {
			return s.Identity.ConfirmTOTP(ctx, tx, token, in.Body.Code)
		}))
	})
	described(s, http.MethodDelete, "/api/account/code-app", "Remove one's code app", fresh(person), func(ctx context.Context, a evidence.Actor, _ *struct{}) (*struct{}, error) {
		return nil, s.ownAccount(ctx, a, "code app removed", "", "", func(tx *database.Tx) error { return s.Identity.RemoveTOTP(ctx, tx, evidence.ID(a.ID)) })
	})
	described(s, http.MethodPost, "/api/account/recovery-codes", "New recovery codes in place of the old", fresh(person), func(ctx context.Context, a evidence.Actor, _ *struct{}) (*body[RecoveryCodes], error) {
		var codes RecoveryCodes
		err := s.ownAccount(ctx, a, "recovery codes made", "", "", func(tx *database.Tx) (err error) {
			codes.Codes, err = s.Identity.NewRecoveryCodes(ctx, tx, evidence.ID(a.ID))
			return err
		})
		return &body[RecoveryCodes]{codes}, err
	})
}

// ownAccount does a change of actor's own account and records it, with one more
// field unless name is "". A viewing of a session that it ends ends, too.
func (s *Server) ownAccount(ctx context.Context, a evidence.Actor, what, name, value string, do func(tx *database.Tx) error) error {
	fields := []evidence.Field{evidence.F("what", what)}
	if name != "" {
		fields = append(fields, evidence.F(name, value))
	}
	err := s.Custody.OwnAccount(ctx, a, fields, do)
	s.EndSignedOut(ctx)
	return err
}

// EndSignedOut ends the viewings of sessions that have ended. A failure is in
// the log: nothing more is read, and the record follows.
func (s *Server) EndSignedOut(ctx context.Context) {
	if err := s.Custody.EndSignedOut(ctx, s.Identity.OpenSessions); err != nil && ctx.Err() == nil {
		s.Logger.ErrorContext(ctx, "the end of a viewing could not be recorded", "err", err)
	}
}

// renewed is ownAccount for a change that gives the session another token.
func (s *Server) renewed(ctx context.Context, a evidence.Actor, what string, do func(tx *database.Tx, token string) (identity.SignedIn, error)) (out identity.SignedIn, err error) {
	err = s.ownAccount(ctx, a, what, "", "", func(tx *database.Tx) (err error) {
		out, err = do(tx, stateOf(ctx).token)
		return err
	})
	return out, err
}

func (s *Server) account(ctx context.Context, a evidence.Actor) (Account, error) {
	p, err := s.Identity.Person(ctx, evidence.ID(a.ID))
	if err != nil {
		return Account{}, err
	}
	out := Account{Login: p.Login}
	if out.Credentials, err = s.credentials(ctx, p.ID); err != nil {
		return Account{}, err
	}
	out.Sessions, err = s.sessions(ctx, p.ID, a)
	return out, err
}

func (s *Server) credentials(ctx context.Context, person evidence.ID) (CredentialsView, error) {
	c, err := s.Identity.Credentials(ctx, person)
	if c.Passkeys == nil {
		c.Passkeys = []identity.Passkey{}
	}
	return CredentialsView{c.Password, c.Passkeys, c.TOTP, c.RecoveryLeft, c.RecoveryUsed, c.SecondMissing}, err
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
