package torture

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"custos/test/rig"
)

// attackTime is the most that one run of one tool takes.
const attackTime = 3 * time.Minute

// TestAttack turns the attackers' own tools on a service on this machine that
// speaks TLS as one that others can reach does: as nobody, and as an officer
// who is signed in. It passes only if they find nothing and the service is
// well afterwards. TestAttackersFindWhatIsThere shows that they would.
func TestAttack(t *testing.T) {
	attackers(t)
	// The rates are off, or the tools would meet 429 and never the routes.
	s := rig.New(t, rig.Binaries(t), "", rig.TLS, "requests_per_address = -1", "requests_per_account = -1", "sign_ins_per_address = -1")
	s.Start()
	dock := s.NewDock("desk")
	camera := dock.Camera("bay-1", "K-0417", "4711")
	dock.Put(camera, "K-0417", "4711", "100000", 1, rig.Footage(t, "film.mp4", 0, 4))
	dock.Empty(2 * time.Minute)
	officer := s.SignIn("officer")
	var page struct{ Items []struct{ ID string } }
	officer.JSON(http.MethodGet, "/api/recordings", nil, http.StatusOK, &page)
	if len(page.Items) == 0 {
		t.Fatal("there is nothing to attack")
	}
	at := target{URL: s.URL, Dir: t.TempDir(), Recording: page.Items[0].ID}
	for _, who := range []string{"nobody", "officer"} {
		at.Cookie = ""
		if who == "officer" {
			at.Cookie = officer.Cookies()
		}
		t.Run("sqlmap as "+who, func(t *testing.T) { at.nothing(t, at.sqlmap) })
		t.Run("wapiti as "+who, func(t *testing.T) { at.nothing(t, at.wapiti) })
		t.Run("ffuf as "+who, func(t *testing.T) { at.nothing(t, at.ffuf) })
	}
	// What an officer may not open is searched by others.
	for who, routes := range map[string][][3]string{
		"administrator": {{"GET", "/api/people?text=patel&role=officer&after=a", ""}},
		"investigator":  {{"GET", "/api/cases?text=street", ""}},
		"auditor":       {{"GET", "/api/trail?reference=AP-1&purpose=review&verb=consult&phase=intent", ""}, {"GET", "/api/trail-people?word=ad", ""}},
	} {
		p := s.SignIn(who)
		for _, r := range routes { // they are open to them
			p.JSON(r[0], r[1], nil, http.StatusOK, nil)
		}
		other := target{URL: s.URL, Dir: at.Dir, Cookie: p.Cookies(), Routes: routes}
		t.Run("sqlmap as "+who, func(t *testing.T) { other.nothing(t, other.sqlmap) })
	}
	t.Run("slowhttptest", func(t *testing.T) { at.nothing(t, at.slow) })
	t.Run("more connections than one address may have", func(t *testing.T) { at.crowd(t, s) })

	// The service is well, and did not fail once.
	well(t, s)
}

// well checks health, memory, log and ledger of a service after an attack.
func well(t *testing.T, s *rig.Service) {
	t.Helper()
	who := s.SignIn("supervisor")
	who.JSON(http.MethodGet, "/readyz", nil, http.StatusOK, nil)
	who.JSON(http.MethodGet, "/api/recordings", nil, http.StatusOK, nil)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	rss := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if kb, err := strconv.Atoi(string(rss[1])); err != nil || kb > 700<<10 {
		t.Errorf("the server holds %s kB", rss[1])
	} else {
		t.Logf("the server holds %d MB", kb>>10)
	}
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "status=5") || strings.Contains(line, "level=ERROR") {
			t.Errorf("the server failed: %s", line)
		}
	}
	if out, said, err := s.Try("", "admin", "fsck"); err != nil {
		t.Errorf("fsck: %v\n%s%s", err, out, said)
	}
}

// attackers makes sure that the tools are there, where they are asked for.
func attackers(t *testing.T) {
	t.Helper()
	if os.Getenv("CUSTOS_ATTACK") == "" {
		t.Skip("an attack takes 20 minutes and tools of its own: make torture, or CUSTOS_ATTACK=1")
	}
	for _, tool := range []string{"sqlmap", "wapiti", "ffuf", "slowhttptest"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: scripts/setup attack", tool)
		}
	}
}

// target is what is attacked.
type target struct {
	URL, Cookie, Dir, Recording string
	Routes                      [][3]string // that sqlmap tries, with method and body; nil: those of an officer
}

// nothing runs a tool, which must find nothing.
func (a target) nothing(t *testing.T, tool func(*testing.T) []string) {
	t.Helper()
	begun := time.Now()
	for _, f := range tool(t) {
		t.Errorf("found: %s", f)
	}
	t.Logf("took %s", time.Since(begun).Round(time.Second))
}

// tool runs a program for at most attackTime and gives what it said. How it
// ends says nothing: what it found is in its report.
func (a target) tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), attackTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = a.Dir
	cmd.Env = append(os.Environ(), "HOME="+a.Dir, "NO_COLOR=1", "TERM=dumb")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	out, _ := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Logf("%s was stopped after %s", name, attackTime)
	}
	return string(out)
}

// request is a file as sqlmap -r reads it; * marks where to inject besides
// the parameters.
func (a target) request(t *testing.T, n int, method, path, body string) string {
	t.Helper()
	host := strings.TrimPrefix(strings.TrimPrefix(a.URL, "https://"), "http://")
	text := method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Dest: empty\r\nAccept: */*\r\n"
	if a.Cookie != "" {
		text += "Cookie: " + a.Cookie + "\r\n"
	}
	if body != "" {
		text += "Content-Type: application/json\r\n"
	}
	file := filepath.Join(a.Dir, fmt.Sprintf("request-%d", n))
	if err := os.WriteFile(file, []byte(text+"\r\n"+body), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// injectable is how sqlmap says that it has found something.
var injectable = regexp.MustCompile(`(?m)^(Parameter: .*|.*identified the following injection point.*|.*is vulnerable.*| +(?:Type|Title|Payload): .*)$`)

// tried is how sqlmap says that it has tried everything for nothing.
const tried = "do not appear to be injectable"

// officers are the routes of an officer and of nobody; * marks a place in a path.
func (a target) officers() [][3]string {
	return [][3]string{
		{"GET", "/api/recordings?officer=4711&device=K-0417&cursor=x", ""},
		{"GET", "/api/recordings/days?zone=UTC&officer=4711", ""},
		{"GET", "/api/recordings/" + a.Recording + "*", ""},
		{"GET", "/api/recordings/" + a.Recording + "*/history", ""},
		{"POST", "/api/session", `{"name":"officer","password":"guess"}`},
		{"POST", "/api/recordings/" + a.Recording + "/consultations", `{"purpose":{"code":"review","reference":"42AB/1/26","note":"x"}}`},
	}
}

func (a target) sqlmap(t *testing.T) (found []string) {
	deadline := time.Now().Add(attackTime)
	routes := a.Routes
	if routes == nil {
		routes = a.officers()
	}
	for n, r := range routes {
		if time.Now().After(deadline) {
			t.Logf("stopped before %s %s", r[0], r[1])
			break
		}
		args := []string{"-r", a.request(t, n, r[0], r[1], r[2]), "--ignore-stdin", "--batch", "--disable-coloring", "--flush-session", "--output-dir", filepath.Join(a.Dir, "sqlmap"),
			"--level", "1", "--risk", "1", "--technique", "BEUS", "--timeout", "10", "--retries", "0", "--ignore-code", "401,403,404,413,422,429", "--answers", "follow=N"}
		if strings.HasPrefix(a.URL, "https:") {
			args = append(args, "--force-ssl")
		}
		out := a.tool(t, "sqlmap", args...)
		faults := injectable.FindAllString(out, -1)
		if len(faults) > 0 {
			// A hole is there each time. A list that has changed between two
			// questions, as the trail does by each of them, looks like one once.
			t.Logf("once: %s", strings.Join(faults, "\n"))
			out = a.tool(t, "sqlmap", args...)
			faults = injectable.FindAllString(out, -1)
		}
		if len(faults) == 0 && !strings.Contains(out, tried) {
			t.Errorf("sqlmap did not try %s %s:\n%s", r[0], r[1], out)
		}
		for _, f := range faults {
			found = append(found, r[0]+" "+r[1]+": "+f)
		}
	}
	return found
}

// expected is what wapiti says of every service that does as it should.
var expected = map[string]string{
	"X-XSS-Protection is not set": "browsers have removed what it steered; a policy does its work",
}

func (a target) wapiti(t *testing.T) (found []string) {
	report := filepath.Join(a.Dir, fmt.Sprintf("wapiti-%d.json", time.Now().UnixNano()))
	args := []string{"-u", a.URL + "/", "--scope", "folder", "-f", "json", "-o", report, "--flush-session", "--store-session", filepath.Join(a.Dir, "wapiti"),
		"--no-bugreport", "--verify-ssl", "0", "-S", "normal", "--max-scan-time", "60", "--max-attack-time", "30", "-t", "10",
		"-m", "backup,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,redirect,shellshock,sql,xss,xxe",
		"-H", "Sec-Fetch-Site: same-origin", "-H", "Sec-Fetch-Dest: empty"}
	if a.Cookie != "" {
		args = append(args, "-H", "Cookie: "+a.Cookie)
	}
	for _, path := range []string{"/api/session", "/api/recordings?officer=4711&device=K-0417", "/api/recordings/days?zone=UTC", "/api/recordings/" + a.Recording,
		"/api/recordings/" + a.Recording + "/poster?segment=1", "/api/recordings/" + a.Recording + "/history", "/recordings?view=table", "/log/checkpoint", "/media/x/1/master"} {
		args = append(args, "-s", a.URL+path)
	}
	out := a.tool(t, "wapiti", args...)
	b, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("wapiti wrote no report: %v\n%s", err, out)
	}
	var said struct {
		Vulnerabilities, Anomalies map[string][]struct{ Method, Path, Info, Parameter string }
		Infos                      struct {
			Crawled int `json:"crawled_pages_nbr"`
		}
	}
	if err := json.Unmarshal(b, &said); err != nil {
		t.Fatal(err)
	}
	for _, kinds := range []map[string][]struct{ Method, Path, Info, Parameter string }{said.Vulnerabilities, said.Anomalies} {
		for kind, list := range kinds {
			for _, f := range list {
				if why := expected[f.Info]; why != "" {
					t.Logf("not counted: %s: %s", f.Info, why)
					continue
				}
				found = append(found, fmt.Sprintf("%s: %s %s %s %s", kind, f.Method, f.Path, f.Parameter, f.Info))
			}
		}
	}
	return found
}

// hidden are names under which services leave what nobody was to see.
var hidden = strings.Fields(`.git/config .git/HEAD .svn/entries .env .htaccess .htpasswd .DS_Store .bash_history .ssh/id_rsa admin admin/ administrator
actuator actuator/env actuator/heapdump api/ api-docs api/v1 api/docs api/swagger api/openapi api/openapi.json api/users api/people api/admin api/debug api/config api/keys api/tokens
backup backup.sql backup.zip backup.tar.gz cgi-bin/ config config.json config.toml config.yml console core custos.toml custos.db custos.db-wal database.sql db.sqlite debug debug/pprof/
debug/pprof/heap debug/vars docs dump.sql env error_log files files/ graphql health heapdump id_rsa index.php info.php internal keys keys/server.key keys/signing.json keys/tls/ca.key lock
log/ log/tile log/entries logs logs/server.log media media/ metrics/ openapi.json openapi.yaml phpinfo.php phpmyadmin private robots.txt root scratch secret secrets.json server-info server-status
server.key server.log service setup.php shell sitemap.xml sql status store store/objects swagger swagger.json swagger-ui swagger-ui.html temp test tls.key tmp trace upload uploads users var/log
vendor wp-admin wp-config.php wp-login.php xmlrpc.php ..%2f..%2fetc%2fpasswd %2e%2e/%2e%2e/etc/passwd ..%5c..%5cetc ..;/admin assets/..%2fcustos.toml assets/%2e%2e/%2e%2e/custos.toml
log/..%2f..%2fcustos.toml log/%2e%2e/custos.db api/recordings/../../custos.toml`)

// open are the places that ffuf may find: pages and routes for everybody.
var open = []string{"", "recordings", "docks", "system", "sign-in", "healthz", "readyz", "metrics", "ca.crt", "log/checkpoint", "api/session"}

func (a target) ffuf(t *testing.T) (found []string) {
	var words []string
	for _, w := range append(slices.Clone(hidden), open...) {
		words = append(words, w)
		if w != "" && !strings.HasSuffix(w, "/") {
			words = append(words, w+"~", w+".bak", w+".old", w+".zip", w+".swp")
		}
	}
	for i := range 400 { // and numbers, as a guess at identifiers
		words = append(words, "api/recordings/"+strconv.Itoa(i), "media/"+strconv.Itoa(i)+"/1/master")
	}
	list := filepath.Join(a.Dir, "words")
	if err := os.WriteFile(list, []byte(strings.Join(words, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(a.Dir, "ffuf.json")
	_ = os.Remove(report) // of the run before
	args := []string{"-w", list, "-u", a.URL + "/FUZZ", "-mc", "all", "-fc", "404", "-o", report, "-of", "json", "-maxtime", "120", "-t", "8", "-s"}
	if a.Cookie != "" {
		args = append(args, "-H", "Cookie: "+a.Cookie)
	}
	out := a.tool(t, "ffuf", args...)
	b, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("ffuf wrote no report: %v\n%s", err, out)
	}
	var said struct {
		Results []struct {
			Input  map[string]string
			Status int
			Length int
		}
	}
	if err := json.Unmarshal(b, &said); err != nil {
		t.Fatal(err)
	}
	if len(said.Results) < 5 {
		t.Errorf("ffuf has not even found what is open: %+v\n%s", said.Results, out)
	}
	for _, r := range said.Results {
		word := r.Input["FUZZ"]
		switch {
		case slices.Contains(open, word):
		case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden, r.Status == http.StatusPreconditionFailed: // asked who one is, or refused
		default:
			found = append(found, fmt.Sprintf("/%s: %d, %d bytes", word, r.Status, r.Length))
		}
	}
	return found
}

// slow holds connections open in three ways, and the service must be there all
// the time.
func (a target) slow(t *testing.T) (found []string) {
	for _, way := range []struct {
		name string
		args []string
	}{
		{"slow heads (slowloris)", []string{"-H", "-u", a.URL + "/healthz", "-t", "GET"}},
		{"slow bodies (R.U.D.Y.)", []string{"-B", "-u", a.URL + "/api/session", "-t", "POST", "-s", "8192"}},
		{"slow reading", []string{"-X", "-u", a.URL + "/", "-w", "1", "-y", "16", "-n", "5", "-z", "8", "-k", "3"}},
	} {
		out := a.tool(t, "slowhttptest", append(way.args, "-c", "400", "-i", "5", "-r", "200", "-l", "25", "-p", "5", "-x", "24")...)
		if !strings.Contains(out, "service available") {
			t.Errorf("slowhttptest did not run: %s", out)
		}
		for line := range strings.Lines(out) {
			if regexp.MustCompile(`service available:.*NO`).MatchString(line) {
				found = append(found, way.name+": the service was not available")
				break
			}
		}
	}
	return found
}

// crowd opens more connections than one address may, and somebody at another
// address is answered all the time.
func (a target) crowd(t *testing.T, s *rig.Service) {
	ended := make(chan string, 1)
	go func() {
		ended <- a.tool(t, "slowhttptest", "-H", "-u", a.URL+"/healthz", "-c", "1500", "-i", "5", "-r", "500", "-l", "20", "-p", "5", "-x", "24")
	}()
	transport := s.Transport()
	transport.DisableKeepAlives = true
	transport.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 5 * time.Second}).DialContext
	other := http.Client{Transport: transport, Timeout: 10 * time.Second}
	tries := 0
	for {
		select {
		case <-ended:
			if tries < 20 {
				t.Errorf("only %d requests were tried", tries)
			}
			return
		default:
		}
		tries++
		res, err := other.Get(a.URL + "/healthz")
		if err != nil {
			t.Fatalf("request %d from another address: %v", tries, err)
		}
		_ = res.Body.Close()
		time.Sleep(50 * time.Millisecond)
	}
}

// TestAttackersFindWhatIsThere turns the same tools on a service that has what
// they look for: an attack that finds nothing anywhere proves nothing.
func TestAttackersFindWhatIsThere(t *testing.T) {
	attackers(t)
	srv := httptest.NewUnstartedServer(careless(t))
	// As a server with few workers and no limits of time.
	srv.Listener = &few{Listener: srv.Listener, most: 40}
	srv.Start()
	defer srv.Close()
	for _, c := range []struct {
		name string
		run  func(target, *testing.T) []string
		want string
	}{
		{"sqlmap", target.sqlmap, "Parameter: officer"},
		{"wapiti", target.wapiti, "Cross Site Scripting"},
		{"ffuf", target.ffuf, "/.git/config: 200"},
		{"slowhttptest", target.slow, "the service was not available"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := target{URL: srv.URL, Dir: t.TempDir(), Recording: "1"}
			found := strings.Join(c.run(at, t), "\n")
			if !strings.Contains(found, c.want) {
				t.Errorf("not found is %q; found is\n%s", c.want, found)
			}
		})
	}
}

// few is a listener of a server that has only so many workers.
type few struct {
	net.Listener
	most int64
	open atomic.Int64
}

func (f *few) Accept() (net.Conn, error) {
	for f.open.Load() >= f.most {
		time.Sleep(10 * time.Millisecond)
	}
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	f.open.Add(1)
	return &worker{c, func() { f.open.Add(-1) }, atomic.Bool{}}, nil
}

type worker struct {
	net.Conn
	done   func()
	closed atomic.Bool
}

func (w *worker) Close() error {
	if !w.closed.Swap(true) {
		w.done()
	}
	return w.Conn.Close()
}
