package certificate_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"custos/certificate"
	"custos/durable"
)

var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func folder(t *testing.T) (durable.FS, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := durable.Open(dir)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d, dir
}

// ask connects to a server with source and gives what it showed.
func ask(t *testing.T, s certificate.Source, roots *x509.CertPool, name string, now time.Time, change func(*tls.Config)) (tls.ConnectionState, error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		s := tls.Server(c, certificate.Config(s))
		_ = s.Handshake() // the client says how it went
		_, _ = io.Copy(io.Discard, s)
	}()
	cfg := &tls.Config{RootCAs: roots, ServerName: name, Time: func() time.Time { return now }, NextProtos: []string{"h2"}}
	if change != nil {
		change(cfg)
	}
	c, err := tls.Dial("tcp", ln.Addr().String(), cfg)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	return c.ConnectionState(), nil
}

func pool(t *testing.T, a *certificate.Authority) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("the authority is no certificate")
	}
	return p
}

func TestOwnAuthority(t *testing.T) {
	dir, path := folder(t)
	names := []string{"custos.force.example", "203.0.113.5"}
	a, err := certificate.OpenAuthority(dir, "Anytown Police", names, begin)
	must(t, err)
	now := begin
	all := append(names, "10.1.2.3", "127.0.0.1", "localhost", "8.8.8.8", "elsewhere.example")
	own, err := certificate.NewOwn(certificate.Common{Now: func() time.Time { return now }}, a, func() []string { return all })
	must(t, err)
	for name, ok := range map[string]bool{
		"custos.force.example": true, "203.0.113.5": true, "10.1.2.3": true, "localhost": true,
		"8.8.8.8": false, "elsewhere.example": false, "other.example": false,
	} {
		st, err := ask(t, own, pool(t, a), name, now, nil)
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
		if ok && st.Version != tls.VersionTLS13 {
			t.Errorf("%s: TLS version %x", name, st.Version)
		}
	}
	info, err := os.Stat(filepath.Join(path, "ca.key"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v", info.Mode())
	}
	// The same is there at the next start; names it was not made for are not taken.
	again, err := certificate.OpenAuthority(dir, "Anytown Police", names, begin.Add(time.Hour))
	must(t, err)
	if again.Fingerprint() != a.Fingerprint() || len(a.Fingerprint()) != 95 {
		t.Errorf("the fingerprints are %s and %s", a.Fingerprint(), again.Fingerprint())
	}
	if _, err := certificate.OpenAuthority(dir, "Anytown Police", []string{"new.example"}, begin); err == nil || !strings.Contains(err.Error(), "new.example") {
		t.Errorf("a name that it was not made for: %v", err)
	}
}

// A thief of the authority's key can make nothing that a browser believes for
// another service.
func TestAuthorityVouchesForItsNamesAlone(t *testing.T) {
	dir, path := folder(t)
	a, err := certificate.OpenAuthority(dir, "F", []string{"custos.force.example"}, begin)
	must(t, err)
	pair, err := tls.LoadX509KeyPair(filepath.Join(path, "ca.crt"), filepath.Join(path, "ca.key"))
	must(t, err)
	for name, ok := range map[string]bool{"custos.force.example": true, "bank.example": false} {
		forged, err := certificate.Forge(pair, name, begin)
		must(t, err)
		_, err = forged.Verify(x509.VerifyOptions{Roots: pool(t, a), DNSName: name, CurrentTime: begin})
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		return
	}
	out, err := exec.Command("openssl", "x509", "-in", filepath.Join(path, "ca.crt"), "-noout", "-text", "-fingerprint", "-sha256").CombinedOutput()
	must(t, err)
	for _, want := range []string{"CA:TRUE, pathlen:0", "X509v3 Name Constraints: critical", "DNS:custos.force.example", a.Fingerprint()} {
		if !strings.Contains(string(out), want) {
			t.Errorf("openssl does not say %q:\n%s", want, out)
		}
	}
}

func TestOwnCertificateIsRenewedWhileRunning(t *testing.T) {
	dir, _ := folder(t)
	a, err := certificate.OpenAuthority(dir, "F", []string{"custos.force.example"}, begin)
	must(t, err)
	now := begin
	own, err := certificate.NewOwn(certificate.Common{Now: func() time.Time { return now }}, a, func() []string { return []string{"custos.force.example"} })
	must(t, err)
	serial := func() string {
		c, err := own.Certificate(nil)
		must(t, err)
		return c.Leaf.SerialNumber.String()
	}
	first := serial()
	for range 600 { // days
		now = now.Add(24 * time.Hour)
		if _, err := ask(t, own, pool(t, a), "custos.force.example", now, nil); err != nil {
			t.Fatalf("on %s: %v", now.Format(time.DateOnly), err)
		}
		if now.Sub(begin) == 59*24*time.Hour && serial() != first {
			t.Error("renewed too early")
		}
	}
	if serial() == first {
		t.Error("never renewed")
	}
}

func TestOldProtocolsAreNotSpoken(t *testing.T) {
	dir, _ := folder(t)
	a, err := certificate.OpenAuthority(dir, "F", []string{"localhost"}, begin)
	must(t, err)
	own, err := certificate.NewOwn(certificate.Common{Now: func() time.Time { return begin }}, a, func() []string { return []string{"localhost"} })
	must(t, err)
	for _, c := range []struct {
		name   string
		change func(*tls.Config)
		ok     bool
	}{
		{"TLS 1.3", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, true},
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, true},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, false},
		{"CBC", func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		}, false},
	} {
		if _, err := ask(t, own, pool(t, a), "localhost", begin, c.change); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFilesAreReadAnewWhenTheyChange(t *testing.T) {
	source := t.TempDir()
	write := func(name string) *x509.Certificate {
		cert, key, err := certificate.SelfSigned(name, begin)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(source, "tls.crt"), cert, 0o600))
		must(t, os.WriteFile(filepath.Join(source, "tls.key"), key, 0o600))
		b, _ := pem.Decode(cert)
		c, err := x509.ParseCertificate(b.Bytes)
		must(t, err)
		return c
	}
	write("one.example")
	now := begin
	var said bytes.Buffer
	f, err := certificate.NewFiles(certificate.Common{Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&said, nil))},
		filepath.Join(source, "tls.crt"), filepath.Join(source, "tls.key"))
	must(t, err)
	shows := func(name string) {
		t.Helper()
		now = now.Add(11 * time.Second)
		c, err := f.Certificate(nil)
		must(t, err)
		if c.Leaf.DNSNames[0] != name {
			t.Errorf("shown is %v, want %s", c.Leaf.DNSNames, name)
		}
	}
	shows("one.example")
	two := write("two.example")
	shows("two.example")
	must(t, os.WriteFile(filepath.Join(source, "tls.key"), []byte("half of a"), 0o600))
	shows("two.example")
	shows("two.example")
	if n := strings.Count(said.String(), "cannot be used"); n != 1 {
		t.Errorf("said %d times that the file is bad:\n%s", n, said.String())
	}
	must(t, os.Remove(filepath.Join(source, "tls.crt")))
	shows("two.example")
	_ = two
	write("three.example")
	shows("three.example")
	if _, err := certificate.NewFiles(certificate.Common{}, "nowhere.crt", "nowhere.key"); err == nil {
		t.Error("files that are not there are a certificate")
	}
}

// A real ACME server (Let's Encrypt's pebble, in build/tools) gives a
// certificate: account, order, tls-alpn-01 on our port, issue.
func TestACMEWithPebble(t *testing.T) {
	pebble := tool(t, "pebble")
	const host = "custos.force.example"
	port := func() string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer ln.Close()
		_, p, err := net.SplitHostPort(ln.Addr().String())
		must(t, err)
		return p
	}
	dir := t.TempDir()
	files := func(name string, content []byte) string {
		p := filepath.Join(dir, name)
		must(t, os.WriteFile(p, content, 0o600))
		return p
	}
	cert, key, err := certificate.SelfSigned("localhost", time.Now())
	must(t, err)
	directory, management, validation, unused := port(), port(), port(), port()
	config := files("pebble.json", []byte(`{"pebble":{"listenAddress":"127.0.0.1:`+directory+`","managementListenAddress":"127.0.0.1:`+management+
		`","certificate":"`+files("p.crt", cert)+`","privateKey":"`+files("p.key", key)+`","httpPort":`+unused+`,"tlsPort":`+validation+`,"ocspResponderURL":"","externalAccountBindingRequired":false}}`))
	cmd := exec.Command(pebble, "-config", config, "-dnsserver", nameServer(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }() // ours, and no longer needed

	source, err := certificate.NewACME(certificate.ACMEConfig{
		Hosts: []string{host}, Directory: "https://localhost:" + directory + "/dir", Contact: "it@force.example",
		Folder: filepath.Join(dir, "acme"), CA: cert,
	})
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:"+validation)
	must(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })}
	go func() { _ = srv.Serve(tls.NewListener(ln, certificate.Config(source, certificate.Protocol))) }()
	defer srv.Close()

	// Trust what pebble's management says its root is: only its own can have signed ours.
	trust := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: poolOf(cert)}}}
	var root []byte
	for deadline := time.Now().Add(20 * time.Second); root == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("pebble does not start: %s", said.String())
		}
		if res, err := trust.Get("https://localhost:" + management + "/roots/0"); err == nil {
			root, _ = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
	}
	here := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: here, TLSClientConfig: &tls.Config{RootCAs: poolOf(root)}}}
	res, err := client.Get("https://" + host + "/")
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	must(t, res.Body.Close())
	if names := res.TLS.PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != host {
		t.Errorf("the certificate is for %v", names)
	}
	// A name that is not ours is not asked for.
	other := &tls.Config{RootCAs: poolOf(root), ServerName: "evil.example"}
	if c, err := tls.Dial("tcp", "127.0.0.1:"+validation, other); err == nil {
		_ = c.Close()
		t.Error("there is a certificate for a name that is not configured")
	}
	// Plain HTTP is for challenges, and else sends people to https.
	w := httptest.NewRecorder()
	source.Challenges().ServeHTTP(w, httptest.NewRequest("GET", "http://"+host+"/recordings", nil))
	if w.Code != http.StatusFound || w.Header().Get("Location") != "https://"+host+"/recordings" {
		t.Errorf("plain HTTP gives %d %v", w.Code, w.Header())
	}
}

// nameServer answers every question for an address with this machine's, over
// TCP (RFC 1035, 4.2.2).
func nameServer(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	answer := func(c net.Conn) {
		defer c.Close()
		var length [2]byte
		for {
			if _, err := io.ReadFull(c, length[:]); err != nil {
				return
			}
			q := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(c, q); err != nil {
				return
			}
			end := 12 + bytes.IndexByte(q[12:], 0) + 5 // after the name, its kind and class
			a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
			if q[end-3] == 1 { // an IPv4 address
				a[7] = 1
				a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1)
			}
			if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return ln.Addr().String()
}

func poolOf(text []byte) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(text)
	return p
}

// tool is a program that make tools builds.
func tool(t *testing.T, name string) string {
	t.Helper()
	p := os.Getenv("CUSTOS_PEBBLE")
	if p == "" {
		p = "../build/tools/" + name
	}
	if _, err := os.Stat(p); err != nil {
		if os.Getenv("CUSTOS_TEST_ALL") != "" {
			t.Fatalf("%s is missing: make tools", name)
		}
		t.Skipf("%s is missing: make tools", name)
	}
	return p
}
