package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
	"custos/httpapi"
	"custos/identity"
)

// another makes one more account of a role, signed in under its own name.
func (h *house) another(login string, role access.Role) evidence.ID {
	h.t.Helper()
	id := evidence.NewID(h.Clock.Now(), bytes.NewReader(fmt.Appendf(nil, "%-10.10s", login)))
	must(h.t, h.DB.Write(h.t.Context(), func(tx *database.Tx) error {
		return h.Identity.AddPerson(h.t.Context(), tx, identity.Person{ID: id, Login: login, Name: "The " + login, Role: role}, password)
	}))
	h.signIn(login)
	return id
}

func (h *house) signIn(login string) {
	h.t.Helper()
	in, err := h.Identity.SignIn(h.t.Context(), identity.Proof{Login: login, Password: password, Address: "192.0.2.1"})
	must(h.t, err)
	h.cookies[login] = in.Token
}

func (h *house) idOf(login string) evidence.ID {
	h.t.Helper()
	people, err := h.Identity.List(h.t.Context())
	must(h.t, err)
	for _, p := range people {
		if p.Login == login {
			return p.ID
		}
	}
	h.t.Fatalf("there is no %s", login)
	return ""
}

// gives is the answer to a request that must succeed.
func gives[T any](h *house, who, method, path, body string) (out T) {
	h.t.Helper()
	w := h.ask(who, method, path, body)
	if w.Code != 200 {
		h.t.Fatalf("%s %s by %s: %d %s", method, path, who, w.Code, w.Body)
	}
	must(h.t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

const because = "the roster of March asks for it"

func (h *house) asksForRole(who, about string, role access.Role) httpapi.RequestView {
	h.t.Helper()
	return gives[httpapi.RequestView](h, who, "POST", "/api/approvals", fmt.Sprintf(`{"kind":"role.grant","subject":%q,"role":%q,"reason":%q}`, h.idOf(about), role, because))
}

// event is what a test reads of an event.
type event interface{ Get(field string) string }

func (h *house) service(what string) (out []event) {
	for _, e := range h.Events("service") {
		if e.Get("what") == what {
			out = append(out, e)
		}
	}
	return out
}

// A role changes: one administrator asks, the person concerned, who asked, and
// who reports to them cannot approve; another does.
func TestStoryARoleChange(t *testing.T) {
	h := newHouse(t, access.Officer, access.Administrator, access.ProfessionalStandards, access.Supervisor)
	h.another("second", access.Administrator)
	r := h.asksForRole("administrator", "officer", access.Administrator)
	if r.State != "open" || r.Was != "Officer" || r.Wanted != "Administrator" || r.Can.Approve.May || !strings.Contains(r.Can.Approve.Why, "yourself") || !r.Can.Withdraw.May {
		t.Errorf("who asked is shown %+v", r)
	}
	do := func(id evidence.ID, what string) string { return "/api/approvals/" + string(id) + "/" + what }
	h.problem(h.ask("administrator", "POST", do(r.ID, "approve"), ""), 403, evidence.Denied)
	h.problem(h.ask("officer", "POST", do(r.ID, "approve"), ""), 403, evidence.Denied)
	h.problem(h.ask("supervisor", "POST", do(r.ID, "approve"), ""), 404, evidence.NotFound)
	h.leads = h.idOf("administrator") // the second reports to the first
	h.problem(h.ask("second", "POST", do(r.ID, "approve"), ""), 403, evidence.Denied)
	page := gives[httpapi.RequestPage](h, "second", "GET", "/api/approvals?show=decide", "")
	if len(page.Items) != 1 || page.Items[0].Can.Approve.May || !strings.Contains(page.Items[0].Can.Approve.Why, "report") {
		t.Errorf("who reports is shown %+v", page)
	}
	if w := gives[httpapi.Waiting](h, "second", "GET", "/api/approvals/waiting", ""); w.Decide != 0 {
		t.Errorf("%d wait for who cannot decide", w.Decide)
	}
	h.leads = ""
	if w := gives[httpapi.Waiting](h, "second", "GET", "/api/approvals/waiting", ""); w.Decide != 1 || !w.Decides || len(w.Roles) != 10 {
		t.Errorf("what waits is %+v", w)
	}
	done := gives[httpapi.RequestView](h, "second", "POST", do(r.ID, "approve"), "")
	if done.State != "done" || done.DecidedBy == nil || done.DecidedBy.Name != "The second" || done.Can.Approve.May {
		t.Errorf("after it is %+v", done)
	}
	// The officer's session of before has ended; the new one is an administrator's.
	h.problem(h.ask("officer", "GET", "/api/recordings", ""), 401, evidence.Unauthenticated)
	h.signIn("officer")
	if w := h.ask("officer", "GET", "/api/system", ""); w.Code != 200 {
		t.Errorf("the new role opens nothing: %d", w.Code)
	}
	// And now it is somebody about whom nobody can decide alone: themselves.
	about := h.asksForRole("administrator", "second", access.Auditor)
	h.problem(h.ask("second", "POST", do(about.ID, "approve"), ""), 403, evidence.Denied)
	must(t, json.Unmarshal(h.ask("officer", "POST", do(about.ID, "refuse"), `{"reason":"they are needed here"}`).Body.Bytes(), &about))
	if about.State != "refused" || about.Note != "they are needed here" {
		t.Errorf("refused is %+v", about)
	}
	h.problem(h.ask("professional_standards", "POST", do(about.ID, "approve"), ""), 409, evidence.Conflict)
	for what, n := range map[string]int{"approval asked for": 2, "approval given": 1, "role changed": 1, "approval refused": 1} {
		events := h.service(what)
		if len(events) != n {
			t.Errorf("%d events say %s, want %d", len(events), what, n)
		}
		for _, e := range events {
			if e.Get("requested_by_name") != "The administrator" || e.Get("request_reason") != because || e.Get("actor_name") == "" {
				t.Errorf("%s is %v", what, e)
			}
		}
	}
	if e := h.service("role changed"); len(e) == 1 && (e[0].Get("actor_name") != "The second" || e[0].Get("before") != "officer" || e[0].Get("after") != "administrator") {
		t.Errorf("the change is %v", e[0])
	}
}

func TestStoryTwoApproveAtOnce(t *testing.T) {
	h := newHouse(t, access.Officer, access.Administrator, access.ProfessionalStandards)
	h.another("second", access.Administrator)
	r := h.asksForRole("administrator", "officer", access.Supervisor)
	codes := make([]int, 2)
	var wg sync.WaitGroup
	for i, who := range []string{"second", "professional_standards"} {
		wg.Go(func() { codes[i] = h.ask(who, "POST", "/api/approvals/"+string(r.ID)+"/approve", "").Code })
	}
	wg.Wait()
	if codes[0]+codes[1] != 200+409 {
		t.Errorf("they got %v", codes)
	}
	if len(h.service("role changed")) != 1 || len(h.service("approval given")) != 1 {
		t.Error("not carried out once")
	}
}

func TestStoryTooLate(t *testing.T) {
	h := newHouse(t, access.Supervisor, access.Administrator)
	docks, err := h.Identity.Docks(t.Context())
	must(t, err)
	ask := func() httpapi.RequestView {
		return gives[httpapi.RequestView](h, "supervisor", "POST", "/api/approvals", fmt.Sprintf(`{"kind":"dock.revoke","subject":%q,"reason":"stolen from the front desk"}`, docks[0].ID))
	}
	r := ask()
	h.problem(h.ask("administrator", "POST", "/api/approvals/"+string(r.ID)+"/withdraw", ""), 403, evidence.Denied)
	if w := gives[httpapi.RequestView](h, "supervisor", "POST", "/api/approvals/"+string(r.ID)+"/withdraw", ""); w.State != "withdrawn" {
		t.Errorf("withdrawn is %+v", w)
	}
	h.problem(h.ask("administrator", "POST", "/api/approvals/"+string(r.ID)+"/approve", ""), 409, evidence.Conflict)
	h.Clock.Move(time.Second)
	r = ask()
	h.Clock.Move(72 * time.Hour)
	h.signIn("administrator")
	h.signIn("supervisor")
	h.problem(h.ask("administrator", "POST", "/api/approvals/"+string(r.ID)+"/approve", ""), 409, evidence.Conflict)
	if w := h.ask("dock", "GET", "/api/dock", ""); w.Code != 200 {
		t.Errorf("the dock's key is gone: %d", w.Code)
	}
	r = ask()
	gives[httpapi.RequestView](h, "administrator", "POST", "/api/approvals/"+string(r.ID)+"/approve", "")
	h.problem(h.ask("dock", "GET", "/api/dock", ""), 401, evidence.Unauthenticated)
	page := gives[httpapi.RequestPage](h, "supervisor", "GET", "/api/approvals?show=mine", "")
	var states []string
	for _, r := range page.Items {
		states = append(states, r.State)
	}
	if fmt.Sprint(states) != "[done expired withdrawn]" {
		t.Errorf("the supervisor's requests are %v", states)
	}
}

// Emergency access: taken alone, seen at once by those who review it, gone
// after 15 minutes, reviewed by another.
func TestStoryBreakGlass(t *testing.T) {
	h := newHouse(t, access.Investigator, access.Auditor, access.ProfessionalStandards, access.Administrator, access.Officer)
	srv := httptest.NewServer(h.handler)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/api/events", nil)
	must(t, err)
	req.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies["auditor"]})
	resp, err := srv.Client().Do(req)
	must(t, err)
	defer resp.Body.Close()

	h.problem(h.ask("investigator", "POST", "/api/break-glass", `{"reason":"because"}`), 422, evidence.Invalid)
	e := gives[httpapi.EmergencyView](h, "investigator", "POST", "/api/break-glass", `{"reason":"a child is missing, last seen in Mill Lane","reference":"INC/77/26"}`)
	if !e.InUse || !e.Until.Equal(h.Clock.Now().Add(15*time.Minute)) || !e.DueAt.Equal(h.Clock.Now().Add(24*time.Hour)) || e.Can.Review.May || !e.Can.End.May {
		t.Errorf("it is %+v", e)
	}
	lines, alert := bufio.NewScanner(resp.Body), ""
	for lines.Scan() && alert == "" {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			alert = data
		}
	}
	if !strings.Contains(alert, "The investigator") || !strings.Contains(alert, "opened") {
		t.Errorf("the auditor was told %q", alert)
	}
	if !strings.Contains(h.log.String(), "emergency access was opened") {
		t.Error("the log says nothing")
	}
	h.problem(h.ask("investigator", "POST", "/api/break-glass", `{"reason":"and once more, for long"}`), 409, evidence.Conflict)
	if m := gives[httpapi.MyEmergency](h, "investigator", "GET", "/api/break-glass/mine", ""); m.Open == nil || m.Open.ID != e.ID {
		t.Errorf("the banner has %+v", m)
	}
	review := func(outcome string) string {
		return fmt.Sprintf(`{"outcome":%q,"note":"the child was found by it"}`, outcome)
	}
	path := "/api/break-glass/" + string(e.ID)
	h.problem(h.ask("auditor", "POST", path+"/review", review("justified")), 409, evidence.Conflict) // still open
	h.Clock.Move(15 * time.Minute)
	if m := gives[httpapi.MyEmergency](h, "investigator", "GET", "/api/break-glass/mine", ""); m.Open != nil {
		t.Error("it did not end by itself")
	}
	if w := gives[httpapi.Waiting](h, "auditor", "GET", "/api/approvals/waiting", ""); w.Review != 1 || w.Overdue != 0 || !w.Reviews {
		t.Errorf("what waits is %+v", w)
	}
	h.Clock.Move(24 * time.Hour)
	for _, who := range []string{"auditor", "professional_standards", "administrator", "investigator"} {
		h.signIn(who)
	}
	if w := gives[httpapi.Waiting](h, "auditor", "GET", "/api/approvals/waiting", ""); w.Overdue != 1 {
		t.Errorf("nothing is overdue: %+v", w)
	}
	if sys := gives[httpapi.System](h, "administrator", "GET", "/api/system", ""); sys.Approvals.Overdue != 1 || sys.Approvals.Glass != 0 || sys.Approvals.Reviews != 1 {
		t.Errorf("the system page has %+v", sys.Approvals)
	}
	h.problem(h.ask("investigator", "POST", path+"/review", review("justified")), 403, evidence.Denied)
	h.leads = h.idOf("investigator")
	h.problem(h.ask("professional_standards", "POST", path+"/review", review("justified")), 403, evidence.Denied)
	h.leads = ""
	done := gives[httpapi.EmergencyView](h, "professional_standards", "POST", path+"/review", review("not_justified"))
	if done.Outcome != "not_justified" || done.ReviewedBy == nil || done.Overdue {
		t.Errorf("after the review it is %+v", done)
	}
	h.problem(h.ask("auditor", "POST", path+"/review", review("justified")), 409, evidence.Conflict)
	if own := gives[httpapi.EmergencyPage](h, "investigator", "GET", "/api/break-glass", ""); len(own.Items) != 1 || own.Items[0].Outcome != "not_justified" {
		t.Errorf("who took it sees %+v", own)
	}
	for _, what := range []string{"emergency access opened", "emergency access ended", "emergency access reviewed"} {
		n := 0
		for _, x := range h.service(what) {
			if x.Get("phase") != string(evidence.Refused) && x.Get("taken_by_name") == "The investigator" && x.Get("case") == "INC/77/26" {
				n++
			}
		}
		if n != 1 && what != "emergency access ended" { // nothing swept here
			t.Errorf("%d events say %s", n, what)
		}
	}
}
