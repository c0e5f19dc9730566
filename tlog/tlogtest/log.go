// Package tlogtest is a small log in memory, whose keys, salts and times are
// the same in every run, for tests of what reads histories and proofs.
package tlogtest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/evidence"
	"custos/tlog"
)

// Time is when everything in a test log happens.
var Time = time.Date(2026, 11, 22, 6, 2, 31, 187002000, time.UTC)

// Key is a note key made from a seed.
type Key struct {
	Signer note.Signer
	VKey   string
}

// NewKey makes the key that belongs to name and seed.
func NewKey(name, seed string) Key {
	s := sha256.Sum256([]byte(name + "\x00" + seed))
	pub := ed25519.NewKeyFromSeed(s[:]).Public().(ed25519.PublicKey)
	raw := append([]byte{1}, pub...)
	h := sha256.Sum256([]byte(name + "\n" + string(raw)))
	id := fmt.Sprintf("%08x", binary.BigEndian.Uint32(h[:]))
	skey := "PRIVATE+KEY+" + name + "+" + id + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, s[:]...))
	signer, err := note.NewSigner(skey)
	if err != nil {
		panic(err) // a mistake in this package
	}
	return Key{signer, name + "+" + id + "+" + base64.StdEncoding.EncodeToString(raw)}
}

// Log is a ledger without a database. Not for concurrent use.
type Log struct {
	Key    Key
	leaves [][]byte
	hashes []xtlog.Hash
	items  map[string]*item
}

type item struct {
	key    []byte
	events []tlog.Opening
	prev   tlog.Hash
}

// NewLog makes an empty log, its key made from seed.
func NewLog(seed string) *Log {
	return &Log{Key: NewKey("force.example/log", seed), items: map[string]*item{}}
}

func secret(parts ...any) []byte {
	h := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return h[:]
}

func (l *Log) item(id string) *item {
	it := l.items[id]
	if it == nil {
		it = &item{key: secret("item key", id)}
		l.items[id] = it
	}
	return it
}

// ItemKey is the key of an item.
func (l *Log) ItemKey(id evidence.ID) []byte { return l.item(string(id)).key }

// Add records an event: the fields that every event begins with, then fields.
// withhold, where not nil, names those that the opening keeps back.
func (l *Log) Add(id evidence.ID, verb evidence.Verb, phase evidence.Phase, fields []evidence.Field, withhold func(string) bool) tlog.Opening {
	it := l.item(string(id))
	n := int64(len(l.leaves))
	all := append([]evidence.Field{
		evidence.F("event", fmt.Sprintf("event-%d", n)),
		evidence.F("item", string(id)),
		evidence.F("verb", string(verb)),
		evidence.F("phase", string(phase)),
		evidence.F("at", Time.Add(time.Duration(n)*time.Second)),
	}, fields...)
	key := secret("event key", n, id)
	leaf := tlog.Leaf{
		Tag: tlog.ItemTag(it.key, string(id)), Seq: uint64(len(it.events)) + 1,
		Prev: it.prev, Commitment: tlog.Commit(key, all),
	}.Encode()
	hashes, err := xtlog.StoredHashes(n, leaf, l.reader())
	if err != nil {
		panic(err)
	}
	l.hashes = append(l.hashes, hashes...)
	l.leaves = append(l.leaves, leaf)
	it.prev = tlog.LeafHash(leaf)
	o := tlog.Open(leaf, n, key, all, withhold)
	it.events = append(it.events, o)
	return o
}

func (l *Log) reader() xtlog.HashReader {
	return xtlog.HashReaderFunc(func(indexes []int64) ([]xtlog.Hash, error) {
		out := make([]xtlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = l.hashes[x]
		}
		return out, nil
	})
}

// Events are the events of an item so far.
func (l *Log) Events(id evidence.ID) []tlog.Opening { return l.item(string(id)).events }

// Size is how many leaves the log has.
func (l *Log) Size() int64 { return int64(len(l.leaves)) }

// Checkpoint signs the log at size.
func (l *Log) Checkpoint(size int64) []byte {
	root, err := xtlog.TreeHash(size, l.reader())
	if err != nil {
		panic(err)
	}
	b, err := tlog.Checkpoint{Origin: l.Key.Signer.Name(), Size: size, Root: root}.Sign(l.Key.Signer)
	if err != nil {
		panic(err)
	}
	return b
}

// Path is the inclusion proof of the leaf at index in the tree of size.
func (l *Log) Path(size, index int64) []tlog.Hash {
	p, err := xtlog.ProveRecord(size, index, l.reader())
	if err != nil {
		panic(err)
	}
	return p
}

// Collect records both events of a collection and gives the outcome's opening.
func (l *Log) Collect(id evidence.ID, segment int, c evidence.Capture, withhold func(string) bool) tlog.Opening {
	fields := []evidence.Field{
		evidence.F("actor_kind", string(evidence.Dock)), evidence.F("actor_name", "Dock HQ-3"),
		evidence.F("segment", segment), evidence.F("device", c.Device), evidence.F("file_name", c.FileName),
		evidence.F("sha256", c.Digest), evidence.F("length", c.Length),
	}
	l.Add(id, evidence.Collect, evidence.Intent, fields, withhold)
	return l.Add(id, evidence.Collect, evidence.Outcome, append(fields, evidence.F("known", false)), withhold)
}

// Consistency is the proof that the tree of older leaves begins that of newer.
func (l *Log) Consistency(older, newer int64) []tlog.Hash {
	p, err := xtlog.ProveTree(newer, older, l.reader())
	if err != nil {
		panic(err)
	}
	return p
}
