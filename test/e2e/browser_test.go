package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"custos/test/rig"
)

// needsABrowser skips, or fails, where there is none or nothing to show in it.
func needsABrowser(t *testing.T, f *shift) {
	t.Helper()
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
}

// inTheBrowser watches a camera being emptied, watches a recording, and lets
// the browser check its custody: play.mjs.
func inTheBrowser(t *testing.T, f *shift) {
	needsABrowser(t, f)
	who := f.s.SignIn("supervisor")
	all := f.prepared(t, who)
	long := footage(t, "long.mp4", 0, 20)
	film, avi := all["K-0417 100000"], all["K-0417 110000"]
	v := consult(t, who, avi.ID)
	who.JSON(http.MethodPost, "/api/consultations/"+v.ID+"/proxies/1", nil, http.StatusAccepted, nil)

	pictures := os.Getenv("CUSTOS_SCREENSHOTS")
	if pictures != "" {
		if err := os.MkdirAll(pictures, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	page := exec.CommandContext(ctx, "node", "play.mjs", f.s.URL, rig.Password, film.ID, avi.ID, "north", "K-0600", pictures)
	out, err := page.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	page.Stderr = page.Stdout // the pipe, too
	if err := page.Start(); err != nil {
		t.Fatal(err)
	}
	var dock *agent
	for said := bufio.NewScanner(out); said.Scan(); {
		if said.Text() != "watching docks" {
			t.Error(said.Text())
			continue
		}
		// Now that somebody looks, a camera that is emptied slowly.
		camera := f.north.Camera("bay-5", "K-0600", "4711")
		f.put(t, f.north, camera, "K-0600", "4711", "090000", 1, long)
		dock = startAgent(t, f.north, "--bandwidth", "500k")
	}
	if err := page.Wait(); err != nil {
		t.Errorf("in the browser: %v", err)
	}
	if dock == nil {
		t.Fatal("nobody watched the docks")
	}
	dock.ready(time.Minute)

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
		if text == "consult intent technical 7731 " {
			looks++
		}
	}
	if looks == 0 {
		t.Error("the look is not in the history with its purpose")
	}
}
