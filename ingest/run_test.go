package ingest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"custos/evidence"
)

// run starts st's server and stops it when the test ends.
func (st *station) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := st.s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
}

func TestRunCollectsAndReceiptsWait(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		var busy, most atomic.Int32
		var once sync.Once
		all := make(chan struct{}) // closed when every worker is at it
		st.fake.step = func(call string, after bool) error {
			if call != "collect" || after {
				return nil
			}
			n := busy.Add(1)
			defer busy.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if n == 4 {
				once.Do(func() { close(all) })
			}
			select {
			case <-all:
			case <-time.After(20 * time.Second):
				t.Error("the workers do not work at the same time")
			}
			time.Sleep(time.Millisecond) // a fifth would show itself
			return nil
		}
		st.fake.pending = 3
		var paths []string
		for range 10 {
			path := st.open(5)
			expect(t, st.patch(path, 0, []byte("hello")), 204)
			paths = append(paths, path)
		}
		st.run(t)
		for _, path := range paths {
			expect(t, st.do("GET", path+"/receipt?wait=99999", nil), 200)
		}
		if m := most.Load(); m != 4 {
			t.Errorf("%d at the same time, want 4", m)
		}
	})
}

func TestFailingCollectIsPutOffLongerEachTime(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		tries := 0
		st.fake.step = func(call string, after bool) error {
			if call == "collect" && tries < 12 {
				tries++
				return errors.New("the store at /secret is away")
			}
			return nil
		}
		path := st.open(5)
		expect(t, st.patch(path, 0, []byte("hello")), 204)
		var pauses []time.Duration
		for range 12 {
			st.settle()
			before := st.now
			for n := tries; tries == n && st.now.Sub(before) < time.Hour; st.settle() {
				if st.row(path).state == collected {
					break
				}
				st.now = st.now.Add(time.Second)
			}
			pauses = append(pauses, st.now.Sub(before))
		}
		want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(pauses, want) {
			t.Errorf("paused %v, want %v", pauses, want)
		}
		expect(t, st.do("GET", path+"/receipt", nil), 200)
	})
}

func TestStats(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		ctx := context.Background()
		content := some(100)
		half := st.open(100, captureHeader(t, captureFor(content)))
		expect(t, st.patch(half, 0, content[:30]), 204)
		st.now = st.now.Add(time.Second)
		full := st.open(10)
		expect(t, st.patch(full, 0, some(10)), 204)
		st.fake.step = func(call string, after bool) error {
			if call == "collect" {
				return errors.New("the store at /secret is away")
			}
			return nil
		}
		st.settle()
		got, err := st.s.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got.Open != 2 || got.Bytes != 40 || got.Length != 110 || got.Failing != 1 || len(got.Uploads) != 2 {
			t.Fatalf("stats %+v", got)
		}
		a, b := got.Uploads[0], got.Uploads[1]
		if a.ID != idOf(full) || a.State != "collecting" || a.Offset != 10 || a.Code != evidence.Internal || a.Message == "" || strings.Contains(a.Message, "secret") {
			t.Errorf("first %+v", a)
		}
		if b.ID != idOf(half) || b.State != "open" || b.Offset != 30 || b.Dock != "d1" || b.Device != "X81234567" || b.FileName != "DCIM/100/CLIP0001.MP4" {
			t.Errorf("second %+v", b)
		}
	})
}

func TestOpenWantsItsParts(t *testing.T) {
	st := shared(t)
	for name, change := range map[string]func(*Config){
		"no database": func(c *Config) { c.DB = nil },
		"no custody":  func(c *Config) { c.Custody = nil },
		"no actor":    func(c *Config) { c.Actor = nil },
		"no log":      func(c *Config) { c.Log = nil },
		"bad prefix":  func(c *Config) { c.Prefix = "files" },
	} {
		c := st.cfg
		change(&c)
		if _, err := Open(context.Background(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
