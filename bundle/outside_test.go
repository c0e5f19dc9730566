package bundle_test

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"custos/bundle"
	"custos/bundle/bundletest"
	"custos/evidence"
	"custos/timestamp"
	"custos/timestamp/timestamptest"
	"custos/tlog/tlogtest"
)

// ML-DSA signs at random, and a second signature would make another checkpoint:
// these stories have witnesses of Ed25519, but for one whose bag is written once.
var (
	court  = tlogtest.NewCosigner("court.example/w", tlogtest.Ed25519)
	ipcc   = tlogtest.NewCosigner("inspectorate.example/w", tlogtest.Ed25519)
	uni    = tlogtest.NewCosigner("university.example/w", tlogtest.Ed25519)
	policy = fmt.Sprintf("witness court %s\nwitness inspectorate %s\nwitness university %s\ngroup two 2 court inspectorate university\nquorum two\n", court.Key, ipcc.Key, uni.Key)
)

// told is a story that has been told to its end, with these witnesses.
func told(cosigners ...*tlogtest.Cosigner) *bundletest.Story {
	s := bundletest.New(1, 2, 3)
	s.Cosigners = cosigners
	s.Disclose()
	return s
}

// stamped is the answer of an authority over b.
func stamped(t *testing.T, a *timestamptest.Authority, b []byte) []byte {
	t.Helper()
	q, err := timestamp.Request(sha256.Sum256(b), big.NewInt(5))
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Reply(q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWitnessesAreJudgedByThePolicyGiven(t *testing.T) {
	both := told(court, uni)
	bag := load(t, mustWrite(t, both))
	key := both.Log.Key.VKey
	for name, c := range map[string]struct {
		policy  string
		key     string
		outcome bundle.Outcome
		state   bundle.State
		says    string
	}{
		"none":             {"", key, bundle.Sound, bundle.NotProven, "court.example/w, university.example/w. That was not judged"},
		"enough":           {policy, key, bundle.Sound, bundle.Proven, "2 of the 3 witnesses"},
		"and it pins":      {"log " + key + "\n" + policy, "", bundle.Sound, bundle.Proven, "2 of the 3 witnesses"},
		"not enough":       {strings.Replace(policy, "two 2", "two 3", 1), key, bundle.Unconfirmed, bundle.NotProven, "Missing: inspectorate."},
		"asks for nobody":  {strings.Replace(policy, "quorum two", "quorum none", 1), key, bundle.Sound, bundle.NotProven, "asks for no witness"},
		"of another log":   {"log " + tlogtest.NewKey("force.example/log", "stranger").VKey + "\n" + policy, key, bundle.Wrong, bundle.Failed, "for other logs"},
		"of somebody else": {"witness x " + ipcc.Key.String() + "\nquorum x", key, bundle.Unconfirmed, bundle.NotProven, "0 of the 1"},
	} {
		opt := bundle.Options{LogKey: c.key}
		if c.policy != "" {
			opt.Policy = []byte(c.policy)
		}
		r := verify(t, bag, opt)
		if r.Outcome() != c.outcome || !names(r, c.state, "witness", "", c.says) {
			t.Errorf("%s: %s\n%s", name, r.Outcome(), show(r))
		}
	}
	r := verify(t, bag, bundle.Options{LogKey: key, Policy: []byte(policy)})
	if !names(r, bundle.Proven, "witness", "court", "court.example/w signed the checkpoint at 22 November 2026, 06:02:31 UTC") {
		t.Error(show(r))
	}
	if _, err := bundle.Verify(t.Context(), bag, bundle.Options{Policy: []byte("quorum x")}); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("a policy that is none: %v", err)
	}
	if _, err := bundle.Verify(t.Context(), bag, bundle.Options{TimeRoots: []byte("x")}); evidence.CodeOf(err) != evidence.Invalid {
		t.Errorf("roots that are none: %v", err)
	}
}

// Somebody with the log's own key writes the log anew and makes a bundle of it.
// All that is not by a witness holds.
func TestARebuiltLogPassesAllButTheWitness(t *testing.T) {
	s := told() // of the force's key: whoever has it can make any story
	r := verify(t, load(t, mustWrite(t, s)), bundle.Options{LogKey: s.Log.Key.VKey, ReceiptKey: s.Info.ReceiptKey, Policy: []byte(policy)})
	if r.Outcome() != bundle.Unconfirmed || len(r.Failed()) > 0 {
		t.Fatal(show(r))
	}
	for _, c := range r.Checks {
		if c.State == bundle.NotProven && c.Name != "witness" && c.Name != "timestamp" {
			t.Errorf("%+v", c)
		}
		if c.Asked != (c.Name == "witness") {
			t.Errorf("asked: %+v", c)
		}
	}
	// Lines of another checkpoint under this one are found out.
	forged := told()
	other := bundletest.New(4, 4, 4)
	other.Disclose()
	forged.Cosigners = []*tlogtest.Cosigner{court}
	bag := load(t, mustWrite(t, forged))
	_, line, _ := strings.Cut(string(other.Log.Checkpoint(other.Log.Size())), "\n\n")
	line += court.Sign(other.Log.Checkpoint(other.Log.Size()), tlogtest.Time)
	text, _, _ := strings.Cut(string(bag["custody/checkpoint"].Data), "\n\n")
	_, own, _ := strings.Cut(string(forged.Log.Checkpoint(forged.Log.Size())), "\n\n")
	bag["custody/checkpoint"].Data = []byte(text + "\n\n" + own + strings.SplitAfterN(line, "\n", 2)[1])
	bundletest.Reseal(bag)
	if r := verify(t, bag, bundle.Options{LogKey: s.Log.Key.VKey, Policy: []byte(policy)}); !names(r, bundle.Failed, "witness", "custody/checkpoint", "court.example/w is not on this checkpoint") {
		t.Error(show(r))
	}
}

func TestTimestampsAreJudgedByTheRootsGiven(t *testing.T) {
	a, b := timestamptest.New(t, timestamptest.ECDSA), timestamptest.New(t, timestamptest.RSA)
	s := told(court)
	s.Vouched = bundle.Vouched{
		Timestamps: []bundle.Timestamp{{Authority: "one.example", Response: stamped(t, a, s.Checkpoint())}, {Authority: "two/../two.example", Response: stamped(t, b, s.Checkpoint())}},
		Missing:    []string{"The timestamp authority three.example gave no timestamp: It does not answer."},
	}
	dir := mustWrite(t, s)
	bag := load(t, dir)
	opt := bundle.Options{LogKey: s.Log.Key.VKey}
	r := verify(t, bag, opt)
	if r.Outcome() != bundle.Sound || !names(r, bundle.NotProven, "timestamp", "one.example.tsr", "not judged") || !names(r, bundle.NotProven, "timestamp", "custody/timestamps/two.example.tsr", "Test Time Authority") {
		t.Errorf("%s\n%s", r.Outcome(), show(r))
	}
	opt.TimeRoots = a.Roots
	if r = verify(t, bag, opt); r.Outcome() != bundle.Sound || !names(r, bundle.Proven, "timestamp", "one.example.tsr", "give or take 1s") || !names(r, bundle.NotProven, "timestamp", "two.example.tsr", "does not lead to") {
		t.Errorf("%s\n%s", r.Outcome(), show(r))
	}
	opt.TimeRoots = timestamptest.New(t, timestamptest.ECDSA).Roots
	if r = verify(t, bag, opt); r.Outcome() != bundle.Unconfirmed || !names(r, bundle.NotProven, "timestamp", "", "None of the timestamps") {
		t.Errorf("%s\n%s", r.Outcome(), show(r))
	}
	for _, name := range []string{"one.example", "two.example"} {
		roots := map[string]string{"one.example": a.RootsFile, "two.example": b.RootsFile}[name]
		if err := timestamptest.Verify(filepath.Join(dir, "custody/checkpoint"), filepath.Join(dir, "custody/timestamps", name+".tsr"), roots); err != nil {
			t.Error(err)
		}
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"signed custody/checkpoint: court.example/w.", "-in custody/timestamps/one.example.tsr", "three.example gave no timestamp"} {
		if !strings.Contains(string(readme), text) {
			t.Errorf("README.txt does not say %q", text)
		}
	}
}

func TestTimestampsThatAreWrong(t *testing.T) {
	a := timestamptest.New(t, timestamptest.ECDSA)
	for says, response := range map[string][]byte{
		"of something else than the bundle's checkpoint": stamped(t, a, []byte("another checkpoint")),
		"not a timestamp response":                       []byte("no"),
	} {
		s := told()
		good := load(t, mustWrite(t, s))
		bag := clone(good)
		bag["custody/timestamps/x.tsr"] = clone(good)["README.txt"]
		bag["custody/timestamps/x.tsr"].Data = response
		bundletest.Reseal(bag)
		for _, roots := range [][]byte{nil, a.Roots} {
			if r := verify(t, bag, bundle.Options{LogKey: s.Log.Key.VKey, TimeRoots: roots}); r.Outcome() != bundle.Wrong || !names(r, bundle.Failed, "timestamp", "x.tsr", says) {
				t.Errorf("%s\n%s", says, show(r))
			}
		}
		delete(bag, "custody/timestamps/x.tsr")
		bag["custody/timestamps/x.exe"] = clone(good)["README.txt"]
		bundletest.Reseal(bag)
		if r := verify(t, bag, bundle.Options{}); !names(r, bundle.Failed, "bag", "x.exe", "No bundle has") {
			t.Error(show(r))
		}
		s.Vouched.Timestamps = []bundle.Timestamp{{Authority: "x", Response: response}}
		if _, err := s.Write(filepath.Join(t.TempDir(), "bag")); evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("%s: handed out: %v", says, err)
		}
	}
}
