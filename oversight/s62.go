package oversight

import (
	"context"
	"slices"
	"time"

	"custos/evidence"
	"custos/ledger"
)

// operations are the verbs that DPA 2018 s.62(1) wants logged, in its order.
func operations() []evidence.Verb {
	return []evidence.Verb{evidence.Collect, evidence.Derive, evidence.Consult, evidence.Disclose, evidence.Combine, evidence.Erase}
}

// operationOf is the law's word for a verb, "" where it has none.
func operationOf(v evidence.Verb) string {
	return map[evidence.Verb]string{
		evidence.Collect: "collection", evidence.Derive: "alteration", evidence.Consult: "consultation",
		evidence.Disclose: "disclosure", evidence.Combine: "combination", evidence.Erase: "erasure",
	}[v]
}

// Operation counts the records of one of the six operations.
type Operation struct {
	Operation string        `json:"operation" doc:"collection, alteration, consultation, disclosure, combination or erasure."`
	Verb      evidence.Verb `json:"verb"`
	Begun     int           `json:"begun" doc:"Recorded before the first byte."`
	Done      int           `json:"done"`
	Refused   int           `json:"refused"`
	Failed    int           `json:"failed"`
}

// S62 counts the six operations of DPA 2018 s.62(1) in a time.
type S62 struct {
	From       time.Time   `json:"from"`
	To         time.Time   `json:"to"`
	Operations []Operation `json:"operations"`
	Checkpoint string      `json:"checkpoint" doc:"Of the log when this was counted; a signed note."`
}

// longest is the longest time that one report covers.
const longest = 366 * 24 * time.Hour

func checkPeriod(from, to time.Time) error {
	if from.IsZero() || to.IsZero() || !from.Before(to) || to.Sub(from) > longest+2*time.Hour {
		return evidence.Errorf(evidence.Invalid, "A report is of a time of at most a year: say from when, and until when.")
	}
	return nil
}

// Operations counts. What actor may not know of is not counted. Errors:
// Denied, Invalid for a time longer than a year, Unavailable.
func (t *Trail) Operations(ctx context.Context, actor evidence.Actor, from, to time.Time) (S62, error) {
	if err := checkPeriod(from, to); err != nil {
		return S62{}, err
	}
	about := []evidence.Field{evidence.F("what", "s.62 counts"), evidence.F("sought_from", from), evidence.F("sought_to", to)}
	if err := t.decide(ctx, actor, about); err != nil {
		return S62{}, err
	}
	if _, err := t.ask(ctx, actor, about); err != nil {
		return S62{}, err
	}
	return t.count(ctx, actor, from, to)
}

func (t *Trail) count(ctx context.Context, actor evidence.Actor, from, to time.Time) (S62, error) {
	counted, err := t.Ledger.CountItems(ctx, operations(), from, to)
	if err != nil {
		return S62{}, err
	}
	var items []evidence.ID
	for _, of := range counted {
		for item := range of {
			items = append(items, item)
		}
	}
	slices.Sort(items)
	sights, err := t.Visible(ctx, actor, slices.Compact(items))
	if err != nil {
		return S62{}, err
	}
	checkpoint, _, err := t.checkpoint(ctx)
	if err != nil {
		return S62{}, err
	}
	out := S62{From: from.UTC(), To: to.UTC(), Checkpoint: string(checkpoint)}
	for _, verb := range operations() {
		number := func(phase evidence.Phase) (n int) {
			for item, k := range counted[ledger.Kind{Verb: verb, Phase: phase}] {
				if sights[item].Visible {
					n += k
				}
			}
			return n
		}
		out.Operations = append(out.Operations, Operation{Operation: operationOf(verb), Verb: verb, Begun: number(evidence.Intent),
			Done: number(evidence.Outcome), Refused: number(evidence.Refused), Failed: number(evidence.Failed)})
	}
	return out, nil
}
