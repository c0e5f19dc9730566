package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"custos/durable"
	"custos/durable/durabletest"
	"custos/evidence"

	"pgregory.net/rapid"
)

// open opens the journal j and gives its records.
func open(t testing.TB, fsys durable.FS) (*durable.Journal, []string) {
	t.Helper()
	j, recs, err := tryOpen(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return j, recs
}

func tryOpen(fsys durable.FS) (*durable.Journal, []string, error) {
	var recs []string
	j, err := durable.OpenJournal(fsys, "j", func(r []byte) error {
		recs = append(recs, string(r))
		return nil
	})
	return j, recs, err
}

func add(t testing.TB, j *durable.Journal, recs ...string) {
	t.Helper()
	for _, r := range recs {
		if err := j.Append([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJournalKeepsRecords(t *testing.T) {
	for name, fsys := range map[string]durable.FS{"disk": disk(t, t.TempDir()), "memory": durabletest.NewMemory()} {
		t.Run(name, func(t *testing.T) {
			j, recs := open(t, fsys)
			if len(recs) != 0 {
				t.Fatal("a new journal has records")
			}
			add(t, j, "one", "", "three")
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if err := j.Append(nil); evidence.CodeOf(err) != evidence.Unavailable {
				t.Fatalf("append after close: %v", err)
			}
			j, recs = open(t, fsys)
			if !slices.Equal(recs, []string{"one", "", "three"}) {
				t.Fatalf("got %q", recs)
			}
			size := j.Size()
			if err := j.Rewrite(slices.Values([][]byte{[]byte("3")})); err != nil {
				t.Fatal(err)
			}
			if j.Size() >= size {
				t.Error("rewriting made it no smaller")
			}
			add(t, j, "4")
			if _, recs := open(t, fsys); !slices.Equal(recs, []string{"3", "4"}) {
				t.Fatalf("got %q", recs)
			}
			if err := j.Append(make([]byte, durable.MaxRecord+1)); evidence.CodeOf(err) != evidence.Invalid {
				t.Fatalf("too long: %v", err)
			}
			stop := errors.New("stop")
			if _, err := durable.OpenJournal(fsys, "j", func([]byte) error { return stop }); !errors.Is(err, stop) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestJournalTakesConcurrentAppends(t *testing.T) {
	m := durabletest.NewMemory()
	j, _ := open(t, m)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := j.Append(fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, recs := open(t, m.Crash(1)); len(recs) != 50 {
		t.Fatalf("%d records", len(recs))
	}
}

// Whatever is cut off the end is torn; whatever is changed before the last
// record is damage, and nothing is thrown away.
func TestJournalTellsTornFromDamaged(t *testing.T) {
	m := durabletest.NewMemory()
	j, _ := open(t, m)
	add(t, j, "first", "second")
	last := j.Size()
	add(t, j, "third record")
	good, err := durable.ReadFile(m, "j")
	if err != nil {
		t.Fatal(err)
	}
	try := func(data []byte) (recs []string, after []byte, err error) {
		m := durabletest.NewMemory()
		if err := durable.WriteFile(m, "j", data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, recs, err := tryOpen(m)
		if err == nil {
			add(t, j, "next")
			_, again := open(t, m)
			if !slices.Equal(again, append(recs, "next")) {
				t.Fatalf("after %q came %q", recs, again)
			}
		}
		after, rerr := durable.ReadFile(m, "j")
		if rerr != nil {
			t.Fatal(rerr)
		}
		return recs, after, err
	}
	for n := last; n < int64(len(good)); n++ {
		if recs, _, err := try(good[:n]); err != nil || !slices.Equal(recs, []string{"first", "second"}) {
			t.Fatalf("cut to %d: %q, %v", n, recs, err)
		}
		zeros := append(bytes.Clone(good[:n]), make([]byte, int64(len(good))-n)...)
		if recs, _, err := try(zeros); err != nil || len(recs) < 2 {
			t.Fatalf("zeros from %d: %q, %v", n, recs, err)
		}
	}
	for i := range last {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		_, after, err := try(bad)
		if evidence.CodeOf(err) != evidence.Corrupt {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if !bytes.Equal(after, bad) {
			t.Fatalf("byte %d: a damaged journal was changed", i)
		}
	}
}

// A record can hold what looks like records without being taken for damage.
func TestJournalIsNotFooledByRecordsInRecords(t *testing.T) {
	m := durabletest.NewMemory()
	j, _ := open(t, m)
	add(t, j, "a", "b")
	inner, err := durable.ReadFile(m, "j")
	if err != nil {
		t.Fatal(err)
	}
	before := j.Size()
	add(t, j, string(inner)+string(inner[32:]))
	f, err := m.OpenFile("j", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(j.Size() - 1); err != nil {
		t.Fatal(err)
	}
	j, recs := open(t, m)
	if !slices.Equal(recs, []string{"a", "b"}) || j.Size() != before {
		t.Fatalf("got %q", recs)
	}
}

func TestJournalIsNeverRetriedIntoSuccess(t *testing.T) {
	for _, op := range []durabletest.Op{durabletest.Write, durabletest.Sync} {
		m := durabletest.NewMemory()
		j, _ := open(t, m)
		add(t, j, "kept")
		m.Fail(durabletest.Fault{Op: op})
		if j.Append([]byte("lost")) == nil {
			t.Fatal("no fault")
		}
		for range 2 {
			if err := j.Append([]byte("after")); evidence.CodeOf(err) != evidence.Unavailable {
				t.Fatalf("%s: got %v", op, err)
			}
		}
		if err := j.Rewrite(slices.Values([][]byte{})); evidence.CodeOf(err) != evidence.Unavailable {
			t.Fatalf("%s: got %v", op, err)
		}
		if _, recs := open(t, m.Crash(3)); !slices.Contains(recs, "kept") || slices.Contains(recs, "after") {
			t.Fatalf("got %q", recs)
		}
	}
}

// Whatever happens between cuts of power, a journal holds every record that
// was acknowledged, in order, and nothing else but the one that was under way.
func TestJournalSurvivesPowerCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := durabletest.NewMemory()
		var sure []string // acknowledged
		n := 0
		for range rapid.IntRange(1, 5).Draw(t, "lives") {
			m.Fail(durabletest.Fault{Nth: rapid.IntRange(1, 30).Draw(t, "step"), Short: rapid.Bool().Draw(t, "short"), Stays: true})
			var maybe [][]string
			j, recs, err := tryOpen(m)
			if err == nil && !slices.Equal(recs, sure) {
				t.Fatalf("have %q, want %q", recs, sure)
			}
			for err == nil {
				n++
				rec := fmt.Sprintf("%d %s", n, rapid.StringN(0, 40, 200).Draw(t, "record"))
				next := append(slices.Clone(sure), rec)
				if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
					next = []string{rec}
					err = j.Rewrite(slices.Values([][]byte{[]byte(rec)}))
				} else {
					err = j.Append([]byte(rec))
				}
				if err == nil {
					sure = next
				} else {
					maybe = append(maybe, next)
				}
			}
			m = m.Crash(rapid.Uint64().Draw(t, "seed"))
			if _, recs, err = tryOpen(m); err != nil {
				t.Fatal(err)
			}
			for _, other := range maybe {
				if slices.Equal(recs, other) {
					sure = other
				}
			}
			if !slices.Equal(recs, sure) {
				t.Fatalf("have %q, want %q or %q", recs, sure, maybe)
			}
		}
	})
}

func FuzzJournal(f *testing.F) {
	m := durabletest.NewMemory()
	j, _ := open(f, m)
	add(f, j, "first", "second")
	good, err := durable.ReadFile(m, "j")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add(good[:20])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := durabletest.NewMemory()
		if err := durable.WriteFile(m, "j", data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, recs, err := tryOpen(m)
		if err != nil {
			if evidence.CodeOf(err) != evidence.Corrupt {
				t.Fatal(err)
			}
			return
		}
		add(t, j, "next")
		if _, again := open(t, m); !slices.Equal(again, append(recs, "next")) {
			t.Fatalf("after %q came %q", recs, again)
		}
	})
}

// A record whose sync failed is read again from the page cache after a
// restart. Whoever acts on it must find it after a power cut, and so must
// those that come after it.
func TestJournalBringsTheLastRecordToTheMedium(t *testing.T) {
	for step := 1; step <= 3; step++ {
		for seed := range uint64(30) {
			m := durabletest.NewMemory()
			j, err := durable.OpenJournal(m, "j", func([]byte) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			m.Fail(durabletest.Fault{Nth: step})
			if err := errors.Join(j.Append([]byte("first")), j.Append([]byte("second")), j.Close()); err == nil && step < 3 {
				t.Fatalf("step %d did not fail", step)
			}
			m.Heal()
			var seen, found []string
			j, err = durable.OpenJournal(m, "j", func(r []byte) error { seen = append(seen, string(r)); return nil })
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(j.Append([]byte("later")), j.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err = durable.OpenJournal(m.Crash(seed), "j", func(r []byte) error { found = append(found, string(r)); return nil }); err != nil {
				t.Fatalf("step %d, seed %d: %v", step, seed, err)
			}
			if want := append(seen, "later"); !slices.Equal(found, want) {
				t.Fatalf("step %d, seed %d: found %q, want %q", step, seed, found, want)
			}
		}
	}
}
