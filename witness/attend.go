package witness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"custos/evidence"
	"custos/tlog"
)

// attend asks one witness for each target in turn.
func (k *Keeper) attend(ctx context.Context, p *party) {
	for {
		t, have, pause, changed := k.next(p)
		if t == nil {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			case <-time.After(pause):
			}
			continue
		}
		c, err := k.ask(ctx, p.PolicyWitness, have, t.note, t.size, func(size int64) {
			k.mu.Lock()
			defer k.mu.Unlock()
			p.has = size
		})
		if ctx.Err() != nil {
			return
		}
		k.done(p, t, c, err)
	}
}

// next is what p is to sign now, and what it has; nil when it has nothing to
// sign before pause is over or changed is closed.
func (k *Keeper) next(p *party) (t *target, have int64, pause time.Duration, changed <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.cfg.Now()
	if wait := p.again.Sub(now); wait > 0 {
		return nil, 0, wait, nil // news must not shorten the pause
	}
	k.advance(now)
	t = k.target
	if t == nil {
		return nil, 0, refresh, k.changed
	}
	pause = refresh
	if k.newest.size > t.size {
		pause = t.at.Add(hold).Sub(now)
	}
	if _, ok := t.lines[p]; ok {
		left := p.asked.Add(refresh).Sub(now)
		if k.newest.size == t.size && left <= 0 {
			return t, t.size, 0, nil
		}
		pause = min(pause, max(left, 0))
		return nil, 0, pause, k.changed
	}
	if p.has > t.size { // another server of ours had it sign a newer one
		return nil, 0, pause, k.changed
	}
	return t, p.has, 0, nil
}

// advance makes the newest checkpoint the target, once the last one has enough
// signatures, nobody more can sign it, or it has had its time. mu is held.
func (k *Keeper) advance(now time.Time) {
	if k.newest.size == 0 {
		return
	}
	if t := k.target; t != nil {
		can := slices.ContainsFunc(k.parties, func(p *party) bool {
			_, done := t.lines[p]
			return !done && p.has <= t.size
		})
		if k.newest.size == t.size || can && !t.met && now.Sub(t.at) < hold {
			return
		}
	}
	k.target = &target{signed: signed{k.newest.size, k.newest.note, now}, lines: map[*party]tlog.Cosignature{}}
	k.target.met = k.cfg.Policy.Met(nil)
}

// done notes what came of asking p to sign t.
func (k *Keeper) done(p *party, t *target, c tlog.Cosignature, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.wake()
	now := k.cfg.Now()
	var ahead *conflict
	if errors.As(err, &ahead) {
		p.has = ahead.size
		if ahead.size <= k.newest.size {
			return // it is asked for the newest next
		}
		err = evidence.Errorf(evidence.Unavailable, "It has cosigned %d entries, and this log has %d: the database may be an old copy, or the witness may have been fed another log under this key. "+
			"Find out which before anything else.", ahead.size, k.newest.size)
	}
	if err != nil {
		if p.fails++; p.trouble == "" {
			k.cfg.Logger.Warn("a witness does not sign", "witness", p.Name, "err", err)
		}
		p.trouble = evidence.MessageOf(err)
		p.again = now.Add(pauseAfter(p.fails))
		return
	}
	if p.trouble != "" {
		k.cfg.Logger.Info("a witness signs again", "witness", p.Name, "size", t.size)
	}
	p.trouble, p.fails, p.again, p.asked = "", 0, time.Time{}, now
	p.has = max(p.has, t.size)
	if t.size >= p.size {
		p.size, p.at = t.size, c.Time
	}
	t.lines[p] = c
	k.dirty = true
	if all := slices.Collect(maps.Values(t.lines)); k.cfg.Policy.Met(all) {
		t.met = true
		if t.size >= k.best.size {
			k.best = signed{t.size, k.cosigned(t), now}
		}
	}
	k.forget()
}

// pauseAfter doubles with each attempt in a row that failed.
func pauseAfter(fails int) time.Duration {
	return min(firstPause<<min(fails-1, 20), lastPause)
}

// cosigned is the target with its signatures, in the order of the policy. mu is
// held.
func (k *Keeper) cosigned(t *target) []byte {
	var lines []string
	for _, p := range k.parties {
		if c, ok := t.lines[p]; ok {
			lines = append(lines, c.Line)
		}
	}
	return tlog.AddLines(t.note, lines...)
}

// Cosigned waits until enough witnesses have signed a checkpoint of at least
// size entries, and gives the newest such one. It fails with Unavailable when
// ctx ends before, and with NotFound without witnesses. Somebody must Run.
func (k *Keeper) Cosigned(ctx context.Context, size int64) ([]byte, error) {
	if len(k.parties) == 0 {
		return nil, evidence.Errorf(evidence.NotFound, "No witness is configured.")
	}
	for {
		k.mu.Lock()
		best, changed := k.best, k.changed
		k.mu.Unlock()
		if best.size >= size && best.size > 0 {
			return best.note, nil
		}
		select {
		case <-ctx.Done():
			return nil, evidence.Wrap(evidence.Unavailable, ctx.Err(), "Not enough witnesses have signed the newest checkpoint.")
		case <-changed:
		}
	}
}

// Newest is the newest checkpoint that enough witnesses have signed; nil = none.
func (k *Keeper) Newest() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.best.note
}

// Decorate puts under a checkpoint the signatures of witnesses that are known.
func (k *Keeper) Decorate(checkpoint []byte) []byte {
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	k.mu.Lock()
	defer k.mu.Unlock()
	same := func(b []byte) bool { return strings.HasPrefix(string(b), text+"\n\n") }
	switch {
	case k.target != nil && len(k.target.lines) > 0 && same(k.target.note):
		return k.cosigned(k.target)
	case same(k.best.note):
		return k.best.note
	}
	return checkpoint
}

// Seen asks every witness once for a signature on the newest checkpoint and
// tells which has signed the longest log, and how long. A witness that does not
// answer in time says nothing. It is for the start: a database behind what a
// witness has seen is an old copy.
func (k *Keeper) Seen(ctx context.Context) (size int64, witness string) {
	k.Notify(ctx)
	k.mu.Lock()
	if len(k.parties) > 0 {
		k.advance(k.cfg.Now())
	}
	t := k.target
	k.mu.Unlock()
	if t == nil {
		return 0, ""
	}
	type answer struct {
		size int64
		p    *party
	}
	answers := make(chan answer, len(k.parties))
	for _, p := range k.parties {
		go func() { // ends with ctx
			k.mu.Lock()
			have := p.has
			k.mu.Unlock()
			c, err := k.ask(ctx, p.PolicyWitness, have, t.note, t.size, func(int64) {})
			var other *conflict
			ahead := errors.As(err, &other)
			if err == nil || ahead {
				k.done(p, t, c, err)
			}
			if !ahead {
				other = &conflict{}
			}
			answers <- answer{other.size, p}
		}()
	}
	for range k.parties {
		if a := <-answers; a.size > size {
			size, witness = a.size, fmt.Sprintf("%s (%s)", a.p.Name, a.p.Key.Name())
		}
	}
	return size, witness
}
