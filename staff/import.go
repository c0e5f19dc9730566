package staff

import (
	"context"
	"strconv"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
	"custos/organisation"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Preview tells what an import of a staff file would do, and does nothing. It
// fails with Invalid for a file that is not of the format.
func (s *Staff) Preview(ctx context.Context, file []byte) (out Preview, err error) {
	rows, err := parseFile(file)
	if err != nil {
		return Preview{}, err
	}
	err = s.DB.Read(ctx, func(tx *database.Tx) error {
		p, err := s.read(ctx, tx, rows)
		if err != nil {
			return err
		}
		out, err = p.preview(file)
		return err
	})
	return out, err
}

// Import does what Preview showed under digest, all of it or nothing, with one
// event for the import and one for each person new or changed. It fails with
// Invalid as Preview does, and with Conflict where it would by now do anything
// else than was shown.
func (s *Staff) Import(ctx context.Context, actor evidence.Actor, file []byte, digest evidence.Digest) (out Preview, err error) {
	rows, err := parseFile(file)
	if err != nil {
		return Preview{}, err
	}
	err = s.Custody.Amend(ctx, actor, access.People, func(tx *database.Tx) ([][]evidence.Field, error) {
		p, err := s.read(ctx, tx, rows)
		if err != nil {
			return nil, err
		}
		if out, err = p.preview(file); err != nil {
			return nil, err
		}
		if out.Digest != digest {
			return nil, evidence.Errorf(evidence.Conflict, "The file or the register is not what the preview was made of. Nothing was changed; look at the preview again.")
		}
		return s.apply(ctx, tx, p, digest)
	})
	return out, err
}

// apply makes the changes of a plan. What takes comes before what gives, so
// that people can exchange numbers.
func (s *Staff) apply(ctx context.Context, tx *database.Tx, p *plan, digest evidence.Digest) ([][]evidence.Field, error) {
	acts := [][]evidence.Field{{evidence.F("what", "people imported"), evidence.F("preview_sha256", digest), evidence.F("people", len(p.steps)), evidence.F("lines", len(p.lines))}}
	for _, st := range p.steps {
		if st.isNew || !st.renumber {
			continue
		}
		if _, err := s.dropNumbers(ctx, tx, st.person.ID, st.from); err != nil {
			return nil, err
		}
		if _, err := s.Identity.Describe(ctx, tx, st.person.ID, st.person.Name, ""); err != nil {
			return nil, err
		}
	}
	for _, st := range p.steps {
		fields, err := s.do(ctx, tx, p, st)
		if err != nil {
			return nil, err
		}
		acts = append(acts, kept(append(fields, evidence.F("by_import", digest))))
	}
	return acts, nil
}

// do makes the changes of one line and gives its event.
func (s *Staff) do(ctx context.Context, tx *database.Tx, p *plan, st *step) ([]evidence.Field, error) {
	if st.isNew {
		st.after.ID = s.newID()
		fields, err := s.enter(ctx, tx, st.after, Hire{Unit: st.posting.Unit, Lead: st.posting.Lead, From: st.from})
		return append(of("account made", st.after), fields...), err
	}
	fields := of("person changed", st.person)
	for _, c := range st.line.Changes {
		if c.Column == colUnit {
			c.Before, c.After = p.inFull(st.before), p.inFull(st.posting)
		}
		fields = append(fields, evidence.F(c.Column+"_before", orNone(c.Before)), evidence.F(c.Column+"_after", orNone(c.After)))
	}
	fields = append(fields, evidence.F("holds_from", s.orNow(st.from)))
	if st.renumber {
		from := st.from
		if st.number.ID == "" { // they had none: as for somebody new
			var err error
			if from, err = s.numberFrom(ctx, tx, st.after.Number, from); err != nil {
				return nil, err
			}
		} else {
			from = s.orNow(from)
		}
		if _, err := s.Organisation.Give(ctx, tx, organisation.Holding{Kind: organisation.Number, Thing: st.after.Number, Person: st.person.ID, From: from}); err != nil {
			return nil, err
		}
	}
	if st.renumber || st.after.Name != st.person.Name {
		if _, err := s.Identity.Describe(ctx, tx, st.person.ID, st.after.Name, st.after.Number); err != nil {
			return nil, err
		}
	}
	if st.post {
		st.posting.Person, st.posting.From = st.person.ID, s.orNow(st.from)
		if _, err := s.repost(ctx, tx, st.posting); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

func (s *Staff) orNow(t time.Time) time.Time {
	if t.IsZero() {
		return s.Now()
	}
	return t
}
