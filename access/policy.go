package access

import (
	"maps"
	"slices"

	"custos/evidence"
)

// Role is what somebody is in the service. A person has one.
type Role = string

// The roles. What each may do is the table below.
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

// Two acts that the policy tells apart from Consult. They show no footage.
const (
	Find  evidence.Verb = "find"  // know that a recording exists: its card, its times, what was made of it
	Trail evidence.Verb = "trail" // read who did what to it
)

// The parts of the service that a person may open; see Can.
const (
	Recordings = "recordings"  // the list; follows from Find
	Docks      = "docks"       // docking stations and what moves in them
	Health     = "system"      // stores, work and the health of the service
	Log        = "log"         // the transparency log
	People     = "people"      // accounts, sessions and dock keys
	AuditBasic = "audit_basic" // who viewed a recording last, and when (R4)
	AuditFull  = "audit_full"  // the trail of everything (R4)
)

// reach is how far a permission goes. The zero value is not at all.
type reach int

const (
	own reach = iota + 1 // recordings of one's own collar number
	all
)

// rule is everything one role may do. What is not in it is denied.
type rule struct {
	name  string
	verbs map[evidence.Verb]reach
	areas []string
}

// policy is the whole rule: one for each role of a person, and one for each
// kind of party that is not a person.
type policy struct {
	people  map[Role]rule
	parties map[evidence.ActorKind]rule
}

// newPolicy is the table. testdata/policy.txt shows it as a grid; a test keeps
// the two alike, so that no change of it goes unseen.
//
// Nobody may erase or combine yet: there is no retention and there are no
// cases whose rules could allow it.
func newPolicy() policy {
	return policy{
		people: map[Role]rule{
			// Watches what they recorded. Not the trail: it would show an
			// officer that professional standards are looking.
			Officer: {name: "Officer",
				verbs: map[evidence.Verb]reach{Find: own, evidence.Consult: own, evidence.Derive: own}},

			// Reviews the footage of others (R25). Until units exist this
			// reaches every recording; a force that finds that too wide
			// gives nobody the role yet.
			Supervisor: {name: "Supervisor",
				verbs: map[evidence.Verb]reach{Find: all, evidence.Consult: all, evidence.Derive: all, Trail: all},
				areas: []string{Docks, AuditBasic}},

			// Map and live view, which do not exist yet. No recordings.
			ControlRoom: {name: "Control room"},

			Investigator: {name: "Investigator",
				verbs: map[evidence.Verb]reach{Find: all, evidence.Consult: all, evidence.Derive: all, Trail: all},
				areas: []string{AuditBasic}},

			// The only person who lets footage out.
			DisclosureOfficer: {name: "Disclosure officer",
				verbs: map[evidence.Verb]reach{Find: all, evidence.Consult: all, evidence.Derive: all, evidence.Disclose: all, Trail: all},
				areas: []string{Log, AuditBasic}},

			// Decides how long footage is kept, from what is known about it.
			RecordsManager: {name: "Records manager",
				verbs: map[evidence.Verb]reach{Find: all, evidence.Verify: all, Trail: all},
				areas: []string{Docks, Health, Log, AuditBasic}},

			// Looks at who looked; not at footage by default.
			ProfessionalStandards: {name: "Professional standards",
				verbs: map[evidence.Verb]reach{Find: all, Trail: all},
				areas: []string{Log, AuditBasic, AuditFull}},

			// Checks the trail and the digests. Verify reads bytes and shows none.
			Auditor: {name: "Auditor",
				verbs: map[evidence.Verb]reach{Find: all, evidence.Verify: all, Trail: all},
				areas: []string{Log, AuditBasic, AuditFull}},

			DataProtectionOfficer: {name: "Data protection officer",
				verbs: map[evidence.Verb]reach{Find: all, Trail: all},
				areas: []string{Log, AuditBasic, AuditFull}},

			// Runs the service and sees no footage, nor that any exists.
			Administrator: {name: "Administrator",
				verbs: map[evidence.Verb]reach{evidence.Administer: all},
				areas: []string{Docks, Health, Log, People}},
		},
		parties: map[evidence.ActorKind]rule{
			// A dock brings footage and gets none back.
			evidence.Dock: {name: "dock",
				verbs: map[evidence.Verb]reach{evidence.Collect: all}},

			// The service finishes what was begun, makes working copies and
			// checks what is stored. It never watches.
			evidence.System: {name: "service",
				verbs: map[evidence.Verb]reach{evidence.Collect: all, evidence.Derive: all, evidence.Verify: all, Find: all}},

			// Whoever has a shell on the server could read keys and disks
			// anyway; being allowed to import and export by command is what
			// puts it on record. There is no command for watching.
			evidence.Operator: {name: "operator",
				verbs: map[evidence.Verb]reach{evidence.Collect: all, evidence.Disclose: all, evidence.Verify: all,
					evidence.Administer: all, Find: all, Trail: all},
				areas: []string{Docks, Health, Log, People, AuditBasic, AuditFull}},
		},
	}
}

// of is the rule for an actor; the zero rule, which allows nothing, for one
// the policy does not know.
func (p policy) of(actor evidence.Actor) rule {
	if actor.Kind == evidence.Person {
		return p.people[Role(actor.Role)]
	}
	return p.parties[actor.Kind]
}

// Roles are the roles a person can have, in alphabetical order.
func (a *Access) Roles() []Role { return slices.Sorted(maps.Keys(a.policy.people)) }

// RoleName is how people call a role, "" for one that does not exist.
func (a *Access) RoleName(role string) string { return a.policy.people[Role(role)].name }
