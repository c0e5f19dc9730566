package dock_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/camera/cameratest"
	"custos/client/clienttest"
	"custos/dock"
	"custos/evidence"
	"custos/receipt"
	"custos/tlog/tlogtest"
)

func TestACameraIsEmptiedIntoTheVault(t *testing.T) {
	w := newWorld(t, 1)
	c := w.camera("bay1", "K-1")
	for i := range 5 {
		c.Write(path(i), footage(path(i), 1000), begin)
	}
	c.Write("README.TXT", []byte("x"), begin)
	w.settle()
	if left := media(c.Names()); len(left) != 0 || w.server.Len() != 5 {
		t.Errorf("left %q, vault has %d", left, w.server.Len())
	}
	s := w.status("K-1")
	if s.State != evidence.CameraReady || s.Files != 5 || s.Done != 5 || s.Wiped != 5 || s.LeftOver != 2 || s.Sent != s.Bytes || s.Officer != "4417" {
		t.Errorf("status %+v", s)
	}
	if !dock.Well(w.m.Status(w.now)) {
		t.Error("all is well, but it does not say so")
	}
}

func TestSameNamesFromTwoCameras(t *testing.T) {
	w := newWorld(t, 2)
	a, b := w.camera("bay1", "K-1"), w.camera("bay2", "K-2")
	a.Write(path(1), footage("first", 1000), begin)
	b.Write(path(1), footage("second", 1000), begin)
	// And the very same bytes under the same name from both.
	a.Write(path(2), footage("same", 1000), begin)
	b.Write(path(2), footage("same", 1000), begin)
	w.settle()
	if len(media(a.Names()))+len(media(b.Names())) != 0 || w.server.Len() != 3 || w.server.Uploads() != 4 {
		t.Errorf("vault has %d, %d uploads", w.server.Len(), w.server.Uploads())
	}
}

func TestAReusedCardIsReadAnew(t *testing.T) {
	w := newWorld(t, 3)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("monday", 1000), begin)
	w.settle()
	c.SetGone(true)
	w.run(3 * time.Second)
	c.Write(path(1), footage("tuesda", 1000), begin) // same name, size and time
	c.SetGone(false)
	w.settle()
	if !w.server.Holds(footage("monday", 1000)) || !w.server.Holds(footage("tuesda", 1000)) || len(media(c.Names())) != 0 {
		t.Error("one of the two films is missing")
	}
}

func TestAGrowingFileIsWaitedFor(t *testing.T) {
	w := newWorld(t, 4)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("a", 1000), begin)
	for i := range 30 {
		w.run(time.Second)
		c.Append(path(1), []byte("more"), begin.Add(time.Duration(i)*time.Second))
	}
	if w.server.Uploads() != 0 {
		t.Error("a growing file was uploaded")
	}
	if s := w.status("K-1"); s.State != evidence.CameraReading {
		t.Errorf("state %s", s.State)
	}
	full, _ := c.Data(path(1))
	w.settle()
	if !w.server.Holds(full) {
		t.Error("the whole film is not in the vault")
	}
}

// The file changes after each effect in turn: after the hash, the upload, the
// receipt, just before the wipe.
func TestAFileThatChangesIsANewFile(t *testing.T) {
	for n := 1; n <= 6; n++ {
		w := newWorld(t, uint64(n))
		c := w.camera("bay1", "K-1")
		c.Write(path(1), footage("first", 1000), begin)
		for w.effects < n && w.now.Since < time.Minute {
			w.step()
		}
		if _, there := c.Data(path(1)); !there {
			t.Fatalf("after effect %d it is already wiped", n)
		}
		c.Append(path(1), []byte("tail"), begin.Add(time.Second))
		now, _ := c.Data(path(1))
		w.settle()
		if !w.server.Holds(now) || len(media(c.Names())) != 0 {
			t.Errorf("after effect %d: the changed film is not in the vault", n)
		}
	}
}

func TestAnUnreadableSectorDoesNotHoldUpTheOthers(t *testing.T) {
	w := newWorld(t, 5)
	c := w.camera("bay1", "K-1")
	for i := range 4 {
		c.Write(path(i), footage(path(i), 5000), begin)
	}
	c.BreakAt(path(2), 3000)
	w.settle()
	if left := media(c.Names()); !slices.Equal(left, []string{path(2)}) || w.server.Len() != 3 {
		t.Errorf("left %q", left)
	}
	if s := w.status("K-1"); s.State != evidence.CameraProblem || s.Message == "" || dock.Well(w.m.Status(w.now)) {
		t.Errorf("status %+v", s)
	}
	// At the next docking the sector reads again.
	c.SetGone(true)
	w.run(2 * time.Second)
	c.BreakAt(path(2), -1)
	c.SetGone(false)
	w.settle()
	if len(media(c.Names())) != 0 || w.status("K-1").State != evidence.CameraReady {
		t.Error("it was not tried again")
	}
}

func TestAReadOnlyCardIsUploadedOnce(t *testing.T) {
	w := newWorld(t, 6)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("a", 1000), begin)
	c.SetReadOnly(true)
	w.settle()
	for range 3 {
		c.SetGone(true)
		w.run(2 * time.Second)
		c.SetGone(false)
		w.settle()
	}
	s := w.status("K-1")
	if w.server.Uploads() != 1 || s.State != evidence.CameraProblem || s.Done != 1 || s.Wiped != 0 || !strings.Contains(s.Message, "in the vault") {
		t.Errorf("%d uploads, status %+v", w.server.Uploads(), s)
	}
	// A new film under the name of the one that could not be removed.
	c.Write(path(1), footage("b", 1000), begin.Add(time.Hour))
	w.run(time.Second)
	w.settle()
	if !w.server.Holds(footage("b", 1000)) || w.server.Uploads() != 2 {
		t.Errorf("%d uploads", w.server.Uploads())
	}
	c.SetReadOnly(false)
	c.SetGone(true)
	w.run(2 * time.Second)
	c.SetGone(false)
	w.settle()
	if len(media(c.Names())) != 0 || w.server.Uploads() != 2 {
		t.Errorf("%d uploads, left %q", w.server.Uploads(), c.Names())
	}
}

func TestUnpluggedInTheMiddleAndBack(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		c := w.camera("bay1", "K-1")
		for i := range 6 {
			c.Write(path(i), footage(path(i), 2000), begin)
		}
		for range 4 {
			for n := w.effects + 3; w.effects < n && w.now.Since < time.Minute; {
				w.step()
			}
			c.SetGone(true)
			w.run(5 * time.Second)
			if s := w.status("K-1"); s.State != evidence.CameraGone {
				t.Errorf("state %s", s.State)
			}
			c.SetGone(false)
		}
		w.settle()
		if len(media(c.Names())) != 0 || w.server.Len() != 6 {
			t.Errorf("seed %d: left %q", seed, c.Names())
		}
	}
}

func TestServerFullThenAwayForAWeek(t *testing.T) {
	w := newWorld(t, 7)
	c := w.camera("bay1", "K-1")
	for i := range 30 {
		c.Write(path(i), footage(path(i), 2000), begin)
	}
	w.server.Set(clienttest.Faults{Full: true})
	w.run(10 * time.Minute)
	if s := w.status("K-1"); s.State != evidence.CameraWaiting || !strings.Contains(s.Message, "room") {
		t.Errorf("full: %+v", s)
	}
	w.server.Set(clienttest.Faults{Down: true})
	w.run(time.Minute)
	w.now.Since += 7 * 24 * time.Hour
	before := w.effects
	w.run(10 * time.Minute)
	if n := w.effects - before; n > 25 {
		t.Errorf("%d calls in ten minutes to a server that is away", n)
	}
	if s := w.status("K-1"); s.State != evidence.CameraWaiting || len(media(c.Names())) != 30 {
		t.Errorf("away: %+v", s)
	}
	w.server.Set(clienttest.Faults{})
	w.settle()
	if len(media(c.Names())) != 0 || !dock.Well(w.m.Status(w.now)) {
		t.Errorf("left %q, %+v", c.Names(), w.m.Status(w.now))
	}
}

// A full server is stopped, given room and started: the dock, which was asking
// for room when the server went away, need not wait long.
func TestServerRestartedWithRoom(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(t, seed)
		c := w.camera("bay1", "K-1")
		c.Write(path(1), footage(path(1), 2000), begin)
		w.server.Set(clienttest.Faults{Full: true})
		w.run(10 * time.Second)
		w.server.Set(clienttest.Faults{Down: true})
		w.run(20 * time.Second)
		w.server.Set(clienttest.Faults{})
		w.run(40 * time.Second)
		if len(media(c.Names())) != 0 {
			t.Errorf("seed %d: %+v", seed, w.m.Status(w.now))
		}
	}
}

func TestBytesDamagedOnTheWayAreSentAgain(t *testing.T) {
	w := newWorld(t, 8)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("a", 2000), begin)
	w.server.Set(clienttest.Faults{Flip: true})
	w.run(10 * time.Minute)
	if s := w.status("K-1"); s.State != evidence.CameraProblem || !strings.Contains(s.Message, "other bytes") {
		t.Errorf("status %+v", s)
	}
	if len(media(c.Names())) != 1 {
		t.Fatal("wiped")
	}
	w.server.Set(clienttest.Faults{})
	w.settle()
	if len(media(c.Names())) != 0 {
		t.Errorf("left %q", c.Names())
	}
}

func TestACardThatReadsDifferentlyEachTime(t *testing.T) {
	w := newWorld(t, 9)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("noise", 2000), begin)
	c.Write(path(2), footage("fine", 2000), begin)
	c.Noise(path(1))
	w.settle()
	s := w.status("K-1")
	if !slices.Equal(media(c.Names()), []string{path(1)}) || s.State != evidence.CameraProblem || !strings.Contains(s.Message, "differently each time") {
		t.Errorf("left %q, %+v", c.Names(), s)
	}
}

func TestAServerThatLosesUploads(t *testing.T) {
	w := newWorld(t, 10)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("a", 2000), begin)
	w.server.Set(clienttest.Faults{Collecting: true})
	w.run(20 * time.Second)
	w.server.Lose()
	w.server.Set(clienttest.Faults{})
	w.settle()
	if len(media(c.Names())) != 0 || w.server.Uploads() != 2 {
		t.Errorf("%d uploads, left %q", w.server.Uploads(), c.Names())
	}
}

func TestAReceiptThatDoesNotCheckOutIsAnAlarm(t *testing.T) {
	stranger := tlogtest.NewKey("receipts.test", "somebody else")
	for name, bad := range map[string]func(*world) func([]byte, receipt.Expect) []byte{
		"rubbish": func(*world) func([]byte, receipt.Expect) []byte {
			return func([]byte, receipt.Expect) []byte { return []byte("thank you") }
		},
		"bit flipped": func(*world) func([]byte, receipt.Expect) []byte {
			return func(n []byte, _ receipt.Expect) []byte {
				n = slices.Clone(n)
				n[len(n)/2] ^= 1
				return n
			}
		},
		"another key": func(w *world) func([]byte, receipt.Expect) []byte {
			n, err := w.server.ReceiptFor(receipt.Expect{Device: "K-1", FileName: path(1), Length: 1}, stranger)
			if err != nil {
				t.Fatal(err)
			}
			return func([]byte, receipt.Expect) []byte { return n }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 11)
			c := w.camera("bay1", "K-1")
			c.Write(path(1), footage("a", 2000), begin)
			w.server.Set(clienttest.Faults{BadReceipt: bad(w)})
			w.run(5 * time.Minute)
			if s := w.status("K-1"); s.State != evidence.CameraProblem || !strings.Contains(s.Message, "does not check out") || s.Done != 0 {
				t.Errorf("status %+v", s)
			}
			if len(media(c.Names())) != 1 {
				t.Fatal("wiped")
			}
			w.server.Set(clienttest.Faults{})
			w.settle()
			if len(media(c.Names())) != 0 {
				t.Error("it was not asked again")
			}
		})
	}
}

// The receipt of one file must not wipe another, whatever the server sends.
func TestTheReceiptOfAnotherFileWipesNothing(t *testing.T) {
	w := newWorld(t, 12)
	c := w.camera("bay1", "K-1")
	var other []byte
	w.server.Set(clienttest.Faults{BadReceipt: func(n []byte, want receipt.Expect) []byte {
		if want.FileName == path(1) {
			other = n
			return n
		}
		return other
	}})
	c.Write(path(1), footage("a", 2000), begin)
	w.settle()
	c.Write(path(2), footage("b", 2000), begin)
	w.run(time.Minute)
	if !slices.Equal(media(c.Names()), []string{path(2)}) {
		t.Errorf("left %q", c.Names())
	}
}

// A journal into which somebody has written a receipt wipes nothing.
func TestAForgedJournalWipesNothing(t *testing.T) {
	w := newWorld(t, 13)
	c := w.camera("bay1", "K-1")
	data := footage("a", 2000)
	c.Write(path(1), data, begin)
	forged, err := json.Marshal(map[string]any{
		"state": "wiping", "device": "K-1", "file": path(1), "sha256": evidence.Digest(sha256.Sum256(data)), "receipt": "yes",
		"capture": evidence.Capture{Device: "K-1", FileName: path(1), Digest: sha256.Sum256(data), Length: 2000},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.journal.records = [][]byte{forged}
	w.boot()
	w.server.Set(clienttest.Faults{Down: true})
	w.run(time.Minute)
	if len(media(c.Names())) != 1 {
		t.Fatal("wiped")
	}
	w.server.Set(clienttest.Faults{})
	w.settle()
	if len(media(c.Names())) != 0 || !w.server.Holds(data) {
		t.Error("it did not begin again")
	}
}

func TestTheWallClockMayJump(t *testing.T) {
	w := newWorld(t, 14)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("a", 2000), begin)
	for _, jump := range []time.Duration{-20 * 365 * 24 * time.Hour, 40 * 365 * 24 * time.Hour, -time.Hour} {
		w.run(time.Second)
		w.now.Wall = w.now.Wall.Add(jump)
	}
	began := w.now.Since
	w.settle()
	if len(media(c.Names())) != 0 || w.now.Since-began > time.Minute {
		t.Errorf("took %s", w.now.Since-began)
	}
}

// The offset is measured against the moment the camera came, and what was
// measured at first touch stands, whatever happens before the upload.
func TestTheFirstDockingsMeasurementsStand(t *testing.T) {
	w := newWorld(t, 22)
	w.server.Set(clienttest.Faults{Down: true})
	c := w.camera("bay1", "K-1")
	c.SetGone(true)
	w.run(5 * time.Second)
	first := w.now.Wall
	c.Write("CAMERA.JSON", []byte(`{"device":"K-1","clock":"`+first.Add(90*time.Second).Format(time.RFC3339)+`"}`), begin)
	c.Write(path(1), footage("a", 1000), begin)
	c.SetGone(false)
	w.run(time.Minute)
	w.boot() // power cut; the camera is there when the agent comes back
	w.now.Wall = w.now.Wall.Add(24 * time.Hour)
	w.server.Set(clienttest.Faults{})
	w.settle()
	captures := w.server.Captures()
	if len(captures) != 1 {
		t.Fatalf("%d captures", len(captures))
	}
	got := captures[0]
	if got.Offset == nil || got.Offset.Std() < 87*time.Second || got.Offset.Std() > 91*time.Second {
		t.Errorf("offset %v, want about 90 s", got.Offset)
	}
	if got.DockedAt.Before(first) || got.DockedAt.After(first.Add(time.Minute)) {
		t.Errorf("docked at %s, first seen at %s", got.DockedAt, first)
	}
	c.Write(path(2), footage("b", 1000), begin)
	w.settle()
	if got := w.server.Captures()[1]; got.Offset != nil {
		t.Errorf("a camera that was there before the agent has offset %s", got.Offset.Std())
	}
}

func TestEmptyFilesAreReportedAndLeft(t *testing.T) {
	w := newWorld(t, 15)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), nil, begin)
	w.settle()
	s := w.status("K-1")
	if s.State != evidence.CameraReady || s.LeftOver != 2 || !strings.Contains(s.Message, "empty files") || w.server.Uploads() != 0 {
		t.Errorf("status %+v", s)
	}
}

func TestPreviewsGoOnlyAfterTheirFilm(t *testing.T) {
	w := newWorld(t, 16)
	c := w.dockCard("GOPRO")
	c.Write("DCIM/100GOPRO/GX010001.MP4", footage("a", 2000), begin)
	c.Write("DCIM/100GOPRO/GX010001.THM", []byte("\xff\xd8\xff"), begin)
	c.Write("DCIM/100GOPRO/GX010002.THM", []byte("\xff\xd8\xff"), begin) // of a film that is not there
	w.settle()
	want := []string{"DCIM/100GOPRO/GX010001.MP4", "DCIM/100GOPRO/GX010001.THM"}
	if got := c.Removed(); !slices.Equal(got, want) {
		t.Errorf("removed %q, want %q", got, want)
	}
}

func TestACameraNobodyKnowsIsAProblem(t *testing.T) {
	w := newWorld(t, 17)
	c := w.dockCard("bay1")
	c.SetGone(false)
	w.cards["bay1"] = c // empty, so the generic profile takes it: nothing to do
	w.settle()
	if s := w.m.Status(w.now); !dock.Well(s) || len(s.Cameras) != 1 {
		t.Errorf("status %+v", s)
	}
}

// One camera with a hundred films must not hold up one with a single film.
func TestCamerasAreServedFairly(t *testing.T) {
	w := newWorld(t, 18)
	w.parallel = 1
	w.boot()
	a := w.camera("a", "K-1")
	for i := range 100 {
		a.Write(path(i), footage(path(i), 500), begin)
	}
	w.run(10 * time.Second)
	b := w.camera("b", "K-2")
	b.Write(path(1), footage("b", 500), begin)
	mark := len(w.calls)
	w.settle()
	before := 0
	for _, call := range w.calls[mark:] {
		if call == "create K-2/"+path(1) {
			break
		}
		if strings.HasPrefix(call, "create") {
			before++
		}
	}
	if before > 30 {
		t.Errorf("%d films of the other camera went first", before)
	}
}

func TestAJournalThatFailsStopsEverything(t *testing.T) {
	w := newWorld(t, 19)
	c := w.camera("bay1", "K-1")
	c.Write(path(1), footage("a", 2000), begin)
	w.journal.fail = errors.New("disk full")
	var failed error
	for range 100 {
		w.now.Since += time.Second
		w.m.SetBays([]string{"bay1"})
		jobs, err := w.m.Next(w.now)
		if err != nil {
			failed = err
			break
		}
		for _, j := range jobs {
			if err := w.m.Done(w.now, j, j.Run(t.Context(), w.bench())); err != nil {
				failed = err
			}
		}
	}
	if evidence.CodeOf(failed) != evidence.Unavailable || len(media(c.Names())) != 1 {
		t.Errorf("got %v, left %q", failed, c.Names())
	}
}

// Power goes at every effect, before and after it, and comes back.
func TestPowerCutAtEveryStep(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t, 20)
			w.killAt, w.after = n, after
			a, b := w.camera("a", "K-1"), w.camera("b", "K-2")
			for i := range 3 {
				a.Write(path(i), footage("a"+path(i), 700), begin)
				b.Write(path(i), footage("b"+path(i), 700), begin)
			}
			if !w.killed(w.settle) {
				if n < 30 {
					t.Fatalf("only %d effects", n)
				}
				break
			}
			w.killAt = 0
			w.boot()
			w.settle()
			if len(media(a.Names()))+len(media(b.Names())) != 0 || w.server.Len() != 6 {
				t.Errorf("cut at %d: vault has %d, left %q %q", n, w.server.Len(), a.Names(), b.Names())
			}
			if up := w.server.Uploads(); up > 7 {
				t.Errorf("cut at %d: %d uploads for 6 films", n, up)
			}
		}
	}
}

func TestCompactionKeepsWhatMatters(t *testing.T) {
	w := newWorld(t, 21)
	c := w.camera("bay1", "K-1")
	c.SetReadOnly(true)
	c.Write(path(1), footage("kept", 700), begin)
	w.settle()
	c.SetReadOnly(false)
	c.Write(path(2), footage("wiped", 700), begin)
	w.settle()
	memory := dock.NewMemory()
	for _, r := range w.journal.records {
		if err := memory.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := memory.Compact(&w.journal, begin.Add(time.Hour)); err != nil || len(w.journal.records) != 2 {
		t.Fatalf("%d records, %v", len(w.journal.records), err)
	}
	if err := memory.Compact(&w.journal, begin.Add(91*24*time.Hour)); err != nil || len(w.journal.records) != 1 {
		t.Fatalf("%d records, %v", len(w.journal.records), err)
	}
	w.boot()
	c.SetGone(true)
	w.run(time.Second)
	c.SetGone(false)
	w.settle()
	if len(media(c.Names())) != 0 || w.server.Uploads() != 2 {
		t.Errorf("%d uploads, left %q", w.server.Uploads(), c.Names())
	}
}

// Whatever happens in whatever order: what is wiped is in the vault (the
// guard in Remove), and when the trouble ends, everything gets there.
func TestNothingIsEverWipedThatIsNotInTheVault(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rapid.Uint64().Draw(rt, "seed"))
		cards := []*cameratest.Card{w.camera("a", "K-1"), w.camera("b", "K-2")}
		films := 0
		for range rapid.IntRange(1, 25).Draw(rt, "events") {
			c := rapid.SampledFrom(cards).Draw(rt, "card")
			name := path(rapid.IntRange(0, 3).Draw(rt, "name"))
			_, there := c.Data(name)
			switch rapid.IntRange(0, 10).Draw(rt, "event") {
			case 0, 1, 2:
				films++
				c.Write(name, footage(name+strings.Repeat("x", films), 600), begin.Add(time.Duration(films)*time.Second))
			case 3:
				if there {
					c.Append(name, []byte("more"), w.now.Wall)
				}
			case 4:
				c.SetGone(true)
			case 5:
				c.SetGone(false)
			case 6:
				c.SetReadOnly(rapid.Bool().Draw(rt, "on"))
			case 7:
				w.server.Set(clienttest.Faults{
					Down: rapid.Bool().Draw(rt, "down"), Full: rapid.Bool().Draw(rt, "full"),
					Flip: rapid.Bool().Draw(rt, "flip"), CutAfter: int64(rapid.IntRange(0, 400).Draw(rt, "cut")),
				})
			case 8:
				w.server.Lose()
			case 9:
				w.boot()
			case 10:
				if there {
					c.BreakAt(name, int64(rapid.IntRange(-1, 700).Draw(rt, "bad")))
				}
			}
			w.run(time.Duration(rapid.IntRange(1, 15).Draw(rt, "seconds")) * time.Second)
		}
		w.server.Set(clienttest.Faults{})
		for _, c := range cards {
			c.SetReadOnly(false)
			for _, n := range media(c.Names()) {
				c.BreakAt(n, -1)
			}
			c.SetGone(true)
		}
		w.run(2 * time.Second)
		for _, c := range cards {
			c.SetGone(false)
		}
		w.settle()
		for _, c := range cards {
			if left := media(c.Names()); len(left) != 0 {
				rt.Errorf("left %q: %+v", left, w.m.Status(w.now))
			}
		}
	})
}
