package camera

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// headLength is how many first bytes of a file fits looks at.
const headLength = 400

// The families of formats that may be taken in, by extension.
var (
	isoExtensions  = []string{"mp4", "mov", "m4v", "m4a", "3gp", "360", "insv"}
	isoFirstBoxes  = []string{"ftyp", "moov", "mdat", "free", "skip", "wide", "pnot"}
	jpegExtensions = []string{"jpg", "jpeg"}
)

// extension is the lower-case extension of a path, without the dot.
func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// known reports whether an extension is one that fits can check.
func known(ext string) bool {
	return slices.Contains(isoExtensions, ext) || slices.Contains(jpegExtensions, ext) ||
		slices.Contains([]string{"mkv", "webm", "avi", "wav", "mts", "m2ts", "ts", "mpg", "mpeg", "asf", "wmv", "mp3", "png"}, ext)
}

// fits reports whether a file that begins with head may be what its extension
// says (signatures: ISO/IEC 14496-12 4.3, RFC 8794 11.2.1, ISO/IEC 13818-1
// 2.4.3.2 and 2.5.3.3, Microsoft RIFF and ASF, ISO/IEC 10918-1 B.1.1.3,
// ISO/IEC 15948 5.2). It is a sieve, not a proof: the server looks closely.
func fits(ext string, head []byte) bool {
	has := func(off int, s string) bool {
		return len(head) >= off+len(s) && string(head[off:off+len(s)]) == s
	}
	switch {
	case slices.Contains(isoExtensions, ext):
		return slices.ContainsFunc(isoFirstBoxes, func(b string) bool { return has(4, b) })
	case slices.Contains(jpegExtensions, ext):
		return has(0, "\xff\xd8\xff")
	}
	switch ext {
	case "mkv", "webm":
		return has(0, "\x1a\x45\xdf\xa3")
	case "avi":
		return has(0, "RIFF") && has(8, "AVI ")
	case "wav":
		return (has(0, "RIFF") || has(0, "RF64")) && has(8, "WAVE")
	case "ts", "mts", "m2ts":
		return has(0, "G") && has(188, "G") || has(4, "G") && has(196, "G")
	case "mpg", "mpeg":
		return has(0, "\x00\x00\x01\xba") || has(0, "\x00\x00\x01\xb3")
	case "asf", "wmv":
		return has(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11")
	case "mp3":
		return has(0, "ID3") || len(head) > 1 && head[0] == 0xff && head[1]&0xe0 == 0xe0
	case "png":
		return bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n"))
	}
	return false
}
