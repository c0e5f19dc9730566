package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"custos/evidence"
	"custos/seal"
)

func TestReadAtGivesThePlaintextAnywhere(t *testing.T) {
	k := allKeys(t)[0]
	objects := map[int]object{}
	for _, n := range sizes {
		objects[n] = sealed(t, plaintext(n), k.to)
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom(sizes).Draw(rt, "size")
		r := objects[size].reader(t)
		plain := plaintext(size)
		for range 5 {
			off := rapid.IntRange(0, size+2).Draw(rt, "offset")
			p := make([]byte, rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, size+100)).Draw(rt, "length"))
			n, err := r.ReadAt(p, int64(off))
			want := 0
			if off < size {
				want = min(len(p), size-off)
			}
			if n != want || n < len(p) && err != io.EOF || n == len(p) && err != nil && err != io.EOF {
				rt.Fatalf("ReadAt(%d bytes, %d) of %d = %d, %v", len(p), off, size, n, err)
			}
			if n > 0 && !bytes.Equal(p[:n], plain[off:off+n]) {
				rt.Fatal("other bytes")
			}
		}
	})
	_, err := objects[0].reader(t).ReadAt(make([]byte, 1), -1)
	wantCode(t, err, evidence.Invalid)
}

func TestReadersOfAllKindsAgree(t *testing.T) {
	k := allKeys(t)[0]
	for _, n := range []int{0, 1, seal.ChunkSize, 17*seal.ChunkSize + 5} {
		plain := plaintext(n)
		o := sealed(t, plain, k.to)
		if err := iotest.TestReader(o.reader(t).Cursor(), plain); err != nil {
			t.Errorf("cursor over %d bytes: %v", n, err)
		}
		section := io.NewSectionReader(o.reader(t), 0, int64(n))
		if !bytes.Equal(must[[]byte](t)(io.ReadAll(section)), plain) {
			t.Errorf("a section over %d bytes reads other bytes", n)
		}
	}
	c := sealed(t, plaintext(10), k.to).reader(t).Cursor()
	for _, bad := range []struct {
		off    int64
		whence int
	}{{-1, io.SeekStart}, {-11, io.SeekEnd}, {0, 9}} {
		_, err := c.Seek(bad.off, bad.whence)
		wantCode(t, err, evidence.Invalid)
	}
}

func TestServeContentServesRanges(t *testing.T) {
	plain := plaintext(3*seal.ChunkSize + 100)
	r := sealed(t, plain, allKeys(t)[0].to).reader(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		http.ServeContent(w, q, "master.mp4", time.Time{}, r.Cursor())
	}))
	defer srv.Close()
	for rng, want := range map[string][]byte{
		"":                   plain,
		"bytes=65530-65545":  plain[65530:65546],
		"bytes=-7":           plain[len(plain)-7:],
		"bytes=131072-":      plain[131072:],
		"bytes=0-0":          plain[:1],
		"bytes=65536-131071": plain[65536:131072],
	} {
		q := must[*http.Request](t)(http.NewRequest("GET", srv.URL, nil))
		if rng != "" {
			q.Header.Set("Range", rng)
		}
		res := must[*http.Response](t)(http.DefaultClient.Do(q))
		got := must[[]byte](t)(io.ReadAll(res.Body))
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q: %s with %d bytes, want %d", rng, res.Status, len(got), len(want))
		}
	}
}

// counted counts what is read of a payload.
type counted struct {
	io.ReaderAt
	mu    sync.Mutex
	reads int
	bytes int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	c.reads++
	c.bytes += len(p)
	c.mu.Unlock()
	return c.ReaderAt.ReadAt(p, off)
}

func TestOnlyTheChunksNeededAreFetched(t *testing.T) {
	o := sealed(t, plaintext(40*seal.ChunkSize), allKeys(t)[0].to)
	src := &counted{ReaderAt: bytes.NewReader(o.payload)}
	r := must[*seal.Reader](t)(seal.NewReader(o.key, o.nonce, src, int64(len(o.payload))))
	const chunk = seal.ChunkSize + seal.Overhead
	if src.bytes != chunk {
		t.Errorf("opening fetched %d bytes, not the last chunk", src.bytes)
	}
	for _, c := range []struct {
		off, length, chunks, reads int
	}{{5, 10, 1, 1}, {seal.ChunkSize - 1, 2, 2, 1}, {0, 40 * seal.ChunkSize, 40, 5}, {39 * seal.ChunkSize, 1, 1, 1}} {
		src.reads, src.bytes = 0, 0
		must[int](t)(r.ReadAt(make([]byte, c.length), int64(c.off)))
		if src.bytes != c.chunks*chunk || src.reads != c.reads {
			t.Errorf("%d bytes at %d fetched %d bytes in %d reads", c.length, c.off, src.bytes, src.reads)
		}
	}
	src.reads, src.bytes = 0, 0
	if n := must[int64](t)(io.Copy(onlyWriter{io.Discard}, onlyReader{r.Cursor()})); n != r.Size() {
		t.Fatal(n)
	}
	if src.bytes != len(o.payload) || src.reads > 9 {
		t.Errorf("a cursor fetched %d of %d bytes in %d reads", src.bytes, len(o.payload), src.reads)
	}
}

func TestACursorOpensNoChunkTwice(t *testing.T) {
	const chunk = seal.ChunkSize + seal.Overhead
	o := sealed(t, plaintext(40*seal.ChunkSize), allKeys(t)[0].to)
	src := &counted{ReaderAt: bytes.NewReader(o.payload)}
	c := must[*seal.Reader](t)(seal.NewReader(o.key, o.nonce, src, int64(len(o.payload)))).Cursor()
	src.bytes = 0
	must[int64](t)(c.Seek(10*seal.ChunkSize+777, io.SeekStart)) // as a player does
	must[int](t)(c.Read(make([]byte, 5)))
	if src.bytes != chunk {
		t.Errorf("a small read after a seek fetched %d bytes, not one chunk", src.bytes)
	}
	must[int64](t)(io.Copy(onlyWriter{io.Discard}, onlyReader{c}))
	if src.bytes != 30*chunk {
		t.Errorf("reading 30 chunks fetched %d bytes, not %d", src.bytes, 30*chunk)
	}
}

type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

func TestLargeReadsDoNotAllocatePerChunk(t *testing.T) {
	r := sealed(t, plaintext(64*seal.ChunkSize), allKeys(t)[0].to).reader(t)
	p := make([]byte, r.Size())
	if n := testing.AllocsPerRun(10, func() {
		if _, err := r.ReadAt(p, 0); err != nil {
			t.Fatal(err)
		}
	}); n > 4 { // a collection may empty the pool in between
		t.Errorf("%v allocations for 64 chunks", n)
	}
}

func TestConcurrentReads(t *testing.T) {
	plain := plaintext(20*seal.ChunkSize + 3)
	r := sealed(t, plain, allKeys(t)[0].to).reader(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 12 {
				off := (i*7919 + j*104729) % len(plain)
				p := make([]byte, 3*seal.ChunkSize)
				n, err := r.ReadAt(p, int64(off))
				if err != nil && err != io.EOF || !bytes.Equal(p[:n], plain[off:off+n]) {
					t.Errorf("at %d: %d, %v", off, n, err)
				}
			}
		})
	}
	wg.Wait()
}

// damages reads the whole of a damaged payload by every way and says where the
// damage was met, in bytes of plaintext; it fails if a wrong byte comes out.
func damages(t *testing.T, o object, payload, plain []byte) int {
	t.Helper()
	r, err := seal.NewReader(o.key, o.nonce, bytes.NewReader(payload), int64(len(payload)))
	if err != nil {
		wantCode(t, err, evidence.Corrupt)
		return -1
	}
	p := bytes.Repeat([]byte{0xAA}, int(r.Size()))
	n, err := r.ReadAt(p, 0)
	wantCode(t, err, evidence.Corrupt)
	if !bytes.Equal(p[:n], plain[:n]) {
		t.Fatal("wrong bytes were given out")
	}
	for i := n; i < len(p); i++ { // behind n: untouched or cleared, never footage
		if p[i] != 0xAA && p[i] != 0 {
			t.Fatalf("byte %d of a chunk that failed was given out", i)
		}
	}
	got, err := io.ReadAll(r.Cursor())
	wantCode(t, err, evidence.Corrupt)
	if !bytes.Equal(got, plain[:n]) {
		t.Fatalf("a cursor gave %d bytes, ReadAt %d", len(got), n)
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("offset %d ", n)) {
		t.Fatalf("%q does not name offset %d", err, n)
	}
	return n
}

func TestDamageIsRefusedAndNamed(t *testing.T) {
	const chunk = seal.ChunkSize + seal.Overhead
	plain := plaintext(3*seal.ChunkSize + 500)
	k := allKeys(t)[0]
	o, other := sealed(t, plain, k.to), sealed(t, plain, k.to)
	part := func(b []byte, i int) []byte { return b[i*chunk : min((i+1)*chunk, len(b))] }
	join := slices.Concat[[]byte]
	a, b, c, d := part(o.payload, 0), part(o.payload, 1), part(o.payload, 2), part(o.payload, 3)
	s := must[*seal.Sealer](t)(seal.NewSealer(o.key, o.nonce))
	early := s.Seal(nil, plain[seal.ChunkSize:2*seal.ChunkSize], 1, true) // chunk 1 flagged last
	for name, tc := range map[string]struct {
		payload []byte
		at      int
	}{
		"swapped":                 {join(b, a, c, d), 0},
		"swapped later":           {join(a, c, b, d), seal.ChunkSize},
		"doubled":                 {join(a, b, b, d), 2 * seal.ChunkSize},
		"one left out":            {join(a, b, d), -1},
		"cut at a chunk":          {join(a, b, c), -1},
		"cut in a chunk":          {o.payload[:len(o.payload)-100], -1},
		"cut by a byte":           {o.payload[:len(o.payload)-1], -1},
		"cut to nothing":          {nil, -1},
		"cut to a tag":            {o.payload[:16], -1},
		"extended by a byte":      {join(o.payload, []byte{0}), -1},
		"extended by itself":      {join(o.payload, o.payload), -1},
		"extended by a chunk":     {join(a, b, c, d, a), -1},
		"last flag in the middle": {join(a, early, c, d), seal.ChunkSize},
		"last chunk of another":   {join(a, b, c, part(other.payload, 3)), -1},
		"first chunk of another":  {join(part(other.payload, 0), b, c, d), 0},
		"all of another":          {other.payload, -1},
		"zeroed chunk":            {join(a, make([]byte, chunk), c, d), seal.ChunkSize},
	} {
		t.Run(name, func(t *testing.T) {
			if at := damages(t, o, tc.payload, plain); at != tc.at {
				t.Errorf("met at %d, want %d", at, tc.at)
			}
		})
	}
	t.Run("any flipped bit", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			i := rapid.IntRange(0, len(o.payload)-1).Draw(rt, "byte")
			bad := bytes.Clone(o.payload)
			bad[i] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
			want := i / chunk * seal.ChunkSize
			if i/chunk == 3 {
				want = -1
			}
			if at := damages(t, o, bad, plain); at != want {
				rt.Fatalf("byte %d: met at %d, want %d", i, at, want)
			}
		})
	})
}

// failing is a store that fails for one range, or ends early.
type failing struct {
	io.ReaderAt
	from int64
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		n := max(0, f.from-off)
		m, _ := f.ReaderAt.ReadAt(p[:n], off)
		return m, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestStoreFailuresKeepTheirCode(t *testing.T) {
	plain := plaintext(20 * seal.ChunkSize)
	o := sealed(t, plain, allKeys(t)[0].to)
	away := evidence.Errorf(evidence.Unavailable, "the store is away")
	for _, c := range []struct {
		err  error
		want evidence.Code
	}{{away, evidence.Unavailable}, {errors.New("EIO"), evidence.Internal}, {io.EOF, evidence.Corrupt}, {nil, evidence.Corrupt}} {
		_, err := seal.NewReader(o.key, o.nonce, failing{bytes.NewReader(o.payload), 100, c.err}, int64(len(o.payload)))
		wantCode(t, err, c.want)
		src := &failing{bytes.NewReader(o.payload), 1 << 40, c.err}
		r := must[*seal.Reader](t)(seal.NewReader(o.key, o.nonce, src, int64(len(o.payload))))
		src.from = 10 * (seal.ChunkSize + seal.Overhead)
		p := make([]byte, len(plain))
		n, err := r.ReadAt(p, 0)
		wantCode(t, err, c.want)
		if n != 8*seal.ChunkSize || !bytes.Equal(p[:n], plain[:n]) {
			t.Errorf("%v: %d bytes before the failure", c.err, n)
		}
	}
}
