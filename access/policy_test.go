package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/evidence"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newRule(t testing.TB, c Config) *Access {
	t.Helper()
	if c.Now == nil {
		c.Now = func() time.Time { return noon }
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// belongs is a standing that every reach of the policy can reach with.
func belongs(context.Context, evidence.ID, time.Time) (Standing, error) {
	return Standing{Units: []evidence.ID{"u1", "u2"}, Cases: []evidence.ID{"c1"}, Listed: true}, nil
}

// actors is one of every role and party, and some that are nobody.
func actors(a *Access) []evidence.Actor {
	var out []evidence.Actor
	for _, r := range a.Roles() {
		out = append(out, evidence.Actor{Kind: evidence.Person, ID: "p", Number: "4711", Role: r})
	}
	return append(out, evidence.Actor{Kind: evidence.Dock, ID: "d", Role: "dock"}, evidence.Server("work"), Operator("root"),
		evidence.Actor{Kind: evidence.Integration, ID: "i", Number: "4711", Role: "investigator"},
		evidence.Actor{Kind: evidence.Person, ID: "p", Number: "4711", Role: "dock"},
		evidence.Actor{Kind: evidence.Dock, ID: "d", Number: "4711", Role: "investigator"},
		evidence.Actor{Number: "4711", Role: "investigator"})
}

// Everything that the shipped policy allows anybody, written out: a change of
// it shows as a change of this file. Regenerate it, when a change is meant,
// with CUSTOS_UPDATE=1.
func TestPolicyIsTheGridThatPeopleRead(t *testing.T) {
	a := newRule(t, Config{Standing: belongs})
	classes := []evidence.Class{evidence.Normal, evidence.Restricted, evidence.Confidential}
	places := []struct {
		name string
		p    evidence.Placing
	}{
		{"own", evidence.Placing{Owner: "p", Unit: "elsewhere"}},
		{"unit", evidence.Placing{Owner: "q", Unit: "u2"}},
		{"case", evidence.Placing{Owner: "q", Cases: []evidence.ID{"c0", "c1"}}},
		{"listed", evidence.Placing{Owner: "q", Listed: []evidence.Listing{{Person: "p", Until: noon.Add(time.Second)}}}},
		{"other", evidence.Placing{Owner: "q", Unit: "elsewhere", Cases: []evidence.ID{"c0"}, Listed: []evidence.Listing{{Person: "q"}, {Person: "p", Until: noon}}}},
		{"nobody's", evidence.Placing{}},
	}
	var b strings.Builder
	b.WriteString("Who may do what to which recording. n, r, c: of class normal, restricted, confidential. What is not here is denied.\n")
	for _, actor := range actors(a) {
		name := actor.Role
		if actor.Kind != evidence.Person {
			name = strings.TrimSpace(fmt.Sprintf("(%s) %s", actor.Kind, name))
		}
		fmt.Fprintf(&b, "\n%s\n", name)
		for _, v := range verbs {
			var cells []string
			for _, place := range places {
				may := ""
				for _, c := range classes {
					place.p.Class = c
					if a.Decide(t.Context(), actor, v, place.p).Allowed {
						may += c.String()[:1]
					}
				}
				if may != "" {
					cells = append(cells, place.name+":"+may)
				}
			}
			if len(cells) > 0 {
				fmt.Fprintf(&b, "  %-10s %s\n", v, strings.Join(cells, " "))
			}
		}
		var open []string
		for _, area := range append([]string{Recordings}, areas...) {
			if a.Can(actor, area) {
				open = append(open, area)
			}
		}
		if len(open) > 0 {
			fmt.Fprintf(&b, "  opens      %s\n", strings.Join(open, " "))
		}
	}
	const file = "testdata/policy.txt"
	if os.Getenv("CUSTOS_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the policy is now\n%s\n%s says\n%s", &b, file, want)
	}
}

// For every party, verb and recording the single check allows exactly what the
// list's filter lets through, and says why.
func TestDecideIsTheFilterOfTheList(t *testing.T) {
	until := noon.Add(time.Minute)
	granted := false
	a := newRule(t, Config{Standing: func(ctx context.Context, id evidence.ID, at time.Time) (Standing, error) {
		s, err := belongs(ctx, id, at)
		if granted {
			s.Grants = []Grant{{ID: "g", Until: until}}
		}
		return s, err
	}})
	rapid.Check(t, func(t *rapid.T) {
		granted = rapid.Bool().Draw(t, "granted")
		a.Changed()
		actor := rapid.SampledFrom(actors(a)).Draw(t, "actor")
		verb := rapid.SampledFrom(append(slices.Clone(verbs), "", "share")).Draw(t, "verb")
		id := func(what string, of ...evidence.ID) evidence.ID { return rapid.SampledFrom(of).Draw(t, what) }
		r := evidence.Placing{Owner: id("owner", "", "p", "q"), Unit: id("unit", "", "u1", "u9"), Class: evidence.Class(rapid.IntRange(0, 2).Draw(t, "class")),
			Cases: []evidence.ID{id("case", "", "c1", "c9")}, Listed: []evidence.Listing{{Person: id("listed", "", "p", "q"), Until: noon.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "until")))}}}

		d := a.Decide(t.Context(), actor, verb, r)
		if listed := a.Scope(t.Context(), actor, verb).Covers(r); d.Allowed != listed {
			t.Fatalf("%+v %s %+v: decided %v, listed %v", actor, verb, r, d.Allowed, listed)
		}
		if !strings.HasSuffix(d.Reason, ".") {
			t.Fatalf("reason %q", d.Reason)
		}
		if d.Allowed && r.Owner == "" && d.Reach == evidence.Own {
			t.Fatal("footage of nobody became somebody's own")
		}
		if d.Grant != "" && (!granted || actor.Kind != evidence.Person || r.Class == evidence.Confidential || verb != Find && verb != evidence.Consult) {
			t.Fatalf("emergency access allows %+v to %s %+v", actor, verb, r)
		}
		may := a.AbilitiesOn(t.Context(), actor, r)
		for v, shown := range map[evidence.Verb]bool{evidence.Consult: may.Consult, evidence.Disclose: may.Export, Trail: may.Trail,
			evidence.Combine: may.Combine, Restrict: may.Restrict, Assign: may.Assign} {
			if shown != a.Decide(t.Context(), actor, v, r).Allowed {
				t.Fatalf("the button for %s shows %v", v, shown)
			}
		}
	})
}

func TestMenusShowWhatCanIs(t *testing.T) {
	a := newRule(t, Config{})
	for _, actor := range actors(a) {
		m := a.Abilities(actor)
		for area, shown := range map[string]bool{Recordings: m.Recordings, Docks: m.Docks, Health: m.System, Log: m.Log, People: m.People,
			AuditBasic: m.AuditBasic, AuditFull: m.AuditFull, Cases: m.Cases, ManageCases: m.AddCases, Holds: m.Holds,
			Approvals: m.Approvals, OpenBreakGlass: m.BreakGlass} {
			if shown != a.Can(actor, area) {
				t.Errorf("%+v: menu shows %s: %v", actor, area, shown)
			}
		}
		if a.Can(actor, "") || a.Can(actor, "keys") {
			t.Errorf("%+v opens an area that does not exist", actor)
		}
	}
	if a.RoleName("disclosure_officer") != "Disclosure officer" || a.RoleName("root") != "" {
		t.Error("role names")
	}
}

func TestReasons(t *testing.T) {
	a := newRule(t, Config{Standing: belongs})
	who := func(role string) evidence.Actor { return evidence.Actor{Kind: evidence.Person, ID: "p", Role: role} }
	for _, c := range []struct {
		actor  evidence.Actor
		verb   evidence.Verb
		of     evidence.Placing
		reason string
	}{
		{who("officer"), evidence.Consult, evidence.Placing{Owner: "p"}, `The role "Officer" allows to consult one's own recordings of class normal, and this is one.`},
		{who("officer"), evidence.Consult, evidence.Placing{Owner: "q"}, `The role "Officer" allows to consult one's own recordings of class normal; recordings in one's cases of class normal, and this is none of these.`},
		{who("officer"), Trail, evidence.Placing{Owner: "p"}, `The role "Officer" does not allow to see the history of recordings.`},
		{evidence.Server("work"), evidence.Derive, evidence.Placing{}, `The role "service" allows to make working copies of every recording, and this is one.`},
		{who("?"), evidence.Consult, evidence.Placing{}, "The account has no role that this service knows."},
	} {
		if d := a.Decide(t.Context(), c.actor, c.verb, c.of); d.Reason != c.reason {
			t.Errorf("got  %s\nwant %s", d.Reason, c.reason)
		}
	}
}

// Professional standards restrict a recording: its own officer and supervisor
// no longer know of it, whoever is on its list does until the date it gives.
func TestRestrictedFootageIsKeptFromItsOwn(t *testing.T) {
	clock := noon
	a := newRule(t, Config{Now: func() time.Time { return clock }, Standing: func(_ context.Context, id evidence.ID, _ time.Time) (Standing, error) {
		return Standing{Units: []evidence.ID{"u1"}, Listed: true}, nil
	}})
	r := evidence.Placing{Owner: "officer", Unit: "u1"}
	may := func(role string, verb evidence.Verb) bool {
		return a.Decide(t.Context(), evidence.Actor{Kind: evidence.Person, ID: role, Role: role}, verb, r).Allowed
	}
	if !may("officer", Find) || !may("supervisor", evidence.Consult) || may("professional_standards", evidence.Consult) {
		t.Fatal("normal footage")
	}
	r.Class = evidence.Restricted
	r.Listed = []evidence.Listing{{Person: "professional_standards", Until: noon.Add(time.Hour)}, {Person: "officer"}}
	if may("officer", Find) || may("supervisor", Find) || may("officer", evidence.Consult) || may("investigator", Find) || may("disclosure_officer", evidence.Disclose) {
		t.Error("restricted footage is known to those it is kept from")
	}
	if !may("professional_standards", evidence.Consult) || !may("auditor", Find) || may("auditor", evidence.Consult) {
		t.Error("restricted footage is kept from those who must see it")
	}
	clock = noon.Add(time.Hour)
	if may("professional_standards", evidence.Consult) || !may("professional_standards", Find) {
		t.Error("a place on the list outlived its date")
	}
}

// A standing is believed for a second, and no longer than until Changed.
func TestChangesOfStandingAreSeen(t *testing.T) {
	clock, asked := noon, 0
	var now Standing
	var failing error
	a := newRule(t, Config{Now: func() time.Time { return clock }, Standing: func(context.Context, evidence.ID, time.Time) (Standing, error) {
		asked++
		return now, failing
	}})
	who := evidence.Actor{Kind: evidence.Person, ID: "p", Role: "supervisor"}
	may := func() bool {
		return a.Decide(t.Context(), who, evidence.Consult, evidence.Placing{Owner: "q", Unit: "u1"}).Allowed
	}
	for range 2 {
		if may() {
			t.Fatal("allowed to somebody who belongs nowhere")
		}
	}
	if asked != 1 {
		t.Fatalf("asked %d times", asked)
	}
	now.Units = []evidence.ID{"u1"}
	if may() {
		t.Error("not believed for a second")
	}
	a.Changed()
	if !may() {
		t.Error("a change was not seen")
	}
	now.Units = nil
	clock = clock.Add(time.Second)
	if may() {
		t.Error("believed for longer than a second")
	}
	now.Units, failing = []evidence.ID{"u1"}, errors.New("the disk is gone")
	a.Changed()
	if d := a.Decide(t.Context(), who, evidence.Consult, evidence.Placing{Unit: "u1"}); d.Allowed || !strings.Contains(d.Reason, "cannot be read") {
		t.Errorf("%+v", d)
	}
	if s := a.Scope(t.Context(), who, evidence.Consult); len(s.Live()) != 0 {
		t.Errorf("a scope though nothing is known: %+v", s)
	}
}

func TestEmergencyAccessEnds(t *testing.T) {
	clock := noon
	a := newRule(t, Config{Now: func() time.Time { return clock }, Standing: func(context.Context, evidence.ID, time.Time) (Standing, error) {
		return Standing{Grants: []Grant{{ID: "g1", Until: noon.Add(15 * time.Minute)}}}, nil
	}})
	decide := func(role string, verb evidence.Verb, c evidence.Class) Decision {
		return a.Decide(t.Context(), evidence.Actor{Kind: evidence.Person, ID: "p", Role: role}, verb, evidence.Placing{Owner: "q", Class: c})
	}
	if d := decide("supervisor", evidence.Consult, evidence.Restricted); !d.Allowed || d.Grant != "g1" || !strings.HasPrefix(d.Reason, "Emergency access allows") {
		t.Errorf("%+v", d)
	}
	if decide("supervisor", evidence.Consult, evidence.Confidential).Allowed || decide("supervisor", evidence.Disclose, evidence.Normal).Allowed || decide("nobody", Find, 0).Allowed {
		t.Error("emergency access allows more than it says")
	}
	if d := decide("investigator", evidence.Consult, evidence.Normal); d.Grant != "" {
		t.Errorf("emergency access was used where the role was enough: %+v", d)
	}
	clock = noon.Add(15 * time.Minute)
	if decide("supervisor", evidence.Consult, evidence.Restricted).Allowed {
		t.Error("emergency access outlived its end")
	}
}

func TestWhatIsNoPolicy(t *testing.T) {
	for name, text := range map[string]string{
		"not toml":    "version = ",
		"version":     "version = 2",
		"unknown key": "version = 1\n[roles.x]\nname = \"X\"\nmust = [\"find own normal\"]",
		"no name":     "version = 1\n[roles.x]\nmay = [\"find own normal\"]",
		"verb":        "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"see own normal\"]",
		"reach":       "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find mine normal\"]",
		"class":       "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find own secret\"]",
		"no class":    "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find own\"]",
		"class twice": "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find own normal,normal\"]",
		"state":       "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find own normal lost\"]",
		"five words":  "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find own normal assigned now\"]",
		"two spaces":  "version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find  own normal\"]",
		"area":        "version = 1\n[roles.x]\nname = \"X\"\nopens = [\"cellar\"]",
		"party":       "version = 1\n[parties.person]\nname = \"X\"",
	} {
		if _, err := New(Config{Policy: []byte(text)}); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := newRule(t, Config{Policy: []byte("version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find force normal unassigned\"]")})
	x := evidence.Actor{Kind: evidence.Person, ID: "p", Role: "x"}
	if !one.Decide(t.Context(), x, Find, evidence.Placing{}).Allowed || one.Decide(t.Context(), x, Find, evidence.Placing{Owner: "q"}).Allowed {
		t.Error("the state is not looked at")
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add(Shipped)
	f.Add([]byte("version = 1\n[roles.x]\nname = \"X\"\nmay = [\"find own normal\"]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := parsePolicy(text); err != nil && evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("code %q", evidence.CodeOf(err))
		}
	})
}

func TestPurposes(t *testing.T) {
	a := newRule(t, Config{})
	holds := 0
	for _, p := range a.Purposes() {
		one, err := a.Purpose(p.Code)
		if err != nil || one != p || p.Lasts <= 0 {
			t.Errorf("%+v: %v", p, err)
		}
		if p.Hold {
			holds++
		}
	}
	if holds != 4 { // I7: complaint, misconduct, subject access, freedom of information
		t.Errorf("%d purposes hold", holds)
	}
	if _, err := a.Purpose("curiosity"); evidence.CodeOf(err) != evidence.Invalid || !strings.Contains(err.Error(), "Evidence review") {
		t.Error(err)
	}
	good := "version = 1\n[[purposes]]\ncode = \"a_b\"\nname = \"A\"\nreference = \"text\"\nlabel = \"No.\"\nlasts = \"1h\"\n"
	for name, text := range map[string]string{
		"none": "version = 1", "version": strings.Replace(good, "1", "2", 1), "twice": good + strings.SplitAfterN(good, "\n", 2)[1],
		"code": strings.Replace(good, "a_b", "A b", 1), "own": strings.Replace(good, "a_b", "own", 1), "label": strings.Replace(good, "No.", "", 1),
		"reference": strings.Replace(good, "\"text\"", "\"gut feeling\"", 1), "for ever": strings.Replace(good, "1h", "13h", 1),
		"no time": strings.Replace(good, "1h", "0s", 1), "unknown key": good + "holds = true",
	} {
		if _, err := New(Config{Purposes: []byte(text)}); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Purposes: []byte(good)}); err != nil {
		t.Error(err)
	}
}

// A check costs no look into the database: it must stay far below 20 µs.
func BenchmarkDecide(b *testing.B) {
	a := newRule(b, Config{Standing: func(context.Context, evidence.ID, time.Time) (Standing, error) {
		return Standing{Units: make([]evidence.ID, 50), Cases: make([]evidence.ID, 100)}, nil
	}})
	who := evidence.Actor{Kind: evidence.Person, ID: "p", Role: "supervisor"}
	r := evidence.Placing{Owner: "q", Unit: "u", Class: evidence.Restricted, Cases: []evidence.ID{"c1", "c2"}, Listed: make([]evidence.Listing, 20)}
	for b.Loop() {
		if a.Decide(b.Context(), who, evidence.Consult, r).Allowed {
			b.Fatal("allowed")
		}
	}
}
