package disclosure_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"custos/access"
	"custos/bundle"
	"custos/custody/custodytest"
	"custos/database"
	"custos/database/databasetest"
	"custos/disclosure"
	"custos/evidence"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func request(w *custodytest.World, dir string, recordings ...evidence.ID) disclosure.Request {
	return disclosure.Request{
		Recordings: recordings, Purpose: evidence.Purpose{Code: "disclosure", Reference: "CR/1/26"}, Recipient: "Defence solicitors",
		Dir: dir, Force: "Thornshire Police", Software: "test", LogKey: w.Log.VKey, ReceiptKey: w.ReceiptKey,
	}
}

func TestABundleThatAnybodyCanCheck(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := custodytest.New(t, db)
		who := custodytest.Person(access.DisclosureOfficer, "")
		data := bytes.Repeat([]byte("footage "), 30_000)
		a, _ := w.Collect(data, "CAM-1", "DCIM/a.mp4")
		b, _ := w.Collect([]byte("short"), "CAM-2", "b.mp4")
		dir := filepath.Join(t.TempDir(), "bundle")
		q := request(w, dir, a, b)
		var done, total int64
		q.Progress = func(d, n int64) { done, total = d, n }
		summary, id, err := disclosure.Export(t.Context(), w.Custody, who, q)
		must(t, err)
		if done != int64(len(data)+5) || total != done {
			t.Errorf("%d of %d bytes", done, total)
		}
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		report, err := bundle.Verify(t.Context(), root.FS(), bundle.Options{LogKey: w.Log.VKey, ReceiptKey: w.ReceiptKey})
		must(t, err)
		if failed := report.Failed(); len(failed) != 0 || report.Bundle != id || len(report.Recordings) != 2 {
			t.Errorf("the bundle: %+v, failed %+v", report, failed)
		}
		for _, r := range []evidence.ID{a, b} {
			events := w.Events(r)
			last := events[len(events)-1]
			if last.Get("verb") != "disclose" || last.Get("phase") != "outcome" || last.Get(bundle.TagManifestField) != summary.TagManifest.String() ||
				last.Get("recipient") != "Defence solicitors" {
				t.Errorf("on record is %+v", last.Fields)
			}
		}
		_, _, err = disclosure.Export(t.Context(), w.Custody, who, q)
		if evidence.CodeOf(err) != evidence.Conflict || w.Count(a, evidence.Disclose, evidence.Failed) != 1 {
			t.Errorf("into a folder that is there: %v", err)
		}
	})
}

func TestADamagedMasterLeavesNoBundle(t *testing.T) {
	w := custodytest.New(t, databasetest.SQLite(t))
	a, _ := w.Collect(bytes.Repeat([]byte("x"), 100_000), "CAM-1", "a.mp4")
	r, err := w.Catalogue.Get(t.Context(), a)
	must(t, err)
	w.Damage(r.Segments[0].Object)
	dir := filepath.Join(t.TempDir(), "bundle")
	_, _, err = disclosure.Export(t.Context(), w.Custody, custodytest.Person(access.DisclosureOfficer, ""), request(w, dir, a))
	if evidence.CodeOf(err) != evidence.Corrupt {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a bundle appeared")
	}
	if w.Count(a, evidence.Disclose, evidence.Failed) != 1 || w.Count(a, evidence.Disclose, evidence.Outcome) != 0 {
		t.Error("the failure is not on record")
	}
}

func TestWhoMayNotExportGetsNothing(t *testing.T) {
	w := custodytest.New(t, databasetest.SQLite(t))
	a, _ := w.Collect([]byte("x"), "CAM-1", "a.mp4")
	dir := filepath.Join(t.TempDir(), "bundle")
	_, _, err := disclosure.Export(t.Context(), w.Custody, custodytest.Person(access.Officer, "4711"), request(w, dir, a))
	if evidence.CodeOf(err) != evidence.Denied || w.Count(a, evidence.Disclose, evidence.Refused) != 1 {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSealedToItsReceiver(t *testing.T) {
	w := custodytest.New(t, databasetest.SQLite(t))
	data := bytes.Repeat([]byte("secret footage "), 10_000)
	a, _ := w.Collect(data, "CAM-1", "a.mp4")
	receiver, err := age.GenerateX25519Identity()
	must(t, err)
	dir := filepath.Join(t.TempDir(), "bundle")
	q := request(w, dir, a)
	q.SealTo = []age.Recipient{receiver.Recipient()}
	_, _, err = disclosure.Export(t.Context(), w.Custody, custodytest.Person(access.DisclosureOfficer, ""), q)
	must(t, err)
	opened := 0
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("secret footage")) {
			t.Errorf("%s holds plaintext", path)
		}
		if filepath.Ext(path) == ".age" {
			r, err := age.Decrypt(bytes.NewReader(b), receiver)
			must(t, err)
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s opens to %d bytes, %v", path, len(got), err)
			}
			opened++
		}
		return err
	}))
	if opened != 1 {
		t.Errorf("%d sealed files", opened)
	}
}
