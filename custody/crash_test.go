package custody_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"custos/access"
	"custos/custody/custodytest"
	"custos/evidence"
)

// power is what a Step panics with when the power goes.
type power string

// until runs act and cuts the power just before the nth step (from 1), then
// starts the service again. It tells which step that was, "" if act came to
// its end first; then the power goes just after it.
func until(w *custodytest.World, n int, act func()) (at string) {
	defer func() {
		w.Step = nil
		if p := recover(); p != nil {
			if at = string(p.(power)); at == "" {
				panic(p)
			}
		}
		w.Crash(uint64(n))
	}()
	w.Step = func(name string) {
		if n--; n == 0 {
			panic(power(name))
		}
	}
	act()
	return ""
}

// everyStep cuts the power at every step of a verb and after it. prepare makes
// what the verb works on; verb is run up to the cut and then once more, and
// check looks at what came of it.
func everyStep(t *testing.T, w *custodytest.World, steps []string, prepare func() evidence.ID, verb func(evidence.ID) error, check func(evidence.ID, string)) {
	t.Helper()
	var seen []string
	for n := 1; ; n++ {
		on := prepare()
		at := until(w, n, func() { must(t, verb(on)) })
		if err := verb(on); err != nil {
			t.Fatalf("cut at %q, then again: %v", at, err)
		}
		check(on, at)
		if at == "" {
			break
		}
		seen = append(seen, at)
	}
	if !slices.Equal(seen, steps) {
		t.Errorf("the steps were %v, want %v", seen, steps)
	}
}

func TestPowerCutsWhileCollecting(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, dock := t.Context(), custodytest.Dock("d")
		n := uint64(0)
		data, capture := map[evidence.ID][]byte{}, evidence.Capture{}
		fresh := func() evidence.ID {
			n++
			b := footage(n, 70_000)
			id := w.Upload(dock, b)
			data[id], capture = b, custodytest.Capture(b, "CAM", fmt.Sprint(n))
			return id
		}
		collect := func(upload evidence.ID) error {
			_, _, err := w.Custody.Collect(ctx, dock, upload, capture)
			return err
		}
		steps := []string{"collect.intent", "collect.finish", "collect.readback", "collect.outcome", "collect.done"}
		everyStep(t, w, steps, fresh, collect, func(upload evidence.ID, at string) {
			if got := w.Count(upload, evidence.Collect, evidence.Outcome); got != 1 {
				t.Errorf("cut at %q: %d outcomes", at, got)
			}
			r, err := w.Catalogue.Get(ctx, upload)
			must(t, err)
			if len(r.Segments) != 1 || len(r.Arrivals) != 1 {
				t.Errorf("cut at %q: %d segments, %d arrivals", at, len(r.Segments), len(r.Arrivals))
			}
		})
		// The same once more with bytes that are there already.
		original, _ := w.Collect(footage(100, 70_000), "CAM", "original")
		copies := 0
		everyStep(t, w, steps, func() evidence.ID {
			copies++
			capture = custodytest.Capture(footage(100, 70_000), "CAM", fmt.Sprint("copy ", copies))
			return w.Upload(dock, footage(100, 70_000))
		}, collect, func(_ evidence.ID, at string) {
			if got := w.Count(original, evidence.Collect, evidence.Outcome); got != 1+copies {
				t.Errorf("copy cut at %q: %d outcomes, want %d", at, got, 1+copies)
			}
		})
		// And receipts, of one that was collected.
		var before []byte
		upload := fresh()
		must(t, collect(upload))
		everyStep(t, w, []string{"receipt.sign"}, func() evidence.ID { return upload }, func(u evidence.ID) error {
			b, err := w.Custody.Receipt(ctx, u)
			if before != nil && string(before) != string(b) {
				t.Error("a receipt came with other bytes")
			}
			before = b
			return err
		}, func(evidence.ID, string) {})
		// A crash after the outcome leaves the second copy to Sweep.
		w.Clock.Move(25 * time.Hour)
		_, err := w.Custody.Sweep(ctx, w.Clock.Now().Add(-24*time.Hour), nobodys)
		must(t, err)
		if left, err := w.Vault.Uploads(ctx); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		clean(t, w)
	})
}

func TestPowerCutsWhileLookingAndLettingOut(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, n := t.Context(), uint64(0)
		officer := custodytest.Person(access.Officer, "4711")
		fresh := func() evidence.ID {
			n++
			id, _ := w.Collect(footage(n, 70_000), "CAM", fmt.Sprint(n))
			return id
		}
		outcomes := func(verb evidence.Verb) func(evidence.ID, string) {
			return func(id evidence.ID, at string) {
				// Verify and Disclose, done twice, are two acts.
				most := 1
				if at == "" && verb != evidence.Derive {
					most = 2
				}
				if got := w.Count(id, verb, evidence.Outcome); got != most {
					t.Errorf("%s cut at %q: %d outcomes, want %d", verb, at, got, most)
				}
			}
		}
		everyStep(t, w, []string{"derive.intent", "derive.put", "derive.outcome"}, fresh, func(id evidence.ID) error {
			err := derivePoster(ctx, w, id, "poster")
			if evidence.CodeOf(err) == evidence.Conflict {
				err = nil // it was done
			}
			return err
		}, outcomes(evidence.Derive))
		everyStep(t, w, []string{"verify.intent"}, fresh, func(id evidence.ID) error {
			return w.Custody.Verify(ctx, evidence.Server("test"), id)
		}, outcomes(evidence.Verify))
		everyStep(t, w, []string{"disclose.intent", "disclose.outcome"}, fresh, func(id evidence.ID) error {
			return disclose(ctx, w, custodytest.Person(access.DisclosureOfficer, ""), id)
		}, outcomes(evidence.Disclose))
		everyStep(t, w, []string{"glance.intent"}, func() evidence.ID {
			id := fresh()
			must(t, derivePoster(ctx, w, id, "poster"))
			return id
		}, func(id evidence.ID) error {
			c, err := w.Custody.Glance(ctx, officer, id, 1)
			if err != nil {
				return err
			}
			return c.Close()
		}, func(id evidence.ID, at string) {
			if got := w.Count(id, evidence.Consult, evidence.Intent); got != 1 {
				t.Errorf("glance cut at %q: on record %d times", at, got)
			}
		})
		var open evidence.ID
		everyStep(t, w, []string{"consult.intent", "consult.outcome"}, func() evidence.ID { open = ""; return fresh() }, func(id evidence.ID) error {
			if open == "" {
				k, err := w.Custody.Consult(ctx, officer, id, review)
				if err != nil {
					return err
				}
				open = k.ID
			}
			return w.Custody.EndConsult(ctx, officer, open, 0)
		}, func(id evidence.ID, at string) {
			if w.Count(id, evidence.Consult, evidence.Outcome) != 1 || w.Count(id, evidence.Consult, evidence.Intent) != 1 {
				t.Errorf("viewing cut at %q: the record is not one intent and one outcome", at)
			}
		})
		clean(t, w)
		w.Clock.Move(25 * time.Hour)
		_, err := w.Custody.Sweep(ctx, w.Clock.Now().Add(-24*time.Hour), nobodys)
		must(t, err)
		if left, err := w.Vault.Uploads(ctx); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		clean(t, w)
	})
}
