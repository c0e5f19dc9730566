package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"custos/evidence"
)

// parseMetadata reads Upload-Metadata: pairs "key BASE64" or "key", with
// commas between, every key once. At most 32 pairs; keys are visible ASCII, at
// most 64 bytes. It fails with Invalid.
func parseMetadata(header string) (map[string]string, error) {
	m := map[string]string{}
	if strings.TrimSpace(header) == "" {
		return m, nil
	}
	if len(header) > maxMetadata {
		return nil, evidence.Errorf(evidence.Invalid, "Upload-Metadata may have %d bytes at most", maxMetadata)
	}
	for pair := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.Trim(pair, " "), " ")
		if key == "" || len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, evidence.Errorf(evidence.Invalid, "Upload-Metadata holds a key that is not plain text")
		}
		if _, ok := m[key]; ok || len(m) == 32 {
			return nil, evidence.Errorf(evidence.Invalid, "Upload-Metadata holds a key twice, or too many keys")
		}
		b, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil {
			return nil, evidence.Errorf(evidence.Invalid, "Upload-Metadata holds a value that is not base64")
		}
		m[key] = string(b)
	}
	return m, nil
}

// captureOf is what the metadata of an upload of length bytes says of it. With
// the key "capture" it is that JSON, checked by checkCapture. Without, as from
// any plain tus client, only a file name is known, and that is made fit to
// show. It fails with Invalid.
func captureOf(metadata string, length int64, now time.Time) (evidence.Capture, error) {
	m, err := parseMetadata(metadata)
	if err != nil {
		return evidence.Capture{}, err
	}
	text, ok := m["capture"]
	if !ok {
		name := m["filename"]
		if name == "" {
			name = m["name"]
		}
		return evidence.Capture{Device: "upload", FileName: displayName(name), Length: length, DockedAt: now}, nil
	}
	c, err := parseCapture([]byte(text))
	if err != nil {
		return evidence.Capture{}, err
	}
	if c.Length != length {
		return evidence.Capture{}, evidence.Errorf(evidence.Invalid, "the capture's length is not the upload's length")
	}
	return c, checkCapture(c, now)
}

// parseCapture reads the JSON of an evidence.Capture. A field it does not know
// is an error: to drop what a newer dock says would lose it for ever, while a
// refused upload stays on the camera and is seen.
func parseCapture(text []byte) (evidence.Capture, error) {
	var c evidence.Capture
	if !utf8.Valid(text) {
		return c, evidence.Errorf(evidence.Invalid, "the capture is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, evidence.Wrap(evidence.Invalid, err, "the capture is not the JSON this server knows; the server may be older than the dock")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, evidence.Errorf(evidence.Invalid, "the capture has something after its end")
	}
	return c, nil
}

// Where the times of a capture may lie. A camera with a flat battery starts in
// 1970 or 1980, and its footage must still come in.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// checkCapture holds a capture against the limits of docs/ingest.md. It fails
// with Invalid and names the field, never its value.
func checkCapture(c evidence.Capture, now time.Time) error {
	for _, f := range []struct {
		name, value string
		max         int // bytes
		must        bool
	}{
		{"device", c.Device, 128, true},
		{"officer", c.Officer, 64, false},
		{"category", string(c.Category), 64, false},
		{"fileName", c.FileName, 1024, true},
		{"group", c.Group, 256, false},
		{"zone", c.Zone, 64, false},
		{"source", c.Source, 32, false},
		{"profile", c.Profile, 64, false},
	} {
		if f.must && f.value == "" || len(f.value) > f.max || !isText(f.value) {
			return evidence.Errorf(evidence.Invalid, "the capture's %s is missing, too long or not plain text", f.name)
		}
	}
	if !isRelative(c.FileName) {
		return evidence.Errorf(evidence.Invalid, "the capture's fileName must be a path below the camera's root, with / and without . or ..")
	}
	if c.Digest.IsZero() {
		return evidence.Errorf(evidence.Invalid, "the capture needs the file's SHA-256")
	}
	if c.Sequence < 0 || c.Sequence > 1e9 {
		return evidence.Errorf(evidence.Invalid, "the capture's sequence is out of range")
	}
	return checkTimes(c, now)
}

func checkTimes(c evidence.Capture, now time.Time) error {
	sane := func(t time.Time) bool { return t.IsZero() || !t.Before(earliest) && t.Before(latest) }
	if !sane(c.Started) {
		return evidence.Errorf(evidence.Invalid, "the capture's started is not between 1970 and 2100")
	}
	if c.Offset != nil {
		const century = evidence.Duration(100 * 365 * 24 * time.Hour / time.Millisecond)
		if o := *c.Offset; o < -century || o > century || !c.Started.IsZero() && !sane(c.Started.Add(-o.Std())) {
			return evidence.Errorf(evidence.Invalid, "the capture's offsetMs is out of range")
		}
	}
	// Trusted times rest on the dock's clock, so a dock that lives in the
	// future must be put right first.
	if c.DockedAt.IsZero() || c.DockedAt.Before(earliest) || c.DockedAt.After(now.Add(24*time.Hour)) {
		return evidence.Errorf(evidence.Invalid, "the capture's dockedAt is missing or in the future; set the dock's clock")
	}
	return nil
}

// isText tells whether s is UTF-8 that shows as what it is: no control
// characters, no invisible ones that turn or hide text, no private ones.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, hidden)
}

func hidden(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
}

// isRelative tells whether s is a path below a root that could not leave it on
// any system, were anybody to use it as one.
func isRelative(s string) bool {
	if strings.ContainsAny(s, `\`) || len(s) > 1 && s[1] == ':' {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 {
			return false
		}
	}
	return true
}

// displayName makes a label of a file name from anybody: the last part of the
// path, normalised (NFC), at most 255 bytes, with _ for what isText forbids.
func displayName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = norm.NFC.String(strings.ToValidUTF8(s, "_"))
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return '_'
		}
		return r
	}, s)
	for len(s) > 255 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	s = strings.TrimSpace(s)
	if s == "" || s == "." || s == ".." {
		return "upload"
	}
	return s
}
