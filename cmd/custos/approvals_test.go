package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"custos/access"
	"custos/approval"
	"custos/evidence"
	"custos/identity"
)

// A service as it is wired: the operator is the second person where there is
// nobody else, and emergency access reaches the rule at once.
func TestTwoPeopleAsWired(t *testing.T) {
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "service")
	if err := initService(ctx, dir, Config{Force: "Test", Origin: "test.custos/log"}); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "custos.toml")
	custos := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(ctx, append([]string{"--config", config}, args...), streams{nil, &out, &out}); code != 0 {
			t.Fatalf("custos %s: %d %s", strings.Join(args, " "), code, &out)
		}
		return out.String()
	}
	cfg, err := readConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	cfg.LogLevel = "error"
	a, err := open(ctx, cfg, logger(cfg, os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}()
	actors := map[string]evidence.Actor{}
	for login, role := range map[string]access.Role{"admin": access.Administrator, "patel": access.Supervisor} {
		if err := addUser(ctx, a, operator(), identity.Person{Login: login, Name: login, Role: role}, "long and dull passphrase"); err != nil {
			t.Fatal(err)
		}
		p, err := person(ctx, a, login)
		if err != nil {
			t.Fatal(err)
		}
		actors[login] = evidence.Actor{Kind: evidence.Person, ID: string(p.ID), Name: login, Role: role, Session: "s"}
	}
	r, err := a.approvals.Ask(ctx, actors["admin"], approval.Asked{Kind: approval.RoleGrantKind, Subject: evidence.ID(actors["patel"].ID),
		Params: json.RawMessage(`{"role":"investigator"}`), Reason: "by order 12 of this week"})
	if err != nil {
		t.Fatal(err)
	}
	var list []waitingRequest
	if err := json.Unmarshal([]byte(custos("admin", "approvals", "--json")), &list); err != nil || len(list) != 1 || list[0].ID != r.ID || list[0].AskedBy != "admin" {
		t.Fatalf("%v %+v", err, list)
	}
	if said := custos("admin", "approve", string(r.ID)); !strings.Contains(said, "Supervisor") || !strings.Contains(said, "Investigator") {
		t.Errorf("it said %s", said)
	}
	if p, err := person(ctx, a, "patel"); err != nil || p.Role != access.Investigator {
		t.Errorf("%v %+v", err, p)
	}
	if said := custos("admin", "approvals"); said != "" {
		t.Errorf("there still waits %s", said)
	}

	by, secret := actors["patel"], evidence.Placing{Owner: "somebody", Unit: "elsewhere", Class: evidence.Restricted}
	if a.access.Decide(ctx, by, evidence.Consult, secret).Allowed {
		t.Error("allowed without emergency access")
	}
	e, err := a.approvals.Break(ctx, by, "a child is missing in Mill Lane", "")
	if err != nil {
		t.Fatal(err)
	}
	if d := a.access.Decide(ctx, by, evidence.Consult, secret); !d.Allowed || d.Grant != e.ID || !d.Until.Equal(e.Until) {
		t.Errorf("with emergency access: %+v", d)
	}
	secret.Class = evidence.Confidential
	if a.access.Decide(ctx, by, access.Find, secret).Allowed {
		t.Error("emergency access reaches what is confidential")
	}
	secret.Class = evidence.Restricted
	if _, err := a.approvals.End(ctx, by, e.ID); err != nil {
		t.Fatal(err)
	}
	if a.access.Decide(ctx, by, evidence.Consult, secret).Allowed {
		t.Error("allowed after its end")
	}
}
