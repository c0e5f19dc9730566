package organisation

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
)

// How HolderOf knew.
const (
	ByNumber     = "number"     // the collar number that the camera wrote was somebody's then
	ByAssignment = "assignment" // the camera was somebody's then
)

// HolderOf is whose footage it is that the camera device, set to the collar
// number number ("" = none), took at t: of whoever had the number then; where
// nobody had, of whoever had the camera then. unit is where that person was
// posted then. All three are "" where nobody is known; unit alone where the
// person had no posting. It takes two or three small queries of tx.
func (o *Organisation) HolderOf(ctx context.Context, tx *database.Tx, device, number string, t time.Time) (person, unit evidence.ID, how string, err error) {
	if person, err = holderAt(ctx, tx, Number, number, t); err != nil {
		return "", "", "", err
	}
	how = ByNumber
	if person == "" {
		if person, err = holderAt(ctx, tx, Camera, device, t); err != nil {
			return "", "", "", err
		}
		how = ByAssignment
	}
	if person == "" {
		return "", "", "", nil
	}
	p, _, err := postingAt(ctx, tx, person, t)
	if err != nil {
		return "", "", "", err
	}
	return person, p.Unit, how, nil
}

// Standing is where somebody stands at a moment; the rule decides from it.
type Standing struct {
	Unit  evidence.ID   // where they are posted, "" = nowhere
	Lead  bool          // they lead it
	Led   []evidence.ID // where they lead: the unit and all below it, closed ones too; else empty
	Cases []evidence.ID // open cases and incidents that they are a member of, by identifier
}

// Standing is where person stands at t. The tree of units and whether a case
// is open are those of now. Somebody unknown stands nowhere.
func (o *Organisation) Standing(ctx context.Context, person evidence.ID, t time.Time) (s Standing, err error) {
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		p, _, err := postingAt(ctx, tx, person, t)
		if err != nil {
			return err
		}
		s = Standing{Unit: p.Unit, Lead: p.Lead}
		if s.Lead {
			rows, err := tx.Query(ctx, `WITH RECURSIVE led (id) AS (SELECT id FROM units WHERE id = ?
				UNION SELECT u.id FROM units u JOIN led ON u.parent = led.id) SELECT id FROM led ORDER BY id`, p.Unit)
			if s.Led, err = database.Collect(rows, err, scanID); err != nil {
				return fmt.Errorf("read units below: %w", err)
			}
		}
		rows, err := tx.Query(ctx, `SELECT DISTINCT m.case_id FROM case_members m JOIN cases c ON c.id = m.case_id
			WHERE m.person = ? AND c.closed_at = 0 AND `+holds+" ORDER BY m.case_id", append([]any{person}, at(t)...)...)
		if s.Cases, err = database.Collect(rows, err, scanID); err != nil {
			return fmt.Errorf("read cases of person: %w", err)
		}
		return nil
	})
	if err != nil {
		return Standing{}, err
	}
	return s, nil
}

// ReportsTo tells whether a reports to b at t: b leads the unit that a is
// posted to, or one above it, and they are not the same person. The tree is
// that of now.
func (o *Organisation) ReportsTo(ctx context.Context, a, b evidence.ID, t time.Time) (yes bool, err error) {
	if a == b {
		return false, nil
	}
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		p, posted, err := postingAt(ctx, tx, a, t)
		if err != nil || !posted {
			return err
		}
		q, posted, err := postingAt(ctx, tx, b, t)
		if err != nil || !posted || !q.Lead {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `WITH RECURSIVE above (id, parent) AS (SELECT id, parent FROM units WHERE id = ?
			UNION SELECT u.id, u.parent FROM units u JOIN above ON u.id = above.parent) SELECT COUNT(*) FROM above WHERE id = ?`, p.Unit, q.Unit).Scan(&n); err != nil {
			return fmt.Errorf("read units above: %w", err)
		}
		yes = n > 0
		return nil
	})
	return yes, err
}

// Past is everything the register has of one person, the latest first.
type Past struct {
	Postings []Posting    `json:"postings"`
	Numbers  []Holding    `json:"numbers"`
	Cameras  []Holding    `json:"cameras"`
	Cases    []Membership `json:"cases"`
}

// Past is everything about one person; empty for somebody unknown.
func (o *Organisation) Past(ctx context.Context, person evidence.ID) (p Past, err error) {
	err = o.db.Read(ctx, func(tx *database.Tx) error {
		p, err = o.PastIn(ctx, tx, person)
		return err
	})
	return p, err
}

// PastIn is Past as a transaction sees it.
func (o *Organisation) PastIn(ctx context.Context, tx *database.Tx, person evidence.ID) (p Past, err error) {
	if p.Postings, err = listPostings(ctx, tx, "person = ?", person); err != nil {
		return Past{}, err
	}
	if p.Numbers, err = listHoldings(ctx, tx, "person = ? AND kind = ?", person, Number); err != nil {
		return Past{}, err
	}
	if p.Cameras, err = listHoldings(ctx, tx, "person = ? AND kind = ?", person, Camera); err != nil {
		return Past{}, err
	}
	rows, err := tx.Query(ctx, "SELECT "+memberColumns+" FROM case_members m JOIN cases c ON c.id = m.case_id WHERE m.person = ? ORDER BY m.from_at DESC, m.id DESC", person)
	if p.Cases, err = database.Collect(rows, err, func(r *sql.Rows) (Membership, error) { return scanMember(r) }); err != nil {
		return Past{}, fmt.Errorf("read cases of person: %w", err)
	}
	return p, nil
}
