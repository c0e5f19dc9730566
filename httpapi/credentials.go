package httpapi

import (
	"context"
	"net/http"

	"custos/access"
	"custos/database"
	"custos/evidence"
)

// SessionList is the sessions of one person.
type SessionList struct {
	Sessions []SessionView `json:"sessions"`
}

// EnrolmentLink is shown once.
type EnrolmentLink struct {
	Link string `json:"link" doc:"Works once, for 24 hours."`
}

type credentialIn struct {
	ID         string `path:"id" maxLength:"26"`
	Credential string `path:"credential" maxLength:"26" doc:"A passkey's identifier, or code-app."`
}

// credentialRoutes are how an administrator looks after the ways in of others:
// a lost passkey, a session that must end, an account that is under threat.
func (s *Server) credentialRoutes() {
	people := may(access.People)
	described(s, http.MethodGet, "/api/people/{id}/credentials", "How somebody can sign in", people, func(ctx context.Context, _ evidence.Actor, in *oneID) (*body[CredentialsView], error) {
		c, err := s.credentials(ctx, evidence.ID(in.ID))
		return &body[CredentialsView]{c}, err
	})
	described(s, http.MethodDelete, "/api/people/{id}/credentials/{credential}", "Revoke a passkey or a code app that was lost", fresh(people), func(ctx context.Context, a evidence.Actor, in *credentialIn) (*struct{}, error) {
		return nil, s.administer(ctx, a, "credential revoked", in.ID, evidence.F("credential", in.Credential), func(tx *database.Tx, id evidence.ID) error {
			return s.revoke(ctx, tx, id, in.Credential)
		})
	})
	described(s, http.MethodGet, "/api/people/{id}/sessions", "Where somebody is signed in", people, func(ctx context.Context, a evidence.Actor, in *oneID) (*body[SessionList], error) {
		if _, err := s.Identity.Person(ctx, evidence.ID(in.ID)); err != nil {
			return nil, err
		}
		list, err := s.sessions(ctx, evidence.ID(in.ID), a)
		return &body[SessionList]{SessionList{list}}, err
	})
	described(s, http.MethodDelete, "/api/people/{id}/sessions", "End all of somebody's sessions at once", fresh(people), func(ctx context.Context, a evidence.Actor, in *oneID) (*struct{}, error) {
		return nil, s.administer(ctx, a, "sessions ended", in.ID, evidence.Field{}, func(tx *database.Tx, id evidence.ID) error {
			return s.Identity.RevokeSessions(ctx, tx, id)
		})
	})
	described(s, http.MethodPost, "/api/people/{id}/enrolment-link", "A link with which somebody sets up how they sign in", fresh(people), func(ctx context.Context, a evidence.Actor, in *oneID) (*body[EnrolmentLink], error) {
		var out EnrolmentLink
		err := s.administer(ctx, a, "enrolment link made", in.ID, evidence.Field{}, func(tx *database.Tx, id evidence.ID) (err error) {
			out.Link, err = s.Identity.Invite(ctx, tx, id)
			return err
		})
		return &body[EnrolmentLink]{out}, err
	})
}

// revoke takes a lost credential away, and ends the sessions of its person:
// one of them may be the finder's.
func (s *Server) revoke(ctx context.Context, tx *database.Tx, person evidence.ID, credential string) error {
	var err error
	if credential == "code-app" {
		err = s.Identity.RevokeTOTP(ctx, tx, person)
	} else {
		err = s.Identity.RemovePasskey(ctx, tx, person, evidence.ID(credential), true)
	}
	if err != nil {
		return err
	}
	return s.Identity.RevokeSessions(ctx, tx, person)
}

// administer does a change of somebody's account and records it; viewings of
// sessions that it ends end at once.
func (s *Server) administer(ctx context.Context, a evidence.Actor, what, person string, more evidence.Field, do func(tx *database.Tx, id evidence.ID) error) error {
	p, err := s.Identity.Person(ctx, evidence.ID(person))
	if err != nil {
		return err
	}
	fields := []evidence.Field{evidence.F("what", what), evidence.F("account", string(p.ID)), evidence.F("login", p.Login)}
	if more.Name != "" {
		fields = append(fields, more)
	}
	err = s.Custody.Administer(ctx, a, fields, func(tx *database.Tx) error { return do(tx, p.ID) })
	s.EndSignedOut(ctx)
	return err
}
