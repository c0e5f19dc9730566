package bundle

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"custos/evidence"
)

func TestSafeName(t *testing.T) {
	for in, want := range map[string]string{
		"DCIM/100/AXIS_0001.MP4":        "AXIS_0001.MP4",
		`C:\video\a.avi`:                "a.avi",
		"../../etc/passwd":              "passwd",
		"..":                            "master",
		"":                              "master",
		"a/":                            "master",
		".hidden":                       "hidden",
		"ends with dot.":                "ends_with_dot",
		"line\nbreak.mp4":               "line_break.mp4",
		"<script>alert(1)</script>":     "script_",
		"%41.mp4":                       "_41.mp4",
		"\u202e4pm.mp4":                 "___4pm.mp4",
		strings.Repeat("a", 300) + ".x": strings.Repeat("a", 98) + ".x",
	} {
		if got := safeName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSafeNamesMakeSafePaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := masterPath("01kamwtz3f0w9hq1c7c9m2v5ta", rapid.IntRange(1, 1000).Draw(t, "n"), rapid.String().Draw(t, "name"), rapid.Bool().Draw(t, "sealed"))
		if !safePath(p) || !safePath(chunkPath(p)) || strings.Count(p, "/") != 2 {
			t.Fatalf("%q is not safe", p)
		}
	})
}

func TestAFullDiskHasItsOwnCode(t *testing.T) {
	if err := trouble(&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}); evidence.CodeOf(err) != evidence.Full {
		t.Error(err)
	}
	if err := trouble(fs.ErrPermission); evidence.CodeOf(err) != evidence.Unavailable {
		t.Error(err)
	}
}

func TestManifestHasOneForm(t *testing.T) {
	d := evidence.Digest(sha256.Sum256(nil)).String()
	good := d + "  bagit.txt\n" + d + "  data/x/01_a.mp4\n"
	if m, err := parseManifest([]byte(good)); err != nil || len(m) != 2 {
		t.Fatal(m, err)
	}
	for _, bad := range []string{
		strings.ToUpper(d) + "  bagit.txt\n",
		d + " bagit.txt\n",
		d + " *bagit.txt\n",
		d + "  bagit.txt",
		d + "  bagit.txt\r\n",
		d + "  ../x\n",
		d + "  /etc/passwd\n",
		d + "  a//b\n",
		d + "  ./a\n",
		d + "  a b\n",
		d[1:] + "  a\n",
		d + "  b\n" + d + "  a\n",
		d + "  a\n" + d + "  a\n",
		d + "  a\n\n",
		strings.Repeat("a", 1<<17),
	} {
		if _, err := parseManifest([]byte(bad)); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("%q: got %v", bad[:min(len(bad), 100)], err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	d := evidence.Digest(sha256.Sum256(nil)).String()
	f.Add([]byte(d + "  bagit.txt\n"))
	f.Add([]byte(d + "  data/x/01_a.mp4\n" + d + "  ../b\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err == nil && !bytes.Equal(m.bytes(), b) {
			t.Fatal("read as something else")
		}
		for p := range m {
			if !safePath(p) {
				t.Fatalf("%q is not safe", p)
			}
		}
	})
}

func TestJSONThatReadsInTwoWaysIsRefused(t *testing.T) {
	var v any
	for _, bad := range []string{
		`{"a":1,"a":2}`, `{"a":1,"A":2}`, `[{"x":{"b":1,"B":1}}]`, `{} {}`, `{"a":1`, `{"ſ":1}`, ``,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		if err := parseJSON([]byte(bad), &v); err == nil {
			t.Errorf("%s passes", bad)
		}
	}
	if err := parseJSON([]byte(`{"a":[{"b":1},{"b":2}],"c":"d"}`), &v); err != nil {
		t.Error(err)
	}
}

func TestBagInfoValuesStayOnTheirLine(t *testing.T) {
	line := bagInfoLine("Source-Organization", " Force\r\nPayload-Oxum: 1.1\u2028\u0085\xff ")
	if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\r\u2028\u0085") {
		t.Errorf("%q", line)
	}
	if got := bagInfoValue([]byte(line+"Payload-Oxum: 7.1\n"), "Payload-Oxum"); got != "7.1" {
		t.Errorf("got %q", got)
	}
}

// Chunks do not depend on how the bytes come in.
func TestFileHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2*chunkSize + 7}).Draw(t, "length")
		b := bytes.Repeat([]byte{0xa5}, n)
		var got []evidence.Digest
		h := newFileHash(func(d evidence.Digest) { got = append(got, d) })
		for rest := b; len(rest) > 0; {
			take := min(len(rest), rapid.IntRange(1, 2*chunkSize).Draw(t, "write"))
			h.Write(rest[:take])
			rest = rest[take:]
		}
		if h.sum() != sha256.Sum256(b) || h.length != int64(n) {
			t.Fatal("wrong digest of the whole")
		}
		for i, d := range got {
			if d != sha256.Sum256(b[i*chunkSize:min(n, (i+1)*chunkSize)]) {
				t.Fatalf("wrong digest of chunk %d", i)
			}
		}
		if len(got) != (n+chunkSize-1)/chunkSize {
			t.Fatalf("%d chunks of %d bytes", len(got), n)
		}
	})
}
