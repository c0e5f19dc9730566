package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"custos/test/rig"
)

// everyPageAsEveryRole opens every page as every role in the browser: nothing
// that somebody is offered leads to a refusal, and what they are not offered
// says so (sweep.mjs). Pages are found in the menu, so that a new one is swept
// without a word here.
func everyPageAsEveryRole(t *testing.T, f *shift) {
	needsABrowser(t, f)
	recording := string(f.prepared(t, f.s.SignIn("supervisor"))["K-0417 100000"].ID)
	people := []string{"officer", "supervisor", "elsewhere", "investigator", "auditor", "administrator"}
	for _, role := range []string{"control_room", "disclosure_officer", "records_manager", "professional_standards", "data_protection_officer"} {
		f.s.RunIn(rig.Password+"\n", "admin", "user", "add", "--login", role, "--role", role, "--password", "-")
		people = append(people, role)
	}
	// A hold request, so that its page has something to show.
	f.s.SignIn("supervisor").JSON(http.MethodPost, "/api/recordings/"+recording+"/consultations",
		map[string]any{"purpose": map[string]string{"code": "complaint", "reference": "CO/118/26"}}, http.StatusCreated, nil)

	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", append([]string{"sweep.mjs", f.s.URL, rig.Password, recording}, people...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, who := range people {
		if !strings.Contains(string(out), "offered to "+who+": ") {
			t.Errorf("%s was not swept", who)
		}
	}
}
