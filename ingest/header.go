package ingest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"custos/evidence"
)

// single is the value of a header that may be sent once, "" when absent. Two
// values could be read one way by a proxy and the other way here.
func single(h http.Header, name string) (string, error) {
	switch v := h.Values(name); len(v) {
	case 0:
		return "", nil
	case 1:
		return v[0], nil
	default:
		return "", evidence.Errorf(evidence.Invalid, "the header %s was sent more than once", name)
	}
}

// parseSize reads Upload-Length and Upload-Offset: decimal digits only, no
// sign, no spaces, at most 2^63-1.
func parseSize(s string) (int64, bool) {
	if s == "" || len(s) > 19 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// size reads a header that must hold a size.
func size(h http.Header, name string) (int64, error) {
	v, err := single(h, name)
	if err != nil {
		return 0, err
	}
	n, ok := parseSize(v)
	if !ok {
		return 0, evidence.Errorf(evidence.Invalid, "the header %s must be a number of bytes", name)
	}
	return n, nil
}

const checksumAlgorithms = "sha256,sha1"

// checksum is a parsed Upload-Checksum.
type checksum struct {
	hash hash.Hash
	want []byte
}

func (c *checksum) matches(body []byte) bool {
	c.hash.Reset()
	c.hash.Write(body)
	return bytes.Equal(c.hash.Sum(nil), c.want)
}

// parseChecksum reads Upload-Checksum, "sha1 BASE64" or "sha256 BASE64". It is
// nil for an empty header and fails with Invalid. SHA-1 is here because tus
// demands it; it guards against broken lines, not against forgers.
func parseChecksum(s string) (*checksum, error) {
	if s == "" {
		return nil, nil
	}
	name, sum, _ := strings.Cut(s, " ")
	var c checksum
	switch name {
	case "sha1":
		c.hash = sha1.New()
	case "sha256":
		c.hash = sha256.New()
	default:
		return nil, evidence.Errorf(evidence.Invalid, "the checksum must be sha256 or sha1")
	}
	var err error
	if c.want, err = base64.StdEncoding.Strict().DecodeString(sum); err != nil || len(c.want) != c.hash.Size() {
		return nil, evidence.Errorf(evidence.Invalid, "the checksum is not a %s in base64", name)
	}
	return &c, nil
}

// Kinds of Upload-Concat.
const (
	concatNone    = ""
	concatPartial = "partial"
	concatFinal   = "final"
)

// parseConcat reads Upload-Concat: "partial", or "final;" and the URLs of the
// parts, absolute or not, with one space between. Of a URL only the path
// counts, which must be prefix and an ID. It fails with Invalid.
func parseConcat(s, prefix string) (kind string, parts []evidence.ID, err error) {
	if s == concatNone || s == concatPartial {
		return s, nil, nil
	}
	list, ok := strings.CutPrefix(s, "final;")
	if !ok {
		return "", nil, evidence.Errorf(evidence.Invalid, "Upload-Concat must be partial, or final with the parts")
	}
	list = strings.Trim(list, " ")
	if n := strings.Count(list, " ") + 1; n > maxParts {
		return "", nil, evidence.Errorf(evidence.Invalid, "a final upload may have %d parts at most", maxParts)
	}
	for ref := range strings.SplitSeq(list, " ") {
		u, err := url.Parse(ref)
		if err != nil {
			return "", nil, evidence.Errorf(evidence.Invalid, "Upload-Concat holds something that is not a URL")
		}
		name, ok := strings.CutPrefix(u.Path, prefix)
		if !ok {
			return "", nil, evidence.Errorf(evidence.Invalid, "Upload-Concat names something that is not an upload here")
		}
		id, err := evidence.ParseID(name)
		if err != nil {
			return "", nil, evidence.Errorf(evidence.Invalid, "Upload-Concat names something that is not an upload here")
		}
		parts = append(parts, id)
	}
	return concatFinal, parts, nil
}
