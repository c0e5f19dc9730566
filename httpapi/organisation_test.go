package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/evidence"
	"custos/httpapi"
	"custos/staff"
)

// get is an answer of 200, read as T.
func get[T any](h *house, w *httptest.ResponseRecorder) (v T) {
	h.t.Helper()
	if w.Code != 200 {
		h.t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	must(h.t, json.Unmarshal(w.Body.Bytes(), &v))
	return v
}

func (h *house) done(who, method, path, body string) {
	h.t.Helper()
	if w := h.ask(who, method, path, body); w.Code != 204 && w.Code != 200 {
		h.t.Fatalf("%s %s by %s: %d %s", method, path, who, w.Code, w.Body)
	}
}

type madeID struct{ ID string }

// The administrator builds the force from a file; what was previewed is what
// happens, and it is on record with what was before.
func TestStoryOfAForceFromAFile(t *testing.T) {
	h := newHouse(t, access.Administrator, access.Supervisor, access.Officer)
	top := get[madeID](h, h.ask("administrator", "POST", "/api/units", `{"name":"Thornshire Police","code":"tp"}`)).ID
	a := get[madeID](h, h.ask("administrator", "POST", "/api/units", `{"name":"Response A","code":"RESP-A","parent":"`+top+`"}`)).ID
	h.problem(h.ask("administrator", "PUT", "/api/units/"+top, `{"parent":"`+a+`"}`), 409, evidence.Conflict)

	file := `"login,name,number,role,unit,lead\nofficer,,,,RESP-A,\nsupervisor,,,administrator,TP,yes\nnew.person,New Person,8000,officer,RESP-A,\nnobody,,,,,\n"`
	p := get[staff.Preview](h, h.ask("administrator", "POST", "/api/people-preview", `{"file":`+file+`}`))
	if p.Counts[staff.IsNew] != 1 || p.Counts[staff.Changed] != 2 || p.Counts[staff.Refused] != 1 || len(p.Absent) != 1 {
		t.Fatalf("the preview is %+v", p)
	}
	h.problem(h.ask("supervisor", "POST", "/api/people-import", `{"file":`+file+`,"digest":"`+p.Digest.String()+`"}`), 403, evidence.Denied)
	h.problem(h.ask("administrator", "POST", "/api/people-import", `{"file":`+file+`}`), 409, evidence.Conflict)
	get[staff.Preview](h, h.ask("administrator", "POST", "/api/people-import", `{"file":`+file+`,"digest":"`+p.Digest.String()+`"}`))

	list := get[httpapi.PeopleList](h, h.ask("administrator", "GET", "/api/people?unit="+a, ""))
	if list.Total != 2 || list.People[0].Login != "new.person" || list.People[1].Login != "officer" {
		t.Fatalf("in the unit are %+v", list)
	}
	if list := get[httpapi.PeopleList](h, h.ask("administrator", "GET", "/api/people?text=8000&role=officer&state=open", "")); list.Total != 1 {
		t.Errorf("8000 finds %+v", list)
	}
	if list := get[httpapi.PeopleList](h, h.ask("administrator", "GET", "/api/people?limit=1&after=new.person", "")); list.Total != 4 || len(list.People) != 1 || list.People[0].Login != "officer" {
		t.Errorf("the second page is %+v", list)
	}
	person := list.People[0].ID
	h.problem(h.ask("", "POST", "/api/session", `{"name":"new.person","password":"new.person"}`), 401, evidence.Unauthenticated)

	h.done("administrator", "POST", "/api/people/"+person+"/cameras", `{"camera":"CAM-7"}`)
	h.problem(h.ask("administrator", "POST", "/api/people/"+list.People[1].ID+"/cameras", `{"camera":"CAM-7"}`), 409, evidence.Conflict)
	h.done("administrator", "PUT", "/api/people/"+person, `{"name":"Newer Person","number":"8001"}`)
	h.Clock.Move(time.Second) // or the two postings have no order
	h.done("administrator", "POST", "/api/people/"+person+"/postings", `{"unit":"`+top+`"}`)
	d := get[httpapi.PersonDetail](h, h.ask("administrator", "GET", "/api/people/"+person, ""))
	if d.Name != "Newer Person" || d.Number != "8001" || d.Unit != top || len(d.Postings) != 2 || d.Postings[1].Code != "RESP-A" || d.Postings[1].Until.IsZero() || len(d.Numbers) != 2 || len(d.Cameras) != 1 {
		t.Errorf("the person is %+v", d)
	}
	h.done("administrator", "POST", "/api/cameras/"+string(d.Cameras[0].ID)+"/return", "{}")
	units := get[httpapi.UnitList](h, h.ask("administrator", "GET", "/api/units", ""))
	if len(units.Units) != 2 || units.Units[1].People != 2 || len(units.Units[1].Leads) != 1 || units.Units[0].People != 1 {
		t.Errorf("units are %+v", units)
	}
	h.problem(h.ask("administrator", "POST", "/api/people", `{"login":"root2","name":"R","role":"administrator"}`), 403, evidence.Denied)
	if n := len(h.Events("service")); n != 10 { // two units, import and its three people, camera, name and number, posting, camera
		t.Errorf("%d events", n)
	}
}

// An investigator enters a case and chooses who is in it. Others see that the
// number exists and nothing more; nobody lets themselves in.
func TestStoryOfACase(t *testing.T) {
	h := newHouse(t, access.Investigator, access.Supervisor, access.DisclosureOfficer, access.RecordsManager, access.Officer, access.Administrator)
	id := get[madeID](h, h.ask("investigator", "POST", "/api/cases", `{"number":"cr/9/26","kind":"case","title":"Robbery in Mill Lane"}`)).ID
	h.problem(h.ask("supervisor", "POST", "/api/cases", `{"number":"CR/9/26","kind":"incident","title":"x"}`), 409, evidence.Conflict)
	path := "/api/cases/" + id

	for who, known := range map[string]bool{"investigator": true, "records_manager": true, "supervisor": false, "disclosure_officer": false} {
		d := get[httpapi.CaseDetail](h, h.ask(who, "GET", path, ""))
		l := h.ask(who, "GET", "/api/cases?text=cr/9", "")
		found := get[httpapi.CaseList](h, h.ask(who, "GET", "/api/cases?text=mill", ""))
		if d.Number != "CR/9/26" || d.Known != known || (d.Title != "") != known || (len(d.Members) > 0) != known || strings.Contains(l.Body.String(), "Robbery") != known || (len(found.Cases) > 0) != known {
			t.Errorf("%s sees %+v", who, d)
		}
		if d.Manage != (who == "investigator") {
			t.Errorf("%s may manage: %v", who, d.Manage)
		}
	}
	supervisor := get[httpapi.CandidateList](h, h.ask("investigator", "GET", "/api/case-candidates?text=the+superv", ""))
	if len(supervisor.People) != 1 {
		t.Fatalf("candidates are %+v", supervisor)
	}
	member := `{"person":"` + supervisor.People[0].ID + `","role":"Supervisor"}`
	h.problem(h.ask("supervisor", "POST", path+"/members", member), 403, evidence.Denied) // not themselves
	h.problem(h.ask("supervisor", "POST", path+"/close", ""), 403, evidence.Denied)
	h.done("investigator", "POST", path+"/members", member)
	d := get[httpapi.CaseDetail](h, h.ask("supervisor", "GET", path, ""))
	if !d.Known || !d.Manage || len(d.Members) != 2 || d.By != "The investigator" {
		t.Fatalf("the supervisor sees %+v", d)
	}
	if l := get[httpapi.CaseList](h, h.ask("supervisor", "GET", "/api/cases?mine=true&state=open&kind=case", "")); len(l.Cases) != 1 {
		t.Errorf("theirs are %+v", l)
	}
	// A member of another case does not reach into this one.
	other := get[madeID](h, h.ask("disclosure_officer", "POST", "/api/cases", `{"number":"OTHER","kind":"incident","title":"x"}`)).ID
	h.problem(h.ask("disclosure_officer", "POST", "/api/cases/"+other+"/members/"+string(d.Members[0].ID)+"/end", ""), 404, evidence.NotFound)
	for _, m := range d.Members {
		if m.Name == "The supervisor" {
			h.done("investigator", "POST", path+"/members/"+string(m.ID)+"/end", "")
		}
	}
	h.Clock.Move(1)
	if d := get[httpapi.CaseDetail](h, h.ask("supervisor", "GET", path, "")); d.Known {
		t.Error("somebody who left the case still knows it")
	}
	h.done("investigator", "POST", path+"/close", "")
	h.problem(h.ask("investigator", "POST", path+"/members", member), 409, evidence.Conflict)
	for _, want := range []string{"case entered", "member added", "member ended", "case closed"} {
		found := false
		for _, e := range h.Events("service") {
			for _, f := range e.Fields {
				found = found || f.Name == "what" && f.Value == want
			}
		}
		if !found {
			t.Errorf("%q is not on record", want)
		}
	}
}
