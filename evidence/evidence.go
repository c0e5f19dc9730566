// Package evidence holds the words of the service: what a recording is, who
// acts on it, for what purpose, and how things go wrong. Every other package
// speaks in these words; this one imports only the standard library and knows
// nothing of storage, networks or screens.
//
// The values here are plain data. They are safe to copy and to use from
// several goroutines as long as nobody changes them.
package evidence

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// ID names one thing (a recording, an upload, an event, a job) for ever. It is
// 26 characters of lower-case Crockford base32: 48 bits of Unix milliseconds,
// then 80 random bits. IDs made later sort later, so a table ordered by ID is
// ordered by arrival.
type ID string

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID makes an ID for the time now (years 1970 to 10889) with 10 bytes read
// from random. It panics if random fails: a program that cannot draw random
// numbers must not go on naming evidence.
func NewID(now time.Time, random io.Reader) ID {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		panic("evidence: no random numbers: " + err.Error())
	}
	// 128 bits in 26 digits of 5 bits: the first digit carries only 3.
	var out [26]byte
	var acc, bits uint
	n := 25
	for i := 15; i >= 0; i-- {
		acc |= uint(b[i]) << bits
		bits += 8
		for bits >= 5 {
			out[n] = crockford[acc&31]
			acc >>= 5
			bits -= 5
			n--
		}
	}
	out[0] = crockford[acc&31]
	return ID(out[:])
}

// ParseID reads an ID as NewID writes it. It fails with Invalid for anything
// else, so an ID that parsed is safe in a file name, a URL and a log line.
func ParseID(s string) (ID, error) {
	if len(s) != 26 || s[0] > '7' {
		return "", Errorf(Invalid, "that is not an identifier of this service")
	}
	for i := range len(s) {
		if strings.IndexByte(crockford, s[i]) < 0 {
			return "", Errorf(Invalid, "that is not an identifier of this service")
		}
	}
	return ID(s), nil
}

// Time is when the ID was made, to the millisecond, UTC. It is the zero time
// for an ID that ParseID would refuse.
func (id ID) Time() time.Time {
	if _, err := ParseID(string(id)); err != nil {
		return time.Time{}
	}
	var ms uint64
	for i := range 10 {
		ms = ms<<5 | uint64(strings.IndexByte(crockford, id[i]))
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// Digest is the SHA-256 of a file's plaintext bytes (FIPS 180-4).
type Digest [sha256.Size]byte

var _ encoding.TextMarshaler = Digest{}

// ParseDigest reads 64 hexadecimal digits of either case. It fails with Invalid.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, Errorf(Invalid, "a SHA-256 is 64 hexadecimal digits")
	}
	return Digest(b), nil
}

// String is the digest as 64 lower-case hexadecimal digits, as sha256sum prints it.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero tells whether no digest is known.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes String, or nothing for the zero digest.
func (d Digest) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText wrote. It fails with Invalid.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Digest{}
		return nil
	}
	p, err := ParseDigest(string(b))
	if err != nil {
		return err
	}
	*d = p
	return nil
}

// ActorKind is what sort of party acts.
type ActorKind string

// The parties that can act.
const (
	Person      ActorKind = "person"      // somebody with an account
	Dock        ActorKind = "dock"        // a docking station's agent
	System      ActorKind = "system"      // the service itself: jobs, sweeps, recovery
	Operator    ActorKind = "operator"    // whoever runs commands on the server itself
	Integration ActorKind = "integration" // a records or camera system
)

// Actor is who does something. It is passed explicitly to every act on
// evidence and is written into the ledger as it was at the time.
type Actor struct {
	Kind    ActorKind `json:"kind"`
	ID      string    `json:"id"`                // account or dock ID; the collar number is in Number
	Name    string    `json:"name"`              // as shown to people, at the time
	Number  string    `json:"number,omitempty"`  // collar number, for officers
	Address string    `json:"address,omitempty"` // IP address the request came from
	Session string    `json:"session,omitempty"` // sign-in session, never its secret
	Role    string    `json:"role,omitempty"`    // role at the time
}

// Server is the service acting by itself.
func Server(part string) Actor {
	return Actor{Kind: System, ID: part, Name: "Custos " + part}
}

// Purpose is why somebody acts (DPA 2018 s.62(2)). Code comes from the force's
// list; Reference is a case or incident number where the purpose needs one.
type Purpose struct {
	Code      string `json:"code"`
	Reference string `json:"reference,omitempty"`
	Note      string `json:"note,omitempty"`
}

// Verb is one of the six operations of DPA 2018 s.62(1) that must be logged,
// or Verify, which reads a copy only to check it, Administer for acts on the
// service itself (accounts, keys, docks), Audit for reading the trail, or
// Identify for signing in and out and what somebody does to their own account.
type Verb string

// The verbs.
const (
	Collect    Verb = "collect"
	Derive     Verb = "derive" // alteration: makes a working copy, never touches the master
	Consult    Verb = "consult"
	Disclose   Verb = "disclose"
	Combine    Verb = "combine"
	Erase      Verb = "erase"
	Verify     Verb = "verify"
	Administer Verb = "administer"
	Audit      Verb = "audit"
	Identify   Verb = "identify"
)

// Phase is where in an act an event stands.
type Phase string

// An act writes its intent before the first byte moves and its outcome after
// the last; a refusal writes one event alone.
const (
	Intent  Phase = "intent"
	Outcome Phase = "outcome"
	Refused Phase = "refused"
	Failed  Phase = "failed"
)

// Field is one named value of an event. Names are lower_snake_case; values are
// text as a person would read it. Order matters.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// F makes a Field; numbers and times are written in one fixed way.
func F(name string, value any) Field {
	switch v := value.(type) {
	case time.Time:
		return Field{name, FormatTime(v)}
	case string:
		return Field{name, v}
	default:
		return Field{name, fmt.Sprint(v)}
	}
}

// TimeFormat is how times are written in events, receipts and bundles: UTC,
// microseconds (finer than the 1/100 s of CJIS AU-8).
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// FormatTime writes t in TimeFormat; the zero time is the empty string.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}
