package approval_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"custos/access"
	"custos/approval"
	"custos/custody/custodytest"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/identity"
)

// house is a room with people of every role, two administrators and a dock.
type house struct {
	*custodytest.World
	t       testing.TB
	room    *approval.Room
	actors  map[string]evidence.Actor
	dock    evidence.ID
	reports map[[2]string]bool // who reports to whom, by sign-in name
	told    []approval.Emergency
}

const why = "the roster of March asks for it"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) { f(t, newHouse(t, db)) })
}

func newHouse(t testing.TB, db *database.DB) *house {
	t.Helper()
	h := &house{World: custodytest.New(t, db), t: t, actors: map[string]evidence.Actor{}, reports: map[[2]string]bool{}}
	must(t, db.Write(t.Context(), func(tx *database.Tx) error {
		for _, role := range h.Access.Roles() {
			for _, n := range []string{"", "2"} {
				login := string(role) + n
				id := evidence.NewID(h.Clock.Now(), rand.Reader)
				h.actors[login] = evidence.Actor{Kind: evidence.Person, ID: string(id), Name: "The " + login, Role: role, Session: "s-" + login}
				// A hash costs 30 ms: people are put in as rows.
				_, err := tx.Exec(t.Context(), `INSERT INTO people (id, login, name, number, role, password, disabled_at, created_at, active_at)
					VALUES (?, ?, ?, '', ?, 'none', 0, 1, 1)`, string(id), login, "The "+login, role)
				if err != nil {
					return err
				}
			}
		}
		d, _, err := h.Identity.AddDock(t.Context(), tx, "front desk")
		h.dock = d.ID
		return err
	}))
	h.actors["operator"] = access.Operator("root")
	h.open()
	return h
}

func (h *house) open() {
	h.t.Helper()
	var err error
	h.room, err = approval.Open(h.t.Context(), approval.Config{
		DB: h.DB, Custody: h.Custody, Access: h.Access, Identity: h.Identity, Now: h.Clock.Now,
		ReportsTo: func(_ context.Context, a, b evidence.ID, _ time.Time) (bool, error) {
			return h.reports[[2]string{h.login(a), h.login(b)}], nil
		},
		Glass: func(e approval.Emergency) { h.told = append(h.told, e) },
	}, approval.RoleGrant(h.Identity, h.Access), approval.DockRevoke(h.Identity))
	must(h.t, err)
}

func (h *house) login(id evidence.ID) string {
	for login, a := range h.actors {
		if a.ID == string(id) {
			return login
		}
	}
	return ""
}

func (h *house) id(login string) evidence.ID { return evidence.ID(h.actors[login].ID) }

func (h *house) person(login string) identity.Person {
	h.t.Helper()
	p, err := h.Identity.Person(h.t.Context(), h.id(login))
	must(h.t, err)
	return p
}

// asks makes a request for another role.
func (h *house) asks(who, about, role string) (approval.Request, error) {
	return h.room.Ask(h.t.Context(), h.actors[who], approval.Asked{Kind: "role.grant", Subject: h.id(about),
		Params: json.RawMessage(`{"role":"` + role + `"}`), Reason: why})
}

// act does one thing to a request.
func (h *house) act(who, what string, id evidence.ID) (err error) {
	switch what {
	case "approve":
		_, err = h.room.Approve(h.t.Context(), h.actors[who], id)
	case "refuse":
		_, err = h.room.Refuse(h.t.Context(), h.actors[who], id, "not on this roster")
	case "withdraw":
		_, err = h.room.Withdraw(h.t.Context(), h.actors[who], id)
	}
	return err
}

func (h *house) state(id evidence.ID) approval.State {
	h.t.Helper()
	s, err := h.room.Show(h.t.Context(), h.actors["administrator"], id)
	must(h.t, err)
	return s.State
}

// event is what a test reads of an event.
type event interface{ Get(field string) string }

// trail is the events about a request, by what they say happened.
func (h *house) trail(id evidence.ID) map[string][]event {
	h.t.Helper()
	out := map[string][]event{}
	for _, e := range h.Events("service") {
		if e.Get("approval") == string(id) || e.Get("break_glass") == string(id) {
			out[e.Get("what")] = append(out[e.Get("what")], e)
		}
	}
	return out
}

func (h *house) disable(login string) {
	h.t.Helper()
	must(h.t, h.DB.Write(h.t.Context(), func(tx *database.Tx) error { return h.Identity.Disable(h.t.Context(), tx, h.id(login)) }))
}

func (h *house) alter(query string) {
	h.t.Helper()
	must(h.t, h.DB.Write(h.t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(h.t.Context(), query)
		return err
	}))
}

func code(t *testing.T, err error, want evidence.Code) {
	t.Helper()
	if evidence.CodeOf(err) != want {
		t.Errorf("got %q %v, want %q", evidence.CodeOf(err), err, want)
	}
}

func TestARoleChangesWhenAnotherPersonApproves(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.Exec("INSERT INTO sign_in_sessions (id, token, person, address, created_at, seen_at) VALUES ('s', ?, ?, '', ?, ?)",
			[]byte("token"), string(h.id("officer")), database.Micros(h.Clock.Now()), database.Micros(h.Clock.Now()))
		r, err := h.asks("administrator", "officer", access.Supervisor)
		must(t, err)
		if r.SubjectName != "The officer" || r.Was != "Officer" || r.Wanted != "Supervisor" || !r.ExpiresAt.Equal(h.Clock.Now().Add(72*time.Hour)) {
			t.Errorf("the request is %+v", r)
		}
		if _, err := h.asks("administrator2", "officer", access.Investigator); evidence.CodeOf(err) != evidence.Conflict {
			t.Errorf("two requests stand about one person: %v", err)
		}
		h.Clock.Move(time.Hour)
		must(t, h.act("professional_standards", "approve", r.ID))
		if got := h.person("officer").Role; got != access.Supervisor {
			t.Errorf("the role is %s", got)
		}
		if open, err := h.Identity.Sessions(t.Context(), h.id("officer")); err != nil || len(open) != 0 {
			t.Errorf("what the earlier role allowed goes on: %v %v", open, err)
		}
		trail := h.trail(r.ID)
		for what, n := range map[string]int{"approval asked for": 1, "approval given": 1, "role changed": 1} {
			if len(trail[what]) != n {
				t.Fatalf("%d events say %s", len(trail[what]), what)
			}
		}
		for _, what := range []string{"approval given", "role changed"} {
			e := trail[what][0]
			if e.Get("actor_name") != "The professional_standards" || e.Get("requested_by_name") != "The administrator" || e.Get("request_reason") != why {
				t.Errorf("%s does not name both and why: %v", what, e)
			}
		}
		if e := trail["role changed"][0]; e.Get("before") != "officer" || e.Get("after") != "supervisor" || e.Get("account") != string(h.id("officer")) {
			t.Errorf("the change is %v", e)
		}
		code(t, h.act("administrator2", "approve", r.ID), evidence.Conflict)
		if len(h.trail(r.ID)["role changed"]) != 1 {
			t.Error("carried out twice")
		}
	})
}

func TestWhoMayDecide(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.reports[[2]string{"professional_standards", "administrator"}] = true
		r, err := h.asks("administrator", "administrator2", access.Auditor)
		must(t, err)
		for _, c := range []struct {
			who, what string
			code      evidence.Code
			words     string
		}{
			{"administrator", "approve", evidence.Denied, "yourself"},
			{"administrator", "refuse", evidence.Denied, "yourself"},
			{"administrator2", "approve", evidence.Denied, "about you"},
			{"administrator2", "refuse", evidence.Denied, "about you"},
			{"administrator2", "withdraw", evidence.Denied, "The administrator"},
			{"professional_standards", "approve", evidence.Denied, "report to The administrator"},
			{"professional_standards", "withdraw", evidence.Denied, "Only"},
			{"supervisor", "approve", evidence.NotFound, "may not see"},
			{"officer", "refuse", evidence.NotFound, "may not see"},
			{"auditor", "withdraw", evidence.NotFound, "may not see"},
		} {
			err := h.act(c.who, c.what, r.ID)
			if evidence.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s may %s: %v", c.who, c.what, err)
			}
			// What a person is shown is what then happens.
			if c.code == evidence.Denied {
				s, err := h.room.Show(t.Context(), h.actors[c.who], r.ID)
				must(t, err)
				if a := map[string]approval.Ability{"approve": s.Can.Approve, "refuse": s.Can.Refuse, "withdraw": s.Can.Withdraw}[c.what]; a.May || !strings.Contains(a.Why, c.words) {
					t.Errorf("%s is shown %s: %+v", c.who, c.what, a)
				}
			}
		}
		refused := 0
		for _, e := range h.trail(r.ID)["approval"] {
			if e.Get("phase") == string(evidence.Refused) && e.Get("requested_by_name") == "The administrator" {
				refused++
			}
		}
		if refused == 0 {
			t.Error("no refusal is on record")
		}
		if _, err := h.asks("supervisor", "officer", access.Investigator); evidence.CodeOf(err) != evidence.Denied {
			t.Errorf("a supervisor asks for a role: %v", err)
		}
		// Somebody whose account is closed, in the session that they still have.
		h.disable("professional_standards2")
		if err := h.act("professional_standards2", "approve", r.ID); evidence.CodeOf(err) != evidence.Denied || !strings.Contains(err.Error(), "no longer") {
			t.Errorf("a closed account approves: %v", err)
		}
		if h.person("administrator2").Role != access.Administrator || h.state(r.ID) != approval.StillOpen {
			t.Error("something was changed")
		}
		must(t, h.act("operator", "approve", r.ID))
		if h.person("administrator2").Role != access.Auditor {
			t.Error("the operator approved and nothing came of it")
		}
	})
}

func TestWhoAskedMustStillBeAbleToAsk(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r, err := h.asks("administrator", "officer", access.Administrator)
		must(t, err)
		h.disable("administrator")
		if err := h.act("administrator2", "approve", r.ID); evidence.CodeOf(err) != evidence.Denied || !strings.Contains(err.Error(), "Refuse it") {
			t.Errorf("a request outlives its maker: %v", err)
		}
		must(t, h.act("administrator2", "refuse", r.ID))
		if got := h.state(r.ID); got != approval.Refused {
			t.Errorf("state is %s", got)
		}
		if e := h.trail(r.ID)["approval refused"]; len(e) != 1 || e[0].Get("reason") != "not on this roster" || e[0].Get("requested_by_name") != "The administrator" {
			t.Errorf("on record is %v", e)
		}
	})
}

func TestExpiredAndWithdrawn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r, err := h.asks("administrator", "officer", access.Supervisor)
		must(t, err)
		h.Clock.Move(72*time.Hour - time.Microsecond)
		must(t, h.room.EndExpired(t.Context()))
		if h.state(r.ID) != approval.StillOpen {
			t.Error("expired early")
		}
		h.Clock.Move(time.Microsecond)
		code(t, h.act("administrator2", "approve", r.ID), evidence.Conflict) // before anything swept
		code(t, h.act("administrator", "withdraw", r.ID), evidence.Conflict)
		if h.state(r.ID) != approval.Expired {
			t.Error("is not shown as expired")
		}
		again, err := h.asks("administrator", "officer", access.Investigator) // does not stand in the way
		must(t, err)
		must(t, h.room.EndExpired(t.Context()))
		if e := h.trail(r.ID)["approval expired"]; len(e) != 1 || e[0].Get("actor_kind") != "system" {
			t.Errorf("on record is %v", e)
		}
		must(t, h.act("administrator", "withdraw", again.ID))
		code(t, h.act("administrator2", "approve", again.ID), evidence.Conflict)
		code(t, h.act("administrator2", "refuse", again.ID), evidence.Conflict)
		if h.person("officer").Role != access.Officer {
			t.Error("the role changed")
		}
	})
}

func TestADockIsRevokedByTwo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ask := func() (approval.Request, error) {
			return h.room.Ask(t.Context(), h.actors["supervisor"], approval.Asked{Kind: "dock.revoke", Subject: h.dock, Reason: "stolen from the front desk"})
		}
		r, err := ask()
		must(t, err)
		if r.SubjectName != "front desk" {
			t.Errorf("the request is %+v", r)
		}
		// A failure of the service leaves the request open and says so.
		h.alter("ALTER TABLE docks RENAME TO docks_away")
		code(t, h.act("administrator", "approve", r.ID), evidence.Internal)
		h.alter("ALTER TABLE docks_away RENAME TO docks")
		s, err := h.room.Show(t.Context(), h.actors["supervisor"], r.ID)
		must(t, err)
		if s.State != approval.StillOpen || s.Failure == "" || len(h.trail(r.ID)["approval failed"]) != 1 {
			t.Errorf("after a failure: %s %q", s.State, s.Failure)
		}
		must(t, h.act("administrator", "approve", r.ID))
		docks, err := h.Identity.Docks(t.Context())
		must(t, err)
		if docks[0].RevokedAt.IsZero() || len(h.trail(r.ID)["dock revoked"]) != 1 {
			t.Error("the key still works")
		}
		if _, err := ask(); evidence.CodeOf(err) != evidence.Conflict {
			t.Errorf("asked to revoke it again: %v", err)
		}
	})
}

// What the request said of the subject is no longer true: it can never be
// carried out as it was asked for.
func TestChangedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r, err := h.asks("administrator", "officer", access.Supervisor)
		must(t, err)
		h.Exec("UPDATE people SET role = 'investigator' WHERE id = ?", string(h.id("officer")))
		code(t, h.act("administrator2", "approve", r.ID), evidence.Conflict)
		if h.state(r.ID) != approval.Failed || h.person("officer").Role != access.Investigator {
			t.Errorf("state is %s", h.state(r.ID))
		}
		if e := h.trail(r.ID); len(e["approval failed"]) != 1 || len(e["approval given"]) != 0 {
			t.Errorf("on record is %v", e)
		}
	})
}

func TestBadRequests(t *testing.T) {
	h := newHouse(t, databasetest.SQLite(t))
	for _, c := range []struct {
		a    approval.Asked
		code evidence.Code
	}{
		{approval.Asked{Kind: "role.grant", Subject: h.id("officer"), Params: json.RawMessage(`{"role":"king"}`), Reason: why}, evidence.Invalid},
		{approval.Asked{Kind: "role.grant", Subject: h.id("officer"), Params: json.RawMessage(`{"role":`), Reason: why}, evidence.Invalid},
		{approval.Asked{Kind: "role.grant", Subject: h.id("officer"), Params: json.RawMessage(`{"role":"officer"}`), Reason: why}, evidence.Conflict},
		{approval.Asked{Kind: "role.grant", Subject: "nobody", Params: json.RawMessage(`{"role":"auditor"}`), Reason: why}, evidence.NotFound},
		{approval.Asked{Kind: "role.grant", Subject: h.id("officer"), Params: json.RawMessage(`{"role":"auditor"}`), Reason: "  short  "}, evidence.Invalid},
		{approval.Asked{Kind: "role.grant", Subject: h.id("officer"), Params: json.RawMessage(`{"role":"auditor"}`), Reason: strings.Repeat("é", 1001)}, evidence.Invalid},
		{approval.Asked{Kind: "role.grant", Subject: h.id("officer"), Params: json.RawMessage(`{"role":"auditor"}`), Reason: "with a bell \a in it"}, evidence.Invalid},
		{approval.Asked{Kind: "dock.revoke", Subject: "none", Reason: why}, evidence.NotFound},
		{approval.Asked{Kind: "log.rewrite", Subject: h.dock, Reason: why}, evidence.Invalid},
	} {
		if _, err := h.room.Ask(t.Context(), h.actors["administrator"], c.a); evidence.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c.a, err)
		}
	}
	if n, err := h.room.Counts(t.Context()); err != nil || n.Open != 0 {
		t.Errorf("%+v %v", n, err)
	}
}

// Everybody approves, refuses and withdraws at the same moment: one does, and
// what they did is all that happened.
func TestAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for round := range 12 {
			to := []string{access.Supervisor, access.Officer}[round%2]
			r, err := h.asks("administrator", "officer", to)
			must(t, err)
			tries := []struct{ who, what string }{
				{"administrator2", "approve"}, {"professional_standards", "approve"}, {"professional_standards2", "approve"},
				{"administrator2", "refuse"}, {"administrator", "withdraw"}, {"administrator2", "approve"},
			}
			errs := make([]error, len(tries))
			var wg sync.WaitGroup
			for i, try := range tries {
				wg.Go(func() { errs[i] = h.act(try.who, try.what, r.ID) })
			}
			wg.Wait()
			won := -1
			for i, err := range errs {
				if err == nil && won >= 0 {
					t.Fatalf("%v and %v both did it", tries[won], tries[i])
				}
				if err == nil {
					won = i
				} else if evidence.CodeOf(err) != evidence.Conflict {
					t.Errorf("%v: %v", tries[i], err)
				}
			}
			if won < 0 {
				t.Fatalf("nobody did: %v", errs)
			}
			state := map[string]approval.State{"approve": approval.Done, "refuse": approval.Refused, "withdraw": approval.Withdrawn}[tries[won].what]
			changed := h.person("officer").Role == to
			if trail := h.trail(r.ID); h.state(r.ID) != state || changed != (state == approval.Done) || len(trail["role changed"]) != len(trail["approval given"]) ||
				(len(trail["role changed"]) == 1) != changed {
				t.Fatalf("%v won; state %s, changed %v, trail %v", tries[won], h.state(r.ID), changed, trail)
			}
			if !changed {
				h.Exec("UPDATE people SET role = ? WHERE id = ?", to, string(h.id("officer")))
			}
		}
	})
}

func TestPowerCutsWhileApproving(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var seen []string
		for n := 1; ; n++ {
			to := []string{access.Officer, access.Supervisor}[n%2]
			r, err := h.asks("administrator", "officer", to)
			must(t, err)
			at := h.cut(n, func() { must(t, h.act("administrator2", "approve", r.ID)) })
			done := h.person("officer").Role == to
			if trail := h.trail(r.ID); done != (h.state(r.ID) == approval.Done) || done != (len(trail["role changed"]) == 1) || done != (len(trail["approval given"]) == 1) {
				t.Fatalf("cut at %q: done %v, state %s, trail %v", at, done, h.state(r.ID), trail)
			}
			if err := h.act("administrator2", "approve", r.ID); done != (evidence.CodeOf(err) == evidence.Conflict) {
				t.Fatalf("cut at %q, then again: %v", at, err)
			}
			if len(h.trail(r.ID)["role changed"]) != 1 {
				t.Fatalf("cut at %q, then again: not carried out once", at)
			}
			if at == "" {
				break
			}
			seen = append(seen, at)
		}
		if want := []string{"approved.change", "approved.record", "approved.done"}; !slices.Equal(seen, want) {
			t.Errorf("the steps were %v, want %v", seen, want)
		}
	})
}

// cut runs act, cuts the power just before the nth step of custody and starts
// anew. It tells which step that was, "" if act came to its end first.
func (h *house) cut(n int, act func()) (at string) {
	type power string
	defer func() {
		h.Step = nil
		if p := recover(); p != nil {
			at = string(p.(power))
		}
		h.Crash(uint64(n))
		h.open()
	}()
	h.Step = func(name string) {
		if n--; n == 0 {
			panic(power(name))
		}
	}
	act()
	return ""
}
