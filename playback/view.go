package playback

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/work"
)

// View is an open consultation as a player needs it.
type View struct {
	ID        evidence.ID   `json:"id"`
	Recording evidence.ID   `json:"recording"`
	ExpiresAt time.Time     `json:"expiresAt"` // moves on with use
	Now       time.Time     `json:"now"`       // by the server's clock
	Watermark string        `json:"watermark"` // shown over the picture with the time, always
	Segments  []ViewSegment `json:"segments"`  // in the order of playing
}

// ViewSegment is how one segment can be watched.
type ViewSegment struct {
	Number     int                 `json:"number"`
	DurationMs evidence.Duration   `json:"durationMs"`
	Rate       float64             `json:"frameRate"`
	Source     string              `json:"source"` // URL for range requests; "" = nothing to play (yet)
	Type       string              `json:"type"`
	State      evidence.MediaState `json:"state"`
	Why        string              `json:"why"`
	Trickplay  *Trickplay          `json:"trickplay"`
	Waveform   *Waveform           `json:"waveform"`
	ProxyState string              `json:"proxyState" enum:",making,failed,ready"`
}

// Trickplay is a sheet of small pictures: tile n shows n × EveryMs.
type Trickplay struct {
	URL        string `json:"url"`
	Columns    int    `json:"columns"`
	Rows       int    `json:"rows"`
	Count      int    `json:"count"`
	EveryMs    int64  `json:"everyMs"`
	TileWidth  int    `json:"tileWidth"`
	TileHeight int    `json:"tileHeight"`
}

// Waveform is loudness, one byte for each 1/PerSecond second.
type Waveform struct {
	URL       string `json:"url"`
	PerSecond int    `json:"perSecond"`
}

// Open begins a consultation. Errors: as custody.Consult.
func (p *Player) Open(ctx context.Context, actor evidence.Actor, recording evidence.ID, purpose evidence.Purpose) (View, error) {
	k, err := p.Custody.Consult(ctx, actor, recording, purpose)
	if err != nil {
		return View{}, err
	}
	return p.view(ctx, k)
}

// View describes an open consultation. Errors: as custody.Consulting.
func (p *Player) View(ctx context.Context, actor evidence.Actor, id evidence.ID) (View, error) {
	k, err := p.Custody.Consulting(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	return p.view(ctx, k)
}

func (p *Player) view(ctx context.Context, k custody.Consultation) (View, error) {
	r, err := p.Catalogue.Get(ctx, k.Recording)
	if err != nil {
		return View{}, err
	}
	copies, err := p.Catalogue.Copies(ctx, k.Recording)
	if err != nil {
		return View{}, err
	}
	jobs, err := p.Queue.About(ctx, string(k.Recording))
	if err != nil {
		return View{}, err
	}
	who := k.Actor.Name
	if k.Actor.Number != "" {
		who += " · " + k.Actor.Number
	}
	v := View{ID: k.ID, Recording: k.Recording, ExpiresAt: k.Expires, Now: p.Now().UTC(), Watermark: who, Segments: []ViewSegment{}}
	for _, s := range r.Segments {
		v.Segments = append(v.Segments, viewSegment(k.ID, s, copies, jobs))
	}
	return v, nil
}

func viewSegment(id evidence.ID, s evidence.Segment, copies []evidence.WorkingCopy, jobs []work.Status) ViewSegment {
	at := func(what string) string { return fmt.Sprintf("/media/%s/%d/%s", id, s.Number, what) }
	v := ViewSegment{Number: s.Number, DurationMs: s.Media.Duration, Rate: s.Media.Rate, State: s.Media.State, Why: s.Media.Why}
	if s.Media.State == evidence.MediaPlayable || s.Media.State == evidence.MediaAudio {
		v.Source, v.Type = at("master"), s.Media.Type
	}
	for _, w := range copies {
		if w.Segment != s.Number {
			continue
		}
		switch w.Kind {
		case evidence.Trickplay:
			t := &Trickplay{URL: at("trickplay")}
			if json.Unmarshal([]byte(w.Info), t) == nil && t.EveryMs > 0 {
				v.Trickplay = t
			}
		case evidence.Waveform:
			f := &Waveform{URL: at("waveform")}
			if json.Unmarshal([]byte(w.Info), f) == nil && f.PerSecond > 0 {
				v.Waveform = f
			}
		case evidence.Proxy:
			v.ProxyState = "ready"
			if v.Source == "" {
				v.Source, v.Type = at("proxy"), w.Type
			}
		}
	}
	key := fmt.Sprintf("%s/%s/%d", proxyKind, s.Recording, s.Number)
	for _, j := range jobs {
		if v.ProxyState == "" && j.Key == key {
			switch j.State {
			case work.Waiting, work.Running:
				v.ProxyState = "making"
			case work.Failed:
				v.ProxyState = "failed"
			}
		}
	}
	return v
}

// AskProxy queues the making of a proxy for a segment of an open consultation.
// Errors: as custody.Consulting, and Conflict where the master needs none.
func (p *Player) AskProxy(ctx context.Context, actor evidence.Actor, id evidence.ID, segment int) error {
	k, err := p.Custody.Consulting(ctx, actor, id)
	if err != nil {
		return err
	}
	r, err := p.Catalogue.Get(ctx, k.Recording)
	if err != nil {
		return err
	}
	for _, s := range r.Segments {
		if s.Number != segment {
			continue
		}
		if s.Media.State != evidence.MediaProxy {
			return evidence.Errorf(evidence.Conflict, "This file needs no proxy, or none can be made of it.")
		}
		return p.DB.Write(ctx, func(tx *database.Tx) error {
			return enqueue(ctx, p.Queue, tx, proxyKind, order{k.Recording, segment})
		})
	}
	return evidence.Errorf(evidence.NotFound, "There is no such segment.")
}

// Serve answers a request for bytes of an open consultation, whole or by
// range. what is master or a kind of working copy. An error is returned before
// anything was written.
func (p *Player) Serve(w http.ResponseWriter, r *http.Request, actor evidence.Actor, id evidence.ID, segment int, what string) error {
	var content *custody.Content
	var err error
	switch kind := evidence.CopyKind(what); kind {
	case "master":
		content, err = p.Custody.Master(r.Context(), actor, id, segment)
	case evidence.Trickplay, evidence.Waveform, evidence.Proxy, evidence.Poster:
		content, err = p.Custody.Copy(r.Context(), actor, id, segment, kind)
	default:
		err = evidence.Errorf(evidence.NotFound, "There is no such thing to play.")
	}
	if err != nil {
		return err
	}
	return serve(w, r, content)
}

// ServePoster answers a request for the poster of a recording in a list.
func (p *Player) ServePoster(w http.ResponseWriter, r *http.Request, actor evidence.Actor, recording evidence.ID, segment int) error {
	content, err := p.Custody.Glance(r.Context(), actor, recording, segment)
	if err != nil {
		return err
	}
	return serve(w, r, content)
}
