package identity

import (
	"context"
	"testing"
	"time"

	"custos/database"
	"custos/evidence"
)

func TestStepUpRenewsTheSession(t *testing.T) {
	each(t, func(b *bench) {
		b.add("ash", "1", "officer")
		in, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: good, Address: "10.0.0.9"})
		b.must(err)
		if !in.Session.Fresh(b.clock) || in.Session.Fresh(b.clock.Add(freshFor)) {
			t.Error("a sign-in is not fresh for five minutes")
		}
		b.clock = b.clock.Add(20 * time.Minute)
		_, err = b.StepUp(t.Context(), in.Token, Proof{Password: "wrong"})
		b.wantCode(err, evidence.Denied)
		_, err = b.StepUp(t.Context(), "nonsense", Proof{Password: good})
		b.wantCode(err, evidence.Unauthenticated)
		again, err := b.StepUp(t.Context(), in.Token, Proof{Password: good})
		b.must(err)
		if again.Token == in.Token || b.in(in.Token) {
			t.Error("the old token is good")
		}
		_, s, err := b.Authenticate(t.Context(), again.Token)
		b.must(err)
		if s.ID != in.Session.ID || !s.Fresh(b.clock) || !s.CreatedAt.Equal(in.Session.CreatedAt) {
			t.Errorf("the session is %+v, was %+v", s, in.Session)
		}
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.RevokeSessions(ctx, tx, s.Person) }))
		_, err = b.StepUp(t.Context(), again.Token, Proof{Password: good})
		b.wantCode(err, evidence.Unauthenticated)
	})
}

func TestChangingOnesPasswordEndsTheOtherSessions(t *testing.T) {
	each(t, func(b *bench) {
		b.add("ash", "1", "officer")
		other, _ := b.signIn("ash", good)
		own, _ := b.signIn("ash", good)
		change := func(token, password string) (in SignedIn, err error) {
			err = b.write(func(ctx context.Context, tx *database.Tx) (err error) {
				in, err = b.ChangePassword(ctx, tx, token, password)
				return err
			})
			return in, err
		}
		_, err := change(own, "short")
		b.wantCode(err, evidence.Invalid)
		_, err = change("nonsense", good+" new")
		b.wantCode(err, evidence.Unauthenticated)
		in, err := change(own, good+" new")
		b.must(err)
		if b.in(other) || b.in(own) || !b.in(in.Token) {
			t.Error("not the one session goes on, under another token")
		}
		if _, ok := b.signIn("ash", good); ok {
			t.Error("the old password works")
		}
		if _, ok := b.signIn("ash", good+" new"); !ok {
			t.Error("the new password does not work")
		}
	})
}
