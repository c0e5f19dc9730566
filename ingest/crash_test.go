package ingest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"custos/evidence"
)

// died is what a crash panics with.
type died struct{}

// fault strikes once, at the n-th call to custody or the hook, before or after
// the call takes effect: the server crashes, or the call fails.
type fault struct {
	n      int
	after  bool
	crash  bool
	calls  []string
	struck string
}

func (k *fault) step(call string, after bool) error {
	if !after {
		k.calls = append(k.calls, call)
	}
	if k.struck != "" || len(k.calls) != k.n || k.after != after {
		return nil
	}
	k.struck = call
	if k.crash {
		panic(died{})
	}
	return evidence.Errorf(evidence.Unavailable, "a fault")
}

// client uploads as a dock does: it believes only what HEAD says, goes on
// after a fault, and starts over when it must.
type client struct {
	*station
	trouble int // crashes and failed calls met
}

// until runs f, on a new server after each crash, until it says true.
func (c *client) until(f func() bool) {
	c.t.Helper()
	for range 4 {
		if c.alive(f) {
			return
		}
		c.trouble++
		c.now = c.now.Add(10 * time.Minute) // leases and pauses run out
	}
	c.t.Fatal("it does not get better")
}

func (c *client) alive(f func() bool) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != (died{}) {
				panic(r)
			}
			c.restart()
			if err := c.s.Recover(context.Background()); err != nil {
				c.t.Fatal(err)
			}
		}
	}()
	return f()
}

// ask repeats a request until it is answered with status.
func (c *client) ask(status int, f func() *http.Response) (res *http.Response) {
	c.t.Helper()
	c.until(func() bool { res = f(); return res.StatusCode == status })
	return res
}

func (c *client) create(headers ...string) string {
	c.t.Helper()
	return c.ask(201, func() *http.Response { return c.do("POST", "/files/", nil, headers...) }).Header.Get("Location")
}

func (c *client) upload(content []byte, headers ...string) string {
	c.t.Helper()
	path := c.create(append(headers, fmt.Sprint("Upload-Length: ", len(content)))...)
	for at := 0; at != len(content); {
		// Whatever comes of the PATCH, HEAD knows how far it got.
		c.alive(func() bool { c.patch(path, at, content[at:min(at+400, len(content))]); return true })
		res := c.ask(200, func() *http.Response { return c.do("HEAD", path, nil) })
		if _, err := fmt.Sscan(res.Header.Get("Upload-Offset"), &at); err != nil {
			c.t.Fatal(err)
		}
	}
	return path
}

// receipt collects until the answer about path is status.
func (c *client) receipt(path string, status int) *http.Response {
	c.t.Helper()
	return c.ask(status, func() *http.Response { c.settle(); return c.do("GET", path+"/receipt", nil) })
}

// TestFaultsAtEveryStep strikes before and after each call to custody and to
// the hook in four stories, with a crash or a failing call, and wants the same
// end each time.
func TestFaultsAtEveryStep(t *testing.T) {
	content := some(1000)
	stories := map[string]func(t *testing.T, c *client) []evidence.ID{
		"plain": func(t *testing.T, c *client) []evidence.ID {
			path := c.upload(content, captureHeader(t, captureFor(content)))
			c.receipt(path, 200)
			return []evidence.ID{idOf(path)}
		},
		"parts": func(t *testing.T, c *client) []evidence.ID {
			a, b := c.upload(content[:450], "Upload-Concat: partial"), c.upload(content[450:], "Upload-Concat: partial")
			path := c.create("Upload-Concat: final;"+a+" "+b, captureHeader(t, captureFor(content)))
			c.receipt(path, 200)
			return []evidence.ID{idOf(path)}
		},
		"mismatch": func(t *testing.T, c *client) []evidence.ID {
			path := c.upload(content, captureHeader(t, captureFor(append(some(999), 'x'))))
			if got := codeOf(t, c.receipt(path, 410)); got != "corrupt" {
				t.Errorf("code %q", got)
			}
			return nil
		},
		"withdrawn": func(t *testing.T, c *client) []evidence.ID {
			path := c.upload(content[:300], "Upload-Concat: partial")
			c.until(func() bool {
				res := c.do("DELETE", path, nil)
				return res.StatusCode == 204 || res.StatusCode == 410
			})
			expect(t, c.do("HEAD", path, nil), 410)
			return nil
		},
	}
	effects := map[string]bool{} // calls that were struck after they took effect
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, st *station) {
				st.t = t
				for n, past := 1, false; !past; n++ {
					for _, k := range []*fault{{n: n, crash: true}, {n: n, after: true, crash: true}, {n: n}, {n: n, after: true}} {
						hooked := st.strike(k)
						c := &client{station: st}
						ids := story(t, c)
						past = len(k.calls) < n
						if k.after && k.struck != "" {
							effects[k.struck] = true
						} else if !k.after && k.struck == "" && !past {
							t.Error("the fault did not strike")
						}
						if c.trouble > 2 || c.trouble == 1 && k.struck == "" {
							t.Errorf("met trouble %d times", c.trouble)
						}
						checkEnd(t, st, ids, content, k, *hooked)
						if t.Failed() {
							t.Fatalf("fault %+v", k)
						}
					}
				}
			})
		})
	}
	for _, call := range []string{"receive", "append", "collect", "hook", "abandon"} {
		if !effects[call] {
			t.Errorf("no fault struck after %s took effect", call)
		}
	}
}

// strike readies a fresh custody and server for k, and tells which recordings
// the hook heard of.
func (st *station) strike(k *fault) *[]evidence.ID {
	st.fake = newFake()
	st.now = st.now.Add(time.Hour)
	st.fake.at = st.now
	st.fake.step = k.step
	hooked := &[]evidence.ID{}
	st.cfg.Custody = st.fake
	st.cfg.OnCollected = func(ctx context.Context, recording evidence.ID, segment int) error {
		if err := k.step("hook", false); err != nil {
			return err
		}
		*hooked = append(*hooked, recording)
		return k.step("hook", true)
	}
	st.restart()
	return hooked
}

// checkEnd wants exactly the masters named, whole, with the hook run for each,
// and nothing left incoming once all has expired; but a fault between opening
// the incoming object and noting it may leave one, empty.
func checkEnd(t *testing.T, st *station, ids []evidence.ID, content []byte, k *fault, hooked []evidence.ID) {
	t.Helper()
	st.settle()
	st.now = st.now.Add(15 * 24 * time.Hour)
	st.sweep()
	for id, m := range st.fake.masters {
		if !slices.Contains(ids, id) || !bytes.Equal(m.bytes, content) {
			t.Errorf("collected %s with %d bytes", id, len(m.bytes))
		}
		if !slices.Contains(hooked, m.recording) {
			t.Error("the hook did not run")
		}
	}
	if len(st.fake.masters) != len(ids) {
		t.Errorf("%d masters, want %d", len(st.fake.masters), len(ids))
	}
	for _, o := range st.fake.incoming {
		if o.offset != 0 || k.struck != "receive" || len(st.fake.incoming) > 1 {
			t.Errorf("an incoming object with %d bytes is left", o.offset)
		}
	}
}
