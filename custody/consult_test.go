package custody_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/bundle"
	"custos/custody"
	"custos/custody/custodytest"
	"custos/database"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/tlog"
	"custos/vault"
)

var review = evidence.Purpose{Code: "review", Reference: "CR/12345/26"}

// poster gives segment 1 of a recording a poster.
func poster(t *testing.T, w *custodytest.World, recording evidence.ID) {
	t.Helper()
	must(t, derivePoster(t.Context(), w, recording, "a poster"))
}

func derivePoster(ctx context.Context, w *custodytest.World, recording evidence.ID, picture string) error {
	return w.Custody.Derive(ctx, evidence.Server("test"), recording, 1, "prepare",
		func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
			return custody.Derived{
				Media:  &evidence.Media{State: evidence.MediaPlayable, Type: "video/mp4"},
				Copies: []custody.NewCopy{{Kind: evidence.Poster, Type: "image/jpeg", Tool: "test 1", Data: custody.InMemory([]byte(picture))}},
			}, nil
		})
}

func readAll(t *testing.T, c *custody.Content, err error) []byte {
	t.Helper()
	must(t, err)
	b, err := io.ReadAll(c.Cursor())
	must(t, err)
	must(t, c.Close())
	return b
}

// disclose lets a recording out to nowhere, reading all of it.
func disclose(ctx context.Context, w *custodytest.World, actor evidence.Actor, recordings ...evidence.ID) error {
	return w.Custody.Disclose(ctx, actor, recordings, review, "Defence solicitors", "", func(ctx context.Context, d *custody.Disclosure) (evidence.Digest, error) {
		for _, m := range d.Masters() {
			c, err := d.Open(ctx, m)
			if err != nil {
				return evidence.Digest{}, err
			}
			_, err = io.Copy(io.Discard, c.Cursor())
			if err := errors.Join(err, c.Close()); err != nil {
				return evidence.Digest{}, err
			}
		}
		return evidence.Digest{7}, nil
	})
}

// Whatever reads an object in final storage finds the intent of the act that
// reads it durable already, as another connection to the database sees it.
func TestIntentIsDurableBeforeTheFirstByte(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, data := t.Context(), footage(1, 150_000)
		officer := custodytest.Person(access.Officer, "4711")
		reads, item, verb, acts := 0, evidence.ID(""), evidence.Collect, 1
		w.Read = func() {
			reads++
			if w.Count(item, verb, evidence.Intent) != acts {
				t.Errorf("%s: bytes were read before the intent was on record", verb)
			}
		}
		item = w.Upload(custodytest.Dock("d"), data)
		recording, _, err := w.Custody.Collect(ctx, custodytest.Dock("d"), item, custodytest.Capture(data, "CAM", "a"))
		must(t, err)
		acted := func(v evidence.Verb, n int, act func()) {
			t.Helper()
			item, verb, acts, reads = recording, v, n, 0
			act()
			if reads == 0 {
				t.Errorf("%s read nothing; the test is blind", v)
			}
		}
		acted(evidence.Derive, 1, func() {
			must(t, w.Custody.Derive(ctx, evidence.Server("test"), recording, 1, "prepare", func(_ context.Context, s evidence.Segment, master *custody.Content) (custody.Derived, error) {
				if got, err := io.ReadAll(master.Cursor()); err != nil || !bytes.Equal(got, data) {
					t.Errorf("read %d bytes, %v", len(got), err)
				}
				return custody.Derived{Copies: []custody.NewCopy{{Kind: evidence.Poster, Type: "image/jpeg", Tool: "test 1", Data: custody.InMemory([]byte("poster"))}}}, nil
			}))
		})
		acted(evidence.Consult, 1, func() {
			if got := func() []byte { c, err := w.Custody.Glance(ctx, officer, recording, 1); return readAll(t, c, err) }(); string(got) != "poster" {
				t.Errorf("the poster is %q", got)
			}
		})
		acted(evidence.Consult, 2, func() {
			k, err := w.Custody.Consult(ctx, officer, recording, review)
			must(t, err)
			c, err := w.Custody.Master(ctx, officer, k.ID, 1)
			if got := readAll(t, c, err); !bytes.Equal(got, data) {
				t.Errorf("the master has %d bytes", len(got))
			}
		})
		acted(evidence.Verify, 1, func() { must(t, w.Custody.Verify(ctx, evidence.Server("test"), recording)) })
		acted(evidence.Disclose, 1, func() {
			must(t, disclose(ctx, w, custodytest.Person(access.DisclosureOfficer, ""), recording))
		})
	})
}

func TestAViewingCountsItsBytesAndEnds(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, data := t.Context(), footage(1, 300_000)
		recording, _ := w.Collect(data, "CAM", "a")
		officer := custodytest.Person(access.Officer, "4711")
		_, err := w.Custody.Consult(ctx, officer, recording, evidence.Purpose{Code: "curiosity"})
		want(t, evidence.Invalid, err)
		k, err := w.Custody.Consult(ctx, officer, recording, review)
		must(t, err)

		elsewhere, other := officer, custodytest.Person(access.Supervisor, "1")
		elsewhere.Session = "another browser"
		for _, a := range []evidence.Actor{elsewhere, other} {
			_, err := w.Custody.Consulting(ctx, a, k.ID)
			want(t, evidence.NotFound, err)
			_, err = w.Custody.Master(ctx, a, k.ID, 1)
			want(t, evidence.NotFound, err)
			want(t, evidence.NotFound, w.Custody.EndConsult(ctx, a, k.ID, 0))
		}
		_, err = w.Custody.Master(ctx, officer, k.ID, 2)
		want(t, evidence.NotFound, err)

		c, err := w.Custody.Master(ctx, officer, k.ID, 1)
		must(t, err)
		p := make([]byte, 1000)
		if n, err := c.ReadAt(p, 299_500); n != 500 || !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], data[299_500:]) {
			t.Errorf("read %d bytes, %v", n, err)
		}
		cur := c.Cursor()
		if _, err := cur.Seek(100_000, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(cur, p); err != nil || !bytes.Equal(p, data[100_000:101_000]) {
			t.Errorf("read: %v", err)
		}
		w.Clock.Move(10 * time.Minute)
		must(t, w.Custody.EndConsult(ctx, officer, k.ID, 9*time.Minute))
		must(t, w.Custody.EndConsult(ctx, officer, k.ID, 0))
		must(t, w.Custody.EndExpired(ctx))
		_, err = w.Custody.Consulting(ctx, officer, k.ID)
		want(t, evidence.NotFound, err)
		if _, err := c.ReadAt(p, 0); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("reading went on past the end: %v", err)
		}
		if _, err := cur.Read(p); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("reading went on past the end: %v", err)
		}
		must(t, c.Close())
		events := w.Events(recording)
		last := events[len(events)-1]
		if w.Count(recording, evidence.Consult, evidence.Outcome) != 1 || last.Get("bytes") != "1500" || last.Get("watched_ms") != "540000" ||
			last.Get("open_ms") != "600000" || last.Get("ended") != "closed" || last.Get("purpose") != "review" || last.Get("actor_number") != "4711" {
			t.Errorf("the outcome is %+v", last.Fields)
		}
		by, at, ok, err := w.Custody.LastConsulted(ctx, recording)
		if err != nil || !ok || by.ID != officer.ID || !at.Equal(k.Opened) {
			t.Errorf("last viewed by %v at %v, %v, %v", by, at, ok, err)
		}
	})
}

func TestAViewingExpires(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 70_000), "CAM", "a")
		officer := custodytest.Person(access.Officer, "4711")
		k, err := w.Custody.Consult(ctx, officer, recording, review)
		must(t, err)
		c, err := w.Custody.Master(ctx, officer, k.ID, 1)
		must(t, err)
		var one [1]byte
		for range 5 { // reading keeps it alive, without opening anything
			w.Clock.Move(14 * time.Minute)
			_, err := c.ReadAt(one[:], 0)
			must(t, err)
			must(t, w.Custody.EndExpired(ctx))
		}
		w.Clock.Move(16 * time.Minute)
		_, err = c.ReadAt(one[:], 0)
		want(t, evidence.NotFound, err)
		must(t, c.Close())
		must(t, w.Custody.EndExpired(ctx))
		must(t, w.Custody.EndExpired(ctx))
		events := w.Events(recording)
		if last := events[len(events)-1]; last.Get("ended") != "left" || last.Get("bytes") != "5" || w.Count(recording, evidence.Consult, evidence.Outcome) != 1 {
			t.Errorf("the outcome is %+v", last.Fields)
		}

		// However much it is used, it ends after 12 hours.
		k, err = w.Custody.Consult(ctx, officer, recording, review)
		must(t, err)
		for w.Clock.Now().Before(k.Opened.Add(12 * time.Hour)) {
			now, err := w.Custody.Consulting(ctx, officer, k.ID)
			must(t, err)
			if now.Expires.After(k.Opened.Add(12 * time.Hour)) {
				t.Fatalf("expires %v after it was opened", now.Expires.Sub(k.Opened))
			}
			w.Clock.Move(10 * time.Minute)
		}
		w.Clock.Move(time.Second)
		_, err = w.Custody.Consulting(ctx, officer, k.ID)
		want(t, evidence.NotFound, err)
	})
}

// After a restart an open viewing goes on; its outcome does not claim to know
// what the server before it served.
func TestARestartAndAViewing(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 70_000), "CAM", "a")
		officer := custodytest.Person(access.Officer, "4711")
		k, err := w.Custody.Consult(ctx, officer, recording, review)
		must(t, err)
		abandoned, err := w.Custody.Consult(ctx, officer, recording, review)
		must(t, err)
		w.Reopen()
		c, err := w.Custody.Master(ctx, officer, k.ID, 1)
		readAll(t, c, err)
		must(t, w.Custody.EndConsult(ctx, officer, k.ID, 0))
		events := w.Events(recording)
		if last := events[len(events)-1]; last.Get("bytes") != "" || last.Get("bytes_at_least") != "70000" {
			t.Errorf("the outcome is %+v", last.Fields)
		}
		w.Clock.Move(16 * time.Minute)
		w.Reopen()
		must(t, w.Custody.EndExpired(ctx))
		if n := w.Count(recording, evidence.Consult, evidence.Outcome); n != 2 {
			t.Errorf("%d outcomes, want 2", n)
		}
		_, err = w.Custody.Consulting(ctx, officer, abandoned.ID)
		want(t, evidence.NotFound, err)
	})
}

func TestAGlanceIsRecordedOnceASession(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 100), "CAM", "a")
		officer := custodytest.Person(access.Officer, "4711")
		_, err := w.Custody.Glance(ctx, officer, recording, 1)
		want(t, evidence.NotFound, err)
		if n := w.Count(recording, evidence.Consult, evidence.Intent); n != 0 {
			t.Errorf("a look at nothing is on record %d times", n)
		}
		poster(t, w, recording)
		look := func(a evidence.Actor, looks int) {
			t.Helper()
			c, err := w.Custody.Glance(ctx, a, recording, 1)
			readAll(t, c, err)
			if n := w.Count(recording, evidence.Consult, evidence.Intent); n != looks {
				t.Errorf("%d looks on record, want %d", n, looks)
			}
		}
		look(officer, 1)
		look(officer, 1)
		w.Reopen()
		look(officer, 1)
		tomorrow := officer
		tomorrow.Session = "tomorrow"
		look(tomorrow, 2)
		w.Clock.Move(25 * time.Hour) // no session lasts that long: its row may go
		must(t, w.Custody.EndExpired(ctx))
		w.Reopen()
		look(officer, 3)
		_, err = w.Custody.Glance(ctx, custodytest.Person(access.Officer, "9999"), recording, 1)
		want(t, evidence.Denied, err)
		if n := w.Count(recording, evidence.Consult, evidence.Refused); n != 1 {
			t.Errorf("%d refusals on record", n)
		}
	})
}

// Every verb, by somebody who may not: Denied, never nil, and on record. So
// too while nothing can be put on record: then it is Denied all the same.
func TestWhoMayNotIsRefusedAndOnRecord(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx := t.Context()
		recording, _ := w.Collect(footage(1, 100), "CAM", "a")
		poster(t, w, recording)
		stranger := custodytest.Person(access.ControlRoom, "1")
		verbs := map[string]struct {
			item evidence.ID
			verb evidence.Verb
			do   func() error
		}{
			"receive": {"intake", evidence.Collect, func() error { _, err := w.Custody.Receive(ctx, stranger, 1); return err }},
			"collect": {"0123456789abcdefghjkmnpqrs", evidence.Collect, func() error {
				_, _, err := w.Custody.Collect(ctx, stranger, "0123456789abcdefghjkmnpqrs", evidence.Capture{Device: "CAM"})
				return err
			}},
			"abandon": {"intake", evidence.Collect, func() error { return w.Custody.Abandon(ctx, stranger, "0123456789abcdefghjkmnpqrs") }},
			"consult": {recording, evidence.Consult, func() error { _, err := w.Custody.Consult(ctx, stranger, recording, review); return err }},
			"glance":  {recording, evidence.Consult, func() error { _, err := w.Custody.Glance(ctx, stranger, recording, 1); return err }},
			"find":    {recording, access.Find, func() error { _, err := w.Custody.Find(ctx, stranger, recording); return err }},
			"history": {recording, access.Trail, func() error { _, err := w.Custody.History(ctx, stranger, recording); return err }},
			"derive": {recording, evidence.Derive, func() error {
				return w.Custody.Derive(ctx, stranger, recording, 1, "x", func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
					t.Error("built for somebody who may not")
					return custody.Derived{}, nil
				})
			}},
			"disclose": {recording, evidence.Disclose, func() error { return disclose(ctx, w, stranger, recording) }},
			"verify":   {recording, evidence.Verify, func() error { return w.Custody.Verify(ctx, stranger, recording) }},
			"backup": {"service", evidence.Administer, func() error {
				return w.Custody.Backup(ctx, stranger, nil, nil)
			}},
			"restore": {"service", evidence.Administer, func() error { return w.Custody.Restore(ctx, stranger, nil) }},
			"administer": {"service", evidence.Administer, func() error {
				return w.Custody.Administer(ctx, stranger, nil, nil)
			}},
		}
		for name, v := range verbs {
			before := w.Count(v.item, v.verb, evidence.Refused)
			want(t, evidence.Denied, v.do())
			if n := w.Count(v.item, v.verb, evidence.Refused); n != before+1 {
				t.Errorf("%s: %d refusals on record, want %d", name, n, before+1)
			}
		}
		clean(t, w)
		w.Forget()
		for _, v := range verbs {
			want(t, evidence.Denied, v.do())
		}
	})
}

// No record, no act: neither when an old backup of the database was brought
// back nor when the disk under the log fails, whatever is open or was seen
// before.
func TestWhileTheLedgerTakesNothingNothingLeaves(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) { stoppedStory(t, w, func(evidence.ID) { w.Forget() }) })
}

func TestWhileTheDiskUnderTheLogIsBrokenNothingLeaves(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		stoppedStory(t, w, func(recording evidence.ID) {
			// In one step: what is being written there would come between the steps of removing it.
			must(t, os.Rename(filepath.Dir(w.Published), filepath.Dir(w.Published)+".gone"))
			// That no checkpoint can follow an event, the ledger finds out by
			// itself, after the first event of this or before the second.
			if err := w.Custody.Verify(t.Context(), evidence.Server("test"), recording); err != nil {
				want(t, evidence.Unavailable, err)
			}
			for w.Ledger.Accepts() == nil {
				time.Sleep(time.Millisecond)
			}
		})
	})
}

func stoppedStory(t *testing.T, w *custodytest.World, stop func(recording evidence.ID)) {
	ctx, data := t.Context(), footage(1, 70_000)
	recording, _ := w.Collect(data, "CAM", "a")
	poster(t, w, recording)
	officer, system := custodytest.Person(access.Officer, "4711"), evidence.Server("test")
	c, err := w.Custody.Glance(ctx, officer, recording, 1)
	readAll(t, c, err)
	k, err := w.Custody.Consult(ctx, officer, recording, review)
	must(t, err)
	dock := custodytest.Dock("d")
	known, fresh := w.Upload(dock, data), w.Upload(dock, footage(2, 100))
	stop(recording)

	w.Read = func() { t.Error("bytes of a kept object were read") }
	unavailable := func(what string, err error) {
		t.Helper()
		if evidence.CodeOf(err) != evidence.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = w.Custody.Glance(ctx, officer, recording, 1)
	unavailable("poster seen before", err)
	_, err = w.Custody.Master(ctx, officer, k.ID, 1)
	unavailable("viewing opened before", err)
	_, err = w.Custody.Copy(ctx, officer, k.ID, 1, evidence.Poster)
	unavailable("copy in a viewing opened before", err)
	_, err = w.Custody.Consult(ctx, officer, recording, review)
	unavailable("viewing", err)
	unavailable("ending a viewing", w.Custody.EndConsult(ctx, officer, k.ID, 0))
	unavailable("export", disclose(ctx, w, custodytest.Person(access.DisclosureOfficer, ""), recording))
	unavailable("verify", w.Custody.Verify(ctx, system, recording))
	unavailable("derive", derivePoster(ctx, w, recording, "b"))
	_, err = w.Custody.Glance(ctx, custodytest.Person(access.Investigator, ""), recording, 1)
	unavailable("poster", err)
	_, _, err = w.Custody.Collect(ctx, dock, known, custodytest.Capture(data, "CAM", "a"))
	unavailable("collect known bytes", err)
	_, _, err = w.Custody.Collect(ctx, dock, fresh, custodytest.Capture(footage(2, 100), "CAM", "b"))
	unavailable("collect", err)
	unavailable("backup", w.Custody.Backup(ctx, access.Operator("root"), nil, nil))
	unavailable("administer", w.Custody.Administer(ctx, access.Operator("root"), nil, func(*database.Tx) error { return nil }))
	w.Clock.Move(time.Hour)
	must(t, w.Custody.EndExpired(ctx)) // a server goes on, for people to read what is wrong
}

func TestWorkingCopies(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, data := t.Context(), footage(1, 70_000)
		recording, _ := w.Collect(data, "CAM", "a")
		poster(t, w, recording)
		want(t, evidence.Conflict, derivePoster(ctx, w, recording, "another"))
		broken := errors.New("the tool quotes footage here")
		err := w.Custody.Derive(ctx, evidence.Server("test"), recording, 1, "proxy", func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
			return custody.Derived{}, broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		events := w.Events(recording)
		last := events[len(events)-1]
		if w.Count(recording, evidence.Derive, evidence.Failed) != 2 || last.Get("what") != "proxy" || strings.Contains(last.Get("reason"), "quotes") {
			t.Errorf("the failure on record is %+v", last.Fields)
		}
		err = w.Custody.Derive(ctx, evidence.Server("test"), recording, 1, "proxy", func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
			return custody.Derived{Copies: []custody.NewCopy{
				{Kind: evidence.Proxy, Type: "video/mp4", Tool: "t", Data: custody.InMemory(data)},
				{Kind: evidence.Waveform, Type: "x", Tool: "t", Data: io.MultiReader(bytes.NewReader(data), failing{})},
			}}, nil
		})
		if err == nil {
			t.Error("half of the copies were enough")
		}
		if left, err := w.Vault.Uploads(ctx); err != nil || len(left) != 0 {
			t.Errorf("failed copies were left behind: %v, %v", left, err)
		}
		officer := custodytest.Person(access.Officer, "4711")
		k, err := w.Custody.Consult(ctx, officer, recording, review)
		must(t, err)
		c, err := w.Custody.Copy(ctx, officer, k.ID, 1, evidence.Poster)
		if got := readAll(t, c, err); string(got) != "a poster" {
			t.Errorf("the first one's did not stay: %q", got)
		}
		_, err = w.Custody.Copy(ctx, officer, k.ID, 1, evidence.Proxy)
		want(t, evidence.NotFound, err)
		m, err := w.Custody.Master(ctx, officer, k.ID, 1)
		if got := readAll(t, m, err); !bytes.Equal(got, data) {
			t.Error("the master was changed")
		}
		clean(t, w)
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestDisclosures(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, who := t.Context(), custodytest.Person(access.DisclosureOfficer, "")
		a, _ := w.Collect(footage(1, 70_000), "CAM", "a")
		b, _ := w.Collect(footage(2, 70_000), "CAM", "b")
		want(t, evidence.Invalid, disclose(ctx, w, who))
		want(t, evidence.Invalid, disclose(ctx, w, who, a, b, a))
		want(t, evidence.NotFound, disclose(ctx, w, who, a, "0123456789abcdefghjkmnpqrs"))
		if w.Count(a, evidence.Disclose, evidence.Intent) != 0 {
			t.Error("an intent is on record of a disclosure that could not begin")
		}
		given, cancel := context.WithCancel(ctx)
		full := errors.New("disc full")
		err := w.Custody.Disclose(given, who, []evidence.ID{a, b}, review, "Court", "", func(ctx context.Context, d *custody.Disclosure) (evidence.Digest, error) {
			histories, _, err := d.Histories(ctx)
			must(t, err)
			for i, h := range histories {
				last := h.Events[len(h.Events)-1]
				if h.Pending != 0 || h.Recording != d.Recordings[i].ID || !slices.ContainsFunc(last.Fields, func(f tlog.OpenField) bool { return f.Name == bundle.BundleField }) {
					t.Errorf("the history of %s does not end with the intent", h.Recording)
				}
			}
			cancel() // whoever asked gives up
			return evidence.Digest{}, full
		})
		if !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
		for _, r := range []evidence.ID{a, b} {
			if w.Count(r, evidence.Disclose, evidence.Failed) != 1 || w.Count(r, evidence.Disclose, evidence.Outcome) != 0 {
				t.Error("the failure is not on record")
			}
		}
		must(t, disclose(ctx, w, who, b, a))
		for _, r := range []evidence.ID{a, b} {
			if w.Count(r, evidence.Disclose, evidence.Outcome) != 1 {
				t.Error("the outcome is not on record")
			}
		}
		clean(t, w)
	})
}

func TestBackupAndRestore(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, operator := t.Context(), access.Operator("root")
		recording, _ := w.Collect(footage(1, 70_000), "CAM", "a")
		r, err := w.Catalogue.Get(ctx, recording)
		must(t, err)
		name := w.ObjectName(r.Segments[0].Object)
		elsewhere := durabletest.NewMemory()
		store, err := vault.OpenFolder(elsewhere, -1)
		must(t, err)
		var copied int64
		must(t, w.Custody.Backup(ctx, operator, store, func(n int64) { copied += n }))
		if copied < 70_000 {
			t.Errorf("%d bytes were copied", copied)
		}
		must(t, w.Disk.Remove("objects/"+name[len(name)-2:]+"/"+name))
		want(t, evidence.Corrupt, w.Custody.Verify(ctx, operator, recording))
		must(t, w.Custody.Restore(ctx, operator, store))
		must(t, w.Custody.Verify(ctx, operator, recording))
		if n := w.Count("service", evidence.Administer, evidence.Intent); n != 2 {
			t.Errorf("%d acts on the service on record, want 2", n)
		}
		clean(t, w)
	})
}

func TestNoChangeOfTheServiceWithoutItsRecord(t *testing.T) {
	each(t, func(t *testing.T, w *custodytest.World) {
		ctx, operator := t.Context(), access.Operator("root")
		no := errors.New("no")
		if err := w.Custody.Administer(ctx, operator, nil, func(*database.Tx) error { return no }); !errors.Is(err, no) {
			t.Errorf("got %v", err)
		}
		add := func(fields ...evidence.Field) error {
			return w.Custody.Administer(ctx, operator, fields, func(tx *database.Tx) error {
				_, _, err := w.Identity.AddDock(ctx, tx, "front desk")
				return err
			})
		}
		want(t, evidence.Invalid, add(evidence.F("verb", "no field of ours")))
		if docks, err := w.Identity.Docks(ctx); err != nil || len(docks) != 0 {
			t.Errorf("a dock without a record: %v, %v", docks, err)
		}
		must(t, add(evidence.F("dock", "front desk")))
		if n := w.Count("service", evidence.Administer, evidence.Outcome); n != 1 {
			t.Errorf("%d acts on record", n)
		}
	})
}
