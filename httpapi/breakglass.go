package httpapi

import (
	"context"
	"net/http"
	"time"

	"custos/access"
	"custos/approval"
	"custos/evidence"
)

// EmergencyView is one time that somebody took emergency access.
type EmergencyView struct {
	ID         evidence.ID  `json:"id"`
	By         Somebody     `json:"by"`
	Reason     string       `json:"reason"`
	Reference  string       `json:"reference" doc:"Case or incident number, may be empty."`
	OpenedAt   time.Time    `json:"openedAt"`
	Until      time.Time    `json:"until" doc:"It allows nothing from then on."`
	EndedAt    time.Time    `json:"endedAt" doc:"Zero while it lasts."`
	EndedBy    *Somebody    `json:"endedBy,omitempty"`
	InUse      bool         `json:"inUse"`
	DueAt      time.Time    `json:"dueAt" doc:"By when it is to be reviewed."`
	Overdue    bool         `json:"overdue"`
	ReviewedAt time.Time    `json:"reviewedAt" doc:"Zero until then."`
	ReviewedBy *Somebody    `json:"reviewedBy,omitempty"`
	Outcome    string       `json:"outcome" enum:",justified,not_justified"`
	Note       string       `json:"note"`
	Can        EmergencyCan `json:"can"`
}

// EmergencyCan is what the reader may do about it, for buttons to show exactly that.
type EmergencyCan struct {
	End    approval.Ability `json:"end"`
	Review approval.Ability `json:"review"`
}

func (s *Server) emergencyView(e approval.ShownGlass) EmergencyView {
	return EmergencyView{ID: e.ID, By: s.somebody(e.By), Reason: e.Reason, Reference: e.Reference, OpenedAt: e.OpenedAt, Until: e.Until,
		EndedAt: e.EndedAt, EndedBy: s.orNobody(e.EndedBy), InUse: e.InUse, DueAt: e.DueAt, Overdue: e.Overdue,
		ReviewedAt: e.ReviewedAt, ReviewedBy: s.orNobody(e.ReviewedBy), Outcome: string(e.Outcome), Note: e.Note,
		Can: EmergencyCan{End: e.End, Review: e.Review}}
}

// EmergencyPage is one page of emergency access.
type EmergencyPage struct {
	Items []EmergencyView `json:"items"`
	Next  evidence.ID     `json:"next" doc:"Cursor of the next page, empty after the last."`
}

// MyEmergency is the reader's own emergency access.
type MyEmergency struct {
	Open *EmergencyView `json:"open,omitempty" doc:"Left out where they have none open."`
	Now  time.Time      `json:"now" doc:"By the server's clock, to count down by."`
}

func (s *Server) breakGlassRoutes() {
	described(s, http.MethodGet, "/api/break-glass", "Emergency access: one's own, or all for those who review it", may(access.BreakGlass), func(ctx context.Context, a evidence.Actor, in *struct {
		Waiting bool   `query:"waiting" doc:"Only what waits for review, what is due first first."`
		Cursor  string `query:"cursor" maxLength:"26"`
	}) (*body[EmergencyPage], error) {
		page, err := s.Approvals.ListGlass(ctx, a, in.Waiting, evidence.ID(in.Cursor))
		out := EmergencyPage{Items: []EmergencyView{}, Next: page.Next}
		for _, e := range page.Items {
			out.Items = append(out.Items, s.emergencyView(e))
		}
		return &body[EmergencyPage]{out}, err
	})
	described(s, http.MethodGet, "/api/break-glass/mine", "The emergency access that one has open", may(access.OpenBreakGlass), func(ctx context.Context, a evidence.Actor, _ *struct{}) (*body[MyEmergency], error) {
		out := MyEmergency{Now: s.Now().UTC()}
		e, err := s.Approvals.Mine(ctx, evidence.ID(a.ID))
		if err != nil || e == nil {
			return &body[MyEmergency]{out}, err
		}
		shown, err := s.Approvals.ShowGlass(ctx, *e, a)
		v := s.emergencyView(shown)
		out.Open = &v
		return &body[MyEmergency]{out}, err
	})
	described(s, http.MethodPost, "/api/break-glass", "Take emergency access, for 15 minutes", fresh(may(access.OpenBreakGlass)), func(ctx context.Context, a evidence.Actor, in *struct {
		Body struct {
			Reason    string `json:"reason" maxLength:"4000"`
			Reference string `json:"reference,omitempty" maxLength:"400" doc:"Case or incident number."`
		}
	}) (*body[EmergencyView], error) {
		e, err := s.Approvals.Break(ctx, a, in.Body.Reason, in.Body.Reference)
		return s.glassDone(ctx, a, e, err)
	})
	described(s, http.MethodPost, "/api/break-glass/{id}/end", "End emergency access before its time", may(access.BreakGlass), func(ctx context.Context, a evidence.Actor, in *byID) (*body[EmergencyView], error) {
		id, err := glassID(in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Approvals.End(ctx, a, id)
		return s.glassDone(ctx, a, e, err)
	})
	described(s, http.MethodPost, "/api/break-glass/{id}/review", "Say whether emergency access was justified", may(access.ReviewBreakGlass), func(ctx context.Context, a evidence.Actor, in *struct {
		ID   string `path:"id" maxLength:"26"`
		Body struct {
			Outcome string `json:"outcome" enum:"justified,not_justified"`
			Note    string `json:"note" maxLength:"4000"`
		}
	}) (*body[EmergencyView], error) {
		id, err := glassID(in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Approvals.Review(ctx, a, id, approval.Outcome(in.Body.Outcome), in.Body.Note)
		return s.glassDone(ctx, a, e, err)
	})
}

func glassID(text string) (evidence.ID, error) {
	id, err := evidence.ParseID(text)
	if err != nil {
		return "", evidence.Errorf(evidence.NotFound, "There is no such emergency access, or you may not see it.")
	}
	return id, nil
}

func (s *Server) glassDone(ctx context.Context, a evidence.Actor, e approval.Emergency, err error) (*body[EmergencyView], error) {
	if err != nil {
		return nil, err
	}
	shown, err := s.Approvals.ShowGlass(ctx, e, a)
	return &body[EmergencyView]{s.emergencyView(shown)}, err
}

// Alert is what reviewers are told of emergency access as it happens.
type Alert struct {
	ID    evidence.ID `json:"id"`
	Name  string      `json:"name"`
	State string      `json:"state"` // opened, ended, reviewed
}

// GlassChanged alerts those who review emergency access, and tells those who
// take it that something changed, not whose.
func (s *Server) GlassChanged(e approval.Emergency) {
	a := Alert{ID: e.ID, Name: e.By.Name, State: "opened"}
	if !e.EndedAt.IsZero() {
		a.State = "ended"
	}
	if !e.ReviewedAt.IsZero() {
		a.State = "reviewed"
	}
	s.events.publish("breakGlass", access.ReviewBreakGlass, "", a)
	s.events.publish("breakGlass", access.OpenBreakGlass, "", struct{}{})
}
