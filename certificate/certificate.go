// Package certificate gives the server what it shows to those who connect over
// TLS: a certificate of the service's own authority, made at the first start;
// one that the force brings, read anew when its files change; or one that an
// ACME server (RFC 8555) gives and renews.
//
// It also says which protocol versions and suites are spoken: TLS 1.3, and 1.2
// with forward secrecy and authenticated encryption alone.
package certificate

import (
	"crypto/tls"
	"log/slog"
	"time"
)

// Source gives the certificate for a connection that begins. It is safe for
// concurrent use.
type Source interface {
	Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
}

// Common is what every source needs.
type Common struct {
	Now    func() time.Time
	Logger *slog.Logger
}

func (c *Common) fill() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Config is the TLS configuration of a server that shows the certificates of
// s, with further application protocols besides HTTP.
func Config(s Source, protocols ...string) *tls.Config {
	return &tls.Config{
		GetCertificate: s.Certificate,
		MinVersion:     tls.VersionTLS12,
		// Of TLS 1.2; those of 1.3 are all good and cannot be chosen.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos: append([]string{"h2", "http/1.1"}, protocols...),
	}
}
