package approval

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"custos/access"
	"custos/custody"
	"custos/database"
	"custos/evidence"
)

// State is how far a request has come. All but StillOpen are final.
type State string

// The states.
const (
	StillOpen State = "open"
	Done      State = "done"      // approved and carried out
	Refused   State = "refused"   // by somebody who could have approved it
	Withdrawn State = "withdrawn" // by whoever asked
	Expired   State = "expired"   // nobody decided in time
	Failed    State = "failed"    // approved, and can never be carried out as it was asked for
)

// Request is an act that one person asked for. Times are UTC.
type Request struct {
	ID          evidence.ID
	Kind        string
	Subject     evidence.ID
	SubjectName string // as it was
	Params      json.RawMessage
	Was, Wanted string // the value when it was asked for, and the one asked for
	Reason      string
	AskedBy     evidence.Actor // as they were
	AskedAt     time.Time
	ExpiresAt   time.Time
	State       State
	DecidedBy   evidence.Actor // zero while open
	DecidedAt   time.Time
	Note        string // why it was refused or withdrawn
	Failure     string // why carrying it out failed last
	FailedAt    time.Time
}

// approval is what custody must know of a request.
func (r Request) approval() custody.Approval {
	return custody.Approval{Request: r.ID, Kind: r.Kind, Requester: r.AskedBy, Asked: r.AskedAt, Reason: r.Reason}
}

// about are the fields of an event about what r asks for.
func (r Request) about() []evidence.Field {
	return []evidence.Field{evidence.F("subject", string(r.Subject)), evidence.F("subject_name", r.SubjectName),
		evidence.F("before", r.Was), evidence.F("wanted", r.Wanted), evidence.F("expires", r.ExpiresAt)}
}

// Asked is what somebody asks for.
type Asked struct {
	Kind    string
	Subject evidence.ID
	Params  json.RawMessage
	Reason  string // 10 to 1000 characters
}

// line checks text that people write and events keep.
func line(what, s string, least, most int) (string, error) {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	n := 0
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' {
			return "", evidence.Errorf(evidence.Invalid, "The %s must be plain text.", what)
		}
		n++
	}
	if n < least || n > most {
		return "", evidence.Errorf(evidence.Invalid, "Give a %s of %d to %d characters.", what, least, most)
	}
	return s, nil
}

const (
	reasonLeast = 10
	reasonMost  = 1000
)

// Ask makes a request. It fails with Denied for whoever may not ask for that,
// Invalid for a reason or parameters that make no sense, NotFound for a subject
// that is not there, and Conflict where there is nothing to do or an open
// request about it.
func (m *Room) Ask(ctx context.Context, by evidence.Actor, a Asked) (Request, error) {
	k, err := m.kind(a.Kind)
	if err != nil {
		return Request{}, err
	}
	reason, err := line("reason", a.Reason, reasonLeast, reasonMost)
	if err != nil {
		return Request{}, err
	}
	if len(a.Params) == 0 {
		a.Params = json.RawMessage("{}")
	}
	now := m.Now().UTC().Truncate(time.Microsecond)
	r := Request{ID: m.newID(), Kind: k.Name, Subject: a.Subject, Params: a.Params, Reason: reason, AskedBy: by,
		AskedAt: now, ExpiresAt: now.Add(k.expiry()), State: StillOpen}
	if err := m.expire(ctx, "kind = ? AND subject = ?", a.Kind, string(a.Subject)); err != nil {
		return Request{}, err
	}
	err = m.Custody.Requested(ctx, by, access.AskOf(k.Name), "approval asked for", evidence.Intent, func(tx *database.Tx) (custody.Approval, []evidence.Field, error) {
		d, err := k.Draft(ctx, tx, r.Subject, r.Params)
		if err != nil {
			return r.approval(), nil, err
		}
		r.SubjectName, r.Was, r.Wanted = d.Name, d.Was, d.Wanted
		return r.approval(), r.about(), insert(ctx, tx, r, d.Person)
	})
	if err != nil {
		return Request{}, err
	}
	m.Changed()
	return r, nil
}

func insert(ctx context.Context, tx *database.Tx, r Request, person bool) error {
	by, err := json.Marshal(r.AskedBy)
	if err != nil {
		return err
	}
	concerned := ""
	if person {
		concerned = string(r.Subject)
	}
	_, err = tx.Exec(ctx, `INSERT INTO approvals (id, kind, subject, subject_name, params, was, wanted, reason, requester, asked_by, asked_at, expires_at, state, concerned)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(r.ID), r.Kind, string(r.Subject), r.SubjectName, string(r.Params), r.Was, r.Wanted, r.Reason,
		r.AskedBy.ID, string(by), database.Micros(r.AskedAt), database.Micros(r.ExpiresAt), string(r.State), concerned)
	if database.IsDuplicate(err) {
		return evidence.Wrap(evidence.Conflict, err, "There is an open request about this already. It must be decided or withdrawn first.")
	}
	if err != nil {
		return fmt.Errorf("keep request: %w", err)
	}
	return nil
}

const columns = `id, kind, subject, subject_name, params, was, wanted, reason, asked_by, asked_at, expires_at, state, decided_by, decided_at, note, failure, failed_at, concerned`

// row is a request with what is not shown of it.
type row struct {
	Request
	concerned evidence.ID // who may not approve it because it is about them
}

func scan(s interface{ Scan(...any) error }) (r row, err error) {
	var by, decider, params string
	var asked, expires, decided, failed int64
	if err := s.Scan(&r.ID, &r.Kind, &r.Subject, &r.SubjectName, &params, &r.Was, &r.Wanted, &r.Reason, &by, &asked, &expires,
		&r.State, &decider, &decided, &r.Note, &r.Failure, &failed, &r.concerned); err != nil {
		return r, err
	}
	r.Params = json.RawMessage(params)
	r.AskedAt, r.ExpiresAt, r.DecidedAt, r.FailedAt = database.Time(asked), database.Time(expires), database.Time(decided), database.Time(failed)
	if decider != "" {
		err = json.Unmarshal([]byte(decider), &r.DecidedBy)
	}
	return r, errors.Join(err, json.Unmarshal([]byte(by), &r.AskedBy))
}

func noRequest() error {
	return evidence.Errorf(evidence.NotFound, "There is no such request, or you may not see it.")
}

// read gives one request; locking is the suffix of the query. It fails with
// NotFound.
func read(ctx context.Context, tx *database.Tx, id evidence.ID, locking string) (row, error) {
	r, err := scan(tx.QueryRow(ctx, "SELECT "+columns+" FROM approvals WHERE id = ?"+locking, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, noRequest()
	}
	if err != nil {
		return row{}, fmt.Errorf("read request: %w", err)
	}
	return r, nil
}

// visible tells whether by may know of r: who asked, and who might have asked
// for or might decide such things.
func (m *Room) visible(r row, by evidence.Actor) bool {
	return r.AskedBy.ID == by.ID || m.Access.Can(by, access.AskOf(r.Kind)) || m.Access.Can(by, access.ApproveOf(r.Kind))
}

// look gives a request that by may know of. It fails with NotFound.
func (m *Room) look(ctx context.Context, by evidence.Actor, id evidence.ID) (r row, err error) {
	err = m.DB.Read(ctx, func(tx *database.Tx) error {
		r, err = read(ctx, tx, id, "")
		return err
	})
	if err == nil && !m.visible(r, by) {
		err = noRequest()
	}
	return r, err
}
