package work_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"custos/database"
	"custos/database/databasetest"
	"custos/work"
)

// One job from its enqueueing transaction to its end, with four workers and
// four who enqueue: three durable transactions a job.
func BenchmarkJob(b *testing.B) {
	for engine, address := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(b.TempDir(), "test.db") },
		"postgres": func() string { return databasetest.PostgresURL(b) },
	} {
		b.Run(engine, func(b *testing.B) {
			ctx, cancel := context.WithCancel(context.Background())
			db, err := database.Open(ctx, address())
			if err != nil {
				b.Fatal(err)
			}
			q, err := work.Open(ctx, db, work.Options{})
			if err != nil {
				b.Fatal(err)
			}
			var jobs, run sync.WaitGroup
			q.Handle("probe", 4, func(context.Context, work.Job) error {
				jobs.Done()
				return nil
			})
			run.Go(func() {
				if err := q.Run(ctx); err != nil {
					b.Error(err)
				}
			})
			b.SetParallelism(2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					jobs.Add(1)
					if err := db.Write(ctx, func(tx *database.Tx) error {
						_, err := q.Enqueue(ctx, tx, work.Job{Kind: "probe"})
						return err
					}); err != nil {
						b.Error(err)
					}
				}
			})
			jobs.Wait()
			cancel()
			run.Wait()
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
