package tlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"unicode/utf8"

	"custos/evidence"
)

// Limits of an event.
const (
	MaxFields = 255
	MaxName   = 64    // bytes
	MaxValue  = 65535 // bytes
)

// Opening shows an event, or part of it, together with what proves that it is
// the one in the log.
type Opening struct {
	Index  int64       `json:"index"` // place in the log from 0; -1 = not in the log yet
	Leaf   []byte      `json:"leaf"`
	Fields []OpenField `json:"fields"` // all of them, in order
}

// OpenField is one field of an event: opened, with Value and Salt, or withheld,
// with MAC alone.
type OpenField struct {
	Name  string  `json:"name"`
	Value *string `json:"value,omitempty"`
	Salt  []byte  `json:"salt,omitempty"` // 32 bytes
	MAC   []byte  `json:"mac,omitempty"`  // 32 bytes
}

// CheckFields tells whether fields can be an event: names of a-z 0-9 _ that
// begin with a letter and occur once, values of valid UTF-8, within the
// limits. It fails with Invalid.
func CheckFields(fields []evidence.Field) error {
	names := make(names, len(fields))
	for _, f := range fields {
		if err := names.add(f.Name); err != nil {
			return err
		}
		if len(f.Value) > MaxValue || !utf8.ValidString(f.Value) {
			return evidence.Errorf(evidence.Invalid, "the value of field %s is longer than %d bytes or not valid text", f.Name, MaxValue)
		}
	}
	return nil
}

// names are the names of an event so far.
type names map[string]bool

func (n names) add(name string) error {
	ok := len(name) > 0 && len(name) <= MaxName && name[0] >= 'a' && name[0] <= 'z'
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	}
	switch {
	case !ok:
		return evidence.Errorf(evidence.Invalid, "a field of the event has a name that no field may have")
	case n[name]:
		return evidence.Errorf(evidence.Invalid, "field %s occurs twice in the event", name)
	case len(n) == MaxFields:
		return evidence.Errorf(evidence.Invalid, "the event has more than %d fields", MaxFields)
	}
	n[name] = true
	return nil
}

// Commit is the commitment to fields, which must pass CheckFields, under an
// event key of 32 random bytes that is used for this event only.
func Commit(eventKey []byte, fields []evidence.Field) Hash {
	c := newCommitter(len(fields))
	for i, f := range fields {
		c.add(f.Name, fieldMAC(fieldSalt(eventKey, i, f.Name), f.Name, f.Value))
	}
	return c.sum()
}

type committer struct{ text []byte }

func newCommitter(count int) *committer {
	return &committer{binary.BigEndian.AppendUint32([]byte(commitmentDomain), uint32(count))}
}

func (c *committer) add(name string, mac Hash) {
	c.text = append(c.text, byte(len(name)))
	c.text = append(c.text, name...)
	c.text = append(c.text, mac[:]...)
}

func (c *committer) sum() Hash { return sha256.Sum256(c.text) }

func fieldSalt(eventKey []byte, index int, name string) Hash {
	return mac(eventKey, saltDomain, string(binary.BigEndian.AppendUint32(nil, uint32(index))), name)
}

func fieldMAC(salt Hash, name, value string) Hash {
	return mac(salt[:], name, "\x00", value)
}

// Open makes an opening of the event that leaf commits to. withhold tells
// which fields to keep back; nil opens all. The event key itself is never part
// of an opening: with it every withheld value could be tried.
func Open(leaf []byte, index int64, eventKey []byte, fields []evidence.Field, withhold func(name string) bool) Opening {
	o := Opening{Index: index, Leaf: leaf, Fields: make([]OpenField, len(fields))}
	for i, f := range fields {
		salt := fieldSalt(eventKey, i, f.Name)
		of := OpenField{Name: f.Name}
		if withhold != nil && withhold(f.Name) {
			m := fieldMAC(salt, f.Name, f.Value)
			of.MAC = m[:]
		} else {
			of.Value, of.Salt = &f.Value, salt[:]
		}
		o.Fields[i] = of
	}
	return o
}

// Check tells whether the opened values and withheld fields are those that the
// leaf commits to. It fails with Corrupt.
func (o Opening) Check() error {
	leaf, err := ParseLeaf(o.Leaf)
	if err != nil {
		return err
	}
	names := make(names, len(o.Fields))
	c := newCommitter(len(o.Fields))
	for _, f := range o.Fields {
		if err := names.add(f.Name); err != nil {
			return evidence.Wrap(evidence.Corrupt, err, "the event cannot be read")
		}
		m, err := f.mac()
		if err != nil {
			return err
		}
		c.add(f.Name, m)
	}
	if sum := c.sum(); !hmac.Equal(sum[:], leaf.Commitment[:]) {
		return evidence.Errorf(evidence.Corrupt, "the fields shown are not those that were recorded in the log")
	}
	return nil
}

func (f OpenField) mac() (Hash, error) {
	switch {
	case f.Value != nil && len(f.Salt) == len(Hash{}) && f.MAC == nil:
		if len(*f.Value) > MaxValue || !utf8.ValidString(*f.Value) {
			return Hash{}, evidence.Errorf(evidence.Corrupt, "the value of field %s is longer than %d bytes or not valid text", f.Name, MaxValue)
		}
		return fieldMAC(Hash(f.Salt), f.Name, *f.Value), nil
	case f.Value == nil && f.Salt == nil && len(f.MAC) == len(Hash{}):
		return Hash(f.MAC), nil
	}
	return Hash{}, evidence.Errorf(evidence.Corrupt, "field %s is neither opened (value and salt) nor withheld (mac)", f.Name)
}

// Get is the value of the field called name; false where the event has none or
// it is withheld.
func (o Opening) Get(name string) (string, bool) {
	for _, f := range o.Fields {
		if f.Name == name && f.Value != nil {
			return *f.Value, true
		}
	}
	return "", false
}
