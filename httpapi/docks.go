package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"custos/access"
	"custos/evidence"
	"custos/ingest"
)

// DockView is a docking station on the docks page.
type DockView struct {
	evidence.DockStatus
	ID         string    `json:"id"`
	LastSeen   time.Time `json:"lastSeen" doc:"By the server's clock; zero if never."`
	Online     bool      `json:"online"`
	EnrolledAt time.Time `json:"enrolledAt"`
}

// DockList is all docking stations.
type DockList struct {
	Docks []DockView `json:"docks"`
}

// A dock reports every 15 s at least.
const dockAway = 45 * time.Second

func (s *Server) dockRoutes() {
	described(s, http.MethodGet, "/api/docks", "Docking stations and what moves in them", may(access.Docks), func(ctx context.Context, _ evidence.Actor, _ *struct{}) (*body[DockList], error) {
		l, err := s.dockList(ctx)
		return &body[DockList]{l}, err
	})
	described(s, http.MethodGet, "/api/dock", "What a dock must know", dockOnly, func(_ context.Context, a evidence.Actor, _ *struct{}) (*body[DockFacts], error) {
		return &body[DockFacts]{DockFacts{ID: a.ID, Name: a.Name, Force: s.Force, Now: s.Now().UTC(),
			ReceiptKey: s.ReceiptKey, LogKey: s.LogKey, MaxUpload: s.Ingest.MaxSize}}, nil
	})
	described(s, http.MethodPut, "/api/dock/status", "What a dock says of itself", dockOnly, func(_ context.Context, a evidence.Actor, in *body[evidence.DockStatus]) (*struct{}, error) {
		return nil, s.Docks.Put(a, in.Body)
	})
	s.mount("/files/", own("a dock"), s.Ingest)
}

// DockFacts is what a dock asks at its start.
type DockFacts struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Force      string    `json:"force"`
	Now        time.Time `json:"now"`
	ReceiptKey string    `json:"receiptKey"`
	LogKey     string    `json:"logKey"`
	MaxUpload  int64     `json:"maxUpload" doc:"Bytes."`
}

func (s *Server) dockList(ctx context.Context) (DockList, error) {
	enrolled, err := s.Identity.Docks(ctx)
	if err != nil {
		return DockList{}, err
	}
	seen := map[string]ingest.Seen{}
	for _, d := range s.Docks.All() {
		seen[d.Dock] = d
	}
	out := DockList{Docks: []DockView{}}
	for _, d := range enrolled {
		if !d.RevokedAt.IsZero() {
			continue
		}
		v := DockView{ID: string(d.ID), EnrolledAt: d.EnrolledAt}
		if st, ok := seen[string(d.ID)]; ok {
			v.DockStatus, v.LastSeen = st.DockStatus, st.LastSeen
			v.Online = s.Now().Sub(st.LastSeen) < dockAway
		}
		v.Dock, v.Name = string(d.ID), d.Name
		if v.Cameras == nil {
			v.Cameras = []evidence.CameraStatus{}
		}
		out.Docks = append(out.Docks, v)
	}
	return out, nil
}

// DockActor tells who uploads: a dock by its key. It is what ingest asks.
func (s *Server) DockActor(r *http.Request) (evidence.Actor, error) {
	return s.authenticate(r, dockOnly)
}

// UploadProblem writes ingest's refusals in our form, with the status that tus
// wants.
func (s *Server) UploadProblem(w http.ResponseWriter, r *http.Request, status int, err error) {
	p := problemOf(r.Context(), err)
	p.Status, p.Title = status, http.StatusText(status)
	if p.Title == "" {
		p.Title = fmt.Sprintf("Status %d", status)
	}
	writeProblem(w, r, p)
	note(r.Context(), err)
}

// WatchDocks passes what docks report on to browsers until ctx ends.
func (s *Server) WatchDocks(ctx context.Context) error {
	for st := range s.Docks.Subscribe(ctx) {
		s.events.publish("docks", access.Docks, "", st)
	}
	return nil
}
