package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"custos/access"
	"custos/bundle"
	"custos/catalogue"
	"custos/evidence"
	"custos/playback"
	"custos/work"
)

// Card is a recording in a list.
type Card struct {
	catalogue.Card
	Poster string `json:"poster" doc:"URL of its poster, empty if there is none."`
}

// card shows the poster only to those who may watch.
func card(c catalogue.Card, watch evidence.Scope) Card {
	k := Card{Card: c}
	if c.Poster > 0 && watch.Covers(c.Placing) {
		k.Poster = "/api/recordings/" + string(c.ID) + "/poster?segment=" + strconv.Itoa(c.Poster)
	}
	return k
}

// CardPage is one page of a list, newest first.
type CardPage struct {
	Items []Card `json:"items"`
	Next  string `json:"next" doc:"Cursor of the next page, empty after the last."`
}

type listIn struct {
	Cursor  string    `query:"cursor" maxLength:"400"`
	Limit   int       `query:"limit" minimum:"0" maximum:"200" doc:"0 = 60"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Officer string    `query:"officer" maxLength:"100"`
	Device  string    `query:"device" maxLength:"200"`
}

type daysIn struct {
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Officer string    `query:"officer" maxLength:"100"`
	Device  string    `query:"device" maxLength:"200"`
	Zone    string    `query:"zone" maxLength:"60" doc:"Time zone whose days are meant, e.g. Europe/London; UTC if left out."`
}

// query is what the asker wants within what they may know of.
func (s *Server) query(ctx context.Context, a evidence.Actor, in *listIn) catalogue.Query {
	return catalogue.Query{
		Officer: in.Officer, Device: in.Device, From: in.From, To: in.To, Cursor: in.Cursor, Limit: in.Limit,
		Scope: s.Access.Scope(ctx, a, access.Find),
	}
}

// Detail is everything a recording's page shows but the bytes.
type Detail struct {
	ID           evidence.ID               `json:"id"`
	Device       string                    `json:"device"`
	Officer      string                    `json:"officer"`
	Category     evidence.Category         `json:"category"`
	Group        string                    `json:"group"`
	StartedAt    time.Time                 `json:"startedAt"`
	CreatedAt    time.Time                 `json:"createdAt"`
	DurationMs   evidence.Duration         `json:"durationMs"`
	SegmentCount int                       `json:"segmentCount"`
	Bytes        int64                     `json:"bytes"`
	State        evidence.MediaState       `json:"state"`
	Why          string                    `json:"why"`
	Poster       string                    `json:"poster"`
	Segments     []evidence.Segment        `json:"segments"`
	Arrivals     []evidence.Arrival        `json:"arrivals"`
	Gaps         []evidence.Gap            `json:"gaps"`
	Copies       []evidence.WorkingCopy    `json:"copies"`
	Work         []WorkOn                  `json:"work"`
	Can          access.RecordingAbilities `json:"can"`
	LastViewed   *Viewed                   `json:"lastViewed"`
	Kept         Kept                      `json:"kept"`
}

// Viewed is who looked last.
type Viewed struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// WorkOn is a job about a recording.
type WorkOn struct {
	ID      evidence.ID `json:"id"`
	Kind    string      `json:"kind"`
	State   string      `json:"state"`
	Tries   int         `json:"tries"`
	Message string      `json:"message"`
	At      time.Time   `json:"at"`
}

func workOn(list []work.Status) []WorkOn {
	out := []WorkOn{}
	for _, j := range list {
		out = append(out, WorkOn{j.ID, j.Kind, string(j.State), j.Tries, j.Message, j.At})
	}
	return out
}

// byID names a recording or another thing in a path.
type byID struct {
	ID string `path:"id" maxLength:"26"`
}

// known gives a recording that the actor may know of. One they may not is not
// found, like one that does not exist.
func (s *Server) known(ctx context.Context, a evidence.Actor, text string) (evidence.Recording, error) {
	missing := evidence.Errorf(evidence.NotFound, "There is no such recording, or you may not see it.")
	id, err := evidence.ParseID(text)
	if err != nil {
		return evidence.Recording{}, missing
	}
	r, err := s.Custody.Find(ctx, a, id)
	switch evidence.CodeOf(err) {
	case evidence.NotFound, evidence.Denied: // the second is on record
		return evidence.Recording{}, missing
	}
	return r, err
}

func (s *Server) recordingRoutes() {
	described(s, http.MethodGet, "/api/recordings", "Recordings, newest first", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *listIn) (*body[CardPage], error) {
		watch := s.Access.Scope(ctx, a, evidence.Consult)
		q := s.query(ctx, a, in)
		// What the cards do not tell matters only for who reaches some by it.
		q.Whole = slices.ContainsFunc(watch.Live(), func(t evidence.Term) bool { return t.Reach == evidence.Case || t.Reach == evidence.Listed })
		page, err := s.Catalogue.List(ctx, q)
		if err != nil {
			return nil, err
		}
		out := CardPage{Items: []Card{}, Next: page.Next}
		for _, c := range page.Items {
			out.Items = append(out.Items, card(c, watch))
		}
		return &body[CardPage]{out}, nil
	})
	described(s, http.MethodGet, "/api/recordings/days", "How many recordings a day", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *daysIn) (*body[DayCounts], error) {
		zone, err := time.LoadLocation(in.Zone)
		if err != nil || in.Zone == "Local" {
			return nil, evidence.Errorf(evidence.Invalid, "There is no such time zone. Give a name like Europe/London.")
		}
		days, err := s.Catalogue.Days(ctx, s.query(ctx, a, &listIn{From: in.From, To: in.To, Officer: in.Officer, Device: in.Device}), zone)
		if err != nil {
			return nil, err
		}
		if days == nil {
			days = []catalogue.Day{}
		}
		return &body[DayCounts]{DayCounts{days}}, nil
	})
	described(s, http.MethodGet, "/api/recordings/{id}", "One recording", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *byID) (*body[Detail], error) {
		r, err := s.known(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		d, err := s.detail(ctx, a, r)
		return &body[Detail]{d}, err
	})
	described(s, http.MethodGet, "/api/recordings/{id}/history", "Everything needed to check its custody", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *byID) (*body[bundle.History], error) {
		r, err := s.known(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		h, err := s.Custody.History(ctx, a, r.ID)
		return &body[bundle.History]{h}, err
	})
	s.handle("GET /api/recordings/{id}/poster", may(access.Recordings), func(w http.ResponseWriter, r *http.Request, a evidence.Actor) error {
		if err := inPlayer(r); err != nil {
			return err
		}
		rec, err := s.known(r.Context(), a, r.PathValue("id"))
		if err != nil {
			return err
		}
		segment := 1
		if q := r.URL.Query().Get("segment"); q != "" {
			if segment, err = strconv.Atoi(q); err != nil {
				return evidence.Errorf(evidence.Invalid, "A segment is a number.")
			}
		}
		return s.Playback.ServePoster(w, r, a, rec.ID, segment)
	})
}

// DayCounts is how many recordings began on each day that has any.
type DayCounts struct {
	Days []catalogue.Day `json:"days"`
}

func (s *Server) detail(ctx context.Context, a evidence.Actor, r evidence.Recording) (Detail, error) {
	copies, err := s.Catalogue.Copies(ctx, r.ID)
	if err != nil {
		return Detail{}, err
	}
	jobs, err := s.Queue.About(ctx, string(r.ID))
	if err != nil {
		return Detail{}, err
	}
	c := catalogue.Summarise(r, copies)
	d := Detail{
		ID: r.ID, Device: r.Device, Officer: r.Officer, Category: r.Category, Group: r.Group,
		StartedAt: r.StartedAt, CreatedAt: r.CreatedAt, DurationMs: r.Duration,
		SegmentCount: len(r.Segments), Bytes: c.Bytes, State: c.State, Why: c.Why, Poster: card(c, s.Access.Scope(ctx, a, evidence.Consult)).Poster,
		Segments: r.Segments, Arrivals: r.Arrivals, Gaps: catalogue.Gaps(r), Copies: copies,
		Work: workOn(jobs), Can: s.Access.AbilitiesOn(ctx, a, r.Placing),
	}
	if d.Gaps == nil {
		d.Gaps = []evidence.Gap{}
	}
	if d.Copies == nil {
		d.Copies = []evidence.WorkingCopy{}
	}
	if d.Kept, err = s.kept(ctx, a, r, d.Can); err != nil {
		return Detail{}, err
	}
	if !s.Access.Can(a, access.AuditBasic) || !d.Can.Trail { // who looked is part of the trail
		return d, nil
	}
	by, at, ok, err := s.Custody.LastConsulted(ctx, r.ID)
	if err != nil {
		return Detail{}, err
	}
	if ok {
		d.LastViewed = &Viewed{by.Name, at}
	}
	return d, nil
}

// consultIn asks to watch a recording.
type consultIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Purpose struct {
			Code      string `json:"code" maxLength:"60"`
			Reference string `json:"reference,omitempty" maxLength:"100"`
			Note      string `json:"note,omitempty" maxLength:"1000"`
		} `json:"purpose"`
	}
}

type created[T any] struct {
	Status int
	Body   T
}

func consultationID(text string) (evidence.ID, error) {
	id, err := evidence.ParseID(text)
	if err != nil {
		return "", evidence.Errorf(evidence.NotFound, "This viewing has ended. Open the recording again to go on.")
	}
	return id, nil
}

// watched reads how long the picture ran from what a closing page sends. It is
// the viewer's own account, so nonsense counts as nothing.
func watched(w http.ResponseWriter, r *http.Request) time.Duration {
	var in struct {
		WatchedMs int64 `json:"watchedMs"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in); err != nil || in.WatchedMs < 0 || in.WatchedMs > 24*60*60*1000 {
		return 0
	}
	return time.Duration(in.WatchedMs) * time.Millisecond
}

func (s *Server) consultRoutes() {
	described(s, http.MethodPost, "/api/recordings/{id}/consultations", "Open a recording for watching", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *consultIn) (*created[playback.View], error) {
		r, err := s.known(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		p := in.Body.Purpose
		v, err := s.Playback.Open(ctx, a, r.ID, evidence.Purpose{Code: p.Code, Reference: p.Reference, Note: p.Note})
		return &created[playback.View]{http.StatusCreated, v}, err
	})
	described(s, http.MethodGet, "/api/consultations/{id}", "An open viewing", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *byID) (*body[playback.View], error) {
		id, err := consultationID(in.ID)
		if err != nil {
			return nil, err
		}
		v, err := s.Playback.View(ctx, a, id)
		return &body[playback.View]{v}, err
	})
	described(s, http.MethodPost, "/api/consultations/{id}/proxies/{segment}", "Ask for a proxy", may(access.Recordings), func(ctx context.Context, a evidence.Actor, in *struct {
		ID      string `path:"id" maxLength:"26"`
		Segment int    `path:"segment" minimum:"1"`
	}) (*struct{ Status int }, error) {
		id, err := consultationID(in.ID)
		if err != nil {
			return nil, err
		}
		return &struct{ Status int }{http.StatusAccepted}, s.Playback.AskProxy(ctx, a, id, in.Segment)
	})
	// The end comes from a page that is closing, so it is a plain route that
	// takes whatever body a beacon sends.
	end := func(w http.ResponseWriter, r *http.Request, a evidence.Actor) error {
		id, err := consultationID(r.PathValue("id"))
		if err != nil {
			return err
		}
		if err := s.Custody.EndConsult(r.Context(), a, id, watched(w, r)); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s.handle("DELETE /api/consultations/{id}", may(access.Recordings), end)
	s.handle("POST /api/consultations/{id}/end", may(access.Recordings), end)
	s.handle("GET /media/{id}/{segment}/{what}", may(access.Recordings), func(w http.ResponseWriter, r *http.Request, a evidence.Actor) error {
		if err := inPlayer(r); err != nil {
			return err
		}
		id, err := consultationID(r.PathValue("id"))
		if err != nil {
			return err
		}
		segment, err := strconv.Atoi(r.PathValue("segment"))
		if err != nil {
			return evidence.Errorf(evidence.NotFound, "There is no such segment.")
		}
		return s.Playback.Serve(w, r, a, id, segment, r.PathValue("what"))
	})
}
