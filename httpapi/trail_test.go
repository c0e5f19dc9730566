package httpapi_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/bundle"
	"custos/database"
	"custos/evidence"
	"custos/oversight"
)

// trail asks for a page of the trail.
func (h *house) trail(who, query string) oversight.TrailPage {
	h.t.Helper()
	w := h.ask(who, "GET", "/api/trail?"+query, "")
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s?%s: %d %s", who, query, w.Code, w.Body)
	}
	var p oversight.TrailPage
	must(h.t, json.Unmarshal(w.Body.Bytes(), &p))
	return p
}

func field(e oversight.TrailEvent, name string) string {
	for _, f := range e.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// said is who did what, in few words.
func said(events []oversight.TrailEvent) (out []string) {
	for _, e := range events {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s (%s) %s %s %s", field(e, "actor_name"), field(e, "actor_role"), field(e, "verb"), field(e, "phase"), field(e, "reference"))))
	}
	return out
}

func (h *house) watch(who string, recording evidence.ID, reference string) {
	h.t.Helper()
	h.Clock.Move(time.Minute)
	w := h.ask(who, "POST", "/api/recordings/"+string(recording)+"/consultations", `{"purpose":{"code":"complaint","reference":"`+reference+`"}}`)
	if w.Code != http.StatusCreated {
		h.t.Fatalf("%s may not watch: %d %s", who, w.Code, w.Body)
	}
}

// Several people act; the auditor finds exactly who did what, with values as
// they were at the time, also of somebody who has another name and role since
// (I13). An officer is refused. That the auditor looked is in the trail too.
func TestStoryOfTheTrail(t *testing.T) {
	h := newHouse(t, access.Officer, access.Investigator, access.Supervisor, access.Auditor)
	h.watch("investigator", h.own, "op/17")
	h.watch("supervisor", h.own, "S 4")
	h.watch("investigator", h.other, "OP/18")
	must(t, h.DB.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE people SET name = 'Di Newname', role = 'disclosure_officer' WHERE login = 'investigator'")
		return err
	}))
	h.watch("investigator", h.own, "OP/17")

	want := []string{"Di Newname (disclosure_officer) consult intent OP/17", "The investigator (investigator) consult intent op/17"}
	byCase := h.trail("auditor", "reference=OP%2F17")
	if got := said(byCase.Events); !slices.Equal(got, want) {
		t.Errorf("by case: %q", got)
	}
	person := field(byCase.Events[0], "actor_id")
	want = []string{want[0], "The investigator (investigator) consult intent OP/18", want[1]}
	if got := said(h.trail("auditor", "verb=consult&person="+person).Events); !slices.Equal(got, want) {
		t.Errorf("by person and verb: %q", got)
	}
	if got := said(h.trail("auditor", "verb=consult&recording="+string(h.own)).Events); len(got) != 3 || got[1] != "The supervisor (supervisor) consult intent S 4" {
		t.Errorf("by recording: %q", got)
	}
	from := "from=" + h.Clock.Now().Add(-150*time.Second).Format(time.RFC3339)
	if got := said(h.trail("auditor", "purpose=complaint&"+from).Events); len(got) != 3 {
		t.Errorf("by purpose and time: %q", got)
	}
	for word, n := range map[string]int{"newname": 1, "the inv": 1, "nobody": 0} {
		var people struct{ People []oversight.TrailPerson }
		must(t, json.Unmarshal(h.ask("auditor", "GET", "/api/trail-people?word="+strings.ReplaceAll(word, " ", "+"), "").Body.Bytes(), &people))
		if len(people.People) != n || n > 0 && people.People[0].ID != person {
			t.Errorf("%s is %+v", word, people)
		}
	}

	h.problem(h.ask("officer", "GET", "/api/trail?recording="+string(h.own), ""), 403, evidence.Denied)
	h.problem(h.ask("officer", "GET", "/api/trail.csv", ""), 403, evidence.Denied)
	h.problem(h.ask("supervisor", "GET", "/api/reports/s62.csv?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z", ""), 403, evidence.Denied)
	audits := h.trail("auditor", "verb=audit&phase=refused").Events
	if len(audits) != 3 || !slices.ContainsFunc(audits, func(e oversight.TrailEvent) bool {
		return field(e, "actor_role") == "officer" && field(e, "sought_item") == string(h.own)
	}) {
		t.Errorf("attempts on the log: %q", said(audits))
	}
	h.Clock.Move(time.Minute)
	audits = h.trail("auditor", "verb=audit&phase=intent&recording=trail").Events
	if len(audits) == 0 || field(audits[0], "actor_name") != "The auditor" || field(audits[0], "sought_verbs") != "audit" {
		t.Errorf("the audit of the audit: %q", said(audits))
	}
}

// However many pages, and however often it is looked at, a question is one
// event; its cursor is good for that question and session alone.
func TestOneQuestionIsOneEvent(t *testing.T) {
	h := newHouse(t, access.Investigator, access.Auditor, access.ProfessionalStandards)
	for range 7 {
		h.watch("investigator", h.own, "OP/17")
	}
	asked := func() int { return h.Count("trail", evidence.Audit, evidence.Intent) }
	seen := map[evidence.ID]bool{}
	first := h.trail("auditor", "verb=consult&limit=3")
	for p := first; ; p = h.trail("auditor", "verb=consult&limit=3&cursor="+p.Next) {
		for _, e := range p.Events {
			seen[e.ID] = true
		}
		if p.Next == "" {
			break
		}
	}
	h.trail("auditor", "verb=consult")
	if len(seen) != 7 || asked() != 1 {
		t.Errorf("%d events seen, %d questions on record", len(seen), asked())
	}
	h.Clock.Move(11 * time.Minute)
	h.trail("auditor", "verb=consult")
	h.trail("auditor", "verb=consult&phase=intent")
	if asked() != 3 {
		t.Errorf("%d questions on record, want 3", asked())
	}
	for _, c := range []struct{ who, query string }{
		{"auditor", "verb=derive&cursor=" + first.Next},
		{"professional_standards", "verb=consult&cursor=" + first.Next},
		{"auditor", "verb=consult&cursor=AAAA"},
		{"auditor", "verb=consult&limit=201"},
	} {
		if w := h.ask(c.who, "GET", "/api/trail?"+c.query, ""); w.Code/100 != 4 {
			t.Errorf("%s %s: %d", c.who, c.query, w.Code)
		}
	}
}

// An export is on record before and after, with what it was, how many events
// and the digest of its bytes; a spreadsheet takes nothing in it for a formula.
func TestExportOfTheTrail(t *testing.T) {
	h := newHouse(t, access.Investigator, access.Auditor)
	h.watch("investigator", h.own, "=cmd|' /C calc'!A0")
	h.Clock.Move(time.Minute)
	w := h.ask("auditor", "GET", "/api/trail.csv?recording="+string(h.own), "")
	rows, err := csv.NewReader(w.Body).ReadAll()
	must(t, err)
	if len(rows) != 4 || rows[1][13] != "'=cmd|' /C calc'!A0" || rows[1][7] != "The investigator" || !strings.Contains(rows[2][15], "file_name=own.mp4") {
		t.Errorf("%q", rows)
	}
	last := h.trail("auditor", "recording=trail&phase=outcome").Events[0]
	if field(last, "what") != "export" || field(last, "events") != "3" || field(last, "format") != "csv" || len(field(last, "sha256")) != 64 {
		t.Errorf("the export's outcome is %+v", last.Fields)
	}
}

// One recording's whole trail proves by itself that nothing of it is missing;
// what was changed, left out or doubled is found.
func TestProofOfTheTrail(t *testing.T) {
	h := newHouse(t, access.Investigator, access.Auditor)
	for i := range 3 {
		h.watch("investigator", h.own, fmt.Sprint("OP/", i))
	}
	h.Clock.Move(time.Minute)
	verify := func(file string) bundle.TrailReport {
		r, err := bundle.VerifyTrail([]byte(file), bundle.Options{LogKey: h.Log.VKey})
		must(t, err)
		return r
	}
	find := func(r bundle.TrailReport, name string) bundle.State {
		for _, c := range r.Checks {
			if c.Name == name {
				return c.State
			}
		}
		return ""
	}
	whole := h.ask("auditor", "GET", "/api/trail.json?recording="+string(h.own), "").Body.String()
	if r := verify(whole); r.Outcome() != bundle.Sound || r.Events != 5 || find(r, "chain") != bundle.Proven || r.Trail.MadeBy.Name != "The auditor" {
		t.Errorf("%+v", r)
	}
	some := h.ask("auditor", "GET", "/api/trail.json?verb=consult", "").Body.String()
	if r := verify(some); r.Outcome() != bundle.Sound || r.Events != 3 || find(r, "complete") != bundle.NotProven || find(r, "items") != bundle.Proven {
		t.Errorf("%+v", r)
	}
	lines := strings.Split(whole, "\n")
	for name, c := range map[string]struct{ file, check string }{
		"value":    {strings.Replace(whole, `"The investigator"`, `"Somebody else"`, 1), "openings"},
		"left out": {strings.Join(slices.Delete(slices.Clone(lines), 3, 4), "\n"), "chain"},
		"doubled":  {strings.Join(slices.Insert(slices.Clone(lines), 3, lines[3]), "\n"), "inclusion"},
		"moved":    {strings.Replace(whole, `"index":`, `"index":1`, 1), "inclusion"},
		"key":      {strings.ReplaceAll(whole, h.Log.VKey, h.ReceiptKey), "key"},
	} {
		if c.file == whole {
			t.Fatalf("%s changes nothing", name)
		}
		if r := verify(c.file); r.Outcome() != bundle.Wrong || !slices.ContainsFunc(r.Failed(), func(f bundle.Check) bool { return f.Name == c.check }) {
			t.Errorf("%s: %+v", name, r.Failed())
		}
	}
}

// The report under s.62 counts and lists the six operations with the fields of
// R3, and nothing else.
func TestReportOfTheSixOperations(t *testing.T) {
	h := newHouse(t, access.Officer, access.Investigator, access.Auditor)
	h.poster(h.own)
	h.watch("investigator", h.own, "OP/17")
	h.Clock.Move(time.Minute)
	const month = "?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
	var counts oversight.S62
	must(t, json.Unmarshal(h.ask("auditor", "GET", "/api/reports/s62"+month, "").Body.Bytes(), &counts))
	var got []string
	for _, o := range counts.Operations {
		got = append(got, fmt.Sprintf("%s %d %d", o.Operation, o.Begun, o.Done))
	}
	if want := []string{"collection 2 2", "alteration 1 1", "consultation 1 0", "disclosure 0 0", "combination 0 0", "erasure 0 0"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	rows, err := csv.NewReader(h.ask("auditor", "GET", "/api/reports/s62.csv"+month, "").Body).ReadAll()
	must(t, err)
	if len(rows) != 8 || rows[1][0] != "consultation" || rows[1][3] != "person" || rows[1][8] != string(h.own) || rows[1][9] != "192.0.2.1" || !strings.HasPrefix(rows[1][11], "account 0") {
		t.Errorf("%q", rows)
	}
	h.problem(h.ask("auditor", "GET", "/api/reports/s62.csv?from=2020-01-01T00:00:00Z&to=2026-04-01T00:00:00Z", ""), 422, evidence.Invalid)
}

// The documents have as many pages as they say, and hold names as people have
// them, and values that are made to break them.
func TestDocumentsOfTheTrail(t *testing.T) {
	h := newHouse(t, access.Investigator, access.Auditor)
	for i := range 25 {
		h.watch("investigator", h.own, []string{"OP/17", "Łódź Ωδή Дело \U0001F4A3", strings.Repeat("x", 99)}[i%3])
	}
	h.Clock.Move(time.Minute)
	for _, path := range []string{"/api/trail.pdf", "/api/reports/s62.pdf?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"} {
		w := h.ask("auditor", "GET", path, "")
		b := w.Body.Bytes()
		if w.Code != 200 || !strings.HasPrefix(string(b), "%PDF-1.") || strings.Count(string(b), "/Type /Page\n") < 2 {
			t.Errorf("%s: %d, %d pages, %.40s", path, w.Code, strings.Count(string(b), "/Type /Page\n"), b)
		}
		if dir := os.Getenv("CUSTOS_TEST_KEEP"); dir != "" {
			must(t, os.WriteFile(filepath.Join(dir, strings.NewReplacer("/", "-", "?", "-").Replace(path)+".pdf"), b, 0o600))
		}
	}
}
