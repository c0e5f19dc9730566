package ledger

import (
	"context"
	"fmt"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

// batch is how many leaves one transaction of the sequencer takes at most, so
// that nobody waits long for it.
const batch = 4096

// Run puts new events into the tree, signs, and hands out checkpoints until
// ctx ends; then it returns nil. While nothing is new it only looks. Several
// servers on one PostgreSQL may each run; they take turns. A refused ledger
// waits for ctx. Run fails with Corrupt where the ledger contradicts itself,
// with Unavailable where a checkpoint could not be made durable, with Conflict
// when it is running already, and with Invalid without a Signer. After such an
// error the ledger takes no events until it is opened anew.
func (l *Ledger) Run(ctx context.Context) error {
	if l.cfg.Signer == nil {
		return evidence.Errorf(evidence.Invalid, "the ledger was opened without a key to sign with")
	}
	l.mu.Lock()
	state, stopped := l.state, l.stopped
	if state == Ready {
		l.state = Running
	}
	l.mu.Unlock()
	switch state {
	case Ready:
	case Running:
		return evidence.Errorf(evidence.Conflict, "the ledger is running already")
	case Refused:
		<-ctx.Done()
		return nil
	default:
		return stopped
	}
	err := l.loop(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == Running {
		l.state = Ready
	}
	return err
}

func (l *Ledger) loop(ctx context.Context) error {
	tick := time.NewTicker(l.cfg.Interval)
	defer tick.Stop()
	for {
		more, err := l.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && l.usable() != nil {
			return err
		}
		l.remark(err)
		if more {
			continue
		}
		// Whoever waits is served sooner, but not so often that a round serves
		// one event: a round costs two or three writes that wait for the disk.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.cfg.Interval / 4):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-l.wake:
		}
	}
}

// remark notes that a round failed and will be tried again, or that it worked.
func (l *Ledger) remark(err error) {
	message := ""
	if err != nil {
		l.cfg.Logger.Warn("ledger: checkpoint delayed", "error", err)
		message = "The newest events have no checkpoint yet: " + evidence.MessageOf(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble = message
}

// round is one turn: gather, sign, publish. more tells that there is more to
// gather at once.
func (l *Ledger) round(ctx context.Context) (more bool, err error) {
	last := l.last()
	var h head
	var events int64
	err = l.cfg.DB.Read(ctx, func(tx *database.Tx) (err error) {
		if h, err = readHead(ctx, tx, ""); err != nil {
			return err
		}
		events, err = countEvents(ctx, tx)
		return err
	})
	if err == nil && events > h.Size {
		h, more, err = l.gather(ctx)
	}
	if err == nil && (h.Size != last.Size || last.Size > 0 && h.Root != last.Root) {
		err = l.publish(ctx, h)
	}
	if code := evidence.CodeOf(err); code == evidence.Corrupt || code == evidence.Conflict {
		if code == evidence.Conflict { // the database was exchanged under us
			err = evidence.Wrap(evidence.Corrupt, err, evidence.MessageOf(err))
		}
		l.stop(Corrupt, err)
		return false, err
	}
	return more, unavailable(err)
}

func (l *Ledger) last() tlog.Checkpoint {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published
}

// gather puts leaves, tiles and head into the database in one transaction.
func (l *Ledger) gather(ctx context.Context) (h head, more bool, err error) {
	err = l.cfg.DB.Write(ctx, func(tx *database.Tx) (err error) {
		h, more, err = gather(ctx, tx)
		return err
	})
	return h, more, err
}

func gather(ctx context.Context, tx *database.Tx) (head, bool, error) {
	// The lock on the head lets one sequencer in at a time.
	h, err := readHead(ctx, tx, tx.Locking())
	if err != nil {
		return h, false, err
	}
	if tx.Engine() == database.Postgres {
		if err := assign(ctx, tx, h.Size); err != nil {
			return h, false, err
		}
	}
	leaves, err := readLeaves(ctx, tx, h.Size, h.Size+batch)
	if err != nil || len(leaves) == 0 {
		return h, false, err
	}
	e, err := readEdge(ctx, tx, h)
	if err != nil {
		return h, false, err
	}
	for _, leaf := range leaves {
		if _, err := tlog.ParseLeaf(leaf); err != nil {
			return h, false, err
		}
		if err := e.leaf(tlog.LeafHash(leaf), writeTile(ctx, tx)); err != nil {
			return h, false, fmt.Errorf("write tile: %w", err)
		}
	}
	if err := e.partial(writeTile(ctx, tx)); err != nil {
		return h, false, fmt.Errorf("write tile: %w", err)
	}
	h.Size = e.size
	if h.Root, err = e.root(); err != nil {
		return h, false, fmt.Errorf("compute root: %w", err)
	}
	_, err = tx.Exec(ctx, "UPDATE ledger_head SET size = ?, root = ? WHERE id = 1", h.Size, h.Root.String())
	return h, len(leaves) == batch, err
}

// assign gives the events in the outbox their indexes, from size on. ord
// ascends within each item, and an event becomes visible no sooner than the
// one before it in its item, so every item keeps its order.
func assign(ctx context.Context, tx *database.Tx, size int64) error {
	_, err := tx.Exec(ctx, `WITH next AS (SELECT ord FROM ledger_outbox ORDER BY ord LIMIT ?),
		moved AS (DELETE FROM ledger_outbox WHERE ord IN (SELECT ord FROM next) RETURNING ord, event, leaf)
		INSERT INTO ledger_leaves (idx, event, leaf)
		SELECT CAST(? AS BIGINT) + row_number() OVER (ORDER BY ord) - 1, event, leaf FROM moved`, batch, size)
	if err != nil {
		return fmt.Errorf("assign indexes: %w", err)
	}
	return nil
}

// publish signs a head that is committed, makes the checkpoint durable, and
// only then hands it out. It fails with Conflict where the head does not
// extend what was published before.
func (l *Ledger) publish(ctx context.Context, h head) error {
	last := l.last()
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) error { return extends(ctx, tx, l.cfg.Origin, h, last) })
	if err != nil {
		return err
	}
	c := tlog.Checkpoint{Origin: l.cfg.Origin, Size: h.Size, Root: h.Root}
	signed, err := c.Sign(l.cfg.Signer)
	if err != nil {
		return err
	}
	if err := writePublished(l.cfg.Published, signed); err != nil {
		// Never retried into success: what the disk holds now, nobody knows.
		err = evidence.Wrap(evidence.Unavailable, err, "The checkpoint could not be written to its file. Events already recorded are safe; "+
			"no more are taken until the disk is mended and the service started again.")
		l.stop(Failed, err)
		return err
	}
	if last.Size == 0 {
		err := l.cfg.DB.Write(ctx, func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE ledger_head SET published = 1 WHERE id = 1")
			return err
		})
		if err != nil {
			return fmt.Errorf("note the first checkpoint: %w", err)
		}
	}
	l.mu.Lock()
	l.published, l.note, l.at = c, signed, l.cfg.Now().UTC()
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	if l.cfg.OnCheckpoint != nil {
		l.cfg.OnCheckpoint(signed)
	}
	return nil
}
