// Package bench measures the service beside named peers on the same machine in
// the same run, and fails where a goal is missed. `make bench` runs it;
// docs/benchmarks.md says how each row is measured.
package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"custos/test/rig"
)

// TestMain also is the peer of the range reads, in a process of its own: a
// plain net/http server of one file, as Custos is not.
func TestMain(m *testing.M) {
	file := os.Getenv("CUSTOS_BENCH_SERVE")
	if file == "" {
		os.Exit(m.Run())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Println(ln.Addr())
		err = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// bench is one run: how large it is, and what it has found.
type bench struct {
	quick bool
	bin   string // folder of the binaries
	rows  []row
}

// size is full, or quick in the short form.
func (b *bench) size(full, quick int64) int64 {
	if b.quick {
		return quick
	}
	return full
}

func (b *bench) count(full, quick int) int { return int(b.size(int64(full), int64(quick))) }

// row is a line of the table and an object of bench.json.
type row struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"` // median
	Unit      string  `json:"unit"`
	Peer      string  `json:"peer"`       // "" = none
	PeerValue float64 `json:"peer_value"` // median
	Ratio     float64 `json:"ratio"`      // median of the pairs' ratios, value to peer_value
	Goal      string  `json:"goal"`       // "" = information
	OK        bool    `json:"ok"`

	Low       float64 `json:"low"` // of the repetitions
	High      float64 `json:"high"`
	PeerLow   float64 `json:"peer_low"`
	PeerHigh  float64 `json:"peer_high"`
	RatioLow  float64 `json:"ratio_low"`
	RatioHigh float64 `json:"ratio_high"`
	Count     int     `json:"repetitions"`
}

// pair is one repetition: ours and the peer's, one right after the other, so
// that what else the machine does weighs on both.
type pair struct{ ours, peer float64 }

// compared makes the row of something that has a peer.
func compared(name, unit, peer string, pairs []pair) row {
	var ours, theirs, ratios []float64
	for _, p := range pairs {
		ours, theirs, ratios = append(ours, p.ours), append(theirs, p.peer), append(ratios, p.ours/p.peer)
	}
	r := measured(name, unit, ours)
	r.Peer = peer
	r.PeerValue, r.PeerLow, r.PeerHigh = spread(theirs)
	r.Ratio, r.RatioLow, r.RatioHigh = spread(ratios)
	return r
}

// measured makes the row of something that has none.
func measured(name, unit string, values []float64) row {
	r := row{Name: name, Unit: unit, OK: true, Count: len(values)}
	r.Value, r.Low, r.High = spread(values)
	return r
}

func spread(v []float64) (median, low, high float64) {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2], v[0], v[len(v)-1]
}

// Goals.
func (r row) ratioAtLeast(x float64) row {
	r.Goal, r.OK = fmt.Sprintf("ratio ≥ %g", x), r.Ratio >= x
	return r
}

func (r row) ratioAtMost(x float64) row {
	r.Goal, r.OK = fmt.Sprintf("ratio ≤ %g", x), r.Ratio <= x
	return r
}

func (r row) atMost(x float64) row {
	r.Goal, r.OK = fmt.Sprintf("≤ %g %s", x, r.Unit), r.Value <= x
	return r
}

// add takes a row in and says it at once: a run is long.
func (b *bench) add(t *testing.T, r row) {
	t.Helper()
	b.rows = append(b.rows, r)
	fmt.Fprintf(os.Stderr, "  %s\n", strings.Join(r.cells(), "  "))
	if !r.OK {
		t.Errorf("%s misses its goal: %s", r.Name, r.Goal)
	}
}

func (r row) cells() []string {
	of := func(v, low, high float64) string {
		if r.Count > 1 {
			return fmt.Sprintf("%s (%s–%s)", short(v), short(low), short(high))
		}
		return short(v)
	}
	peer, ratio, ok := "", "", "info"
	if r.Peer != "" {
		peer, ratio = r.Peer+" "+of(r.PeerValue, r.PeerLow, r.PeerHigh), of(r.Ratio, r.RatioLow, r.RatioHigh)
	}
	if r.Goal != "" {
		ok = map[bool]string{true: "ok", false: "MISSED"}[r.OK]
	}
	return []string{r.Name, of(r.Value, r.Low, r.High) + " " + r.Unit, peer, ratio, r.Goal, ok}
}

// short is v with three digits that count.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// TestBench runs everything that CUSTOS_BENCH_ONLY (a regular expression)
// leaves in. CUSTOS_BENCH is full or quick; without it nothing is measured.
// The table is also written as JSON to the file CUSTOS_BENCH_OUT.
func TestBench(t *testing.T) {
	form := os.Getenv("CUSTOS_BENCH")
	if form == "" {
		t.Skip("measures only when asked to: make bench")
	}
	only := regexp.MustCompile(os.Getenv("CUSTOS_BENCH_ONLY"))
	b := &bench{quick: form == "quick", bin: rig.Binaries(t)}
	before := load()
	for _, part := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"seal", benchSeal},
		{"ledger", benchLedger},
		{"witness", benchWitness},
		{"server", benchServer},
		{"uploads", benchUploads},
		{"read", benchRead},
		{"verify", benchVerify},
		{"dock", benchDock},
		{"list", benchList},
		{"glance", benchGlance},
		{"trail", benchTrail},
		{"rule", benchRule},
		{"sign-in", benchSignIn},
	} {
		if !only.MatchString(part.name) {
			continue
		}
		begun := time.Now()
		fmt.Fprintf(os.Stderr, "%s\n", part.name)
		t.Run(part.name, func(t *testing.T) { part.run(t, b) })
		fmt.Fprintf(os.Stderr, "  took %v\n", time.Since(begun).Round(time.Second))
	}
	b.print(form, before)
	if out := os.Getenv("CUSTOS_BENCH_OUT"); out != "" {
		b.write(t, out)
	}
}

func (b *bench) print(form, before string) {
	fmt.Printf("\n%s form; median (lowest–highest) of the repetitions; load average before %s, after %s\n\n", form, before, load())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tvalue\tpeer\tratio\tgoal\t")
	for _, r := range b.rows {
		fmt.Fprintln(w, strings.Join(r.cells(), "\t"))
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	fmt.Println()
}

func (b *bench) write(t *testing.T, out string) {
	text, err := json.MarshalIndent(b.rows, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// load is how busy the machine has been: 1, 5 and 15 minutes.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// The sums behind the rows, which must themselves be right.
func TestRows(t *testing.T) {
	r := compared("x", "MB/s", "y", []pair{{4, 2}, {9, 3}, {100, 1}})
	if r.Value != 9 || r.PeerValue != 2 || r.Ratio != 3 || r.RatioLow != 2 || r.RatioHigh != 100 || !r.OK || r.Goal != "" {
		t.Errorf("%+v", r)
	}
	for name, ok := range map[string]bool{
		"≥ met": r.ratioAtLeast(3).OK, "≥ missed": !r.ratioAtLeast(3.1).OK, "ratio ≤ met": r.ratioAtMost(3).OK,
		"ratio ≤ missed": !r.ratioAtMost(2.9).OK, "≤ met": r.atMost(9).OK, "≤ missed": !r.atMost(8.9).OK,
	} {
		if !ok {
			t.Error(name)
		}
	}
}
