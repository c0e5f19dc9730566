package tlog

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
)

// Policy says whose cosignatures make a checkpoint good: a file of C2SP
// tlog-policy. The server reads whom to ask from it, and custos-verify whom to
// believe.
type Policy struct {
	Logs      []string        // verifier keys; none = the log is known from elsewhere
	Witnesses []PolicyWitness // in the order of the file
	Quorum    string          // a witness, a group or "none"
	groups    map[string]group
}

// PolicyWitness is one witness of a policy.
type PolicyWitness struct {
	Name string // in the policy only
	Key  *WitnessKey
	URL  string // where it is asked (submission prefix); "" = not said
}

type group struct {
	need    int
	members []string
}

// What a policy may hold at most. C2SP asks for 32 of each.
const (
	maxPolicy = 1 << 20 // bytes
	maxNames  = 256
)

// noQuorum is the quorum that needs nobody.
const noQuorum = "none"

// ParsePolicy reads a policy file. It fails with Invalid and names the line.
func ParsePolicy(b []byte) (*Policy, error) {
	if len(b) > maxPolicy || bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' || r == 0x7f }) {
		return nil, evidence.Errorf(evidence.Invalid, "A witness policy is a text of lines; this is something else.")
	}
	p := &Policy{groups: map[string]group{}}
	for i, line := range strings.Split(string(b), "\n") {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := p.line(words); err != nil {
			return nil, evidence.Wrap(evidence.Invalid, err, fmt.Sprintf("Line %d of the witness policy cannot be used: %s", i+1, evidence.MessageOf(err)))
		}
	}
	if p.Quorum == "" {
		return nil, evidence.Errorf(evidence.Invalid, "The witness policy has no line that begins with quorum: it must say which cosignatures are enough.")
	}
	return p, nil
}

func (p *Policy) line(words []string) error {
	invalid := func(format string, args ...any) error { return evidence.Errorf(evidence.Invalid, format, args...) }
	switch n := len(words); {
	case words[0] == "log" && (n == 2 || n == 3):
		return p.addLog(words[1])
	case words[0] == "witness" && (n == 3 || n == 4):
		return p.addWitness(words[1:])
	case words[0] == "group" && n >= 4:
		return p.addGroup(words[1], words[2], words[3:])
	case words[0] == "quorum" && n == 2:
		if p.Quorum != "" {
			return invalid("there is a quorum already.")
		}
		if words[1] != noQuorum && !p.defined(words[1]) {
			return invalid("%s is defined on no line above it.", words[1])
		}
		p.Quorum = words[1]
		return nil
	}
	return invalid("it is none of log VKEY [URL], witness NAME VKEY [URL], group NAME any|all|NUMBER NAME…, quorum NAME.")
}

func (p *Policy) addLog(vkey string) error {
	if _, err := note.NewVerifier(vkey); err != nil {
		if _, err := ParseWitnessKey(vkey); err != nil { // a log may sign as witnesses do
			return evidence.Errorf(evidence.Invalid, "the log's key cannot be read.")
		}
	}
	if slices.Contains(p.Logs, vkey) || len(p.Logs) == maxNames {
		return evidence.Errorf(evidence.Invalid, "the log is there already, or there are too many.")
	}
	p.Logs = append(p.Logs, vkey)
	return nil
}

func (p *Policy) addWitness(words []string) error {
	if err := p.free(words[0]); err != nil {
		return err
	}
	k, err := ParseWitnessKey(words[1])
	if err != nil {
		return err
	}
	if slices.ContainsFunc(p.Witnesses, func(w PolicyWitness) bool { return w.Key.public == k.public }) {
		return evidence.Errorf(evidence.Invalid, "another witness has the same key.")
	}
	w := PolicyWitness{Name: words[0], Key: k}
	if len(words) == 3 {
		w.URL = words[2]
	}
	p.Witnesses = append(p.Witnesses, w)
	return nil
}

func (p *Policy) addGroup(name, need string, members []string) error {
	if err := p.free(name); err != nil {
		return err
	}
	for i, m := range members {
		if !p.defined(m) {
			return evidence.Errorf(evidence.Invalid, "%s is defined on no line above it.", m)
		}
		taken := slices.Contains(members[:i], m)
		for _, g := range p.groups {
			taken = taken || slices.Contains(g.members, m)
		}
		if taken { // it would count twice
			return evidence.Errorf(evidence.Invalid, "%s is in a group already.", m)
		}
	}
	n := len(members)
	switch need {
	case "any":
		n = 1
	case "all":
	default:
		k, err := strconv.Atoi(need)
		if err != nil || k < 1 || k > n || strconv.Itoa(k) != need {
			return evidence.Errorf(evidence.Invalid, "a group needs any, all or a number from 1 to that of its members.")
		}
		n = k
	}
	p.groups[name] = group{n, members}
	return nil
}

func (p *Policy) free(name string) error {
	if name == noQuorum || p.defined(name) {
		return evidence.Errorf(evidence.Invalid, "the name %s is taken.", name)
	}
	if len(p.Witnesses)+len(p.groups) >= maxNames {
		return evidence.Errorf(evidence.Invalid, "there are more than %d names.", maxNames)
	}
	return nil
}

func (p *Policy) defined(name string) bool {
	_, ok := p.groups[name]
	return ok || slices.ContainsFunc(p.Witnesses, func(w PolicyWitness) bool { return w.Name == name })
}

// Keys are those of all witnesses.
func (p *Policy) Keys() []*WitnessKey {
	var keys []*WitnessKey
	for _, w := range p.Witnesses {
		keys = append(keys, w.Key)
	}
	return keys
}

// Met tells whether these cosignatures are enough. Give only good ones.
func (p *Policy) Met(signed []Cosignature) bool {
	if p.Quorum == noQuorum {
		return true
	}
	return p.met(p.Quorum, func(w PolicyWitness) bool {
		return slices.ContainsFunc(signed, func(c Cosignature) bool { return c.Key.public == w.Key.public })
	})
}

// met ends, because a group names only what stands above it.
func (p *Policy) met(name string, has func(PolicyWitness) bool) bool {
	if g, ok := p.groups[name]; ok {
		n := 0
		for _, m := range g.members {
			if p.met(m, has) {
				n++
			}
		}
		return n >= g.need
	}
	return slices.ContainsFunc(p.Witnesses, func(w PolicyWitness) bool { return w.Name == name && has(w) })
}
