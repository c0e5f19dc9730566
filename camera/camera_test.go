package camera_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"custos/camera"
	"custos/camera/cameratest"
	"custos/evidence"
)

var written = time.Date(2026, 11, 21, 22, 15, 0, 0, time.UTC)

var mp4 = []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2")

func shipped(t testing.TB) camera.Profiles {
	t.Helper()
	ps, err := camera.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// read docks a card and says what would be taken from it.
func read(t *testing.T, ps camera.Profiles, card camera.Card, appeared time.Time) (string, []camera.Item, []camera.Left) {
	t.Helper()
	p, err := ps.Recognise(card, "LABEL")
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.List(context.Background(), card)
	if err != nil {
		t.Fatal(err)
	}
	d := p.Examine(card, appeared)
	var items []camera.Item
	for _, found := range l.Files {
		f, err := card.Open(found.Path)
		if err != nil {
			t.Fatal(err)
		}
		it, err := p.Inspect(card, f, found, d, "LABEL")
		if errors.Is(err, camera.ErrNotMedia) {
			l.Left = append(l.Left, camera.Left{Path: found.Path, Why: err.Error()})
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	return p.Name, items, l.Left
}

func TestShippedProfilesReadTheLayoutsTheyName(t *testing.T) {
	mkv := []byte("\x1a\x45\xdf\xa3 and more")
	avi := []byte("RIFF\x00\x00\x00\x00AVI LIST")
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	fast := evidence.Duration(90_000)
	for _, c := range []struct {
		profile string
		files   map[string]string
		media   string
		body    []byte
		want    evidence.Capture
		gone    []string
	}{
		{"generic", nil, "whatever/FILE0001.MP4", mp4,
			evidence.Capture{Device: "LABEL", Started: written, Source: "mtime"}, nil},
		{"custos", map[string]string{
			"CAMERA.JSON": `{"device":"K-1","officer":"4417","clock":"2026-11-21T22:16:30Z"}`,
			"DCIM/20261121/K-1_4417_20261121T221005Z_002.JSON": "\xef\xbb\xbf" + `{"category":"domestic"}`,
		}, "DCIM/20261121/K-1_4417_20261121T221005Z_002.MP4", mp4,
			evidence.Capture{Device: "K-1", Officer: "4417", Category: "domestic", Group: "K-1_4417_20261121T221005Z", Sequence: 2,
				Started: at("2026-11-21T22:10:05Z"), Source: "name", Offset: &fast}, nil},
		{"axis", nil, "9f1c-4417_ACCC8E000001_20261121T221005Z/20261121_221035_ab12.mkv", mkv,
			evidence.Capture{Device: "ACCC8E000001", Officer: "9f1c-4417", Group: "9f1c-4417_ACCC8E000001_20261121T221005Z",
				Started: at("2026-11-21T22:10:35Z"), Zone: "UTC", Source: "name"}, nil},
		{"gopro", map[string]string{"MISC/version.txt": "{\"camera type\":\"HERO4 Silver\",\n\"camera serial number\":\"C3121125863006\",\n}"},
			"DCIM/100GOPRO/GX021234.MP4", mp4,
			evidence.Capture{Device: "C3121125863006", Group: "1234", Sequence: 2, Started: written, Source: "mtime"},
			[]string{"DCIM/100GOPRO/GX021234.THM", "DCIM/100GOPRO/GL021234.LRV"}},
		{"sony", map[string]string{"PRIVATE/M4ROOT/CLIP/C0001M01.XML": `<?xml version="1.0" encoding="UTF-8"?>
<NonRealTimeMeta xmlns="urn:schemas-professionalDisc:nonRealTimeMeta:ver.2.00"><Other><Device serialNo="no"/></Other>
<CreationDate value="2026-11-21T23:10:05+01:00"/><Device manufacturer="Sony" serialNo="0003312"/></NonRealTimeMeta>`},
			"PRIVATE/M4ROOT/CLIP/C0001.MP4", mp4,
			evidence.Capture{Device: "0003312", Started: at("2026-11-21T22:10:05Z"), Source: "sidecar"}, nil},
		{"vantrue", nil, "Video/Normal/2017_0101_060101_001A.MP4", mp4,
			evidence.Capture{Device: "LABEL", Started: at("2017-01-01T06:01:01Z"), Source: "name"}, nil},
		{"havis", nil, "Jan.01.2006/CAR_7_Jan.01.2006_01.12.15#.avi", avi,
			evidence.Capture{Device: "CAR_7", Category: "event", Started: at("2006-01-01T01:12:15Z"), Source: "name"}, nil},
	} {
		t.Run(c.profile, func(t *testing.T) {
			card := cameratest.New()
			for n, text := range c.files {
				card.Write(n, []byte(text), written)
			}
			card.Write(c.media, c.body, written)
			name, items, _ := read(t, shipped(t), card, written)
			if name != c.profile || len(items) != 1 {
				t.Fatalf("profile %s found %d files", name, len(items))
			}
			c.want.FileName, c.want.Length, c.want.Profile = c.media, int64(len(c.body)), c.profile
			if d := cmp.Diff(c.want, items[0].Capture); d != "" {
				t.Error(d)
			}
			if !slices.Equal(items[0].Companions, c.gone) {
				t.Errorf("companions %q, want %q", items[0].Companions, c.gone)
			}
		})
	}
}

func TestClockIsNotMeasuredWhenItCannotBe(t *testing.T) {
	ps := shipped(t)
	for name, c := range map[string]struct {
		clock    string
		appeared time.Time
	}{
		"there before the dock": {`{"clock":"2026-11-21T22:16:30Z"}`, time.Time{}},
		"no clock":              {`{}`, written},
		"nonsense":              {`{"clock":"yesterday"}`, written},
		"not JSON":              {`{`, written},
	} {
		t.Run(name, func(t *testing.T) {
			card := cameratest.New()
			card.Write("CAMERA.JSON", []byte(c.clock), written)
			card.Write("DCIM/a.mp4", mp4, written)
			_, items, _ := read(t, ps, card, c.appeared)
			if items[0].Capture.Offset != nil {
				t.Errorf("offset %d", *items[0].Capture.Offset)
			}
		})
	}
}

func TestClockRuleMtimeAgainstContent(t *testing.T) {
	p, err := camera.Parse([]byte(`name="x"
title="x"
sure="convention"
source="x"
[media]
extensions=["mp4"]
[clock]
path="SYNC.TXT"
format="text"
device="mtime"
true='^(\d+)'
layouts=["unix"]
`))
	if err != nil {
		t.Fatal(err)
	}
	card := cameratest.New()
	card.Write("SYNC.TXT", []byte("1700000000\n"), time.Unix(1700000000-30, 0))
	d := p.Examine(card, time.Time{})
	if d.Offset == nil || *d.Offset != -30_000 {
		t.Errorf("offset %v, want -30 s", d.Offset)
	}
}

func TestWhatIsNotMediaIsLeftAndReported(t *testing.T) {
	card := cameratest.New()
	card.Write("a.mp4", mp4, written)
	card.Write("evil.exe", []byte("MZ"), written)
	card.Write("AUTORUN.INF", []byte("x"), written)
	card.Write("fake.mp4", []byte("MZ is no film, whatever the name"), written)
	card.Write("empty.mp4", nil, written)
	card.Write("bad\x1b[2J.mp4", mp4, written)
	card.Write("bad\u202e4pm.mp4", mp4, written)
	card.Write(strings.Repeat("d/", 14)+"deep.mp4", mp4, written)
	card.Special("link.mp4", fs.ModeSymlink)
	card.Special("pipe.mp4", fs.ModeNamedPipe)
	card.Special("disk.mp4", fs.ModeDevice)
	_, items, left := read(t, shipped(t), card, written)
	if len(items) != 1 || items[0].Capture.FileName != "a.mp4" {
		t.Errorf("took %d files", len(items))
	}
	if len(left) != 10 {
		t.Errorf("%d left: %q", len(left), left)
	}
	for _, l := range left {
		if strings.ContainsAny(l.Path, "\x1b\u202e") {
			t.Errorf("%q is reported as it stands", l.Path)
		}
	}
}

func TestFieldsOfACameraAreNotTrusted(t *testing.T) {
	card := cameratest.New()
	card.Write("CAMERA.JSON", []byte(`{"device":"`+strings.Repeat("x", 200)+`","officer":"44\u001b[2J"}`), written)
	card.Write("DCIM/a.mp4", mp4, written)
	_, items, _ := read(t, shipped(t), card, written)
	if c := items[0].Capture; c.Device != "LABEL" || c.Officer != "" {
		t.Errorf("took device %q, officer %q", c.Device, c.Officer)
	}
}

func TestProfilesAreStrict(t *testing.T) {
	base := "name=\"x\"\ntitle=\"x\"\nsure=\"convention\"\nsource=\"x\"\n"
	media := "[media]\nextensions=[\"mp4\"]\n"
	for name, c := range map[string]struct{ text, want string }{
		"fine":                {base + media, ""},
		"misspelt key":        {base + "offcer=1\n" + media, "offcer"},
		"no media":            {base, "media.extensions"},
		"unknown kind":        {base + "[media]\nextensions=[\"exe\"]\n", "exe"},
		"bad expression":      {base + media + "[[rule]]\npattern='('\n", "rule 1"},
		"bad zone":            {base + "zone=\"Mars/Olympus\"\n" + media, "zone"},
		"layout missing":      {base + media + "[[rule]]\npattern='(?P<started>.)'\n", "layouts"},
		"template":            {base + media + "[[rule]]\npattern='.'\nstarted='{date}'\nlayouts=['2006']\n", "{date}"},
		"sidecar outside":     {base + media + "[[sidecar]]\npath='../x'\nformat='json'\n", "plain path"},
		"companion is media":  {base + "companions=['{dir}/{stem}.mp4']\n" + media, "not one of media"},
		"companion any":       {base + "companions=['{dir}/{stem}']\n" + media, "fixed extension"},
		"companion elsewhere": {base + "companions=['x/{stem}.THM']\n" + media, "own folder"},
		"clock against self":  {base + media + "[clock]\npath='x'\nformat='text'\ndevice='mtime'\ntrue='mtime'\n", "clock"},
		"not TOML":            {"<xml/>", "TOML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := camera.Parse([]byte(c.text))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if evidence.CodeOf(err) != evidence.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestLoadReplacesAShippedProfile(t *testing.T) {
	dir := t.TempDir()
	text := "name=\"generic\"\ntitle=\"Ours\"\nsure=\"convention\"\nsource=\"us\"\n[media]\nextensions=[\"mkv\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "ours.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ps, err := camera.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if last := ps[len(ps)-1]; last.Title != "Ours" || len(ps) != len(shipped(t)) {
		t.Errorf("last is %s of %d", last.Title, len(ps))
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.toml"), []byte("name=1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := camera.Load(dir); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("a broken profile gave %v", err)
	}
}
