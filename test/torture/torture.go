// Package torture breaks the service in every way it can think of and compares
// what is left with an account of its own of what was on the cameras.
//
// Three tests: real processes killed at every step of custody and at random
// moments (TestKills), errors and power cuts at every operation of the file
// systems in memory (TestFaults), and power cut under a mounted ext4 or XFS
// (TestPowerCuts). docs/torture.md says what counts as failure and how a seed
// is replayed.
package torture

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"custos/evidence"
)

// Options say how long a run is. They come from the environment, which `make
// torture` sets; left out, a run is short.
type Options struct {
	Seed   uint64        // CUSTOS_TORTURE_SEED; 0 = drawn from the clock
	Rounds int           // CUSTOS_TORTURE_ROUNDS: of kills; 0 = 12
	Cuts   int           // CUSTOS_TORTURE_CUTS: of each kind on each file system; 0 = 3
	Until  time.Duration // CUSTOS_TORTURE_TIME: no round begins later than this after the start; 0 = no limit
	Long   bool          // ROUNDS or CUTS was given
}

// Read reads the options.
func Read(t testing.TB) Options {
	t.Helper()
	number := func(name string) uint64 {
		text := os.Getenv("CUSTOS_TORTURE_" + name)
		if text == "" {
			return 0
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CUSTOS_TORTURE_%s: %v", name, err)
		}
		return n
	}
	o := Options{Seed: number("SEED"), Rounds: int(number("ROUNDS")), Cuts: int(number("CUTS"))}
	o.Long = o.Rounds > 0 || o.Cuts > 0
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano()) % 1e9
	}
	if o.Rounds == 0 {
		o.Rounds = 12
	}
	if o.Cuts == 0 {
		o.Cuts = 3
	}
	if text := os.Getenv("CUSTOS_TORTURE_TIME"); text != "" {
		var err error
		if o.Until, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CUSTOS_TORTURE_TIME: %v", err)
		}
	}
	return o
}

// Tally counts what was done and what was wrong. Its methods may be called
// concurrently.
type Tally struct {
	t     testing.TB
	what  string
	began time.Time
	seed  uint64

	mu     sync.Mutex
	counts map[string]int // guarded by mu
	bad    []string       // guarded by mu
}

// NewTally begins to count for the test t.
func NewTally(t testing.TB, what string, seed uint64) *Tally {
	fmt.Printf("torture %s: seed %d\n", what, seed)
	return &Tally{t: t, what: what, began: time.Now(), seed: seed, counts: map[string]int{}}
}

// Add counts n more of what.
func (y *Tally) Add(what string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.counts[what] += n
}

// Violation notes a broken promise. The run goes on.
func (y *Tally) Violation(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	fmt.Printf("torture %s: VIOLATION (seed %d): %s\n", y.what, y.seed, s)
	y.mu.Lock()
	defer y.mu.Unlock()
	y.bad = append(y.bad, s)
}

// Violations is how many there were.
func (y *Tally) Violations() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.bad)
}

// Say prints one line about a round.
func (y *Tally) Say(format string, args ...any) {
	fmt.Printf("torture %s: %6.1fs %s\n", y.what, time.Since(y.began).Seconds(), fmt.Sprintf(format, args...))
}

// End prints all counters and fails the test if a promise was broken.
func (y *Tally) End() {
	y.mu.Lock()
	defer y.mu.Unlock()
	fmt.Printf("torture %s: seed %d, %s\n", y.what, y.seed, time.Since(y.began).Round(time.Second))
	for _, k := range slices.Sorted(maps.Keys(y.counts)) {
		fmt.Printf("torture %s:   %-32s %7d\n", y.what, k, y.counts[k])
	}
	fmt.Printf("torture %s:   %-32s %7d\n", y.what, "violations", len(y.bad))
	for _, b := range y.bad {
		y.t.Errorf("seed %d: %s", y.seed, b)
	}
}

// Random is the source of everything that a run leaves to chance.
func Random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// filmHead is what every camera's files begin with, so that the dock takes
// them for films.
const filmHead = "\x00\x00\x00\x18ftypisom"

// Film is n bytes (at least 20) that look like a film at first sight and occur
// once in the world.
func Film(r *rand.Rand, n int) []byte {
	b := make([]byte, max(n, len(filmHead)+8))
	copy(b, filmHead)
	fill(r, b[len(filmHead):])
	return b
}

// Unique is real footage with n bytes of chance in a box that players skip
// (ISO/IEC 14496-12, 8.1.2).
func Unique(r *rand.Rand, footage []byte, n int) []byte {
	box := make([]byte, 8+n)
	box[0], box[1], box[2], box[3] = byte(len(box)>>24), byte(len(box)>>16), byte(len(box)>>8), byte(len(box))
	copy(box[4:], "free")
	fill(r, box[8:])
	return append(slices.Clone(footage), box...)
}

func fill(r *rand.Rand, b []byte) {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(r.Uint32())
	}
	if _, err := io.ReadFull(rand.NewChaCha8(seed), b); err != nil {
		panic(err) // ChaCha8 never fails
	}
}

// Size draws a length around the borders that the vault has: chunks of 64 KiB
// and parts of part bytes.
func Size(r *rand.Rand, part int) int {
	const chunk = 64 << 10
	switch r.IntN(10) {
	case 0:
		return 20 + r.IntN(2000)
	case 1:
		return part + r.IntN(3) - 1
	case 2, 3:
		return chunk*(1+r.IntN(4)) + r.IntN(3) - 1
	case 4:
		return part + r.IntN(part)
	default:
		return chunk + r.IntN(10*chunk)
	}
}

// Original is a file as it was put on a camera.
type Original struct {
	Station int    // which dock
	Card    string // the camera's folder, or its bay
	Device  string
	Name    string // on the camera, with /
	Digest  evidence.Digest
	Length  int64
}

func (o Original) String() string {
	return strings.Join([]string{o.Device, o.Name, o.Digest.String()[:12]}, " ")
}

// NewOriginal describes content as it is put on a camera.
func NewOriginal(station int, card, device, name string, content []byte) Original {
	return Original{station, card, device, name, sha256.Sum256(content), int64(len(content))}
}
