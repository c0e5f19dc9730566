package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"custos/test/rig"
)

// inTheBrowser watches a camera being emptied, watches a recording, and lets
// the browser check its custody: play.mjs.
func inTheBrowser(t *testing.T, f *shift) {
	for _, needed := range []string{"/usr/bin/chromium", "../../web/node_modules/playwright-core"} {
		if _, err := os.Stat(needed); err != nil {
			missing(t, needed)
		}
	}
	if res, err := http.Get(f.s.URL + "/"); err != nil {
		t.Fatal(err)
	} else if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
		missing(t, "web UI in its binaries (make web)")
	}
	who := f.s.SignIn("supervisor")
	all := f.prepared(t, who)
	film, avi := all["K-0417 100000"], all["K-0417 110000"]
	v := consult(t, who, avi.ID)
	who.JSON(http.MethodPost, "/api/consultations/"+v.ID+"/proxies/1", nil, http.StatusAccepted, nil)

	// A camera that is being emptied slowly.
	camera := f.north.Camera("bay-5", "K-0600", "4711")
	f.put(t, f.north, camera, "K-0600", "4711", "090000", 1, footage(t, "long.mp4", 0, 20))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	agent := f.north.Command(ctx, "run", "--once", "--json", "--stable", "1s", "--bandwidth", "500k")
	var said strings.Builder
	agent.Stdout, agent.Stderr = &said, &said
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	pictures := os.Getenv("CUSTOS_SCREENSHOTS")
	if pictures != "" {
		if err := os.MkdirAll(pictures, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	page, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	if out, err := exec.CommandContext(page, "node", "play.mjs", f.s.URL, rig.Password, film.ID, avi.ID, "north", "K-0600", pictures).CombinedOutput(); err != nil {
		t.Errorf("in the browser: %v\n%s", err, out)
	}
	if err := agent.Wait(); err != nil {
		t.Errorf("the dock: %v\n%s", err, &said)
	}

	// Who looked, and why, is on record.
	h := history(t, f.s.SignIn("auditor"), film.ID)
	proven(t, h, f.s.LogKey())
	looks := 0
	for _, e := range h.Events {
		text := ""
		for _, field := range []string{"verb", "phase", "purpose", "actor_number"} {
			value, _ := e.Get(field)
			text += fmt.Sprint(value, " ")
		}
		if text == "consult intent review 7731 " {
			looks++
		}
	}
	if looks == 0 {
		t.Error("the look is not in the history with its purpose")
	}
}
