package httpapi_test

import (
	"strings"
	"testing"

	"custos/access"
	"custos/custody/custodytest"
	"custos/evidence"
	"custos/httpapi"
)

// The page of a recording says what of the rule its asker needs to know: the
// purpose that holds for them, and who is named, in words that can be sent back.
func TestAPageKnowsHowARecordingIsKept(t *testing.T) {
	h := newHouse(t, access.Officer, access.Investigator, access.ProfessionalStandards)
	page := "/api/recordings/" + string(h.own)
	kept := func(who string) httpapi.Kept {
		t.Helper()
		var d httpapi.Detail
		decode(t, h.ask(who, "GET", page, ""), &d)
		return d.Kept
	}
	if k := kept("officer"); !k.Own || k.NeedsPurpose || k.Purpose != nil || k.Owner == nil || k.Owner.Number != "4711" {
		t.Errorf("to its officer: %+v", k)
	}
	if k := kept("investigator"); k.Own || !k.NeedsPurpose || k.Purpose != nil {
		t.Errorf("before a purpose: %+v", k)
	}
	if w := h.ask("investigator", "POST", page+"/consultations", `{"purpose":{"code":"review","reference":"`+custodytest.IncidentOpen+`"}}`); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if k := kept("investigator"); k.NeedsPurpose || k.Purpose == nil || *k.Purpose != (httpapi.Reason{Code: "review", Reference: custodytest.IncidentOpen}) {
		t.Errorf("after a purpose: %+v", k)
	}
	if k := kept("professional_standards"); k.NeedsPurpose || k.Purpose != nil {
		t.Errorf("to somebody who may not watch: %+v", k)
	}

	// Named by sign-in name, sent back by identifier.
	restrict := func(person string, status int) {
		t.Helper()
		if w := h.ask("professional_standards", "POST", page+"/restriction", `{"class":"restricted","reason":"test","list":[{"person":"`+person+`"}]}`); w.Code != status {
			t.Fatalf("%s: %d %s", person, w.Code, w.Body)
		}
	}
	restrict("investigator", 204)
	named := kept("professional_standards").Listed
	if len(named) != 1 || named[0].Person.Name != "The investigator" {
		t.Fatalf("named: %+v", named)
	}
	restrict(string(named[0].Person.ID), 204)
	restrict(strings.Repeat("0", 26), 422)
	if again := kept("professional_standards").Listed; len(again) != 1 || again[0].Person != named[0].Person {
		t.Errorf("sent back: %+v", again)
	}
	h.problem(h.ask("officer", "GET", page, ""), 404, evidence.NotFound)
	if k := kept("investigator"); k.Class != "restricted" || len(k.Listed) != 0 {
		t.Errorf("to somebody named: %+v", k)
	}
}
