package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/evidence"
	"custos/tlog"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

// vectors is testdata/vectors.json, on which other implementations are tested
// too. Byte strings are standard base64.
type vectors struct {
	About      string           `json:"about"`
	Origin     string           `json:"origin"`
	VKey       string           `json:"vkey"`
	Item       string           `json:"item"`
	ItemKey    []byte           `json:"itemKey"`
	ItemTag    []byte           `json:"itemTag"`
	Commitment commitmentVector `json:"commitment"`
	Leaves     [][]byte         `json:"leaves"` // the whole log
	Checkpoint string           `json:"checkpoint"`
	Older      string           `json:"olderCheckpoint"`
	Consistent [][]byte         `json:"consistency"` // path from the older to the newer
	Tiles      []tileVector     `json:"tiles"`
	Cases      []caseVector     `json:"cases"`
}

type commitmentVector struct {
	EventKey   []byte           `json:"eventKey"`
	Fields     []evidence.Field `json:"fields"`
	Salts      [][]byte         `json:"salts"`
	MACs       [][]byte         `json:"macs"`
	Commitment []byte           `json:"commitment"`
}

type tileVector struct {
	Path string `json:"path"`
	Data []byte `json:"data"`
}

// caseVector is a history of Item with a proof for each opening. Expect is the
// complaint, "" for a good history. Check the chain first, then each proof.
type caseVector struct {
	Name     string         `json:"name"`
	Expect   tlog.Fault     `json:"expect"`
	Openings []tlog.Opening `json:"openings"`
	Proofs   []string       `json:"proofs"` // tlog-proof texts
}

// smallLog is a log made from a seed.
type smallLog struct {
	t      *testing.T
	random *rand.ChaCha8
	origin string
	signer note.Signer
	vkey   string
	items  map[string]*logItem
	leaves [][]byte
	hashes []tlog.Hash // stored hashes, x/mod order
}

type logItem struct {
	key      []byte
	prev     tlog.Hash
	openings []tlog.Opening
	keys     [][]byte
	fields   [][]evidence.Field
}

func newSmallLog(t *testing.T, origin string) *smallLog {
	l := &smallLog{t: t, random: rand.NewChaCha8([32]byte([]byte("custos test vectors, version 1..")))}
	l.origin, l.items = origin, map[string]*logItem{}
	seed := l.bytes()
	key := ed25519.NewKeyFromSeed(seed)
	var err error
	if l.vkey, err = note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey)); err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(l.vkey)
	if err != nil {
		t.Fatal(err)
	}
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, v.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))
	if l.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *smallLog) bytes() []byte {
	b := make([]byte, 32)
	l.random.Read(b)
	return b
}

func (l *smallLog) reader() xtlog.HashReader {
	return xtlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(idx))
		for i, x := range idx {
			out[i] = l.hashes[x]
		}
		return out, nil
	})
}

func (l *smallLog) add(item string, fields []evidence.Field, withhold func(string) bool) {
	it := l.items[item]
	if it == nil {
		it = &logItem{key: l.bytes()}
		l.items[item] = it
	}
	key := l.bytes()
	leaf := tlog.Leaf{Tag: tlog.ItemTag(it.key, item), Seq: uint64(len(it.openings)) + 1, Prev: it.prev, Commitment: tlog.Commit(key, fields)}.Encode()
	n := int64(len(l.leaves))
	hs, err := xtlog.StoredHashes(n, leaf, l.reader())
	if err != nil {
		l.t.Fatal(err)
	}
	l.hashes = append(l.hashes, hs...)
	l.leaves = append(l.leaves, leaf)
	it.prev = tlog.LeafHash(leaf)
	it.openings = append(it.openings, tlog.Open(leaf, n, key, fields, withhold))
	it.keys, it.fields = append(it.keys, key), append(it.fields, fields)
}

func (l *smallLog) checkpoint(size int64) tlog.Checkpoint {
	root, err := xtlog.TreeHash(size, l.reader())
	if err != nil {
		l.t.Fatal(err)
	}
	return tlog.Checkpoint{Origin: l.origin, Size: size, Root: root}
}

func (l *smallLog) sign(c tlog.Checkpoint) []byte {
	b, err := c.Sign(l.signer)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *smallLog) proof(index, size int64) tlog.Proof {
	path, err := xtlog.ProveRecord(size, index, l.reader())
	if err != nil {
		l.t.Fatal(err)
	}
	return tlog.Proof{Index: index, Path: path, Checkpoint: l.sign(l.checkpoint(size))}
}

func (l *smallLog) proofs(openings []tlog.Opening) []string {
	var out []string
	for _, o := range openings {
		out = append(out, string(l.proof(max(o.Index, 0), int64(len(l.leaves))).Marshal()))
	}
	return out
}

const (
	vectorItem  = "01jd8m4q0v5c9r7e2k3w6x1n8t"
	vectorOther = "01jd8m4q0v8h2d4f6g7j9k0m1p"
)

func makeVectors(t *testing.T) vectors {
	l := newSmallLog(t, "custos.example/vectors")
	event := func(n int, item, verb, phase, name string, more ...evidence.Field) []evidence.Field {
		return append([]evidence.Field{
			{Name: "event", Value: fmt.Sprintf("01jd8m4q0w00000000000000%02d", n)}, {Name: "item", Value: item},
			{Name: "verb", Value: verb}, {Name: "phase", Value: phase},
			{Name: "at", Value: fmt.Sprintf("2026-03-01T09:%02d:00.250000Z", n)},
			{Name: "actor_kind", Value: "person"}, {Name: "actor_name", Value: name},
		}, more...)
	}
	withNote := func(name string) bool { return name == "actor_name" }
	for n := range 5 {
		verb := []string{"collect", "consult", "consult", "derive", "disclose"}[n]
		more := []evidence.Field{{Name: "purpose", Value: "investigation"}, {Name: "reference", Value: "case 17/2026"}}
		var keep func(string) bool
		if n == 1 {
			keep = withNote
			more = append(more, evidence.Field{Name: "note", Value: "Zoë’s statement — 10 µs, “quoted” \U0001F4F7 <b>"})
		}
		l.add(vectorItem, event(2*n, vectorItem, verb, "outcome", "Sgt Ada Example", more...), keep)
		l.add(vectorOther, event(2*n+1, vectorOther, "consult", "intent", "PC Bo Sample"), nil)
		if n%2 == 0 {
			l.add("service", event(20+n, "service", "administer", "outcome", "Cy Admin"), nil)
		}
	}
	it, size := l.items[vectorItem], int64(len(l.leaves))
	v := vectors{
		About: "One small log for every implementation of docs/formats/ledger.md. Each case is a history of item with one proof per opening: " +
			"check the chain, then each proof; expect names the first complaint, empty for none.",
		Origin: l.origin, VKey: l.vkey, Item: vectorItem, ItemKey: it.key, Leaves: l.leaves,
		Checkpoint: string(l.sign(l.checkpoint(size))), Older: string(l.sign(l.checkpoint(6))),
		Commitment: commitmentVector{EventKey: it.keys[1], Fields: it.fields[1]},
	}
	tag := tlog.ItemTag(it.key, vectorItem)
	v.ItemTag = tag[:]
	for i, f := range tlog.Open(it.openings[1].Leaf, 0, it.keys[1], it.fields[1], nil).Fields {
		withheld := tlog.Open(it.openings[1].Leaf, 0, it.keys[1], it.fields[1], func(string) bool { return true }).Fields[i]
		v.Commitment.Salts = append(v.Commitment.Salts, f.Salt)
		v.Commitment.MACs = append(v.Commitment.MACs, withheld.MAC)
	}
	c := tlog.Commit(it.keys[1], it.fields[1])
	v.Commitment.Commitment = c[:]
	path, err := xtlog.ProveTree(size, 6, l.reader())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range path {
		v.Consistent = append(v.Consistent, h[:])
	}
	entries, err := tlog.EncodeEntries(l.leaves)
	if err != nil {
		t.Fatal(err)
	}
	tile := tlog.Tile{H: tlog.TileHeight, W: int(size)}
	data, err := xtlog.ReadTileData(tile, l.reader())
	if err != nil {
		t.Fatal(err)
	}
	v.Tiles = []tileVector{{tlog.TilePath(tile), data}, {tlog.TilePath(tlog.Tile{H: tlog.TileHeight, L: tlog.Entries, W: int(size)}), entries}}
	v.Cases = makeCases(t, l)
	return v
}

// makeCases is one good history and one of each way to break it.
func makeCases(t *testing.T, l *smallLog) []caseVector {
	good := l.items[vectorItem].openings
	other := l.items[vectorOther].openings
	history := func(name string, expect tlog.Fault, o []tlog.Opening) caseVector {
		return caseVector{name, expect, o, l.proofs(o)}
	}
	// change alters one opening in a deep copy.
	change := func(i int, f func(*tlog.Opening)) []tlog.Opening {
		b, err := json.Marshal(good)
		if err != nil {
			t.Fatal(err)
		}
		var o []tlog.Opening
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		f(&o[i])
		return o
	}
	foreign := slices.Clone(good)
	foreign[2] = other[2]
	cases := []caseVector{
		history("good, one field withheld", "", good),
		history("good, first event only", "", good[:1]),
		history("an event is missing", tlog.Dropped, slices.Delete(slices.Clone(good), 2, 3)),
		history("the first event is missing", tlog.Dropped, good[1:]),
		history("two events changed places", tlog.Reordered, []tlog.Opening{good[0], good[2], good[1], good[3], good[4]}),
		history("an event of another recording", tlog.Foreign, foreign),
		history("an event stands twice", tlog.Doubled, slices.Insert(slices.Clone(good), 2, good[1])),
		history("a value was altered", tlog.Altered, change(3, func(o *tlog.Opening) { s := "Insp Someone Else"; o.Fields[6].Value = &s })),
		history("a value was emptied", tlog.Altered, change(3, func(o *tlog.Opening) { s := ""; o.Fields[6].Value = &s })),
		history("a field was left out", tlog.Altered, change(3, func(o *tlog.Opening) { o.Fields = o.Fields[:len(o.Fields)-1] })),
		history("fields changed places", tlog.Altered, change(3, func(o *tlog.Opening) { o.Fields[7], o.Fields[8] = o.Fields[8], o.Fields[7] })),
		history("a withheld field has another name", tlog.Altered, change(1, func(o *tlog.Opening) { o.Fields[6].Name = "actor_role" })),
		history("a withheld field is not the one recorded", tlog.Altered, change(1, func(o *tlog.Opening) { o.Fields[6].MAC[0] ^= 1 })),
		history("a field is neither opened nor withheld", tlog.Altered, change(1, func(o *tlog.Opening) { o.Fields[6].MAC = nil })),
		history("the leaf has another version", tlog.Altered, change(2, func(o *tlog.Opening) { o.Leaf[0] = 2 })),
		history("the leaf was cut short", tlog.Altered, change(2, func(o *tlog.Opening) { o.Leaf = o.Leaf[:104] })),
		history("the leaf follows another one", tlog.Altered, change(2, func(o *tlog.Opening) { o.Leaf[50] ^= 1 })),
		history("the last leaf claims an unused number", tlog.Dropped, change(4, func(o *tlog.Opening) { o.Leaf[40] = 6 })),
		history("indexes contradict the order", tlog.Reordered, change(4, func(o *tlog.Opening) { o.Index = good[2].Index })),
	}
	forge := func(name string, expect tlog.Fault, f func(p *tlog.Proof)) {
		c := history(name, expect, good)
		p := l.proof(good[2].Index, int64(len(l.leaves)))
		f(&p)
		c.Proofs[2] = string(p.Marshal())
		cases = append(cases, c)
	}
	forge("a proof of an older, good checkpoint", "", func(p *tlog.Proof) { *p = l.proof(good[2].Index, good[2].Index+1) })
	forge("a proof with a wrong hash", tlog.WrongProof, func(p *tlog.Proof) { p.Path[0][5] ^= 1 })
	forge("a proof with a hash too few", tlog.WrongProof, func(p *tlog.Proof) { p.Path = p.Path[:len(p.Path)-1] })
	forge("a proof with a hash too many", tlog.WrongProof, func(p *tlog.Proof) { p.Path = append(p.Path, tlog.Hash{}) })
	forge("a proof of another place", tlog.WrongProof, func(p *tlog.Proof) { *p = l.proof(good[2].Index+1, int64(len(l.leaves))) })
	unplaced := history("a proof for an event that claims no place", tlog.WrongProof, change(4, func(o *tlog.Opening) { o.Index = -1 }))
	unplaced.Proofs[4] = string(l.proof(good[4].Index, int64(len(l.leaves))).Marshal())
	cases = append(cases, unplaced)
	forge("an index outside the tree", tlog.WrongProof, func(p *tlog.Proof) { p.Index = int64(len(l.leaves)) })
	forge("a checkpoint whose root was altered", tlog.WrongCheckpoint, func(p *tlog.Proof) {
		p.Checkpoint = bytes.Replace(p.Checkpoint, []byte("\n13\n"), []byte("\n12\n"), 1)
	})
	forge("a checkpoint signed by somebody else", tlog.WrongCheckpoint, func(p *tlog.Proof) {
		other := newSmallLog(t, l.origin+"/other")
		c := l.checkpoint(int64(len(l.leaves)))
		c.Origin = other.origin
		p.Checkpoint = other.sign(c)
	})
	forge("a checkpoint of another log signed with the key", tlog.WrongCheckpoint, func(p *tlog.Proof) {
		c := l.checkpoint(int64(len(l.leaves)))
		c.Origin = "custos.example/another"
		p.Checkpoint = l.sign(c)
	})
	return cases
}

// checkCase is the whole check of a history, as a verifier does it.
func checkCase(v vectors, log note.Verifier, c caseVector) error {
	if err := tlog.CheckChain(tlog.ItemTag(v.ItemKey, v.Item), c.Openings); err != nil {
		return err
	}
	if len(c.Proofs) != len(c.Openings) {
		return fmt.Errorf("%d proofs for %d openings", len(c.Proofs), len(c.Openings))
	}
	for i, text := range c.Proofs {
		p, err := tlog.ParseProof([]byte(text))
		if err != nil {
			return err
		}
		if _, err := p.CheckOpening(c.Openings[i], v.Origin, log); err != nil {
			return err
		}
	}
	return nil
}

func TestVectors(t *testing.T) {
	const file = "testdata/vectors.json"
	fresh, err := json.MarshalIndent(makeVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	fresh = append(fresh, '\n')
	if *update {
		if err := os.WriteFile(file, fresh, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, fresh) {
		t.Error("what is written today differs from testdata/vectors.json: histories already handed out would no longer check")
	}
	var v vectors
	if err := json.Unmarshal(stored, &v); err != nil {
		t.Fatal(err)
	}
	log, err := note.NewVerifier(v.VKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			err := checkCase(v, log, c)
			if got := tlog.FaultOf(err); got != c.Expect || (err == nil) != (c.Expect == "") {
				t.Errorf("complaint %q (%v), want %q", got, err, c.Expect)
			}
			if err != nil && evidence.CodeOf(err) != evidence.Corrupt {
				t.Errorf("code %q, want corrupt", evidence.CodeOf(err))
			}
		})
	}
}
