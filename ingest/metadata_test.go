package ingest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"custos/evidence"
)

func TestCaptureIsHeldAgainstItsLimits(t *testing.T) {
	offset := func(d time.Duration) *evidence.Duration {
		ms := evidence.Duration(d.Milliseconds())
		return &ms
	}
	for name, c := range map[string]struct {
		change func(*evidence.Capture)
		ok     bool
	}{
		"as it is":            {func(c *evidence.Capture) {}, true},
		"no officer":          {func(c *evidence.Capture) { c.Officer = "" }, true},
		"names in any script": {func(c *evidence.Capture) { c.FileName = "影像/Jürgen – 1.mp4" }, true},
		"a camera in 1970":    {func(c *evidence.Capture) { c.Started = time.Unix(0, 0) }, true},
		"no start known":      {func(c *evidence.Capture) { c.Started = time.Time{} }, true},
		"a flat battery, measured": {func(c *evidence.Capture) {
			c.Started, c.Offset = time.Unix(0, 0), offset(start.Sub(time.Unix(0, 0))*-1)
		}, true},
		"no device":                  {func(c *evidence.Capture) { c.Device = "" }, false},
		"a long device":              {func(c *evidence.Capture) { c.Device = strings.Repeat("x", 129) }, false},
		"a device over two lines":    {func(c *evidence.Capture) { c.Device = "a\nb" }, false},
		"an officer with NUL":        {func(c *evidence.Capture) { c.Officer = "4711\x00" }, false},
		"a long officer":             {func(c *evidence.Capture) { c.Officer = strings.Repeat("1", 65) }, false},
		"a category that turns text": {func(c *evidence.Capture) { c.Category = "\u202eecrof" }, false},
		"an escape in the group":     {func(c *evidence.Capture) { c.Group = "\x1b[2J" }, false},
		"a zone with a hidden part":  {func(c *evidence.Capture) { c.Zone = "Europe/\u200bLondon" }, false},
		"a replaced character":       {func(c *evidence.Capture) { c.Profile = "\ufffd" }, false},
		"a long source":              {func(c *evidence.Capture) { c.Source = strings.Repeat("x", 33) }, false},
		"no file name":               {func(c *evidence.Capture) { c.FileName = "" }, false},
		"up":                         {func(c *evidence.Capture) { c.FileName = "../etc/passwd" }, false},
		"up from below":              {func(c *evidence.Capture) { c.FileName = "a/../../b" }, false},
		"up at the end":              {func(c *evidence.Capture) { c.FileName = "a/.." }, false},
		"here":                       {func(c *evidence.Capture) { c.FileName = "./a" }, false},
		"absolute":                   {func(c *evidence.Capture) { c.FileName = "/etc/passwd" }, false},
		"a double slash":             {func(c *evidence.Capture) { c.FileName = "a//b" }, false},
		"a folder":                   {func(c *evidence.Capture) { c.FileName = "a/" }, false},
		"a backslash":                {func(c *evidence.Capture) { c.FileName = `a\b` }, false},
		"a drive":                    {func(c *evidence.Capture) { c.FileName = "C:a" }, false},
		"a name with NUL":            {func(c *evidence.Capture) { c.FileName = "a\x00.mp4" }, false},
		"a line separator":           {func(c *evidence.Capture) { c.FileName = "a\u2028b" }, false},
		"a long name":                {func(c *evidence.Capture) { c.FileName = strings.Repeat("a", 256) }, false},
		"a long path":                {func(c *evidence.Capture) { c.FileName = strings.Repeat("a/", 512) + "b" }, false},
		"no digest":                  {func(c *evidence.Capture) { c.Digest = evidence.Digest{} }, false},
		"another length":             {func(c *evidence.Capture) { c.Length++ }, false},
		"a negative sequence":        {func(c *evidence.Capture) { c.Sequence = -1 }, false},
		"a vast sequence":            {func(c *evidence.Capture) { c.Sequence = 1e9 + 1 }, false},
		"before computers":           {func(c *evidence.Capture) { c.Started = time.Unix(-1, 0) }, false},
		"after us":                   {func(c *evidence.Capture) { c.Started = latest }, false},
		"a vast offset":              {func(c *evidence.Capture) { c.Offset = offset(101 * 365 * 24 * time.Hour) }, false},
		"an offset that overflows":   {func(c *evidence.Capture) { o := evidence.Duration(1) << 62; c.Offset = &o }, false},
		"an offset to before 1970":   {func(c *evidence.Capture) { c.Offset = offset(99 * 365 * 24 * time.Hour) }, false},
		"never docked":               {func(c *evidence.Capture) { c.DockedAt = time.Time{} }, false},
		"docked tomorrow":            {func(c *evidence.Capture) { c.DockedAt = start.Add(25 * time.Hour) }, false},
		"docked tonight":             {func(c *evidence.Capture) { c.DockedAt = start.Add(23 * time.Hour) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			capture := captureFor(some(10))
			c.change(&capture)
			header, _ := strings.CutPrefix(captureHeader(t, capture), "Upload-Metadata: ")
			got, err := captureOf(header, 10, start)
			if (err == nil) != c.ok || err != nil && evidence.CodeOf(err) != evidence.Invalid {
				t.Fatalf("got %v", err)
			}
			if err == nil && (got.FileName != capture.FileName || got.Digest != capture.Digest || !got.Started.Equal(capture.Started)) {
				t.Errorf("read as %+v", got)
			}
		})
	}
}

func TestCaptureJSONIsStrict(t *testing.T) {
	good, err := json.Marshal(captureFor(some(10)))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]string{
		"nothing":        "",
		"null bytes":     "\x00",
		"a list":         "[]",
		"something more": string(good) + "{}",
		"a new field":    `{"verdict":"guilty",` + string(good[1:]),
		"not UTF-8":      strings.Replace(string(good), "X81234567", "X\xff", 1),
		"a year 10000":   strings.Replace(string(good), "2026-11-22T06", "10000-11-22T06", 1),
		"half a pair":    strings.Replace(string(good), "X81234567", `\ud800`, 1),
		"bad digest":     strings.Replace(string(good), `"sha256":"`, `"sha256":"zz`, 1),
	} {
		header := "capture " + base64.StdEncoding.EncodeToString([]byte(c))
		if _, err := captureOf(header, 10, start); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDisplayName(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "upload",
		".":                      "upload",
		"..":                     "upload",
		"a/b/..":                 "upload",
		"/":                      "upload",
		`C:\films\one.mp4`:       "one.mp4",
		"../../one.mp4":          "one.mp4",
		" one.mp4 ":              "one.mp4",
		"e\u0301.mp4":            "\u00e9.mp4",
		"a\x00\x1b\u202eb":       "a___b",
		"a\xff.mp4":              "a_.mp4",
		strings.Repeat("é", 200): strings.Repeat("é", 127),
	} {
		if got := displayName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add("filename d29ybGQ=,is_confidential")
	f.Add("capture e30=")
	f.Add("capture " + base64.StdEncoding.EncodeToString([]byte(`{"device":"a","fileName":"b/c","sha256":"`+strings.Repeat("0a", 32)+`","length":10,"started":"1980-01-01T00:00:00Z","offsetMs":-5,"dockedAt":"2026-11-22T05:00:00Z"}`)))
	f.Add(" a YQ== , b ,c")
	f.Add("a YQ==,a YQ==")
	f.Fuzz(func(t *testing.T, header string) {
		c, err := captureOf(header, 10, start)
		if err != nil {
			if evidence.CodeOf(err) != evidence.Invalid {
				t.Fatalf("code of %v", err)
			}
			return
		}
		for _, s := range []string{c.Device, c.Officer, string(c.Category), c.FileName, c.Group, c.Zone, c.Source, c.Profile} {
			if !isText(s) || len(s) > 1024 {
				t.Errorf("let %q through", s)
			}
		}
		if c.Device == "" || c.Length != 10 || !isRelative(c.FileName) {
			t.Errorf("let %+v through", c)
		}
		// What was let through can be kept and read again.
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseCapture(b); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	f.Add("10", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "final;/files/00000000000000000000000000 https://x/files/00000000000000000000000001")
	f.Add("9223372036854775807", "sha256 ", "partial")
	f.Add("9223372036854775808", "md5 x", "final;")
	f.Add("-0", "sha1", "final;%zz")
	f.Fuzz(func(t *testing.T, number, sum, concat string) {
		if n, ok := parseSize(number); ok && (n < 0 || strings.TrimLeft(number, "0") != strings.TrimLeft(strconv.FormatInt(n, 10), "0")) {
			t.Errorf("%q read as %d", number, n)
		}
		if c, err := parseChecksum(sum); err == nil && c != nil && len(c.want) != c.hash.Size() {
			t.Errorf("%q read as %d bytes", sum, len(c.want))
		}
		kind, parts, err := parseConcat(concat, "/files/")
		if err != nil {
			if evidence.CodeOf(err) != evidence.Invalid {
				t.Fatalf("code of %v", err)
			}
			return
		}
		if (kind == concatFinal) != (len(parts) > 0) || len(parts) > maxParts {
			t.Errorf("%q read as %q with %d parts", concat, kind, len(parts))
		}
		for _, id := range parts {
			if _, err := evidence.ParseID(string(id)); err != nil {
				t.Error(err)
			}
			if u, err := url.Parse(string(id)); err != nil || u.Path != string(id) {
				t.Errorf("%q is not plain", id)
			}
		}
	})
}
