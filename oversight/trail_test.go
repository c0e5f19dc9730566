package oversight_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/bundle"
	"custos/custody"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/oversight"
)

const (
	open   = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5ta")
	hidden = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5tb")
	upload = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5tc") // that became the hidden one
)

// audit is a trail of which one recording is hidden from everybody.
type audit struct {
	*oversight.Trail
	t      *testing.T
	db     *database.DB
	ledger *ledger.Ledger
	vkey   string
	now    time.Time
}

func newAudit(t *testing.T, db *database.DB) *audit {
	t.Helper()
	l, key := ledgertest.Start(t, db)
	rule, err := access.New(access.Config{})
	if err != nil {
		t.Fatal(err)
	}
	a := &audit{t: t, db: db, ledger: l, vkey: key.VKey, now: time.Date(2026, 3, 2, 21, 0, 0, 0, time.UTC)}
	a.Trail = oversight.NewTrail(oversight.TrailConfig{DB: db, Ledger: l, Access: rule, LogKey: key.VKey, Force: "Thornshire Police", Classification: "OFFICIAL",
		Now: func() time.Time { return a.now },
		Visible: func(_ context.Context, _ evidence.Actor, items []evidence.ID) (map[evidence.ID]custody.Sight, error) {
			out := map[evidence.ID]custody.Sight{}
			for _, id := range items {
				out[id] = custody.Sight{Visible: id != hidden && id != upload}
			}
			return out, nil
		}})
	return a
}

// did records that somebody did something to an item.
func (a *audit) did(item evidence.ID, verb evidence.Verb, fields ...evidence.Field) {
	a.t.Helper()
	a.now = a.now.Add(time.Second)
	err := a.db.Write(a.t.Context(), func(tx *database.Tx) error {
		_, err := a.ledger.Append(a.t.Context(), tx, ledger.Event{Item: item, Verb: verb, Phase: evidence.Outcome, At: a.now,
			Actor: evidence.Actor{Kind: evidence.Person, ID: "p1", Name: "DC N. Okafor", Role: "investigator"}, Fields: fields})
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

func who(role string) evidence.Actor {
	return evidence.Actor{Kind: evidence.Person, ID: role, Name: "The " + role, Role: role, Session: "s-" + role}
}

// all pages through an answer.
func (a *audit) all(q oversight.Question, limit int) (out []oversight.TrailEvent) {
	a.t.Helper()
	for cursor := ""; ; {
		p, err := a.Ask(a.t.Context(), who(access.Auditor), q, cursor, limit)
		if err != nil {
			a.t.Fatal(err)
		}
		if len(p.Events) > limit {
			a.t.Fatalf("a page of %d has %d", limit, len(p.Events))
		}
		out = append(out, p.Events...)
		if cursor = p.Next; cursor == "" {
			return out
		}
	}
}

// Of what somebody may not know, the trail tells nothing: not by its item, nor
// by the upload that it was, nor by another event that names it; and pages lose
// nothing and show nothing twice for it.
func TestTrailHidesWhatMayNotBeKnown(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		a := newAudit(t, db)
		for i := range 60 {
			switch i % 4 {
			case 0:
				a.did(open, evidence.Consult, evidence.F("n", i))
			case 1:
				a.did(hidden, evidence.Consult, evidence.F("n", i))
			case 2:
				a.did(upload, evidence.Collect, evidence.F("file_name", "secret.mp4"))
			default:
				a.did("service", evidence.Administer, evidence.F("what", "restricted"), evidence.F("recording", string(hidden)))
			}
		}
		for _, limit := range []int{1, 4, 200} {
			got := a.all(oversight.Question{Person: "p1"}, limit)
			seen := map[evidence.ID]bool{}
			for _, e := range got {
				seen[e.ID] = true
				if e.Item != open {
					t.Fatalf("an event of %s is shown: %+v", e.Item, e.Fields)
				}
			}
			if len(got) != 15 || len(seen) != 15 {
				t.Errorf("pages of %d: %d events, %d different, want 15", limit, len(got), len(seen))
			}
		}
		if got := a.all(oversight.Question{Item: hidden}, 50); len(got) != 0 {
			t.Errorf("%d events of a hidden recording", len(got))
		}
		// The question itself names it.
		if got := a.all(oversight.Question{Item: "trail"}, 200); slices.ContainsFunc(got, func(e oversight.TrailEvent) bool {
			return strings.Contains(fmt.Sprint(e.Fields), string(hidden))
		}) {
			t.Error("the audit of the audit names a hidden recording")
		}
		secret, err := a.ledger.History(t.Context(), hidden, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []evidence.ID{secret[0].Event, "01kamwtz3f0w9hq1c7c9m2v5tz"} {
			if _, err := a.Event(t.Context(), who(access.Auditor), id); evidence.CodeOf(err) != evidence.NotFound || evidence.MessageOf(err) != "There is no such event in the ledger." {
				t.Errorf("%s: %v", id, err)
			}
		}
		s62, err := a.Operations(t.Context(), who(access.Auditor), a.now.Add(-time.Hour), a.now.Add(time.Hour))
		if err != nil || s62.Operations[0].Done != 0 || s62.Operations[2].Done != 15 {
			t.Errorf("%+v, %v", s62, err)
		}
	})
}

func (a *audit) file(q oversight.Question, format oversight.Format) string {
	a.t.Helper()
	a.now = a.now.Add(time.Minute)
	e, err := a.Export(a.t.Context(), who(access.Auditor), q, format)
	if err != nil {
		a.t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Write(a.t.Context(), &b); err != nil {
		a.t.Fatal(err)
	}
	return b.String()
}

// A file claims to be an item's whole history only where it is.
func TestWholeOnlyWhereItIs(t *testing.T) {
	a := newAudit(t, databasetest.SQLite(t))
	for range 4 {
		a.did(open, evidence.Consult)
	}
	whole := func(file string) bool {
		var f struct{ Whole *bundle.TrailItem }
		if err := json.Unmarshal([]byte(file), &f); err != nil {
			t.Fatal(err)
		}
		if r, err := bundle.VerifyTrail([]byte(file), bundle.Options{LogKey: a.vkey}); err != nil || r.Outcome() != bundle.Sound {
			t.Fatalf("%+v, %v", r.Checks, err)
		}
		return f.Whole != nil
	}
	if !whole(a.file(oversight.Question{Item: open}, oversight.JSON)) {
		t.Error("all of one item is not called whole")
	}
	if whole(a.file(oversight.Question{Item: open, Person: "p1"}, oversight.JSON)) || whole(a.file(oversight.Question{}, oversight.JSON)) ||
		whole(a.file(oversight.Question{Item: "nothing"}, oversight.JSON)) {
		t.Error("a list is called whole")
	}
	a.did(open, evidence.Verify, evidence.F("recording", string(hidden)))
	a.did(open, evidence.Consult)
	if whole(a.file(oversight.Question{Item: open}, oversight.JSON)) {
		t.Error("an item of which an event is hidden is called whole")
	}
}

// What more than one file holds is refused before a byte, and on record. A
// ledger that takes no event answers no question, known or not.
func TestNoExportWithoutRecord(t *testing.T) {
	db := databasetest.SQLite(t)
	a := newAudit(t, db)
	in := ledgertest.Insert{DB: db, Rand: rand.NewChaCha8([32]byte{1}), Unsealed: true, Event: func(i int) ledger.Event {
		e := ledgertest.Event("a")
		e.At = a.now.Add(-time.Duration(i) * time.Second)
		return e
	}}
	if err := in.Run(t.Context(), 0, 5002); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Export(t.Context(), who(access.Auditor), oversight.Question{Item: "a"}, oversight.PDF); evidence.CodeOf(err) != evidence.Invalid || !strings.Contains(err.Error(), "More than 5000") {
		t.Errorf("too many: %v", err)
	}
	for _, c := range []struct {
		phase evidence.Phase
		want  int
	}{{evidence.Intent, 1}, {evidence.Failed, 1}, {evidence.Outcome, 0}} {
		if n, err := a.ledger.Count(t.Context(), ledger.Search{Item: "trail", Phase: c.phase}, 10); err != nil || n != c.want {
			t.Errorf("%s: %d events, %v", c.phase, n, err)
		}
	}
	if _, err := a.Export(t.Context(), who(access.Officer), oversight.Question{}, oversight.CSV); evidence.CodeOf(err) != evidence.Denied {
		t.Errorf("an officer: %v", err)
	}
	if _, err := a.Export(t.Context(), who(access.Auditor), oversight.Question{}, "xls"); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("a form that there is not: %v", err)
	}
}
