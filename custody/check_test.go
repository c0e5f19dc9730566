package custody_test

import (
	"context"
	"testing"

	"custos/custody"
	"custos/custody/custodytest"
	"custos/evidence"
	"custos/tlog"
)

func nobodys(context.Context, evidence.ID) (bool, error) { return false, nil }

// Each disagreement between store, ledger and catalogue, planted alone, is
// found, and nothing else is.
func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	type planted struct {
		kind  string
		where func(f custody.Finding, r evidence.Recording) bool
		plant func(w *custodytest.World, r evidence.Recording)
	}
	object := func(f custody.Finding, r evidence.Recording) bool { return f.Object == string(r.Segments[0].Object) }
	ofRecording := func(f custody.Finding, r evidence.Recording) bool { return f.Recording == r.ID }
	for name, p := range map[string]planted{
		"a flipped bit": {"damaged", object, func(w *custodytest.World, r evidence.Recording) { w.Damage(r.Segments[0].Object) }},
		"a lost object": {"missing", object, func(w *custodytest.World, r evidence.Recording) {
			n := w.ObjectName(r.Segments[0].Object)
			_ = w.Disk.Remove("objects/" + n[len(n)-2:] + "/" + n) // if it fails, nothing is found
		}},
		"a stray object": {"extra", func(f custody.Finding, _ evidence.Recording) bool { return f.Object == "0stray" }, func(w *custodytest.World, _ evidence.Recording) {
			_ = w.Disk.MkdirAll("objects/ay", 0o700)
			if f, err := w.Disk.OpenFile("objects/ay/0stray", 0o102, 0o600); err == nil {
				_ = f.Close()
			}
		}},
		"another digest in the catalogue": {"differs", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE segments SET digest = ? WHERE recording = ?", make([]byte, 32), string(r.ID))
		}},
		"another digest in vault and catalogue": {"differs", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE segments SET digest = ? WHERE recording = ?", make([]byte, 32), string(r.ID))
			w.Exec("UPDATE vault_objects SET digest = ? WHERE id = ?", make([]byte, 32), string(r.Segments[0].Object))
		}},
		"another officer": {"differs", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE recordings SET officer = '9999' WHERE id = ?", string(r.ID))
		}},
		"another time": {"differs", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE segments SET trusted = trusted + 1000000 WHERE recording = ?", string(r.ID))
		}},
		"a collection that was never recorded": {"unrecorded", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE custody_collected SET item_seq = 99 WHERE recording = ?", string(r.ID))
		}},
		"another event in its place": {"differs", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE custody_collected SET item_seq = 1 WHERE recording = ?", string(r.ID))
		}},
		"a collection taken out of the service's tables": {"missing", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("DELETE FROM custody_collected WHERE recording = ?", string(r.ID))
		}},
		"a recording deleted everywhere": {"missing", ofRecording, func(w *custodytest.World, r evidence.Recording) {
			n := w.ObjectName(r.Segments[0].Object)
			_ = w.Disk.Remove("objects/" + n[len(n)-2:] + "/" + n) // if it fails, more is found
			for _, from := range []string{"arrivals WHERE recording", "segments WHERE recording", "recordings WHERE id",
				"vault_objects WHERE id", "custody_collected WHERE recording"} {
				w.Exec("DELETE FROM "+from+" = ?", string(r.ID))
			}
		}},
		"an event told otherwise": {"damaged", func(f custody.Finding, _ evidence.Recording) bool { return f.Object == "ledger" }, func(w *custodytest.World, r evidence.Recording) {
			w.Exec("UPDATE ledger_events SET fields = ? WHERE item = ? AND item_seq = 1", []byte(`[{"name":"event","value":"x"}]`), string(r.ID))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *custodytest.World) {
				ctx := t.Context()
				id, _ := w.Collect(footage(1, 70_000), "CAM", "a")
				innocent, _ := w.Collect(footage(2, 70_000), "CAM", "b")
				poster(t, w, innocent)
				w.Settle() // what is not in the log yet, an audit cannot miss
				r, err := w.Catalogue.Get(ctx, id)
				must(t, err)
				clean(t, w)
				p.plant(w, r)
				found := w.Check()
				if len(found) == 0 {
					t.Fatal("nothing was found")
				}
				hit := false
				for _, f := range found {
					hit = hit || f.Kind == p.kind && p.where(f, r)
					if f.Recording == innocent || f.Says == "" {
						t.Errorf("found %+v", f)
					}
				}
				if !hit {
					t.Errorf("found %+v", found)
				}
			})
		})
	}
}

func TestVerifyNamesTheSegmentThatIsDamaged(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		id, _ := w.Collect(footage(1, 70_000), "CAM", "a")
		must(t, w.Custody.Verify(ctx, evidence.Server("test"), id))
		r, err := w.Catalogue.Get(ctx, id)
		must(t, err)
		w.Damage(r.Segments[0].Object)
		want(t, evidence.Corrupt, w.Custody.Verify(ctx, evidence.Server("test"), id))
		events := w.Events(id)
		last := events[len(events)-1]
		if w.Count(id, evidence.Verify, evidence.Outcome) != 1 || last.Get("phase") != "failed" || last.Get("segment_1") == "as collected" {
			t.Errorf("on record is %+v", last.Fields)
		}
	})
}

// A history is everything up to now, and can be checked by whoever has it.
func TestHistoryIsCompleteAndProven(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		id, _ := w.Collect(footage(1, 70_000), "CAM", "a")
		for range 5 {
			must(t, w.Custody.Verify(ctx, evidence.Server("test"), id))
		}
		w.Settle()
		h, err := w.Custody.History(ctx, custodytest.Person("auditor", ""), id)
		must(t, err)
		if h.Pending != 0 || len(h.Events) != 12 || len(h.Proofs) != 12 {
			t.Fatalf("%d events, %d proofs", len(h.Events), len(h.Proofs))
		}
		must(t, tlog.CheckChain(tlog.ItemTag(h.ItemKey, string(id)), h.Events))
		c, err := tlog.OpenCheckpoint([]byte(h.Checkpoint), "custos.example/test", w.Log.Verifier)
		must(t, err)
		for _, e := range h.Events {
			must(t, c.CheckInclusion(h.Proofs[e.Index], e.Index, tlog.LeafHash(e.Leaf)))
		}
	})
}
