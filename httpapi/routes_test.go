package httpapi_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
	"custos/httpapi"
	"custos/organisation"
)

var update = flag.Bool("update", false, "write web/openapi.json")

// The document that the web UI's types are made from is the present one.
// After a change: go test ./httpapi -update, then npm run types in web.
func TestOpenAPIIsUpToDate(t *testing.T) {
	doc, err := httpapi.OpenAPI("dev")
	must(t, err)
	const file = "../web/openapi.json"
	if *update {
		must(t, os.WriteFile(file, doc, 0o644))
	}
	kept, err := os.ReadFile(file)
	must(t, err)
	if string(kept) != string(doc) {
		t.Error("web/openapi.json is not what the server says of itself; run go test ./httpapi -update")
	}
}

// rule is one line of the table: a route, a request to it, and the status for
// nobody, for a dock and for each role in the order of roles.
type rule struct{ route, request, statuses string }

// The recordings are of officer 4711, which the officer here is. A status of
// 404 where others get 200 is "may not know of it".
func table(h *house) []rule {
	rec, none := string(h.own), "0123456789abcdefghjkmnpqrs"
	return []rule{
		// .                                                                  nobody dock  administrator auditor control_room data_protection disclosure investigator officer professional records supervisor
		{"POST /api/session", `POST /api/session {"name":"x","password":"y"}`, "401 401 401 401 401 401 401 401 401 401 401 401"},
		{"DELETE /api/session", "-", ""}, // tested on its own: it ends the sessions
		{"GET /api/session", "GET /api/session", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"GET /api/session/ways", "GET /api/session/ways", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"POST /api/session/passkey/question", "POST /api/session/passkey/question", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"POST /api/session/passkey", `POST /api/session/passkey {"credential":"","clientData":"","authenticatorData":"","signature":"","userHandle":""}`, "401 401 401 401 401 401 401 401 401 401 401 401"},
		{"POST /api/session/enrolment", `POST /api/session/enrolment {"secret":"x"}`, "401 401 401 401 401 401 401 401 401 401 401 401"},
		{"GET /api/session/step-up", "GET /api/session/step-up", "401 401 200 200 200 200 200 200 200 200 200 200"},
		{"POST /api/account/passkeys/question", "POST /api/account/passkeys/question", "401 401 200 200 200 200 200 200 200 200 200 200"},
		{"POST /api/account/passkeys", `POST /api/account/passkeys {"name":"x","answer":{"credential":"","clientData":"","attestation":"","transports":[]}}`, "401 401 422 422 422 422 422 422 422 422 422 422"},
		{"DELETE /api/account/passkeys/{id}", "DELETE /api/account/passkeys/" + none, "401 401 404 404 404 404 404 404 404 404 404 404"},
		{"POST /api/account/code-app/question", "POST /api/account/code-app/question", "401 401 200 200 200 200 200 200 200 200 200 200"},
		{"POST /api/account/code-app", `POST /api/account/code-app {"code":"0"}`, "401 401 422 422 422 422 422 422 422 422 422 422"},
		{"DELETE /api/account/code-app", "DELETE /api/account/code-app", "401 401 204 204 204 204 204 204 204 204 204 204"},
		{"POST /api/account/recovery-codes", "POST /api/account/recovery-codes", "401 401 200 200 200 200 200 200 200 200 200 200"},
		{"GET /api/people/{id}/credentials", "GET /api/people/" + none + "/credentials", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"DELETE /api/people/{id}/credentials/{credential}", "DELETE /api/people/" + none + "/credentials/code-app", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"GET /api/people/{id}/sessions", "GET /api/people/" + none + "/sessions", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"DELETE /api/people/{id}/sessions", "DELETE /api/people/" + none + "/sessions", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/people/{id}/enrolment-link", "POST /api/people/" + none + "/enrolment-link", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/session/step-up", `POST /api/session/step-up {"password":"y"}`, "401 401 403 403 403 403 403 403 403 403 403 403"},
		{"GET /api/account", "GET /api/account", "401 401 200 200 200 200 200 200 200 200 200 200"},
		{"PUT /api/account/password", `PUT /api/account/password {"password":"short"}`, "401 401 422 422 422 422 422 422 422 422 422 422"},
		{"DELETE /api/account/sessions/{id}", "DELETE /api/account/sessions/" + none, "401 401 404 404 404 404 404 404 404 404 404 404"},
		{"GET /api/recordings", "GET /api/recordings", "401 401 403 200 403 200 200 200 200 200 200 200"},
		{"GET /api/recordings/days", "GET /api/recordings/days", "401 401 403 200 403 200 200 200 200 200 200 200"},
		{"GET /api/recordings/{id}", "GET /api/recordings/" + rec, "401 401 403 200 403 200 200 200 200 200 200 200"},
		{"GET /api/recordings/{id}/history", "GET /api/recordings/" + rec + "/history", "401 401 403 200 403 200 200 200 403 200 200 200"},
		{"GET /api/recordings/{id}/poster", "GET /api/recordings/" + rec + "/poster", "401 401 403 403 403 403 200 200 200 403 403 200"},
		{"POST /api/recordings/{id}/consultations", "POST /api/recordings/" + rec + `/consultations {"purpose":{"code":"technical","reference":"SD-1"}}`, "401 401 403 403 403 403 201 201 201 403 403 201"},
		{"GET /api/consultations/{id}", "GET /api/consultations/" + none, "401 401 403 404 403 404 404 404 404 404 404 404"},
		{"POST /api/consultations/{id}/proxies/{segment}", "POST /api/consultations/" + none + "/proxies/1", "401 401 403 404 403 404 404 404 404 404 404 404"},
		{"DELETE /api/consultations/{id}", "DELETE /api/consultations/" + none, "401 401 403 204 403 204 204 204 204 204 204 204"},
		{"POST /api/consultations/{id}/end", "POST /api/consultations/" + none + "/end", "401 401 403 204 403 204 204 204 204 204 204 204"},
		{"GET /media/{id}/{segment}/{what}", "GET /media/" + none + "/1/master", "401 401 403 404 403 404 404 404 404 404 404 404"},
		{"GET /api/purposes", "GET /api/purposes", "401 401 403 200 403 200 200 200 200 200 200 200"},
		{"GET /api/hold-requests", "GET /api/hold-requests", "401 401 403 200 403 200 403 403 403 200 200 403"},
		{"POST /api/recordings/{id}/restriction", "POST /api/recordings/" + rec + `/restriction {"class":"normal","reason":"test","list":[]}`, "401 401 403 403 403 403 403 403 403 204 403 403"},
		{"POST /api/recordings/{id}/owner", "POST /api/recordings/" + rec + `/owner {"person":"officer","reason":""}`, "401 401 403 403 403 403 403 403 403 403 422 403"},
		{"POST /api/recordings/{id}/cases", "POST /api/recordings/" + rec + `/cases {"number":"CR/1/26","in":false}`, "401 401 403 403 403 403 204 204 403 403 403 403"},
		{"GET /api/docks", "GET /api/docks", "401 401 200 403 403 403 403 403 403 403 200 200"},
		{"GET /api/dock", "GET /api/dock", "401 200 401 401 401 401 401 401 401 401 401 401"},
		{"PUT /api/dock/status", `PUT /api/dock/status {"dock":"","name":"","version":"1","at":"2026-03-02T21:00:00Z","cameras":[]}`, "401 204 401 401 401 401 401 401 401 401 401 401"},
		{"/files/", "HEAD /files/" + none, "401 404 401 401 401 401 401 401 401 401 401 401"},
		{"GET /api/system", "GET /api/system", "401 401 200 403 403 403 403 403 403 403 200 403"},
		{"GET /api/trail", "GET /api/trail?verb=consult", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/trail-people", "GET /api/trail-people?word=the", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/reports/s62", "GET /api/reports/s62?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/reports/s62.csv", "GET /api/reports/s62.csv?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/trail.csv", "GET /api/trail.csv", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/trail.pdf", "GET /api/trail.pdf", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/reports/s62.pdf", "GET /api/reports/s62.pdf?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/trail.json", "GET /api/trail.json", "401 401 403 200 403 200 403 403 403 200 403 403"},
		{"GET /api/trail/{id}", "GET /api/trail/" + none, "401 401 403 404 403 404 403 403 403 404 403 403"},
		{"GET /api/people", "GET /api/people?limit=2", "401 401 200 403 403 403 403 403 403 403 403 403"},
		{"GET /api/people/{id}", "GET /api/people/" + none, "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/people", `POST /api/people {"login":"!","name":"x","role":"officer"}`, "401 401 422 403 403 403 403 403 403 403 403 403"},
		{"PUT /api/people/{id}", "PUT /api/people/" + none + " {}", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/people/{id}/postings", "POST /api/people/" + none + `/postings {"unit":"x"}`, "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/postings/{id}/end", "POST /api/postings/" + none + "/end {}", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/people/{id}/cameras", "POST /api/people/" + none + `/cameras {"camera":"x"}`, "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/cameras/{id}/return", "POST /api/cameras/" + none + "/return {}", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/people-preview", `POST /api/people-preview {"file":"login"}`, "401 401 200 403 403 403 403 403 403 403 403 403"},
		{"POST /api/people-import", `POST /api/people-import {"file":"shoe"}`, "401 401 422 403 403 403 403 403 403 403 403 403"},
		{"GET /api/units", "GET /api/units", "401 401 200 403 403 403 403 403 403 403 403 403"},
		{"POST /api/units", `POST /api/units {"name":"x","code":"!"}`, "401 401 422 403 403 403 403 403 403 403 403 403"},
		{"PUT /api/units/{id}", "PUT /api/units/" + none + ` {"name":"x"}`, "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"POST /api/units/{id}/close", "POST /api/units/" + none + "/close", "401 401 404 403 403 403 403 403 403 403 403 403"},
		{"GET /api/cases", "GET /api/cases", "401 401 403 403 403 403 200 200 403 200 200 200"},
		{"GET /api/cases/{id}", "GET /api/cases/" + none, "401 401 403 403 403 403 404 404 403 404 404 404"},
		{"POST /api/cases", `POST /api/cases {"number":" ","kind":"case","title":"x"}`, "401 401 403 403 403 403 422 422 403 422 403 422"},
		{"POST /api/cases/{id}/close", "POST /api/cases/" + none + "/close", "401 401 403 403 403 403 404 404 403 404 403 404"},
		{"POST /api/cases/{id}/members", "POST /api/cases/" + none + `/members {"person":"x","role":"x"}`, "401 401 403 403 403 403 404 404 403 404 403 404"},
		{"POST /api/cases/{id}/members/{member}/end", "POST /api/cases/" + none + "/members/" + none + "/end", "401 401 403 403 403 403 404 404 403 404 403 404"},
		{"GET /api/case-candidates", "GET /api/case-candidates?text=the", "401 401 403 403 403 403 200 200 403 200 403 200"},
		{"GET /api/events", "-", ""}, // tested on its own: it does not end
		{"GET /log/{path...}", "GET /log/checkpoint", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"GET /healthz", "GET /healthz", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"GET /readyz", "GET /readyz", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"GET /metrics", "GET /metrics", "403 403 403 403 403 403 403 403 403 403 403 403"},
		{"GET /api/approvals", "GET /api/approvals?show=mine", "401 401 200 200 403 200 403 403 403 200 200 200"},
		{"GET /api/approvals/waiting", "GET /api/approvals/waiting", "401 401 200 200 403 200 403 403 403 200 200 200"},
		{"GET /api/approvals/subjects", "GET /api/approvals/subjects?kind=dock.revoke", "401 401 200 403 403 403 403 403 403 403 200 200"},
		{"POST /api/approvals", `POST /api/approvals {"kind":"dock.revoke","subject":"` + none + `","reason":"stolen last night"}`, "401 401 404 403 403 403 403 403 403 403 404 404"},
		{"POST /api/approvals/{id}/approve", "POST /api/approvals/" + none + "/approve", "401 401 404 404 403 404 403 403 403 404 404 404"},
		{"POST /api/approvals/{id}/refuse", "POST /api/approvals/" + none + `/refuse {"reason":"not on this roster"}`, "401 401 404 404 403 404 403 403 403 404 404 404"},
		{"POST /api/approvals/{id}/withdraw", "POST /api/approvals/" + none + "/withdraw", "401 401 404 404 403 404 403 403 403 404 404 404"},
		{"GET /api/break-glass", "GET /api/break-glass", "401 401 403 200 403 200 200 200 403 200 403 200"},
		{"GET /api/break-glass/mine", "GET /api/break-glass/mine", "401 401 403 403 403 403 200 200 403 403 403 200"},
		{"POST /api/break-glass", `POST /api/break-glass {"reason":"life at risk in Mill Lane"}`, "401 401 403 403 403 403 200 200 403 403 403 200"},
		{"POST /api/break-glass/{id}/end", "POST /api/break-glass/" + none + "/end", "401 401 403 404 403 404 404 404 403 404 403 404"},
		{"POST /api/break-glass/{id}/review", "POST /api/break-glass/" + none + `/review {"outcome":"justified","note":"a life was at risk"}`, "401 401 403 404 403 404 403 403 403 404 403 403"},
		{"/", "GET /some/page", "200 200 200 200 200 200 200 200 200 200 200 200"},
		{"/api/", "GET /api/nothing", "404 404 404 404 404 404 404 404 404 404 404 404"},
		{"/media/", "GET /media/nothing", "404 404 404 404 404 404 404 404 404 404 404 404"},
	}
}

// Every route, asked by everybody. A route that is not in the table fails.
func TestEveryRouteForEverybody(t *testing.T) {
	h := newHouse(t)
	h.poster(h.own)
	h.Settle()
	must(t, h.DB.Write(t.Context(), func(tx *database.Tx) error {
		_, err := h.Organisation.AddCase(t.Context(), tx, organisation.Case{Number: "CR/1/26", Kind: organisation.OfCase, Title: "Test"}, "test")
		return err
	}))
	rules := table(h)
	var listed, ruled []string
	for _, r := range h.door.Routes() {
		if r.Who == "" {
			t.Errorf("%s %s has no policy", r.Method, r.Pattern)
		}
		listed = append(listed, strings.TrimSpace(r.Method+" "+r.Pattern))
	}
	for _, r := range rules {
		ruled = append(ruled, r.route)
	}
	slices.Sort(listed)
	slices.Sort(ruled)
	if !slices.Equal(listed, ruled) {
		t.Fatalf("registered are\n%v\nand the table has\n%v", listed, ruled)
	}
	everybody := []string{"", "dock"}
	for _, role := range h.Access.Roles() {
		everybody = append(everybody, string(role))
	}
	for _, r := range rules {
		if r.request == "-" {
			continue
		}
		h.Clock.Move(time.Second) // so that nobody asks too often
		parts := strings.SplitN(r.request, " ", 3)
		body := ""
		if len(parts) == 3 {
			body = parts[2]
		}
		for i, status := range strings.Fields(r.statuses) {
			w := h.ask(everybody[i], parts[0], parts[1], body)
			if fmt.Sprint(w.Code) != status {
				t.Errorf("%s by %q: %d, want %s: %.200s", r.request, everybody[i], w.Code, status, w.Body)
			}
			if w.Code >= 400 && parts[0] != http.MethodHead {
				code := map[int]evidence.Code{401: evidence.Unauthenticated, 403: evidence.Denied, 404: evidence.NotFound, 422: evidence.Invalid}[w.Code]
				h.problem(w, w.Code, code)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: headers are %v", r.request, w.Header())
			}
		}
	}
}

// Whoever may not know of a recording gets the very answer of one that does
// not exist; the attempt is on record.
func TestUnknownAndForbiddenLookTheSame(t *testing.T) {
	h := newHouse(t, access.Officer)
	for _, path := range []string{"", "/history", "/poster"} {
		answer := func(id string) string {
			w := h.ask("officer", "GET", "/api/recordings/"+id+path, "")
			p := h.problem(w, 404, evidence.NotFound)
			return strings.ReplaceAll(w.Body.String(), p.Reference, "")
		}
		other := answer(string(h.other))
		for _, id := range []string{"0123456789abcdefghjkmnpqrs", "nonsense", "ZZZ"} {
			if got := answer(id); got != other {
				t.Errorf("%s tells apart:\n%s\n%s", path, got, other)
			}
		}
	}
	w := h.ask("officer", "POST", "/api/recordings/"+string(h.other)+"/consultations", `{"purpose":{"code":"technical","reference":"SD-1"}}`)
	h.problem(w, 404, evidence.NotFound)
	if n := h.Count(h.other, access.Find, evidence.Refused); n != 4 {
		t.Errorf("%d attempts on record, want 4", n)
	}
	if w := h.ask("officer", "GET", "/api/recordings", ""); strings.Contains(w.Body.String(), string(h.other)) || !strings.Contains(w.Body.String(), string(h.own)) {
		t.Errorf("the list is %s", w.Body)
	}
}
