package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"custos/access"
	"custos/custody"
	"custos/evidence"
	"custos/oversight"
	"custos/witness"
)

// System is the state of the service for whoever runs it. It names no
// recording's content and no person.
type System struct {
	Version   string          `json:"version"`
	StartedAt time.Time       `json:"startedAt"`
	Stores    []custody.Store `json:"stores"`
	Ledger    LedgerState     `json:"ledger"`
	Work      WorkState       `json:"work"`
	Database  DatabaseState   `json:"database"`
	Uploads   UploadState     `json:"uploads"`
	Approvals ApprovalState   `json:"approvals"`
	Witness   witness.Outside `json:"witness"`
	// PasswordAlone counts open accounts that need nothing but a password.
	PasswordAlone int `json:"passwordAlone" doc:"Open accounts that may sign in with a password alone; 0 where a second factor is required."`
}

// ApprovalState is what waits for people, in numbers.
type ApprovalState struct {
	Open    int `json:"open" doc:"Requests that wait for a second person."`
	Glass   int `json:"glass" doc:"Emergency access in use."`
	Reviews int `json:"reviews" doc:"Emergency access that waits for review."`
	Overdue int `json:"overdue" doc:"Of those, past their time."`
}

// LedgerState is how the ledger and its log are.
type LedgerState struct {
	Events         int64     `json:"events"`
	Size           int64     `json:"size" doc:"Entries in the log."`
	CheckpointSize int64     `json:"checkpointSize"`
	CheckpointAt   time.Time `json:"checkpointAt"`
	Origin         string    `json:"origin"`
	LogKey         string    `json:"logKey"`
	State          string    `json:"state"`
	Message        string    `json:"message"`
	Witnessed      bool      `json:"witnessed" doc:"Enough witnesses have signed all but the last minute."`
}

// WorkState counts the jobs and shows the latest.
type WorkState struct {
	Waiting int    `json:"waiting"`
	Running int    `json:"running"`
	Failed  int    `json:"failed"`
	Done    int    `json:"done"`
	Recent  []Work `json:"recent"`
}

// Work is one job.
type Work struct {
	WorkOn
	Recording string `json:"recording"`
}

// DatabaseState is the database in use.
type DatabaseState struct {
	Engine string `json:"engine"`
	Bytes  int64  `json:"bytes"`
}

// UploadState is what is on its way in.
type UploadState struct {
	Open  int   `json:"open"`
	Bytes int64 `json:"bytes"`
}

func (s *Server) systemRoutes() {
	described(s, http.MethodGet, "/api/system", "How the service is", may(access.Health), func(ctx context.Context, _ evidence.Actor, _ *struct{}) (*body[System], error) {
		sys, err := s.system(ctx)
		return &body[System]{sys}, err
	})
	s.handle("GET /api/events", person, s.stream)
	s.handle("GET /log/{path...}", anyone, func(w http.ResponseWriter, r *http.Request, _ evidence.Actor) error {
		return s.Oversight.ServeLog(w, r, r.PathValue("path"))
	})
	s.handle("GET /healthz", anyone, func(w http.ResponseWriter, _ *http.Request, _ evidence.Actor) error {
		return writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	s.handle("GET /readyz", anyone, s.ready)
	s.handle("GET /metrics", own("a program on this machine, or who has the token of the measures"), func(w http.ResponseWriter, r *http.Request, _ evidence.Actor) error {
		if err := s.mayMeasure(r); err != nil {
			return err
		}
		s.metricsHandler().ServeHTTP(w, r)
		return nil
	})
	if s.Authority != nil {
		s.handle("GET /ca.crt", anyone, func(w http.ResponseWriter, _ *http.Request, _ evidence.Actor) error {
			w.Header().Set("Content-Type", "application/x-x509-ca-cert")
			_, err := w.Write(s.Authority)
			return err
		})
	}
	if s.UI != nil {
		s.mount("/", anyone, s.UI)
	}
	for _, prefix := range []string{"/api/", "/media/"} {
		s.handle(prefix, anyone, func(http.ResponseWriter, *http.Request, evidence.Actor) error {
			return evidence.Errorf(evidence.NotFound, "There is no such thing.")
		})
	}
}

func (s *Server) system(ctx context.Context) (System, error) {
	sys := System{Version: s.Version, StartedAt: s.started.UTC(), Stores: []custody.Store{}}
	store, err := s.Custody.StoreState(ctx)
	if err != nil {
		return sys, err
	}
	if sys.PasswordAlone, err = s.Identity.WithoutSecondFactor(ctx); err != nil {
		return sys, err
	}
	sys.Stores = append(sys.Stores, store)
	log, err := s.Oversight.Log(ctx)
	if err != nil {
		return sys, err
	}
	sys.Ledger = LedgerState{
		Events: log.Events, Size: log.Size, CheckpointSize: log.CheckpointSize, CheckpointAt: log.CheckpointAt,
		Origin: strings.SplitN(log.Key, "+", 2)[0], LogKey: log.Key, State: log.Word(), Message: log.Message, Witnessed: log.Witness.Witnessed(time.Now()),
	}
	sys.Witness = log.Witness
	counts, err := s.Queue.Counts(ctx)
	if err != nil {
		return sys, err
	}
	recent, err := s.Queue.Recent(ctx, 20)
	if err != nil {
		return sys, err
	}
	sys.Work = WorkState{Waiting: counts.Waiting, Running: counts.Running, Failed: counts.Failed, Done: counts.Done, Recent: []Work{}}
	for i, w := range workOn(recent) {
		sys.Work.Recent = append(sys.Work.Recent, Work{w, recent[i].Subject})
	}
	up, err := s.Ingest.Stats(ctx)
	if err != nil {
		return sys, err
	}
	sys.Uploads = UploadState{up.Open, up.Bytes}
	waits, err := s.Approvals.Counts(ctx)
	if err != nil {
		return sys, err
	}
	sys.Approvals = ApprovalState{waits.Open, waits.Glass, waits.Reviews, waits.Overdue}
	bytes, err := s.DB.Size(ctx)
	sys.Database = DatabaseState{string(s.DB.Engine()), bytes}
	return sys, err
}

// ready says whether the service can take footage in and show it. It does not
// say why not: that is for those who may open the system page.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, _ evidence.Actor) error {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	checks := map[string]bool{}
	log, err := s.Oversight.Log(ctx)
	checks["ledger"] = err == nil && log.Word() == oversight.OK
	store, err := s.Custody.StoreState(ctx)
	checks["store"] = err == nil && store.State == custody.StoreOK
	status, word := http.StatusOK, "ready"
	for _, ok := range checks {
		if !ok {
			status, word = http.StatusServiceUnavailable, "not ready"
		}
	}
	return writeJSON(w, status, map[string]any{"status": word, "checks": checks})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(b)
	return err
}

// routes registers everything.
func (s *Server) routes() {
	s.sessionRoutes()
	s.accountRoutes()
	s.credentialRoutes()
	s.recordingRoutes()
	s.consultRoutes()
	s.placingRoutes()
	s.dockRoutes()
	s.systemRoutes()
	s.trailRoutes()
	s.peopleRoutes()
	s.unitRoutes()
	s.caseRoutes()
	s.approvalRoutes()
	s.breakGlassRoutes()
}
