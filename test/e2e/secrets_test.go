package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"custos/test/rig"
)

// A day at the service with every line of the log switched on: nothing in it
// opens anything, and nothing tells what somebody looked for or wrote.
func TestNoSecretInAnyLog(t *testing.T) {
	const metrics = "metrics-token-4f1c9d02"
	s := rig.New(t, rig.Binaries(t), "", rig.TLS, "metrics_token = '"+metrics+"'")
	b, err := os.ReadFile(filepath.Join(s.Dir, "custos.toml"))
	if err != nil {
		t.Fatal(err)
	}
	debug := regexp.MustCompile(`(?m)^#? ?log_level = .*$`).ReplaceAllString(string(b), "log_level = 'debug'")
	if err := os.WriteFile(filepath.Join(s.Dir, "custos.toml"), []byte(debug), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Start()
	dock := s.NewDock("desk")
	dock.Put(dock.Camera("bay-1", "K-0417", "4711"), "K-0417", "4711", "100000", 1, rig.Footage(t, "film.mp4", 0, 3))
	said := dock.Empty(2 * time.Minute)

	secrets := map[string]string{"password": rig.Password, "dock key": dock.Key(), "metrics token": metrics}
	who := s.SignIn("officer")
	tokens := func(name string) {
		t.Helper()
		_, value, ok := strings.Cut(who.Cookies(), "=")
		if !ok || len(value) < 20 {
			t.Fatalf("the session is %q", who.Cookies())
		}
		secrets[name] = value
	}
	tokens("session")
	// What is typed wrong, looked for, written as a reason, or guessed.
	typed := map[string]string{
		"wrong password": "wr0ng-and-private-1", "name that is none": "Smith-of-12-Mill-Lane", "officer looked for": "8812look",
		"camera looked for": "look-9931-cam", "reference": "42AB/7391/26", "note": "watched-because-of-her-brother", "path": "in-the-path-5523",
		"person looked for": "trail-of-whom-611", "step-up password": "wr0ng-again-and-private",
		"wrong code": "c0de-91827-guess", "wrong link": "l1nk-that-was-guessed-77",
	}
	for name, value := range typed {
		secrets[name] = value
	}
	who.Do(http.MethodPost, "/api/session", map[string]string{"name": typed["name that is none"], "password": typed["wrong password"]})
	who.Do(http.MethodPost, "/api/session", map[string]string{"name": "auditor", "password": typed["wrong password"], "code": typed["wrong code"]})
	who.Do(http.MethodPost, "/api/session/enrolment", map[string]string{"secret": typed["wrong link"]})
	invited := enrolmentLink.FindStringSubmatch(s.Run("admin", "invite", "newcomer", "--role", "auditor"))
	if invited == nil {
		t.Fatal("there is no link in the invitation")
	}
	secrets["enrolment link"] = invited[1]
	if status, h, b := who.Do(http.MethodPost, "/api/session/enrolment", map[string]string{"secret": invited[1]}); status != http.StatusOK || len(h["Set-Cookie"]) == 0 {
		t.Errorf("the link does not work: %d %s", status, b)
	}
	tokens("session of the newcomer")
	who = s.SignIn("officer")
	who.Do(http.MethodGet, "/api/recordings?officer="+typed["officer looked for"]+"&device="+typed["camera looked for"], nil)
	who.Do(http.MethodGet, "/api/recordings?cursor="+typed["officer looked for"], nil)
	who.Do(http.MethodGet, "/api/"+typed["path"], nil)
	who.Do(http.MethodPost, "/api/session/step-up", map[string]string{"password": typed["step-up password"]})
	status, _, answer := who.Do(http.MethodPost, "/api/session/step-up", map[string]string{"password": rig.Password})
	if status != http.StatusOK {
		t.Errorf("step-up: %d %s", status, answer)
	}
	tokens("session after step-up")
	var page struct{ Items []struct{ ID string } }
	who.JSON(http.MethodGet, "/api/recordings", nil, http.StatusOK, &page)
	who.Do(http.MethodPost, "/api/recordings/"+page.Items[0].ID+"/consultations", // there is no such case
		map[string]any{"purpose": map[string]string{"code": "review", "reference": typed["reference"], "note": typed["note"]}})
	v := consult(t, who, page.Items[0].ID)
	who.Do(http.MethodGet, "/media/"+v.ID+"/1/master", nil)
	auditor := s.SignIn("auditor")
	auditor.Do(http.MethodGet, "/api/trail?person="+typed["person looked for"], nil)
	who.Do(http.MethodGet, "/metrics", nil, "Authorization", "Bearer "+metrics)
	who.Do(http.MethodGet, "/metrics", nil, "Authorization", "Bearer "+metrics+"x")
	who.Do(http.MethodDelete, "/api/session", nil)
	s.Stop()

	for name, value := range keysOf(t, s.Dir) {
		secrets[name] = value
	}
	log := s.Log()
	if !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "level=INFO") || strings.Count(log, "reference=") < 10 {
		t.Fatalf("the log says too little for this test:\n%s", log)
	}
	for name, value := range secrets {
		for where, text := range map[string]string{"server": log, "dock": said} {
			if strings.Contains(text, value) || strings.Contains(strings.ToLower(text), strings.ToLower(value)) {
				t.Errorf("the log of the %s holds the %s", where, name)
			}
		}
	}
}

var enrolmentLink = regexp.MustCompile(`https?://\S*[/#=]([A-Za-z0-9_-]{20,})`)

// keysOf are the secret keys of a service.
func keysOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "keys", "signing.json"))
	if err != nil {
		t.Fatal(err)
	}
	var signing map[string]string
	if err := json.Unmarshal(b, &signing); err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, name := range []string{"log", "receipt"} {
		last := strings.Split(signing[name], "+")
		if len(last) < 5 {
			t.Fatalf("the %s key is of another form", name)
		}
		keys[name+" key"] = last[len(last)-1]
	}
	for _, file := range []string{"server.key", "identity.key", "tls/ca.key"} {
		b, err := os.ReadFile(filepath.Join(dir, "keys", file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); len(line) > 40 && !strings.HasPrefix(line, "#") {
				keys[file] = line
			}
		}
		if keys[file] == "" {
			t.Fatalf("%s holds no key", file)
		}
	}
	return keys
}
