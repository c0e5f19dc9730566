package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/bundle"
	"custos/evidence"
	"custos/receipt"
	"custos/test/rig"
	"custos/tlog"
)

// One shift, from the cameras to the court. Each part can run alone.
func TestFromTheDockToTheVerifier(t *testing.T) {
	t.Parallel()
	f := newShift(t)
	f.tell(t, []part{
		{"cameras are emptied of what is in the vault", camerasEmptied},
		{"every wiped file has a receipt that checks", receiptsCheck},
		{"the catalogue shows what came", catalogueShows},
		{"everybody sees what is theirs", everybodySeesTheirs},
		{"bytes are those of the camera", bytesAreThoseOfTheCamera},
		{"what browsers cannot play gets a proxy", proxyOnDemand},
		{"the history checks out", historyChecksOut},
		{"the published log is whole", logIsWhole},
		{"a court verifies and names every tampering", courtVerifies},
		{"a sealed bundle opens for its receiver", sealedBundle},
		{"a stored master opens with stock age", storedMasterOpens},
		{"in the browser", inTheBrowser},
		{"every page as every role", everyPageAsEveryRole},
		{"fsck finds nothing wrong", fsckFindsNothing},
	})
}

// part is one part of a story.
type part struct {
	name string
	run  func(*testing.T, *shift)
}

func (f *shift) tell(t *testing.T, parts []part) {
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			p.run(t, &shift{s: f.s.For(t), central: f.central.For(t), north: f.north.For(t), native: f.native, stay: f.stay})
		})
	}
}

func fsckFindsNothing(t *testing.T, f *shift) { clean(t, f.s) }

func camerasEmptied(t *testing.T, f *shift) {
	var left []string
	err := filepath.WalkDir(f.central.Cameras, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(f.central.Cameras, p)
		left = append(left, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(left)
	slices.Sort(f.stay)
	if !slices.Equal(left, f.stay) {
		t.Errorf("left on the cameras:\n%q\nwant\n%q", left, f.stay)
	}
	if twice, err := filepath.Glob(f.north.Cameras + "/*/DCIM/*/*"); err != nil || len(twice) > 0 {
		t.Errorf("what was docked a second time was not wiped: %v %v", twice, err)
	}
}

func receiptsCheck(t *testing.T, f *shift) {
	trust := f.s.Trust()
	n := 0
	for _, d := range []*rig.Dock{f.central, f.north} {
		for _, r := range d.Receipts() {
			c := r.Capture
			b, ok := f.native[filepath.Base(c.FileName)]
			if !ok {
				t.Fatalf("a receipt for %q, which nobody docked", c.FileName)
			}
			want := receipt.Expect{Device: c.Device, FileName: c.FileName, Digest: digest(b), Length: int64(len(b))}
			if _, err := receipt.Check(r.Receipt, trust, want); err != nil {
				t.Errorf("%s: %v", c.FileName, err)
			}
			want.Digest[0] ^= 1
			if _, err := receipt.Check(r.Receipt, trust, want); evidence.CodeOf(err) != evidence.Invalid {
				t.Errorf("a receipt is good for other bytes: %v", err)
			}
			n++
		}
	}
	if want := len(f.native) + 1; n != want {
		t.Errorf("%d receipts for %d files", n, want)
	}
}

func catalogueShows(t *testing.T, f *shift) {
	all := f.prepared(t, f.s.SignIn("supervisor"))
	for at, want := range map[string]evidence.MediaState{
		"K-0417 100000": evidence.MediaPlayable, // H.264 in MP4
		"K-0417 110000": evidence.MediaProxy,    // MPEG-4 part 2 in AVI
		"K-0417 120000": evidence.MediaAudio,
		"K-0522 100000": evidence.MediaProxy, // H.264 in a transport stream
		"K-0522 110000": evidence.MediaProxy, // HEVC
		"K-0522 130000": evidence.MediaNone,  // cut off before its index
	} {
		r, ok := all[at]
		if !ok {
			t.Errorf("%s is not in the catalogue", at)
		} else if r.State != want {
			t.Errorf("%s is %s (%s), want %s", at, r.State, r.Why, want)
		} else if (want == evidence.MediaNone || want == evidence.MediaProxy) && r.Why == "" {
			t.Errorf("%s does not say why", at)
		} else if (r.Poster != "") != (want == evidence.MediaPlayable || want == evidence.MediaProxy) {
			t.Errorf("%s, %s, has poster %q", at, want, r.Poster)
		}
	}
	if s := all["K-0522 120000"].State; s != evidence.MediaPlayable && s != evidence.MediaProxy {
		t.Errorf("Matroska is %s", s)
	}
	for at := range all {
		if strings.HasSuffix(at, " 170000") || strings.HasSuffix(at, " 180000") || strings.HasSuffix(at, " 190000") {
			t.Errorf("%s is no footage and came in", at)
		}
	}

	r := all["K-0417 100000"]
	var sequence []int
	for _, s := range r.Segments {
		sequence = append(sequence, s.Sequence)
	}
	if !slices.Equal(sequence, []int{1, 2, 4}) || r.Category != "stop-search" || r.Officer != "4711" {
		t.Fatalf("segments %v, category %q, officer %q", sequence, r.Category, r.Officer)
	}
	if len(r.Gaps) != 1 || !slices.Equal(r.Gaps[0].Missing, []int{3}) || r.Gaps[0].After != r.Segments[1].Number ||
		r.Gaps[0].Length < 11_000 || r.Gaps[0].Length > 13_000 {
		t.Errorf("gaps: %+v", r.Gaps)
	}
	docks := map[string]int{}
	for _, a := range r.Arrivals {
		if a.Segment == r.Segments[0].Number {
			docks[a.Dock]++
		}
	}
	if len(r.Arrivals) != 4 || docks["central"] != 1 || docks["north"] != 1 {
		t.Errorf("arrivals: %+v", r.Arrivals)
	}
}

func everybodySeesTheirs(t *testing.T, f *shift) {
	all := f.prepared(t, f.s.SignIn("supervisor"))
	own, others := all["K-0417 100000"].ID, all["K-0522 100000"].ID
	officer, other := f.s.SignIn("officer"), f.s.SignIn("other")
	for _, c := range []struct {
		who    *rig.Person
		number string
	}{{officer, "4711"}, {other, "4702"}} {
		for _, k := range cards(t, c.who) {
			if k.Officer != c.number {
				t.Errorf("%s sees a recording of officer %s", c.number, k.Officer)
			}
		}
	}
	if mine := read(t, officer, own); !mine.Can.Consult || mine.Can.Export || mine.Can.Trail || mine.LastViewed != nil {
		t.Errorf("an officer may, of their own recording: %+v, last viewed %v", mine.Can, mine.LastViewed)
	}
	for _, path := range []string{"", "/history", "/poster?segment=1"} {
		refused(t, officer, http.MethodGet, "/api/recordings/"+others+path, nil, http.StatusNotFound, "not_found")
	}
	refused(t, officer, http.MethodPost, "/api/recordings/"+others+"/consultations", purpose, http.StatusNotFound, "not_found")
	refused(t, officer, http.MethodGet, "/api/recordings/"+own+"/history", nil, http.StatusForbidden, "denied")
	// Nobody says why they watch their own footage; everybody else does, with the number that the purpose needs.
	unsaid := func(code, reference string) any {
		return map[string]any{"purpose": map[string]string{"code": code, "reference": reference}}
	}
	officer.JSON(http.MethodPost, "/api/recordings/"+own+"/consultations", unsaid("", ""), http.StatusCreated, nil)
	supervisor := f.s.SignIn("supervisor")
	for _, why := range []any{unsaid("", ""), unsaid("own", ""), unsaid("technical", ""), unsaid("case", "AP/404/26")} {
		refused(t, supervisor, http.MethodPost, "/api/recordings/"+own+"/consultations", why, http.StatusUnprocessableEntity, "invalid")
	}
	// A supervisor who has no unit has no footage to supervise.
	elsewhere := f.s.SignIn("elsewhere")
	if k := cards(t, elsewhere); len(k) != 0 {
		t.Errorf("a supervisor without a unit sees %d recordings", len(k))
	}
	refused(t, elsewhere, http.MethodGet, "/api/recordings/"+own, nil, http.StatusNotFound, "not_found")
	refused(t, elsewhere, http.MethodPost, "/api/recordings/"+own+"/consultations", purpose, http.StatusNotFound, "not_found")

	// A viewing is its opener's alone.
	v := consult(t, officer, own)
	if !strings.Contains(v.Watermark, "4711") {
		t.Errorf("watermark %q", v.Watermark)
	}
	for _, who := range []*rig.Person{other, f.s.SignIn("investigator"), f.s.SignIn("officer")} {
		refused(t, who, http.MethodGet, v.Segments[0].Source, nil, http.StatusNotFound, "not_found")
	}
	administrator := f.s.SignIn("administrator")
	for _, path := range []string{"/api/recordings", "/api/recordings/" + own, "/api/recordings/days", v.Segments[0].Source} {
		refused(t, administrator, http.MethodGet, path, nil, http.StatusForbidden, "denied")
	}
	auditor := f.s.SignIn("auditor")
	if r := read(t, auditor, own); r.Poster != "" || r.Can.Consult {
		t.Errorf("an auditor gets a picture: %q %+v", r.Poster, r.Can)
	}
	refused(t, auditor, http.MethodPost, "/api/recordings/"+own+"/consultations", purpose, http.StatusForbidden, "denied")
}

func bytesAreThoseOfTheCamera(t *testing.T, f *shift) {
	who := f.s.SignIn("investigator")
	for at, r := range f.prepared(t, who) {
		v := consult(t, who, r.ID)
		for _, s := range r.Segments {
			want := f.native[filepath.Base(s.FileName)]
			path := fmt.Sprintf("/media/%s/%d/master", v.ID, s.Number)
			n := len(want)
			status, h, b := who.Do(http.MethodGet, path, nil)
			if status != http.StatusOK || !bytes.Equal(b, want) || h.Get("Accept-Ranges") != "bytes" {
				t.Fatalf("%s: %d, %d bytes of %d", at, status, len(b), n)
			}
			for _, g := range [][2]int{{0, 0}, {0, 1}, {65535, 65536}, {65536, 131071}, {n / 2, n/2 + 70000}, {n - 1, n - 1}} {
				from, to := min(g[0], n-1), min(g[1], n-1)
				status, _, b := who.Do(http.MethodGet, path, nil, "Range", fmt.Sprintf("bytes=%d-%d", from, to))
				if status != http.StatusPartialContent || !bytes.Equal(b, want[from:to+1]) {
					t.Errorf("%s: bytes %d to %d: %d, %d bytes", at, from, to, status, len(b))
				}
			}
			if status, _, b := who.Do(http.MethodGet, path, nil, "Range", "bytes=-1000"); status != http.StatusPartialContent || !bytes.Equal(b, want[n-1000:]) {
				t.Errorf("%s: the last 1000 bytes: %d, %d bytes", at, status, len(b))
			}
			if status, _, _ := who.Do(http.MethodGet, path, nil, "Range", fmt.Sprintf("bytes=%d-", n)); status != http.StatusRequestedRangeNotSatisfiable {
				t.Errorf("%s: bytes beyond the end: %d", at, status)
			}
		}
		who.JSON(http.MethodPost, "/api/consultations/"+v.ID+"/end", map[string]int{"watchedMs": 1200}, http.StatusNoContent, nil)
		refused(t, who, http.MethodGet, fmt.Sprintf("/media/%s/1/master", v.ID), nil, http.StatusNotFound, "not_found")
	}
}

func proxyOnDemand(t *testing.T, f *shift) {
	who := f.s.SignIn("investigator")
	all := f.prepared(t, who)
	for _, at := range []string{"K-0417 110000", "K-0522 100000", "K-0522 110000"} {
		v := consult(t, who, all[at].ID)
		if s := v.Segments[0]; s.Source != "" {
			t.Fatalf("%s can be played already, from %s", at, s.Source)
		}
		who.JSON(http.MethodPost, fmt.Sprintf("/api/consultations/%s/proxies/%d", v.ID, v.Segments[0].Number), nil, http.StatusAccepted, nil)
		within(t, 60*time.Second, at+": no proxy", func() bool {
			who.JSON(http.MethodGet, "/api/consultations/"+v.ID, nil, http.StatusOK, &v)
			return v.Segments[0].ProxyState == "ready"
		})
		status, h, b := who.Do(http.MethodGet, v.Segments[0].Source, nil)
		if status != http.StatusOK || h.Get("Content-Type") != "video/mp4" {
			t.Fatalf("%s: proxy %d %s", at, status, h.Get("Content-Type"))
		}
		p := filepath.Join(t.TempDir(), "proxy.mp4")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0", p).CombinedOutput()
		var frames int
		if _, serr := fmt.Sscanf(string(out), "h264,%d", &frames); err != nil || serr != nil || frames < 15 {
			t.Errorf("%s: the proxy has %q frames: %v", at, out, err)
		}
	}
	// What plays needs none.
	v := consult(t, who, all["K-0417 100000"].ID)
	refused(t, who, http.MethodPost, "/api/consultations/"+v.ID+"/proxies/1", nil, http.StatusConflict, "conflict")
}

// history asks until the log covers everything.
func history(t *testing.T, p *rig.Person, id string) (h bundle.History) {
	t.Helper()
	within(t, 10*time.Second, "the log does not catch up", func() bool {
		h = bundle.History{}
		p.JSON(http.MethodGet, "/api/recordings/"+id+"/history", nil, http.StatusOK, &h)
		return h.Pending == 0
	})
	return h
}

// proven checks a history as anybody can who has the log's key.
func proven(t *testing.T, h bundle.History, logKey string) {
	t.Helper()
	v, err := note.NewVerifier(logKey)
	if err != nil {
		t.Fatal(err)
	}
	head, err := tlog.OpenCheckpoint([]byte(h.Checkpoint), v.Name(), v)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckChain(tlog.ItemTag(h.ItemKey, string(h.Recording)), h.Events); err != nil {
		t.Errorf("%s: %v", h.Recording, err)
	}
	for _, e := range h.Events {
		if err := head.CheckInclusion(h.Proofs[e.Index], e.Index, tlog.LeafHash(e.Leaf)); err != nil {
			t.Errorf("%s, event %d: %v", h.Recording, e.Index, err)
		}
	}
}

func historyChecksOut(t *testing.T, f *shift) {
	who := f.s.SignIn("auditor")
	key := f.s.LogKey()
	for at, r := range f.prepared(t, who) {
		h := history(t, who, r.ID)
		proven(t, h, key)
		collected := map[string]bool{}
		for _, e := range h.Events {
			verb, _ := e.Get("verb")
			phase, _ := e.Get("phase")
			if sum, ok := e.Get("sha256"); ok && verb == "collect" && phase == "outcome" {
				collected[sum] = true
			}
		}
		for _, s := range r.Segments {
			if !collected[digest(f.native[filepath.Base(s.FileName)]).String()] {
				t.Errorf("%s: segment %d's collection is not in its history", at, s.Number)
			}
		}
		h.Events[0].Leaf[50] ^= 1
		if tlog.CheckChain(tlog.ItemTag(h.ItemKey, string(h.Recording)), h.Events) == nil {
			t.Error("an altered leaf goes unseen")
		}
	}
}

func logIsWhole(t *testing.T, f *shift) {
	fsck := os.Getenv("CUSTOS_TESSERA_FSCK")
	if fsck == "" {
		missing(t, "CUSTOS_TESSERA_FSCK")
	}
	key := filepath.Join(t.TempDir(), "log.vkey")
	if err := os.WriteFile(key, []byte(f.s.LogKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// -N 1 hangs on a mismatch.
	if out, err := exec.Command(fsck, "-N", "4", "-ui=false", "-storage_url", f.s.URL+"/log/", "-public_key", key).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
