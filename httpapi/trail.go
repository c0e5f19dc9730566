package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"custos/evidence"
	"custos/oversight"
)

// trailIn asks for a part of the trail.
type trailIn struct {
	Cursor    string    `query:"cursor" maxLength:"400"`
	Limit     int       `query:"limit" minimum:"0" maximum:"200" doc:"0 = 50"`
	Recording string    `query:"recording" maxLength:"64" doc:"A recording, or whatever else events are about."`
	Person    string    `query:"person" maxLength:"200" doc:"Account, dock or part of the service; see /api/trail-people."`
	Reference string    `query:"reference" maxLength:"200" doc:"Case or incident number."`
	Purpose   string    `query:"purpose" maxLength:"100"`
	Verb      string    `query:"verb" maxLength:"200" doc:"One verb, or several with commas."`
	Phase     string    `query:"phase" maxLength:"20"`
	From      time.Time `query:"from"`
	To        time.Time `query:"to" doc:"Not included."`
}

func (in trailIn) question() oversight.Question {
	q := oversight.Question{Item: evidence.ID(in.Recording), Person: in.Person, Case: in.Reference, Purpose: in.Purpose,
		Phase: evidence.Phase(in.Phase), From: in.From, To: in.To}
	for _, v := range strings.FieldsFunc(in.Verb, func(r rune) bool { return r == ',' }) {
		q.Verbs = append(q.Verbs, evidence.Verb(v))
	}
	return q
}

// fromQuery reads the same from the address of a plain route.
func (in *trailIn) fromQuery(r *http.Request) error {
	q := r.URL.Query()
	in.Recording, in.Person, in.Reference, in.Purpose = q.Get("recording"), q.Get("person"), q.Get("reference"), q.Get("purpose")
	in.Verb, in.Phase = q.Get("verb"), q.Get("phase")
	for name, t := range map[string]*time.Time{"from": &in.From, "to": &in.To} {
		if q.Get(name) == "" {
			continue
		}
		var err error
		if *t, err = time.Parse(time.RFC3339, q.Get(name)); err != nil {
			return evidence.Errorf(evidence.Invalid, "A time is written like 2026-11-21T00:00:00Z.")
		}
	}
	for _, s := range []string{in.Recording, in.Person, in.Reference, in.Purpose, in.Verb, in.Phase} {
		if len(s) > 200 {
			return evidence.Errorf(evidence.Invalid, "What is looked for has at most 200 bytes.")
		}
	}
	return nil
}

// TrailPeople are people, docks and parts of the service that acted.
type TrailPeople struct {
	People []oversight.TrailPerson `json:"people"`
}

// trailRoutes are open to whoever is signed in, as far as the door knows: who
// may not read the trail is refused by oversight, which puts the attempt on
// record (R22).
func (s *Server) trailRoutes() {
	described(s, http.MethodGet, "/api/trail", "The trail, newest first", person, func(ctx context.Context, a evidence.Actor, in *trailIn) (*body[oversight.TrailPage], error) {
		p, err := s.Trail.Ask(ctx, a, in.question(), in.Cursor, in.Limit)
		return &body[oversight.TrailPage]{p}, err
	})
	described(s, http.MethodGet, "/api/trail/{id}", "One event of the trail, with its proof", person, func(ctx context.Context, a evidence.Actor, in *byID) (*body[oversight.OpenedEvent], error) {
		id, err := evidence.ParseID(in.ID)
		if err != nil {
			return nil, evidence.Errorf(evidence.NotFound, "There is no such event in the ledger.")
		}
		e, err := s.Trail.Event(ctx, a, id)
		return &body[oversight.OpenedEvent]{e}, err
	})
	described(s, http.MethodGet, "/api/trail-people", "Who acted under a name or number", person, func(ctx context.Context, a evidence.Actor, in *struct {
		Word string `query:"word" maxLength:"100"`
	}) (*body[TrailPeople], error) {
		people, err := s.Trail.People(ctx, a, in.Word)
		return &body[TrailPeople]{TrailPeople{people}}, err
	})
	described(s, http.MethodGet, "/api/reports/s62", "Counts of the six operations of DPA 2018 s.62(1)", person, func(ctx context.Context, a evidence.Actor, in *struct {
		From time.Time `query:"from"`
		To   time.Time `query:"to"`
	}) (*body[oversight.S62], error) {
		r, err := s.Trail.Operations(ctx, a, in.From, in.To)
		return &body[oversight.S62]{r}, err
	})
	for _, format := range oversight.Formats() {
		s.handle("GET /api/trail."+string(format), person, func(w http.ResponseWriter, r *http.Request, a evidence.Actor) error {
			return s.export(w, r, func(in trailIn) (*oversight.Export, error) {
				return s.Trail.Export(r.Context(), a, in.question(), format)
			})
		})
		if format == oversight.JSON { // the counts have that place, and the trail's JSON has the list
			continue
		}
		s.handle("GET /api/reports/s62."+string(format), person, func(w http.ResponseWriter, r *http.Request, a evidence.Actor) error {
			return s.export(w, r, func(in trailIn) (*oversight.Export, error) {
				return s.Trail.Report(r.Context(), a, in.From, in.To, format)
			})
		})
	}
}

// export sends a file that is made while it is sent. Where that breaks off
// half-way, so does the connection: nobody takes a part for the whole.
func (s *Server) export(w http.ResponseWriter, r *http.Request, begin func(trailIn) (*oversight.Export, error)) error {
	var in trailIn
	if err := in.fromQuery(r); err != nil {
		return err
	}
	e, err := begin(in)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", e.Format.Type())
	w.Header().Set("Content-Disposition", `attachment; filename="`+e.Name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	if err := e.Write(r.Context(), w); err != nil {
		note(r.Context(), err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
