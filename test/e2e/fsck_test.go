package e2e

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/custody"
	"custos/evidence"
	"custos/test/rig"
)

func digest(b []byte) evidence.Digest { return sha256.Sum256(b) }

// fsck is the report of custos admin fsck.
func fsck(t *testing.T, s *rig.Service) (ok bool, findings []custody.Finding) {
	t.Helper()
	out, said, err := s.Try("", "admin", "fsck", "--json")
	var r struct {
		OK       bool
		Examined custody.Examined
		Findings []custody.Finding
	}
	if jerr := json.Unmarshal([]byte(out), &r); jerr != nil {
		t.Fatalf("fsck: %v: %v\n%s%s", err, jerr, out, said)
	}
	if r.OK != (err == nil) || r.OK != (len(r.Findings) == 0) || r.Examined.Objects == 0 || r.Examined.Entries == 0 {
		t.Fatalf("fsck contradicts itself: %v: %s", err, out)
	}
	return r.OK, r.Findings
}

// clean fails unless store, ledger and catalogue agree.
func clean(t *testing.T, s *rig.Service) {
	t.Helper()
	if ok, findings := fsck(t, s); !ok {
		t.Errorf("fsck: %+v", findings)
	}
}

// sound is a WAV of n bytes that are like no other seed's.
func sound(t *testing.T, seed byte, n int) string {
	t.Helper()
	random := rand.NewChaCha8([32]byte{seed})
	b := make([]byte, n)
	if _, err := random.Read(b); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	copy(b, "RIFF....WAVEfmt ")
	le.PutUint32(b[4:], uint32(n-8))
	le.PutUint32(b[16:], 16)
	le.PutUint16(b[20:], 1) // PCM, 1 channel, 8,000 Hz, 8 bit
	le.PutUint16(b[22:], 1)
	le.PutUint32(b[24:], 8000)
	le.PutUint32(b[28:], 8000)
	le.PutUint16(b[32:], 1)
	le.PutUint16(b[34:], 8)
	copy(b[36:], "data")
	le.PutUint32(b[40:], uint32(n-44))
	p := filepath.Join(t.TempDir(), "sound.wav")
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever somebody with the keys to the machine room changes behind the
// service's back is found and named, and nothing else is.
func TestFsckNamesWhatWasChanged(t *testing.T) {
	t.Parallel()
	s := rig.New(t, rig.Binaries(t), "")
	f := &shift{s: s, native: map[string][]byte{}}
	d := s.NewDock("central")
	camera := d.Camera("bay-1", "K-0417", "4711")
	f.put(t, d, camera, "K-0417", "4711", "100000", 1, sound(t, 1, 200_000))
	f.put(t, d, camera, "K-0417", "4711", "110000", 1, sound(t, 2, 70_000))
	s.Start()
	d.Empty(time.Minute)
	f.prepared(t, s.SignIn("supervisor"))
	s.Stop()
	clean(t, s)

	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir, "custos.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var recording, object, name, event string
	if err := db.QueryRow(`SELECT s.recording, o.id, o.name, c.event FROM segments s JOIN vault_objects o ON o.id = s.object
		JOIN custody_collected c ON c.recording = s.recording ORDER BY s.length DESC LIMIT 1`).Scan(&recording, &object, &name, &event); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.Dir, "store", "objects", name[len(name)-2:], name)
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(p string, b []byte) {
		t.Helper()
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// alter sets a column of one row and gives what puts it back.
	alter := func(table, column, where, key string, value any) func() {
		t.Helper()
		var before any
		if err := db.QueryRow(fmt.Sprintf("SELECT %s FROM %s WHERE %s = ?", column, table, where), key).Scan(&before); err != nil {
			t.Fatal(err)
		}
		set := func(v any) {
			t.Helper()
			if _, err := db.Exec(fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", table, column, where), v, key); err != nil {
				t.Fatal(err)
			}
		}
		set(value)
		return func() { set(before) }
	}
	flipped := func(b []byte, at int) []byte {
		b = slices.Clone(b)
		b[at] ^= 1
		return b
	}
	blob := func(table, column, where, key string) []byte {
		t.Helper()
		var b []byte
		if err := db.QueryRow(fmt.Sprintf("SELECT %s FROM %s WHERE %s = ?", column, table, where), key).Scan(&b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	about := func(kind string) custody.Finding {
		return custody.Finding{Kind: kind, Recording: evidence.ID(recording)}
	}
	for _, c := range []struct {
		name string
		hurt func() (mend func())
		want custody.Finding // what is found is of this kind and about this
	}{
		{"a byte of an object", func() func() {
			write(file, flipped(was, 100_000))
			return func() { write(file, was) }
		}, custody.Finding{Kind: "damaged", Object: object}},
		{"an object cut", func() func() {
			write(file, was[:len(was)-20])
			return func() { write(file, was) }
		}, custody.Finding{Kind: "damaged", Object: object}},
		{"an object deleted", func() func() {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			return func() { write(file, was) }
		}, custody.Finding{Kind: "missing", Object: object}},
		{"a foreign object", func() func() {
			stranger := strings.Repeat("a", len(name)-2) + name[len(name)-2:]
			p := filepath.Join(filepath.Dir(file), stranger)
			write(p, []byte("what is this"))
			return func() {
				if err := os.Remove(p); err != nil {
					t.Fatal(err)
				}
			}
		}, custody.Finding{Kind: "extra", Object: strings.Repeat("a", len(name)-2) + name[len(name)-2:]}},
		{"the digest in the catalogue", func() func() {
			return alter("segments", "digest", "recording", recording, flipped(blob("segments", "digest", "recording", recording), 5))
		}, about("differs")},
		{"the file name in the catalogue", func() func() {
			return alter("segments", "file_name", "recording", recording, "DCIM/OTHER.WAV")
		}, about("differs")},
		{"the officer in the catalogue", func() func() {
			return alter("recordings", "officer", "id", recording, "4702")
		}, about("differs")},
		{"the camera in the catalogue", func() func() {
			return alter("recordings", "device", "id", recording, "K-9999")
		}, about("differs")},
		{"what an event says", func() func() {
			return alter("ledger_events", "fields", "id", event, bytes.Replace(blob("ledger_events", "fields", "id", event), []byte("central"), []byte("elsewhe"), 1))
		}, about("damaged")},
		{"a leaf of the log", func() func() {
			return alter("ledger_leaves", "leaf", "event", event, flipped(blob("ledger_leaves", "leaf", "event", event), 80))
		}, about("damaged")},
	} {
		t.Run(c.name, func(t *testing.T) {
			mend := c.hurt()
			_, findings := fsck(t, s.For(t))
			mend()
			if len(findings) == 0 {
				t.Fatal("not found")
			}
			named := false
			for _, x := range findings {
				// What an altered leaf does to the tree above it is of no recording.
				above := x.Object == "ledger" && c.want.Kind == "damaged" && x.Recording == ""
				named = named || !above
				if x.Kind != c.want.Kind || c.want.Object != "" && x.Object != c.want.Object || !above && x.Recording != c.want.Recording || x.Says == "" {
					t.Errorf("%+v, want %+v", x, c.want)
				}
			}
			if !named {
				t.Errorf("nothing names %+v: %+v", c.want, findings)
			}
		})
	}
	clean(t, s)
}
