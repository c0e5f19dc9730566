package oversight

import (
	"context"
	"io"

	"custos/bundle"
	"custos/evidence"
)

// json writes the answer with what proves it.
func (e *Export) json(ctx context.Context, w io.Writer) (n int, err error) {
	t := e.trail
	head := bundle.Trail{Export: e.id, Force: t.Force, Classification: t.Classification, MadeAt: e.at.UTC(), MadeBy: e.actor,
		Question: e.about[2:], LogKey: t.LogKey, Checkpoint: string(e.checkpoint)}
	head.MadeBy.Session, head.MadeBy.Address = "", "" // no matter of whoever gets the file
	err = bundle.WriteTrail(w, head, func(add func(bundle.TrailEvent) error) (*bundle.TrailItem, error) {
		var numbers map[uint64]bool // of the events of one item
		if e.wholeItem() {
			numbers = map[uint64]bool{}
		}
		n, err = e.each(ctx, func(ev TrailEvent) error {
			opening, path, err := t.prove(ctx, ev.entry, e.size)
			if err != nil {
				return err
			}
			if numbers != nil {
				numbers[ev.ItemSeq] = true
			}
			return add(bundle.TrailEvent{Opening: opening, Proof: path})
		})
		if err != nil || len(numbers) == 0 {
			return nil, err
		}
		for i := range numbers {
			if i > uint64(len(numbers)) { // something stands between that is not shown
				return nil, nil
			}
		}
		key, err := t.Ledger.ItemKey(ctx, e.question.Item)
		return &bundle.TrailItem{Item: e.question.Item, Key: key}, err
	})
	return n, err
}

// wholeItem tells whether all of one item was asked for and nothing else.
func (e *Export) wholeItem() bool {
	fields := e.about[2:]
	return len(fields) == 1 && fields[0] == evidence.F("sought_item", string(e.question.Item))
}
