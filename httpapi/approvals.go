package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"custos/access"
	"custos/approval"
	"custos/evidence"
)

// Somebody is a person, or another party, as they were when they did something.
type Somebody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Number   string `json:"number" doc:"Collar number, may be empty."`
	RoleName string `json:"roleName" doc:"As it was then."`
}

func (s *Server) somebody(a evidence.Actor) Somebody {
	role := s.Access.RoleName(a.Role)
	if a.Kind == evidence.Operator {
		role = "Operator at the server"
	}
	return Somebody{ID: a.ID, Name: a.Name, Number: a.Number, RoleName: role}
}

// nobody is nil where nobody did it yet.
func (s *Server) orNobody(a evidence.Actor) *Somebody {
	if a.ID == "" {
		return nil
	}
	b := s.somebody(a)
	return &b
}

// RequestView is a request for an act that needs two people.
type RequestView struct {
	ID          evidence.ID  `json:"id"`
	Kind        string       `json:"kind"`
	Title       string       `json:"title" doc:"Of the kind, for people."`
	Subject     evidence.ID  `json:"subject"`
	SubjectName string       `json:"subjectName" doc:"As it was when this was asked for."`
	Was         string       `json:"was" doc:"The value when this was asked for."`
	Wanted      string       `json:"wanted" doc:"The value that was asked for."`
	Reason      string       `json:"reason"`
	AskedBy     Somebody     `json:"askedBy"`
	AskedAt     time.Time    `json:"askedAt"`
	ExpiresAt   time.Time    `json:"expiresAt"`
	State       string       `json:"state" enum:"open,done,refused,withdrawn,expired,failed"`
	DecidedBy   *Somebody    `json:"decidedBy,omitempty"`
	DecidedAt   time.Time    `json:"decidedAt" doc:"Zero while open."`
	Note        string       `json:"note" doc:"Why it was refused."`
	Failure     string       `json:"failure" doc:"Why carrying it out failed last."`
	Can         approval.Can `json:"can"`
}

func (s *Server) requestView(r approval.Shown) RequestView {
	return RequestView{ID: r.ID, Kind: r.Kind, Title: r.Title, Subject: r.Subject, SubjectName: r.SubjectName, Was: r.Was, Wanted: r.Wanted,
		Reason: r.Reason, AskedBy: s.somebody(r.AskedBy), AskedAt: r.AskedAt, ExpiresAt: r.ExpiresAt, State: string(r.State),
		DecidedBy: s.orNobody(r.DecidedBy), DecidedAt: r.DecidedAt, Note: r.Note, Failure: r.Failure, Can: r.Can}
}

// RequestPage is one page of requests, newest first.
type RequestPage struct {
	Items []RequestView `json:"items"`
	Next  evidence.ID   `json:"next" doc:"Cursor of the next page, empty after the last."`
}

// Waiting is what waits for the reader, and what they may do with requests at all.
type Waiting struct {
	Decide  int        `json:"decide" doc:"Requests that the reader may approve now."`
	Review  int        `json:"review" doc:"Emergency access that waits for review."`
	Overdue int        `json:"overdue" doc:"Of those, past their time."`
	Ask     []AskKind  `json:"ask" doc:"What the reader may ask for."`
	Decides bool       `json:"decides" doc:"Whether the reader decides requests at all."`
	Reviews bool       `json:"reviews" doc:"Whether the reader reviews emergency access."`
	Roles   []RoleName `json:"roles" doc:"For asking for another role."`
}

// AskKind is a kind of request.
type AskKind struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
}

// RoleName is a role that can be asked for.
type RoleName struct {
	Role string `json:"role"`
	Name string `json:"name"`
}

// Subjects is what a request can be about.
type Subjects struct {
	Items []Subject `json:"items"`
	More  bool      `json:"more" doc:"There are others; search for them."`
}

// Subject is one account or dock that a request can be about.
type Subject struct {
	ID  evidence.ID `json:"id"`
	Was string      `json:"was" doc:"As it is now: the role, or that the key is in use."`
	// Name is how people know it.
	Name string `json:"name"`
}

const subjectsMost = 20

type requestsIn struct {
	Show   string `query:"show" enum:"decide,mine,done" required:"true"`
	Cursor string `query:"cursor" maxLength:"26"`
}

type askIn struct {
	Body struct {
		Kind    string `json:"kind" maxLength:"60"`
		Subject string `json:"subject" maxLength:"26"`
		Role    string `json:"role,omitempty" maxLength:"60" doc:"For role.grant."`
		Reason  string `json:"reason" maxLength:"4000"`
	}
}

type noteIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Reason string `json:"reason" maxLength:"4000"`
	}
}

func requestID(text string) (evidence.ID, error) {
	id, err := evidence.ParseID(text)
	if err != nil {
		return "", evidence.Errorf(evidence.NotFound, "There is no such request, or you may not see it.")
	}
	return id, nil
}

func (s *Server) approvalRoutes() {
	see := may(access.Approvals)
	described(s, http.MethodGet, "/api/approvals", "Requests for acts that need two people, newest first", see, func(ctx context.Context, a evidence.Actor, in *requestsIn) (*body[RequestPage], error) {
		page, err := s.Approvals.List(ctx, a, in.Show, evidence.ID(in.Cursor))
		out := RequestPage{Items: []RequestView{}, Next: page.Next}
		for _, r := range page.Items {
			out.Items = append(out.Items, s.requestView(r))
		}
		return &body[RequestPage]{out}, err
	})
	described(s, http.MethodGet, "/api/approvals/waiting", "What waits for the reader to decide or review", see, func(ctx context.Context, a evidence.Actor, _ *struct{}) (*body[Waiting], error) {
		w, err := s.waiting(ctx, a)
		return &body[Waiting]{w}, err
	})
	described(s, http.MethodGet, "/api/approvals/subjects", "What a request can be about", see, func(ctx context.Context, a evidence.Actor, in *struct {
		Kind string `query:"kind" enum:"role.grant,dock.revoke" required:"true"`
		ID   string `query:"id" maxLength:"26" doc:"This one alone."`
		Text string `query:"text" maxLength:"100" doc:"In the name, number or sign-in name."`
	}) (*body[Subjects], error) {
		if !s.Access.Can(a, access.AskOf(in.Kind)) {
			return nil, evidence.Errorf(evidence.Denied, "Your role does not include asking for this.")
		}
		out, err := s.subjects(ctx, in.Kind, in.ID, in.Text)
		return &body[Subjects]{out}, err
	})
	described(s, http.MethodPost, "/api/approvals", "Ask for an act that needs two people", fresh(see), func(ctx context.Context, a evidence.Actor, in *askIn) (*body[RequestView], error) {
		id, err := evidence.ParseID(in.Body.Subject)
		if err != nil {
			return nil, evidence.Errorf(evidence.NotFound, "What this is about does not exist.")
		}
		params, err := json.Marshal(map[string]string{"role": in.Body.Role})
		if err != nil {
			return nil, err
		}
		r, err := s.Approvals.Ask(ctx, a, approval.Asked{Kind: in.Body.Kind, Subject: id, Params: params, Reason: in.Body.Reason})
		return s.decided(ctx, a, r, err)
	})
	described(s, http.MethodPost, "/api/approvals/{id}/approve", "Approve a request, which carries it out", fresh(see), func(ctx context.Context, a evidence.Actor, in *byID) (*body[RequestView], error) {
		id, err := requestID(in.ID)
		if err != nil {
			return nil, err
		}
		r, err := s.Approvals.Approve(ctx, a, id)
		return s.decided(ctx, a, r, err)
	})
	described(s, http.MethodPost, "/api/approvals/{id}/refuse", "Refuse a request", see, func(ctx context.Context, a evidence.Actor, in *noteIn) (*body[RequestView], error) {
		id, err := requestID(in.ID)
		if err != nil {
			return nil, err
		}
		r, err := s.Approvals.Refuse(ctx, a, id, in.Body.Reason)
		return s.decided(ctx, a, r, err)
	})
	described(s, http.MethodPost, "/api/approvals/{id}/withdraw", "Withdraw one's own request", see, func(ctx context.Context, a evidence.Actor, in *byID) (*body[RequestView], error) {
		id, err := requestID(in.ID)
		if err != nil {
			return nil, err
		}
		r, err := s.Approvals.Withdraw(ctx, a, id)
		return s.decided(ctx, a, r, err)
	})
}

// decided is the answer to whatever was done to a request.
func (s *Server) decided(ctx context.Context, a evidence.Actor, r approval.Request, err error) (*body[RequestView], error) {
	if err != nil {
		return nil, err
	}
	shown, err := s.Approvals.Show(ctx, a, r.ID)
	return &body[RequestView]{s.requestView(shown)}, err
}

func (s *Server) waiting(ctx context.Context, a evidence.Actor) (w Waiting, err error) {
	may := s.Approvals.May(a)
	w = Waiting{Ask: []AskKind{}, Roles: []RoleName{}, Decides: len(may.Decide) > 0, Reviews: s.Access.Can(a, access.ReviewBreakGlass)}
	for _, k := range may.Ask {
		w.Ask = append(w.Ask, AskKind{k.Name, k.Title})
		if k.Name == approval.RoleGrantKind {
			for _, role := range s.Access.Roles() {
				w.Roles = append(w.Roles, RoleName{role, s.Access.RoleName(role)})
			}
		}
	}
	if w.Decide, err = s.Approvals.Waiting(ctx, a); err != nil {
		return w, err
	}
	w.Review, w.Overdue, err = s.Approvals.ToReview(ctx, a)
	return w, err
}

// subjects are the accounts or docks that id or text picks.
func (s *Server) subjects(ctx context.Context, kind, id, text string) (Subjects, error) {
	out := Subjects{Items: []Subject{}}
	text = strings.ToLower(strings.TrimSpace(text))
	add := func(sub Subject, words ...string) {
		found := id == string(sub.ID)
		for _, w := range words {
			found = found || id == "" && strings.Contains(strings.ToLower(w), text)
		}
		if found && len(out.Items) == subjectsMost {
			out.More = true
		} else if found {
			out.Items = append(out.Items, sub)
		}
	}
	if kind == approval.DockRevokeKind {
		docks, err := s.Identity.Docks(ctx)
		for _, d := range docks {
			if d.RevokedAt.IsZero() {
				add(Subject{ID: d.ID, Name: d.Name, Was: "Key in use"}, d.Name)
			}
		}
		return out, err
	}
	people, err := s.Identity.List(ctx)
	for _, p := range people {
		if !p.Disabled {
			add(Subject{ID: p.ID, Name: approval.NameOf(p), Was: s.Access.RoleName(p.Role)}, p.Name, p.Number, p.Login)
		}
	}
	return out, err
}

// ApprovalsChanged tells browsers that something about requests is new.
func (s *Server) ApprovalsChanged() {
	s.events.publish("approvals", access.Approvals, "", struct{}{})
}
