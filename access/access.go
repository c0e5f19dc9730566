// Package access knows who may do what: the one rule that decides. Who somebody
// is, is package identity's.
//
// The rule denies by default. What it allows is the table in policy.go and
// nothing else: who is not in the table, for an act that is not in it, gets
// nothing. The filter of a list (Scope) and the check of one recording
// (Decide) are the same rule; Decide asks Scope.
package access

// Access is the rule. All methods may be called concurrently.
type Access struct {
	policy policy
}

// New is the rule as it is shipped.
func New() *Access { return &Access{policy: newPolicy()} }
