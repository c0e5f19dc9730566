// Package timestamptest is a timestamp authority for tests: OpenSSL's, behind
// HTTP, with certificates that are made for the test.
package timestamptest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Authority answers timestamp requests. It may be called concurrently.
type Authority struct {
	Roots     []byte // the certificate that leads to it, PEM
	RootsFile string

	dir   string
	mu    sync.Mutex
	down  bool // guarded by mu
	asked int  // guarded by mu
}

// Kind is what an authority signs with.
type Kind string

// The kinds.
const (
	RSA   Kind = "rsa"
	ECDSA Kind = "ecdsa"
)

const config = `[tsa]
default_tsa = one
[one]
serial = %[1]s/serial
signer_cert = %[1]s/signer.pem
certs = %[1]s/between.pem
signer_key = %[1]s/key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = %[2]s
ess_cert_id_chain = no
`

// New makes an authority whose certificate comes from an intermediate one.
func New(t testing.TB, kind Kind) *Authority {
	t.Helper()
	return Make(t, kind, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, "sha256")
}

// Make is New with a certificate for other uses, or with another digest (sha1
// is that of RFC 2634) in the name of the certificate.
func Make(t testing.TB, kind Kind, uses []x509.ExtKeyUsage, essDigest string) *Authority {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl")
	}
	a := &Authority{dir: t.TempDir()}
	root, rootKey := certificate(t, "Test Root", nil, nil, kind, nil)
	between, betweenKey := certificate(t, "Test Intermediate", root, rootKey, kind, nil)
	leaf, key := certificate(t, "Test Time Authority", between, betweenKey, kind, uses)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	write := func(name string, b []byte) string {
		file := filepath.Join(a.dir, name)
		must(t, os.WriteFile(file, b, 0o600))
		return file
	}
	a.Roots = pemOf("CERTIFICATE", root.Raw)
	a.RootsFile = write("root.pem", a.Roots)
	write("between.pem", pemOf("CERTIFICATE", between.Raw))
	write("signer.pem", pemOf("CERTIFICATE", leaf.Raw))
	write("key.pem", pemOf("PRIVATE KEY", der))
	write("serial", []byte("01\n"))
	write("tsa.cnf", fmt.Appendf(nil, config, a.dir, essDigest))
	return a
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// certificate is a root without a parent, an intermediate one without uses.
func certificate(t testing.TB, name string, parent *x509.Certificate, parentKey crypto.Signer, kind Kind, uses []x509.ExtKeyUsage) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	var key crypto.Signer
	var err error
	if kind == RSA {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	must(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Custos test"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true, IsCA: uses == nil,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if uses == nil {
		template.KeyUsage = x509.KeyUsageCertSign
	} else {
		template.ExtraExtensions = []pkix.Extension{keyUsage(t, uses)}
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c, key
}

// keyUsage is the critical extension that RFC 3161 wants; x509 would make it
// one that is not.
func keyUsage(t testing.TB, uses []x509.ExtKeyUsage) pkix.Extension {
	t.Helper()
	var ids []asn1.ObjectIdentifier
	for _, u := range uses {
		ids = append(ids, map[x509.ExtKeyUsage]asn1.ObjectIdentifier{
			x509.ExtKeyUsageTimeStamping: {1, 3, 6, 1, 5, 5, 7, 3, 8}, x509.ExtKeyUsageServerAuth: {1, 3, 6, 1, 5, 5, 7, 3, 1},
		}[u])
	}
	der, err := asn1.Marshal(ids)
	must(t, err)
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: der}
}

// Reply answers a request in DER.
func (a *Authority) Reply(query []byte) ([]byte, error) {
	a.mu.Lock() // OpenSSL counts in a file
	defer a.mu.Unlock()
	a.asked++
	cmd := exec.Command("openssl", "ts", "-reply", "-config", filepath.Join(a.dir, "tsa.cnf"), "-queryfile", "/dev/stdin")
	cmd.Stdin = bytes.NewReader(query)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("openssl ts -reply: %w: %s", err, &problems)
	}
	return out.Bytes(), nil
}

// Down makes the authority answer nothing good, or well again.
func (a *Authority) Down(down bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = down
}

// Asked is how many requests were answered.
func (a *Authority) Asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// ServeHTTP is RFC 3161, 3.4.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	down := a.down
	a.mu.Unlock()
	query, err := io.ReadAll(r.Body)
	if down || err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	b, err := a.Reply(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(b) // the client sees that it is cut off
}

// Verify asks OpenSSL whether response is a timestamp of data by an authority
// that leads to roots.
func Verify(data, response, roots string) error {
	out, err := exec.Command("openssl", "ts", "-verify", "-data", data, "-in", response, "-CAfile", roots).CombinedOutput()
	if err != nil {
		return fmt.Errorf("openssl ts -verify: %w: %s", err, out)
	}
	return nil
}
