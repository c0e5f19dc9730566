package bench

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"custos/database"
	"custos/evidence"
	"custos/ledger"
	"custos/ledger/ledgertest"
	"custos/test/rig"
	"custos/tlog"
	"custos/tlog/tlogtest"
	"custos/witness"
	"custos/witness/witnesstest"
)

// benchWitness has no peer. Two witnesses must sign: a stock one with its own
// database, and one of ours with an ML-DSA-44 key.
func benchWitness(t *testing.T, b *bench) {
	addresses := both(t)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) { witnessOn(t, b, openDB(t, addresses[e])) })
	}
}

func witnessOn(t *testing.T, b *bench, db *database.DB) {
	key, err := ledgertest.NewKey(ledgertest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	stock := rig.NewStockWitness(t, "stock.example/w", ledgertest.Origin, key.VKey)
	ours := witnesstest.New("ours.example/w", tlogtest.MLDSA44, key.VKey)
	web := httptest.NewServer(ours)
	t.Cleanup(web.Close)
	policy, err := tlog.ParsePolicy([]byte("witness stock " + stock.VKey + " " + stock.URL + "\n" + ours.Policy("ours", web.URL) + "group both all stock ours\nquorum both\n"))
	if err != nil {
		t.Fatal(err)
	}
	var keeper *witness.Keeper
	l, err := ledger.Open(t.Context(), ledger.Config{
		DB: db, Origin: ledgertest.Origin, Signer: key.Signer, Published: filepath.Join(t.TempDir(), "checkpoint"),
		OnCheckpoint: func([]byte) { keeper.Notify(t.Context()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if keeper, err = witness.Open(t.Context(), witness.Config{DB: db, Log: l, Policy: policy}); err != nil {
		t.Fatal(err)
	}
	stop := ledgertest.Run(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = keeper.Run(ctx) }) // it has no errors but the end
	var times []float64
	for range 3 {
		times = append(times, ms(cosigned(t, db, l, keeper, b.count(20, 4))))
	}
	b.add(t, measured("250 events/s: commit to cosigned by two witnesses, p99, "+string(db.Engine()), "ms", times).atMost(2000))
	stop()
	cancel()
	running.Wait()
}

// cosigned is the 99th percentile, over 250 events a second for some seconds,
// of the time from an event's commit until a checkpoint that covers it and that
// both witnesses have signed is in hand.
func cosigned(t *testing.T, db *database.DB, l *ledger.Ledger, k *witness.Keeper, seconds int) time.Duration {
	t.Helper()
	const rate = 250
	var mu sync.Mutex
	var times []time.Duration
	var all sync.WaitGroup
	start := time.Now()
	for i := range rate * seconds {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / rate)))
		all.Go(func() {
			var ref ledger.Ref
			err := db.Write(t.Context(), func(tx *database.Tx) (err error) {
				ref, err = l.Append(t.Context(), tx, ledgertest.Event(evidence.ID("load-"+string(rune('a'+i%26)))))
				return err
			})
			committed := time.Now()
			if err == nil {
				var index int64
				if index, _, err = l.Wait(t.Context(), ref); err == nil {
					_, err = k.Cosigned(t.Context(), index+1)
				}
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(committed))
		})
	}
	all.Wait()
	slices.Sort(times)
	return times[len(times)*99/100]
}
