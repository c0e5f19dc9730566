package oversight

import (
	"context"

	"custos/evidence"
	"custos/ledger"
	"custos/tlog"
)

// checkpoint is the newest checkpoint and its size; none and 0 before the
// first.
func (t *Trail) checkpoint(ctx context.Context) ([]byte, int64, error) {
	b, err := t.Ledger.Checkpoint(ctx)
	if evidence.CodeOf(err) == evidence.NotFound {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
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
