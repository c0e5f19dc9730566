package staff

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"custos/database"
	"custos/evidence"
	"custos/identity"
	"custos/organisation"
)

// Verdict is what an import does with a line.
type Verdict string

// The verdicts.
const (
	IsNew     Verdict = "new"
	Changed   Verdict = "changed"
	Unchanged Verdict = "unchanged"
	Refused   Verdict = "refused" // the line is left out
)

// Change is one value that a line changes.
type Change struct {
	Column string `json:"column"`
	Before string `json:"before"` // "" = none
	After  string `json:"after"`  // "" = none
}

// Remark is why a line is refused, or what of it is not done.
type Remark struct {
	Column string `json:"column"`
	Reason string `json:"reason"` // one sentence
}

// Line is what becomes of one line of a staff file.
type Line struct {
	Number  int      `json:"line"` // in the file, from 1
	Login   string   `json:"login"`
	Name    string   `json:"name"`
	Verdict Verdict  `json:"verdict"`
	Changes []Change `json:"changes"` // of new and changed
	Remarks []Remark `json:"remarks"` // why it is refused; else what is not done, and how to get it
}

// Absent is somebody with an open account whom the file does not name.
type Absent struct {
	Login string `json:"login"`
	Name  string `json:"name"`
}

// Preview is what an import would do, or has done.
type Preview struct {
	Lines  []Line          `json:"lines"`
	Absent []Absent        `json:"absent"` // by login; nothing happens to them
	Digest evidence.Digest `json:"digest"` // of the file and of all this: an import does exactly what this digest was shown for
	Counts map[Verdict]int `json:"counts"`
}

// step is what is done for a line.
type step struct {
	line     *Line
	person   identity.Person // as they are; a new one without ID
	isNew    bool
	after    identity.Person
	renumber bool
	number   organisation.Holding // the open number they have, if ID is not ""
	post     bool
	posting  organisation.Posting // the new one; From zero = now
	before   organisation.Posting // the open one, if ID is not ""
	from     time.Time            // zero = not said
}

// plan judges a staff file against the register as a transaction sees it.
type plan struct {
	now      time.Time
	roleName func(string) string
	people   map[string]identity.Person // by login
	units    map[string]organisation.Unit
	unitByID map[evidence.ID]organisation.Unit
	postings map[evidence.ID][]organisation.Posting // by person; those not over
	numbers  map[evidence.ID][]organisation.Holding // by person; those not over
	holders  map[string][]organisation.Holding      // by number; as above
	steps    []*step
	lines    []*Line
	seen     map[string]int // line by login
}

// read makes the plan for rows.
func (s *Staff) read(ctx context.Context, tx *database.Tx, rows []row) (*plan, error) {
	p := &plan{now: s.Now(), roleName: s.Access.RoleName, people: map[string]identity.Person{}, units: map[string]organisation.Unit{},
		unitByID: map[evidence.ID]organisation.Unit{}, postings: map[evidence.ID][]organisation.Posting{}, numbers: map[evidence.ID][]organisation.Holding{},
		holders: map[string][]organisation.Holding{}, seen: map[string]int{}}
	people, err := s.Identity.ListIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, x := range people {
		p.people[x.Login] = x
	}
	units, err := s.Organisation.UnitsIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		p.units[u.Code], p.unitByID[u.ID] = u, u
	}
	since := p.now // the earliest time that any line asks about
	for _, r := range rows {
		if t, ok := parseFrom(r.values[colFrom], s.Zone); ok && !t.IsZero() && t.Before(since) {
			since = t
		}
	}
	postings, err := s.Organisation.PostingsAfter(ctx, tx, since)
	if err != nil {
		return nil, err
	}
	for _, x := range postings {
		p.postings[x.Person] = append(p.postings[x.Person], x)
	}
	numbers, err := s.Organisation.HoldingsAfter(ctx, tx, organisation.Number, since)
	if err != nil {
		return nil, err
	}
	for _, x := range numbers {
		p.numbers[x.Person] = append(p.numbers[x.Person], x)
		p.holders[x.Thing] = append(p.holders[x.Thing], x)
	}
	for _, r := range rows {
		p.judge(r, s.Zone)
	}
	p.settleNumbers()
	return p, nil
}

// judge decides about one line, but for numbers that other lines set free.
func (p *plan) judge(r row, zone *time.Location) {
	login := strings.ToLower(r.values[colLogin])
	line := &Line{Number: r.line, Login: login, Name: r.values[colName], Verdict: Unchanged, Changes: []Change{}, Remarks: []Remark{}}
	p.lines = append(p.lines, line)
	if first, ok := p.seen[login]; ok {
		line.refuse(colLogin, "The file names this person on line "+itoa(first)+" already.")
		return
	}
	p.seen[login] = r.line
	st := &step{line: line}
	st.person = p.people[login]
	st.isNew = st.person.ID == ""
	if st.isNew {
		st.person = identity.Person{Login: login}
	} else if line.Name == "" {
		line.Name = st.person.Name
	}
	st.after = st.person
	from, ok := parseFrom(r.values[colFrom], zone)
	switch {
	case !ok:
		line.refuse(colFrom, "This is neither a day (2026-03-02) nor a time (2026-03-02T06:00:00Z) since 1970.")
	case from.After(p.now):
		line.refuse(colFrom, "This is in the future. Import the line on the day.")
	}
	st.from = from
	p.judgePerson(st, r)
	p.judgeUnit(st, r)
	if line.Verdict == Refused {
		line.Changes = []Change{}
		return
	}
	if st.isNew {
		line.Verdict = IsNew
	} else if len(line.Changes) > 0 {
		line.Verdict = Changed
	}
	if line.Verdict != Unchanged {
		p.steps = append(p.steps, st)
	}
}

func (l *Line) refuse(column, reason string) {
	l.Verdict = Refused
	l.Remarks = append(l.Remarks, Remark{column, reason})
}

func (l *Line) change(column, before, after string) {
	l.Changes = append(l.Changes, Change{column, before, after})
}

// judgePerson looks at login, name, number and role.
func (p *plan) judgePerson(st *step, r row) {
	line, name, number, role := st.line, r.values[colName], r.values[colNumber], r.values[colRole]
	if err := identity.CheckLogin(st.person.Login); err != nil {
		line.refuse(colLogin, evidence.MessageOf(err))
	}
	if st.person.Disabled {
		line.refuse(colLogin, "This account is closed. Open it again before it is imported.")
	}
	for _, c := range []struct {
		column, value string
		limit         int
	}{{colName, name, 128}, {colNumber, number, 32}} {
		if len(c.value) > c.limit || strings.ContainsFunc(c.value, func(r rune) bool { return !unicode.IsPrint(r) }) {
			line.refuse(c.column, "This must be one line of text of at most "+itoa(c.limit)+" bytes.")
		}
	}
	if name != "" && name != st.person.Name {
		line.change(colName, st.person.Name, name)
		st.after.Name = name
	} else if st.isNew && name == "" {
		line.refuse(colName, "Somebody new needs a name.")
	}
	if number != "" && number != st.person.Number {
		line.change(colNumber, st.person.Number, number)
		st.after.Number, st.renumber = number, true
	}
	switch {
	case role == "" && st.isNew:
		line.refuse(colRole, "Somebody new needs a role.")
	case role == "" || role == st.person.Role:
	case p.roleName(role) == "":
		line.refuse(colRole, "There is no such role.")
	case NeedsApproval(role) && st.isNew:
		line.refuse(colRole, "That role is given by two people. Import the person with another role, then ask for this one.")
	case st.isNew:
		line.change(colRole, "", role)
		st.after.Role = role
	default:
		line.Remarks = append(line.Remarks, Remark{colRole, "Needs approval and is not done: the role stays " + st.person.Role + ". Ask for the role " + role + " in Approvals."})
	}
}

// judgeUnit looks at unit and lead.
func (p *plan) judgeUnit(st *step, r row) {
	line := st.line
	lead, said, ok := parseLead(r.values[colLead])
	if !ok {
		line.refuse(colLead, "This is neither yes nor no.")
	}
	code := organisation.NormalCode(r.values[colUnit])
	at := st.from
	if at.IsZero() {
		at = p.now
	}
	var later bool
	for _, x := range p.postings[st.person.ID] {
		switch {
		case st.person.ID == "": // postings are of people who exist
		case !x.From.After(at) && (x.Until.IsZero() || x.Until.After(at)):
			st.before = x
		case x.Until.IsZero() || x.Until.After(x.From):
			later = true
		}
	}
	if code == "" {
		if !said || st.before.ID == "" && !lead {
			return
		}
		if st.before.ID == "" {
			line.refuse(colLead, "The person has no unit to lead.")
			return
		}
		code = p.unitByID[st.before.Unit].Code
	}
	u, exists := p.units[code]
	if !exists || !u.ClosedAt.IsZero() {
		line.refuse(colUnit, "There is no open unit with that code. Make it before the import.")
		return
	}
	if !said && st.before.Unit == u.ID {
		lead = st.before.Lead
	}
	if st.before.ID != "" && st.before.Unit == u.ID && st.before.Lead == lead {
		return
	}
	if later || !st.before.Until.IsZero() {
		line.refuse(colFrom, "The person has a posting that begins or ends later. Change that by hand.")
		return
	}
	st.post, st.posting = true, organisation.Posting{Unit: u.ID, Lead: lead, From: st.from}
	line.change(colUnit, p.words(st.before), p.words(st.posting))
}

// words is a posting as it is shown: the code, and whether they lead.
func (p *plan) words(x organisation.Posting) string {
	code := p.unitByID[x.Unit].Code
	if x.Lead {
		code += " (lead)"
	}
	return code
}

// inFull is a posting as it is kept: with the unit's name of now.
func (p *plan) inFull(x organisation.Posting) string {
	if x.Unit == "" {
		return ""
	}
	u := p.unitByID[x.Unit]
	return strings.Replace(p.words(x), u.Code, u.Code+" "+u.Name, 1)
}

// settleNumbers refuses the lines whose number is somebody else's, unless the
// same file takes it from them no later. To refuse one may keep a number with
// its holder, so it goes on until nothing changes.
func (p *plan) settleNumbers() {
	for again := true; again; {
		again = false
		claims := map[string]int{}
		moving := map[evidence.ID]*step{}
		for _, st := range p.steps {
			if st.renumber && !st.isNew {
				moving[st.person.ID] = st
			}
		}
		for _, st := range p.steps {
			if !st.renumber {
				continue
			}
			if why := p.numberRefused(st, moving, claims); why != "" {
				st.line.refuse(colNumber, why)
				st.line.Changes = []Change{}
				again = true
			}
			claims[st.after.Number] = st.line.Number
		}
		p.steps = slices.DeleteFunc(p.steps, func(st *step) bool { return st.line.Verdict == Refused })
	}
}

func (p *plan) numberRefused(st *step, moving map[evidence.ID]*step, claims map[string]int) string {
	if line := claims[st.after.Number]; line != 0 {
		return "The file gives this number on line " + itoa(line) + " already."
	}
	at := st.from
	if at.IsZero() {
		at = p.now
	}
	st.number = organisation.Holding{}
	for _, h := range p.numbers[st.person.ID] {
		if st.person.ID == "" || !h.Until.IsZero() {
			continue
		}
		if h.From.After(at) {
			return "The person has had their number since later than that. Give a later from."
		}
		st.number = h
	}
	for _, h := range p.holders[st.after.Number] {
		if !h.Until.IsZero() && !h.Until.After(at) {
			continue
		}
		other := moving[h.Person]
		leaves := p.now
		if other != nil && !other.from.IsZero() {
			leaves = other.from
		}
		if h.Person == st.person.ID && h.Until.IsZero() {
			continue // theirs already; the account did not say so
		}
		if !h.Until.IsZero() || other == nil || leaves.After(at) {
			return "This number is somebody's in that time. End that first, or give a later from."
		}
	}
	for _, x := range p.people { // an account's number that no holding has
		if x.Number == st.after.Number && !x.Disabled && x.ID != st.person.ID && moving[x.ID] == nil {
			return "This number is somebody's in that time. End that first, or give a later from."
		}
	}
	return ""
}

// preview is the plan as people see it, with its digest.
func (p *plan) preview(file []byte) (Preview, error) {
	out := Preview{Lines: []Line{}, Absent: []Absent{}, Counts: map[Verdict]int{IsNew: 0, Changed: 0, Unchanged: 0, Refused: 0}}
	for _, l := range p.lines {
		out.Lines = append(out.Lines, *l)
		out.Counts[l.Verdict]++
	}
	for login, x := range p.people {
		if _, ok := p.seen[login]; !ok && !x.Disabled {
			out.Absent = append(out.Absent, Absent{x.Login, x.Name})
		}
	}
	slices.SortFunc(out.Absent, func(a, b Absent) int { return strings.Compare(a.Login, b.Login) })
	shown, err := json.Marshal(out)
	if err != nil {
		return Preview{}, err
	}
	sum := sha256.Sum256(file)
	out.Digest = sha256.Sum256(append(sum[:], shown...))
	return out, nil
}
