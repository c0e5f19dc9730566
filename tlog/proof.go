package tlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// maxPath is the longest audit path in a tree of at most MaxSize leaves.
const maxPath = 53

// Proof shows offline that a leaf is in the log (C2SP tlog-proof).
type Proof struct {
	Index      int64  // of the leaf, from 0
	Path       []Hash // RFC 6962 audit path, from the leaf's sibling up
	Checkpoint []byte // signed note, verbatim
	Extra      []byte // what the application likes; not authenticated; nil = none
}

// Marshal writes the proof as text.
func (p Proof) Marshal() []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n")
	if p.Extra != nil {
		fmt.Fprintf(&b, "extra %s\n", base64.StdEncoding.EncodeToString(p.Extra))
	}
	fmt.Fprintf(&b, "index %d\n", p.Index)
	for _, h := range p.Path {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(p.Checkpoint)
	return b.Bytes()
}

// ParseProof reads what Marshal wrote and nothing else. It fails with Invalid.
// The checkpoint inside is not looked at; see Check.
func ParseProof(text []byte) (Proof, error) {
	var p Proof
	fail := func(what string) (Proof, error) {
		return Proof{}, evidence.Errorf(evidence.Invalid, "this is not a tlog-proof: %s", what)
	}
	head, checkpoint, ok := bytes.Cut(text, []byte("\n\n"))
	if !ok || len(checkpoint) == 0 {
		return fail("the checkpoint is missing")
	}
	p.Checkpoint = bytes.Clone(checkpoint)
	lines := strings.Split(string(head), "\n")
	if lines[0] != proofHeader {
		return fail("the first line is wrong")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		s := strings.TrimPrefix(lines[0], "extra ")
		extra, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || base64.StdEncoding.EncodeToString(extra) != s {
			return fail("the extra data is not base64")
		}
		p.Extra, lines = append([]byte{}, extra...), lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return fail("the index is missing")
	}
	number := strings.TrimPrefix(lines[0], "index ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n >= MaxSize || strconv.FormatInt(n, 10) != number {
		return fail("the index is not a number from 0 to 2^53-2")
	}
	p.Index, lines = n, lines[1:]
	if len(lines) > maxPath {
		return fail("the path is too long")
	}
	for _, line := range lines {
		h, err := parseHash(line)
		if err != nil {
			return fail("a line of the path is not a hash")
		}
		p.Path = append(p.Path, h)
	}
	return p, nil
}

// Check tells whether the proof shows leaf in the log called origin whose key
// is log, and gives the checkpoint. It fails with Corrupt, wrapping a
// *ChainError with WrongCheckpoint or WrongProof.
func (p Proof) Check(leaf []byte, origin string, log note.Verifier) (Checkpoint, error) {
	c, err := OpenCheckpoint(p.Checkpoint, origin, log)
	if err != nil {
		return Checkpoint{}, err
	}
	return c, c.CheckInclusion(p.Path, p.Index, LeafHash(leaf))
}

// CheckOpening is Check for the leaf of an opening, which must also stand where
// the proof says. That the opening itself is good is for CheckChain or
// Opening.Check to tell.
func (p Proof) CheckOpening(o Opening, origin string, log note.Verifier) (Checkpoint, error) {
	c, err := p.Check(o.Leaf, origin, log)
	if err == nil && o.Index != p.Index {
		err = evidence.Wrap(evidence.Corrupt, &ChainError{Fault: WrongProof}, "The proof is of another place in the log than the event names.")
	}
	return c, err
}

func emptyRoot() [sha256.Size]byte { return sha256.Sum256(nil) }

func asChainError(err error) (*ChainError, bool) {
	var e *ChainError
	return e, errors.As(err, &e)
}
