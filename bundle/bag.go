package bundle

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"custos/evidence"
)

// Names of the files that every bag has.
const (
	bagitFile       = "bagit.txt"
	bagInfoFile     = "bag-info.txt"
	manifestFile    = "manifest-sha256.txt"
	tagManifestFile = "tagmanifest-sha256.txt"
	readmeFile      = "README.txt"
	viewFile        = "view.html"
	metadataFile    = "metadata.json"
	eventsFile      = "custody/events.json"
	checkpointFile  = "custody/checkpoint"
	logKeyFile      = "keys/log.vkey"
	receiptKeyFile  = "keys/receipt.vkey"
	proofFolder     = "custody/proofs/"
	stampFolder     = "custody/timestamps/"
)

const bagit = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// safeName is the last part of a camera's file name, in characters that every
// file system, shell and HTML page takes as they are.
func safeName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	b := []byte(name)
	for i, c := range b {
		if !safeByte(c) {
			b[i] = '_'
		}
	}
	if len(b) > 100 { // the end of a name says what it is
		b = b[len(b)-100:]
	}
	// Windows drops a dot at the end, and the bag would no longer fit its
	// manifest; one at the start hides the file.
	if b = bytes.Trim(b, "."); len(b) == 0 {
		return "master"
	}
	return string(b)
}

func safeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

func masterPath(recording evidence.ID, segment int, fileName string, sealed bool) string {
	p := fmt.Sprintf("data/%s/%02d_%s", recording, segment, safeName(fileName))
	if sealed {
		p += ".age"
	}
	return p
}

func chunkPath(master string) string {
	return "chunks/" + strings.TrimPrefix(master, "data/") + ".json"
}

func proofPath(number int) string {
	return fmt.Sprintf(proofFolder+"%04d.tlog-proof", number)
}

// stampPath is where the timestamp of an authority lies.
func stampPath(authority string) string { return stampFolder + safeName(authority) + ".tsr" }

// manifest maps the paths of files to their digests.
type manifest map[string]evidence.Digest

// paths are the paths in m, sorted.
func (m manifest) paths() []string { return slices.Sorted(maps.Keys(m)) }

// bytes writes m as RFC 8493 2.1.3 and sha256sum do, sorted by path.
func (m manifest) bytes() []byte {
	var b bytes.Buffer
	for _, p := range m.paths() {
		fmt.Fprintf(&b, "%s  %s\n", m[p], p)
	}
	return b.Bytes()
}

// parseManifest reads what bytes wrote and nothing else: the order, the case
// of the digits and the shape of paths are fixed, so that a manifest has one
// form. It fails with Corrupt.
func parseManifest(b []byte) (manifest, error) {
	m := manifest{}
	scan := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; scan.Scan(); n++ {
		digest, name, ok := strings.Cut(scan.Text(), "  ")
		d, err := evidence.ParseDigest(digest)
		if !ok || err != nil || !safePath(name) {
			return nil, evidence.Errorf(evidence.Corrupt, "line %d is not a digest and a path", n)
		}
		m[name] = d
	}
	if err := scan.Err(); err != nil {
		return nil, evidence.Wrap(evidence.Corrupt, err, "a line is too long")
	}
	if !bytes.Equal(m.bytes(), b) {
		return nil, evidence.Errorf(evidence.Corrupt, "the lines are not sorted, not all different, or not written in the one way")
	}
	return m, nil
}

// safePath tells whether p is a path that a bag of this format can hold:
// relative, its parts of the characters that safeName leaves, none of them
// beginning or ending with a dot.
func safePath(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part[0] == '.' || part[len(part)-1] == '.' {
			return false
		}
		for i := range len(part) {
			if !safeByte(part[i]) {
				return false
			}
		}
	}
	return true
}

// bagInfoLine writes one element of bag-info.txt. Values can hold what people
// typed; they must not start elements of their own.
func bagInfoLine(name, value string) string { return name + ": " + oneLine(value) + "\n" }

// oneLine is text that others wrote, without what would begin a new line.
func oneLine(value string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(value, "\uFFFD")))
}

// bagInfoValue finds the one element called name, or "".
func bagInfoValue(b []byte, name string) string {
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSuffix(v, "\n")
		}
	}
	return ""
}
