package receipt

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
)

func goldenText(tb testing.TB) string {
	b, err := os.ReadFile("testdata/v1.receipt")
	if err != nil {
		tb.Fatal(err)
	}
	text, _, _ := strings.Cut(string(b), "\n\n")
	return text + "\n"
}

// The texts below differ from a receipt in one place and would mean the same
// to a lenient reader.
func TestThereIsOneTextForEachReceipt(t *testing.T) {
	good := goldenText(t)
	if _, err := parse(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"segment: 1", "segment: 01"},
		{"segment: 1", "segment: +1"},
		{"segment: 1", "segment: 1 "},
		{"segment: 1\n", "segment: 1\nsegment: 1\n"},
		{"known: no", "known: NO"},
		{"known: no", "known: maybe"},
		{"length: 7", "length: 9223372036854775808"},
		{"%0A", "%0a"},
		{"%0A", "%"},
		{"%0A", "%4"},
		{"night shift", "night%20shift"},
		{"night shift", "night\u00a0shift"},
		{"2026-11-22T06:02:31.187002Z", "2026-11-22T06:02:31.187Z"},
		{"2026-11-22T06:02:31.187002Z", "2026-11-22T07:02:31.187002+01:00"},
		{"custos-receipt v1", "custos-receipt v2"},
		{"\n", "\r\n"},
		{"store: ", "stores: "},
		{"proof: ", "proof: AA"},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%q is not in the receipt", c[0])
		}
		if _, err := parse(bad); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("%q for %q: got %v", c[1], c[0], err)
		}
	}
	sha := good[strings.Index(good, "sha256: ")+8:][:64]
	for _, bad := range []string{
		strings.Replace(good, sha, strings.ToUpper(sha), 1),
		good + "more: x\n",
		good + "\n",
		strings.TrimSuffix(good, "\n"),
		"",
	} {
		if _, err := parse(bad); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("got %v for\n%s", err, bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	good := goldenText(f)
	f.Add(good)
	f.Add(header + "\n")
	f.Add(strings.ReplaceAll(good, "open: ", "withheld: "))
	f.Add(strings.Replace(good, "%0A", "%FF", 1))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parse(text)
		if err != nil {
			if evidence.CodeOf(err) != evidence.Corrupt {
				t.Fatal(err)
			}
			return
		}
		if r.text() != text {
			t.Fatal("read as something else")
		}
		if _, err := note.Sign(&note.Note{Text: text}); err != nil {
			t.Fatalf("a text that cannot be signed: %v", err)
		}
	})
}
