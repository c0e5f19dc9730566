package receipt_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"custos/evidence"
	"custos/receipt"
	"custos/receipt/receipttest"
	"custos/tlog"
	"custos/tlog/tlogtest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden file")

const (
	golden    = "testdata/v1.receipt"
	recording = evidence.ID("01kamwtz3f0w9hq1c7c9m2v5ta")
)

func expect() receipt.Expect {
	return receipt.Expect{
		Device: "AXIS-W120-0017", FileName: "DCIM/20261121/night shift\nverb: erase\u202e4PM.MP4",
		Digest: sha256.Sum256([]byte("footage")), Length: 7,
	}
}

type force struct {
	log   *tlogtest.Log
	key   tlogtest.Key
	trust receipt.Trust
}

// newForce has a log in which other things happened before.
func newForce() force {
	f := force{log: tlogtest.NewLog("log"), key: tlogtest.NewKey("force.example/receipts", "receipts")}
	f.trust = receipt.Trust{Receipt: f.key.VKey, Log: f.log.Key.VKey}
	for range 5 {
		f.log.Add("01kamwtz3f0w9hq1c7c9m2v5tb", evidence.Consult, evidence.Intent, nil, nil)
	}
	return f
}

func (f force) sign(t *testing.T, r receipt.Receipt) []byte {
	t.Helper()
	b, err := receipt.Sign(r, f.key.Signer)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReceiptRoundTrip(t *testing.T) {
	f := newForce()
	want := receipttest.Make(f.log, recording, 2, expect())
	want.Known = true
	want.Stores = append(want.Stores, receipt.Store{Name: "Azure UK South, 50 % off", ReadBack: tlogtest.Time})
	got, err := receipt.Check(f.sign(t, want), f.trust, expect())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReceiptWithWithheldFieldsHolds(t *testing.T) {
	f := newForce()
	r := receipttest.Make(f.log, recording, 1, expect())
	r.Event = receipttest.Collect(f.log, recording, 1, expect(), func(name string) bool { return strings.HasPrefix(name, "actor_") })
	r.Path, r.Checkpoint = f.log.Path(f.log.Size(), r.Event.Index), f.log.Checkpoint(f.log.Size())
	b := f.sign(t, r)
	if !bytes.Contains(b, []byte("\nwithheld: actor_name ")) || bytes.Contains(b, []byte("HQ-3")) {
		t.Errorf("the name of the dock is not withheld:\n%s", b)
	}
	if _, err := receipt.Check(b, f.trust, expect()); err != nil {
		t.Error(err)
	}
}

// A dock wipes on this file for as long as it is readable; it must stay so.
func TestGoldenReceipt(t *testing.T) {
	f := newForce()
	b := f.sign(t, receipttest.Make(f.log, recording, 1, expect()))
	if *update {
		if err := os.WriteFile(golden, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(old), string(b)); d != "" {
		t.Error(d)
	}
	if _, err := receipt.Check(old, f.trust, expect()); err != nil {
		t.Error(err)
	}
}

func TestEveryFlippedByteIsNoticed(t *testing.T) {
	f := newForce()
	good := f.sign(t, receipttest.Make(f.log, recording, 1, expect()))
	for i := range good {
		for _, bit := range []byte{0x01, 0x04, 0x20, 0x80} {
			b := bytes.Clone(good)
			b[i] ^= bit
			if _, err := receipt.Check(b, f.trust, expect()); err == nil {
				t.Fatalf("byte %d may change from %q to %q", i, good[i], b[i])
			}
		}
	}
	for n := range good {
		if _, err := receipt.Check(good[:n], f.trust, expect()); err == nil {
			t.Fatalf("the first %d bytes pass", n)
		}
	}
}

// Changes made by somebody who can sign receipts but not the log, and changes
// of the file on the camera.
func TestReceiptForSomethingElse(t *testing.T) {
	other := tlogtest.NewLog("another log")
	for _, c := range []struct {
		name   string
		change func(f force, r *receipt.Receipt, want *receipt.Expect)
		code   evidence.Code
		says   string
	}{
		{"other camera", func(_ force, _ *receipt.Receipt, w *receipt.Expect) { w.Device = "AXIS-W120-0018" }, evidence.Invalid, "another camera"},
		{"other file", func(_ force, _ *receipt.Receipt, w *receipt.Expect) { w.FileName = "DCIM/2.MP4" }, evidence.Invalid, "another file"},
		{"replayed after the file changed", func(_ force, _ *receipt.Receipt, w *receipt.Expect) { w.Digest[0]++ }, evidence.Invalid, "other bytes"},
		{"grown file", func(_ force, _ *receipt.Receipt, w *receipt.Expect) { w.Length++ }, evidence.Invalid, "another length"},
		{"another event opened", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			r.Event.Fields = receipttest.Collect(f.log, "01kamwtz3f0w9hq1c7c9m2v5tc", 1, expect(), nil).Fields
		}, evidence.Corrupt, "contradicts itself"},
		{"event of the intent", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			r.Event = f.log.Events(recording)[0]
			r.Path = f.log.Path(f.log.Size(), r.Event.Index)
		}, evidence.Invalid, "completed collection (phase)"},
		{"event of a consultation", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			reprove(f, r, f.log.Add(recording, evidence.Consult, evidence.Outcome, nil, nil))
		}, evidence.Invalid, "completed collection (verb)"},
		{"event of another recording", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			reprove(f, r, receipttest.Collect(f.log, "01kamwtz3f0w9hq1c7c9m2v5tc", 1, expect(), nil))
		}, evidence.Invalid, "something else than the receipt (item)"},
		{"event of another segment", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			reprove(f, r, receipttest.Collect(f.log, recording, 2, expect(), nil))
		}, evidence.Invalid, "(segment)"},
		{"event of another camera", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			e := expect()
			e.Device = "AXIS-W120-0018"
			reprove(f, r, receipttest.Collect(f.log, recording, 1, e, nil))
		}, evidence.Invalid, "(device)"},
		{"event of another file", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			e := expect()
			e.FileName = "x"
			reprove(f, r, receipttest.Collect(f.log, recording, 1, e, nil))
		}, evidence.Invalid, "(file_name)"},
		{"event of other bytes", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			e := expect()
			e.Digest[31]++
			reprove(f, r, receipttest.Collect(f.log, recording, 1, e, nil))
		}, evidence.Invalid, "(sha256)"},
		{"event of another length", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			e := expect()
			e.Length++
			reprove(f, r, receipttest.Collect(f.log, recording, 1, e, nil))
		}, evidence.Invalid, "(length)"},
		{"digest withheld", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			reprove(f, r, receipttest.Collect(f.log, recording, 1, expect(), func(n string) bool { return n == "sha256" }))
		}, evidence.Invalid, "(sha256)"},
		{"another place in the log", func(_ force, r *receipt.Receipt, _ *receipt.Expect) { r.Event.Index-- }, evidence.Corrupt, "not where the log has it"},
		{"stale checkpoint", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			r.Checkpoint = f.log.Checkpoint(r.Event.Index)
		}, evidence.Corrupt, "older than the log entry"},
		{"checkpoint of another size", func(f force, r *receipt.Receipt, _ *receipt.Expect) {
			f.log.Add(recording, evidence.Consult, evidence.Intent, nil, nil)
			r.Checkpoint = f.log.Checkpoint(f.log.Size())
		}, evidence.Corrupt, "not where the log has it"},
		{"foreign checkpoint", func(_ force, r *receipt.Receipt, _ *receipt.Expect) {
			*r = receipttest.Make(other, recording, 1, expect())
		}, evidence.Denied, "a log whose key"},
		{"proof cut short", func(_ force, r *receipt.Receipt, _ *receipt.Expect) { r.Path = r.Path[1:] }, evidence.Corrupt, "not where the log has it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForce()
			r, want := receipttest.Make(f.log, recording, 1, expect()), expect()
			c.change(f, &r, &want)
			_, err := receipt.Check(f.sign(t, r), f.trust, want)
			if evidence.CodeOf(err) != c.code || !strings.Contains(evidence.MessageOf(err), c.says) {
				t.Errorf("got %s: %v, want %s: … %s …", evidence.CodeOf(err), err, c.code, c.says)
			}
		})
	}
}

// reprove makes r a receipt for event o, as the log has it.
func reprove(f force, r *receipt.Receipt, o tlog.Opening) {
	r.Event = o
	r.Path, r.Checkpoint = f.log.Path(f.log.Size(), o.Index), f.log.Checkpoint(f.log.Size())
}

func TestKeysThatAreNotThePinnedOnes(t *testing.T) {
	f := newForce()
	b := f.sign(t, receipttest.Make(f.log, recording, 1, expect()))
	check := func(name string, b []byte, trust receipt.Trust, code evidence.Code) {
		t.Helper()
		if _, err := receipt.Check(b, trust, expect()); evidence.CodeOf(err) != code {
			t.Errorf("%s: got %v, want %s", name, err, code)
		}
	}
	stranger := tlogtest.NewKey("force.example/receipts", "stranger")
	check("other receipt key", b, receipt.Trust{Receipt: stranger.VKey, Log: f.trust.Log}, evidence.Denied)
	check("other log key", b, receipt.Trust{Receipt: f.trust.Receipt, Log: tlogtest.NewLog("x").Key.VKey}, evidence.Denied)
	check("keys in each other's place", b, receipt.Trust{Receipt: f.trust.Log, Log: f.trust.Receipt}, evidence.Denied)
	check("receipt key not readable", b, receipt.Trust{Receipt: "x", Log: f.trust.Log}, evidence.Invalid)
	check("log key not readable", b, receipt.Trust{Receipt: f.trust.Receipt, Log: "x"}, evidence.Invalid)

	forged, err := receipt.Sign(receipttest.Make(f.log, recording, 1, expect()), stranger.Signer)
	if err != nil {
		t.Fatal(err)
	}
	check("signed by a stranger", forged, f.trust, evidence.Denied)
	line := forged[bytes.LastIndex(forged, []byte("— ")):]
	check("a second signature", append(bytes.Clone(b), line...), f.trust, evidence.Corrupt)
	check("nothing", nil, f.trust, evidence.Corrupt)
	check("too much", bytes.Repeat([]byte("a"), receipt.MaxSize+1), f.trust, evidence.Corrupt)
}

func TestSignRefusesWhatNobodyCouldRead(t *testing.T) {
	f := newForce()
	for name, change := range map[string]func(*receipt.Receipt){
		"no store":       func(r *receipt.Receipt) { r.Stores = nil },
		"no segment":     func(r *receipt.Receipt) { r.Segment = 0 },
		"no time":        func(r *receipt.Receipt) { r.CollectedAt = time.Time{} },
		"no recording":   func(r *receipt.Receipt) { r.Recording = "" },
		"no event":       func(r *receipt.Receipt) { r.Event = tlog.Opening{} },
		"no digest":      func(r *receipt.Receipt) { r.Digest = evidence.Digest{0: 1}; r.Length = -1 },
		"not in the log": func(r *receipt.Receipt) { r.Event.Index = -1 },
		"name of a field with a line": func(r *receipt.Receipt) {
			r.Event.Fields = append([]tlog.OpenField{{Name: "a\nknown: yes", MAC: make([]byte, 32)}}, r.Event.Fields...)
		},
		"too long": func(r *receipt.Receipt) { r.Checkpoint = make([]byte, receipt.MaxSize) },
	} {
		r := receipttest.Make(f.log, recording, 1, expect())
		change(&r)
		if _, err := receipt.Sign(r, f.key.Signer); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Whatever a camera calls itself and its files, the receipt says exactly that
// and nothing more.
func TestHostileNamesCannotSpeakForTheReceipt(t *testing.T) {
	f := newForce()
	rapid.Check(t, func(rt *rapid.T) {
		want := expect()
		want.Device = rapid.StringN(1, 40, 60).Draw(rt, "device")
		want.FileName = rapid.StringN(1, 200, 300).Draw(rt, "file")
		r := receipttest.Make(f.log, recording, 1, want)
		b, err := receipt.Sign(r, f.key.Signer)
		if err != nil {
			rt.Fatal(err)
		}
		text, _, _ := strings.Cut(string(b), "\n\n")
		if n, fields := strings.Count(text, "\n")+1, 13+len(r.Event.Fields)+len(r.Path); n != fields {
			rt.Fatalf("%d lines for %d fields:\n%s", n, fields, b)
		}
		got, err := receipt.Check(b, f.trust, want)
		if err != nil || got.FileName != want.FileName || got.Device != want.Device {
			rt.Fatalf("%v: %q %q", err, got.Device, got.FileName)
		}
	})
}
