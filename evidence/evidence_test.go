package evidence_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"custos/evidence"
)

func TestIDsAscendWithTimeAndTellIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// 48 bits of milliseconds.
		a := rapid.Int64Range(0, 1<<48-2).Draw(t, "ms")
		b := rapid.Int64Range(a+1, 1<<48-1).Draw(t, "later")
		first, second := evidence.NewID(time.UnixMilli(a), rand.Reader), evidence.NewID(time.UnixMilli(b), rand.Reader)
		if first >= second {
			t.Errorf("%s of %d does not come before %s of %d", first, a, second, b)
		}
		for id, ms := range map[evidence.ID]int64{first: a, second: b} {
			if p, err := evidence.ParseID(string(id)); err != nil || p != id || id.Time().UnixMilli() != ms {
				t.Errorf("%s: %v, of %v", id, err, id.Time())
			}
		}
	})
}

func TestNewID(t *testing.T) {
	// The layout is fixed for ever: it is in receipts.
	id := evidence.NewID(time.UnixMilli(0x0123456789ab), bytes.NewReader([]byte{0xff, 0, 1, 2, 3, 4, 5, 6, 7, 0x1f}))
	if id != "014d2pf2dbzw0020g30g2gc1rz" {
		t.Errorf("got %s", id)
	}
	if id := evidence.NewID(time.Unix(0, 0), bytes.NewReader(make([]byte, 10))); id != "00000000000000000000000000" {
		t.Errorf("got %s", id)
	}
	for _, r := range []io.Reader{iotest.ErrReader(io.ErrUnexpectedEOF), strings.NewReader("short")} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("named without random numbers")
				}
			}()
			evidence.NewID(time.Now(), r)
		}()
	}
}

func TestWhatIsNoID(t *testing.T) {
	good := "01kjr5kj404fntd88n1tty0686"
	for _, s := range []string{
		"", good[:25], good + "0", "8" + good[1:], strings.ToUpper(good), good[:25] + "i", good[:25] + "l", good[:25] + "o", good[:25] + "u",
		"../../../../../../etc/pass", good[:24] + "é", good[:25] + "\n",
	} {
		if _, err := evidence.ParseID(s); evidence.CodeOf(err) != evidence.Invalid || strings.Contains(err.Error(), "etc") {
			t.Errorf("%q: %v", s, err)
		}
		if !evidence.ID(s).Time().IsZero() {
			t.Errorf("%q has a time", s)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"01kjr5kj404fntd88n1tty0686", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "8zzzzzzzzzzzzzzzzzzzzzzzzz", "", "01KJR5KJ404FNTD88N1TTY0686"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := evidence.ParseID(s)
		if err != nil {
			return
		}
		if string(id) != s || strings.Trim(s, "0123456789abcdefghjkmnpqrstvwxyz") != "" {
			t.Errorf("%q was taken for an identifier", s)
		}
		again := evidence.NewID(id.Time(), bytes.NewReader(make([]byte, 10)))
		if again[:9] != id[:9] {
			t.Errorf("the time of %s makes %s", id, again)
		}
	})
}

func TestDigests(t *testing.T) {
	d := evidence.Digest(sha256.Sum256([]byte("abc"))) // FIPS 180-4, example of SHA-256
	const text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	for _, s := range []string{text, strings.ToUpper(text)} {
		if p, err := evidence.ParseDigest(s); err != nil || p != d || p.String() != text {
			t.Errorf("%s: %s, %v", s, p, err)
		}
	}
	for _, s := range []string{"", text[:62], text + "00", text[:63], "x" + text[1:]} {
		if _, err := evidence.ParseDigest(s); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
	for value, want := range map[evidence.Digest]string{d: `"` + text + `"`, {}: `""`} {
		b, err := json.Marshal(value)
		if err != nil || string(b) != want || value.IsZero() != (want == `""`) {
			t.Errorf("%s: %s, %v", value, b, err)
		}
		back := evidence.Digest{1}
		if err := json.Unmarshal(b, &back); err != nil || back != value {
			t.Errorf("%s came back as %s, %v", value, back, err)
		}
	}
	kept := d
	if err := json.Unmarshal([]byte(`"zz"`), &kept); err == nil || kept != d {
		t.Errorf("nonsense became %s, %v", kept, err)
	}
}

func FuzzParseDigest(f *testing.F) {
	f.Add(strings.Repeat("aB", 32))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := evidence.ParseDigest(s); err == nil && !strings.EqualFold(d.String(), s) {
			t.Errorf("%q became %s", s, d)
		}
	})
}

func TestErrorsCarryCodesAndSentences(t *testing.T) {
	cause := errors.New("disk on fire at /secret/path")
	wrapped := evidence.Wrap(evidence.Unavailable, cause, "Try again.")
	outer := fmt.Errorf("collect: %w", evidence.Wrap(evidence.Corrupt, wrapped, "It is damaged."))
	for _, c := range []struct {
		err     error
		code    evidence.Code
		message string
	}{
		{evidence.Errorf(evidence.Held, "Case %d holds it.", 7), evidence.Held, "Case 7 holds it."},
		{wrapped, evidence.Unavailable, "Try again."},
		{outer, evidence.Corrupt, "It is damaged."},
		{errors.Join(io.EOF, wrapped), evidence.Unavailable, "Try again."},
		{&evidence.Error{Code: evidence.Denied, Message: "No."}, evidence.Denied, "No."},
	} {
		if evidence.CodeOf(c.err) != c.code || evidence.MessageOf(c.err) != c.message {
			t.Errorf("%v: %s, %q", c.err, evidence.CodeOf(c.err), evidence.MessageOf(c.err))
		}
	}
	if !errors.Is(outer, cause) || wrapped.Error() != "Try again.: "+cause.Error() {
		t.Errorf("the cause was lost: %v", outer)
	}
	if evidence.CodeOf(cause) != evidence.Internal || strings.Contains(evidence.MessageOf(cause), "secret") {
		t.Errorf("a cause reached people: %q", evidence.MessageOf(cause))
	}
	if evidence.CodeOf(nil) != "" || evidence.Wrap(evidence.Denied, nil, "x") != nil {
		t.Error("nil is no error")
	}
}

func TestTimesAndFields(t *testing.T) {
	at := time.Date(2026, 3, 29, 2, 30, 0, 123456789, time.FixedZone("BST", 3600))
	if got := evidence.FormatTime(at); got != "2026-03-29T01:30:00.123456Z" {
		t.Errorf("got %s", got)
	}
	if back, err := time.Parse(evidence.TimeFormat, evidence.FormatTime(at)); err != nil || !back.Equal(at.Truncate(time.Microsecond)) {
		t.Errorf("came back as %v, %v", back, err)
	}
	for want, got := range map[string]evidence.Field{
		"":                            evidence.F("n", time.Time{}),
		"2026-03-29T01:30:00.123456Z": evidence.F("n", at),
		"text":                        evidence.F("n", "text"),
		"-7":                          evidence.F("n", int64(-7)),
		"true":                        evidence.F("n", true),
		strings.Repeat("00", 32):      evidence.F("n", evidence.Digest{}),
	} {
		if got.Value != want || got.Name != "n" {
			t.Errorf("%+v, want %q", got, want)
		}
	}
	if d := evidence.Duration(1500).Std(); d != 1500*time.Millisecond {
		t.Errorf("got %v", d)
	}
	if s := evidence.Server("sweep"); s.Kind != evidence.System || s.ID != "sweep" {
		t.Errorf("got %+v", s)
	}
}
