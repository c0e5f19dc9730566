package torture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"custos/test/rig"
	"custos/test/torture"
)

// victims are what a round of kills is about, in turn: the steps of custody
// that the binaries take, and processes at random moments.
var victims = []string{
	"collect.intent", "collect.finish", "collect.readback", "collect.outcome", "collect.done", "receipt.sign",
	"derive.intent", "derive.put", "derive.outcome", "glance.intent", "consult.intent", "consult.outcome",
	"disclose.intent", "disclose.outcome", "server", "dock", "both", "server", "dock", "both",
}

// roundsOfSite is how many rounds one service lives through: a long life where
// there are many, else two sites side by side.
func roundsOfSite(rounds int) int { return min(20, (rounds+1)/2) }

// TestKills kills real server and dock processes until the cameras are empty,
// round after round. Sites are apart from one another: go test's -parallel says
// how many live at a time.
func TestKills(t *testing.T) {
	t.Parallel()
	opt := torture.Read(t)
	life := roundsOfSite(opt.Rounds)
	y := torture.NewTally(t, "kills", opt.Seed)
	defer y.End()
	bin := rig.Torture(t)
	clip := rig.Footage(t, "clip.mp4", 3, 1)
	began := time.Now()
	late := func() bool { return opt.Until > 0 && time.Since(began) > opt.Until }
	t.Run("sites", func(t *testing.T) {
		for first := 0; first < opt.Rounds; first += life {
			t.Run(fmt.Sprintf("%04d", first), func(t *testing.T) {
				t.Parallel()
				if late() {
					t.Skip("no time left")
				}
				k := &kills{t: t, y: y, bin: bin}
				k.site = torture.NewSite(t, y, torture.Random(opt.Seed, uint64(first)), bin, torture.Place{Dir: folder(t, y), Footage: clip}, 2)
				last := min(first+life, opt.Rounds)
				for n := first; n < last; n++ {
					final := n+1 == last || late()
					k.round(n, final)
					if final {
						return
					}
				}
			})
		}
	})
}

// folder is a scratch folder that stays if a promise was broken.
func folder(t *testing.T, y *torture.Tally) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "custos-torture-")
	if err != nil {
		t.Fatal(err)
	}
	before := y.Violations()
	t.Cleanup(func() {
		if y.Violations() > before || t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

type kills struct {
	t       *testing.T
	y       *torture.Tally
	bin     string
	site    *torture.Site
	traffic *torture.Traffic
	exports int
}

// round fills cameras, kills as the round's victim says, lets everything
// finish, and checks.
func (k *kills) round(n int, final bool) {
	k.t.Helper()
	s, r := k.site, k.site.Rand
	victim := victims[n%len(victims)]
	nth := 1 + r.IntN(3)
	began := time.Now()
	s.Fill(2+r.IntN(3), clips(victim), 8<<20)
	stop := s.Log.Watch()
	died := false
	switch victim {
	case "server", "dock", "both":
		s.Start()
		s.StartDocks()
		died = k.atRandom(victim)
	case "disclose.intent", "disclose.outcome":
		s.Start()
		s.StartDocks()
		died = k.disclose(victim)
	default:
		s.StartDying(victim, nth)
		s.StartDocks()
		died = k.awaitDeath(victim)
	}
	if died {
		k.y.Add("kills at "+victim, 1)
	} else {
		k.y.Add("kills that did not come", 1)
	}
	s.Service.Kill()
	s.CheckWipes()
	if r.IntN(2) == 0 { // once more, while it recovers
		s.Start()
		k.atRandom("both")
		s.Service.Kill()
		s.CheckWipes()
		k.y.Add("kills during recovery", 1)
	}
	s.Start()
	s.Finish(2 * time.Minute)
	s.Check(final)
	stop()
	if r.IntN(4) == 0 {
		s.Service.Kill()
	} else {
		s.Service.Stop()
	}
	s.Fsck(final || n%10 == 9)
	s.Forget()
	k.y.Add("rounds", 1)
	k.y.Say("round %d: %s:%d, died %v, %.1fs, violations %d", n, victim, nth, died, time.Since(began).Seconds(), k.y.Violations())
}

// clips is how many files must be real footage for the victim to come up.
func clips(victim string) int {
	switch victim {
	case "derive.intent", "derive.put", "derive.outcome", "glance.intent":
		return 2
	}
	return 0
}

// awaitDeath waits until the server has died of its step, doing what leads
// there.
func (k *kills) awaitDeath(victim string) bool {
	s := k.site
	deadline := time.Now().Add(25 * time.Second)
	for i := 0; time.Now().Before(deadline); i++ {
		if !s.Service.Alive() {
			return true
		}
		switch victim {
		case "glance.intent", "consult.intent", "consult.outcome":
			if i%5 == 0 {
				k.watch()
			}
		case "derive.intent", "derive.put", "derive.outcome":
		default:
			if i%10 == 9 && s.Emptied() {
				return !s.Service.Alive()
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// watch has somebody view a recording, if there is one and the service lives.
func (k *kills) watch() {
	k.site.CheckWipes()
	ids := k.site.Recorded()
	if len(ids) == 0 {
		return
	}
	var err error
	k.traffic, err = k.site.NewTraffic() // a new session: posters are recorded once in each
	if err != nil {
		return // it died
	}
	for range 3 {
		k.site.Watch(k.traffic, ids[k.site.Rand.IntN(len(ids))])
	}
}

// atRandom kills server, docks or both at a random moment.
func (k *kills) atRandom(victim string) bool {
	s, r := k.site, k.site.Rand
	k.pause(r, 200*time.Millisecond, 3500*time.Millisecond)
	if victim != "dock" {
		s.Service.Kill()
		k.y.Add("kills of servers, any moment", 1)
	}
	if victim == "server" {
		return true
	}
	if victim == "both" {
		k.pause(r, 0, 300*time.Millisecond)
	}
	for range 1 + r.IntN(2) {
		s.KillDocks()
		k.y.Add("kills of docks, any moment", len(s.Docks))
		s.CheckWipes()
		if victim == "dock" {
			s.StartDocks()
			k.pause(r, 1200*time.Millisecond, 3*time.Second)
		}
	}
	s.KillDocks()
	s.StartDocks()
	return true
}

func (k *kills) pause(r *rand.Rand, least, most time.Duration) {
	time.Sleep(least + time.Duration(r.Int64N(int64(most-least))))
}

// disclose has an export killed at a step, and then done.
func (k *kills) disclose(victim string) bool {
	s := k.site
	deadline := time.Now().Add(25 * time.Second)
	for {
		s.CheckWipes()
		if len(s.Recorded()) > 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	ids := s.Recorded()
	if len(ids) == 0 {
		return false
	}
	k.exports++
	export := func(name string, env ...string) error {
		out := filepath.Join(filepath.Dir(s.Service.Dir), fmt.Sprintf("bundle-%d-%s", k.exports, name))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, filepath.Join(k.bin, "custos"), "--config", filepath.Join(s.Service.Dir, "custos.toml"),
			"export", ids[0], "--out", out, "--to", "Crown Prosecution Service", "--reference", "TORTURE/1", "--json")
		cmd.Env = append(os.Environ(), env...)
		said, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return os.RemoveAll(out)
	}
	err := export("killed", "CUSTOS_KILL_AT="+victim)
	died := err != nil && wasKilled(err)
	if err := export("whole"); err != nil {
		k.y.Violation("an export after one that was killed: %v", err)
	}
	return died
}

func wasKilled(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	w, ok := exit.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && w.Signal() == syscall.SIGKILL
}
