package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"custos/durable"
)

// How long certificates last. A leaf is made anew at each start and when a
// third of its time is left.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	renewBefore   = leafLife / 3
	clockSkew     = time.Hour // of clients whose clock is behind
)

// Files of an authority in its folder.
const (
	certFile = "ca.crt"
	keyFile  = "ca.key"
)

// Authority signs the server's certificates. Whoever trusts it trusts it for
// the names of this service alone: the names, and addresses of private
// networks, are written into it as the only ones it may vouch for (RFC 5280,
// 4.2.1.10), so its key is worth nothing against other services.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// private are the networks whose addresses an authority may vouch for.
var private = []string{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"}

// OpenAuthority reads the authority in dir, or makes one for names (DNS names
// and addresses) where there is none. It fails where the authority that is
// there may not vouch for one of names: then dir must be removed, and
// everybody who trusts the old one be given the new one.
func OpenAuthority(dir durable.FS, force string, names []string, now time.Time) (*Authority, error) {
	certPEM, err := durable.ReadFile(dir, certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return makeAuthority(dir, force, names, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	keyPEM, err := durable.ReadFile(dir, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority's key: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, errors.New("the authority's certificate and key are damaged or do not belong together") // the cause may quote them
	}
	a := &Authority{cert: pair.Leaf, key: pair.PrivateKey.(crypto.Signer), pem: certPEM}
	if !now.Before(a.cert.NotAfter.Add(-leafLife)) {
		return nil, fmt.Errorf("the service's own authority ends on %s: remove its folder so that a new one is made, and give that to browsers and docks", a.cert.NotAfter.Format(time.DateOnly))
	}
	for _, name := range names {
		if !a.covers(name) {
			return nil, fmt.Errorf("the service's own authority was not made for %s: remove its folder so that a new one is made, and give that to browsers and docks", name)
		}
	}
	return a, nil
}

func makeAuthority(dir durable.FS, force string, names []string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Custos authority of " + force, Organization: []string{force}},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
	}
	for _, network := range private {
		_, n, err := net.ParseCIDR(network)
		if err != nil {
			return nil, err
		}
		t.PermittedIPRanges = append(t.PermittedIPRanges, n)
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip == nil {
			t.PermittedDNSDomains = append(t.PermittedDNSDomains, name)
		} else if !slices.ContainsFunc(t.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) }) {
			t.PermittedIPRanges = append(t.PermittedIPRanges, single(ip))
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	a := &Authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	// The key comes first: with the certificate the authority exists.
	if err := durable.WriteFile(dir, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return nil, err
	}
	return a, durable.WriteFile(dir, certFile, a.pem, 0o600)
}

func single(ip net.IP) *net.IPNet {
	if v4 := ip.To4(); v4 != nil {
		return &net.IPNet{IP: v4, Mask: net.CIDRMask(32, 32)}
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}
}

func serialNumber() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n, nil
}

// covers tells whether the authority may vouch for a name or address.
func (a *Authority) covers(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return slices.ContainsFunc(a.cert.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return slices.ContainsFunc(a.cert.PermittedDNSDomains, func(d string) bool {
		return strings.EqualFold(name, d) || strings.HasSuffix(strings.ToLower(name), "."+strings.ToLower(d))
	})
}

// PEM is the authority's certificate, for those who are to trust it.
func (a *Authority) PEM() []byte { return slices.Clone(a.pem) }

// Fingerprint is the SHA-256 of the certificate in the form in which browsers
// and openssl show it: AB:CD:…
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	var b strings.Builder
	for i := 0; i < len(text); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(text[i : i+2])
	}
	return b.String()
}

// NotAfter is when the authority ends.
func (a *Authority) NotAfter() time.Time { return a.cert.NotAfter }

// issue makes a certificate for names. Its key is in memory alone.
func (a *Authority) issue(names []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, NotBefore: now.Add(-clockSkew), NotAfter: now.Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// Own is the source of certificates of an authority.
type Own struct {
	common    Common
	authority *Authority
	names     func() []string

	mu   sync.Mutex
	leaf *tls.Certificate // guarded by mu
}

// NewOwn is a source of certificates of a for what names gives at the time;
// what a may not vouch for is left out. It fails where nothing is left.
func NewOwn(c Common, a *Authority, names func() []string) (*Own, error) {
	c.fill()
	o := &Own{common: c, authority: a, names: names}
	_, err := o.Certificate(nil)
	return o, err
}

// Certificate gives the present certificate, made anew in time.
func (o *Own) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.common.Now()
	if o.leaf != nil && now.Before(o.leaf.Leaf.NotAfter.Add(-renewBefore)) {
		return o.leaf, nil
	}
	var names []string
	for _, name := range o.names() {
		if o.authority.covers(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("the service has no name that its authority may vouch for")
	}
	leaf, err := o.authority.issue(names, now)
	if err != nil {
		if o.leaf != nil { // better an old one than none
			o.common.Logger.Error("the certificate was not renewed", "err", err)
			return o.leaf, nil
		}
		return nil, err
	}
	o.leaf = leaf
	o.common.Logger.Info("a certificate was made", "names", names, "until", leaf.Leaf.NotAfter.Format(time.DateOnly))
	return leaf, nil
}
