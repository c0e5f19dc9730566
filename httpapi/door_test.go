package httpapi_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"custos/access"
	"custos/evidence"
)

func TestSigningInAndOut(t *testing.T) {
	h := newHouse(t, access.Officer)
	w := h.ask("", "GET", "/api/session", "")
	if w.Code != 200 || strings.Contains(w.Body.String(), "me") {
		t.Errorf("nobody is %d %s", w.Code, w.Body)
	}
	w = h.ask("", "POST", "/api/session", `{"name":"officer","password":"`+password+`"}`)
	cookies := w.Result().Cookies()
	if w.Code != 200 || len(cookies) != 1 {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	c := cookies[0]
	if c.Name != "custos" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 {
		t.Errorf("the cookie is %+v", c)
	}
	if strings.Contains(w.Body.String(), c.Value) || strings.Contains(h.log.String(), c.Value) {
		t.Error("the session's secret is in the answer or in the log")
	}
	h.cookies["me"] = c.Value
	var s struct {
		Me *struct {
			Number, RoleName string
			Can              map[string]bool
		}
	}
	must(t, json.Unmarshal(h.ask("me", "GET", "/api/session", "").Body.Bytes(), &s))
	if s.Me == nil || s.Me.Number != "4711" || s.Me.RoleName != "Officer" || !s.Me.Can["recordings"] || s.Me.Can["system"] {
		t.Errorf("I am %+v", s.Me)
	}
	w = h.ask("me", "DELETE", "/api/session", "")
	if got := w.Result().Cookies(); w.Code != 204 || len(got) != 1 || got[0].MaxAge >= 0 || got[0].Value != "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	h.problem(h.ask("me", "GET", "/api/recordings", ""), 401, evidence.Unauthenticated)
	if w := h.ask("", "DELETE", "/api/session", ""); w.Code != 204 {
		t.Errorf("signing out twice is %d", w.Code)
	}
}

// What is refused is never repeated, neither in the answer nor in the log.
func TestRefusalsDoNotEcho(t *testing.T) {
	h := newHouse(t, access.Officer)
	const secret = "Sm1th-of-12-Mill-Lane"
	long := strings.Repeat(secret, 40_000)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/api/session", `{"name":"x","password":7,"` + secret + `":1}`, 422},
		{"POST", "/api/session", `{"name":["` + secret + `"],"password":"y"}`, 422},
		{"POST", "/api/session", secret, 400},
		{"POST", "/api/session", `{"name":"` + long + `","password":"y"}`, 413},
		{"GET", "/api/recordings?limit=" + secret, "", 422},
		{"GET", "/api/recordings?from=" + secret, "", 422},
		{"GET", "/api/recordings?cursor=" + secret, "", 422},
		{"POST", "/api/recordings/" + string(h.own) + "/consultations", `{"purpose":{"code":"` + strings.Repeat(secret, 9) + `"}}`, 422},
		{"GET", "/api/recordings/" + string(h.own) + "/poster?segment=" + secret, "", 422},
		{"GET", "/media/" + secret + "/1/master", "", 404},
		{"GET", "/log/tile/" + secret, "", 404},
	} {
		w := h.ask("officer", c.method, c.path, c.body)
		code := evidence.Invalid
		if c.status == 404 {
			code = evidence.NotFound
		}
		h.problem(w, c.status, code)
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s %.60s repeats what was sent: %s", c.method, c.path, w.Body)
		}
	}
	if strings.Contains(h.log.String(), secret) {
		t.Errorf("the log repeats what was sent")
	}
}

func TestOtherSitesMayNotPost(t *testing.T) {
	h := newHouse(t, access.Officer)
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := httptest.NewRequest("DELETE", "/api/session", nil)
		r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies["officer"]})
		r.Header.Set(header, value)
		h.problem(h.do(r), 403, evidence.Denied)
	}
	if w := h.ask("officer", "GET", "/api/recordings", ""); w.Code != 200 {
		t.Errorf("the session was ended from elsewhere: %d", w.Code)
	}
}

func TestPanicsAndBrokenAnswers(t *testing.T) {
	h := newHouse(t, access.Officer)
	h.door.Handle("GET /test/early", func(http.ResponseWriter, *http.Request) { panic("on the floor") })
	h.door.Handle("GET /test/late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half of the ")
		panic("on the stairs")
	})
	h.door.Handle("GET /test/abort", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half of the ")
		panic(http.ErrAbortHandler)
	})
	p := h.problem(h.ask("", "GET", "/test/early", ""), 500, evidence.Internal)
	if strings.Contains(p.Detail, "floor") || !strings.Contains(h.log.String(), "on the floor") {
		t.Errorf("the panic went to %+v", p)
	}
	srv := httptest.NewUnstartedServer(h.handler)
	srv.Config.ErrorLog = nil
	srv.Start()
	defer srv.Close()
	for _, path := range []string{"late", "abort"} {
		resp, err := srv.Client().Get(srv.URL + "/test/" + path)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: half an answer looks like a whole one", path)
		}
	}
}

func TestEvents(t *testing.T) {
	h := newHouse(t, access.Officer, access.Administrator)
	srv := httptest.NewServer(h.handler)
	defer srv.Close()
	open := func(who string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/api/events", nil)
		must(t, err)
		if who != "" {
			r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies[who]})
		}
		resp, err := srv.Client().Do(r)
		must(t, err)
		return resp
	}
	if resp := open(""); resp.StatusCode != 401 {
		t.Errorf("nobody may listen: %d", resp.StatusCode)
	}
	resp := open("officer")
	if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers are %v", resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	h.door.Checkpoint(7)             // not for an officer
	h.door.RecordingChanged(h.other) // not one they may know of
	h.door.RecordingChanged(h.own)
	var got []string
	for lines.Scan() && lines.Text() != "" {
		got = append(got, lines.Text())
	}
	if len(got) != 2 || got[0] != "event: recordings" || got[1] != `data: {"id":"`+string(h.own)+`"}` {
		t.Errorf("got %q", got)
	}
	h.door.Close() // ends the streams, and lets none begin
	for lines.Scan() {
	}
	must(t, lines.Err())
	must(t, resp.Body.Close())
	if resp := open("administrator"); resp.StatusCode != 503 {
		t.Errorf("a stream began while the service stops: %d", resp.StatusCode)
	}
}

func TestHealth(t *testing.T) {
	h := newHouse(t, access.Administrator)
	h.Settle()
	for path, want := range map[string]string{
		"/healthz": `{"status":"alive"}`, "/readyz": `"status":"ready"`,
		"/log/checkpoint": "custos.example/test\n", "/api/system": `"origin":"custos.example/test"`,
	} {
		if w := h.ask("administrator", "GET", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			if w = h.ask("administrator", "GET", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d %.300s", path, w.Code, w.Body)
			}
		}
	}
	signed := h.ask("", "GET", "/log/checkpoint", "")
	if signed.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a checkpoint may be kept: %v", signed.Header())
	}
	tile := h.ask("", "GET", "/log/tile/entries/000.p/4", "")
	if tile.Code != 200 || tile.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(tile.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("a tile: %d %v", tile.Code, tile.Header())
	}
	h.problem(h.ask("", "GET", "/log/tile/entries/001", ""), 404, evidence.NotFound)
}
