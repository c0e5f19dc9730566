package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"custos/access"
	"custos/evidence"
	"custos/httpapi"
)

// Every answer of every kind is closed to other sites, framing, guessing of
// types and caches.
func TestHeadersOfEveryAnswer(t *testing.T) {
	h := newHouse(t, access.Officer)
	h.poster(h.own)
	for _, c := range []struct{ who, method, path string }{
		{"officer", "GET", "/api/recordings"}, {"officer", "GET", "/api/recordings/" + string(h.own) + "/poster"},
		{"", "GET", "/api/recordings"}, {"", "GET", "/nowhere"}, {"", "GET", "/api/../etc"}, {"officer", "GET", "/media/x"},
		{"", "GET", "/files"}, {"", "POST", "/api/session"}, {"", "GET", "/healthz"}, {"dock", "GET", "/api/dock"},
	} {
		got := h.ask(c.who, c.method, c.path, "").Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY", "X-Permitted-Cross-Domain-Policies": "none",
			"Origin-Agent-Cluster": "?1", "Cache-Control": "no-store", "Strict-Transport-Security": "",
		} {
			if got.Get(name) != want {
				t.Errorf("%s %s: %s is %q, want %q", c.method, c.path, name, got.Get(name), want)
			}
		}
		if csp := got.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s %s: the policy is %q", c.method, c.path, csp)
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	h := newHouse(t, access.Officer)
	for _, method := range []string{"TRACE", "CONNECT", "ABC", "PROPFIND"} {
		for _, path := range []string{"/", "/api/recordings", "/files/", "/media/x"} {
			w := h.ask("officer", method, path, "")
			h.problem(w, 405, evidence.Invalid)
			if w.Header().Get("Allow") == "" || strings.Contains(w.Body.String(), method) {
				t.Errorf("%s %s: %v %s", method, path, w.Header(), w.Body)
			}
		}
	}
}

func TestStrictTransportOverTLS(t *testing.T) {
	h := newHouse(t, access.Officer)
	h.door.Secure = true
	if got := h.ask("", "GET", "/healthz", "").Header().Get("Strict-Transport-Security"); got != "max-age=63072000; includeSubDomains" {
		t.Errorf("the header is %q", got)
	}
}

// Footage goes to players on our pages only.
func TestFootageOnlyInPages(t *testing.T) {
	h := newHouse(t, access.Officer)
	h.poster(h.own)
	var view struct {
		ID       string
		Segments []struct{ Source string }
	}
	decode(t, h.ask("officer", "POST", "/api/recordings/"+string(h.own)+"/consultations", `{"purpose":{"code":"technical","reference":"SD-1"}}`), &view)
	paths := []string{view.Segments[0].Source, "/api/recordings/" + string(h.own) + "/poster"}
	for _, path := range paths {
		for _, c := range []struct {
			site, mode, dest string
			ok               bool
		}{
			{"same-origin", "no-cors", "video", true}, {"same-origin", "no-cors", "audio", true}, {"same-origin", "no-cors", "image", true},
			{"same-origin", "cors", "empty", true},
			{"same-origin", "navigate", "document", false}, {"none", "navigate", "document", false}, {"same-origin", "navigate", "iframe", false},
			{"same-origin", "no-cors", "embed", false}, {"same-origin", "no-cors", "object", false}, {"same-origin", "navigate", "empty", false},
			{"cross-site", "no-cors", "video", false}, {"same-site", "no-cors", "video", false}, {"none", "no-cors", "video", false},
			{"", "", "", false},
		} {
			r := httptest.NewRequest("GET", path, nil)
			r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies["officer"]})
			for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Sec-Fetch-Mode": c.mode, "Sec-Fetch-Dest": c.dest} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := h.do(r)
			if !c.ok {
				h.problem(w, 403, evidence.Denied)
				continue
			}
			if w.Code != 200 || w.Body.Len() == 0 {
				t.Errorf("%s for %+v: %d %s", path, c, w.Code, w.Body)
			}
			if d := w.Header().Get("Content-Disposition"); d != "inline" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers are %v", path, w.Header())
			}
		}
	}
}

// What a page of another site makes a browser ask for is refused, also where
// nothing would change.
func TestOtherSitesMayNotRead(t *testing.T) {
	h := newHouse(t, access.Officer)
	for _, site := range []string{"cross-site", "same-site"} {
		r := httptest.NewRequest("GET", "/api/recordings", nil)
		r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies["officer"]})
		r.Header.Set("Sec-Fetch-Site", site)
		h.problem(h.do(r), 403, evidence.Denied)
	}
}

func TestTooManyRequests(t *testing.T) {
	limits := func(c *httpapi.Config) {
		c.Rates = httpapi.Rates{PerAddress: 4, PerAccount: 2, SignIns: 3}
	}
	h := newHouseWith(t, limits, access.Officer, access.Auditor)
	count := func(who, path string) (ok int) {
		for range 40 {
			w := h.ask(who, "GET", path, "")
			if w.Code != 200 {
				p := h.problem(w, 429, evidence.TooMany)
				if w.Header().Get("Retry-After") != "1" || p.Detail == "" {
					t.Errorf("come again after %q", w.Header().Get("Retry-After"))
				}
				return ok
			}
			ok++
		}
		return ok
	}
	if n := count("officer", "/api/recordings"); n != 10 { // 5 s of 2 a second
		t.Errorf("an account got %d", n)
	}
	if n := count("auditor", "/api/recordings"); n != 9 { // the address has had 11 of its 20
		t.Errorf("an address got %d", n)
	}
	h.Clock.Move(time.Second)
	if n := count("officer", "/api/recordings"); n != 2 {
		t.Errorf("after a second the account got %d", n)
	}
	h.Clock.Move(time.Hour)
	for i := range 4 {
		w := h.ask("", "POST", "/api/session", `{"name":"officer","password":"`+fmt.Sprint("guess", i)+`"}`)
		if want := map[bool]int{true: 401, false: 429}[i < 3]; w.Code != want {
			t.Errorf("attempt %d is %d, want %d", i, w.Code, want)
		}
	}
	// Another address is not held responsible.
	r := httptest.NewRequest("GET", "/healthz", nil)
	r.RemoteAddr = "198.51.100.7:1"
	if w := h.do(r); w.Code != 200 {
		t.Errorf("another address got %d", w.Code)
	}
}

// Uploads of a dock are not counted for its address, guesses at its key are.
func TestGuessesAtADocksKey(t *testing.T) {
	h := newHouseWith(t, func(c *httpapi.Config) { c.Rates = httpapi.Rates{PerAddress: 1, PerAccount: 20, SignIns: 3} }, access.Officer)
	upload := func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("HEAD", "/files/0123456789abcdefghjkmnpqrs", nil)
		r.Header.Set("Tus-Resumable", "1.0.0")
		r.Header.Set("Authorization", "Bearer "+key)
		return h.do(r)
	}
	for i := range 50 { // far more than the address may ask for
		if w := upload(h.dockKey); w.Code != 404 {
			t.Fatalf("request %d of the dock is %d", i, w.Code)
		}
	}
	for i := range 5 {
		if w, want := upload(fmt.Sprint("guess", i)), map[bool]int{true: 401, false: 429}[i < 3]; w.Code != want {
			t.Errorf("guess %d is %d, want %d", i, w.Code, want)
		}
	}
	h.Clock.Move(time.Minute)
	if w := upload(h.dockKey); w.Code != 404 {
		t.Errorf("a minute later the dock gets %d", w.Code)
	}
}

// However many addresses come, what is remembered of them is bounded.
func TestRatesAreBoundedInMemory(t *testing.T) {
	clock := time.Unix(1_800_000_000, 0)
	b := httpapi.NewBuckets(1, 5, func() time.Time { return clock })
	for i := range 200_000 {
		b.Take(fmt.Sprint(i))
	}
	if n := b.Len(); n > 1<<16 {
		t.Errorf("%d buckets are kept", n)
	}
}

func TestMeasuresAreNotForEverybody(t *testing.T) {
	const token = "0123456789abcdef0123"
	for _, c := range []struct {
		name, token, from, sent string
		proxied                 bool
		status                  int
	}{
		{"this machine", "", "127.0.0.1:9", "", false, 200},
		{"this machine, IPv6", "", "[::1]:9", "", false, 200},
		{"another", "", "192.0.2.4:9", "", false, 403},
		{"through a proxy", "", "127.0.0.1:9", "", true, 403},
		{"with the token", token, "192.0.2.4:9", "Bearer " + token, false, 200},
		{"with the token through a proxy", token, "127.0.0.1:9", "Bearer " + token, true, 200},
		{"with a wrong token", token, "127.0.0.1:9", "Bearer 0123456789abcdef0124", false, 403},
		{"without the token", token, "127.0.0.1:9", "", false, 403},
	} {
		h := newHouseWith(t, func(k *httpapi.Config) { k.MetricsToken, k.Proxied = c.token, c.proxied }, access.Officer)
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = c.from
		if c.sent != "" {
			r.Header.Set("Authorization", c.sent)
		}
		if w := h.do(r); w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if strings.Contains(h.log.String(), token) {
			t.Error("the token is in the log")
		}
	}
}

// Behind a proxy the address on record is the one that the proxy saw, never
// one that the asker claims.
func TestAddressBehindAProxy(t *testing.T) {
	h := newHouseWith(t, func(c *httpapi.Config) { c.Proxied = true }, access.Officer)
	for _, c := range []struct{ peer, said, want string }{
		{"127.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1:1", "6.6.6.6, 203.0.113.9", "203.0.113.9"},
		{"127.0.0.1:1", "not an address", "127.0.0.1"},
		{"198.51.100.3:1", "203.0.113.9", "198.51.100.3"},
	} {
		r := httptest.NewRequest("GET", "/api/recordings", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", c.said)
		p := h.problem(h.do(r), 401, evidence.Unauthenticated)
		for line := range strings.Lines(h.log.String()) {
			if strings.Contains(line, p.Reference) && !strings.Contains(line, "address="+c.want+" ") {
				t.Errorf("%+v: logged is %s", c, line)
			}
		}
	}
}

// A refusal is logged with who was refused and why, under the reference that
// they were shown.
func TestRefusalsAreLoggedWithIdentityAndReason(t *testing.T) {
	h := newHouse(t, access.Officer)
	var me struct{ Me struct{ ID string } }
	decode(t, h.ask("officer", "GET", "/api/session", ""), &me)
	for _, c := range []struct {
		who, path, reason string
		status            int
	}{
		{"officer", "/api/system", "Your role does not include this", 403},
		{"officer", "/api/recordings/" + string(h.other), "There is no such recording", 404},
		{"", "/api/recordings", "Nobody is signed in", 401},
	} {
		p := h.problem(h.ask(c.who, "GET", c.path, ""), c.status, map[int]evidence.Code{403: evidence.Denied, 404: evidence.NotFound, 401: evidence.Unauthenticated}[c.status])
		actor := "actor=" + me.Me.ID
		if c.who == "" {
			actor = `actor=""`
		}
		found := false
		for line := range strings.Lines(h.log.String()) {
			found = found || strings.Contains(line, "reference="+p.Reference) && strings.Contains(line, actor) &&
				strings.Contains(line, "address=192.0.2.1") && strings.Contains(line, c.reason)
		}
		if !found {
			t.Errorf("no line has %s, %s and %q", p.Reference, actor, c.reason)
		}
	}
}

// Whatever junk is sent anywhere, neither answer nor log repeats it.
func TestNothingEchoesJunk(t *testing.T) {
	h := newHouseWith(t, func(c *httpapi.Config) { c.Rates = httpapi.Rates{PerAddress: -1, PerAccount: -1, SignIns: -1} }, access.Officer, access.Supervisor)
	routes := h.door.Routes()
	const marker = "zq7xMARKERk9v"
	rapid.Check(t, func(t *rapid.T) {
		route := routes[rapid.IntRange(0, len(routes)-1).Draw(t, "route")]
		if strings.HasPrefix(route.Pattern, "/api/events") || route.Pattern == "/" && route.Method == "" {
			return
		}
		junk := rapid.SampledFrom([]string{marker, `"` + marker, "<script>" + marker, "%00" + marker, "../" + marker, marker + "' OR 1=1--", "{" + marker + "}"}).Draw(t, "junk")
		inPath := rapid.SampledFrom([]string{escape(junk), "../" + marker, "./" + marker, "/" + marker}).Draw(t, "in the path")
		path := route.Pattern
		for strings.Contains(path, "{") {
			i, j := strings.Index(path, "{"), strings.Index(path, "}")
			path = path[:i] + inPath + path[j+1:]
		}
		if strings.HasSuffix(path, "/") {
			path += inPath
		}
		query := rapid.SampledFrom([]string{"", "?" + escape(junk) + "=1", "?cursor=" + escape(junk), "?limit=" + escape(junk), "?zone=" + escape(junk), "?segment=" + escape(junk)}).Draw(t, "query")
		body := rapid.SampledFrom([]string{"", junk, `{"` + marker + `":1}`, `{"name":"` + marker + `","password":"` + marker + `x"}`, `{"purpose":{"code":"` + marker + `"}}`}).Draw(t, "body")
		method := route.Method
		if method == "" {
			method = rapid.SampledFrom([]string{"GET", "POST", "PATCH", "DELETE", "HEAD", "TRACE"}).Draw(t, "method")
		}
		r := httptest.NewRequest(method, path+query, strings.NewReader(body))
		r.Header.Set("Content-Type", rapid.SampledFrom([]string{"application/json", "text/xml", marker}).Draw(t, "type"))
		for _, name := range []string{"User-Agent", "Referer", "Accept-Language", "X-Forwarded-For", "Range", "If-None-Match", "Tus-Resumable", "Upload-Metadata", "Accept"} {
			r.Header.Set(name, marker)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Sec-Fetch-Dest", "empty")
		switch rapid.SampledFrom([]string{"", "officer", "supervisor", "dock", "junk"}).Draw(t, "who") {
		case "officer":
			r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies["officer"]})
		case "supervisor":
			r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies["supervisor"]})
		case "dock":
			r.Header.Set("Authorization", "Bearer "+h.dockKey)
		case "junk":
			r.AddCookie(&http.Cookie{Name: "custos", Value: marker})
			r.Header.Set("Authorization", "Bearer "+marker)
		}
		w := h.do(r)
		if strings.Contains(w.Body.String(), marker) || strings.Contains(fmt.Sprint(w.Header()), marker) {
			t.Fatalf("%s %s%s repeats what was sent: %v %s", method, path, query, w.Header(), w.Body)
		}
		if w.Code >= 500 {
			t.Fatalf("%s %s%s: %d %s", method, path, query, w.Code, w.Body)
		}
	})
	if strings.Contains(h.log.String(), marker) {
		for line := range strings.Lines(h.log.String()) {
			if strings.Contains(line, marker) {
				t.Fatalf("the log repeats what was sent: %s", line)
			}
		}
	}
}

func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Clients that send or take nothing are cut off; one that moves is not.
func TestSlowClients(t *testing.T) {
	h := newHouseWith(t, func(c *httpapi.Config) {
		c.Patience = httpapi.Patience{Header: 150 * time.Millisecond, Body: 300 * time.Millisecond, Write: 300 * time.Millisecond, Media: time.Minute}
	}, access.Officer)
	h.door.Handle("GET /test/much", func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 1<<20)
		for range 256 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	working := make(chan context.Context, 1)
	h.door.Handle("POST /test/work", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		working <- r.Context()
		<-time.After(600 * time.Millisecond) // longer than a body may take
		if r.Context().Err() == nil {
			_, _ = io.WriteString(w, "done")
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	srv := h.door.HTTP()
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()
	dial := func(head string) net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = io.WriteString(c, head)
		must(t, err)
		return c
	}
	// A head that does not end, as slowloris sends it.
	if _, err := io.Copy(io.Discard, dial("GET /healthz HTTP/1.1\r\nHost: x\r\nX-a: b\r\n")); err != nil {
		t.Errorf("the server waits for a head: %v", err)
	}
	// A body that does not come: refused, and the connection ends.
	c := dial("POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	answer, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(answer), "HTTP/1.1 4") {
		t.Errorf("a body that does not come: %v %s", err, answer)
	}
	// One who takes nothing of a large answer.
	c = dial("GET /test/much HTTP/1.1\r\nHost: x\r\n\r\n")
	deadline := time.Now().Add(15 * time.Second)
	for !strings.Contains(h.log.String(), `route="GET /test/much"`) {
		if time.Now().After(deadline) {
			t.Fatal("the server waits for one who does not read")
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = c.Close()
	// Work that takes longer than its body might is not ended with it.
	c = dial("POST /test/work HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
	<-working
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "done" {
		t.Errorf("the work was cut off: %v %q", err, b)
	}
	// Nor is it over HTTP/2, where a deadline that passes ends the request.
	two := httptest.NewUnstartedServer(h.handler)
	two.EnableHTTP2 = true
	two.StartTLS()
	defer two.Close()
	res, err = two.Client().Post(two.URL+"/test/work", "text/plain", strings.NewReader("hi"))
	must(t, err)
	<-working
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "done" || res.ProtoMajor != 2 {
		t.Errorf("the work over %s was cut off: %v %q", res.Proto, err, b)
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })}
	go func() { _ = srv.Serve(httpapi.LimitConnections(ln, 3, false)) }()
	defer srv.Close()
	ask := func() (net.Conn, bool) {
		c, err := net.Dial("tcp", ln.Addr().String())
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // it may be closed already
		_, err = http.ReadResponse(bufio.NewReader(c), nil)
		return c, err == nil
	}
	var open []net.Conn
	for range 3 {
		c, ok := ask()
		if !ok {
			t.Fatal("a connection was refused too early")
		}
		open = append(open, c)
	}
	if _, ok := ask(); ok {
		t.Error("a fourth connection is open")
	}
	must(t, open[0].Close())
	for deadline := time.Now().Add(5 * time.Second); ; {
		if _, ok := ask(); ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a closed connection makes no room")
		}
	}
}
