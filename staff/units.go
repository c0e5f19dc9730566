package staff

import (
	"context"

	"custos/database"
	"custos/evidence"
	"custos/organisation"
)

// AddUnit makes a unit; see organisation.AddUnit.
func (s *Staff) AddUnit(ctx context.Context, actor evidence.Actor, u organisation.Unit) (out organisation.Unit, err error) {
	err = s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		if out, err = s.Organisation.AddUnit(ctx, tx, u); err != nil {
			return nil, err
		}
		parent, err := s.unitWords(ctx, tx, u.Parent, false)
		return []evidence.Field{evidence.F("what", "unit made"), evidence.F("unit_id", string(out.ID)), evidence.F("unit", out.Code+" "+out.Name), evidence.F("below", parent)}, err
	})
	return out, err
}

// RenameUnit gives a unit another name; see organisation.RenameUnit.
func (s *Staff) RenameUnit(ctx context.Context, actor evidence.Actor, id evidence.ID, name string) error {
	return s.onUnit(ctx, actor, "unit renamed", id, func(tx *database.Tx) (organisation.Unit, error) {
		return s.Organisation.RenameUnit(ctx, tx, id, name)
	})
}

// MoveUnit puts a unit under another parent; see organisation.MoveUnit.
func (s *Staff) MoveUnit(ctx context.Context, actor evidence.Actor, id, parent evidence.ID) error {
	return s.onUnit(ctx, actor, "unit moved", id, func(tx *database.Tx) (organisation.Unit, error) {
		return s.Organisation.MoveUnit(ctx, tx, id, parent)
	})
}

// CloseUnit closes a unit; see organisation.CloseUnit.
func (s *Staff) CloseUnit(ctx context.Context, actor evidence.Actor, id evidence.ID) error {
	return s.onUnit(ctx, actor, "unit closed", id, func(tx *database.Tx) (organisation.Unit, error) {
		return s.Organisation.CloseUnit(ctx, tx, id)
	})
}

// onUnit makes a change of a unit and records what is different afterwards.
func (s *Staff) onUnit(ctx context.Context, actor evidence.Actor, what string, id evidence.ID, do func(tx *database.Tx) (before organisation.Unit, err error)) error {
	return s.amend(ctx, actor, func(tx *database.Tx) ([]evidence.Field, error) {
		before, err := do(tx)
		if err != nil {
			return nil, err
		}
		after, err := s.Organisation.UnitIn(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		fields := []evidence.Field{evidence.F("what", what), evidence.F("unit_id", string(id)), evidence.F("unit", before.Code+" "+before.Name)}
		if after.Name != before.Name {
			fields = append(fields, evidence.F("name_before", before.Name), evidence.F("name_after", after.Name))
		}
		if after.Parent != before.Parent {
			was, err := s.unitWords(ctx, tx, before.Parent, false)
			if err != nil {
				return nil, err
			}
			is, err := s.unitWords(ctx, tx, after.Parent, false)
			if err != nil {
				return nil, err
			}
			fields = append(fields, evidence.F("below_before", was), evidence.F("below_after", is))
		}
		return fields, nil
	})
}
