package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"custos/certificate"
	"custos/durable"
	"custos/httpapi"
)

// tlsFolder is where the service keeps its own authority, in the key folder,
// and acmeFolder what an ACME server gave it.
const (
	tlsFolder  = "tls"
	acmeFolder = "acme"
)

// loopback tells whether only this machine can reach the service.
func (c Config) loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func (c Config) checkTLS() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls_cert and tls_key go together")
	}
	if c.TLS != "" && c.TLS != "always" {
		return errors.New("tls: it can only be always")
	}
	if c.TLSCert != "" && len(c.ACME) > 0 {
		return errors.New("tls_cert and acme: a certificate is brought or fetched, not both")
	}
	if len(c.ACME) == 0 && (c.ACMEDirectory != "" || c.ACMEContact != "" || c.ACMECA != "" || c.ACMEHTTP != "") {
		return errors.New("acme: it names nothing to get a certificate for, though other keys of acme are set")
	}
	if c.ACMEHTTP != "" {
		if _, _, err := net.SplitHostPort(c.ACMEHTTP); err != nil {
			return fmt.Errorf("acme_http: %w", err)
		}
	}
	for _, name := range slices.Concat(c.Names, c.ACME) {
		if name == "" || strings.ContainsAny(name, "/: \t") && net.ParseIP(name) == nil {
			return fmt.Errorf("names: %q is neither a name nor an address", name)
		}
	}
	return nil
}

// ownTLS tells whether the service makes its own certificates.
func (c Config) ownTLS() bool {
	return c.TLSCert == "" && len(c.ACME) == 0 && (c.TLS == "always" || !c.loopback())
}

// secure tells whether browsers reach the service over TLS.
func (c Config) secure() bool { return c.speaksTLS() || c.Proxied }

func (c Config) speaksTLS() bool { return c.TLSCert != "" || len(c.ACME) > 0 || c.ownTLS() }

// url is where docks reach the service, as far as the configuration tells.
func (c Config) url() string {
	scheme := "http"
	if c.speaksTLS() {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		host = slices.Concat(c.ACME, c.ownNames())[0]
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// ownNames are the names that the service's own authority is made for.
func (c Config) ownNames() []string {
	if len(c.Names) > 0 {
		return c.Names
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return []string{"localhost"}
	}
	return []string{strings.ToLower(name)}
}

// allNames are ownNames and every address of this machine at the moment.
func (c Config) allNames() []string {
	names := append(slices.Clone(c.ownNames()), "localhost")
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names // the names will do
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			names = append(names, n.IP.String())
		}
	}
	return names
}

// authority is the service's own, made where there is none yet.
func (c Config) authority() (*certificate.Authority, error) {
	dir := filepath.Join(c.Keys, tlsFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	disk, err := durable.Open(dir)
	if err != nil {
		return nil, err
	}
	a, err := certificate.OpenAuthority(disk, c.Force, c.ownNames(), time.Now())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), disk.Close())
	}
	return a, disk.Close()
}

// shown is what the server shows over TLS; without a source it speaks plain HTTP.
type shown struct {
	source     certificate.Source
	protocols  []string
	authority  []byte       // certificate of the service's own authority; nil: it has none
	challenges http.Handler // for plain HTTP; nil: there is none
}

func (a *app) certificates() (s shown, err error) {
	common := certificate.Common{Logger: a.log}
	switch {
	case a.cfg.TLSCert != "":
		s.source, err = certificate.NewFiles(common, a.cfg.TLSCert, a.cfg.TLSKey)
	case len(a.cfg.ACME) > 0:
		return a.fromACME()
	case a.cfg.ownTLS():
		ca, err := a.cfg.authority()
		if err != nil {
			return s, err
		}
		s.authority = ca.PEM()
		s.source, err = certificate.NewOwn(common, ca, a.cfg.allNames)
		a.log.Info("the certificate is of the service's own authority; custos admin tls tells how to trust it", "sha256", ca.Fingerprint())
		return s, err
	}
	return s, err
}

func (a *app) fromACME() (s shown, err error) {
	cfg := certificate.ACMEConfig{Hosts: a.cfg.ACME, Directory: a.cfg.ACMEDirectory, Contact: a.cfg.ACMEContact,
		Folder: filepath.Join(a.cfg.Keys, tlsFolder, acmeFolder)}
	if a.cfg.ACMECA != "" {
		if cfg.CA, err = os.ReadFile(a.cfg.ACMECA); err != nil {
			return s, fmt.Errorf("acme_ca: %w", err)
		}
	}
	source, err := certificate.NewACME(cfg)
	if err != nil {
		return s, err
	}
	s = shown{source: source, protocols: []string{certificate.Protocol}}
	if a.cfg.ACMEHTTP != "" {
		s.challenges = source.Challenges()
	}
	return s, nil
}

// plain serves challenges on plain HTTP until ctx ends.
func (s *server) plain(ctx context.Context) error {
	ln, err := net.Listen("tcp", s.app.cfg.ACMEHTTP)
	if err != nil {
		return fmt.Errorf("listen for challenges: %w", err)
	}
	h := &http.Server{Handler: s.challenges, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = h.Close() }) // nobody is in the middle of anything
	defer stop()
	if err := h.Serve(httpapi.LimitConnections(ln, 16, false)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type tlsCmd struct {
	PEM  bool `name:"pem" help:"The certificate itself, PEM." xor:"form"`
	JSON bool `name:"json" help:"One JSON object." xor:"form"`
}

// Run shows the certificate of the service's own authority.
func (t *tlsCmd) Run(c *cli, s streams) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	if !cfg.ownTLS() {
		return errors.New("this service has no authority of its own: it speaks plain HTTP on this machine, or shows a certificate that somebody else has signed")
	}
	a, err := cfg.authority()
	if err != nil {
		return err
	}
	file := filepath.Join(cfg.Keys, tlsFolder, "ca.crt")
	switch {
	case t.PEM:
		_, err := s.out.Write(a.PEM())
		return err
	case t.JSON:
		return printJSON(s, map[string]any{"file": file, "sha256": a.Fingerprint(), "notAfter": a.NotAfter(), "names": cfg.ownNames()})
	}
	fmt.Fprintf(s.out, `The authority of this service: %s
SHA-256 fingerprint, to be compared on every machine that is given it:
  %s
It ends on %s. It vouches for %s and addresses of private networks alone.

Browsers on Debian:   copy it to /usr/local/share/ca-certificates/custos.crt, then update-ca-certificates
Firefox:              Settings, Privacy & Security, Certificates, Authorities, Import
Windows:              certutil -addstore Root ca.crt, or the group policy "Trusted Root Certification Authorities"
macOS:                security add-trusted-cert -d -k /Library/Keychains/System.keychain ca.crt
Docking stations:     nothing to do: custos admin dock add writes it into their file

It can also be fetched from %s/ca.crt: then the fingerprint is all that tells it from a forged one.
`, file, a.Fingerprint(), a.NotAfter().Format(time.DateOnly), strings.Join(cfg.ownNames(), ", "), cfg.url())
	return nil
}
