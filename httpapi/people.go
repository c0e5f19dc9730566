package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/organisation"
	"custos/staff"
)

// PersonView is somebody with an account, as the people pages show them.
type PersonView struct {
	ID       string    `json:"id"`
	Login    string    `json:"login"`
	Name     string    `json:"name"`
	Number   string    `json:"number" doc:"Collar number, empty if none."`
	Role     string    `json:"role"`
	RoleName string    `json:"roleName"`
	Disabled bool      `json:"disabled"`
	ActiveAt time.Time `json:"activeAt" doc:"Last signed in, made, enabled or given a password."`
	Unit     string    `json:"unit" doc:"Identifier of the unit they are posted to now, empty if none."`
	Lead     bool      `json:"lead" doc:"They lead that unit."`
}

// RoleOption is a role that a person can have.
type RoleOption struct {
	Role     string `json:"role"`
	Name     string `json:"name"`
	Approval bool   `json:"approval" doc:"Two people give it; a new account cannot begin with it."`
}

// PeopleList is a part of all people.
type PeopleList struct {
	People []PersonView `json:"people" doc:"By sign-in name."`
	Total  int          `json:"total" doc:"All that fit, also those not sent."`
	Roles  []RoleOption `json:"roles"`
}

// PostingView is a posting with its unit as it is called now.
type PostingView struct {
	organisation.Posting
	Code string `json:"code"`
	Name string `json:"name"`
}

// PersonDetail is one person with what the register has of them.
type PersonDetail struct {
	PersonView
	CreatedAt time.Time              `json:"createdAt"`
	Postings  []PostingView          `json:"postings" doc:"The latest first."`
	Numbers   []organisation.Holding `json:"numbers" doc:"The latest first."`
	Cameras   []organisation.Holding `json:"cameras" doc:"The latest first."`
}

type peopleIn struct {
	Text  string `query:"text" maxLength:"100" doc:"In name, sign-in name or number."`
	Unit  string `query:"unit" maxLength:"26"`
	Role  string `query:"role" maxLength:"60"`
	State string `query:"state" enum:"open,closed" doc:"Left out: both."`
	After string `query:"after" maxLength:"64" doc:"Sign-in name of the last one of the page before."`
	Limit int    `query:"limit" minimum:"0" maximum:"500" doc:"0 = 100"`
}

type hireIn struct {
	Body struct {
		Login  string    `json:"login" maxLength:"64"`
		Name   string    `json:"name" maxLength:"128"`
		Number string    `json:"number,omitempty" maxLength:"32"`
		Role   string    `json:"role" maxLength:"60"`
		Unit   string    `json:"unit,omitempty" maxLength:"26"`
		Lead   bool      `json:"lead,omitempty"`
		From   time.Time `json:"from,omitzero" doc:"Of number and unit. Left out: now, and since ever for a number that nobody had."`
	}
}

type describeIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Name   *string   `json:"name,omitempty" maxLength:"128"`
		Number *string   `json:"number,omitempty" maxLength:"32" doc:"Empty: none any more."`
		From   time.Time `json:"from,omitzero" doc:"Of the number. Left out: now."`
	}
}

type postIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Unit string    `json:"unit" maxLength:"26"`
		Lead bool      `json:"lead,omitempty"`
		From time.Time `json:"from,omitzero" doc:"Left out: now."`
	}
}

type issueIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Camera string    `json:"camera" maxLength:"128" doc:"As its recordings name it."`
		From   time.Time `json:"from,omitzero" doc:"Left out: now."`
		Until  time.Time `json:"until,omitzero" doc:"Left out: until it is returned."`
	}
}

type endIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Until time.Time `json:"until,omitzero" doc:"Left out: now."`
	}
}

type importIn struct {
	Body struct {
		File   string          `json:"file" doc:"CSV; see docs/formats/staff-csv.md."`
		Digest evidence.Digest `json:"digest,omitzero" doc:"Of the preview that is to be done. For a preview: left out."`
	}
}

// importLimit is a staff file with every character escaped.
const importLimit = 2 * staff.MaxFile

// made is an answer that names what was made.
type made struct {
	ID string `json:"id"`
}

func (s *Server) peopleRoutes() {
	p := may(access.People)
	described(s, http.MethodGet, "/api/people", "People with accounts", p, func(ctx context.Context, _ evidence.Actor, in *peopleIn) (*body[PeopleList], error) {
		out, err := s.people(ctx, *in)
		return &body[PeopleList]{out}, err
	})
	described(s, http.MethodGet, "/api/people/{id}", "One person", p, func(ctx context.Context, _ evidence.Actor, in *oneID) (*body[PersonDetail], error) {
		out, err := s.personDetail(ctx, evidence.ID(in.ID))
		return &body[PersonDetail]{out}, err
	})
	described(s, http.MethodPost, "/api/people", "Make an account; its person cannot sign in yet", p, func(ctx context.Context, a evidence.Actor, in *hireIn) (*body[made], error) {
		b := in.Body
		id, err := s.Staff.Add(ctx, a, staff.Hire{Login: b.Login, Name: b.Name, Number: b.Number, Role: b.Role, Unit: evidence.ID(b.Unit), Lead: b.Lead, From: b.From})
		return &body[made]{made{string(id)}}, err
	})
	described(s, http.MethodPut, "/api/people/{id}", "Give a person another name or collar number", p, func(ctx context.Context, a evidence.Actor, in *describeIn) (*struct{}, error) {
		return nil, s.Staff.Describe(ctx, a, evidence.ID(in.ID), in.Body.Name, in.Body.Number, in.Body.From)
	})
	described(s, http.MethodPost, "/api/people/{id}/postings", "Post a person to a unit", p, func(ctx context.Context, a evidence.Actor, in *postIn) (*struct{}, error) {
		return nil, s.Staff.Post(ctx, a, organisation.Posting{Person: evidence.ID(in.ID), Unit: evidence.ID(in.Body.Unit), Lead: in.Body.Lead, From: in.Body.From})
	})
	described(s, http.MethodPost, "/api/postings/{id}/end", "End a posting", p, func(ctx context.Context, a evidence.Actor, in *endIn) (*struct{}, error) {
		return nil, s.Staff.EndPosting(ctx, a, evidence.ID(in.ID), in.Body.Until)
	})
	described(s, http.MethodPost, "/api/people/{id}/cameras", "Issue a camera to a person", p, func(ctx context.Context, a evidence.Actor, in *issueIn) (*struct{}, error) {
		return nil, s.Staff.Issue(ctx, a, organisation.Holding{Thing: in.Body.Camera, Person: evidence.ID(in.ID), From: in.Body.From, Until: in.Body.Until})
	})
	described(s, http.MethodPost, "/api/cameras/{id}/return", "Take a camera back", p, func(ctx context.Context, a evidence.Actor, in *endIn) (*struct{}, error) {
		return nil, s.Staff.Return(ctx, a, evidence.ID(in.ID), in.Body.Until)
	})
	describedUpTo(s, importLimit, http.MethodPost, "/api/people-preview", "What an import of people would do", p, func(ctx context.Context, _ evidence.Actor, in *importIn) (*body[staff.Preview], error) {
		out, err := s.Staff.Preview(ctx, []byte(in.Body.File))
		return &body[staff.Preview]{out}, err
	})
	describedUpTo(s, importLimit, http.MethodPost, "/api/people-import", "Import people as a preview showed", p, func(ctx context.Context, a evidence.Actor, in *importIn) (*body[staff.Preview], error) {
		out, err := s.Staff.Import(ctx, a, []byte(in.Body.File), in.Body.Digest)
		return &body[staff.Preview]{out}, err
	})
}

func (s *Server) personView(p identity.Person) PersonView {
	return PersonView{ID: string(p.ID), Login: p.Login, Name: p.Name, Number: p.Number, Role: p.Role, RoleName: s.Access.RoleName(p.Role),
		Disabled: p.Disabled, ActiveAt: p.ActiveAt}
}

// people reads all and picks: a force's people are a few megabytes at most.
func (s *Server) people(ctx context.Context, in peopleIn) (PeopleList, error) {
	out := PeopleList{People: []PersonView{}, Roles: []RoleOption{}}
	var list []identity.Person
	posted := map[evidence.ID]organisation.Posting{}
	if err := s.DB.Read(ctx, func(tx *database.Tx) (err error) {
		if list, err = s.Identity.ListIn(ctx, tx); err != nil {
			return err
		}
		postings, err := s.Organisation.PostingsAt(ctx, tx, s.Now())
		for _, p := range postings {
			posted[p.Person] = p
		}
		return err
	}); err != nil {
		return PeopleList{}, err
	}
	for _, role := range s.Access.Roles() {
		out.Roles = append(out.Roles, RoleOption{role, s.Access.RoleName(role), staff.NeedsApproval(role)})
	}
	if in.Limit == 0 {
		in.Limit = 100
	}
	text := strings.ToLower(strings.TrimSpace(in.Text))
	for _, p := range list {
		v := s.personView(p)
		if x, ok := posted[p.ID]; ok {
			v.Unit, v.Lead = string(x.Unit), x.Lead
		}
		if in.Role != "" && v.Role != in.Role || in.Unit != "" && v.Unit != in.Unit || in.State == "open" && v.Disabled || in.State == "closed" && !v.Disabled ||
			!strings.Contains(strings.ToLower(v.Login+"\n"+v.Name+"\n"+v.Number), text) {
			continue
		}
		out.Total++
		if v.Login > in.After && len(out.People) < in.Limit {
			out.People = append(out.People, v)
		}
	}
	return out, nil
}

func (s *Server) personDetail(ctx context.Context, id evidence.ID) (PersonDetail, error) {
	p, err := s.Identity.Person(ctx, id)
	if err != nil {
		return PersonDetail{}, err
	}
	past, err := s.Organisation.Past(ctx, id)
	if err != nil {
		return PersonDetail{}, err
	}
	units, err := s.Organisation.Units(ctx)
	if err != nil {
		return PersonDetail{}, err
	}
	called := map[evidence.ID]organisation.Unit{}
	for _, u := range units {
		called[u.ID] = u
	}
	out := PersonDetail{PersonView: s.personView(p), CreatedAt: p.CreatedAt, Postings: []PostingView{}, Numbers: past.Numbers, Cameras: past.Cameras}
	now := s.Now()
	for _, x := range past.Postings {
		out.Postings = append(out.Postings, PostingView{x, called[x.Unit].Code, called[x.Unit].Name})
		if !x.From.After(now) && (x.Until.IsZero() || x.Until.After(now)) {
			out.Unit, out.Lead = string(x.Unit), x.Lead
		}
	}
	return out, nil
}
