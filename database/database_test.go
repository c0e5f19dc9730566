package database_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"custos/database"
	"custos/database/databasetest"
)

var migrations = fstest.MapFS{
	"0001_notes.sql":          {Data: []byte("-- +goose Up\nCREATE TABLE notes (id ${serial}, body ${bytes} NOT NULL, at BIGINT NOT NULL, UNIQUE (at));\n")},
	"0002_extra.sqlite.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE only_here (a INTEGER);\n")},
	"0002_extra.postgres.sql": {Data: []byte("-- +goose Up\nCREATE TABLE only_here (a BIGINT[]);\n")},
	"ignored.txt":             {Data: []byte("no")},
}

func TestWriteIsAllOrNothingAndReadIsASnapshot(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		for range 2 { // a second run changes nothing
			if err := db.Migrate(ctx, "notes", migrations); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Date(2026, 11, 22, 6, 2, 0, 123456000, time.UTC)
		put := func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO notes (body, at) VALUES (?, ?)", []byte("what? '?'"), database.Micros(at))
			return err
		}
		committed := 0
		boom := errors.New("boom")
		if err := db.Write(ctx, func(tx *database.Tx) error {
			tx.AfterCommit(func() { committed++ })
			if err := put(tx); err != nil {
				return err
			}
			return boom
		}); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		count := func() (n int) {
			if err := db.Read(ctx, func(tx *database.Tx) error {
				return tx.QueryRow(ctx, "SELECT count(*) FROM notes WHERE body <> '?' OR 1 = ?", 1).Scan(&n)
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 0 || committed != 0 {
			t.Fatalf("a failed write left %d rows, ran %d hooks", n, committed)
		}
		if err := db.Write(ctx, func(tx *database.Tx) error {
			tx.AfterCommit(func() { committed++ })
			return put(tx)
		}); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 1 || committed != 1 {
			t.Fatalf("got %d rows, %d hooks", n, committed)
		}
		if err := db.Write(ctx, put); !database.IsDuplicate(err) {
			t.Fatalf("want a duplicate, got %v", err)
		}
		if err := db.Read(ctx, func(tx *database.Tx) error {
			var micros int64
			if err := tx.QueryRow(ctx, "SELECT at FROM notes").Scan(&micros); err != nil {
				return err
			}
			if got := database.Time(micros); !got.Equal(at) {
				t.Errorf("time came back as %v", got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Read(ctx, func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM notes")
			return err
		}); err == nil {
			t.Fatal("a read transaction could write")
		}
	})
}
