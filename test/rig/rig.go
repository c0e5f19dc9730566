// Package rig runs the real binaries for tests: a service in a scratch folder,
// docking stations with simulated cameras, and an HTTP client for each person.
package rig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Binaries is the folder of the binaries under test: CUSTOS_BUILD, or one that
// is built for this test run with the build tag torture.
func Binaries(t testing.TB) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var binaries = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("CUSTOS_BUILD"); dir != "" {
		return dir, nil
	}
	return build("")
})

// Torture is a folder of binaries that CUSTOS_KILL_AT can kill at a step.
func Torture(t testing.TB) string {
	t.Helper()
	dir, err := torture()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var torture = sync.OnceValues(func() (string, error) { return build("torture") })

func build(tags string) (string, error) {
	dir, err := os.MkdirTemp("", "custos-bin-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-tags", tags, "-o", dir+"/", "custos/cmd/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build binaries: %w: %s", err, out)
	}
	return dir, nil
}

// Password is everybody's.
const Password = "a long enough password"

// TLS is the line of a configuration with which New makes a service that
// speaks TLS, though only this machine can reach it.
const TLS = "tls = 'always'"

// Service is a service in a folder of its own. Its methods fail the test.
type Service struct {
	t      testing.TB
	Bin    string
	Dir    string
	URL    string         // once Start has returned
	roots  *x509.CertPool // of a service that speaks TLS by its own authority; else nil
	listen string
	cmd    *exec.Cmd
	log    *os.File
	done   chan error
}

// New makes a service in dir (a fresh scratch folder if ""): configuration,
// with further lines of it, keys, one account a role named like the role, and
// nothing running.
func New(t testing.TB, bin, dir string, config ...string) *Service {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	s := &Service{t: t, Bin: bin, Dir: filepath.Join(dir, "service"), listen: freePort(t)}
	s.Run("admin", "init", "--dir", s.Dir, "--force", "Test Force", "--listen", s.listen)
	s.Configure(`mfa = "optional"`)
	for _, line := range config {
		s.Configure(line)
		if line == TLS {
			s.roots = x509.NewCertPool()
			s.roots.AppendCertsFromPEM([]byte(s.Run("admin", "tls", "--pem")))
		}
	}
	for _, p := range [][3]string{
		{"officer", "4711", "officer"}, {"other", "4702", "officer"}, {"supervisor", "7731", "supervisor"}, {"elsewhere", "7732", "supervisor"}, {"investigator", "5120", "investigator"},
		{"auditor", "", "auditor"}, {"administrator", "", "administrator"},
	} {
		s.RunIn(Password+"\n", "admin", "user", "add", "--login", p[0], "--number", p[1], "--role", p[2], "--password", "-")
	}
	s.post()
	return s
}

// post puts the officers into a unit that the supervisor leads; the supervisor
// called elsewhere has none, and so sees nobody's footage.
func (s *Service) post() {
	s.t.Helper()
	s.Run("admin", "unit", "add", "RESP", "Response")
	const staff = "login,unit,lead,from\nofficer,RESP,no,2000-01-01\nother,RESP,no,2000-01-01\nsupervisor,RESP,yes,2000-01-01\n"
	var preview struct{ Digest string }
	if err := json.Unmarshal([]byte(s.RunIn(staff, "admin", "people", "import", "--dry-run", "--json", "-")), &preview); err != nil {
		s.t.Fatal(err)
	}
	s.RunIn(staff, "admin", "people", "import", "--preview", preview.Digest, "-")
}

func freePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// Run runs a custos command on this service and gives its standard output; it
// must succeed.
func (s *Service) Run(args ...string) string {
	s.t.Helper()
	return s.RunIn("", args...)
}

// RunIn is Run with standard input.
func (s *Service) RunIn(in string, args ...string) string {
	s.t.Helper()
	out, said, err := s.Try(in, args...)
	if err != nil {
		s.t.Fatalf("custos %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
	}
	return out
}

// Try runs a custos command that may fail.
func (s *Service) Try(in string, args ...string) (out, said string, err error) {
	cmd := exec.Command(filepath.Join(s.Bin, "custos"), append([]string{"--config", filepath.Join(s.Dir, "custos.toml")}, args...)...)
	var o, e bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// Configure appends a line to the configuration.
func (s *Service) Configure(line string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir, "custos.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = fmt.Fprintln(f, line)
	if err := errors.Join(err, f.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// Start starts the server with extra environment and waits until it is ready.
// It is stopped with the test.
func (s *Service) Start(env ...string) {
	s.t.Helper()
	if err := s.TryStart(env...); err != nil {
		s.t.Fatalf("start: %v\n%s", err, s.Log())
	}
}

// TryStart is Start for a server that may die at once.
func (s *Service) TryStart(env ...string) error { return s.start("/readyz", env) }

// StartUnready starts a server that lives and cannot be ready, as with a full
// disk, and waits until it answers.
func (s *Service) StartUnready(env ...string) {
	s.t.Helper()
	if err := s.start("/healthz", env); err != nil {
		s.t.Fatalf("start: %v\n%s", err, s.Log())
	}
}

// start starts the server and waits until it answers path with 200.
func (s *Service) start(path string, env []string) error {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.Dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	s.log = log
	s.cmd = exec.Command(filepath.Join(s.Bin, "custos"), "--config", filepath.Join(s.Dir, "custos.toml"), "serve")
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan error, 1)
	cmd, done := s.cmd, s.done
	go func() { done <- cmd.Wait() }()
	s.t.Cleanup(func() { s.Kill() })
	s.URL = "http://" + s.listen
	if s.roots != nil {
		s.URL = "https://" + s.listen
	}
	look := http.Client{Transport: s.Transport()}
	defer look.CloseIdleConnections()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("the server ended: %w", errors.Join(err, errors.New("see its log")))
		default:
		}
		res, err := look.Get(s.URL + path)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("the server was not there within 30 s")
}

// Transport reaches this service, whose authority it trusts.
func (s *Service) Transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if s.roots != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: s.roots}
	}
	return t
}

// For is the same running service for a part of the test. Whoever made the
// service starts and stops it.
func (s *Service) For(t testing.TB) *Service {
	o := *s
	o.t = t
	return &o
}

// At is the service that a restore has made in another folder. It answers at
// the same address, so the docks of s find it, and its people sign in with a
// password alone: a restore leaves the configuration to whoever restores.
func (s *Service) At(dir string) *Service {
	s.t.Helper()
	o := &Service{t: s.t, Bin: s.Bin, Dir: dir, listen: s.listen}
	o.Configure(fmt.Sprintf("listen = %q", s.listen))
	o.Configure(`mfa = "optional"`)
	return o
}

// PID is the server's process.
func (s *Service) PID() int { return s.cmd.Process.Pid }

// Alive tells whether the server runs.
func (s *Service) Alive() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case err := <-s.done:
		s.done <- err
		return false
	default:
		return true
	}
}

// Stop asks the server to stop and waits; it must end with exit code 0.
func (s *Service) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case err := <-s.done:
		s.done <- err
		if err != nil {
			s.t.Fatalf("the server ended badly: %v\n%s", err, s.Log())
		}
	case <-time.After(40 * time.Second):
		s.t.Fatalf("the server does not stop\n%s", s.Log())
	}
	s.end()
}

// Kill ends the server as a power cut does its process.
func (s *Service) Kill() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // gone already: fine
	err := <-s.done
	s.done <- err
	s.end()
}

func (s *Service) end() {
	s.cmd = nil
	_ = s.log.Close() // a log; nothing hangs on it
}

// Log is what the server said.
func (s *Service) Log() string {
	b, err := os.ReadFile(filepath.Join(s.Dir, "server.log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// LogKey is the vkey of the service's log.
func (s *Service) LogKey() string {
	s.t.Helper()
	var keys struct{ LogKey string }
	if err := json.Unmarshal([]byte(s.Run("admin", "keys", "show", "--json")), &keys); err != nil {
		s.t.Fatal(err)
	}
	return keys.LogKey
}

// Person is somebody signed in.
type Person struct {
	t   testing.TB
	s   *Service
	c   http.Client
	Who string
}

// SignIn signs somebody in; see New for who there is.
func (s *Service) SignIn(login string) *Person {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &Person{t: s.t, s: s, c: http.Client{Jar: jar, Timeout: time.Minute, Transport: s.Transport()}, Who: login}
	p.JSON(http.MethodPost, "/api/session", map[string]string{"name": login, "password": Password}, http.StatusOK, nil)
	return p
}

// Cookies is the session as a Cookie header has it.
func (p *Person) Cookies() string {
	p.t.Helper()
	u, err := url.Parse(p.s.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	var list []string
	for _, c := range p.c.Jar.Cookies(u) {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

// Do sends a request and gives status, header and body.
func (p *Person) Do(method, path string, body any, header ...string) (int, http.Header, []byte) {
	p.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.s.URL+path, r)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	// As a page in a browser asks: footage is given to nothing else.
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "cors")
	req.Header.Set("Sec-Fetch-Dest", "empty")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := p.c.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, res.Header, b
}

// JSON sends a request that must be answered with status, and reads the answer.
func (p *Person) JSON(method, path string, body any, status int, into any) {
	p.t.Helper()
	got, _, b := p.Do(method, path, body)
	if got != status {
		p.t.Fatalf("%s: %s %s: %d, want %d: %s\nserver:\n%s", p.Who, method, path, got, status, b, p.s.Log())
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			p.t.Fatalf("%s %s: %v: %s", method, path, err, b)
		}
	}
}

// Footage cuts seconds of Debian's vtest.avi to a file of the kind that its
// name ends with: .mp4 as browsers play it, or .avi, .ts, .mkv, .wav; a name
// that ends with hevc.mp4 is HEVC.
func Footage(t testing.TB, name string, from, seconds int) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	args := []string{"-v", "error", "-nostdin", "-ss", fmt.Sprint(from), "-t", fmt.Sprint(seconds), "-i", "/usr/share/doc/opencv-doc/examples/data/vtest.avi",
		"-f", "lavfi", "-t", fmt.Sprint(seconds), "-i", "anoisesrc=color=brown:amplitude=0.1:sample_rate=16000:seed=1", "-shortest"}
	switch ext := filepath.Ext(name); {
	case ext == ".avi":
		args = append(args, "-c:v", "mpeg4", "-c:a", "mp3")
	case ext == ".wav":
		args = append(args, "-vn")
	case strings.HasSuffix(name, "hevc.mp4"):
		args = append(args, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-c:a", "aac")
	default:
		args = append(args, "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac")
	}
	if out, err := exec.Command("ffmpeg", append(args, p)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return p
}
