package custody_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/custody"
	"custos/custody/custodytest"
	"custos/evidence"
)

// fields are the values of the last event of a verb and phase on an item.
func fields(t *testing.T, w *custodytest.World, item evidence.ID, verb evidence.Verb, phase evidence.Phase) map[string]string {
	t.Helper()
	out := map[string]string{}
	history, err := w.Ledger.History(t.Context(), item, 0, 500)
	must(t, err)
	for _, e := range history {
		if e.Get("verb") != string(verb) || e.Get("phase") != string(phase) {
			continue
		}
		clear(out)
		for _, f := range e.Fields {
			out[f.Name] = f.Value
		}
	}
	if len(out) == 0 {
		t.Fatalf("no %s %s on %s", verb, phase, item)
	}
	return out
}

// Footage is its officer's as of when it was made: entering people later
// assigns what came before, and what has an owner stays theirs.
func TestWhoseFootageItIs(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		theirs, _ := w.Collect(footage(1, 100), "CAM-1", "a")
		got := fields(t, w, theirs, evidence.Collect, evidence.Outcome)
		if got["owner"] != "officer4711" || got["unit"] != "unit-a" || got["owned_by"] != "number" {
			t.Errorf("the event says %v", got)
		}
		known := w.Holder
		w.Holder = func(string, string) custody.Holder { return custody.Holder{} }
		nobodys, _ := w.Collect(footage(2, 100), "CAM-2", "b")
		officer := custodytest.Person(access.Officer, "4711")
		if _, err := w.Custody.Find(ctx, officer, theirs); err != nil {
			t.Error(err)
		}
		_, err := w.Custody.Find(ctx, officer, nobodys)
		want(t, evidence.Denied, err)
		if n, err := w.Custody.SettleUnowned(ctx); n != 0 || err != nil {
			t.Errorf("%d assigned, %v", n, err)
		}
		w.Holder = known
		for _, n := range []int{1, 0} { // once
			if got, err := w.Custody.SettleUnowned(ctx); got != n || err != nil {
				t.Errorf("%d assigned, %v", got, err)
			}
		}
		if _, err := w.Custody.Find(ctx, officer, nobodys); err != nil {
			t.Error(err)
		}
		if got := fields(t, w, nobodys, access.Assign, evidence.Outcome); got["owner"] != "officer4711" || got["actor_kind"] != "system" {
			t.Errorf("the event says %v", got)
		}

		other := custodytest.Person(access.Officer, "9")
		want(t, evidence.Denied, w.Custody.Assign(ctx, officer, theirs, custody.Holder{Person: "officer9"}, "swapped cameras"))
		manager := custodytest.Person(access.RecordsManager, "")
		want(t, evidence.Invalid, w.Custody.Assign(ctx, manager, theirs, custody.Holder{Person: "officer9"}, " "))
		must(t, w.Custody.Assign(ctx, manager, theirs, custody.Holder{Person: "officer9", Unit: "unit-b"}, "swapped cameras"))
		got = fields(t, w, theirs, access.Assign, evidence.Outcome)
		if got["owner"] != "officer9" || got["owner_before"] != "officer4711" || got["unit_before"] != "unit-a" || got["note"] != "swapped cameras" {
			t.Errorf("the event says %v", got)
		}
		_, err = w.Custody.Find(ctx, officer, theirs)
		want(t, evidence.Denied, err)
		if _, err := w.Custody.Find(ctx, other, theirs); err != nil {
			t.Error(err)
		}
		want(t, evidence.NotFound, w.Custody.Assign(ctx, manager, "01kjr5kj404fntd88n1tty0686", custody.Holder{}, "x"))
	})
}

// Professional standards restrict a recording while its officer watches it: the
// viewing ends at once, and neither officer nor supervisor know of it.
func TestRestrictingEndsViewings(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 200_000), "CAM-1", "a")
		officer, standards := custodytest.Person(access.Officer, "4711"), custodytest.Person(access.ProfessionalStandards, "")
		w.Standing["supervisor1"] = access.Standing{Units: []evidence.ID{custodytest.UnitA}}
		supervisor := custodytest.Person(access.Supervisor, "1")
		k, err := w.Custody.Consult(ctx, officer, recording, evidence.Purpose{})
		must(t, err)
		m, err := w.Custody.Master(ctx, officer, k.ID, 1)
		must(t, err)
		_, err = w.Custody.Find(ctx, supervisor, recording)
		must(t, err)

		want(t, evidence.Denied, w.Custody.Restrict(ctx, supervisor, recording, evidence.Restricted, nil, "x"))
		want(t, evidence.Invalid, w.Custody.Restrict(ctx, standards, recording, evidence.Restricted, nil, ""))
		// Nobody lets themself in.
		self := evidence.Listing{Person: evidence.ID(standards.ID), Until: w.Clock.Now().Add(time.Hour)}
		want(t, evidence.Denied, w.Custody.Restrict(ctx, standards, recording, evidence.Restricted, []evidence.Listing{self}, "complaint"))
		colleague := evidence.Listing{Person: "professional_standards2", Until: w.Clock.Now().Add(time.Hour)}
		must(t, w.Custody.Restrict(ctx, standards, recording, evidence.Restricted, []evidence.Listing{colleague}, "complaint"))

		if _, err := m.ReadAt(make([]byte, 10), 0); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("reading goes on: %v", err)
		}
		_, err = w.Custody.Consulting(ctx, officer, k.ID)
		want(t, evidence.NotFound, err)
		if got := fields(t, w, recording, evidence.Consult, evidence.Outcome); got["ended"] != "no longer allowed" {
			t.Errorf("the outcome says %v", got)
		}
		for _, who := range []evidence.Actor{officer, supervisor} {
			_, err := w.Custody.Find(ctx, who, recording)
			want(t, evidence.Denied, err)
		}
		got := fields(t, w, recording, access.Restrict, evidence.Outcome)
		if got["class"] != "restricted" || got["class_before"] != "normal" || !strings.HasPrefix(got["listed"], "professional_standards2 until ") {
			t.Errorf("the event says %v", got)
		}

		listed := custodytest.Person(access.ProfessionalStandards, "2")
		k, err = w.Custody.Consult(ctx, listed, recording, evidence.Purpose{Code: "complaint", Reference: "C/1"})
		must(t, err)
		// A place that ends takes its viewing with it, within a minute and at the next use.
		w.Clock.Move(time.Hour)
		must(t, w.Custody.EndExpired(ctx))
		_, err = w.Custody.Consulting(ctx, listed, k.ID)
		want(t, evidence.NotFound, err)
		// Nobody stays for longer by their own hand; leaving the list is free.
		longer := evidence.Listing{Person: colleague.Person, Until: colleague.Until.Add(time.Hour)}
		want(t, evidence.Denied, w.Custody.Restrict(ctx, listed, recording, evidence.Restricted, []evidence.Listing{longer}, "x"))
		must(t, w.Custody.Restrict(ctx, listed, recording, evidence.Normal, nil, "the complaint is withdrawn"))
		if _, err := w.Custody.Find(ctx, officer, recording); err != nil {
			t.Error(err)
		}
	})
}

// A purpose is asked of who watches footage that is not theirs; it holds for
// that recording and session, and no longer than it may.
func TestPurposesAreAskedWhereTheyMatter(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 100), "CAM-1", "a")
		another, _ := w.Collect(footage(2, 100), "CAM-1", "b")
		officer, investigator := custodytest.Person(access.Officer, "4711"), custodytest.Person(access.Investigator, "7")
		open := func(who evidence.Actor, id evidence.ID, p evidence.Purpose) error {
			_, err := w.Custody.Consult(ctx, who, id, p)
			return err
		}
		must(t, open(officer, recording, evidence.Purpose{}))
		if got := fields(t, w, recording, evidence.Consult, evidence.Intent); got["purpose"] != access.OwnFootage {
			t.Errorf("the event says %v", got)
		}
		for _, p := range []evidence.Purpose{
			{}, {Code: access.OwnFootage}, {Code: "curiosity"}, {Code: "review"}, {Code: "review", Reference: "  "}, {Code: "review", Reference: "CR/404/26"},
			{Code: "review", Reference: custodytest.CaseClosed}, {Code: "case", Reference: custodytest.IncidentOpen}, {Code: "complaint"},
		} {
			want(t, evidence.Invalid, open(investigator, recording, p))
		}
		r, err := w.Custody.Find(ctx, investigator, recording)
		must(t, err)
		needs := func(who evidence.Actor) bool {
			now, yes, err := w.Custody.PurposeNow(ctx, who, r)
			must(t, err)
			if !yes && who.ID == investigator.ID && (now.Code != "review" || now.Reference != custodytest.IncidentOpen) {
				t.Errorf("what holds is %+v", now)
			}
			return yes
		}
		if !needs(investigator) || needs(officer) {
			t.Error("asked of the wrong person")
		}
		must(t, open(investigator, recording, evidence.Purpose{Code: "review", Reference: " " + custodytest.IncidentOpen}))
		if needs(investigator) {
			t.Error("asked again at once")
		}
		must(t, open(investigator, recording, evidence.Purpose{}))
		if got := fields(t, w, recording, evidence.Consult, evidence.Intent); got["purpose"] != "review" || got["reference"] != custodytest.IncidentOpen {
			t.Errorf("the event says %v", got)
		}
		elsewhere := investigator
		elsewhere.Session = "another session"
		want(t, evidence.Invalid, open(elsewhere, recording, evidence.Purpose{}))
		want(t, evidence.Invalid, open(investigator, another, evidence.Purpose{}))
		w.Clock.Move(8 * time.Hour)
		want(t, evidence.Invalid, open(investigator, recording, evidence.Purpose{}))
	})
}

// Surrey 2022, Hertfordshire (I7): watched for a complaint, then expired. A
// look for such a purpose leaves a hold request in the same transaction.
func TestWatchingForAComplaintRequestsAHold(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 100), "CAM-1", "a")
		investigator, manager := custodytest.Person(access.Investigator, "7"), custodytest.Person(access.RecordsManager, "")
		for range 2 {
			for _, p := range []evidence.Purpose{{Code: "complaint", Reference: "CO/1"}, {Code: "complaint", Reference: "CO/2"}, {Code: "foi", Reference: "F/1"}, {Code: "technical", Reference: "SD/1"}} {
				_, err := w.Custody.Consult(ctx, investigator, recording, p)
				must(t, err)
				w.Clock.Move(time.Millisecond)
			}
		}
		on, err := w.Custody.HoldRequestsOn(ctx, recording)
		must(t, err)
		if len(on) != 3 || on[0].Purpose != "complaint" || on[0].Reference != "CO/1" || on[0].Name != investigator.Name {
			t.Fatalf("%+v", on)
		}
		if got := fields(t, w, recording, evidence.Consult, evidence.Intent); got["hold_requested"] != "" {
			t.Errorf("a technical check requests a hold: %v", got)
		}
		list, err := w.Custody.HoldRequests(ctx, manager, "", 2)
		must(t, err)
		rest, err := w.Custody.HoldRequests(ctx, manager, list[1].ID, 2)
		must(t, err)
		if len(list) != 2 || len(rest) != 1 || list[0].ID <= list[1].ID || rest[0].ID != on[0].ID {
			t.Errorf("%+v, then %+v", list, rest)
		}
		must(t, w.Custody.Restrict(ctx, custodytest.Person(access.ProfessionalStandards, ""), recording, evidence.Confidential, nil, "test"))
		if list, err := w.Custody.HoldRequests(ctx, manager, "", 9); err != nil || len(list) != 0 {
			t.Errorf("requests on what somebody may not know of: %+v, %v", list, err)
		}
	})
}

// Putting into a case is the law's combination: recorded once, and it gives the
// members of the case what the rule says.
func TestCombining(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 100), "CAM-1", "a")
		member, investigator := custodytest.Person(access.Officer, "9"), custodytest.Person(access.Investigator, "7")
		w.Standing["officer9"] = access.Standing{Cases: []evidence.ID{"case-1"}}
		ref := w.Register[custodytest.CaseOpen]
		want(t, evidence.Denied, w.Custody.Combine(ctx, member, recording, ref, true, evidence.Purpose{}))
		_, err := w.Custody.Find(ctx, member, recording)
		want(t, evidence.Denied, err)
		for range 2 {
			must(t, w.Custody.Combine(ctx, investigator, recording, ref, true, evidence.Purpose{Note: "seen at the scene"}))
		}
		if n := w.Count(recording, evidence.Combine, evidence.Outcome); n != 1 {
			t.Errorf("%d events", n)
		}
		got := fields(t, w, recording, evidence.Combine, evidence.Outcome)
		if got["case"] != "case-1" || got["reference"] != custodytest.CaseOpen || got["note"] != "seen at the scene" {
			t.Errorf("the event says %v", got)
		}
		k, err := w.Custody.Consult(ctx, member, recording, evidence.Purpose{Code: "case", Reference: custodytest.CaseOpen})
		must(t, err)
		c, err := w.Custody.Master(ctx, member, k.ID, 1)
		must(t, err)
		must(t, w.Custody.Combine(ctx, investigator, recording, ref, false, evidence.Purpose{}))
		if _, err := c.ReadAt(make([]byte, 1), 0); err == nil || err == io.EOF {
			t.Error("the viewing goes on after the recording left the case")
		}
		_, err = w.Custody.Find(ctx, member, recording)
		want(t, evidence.Denied, err)
	})
}

// Asking for what is not there is recorded as asking for what is hidden is: the
// same reads, one commit.
func TestAskingForNothingIsOnRecord(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		_, err := w.Custody.Find(ctx, custodytest.Person(access.Officer, "9"), "01kjr5kj404fntd88n1tty0686")
		want(t, evidence.NotFound, err)
		if got := fields(t, w, "recordings", access.Find, evidence.Refused); got["reason"] != "There is no recording 01kjr5kj404fntd88n1tty0686." {
			t.Errorf("the event says %v", got)
		}
	})
}

// Which rule decides is on record, and each change of it.
func TestTheRuleIsOnRecord(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		one, two := evidence.Digest{1}, evidence.Digest{2}
		for _, c := range []struct {
			policy evidence.Digest
			events int
		}{{one, 1}, {one, 1}, {two, 2}, {one, 3}} {
			must(t, w.Custody.RecordRule(t.Context(), c.policy, one))
			if n := w.Count("service", evidence.Administer, evidence.Outcome); n != c.events {
				t.Errorf("%d events, want %d", n, c.events)
			}
		}
		if got := fields(t, w, "service", evidence.Administer, evidence.Outcome); got["policy_sha256"] != one.String() || got["policy_sha256_before"] != two.String() {
			t.Errorf("the event says %v", got)
		}
	})
}
