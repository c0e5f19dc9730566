package httpapi

import "net/http"

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
