package tlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	flog "github.com/transparency-dev/formats/log"
	fproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"custos/evidence"
	"custos/tlog"
)

// growLog is a log of n leaves of one item.
func growLog(t *testing.T, n int) *smallLog {
	l := newSmallLog(t, "custos.example/grown")
	for i := range n {
		l.add("x", []evidence.Field{{Name: "event", Value: fmt.Sprint(i)}}, nil)
	}
	return l
}

func verifier(t *testing.T, vkey string) note.Verifier {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Proofs and checkpoints are read by implementations that are not ours.
func TestOthersAgree(t *testing.T) {
	l := growLog(t, 70)
	log := verifier(t, l.vkey)
	for size := int64(1); size <= 70; size += 3 {
		c := l.checkpoint(size)
		fc, _, _, err := flog.ParseCheckpoint(l.sign(c), l.origin, log)
		if err != nil || int64(fc.Size) != c.Size || !bytes.Equal(fc.Hash, c.Root[:]) {
			t.Fatalf("size %d: formats reads %+v, %v", size, fc, err)
		}
		for index := range size {
			p := l.proof(index, size)
			if _, err := p.Check(l.leaves[index], l.origin, log); err != nil {
				t.Fatalf("%d of %d: %v", index, size, err)
			}
			var fp fproof.TLogProof
			if err := fp.Unmarshal(p.Marshal()); err != nil {
				t.Fatal(err)
			}
			var path [][]byte
			for _, h := range fp.Hashes {
				path = append(path, h[:])
			}
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, fp.Index, fc.Size, rfc6962.DefaultHasher.HashLeaf(l.leaves[index]), path, fc.Hash); err != nil {
				t.Fatalf("%d of %d: %v", index, size, err)
			}
		}
	}
}

func TestConsistency(t *testing.T) {
	l, fork := growLog(t, 40), growLog(t, 19)
	fork.add("x", []evidence.Field{{Name: "event", Value: "another story"}}, nil)
	for size := int64(1); size <= 40; size++ {
		for old := int64(0); old <= size; old++ {
			var path []tlog.Hash
			if old > 0 {
				p, err := xtlog.ProveTree(size, old, l.reader())
				if err != nil {
					t.Fatal(err)
				}
				path = p
			}
			if err := l.checkpoint(size).CheckConsistency(path, l.checkpoint(old)); err != nil {
				t.Fatalf("%d to %d: %v", old, size, err)
			}
			if old == 20 {
				if err := l.checkpoint(size).CheckConsistency(path, fork.checkpoint(20)); evidence.CodeOf(err) != evidence.Corrupt {
					t.Fatalf("a fork passed at %d: %v", size, err)
				}
			}
		}
	}
	newer, older := l.checkpoint(10), l.checkpoint(5)
	p, err := xtlog.ProveTree(10, 5, l.reader())
	if err != nil {
		t.Fatal(err)
	}
	older.Origin = "elsewhere"
	for name, err := range map[string]error{
		"backwards":     l.checkpoint(5).CheckConsistency(p, newer),
		"other origin":  newer.CheckConsistency(p, older),
		"negative":      newer.CheckConsistency(p, tlog.Checkpoint{Origin: l.origin, Size: -1}),
		"beyond limits": tlog.Checkpoint{Origin: l.origin, Size: 1<<63 - 1}.CheckConsistency(p, newer),
		"empty, wrong":  newer.CheckConsistency(nil, tlog.Checkpoint{Origin: l.origin}),
	} {
		if evidence.CodeOf(err) != evidence.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A size near 2^63 would keep x/mod's arithmetic busy for ever.
func TestHugeSizes(t *testing.T) {
	for _, size := range []int64{tlog.MaxSize + 1, 1<<63 - 1} {
		if err := (tlog.Checkpoint{Origin: "o", Size: size}).CheckInclusion(nil, 3, tlog.Hash{}); tlog.FaultOf(err) != tlog.WrongProof {
			t.Errorf("%d: %v", size, err)
		}
		if _, err := tlog.ParseCheckpoint([]byte(tlog.Checkpoint{Origin: "o", Size: size}.Text() + "\n— o AAAA\n")); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestLeaf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := func(name string) tlog.Hash {
			return tlog.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
		}
		l := tlog.Leaf{Tag: b("tag"), Seq: rapid.Uint64Min(2).Draw(t, "seq"), Prev: b("prev"), Commitment: b("commitment")}
		if (l.Prev == tlog.Hash{}) {
			l.Seq = 1
		}
		e := l.Encode()
		got, err := tlog.ParseLeaf(e)
		if err != nil || got != l || len(e) != tlog.LeafSize {
			t.Fatalf("%v, %v, %d bytes", got, err, len(e))
		}
		if h := rfc6962.DefaultHasher.HashLeaf(e); tlog.Hash(h) != tlog.LeafHash(e) {
			t.Fatal("leaf hash differs from RFC 6962")
		}
	})
}

// An opening of some fields shows those and nothing of the others: a value
// that is withheld cannot be found by trying, and no salt opens another field.
func TestOpening(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(name, 1, 12, rapid.ID).Draw(t, "names")
		var fields []evidence.Field
		for _, n := range names {
			fields = append(fields, evidence.Field{Name: n, Value: rapid.String().Draw(t, n)})
		}
		hidden := map[string]bool{}
		for _, n := range names {
			hidden[n] = rapid.Bool().Draw(t, "hide "+n)
		}
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		leaf := tlog.Leaf{Seq: 1, Commitment: tlog.Commit(key, fields)}.Encode()
		o := tlog.Open(leaf, -1, key, fields, func(n string) bool { return hidden[n] })
		wire, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var back tlog.Opening
		if err := json.Unmarshal(wire, &back); err != nil {
			t.Fatal(err)
		}
		if err := back.Check(); err != nil {
			t.Fatal(err)
		}
		all := tlog.Open(leaf, -1, key, fields, nil)
		for i, f := range fields {
			v, ok := back.Get(f.Name)
			if ok == hidden[f.Name] || ok && v != f.Value {
				t.Fatalf("%s: %q, %v", f.Name, v, ok)
			}
			if hidden[f.Name] && (back.Fields[i].Salt != nil || bytes.Contains(wire, mustJSON(t, all.Fields[i].Salt))) {
				t.Fatalf("the salt of %s got out", f.Name)
			}
		}
		if bytes.Contains(wire, mustJSON(t, key)) {
			t.Fatal("the event key got out")
		}
		i := rapid.IntRange(0, len(fields)-1).Draw(t, "altered")
		if back.Fields[i].Value != nil {
			s := *back.Fields[i].Value + "x"
			back.Fields[i].Value = &s
		} else {
			back.Fields[i].MAC[7] ^= 1
		}
		if err := back.Check(); evidence.CodeOf(err) != evidence.Corrupt {
			t.Fatalf("altered field %d passed: %v", i, err)
		}
	})
}

func mustJSON(t *rapid.T, b []byte) []byte {
	j, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return j[1 : len(j)-1]
}

// Whatever happens to a good history, CheckChain notices, and names the fault.
func TestChainProperties(t *testing.T) {
	l := newSmallLog(t, "custos.example/chain")
	for i := range 24 {
		l.add([]string{"a", "b"}[i%2], []evidence.Field{{Name: "event", Value: fmt.Sprint(i)}}, nil)
	}
	good, tag := l.items["a"].openings, tlog.ItemTag(l.items["a"].key, "a")
	if err := tlog.CheckChain(tag, good); err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckChain(tag, nil); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		chain := slices.Clone(good)
		at := rapid.IntRange(0, len(chain)-2).Draw(t, "at")
		var want tlog.Fault
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			chain, want = slices.Delete(chain, at, rapid.IntRange(at+1, len(chain)-1).Draw(t, "to")), tlog.Dropped
		case 1:
			to := rapid.IntRange(at+1, len(chain)-1).Draw(t, "with")
			chain[at], chain[to] = chain[to], chain[at]
			want = tlog.Reordered
		case 2:
			to := rapid.IntRange(at+1, len(chain)).Draw(t, "to")
			chain, want = slices.Insert(chain, to, chain[at]), tlog.Doubled
		case 3:
			chain, want = slices.Insert(chain, at, l.items["b"].openings[at]), tlog.Foreign
		}
		var ce *tlog.ChainError
		if err := tlog.CheckChain(tag, chain); !errors.As(err, &ce) || ce.Fault != want || !strings.Contains(err.Error(), string(want)) {
			t.Fatalf("%v, want %s", err, want)
		}
	})
}

func TestCheckFields(t *testing.T) {
	many := make([]evidence.Field, 256)
	for i := range many {
		many[i].Name = fmt.Sprintf("f%d", i)
	}
	for name, fields := range map[string][]evidence.Field{
		"empty name":  {{Name: "", Value: "x"}},
		"capitals":    {{Name: "Event", Value: "x"}},
		"zero byte":   {{Name: "a\x00b", Value: "x"}},
		"digit first": {{Name: "1a", Value: "x"}},
		"too long":    {{Name: strings.Repeat("a", 65), Value: "x"}},
		"twice":       {{Name: "a", Value: "x"}, {Name: "a", Value: "y"}},
		"long value":  {{Name: "a", Value: strings.Repeat("x", tlog.MaxValue+1)}},
		"not text":    {{Name: "a", Value: "\xff"}},
		"too many":    many,
	} {
		if err := tlog.CheckFields(fields); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tlog.CheckFields(many[:255]); err != nil {
		t.Error(err)
	}
}

func TestTiles(t *testing.T) {
	for path, tile := range map[string]tlog.Tile{
		"tile/0/000":                 {H: 8, W: 256},
		"tile/1/000.p/1":             {H: 8, L: 1, W: 1},
		"tile/0/x001/x234/067":       {H: 8, N: 1234067, W: 256},
		"tile/63/001.p/255":          {H: 8, L: 63, N: 1, W: 255},
		"tile/entries/000.p/17":      {H: 8, L: tlog.Entries, W: 17},
		"tile/entries/x123/x456/789": {H: 8, L: tlog.Entries, N: 123456789, W: 256},
	} {
		if got := tlog.TilePath(tile); got != path {
			t.Errorf("%+v: %s, want %s", tile, got, path)
		}
		if got, err := tlog.ParseTilePath(path); err != nil || got != tile {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/0", "tile/0/0", "tile/0/1000", "tile/00/000", "tile/-1/000", "tile/64/000", "tile/data/000", "/tile/0/000",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/x000/001", "tile/0/001/002", "tile/0/../000", "tile/8/0/000",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/entries/000.p/", "checkpoint",
	} {
		if got, err := tlog.ParseTilePath(path); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("%q: %+v, %v", path, got, err)
		}
	}
	// The example of C2SP tlog-tiles: a log of 70,000 entries.
	for path, want := range map[string]bool{
		"tile/0/272": true, "tile/0/273": false, "tile/0/273.p/112": true, "tile/0/273.p/113": false,
		"tile/1/000": true, "tile/1/001.p/17": true, "tile/1/001.p/18": false, "tile/2/000.p/1": true,
		"tile/2/000.p/2": false, "tile/3/000.p/1": false, "tile/63/000.p/1": false, "tile/entries/273.p/112": true, "tile/entries/273": false,
	} {
		tile, err := tlog.ParseTilePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := tlog.InTree(tile, 70000); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	f.Add([]byte{})
	f.Add(tlog.Leaf{Seq: 1}.Encode())
	f.Add(tlog.Leaf{Seq: 2}.Encode())
	f.Add(bytes.Repeat([]byte{1}, tlog.LeafSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := tlog.ParseLeaf(b)
		if err == nil && !bytes.Equal(l.Encode(), b) {
			t.Errorf("%x read as %+v", b, l)
		}
		if err != nil && evidence.CodeOf(err) != evidence.Corrupt {
			t.Error(err)
		}
	})
}

func FuzzParseProof(f *testing.F) {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		f.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(v.Cases[0].Proofs[0]))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx"))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 01\n\nx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := tlog.ParseProof(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Marshal(), b) {
			t.Errorf("%q written back as %q", b, p.Marshal())
		}
		var fp fproof.TLogProof
		if err := fp.Unmarshal(b); err == nil && int64(fp.Index) != p.Index {
			t.Errorf("read as index %d, by others as %d", p.Index, fp.Index)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add([]byte("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— o AAAA\n"))
	f.Add([]byte("o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n— o AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := tlog.ParseCheckpoint(b); err == nil && !bytes.HasPrefix(b, []byte(c.Text()+"\n")) {
			t.Errorf("%q read as %+v", b, c)
		}
	})
}

func FuzzTilePath(f *testing.F) {
	f.Add("tile/0/x001/x234/067.p/8")
	f.Add("tile/entries/000")
	f.Fuzz(func(t *testing.T, s string) {
		if tile, err := tlog.ParseTilePath(s); err == nil && tlog.TilePath(tile) != s {
			t.Errorf("%q read as %+v", s, tile)
		}
	})
}

func FuzzParseEntries(f *testing.F) {
	f.Add([]byte{0, 1, 7, 0, 0})
	f.Add([]byte{0, 2, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		leaves, err := tlog.ParseEntries(b)
		if err != nil {
			return
		}
		if back, err := tlog.EncodeEntries(leaves); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%x written back as %x, %v", b, back, err)
		}
	})
}
