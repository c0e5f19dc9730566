package tlog

import (
	"fmt"

	"custos/evidence"
)

// Fault names one way in which a history can be wrong.
type Fault string

// The faults of a history, and of the proofs of its leaves.
const (
	Dropped         Fault = "dropped"    // a leaf is missing
	Reordered       Fault = "reordered"  // leaves are not in the order in which they were logged
	Foreign         Fault = "foreign"    // a leaf of another item
	Altered         Fault = "altered"    // fields or leaf are not those that were logged
	Doubled         Fault = "doubled"    // a leaf stands twice
	WrongProof      Fault = "proof"      // a leaf is not where its proof says
	WrongCheckpoint Fault = "checkpoint" // not a checkpoint of this log
)

// ChainError says what is wrong with a history and where.
type ChainError struct {
	Fault Fault
	Place int    // in the list of openings, from 0
	Seq   uint64 // number in the item's history: of the missing leaf for Dropped, else of the leaf at Place; 0 = unreadable
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("%s: event %d, entry %d of the list", e.Fault, e.Seq, e.Place+1)
}

// FaultOf is the fault that err reports, "" where it reports none.
func FaultOf(err error) Fault {
	if e, ok := asChainError(err); ok {
		return e.Fault
	}
	return ""
}

// CheckChain checks that chain is the history of the item with this tag (see
// ItemTag) from its first event on: complete, in order, each event as it was
// logged. That nothing is missing at the end, only the published log can tell:
// every leaf there with the tag must be in chain. It fails with Corrupt; the
// error wraps a *ChainError that names the first fault.
func CheckChain(tag Hash, chain []Opening) error {
	c := checker{tag: tag, seqs: make([]uint64, len(chain)), seen: map[uint64]bool{}, index: -1}
	for i, o := range chain {
		// An unreadable leaf is reported at its turn.
		if leaf, err := ParseLeaf(o.Leaf); err == nil {
			c.seqs[i] = leaf.Seq
		}
	}
	for i, o := range chain {
		if err := c.next(i, o); err != nil {
			return err
		}
	}
	return nil
}

// checker is how far CheckChain has come.
type checker struct {
	tag   Hash
	seqs  []uint64 // of the whole list
	seen  map[uint64]bool
	prev  Hash  // leaf hash of the entry before
	index int64 // of the last entry before whose place in the log is known
}

func (c *checker) next(i int, o Opening) error {
	fault := func(f Fault, seq uint64, cause error, format string, args ...any) error {
		ce := &ChainError{f, i, seq}
		if cause != nil {
			return evidence.Wrap(evidence.Corrupt, fmt.Errorf("%w: %w", ce, cause), fmt.Sprintf(format, args...))
		}
		return evidence.Wrap(evidence.Corrupt, ce, fmt.Sprintf(format, args...))
	}
	seq, want := c.seqs[i], uint64(i)+1
	if err := o.Check(); err != nil {
		return fault(Altered, seq, err, "Event %d was altered: what is shown is not what was recorded.", want)
	}
	leaf, err := ParseLeaf(o.Leaf)
	if err != nil {
		return err
	}
	if leaf.Tag != c.tag {
		return fault(Foreign, seq, nil, "Entry %d belongs to the history of something else.", i+1)
	}
	if seq != want {
		switch {
		case c.seen[seq]:
			return fault(Doubled, seq, nil, "Event %d stands twice in the history.", seq)
		case c.later(i, want):
			return fault(Reordered, seq, nil, "Event %d stands before event %d.", seq, want)
		default:
			return fault(Dropped, want, nil, "Event %d is missing from the history.", want)
		}
	}
	if leaf.Prev != c.prev {
		return fault(Altered, seq, nil, "Event %d does not follow the event %d that is shown: one of them was altered.", seq, seq-1)
	}
	if o.Index >= 0 {
		if o.Index <= c.index {
			return fault(Reordered, seq, nil, "Event %d is said to stand in the log before an earlier event.", seq)
		}
		c.index = o.Index
	}
	c.seen[seq], c.prev = true, LeafHash(o.Leaf)
	return nil
}

func (c *checker) later(i int, seq uint64) bool {
	for _, s := range c.seqs[i+1:] {
		if s == seq {
			return true
		}
	}
	return false
}
