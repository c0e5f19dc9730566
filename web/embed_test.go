package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		".keep":                 {},
		"index.html":            {Data: []byte(`<script nonce="{nonce}"></script><meta property="csp-nonce" nonce="{nonce}">`)},
		"assets/index-1.js":     {Data: []byte("plain")},
		"assets/index-1.js.gz":  {Data: []byte("zipped")},
		"assets/index-1.js.br":  {Data: []byte("brotli")},
		"assets/picture-2.webp": {Data: []byte("webp")},
		"favicon.svg":           {Data: []byte("<svg/>")},
	}
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPageHasANonceOfItsOwn(t *testing.T) {
	h := newHandler(built(), nil)
	seen := map[string]bool{}
	for range 3 {
		w := get(t, h, "GET", "/recordings")
		m := regexp.MustCompile(`nonce="([A-Za-z0-9+/=]{24})"`).FindStringSubmatch(w.Body.String())
		if m == nil || strings.Contains(w.Body.String(), "{nonce}") {
			t.Fatalf("no nonce in %q", w.Body)
		}
		if seen[m[1]] {
			t.Fatal("a nonce came twice")
		}
		seen[m[1]] = true
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self' 'nonce-" + m[1] + "'", "style-src 'self' 'nonce-" + m[1] + "'",
			"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'",
		} {
			if !slices.Contains(strings.Split(csp, "; "), want) {
				t.Errorf("policy %q lacks %q", csp, want)
			}
		}
		for _, bad := range []string{"unsafe", "*", "http:", "https:"} {
			if strings.Contains(csp, bad) {
				t.Errorf("policy %q has %q", csp, bad)
			}
		}
	}
}

func TestPolicyCanBeGiven(t *testing.T) {
	h := newHandler(built(), func(n string) string { return "mine " + n })
	if got := get(t, h, "GET", "/").Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "mine ") || len(got) != len("mine ")+24 {
		t.Errorf("got %q", got)
	}
}

func TestStatusAndCache(t *testing.T) {
	h := newHandler(built(), nil)
	for _, c := range []struct {
		path, accept   string
		status         int
		body, encoding string
		cache, kind    string
	}{
		{"/", "", 200, "", "", "no-store", "text/html; charset=utf-8"},
		{"/recordings/01jd", "br", 200, "", "", "no-store", "text/html; charset=utf-8"},
		{"/recordings/01jd/more", "", 404, "", "", "no-store", "text/html; charset=utf-8"},
		{"/nothing", "", 404, "", "", "no-store", "text/html; charset=utf-8"},
		{"/.keep", "", 404, "", "", "no-store", "text/html; charset=utf-8"},
		{"/index.html", "", 404, "", "", "no-store", "text/html; charset=utf-8"},
		{"/assets/index-1.js", "", 200, "plain", "", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		{"/assets/index-1.js", "gzip, deflate, br", 200, "brotli", "br", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		{"/assets/index-1.js", "gzip, br;q=0", 200, "zipped", "gzip", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		{"/assets/picture-2.webp", "gzip, br", 200, "webp", "", "public, max-age=31536000, immutable", "image/webp"},
		{"/favicon.svg", "br", 200, "<svg/>", "", "no-cache", "image/svg+xml"},
		{"/assets/index-0.js", "", 404, "There is no such file.\n", "", "no-store", "text/plain; charset=utf-8"},
		{"/assets/index-1.js.gz", "", 404, "There is no such file.\n", "", "no-store", "text/plain; charset=utf-8"},
	} {
		w := get(t, h, "GET", c.path, "Accept-Encoding", c.accept)
		g := w.Header()
		if w.Code != c.status || g.Get("Content-Encoding") != c.encoding || g.Get("Cache-Control") != c.cache || g.Get("Content-Type") != c.kind ||
			c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s (%s): %d %v %q", c.path, c.accept, w.Code, g, w.Body)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if g.Get(name) != want {
				t.Errorf("%s: %s is %q", c.path, name, g.Get(name))
			}
		}
		if !strings.Contains(g.Get("Permissions-Policy"), "camera=()") {
			t.Errorf("%s: the camera is allowed", c.path)
		}
	}
}

func TestUnchangedAssetIsNotSentAgain(t *testing.T) {
	h := newHandler(built(), nil)
	first := get(t, h, "GET", "/favicon.svg").Header().Get("ETag")
	w := get(t, h, "GET", "/favicon.svg", "If-None-Match", `"other", W/`+first)
	if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	// Each form has a tag of its own, or a cache could mix them.
	zipped := get(t, h, "GET", "/assets/index-1.js", "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain := get(t, h, "GET", "/assets/index-1.js").Header().Get("ETag"); plain == zipped {
		t.Errorf("both forms are tagged %s", plain)
	}
}

func TestMethods(t *testing.T) {
	h := newHandler(built(), nil)
	if w := get(t, h, "HEAD", "/recordings"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %q %v", w.Code, w.Body, w.Header())
	}
	if w := get(t, h, "POST", "/recordings"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

func TestWithoutPages(t *testing.T) {
	h := newHandler(fstest.MapFS{".keep": {}}, nil)
	if w := get(t, h, "GET", "/"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "npm run build") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := get(t, Handler(nil), "GET", "/"); w.Code != 200 && w.Code != 503 {
		t.Errorf("as built: %d", w.Code)
	}
}

// The list of routes exists twice, in Go for the status and in TypeScript for
// the page; here they are held together.
func TestRoutesAreThoseOfTheRouter(t *testing.T) {
	text, err := os.ReadFile("src/app/router.tsx")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`path: '([^'*]+)'`).FindAllStringSubmatch(string(text), -1)
	if len(found) < 5 {
		t.Fatalf("only %d routes found in the router", len(found))
	}
	alternatives := strings.Count(routes.String(), "|") + 1
	optional := strings.Count(routes.String(), ")?")
	if alternatives+optional != len(found) {
		t.Errorf("embed.go knows %d routes, the router %d", alternatives+optional, len(found))
	}
	for _, m := range found {
		if p := strings.ReplaceAll(m[1], ":id", "01jd"); !routes.MatchString(p) {
			t.Errorf("the router has %s, embed.go does not", m[1])
		}
	}
}

func FuzzAccepted(f *testing.F) {
	f.Add("gzip, deflate, br;q=0.5")
	f.Add("br;q=")
	f.Add(";;,,q=0")
	f.Fuzz(func(t *testing.T, header string) {
		if accepted(header, "br") && !strings.Contains(strings.ToLower(header), "br") {
			t.Errorf("%q is taken to accept br", header)
		}
	})
}
