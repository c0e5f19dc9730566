// Package tlog is everything a verifier needs of the ledger's transparency log,
// without a database: leaves, commitments and their openings, the history of an
// item, checkpoints, proofs, tiles and entry bundles. The formats are written
// down in docs/formats/ledger.md; the published ones are those of C2SP
// (tlog-tiles, tlog-checkpoint, tlog-proof) over RFC 6962 trees.
//
// Errors carry Corrupt where evidence is not what it must be and Invalid where
// a text cannot be read at all. All functions may be called concurrently; all
// values are plain data.
package tlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/evidence"
)

// Hash is a SHA-256 node of the tree (RFC 6962, 2.1).
type Hash = xtlog.Hash

// Sizes and the version of a leaf.
const (
	LeafVersion = 1
	LeafSize    = 105 // bytes
	KeySize     = 32  // bytes of an item key and of an event key
)

// Leaf is one leaf of the log. It holds no personal data.
type Leaf struct {
	Tag        Hash   // which item; see ItemTag
	Seq        uint64 // place among the item's leaves, from 1
	Prev       Hash   // LeafHash of the item's previous leaf; zero for the first
	Commitment Hash   // to the event's fields; see Commit
}

// Encode writes the leaf's LeafSize bytes.
func (l Leaf) Encode() []byte {
	b := make([]byte, 0, LeafSize)
	b = append(b, LeafVersion)
	b = append(b, l.Tag[:]...)
	b = binary.BigEndian.AppendUint64(b, l.Seq)
	b = append(b, l.Prev[:]...)
	return append(b, l.Commitment[:]...)
}

// ParseLeaf reads what Encode wrote. It fails with Corrupt for any other
// length or version, for sequence 0, and for a first leaf that names a
// previous one.
func ParseLeaf(b []byte) (Leaf, error) {
	var l Leaf
	if len(b) != LeafSize || b[0] != LeafVersion {
		return l, evidence.Errorf(evidence.Corrupt, "this is not a leaf of the ledger")
	}
	copy(l.Tag[:], b[1:33])
	l.Seq = binary.BigEndian.Uint64(b[33:41])
	copy(l.Prev[:], b[41:73])
	copy(l.Commitment[:], b[73:])
	if l.Seq == 0 || (l.Seq == 1) != (l.Prev == Hash{}) {
		return Leaf{}, evidence.Errorf(evidence.Corrupt, "this is not a leaf of the ledger: its place in the item's history contradicts itself")
	}
	return l, nil
}

// LeafHash is the RFC 6962 hash of an encoded leaf.
func LeafHash(leaf []byte) Hash { return xtlog.RecordHash(leaf) }

// Domain separation: every use of a hash begins with its own words and a zero
// byte, so that no output of one can be passed off as another's.
const (
	itemDomain       = "custos ledger v1 item\x00"
	saltDomain       = "custos ledger v1 salt\x00"
	commitmentDomain = "custos ledger v1 commitment\x00"
)

// ItemTag is the tag that all leaves of item carry. Without the item key (32
// random bytes) nobody can tell which leaves belong together to what.
func ItemTag(itemKey []byte, item string) Hash {
	return mac(itemKey, itemDomain, item)
}

func mac(key []byte, parts ...string) (h Hash) {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write([]byte(p)) // a hash.Hash never fails
	}
	m.Sum(h[:0])
	return h
}
