package access

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"custos/evidence"
)

// Shipped is the policy as it is shipped, a text that people read.
//
//go:embed policy.toml
var Shipped []byte

// Role is what somebody is in the service. A person has one.
type Role = string

// The shipped roles. What each may do stands in policy.toml.
const (
	Officer               Role = "officer"
	Supervisor            Role = "supervisor"
	ControlRoom           Role = "control_room"
	Investigator          Role = "investigator"
	DisclosureOfficer     Role = "disclosure_officer"
	RecordsManager        Role = "records_manager"
	ProfessionalStandards Role = "professional_standards"
	Auditor               Role = "auditor"
	DataProtectionOfficer Role = "data_protection_officer"
	Administrator         Role = "administrator"
)

// Acts that the policy tells apart besides the verbs of the law. They show no
// footage.
const (
	Find     evidence.Verb = "find"     // know that a recording exists: its card, its times, what was made of it
	Trail    evidence.Verb = "trail"    // read who did what to it
	Restrict evidence.Verb = "restrict" // say how closely it is kept, and who is on its access list
	Assign   evidence.Verb = "assign"   // say whose footage it is
)

var verbs = []evidence.Verb{Find, evidence.Consult, evidence.Derive, Trail, evidence.Disclose, evidence.Combine,
	Restrict, Assign, evidence.Collect, evidence.Verify, evidence.Erase, evidence.Administer}

// The parts of the service that a person may open; see Can.
const (
	Recordings = "recordings"  // the list; follows from Find
	Docks      = "docks"       // docking stations and what moves in them
	Health     = "system"      // stores, work and the health of the service
	Log        = "log"         // the transparency log
	People     = "people"      // accounts, units, postings, sessions and dock keys
	AuditBasic = "audit_basic" // who viewed a recording last, and when (R4)
	AuditFull  = "audit_full"  // the trail of everything (R4)
	Holds      = "holds"       // what may not be disposed of, and why

	Cases       = "cases"        // the register of cases and incidents: that there is one with a number
	AllCases    = "cases_all"    // title and members of every case, not only of one's own
	ManageCases = "cases_manage" // enter cases; close, and choose the members of, those that one knows
)

var areas = []string{Docks, Health, Log, People, AuditBasic, AuditFull, Cases, AllCases, ManageCases, Holds, Approvals, BreakGlass,
	"request:role.grant", "approve:role.grant", "request:dock.revoke", "approve:dock.revoke", OpenBreakGlass, ReviewBreakGlass, Expire}

// permission is one line of the policy.
type permission struct {
	verb    evidence.Verb
	reach   evidence.Reach
	classes []evidence.Class
	state   evidence.State // "" = any
}

// rule is everything one role may do. What is not in it is denied.
type rule struct {
	name  string
	may   map[evidence.Verb][]permission
	areas []string
}

// policy is the whole rule: one for each role of a person, one for each kind
// of party that is not a person, and what emergency access adds.
type policy struct {
	people    map[Role]rule
	parties   map[evidence.ActorKind]rule
	emergency rule
}

// policyFile is policy.toml.
type policyFile struct {
	Version   int                 `toml:"version"`
	Roles     map[string]ruleFile `toml:"roles"`
	Parties   map[string]ruleFile `toml:"parties"`
	Emergency ruleFile            `toml:"emergency"`
}

type ruleFile struct {
	Name  string   `toml:"name"`
	May   []string `toml:"may"`
	Opens []string `toml:"opens"`
}

// parsePolicy reads a policy. It fails with Invalid, naming the line that
// nobody could follow: a policy is never followed in part.
func parsePolicy(text []byte) (policy, error) {
	var f policyFile
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&f); err != nil {
		return policy{}, evidence.Wrap(evidence.Invalid, err, "The policy cannot be read.")
	}
	if f.Version != 1 {
		return policy{}, evidence.Errorf(evidence.Invalid, "The policy is of version %d; this service follows version 1.", f.Version)
	}
	p := policy{people: map[Role]rule{}, parties: map[evidence.ActorKind]rule{}}
	var err error
	for role, r := range f.Roles {
		if p.people[role], err = r.rule(role); err != nil {
			return policy{}, err
		}
	}
	for kind, r := range f.Parties {
		k := evidence.ActorKind(kind)
		if !slices.Contains([]evidence.ActorKind{evidence.Dock, evidence.System, evidence.Operator, evidence.Integration}, k) {
			return policy{}, evidence.Errorf(evidence.Invalid, "The policy speaks of a party %q that this service does not know.", kind)
		}
		if p.parties[k], err = r.rule(kind); err != nil {
			return policy{}, err
		}
	}
	p.emergency, err = f.Emergency.rule("emergency")
	return p, err
}

func (f ruleFile) rule(of string) (rule, error) {
	r := rule{name: f.Name, may: map[evidence.Verb][]permission{}, areas: f.Opens}
	if r.name == "" && (len(f.May) > 0 || len(f.Opens) > 0) {
		return r, evidence.Errorf(evidence.Invalid, "In the policy, %q has no name.", of)
	}
	for _, line := range f.May {
		p, err := parsePermission(line)
		if err != nil {
			return r, evidence.Wrap(evidence.Invalid, err, fmt.Sprintf("In the policy, %q may %q: that cannot be followed.", of, line))
		}
		r.may[p.verb] = append(r.may[p.verb], p)
	}
	for _, area := range f.Opens {
		if !slices.Contains(areas, area) {
			return r, evidence.Errorf(evidence.Invalid, "In the policy, %q opens %q, which does not exist.", of, area)
		}
	}
	return r, nil
}

// parsePermission reads VERB REACH CLASSES [STATE].
func parsePermission(line string) (p permission, err error) {
	words := strings.Split(line, " ")
	if len(words) < 3 || len(words) > 4 {
		return p, fmt.Errorf("a permission is VERB REACH CLASSES [STATE]")
	}
	p.verb, p.reach = evidence.Verb(words[0]), evidence.Reach(words[1])
	if !slices.Contains(verbs, p.verb) {
		return p, fmt.Errorf("unknown verb")
	}
	if !slices.Contains([]evidence.Reach{evidence.Own, evidence.Unit, evidence.Case, evidence.Listed, evidence.Force}, p.reach) {
		return p, fmt.Errorf("unknown reach")
	}
	for _, word := range strings.Split(words[2], ",") {
		c, err := evidence.ParseClass(word)
		if err != nil || slices.Contains(p.classes, c) {
			return p, fmt.Errorf("unknown or doubled class")
		}
		p.classes = append(p.classes, c)
	}
	if len(words) == 4 {
		if p.state = evidence.State(words[3]); p.state != evidence.Assigned && p.state != evidence.Unassigned {
			return p, fmt.Errorf("unknown state")
		}
	}
	return p, nil
}

// of is the rule for an actor; the zero rule, which allows nothing, for one
// the policy does not know.
func (p policy) of(actor evidence.Actor) rule {
	if actor.Kind == evidence.Person {
		return p.people[actor.Role]
	}
	return p.parties[actor.Kind]
}

// Roles are the roles a person can have, in alphabetical order.
func (a *Access) Roles() []Role { return slices.Sorted(maps.Keys(a.policy.people)) }

// RoleName is how people call a role, "" for one that does not exist.
func (a *Access) RoleName(role string) string { return a.policy.people[role].name }
