package custody

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"custos/access"
	"custos/catalogue"
	"custos/database"
	"custos/evidence"
	"custos/ledger"
)

// Holder says whose footage a camera made at a moment.
type Holder struct {
	Person evidence.ID // "" = nobody's
	Unit   evidence.ID // they were posted to then, "" = none
	How    string      // by what it is theirs: one or two words for the event
}

// settle gives a recording that is nobody's to whoever held the camera or its
// number when it began, and tells who that is.
func (c *Custody) settle(ctx context.Context, tx *database.Tx, recording evidence.ID, device, officer string, at time.Time) (h Holder, err error) {
	if c.HolderOf == nil {
		return h, nil
	}
	if h, err = c.HolderOf(ctx, tx, device, officer, at); err != nil || h.Person == "" {
		return h, err
	}
	return h, c.Catalogue.SetOwner(ctx, tx, recording, h.Person, h.Unit)
}

func (h Holder) fields() []evidence.Field {
	if h.Person == "" {
		return nil
	}
	f := []evidence.Field{evidence.F("owner", string(h.Person)), evidence.F("owned_by", h.How)}
	if h.Unit != "" {
		f = append(f, evidence.F("unit", string(h.Unit)))
	}
	return f
}

// SettleUnowned gives recordings that are nobody's to their holders, where
// these are known by now: a person or a camera's assignment may be entered
// after the footage came. Call it now and then and after such changes. It
// tells how many there were.
func (c *Custody) SettleUnowned(ctx context.Context) (n int, err error) {
	actor := evidence.Server("assignment")
	for after := evidence.ID(""); ; {
		page, err := c.Catalogue.Unowned(ctx, after, 200)
		if err != nil || len(page) == 0 {
			return n, err
		}
		for _, u := range page {
			after = u.ID
			settled := false
			err := c.DB.Write(ctx, func(tx *database.Tx) error {
				h, err := c.settle(ctx, tx, u.ID, u.Device, u.Officer, u.StartedAt)
				if err != nil || h.Person == "" {
					return err
				}
				settled = true
				_, err = c.Ledger.Append(ctx, tx, ledger.Event{Item: u.ID, Verb: access.Assign, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Fields: h.fields()})
				return err
			})
			if err != nil {
				return n, fmt.Errorf("assign recording: %w", err)
			}
			if !settled {
				continue
			}
			n++
			if err := c.placed(ctx, u.ID); err != nil {
				return n, err
			}
		}
	}
}

// change decides, and records an act that is nothing but a change in the
// catalogue, in the transaction that makes it.
func (c *Custody) change(ctx context.Context, actor evidence.Actor, verb evidence.Verb, recording evidence.ID, p evidence.Purpose,
	do func(tx *database.Tx, now evidence.Placing) ([]evidence.Field, error)) error {
	now, err := c.Catalogue.Placing(ctx, recording)
	if err != nil {
		return err
	}
	if err := c.allow(ctx, actor, verb, recording, now, p); err != nil {
		return err
	}
	err = c.DB.Write(ctx, func(tx *database.Tx) error {
		f, err := do(tx, now)
		if err != nil {
			return err
		}
		_, err = c.Ledger.Append(ctx, tx, ledger.Event{Item: recording, Verb: verb, Phase: evidence.Outcome, At: c.Now(), Actor: actor, Purpose: p, Fields: f})
		return err
	})
	if err != nil {
		return err
	}
	c.Access.Changed() // whoever is on a list now
	return c.placed(ctx, recording)
}

// Assign says whose footage a recording is: what the camera and the register
// said was wrong or missing. reason is kept. Errors: NotFound, Denied, Invalid
// without a reason.
func (c *Custody) Assign(ctx context.Context, actor evidence.Actor, recording evidence.ID, to Holder, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		return evidence.Errorf(evidence.Invalid, "Say how it is known whose footage this is.")
	}
	return c.change(ctx, actor, access.Assign, recording, evidence.Purpose{Note: reason}, func(tx *database.Tx, now evidence.Placing) ([]evidence.Field, error) {
		to.How = "assigned"
		return append(to.fields(), evidence.F("owner_before", string(now.Owner)), evidence.F("unit_before", string(now.Unit))),
			c.Catalogue.SetOwner(ctx, tx, recording, to.Person, to.Unit)
	})
}

// Restrict says how closely a recording is kept and who is on its access list.
// Open viewings of those who may not watch it any more end at once. Errors:
// NotFound, Denied, Invalid without a reason; Denied where actor would put
// themself on the list: another person must.
func (c *Custody) Restrict(ctx context.Context, actor evidence.Actor, recording evidence.ID, class evidence.Class, list []evidence.Listing, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		return evidence.Errorf(evidence.Invalid, "Say why the recording is to be kept so.")
	}
	return c.change(ctx, actor, access.Restrict, recording, evidence.Purpose{Note: reason}, func(tx *database.Tx, now evidence.Placing) ([]evidence.Field, error) {
		if gains(now.Listed, list, evidence.ID(actor.ID)) {
			return nil, evidence.Errorf(evidence.Denied, "Nobody puts their own name on an access list or stays on it for longer by their own hand. Nothing was changed. Ask a colleague who may restrict recordings.")
		}
		return []evidence.Field{
			evidence.F("class", class), evidence.F("class_before", now.Class),
			evidence.F("listed", listText(list)), evidence.F("listed_before", listText(now.Listed)),
		}, c.Catalogue.SetClass(ctx, tx, recording, class, list)
	})
}

// gains tells whether person has more by the second list than by the first.
func gains(before, after []evidence.Listing, person evidence.ID) bool {
	find := func(l []evidence.Listing) int {
		return slices.IndexFunc(l, func(x evidence.Listing) bool { return x.Person == person })
	}
	i, j := find(before), find(after)
	if j < 0 {
		return false
	}
	if i < 0 {
		return true
	}
	was, is := before[i].Until, after[j].Until
	return !was.IsZero() && (is.IsZero() || is.After(was))
}

// listText is an access list as an event says it: accounts, each with its end.
func listText(list []evidence.Listing) string {
	parts := make([]string, len(list))
	for i, l := range list {
		if parts[i] = string(l.Person); !l.Until.IsZero() {
			parts[i] += " until " + evidence.FormatTime(l.Until)
		}
	}
	return strings.Join(parts, ", ")
}

// Combine puts a recording into a case, or takes it out (DPA 2018 s.62(1),
// combination). Doing it twice is no error and leaves no second event. Errors:
// NotFound, Denied.
func (c *Custody) Combine(ctx context.Context, actor evidence.Actor, recording evidence.ID, with Reference, in bool, p evidence.Purpose) error {
	p.Reference = with.Number
	same := evidence.Errorf(evidence.Conflict, "It is so already.")
	err := c.change(ctx, actor, evidence.Combine, recording, p, func(tx *database.Tx, _ evidence.Placing) ([]evidence.Field, error) {
		changed, err := c.Catalogue.SetCase(ctx, tx, recording, with.ID, in)
		if err == nil && !changed {
			err = same
		}
		what := "put into case"
		if !in {
			what = "taken out of case"
		}
		return []evidence.Field{evidence.F("what", what), evidence.F("case", string(with.ID)), evidence.F("case_number", with.Number)}, err
	})
	if err == same {
		return nil
	}
	return err
}

// startOf is when a capture began, as its recording will have it.
func (c *Custody) startOf(capture evidence.Capture) time.Time {
	if t := catalogue.ClockOf(capture).Trusted; !t.IsZero() {
		return t
	}
	return c.Now()
}
