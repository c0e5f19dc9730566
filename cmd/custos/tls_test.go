package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"custos/access"
	"custos/client"
	"custos/evidence"
	"custos/identity"
)

// Which services speak TLS, with whose certificates.
func TestWhoSpeaksTLS(t *testing.T) {
	for _, c := range []struct {
		name        string
		cfg         Config
		tls, own    bool
		secure, bad bool
	}{
		{name: "this machine alone", cfg: Config{Listen: "127.0.0.1:8080"}},
		{name: "this machine alone, by name", cfg: Config{Listen: "localhost:8080"}},
		{name: "this machine alone, IPv6", cfg: Config{Listen: "[::1]:8080"}},
		{name: "behind a proxy", cfg: Config{Listen: "127.0.0.1:8080", Proxied: true}, secure: true},
		{name: "everywhere", cfg: Config{Listen: ":8443"}, tls: true, own: true, secure: true},
		{name: "everywhere, IPv4", cfg: Config{Listen: "0.0.0.0:8443"}, tls: true, own: true, secure: true},
		{name: "one address", cfg: Config{Listen: "192.0.2.7:8443"}, tls: true, own: true, secure: true},
		{name: "a name", cfg: Config{Listen: "custos.example:8443"}, tls: true, own: true, secure: true},
		{name: "everywhere, behind a proxy", cfg: Config{Listen: ":8443", Proxied: true}, tls: true, own: true, secure: true},
		{name: "always", cfg: Config{Listen: "127.0.0.1:8080", TLS: "always"}, tls: true, own: true, secure: true},
		{name: "own files", cfg: Config{Listen: ":8443", TLSCert: "a", TLSKey: "b"}, tls: true, secure: true},
		{name: "ACME", cfg: Config{Listen: ":443", ACME: []string{"custos.example"}}, tls: true, secure: true},
		{name: "half a pair", cfg: Config{Listen: ":8443", TLSCert: "a"}, bad: true},
		{name: "both", cfg: Config{Listen: ":8443", TLSCert: "a", TLSKey: "b", ACME: []string{"x.example"}}, bad: true},
		{name: "ACME without names", cfg: Config{Listen: ":8443", ACMEContact: "a@b.example"}, bad: true},
		{name: "off", cfg: Config{Listen: ":8443", TLS: "off"}, bad: true},
		{name: "a name with a path", cfg: Config{Listen: ":8443", Names: []string{"https://custos.example"}}, bad: true},
	} {
		if err := c.cfg.checkTLS(); (err != nil) != c.bad {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.bad {
			continue
		}
		if c.cfg.speaksTLS() != c.tls || c.cfg.ownTLS() != c.own || c.cfg.secure() != c.secure {
			t.Errorf("%s: TLS %v, own %v, secure %v", c.name, c.cfg.speaksTLS(), c.cfg.ownTLS(), c.cfg.secure())
		}
	}
}

// A service that makes its own certificate, from its making to a dock that
// trusts it and nothing else.
func TestOwnAuthorityFromInitToDock(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cfg := Config{Force: "Anytown", Origin: "anytown.custos/log", Listen: "127.0.0.1:0", TLS: "always", Names: []string{"custos.anytown.example"}}
	if err := initService(ctx, dir, cfg); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	quiet := streams{strings.NewReader(""), &out, io.Discard}
	command := func(args ...string) string {
		t.Helper()
		out.Reset()
		if code := run(ctx, append([]string{"--config", filepath.Join(dir, "custos.toml")}, args...), quiet); code != 0 {
			t.Fatalf("%v: %d %s", args, code, out.String())
		}
		return out.String()
	}
	command("admin", "dock", "add", "front desk", "--out", filepath.Join(dir, "dock.toml"))
	fingerprint := command("admin", "tls")
	ca := command("admin", "tls", "--pem")

	full, err := readConfig(filepath.Join(dir, "custos.toml"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := open(ctx, full, logger(Config{LogLevel: "error"}, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	const password = "a long enough password"
	if err := addUser(ctx, a, access.Operator("test"), identity.Person{Login: "auditor", Name: "A", Role: access.Auditor}, password); err != nil {
		t.Fatal(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	url, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- serve(ctx, full, streams{strings.NewReader(""), io.Discard, io.Discard}, func(u string) { url <- u })
	}()
	var base string
	select {
	case base = <-url:
	case err := <-ended:
		t.Fatal(err)
	}

	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ca))
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	res, err := browser.Post(base+"/api/session", "application/json", strings.NewReader(`{"name":"auditor","password":"`+password+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	cookies := res.Cookies()
	if res.StatusCode != 200 || res.ProtoMajor != 2 || len(cookies) != 1 || !cookies[0].Secure || cookies[0].Name != "__Host-custos" ||
		!strings.HasPrefix(res.Header.Get("Strict-Transport-Security"), "max-age=63072000") {
		t.Errorf("%s %s %v %v", res.Status, res.Proto, cookies, res.Header)
	}
	if res, err := browser.Get(base + "/ca.crt"); err != nil {
		t.Error(err)
	} else if b, err := io.ReadAll(res.Body); err != nil || string(b) != ca {
		t.Errorf("the authority that is given out is another: %v %s", err, b)
	}
	if _, err := http.Get(base + "/healthz"); err == nil {
		t.Error("somebody who does not trust the authority gets an answer")
	}
	if res, err := http.Get("http" + strings.TrimPrefix(base, "https") + "/healthz"); err == nil && res.StatusCode < 400 {
		t.Errorf("plain HTTP gets %s", res.Status)
	}
	if !strings.Contains(fingerprint, ":") || !strings.Contains(fingerprint, "custos.anytown.example") {
		t.Errorf("admin tls says %s", fingerprint)
	}
	theDock(t, ctx, filepath.Join(dir, "dock.toml"), base)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// theDock reaches the server with what enrolment wrote, and not without it.
func theDock(t *testing.T, ctx context.Context, file, base string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f dockFile
	if err := toml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(f.Server, "https://") {
		t.Errorf("the dock is to ask %s", f.Server)
	}
	for _, ca := range [][]byte{[]byte(f.CA), nil} {
		c, err := client.New(client.Config{URL: base, Key: f.Key, CA: ca})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Dock(ctx)
		if ca != nil && err != nil {
			t.Errorf("with the authority: %v", err)
		}
		if ca == nil && (evidence.CodeOf(err) != evidence.Unavailable || !strings.Contains(evidence.MessageOf(err), "cannot be trusted")) {
			t.Errorf("without the authority: %v", err)
		}
	}
}
