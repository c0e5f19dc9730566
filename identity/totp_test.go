package identity

import (
	"bytes"
	"context"
	"encoding/base32"
	"net/url"
	"testing"
	"time"

	"custos/database"
	"custos/evidence"
)

// The vectors of RFC 6238, appendix B, for SHA-1.
func TestTOTPVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := hotp(secret, totpStep(time.Unix(at, 0)), 8); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	// And of RFC 4226, appendix D, for six digits.
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := hotp(secret, int64(step), 6); got != want {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
}

// app gives the person of a session a code app, and shows its code at a time.
func (b *bench) app(token string) (code func(time.Time) string, in SignedIn) {
	b.Helper()
	made, err := b.BeginTOTP(b.Context(), token)
	b.must(err)
	u, err := url.Parse(made.URI)
	b.must(err)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	b.must(err)
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("issuer") != "Custos" || len(secret) != totpSecret {
		b.Errorf("the address for apps is %s", made.URI)
	}
	code = func(at time.Time) string { return hotp(secret, totpStep(at), totpDigits) }
	confirm := func(c string) error {
		return b.write(func(ctx context.Context, tx *database.Tx) (err error) {
			in, err = b.ConfirmTOTP(ctx, tx, token, c)
			return err
		})
	}
	b.wantCode(confirm("000000"), evidence.Invalid)
	b.must(confirm(code(b.clock)))
	b.wantCode(b.write(func(ctx context.Context, tx *database.Tx) error {
		_, err := b.ConfirmTOTP(ctx, tx, in.Token, code(b.clock))
		return err
	}), evidence.NotFound)
	return code, in
}

func TestPasswordAndCode(t *testing.T) {
	each(t, func(b *bench) {
		b.optional = false
		p := b.add("ash", "1", "officer")
		in, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: good})
		b.must(err)
		if !in.Session.Enrolling {
			t.Fatal("a password alone opens all of it")
		}
		code, in := b.app(in.Token)
		if in.Session.Enrolling || in.Session.Method != ByCode {
			t.Errorf("after enrolling: %+v", in.Session)
		}
		try := func(password, code string) error {
			b.Helper()
			_, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: password, Code: code})
			return err
		}
		texts := map[string]bool{}
		for _, c := range []string{"", code(b.clock), "123", code(b.clock.Add(-5 * time.Minute))} { // the second was used to confirm
			err := try(good, c)
			b.wantCode(err, evidence.Unauthenticated)
			texts[err.Error()] = true
		}
		b.clock = b.clock.Add(failureWindow)
		texts[try("wrong", code(b.clock)).Error()] = true
		if len(texts) != 1 {
			t.Errorf("causes can be told apart: %v", texts)
		}
		b.must(try(good, code(b.clock.Add(totpPeriod)))) // the app's clock is ahead
		b.wantCode(try(good, code(b.clock)), evidence.Unauthenticated)
		b.clock = b.clock.Add(2 * totpPeriod)
		now := code(b.clock)
		b.must(try(good, now))
		b.wantCode(try(good, now), evidence.Unauthenticated)

		// Wrong codes close the account as wrong passwords do.
		for range failureLimit {
			_ = try(good, "000000") // counted below
		}
		b.clock = b.clock.Add(2 * totpPeriod)
		b.wantCode(try(good, code(b.clock)), evidence.Unauthenticated)
		b.clock = b.clock.Add(failureWindow)
		b.must(try(good, code(b.clock)))
		b.wantCode(b.write(func(ctx context.Context, tx *database.Tx) error { return b.RemoveTOTP(ctx, tx, p.ID) }), evidence.Conflict)
	})
}

func TestRecoveryCodes(t *testing.T) {
	each(t, func(b *bench) {
		p := b.add("ash", "1", "officer")
		token, _ := b.signIn("ash", good)
		b.app(token)
		var codes []string
		make := func() {
			b.must(b.write(func(ctx context.Context, tx *database.Tx) (err error) {
				codes, err = b.NewRecoveryCodes(ctx, tx, p.ID)
				return err
			}))
		}
		try := func(password, code string) bool {
			_, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: password, Code: code})
			return err == nil
		}
		make()
		first := codes[0]
		make()
		if len(codes) != recoveryCodes || len(codes[0]) != 19 || codes[0] == codes[1] {
			t.Fatalf("the codes are %q", codes)
		}
		if try(good, first) || try("wrong", codes[0]) || !try(good, codes[0]) || try(good, codes[0]) {
			t.Error("not each new code once with the password")
		}
		if !try(good, " "+string(bytes.ToUpper([]byte(codes[1])))) {
			t.Error("capitals and blanks matter")
		}
		c, err := b.Credentials(t.Context(), p.ID)
		b.must(err)
		if c.RecoveryLeft != 8 || c.RecoveryUsed != 2 || c.TOTP.IsZero() || !c.Password || len(c.Passkeys) != 0 {
			t.Errorf("the credentials are %+v", c)
		}
	})
}

// Whoever has the database has no codes.
func TestSecondFactorsAreNotStoredPlain(t *testing.T) {
	each(t, func(b *bench) {
		p := b.add("ash", "1", "officer")
		token, _ := b.signIn("ash", good)
		b.app(token)
		var sealed []byte
		b.must(b.db.Read(t.Context(), func(tx *database.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT secret FROM totps").Scan(&sealed)
		}))
		plain, err := b.unseal("totp/"+string(p.ID), sealed)
		b.must(err)
		if len(plain) != totpSecret || bytes.Contains(sealed, plain) {
			t.Error("the secret is stored as it is")
		}
		_, err = b.unseal("totp/somebody", sealed)
		b.wantCode(err, evidence.Corrupt)
		b.secret = bytes.Repeat([]byte{7}, KeyLength)
		_, err = b.unseal("totp/"+string(p.ID), sealed)
		b.wantCode(err, evidence.Corrupt)
	})
}
