package camera

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Format is how a sidecar is written.
type Format string

// Sidecar formats.
const (
	JSON Format = "json" // RFC 8259
	XML  Format = "xml"  // XML 1.0; namespaces are ignored, entities of a DTD refused
	INI  Format = "ini"  // key = value, [section], comments with ; or #
	Text Format = "text" // found by regular expression
)

func (f Format) check() error {
	switch f {
	case JSON, XML, INI, Text:
		return nil
	}
	return fmt.Errorf("format must be json, xml, ini or text")
}

func (f Format) checkKey(key string) error {
	if key == "" || f != Text {
		return nil
	}
	re, err := expression(key)
	if err != nil {
		return err
	}
	if re.NumSubexp() != 1 {
		return fmt.Errorf("%q must have exactly one group", key)
	}
	return nil
}

// errNoValue says that a key is not there; the field then stays unknown.
var errNoValue = errors.New("no such key")

// Value reads one value from a sidecar's text. A key that is not there is
// errNoValue; any other error means that the file is not what it should be.
// The value is as it stands; take it through clean before use.
func (f Format) value(text []byte, key string) (string, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	switch f {
	case JSON:
		return jsonValue(text, strings.Split(key, "."))
	case XML:
		return xmlValue(text, strings.Split(key, "."))
	case INI:
		return iniValue(text, key)
	case Text:
		re, err := regexp.Compile(key)
		if err != nil {
			return "", err
		}
		if m := re.FindSubmatch(text); len(m) == 2 {
			return string(m[1]), nil
		}
		return "", errNoValue
	}
	return "", f.check()
}

func jsonValue(text []byte, keys []string) (string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	for _, k := range keys {
		switch at := v.(type) {
		case map[string]any:
			v = at[k]
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i < 0 || i >= len(at) {
				return "", errNoValue
			}
			v = at[i]
		default:
			return "", errNoValue
		}
	}
	switch at := v.(type) {
	case string:
		return at, nil
	case json.Number:
		return at.String(), nil
	case bool:
		return strconv.FormatBool(at), nil
	}
	return "", errNoValue
}

// xmlValue finds the first element at the path, or the attribute where the
// last key begins with @.
func xmlValue(text []byte, keys []string) (string, error) {
	attribute, isAttribute := strings.CutPrefix(keys[len(keys)-1], "@")
	if isAttribute {
		keys = keys[:len(keys)-1]
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	// Old cameras declare odd character sets; the bytes are taken as they are
	// and clean refuses what is not UTF-8.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	depth, matched, inside := 0, 0, false
	var value strings.Builder
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", errNoValue
		}
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > 64 {
				return "", errors.New("elements are nested too deep")
			}
			if depth != matched+1 || matched == len(keys) || t.Name.Local != keys[matched] {
				continue
			}
			if matched++; matched < len(keys) {
				continue
			}
			if !isAttribute {
				inside = true
				continue
			}
			for _, a := range t.Attr {
				if a.Name.Local == attribute {
					return a.Value, nil
				}
			}
		case xml.CharData:
			if inside && depth == matched {
				value.Write(t)
			}
		case xml.EndElement:
			if inside && depth == matched {
				return value.String(), nil
			}
			if depth == matched {
				matched--
			}
			depth--
		}
	}
}

func iniValue(text []byte, key string) (string, error) {
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			section = strings.TrimSpace(strings.Trim(line, "[]")) + "."
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		if strings.EqualFold(section+strings.TrimSpace(k), key) {
			return strings.Trim(strings.TrimSpace(v), `"`), nil
		}
	}
	return "", errNoValue
}

// clean makes a camera's text fit for a field: trimmed, at most MaxField
// bytes, UTF-8 without control or invisible characters. What is not fit is
// dropped whole, never repaired into something else.
func clean(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > MaxField || !printable(s) {
		return ""
	}
	return s
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// parseTime reads a camera's time by the first layout that fits. zoneName is
// used where the layout has no zone of its own.
func parseTime(s string, layouts []string, zoneName string) (time.Time, bool) {
	where, err := time.LoadLocation(zoneName)
	if err != nil {
		return time.Time{}, false
	}
	s = strings.TrimSpace(s)
	for _, layout := range layouts {
		if layout == "unix" {
			n, err := strconv.ParseInt(s, 10, 64)
			if err == nil && n >= 0 && n < 1<<33 {
				return time.Unix(n, 0).UTC(), true
			}
			continue
		}
		t, err := time.ParseInLocation(layout, s, where)
		if err == nil && t.Year() >= 1970 && t.Year() <= 2200 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
