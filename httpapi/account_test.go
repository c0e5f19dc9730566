package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/evidence"
	"custos/httpapi"
	"custos/identity"
	"custos/identity/identitytest"
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
	if n := h.Count("accounts", evidence.Identify, evidence.Outcome); n == 0 {
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

// device gives somebody a passkey in their session.
func (h *house) device(who string) *identitytest.Authenticator {
	h.t.Helper()
	device := identitytest.New(h.t, "http://localhost")
	var q identity.NewPasskeyQuestion
	must(h.t, json.Unmarshal(h.ask(who, "POST", "/api/account/passkeys/question", "").Body.Bytes(), &q))
	var a identity.NewPasskeyAnswer
	a.Credential, a.ClientData, a.Attestation = device.Make(q.Challenge, q.Site, q.User)
	a.Transports = []string{"usb"}
	b, err := json.Marshal(map[string]any{"name": "token", "answer": a})
	must(h.t, err)
	w := h.ask(who, "POST", "/api/account/passkeys", string(b))
	if w.Code != 200 {
		h.t.Fatalf("no passkey: %d %s", w.Code, w.Body)
	}
	h.cookies[who] = h.token(w)
	return device
}

func (h *house) sign(device *identitytest.Authenticator, question []byte) string {
	h.t.Helper()
	var q identity.PasskeyQuestion
	must(h.t, json.Unmarshal(question, &q))
	var a identity.PasskeyAnswer
	a.Credential, a.ClientData, a.AuthenticatorData, a.Signature, a.UserHandle = device.Sign(q.Challenge, q.Site)
	b, err := json.Marshal(a)
	must(h.t, err)
	return string(b)
}

func TestPasskeyFromEnrolmentToRevocation(t *testing.T) {
	h := newHouse(t, access.Officer, access.Administrator)
	device := h.device("officer")
	question := func() []byte { return h.ask("", "POST", "/api/session/passkey/question", "").Body.Bytes() }
	w := h.ask("", "POST", "/api/session/passkey", h.sign(device, question()))
	if w.Code != 200 {
		t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	h.cookies["officer"] = h.token(w)
	h.Clock.Move(10 * time.Minute)
	h.problem(h.ask("officer", "POST", "/api/account/recovery-codes", ""), 403, evidence.StepUp)
	var ways struct {
		Passkey        json.RawMessage
		Password, Code bool
	}
	must(t, json.Unmarshal(h.ask("officer", "GET", "/api/session/step-up", "").Body.Bytes(), &ways))
	if !ways.Password || !ways.Code {
		t.Errorf("the ways are %+v", ways)
	}
	h.problem(h.ask("officer", "POST", "/api/session/step-up", `{"password":"`+password+`"}`), 403, evidence.Denied) // it needs a code, too
	w = h.ask("officer", "POST", "/api/session/step-up", `{"passkey":`+h.sign(device, ways.Passkey)+`}`)
	if w.Code != 200 {
		t.Fatalf("step up: %d %s", w.Code, w.Body)
	}
	h.cookies["officer"] = h.token(w)
	var codes httpapi.RecoveryCodes
	must(t, json.Unmarshal(h.ask("officer", "POST", "/api/account/recovery-codes", "").Body.Bytes(), &codes))
	if w := h.ask("", "POST", "/api/session", `{"name":"officer","password":"`+password+`","code":"`+codes.Codes[3]+`"}`); w.Code != 200 {
		t.Errorf("a recovery code: %d %s", w.Code, w.Body)
	}

	// Lost: the administrator revokes it; the sessions end with it.
	h.Clock.Move(10 * time.Minute)
	var account httpapi.Account
	must(t, json.Unmarshal(h.ask("officer", "GET", "/api/account", "").Body.Bytes(), &account))
	if len(account.Credentials.Passkeys) != 1 || account.Credentials.RecoveryLeft != 9 {
		t.Fatalf("the account is %+v", account)
	}
	path := "/api/people/" + string(account.Credentials.Passkeys[0].Person) + "/credentials/" + string(account.Credentials.Passkeys[0].ID)
	h.problem(h.ask("administrator", "DELETE", path, ""), 403, evidence.StepUp)
	h.cookies["administrator"] = h.token(h.ask("administrator", "POST", "/api/session/step-up", `{"password":"`+password+`"}`))
	if w := h.ask("administrator", "DELETE", path, ""); w.Code != 204 {
		t.Fatalf("revoke: %d %s", w.Code, w.Body)
	}
	h.problem(h.ask("officer", "GET", "/api/account", ""), 401, evidence.Unauthenticated)
	h.problem(h.ask("", "POST", "/api/session/passkey", h.sign(device, question())), 401, evidence.Unauthenticated)
	for phase, want := range map[evidence.Phase]int{evidence.Refused: 2, evidence.Outcome: 2} {
		if n := h.Count("accounts", evidence.Identify, phase); n < want {
			t.Errorf("%d events of phase %s", n, phase)
		}
	}
}

// Somebody under threat or suspicion: from the moment that their sessions end
// nothing is read any more, also within a viewing that was open.
func TestEndingSessionsEndsWhatIsWatched(t *testing.T) {
	h := newHouse(t, access.Officer, access.Administrator)
	w := h.ask("officer", "POST", "/api/recordings/"+string(h.own)+"/consultations", `{"purpose":{"code":"technical","reference":"SD-1"}}`)
	var view struct{ ID string }
	if w.Code != 201 {
		t.Fatal(w.Code, w.Body)
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &view))
	var s httpapi.Session
	must(t, json.Unmarshal(h.ask("officer", "GET", "/api/session", "").Body.Bytes(), &s))
	person, id := evidence.ID(s.Me.ID), evidence.ID(view.ID)
	actor, _, err := h.Identity.Authenticate(t.Context(), h.cookies["officer"])
	must(t, err)
	content, err := h.Custody.Master(t.Context(), actor, id, 1)
	must(t, err)
	defer content.Close()
	var b [1]byte
	if _, err := content.ReadAt(b[:], 0); err != nil {
		t.Fatal(err)
	}
	if w := h.ask("administrator", "DELETE", "/api/people/"+string(person)+"/sessions", ""); w.Code != 204 {
		t.Fatalf("end the sessions: %d %s", w.Code, w.Body)
	}
	if _, err := content.ReadAt(b[:], 0); evidence.CodeOf(err) != evidence.NotFound {
		t.Errorf("a reading that was under way goes on: %v", err)
	}
	if _, err := h.Custody.Consulting(t.Context(), actor, id); evidence.CodeOf(err) != evidence.NotFound {
		t.Errorf("the viewing goes on: %v", err)
	}
	h.problem(h.ask("officer", "GET", "/media/"+view.ID+"/1/master", ""), 401, evidence.Unauthenticated)
	if n := h.Count(h.own, evidence.Consult, evidence.Outcome); n != 1 {
		t.Errorf("%d ends of the viewing are on record", n)
	}
}

// While somebody sets up how they sign in, nothing else is open to them.
func TestEnrollingOpensNothingElse(t *testing.T) {
	h := newHouse(t, access.Administrator)
	var me httpapi.Session
	must(t, json.Unmarshal(h.ask("administrator", "GET", "/api/session", "").Body.Bytes(), &me))
	var made httpapi.EnrolmentLink
	must(t, json.Unmarshal(h.ask("administrator", "POST", "/api/people/"+me.Me.ID+"/enrolment-link", "").Body.Bytes(), &made))
	_, secret, _ := strings.Cut(made.Link, "/enrol#")
	w := h.ask("", "POST", "/api/session/enrolment", `{"secret":"`+secret+`"}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"enrolling":true`) {
		t.Fatalf("open the link: %d %s", w.Code, w.Body)
	}
	h.cookies["new"] = h.token(w)
	for _, r := range h.door.Routes() {
		if r.Method == "" || r.Who == "anyone" || strings.Contains(r.Pattern, "/account") || strings.HasPrefix(r.Pattern, "/api/dock") || r.Pattern == "/metrics" {
			continue
		}
		path := strings.NewReplacer("{id}", "x", "{segment}", "1", "{what}", "master", "{credential}", "x").Replace(r.Pattern)
		h.problem(h.ask("new", r.Method, path, ""), 403, evidence.Denied)
	}
	h.problem(h.ask("new", "POST", "/api/account/recovery-codes", ""), 403, evidence.Denied)
	h.device("new")
	if w := h.ask("new", "GET", "/api/system", ""); w.Code != 200 {
		t.Errorf("after enrolling: %d %s", w.Code, w.Body)
	}
	if strings.Contains(h.log.String(), secret) {
		t.Error("the link's secret is in the log")
	}
}
