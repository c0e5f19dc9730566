package bench

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/identity/identitytest"
)

// benchSignIn measures what proving who one is costs the server: by password,
// by passkey, and the session at each request afterwards.
func benchSignIn(t *testing.T, b *bench) {
	addresses := both(t)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) {
			db := openDB(t, addresses[e])
			dir, err := identity.Open(t.Context(), db, identity.Options{Optional: true})
			if err != nil {
				t.Fatal(err)
			}
			const password = "otter lamp quarry seven"
			for _, login := range []string{"word", "key"} {
				p := identity.Person{ID: evidence.NewID(time.Now(), rand.Reader), Login: login, Name: login, Role: "officer"}
				if err := db.Write(t.Context(), func(tx *database.Tx) error { return dir.AddPerson(t.Context(), tx, p, password) }); err != nil {
					t.Fatal(err)
				}
			}
			signIn := func(login string) identity.SignedIn {
				in, err := dir.SignIn(t.Context(), identity.Proof{Login: login, Password: password, Address: "192.0.2.1"})
				if err != nil {
					t.Fatal(err)
				}
				return in
			}
			device := passkey(t, dir, db, signIn("key").Token)
			token := signIn("word").Token
			for _, c := range []struct {
				what string
				n    int
				do   func() error
			}{
				{"sign-in by password", b.count(100, 20), func() error { signIn("word"); return nil }},
				{"sign-in by passkey", b.count(300, 50), func() error {
					q, err := dir.PasskeySignIn()
					if err != nil {
						return err
					}
					var a identity.PasskeyAnswer
					a.Credential, a.ClientData, a.AuthenticatorData, a.Signature, a.UserHandle = device.Sign(q.Challenge, q.Site)
					_, err = dir.SignInByPasskey(t.Context(), a, "192.0.2.1")
					return err
				}},
				{"session at a request", b.count(5000, 500), func() error { _, _, err := dir.Authenticate(t.Context(), token); return err }},
			} {
				var medians []float64
				for range 5 {
					times := make([]time.Duration, c.n)
					for i := range times {
						begun := time.Now()
						if err := c.do(); err != nil {
							t.Fatal(err)
						}
						times[i] = time.Since(begun)
					}
					medians = append(medians, quantile(times, 0.5))
				}
				b.add(t, measured(fmt.Sprintf("%s, %s", c.what, e), "ms", medians))
			}
		})
	}
}

// passkey gives the person of a session a passkey on a device of software.
func passkey(t *testing.T, dir *identity.Directory, db *database.DB, token string) *identitytest.Authenticator {
	t.Helper()
	device := identitytest.New(t, "http://localhost")
	q, err := dir.BeginPasskey(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	var a identity.NewPasskeyAnswer
	a.Credential, a.ClientData, a.Attestation = device.Make(q.Challenge, q.Site, q.User)
	if err := db.Write(t.Context(), func(tx *database.Tx) error {
		_, _, err := dir.AddPasskey(t.Context(), tx, token, "bench", a)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return device
}
