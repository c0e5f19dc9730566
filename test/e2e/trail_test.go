package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"custos/bundle"
	"custos/test/rig"
)

// trailVerdict is what custos-verify says of a trail, and its exit code.
func trailVerdict(t *testing.T, s *rig.Service, key string, file []byte) (int, bundle.TrailReport) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trail.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(s.Bin, "custos-verify"), "--json", "--log-key", key, "--trail", path)
	cmd.Env = []string{} // nothing of this machine: whoever checks has the file and the key
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	var r bundle.TrailReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("custos-verify ended with %d: %v: %s", cmd.ProcessState.ExitCode(), err, out)
	}
	return cmd.ProcessState.ExitCode(), r
}

// saved is a file that somebody was given.
func saved(t *testing.T, who *rig.Person, path string) []byte {
	t.Helper()
	status, h, b := who.Do(http.MethodGet, path, nil)
	if status != http.StatusOK || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") {
		t.Fatalf("%s: %d %v %.300s", path, status, h, b)
	}
	return b
}

// The trail of a whole story: footage comes in, people look at it and are
// refused, some is disclosed; an auditor gives the trail of it out, and whoever
// has the file and the log's key checks it with the service gone.
func TestTrailOfAWholeStory(t *testing.T) {
	t.Parallel()
	f := newSmall(t)
	s := f.s
	investigator, officer, auditor := s.SignIn("investigator"), s.SignIn("officer"), s.SignIn("auditor")
	id := cards(t, investigator)[0].ID
	consult(t, investigator, id)
	consult(t, officer, id)
	refused(t, auditor, http.MethodPost, "/api/recordings/"+id+"/consultations", purpose, http.StatusForbidden, "denied")
	refused(t, officer, http.MethodGet, "/api/trail?recording="+id, nil, http.StatusForbidden, "denied")
	export(t, s, filepath.Join(t.TempDir(), "bag"), id)

	whole := saved(t, auditor, "/api/trail.json?recording="+id)
	looks := saved(t, auditor, "/api/trail.json?verb=consult")
	table := saved(t, auditor, "/api/trail.csv?recording="+id)
	document := saved(t, auditor, "/api/trail.pdf")
	var page struct {
		Events []struct {
			Fields []struct{ Name, Value string }
		}
	}
	auditor.JSON(http.MethodGet, "/api/trail?recording=trail&phase=outcome", nil, http.StatusOK, &page)
	for _, file := range [][]byte{whole, looks, table, document} {
		digest := fmt.Sprintf("%x", sha256.Sum256(file))
		if !strings.Contains(fmt.Sprint(page.Events), digest) {
			t.Errorf("the log does not have the digest of a file that was given out: %s", digest)
		}
	}
	key := s.LogKey()
	s.Stop()

	exit, r := trailVerdict(t, s, key, whole)
	if exit != 0 || !names(r.Report, bundle.Proven, "chain", id) || !names(r.Report, bundle.NotProven, "complete", id) {
		t.Errorf("the whole trail: %d %+v", exit, r.Checks)
	}
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil || len(rows) != r.Events+1 {
		t.Errorf("%d lines in the table, %d events in the proof, %v", len(rows), r.Events, err)
	}
	var did []string
	for _, row := range slices.Backward(rows[1:]) {
		if row[2] == "derive" || row[2] == "find" { // the service prepares it when it comes to it
			continue
		}
		did = append(did, strings.TrimSpace(row[2]+" "+row[3]+" "+row[9]))
	}
	want := []string{"collect intent dock", "collect outcome dock", "consult intent investigator", "consult intent officer", "consult refused auditor",
		"disclose intent operator", "disclose outcome operator"}
	if !slices.Equal(did, want) {
		t.Errorf("the story is told as\n%q, want\n%q", did, want)
	}
	if exit, r := trailVerdict(t, s, key, looks); exit != 0 || r.Events != 3 || !names(r.Report, bundle.Proven, "items", "") {
		t.Errorf("the looks: %d, %d events, %+v", exit, r.Events, r.Checks)
	}
	// Whoever wants to have been somebody else is found out.
	altered := bytes.Replace(whole, []byte(`"value":"investigator"`), []byte(`"value":"administrator"`), 1)
	if exit, r := trailVerdict(t, s, key, altered); bytes.Equal(altered, whole) || exit != 1 || !names(r.Report, bundle.Failed, "openings", "event") {
		t.Errorf("an altered trail: %d %+v", exit, r.Failed())
	}
}
