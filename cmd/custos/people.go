package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/organisation"
)

// openPeople opens who somebody is, where they belong and what they may do.
func (a *app) openPeople(ctx context.Context) (err error) {
	var policy, purposes []byte
	for _, f := range []struct {
		name string
		into *[]byte
	}{{a.cfg.Policy, &policy}, {a.cfg.Purposes, &purposes}} {
		if f.name == "" {
			continue
		}
		if *f.into, err = os.ReadFile(f.name); err != nil {
			return fmt.Errorf("read the rule: %w", err)
		}
	}
	if a.access, err = access.New(access.Config{Policy: policy, Purposes: purposes, Standing: a.standing, Logger: a.log}); err != nil {
		return err
	}
	if err = a.openIdentity(ctx); err != nil {
		return err
	}
	a.organisation, err = organisation.Open(ctx, a.db, organisation.Options{Changed: a.access.Changed})
	return err
}

// standing is where a person belongs, as the rule wants it.
func (a *app) standing(ctx context.Context, person evidence.ID, at time.Time) (access.Standing, error) {
	s, err := a.organisation.Standing(ctx, person, at)
	if err != nil {
		return access.Standing{}, err
	}
	out := access.Standing{Units: s.Led, Cases: s.Cases}
	if !s.Lead && s.Unit != "" {
		out.Units = []evidence.ID{s.Unit}
	}
	grants, err := a.approvals.Grants(ctx, person)
	if err != nil {
		return access.Standing{}, err
	}
	for _, g := range grants {
		out.Grants = append(out.Grants, access.Grant{ID: g.ID, Until: g.Until})
	}
	out.Listed, err = a.catalogue.Listed(ctx, person, at)
	return out, err
}

// holderOf is whose footage a camera made, as custody wants it.
func (a *app) holderOf(ctx context.Context, tx *database.Tx, device, officer string, at time.Time) (custody.Holder, error) {
	person, unit, how, err := a.organisation.HolderOf(ctx, tx, device, officer, at)
	return custody.Holder{Person: person, Unit: unit, How: how}, err
}

// register finds a case or incident, as custody wants it.
func (a *app) register(ctx context.Context, number string) (custody.Reference, error) {
	c, err := a.organisation.CaseBy(ctx, number)
	return custody.Reference{ID: c.ID, Number: c.Number, Case: c.Kind == organisation.OfCase, Open: c.ClosedAt.IsZero()}, err
}
