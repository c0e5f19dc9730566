package access

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"custos/evidence"
)

var verbs = []evidence.Verb{Find, Trail, evidence.Collect, evidence.Derive, evidence.Consult, evidence.Disclose,
	evidence.Combine, evidence.Erase, evidence.Verify, evidence.Administer}

var areas = []string{Recordings, Docks, Health, Log, People, AuditBasic, AuditFull}

// actors is one of every role and party, and some that are nobody.
func actors(a *Access) []evidence.Actor {
	var out []evidence.Actor
	for _, r := range a.Roles() {
		out = append(out, evidence.Actor{Kind: evidence.Person, ID: "p", Number: "4711", Role: string(r)})
	}
	return append(out, evidence.Actor{Kind: evidence.Dock, ID: "d", Role: "dock"}, evidence.Server("work"), Operator("root"),
		evidence.Actor{Kind: evidence.Integration, ID: "i", Number: "4711", Role: "investigator"},
		evidence.Actor{Kind: evidence.Person, ID: "p", Number: "4711", Role: "dock"},
		evidence.Actor{Kind: evidence.Dock, ID: "d", Number: "4711", Role: "investigator"},
		evidence.Actor{Number: "4711", Role: "investigator"})
}

// The grid is read by people who do not read Go. Regenerate it, when a change
// of the policy is meant, with CUSTOS_UPDATE=1.
func TestPolicyIsTheGridThatPeopleRead(t *testing.T) {
	a := New()
	var b strings.Builder
	b.WriteString("Who may do what. own = recordings of one's own collar number; . = denied.\n\n")
	fmt.Fprintf(&b, "%-24s", "")
	for _, v := range verbs {
		fmt.Fprintf(&b, " %-10s", v)
	}
	b.WriteString(" opens\n")
	for _, actor := range actors(a) {
		role := actor.Role
		if actor.Kind != evidence.Person {
			role = strings.TrimSpace(fmt.Sprintf("(%s) %s", actor.Kind, role))
		}
		fmt.Fprintf(&b, "%-24s", role)
		for _, v := range verbs {
			reach := "."
			switch s := a.Scope(actor, v); {
			case s.All:
				reach = "all"
			case s.Officer == "4711":
				reach = "own"
			case !s.Empty():
				reach = "?"
			}
			fmt.Fprintf(&b, " %-10s", reach)
		}
		var open []string
		for _, area := range areas {
			if a.Can(actor, area) {
				open = append(open, area)
			}
		}
		if len(open) == 0 {
			open = []string{"."}
		}
		b.WriteString(" " + strings.Join(open, " ") + "\n")
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
	a := New()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]string{"", "1", "11", "4711"})
		actor := rapid.SampledFrom(actors(a)).Draw(t, "actor")
		actor.Number = number.Draw(t, "number")
		verb := rapid.SampledFrom(append(slices.Clone(verbs), "", "share")).Draw(t, "verb")
		r := evidence.Recording{Officer: number.Draw(t, "officer")}

		s := a.Scope(actor, verb)
		listed := s.All || s.Officer != "" && r.Officer == s.Officer // as catalogue filters
		d := a.Decide(t.Context(), actor, verb, r)
		if d.Allowed != listed {
			t.Fatalf("%+v %s %+v: decided %v, listed %v", actor, verb, r, d.Allowed, listed)
		}
		if d.Reason == "" || !strings.HasSuffix(d.Reason, ".") {
			t.Fatalf("reason %q", d.Reason)
		}
		if d.Allowed && r.Officer == "" && !s.All {
			t.Fatal("footage of nobody became somebody's own")
		}
		may := a.AbilitiesOn(t.Context(), actor, r)
		for v, shown := range map[evidence.Verb]bool{evidence.Consult: may.Consult, evidence.Disclose: may.Export, Trail: may.Trail} {
			if shown != a.Decide(t.Context(), actor, v, r).Allowed {
				t.Fatalf("the button for %s shows %v", v, shown)
			}
		}
	})
}

func TestMenusShowWhatCanIs(t *testing.T) {
	a := New()
	for _, actor := range actors(a) {
		m := a.Abilities(actor)
		for area, shown := range map[string]bool{Recordings: m.Recordings, Docks: m.Docks, Health: m.System, Log: m.Log, People: m.People,
			AuditBasic: m.AuditBasic, AuditFull: m.AuditFull} {
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
	a := New()
	officer := evidence.Actor{Kind: evidence.Person, Number: "1", Role: "officer"}
	nameless := evidence.Actor{Kind: evidence.Person, Role: "officer"}
	for _, c := range []struct {
		actor  evidence.Actor
		verb   evidence.Verb
		of     string
		reason string
	}{
		{officer, evidence.Consult, "1", `The role "Officer" allows to consult one's own recordings, and this is one.`},
		{officer, evidence.Consult, "2", `The role "Officer" allows to consult one's own recordings, and this is not one.`},
		{nameless, evidence.Consult, "", `The role "Officer" allows to consult one's own recordings, and the account has no collar number.`},
		{officer, Trail, "1", `The role "Officer" does not allow to see the history of recordings.`},
		{evidence.Server("work"), evidence.Derive, "", `The role "service" allows to make working copies of every recording.`},
		{evidence.Actor{Kind: evidence.Person, Role: "?"}, evidence.Consult, "", "The account has no role that this service knows."},
	} {
		if d := a.Decide(t.Context(), c.actor, c.verb, evidence.Recording{Officer: c.of}); d.Reason != c.reason {
			t.Errorf("got  %s\nwant %s", d.Reason, c.reason)
		}
	}
}
