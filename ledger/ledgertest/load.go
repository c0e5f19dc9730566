package ledgertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/tlog"
)

// Load says how to load a ledger whose Run is going.
type Load struct {
	Rate  int           // events a second, evenly spread
	For   time.Duration // how long
	Items int           // among how many items they go round
}

// Latency is a distribution of times.
type Latency struct {
	Count         int
	P50, P99, Max time.Duration
}

func (l Latency) String() string {
	return fmt.Sprintf("n=%d p50=%v p99=%v max=%v", l.Count, l.P50.Round(10*time.Microsecond), l.P99.Round(10*time.Microsecond), l.Max.Round(10*time.Microsecond))
}

func latency(d []time.Duration) Latency {
	if len(d) == 0 {
		return Latency{}
	}
	slices.Sort(d)
	return Latency{len(d), d[len(d)/2], d[min(len(d)*99/100, len(d)-1)], d[len(d)-1]}
}

// Run appends events, each in a transaction of its own begun when its time has
// come, whether or not those before are done, and measures for each: append,
// from then to the commit; proof, from the commit until an inclusion proof to
// a signed checkpoint is in hand.
func (c Load) Run(ctx context.Context, db *database.DB, l *ledger.Ledger) (appended, proved Latency, err error) {
	var mu sync.Mutex
	var appends, proofs []time.Duration
	var errs error
	var wg sync.WaitGroup
	start := time.Now()
	for i := range int(c.For.Seconds() * float64(c.Rate)) {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(c.Rate))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			item := evidence.ID(fmt.Sprintf("load-%d", i%max(c.Items, 1)))
			a, p, err := one(ctx, db, l, item, due)
			mu.Lock()
			defer mu.Unlock()
			appends, proofs = append(appends, a), append(proofs, p)
			errs = errors.Join(errs, err)
		})
	}
	wg.Wait()
	return latency(appends), latency(proofs), errs
}

func one(ctx context.Context, db *database.DB, l *ledger.Ledger, item evidence.ID, due time.Time) (appended, proved time.Duration, err error) {
	var ref ledger.Ref
	err = db.Write(ctx, func(tx *database.Tx) (err error) {
		ref, err = l.Append(ctx, tx, Event(item))
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	committed := time.Now()
	index, signed, err := l.Wait(ctx, ref)
	if err != nil {
		return 0, 0, err
	}
	c, err := tlog.ParseCheckpoint(signed)
	if err != nil {
		return 0, 0, err
	}
	path, err := l.Proof(ctx, index, c.Size)
	if err != nil {
		return 0, 0, err
	}
	return committed.Sub(due), time.Since(committed), c.CheckInclusion(path, index, tlog.LeafHash(ref.Leaf))
}

// Event is a consultation such as happens all day.
func Event(item evidence.ID) ledger.Event {
	return ledger.Event{
		Item: item, Verb: evidence.Consult, Phase: evidence.Intent,
		Actor:   evidence.Actor{Kind: evidence.Person, ID: "01jd8m4q0v5c9r7e2k3w6x1n8t", Name: "PC Bo Sample", Number: "4711", Address: "192.0.2.7", Role: "officer"},
		Purpose: evidence.Purpose{Code: "investigation", Reference: "case 17/2026"},
		Fields:  []evidence.Field{evidence.F("segment", 1)},
	}
}

// Proofs asks for n inclusion proofs of leaves spread over the whole log, to the
// newest checkpoint, one after another, and measures each.
func Proofs(ctx context.Context, l *ledger.Ledger, n int) (Latency, error) {
	signed, err := l.Checkpoint(ctx)
	if err != nil {
		return Latency{}, err
	}
	c, err := tlog.ParseCheckpoint(signed)
	if err != nil {
		return Latency{}, err
	}
	var times []time.Duration
	for i := range n {
		start := time.Now()
		if _, err := l.Proof(ctx, int64(i)*7919%c.Size, c.Size); err != nil {
			return Latency{}, err
		}
		times = append(times, time.Since(start))
	}
	return latency(times), nil
}

// Fill makes the log n leaves long with random leaves that belong to no event:
// enough to measure proofs and tiles, while Audit would rightly object. The
// ledger must be otherwise idle; its Run takes them into the tree.
func Fill(ctx context.Context, db *database.DB, n int) error {
	const rows = 1000
	for i := 0; i < n; {
		err := db.Write(ctx, func(tx *database.Tx) error {
			var next int
			if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(idx), -1) + 1 FROM ledger_leaves").Scan(&next); err != nil {
				return err
			}
			i = next
			count := min(rows, n-i)
			if count <= 0 {
				return nil
			}
			args := make([]any, 0, 3*rows)
			for k := range count {
				leaf := make([]byte, tlog.LeafSize)
				if _, err := rand.Read(leaf); err != nil {
					return err
				}
				leaf[0] = tlog.LeafVersion
				args = append(args, next+k, fmt.Sprintf("filler-%d", next+k), leaf)
			}
			_, err := tx.Exec(ctx, "INSERT INTO ledger_leaves (idx, event, leaf) VALUES "+strings.Repeat("(?, ?, ?), ", count-1)+"(?, ?, ?)", args...)
			i += count
			return err
		})
		if err != nil {
			return fmt.Errorf("fill log: %w", err)
		}
	}
	return nil
}
