package main

import (
	"context"
	"time"

	"custos/access"
	"custos/evidence"
	"custos/organisation"
)

// demoUnits are the units of the demo force: code, name, code of the one above.
var demoUnits = [][3]string{
	{"AP", "Anytown Police", ""},
	{"RESP", "Response", "AP"},
	{"RESP-A", "Response A", "RESP"},
	{"RESP-B", "Response B", "RESP"},
	{"CID", "Criminal Investigation", "AP"},
	{"PSD", "Professional Standards", "AP"},
}

// demoPostings say who belongs where, by sign-in name.
var demoPostings = []struct {
	login, unit string
	lead        bool
}{
	{"adeyemi", "RESP-A", false},
	{"whitfield", "RESP-B", false},
	{"patel", "RESP", true},
	{"okafor", "CID", false},
	{"llewellyn", "CID", false},
	{"hughes", "PSD", true},
}

// demoOrganisation makes the demo's units, postings, cameras and cases.
func demoOrganisation(ctx context.Context, a *app) error {
	by := access.Operator("demo")
	units := map[string]evidence.ID{}
	for _, u := range demoUnits {
		made, err := a.staff.AddUnit(ctx, by, organisation.Unit{Code: u[0], Name: u[1], Parent: units[u[2]]})
		if err != nil {
			return err
		}
		units[u[0]] = made.ID
	}
	// The shift's footage is up to 27 hours old when the demo begins.
	zone, err := time.LoadLocation(forceZone)
	if err != nil {
		return err
	}
	now := time.Now().In(zone)
	since := time.Date(now.Year(), now.Month()-3, now.Day(), 0, 0, 0, 0, zone)
	people := map[string]evidence.ID{}
	list, err := a.identity.List(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		people[p.Login] = p.ID
	}
	for _, p := range demoPostings {
		if err := a.staff.Post(ctx, by, organisation.Posting{Person: people[p.login], Unit: units[p.unit], Lead: p.lead, From: since}); err != nil {
			return err
		}
	}
	for login, camera := range map[string]string{"adeyemi": "K-0417", "whitfield": "K-0522"} {
		if err := a.staff.Issue(ctx, by, organisation.Holding{Thing: camera, Person: people[login], From: since}); err != nil {
			return err
		}
	}
	return demoCases(ctx, a, people)
}

// demoCases enters one case and one incident, each with its members. They are
// entered as the people of the demo would.
func demoCases(ctx context.Context, a *app, people map[string]evidence.ID) error {
	investigator := evidence.Actor{Kind: evidence.Person, ID: string(people["okafor"]), Name: "DC N. Okafor", Number: "5120", Role: access.Investigator}
	for _, c := range []struct {
		organisation.Case
		members map[string]string
	}{
		{organisation.Case{Number: "AP/1042/26", Kind: organisation.OfCase, Title: "Stop and search, Market Street"},
			map[string]string{"llewellyn": "Disclosure officer", "patel": "Supervisor"}},
		{organisation.Case{Number: "AP-INC-3317", Kind: organisation.OfIncident, Title: "Traffic collision, Station Road"},
			map[string]string{"patel": "Supervisor"}},
	} {
		made, err := a.cases.Add(ctx, investigator, c.Case)
		if err != nil {
			return err
		}
		for login, role := range c.members {
			if err := a.cases.AddMember(ctx, investigator, organisation.Membership{Case: made.ID, Person: people[login], Role: role}); err != nil {
				return err
			}
		}
	}
	return nil
}
