package oversight

import (
	"context"
	"time"

	"custos/evidence"
	"custos/ledger"
	"custos/tlog"
)

// cosigned is a checkpoint of at least size entries that enough witnesses have
// signed, if that can be had soon, else the newest, and its size.
func (t *Trail) cosigned(ctx context.Context, size int64) ([]byte, int64, error) {
	soon, cancel := context.WithTimeout(ctx, witnessWait)
	defer cancel()
	b, err := t.Witness.Cosigned(soon, size)
	if err != nil {
		return t.checkpoint(ctx)
	}
	c, err := tlog.ParseCheckpoint(b)
	return b, c.Size, err
}

// witnessWait is how long a file of the trail waits for witnesses. One that is
// made while they are down can be checked against the force's key alone.
const witnessWait = 3 * time.Second

// checkpoint is the newest checkpoint, with the signatures of witnesses that
// are known, and its size; none and 0 before the first.
func (t *Trail) checkpoint(ctx context.Context) ([]byte, int64, error) {
	b, err := t.Ledger.Checkpoint(ctx)
	if evidence.CodeOf(err) == evidence.NotFound {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	b = t.Witness.Decorate(b)
	c, err := tlog.ParseCheckpoint(b)
	return b, c.Size, err
}

// prove opens an entry, with its path in the tree of size leaves. An event
// that is not in that tree, or whose tree this database does not have, has
// index -1 and no path.
func (t *Trail) prove(ctx context.Context, e ledger.Entry, size int64) (tlog.Opening, []tlog.Hash, error) {
	index, path := e.Index, []tlog.Hash{}
	if index >= size {
		index = -1
	}
	if index >= 0 {
		p, err := t.Ledger.Proof(ctx, index, size)
		switch {
		case evidence.CodeOf(err) == evidence.NotFound:
			index = -1
		case err != nil:
			return tlog.Opening{}, nil, err
		default:
			path = append(path, p...)
		}
	}
	return tlog.Open(e.Leaf, index, e.Key, e.Fields, nil), path, nil
}
