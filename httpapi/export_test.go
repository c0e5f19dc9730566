package httpapi

import (
	"net/http"
	"time"
)

// Route is a registered route, for the table of routes and roles.
type Route struct{ Method, Pattern, Who string }

// Routes are all that are registered.
func (s *Server) Routes() (list []Route) {
	for _, r := range s.listed {
		list = append(list, Route{r.method, r.pattern, r.policy.name})
	}
	return list
}

// Handle registers a route, for tests of what surrounds every route.
func (s *Server) Handle(pattern string, h http.HandlerFunc) { s.mux.Handle(pattern, h) }

// Buckets are token buckets, for tests of their memory.
type Buckets struct{ b *buckets }

// NewBuckets makes token buckets.
func NewBuckets(rate, burst float64, now func() time.Time) Buckets {
	return Buckets{newBuckets(rate, burst, now)}
}

// Take takes one token.
func (b Buckets) Take(key string) time.Duration { return b.b.take(key) }

// Len is how many buckets are kept.
func (b Buckets) Len() int { return len(b.b.kept) }
