package timestamp_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"custos/evidence"
	"custos/timestamp"
	"custos/timestamp/timestamptest"
)

var update = flag.Bool("update", false, "write the golden timestamps anew")

var data = []byte("force.example/log\n3\nDnnXBF5EO5yyqB2rCnmLbhJyGDaIeT8gjDVpEsXmPNA=\n")

// stamp has data stamped.
func stamp(t testing.TB, a *timestamptest.Authority, nonce *big.Int) []byte {
	t.Helper()
	q, err := timestamp.Request(sha256.Sum256(data), nonce)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Reply(q)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func roots(t testing.TB, pem []byte) *x509.CertPool {
	t.Helper()
	p, err := timestamp.ParseRoots(pem)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// OpenSSL stamps what we ask for, and both judge the answer alike.
func TestOpenSSLStamps(t *testing.T) {
	nonce := big.NewInt(1<<62 + 5)
	for _, kind := range []timestamptest.Kind{timestamptest.RSA, timestamptest.ECDSA} {
		for _, ess := range []string{"sha256", "sha512", "sha1"} {
			a := timestamptest.Make(t, kind, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, ess)
			b := stamp(t, a, nonce)
			tok, err := timestamp.Parse(b)
			if err != nil {
				t.Fatalf("%s %s: %v", kind, ess, err)
			}
			if err := tok.Answers(sha256.Sum256(data), nonce); err != nil {
				t.Error(err)
			}
			if err := tok.Trusted(roots(t, a.Roots)); err != nil {
				t.Error(err)
			}
			if d := time.Since(tok.Time); d < -2*time.Second || d > time.Minute || tok.Accuracy != time.Second || !strings.Contains(tok.Authority, "Test Time Authority") {
				t.Errorf("%+v", tok)
			}
			dir := t.TempDir()
			for name, content := range map[string][]byte{"data": data, "data.tsr": b} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := timestamptest.Verify(filepath.Join(dir, "data"), filepath.Join(dir, "data.tsr"), a.RootsFile); err != nil {
				t.Error(err)
			}
			stranger := timestamptest.New(t, timestamptest.ECDSA)
			if err := tok.Trusted(roots(t, stranger.Roots)); evidence.CodeOf(err) != evidence.Invalid {
				t.Errorf("trusted by the root of another: %v", err)
			}
		}
	}
}

func TestAnswersToOtherQuestions(t *testing.T) {
	tok, err := timestamp.Parse(stamp(t, timestamptest.New(t, timestamptest.ECDSA), big.NewInt(7)))
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Answers(sha256.Sum256(data), big.NewInt(8)); evidence.CodeOf(err) != evidence.Corrupt {
		t.Errorf("another nonce: %v", err)
	}
	if err := tok.Answers(sha256.Sum256([]byte("x")), big.NewInt(7)); evidence.CodeOf(err) != evidence.Corrupt {
		t.Errorf("another digest: %v", err)
	}
}

func TestOnlyCertificatesForTimestamps(t *testing.T) {
	// OpenSSL refuses to sign with such a certificate, so what it does is done
	// with a good one, which is then exchanged.
	good := golden(t)
	tok, err := timestamp.Parse(good)
	if err != nil || tok == nil {
		t.Fatal(err)
	}
	usage := []byte{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}
	at := bytes.Index(good, usage)
	if at < 0 {
		t.Fatal("the golden timestamp's certificate has no usage")
	}
	bad := bytes.Clone(good)
	bad[at+7] = 1 // server authentication
	if _, err := timestamp.Parse(bad); evidence.CodeOf(err) != evidence.Corrupt {
		t.Errorf("a certificate for servers: %v", err)
	}
}

func golden(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.tsr")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A timestamp of an authority whose certificates have run out since is as good
// as on the day.
func TestGolden(t *testing.T) {
	if *update {
		a := timestamptest.New(t, timestamptest.ECDSA)
		for name, b := range map[string][]byte{"golden.tsr": stamp(t, a, big.NewInt(42)), "golden.pem": a.Roots} {
			if err := os.WriteFile(filepath.Join("testdata", name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tok, err := timestamp.Parse(golden(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Answers(sha256.Sum256(data), big.NewInt(42)); err != nil {
		t.Error(err)
	}
	pem, err := os.ReadFile("testdata/golden.pem")
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Trusted(roots(t, pem)); err != nil {
		t.Error(err)
	}
}

// Every single byte of what is signed counts, wherever it stands.
func TestTamperedTimestamps(t *testing.T) {
	good := golden(t)
	pem, err := os.ReadFile("testdata/golden.pem")
	if err != nil {
		t.Fatal(err)
	}
	pool := roots(t, pem)
	want, err := timestamp.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		tok, err := timestamp.Parse(bad)
		if err == nil && tok.Trusted(pool) == nil && (tok.Digest != want.Digest || !tok.Time.Equal(want.Time)) {
			t.Fatalf("byte %d was changed, and with it what was stamped or when", i)
		}
	}
	if _, err := timestamp.Parse(append(bytes.Clone(good), 0)); err == nil {
		t.Error("something follows")
	}
}

func TestRefusalsAreSaid(t *testing.T) {
	// status rejection, "no\x1b[2J", badAlg
	b := []byte{0x30, 0x13, 0x30, 0x11, 0x02, 0x01, 0x02, 0x30, 0x08, 0x0c, 0x06, 'n', 'o', 0x1b, '[', '2', 'J', 0x03, 0x02, 0x07, 0x80}
	_, err := timestamp.Parse(b)
	if evidence.CodeOf(err) != evidence.Unavailable || !strings.HasSuffix(evidence.MessageOf(err), "status 2, no[2J.") {
		t.Error(err)
	}
}

func TestRootsThatAreNone(t *testing.T) {
	pem, err := os.ReadFile("testdata/golden.pem")
	if err != nil {
		t.Fatal(err)
	}
	roots(t, append(bytes.Clone(pem), pem...))
	for _, s := range []string{"", "x", strings.ReplaceAll(string(pem), "CERTIFICATE", "PRIVATE KEY"), string(pem) + string(pem[:80])} {
		if _, err := timestamp.ParseRoots([]byte(s)); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(golden(f))
	f.Add([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02})
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := timestamp.Parse(b)
		switch {
		case err == nil && (tok.Authority == "" && tok.Time.IsZero()):
			t.Fatal("a timestamp of nobody")
		case err != nil && evidence.CodeOf(err) != evidence.Corrupt && evidence.CodeOf(err) != evidence.Unavailable:
			t.Fatal(err)
		}
	})
}
