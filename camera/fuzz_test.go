package camera

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzProfile(f *testing.F) {
	names, err := fs.Glob(shipped, "profiles/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range names {
		text, err := shipped.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		checkNames(t, p, "DCIM/100GOPRO/GX011234.MP4")
		checkNames(t, p, "a.mp4")
	})
}

func FuzzName(f *testing.F) {
	for _, s := range []string{
		"DCIM/100GOPRO/GX011234.MP4", "a_b_20261121T221005Z/20261121_221005_x.mkv",
		"Jan.01.2006/CAR_Jan.01.2006_01.00.00#.avi", "Video/Normal/2017_0101_060101_001A.MP4",
		"DCIM/x/K-1_4417_20261121T221005Z_001.MP4", "\xff/\x00", "{dir}/{stem}",
	} {
		f.Add(s)
	}
	ps, err := Shipped()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if safePath(name) != "" {
			return
		}
		for _, p := range ps {
			checkNames(t, p, name)
		}
	})
}

// checkNames holds what must be true of whatever a path tells.
func checkNames(t *testing.T, p *Profile, name string) {
	item, err := p.Inspect(noCard{}, headOnly{}, Found{Path: name, Stamp: Stamp{Size: 9}}, Docked{}, "label")
	if err != nil {
		return
	}
	c := item.Capture
	for _, v := range []string{c.Device, c.Officer, c.Group, string(c.Category), c.Zone} {
		if !utf8.ValidString(v) || len(v) > MaxField && v != c.Zone {
			t.Errorf("took %q", v)
		}
	}
	if c.Started.Year() > 2200 || c.Source == "" || c.FileName != name {
		t.Errorf("bad capture %+v", c)
	}
	for _, n := range item.Companions {
		if path.Dir(n) != path.Dir(name) || n == name || !fs.ValidPath(n) {
			t.Errorf("%q would go with %q", n, name)
		}
	}
}

func FuzzSidecar(f *testing.F) {
	f.Add("json", []byte(`{"a":{"b":["x",1,true]}}`), "a.b.1")
	f.Add("xml", []byte(`<A><B c="d">e</B></A>`), "A.B.@c")
	f.Add("xml", []byte(`<!DOCTYPE A [<!ENTITY x "y">]><A><B>&x;</B></A>`), "A.B")
	f.Add("ini", []byte("[s]\nk = \"v\"\n; c\n"), "s.k")
	f.Add("text", []byte("serial: 42"), `serial: (\d+)`)
	f.Fuzz(func(t *testing.T, format string, text []byte, key string) {
		fm := Format(format)
		if len(text) > 1<<16 || fm.check() != nil || fm.checkKey(key) != nil || key == "" {
			return
		}
		v, err := fm.value(text, key)
		if err == nil && clean(v) != "" && (len(clean(v)) > MaxField || !printable(clean(v))) {
			t.Errorf("took %q", v)
		}
		if _, ok := parseTime(v, []string{"unix", time.RFC3339}, ""); ok && v == "" {
			t.Error("the empty string is no time")
		}
	})
}

func TestSidecarValues(t *testing.T) {
	for _, c := range []struct {
		format    Format
		text, key string
		want      string
	}{
		{JSON, `{"a":{"b":["x",1.50,true]}}`, "a.b.1", "1.50"},
		{JSON, `{"a":{"b":["x",1.50,true]}}`, "a.b.2", "true"},
		{JSON, `{"a":{"b":[]}}`, "a.b.0", ""},
		{JSON, `{"a":null}`, "a", ""},
		{XML, `<A><X><B c="no"/></X><B c="yes">t</B></A>`, "A.B.@c", "yes"},
		{XML, `<A><B><C>no</C></B><B>second</B></A>`, "A.B", ""},
		{XML, `<A><B>first</B><B>second</B></A>`, "A.B", "first"},
		{XML, `<?xml version="1.0" encoding="gbk"?><A>x</A>`, "A", "x"},
		{INI, "k=1\n[S]\nK = \"two\"\n", "s.k", "two"},
		{INI, "k=1\n[S]\nK = \"two\"\n", "k", "1"},
		{Text, "serial: 42\n", `serial: (\d+)`, "42"},
	} {
		got, err := c.format.value([]byte(c.text), c.key)
		if got != c.want || (err != nil) != (c.want == "" && err == errNoValue) {
			t.Errorf("%s %s in %s: %q, %v; want %q", c.format, c.key, c.text, got, err, c.want)
		}
	}
	for _, c := range []struct {
		format Format
		text   string
	}{
		{JSON, `{"k":`}, {XML, `<A><k>`}, {XML, `<A>&own;</A>`},
		{XML, string(bytes.Repeat([]byte("<k>"), 100))},
	} {
		if v, err := c.format.value([]byte(c.text), "k"); err == nil || err == errNoValue {
			t.Errorf("%s %.20s: %q, %v", c.format, c.text, v, err)
		}
	}
}

type noCard struct{ Card }

func (noCard) Open(string) (File, error) { return nil, fs.ErrNotExist }

type headOnly struct{ File }

func (headOnly) ReadAt(p []byte, _ int64) (int, error) {
	return copy(p, "\x00\x00\x00\x18ftypisom"), io.EOF
}
