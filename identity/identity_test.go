package identity

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
)

const good = "otter lamp quarry seven"

// bench is an open Directory on its own database, with a clock that the test
// moves and password hashes that cost next to nothing.
type bench struct {
	*testing.T
	*Directory
	clock time.Time
}

func newBench(t *testing.T, db *database.DB) *bench {
	t.Helper()
	b := &bench{T: t, clock: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	a, err := Open(t.Context(), db, Options{Optional: true, Now: func() time.Time { return b.clock }, Role: func(r string) bool {
		return slices.Contains([]string{"officer", "supervisor", "administrator", "auditor"}, r)
	}})
	if err != nil {
		t.Fatal(err)
	}
	a.cost = cost{memory: 8, passes: 1, threads: 1}
	if a.decoy, err = a.hash(""); err != nil {
		t.Fatal(err)
	}
	b.Directory = a
	return b
}

func each(t *testing.T, f func(b *bench)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) { f(newBench(t, db)) })
}

func (b *bench) write(f func(ctx context.Context, tx *database.Tx) error) error {
	return b.db.Write(b.Context(), func(tx *database.Tx) error { return f(b.Context(), tx) })
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) wantCode(err error, code evidence.Code) {
	b.Helper()
	if evidence.CodeOf(err) != code {
		b.Errorf("want code %q, got %q: %v", code, evidence.CodeOf(err), err)
	}
}

func (b *bench) tryAdd(p Person, password string) error {
	return b.write(func(ctx context.Context, tx *database.Tx) error { return b.AddPerson(ctx, tx, p, password) })
}

func (b *bench) add(login, number string, role string) Person {
	b.Helper()
	p := Person{ID: evidence.NewID(b.clock, rand.Reader), Login: login, Name: "Ash Grove", Number: number, Role: role, CreatedAt: b.clock, ActiveAt: b.clock}
	b.must(b.tryAdd(p, good))
	return p
}

// signIn tells whether it worked.
func (b *bench) signIn(login, password string) (token string, ok bool) {
	b.Helper()
	in, err := b.SignIn(b.Context(), Proof{Login: login, Password: password, Address: "10.0.0.9"})
	if err != nil {
		b.wantCode(err, evidence.Unauthenticated)
	}
	return in.Token, err == nil
}

func (b *bench) in(token string) bool {
	b.Helper()
	_, _, err := b.Authenticate(b.Context(), token)
	if err != nil {
		b.wantCode(err, evidence.Unauthenticated)
	}
	return err == nil
}

func TestSomebodySignsInAndOut(t *testing.T) {
	each(t, func(b *bench) {
		p := b.add("Ash.Grove ", "4711", "officer")
		p.Login = "ash.grove"
		people, err := b.List(t.Context())
		b.must(err)
		if d := cmp.Diff([]Person{p}, people); d != "" {
			t.Error(d)
		}
		one, err := b.Person(t.Context(), p.ID)
		if d := cmp.Diff(p, one); d != "" || err != nil {
			t.Error(d, err)
		}
		b.clock = b.clock.Add(time.Hour)
		in, err := b.SignIn(t.Context(), Proof{Login: " ASH.grove", Password: good, Address: "10.0.0.9"})
		b.must(err)
		token, actor := in.Token, in.Actor
		want := evidence.Actor{Kind: evidence.Person, ID: string(p.ID), Name: "Ash Grove", Number: "4711", Address: "10.0.0.9", Session: actor.Session, Role: "officer"}
		if d := cmp.Diff(want, actor); d != "" {
			t.Error(d)
		}
		if _, err := evidence.ParseID(actor.Session); err != nil || len(token) != 43 || strings.Contains(token, actor.Session) {
			t.Errorf("session %q, token of %d characters", actor.Session, len(token))
		}
		got, _, err := b.Authenticate(t.Context(), token)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Error(d, err)
		}
		sessions, err := b.Sessions(t.Context(), p.ID)
		b.must(err)
		session := Session{ID: evidence.ID(actor.Session), Person: p.ID, Address: "10.0.0.9", CreatedAt: b.clock, SeenAt: b.clock, Method: ByPassword, ProvenAt: b.clock}
		if d := cmp.Diff([]Session{session}, sessions); d != "" {
			t.Error(d)
		}
		for range 2 {
			b.must(b.SignOut(t.Context(), token))
		}
		if b.in(token) || b.in("") || b.in("\x00") {
			t.Error("an ended or made-up token was good")
		}
		if one, err = b.Person(t.Context(), p.ID); err != nil || !one.ActiveAt.Equal(b.clock) {
			t.Error("active at", one.ActiveAt, err)
		}
	})
}

func TestEveryFailedSignInReadsTheSame(t *testing.T) {
	each(t, func(b *bench) {
		b.add("right", "1", "officer")
		gone, idle := b.add("gone", "2", "officer"), b.add("idle", "3", "officer")
		closed := b.add("closed", "4", "officer")
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Disable(ctx, tx, gone.ID) }))
		b.clock = b.clock.Add(idleLimit + time.Second)
		for _, p := range []Person{closed, {Login: "right"}} { // "right" and "closed" were used, "idle" was not
			b.must(b.write(func(ctx context.Context, tx *database.Tx) error {
				_, err := tx.Exec(ctx, "UPDATE people SET active_at = ? WHERE login = ?", database.Micros(b.clock), p.Login)
				return err
			}))
		}
		for range failureLimit {
			b.signIn("closed", "wrong")
		}
		texts := map[string]bool{}
		for _, c := range [][2]string{{"right", "wrong"}, {"right", ""}, {"right", strings.Repeat("x", 5000)}, {"nobody", good}, {"gone", good},
			{"idle", good}, {"closed", good}, {"", ""}, {"\x00", good}, {"a'b", good}} {
			in, err := b.SignIn(t.Context(), Proof{Login: c[0], Password: c[1], Address: "10.0.0.9\x00"})
			b.wantCode(err, evidence.Unauthenticated)
			if in != (SignedIn{}) || err == nil {
				t.Fatalf("%q signed in as %+v", c[0], in.Actor)
			}
			texts[err.Error()] = true
		}
		if len(texts) != 1 {
			t.Errorf("causes can be told apart: %v", texts)
		}
		if _, ok := b.signIn("right", good); !ok {
			t.Error("the right password did not work")
		}
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error {
			return errors.Join(b.Enable(ctx, tx, gone.ID), b.Enable(ctx, tx, idle.ID))
		}))
		for _, login := range []string{"gone", "idle"} {
			if _, ok := b.signIn(login, good); !ok {
				t.Errorf("%s was enabled and cannot sign in", login)
			}
		}
	})
}

// Whatever is tried when, no account sees more than five wrong guesses in any
// 15 minutes, and the right password works exactly when fewer than five have
// failed since the last success.
func TestLockoutIsTheRollingWindow(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t))
	rapid.Check(t, func(rt *rapid.T) {
		login := string(evidence.NewID(b.clock, rand.Reader))
		p := Person{ID: evidence.ID(login), Login: login, Name: "Ash", Role: "officer"}
		b.must(b.tryAdd(p, good))
		var failed []time.Time
		for range rapid.IntRange(5, 25).Draw(rt, "tries") {
			b.clock = b.clock.Add(time.Duration(rapid.IntRange(1, 240).Draw(rt, "wait")) * time.Second)
			recent := 0
			for _, at := range failed {
				if at.After(b.clock.Add(-failureWindow)) {
					recent++
				}
			}
			right := rapid.IntRange(0, 4).Draw(rt, "right") == 0
			_, ok := b.signIn(login, map[bool]string{true: good, false: "wrong"}[right])
			if want := right && recent < failureLimit; ok != want {
				rt.Fatalf("after %d recent failures a sign-in with the right password (%v) worked: %v", recent, right, ok)
			}
			switch {
			case ok:
				failed = nil
			case recent < failureLimit:
				failed = append(failed, b.clock)
			}
		}
	})
}

func TestGuessesAtTheSameTimeCount(t *testing.T) {
	each(t, func(b *bench) {
		p := b.add("ash", "1", "officer")
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if _, err := b.SignIn(t.Context(), Proof{Login: "ash", Password: "wrong", Address: "10.0.0.9"}); evidence.CodeOf(err) != evidence.Unauthenticated {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, ok := b.signIn("ash", good); ok {
			t.Error("not closed after 12 guesses")
		}
		if _, ok := b.signIn("nobody", good); ok {
			t.Error("nobody signed in")
		}
		failures, err := b.Failures(t.Context())
		b.must(err)
		known := 0
		for _, f := range failures {
			if f.Address != "10.0.0.9" || !f.At.Equal(b.clock) {
				t.Errorf("%+v", f)
			}
			if f.Person == p.ID && !f.Closed {
				known++
			}
		}
		if known != failureLimit || len(failures) != 12+2 {
			t.Errorf("%d guesses at the account, %d failures in all", known, len(failures))
		}
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.SetPassword(ctx, tx, p.ID, good+" new") }))
		if _, ok := b.signIn("ash", good); ok {
			t.Error("the old password works")
		}
		if _, ok := b.signIn("ash", good+" new"); !ok {
			t.Error("a new password did not open the account")
		}
		b.clock = b.clock.Add(failureKept + time.Second)
		b.signIn("nobody", good)
		if failures, err = b.Failures(t.Context()); err != nil || len(failures) != 1 {
			t.Errorf("old failures stay: %v %v", failures, err)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	each(t, func(b *bench) {
		p := b.add("ash", "1", "officer")
		begin := func() string {
			token, ok := b.signIn("ash", good)
			if !ok {
				t.Fatal("cannot sign in")
			}
			return token
		}
		token := begin()
		actor, _, err := b.Authenticate(t.Context(), token)
		b.must(err)
		for range 25 { // used every 29 minutes it lasts 12 hours and no longer
			b.clock = b.clock.Add(29 * time.Minute)
			if want := b.clock.Before(evidence.ID(actor.Session).Time().Add(sessionLimit)); b.in(token) != want {
				t.Fatalf("at %v: good is %v", b.clock, !want)
			}
		}
		token = begin()
		b.clock = b.clock.Add(idleLock - time.Microsecond)
		if !b.in(token) {
			t.Error("ended before 30 minutes")
		}
		b.clock = b.clock.Add(idleLock)
		if b.in(token) {
			t.Error("lasts longer than 30 minutes unused")
		}

		token = begin()
		actor, _, err = b.Authenticate(t.Context(), token)
		b.must(err)
		open := func() bool {
			ok, err := b.SessionOpen(t.Context(), actor)
			b.must(err)
			return ok
		}
		for range 3 { // listening is no use
			if !open() {
				t.Error("not open")
			}
			b.clock = b.clock.Add(idleLock / 3)
		}
		if open() || b.in(token) {
			t.Error("listening kept the session")
		}
		if ok, err := b.SessionOpen(t.Context(), evidence.Server("work")); ok || err != nil {
			t.Error("a session of nobody", err)
		}

		revoke := map[string]func(ctx context.Context, tx *database.Tx) error{
			"all":      func(ctx context.Context, tx *database.Tx) error { return b.RevokeSessions(ctx, tx, p.ID) },
			"password": func(ctx context.Context, tx *database.Tx) error { return b.SetPassword(ctx, tx, p.ID, good) },
			"disabled": func(ctx context.Context, tx *database.Tx) error {
				return errors.Join(b.Disable(ctx, tx, p.ID), b.Disable(ctx, tx, p.ID), b.Enable(ctx, tx, p.ID))
			},
		}
		for name, do := range revoke {
			first, second := begin(), begin()
			b.must(b.write(do))
			if b.in(first) || b.in(second) {
				t.Errorf("%s: a session goes on", name)
			}
		}
		first, second := begin(), begin()
		actor, _, err = b.Authenticate(t.Context(), first)
		b.must(err)
		one := func(ctx context.Context, tx *database.Tx) error {
			return b.RevokeSession(ctx, tx, p.ID, evidence.ID(actor.Session))
		}
		b.must(b.write(one))
		if b.in(first) || !b.in(second) {
			t.Error("not the one session was ended")
		}
		b.wantCode(b.write(one), evidence.NotFound)
	})
}

func TestAccountsThatCannotBe(t *testing.T) {
	each(t, func(b *bench) {
		base := b.add("ash", "4711", "officer")
		for name, c := range map[string]struct {
			spoil    func(*Person)
			password string
			code     evidence.Code
		}{
			"login taken":    {func(p *Person) { p.Login = "ASH" }, good, evidence.Conflict},
			"number taken":   {func(p *Person) { p.Number = " 4711 " }, good, evidence.Conflict},
			"identifier":     {func(p *Person) { p.ID = "x" }, good, evidence.Invalid},
			"login":          {func(p *Person) { p.Login = "a b" }, good, evidence.Invalid},
			"short login":    {func(p *Person) { p.Login = "a" }, good, evidence.Invalid},
			"no name":        {func(p *Person) { p.Name = "  " }, good, evidence.Invalid},
			"two-line name":  {func(p *Person) { p.Name = "a\nb" }, good, evidence.Invalid},
			"number":         {func(p *Person) { p.Number = strings.Repeat("1", 33) }, good, evidence.Invalid},
			"role":           {func(p *Person) { p.Role = "root" }, good, evidence.Invalid},
			"no role":        {func(p *Person) { p.Role = "" }, good, evidence.Invalid},
			"short password": {func(p *Person) {}, "otter lamp1", evidence.Invalid},
		} {
			p := Person{ID: evidence.NewID(b.clock, rand.Reader), Login: "new", Name: "New", Number: "1", Role: "auditor"}
			c.spoil(&p)
			t.Run(name, func(t *testing.T) { b.wantCode(b.tryAdd(p, c.password), c.code) })
		}
		unknown := evidence.NewID(b.clock, rand.Reader)
		for name, do := range map[string]func(ctx context.Context, tx *database.Tx) error{
			"password": func(ctx context.Context, tx *database.Tx) error { return b.SetPassword(ctx, tx, unknown, good) },
			"disable":  func(ctx context.Context, tx *database.Tx) error { return b.Disable(ctx, tx, unknown) },
			"enable":   func(ctx context.Context, tx *database.Tx) error { return b.Enable(ctx, tx, unknown) },
		} {
			t.Run(name, func(t *testing.T) { b.wantCode(b.write(do), evidence.NotFound) })
		}
		b.wantCode(b.write(func(ctx context.Context, tx *database.Tx) error { return b.SetPassword(ctx, tx, base.ID, "short") }), evidence.Invalid)

		// A number goes to somebody else only after its holder's account is
		// closed, and then that account cannot come back with it.
		b.must(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Disable(ctx, tx, base.ID) }))
		b.add("birch", "4711", "officer")
		b.wantCode(b.write(func(ctx context.Context, tx *database.Tx) error { return b.Enable(ctx, tx, base.ID) }), evidence.Conflict)
	})
}

func TestDocks(t *testing.T) {
	each(t, func(b *bench) {
		add := func(name string) (d Dock, key string, err error) {
			err = b.write(func(ctx context.Context, tx *database.Tx) (err error) {
				d, key, err = b.AddDock(ctx, tx, name)
				return err
			})
			return d, key, err
		}
		desk, key, err := add(" Desk 2 ")
		b.must(err)
		actor, err := b.AuthenticateDock(t.Context(), key)
		b.must(err)
		if d := cmp.Diff(evidence.Actor{Kind: evidence.Dock, ID: string(desk.ID), Name: "Desk 2", Role: "dock"}, actor); d != "" {
			t.Error(d)
		}
		for _, bad := range []string{"", " ", "a\x00", strings.Repeat("x", 200)} {
			_, _, err := add(bad)
			b.wantCode(err, evidence.Invalid)
		}
		_, _, err = add("Desk 2")
		b.wantCode(err, evidence.Conflict)
		for _, bad := range []string{"", key[1:], strings.TrimPrefix(key, dockKeyPrefix), key + "=", "\x00"} {
			_, err := b.AuthenticateDock(t.Context(), bad)
			b.wantCode(err, evidence.Unauthenticated)
		}
		enrolled := b.clock
		b.clock = b.clock.Add(time.Hour)
		_, err = b.AuthenticateDock(t.Context(), key)
		b.must(err)
		revoke := func(ctx context.Context, tx *database.Tx) error { return b.RevokeDock(ctx, tx, desk.ID) }
		b.must(b.write(revoke))
		b.wantCode(b.write(revoke), evidence.NotFound)
		_, err = b.AuthenticateDock(t.Context(), key)
		b.wantCode(err, evidence.Unauthenticated)
		again, _, err := add("Desk 2") // the name is free again
		b.must(err)
		docks, err := b.Docks(t.Context())
		b.must(err)
		want := []Dock{{ID: desk.ID, Name: "Desk 2", EnrolledAt: enrolled, RevokedAt: b.clock, LastSeen: b.clock}, again}
		if d := cmp.Diff(want, docks); d != "" {
			t.Error(d)
		}
	})
}

// What is stored opens nothing: neither passwords nor tokens nor keys are in
// the database's bytes.
func TestSecretsAreNotStored(t *testing.T) {
	each(t, func(b *bench) {
		b.add("ash", "1", "officer")
		token, _ := b.signIn("ash", good)
		var key string
		b.must(b.write(func(ctx context.Context, tx *database.Tx) (err error) {
			_, key, err = b.AddDock(ctx, tx, "Desk")
			return err
		}))
		var dump bytes.Buffer
		b.must(b.db.Read(t.Context(), func(tx *database.Tx) error {
			for _, q := range []string{"SELECT password FROM people", "SELECT token FROM sign_in_sessions", "SELECT key FROM docks"} {
				var cell []byte
				if err := tx.QueryRow(t.Context(), q).Scan(&cell); err != nil {
					return err
				}
				if len(cell) < 32 {
					t.Errorf("%s: %d bytes", q, len(cell))
				}
				dump.Write(cell)
			}
			return nil
		}))
		for _, secret := range []string{good, token, key, strings.TrimPrefix(key, dockKeyPrefix)} {
			if bytes.Contains(dump.Bytes(), []byte(secret)) {
				t.Error("a secret is stored")
			}
		}
	})
}

func TestSignInWaitsForAPlaceNoLongerThanItsContext(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t))
	b.add("ash", "1", "officer")
	for range cap(b.signIns) {
		b.signIns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.SignIn(ctx, Proof{Login: "ash", Password: good})
	b.wantCode(err, evidence.Unavailable)
	// Setting a password does not wait for sign-ins.
	b.add("birch", "2", "officer")
	<-b.signIns
	if _, ok := b.signIn("ash", good); !ok {
		t.Error("the wait counted as a failure, or no place came free")
	}
}

func TestNoRandomNumbersNoSecrets(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t))
	b.rand = strings.NewReader("")
	if _, _, err := b.newSecret(""); err == nil {
		t.Error("a secret was made of nothing")
	}
	if _, err := b.hash(good); err == nil {
		t.Error("a salt was made of nothing")
	}
}
