package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/catalogue"
	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/ledger/ledgertest"
	"custos/test/rig"
)

// benchList asks a real server for pages of 60 among many recordings, from the
// newest on, over both databases.
func benchList(t *testing.T, b *bench) {
	addresses := both(t)
	n := b.count(100_000, 20_000)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) {
			s := rig.New(t, b.bin, "", unlimited...)
			if e == database.Postgres {
				s.Configure(fmt.Sprintf("database = %q", addresses[e]))
				s.RunIn(rig.Password+"\n", "admin", "user", "add", "--login", "investigator", "--role", "investigator", "--password", "-")
				fill(t, openDB(t, addresses[e]), n)
			} else {
				fill(t, openDB(t, "sqlite:"+filepath.Join(s.Dir, "custos.db")), n)
			}
			s.Start()
			p := s.SignIn("investigator")
			var p95 []float64
			for i := range 6 {
				var times []time.Duration
				cursor := ""
				for range 200 {
					var page struct{ Next string }
					begun := time.Now()
					p.JSON(http.MethodGet, "/api/recordings?cursor="+cursor, nil, http.StatusOK, &page)
					times = append(times, time.Since(begun))
					cursor = page.Next
				}
				if i > 0 {
					p95 = append(p95, quantile(times, 0.95))
				}
			}
			b.add(t, measured(fmt.Sprintf("page of the list among %d k, p95, %s", n/1000, e), "ms", p95))
		})
	}
}

// fill lists n recordings as a force of 200 officers makes them.
func fill(t *testing.T, db *database.DB, n int) {
	t.Helper()
	fillAs(t, db, n, func(i int) (owner, unit string) { return fmt.Sprintf("%05d", i), fmt.Sprintf("u%d", i%20) })
}

// fillAs is fill; whose says which account officer i has, and in which unit.
func fillAs(t *testing.T, db *database.DB, n int, whose func(i int) (owner, unit string)) {
	t.Helper()
	if _, err := catalogue.Open(t.Context(), db, catalogue.Options{}); err != nil {
		t.Fatal(err)
	}
	const rows = 500
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for done := 0; done < n; done += rows {
		var args []any
		for i := done; i < done+rows; i++ {
			owner, unit := whose(i * 7919 % 200)
			at := start.Add(time.Duration(i) * 86400 * time.Millisecond)
			officer := i * 7919 % 200
			args = append(args, evidence.NewID(at, rand.Reader), fmt.Sprintf("X81-%05d", officer), fmt.Sprintf("%05d", officer), database.Micros(at), database.Micros(at),
				owner, unit)
		}
		err := db.Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO recordings (id, device, officer, category, take, started_at, created_at,
				segments, bytes, duration_ms, state, why, poster_segment, owner, unit) VALUES `+
				strings.TrimSuffix(strings.Repeat("(?, ?, ?, '', '', ?, ?, 1, 1073741824, 600000, 'playable', '', 1, ?, ?), ", rows), ", "), args...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(t.Context(), "ANALYZE")
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// benchGlance shows a poster for the first time to one person after another:
// each look is on record, durably, before its first byte.
func benchGlance(t *testing.T, b *bench) {
	addresses := both(t)
	for _, e := range engines {
		t.Run(string(e), func(t *testing.T) {
			c, recording := withPoster(t, openDB(t, addresses[e]))
			session := 0
			var rates []float64
			for i := range 6 {
				n := b.count(500, 200)
				begun := time.Now()
				for range n {
					session++
					who := evidence.Actor{Kind: evidence.Person, ID: "p", Name: "Insp. P", Role: access.Investigator, Session: fmt.Sprint(session)}
					content, err := c.Glance(t.Context(), who, recording, 1)
					if err != nil {
						t.Fatal(err)
					}
					if err := content.Close(); err != nil {
						t.Fatal(err)
					}
				}
				if i > 0 {
					rates = append(rates, float64(n)/time.Since(begun).Seconds())
				}
			}
			b.add(t, measured("first looks at a poster, "+string(e), "1/s", rates))
		})
	}
}

// withPoster is the house up to custody, with one recording that has a poster.
func withPoster(t *testing.T, db *database.DB) (*custody.Custody, evidence.ID) {
	t.Helper()
	ctx := context.Background()
	cat, err := catalogue.Open(ctx, db, catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := access.New(access.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l, key := ledgertest.Start(t, db)
	c, err := custody.Open(ctx, custody.Config{
		DB: db, Vault: newVault(t, db), Ledger: l, Catalogue: cat, Access: rule, Receipts: key.Signer, LogKey: key.VKey, Store: "bench",
	})
	if err != nil {
		t.Fatal(err)
	}
	by := access.Operator("bench")
	up, err := c.Receive(ctx, by, 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Append(ctx, up, 0, strings.NewReader("video")); err != nil {
		t.Fatal(err)
	}
	id, _, err := c.Collect(ctx, by, up, evidence.Capture{Device: "K-1", FileName: "a.mp4", DockedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Derive(ctx, evidence.Server("bench"), id, 1, "poster", func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
		return custody.Derived{Copies: []custody.NewCopy{{Kind: evidence.Poster, Type: "image/jpeg", Tool: "bench", Data: custody.InMemory(make([]byte, 20<<10))}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, id
}
