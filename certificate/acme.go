package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig says who gives certificates, and for what.
type ACMEConfig struct {
	Hosts     []string // DNS names; others are refused
	Directory string   // URL of the server's directory; "": Let's Encrypt
	Contact   string   // e-mail address that the server may write to; may be ""
	Folder    string   // where account key and certificates are kept
	CA        []byte   // PEM certificates to trust for the directory instead of the system's; nil: the system's
}

// ACME is the source of certificates that an ACME server gives (RFC 8555) and
// that are renewed 30 days before they end. It proves that it has a name by
// tls-alpn-01 on the service's own port, which the server must reach as port
// 443, or by http-01 where Challenges is served on port 80.
type ACME struct{ manager *autocert.Manager }

// NewACME makes the source; the first certificate is fetched when the first
// connection asks for it.
func NewACME(c ACMEConfig) (*ACME, error) {
	if len(c.Hosts) == 0 {
		return nil, errors.New("acme: there is no name to get a certificate for")
	}
	client := &acme.Client{DirectoryURL: c.Directory, UserAgent: "custos"}
	if c.CA != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("acme: the file of the directory's authority holds no certificate")
		}
		client.HTTPClient = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		}}
	}
	return &ACME{&autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.Folder), HostPolicy: autocert.HostWhitelist(c.Hosts...),
		Email: c.Contact, Client: client,
	}}, nil
}

// Certificate gives the certificate for the name that hello asks for.
func (a *ACME) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.manager.GetCertificate(hello)
}

// Protocol is the application protocol of tls-alpn-01; see Config.
const Protocol = acme.ALPNProto

// Challenges answers http-01 and redirects everything else to https.
func (a *ACME) Challenges() http.Handler { return a.manager.HTTPHandler(nil) }
