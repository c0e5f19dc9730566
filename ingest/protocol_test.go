package ingest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
)

// each runs f on a fresh station on both engines.
func each(t *testing.T, f func(t *testing.T, st *station), adjust ...func(*Config)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) { f(t, newStation(t, db, adjust...)) })
}

func expect(t *testing.T, res *http.Response, status int, headers ...string) {
	t.Helper()
	if res.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", res.StatusCode, status, text(res))
	}
	for _, h := range headers {
		name, want, _ := strings.Cut(h, ":")
		if got := res.Header.Get(name); got != strings.TrimSpace(want) {
			t.Errorf("%s is %q, want %q", name, got, strings.TrimSpace(want))
		}
	}
}

func TestUploadBecomesAReceipt(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		content := some(70_000)
		path := st.open(len(content), captureHeader(t, captureFor(content)))
		expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 0", "Upload-Length: 70000", "Tus-Resumable: 1.0.0", "Cache-Control: no-store",
			captureHeader(t, captureFor(content)), "Upload-Expires: "+start.Add(14*24*time.Hour).Format(http.TimeFormat))
		expect(t, st.do("GET", path+"/receipt", nil, "Tus-Resumable:"), 409)
		expect(t, st.patch(path, 0, content[:50_000]), 204, "Upload-Offset: 50000", "Upload-Expires: "+start.Add(14*24*time.Hour).Format(http.TimeFormat))
		expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 50000")
		expect(t, st.patch(path, 50_000, content[50_000:]), 204, "Upload-Offset: 70000", "Upload-Expires:")
		expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 70000", "Upload-Expires:")

		res := st.do("GET", path+"/receipt", nil, "Tus-Resumable:")
		expect(t, res, 202, "Content-Type: application/json")
		if got := text(res); got != `{"state":"collecting"}`+"\n" {
			t.Errorf("said %q", got)
		}
		st.settle()
		st.fake.pending = 1
		expect(t, st.do("GET", path+"/receipt", nil), 202)
		m := st.fake.masters[idOf(path)]
		if !bytes.Equal(m.bytes, content) || m.actor.ID != "d1" || m.capture.FileName != "DCIM/100/CLIP0001.MP4" {
			t.Errorf("collected %d bytes as %+v by %+v", len(m.bytes), m.capture, m.actor)
		}
		for range 2 { // the second from the row
			res = st.do("GET", path+"/receipt?wait=0", nil)
			expect(t, res, 200, "Content-Type: text/plain; charset=utf-8")
			if got := text(res); !strings.HasPrefix(got, "receipt "+string(m.recording)) {
				t.Errorf("receipt %q", got)
			}
			st.fake.pending = 1000
		}
		if u := st.row(path); u.state != collected || u.recording != m.recording || u.segment != 1 || u.receipt == nil {
			t.Errorf("row is %+v", u)
		}
		expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 70000")
		expect(t, st.patch(path, 70_000, nil), 204, "Upload-Offset: 70000")
		expect(t, st.do("DELETE", path, nil), 403)
	})
}

func TestProtocolClauses(t *testing.T) {
	sum := func(name string, h []byte) string {
		return "Upload-Checksum: " + name + " " + base64.StdEncoding.EncodeToString(h)
	}
	s1, s256 := sha1.Sum([]byte("hello")), sha256.Sum256([]byte("hello"))
	octets := "Content-Type: " + bodyType
	type request struct {
		method, path string // ID stands for an open upload of 10 bytes that has 5
		body         string
		headers      []string
		status       int
		code         evidence.Code
		want         []string
		offset       int // of ID afterwards, where it still is
	}
	at5 := func(headers ...string) []string { return append([]string{octets, "Upload-Offset: 5"}, headers...) }
	for name, c := range map[string]request{
		"OPTIONS":                     {"OPTIONS", "", "", []string{"Tus-Resumable:", "Authorization:"}, 204, "", []string{"Tus-Version: 1.0.0", "Tus-Resumable: 1.0.0", "Tus-Max-Size: 1000", "Tus-Checksum-Algorithm: sha256,sha1", "Tus-Extension: " + extensions}, 5},
		"OPTIONS ignores the version": {"OPTIONS", "ID", "", []string{"Tus-Resumable: 0.2.2"}, 204, "", nil, 5},
		"no version":                  {"HEAD", "ID", "", []string{"Tus-Resumable:"}, 412, "", []string{"Tus-Version: 1.0.0"}, 5},
		"old version":                 {"PATCH", "ID", "hello", at5("Tus-Resumable: 0.2.2"), 412, "invalid", []string{"Tus-Version: 1.0.0"}, 5},
		"nobody":                      {"PATCH", "ID", "hello", at5("Authorization:"), 401, "unauthenticated", nil, 5},
		"a revoked dock":              {"PATCH", "ID", "hello", at5("Authorization: Bearer revoked"), 403, "denied", nil, 5},
		"another dock's upload":       {"PATCH", "ID", "hello", at5("Authorization: Bearer d2"), 404, "not_found", nil, 5},
		"another dock's receipt":      {"GET", "ID/receipt", "", []string{"Authorization: Bearer d2"}, 404, "not_found", nil, 5},
		"no such upload":              {"HEAD", "00000000000000000000000000", "", nil, 404, "", []string{"Upload-Offset:"}, 5},
		"no such receipt":             {"GET", "00000000000000000000000000/receipt", "", nil, 404, "not_found", nil, 5},
		"not an ID":                   {"PATCH", "..%2fsecret", "hello", at5(), 404, "not_found", nil, 5},
		"a bad wait":                  {"GET", "ID/receipt?wait=-1", "", nil, 400, "invalid", nil, 5},
		"a receipt too early":         {"GET", "ID/receipt", "", nil, 409, "conflict", nil, 5},
		"GET":                         {"GET", "ID", "", nil, 405, "invalid", []string{"Allow: OPTIONS, HEAD, PATCH, DELETE"}, 5},
		"PUT on the root":             {"PUT", "", "", nil, 405, "invalid", []string{"Allow: OPTIONS, POST"}, 5},
		"a receipt posted":            {"POST", "ID/receipt", "", nil, 405, "invalid", []string{"Allow: GET"}, 5},

		"PATCH":                          {"PATCH", "ID", "hello", at5(), 204, "", []string{"Upload-Offset: 10"}, 10},
		"PATCH of less":                  {"PATCH", "ID", "hel", at5(), 204, "", []string{"Upload-Offset: 8"}, 8},
		"PATCH of nothing":               {"PATCH", "ID", "", at5(), 204, "", []string{"Upload-Offset: 5"}, 5},
		"PATCH by override":              {"POST", "ID", "hello", at5("X-HTTP-Method-Override: PATCH"), 204, "", []string{"Upload-Offset: 10"}, 10},
		"PATCH with another type":        {"PATCH", "ID", "hello", []string{"Upload-Offset: 5", "Content-Type: text/plain"}, 415, "invalid", nil, 5},
		"PATCH without a type":           {"PATCH", "ID", "hello", []string{"Upload-Offset: 5"}, 415, "invalid", nil, 5},
		"PATCH without an offset":        {"PATCH", "ID", "hello", []string{octets}, 400, "invalid", nil, 5},
		"PATCH with a strange offset":    {"PATCH", "ID", "hello", []string{octets, "Upload-Offset: +5"}, 400, "invalid", nil, 5},
		"PATCH too early":                {"PATCH", "ID", "hello", []string{octets, "Upload-Offset: 4"}, 409, "conflict", nil, 5},
		"PATCH too late":                 {"PATCH", "ID", "hello", []string{octets, "Upload-Offset: 6"}, 409, "conflict", nil, 5},
		"PATCH beyond the end":           {"PATCH", "ID", "hello", []string{octets, "Upload-Offset: 11"}, 409, "conflict", nil, 5},
		"PATCH of too much":              {"PATCH", "ID", "hello!", at5(), 413, "invalid", nil, 5},
		"PATCH with sha1":                {"PATCH", "ID", "hello", at5(sum("sha1", s1[:])), 204, "", []string{"Upload-Offset: 10"}, 10},
		"PATCH with sha256":              {"PATCH", "ID", "hello", at5(sum("sha256", s256[:])), 204, "", []string{"Upload-Offset: 10"}, 10},
		"PATCH with a wrong sha1":        {"PATCH", "ID", "hullo", at5(sum("sha1", s1[:])), 460, "corrupt", nil, 5},
		"PATCH with a wrong sha256":      {"PATCH", "ID", "hullo", at5(sum("sha256", s256[:])), 460, "corrupt", nil, 5},
		"PATCH with md5":                 {"PATCH", "ID", "hello", at5("Upload-Checksum: md5 XUFAKrxLKna5cZ2REBfFkg=="), 400, "invalid", nil, 5},
		"PATCH with a short checksum":    {"PATCH", "ID", "hello", at5("Upload-Checksum: sha1 AAAA"), 400, "invalid", nil, 5},
		"PATCH with a checksum and more": {"PATCH", "ID", "hello!", at5(sum("sha1", s1[:])), 413, "invalid", nil, 5},

		"POST without a length":       {"POST", "", "", nil, 400, "invalid", nil, 5},
		"POST with a strange length":  {"POST", "", "", []string{"Upload-Length: -1"}, 400, "invalid", nil, 5},
		"POST of a deferred length":   {"POST", "", "", []string{"Upload-Defer-Length: 1"}, 400, "invalid", nil, 5},
		"POST of too much":            {"POST", "", "", []string{"Upload-Length: 1001"}, 413, "invalid", nil, 5},
		"POST of the most":            {"POST", "", "", []string{"Upload-Length: 1000"}, 201, "", []string{"Upload-Offset:"}, 5},
		"POST with a body":            {"POST", "", "hello", []string{octets, "Upload-Length: 10"}, 201, "", []string{"Upload-Offset: 5"}, 5},
		"POST with a body too long":   {"POST", "", "hello", []string{octets, "Upload-Length: 4"}, 413, "invalid", []string{"Location:"}, 5},
		"POST with an untyped body":   {"POST", "", "hello", []string{"Upload-Length: 10"}, 415, "invalid", []string{"Location:"}, 5},
		"POST with a wrong sum":       {"POST", "", "hullo", []string{octets, "Upload-Length: 10", sum("sha1", s1[:])}, 460, "corrupt", []string{"Location:"}, 5},
		"POST with a sum":             {"POST", "", "hello", []string{octets, "Upload-Length: 10", sum("sha1", s1[:])}, 201, "", []string{"Upload-Offset: 5"}, 5},
		"POST with bad metadata":      {"POST", "", "", []string{"Upload-Length: 10", "Upload-Metadata: filename !"}, 400, "invalid", nil, 5},
		"POST with much metadata":     {"POST", "", "", []string{"Upload-Length: 10", "Upload-Metadata: a " + strings.Repeat("AAAA", 4096)}, 431, "invalid", nil, 5},
		"POST without a slash":        {"POST", "NONE", "", []string{"Upload-Length: 10"}, 201, "", nil, 5},
		"POST of a strange concat":    {"POST", "", "", []string{"Upload-Length: 10", "Upload-Concat: parts"}, 400, "invalid", nil, 5},
		"POST of a final, no parts":   {"POST", "", "", []string{"Upload-Concat: final;"}, 400, "invalid", nil, 5},
		"POST of a final, alien part": {"POST", "", "", []string{"Upload-Concat: final;/elsewhere/ID"}, 400, "invalid", nil, 5},
		"POST of a final, not a part": {"POST", "", "", []string{"Upload-Concat: final;/files/ID"}, 400, "invalid", nil, 5},
		"POST of a final, with body":  {"POST", "", "hello", []string{octets, "Upload-Concat: final;/files/ID"}, 400, "invalid", nil, 5},

		"DELETE":             {"DELETE", "ID", "", nil, 204, "", nil, -1},
		"DELETE by override": {"POST", "ID", "", []string{"X-HTTP-Method-Override: DELETE"}, 204, "", nil, -1},
	} {
		t.Run(name, func(t *testing.T) {
			st := shared(t, func(c *Config) { c.MaxSize = 1000 })
			up := st.open(10)
			expect(t, st.patch(up, 0, []byte("01234")), 204)
			id := string(idOf(up))
			path := "/files/" + strings.ReplaceAll(c.path, "ID", id)
			if c.path == "NONE" {
				path = "/files"
			}
			var body io.Reader
			if c.body != "" || c.method == "PATCH" {
				body = strings.NewReader(c.body)
			}
			headers := make([]string, len(c.headers))
			for i, h := range c.headers {
				headers[i] = strings.ReplaceAll(h, "/ID", "/"+id)
			}
			res := st.do(c.method, path, body, headers...)
			expect(t, res, c.status, append(c.want, "Access-Control-Allow-Origin:")...)
			if c.code != "" {
				if got := codeOf(t, res); got != string(c.code) {
					t.Errorf("code %q, want %q", got, c.code)
				}
			}
			if c.offset < 0 {
				expect(t, st.do("HEAD", up, nil), 410)
				expect(t, st.patch(up, 5, []byte("x")), 410)
				expect(t, st.do("DELETE", up, nil), 410)
				if st.fake.incoming[idOf(up)] != nil {
					t.Error("the bytes are still there")
				}
				return
			}
			expect(t, st.do("HEAD", up, nil), 200, "Upload-Offset: "+strconv.Itoa(c.offset))
		})
	}
}

// shared is a station on an SQLite database, for tests of one request each.
func shared(t *testing.T, adjust ...func(*Config)) *station {
	t.Helper()
	return newStation(t, databasetest.SQLite(t), adjust...)
}

func TestEmptyUploadIsCompleteAtOnce(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		path := st.open(0, captureHeader(t, captureFor(nil)))
		st.settle()
		expect(t, st.do("GET", path+"/receipt", nil), 200)
		expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 0", "Upload-Length: 0")
	})
}

func TestRepeatedHeaderIsRefused(t *testing.T) {
	st := shared(t)
	for _, name := range []string{"Upload-Length", "Upload-Metadata", "Upload-Concat"} {
		res := st.do("POST", "/files/", nil, "Upload-Length: 5")
		expect(t, res, 201)
		r, w := newRequest("POST", "/files/", map[string][]string{"Upload-Length": {"5"}, name: {"5", "6"}})
		st.s.ServeHTTP(w, r)
		expect(t, w.Result(), 400)
	}
}

func TestDigestMismatchIsRefusedForGoodAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		content := some(1000)
		path := st.open(len(content), captureHeader(t, captureFor(content)))
		wrong := bytes.Clone(content)
		wrong[500] ^= 1
		expect(t, st.patch(path, 0, wrong), 204)
		st.settle()
		for range 2 {
			res := st.do("GET", path+"/receipt?wait=20", nil)
			expect(t, res, 410)
			if got := codeOf(t, res); got != "corrupt" {
				t.Errorf("code %q", got)
			}
			st.restart()
		}
		expect(t, st.do("HEAD", path, nil), 410, "Upload-Offset:")
		if len(st.fake.incoming)+len(st.fake.masters) != 0 {
			t.Error("bytes were left behind")
		}
	})
}

func TestWhatCustodyWillNeverTakeIsRefused(t *testing.T) {
	for _, code := range []evidence.Code{evidence.Invalid, evidence.Denied, evidence.NotFound, evidence.Corrupt} {
		st := shared(t)
		path := st.open(5)
		expect(t, st.patch(path, 0, []byte("hello")), 204)
		st.fake.step = func(call string, after bool) error {
			if call == "collect" {
				return evidence.Errorf(code, "never")
			}
			return nil
		}
		st.settle()
		res := st.do("GET", path+"/receipt", nil)
		expect(t, res, 410)
		if got := codeOf(t, res); got != string(code) {
			t.Errorf("code %q, want %q", got, code)
		}
		if len(st.fake.incoming) != 0 {
			t.Errorf("%s: bytes were left behind", code)
		}
	}
}

func TestPlainClientNeedsNoCapture(t *testing.T) {
	st := shared(t)
	name := base64.StdEncoding.EncodeToString([]byte("../../etc/e\u0301te\u0301\u202e.mp4"))
	path := st.open(5, "Upload-Metadata: filename "+name+",filetype dmlkZW8vbXA0,empty")
	expect(t, st.patch(path, 0, []byte("hello")), 204)
	st.settle()
	c := st.fake.masters[idOf(path)].capture
	if c.Device != "upload" || c.FileName != "\u00e9t\u00e9_.mp4" || !c.Digest.IsZero() || c.Length != 5 || !c.DockedAt.Equal(start) {
		t.Errorf("collected as %+v", c)
	}
}

func TestChunkedBodyIsCutAtTheLength(t *testing.T) {
	st := shared(t)
	path := st.open(5)
	r, w := newRequest("PATCH", path, map[string][]string{"Upload-Offset": {"0"}, "Content-Type": {bodyType}})
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hello and more")), -1
	st.s.ServeHTTP(w, r)
	expect(t, w.Result(), 413)
	expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 5")
	if u := st.row(path); u.state != complete {
		t.Errorf("state %s: the bytes that fit are all there", u.state)
	}
}

func TestChecksummedBodyThatBreaksOrIsTooLargeKeepsNothing(t *testing.T) {
	st := shared(t)
	path := st.open(maxChecked + 2)
	zero := sha256.Sum256(nil)
	sum := base64.StdEncoding.EncodeToString(zero[:])
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		status int
	}{
		"breaks":     {breaking([]byte("hello")), 10, 400},
		"large":      {bytes.NewReader(make([]byte, maxChecked+1)), maxChecked + 1, 413},
		"large, n/a": {bytes.NewReader(make([]byte, maxChecked+1)), -1, 413},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := newRequest("PATCH", path, map[string][]string{"Upload-Offset": {"0"}, "Content-Type": {bodyType}, "Upload-Checksum": {"sha256 " + sum}})
			r.Body, r.ContentLength = io.NopCloser(c.body), c.length
			st.s.ServeHTTP(w, r)
			expect(t, w.Result(), c.status)
			expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 0")
		})
	}
	if n := len(st.s.checks); n != 0 {
		t.Errorf("%d slots were not given back", n)
	}
}

func TestBrokenBodyKeepsWhatCame(t *testing.T) {
	st := shared(t)
	path := st.open(10)
	expect(t, st.do("PATCH", path, breaking([]byte("hello")), "Content-Type: "+bodyType, "Upload-Offset: 0"), 400)
	expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 5")
	expect(t, st.patch(path, 5, []byte("world")), 204)
	st.settle()
	if got := string(st.fake.masters[idOf(path)].bytes); got != "helloworld" {
		t.Errorf("collected %q", got)
	}
}

func TestFullIs507AndKeepsWhatFitted(t *testing.T) {
	st := shared(t)
	path := st.open(10)
	st.fake.room = 5
	res := st.patch(path, 0, []byte("helloworld"))
	expect(t, res, 507)
	if got := codeOf(t, res); got != "full" {
		t.Errorf("code %q", got)
	}
	st.fake.room = 0
	expect(t, st.do("HEAD", path, nil), 200, "Upload-Offset: 5")
	st.fake.step = func(call string, after bool) error {
		if call == "receive" {
			return evidence.Errorf(evidence.Full, "no room")
		}
		return nil
	}
	expect(t, st.do("POST", "/files/", nil, "Upload-Length: 1"), 507, "Location:")
}

func TestQuotas(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		a := st.open(40)
		st.open(40)
		expect(t, st.do("POST", "/files/", nil, "Upload-Length: 1"), 429)
		expect(t, st.do("POST", "/files/", nil, "Upload-Length: 21", "Authorization: Bearer d2"), 507)
		expect(t, st.do("POST", "/files/", nil, "Upload-Length: 20", "Authorization: Bearer d2"), 201)
		expect(t, st.do("DELETE", a, nil), 204)
		expect(t, st.do("POST", "/files/", nil, "Upload-Length: 40"), 201)
	}, func(c *Config) { c.MaxOpen, c.MaxOpenBytes = 2, 100 })
}

func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, st *station) {
		idle, moving, done := st.open(10), st.open(10), st.open(10)
		part := st.open(10, "Upload-Concat: partial")
		expect(t, st.patch(done, 0, some(10)), 204)
		expect(t, st.patch(part, 0, some(10)), 204)
		st.now = st.now.Add(13 * 24 * time.Hour)
		expect(t, st.patch(moving, 0, some(5)), 204, "Upload-Expires: "+st.now.Add(14*24*time.Hour).Format(http.TimeFormat))
		st.now = st.now.Add(24*time.Hour - time.Second)
		expect(t, st.do("HEAD", idle, nil), 200)
		st.now = st.now.Add(2 * time.Second)
		expect(t, st.do("HEAD", idle, nil), 410, "Upload-Offset:") // before any sweep
		expect(t, st.patch(idle, 0, some(10)), 410)
		st.sweep()
		expect(t, st.do("HEAD", idle, nil), 410)
		expect(t, st.do("HEAD", part, nil), 410)
		expect(t, st.do("GET", idle+"/receipt", nil), 410)
		expect(t, st.do("HEAD", moving, nil), 200, "Upload-Offset: 5")
		if len(st.fake.incoming) != 2 {
			t.Errorf("%d incoming objects left, want the moving and the complete one", len(st.fake.incoming))
		}
		st.settle()
		expect(t, st.do("GET", done+"/receipt", nil), 200)
		st.now = st.now.Add(1000 * 24 * time.Hour)
		st.sweep()
		expect(t, st.do("GET", done+"/receipt", nil), 200)
	})
}
