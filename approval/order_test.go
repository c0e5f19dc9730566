package approval_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/access"
	"custos/approval"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
)

// modelled is a request as it must be.
type modelled struct {
	id      evidence.ID
	by      string
	about   string
	was, to string
	state   approval.State
	expires time.Time
}

// world is what the room must come to, worked out without it.
type world struct {
	*house
	requests []*modelled
	role     map[string]string
	closed   map[string]bool
}

var (
	deciders = []string{"administrator", "administrator2", "professional_standards", "supervisor"}
	subjects = []string{"officer", "administrator2", "supervisor"}
)

func (w *world) may(who, right string) bool {
	a := w.actors[who]
	a.Role = w.role[who]
	return w.Access.Can(a, right)
}

// approvable says what Approve must give for who and r.
func (w *world) approvable(who string, r *modelled) evidence.Code {
	switch {
	case r.by != who && !w.may(who, access.ApproveOf("role.grant")) && !w.may(who, access.AskOf("role.grant")):
		return evidence.NotFound
	case !w.may(who, access.ApproveOf("role.grant")):
		return evidence.Denied
	case r.state != approval.StillOpen || !w.Clock.Now().Before(r.expires):
		return evidence.Conflict
	case r.by == who, r.about == who, w.closed[who], w.reports[[2]string{who, r.by}]:
		return evidence.Denied
	case w.closed[r.by] || !w.may(r.by, access.AskOf("role.grant")):
		return evidence.Denied
	case w.role[r.about] != r.was:
		return evidence.Conflict
	}
	return ""
}

func (w *world) ask(t *rapid.T) {
	who, about := rapid.SampledFrom([]string{"administrator", "administrator", "administrator2", "supervisor"}).Draw(t, "asks"), rapid.SampledFrom(subjects).Draw(t, "about")
	to := rapid.SampledFrom([]string{access.Officer, access.Supervisor, access.Administrator}).Draw(t, "to")
	want := evidence.Code("")
	for _, r := range w.requests {
		if r.about == about && r.state == approval.StillOpen && !w.Clock.Now().Before(r.expires) {
			r.state = approval.Expired // asking anew ends it
		} else if r.about == about && r.state == approval.StillOpen {
			want = evidence.Conflict
		}
	}
	if w.role[about] == to {
		want = evidence.Conflict
	}
	if !w.may(who, access.AskOf("role.grant")) {
		want = evidence.Denied
	}
	r, err := w.asks(who, about, to)
	if evidence.CodeOf(err) != want {
		t.Fatalf("%s asks for %s to be %s: %v, want %q", who, about, to, err, want)
	}
	if err == nil {
		w.requests = append(w.requests, &modelled{r.ID, who, about, w.role[about], to, approval.StillOpen, r.ExpiresAt})
	}
}

func (w *world) decide(t *rapid.T) {
	if len(w.requests) == 0 {
		t.Skip("nothing to decide")
	}
	among := w.requests
	if last := among[len(among)-1]; last.state == approval.StillOpen && rapid.IntRange(0, 3).Draw(t, "any") > 0 {
		among = []*modelled{last}
	}
	r := rapid.SampledFrom(among).Draw(t, "request")
	who, what := rapid.SampledFrom(deciders).Draw(t, "who"), rapid.SampledFrom([]string{"approve", "approve", "refuse", "withdraw"}).Draw(t, "what")
	open := r.state == approval.StillOpen && w.Clock.Now().Before(r.expires)
	err := w.act(who, what, r.id)
	switch got := evidence.CodeOf(err); what {
	case "approve":
		want := w.approvable(who, r)
		if got != want {
			t.Fatalf("%s approves %+v: %v, want %q", who, r, err, want)
		}
		if want == "" {
			r.state, w.role[r.about] = approval.Done, r.to
			// A new role comes with a new session, which the tests' actors have at once.
			a := w.actors[r.about]
			a.Role = r.to
			w.actors[r.about] = a
		} else if want == evidence.Conflict && open {
			r.state = approval.Failed
		}
	case "refuse":
		if err == nil && (!open || who == r.by || who == r.about || !w.may(who, access.ApproveOf("role.grant"))) {
			t.Fatalf("%s refused %+v", who, r)
		}
		if err == nil {
			r.state = approval.Refused
		}
	case "withdraw":
		if err == nil && (!open || who != r.by) {
			t.Fatalf("%s withdrew %+v", who, r)
		}
		if err == nil {
			r.state = approval.Withdrawn
		}
	}
}

func (w *world) close(t *rapid.T) {
	who := rapid.SampledFrom([]string{"administrator", "professional_standards"}).Draw(t, "closes")
	if rapid.IntRange(0, 4).Draw(t, "seldom") == 0 && !w.closed[who] { // else little else would happen
		w.disable(who)
		w.closed[who] = true
	}
}

// check compares everything with the room.
func (w *world) check(t *rapid.T) {
	for _, r := range w.requests {
		s, err := w.room.Show(t.Context(), w.actors["operator"], r.id)
		if err != nil {
			t.Fatal(err)
		}
		want := r.state
		if want == approval.StillOpen && !w.Clock.Now().Before(r.expires) {
			want = approval.Expired
		}
		if s.State != want {
			t.Fatalf("%+v is %s", r, s.State)
		}
		for _, who := range deciders {
			shown, err := w.room.Show(t.Context(), w.actors[who], r.id)
			if evidence.CodeOf(err) == evidence.NotFound {
				continue
			}
			// What is offered is what then happens; that the subject has changed shows only in the trying.
			if got := w.approvable(who, r); shown.Can.Approve.May != (got == "" || got == evidence.Conflict && want == approval.StillOpen) {
				t.Fatalf("%s is shown %+v of %+v, and gets %q", who, shown.Can.Approve, r, got)
			}
		}
	}
	for _, who := range subjects {
		if p := w.person(who); p.Role != w.role[who] {
			t.Fatalf("%s is %s, want %s", who, p.Role, w.role[who])
		}
	}
}

// Whatever people do to requests in whatever order, what is allowed and what
// comes of it is what the rules say, and the trail has as many changes of role
// as there were.
func TestAnyOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		first := map[string]string{}
		for _, who := range slices.Concat(deciders, subjects) {
			first[who] = h.actors[who].Role
		}
		changes := 0
		rapid.Check(t, func(rt *rapid.T) {
			w := &world{house: h, role: map[string]string{}, closed: map[string]bool{}}
			for who, role := range first { // everybody is as they were at first
				w.role[who] = role
				a := h.actors[who]
				a.Role = role
				h.actors[who] = a
				h.Exec("UPDATE people SET role = ?, disabled_at = 0 WHERE id = ?", role, a.ID)
			}
			h.reports = map[[2]string]bool{{"administrator2", "administrator"}: rapid.Bool().Draw(rt, "reports")}
			h.Clock.Move(73 * time.Hour)
			must(t, h.room.EndExpired(t.Context()))
			rt.Repeat(map[string]func(*rapid.T){
				"ask": w.ask, "decide": w.decide, "decide again": w.decide, "close": w.close, "": w.check,
				"wait": func(rt *rapid.T) {
					h.Clock.Move(time.Duration(rapid.IntRange(1, 40).Draw(rt, "hours")) * time.Hour)
				},
				"sweep": func(*rapid.T) {
					must(t, h.room.EndExpired(t.Context()))
					for _, r := range w.requests {
						if r.state == approval.StillOpen && !h.Clock.Now().Before(r.expires) {
							r.state = approval.Expired
						}
					}
				},
			})
			for _, r := range w.requests {
				if r.state == approval.Done {
					changes++
				}
			}
		})
		n := 0
		for _, e := range h.Events("service") {
			if e.Get("what") == "role changed" {
				n++
			}
		}
		if n != changes || n == 0 {
			t.Errorf("%d changes of role on record, want %d, and some", n, changes)
		}
		t.Logf("%d changes of role", n)
	})
}
