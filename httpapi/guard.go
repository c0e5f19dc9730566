package httpapi

import (
	"crypto/subtle"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"

	"custos/evidence"
)

// methods are those that some route takes. TRACE and what nobody has heard of
// are refused before anything looks at the path.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// guard stands before every route: it limits what one address may ask for and
// refuses addresses of pages that are written in an odd way, which the mux
// would answer by repeating them.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Docks are limited by their keys: many may stand behind one address.
		if !strings.HasPrefix(r.URL.Path, "/files/") {
			if err := s.limited(r.Context(), s.rates.address, stateOf(r.Context()).address); err != nil {
				writeProblem(w, r, err)
				return
			}
		}
		if !slices.Contains(methods, r.Method) {
			p := problem(evidence.Invalid, "This service does not know what is asked of it.")
			p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
			w.Header().Set("Allow", strings.Join(methods, ", "))
			writeProblem(w, r, p)
			return
		}
		if s.odd(r) {
			writeProblem(w, r, evidence.Errorf(evidence.NotFound, "There is no such thing."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// odd tells whether the mux would answer with a redirection.
func (s *Server) odd(r *http.Request) bool {
	p := r.URL.Path
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	if p != clean {
		return true
	}
	_, pattern := s.mux.Handler(r)
	_, place, ok := strings.Cut(pattern, " ")
	if !ok {
		place = pattern
	}
	return place == p+"/"
}

// fetchHeaders are what a browser says of who asks and for what (W3C Fetch
// Metadata). Pages cannot set them.
const (
	fetchSite = "Sec-Fetch-Site"
	fetchDest = "Sec-Fetch-Dest"
	fetchMode = "Sec-Fetch-Mode"
)

// fromElsewhere refuses what another site's page makes a browser ask for. A
// request without the header comes from a program and has no browser's cookie.
func fromElsewhere(r *http.Request) error {
	switch r.Header.Get(fetchSite) {
	case "", "same-origin", "none":
		return nil
	}
	return evidence.Errorf(evidence.Denied, "The request came from another site. Nothing was changed. Use the pages of this service.")
}

// playing are the destinations of a request that a player on a page makes:
// video and audio elements, pictures, and fetch.
var playing = []string{"video", "audio", "image", "empty"}

// inPlayer refuses bytes of footage to whatever is not a part of our own
// pages: a window or frame of their own, a download, another site, a program.
// A copy to take away is a disclosure and is made as one. This keeps honest
// people from taking copies by accident; a program that pretends to be a
// browser still needs a session, and every byte it gets is on record.
func inPlayer(r *http.Request) error {
	h := r.Header
	if h.Get(fetchSite) != "same-origin" || !slices.Contains(playing, h.Get(fetchDest)) || h.Get(fetchMode) == "navigate" {
		return evidence.Errorf(evidence.Denied, "Footage is shown in the pages of this service only. A copy to take away is made by a disclosure.")
	}
	return nil
}

// Measures are read by a program on this machine, or by one that has the
// token. Behind a proxy everybody seems to be on this machine, so there the
// token alone counts.
func (s *Server) mayMeasure(r *http.Request) error {
	if s.MetricsToken != "" {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.MetricsToken)) == 1 {
			return nil
		}
	} else if ip := net.ParseIP(address(r)); ip != nil && ip.IsLoopback() && !s.Proxied {
		return nil
	}
	return evidence.Errorf(evidence.Denied, "The measures are for a program on the server itself, or for one that has their token.")
}

// caller is the IP address that a request came from. Behind a proxy on this
// machine it is the last one in X-Forwarded-For, which the proxy wrote; what
// stands before it is anybody's claim.
func (s *Server) caller(r *http.Request) string {
	peer := address(r)
	if ip := net.ParseIP(peer); !s.Proxied || ip == nil || !ip.IsLoopback() {
		return peer
	}
	said := r.Header.Values("X-Forwarded-For")
	if len(said) == 0 {
		return peer
	}
	list := strings.Split(said[len(said)-1], ",")
	if ip := net.ParseIP(strings.TrimSpace(list[len(list)-1])); ip != nil {
		return ip.String()
	}
	return peer
}

// address is the peer's IP address, without port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// strictest is the policy of every answer that is not one of our pages (those
// have their own): it shows nothing, runs nothing and is framed nowhere.
const strictest = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// secure sets what holds for every answer. Handlers may say it more loosely
// where they mean it, such as for assets that may be kept.
func (s *Server) secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", strictest)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Permitted-Cross-Domain-Policies", "none")
	h.Set("Origin-Agent-Cluster", "?1")
	h.Set("Cache-Control", "no-store")
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}
