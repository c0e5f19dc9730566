package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"filippo.io/age"
	"pgregory.net/rapid"

	"custos/evidence"
	"custos/seal"
)

// Sizes around the limits of chunks and of the reader's batches.
var sizes = []int{0, 1, 15, 16, 17, 1000,
	seal.ChunkSize - 1, seal.ChunkSize, seal.ChunkSize + 1, seal.ChunkSize + 16,
	2*seal.ChunkSize - 1, 2 * seal.ChunkSize, 2*seal.ChunkSize + 1,
	8*seal.ChunkSize - 1, 8 * seal.ChunkSize, 8*seal.ChunkSize + 1, 17*seal.ChunkSize + 5}

// random is a stream of bytes that is the same for the same seed.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func plaintext(n int) []byte {
	b := make([]byte, n)
	_, _ = random(7).Read(b) // never fails
	return b
}

type keys struct {
	name string
	id   age.Identity
	to   age.Recipient
}

func allKeys(t testing.TB) []keys {
	t.Helper()
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return []keys{{"X25519", x, x.Recipient()}, {"hybrid", h, h.Recipient()}}
}

// object is a sealed plaintext with all its parts.
type object struct {
	prefix  seal.Prefix
	key     seal.FileKey
	nonce   seal.Nonce
	payload []byte
}

func sealed(t testing.TB, plain []byte, to age.Recipient) object {
	t.Helper()
	var o object
	var err error
	if o.prefix, o.key, o.nonce, err = seal.NewPrefix(nil, to); err != nil {
		t.Fatal(err)
	}
	s, err := seal.NewSealer(o.key, o.nonce)
	if err != nil {
		t.Fatal(err)
	}
	o.payload = s.Seal(nil, plain, 0, true)
	return o
}

func (o object) file() []byte { return append(bytes.Clone(o.prefix), o.payload...) }

func (o object) reader(t testing.TB) *seal.Reader {
	t.Helper()
	r, err := seal.NewReader(o.key, o.nonce, bytes.NewReader(o.payload), int64(len(o.payload)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t testing.TB, err error, want evidence.Code) {
	t.Helper()
	if got := evidence.CodeOf(err); got != want {
		t.Fatalf("got code %q (%v), want %q", got, err, want)
	}
}

func TestAgeOpensWhatWeSealAndWeOpenWhatAgeSeals(t *testing.T) {
	for _, k := range allKeys(t) {
		for _, n := range sizes {
			t.Run(fmt.Sprint(k.name, " ", n), func(t *testing.T) {
				plain := plaintext(n)
				o := sealed(t, plain, k.to)
				r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(o.file()), k.id))
				if !bytes.Equal(must[[]byte](t)(io.ReadAll(r)), plain) {
					t.Error("age read other bytes than we sealed")
				}

				var file bytes.Buffer
				w := must[io.WriteCloser](t)(age.Encrypt(&file, k.to))
				must[int](t)(w.Write(plain))
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				o = cut(t, file.Bytes())
				var err error
				if o.key, o.nonce, err = o.prefix.Open(k.id); err != nil {
					t.Fatal(err)
				}
				if got := must[int64](t)(seal.PlainSize(int64(len(o.payload)))); got != int64(n) {
					t.Errorf("size %d, want %d", got, n)
				}
				if !bytes.Equal(must[[]byte](t)(io.ReadAll(o.reader(t).Cursor())), plain) {
					t.Error("we read other bytes than age sealed")
				}
				// With key and nonce given, the bytes are the same too.
				s := must[*seal.Sealer](t)(seal.NewSealer(o.key, o.nonce))
				if !bytes.Equal(s.Seal(nil, plain, 0, true), o.payload) {
					t.Error("our payload is not age's")
				}
			})
		}
	}
}

// cut finds the prefix of an age file, as an import of foreign files would.
func cut(t testing.TB, file []byte) object {
	t.Helper()
	n := len(must[[]byte](t)(age.ExtractHeader(bytes.NewReader(file)))) + seal.NonceSize
	return object{prefix: file[:n], payload: file[n:]}
}

func TestSealingResumesAtAnyChunk(t *testing.T) {
	k := allKeys(t)[0]
	rapid.Check(t, func(rt *rapid.T) {
		plain := plaintext(rapid.SampledFrom(sizes).Draw(rt, "size"))
		o := sealed(t, plain, k.to)
		var out []byte
		rest, chunk := plain, 0
		for {
			n := rapid.IntRange(0, 5).Draw(rt, "chunks") * seal.ChunkSize
			last := n >= len(rest)
			if last {
				n = len(rest)
			}
			s := must[*seal.Sealer](t)(seal.NewSealer(o.key, o.nonce)) // as after a restart
			out = s.Seal(out, rest[:n], uint64(chunk), last)
			rest, chunk = rest[n:], chunk+n/seal.ChunkSize
			if last {
				break
			}
		}
		if !bytes.Equal(out, o.payload) {
			rt.Fatal("sealed in parts it is another payload")
		}
	})
}

func TestSealPanicsRatherThanMakeAnUnreadableObject(t *testing.T) {
	s := must[*seal.Sealer](t)(seal.NewSealer(seal.FileKey{}, seal.Nonce{}))
	for name, f := range map[string]func(){
		"short chunk in the middle": func() { s.Seal(nil, make([]byte, seal.ChunkSize+1), 0, false) },
		"empty last chunk":          func() { s.Seal(nil, nil, 1, true) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
	if got := s.Seal([]byte("x"), nil, 3, false); string(got) != "x" {
		t.Errorf("no chunks sealed to %q", got)
	}
}

func TestWriterSealsLikeSealer(t *testing.T) {
	k := allKeys(t)[0]
	for _, n := range sizes {
		plain := plaintext(n)
		o := sealed(t, plain, k.to)
		for _, step := range []int{1000, seal.ChunkSize, 3*seal.ChunkSize + 1} {
			var out bytes.Buffer
			w := must[io.WriteCloser](t)(seal.NewWriter(&out, o.key, o.nonce))
			for rest := plain; len(rest) > 0; {
				c := min(step, len(rest))
				must[int](t)(w.Write(rest[:c]))
				rest = rest[c:]
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), o.payload) {
				t.Errorf("%d bytes in steps of %d are another payload", n, step)
			}
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("wrote after close")
			}
			if err := w.Close(); err == nil {
				t.Error("closed twice: a second last chunk")
			}
		}
	}
}

// full takes n bytes and then fails like a full disk.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.n {
		return f.n, io.ErrShortWrite
	}
	f.n -= len(p)
	return len(p), nil
}

func TestWriterStopsAtTheFirstFailure(t *testing.T) {
	dst := &full{n: seal.ChunkSize + seal.Overhead}
	w := must[io.WriteCloser](t)(seal.NewWriter(dst, seal.FileKey{1}, seal.Nonce{}))
	if n, err := w.Write(make([]byte, 3*seal.ChunkSize)); err == nil || n == 3*seal.ChunkSize {
		t.Fatalf("wrote %d, %v", n, err)
	}
	dst.n = 1 << 20 // room again: still nothing may follow the hole
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("went on after a failed write")
	}
	if err := w.Close(); err == nil {
		t.Error("closed well after a failed write")
	}
	if dst.n != 1<<20 {
		t.Error("bytes followed the hole")
	}
}

func TestSizes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.OneOf(rapid.Int64Range(0, 300000), rapid.Int64Range(0, 1<<61)).Draw(rt, "plain")
		if got, err := seal.PlainSize(seal.SealedSize(n)); err != nil || got != n {
			rt.Fatalf("%d came back as %d, %v", n, got, err)
		}
	})
	const c = seal.ChunkSize + seal.Overhead
	for _, bad := range []int64{-1, 0, 1, 15, c + 1, c + 16, 2*c + 16, 1<<63 - 1, -1 << 63} {
		_, err := seal.PlainSize(bad)
		wantCode(t, err, evidence.Corrupt)
	}
	for sealedSize, want := range map[int64]int64{16: 0, 17: 1, c: seal.ChunkSize, c + 17: seal.ChunkSize + 1, 2 * c: 2 * seal.ChunkSize} {
		if got, err := seal.PlainSize(sealedSize); err != nil || got != want {
			t.Errorf("PlainSize(%d) = %d, %v", sealedSize, got, err)
		}
	}
}

func TestFileKeyNeverShows(t *testing.T) {
	_, key, _, err := seal.NewPrefix(random(1), allKeys(t)[0].to)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ Key seal.FileKey }
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%08b"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+"\n", key, &key, holder{key})
	}
	h := []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)}
	for _, h := range h {
		slog.New(h).Info("sealed", "key", key, "holder", holder{key})
	}
	if _, err := json.Marshal(holder{key}); err == nil {
		t.Error("a key was written as JSON")
	}
	for _, form := range []string{"%x", "%X", "%s", "%d"} {
		for _, secret := range []string{fmt.Sprintf(form, key[:]), fmt.Sprintf(form, key[:4])} {
			if strings.Contains(out.String(), strings.Trim(secret, "[]")) {
				t.Errorf("the key shows as %s in\n%s", form, out.String())
			}
		}
	}
	if !strings.Contains(out.String(), "(file key)") {
		t.Error("nothing stands where the key would")
	}
}

func TestNewPrefixDrawsKeyAndNonceFromRandom(t *testing.T) {
	k := allKeys(t)[0]
	_, key, nonce, err := seal.NewPrefix(random(3), k.to)
	if err != nil {
		t.Fatal(err)
	}
	var want [32]byte
	_, _ = random(3).Read(want[:])
	if [16]byte(key) != [16]byte(want[:16]) || [16]byte(nonce) != [16]byte(want[16:]) {
		t.Error("key and nonce are not the first 32 random bytes")
	}
	p, _, _, err := seal.NewPrefix(bytes.NewReader(make([]byte, 31)), k.to)
	if p != nil {
		t.Error("a prefix without enough random bytes")
	}
	wantCode(t, err, evidence.Internal)
}

func digest(b []byte) evidence.Digest { return sha256.Sum256(b) }
