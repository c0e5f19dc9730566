package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"custos/test/rig"
)

// The first administrator begins with a one-time link and a passkey in a real
// browser; an officer adds a code app to their password.
func TestStoryOfSigningIn(t *testing.T) {
	for _, needed := range []string{"/usr/bin/chromium", "../../web/node_modules/playwright-core"} {
		if _, err := os.Stat(needed); err != nil {
			missing(t, needed)
		}
	}
	s := rig.New(t, rig.Binaries(t), "")
	out := s.Run("admin", "invite", "first.admin", "--role", "administrator")
	link := regexp.MustCompile(`http://localhost:\d+/enrol#\S+`).FindString(out)
	if link == "" {
		t.Fatalf("no link in %q", out)
	}
	if _, said, err := s.Try("", "admin", "invite", "nobody.yet"); err == nil || !strings.Contains(said, "--role") {
		t.Errorf("an account was made without a role: %v %s", err, said)
	}
	s.Start()
	if res, err := http.Get(s.URL + "/"); err != nil {
		t.Fatal(err)
	} else if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
		missing(t, "web UI in its binaries (make web)")
	}
	pictures := os.Getenv("CUSTOS_SCREENSHOTS")
	base := link[:strings.Index(link, "/enrol")]
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	page := exec.CommandContext(ctx, "node", "identity.mjs", base, link, "officer", rig.Password, pictures)
	if said, err := page.CombinedOutput(); err != nil {
		t.Fatalf("in the browser: %v\n%s\nserver:\n%s", err, said, s.Log())
	}
	_, secret, _ := strings.Cut(link, "#")
	if strings.Contains(s.Log(), secret) {
		t.Error("the link's secret is in the server's log")
	}
}
