package bench

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/organisation"
	"custos/test/rig"
)

// benchRule measures what permission costs: one check, and the first page of a
// list of what somebody may know of beside the first page of everything.
func benchRule(t *testing.T, b *bench) {
	b.add(t, measured("permission check", "µs", checks(t, b.count(200_000, 20_000))).atMost(20))
	addresses := both(t)
	n := b.count(1_000_000, 20_000)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) { benchPages(t, b, e, addresses[e], n) })
	}
}

// benchPages asks a real server for the first page as its users do: the auditor
// sees everything, everybody else what the rule lets through.
func benchPages(t *testing.T, b *bench, e database.Engine, address string, n int) {
	s := rig.New(t, b.bin, "", unlimited...)
	if e == database.Postgres {
		s.Configure(fmt.Sprintf("database = %q", address))
	} else {
		address = "sqlite:" + filepath.Join(s.Dir, "custos.db")
	}
	for _, who := range [][3]string{{"pages-auditor", "auditor", ""}, {"pages-officer", "officer", "00007"}, {"pages-investigator", "investigator", ""},
		{"pages-sergeant", "supervisor", ""}, {"pages-inspector", "supervisor", ""}} {
		s.RunIn(rig.Password+"\n", "admin", "user", "add", "--login", who[0], "--role", who[1], "--number", who[2], "--password", "-")
	}
	post(t, openDB(t, address), n)
	s.Start()
	all := s.SignIn("pages-auditor")
	for _, who := range []string{"officer", "investigator", "sergeant", "inspector"} {
		p := s.SignIn("pages-" + who)
		var pairs []pair
		for i := range 6 {
			ours, theirs := firstPage(p, b.count(400, 60)), firstPage(all, b.count(400, 60))
			if i > 0 {
				pairs = append(pairs, pair{ours, theirs})
			}
		}
		b.add(t, compared(fmt.Sprintf("first page of %d k, %s, %s", n/1000, who, e), "ms", "auditor", pairs).ratioAtMost(1.3))
	}
}

// firstPage is the median time of a first page, ms.
func firstPage(p *rig.Person, n int) float64 {
	times := make([]time.Duration, n)
	for i := range times {
		var page struct{ Items []struct{ ID string } }
		begun := time.Now()
		p.JSON(http.MethodGet, "/api/recordings", nil, http.StatusOK, &page)
		times[i] = time.Since(begun)
		if len(page.Items) != 60 {
			panic(fmt.Sprintf("%d recordings", len(page.Items)))
		}
	}
	return quantile(times, 0.5)
}

// post makes 20 units under a division of five and a rest, with a sergeant who
// leads one and an inspector who leads the division, and fills the catalogue
// with n recordings of them.
func post(t *testing.T, db *database.DB, n int) {
	t.Helper()
	dir, err := identity.Open(t.Context(), db, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	org, err := organisation.Open(t.Context(), db, organisation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := func(login string) evidence.ID {
		p, err := dir.ByName(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	officer, sergeant, inspector := id("pages-officer"), id("pages-sergeant"), id("pages-inspector")
	units := make([]string, 20)
	err = db.Write(t.Context(), func(tx *database.Tx) error {
		division, err := org.AddUnit(t.Context(), tx, organisation.Unit{Name: "Division", Code: "D"})
		if err != nil {
			return err
		}
		for i := range units {
			parent := evidence.ID("")
			if i < 5 {
				parent = division.ID
			}
			u, err := org.AddUnit(t.Context(), tx, organisation.Unit{Name: fmt.Sprint("Unit ", i), Code: fmt.Sprint("U", i), Parent: parent})
			if err != nil {
				return err
			}
			units[i] = string(u.ID)
		}
		if _, err := org.Post(t.Context(), tx, organisation.Posting{Person: sergeant, Unit: evidence.ID(units[3]), Lead: true}); err != nil {
			return err
		}
		_, err = org.Post(t.Context(), tx, organisation.Posting{Person: inspector, Unit: division.ID, Lead: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	fillAs(t, db, n, func(i int) (owner, unit string) {
		if i == 7 {
			return string(officer), units[i%len(units)]
		}
		return fmt.Sprintf("%05d", i), units[i%len(units)]
	})
}

// checks are the times of checks of somebody with many units and cases, µs.
func checks(t *testing.T, n int) (out []float64) {
	t.Helper()
	rule, err := access.New(access.Config{Standing: func(context.Context, evidence.ID, time.Time) (access.Standing, error) {
		return access.Standing{Units: make([]evidence.ID, 50), Cases: make([]evidence.ID, 100)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	who := evidence.Actor{Kind: evidence.Person, ID: "p", Role: access.Supervisor}
	r := evidence.Placing{Owner: "q", Unit: "u", Class: evidence.Restricted, Cases: []evidence.ID{"c1", "c2"}, Listed: make([]evidence.Listing, 20)}
	for range 5 {
		begun := time.Now()
		for range n {
			if rule.Decide(t.Context(), who, evidence.Consult, r).Allowed {
				t.Fatal("allowed")
			}
		}
		out = append(out, float64(time.Since(begun).Microseconds())/float64(n))
	}
	return out
}
