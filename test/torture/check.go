package torture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"time"

	"custos/bundle"
	"custos/evidence"
	"custos/test/rig"
)

// CheckWipes compares cards and journals: what is missing from a card must
// have a sound receipt. It may be called at any moment, also while docks run:
// cards are looked at first, and a receipt is in the journal before its file
// goes.
func (s *Site) CheckWipes() {
	s.t.Helper()
	var wiped []Original
	for _, o := range s.round {
		gone, err := missing(o)
		if err != nil {
			s.t.Fatal(err)
		}
		if gone {
			wiped = append(wiped, o)
		}
	}
	s.readReceipts()
	for _, o := range wiped {
		if _, ok := s.sound[of(o)]; !ok {
			s.Tally.Violation("%s was wiped without a receipt", o)
		}
	}
	s.Tally.Add("wipes compared with journals", len(wiped))
}

// readReceipts brings s.sound up to date and shows the log their checkpoints.
func (s *Site) readReceipts() {
	s.t.Helper()
	for i, d := range s.Docks {
		kept, err := receiptsOf(d.journal())
		if err != nil {
			s.Tally.Violation("the journal of dock %d cannot be read: %v", i+1, err)
			continue
		}
		var fresh []Kept
		for _, k := range kept {
			if _, ok := s.sound[claim{k.Device, k.File, k.Digest}]; !ok {
				fresh = append(fresh, k)
			}
		}
		for at, r := range Vouched(s.Tally, fresh, s.trust, s.account) {
			s.sound[at] = r
			s.Tally.Add("receipts checked", 1)
			if _, err := s.Log.Saw(r.Checkpoint); err != nil {
				continue // noted
			}
		}
	}
}

// Check checks everything that was promised, with the server running and the
// docks ended. final looks at every recording of the site, not at this round's
// alone.
func (s *Site) Check(final bool) {
	s.t.Helper()
	s.CheckWipes()
	devices := map[string]bool{}
	recordings := map[string]bool{}
	for _, o := range s.round {
		devices[o.Device] = true
		r, ok := s.sound[of(o)]
		if !ok {
			s.Tally.Violation("%s has no receipt", o)
			continue
		}
		recordings[string(r.Recording)] = true
	}
	if final {
		devices = map[string]bool{"": true}
	}
	for d := range devices {
		for _, id := range s.list(d) {
			recordings[id] = true
		}
	}
	s.checkVault(recordings, final)
	s.readBack()
	s.checkViewings()
	leaves, err := s.Log.Check(context.Background())
	if err != nil {
		s.Tally.Violation("the log cannot be read: %v", err)
		return
	}
	for at, r := range s.sound {
		if i := r.Event.Index; i >= int64(len(leaves)) || !bytes.Equal(leaves[i], r.Event.Leaf) {
			s.Tally.Violation("the log lost the collection of %s %s, entry %d", at.device, at.file, i)
		}
	}
	s.Tally.Add("receipts found in the log", len(s.sound))
}

// list are the identifiers of the recordings of a device; "" = all.
func (s *Site) list(device string) (ids []string) {
	s.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		s.Person.JSON(http.MethodGet, "/api/recordings?limit=200&device="+device+"&cursor="+cursor, nil, http.StatusOK, &page)
		for _, r := range page.Items {
			ids = append(ids, r.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

// checkVault wants each original's bytes in exactly one segment, and no others.
func (s *Site) checkVault(recordings map[string]bool, final bool) {
	s.t.Helper()
	known := map[evidence.Digest]int64{}
	for _, o := range s.account {
		known[o.Digest] = o.Length
	}
	at := map[evidence.Digest]string{}
	for id := range recordings {
		var r struct{ Segments []evidence.Segment }
		s.Person.JSON(http.MethodGet, "/api/recordings/"+id, nil, http.StatusOK, &r)
		for _, g := range r.Segments {
			here := fmt.Sprintf("recording %s segment %d", id, g.Number)
			if n, ok := known[g.Digest]; !ok || n != g.Length {
				s.Tally.Violation("%s has bytes that were on no camera", here)
			}
			if there, ok := at[g.Digest]; ok {
				s.Tally.Violation("the same bytes are twice in the vault: %s and %s", there, here)
			}
			at[g.Digest] = here
		}
	}
	wanted := s.round
	if final {
		for _, o := range s.account {
			wanted = append(wanted, o)
		}
	}
	for _, o := range wanted {
		if _, ok := at[o.Digest]; !ok {
			s.Tally.Violation("%s is not in the vault", o)
		}
		r, ok := s.sound[of(o)]
		if want := fmt.Sprintf("recording %s segment %d", r.Recording, r.Segment); ok && at[o.Digest] != want {
			s.Tally.Violation("the receipt for %s names %s, but the bytes are %s", o, want, at[o.Digest])
		}
	}
	s.Tally.Add("originals found exactly once", len(wanted))
}

// readBack reads the bytes of every receipt of this round through the API.
func (s *Site) readBack() {
	s.t.Helper()
	views := map[evidence.ID]string{}
	for _, o := range s.round {
		r, ok := s.sound[of(o)]
		if !ok {
			continue // noted
		}
		if views[r.Recording] == "" {
			views[r.Recording] = s.view(r.Recording)
		}
		status, _, b := s.Person.Do(http.MethodGet, fmt.Sprintf("/media/%s/%d/master", views[r.Recording], r.Segment), nil)
		if status != http.StatusOK || sha256.Sum256(b) != o.Digest || int64(len(b)) != o.Length {
			s.Tally.Violation("the bytes of the receipt for %s do not come back: status %d, %d bytes", o, status, len(b))
		}
		s.Tally.Add("receipts read back, bytes equal", 1)
	}
	for _, v := range views {
		s.Person.JSON(http.MethodDelete, "/api/consultations/"+v, nil, http.StatusNoContent, nil)
	}
}

func (s *Site) view(recording evidence.ID) string {
	s.t.Helper()
	var v struct{ ID string }
	s.Person.JSON(http.MethodPost, "/api/recordings/"+string(recording)+"/consultations", purpose(), http.StatusCreated, &v)
	return v.ID
}

func purpose() any {
	return map[string]any{"purpose": map[string]string{"code": "technical", "reference": "TORTURE/1"}}
}

// checkViewings wants the intent of every viewing that was allowed in the
// recording's history.
func (s *Site) checkViewings() {
	s.t.Helper()
	for _, v := range s.viewings {
		var h bundle.History
		s.Person.JSON(http.MethodGet, "/api/recordings/"+v.recording+"/history", nil, http.StatusOK, &h)
		found := false
		for _, e := range h.Events {
			id, _ := e.Get("consultation")
			phase, _ := e.Get("phase")
			found = found || id == v.id && phase == string(evidence.Intent)
		}
		if !found {
			s.Tally.Violation("a viewing of %s was allowed and is not in its history", v.recording)
		}
		s.Tally.Add("viewings found in histories", 1)
	}
	s.viewings = nil
}

// Fsck runs `custos admin fsck` on the service, whose server has ended.
func (s *Site) Fsck(deep bool) {
	s.t.Helper()
	args := []string{"admin", "fsck", "--json"}
	if !deep {
		args = append(args, "--quick")
	}
	out, said, err := s.Service.Try("", args...)
	var r struct {
		OK       bool
		Findings []struct{ Kind, Object, Says string }
	}
	if jerr := json.Unmarshal([]byte(out), &r); jerr != nil {
		s.Tally.Violation("fsck: %v: %s", err, said)
		return
	}
	for _, f := range r.Findings {
		s.Tally.Violation("fsck: %s %s: %s", f.Kind, f.Object, f.Says)
	}
	if err != nil && len(r.Findings) == 0 {
		s.Tally.Violation("fsck: %v: %s", err, said)
	}
	kind := "fsck, quick"
	if deep {
		kind = "fsck, every byte"
	}
	s.Tally.Add(kind, 1)
}

// Traffic is somebody who watches while the service is being killed.
type Traffic struct {
	client *http.Client
	url    string
}

// NewTraffic is a supervisor signed in by a client that may fail.
func (s *Site) NewTraffic() (*Traffic, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &Traffic{client: &http.Client{Timeout: 10 * time.Second, Jar: jar}, url: s.Service.URL}
	_, err = p.do(http.MethodPost, "/api/session", map[string]string{"name": "supervisor", "password": rig.Password}, nil)
	return p, err
}

func (p *Traffic) do(method, path string, body, into any) (int, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(method, p.url+path, bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin") // as a page of the service asks
	req.Header.Set("Sec-Fetch-Dest", "empty")
	res, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if into != nil && res.StatusCode < 300 {
		err = json.NewDecoder(res.Body).Decode(into)
	}
	return res.StatusCode, err
}

// Watch has somebody view a recording from beginning to end: poster, opening,
// bytes, end. A viewing that the service agreed to must be in the history.
func (s *Site) Watch(p *Traffic, recording string) {
	_, _ = p.do(http.MethodGet, "/api/recordings/"+recording+"/poster", nil, nil) // the service may die of each
	var k struct{ ID string }
	status, err := p.do(http.MethodPost, "/api/recordings/"+recording+"/consultations", purpose(), &k)
	if err != nil || status != http.StatusCreated {
		return
	}
	s.viewings = append(s.viewings, viewing{recording, k.ID})
	_, _ = p.do(http.MethodGet, "/media/"+k.ID+"/1/master", nil, nil)
	_, _ = p.do(http.MethodDelete, "/api/consultations/"+k.ID, nil, nil)
}

// Recorded are recordings of this round that there are by receipts.
func (s *Site) Recorded() (ids []string) {
	for _, o := range s.round {
		if r, ok := s.sound[of(o)]; ok && !slices.Contains(ids, string(r.Recording)) {
			ids = append(ids, string(r.Recording))
		}
	}
	return ids
}
