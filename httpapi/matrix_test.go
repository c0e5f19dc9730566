package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/custody/custodytest"
	"custos/database"
	"custos/evidence"
	"custos/httpapi"
	"custos/organisation"
)

type aboutRecording struct {
	route, body string
	works       int
	verb        evidence.Verb
}

// about are the routes of one recording, with a request that would work and
// what its answer is then, and the verb it stands for. A route of a recording
// that is not here fails the test.
var about = []aboutRecording{
	{"GET /api/recordings/{id}", "", 200, access.Find},
	{"GET /api/recordings/{id}/history", "", 200, access.Trail},
	{"GET /api/recordings/{id}/poster", "", 200, evidence.Consult},
	{"POST /api/recordings/{id}/consultations", `{"purpose":{"code":"technical","reference":"SD-1"}}`, 201, evidence.Consult},
	{"POST /api/recordings/{id}/restriction", `{"class":"normal","reason":"","list":[]}`, 422, access.Restrict}, // allowed, but for the reason
	{"POST /api/recordings/{id}/owner", `{"person":"","reason":""}`, 422, access.Assign},
	{"POST /api/recordings/{id}/cases", `{"number":"CR/1/26","in":false}`, 204, evidence.Combine},
}

// relation is how a recording stands to whoever asks.
type relation struct {
	name  string
	place func(me evidence.ID) evidence.Placing
}

func relations(now time.Time, inCase evidence.ID) []relation {
	const stranger, elsewhere = evidence.ID("stranger"), evidence.ID("elsewhere")
	return []relation{
		{"own", func(me evidence.ID) evidence.Placing { return evidence.Placing{Owner: me, Unit: elsewhere} }},
		{"unit", func(evidence.ID) evidence.Placing {
			return evidence.Placing{Owner: stranger, Unit: custodytest.UnitA}
		}},
		{"case", func(evidence.ID) evidence.Placing {
			return evidence.Placing{Owner: stranger, Unit: elsewhere, Cases: []evidence.ID{inCase}}
		}},
		{"listed", func(me evidence.ID) evidence.Placing {
			return evidence.Placing{Owner: stranger, Listed: []evidence.Listing{{Person: me, Until: now.Add(time.Hour)}}}
		}},
		{"listed once", func(me evidence.ID) evidence.Placing {
			return evidence.Placing{Owner: stranger, Listed: []evidence.Listing{{Person: me, Until: now}}}
		}},
		{"other", func(evidence.ID) evidence.Placing { return evidence.Placing{Owner: stranger, Unit: elsewhere} }},
		{"unassigned", func(evidence.ID) evidence.Placing { return evidence.Placing{} }},
	}
}

// put makes a recording stand as p says.
func (h *house) put(id evidence.ID, p evidence.Placing) {
	h.t.Helper()
	ctx := h.t.Context()
	must(h.t, h.DB.Write(ctx, func(tx *database.Tx) error {
		if err := h.Catalogue.SetOwner(ctx, tx, id, p.Owner, p.Unit); err != nil {
			return err
		}
		now, err := h.Catalogue.Placing(ctx, id)
		if err != nil {
			return err
		}
		for _, c := range slices.Concat(now.Cases, p.Cases) {
			if _, err := h.Catalogue.SetCase(ctx, tx, id, c, slices.Contains(p.Cases, c)); err != nil {
				return err
			}
		}
		return h.Catalogue.SetClass(ctx, tx, id, p.Class, p.Listed)
	}))
	h.Access.Changed()
}

// Route × role × relation × class and state: what the door answers is what the
// rule says, whoever may not know of a recording gets 404 on every route, the
// list holds exactly what opens, and the page offers exactly what works. The
// whole matrix is kept in testdata/matrix.txt, so that a change of the policy
// shows as what it means; -update writes it anew.
func TestMatrix(t *testing.T) {
	h := newHouseWith(t, func(c *httpapi.Config) { c.Rates = httpapi.Rates{PerAddress: -1, PerAccount: -1, SignIns: -1} })
	routesOfRecordings(t, h)
	var inCase evidence.ID
	must(t, h.DB.Write(t.Context(), func(tx *database.Tx) error {
		c, err := h.Organisation.AddCase(t.Context(), tx, organisation.Case{Number: "CR/1/26", Kind: organisation.OfCase, Title: "Test"}, "test")
		inCase = c.ID
		return err
	}))
	classes := []evidence.Class{evidence.Normal, evidence.Restricted, evidence.Confidential}
	recordings := make([]evidence.ID, len(classes))
	for i := range recordings {
		data := []byte(fmt.Sprint("matrix ", i))
		recordings[i], _ = h.CollectAs(data, custodytest.Capture(data, "CAM-9", fmt.Sprint(i, ".mp4")))
		h.poster(recordings[i])
	}
	h.Settle()
	for _, id := range []evidence.ID{h.own, h.other} { // not part of it
		h.put(id, evidence.Placing{Owner: "stranger", Class: evidence.Confidential})
	}
	var out strings.Builder
	out.WriteString("What the door answers: route by role and by how a recording stands to who asks; class normal, restricted, confidential.\n")
	for _, role := range h.Access.Roles() {
		me, err := h.Identity.ByName(t.Context(), role)
		must(t, err)
		actor := evidence.Actor{Kind: evidence.Person, ID: string(me.ID), Number: me.Number, Role: role}
		h.Standing[me.ID] = access.Standing{Units: []evidence.ID{custodytest.UnitA}, Cases: []evidence.ID{inCase}}
		h.Access.Changed()
		fmt.Fprintf(&out, "\n%s\n", role)
		for _, rel := range relations(h.Clock.Now(), inCase) {
			for i, class := range classes {
				p := rel.place(me.ID)
				p.Class = class
				h.put(recordings[i], p)
			}
			listed := h.listed(role)
			for _, route := range about {
				var got []string
				for i, class := range classes {
					p := rel.place(me.ID)
					p.Class = class
					got = append(got, fmt.Sprint(h.tryMatrix(role, actor, recordings[i], p, route, listed)))
				}
				fmt.Fprintf(&out, "  %-12s %-44s %s\n", rel.name, route.route, strings.Join(got, " "))
			}
		}
	}
	const file = "testdata/matrix.txt"
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(file, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if out.String() != string(want) {
		t.Errorf("the matrix is not that of %s; run go test ./httpapi -run Matrix -update and read what changed", file)
	}
}

// tryMatrix asks one route about one recording and compares the answer with the
// rule; it gives the status.
func (h *house) tryMatrix(role string, actor evidence.Actor, id evidence.ID, p evidence.Placing, r aboutRecording, listed map[evidence.ID]bool) int {
	h.t.Helper()
	method, path, _ := strings.Cut(r.route, " ")
	w := h.ask(role, method, strings.Replace(path, "{id}", string(id), 1), r.body)
	find := h.Access.Decide(h.t.Context(), actor, access.Find, p).Allowed
	want := r.works
	switch {
	case !h.Access.Can(actor, access.Recordings):
		want = http.StatusForbidden
	case !find:
		want = http.StatusNotFound
	case !h.Access.Decide(h.t.Context(), actor, r.verb, p).Allowed:
		want = http.StatusForbidden
	}
	if w.Code != want {
		h.t.Errorf("%s by %s of %+v: %d, the rule says %d: %.200s", r.route, role, p, w.Code, want, w.Body)
	}
	if listed[id] != find {
		h.t.Errorf("%s, %+v: listed %v, may find %v", role, p, listed[id], find)
	}
	if r.verb == access.Find && w.Code == http.StatusOK {
		var d struct{ Can access.RecordingAbilities }
		must(h.t, json.Unmarshal(w.Body.Bytes(), &d))
		if may := h.Access.AbilitiesOn(h.t.Context(), actor, p); d.Can != may {
			h.t.Errorf("%s, %+v: the page offers %+v, the rule allows %+v", role, p, d.Can, may)
		}
	}
	return w.Code
}

// listed are the recordings in somebody's list.
func (h *house) listed(role string) map[evidence.ID]bool {
	h.t.Helper()
	out := map[evidence.ID]bool{}
	w := h.ask(role, "GET", "/api/recordings?limit=200", "")
	if w.Code == http.StatusForbidden {
		return out
	}
	var page struct{ Items []struct{ ID evidence.ID } }
	must(h.t, json.Unmarshal(w.Body.Bytes(), &page))
	for _, k := range page.Items {
		out[k.ID] = true
	}
	return out
}

// routesOfRecordings fails where a route of a recording is not in the matrix.
func routesOfRecordings(t *testing.T, h *house) {
	t.Helper()
	for _, r := range h.door.Routes() {
		route := r.Method + " " + r.Pattern
		if !strings.HasPrefix(r.Pattern, "/api/recordings/{id}") {
			continue
		}
		if !slices.ContainsFunc(about, func(a aboutRecording) bool { return a.route == route }) {
			t.Errorf("%s is not in the matrix", route)
		}
	}
}
