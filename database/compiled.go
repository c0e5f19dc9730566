package database

import (
	"context"
	"database/sql"
	"sync"
)

// compiled keeps the statements of one pool, so that SQLite parses and plans a
// query once for each connection and not each time: for a query by key that is
// most of its cost. A nil compiled keeps nothing.
//
// Compiling takes a connection of the pool. A transaction that asked for one
// while it holds one could wait for ever, so get only notes what is wanted, and
// compile does it when the transaction is over.
type compiled struct {
	pool *sql.DB

	mu     sync.Mutex
	stmts  map[string]*sql.Stmt // guarded by mu; they end with the pool
	wanted []string             // guarded by mu
}

// maxCompiled is how many queries are kept; queries are few and fixed, so more
// than these are made by filters, which repeat rarely.
const maxCompiled = 256

func newCompiled(pool *sql.DB) *compiled { return &compiled{pool: pool, stmts: map[string]*sql.Stmt{}} }

// get is the statement of a query, or nil: then run the query itself.
func (c *compiled) get(query string) *sql.Stmt {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, known := c.stmts[query]
	if !known && len(c.stmts) < maxCompiled {
		c.stmts[query] = nil
		c.wanted = append(c.wanted, query)
	}
	return s
}

// compile makes the statements that are wanted. A query that cannot be
// compiled stays without one: running it says why.
func (c *compiled) compile(ctx context.Context) {
	if c == nil {
		return
	}
	c.mu.Lock()
	wanted := c.wanted
	c.wanted = nil
	c.mu.Unlock()
	for _, query := range wanted {
		s, err := c.pool.PrepareContext(context.WithoutCancel(ctx), query)
		if err != nil {
			continue
		}
		c.mu.Lock()
		c.stmts[query] = s
		c.mu.Unlock()
	}
}
