package e2e

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"custos/bundle"
	"custos/test/rig"
	"custos/timestamp/timestamptest"
	"custos/tlog"
	"custos/tlog/tlogtest"
	"custos/witness"
	"custos/witness/witnesstest"
)

// watched is a service whose log outsiders vouch for: a stock witness, one of
// ours with a post-quantum key, and OpenSSL as timestamp authority.
type watched struct {
	*shift
	stock  *rig.StockWitness
	ours   *witnesstest.Witness
	time   *timestamptest.Authority
	policy string // file
	rules  *tlog.Policy

	accounts int
	who      map[*testing.T]*rig.Person // one sign-in a part: they are limited
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	s := rig.New(t, rig.Binaries(t), "")
	w := &watched{shift: &shift{s: s, native: map[string][]byte{}}, who: map[*testing.T]*rig.Person{}}
	log := s.LogKey()
	origin, _, _ := strings.Cut(log, "+")
	w.stock = rig.NewStockWitness(t, "stock.example/w", origin, log)
	w.ours = witnesstest.New("ours.example/w", tlogtest.MLDSA44, log)
	ours := httptest.NewServer(w.ours)
	t.Cleanup(ours.Close)
	w.time = timestamptest.New(t, timestamptest.ECDSA)
	authority := httptest.NewServer(w.time)
	t.Cleanup(authority.Close)

	text := "log " + log + "\n" + fmt.Sprintf("witness stock %s %s/\n", w.stock.VKey, w.stock.URL) + w.ours.Policy("ours", ours.URL) + "group both all stock ours\nquorum both\n"
	var err error
	if w.rules, err = tlog.ParsePolicy([]byte(text)); err != nil {
		t.Fatal(err)
	}
	w.policy = filepath.Join(s.Dir, "witness.policy")
	if err := os.WriteFile(w.policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Configure(`witnesses = "witness.policy"`)
	s.Configure(fmt.Sprintf("timestamp_urls = [%q]", authority.URL))
	s.Configure(fmt.Sprintf("timestamp_roots = %q", w.time.RootsFile))
	return w
}

// state is what the system page shows of the log.
type state struct {
	Ledger struct {
		CheckpointSize int64
		Witnessed      bool
		State, Message string
	}
	Witness witness.Outside
}

func (w *watched) state(t *testing.T) (st state) {
	t.Helper()
	if w.who[t] == nil {
		w.who[t] = w.s.For(t).SignIn("administrator")
	}
	w.who[t].JSON(http.MethodGet, "/api/system", nil, http.StatusOK, &st)
	return st
}

// events makes n events: new accounts.
func (w *watched) events(t *testing.T, n int) {
	t.Helper()
	for range n {
		w.accounts++
		w.s.For(t).RunIn(rig.Password+"\n", "admin", "user", "add", "--login", fmt.Sprint("person", w.accounts), "--role", "auditor", "--password", "-")
	}
}

// published is the checkpoint that everybody can fetch, and whether the policy
// finds it well enough signed.
func (w *watched) published(t *testing.T) (size int64, met bool) {
	t.Helper()
	status, body := get(t, w.s.URL+"/log/checkpoint")
	c, err := tlog.ParseCheckpoint([]byte(body))
	if status != http.StatusOK || err != nil {
		t.Fatalf("%d %q: %v", status, body, err)
	}
	good, err := tlog.Cosignatures([]byte(body), w.rules.Keys())
	if err != nil {
		t.Error(err)
	}
	return c.Size, w.rules.Met(good)
}

// The log of a running service is cosigned by a witness that is not ours, goes
// on without one that is down, and is refused where history was changed.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	s := w.s
	d := s.NewDock("central")
	camera := d.Camera("bay-1", "K-0417", "4711")
	w.put(t, d, camera, "K-0417", "4711", "100000", 1, sound(t, 7, 90_000))
	s.Start()
	d.Empty(time.Minute)
	within(t, 20*time.Second, "the published checkpoint is cosigned", func() bool { _, met := w.published(t); return met })
	id := w.recording(t)

	t.Run("a court judges by its own policy", func(t *testing.T) { w.courtJudges(t, id) })
	t.Run("the trail is witnessed", func(t *testing.T) {
		auditor := s.For(t).SignIn("auditor")
		within(t, 20*time.Second, "witnessed", func() bool { return history(t, auditor, id).Witnessed })
	})
	t.Run("a witness that is down holds nothing up", func(t *testing.T) { w.oneDown(t, id) })
	t.Run("an old copy of the database is refused", func(t *testing.T) { w.rolledBack(t) })
	t.Run("a log that was written anew is not cosigned", func(t *testing.T) { w.rebuilt(t) })
}

// recording is the one that was taken in.
func (w *watched) recording(t *testing.T) (id string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.s.Dir, "custos.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.QueryRow("SELECT id FROM recordings").Scan(&id), db.Close()); err != nil {
		t.Fatal(err)
	}
	return id
}

func (w *watched) courtJudges(t *testing.T, id string) {
	dir := filepath.Join(t.TempDir(), "bag")
	export(t, w.s.For(t), dir, id)
	exit, r := verdict(t, w.s, "--policy", w.policy, "--timestamp-roots", w.time.RootsFile, dir)
	if exit != 0 || !names(r, bundle.Proven, "witness", "stock") || !names(r, bundle.Proven, "witness", "ours") || !names(r, bundle.Proven, "timestamp", ".tsr") || !names(r, bundle.Proven, "key", "") {
		t.Errorf("exit %d: %+v", exit, r.Checks)
	}
	stamps, err := filepath.Glob(filepath.Join(dir, "custody/timestamps/*.tsr"))
	if err != nil || len(stamps) != 1 {
		t.Fatalf("%q, %v", stamps, err)
	}
	if err := timestamptest.Verify(filepath.Join(dir, "custody/checkpoint"), stamps[0], w.time.RootsFile); err != nil {
		t.Error(err)
	}
	kept := filepath.Join(t.TempDir(), "kept")
	within(t, 20*time.Second, "a timestamp is kept", func() bool {
		w.s.For(t).Run("admin", "timestamps", kept)
		stamps, err = filepath.Glob(filepath.Join(kept, "*.tsr"))
		return err == nil && len(stamps) == 1
	})
	if err := timestamptest.Verify(strings.TrimSuffix(stamps[0], ".tsr")+".checkpoint", stamps[0], w.time.RootsFile); err != nil {
		t.Error(err)
	}
	// A court that believes somebody else is not satisfied.
	other := filepath.Join(t.TempDir(), "policy")
	stranger := tlogtest.NewCosigner("stranger.example", tlogtest.Ed25519)
	if err := os.WriteFile(other, fmt.Appendf(nil, "witness s %s\nquorum s\n", stranger.Key), 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, r := verdict(t, w.s, "--log-key", w.s.LogKey(), "--policy", other, dir); exit != 3 || !names(r, bundle.NotProven, "witness", "") {
		t.Errorf("exit %d: %+v", exit, r.Checks)
	}
}

func (w *watched) oneDown(t *testing.T, id string) {
	s := w.s.For(t)
	w.ours.Down(true)
	w.time.Down(true)
	signed := w.ours.Size()
	w.events(t, 4)
	var st state
	within(t, 30*time.Second, "what happens goes on being signed", func() bool {
		st = w.state(t)
		return st.Ledger.CheckpointSize > signed+3 && st.Ledger.State == "ok" && !st.Witness.Since.IsZero()
	})
	ours := st.Witness.Witnesses[slices.IndexFunc(st.Witness.Witnesses, func(x witness.WitnessStatus) bool { return x.Name == "ours" })]
	if ours.Since.IsZero() || ours.Size > st.Ledger.CheckpointSize || !strings.Contains(ours.Trouble, "503") {
		t.Errorf("%+v", st)
	}
	if status, body := get(t, s.URL+"/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %d %s", status, body)
	}
	if _, body := get(t, s.URL+"/metrics"); !strings.Contains(body, `custos_witness_behind_seconds{witness="ours"}`) || !strings.Contains(body, "custos_unwitnessed_seconds") {
		t.Error("the metrics do not tell")
	}
	dir := filepath.Join(t.TempDir(), "bag")
	export(t, s, dir, id)
	exit, r := verdict(t, s, "--policy", w.policy, "--timestamp-roots", w.time.RootsFile, dir)
	if exit != 3 || len(r.Failed()) > 0 || !says(r, "witness", "Missing: ours") || !says(r, "witness", "The force says: Not enough witnesses") || !says(r, "timestamp", "No outside timestamp") {
		t.Errorf("exit %d: %+v", exit, r.Checks)
	}
	if exit, r := verdict(t, s, "--log-key", s.LogKey(), dir); exit != 0 {
		t.Errorf("without a policy: exit %d: %+v", exit, r.Checks)
	}
	w.ours.Down(false)
	w.time.Down(false)
	within(t, 90*time.Second, "the witness catches up", func() bool {
		st := w.state(t)
		return st.Witness.Since.IsZero() && st.Ledger.Witnessed
	})
}

// says tells whether a check that is not proven says text.
func says(r bundle.Report, name, text string) bool {
	return slices.ContainsFunc(r.Checks, func(c bundle.Check) bool {
		return c.Name == name && c.State == bundle.NotProven && strings.Contains(c.Says, text)
	})
}

// files of the service that make up its state beside keys and objects.
func (w *watched) files() []string {
	return []string{"custos.db", "custos.db-wal", "custos.db-shm", "published.checkpoint"}
}

func (w *watched) rolledBack(t *testing.T) {
	s := w.s.For(t)
	s.Stop()
	old := map[string][]byte{}
	for _, name := range w.files() {
		if b, err := os.ReadFile(filepath.Join(s.Dir, name)); err == nil {
			old[name] = b
		}
	}
	s.Start()
	signed := w.ours.Size()
	w.events(t, 1)
	within(t, 20*time.Second, "more is cosigned", func() bool { return w.ours.Size() > signed })
	s.Stop()
	w.replace(t, old)
	// Database and published checkpoint fit each other: only the witnesses know.
	s.StartUnready()
	if status, _ := get(t, s.URL+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready with an old copy: %d", status)
	}
	if !strings.Contains(s.Log(), "older than what the witness") {
		t.Error("the log does not say why")
	}
	s.Stop()
}

// replace makes the service's state what files are.
func (w *watched) replace(t *testing.T, files map[string][]byte) {
	t.Helper()
	for _, name := range w.files() {
		p := filepath.Join(w.s.Dir, name)
		if err := os.Remove(p); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if b, ok := files[name]; ok {
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Whoever holds the keys writes the log anew. Everything fits together, only
// no witness signs it.
func (w *watched) rebuilt(t *testing.T) {
	s := w.s.For(t)
	w.replace(t, nil)
	signed := w.ours.Size()
	s.RunIn(rig.Password+"\n", "admin", "user", "add", "--login", "administrator", "--role", "administrator", "--password", "-")
	w.events(t, int(signed)+1)
	s.Start()
	within(t, time.Minute, "the new log is longer than what was cosigned", func() bool { size, _ := w.published(t); return size > signed+1 })
	within(t, 90*time.Second, "both witnesses say why", func() bool {
		st := w.state(t)
		return !slices.ContainsFunc(st.Witness.Witnesses, func(x witness.WitnessStatus) bool { return !strings.Contains(x.Trouble, "history was rewritten") })
	})
	if st := w.state(t); st.Ledger.State != "ok" || st.Witness.Size > 0 || w.ours.Size() != signed {
		t.Errorf("%+v", st)
	}
	if _, met := w.published(t); met {
		t.Error("the rebuilt log is cosigned")
	}
}
