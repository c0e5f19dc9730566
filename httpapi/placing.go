package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"custos/access"
	"custos/custody"
	"custos/evidence"
)

// Kept is whose a recording is and how closely it is kept, as far as the asker
// may know.
type Kept struct {
	Owner        *Named                `json:"owner,omitempty" doc:"Whose footage it is; left out where that is nobody known."`
	Own          bool                  `json:"own" doc:"It is the asker's own."`
	Class        string                `json:"class" enum:"normal,restricted,confidential"`
	Cases        []InCase              `json:"cases" doc:"Cases and incidents it belongs to."`
	Listed       []Listed              `json:"listed" doc:"Its access list; only for who may change it."`
	HoldRequests []custody.HoldRequest `json:"holdRequests" doc:"Why it may not be disposed of before somebody has looked; only for who may open holds."`
	NeedsPurpose bool                  `json:"needsPurpose" doc:"The asker must say why before they watch it."`
	Purpose      *Reason               `json:"purpose,omitempty" doc:"Why the asker watches it, as they have said and need not say again yet."`
}

// Named is an account by its name now.
type Named struct {
	ID     evidence.ID `json:"id"`
	Name   string      `json:"name"`
	Number string      `json:"number,omitempty"`
}

// Reason is a purpose with the number that was given with it.
type Reason struct {
	Code      string `json:"code"`
	Reference string `json:"reference,omitempty"`
}

// InCase is a case or incident that a recording belongs to.
type InCase struct {
	ID     evidence.ID `json:"id"`
	Number string      `json:"number"`
	Kind   string      `json:"kind"`
}

// Listed is a place on an access list.
type Listed struct {
	Person Named     `json:"person"`
	Until  time.Time `json:"until,omitzero"`
}

// named is an account by its name; one that is gone keeps its identifier.
func (s *Server) named(ctx context.Context, id evidence.ID) Named {
	p, err := s.Identity.Person(ctx, id)
	if err != nil {
		return Named{ID: id, Name: string(id)}
	}
	return Named{ID: id, Name: p.Name, Number: p.Number}
}

func (s *Server) kept(ctx context.Context, a evidence.Actor, r evidence.Recording, can access.RecordingAbilities) (k Kept, err error) {
	p := r.Placing
	k = Kept{Own: p.Owner != "" && string(p.Owner) == a.ID, Class: p.Class.String(), Cases: []InCase{}, Listed: []Listed{}, HoldRequests: []custody.HoldRequest{}}
	if p.Owner != "" {
		owner := s.named(ctx, p.Owner)
		k.Owner = &owner
	}
	for _, id := range p.Cases {
		c, err := s.Organisation.Case(ctx, id)
		if err != nil {
			return k, err
		}
		k.Cases = append(k.Cases, InCase{id, c.Number, string(c.Kind)})
	}
	if can.Restrict {
		for _, l := range p.Listed {
			k.Listed = append(k.Listed, Listed{s.named(ctx, l.Person), l.Until})
		}
	}
	if s.Access.Can(a, access.Holds) {
		holds, err := s.Custody.HoldRequestsOn(ctx, r.ID)
		if err != nil {
			return k, err
		}
		k.HoldRequests = append(k.HoldRequests, holds...)
	}
	if can.Consult {
		var now evidence.Purpose
		if now, k.NeedsPurpose, err = s.Custody.PurposeNow(ctx, a, r); now.Code != "" {
			k.Purpose = &Reason{now.Code, now.Reference}
		}
	}
	return k, err
}

// PurposeList is what may be given as a reason.
type PurposeList struct {
	Purposes []access.Purpose `json:"purposes"`
}

// HoldRequestList is a page of hold requests, newest first.
type HoldRequestList struct {
	Items []custody.HoldRequest `json:"items"`
	Next  string                `json:"next" doc:"Where the next page begins, empty after the last."`
}

// who finds the account that somebody means by a sign-in name or a collar
// number, or that a page names by its identifier.
func (s *Server) who(ctx context.Context, text string) (evidence.ID, error) {
	if id, err := evidence.ParseID(text); err == nil {
		if p, err := s.Identity.Person(ctx, id); evidence.CodeOf(err) != evidence.NotFound {
			return p.ID, err
		}
	}
	p, err := s.Identity.ByName(ctx, text)
	if evidence.CodeOf(err) == evidence.NotFound {
		return "", evidence.Errorf(evidence.Invalid, "There is no account with that sign-in name or collar number. Nothing was changed.")
	}
	return p.ID, err
}

type restrictIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Class  string `json:"class" enum:"normal,restricted,confidential"`
		Reason string `json:"reason" maxLength:"1000"`
		List   []struct {
			Person string    `json:"person" maxLength:"64" doc:"Sign-in name, collar number or identifier."`
			Until  time.Time `json:"until,omitzero" required:"false"`
		} `json:"list" maxItems:"200"`
	}
}

type assignIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Person string `json:"person" maxLength:"64" doc:"Sign-in name, collar number or identifier; empty: nobody's."`
		Reason string `json:"reason" maxLength:"1000"`
	}
}

type combineIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Number string `json:"number" maxLength:"60" doc:"Of a case or incident."`
		In     bool   `json:"in" doc:"false: take it out."`
		Note   string `json:"note,omitempty" maxLength:"1000"`
	}
}

func (s *Server) placingRoutes() {
	described(s, http.MethodGet, "/api/purposes", "Reasons that may be given for watching", may(access.Recordings), func(context.Context, evidence.Actor, *struct{}) (*body[PurposeList], error) {
		return &body[PurposeList]{PurposeList{s.Access.Purposes()}}, nil
	})
	described(s, http.MethodGet, "/api/hold-requests", "What may not be disposed of before somebody has looked", may(access.Holds), func(ctx context.Context, a evidence.Actor, in *struct {
		Before string `query:"before" maxLength:"26"`
	}) (*body[HoldRequestList], error) {
		before, err := evidence.ID(""), error(nil)
		if in.Before != "" {
			if before, err = evidence.ParseID(in.Before); err != nil {
				return nil, err
			}
		}
		const page = 60
		items, err := s.Custody.HoldRequests(ctx, a, before, page)
		out := HoldRequestList{Items: append([]custody.HoldRequest{}, items...)}
		if len(items) == page {
			out.Next = string(items[page-1].ID)
		}
		return &body[HoldRequestList]{out}, err
	})
	described(s, http.MethodPost, "/api/recordings/{id}/restriction", "Say how closely a recording is kept", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *restrictIn) (*struct{}, error) {
		r, err := s.known(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		if err := s.Custody.Allow(ctx, a, access.Restrict, r); err != nil {
			return nil, err
		}
		class, err := evidence.ParseClass(in.Body.Class)
		if err != nil {
			return nil, err
		}
		var list []evidence.Listing
		for _, l := range in.Body.List {
			id, err := s.who(ctx, l.Person)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(list, func(o evidence.Listing) bool { return o.Person == id }) {
				return nil, evidence.Errorf(evidence.Invalid, "Somebody stands on the list twice. Nothing was changed.")
			}
			list = append(list, evidence.Listing{Person: id, Until: l.Until})
		}
		return nil, s.changed(r.ID, s.Custody.Restrict(ctx, a, r.ID, class, list, in.Body.Reason))
	})
	described(s, http.MethodPost, "/api/recordings/{id}/owner", "Say whose footage a recording is", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *assignIn) (*struct{}, error) {
		r, err := s.known(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		if err := s.Custody.Allow(ctx, a, access.Assign, r); err != nil {
			return nil, err
		}
		var to custody.Holder
		if in.Body.Person != "" {
			if to.Person, err = s.who(ctx, in.Body.Person); err != nil {
				return nil, err
			}
			then, err := s.Organisation.Standing(ctx, to.Person, r.StartedAt)
			if err != nil {
				return nil, err
			}
			to.Unit = then.Unit
		}
		return nil, s.changed(r.ID, s.Custody.Assign(ctx, a, r.ID, to, in.Body.Reason))
	})
	described(s, http.MethodPost, "/api/recordings/{id}/cases", "Put a recording into a case, or take it out", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *combineIn) (*struct{}, error) {
		r, err := s.known(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		if err := s.Custody.Allow(ctx, a, evidence.Combine, r); err != nil {
			return nil, err
		}
		c, err := s.Organisation.CaseBy(ctx, in.Body.Number)
		if evidence.CodeOf(err) == evidence.NotFound || evidence.CodeOf(err) == evidence.Invalid {
			return nil, evidence.Errorf(evidence.Invalid, "There is no case or incident with that number. Nothing was changed. Have it entered under Cases first.")
		}
		if err != nil {
			return nil, err
		}
		ref := custody.Reference{ID: c.ID, Number: c.Number, Open: c.ClosedAt.IsZero()}
		return nil, s.changed(r.ID, s.Custody.Combine(ctx, a, r.ID, ref, in.Body.In, evidence.Purpose{Note: in.Body.Note}))
	})
}

// changed tells browsers of a recording that changed.
func (s *Server) changed(id evidence.ID, err error) error {
	if err == nil {
		s.RecordingChanged(id)
	}
	return err
}
