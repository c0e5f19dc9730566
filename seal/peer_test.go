package seal_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"custos/evidence"
	"custos/seal"
)

// peer finds a stock age whose version begins with want, or skips. The first of
// CUSTOS_AGE, Debian's and the ones on PATH that fits is taken.
func peer(t *testing.T, want string) string {
	t.Helper()
	candidates := []string{os.Getenv("CUSTOS_AGE"), "/usr/bin/age"}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		candidates = append(candidates, filepath.Join(dir, "age"))
	}
	for _, c := range candidates {
		if c == "" {
			continue
		}
		out, err := exec.Command(c, "--version").Output()
		if err == nil && strings.HasPrefix(strings.TrimPrefix(string(out), "v"), want) {
			return c
		}
	}
	t.Skipf("no age %s here: put one on PATH or name it in CUSTOS_AGE", want)
	return ""
}

func TestStockAgeToolsOpenAndMakeObjects(t *testing.T) {
	for version, kinds := range map[string][]keys{
		"1.1": allKeys(t)[:1], // classic only
		"1.3": allKeys(t),
	} {
		for _, k := range kinds {
			t.Run(version+" "+k.name, func(t *testing.T) {
				tool := peer(t, version)
				identity := filepath.Join(t.TempDir(), "identity.txt")
				if err := os.WriteFile(identity, fmt.Appendln(nil, k.id), 0o600); err != nil {
					t.Fatal(err)
				}
				for _, n := range []int{0, 1, seal.ChunkSize, seal.ChunkSize + 1, 3*seal.ChunkSize + 7} {
					plain := plaintext(n)
					o := sealed(t, plain, k.to)
					cmd := exec.Command(tool, "-d", "-i", identity)
					cmd.Stdin = bytes.NewReader(o.file())
					if !bytes.Equal(must[[]byte](t)(cmd.Output()), plain) {
						t.Errorf("%d bytes: the tool reads other bytes", n)
					}
					cmd = exec.Command(tool, "-e", "-r", fmt.Sprint(k.to))
					cmd.Stdin = bytes.NewReader(plain)
					o = cut(t, must[[]byte](t)(cmd.Output()))
					var err error
					if o.key, o.nonce, err = o.prefix.Open(k.id); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(must[[]byte](t)(io.ReadAll(o.reader(t).Cursor())), plain) {
						t.Errorf("%d bytes: we read other bytes than the tool sealed", n)
					}
				}
			})
		}
	}
}

// The files in testdata are objects as format age-v1 left its writers. They
// are never made anew: if this test fails, the change is wrong.
func TestGoldenObjectsStayReadable(t *testing.T) {
	for _, name := range []string{"x25519", "hybrid"} {
		t.Run(name, func(t *testing.T) {
			file := func(ext string) []byte {
				return must[[]byte](t)(os.ReadFile(filepath.Join("testdata", name+ext)))
			}
			ids := must[[]age.Identity](t)(age.ParseIdentities(bytes.NewReader(file(".identity.txt"))))
			want := must[evidence.Digest](t)(evidence.ParseDigest(strings.TrimSpace(string(file(".sha256")))))
			o := object{prefix: must[[]byte](t)(io.ReadAll(base64.NewDecoder(base64.StdEncoding, bufio.NewReader(bytes.NewReader(file(".prefix.b64")))))), payload: file(".payload")}
			var err error
			if o.key, o.nonce, err = o.prefix.Open(ids...); err != nil {
				t.Fatal(err)
			}
			plain := must[[]byte](t)(io.ReadAll(o.reader(t).Cursor()))
			if digest(plain) != want {
				t.Error("another plaintext")
			}
			r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(o.file()), ids...))
			if digest(must[[]byte](t)(io.ReadAll(r))) != want {
				t.Error("another plaintext by age")
			}
			s := must[*seal.Sealer](t)(seal.NewSealer(o.key, o.nonce))
			if !bytes.Equal(s.Seal(nil, plain, 0, true), o.payload) {
				t.Error("sealed today it is another payload")
			}
		})
	}
}
