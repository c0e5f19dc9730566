package ingest

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// openPart opens a partial upload and fills it.
func (st *station) openPart(content []byte) string {
	st.t.Helper()
	path := st.open(len(content), "Upload-Concat: partial")
	if len(content) > 0 {
		if res := st.patch(path, 0, content); res.StatusCode != 204 {
			st.t.Fatalf("PATCH of a part: %d %s", res.StatusCode, text(res))
		}
	}
	return path
}

func TestConcatenation(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		content := some(9000)
		a, none, b := st.openPart(content[:4000]), st.openPart(nil), st.openPart(content[4000:])
		expect(t, st.do("HEAD", a, nil), 200, "Upload-Concat: partial", "Upload-Offset: 4000")
		expect(t, st.do("GET", a+"/receipt", nil), 409)
		st.settle()
		if len(st.fake.masters) != 0 {
			t.Fatal("a part was collected by itself")
		}
		concat := "Upload-Concat: final;" + a + " https://custos.example" + none + " " + b
		res := st.do("POST", "/files/", nil, concat, captureHeader(t, captureFor(content)))
		expect(t, res, 201, "Upload-Offset:", "Upload-Expires:")
		final := res.Header.Get("Location")
		expect(t, st.do("HEAD", final, nil), 200, "Upload-Length: 9000", "Upload-Offset:", concat)
		expect(t, st.patch(final, 0, content), 403)
		expect(t, st.do("DELETE", final, nil), 403)
		expect(t, st.do("DELETE", a, nil), 423) // in use
		expect(t, st.do("GET", final+"/receipt", nil), 202)

		st.now = st.now.Add(15 * 24 * time.Hour) // parts in use do not expire
		st.sweep()
		st.settle()
		expect(t, st.do("GET", final+"/receipt", nil), 200)
		expect(t, st.do("HEAD", final, nil), 200, "Upload-Length: 9000", "Upload-Offset: 9000", concat)
		if m := st.fake.masters[idOf(final)]; !bytes.Equal(m.bytes, content) {
			t.Error("the bytes are not the parts' in order")
		}
		for _, part := range []string{a, none, b} {
			expect(t, st.do("HEAD", part, nil), 410)
		}
		if len(st.fake.incoming) != 0 {
			t.Errorf("%d incoming objects left", len(st.fake.incoming))
		}
	})
}

func TestPartsMayBeSharedAndRepeated(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		a, b := st.openPart([]byte("ab")), st.openPart([]byte("cd"))
		one := st.do("POST", "/files/", nil, "Upload-Concat: final;"+a+" "+b+" "+a)
		two := st.do("POST", "/files/", nil, "Upload-Concat: final;"+b)
		expect(t, one, 201)
		expect(t, two, 201)
		st.settle()
		for res, want := range map[string]string{one.Header.Get("Location"): "abcdab", two.Header.Get("Location"): "cd"} {
			if m := st.fake.masters[idOf(res)]; m == nil || string(m.bytes) != want {
				t.Errorf("collected %v, want %q", m, want)
			}
		}
		if len(st.fake.incoming) != 0 {
			t.Errorf("%d incoming objects left", len(st.fake.incoming))
		}
		expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+a), 410)
	})
}

func TestFinalNeedsFinishedPartsOfItsOwnDock(t *testing.T) {
	st := shared(t, func(c *Config) { c.MaxSize = 100 })
	done := st.openPart(some(60))
	unfinished := st.open(5, "Upload-Concat: partial")
	expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+unfinished), 409)
	expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+done+" "+done), 413)
	expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+done, "Upload-Length: 60"), 400)
	expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+done, "Authorization: Bearer d2"), 404)
	expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+done, captureHeader(t, captureFor(some(59)))), 400)
	expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+strings.Repeat(done+" ", maxParts)+done), 400)
}

// A part given up between the check and the note of the final must stop the
// final, and leave nothing behind.
func TestPartThatGoesMeanwhileStopsTheFinal(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		part := st.openPart(some(60))
		st.fake.step = func(call string, after bool) error {
			if call == "receive" && after {
				expect(t, st.do("DELETE", part, nil), 204)
			}
			return nil
		}
		expect(t, st.do("POST", "/files/", nil, "Upload-Concat: final;"+part), 409, "Location:")
		if len(st.fake.incoming) != 0 {
			t.Errorf("%d incoming objects left", len(st.fake.incoming))
		}
	})
}
