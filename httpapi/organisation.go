package httpapi

import (
	"context"
	"net/http"
	"strings"

	"custos/access"
	"custos/cases"
	"custos/database"
	"custos/evidence"
	"custos/organisation"
)

// UnitView is a unit with how many people are posted to it now.
type UnitView struct {
	organisation.Unit
	People int      `json:"people"`
	Leads  []string `json:"leads" doc:"Names of those who lead it."`
}

// UnitList is all units, closed ones too, by code.
type UnitList struct {
	Units []UnitView `json:"units"`
}

type unitIn struct {
	Body struct {
		Name   string `json:"name" maxLength:"128"`
		Code   string `json:"code" maxLength:"16"`
		Parent string `json:"parent,omitempty" maxLength:"26" doc:"Left out: the top."`
	}
}

type changeUnitIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Name   *string `json:"name,omitempty" maxLength:"128"`
		Parent *string `json:"parent,omitempty" maxLength:"26" doc:"Empty: the top."`
	}
}

// CaseView is a case or incident as its reader may see it.
type CaseView struct {
	organisation.Case
	Known  bool `json:"known" doc:"The reader may know what it is about; else title and people are empty."`
	Manage bool `json:"manage" doc:"The reader may close it and choose its members."`
}

// MemberView is a membership with the person's name of now.
type MemberView struct {
	organisation.Membership
	Name string `json:"name"`
}

// CaseDetail is one case with its members.
type CaseDetail struct {
	CaseView
	By      string       `json:"by" doc:"Name of who entered it."`
	Members []MemberView `json:"members" doc:"The latest first; empty where the reader may not know them."`
}

// CaseList is a page of the register.
type CaseList struct {
	Cases []CaseView `json:"cases" doc:"The latest first."`
	Next  string     `json:"next" doc:"For before; empty after the last."`
}

type casesIn struct {
	Text   string `query:"text" maxLength:"100" doc:"In the number; in the title where the reader may know it."`
	State  string `query:"state" enum:"open,closed" doc:"Left out: both."`
	Kind   string `query:"kind" enum:"case,incident" doc:"Left out: both."`
	Mine   bool   `query:"mine" doc:"Only those that the reader is a member of."`
	Before string `query:"before" maxLength:"26"`
}

type caseIn struct {
	Body struct {
		Number string `json:"number" maxLength:"60"`
		Kind   string `json:"kind" enum:"case,incident"`
		Title  string `json:"title" maxLength:"200"`
	}
}

type memberIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Person string `json:"person" maxLength:"26"`
		Role   string `json:"role" maxLength:"60" doc:"What they do in the case, in words."`
	}
}

type endMemberIn struct {
	ID     string `path:"id" maxLength:"26"`
	Member string `path:"member" maxLength:"26"`
}

type textIn struct {
	Text string `query:"text" maxLength:"100"`
}

// Candidate is somebody who can become a member of a case.
type Candidate struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Number string `json:"number"`
}

// CandidateList is at most 20 people.
type CandidateList struct {
	People []Candidate `json:"people"`
}

// casesPage is how many entries of the register one answer has.
const casesPage = 100

func (s *Server) unitRoutes() {
	p := may(access.People)
	described(s, http.MethodGet, "/api/units", "Units of the force", p, func(ctx context.Context, _ evidence.Actor, _ *struct{}) (*body[UnitList], error) {
		out, err := s.units(ctx)
		return &body[UnitList]{out}, err
	})
	described(s, http.MethodPost, "/api/units", "Make a unit", p, func(ctx context.Context, a evidence.Actor, in *unitIn) (*body[made], error) {
		u, err := s.Staff.AddUnit(ctx, a, organisation.Unit{Name: in.Body.Name, Code: in.Body.Code, Parent: evidence.ID(in.Body.Parent)})
		return &body[made]{made{string(u.ID)}}, err
	})
	described(s, http.MethodPut, "/api/units/{id}", "Rename or move a unit", p, func(ctx context.Context, a evidence.Actor, in *changeUnitIn) (*struct{}, error) {
		if in.Body.Name != nil {
			if err := s.Staff.RenameUnit(ctx, a, evidence.ID(in.ID), *in.Body.Name); err != nil {
				return nil, err
			}
		}
		if in.Body.Parent != nil {
			return nil, s.Staff.MoveUnit(ctx, a, evidence.ID(in.ID), evidence.ID(*in.Body.Parent))
		}
		return nil, nil
	})
	described(s, http.MethodPost, "/api/units/{id}/close", "Close a unit", p, func(ctx context.Context, a evidence.Actor, in *oneID) (*struct{}, error) {
		return nil, s.Staff.CloseUnit(ctx, a, evidence.ID(in.ID))
	})
}

func (s *Server) units(ctx context.Context) (UnitList, error) {
	out := UnitList{Units: []UnitView{}}
	err := s.DB.Read(ctx, func(tx *database.Tx) error {
		units, err := s.Organisation.UnitsIn(ctx, tx)
		if err != nil {
			return err
		}
		postings, err := s.Organisation.PostingsAt(ctx, tx, s.Now())
		if err != nil {
			return err
		}
		people, err := s.Identity.ListIn(ctx, tx)
		if err != nil {
			return err
		}
		names := map[evidence.ID]string{}
		for _, p := range people {
			names[p.ID] = p.Name
		}
		count, leads := map[evidence.ID]int{}, map[evidence.ID][]string{}
		for _, p := range postings {
			count[p.Unit]++
			if p.Lead {
				leads[p.Unit] = append(leads[p.Unit], names[p.Person])
			}
		}
		for _, u := range units {
			out.Units = append(out.Units, UnitView{u, count[u.ID], append([]string{}, leads[u.ID]...)})
		}
		return nil
	})
	return out, err
}

func (s *Server) caseRoutes() {
	read, write := may(access.Cases), may(access.ManageCases)
	described(s, http.MethodGet, "/api/cases", "The register of cases and incidents", read, func(ctx context.Context, a evidence.Actor, in *casesIn) (*body[CaseList], error) {
		out, err := s.caseList(ctx, a, *in)
		return &body[CaseList]{out}, err
	})
	described(s, http.MethodGet, "/api/cases/{id}", "One case or incident", read, func(ctx context.Context, a evidence.Actor, in *oneID) (*body[CaseDetail], error) {
		out, err := s.caseDetail(ctx, a, evidence.ID(in.ID))
		return &body[CaseDetail]{out}, err
	})
	described(s, http.MethodPost, "/api/cases", "Enter a case or incident", write, func(ctx context.Context, a evidence.Actor, in *caseIn) (*body[made], error) {
		c, err := s.Cases.Add(ctx, a, organisation.Case{Number: in.Body.Number, Kind: organisation.CaseKind(in.Body.Kind), Title: in.Body.Title})
		return &body[made]{made{string(c.ID)}}, err
	})
	described(s, http.MethodPost, "/api/cases/{id}/close", "Close a case or incident", write, func(ctx context.Context, a evidence.Actor, in *oneID) (*struct{}, error) {
		return nil, s.Cases.Close(ctx, a, evidence.ID(in.ID))
	})
	described(s, http.MethodPost, "/api/cases/{id}/members", "Make somebody a member of a case", write, func(ctx context.Context, a evidence.Actor, in *memberIn) (*struct{}, error) {
		return nil, s.Cases.AddMember(ctx, a, organisation.Membership{Case: evidence.ID(in.ID), Person: evidence.ID(in.Body.Person), Role: in.Body.Role})
	})
	described(s, http.MethodPost, "/api/cases/{id}/members/{member}/end", "End a membership", write, func(ctx context.Context, a evidence.Actor, in *endMemberIn) (*struct{}, error) {
		return nil, s.Cases.EndMember(ctx, a, evidence.ID(in.ID), evidence.ID(in.Member))
	})
	described(s, http.MethodGet, "/api/case-candidates", "People who can become members of cases", write, func(ctx context.Context, _ evidence.Actor, in *textIn) (*body[CandidateList], error) {
		out, err := s.candidates(ctx, in.Text)
		return &body[CandidateList]{out}, err
	})
}

func (s *Server) caseList(ctx context.Context, a evidence.Actor, in casesIn) (CaseList, error) {
	f := organisation.CaseFilter{Kind: organisation.CaseKind(in.Kind), Text: strings.TrimSpace(in.Text), Before: evidence.ID(in.Before), Limit: casesPage + 1}
	if in.State != "" {
		open := in.State == "open"
		f.Open = &open
	}
	if in.Mine {
		f.Member = evidence.ID(a.ID)
	}
	list, err := s.Cases.List(ctx, a, f)
	if err != nil {
		return CaseList{}, err
	}
	out := CaseList{Cases: []CaseView{}}
	for _, e := range list[:min(len(list), casesPage)] {
		out.Cases = append(out.Cases, caseView(e))
	}
	if len(list) > casesPage {
		out.Next = string(list[casesPage-1].ID)
	}
	return out, nil
}

func caseView(e cases.Entry) CaseView { return CaseView{e.Case, e.Known, e.Manage} }

func (s *Server) caseDetail(ctx context.Context, a evidence.Actor, id evidence.ID) (CaseDetail, error) {
	e, members, err := s.Cases.Case(ctx, a, id)
	if err != nil {
		return CaseDetail{}, err
	}
	out := CaseDetail{CaseView: caseView(e), Members: []MemberView{}}
	name := func(id string) string {
		p, err := s.Identity.Person(ctx, evidence.ID(id))
		if err != nil { // an operator entered it, by command
			return id
		}
		return p.Name
	}
	if e.Known {
		out.By = name(e.OpenedBy)
	}
	for _, m := range members {
		out.Members = append(out.Members, MemberView{m, name(string(m.Person))})
	}
	return out, nil
}

func (s *Server) candidates(ctx context.Context, text string) (CandidateList, error) {
	out := CandidateList{People: []Candidate{}}
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return out, nil
	}
	list, err := s.Identity.List(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range list {
		if !p.Disabled && s.Access.Can(evidence.Actor{Kind: evidence.Person, Role: p.Role}, access.Recordings) &&
			strings.Contains(strings.ToLower(p.Name+"\n"+p.Number), text) && len(out.People) < 20 {
			out.People = append(out.People, Candidate{string(p.ID), p.Name, p.Number})
		}
	}
	return out, nil
}
