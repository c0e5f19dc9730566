// Package web is the browser's side of the service, built by Vite into dist
// and carried inside the binary: nothing is fetched from anywhere else.
//
// The Go code here serves those files. It adds the headers that a page which
// shows evidence must have, and puts a fresh nonce into every page it gives
// out, so that the browser runs the service's own scripts and styles and no
// others. A binary built without the pages (a clone in which `npm run build`
// has not run) compiles and answers with a page that says so.
package web

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

//go:embed csp.txt
var policy string

// CSP is the Content-Security-Policy of the pages, for one nonce (base64):
// csp.txt with its lines joined. Everything comes from this server; text never
// becomes HTML or code (Trusted Types); no page may frame this one.
func CSP(nonce string) string {
	lines := strings.Split(strings.TrimSpace(policy), "\n")
	return strings.ReplaceAll(strings.Join(lines, "; "), "{nonce}", nonce)
}

// Routes of src/app/router.tsx, as a regular expression over the path. Any
// other path gets the same page, which says that there is no such page, with
// status 404.
var routes = regexp.MustCompile(`^/(|sign-in|enrol|account|recordings(/[^/]+)?|cases(/[^/]+)?|trail|docks|holds|approvals|people(/[^/]+)?|units|system)$`)

// Handler serves the pages and their assets to GET and HEAD, and answers 405
// to anything else. csp makes the Content-Security-Policy for a nonce; nil is
// CSP. It is safe for concurrent use.
func Handler(csp func(nonce string) string) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for a name that is no path
	}
	return newHandler(files, csp)
}

// An asset is one file in the three forms it can be sent in.
type asset struct {
	contentType string
	etag        string // of the plain form; each form has its own
	plain       []byte
	gzip        []byte // nil = not made
	brotli      []byte // nil = not made
	immutable   bool   // its name carries a hash of its content
}

type handler struct {
	csp    func(nonce string) string
	assets map[string]asset // by path, with the leading slash; fixed once made
	page   []byte           // index.html; nil in a binary built without pages
}

func newHandler(files fs.FS, csp func(nonce string) string) *handler {
	if csp == nil {
		csp = CSP
	}
	h := &handler{csp: csp, assets: map[string]asset{}}
	// An embedded file system does not fail to read what it lists.
	_ = fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		if ext := path.Ext(name); ext == ".gz" || ext == ".br" {
			return nil // comes with its plain form
		}
		plain, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			h.page = plain
			return nil
		}
		sum := sha256.Sum256(plain)
		a := asset{
			contentType: contentType(name), etag: hex.EncodeToString(sum[:16]), plain: plain,
			immutable: strings.HasPrefix(name, "assets/"),
		}
		a.gzip, _ = fs.ReadFile(files, name+".gz") // nil where there is none
		a.brotli, _ = fs.ReadFile(files, name+".br")
		h.assets["/"+name] = a
		return nil
	})
	return h
}

// contentType does not ask the machine's own tables, which differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".html":
		return "text/html; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".wasm":
		return "application/wasm"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Pages can only be read.", http.StatusMethodNotAllowed)
		return
	}
	if a, ok := h.assets[r.URL.Path]; ok {
		a.serve(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		// A page from before an update asks for what is gone: it must not get HTML as a script.
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	h.servePage(w, r)
}

// secure sets what holds for everything that is served here.
func secure(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cross-Origin-Embedder-Policy", "require-corp")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), "+
		"display-capture=(), midi=(), browsing-topics=(), fullscreen=(self), autoplay=(self)")
}

// servePage sends index.html with a nonce that no other answer has.
func (h *handler) servePage(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	nonce := newNonce()
	header.Set("Content-Security-Policy", h.csp(nonce))
	if h.page == nil {
		http.Error(w, "This build of Custos has no pages. Run npm ci and npm run build in web/, then build it again.", http.StatusServiceUnavailable)
		return
	}
	body := bytes.ReplaceAll(h.page, []byte("{nonce}"), []byte(nonce))
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if !routes.MatchString(r.URL.Path) {
		w.WriteHeader(http.StatusNotFound)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader that went away is nobody's fault
	}
}

// newNonce is 128 random bits in base64. crypto/rand never fails: it ends the
// program instead.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Add("Vary", "Accept-Encoding")
	if a.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	body, encoding := a.plain, ""
	switch accepts := r.Header.Get("Accept-Encoding"); {
	case a.brotli != nil && accepted(accepts, "br"):
		body, encoding = a.brotli, "br"
	case a.gzip != nil && accepted(accepts, "gzip"):
		body, encoding = a.gzip, "gzip"
	}
	etag := fmt.Sprintf(`"%s%s"`, a.etag, encoding)
	header.Set("ETag", etag)
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	if matches(r.Header.Get("If-None-Match"), etag) {
		header.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// accepted tells whether an Accept-Encoding takes coding (RFC 9110, 12.5.3).
// "*" is not taken for it: browsers name what they can read.
func accepted(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, found := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

// matches tells whether an If-None-Match names etag (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == etag || part == "*" {
			return true
		}
	}
	return false
}
