package httpapi_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"custos/access"
	"custos/evidence"
	"custos/httpapi"
)

// token is the session that an answer set.
func (h *house) token(w interface{ Result() *http.Response }) string {
	h.t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == "custos" {
			return c.Value
		}
	}
	h.t.Fatal("the answer set no session")
	return ""
}

// What must not be done from a screen left open asks again who is there; the
// proof gives the session another token.
func TestStepUp(t *testing.T) {
	h := newHouse(t, access.Officer)
	change := func(who string) int {
		return h.ask(who, "PUT", "/api/account/password", `{"password":"short"}`).Code
	}
	if got := change("officer"); got != 422 {
		t.Errorf("just signed in: %d", got)
	}
	h.Clock.Move(5*time.Minute - time.Microsecond)
	if got := change("officer"); got != 422 {
		t.Errorf("within five minutes: %d", got)
	}
	h.Clock.Move(time.Microsecond)
	h.problem(h.ask("officer", "PUT", "/api/account/password", `{"password":"another four dull words"}`), 403, evidence.StepUp)
	if w := h.ask("officer", "GET", "/api/recordings", ""); w.Code != 200 {
		t.Errorf("the rest does not go on: %d", w.Code)
	}
	h.problem(h.ask("officer", "POST", "/api/session/step-up", `{"password":"wrong"}`), 403, evidence.Denied)
	if got := change("officer"); got != 403 {
		t.Errorf("after a bad proof: %d", got)
	}
	w := h.ask("officer", "POST", "/api/session/step-up", `{"password":"`+password+`"}`)
	if w.Code != 200 {
		t.Fatalf("step up: %d %s", w.Code, w.Body)
	}
	h.cookies["renewed"] = h.token(w)
	if h.cookies["renewed"] == h.cookies["officer"] {
		t.Error("the token stayed")
	}
	h.problem(h.ask("officer", "GET", "/api/account", ""), 401, evidence.Unauthenticated)
	w = h.ask("renewed", "PUT", "/api/account/password", `{"password":"another four dull words"}`)
	if w.Code != 200 {
		t.Fatalf("after a good proof: %d %s", w.Code, w.Body)
	}
	h.cookies["changed"] = h.token(w)
	h.problem(h.ask("renewed", "GET", "/api/account", ""), 401, evidence.Unauthenticated)
	if w := h.ask("changed", "GET", "/api/account", ""); w.Code != 200 {
		t.Errorf("after changing the password: %d", w.Code)
	}
	if n := h.Count("service", evidence.Identify, evidence.Outcome); n == 0 {
		t.Error("the change is not on record")
	}
}

func TestGuessesAtStepUpCloseTheAccount(t *testing.T) {
	h := newHouse(t, access.Officer)
	for range 5 {
		h.problem(h.ask("officer", "POST", "/api/session/step-up", `{"password":"wrong"}`), 403, evidence.Denied)
	}
	h.problem(h.ask("officer", "POST", "/api/session/step-up", `{"password":"`+password+`"}`), 403, evidence.Denied)
	h.problem(h.ask("", "POST", "/api/session", `{"name":"officer","password":"`+password+`"}`), 401, evidence.Unauthenticated)
}

func TestOnesOwnSessions(t *testing.T) {
	h := newHouse(t, access.Officer, access.Auditor)
	h.Clock.Move(time.Second)
	h.cookies["second"] = h.token(h.ask("", "POST", "/api/session", `{"name":"officer","password":"`+password+`"}`))
	account := func(who string) (a httpapi.Account) {
		must(t, json.Unmarshal(h.ask(who, "GET", "/api/account", "").Body.Bytes(), &a))
		return a
	}
	a := account("second")
	if a.Login != "officer" || len(a.Sessions) != 2 || !a.Sessions[0].This || a.Sessions[1].This || a.Sessions[0].Method != "password" {
		t.Fatalf("the account is %+v", a)
	}
	first := a.Sessions[1].ID
	h.problem(h.ask("auditor", "DELETE", "/api/account/sessions/"+first, ""), 404, evidence.NotFound) // somebody else's
	if w := h.ask("second", "DELETE", "/api/account/sessions/"+first, ""); w.Code != 204 {
		t.Fatalf("ending a session: %d %s", w.Code, w.Body)
	}
	h.problem(h.ask("officer", "GET", "/api/account", ""), 401, evidence.Unauthenticated)
	if n := len(account("second").Sessions); n != 1 {
		t.Errorf("%d sessions are left", n)
	}
}
