package identity

import (
	"context"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/identity/identitytest"
)

// enrol gives the person of a session a passkey on device.
func (b *bench) enrol(token string, device *identitytest.Authenticator) (k Passkey, in SignedIn, err error) {
	b.Helper()
	q, err := b.BeginPasskey(b.Context(), token)
	b.must(err)
	var a NewPasskeyAnswer
	a.Credential, a.ClientData, a.Attestation = device.Make(q.Challenge, q.Site, q.User)
	err = b.write(func(ctx context.Context, tx *database.Tx) (err error) {
		k, in, err = b.AddPasskey(ctx, tx, token, "token", a)
		return err
	})
	return k, in, err
}

func answer(device *identitytest.Authenticator, q PasskeyQuestion) (a PasskeyAnswer) {
	a.Credential, a.ClientData, a.AuthenticatorData, a.Signature, a.UserHandle = device.Sign(q.Challenge, q.Site)
	return a
}

func (b *bench) question() PasskeyQuestion {
	b.Helper()
	q, err := b.PasskeySignIn()
	b.must(err)
	return q
}

const home = "http://localhost"

func TestPasskeys(t *testing.T) {
	each(t, func(b *bench) {
		p := b.add("ash", "1", "officer")
		in, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: good})
		b.must(err)
		device := identitytest.New(t, home)
		key, in, err := b.enrol(in.Token, device)
		b.must(err)
		if key.Person != p.ID || key.Name != "token" || key.Synced {
			t.Errorf("the passkey is %+v", key)
		}
		b.clock = b.clock.Add(time.Hour)
		q := b.question()
		a := answer(device, q)
		in, err = b.SignInByPasskey(t.Context(), a, "10.0.0.9")
		b.must(err)
		if in.Actor.ID != string(p.ID) || in.Session.Method != ByPasskey || in.Session.Enrolling || !in.Session.Fresh(b.clock) {
			t.Errorf("signed in as %+v in %+v", in.Actor, in.Session)
		}
		if _, err := b.SignInByPasskey(t.Context(), a, ""); evidence.CodeOf(err) != evidence.Unauthenticated {
			t.Error("an answer works twice:", err)
		}
		// The password alone opens nothing any more.
		if _, ok := b.signIn("ash", good); ok {
			t.Error("the password alone was good")
		}
		b.clock = b.clock.Add(10 * time.Minute)
		q, err = b.PasskeyStepUp(t.Context(), in.Session)
		b.must(err)
		again, err := b.StepUpByPasskey(t.Context(), in.Token, answer(device, q), "")
		b.must(err)
		if again.Token == in.Token || !again.Session.Fresh(b.clock) || again.Session.ID != in.Session.ID || b.in(in.Token) {
			t.Errorf("stepped up to %+v", again.Session)
		}
		remove := func(lost bool) error {
			return b.write(func(ctx context.Context, tx *database.Tx) error { return b.RemovePasskey(ctx, tx, p.ID, key.ID, lost) })
		}
		b.must(remove(true))
		b.wantCode(remove(true), evidence.NotFound)
		_, err = b.SignInByPasskey(t.Context(), answer(device, b.question()), "")
		b.wantCode(err, evidence.Unauthenticated)
	})
}

// Whatever is wrong with an answer, it reads the same.
func TestPasskeyAnswersThatAreNoGood(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t))
	var reasons []string
	b.record = func(_ context.Context, _ *database.Tx, h Happened) error {
		if h.Failed {
			reasons = append(reasons, h.Fields[3].Value)
		}
		return nil
	}
	p := b.add("ash", "1", "officer")
	in, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: good})
	b.must(err)
	device, stranger := identitytest.New(t, home), identitytest.New(t, home)
	_, in, err = b.enrol(in.Token, device)
	b.must(err)
	texts := map[string]bool{}
	bad := func(name string, a PasskeyAnswer) {
		t.Helper()
		_, err := b.SignInByPasskey(t.Context(), a, "")
		b.wantCode(err, evidence.Unauthenticated)
		if err == nil {
			t.Fatal(name, "was good")
		}
		texts[err.Error()] = true
	}
	bad("nothing", PasskeyAnswer{})
	bad("a stranger's", answer(stranger, b.question()))
	q := b.question()
	q.Challenge = q.Challenge[:len(q.Challenge)-4] + "AAAA"
	bad("a challenge of somebody else", answer(device, q))
	stepUp, err := b.PasskeyStepUp(t.Context(), in.Session)
	b.must(err)
	bad("a challenge for another use", answer(device, stepUp))
	a := answer(device, b.question())
	b.clock = b.clock.Add(challengeLife)
	bad("a challenge too old", a)
	device.Origin = "http://localhost.evil.example"
	bad("another site", answer(device, b.question()))
	device.Origin = home
	device.Verified = false
	bad("no finger, no PIN", answer(device, b.question()))
	device.Verified, device.Present = true, false
	bad("nobody touched it", answer(device, b.question()))
	device.Present = true
	device.Count = 0 // as a copy of it would
	bad("a copy", answer(device, b.question()))
	device.Count = 100
	b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Disable(ctx, tx, p.ID) }))
	bad("a closed account's", answer(device, b.question()))
	if len(texts) != 1 {
		t.Errorf("causes can be told apart: %v", texts)
	}
	if len(reasons) != 6 || reasons[4] != "the passkey's counter went back: there may be a copy of it" {
		t.Errorf("the ledger has %q", reasons)
	}
	b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Enable(ctx, tx, p.ID) }))
	if _, err := b.SignInByPasskey(t.Context(), answer(device, b.question()), ""); err != nil {
		t.Error("the right answer:", err)
	}
}

func TestPasskeysThatCannotBeAdded(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t))
	b.add("ash", "1", "officer")
	b.add("birch", "2", "officer")
	one, _ := b.signIn("ash", good)
	two, _ := b.signIn("birch", good)
	device := identitytest.New(t, home)
	device.Verified = false
	_, _, err := b.enrol(one, device)
	b.wantCode(err, evidence.Invalid)
	device.Verified, device.Origin = true, "http://elsewhere.example"
	_, _, err = b.enrol(one, device)
	b.wantCode(err, evidence.Invalid)
	device.Origin = home
	// The challenge of one session is no good in another.
	q, err := b.BeginPasskey(t.Context(), one)
	b.must(err)
	var a NewPasskeyAnswer
	a.Credential, a.ClientData, a.Attestation = device.Make(q.Challenge, q.Site, q.User)
	b.wantCode(b.write(func(ctx context.Context, tx *database.Tx) error {
		_, _, err := b.AddPasskey(ctx, tx, two, "", a)
		return err
	}), evidence.Invalid)
	_, in, err := b.enrol(one, device)
	b.must(err)
	_, _, err = b.enrol(in.Token, device)
	b.wantCode(err, evidence.Conflict)
}

func TestAnEnrolmentLinkWorksOnce(t *testing.T) {
	each(t, func(b *bench) {
		b.optional = false
		p := Person{ID: b.newID(), Login: "root", Name: "Ash", Role: "administrator"}
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Enter(ctx, tx, p) }))
		if _, ok := b.signIn("root", ""); ok {
			t.Fatal("an account without a password opens without one")
		}
		invite := func() (link string) {
			b.must(b.write(func(ctx context.Context, tx *database.Tx) (err error) {
				link, err = b.Invite(ctx, tx, p.ID)
				return err
			}))
			return link[len(home+"/enrol#"):]
		}
		old, secret := invite(), invite()
		for _, bad := range []string{"", old, secret + "x"} {
			_, err := b.Enrol(t.Context(), bad, "")
			b.wantCode(err, evidence.Unauthenticated)
		}
		in, err := b.Enrol(t.Context(), secret, "10.0.0.9")
		b.must(err)
		if !in.Session.Enrolling || in.Session.Method != ByLink {
			t.Errorf("the session is %+v", in.Session)
		}
		_, err = b.Enrol(t.Context(), secret, "")
		b.wantCode(err, evidence.Unauthenticated)
		_, in, err = b.enrol(in.Token, identitytest.New(t, home))
		b.must(err)
		if in.Session.Enrolling || in.Session.Method != ByPasskey {
			t.Errorf("after enrolling the session is %+v", in.Session)
		}
		late := invite()
		b.clock = b.clock.Add(linkLife)
		_, err = b.Enrol(t.Context(), late, "")
		b.wantCode(err, evidence.Unauthenticated)
	})
}

// FuzzPasskeyAnswer: whatever a browser sends, it neither breaks anything nor
// signs anybody in.
func FuzzPasskeyAnswer(f *testing.F) {
	device := identitytest.New(f, home)
	device.Make("", "localhost", "")
	c, client, data, sig, user := device.Sign("AAAA", "localhost")
	f.Add(c, client, data, sig, user)
	f.Add("", "", "", "", "")
	dir := &Directory{now: time.Now, secret: make([]byte, KeyLength)}
	f.Fuzz(func(t *testing.T, c, client, data, sig, user string) {
		if _, _, _, err := dir.parseAnswer(PasskeyAnswer{c, client, data, sig, user}, forSignIn, ""); evidence.CodeOf(err) != evidence.Unauthenticated {
			t.Fatal("no challenge of ours, and taken:", err)
		}
	})
}
