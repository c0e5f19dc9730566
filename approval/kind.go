package approval

import (
	"context"
	"encoding/json"
	"time"

	"custos/access"
	"custos/database"
	"custos/evidence"
	"custos/identity"
)

// Kind is a sort of act that needs two people. Who may ask for it and who may
// approve it are rights of the rule; see access.AskOf and access.ApproveOf.
type Kind struct {
	Name   string        // as in access.AskOf
	Title  string        // as people read it, e.g. "Change of role"
	Expiry time.Duration // how long a request stands; 0 = 72 hours

	// Draft says what the act would be about, as it is now and as it would
	// be. It fails with Invalid for parameters that make no sense, NotFound
	// for a subject that is not there and Conflict where there is nothing to do.
	Draft func(ctx context.Context, tx *database.Tx, subject evidence.ID, params json.RawMessage) (Draft, error)

	// Carry does it. It locks what it changes, and fails with Conflict where
	// that is no longer what the request said it was. It gives what the event
	// says of the change.
	Carry func(ctx context.Context, tx *database.Tx, r Request) ([]evidence.Field, error)
}

// Draft is what a request is about.
type Draft struct {
	Name   string // of the subject
	Was    string // the value now, as people read it
	Wanted string // and as asked for
	Person bool   // the subject is a person: they may not approve it
}

// defaultExpiry is how long a request stands where its kind does not say.
const defaultExpiry = 72 * time.Hour

func (k Kind) expiry() time.Duration {
	if k.Expiry == 0 {
		return defaultExpiry
	}
	return k.Expiry
}

func (m *Room) kind(name string) (Kind, error) {
	for _, k := range m.kinds {
		if k.Name == name {
			return k, nil
		}
	}
	return Kind{}, evidence.Errorf(evidence.Invalid, "There is no such kind of request.")
}

// The kinds.
const (
	RoleGrantKind  = "role.grant"
	DockRevokeKind = "dock.revoke"
)

// roleParams are the parameters of role.grant.
type roleParams struct {
	Role string `json:"role"`
}

// RoleGrant is another role for a person, up or down.
func RoleGrant(dir *identity.Directory, rule *access.Access) Kind {
	wanted := func(params json.RawMessage) (string, error) {
		var p roleParams
		if err := json.Unmarshal(params, &p); err != nil || rule.RoleName(p.Role) == "" {
			return "", evidence.Errorf(evidence.Invalid, "Choose the role that is asked for.")
		}
		return p.Role, nil
	}
	person := func(ctx context.Context, tx *database.Tx, id evidence.ID) (identity.Person, error) {
		people, err := dir.Locked(ctx, tx, id)
		if err != nil {
			return identity.Person{}, err
		}
		p, ok := people[id]
		if !ok {
			return p, evidence.Errorf(evidence.NotFound, "There is no such account.")
		}
		return p, nil
	}
	return Kind{
		Name: RoleGrantKind, Title: "Change of role",
		Draft: func(ctx context.Context, tx *database.Tx, subject evidence.ID, params json.RawMessage) (Draft, error) {
			role, err := wanted(params)
			if err != nil {
				return Draft{}, err
			}
			p, err := person(ctx, tx, subject)
			if err != nil {
				return Draft{}, err
			}
			if p.Role == role {
				return Draft{}, evidence.Errorf(evidence.Conflict, "%s has that role already.", p.Name)
			}
			return Draft{Name: NameOf(p), Was: rule.RoleName(p.Role), Wanted: rule.RoleName(role), Person: true}, nil
		},
		Carry: func(ctx context.Context, tx *database.Tx, r Request) ([]evidence.Field, error) {
			role, err := wanted(r.Params)
			if err != nil {
				return nil, err
			}
			p, err := person(ctx, tx, r.Subject)
			if err != nil {
				return nil, err
			}
			if rule.RoleName(p.Role) != r.Was {
				return nil, evidence.Errorf(evidence.Conflict, "The role of %s is no longer %q, as it was when this was asked for. Ask again.", r.SubjectName, r.Was)
			}
			return []evidence.Field{
				evidence.F("what", "role changed"), evidence.F("account", string(p.ID)), evidence.F("account_name", NameOf(p)),
				evidence.F("login", p.Login), evidence.F("before", p.Role), evidence.F("after", role),
			}, dir.SetRole(ctx, tx, p.ID, role)
		},
	}
}

// DockRevoke makes a dock's key worthless.
func DockRevoke(dir *identity.Directory) Kind {
	dock := func(ctx context.Context, tx *database.Tx, id evidence.ID) (identity.Dock, error) {
		d, err := dir.DockByID(ctx, tx, id)
		if err == nil && !d.RevokedAt.IsZero() {
			err = evidence.Errorf(evidence.Conflict, "The key of %s is revoked already.", d.Name)
		}
		return d, err
	}
	return Kind{
		Name: DockRevokeKind, Title: "Revoking a dock’s key",
		Draft: func(ctx context.Context, tx *database.Tx, subject evidence.ID, _ json.RawMessage) (Draft, error) {
			d, err := dock(ctx, tx, subject)
			return Draft{Name: d.Name, Was: "Key in use", Wanted: "Key revoked"}, err
		},
		Carry: func(ctx context.Context, tx *database.Tx, r Request) ([]evidence.Field, error) {
			d, err := dock(ctx, tx, r.Subject)
			if err != nil {
				return nil, err
			}
			return []evidence.Field{
				evidence.F("what", "dock revoked"), evidence.F("dock", string(d.ID)), evidence.F("dock_name", d.Name),
				evidence.F("before", "key in use"), evidence.F("after", "key revoked"),
			}, dir.RevokeDock(ctx, tx, d.ID)
		},
	}
}

// NameOf is how people know a person.
func NameOf(p identity.Person) string {
	if p.Number == "" {
		return p.Name
	}
	return p.Name + " (" + p.Number + ")"
}
