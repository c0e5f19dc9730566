package oversight

import (
	"context"

	"custos/evidence"
	"custos/ledger"
	"custos/tlog"
)

// OpenedEvent is one event with what anybody needs to check it.
type OpenedEvent struct {
	TrailEvent
	Opening    tlog.Opening `json:"opening"`
	Proof      []tlog.Hash  `json:"proof" doc:"RFC 6962 path from the leaf's sibling up; empty while the event waits for its checkpoint."`
	Checkpoint string       `json:"checkpoint" doc:"Signed note; empty before the first."`
	LogKey     string       `json:"logKey"`
}

// Event is one event of the trail in full. Errors: NotFound, also for one of
// which actor may not know; Denied, Unavailable.
func (t *Trail) Event(ctx context.Context, actor evidence.Actor, id evidence.ID) (OpenedEvent, error) {
	about := []evidence.Field{evidence.F("what", "one event"), evidence.F("sought_event", string(id))}
	if err := t.decide(ctx, actor, about); err != nil {
		return OpenedEvent{}, err
	}
	if _, err := t.ask(ctx, actor, about); err != nil {
		return OpenedEvent{}, err
	}
	e, err := t.Ledger.Entry(ctx, id)
	if err != nil {
		return OpenedEvent{}, err
	}
	visible, err := t.visible(ctx, actor, []ledger.Entry{e})
	if err != nil {
		return OpenedEvent{}, err
	}
	if visible[0] == nil {
		return OpenedEvent{}, evidence.Errorf(evidence.NotFound, "There is no such event in the ledger.")
	}
	out := OpenedEvent{TrailEvent: *visible[0], Proof: []tlog.Hash{}, LogKey: t.LogKey}
	checkpoint, size, err := t.checkpoint(ctx)
	if err != nil {
		return OpenedEvent{}, err
	}
	out.Checkpoint = string(checkpoint)
	out.Opening, out.Proof, err = t.prove(ctx, e, size)
	return out, err
}
