package tlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/evidence"
)

// MaxSize is the largest size of a log: what a JSON number holds exactly. It
// also keeps hostile sizes away from arithmetic that would overflow.
const MaxSize = 1<<53 - 1

// Checkpoint is the head of a log (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string // names the log
	Size   int64  // leaves, 0 to MaxSize
	Root   Hash   // RFC 6962 root of those leaves
}

// Text is what is signed: three lines.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// Sign makes the signed note. The origin must not be empty nor hold a line
// break; Invalid otherwise.
func (c Checkpoint) Sign(signers ...note.Signer) ([]byte, error) {
	if _, err := parseCheckpointText(c.Text()); err != nil {
		return nil, err
	}
	b, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	return b, evidence.Wrap(evidence.Internal, err, "sign the checkpoint")
}

// OpenCheckpoint reads a checkpoint of the log called origin, signed by log.
// Further signatures, as of witnesses, are allowed and not looked at. It fails
// with Corrupt, wrapping a *ChainError with WrongCheckpoint.
func OpenCheckpoint(msg []byte, origin string, log note.Verifier) (Checkpoint, error) {
	wrong := func(err error, sentence string) (Checkpoint, error) {
		return Checkpoint{}, evidence.Wrap(evidence.Corrupt, errors.Join(&ChainError{Fault: WrongCheckpoint}, err), sentence)
	}
	n, err := note.Open(msg, note.VerifierList(log))
	if err != nil {
		return wrong(err, "The checkpoint is not signed by the log's key.")
	}
	c, err := parseCheckpointText(n.Text)
	if err != nil {
		return wrong(err, "The signed text is not a checkpoint.")
	}
	if c.Origin != origin {
		return wrong(nil, "The checkpoint is of another log.")
	}
	return c, nil
}

// ParseCheckpoint reads a checkpoint without checking who signed it: for a
// copy that the reader itself wrote, or before the signer is known. It fails
// with Invalid.
func ParseCheckpoint(msg []byte) (Checkpoint, error) {
	text, sigs, ok := strings.Cut(string(msg), "\n\n")
	if !ok || !strings.HasPrefix(sigs, "— ") {
		return Checkpoint{}, evidence.Errorf(evidence.Invalid, "a checkpoint is three lines, an empty line and signatures")
	}
	return parseCheckpointText(text + "\n")
}

func parseCheckpointText(text string) (Checkpoint, error) {
	var c Checkpoint
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return c, evidence.Errorf(evidence.Invalid, "a checkpoint is three lines: origin, size and root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > MaxSize || strconv.FormatInt(size, 10) != lines[1] {
		return c, evidence.Errorf(evidence.Invalid, "the size in the checkpoint is not a number from 0 to 2^53-1")
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return c, err
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

// parseHash is strict where x/mod's is not: one text for each hash.
func parseHash(s string) (Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(Hash{}) || Hash(b).String() != s {
		return Hash{}, evidence.Errorf(evidence.Invalid, "a hash is 32 bytes in base64")
	}
	return Hash(b), nil
}

// CheckInclusion tells whether the tree of this checkpoint has leafHash at
// index, given an RFC 6962 audit path. It fails with Corrupt, wrapping a
// *ChainError with WrongProof.
func (c Checkpoint) CheckInclusion(path []Hash, index int64, leafHash Hash) error {
	err := errors.New("the index is outside the tree")
	if index >= 0 && index < c.Size && c.Size <= MaxSize {
		err = xtlog.CheckRecord(path, c.Size, c.Root, index, leafHash)
	}
	if err == nil {
		return nil
	}
	return evidence.Wrap(evidence.Corrupt, errors.Join(&ChainError{Fault: WrongProof}, err), "The proof does not show that the event is in the log.")
}

// CheckConsistency tells whether the tree of c begins with the tree of older,
// given an RFC 6962 consistency proof. It fails with Corrupt.
func (c Checkpoint) CheckConsistency(path []Hash, older Checkpoint) error {
	var err error
	switch {
	case older.Origin != c.Origin || older.Size > c.Size || older.Size < 0 || c.Size > MaxSize:
		err = errors.New("the checkpoints cannot be compared")
	case older.Size == 0:
		if len(path) != 0 || older.Root != xtlog.Hash(emptyRoot()) {
			err = errors.New("an empty log has one root and needs no proof")
		}
	default:
		err = xtlog.CheckTree(path, c.Size, c.Root, older.Size, older.Root)
	}
	return evidence.Wrap(evidence.Corrupt, err, "The two checkpoints are not of one log: history was rewritten between them.")
}
