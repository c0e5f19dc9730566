package receipt

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"custos/evidence"
	"custos/tlog"
)

const header = "custos-receipt v1"

// maxPath bounds the lines of a proof; a log cannot grow so deep.
const maxPath = 63

// text is the signed text of r: docs/formats/receipt.md, section Shape.
func (r Receipt) text() string {
	var b strings.Builder
	line := func(key, format string, args ...any) {
		fmt.Fprintf(&b, "%s: "+format+"\n", append([]any{key}, args...)...)
	}
	known := "no"
	if r.Known {
		known = "yes"
	}
	b.WriteString(header + "\n")
	line("recording", "%s", r.Recording)
	line("segment", "%d", r.Segment)
	line("device", "%s", encodeText(r.Device))
	line("file", "%s", encodeText(r.FileName))
	line("sha256", "%s", r.Digest)
	line("length", "%d", r.Length)
	for _, s := range r.Stores {
		line("store", "%s %s", evidence.FormatTime(s.ReadBack), encodeText(s.Name))
	}
	line("collected-at", "%s", evidence.FormatTime(r.CollectedAt))
	line("known", "%s", known)
	line("index", "%d", r.Event.Index)
	line("leaf", "%s", encodeBytes(r.Event.Leaf))
	for _, f := range r.Event.Fields {
		if f.Value != nil {
			line("open", "%s %s %s", f.Name, encodeBytes(f.Salt), encodeText(*f.Value))
		} else {
			line("withheld", "%s %s", f.Name, encodeBytes(f.MAC))
		}
	}
	for _, h := range r.Path {
		line("proof", "%s", encodeBytes(h[:]))
	}
	line("checkpoint", "%s", encodeBytes(r.Checkpoint))
	return b.String()
}

// parse reads what text wrote and nothing else. It fails with Corrupt.
func parse(text string) (Receipt, error) {
	p := parser{rest: text}
	r := p.receipt()
	switch {
	case p.what != "":
		return Receipt{}, evidence.Errorf(evidence.Corrupt, "The receipt cannot be read: %s.", p.what)
	case r.text() != text:
		// One text for each receipt: no room for a second reading.
		return Receipt{}, evidence.Errorf(evidence.Corrupt, "The receipt cannot be read: it is not written in the one way.")
	}
	return r, nil
}

// parser takes a receipt apart line by line. It is lenient where comparing
// with the text written again is strict.
type parser struct {
	rest string
	what string // what could not be read first, "" so far nothing
}

func (p *parser) receipt() Receipt {
	var r Receipt
	if line, rest, ok := strings.Cut(p.rest, "\n"); !ok || line != header {
		p.bad("the first line is not " + header)
	} else {
		p.rest = rest
	}
	id, err := evidence.ParseID(p.value("recording"))
	p.check(err == nil, "recording")
	r.Recording = id
	r.Segment = int(p.number("segment"))
	p.check(r.Segment >= 1, "segment")
	r.Device = p.text(p.value("device"))
	r.FileName = p.text(p.value("file"))
	r.Digest, err = evidence.ParseDigest(p.value("sha256"))
	p.check(err == nil, "sha256")
	r.Length = p.number("length")
	for p.sees("store") {
		at, name, ok := strings.Cut(p.value("store"), " ")
		p.check(ok, "store")
		r.Stores = append(r.Stores, Store{Name: p.text(name), ReadBack: p.time(at)})
	}
	p.check(len(r.Stores) > 0, "store")
	r.CollectedAt = p.time(p.value("collected-at"))
	r.Known = p.value("known") == "yes"
	r.Event.Index = p.number("index")
	r.Event.Leaf = p.bytes(p.value("leaf"))
	r.Event.Fields = p.fields()
	for p.sees("proof") {
		b := p.bytes(p.value("proof"))
		if len(b) != len(tlog.Hash{}) || len(r.Path) == maxPath {
			p.bad("proof")
			return r
		}
		r.Path = append(r.Path, tlog.Hash(b))
	}
	r.Checkpoint = p.bytes(p.value("checkpoint"))
	p.check(p.rest == "", "what follows the checkpoint")
	return r
}

func (p *parser) fields() []tlog.OpenField {
	var fields []tlog.OpenField
	for len(fields) <= tlog.MaxFields {
		switch {
		case p.sees("open"):
			name, rest, _ := strings.Cut(p.value("open"), " ")
			salt, value, ok := strings.Cut(rest, " ")
			p.check(ok, "open")
			value = p.text(value)
			fields = append(fields, tlog.OpenField{Name: name, Value: &value, Salt: p.bytes(salt)})
		case p.sees("withheld"):
			name, mac, ok := strings.Cut(p.value("withheld"), " ")
			p.check(ok, "withheld")
			fields = append(fields, tlog.OpenField{Name: name, MAC: p.bytes(mac)})
		default:
			p.check(len(fields) > 0, "open")
			return fields
		}
	}
	p.bad("too many fields")
	return nil
}

func (p *parser) bad(what string) {
	if p.what == "" {
		p.what = what
	}
}

func (p *parser) check(ok bool, what string) {
	if !ok {
		p.bad(what)
	}
}

// sees tells whether the next line has this key.
func (p *parser) sees(key string) bool {
	return p.what == "" && strings.HasPrefix(p.rest, key+": ")
}

// value takes the next line, which must have this key.
func (p *parser) value(key string) string {
	line, rest, ok := strings.Cut(p.rest, "\n")
	v, has := strings.CutPrefix(line, key+": ")
	if !ok || !has {
		p.bad("the line " + key + " is missing or not in its place")
		return ""
	}
	p.rest = rest
	return v
}

func (p *parser) number(key string) int64 {
	n, err := strconv.ParseInt(p.value(key), 10, 64)
	p.check(err == nil && n >= 0, key)
	return n
}

func (p *parser) time(s string) time.Time {
	t, err := time.Parse(evidence.TimeFormat, s)
	p.check(err == nil, "a time")
	return t
}

func (p *parser) bytes(s string) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	p.check(err == nil, "base64")
	return b
}

func (p *parser) text(s string) string {
	v, ok := decodeText(s)
	p.check(ok, "a % that is not followed by two digits")
	return v
}

func encodeBytes(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// encodeText leaves printable ASCII but % as it is and writes every other byte
// as %XX: no value can start a line or change the direction of writing.
func encodeText(s string) string {
	var b bytes.Buffer
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func decodeText(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), true
}
