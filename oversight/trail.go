package oversight

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/witness"
)

// TrailConfig is what a Trail reads from. All fields must be set but Witness and Now.
type TrailConfig struct {
	DB     *database.DB
	Ledger *ledger.Ledger
	Access *access.Access
	// Visible says of which items somebody may know; see custody.Visible.
	Visible        func(ctx context.Context, actor evidence.Actor, items []evidence.ID) (map[evidence.ID]custody.Sight, error)
	Witness        *witness.Keeper // what outsiders vouch for; nil: nobody vouches
	LogKey         string          // vkey
	Force          string          // name of the force, for reports
	Classification string
	Now            func() time.Time // nil: time.Now
}

// Trail is the full view of the trail (R4): who did what to which recording,
// with all values as they were at the time. Whoever reads it is in it: each
// question is an event of its own before its first answer, and so is each
// refusal (R22). Its methods may be called concurrently.
type Trail struct {
	TrailConfig

	mu    sync.Mutex
	asked map[string]asking // guarded by mu
}

// asking is a question that is on record.
type asking struct {
	event evidence.ID
	at    time.Time
}

const (
	// askedKept is how long the same question of the same session is one
	// question: a page that looks again, or goes back, asks nothing new.
	askedKept   = 10 * time.Minute
	askedCached = 10_000
)

// trailItem is what the events of reading the trail are about.
const trailItem = "trail"

// NewTrail makes a Trail.
func NewTrail(c TrailConfig) *Trail {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Witness == nil {
		c.Witness = witness.None()
	}
	return &Trail{TrailConfig: c, asked: map[string]asking{}}
}

// Question says what somebody wants to see of the trail; zero values choose all.
type Question struct {
	Item     evidence.ID // a recording, or whatever else events are about
	Person   string      // account; or the ID of a dock or of a part of the service
	Case     string      // case or incident number, in any case and spacing
	Purpose  string      // code
	Verbs    []evidence.Verb
	Phase    evidence.Phase
	From, To time.Time // From ≤ at < To
}

func (q Question) search() ledger.Search {
	return ledger.Search{Item: q.Item, Actor: q.Person, Reference: q.Case, Purpose: q.Purpose, Verbs: q.Verbs, Phase: q.Phase, From: q.From, To: q.To}
}

// fields are the question as its event holds it.
func (q Question) fields() (out []evidence.Field) {
	var verbs []string
	for _, v := range q.Verbs {
		verbs = append(verbs, string(v))
	}
	for _, f := range []evidence.Field{
		evidence.F("sought_item", string(q.Item)), evidence.F("sought_person", q.Person), evidence.F("sought_case", q.Case),
		evidence.F("sought_purpose", q.Purpose), evidence.F("sought_verbs", strings.Join(verbs, " ")), evidence.F("sought_phase", string(q.Phase)),
		evidence.F("sought_from", q.From), evidence.F("sought_to", q.To),
	} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

// TrailEvent is one event as it was recorded.
type TrailEvent struct {
	ID        evidence.ID      `json:"id"`
	Item      evidence.ID      `json:"item" doc:"What it was done to: a recording, an upload, or the name of a part of the service."`
	ItemSeq   uint64           `json:"itemSeq" doc:"Number in the item's history, from 1 without gaps."`
	Index     int64            `json:"index" doc:"Place in the log, -1 = not in it yet."`
	Recording evidence.ID      `json:"recording" doc:"The recording that it is about, empty if none."`
	Fields    []evidence.Field `json:"fields"`

	entry ledger.Entry
	owner evidence.ID // account of whoever's footage Recording is
}

// TrailPage is a part of the trail, newest first.
type TrailPage struct {
	Query      evidence.ID  `json:"query" doc:"The event that records this question."`
	Events     []TrailEvent `json:"events"`
	Next       string       `json:"next" doc:"Cursor of what follows, empty at the end."`
	SearchedTo time.Time    `json:"searchedTo,omitzero" doc:"How far back was looked, where a page ends before it is full."`
}

// Ask is one page of the answer to q: the first for an empty cursor, else what
// follows it. limit is 1 to 200, 0 = 50. Events about items that actor may not
// know of are left out. Errors: Denied, which is on record; Invalid for a
// cursor that is damaged or of another question; Unavailable.
func (t *Trail) Ask(ctx context.Context, actor evidence.Actor, q Question, cursor string, limit int) (TrailPage, error) {
	if limit < 0 || limit > 200 {
		return TrailPage{}, evidence.Errorf(evidence.Invalid, "A page of the trail has 1 to 200 events.")
	}
	if limit == 0 {
		limit = 50
	}
	about := append([]evidence.Field{evidence.F("what", "search")}, q.fields()...)
	if err := t.decide(ctx, actor, about); err != nil {
		return TrailPage{}, err
	}
	p := TrailPage{Events: []TrailEvent{}}
	var after ledger.Place
	var err error
	if cursor == "" {
		p.Query, err = t.ask(ctx, actor, about)
	} else {
		p.Query, after, err = t.resume(ctx, actor, about, cursor)
	}
	if err != nil {
		return TrailPage{}, err
	}
	events, next, more, err := t.page(ctx, actor, q, after, limit)
	if err != nil {
		return TrailPage{}, err
	}
	p.Events = append(p.Events, events...)
	if more {
		p.Next = cursorOf(p.Query, next)
		if len(events) < limit {
			p.SearchedTo = database.Time(next.At)
		}
	}
	return p, nil
}

// decide lets those in who may read all of the trail; an attempt of anybody
// else is recorded.
func (t *Trail) decide(ctx context.Context, actor evidence.Actor, about []evidence.Field) error {
	if t.Access.Can(actor, access.AuditFull) {
		return nil
	}
	const why = "Your role does not include reading the trail."
	_, err := t.record(ctx, actor, evidence.Refused, append([]evidence.Field{evidence.F("reason", why)}, about...))
	return &evidence.Error{Code: evidence.Denied, Message: why, Err: err} // refused even where it could not be recorded
}

func (t *Trail) record(ctx context.Context, actor evidence.Actor, phase evidence.Phase, fields []evidence.Field) (ref ledger.Ref, err error) {
	err = t.DB.Write(ctx, func(tx *database.Tx) error {
		ref, err = t.Ledger.Append(ctx, tx, ledger.Event{Item: trailItem, Verb: evidence.Audit, Phase: phase, At: t.Now(), Actor: actor, Fields: fields})
		return err
	})
	return ref, err
}

// ask records a question, once for its session and a while.
func (t *Trail) ask(ctx context.Context, actor evidence.Actor, about []evidence.Field) (evidence.ID, error) {
	if err := t.Ledger.Accepts(); err != nil { // also for what is on record: no ledger, no action
		return "", err
	}
	key := fmt.Sprintf("%q %q %q", actor.ID, actor.Session, about)
	now := t.Now()
	t.mu.Lock()
	known, ok := t.asked[key]
	t.mu.Unlock()
	if ok && now.Sub(known.at) < askedKept {
		return known.event, nil
	}
	ref, err := t.record(ctx, actor, evidence.Intent, about)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.asked) >= askedCached {
		clear(t.asked)
	}
	t.asked[key] = asking{ref.Event, now}
	return ref.Event, nil
}

// A cursor is base64url of: query | "." | microseconds | "." | event. It is no
// secret: with it goes the question, which must be the one on record.
func cursorOf(query evidence.ID, p ledger.Place) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s.%d.%s", query, p.At, p.Event))
}

// resume reads a cursor, and finds its question on record as one of this
// actor's session.
func (t *Trail) resume(ctx context.Context, actor evidence.Actor, about []evidence.Field, cursor string) (evidence.ID, ledger.Place, error) {
	unknown := evidence.Errorf(evidence.Invalid, "That place in the trail is not known. Start again from the top.")
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	parts := strings.Split(string(b), ".")
	if err != nil || len(parts) != 3 {
		return "", ledger.Place{}, unknown
	}
	at, err := strconv.ParseInt(parts[1], 10, 64)
	event, eventErr := evidence.ParseID(parts[2])
	query, queryErr := evidence.ParseID(parts[0])
	if err != nil || eventErr != nil || queryErr != nil {
		return "", ledger.Place{}, unknown
	}
	e, err := t.Ledger.Entry(ctx, query)
	if evidence.CodeOf(err) == evidence.NotFound {
		return "", ledger.Place{}, unknown
	}
	if err != nil {
		return "", ledger.Place{}, err
	}
	same := e.Item == trailItem && e.Get("phase") == string(evidence.Intent) && e.Get("actor_id") == actor.ID && e.Get("session") == actor.Session
	if !same || len(e.Fields) < len(about) || !slices.Equal(e.Fields[len(e.Fields)-len(about):], about) {
		return "", ledger.Place{}, unknown
	}
	return query, ledger.Place{At: at, Event: event}, nil
}

// page is at most limit events after a place of which actor may know, where
// they end, and whether anything may follow.
func (t *Trail) page(ctx context.Context, actor evidence.Actor, q Question, after ledger.Place, limit int) (events []TrailEvent, next ledger.Place, more bool, err error) {
	const rounds = 4 // then the page ends before it is full, rather than late
	next = after
	for range rounds {
		p, err := t.Ledger.Search(ctx, q.search(), next, limit)
		if err != nil {
			return nil, next, false, err
		}
		visible, err := t.visible(ctx, actor, p.Entries)
		if err != nil {
			return nil, next, false, err
		}
		for i, e := range p.Entries {
			if visible[i] == nil {
				continue
			}
			if len(events) == limit {
				return events, next, true, nil
			}
			events = append(events, *visible[i])
			next = e.Place()
		}
		next = p.Next
		if !p.More || len(events) == limit {
			return events, next, p.More, nil
		}
	}
	return events, next, true, nil
}

// visible are the entries of which actor may know; nil in the place of others.
func (t *Trail) visible(ctx context.Context, actor evidence.Actor, entries []ledger.Entry) ([]*TrailEvent, error) {
	var items []evidence.ID
	for _, e := range entries {
		items = append(items, mentions(e)...)
	}
	slices.Sort(items)
	sights, err := t.Visible(ctx, actor, slices.Compact(items))
	if err != nil {
		return nil, err
	}
	out := make([]*TrailEvent, len(entries))
	for i, e := range entries {
		if !slices.ContainsFunc(mentions(e), func(id evidence.ID) bool { return !sights[id].Visible }) {
			out[i] = &TrailEvent{ID: e.Event, Item: e.Item, ItemSeq: e.ItemSeq, Index: e.Index, Recording: sights[e.Item].Recording, Fields: e.Fields, entry: e, owner: sights[e.Item].Owner}
		}
	}
	return out, nil
}

// mentions are the item of an event and everything else that it names by an
// identifier: an event elsewhere can tell of a recording too.
func mentions(e ledger.Entry) []evidence.ID {
	out := []evidence.ID{e.Item}
	for _, f := range e.Fields {
		if id, err := evidence.ParseID(f.Value); err == nil && f.Name != "event" && f.Name != "session" && f.Name != "actor_id" && id != e.Item {
			out = append(out, id)
		}
	}
	return out
}

// TrailPerson is somebody under a name, number and role that they acted under.
type TrailPerson struct {
	ID     string             `json:"id"`
	Kind   evidence.ActorKind `json:"kind"`
	Name   string             `json:"name"`
	Number string             `json:"number"`
	Role   string             `json:"role"`
}

// People are whoever acted and has word in a name or number that they acted
// under, at most 20: who was renamed is found by both names. It shows no
// event, so it is not recorded. Errors: Denied, Unavailable.
func (t *Trail) People(ctx context.Context, actor evidence.Actor, word string) ([]TrailPerson, error) {
	if err := t.decide(ctx, actor, []evidence.Field{evidence.F("what", "people")}); err != nil {
		return nil, err
	}
	list, err := t.Ledger.Actors(ctx, word, 20)
	people := []TrailPerson{}
	for _, a := range list {
		people = append(people, TrailPerson(a))
	}
	return people, err
}
