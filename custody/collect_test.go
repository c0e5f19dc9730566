package custody_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"custos/access"
	"custos/custody/custodytest"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/receipt"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, code evidence.Code, err error) {
	t.Helper()
	if got := evidence.CodeOf(err); got != code {
		t.Fatalf("got %q (%v), want %q", got, err, code)
	}
}

// footage is bytes that differ by seed and are the same each time.
func footage(seed uint64, length int) []byte {
	b := make([]byte, length)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b) // never fails
	return b
}

// each runs a story in a fresh world on each database.
func each(t *testing.T, story func(t *testing.T, w *custodytest.World)) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) { story(t, custodytest.New(t, db)) })
}

func clean(t *testing.T, w *custodytest.World) {
	t.Helper()
	for _, f := range w.Check() {
		t.Errorf("fsck: %+v", f)
	}
}

func TestADockGetsAReceiptThatItCanCheck(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		for i, length := range []int{0, 1, 65536, 200_001} {
			data, name := footage(uint64(i), length), fmt.Sprintf("DCIM/%d.mp4", i)
			upload := w.Upload(custodytest.Dock("front desk"), data)
			_, err := w.Custody.Receipt(t.Context(), upload)
			want(t, evidence.NotFound, err)
			recording, segment, err := w.Custody.Collect(t.Context(), custodytest.Dock("front desk"), upload, custodytest.Capture(data, "CAM-1", name))
			must(t, err)
			signed, err := w.Custody.Receipt(t.Context(), upload)
			must(t, err)
			r, err := receipt.Check(signed, w.Trust(), receipt.Expect{Device: "CAM-1", FileName: name, Digest: sha256.Sum256(data), Length: int64(length)})
			must(t, err)
			if r.Recording != recording || r.Segment != segment || r.Known || len(r.Stores) != 1 || r.Stores[0].Name != "main" {
				t.Errorf("the receipt says %+v", r)
			}
			again, err := w.Custody.Receipt(t.Context(), upload)
			must(t, err)
			if !bytes.Equal(signed, again) {
				t.Error("a second receipt for the same upload has other bytes")
			}
			w.Reopen()
			again, err = w.Custody.Receipt(t.Context(), upload)
			must(t, err)
			if !bytes.Equal(signed, again) {
				t.Error("after a restart the receipt has other bytes")
			}
		}
		clean(t, w)
	})
}

func TestWhatIsDockedTwiceArrivesTwice(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, data := t.Context(), footage(1, 90_000)
		recording, segment := w.Collect(data, "CAM-1", "a.mp4")
		second := w.Upload(custodytest.Dock("back office"), data)
		again := custodytest.Capture(data, "CAM-1", "copy of a.mp4")
		r2, s2, err := w.Custody.Collect(ctx, custodytest.Dock("back office"), second, again)
		must(t, err)
		if r2 != recording || s2 != segment {
			t.Errorf("the same bytes became %s/%d and %s/%d", recording, segment, r2, s2)
		}
		signed, err := w.Custody.Receipt(ctx, second)
		must(t, err)
		r, err := receipt.Check(signed, w.Trust(), receipt.Expect{Device: "CAM-1", FileName: "copy of a.mp4", Digest: again.Digest, Length: again.Length})
		must(t, err)
		if !r.Known {
			t.Error("the receipt does not say that the bytes were known")
		}
		got, err := w.Catalogue.Get(ctx, recording)
		must(t, err)
		if len(got.Segments) != 1 || len(got.Arrivals) != 2 {
			t.Errorf("%d segments, %d arrivals", len(got.Segments), len(got.Arrivals))
		}
		if objects, _, err := w.Vault.Totals(ctx); err != nil || objects != 1 {
			t.Errorf("%d objects, %v", objects, err)
		}
		if left, err := w.Vault.Uploads(ctx); err != nil || len(left) != 0 {
			t.Errorf("the second copy was left behind: %v, %v", left, err)
		}
		want(t, evidence.Conflict, w.Custody.Abandon(ctx, custodytest.Dock("back office"), second))
		clean(t, w)
	})
}

// Two docks bring the same bytes at the same moment: one object, two arrivals,
// two receipts, and each receipt's reading back was of the object that stayed.
func TestTwoDocksAtTheSameMoment(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		for round := range uint64(4) {
			data := footage(round, 70_000)
			const docks = 3
			var uploads [docks]evidence.ID
			for i := range uploads {
				uploads[i] = w.Upload(custodytest.Dock(fmt.Sprint(i)), data)
			}
			// All look for the bytes before one has them.
			var ready sync.WaitGroup
			ready.Add(docks)
			w.Step = func(name string) {
				if name == "collect.finish" {
					ready.Done()
					ready.Wait()
				}
			}
			var wg sync.WaitGroup
			var found [docks]evidence.ID
			for i, u := range uploads {
				wg.Go(func() {
					var err error
					found[i], _, err = w.Custody.Collect(ctx, custodytest.Dock(fmt.Sprint(i)), u, custodytest.Capture(data, "CAM", fmt.Sprintf("%d-%d", round, i)))
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			w.Step = nil
			if found[0] != found[1] || found[0] != found[2] {
				t.Errorf("became %v", found)
			}
			if n := w.Count(found[0], evidence.Collect, evidence.Outcome); n != docks {
				t.Errorf("%d outcomes, want %d", n, docks)
			}
			for i, u := range uploads {
				signed, err := w.Custody.Receipt(ctx, u)
				must(t, err)
				_, err = receipt.Check(signed, w.Trust(), receipt.Expect{Device: "CAM", FileName: fmt.Sprintf("%d-%d", round, i), Digest: sha256.Sum256(data), Length: int64(len(data))})
				must(t, err)
			}
		}
		if objects, _, err := w.Vault.Totals(ctx); err != nil || objects != 4 {
			t.Errorf("%d objects, %v", objects, err)
		}
		clean(t, w)
	})
}

// The bytes that count are those that stay: a second copy's good reading says
// nothing of a first that has rotted meanwhile.
func TestAKnownFileIsReadBackWhereItIs(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, data := t.Context(), footage(1, 70_000)
		recording, _ := w.Collect(data, "CAM-1", "a.mp4")
		r, err := w.Catalogue.Get(ctx, recording)
		must(t, err)
		w.Damage(r.Segments[0].Object)
		upload := w.Upload(custodytest.Dock("d"), data)
		_, _, err = w.Custody.Collect(ctx, custodytest.Dock("d"), upload, custodytest.Capture(data, "CAM-1", "a.mp4"))
		want(t, evidence.Corrupt, err)
		_, err = w.Custody.Receipt(ctx, upload)
		want(t, evidence.NotFound, err)
	})
}

func TestSegmentsOfOneGroupInAnyOrder(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		var recording evidence.ID
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, seq := range []int{3, 1, 2} {
			data := footage(uint64(seq), 1000*seq)
			c := custodytest.Capture(data, "CAM-1", fmt.Sprintf("take_%d.mp4", seq))
			c.Group, c.Sequence, c.Started = "take", seq, c.Started.Add(time.Duration(seq)*time.Minute)
			upload := w.Upload(custodytest.Dock("d"), data)
			wg.Go(func() {
				id, _, err := w.Custody.Collect(t.Context(), custodytest.Dock("d"), upload, c)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || recording != "" && recording != id {
					t.Errorf("segment %d: %s, %v", seq, id, err)
				}
				recording = id
			})
		}
		wg.Wait()
		r, err := w.Catalogue.Get(t.Context(), recording)
		must(t, err)
		if len(r.Segments) != 3 {
			t.Fatalf("%d segments", len(r.Segments))
		}
		for i, s := range r.Segments {
			if s.Sequence != i+1 || s.Length != int64(1000*(i+1)) {
				t.Errorf("place %d: %+v", i, s)
			}
		}
		clean(t, w)
	})
}

func TestWhatIsNotWhatTheDockReadIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, dock := t.Context(), custodytest.Dock("d")
		data := footage(1, 70_000)
		other := custodytest.Capture(footage(2, 70_000), "CAM-1", "a.mp4")
		longer := custodytest.Capture(data, "CAM-1", "a.mp4")
		longer.Length++
		onlyLength := evidence.Capture{Device: "CAM-1", FileName: "a.mp4", Length: 5}
		for name, capture := range map[string]evidence.Capture{"digest": other, "length": longer, "length alone": onlyLength} {
			upload := w.Upload(dock, data)
			for range 2 { // it stays refused
				_, _, err := w.Custody.Collect(ctx, dock, upload, capture)
				want(t, evidence.Corrupt, err)
			}
			_, err := w.Custody.Receipt(ctx, upload)
			want(t, evidence.NotFound, err)
			if n := w.Count(upload, evidence.Collect, evidence.Failed); n != 2 {
				t.Errorf("%s: %d failures on record, want 2", name, n)
			}
			must(t, w.Custody.Abandon(ctx, dock, upload))
		}
		if objects, _, err := w.Vault.Totals(ctx); err != nil || objects != 0 {
			t.Errorf("%d objects were kept, %v", objects, err)
		}
		// What the dock names nothing of is taken as it is.
		upload := w.Upload(dock, data)
		_, _, err := w.Custody.Collect(ctx, dock, upload, evidence.Capture{Device: "CAM-1", FileName: "a.mp4"})
		must(t, err)
		clean(t, w)
	})
}

func TestStorageThatGivesOtherBytesBackGetsNoReceipt(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, dock, data := t.Context(), custodytest.Dock("d"), footage(1, 70_000)
		upload := w.Upload(dock, data)
		w.Step = func(name string) {
			if name == "collect.readback" {
				w.Damage(upload)
			}
		}
		_, _, err := w.Custody.Collect(ctx, dock, upload, custodytest.Capture(data, "CAM-1", "a.mp4"))
		want(t, evidence.Corrupt, err)
		w.Step = nil
		if n := w.Count(upload, evidence.Collect, evidence.Failed); n != 1 {
			t.Errorf("%d failures on record, want 1", n)
		}
		_, err = w.Custody.Receipt(ctx, upload)
		want(t, evidence.NotFound, err)
		must(t, w.Custody.Abandon(ctx, dock, upload))

		// The dock begins again, and now all is well.
		w.Collect(data, "CAM-1", "a.mp4")
		clean(t, w)
	})
}

func TestWhoMayNotBringFootageIsRefusedOnRecord(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, data := t.Context(), footage(1, 100)
		officer := custodytest.Person(access.Officer, "4711")
		_, err := w.Custody.Receive(ctx, officer, 100)
		want(t, evidence.Denied, err)
		upload := w.Upload(custodytest.Dock("d"), data)
		_, _, err = w.Custody.Collect(ctx, officer, upload, custodytest.Capture(data, "CAM-1", "a.mp4"))
		want(t, evidence.Denied, err)
		want(t, evidence.Denied, w.Custody.Abandon(ctx, officer, upload))
		if n := w.Count("intake", evidence.Collect, evidence.Refused); n != 2 {
			t.Errorf("%d refusals at the intake, want 2", n)
		}
		if n := w.Count(upload, evidence.Collect, evidence.Refused); n != 1 {
			t.Errorf("%d refusals of the upload, want 1", n)
		}
		if n, _, err := w.Custody.Received(ctx, upload); err != nil || n != 100 {
			t.Errorf("the upload is %d bytes long, %v", n, err)
		}
	})
}

func TestSweepTakesOnlyWhatNobodyWants(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, dock := t.Context(), custodytest.Dock("d")
		kept, _ := w.Collect(footage(1, 70_000), "CAM-1", "a.mp4")
		pending := w.Upload(dock, footage(2, 100))
		left := w.Upload(dock, footage(3, 100))
		w.Clock.Move(25 * time.Hour)
		young := w.Upload(dock, footage(4, 100))
		isPending := func(_ context.Context, id evidence.ID) (bool, error) { return id == pending, nil }
		n, err := w.Custody.Sweep(ctx, w.Clock.Now().Add(-24*time.Hour), isPending)
		must(t, err)
		if n != 1 {
			t.Errorf("swept %d", n)
		}
		for id, there := range map[evidence.ID]bool{pending: true, young: true, left: false} {
			_, _, err := w.Custody.Received(ctx, id)
			if there != (err == nil) {
				t.Errorf("%s: %v", id, err)
			}
		}
		must(t, w.Custody.Verify(ctx, evidence.Server("test"), kept))
		clean(t, w)
	})
}
