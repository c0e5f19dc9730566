// Package database opens SQLite or PostgreSQL behind one small door: portable
// SQL with ? placeholders, one writer at a time on SQLite, commits that are on
// disk when they return, and numbered migrations kept beside the store that
// owns the tables.
//
// What differs between the engines is confined to this package: placeholders,
// the types named in migrations (see Migrate), locking suffixes and retries.
// Times are stored as integers, microseconds since 1970 UTC; see Micros.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// Engine is which database is underneath.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database. All methods may be called concurrently.
type DB struct {
	engine  Engine
	address string // PostgreSQL's URL
	read    *sql.DB
	write   *sql.DB    // the same pool as read on PostgreSQL
	writer  sync.Mutex // SQLite: held for the length of a write transaction
	reading *compiled  // SQLite: statements of read
}

// Open opens the database at address: "sqlite:FILE" (made if absent) or a
// postgres:// URL. SQLite runs with WAL and synchronous=FULL: in power cuts
// NORMAL lost acknowledged commits and FULL lost none.
func Open(ctx context.Context, address string) (*DB, error) {
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return openSQLite(ctx, file)
	}
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return openPostgres(ctx, address)
	}
	return nil, fmt.Errorf("open database: the address must begin with sqlite: or postgres://")
}

func openSQLite(ctx context.Context, file string) (*DB, error) {
	dsn := func(extra ...string) string {
		q := url.Values{"_pragma": append([]string{
			"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)",
			"foreign_keys(on)", "temp_store(memory)", "cache_size(-16000)",
		}, extra...)}
		return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
	}
	write, err := sql.Open("sqlite", dsn()+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	write.SetMaxOpenConns(1)
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), write.Close())
	}
	read, err := sql.Open("sqlite", dsn("query_only(on)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), write.Close())
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(4)
	return &DB{engine: SQLite, read: read, write: write, reading: newCompiled(read)}, nil
}

func openPostgres(ctx context.Context, address string) (*DB, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// Generic plans are chosen blind to how skewed officers and dates are.
	cfg.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	cfg.RuntimeParams["application_name"] = "custos"
	cfg.RuntimeParams["timezone"] = "UTC"
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(24)
	pool.SetMaxIdleConns(8)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), pool.Close())
	}
	return &DB{engine: Postgres, address: address, read: pool, write: pool}, nil
}

// Engine tells which database is underneath.
func (d *DB) Engine() Engine { return d.engine }

// Close ends every connection.
func (d *DB) Close() error {
	if d.read == d.write {
		return d.read.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Read runs f in a read-only snapshot: everything f sees is of one moment.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	opt := &sql.TxOptions{ReadOnly: d.engine == Postgres}
	if d.engine == Postgres {
		opt.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.read.BeginTx(ctx, opt)
	if err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	err = f(&Tx{tx: tx, engine: d.engine, compiled: d.reading})
	// Nothing was written; a failing rollback only means the connection died.
	if rerr := tx.Rollback(); err == nil && rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
		err = fmt.Errorf("end read: %w", rerr)
	}
	d.reading.compile(ctx) // now that this read holds no connection
	return err
}

// Write runs f in a transaction that is durable when Write returns nil, and
// leaves no trace otherwise. On SQLite writers take turns. On PostgreSQL f may
// be run again after a deadlock or serialisation failure, so it must have no
// effect outside tx; use Tx.AfterCommit for those.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if d.engine == SQLite {
		d.writer.Lock()
		defer d.writer.Unlock()
		return d.writeOnce(ctx, f)
	}
	for try := 0; ; try++ {
		err := d.writeOnce(ctx, f)
		var pg *pgconn.PgError
		again := errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
		if !again || try == 9 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(1<<try) * time.Millisecond):
		}
	}
}

func (d *DB) writeOnce(ctx context.Context, f func(*Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	t := &Tx{tx: tx, engine: d.engine}
	defer tx.Rollback() // after Commit this does nothing; after a panic in f it must happen
	if err := f(t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, g := range t.after {
		g()
	}
	return nil
}

// Tx is one transaction. It belongs to the function it was passed to.
type Tx struct {
	tx       *sql.Tx
	engine   Engine
	compiled *compiled // nil but in reads of SQLite
	after    []func()
}

// Engine tells which database is underneath.
func (t *Tx) Engine() Engine { return t.engine }

// Locking is the suffix that makes a SELECT lock its rows until the
// transaction ends: " FOR UPDATE" on PostgreSQL, empty on SQLite, where the
// whole transaction is alone already.
func (t *Tx) Locking() string {
	if t.engine == Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// AfterCommit runs f once the transaction is durable, in the calling
// goroutine; never if it rolls back.
func (t *Tx) AfterCommit(f func()) { t.after = append(t.after, f) }

// Exec runs a statement and tells how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(ctx, t.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Query runs a query; the caller closes the rows.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.rebind(query), args...)
}

// QueryRow runs a query for one row; Scan returns sql.ErrNoRows where there is
// none. In a SQLite read the query is compiled once for each connection.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := t.compiled.get(query); stmt != nil {
		return t.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...)
	}
	return t.tx.QueryRowContext(ctx, t.rebind(query), args...)
}

// rebind turns ? into $1, $2, … for PostgreSQL, leaving quoted text alone.
func (t *Tx) rebind(query string) string {
	if t.engine != Postgres || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	n, quoted := 0, false
	for i := range len(query) {
		switch c := query[i]; {
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c == '?' && !quoted:
			n++
			fmt.Fprintf(&b, "$%d", n)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Micros is how a time is stored: microseconds since 1970 UTC, 0 for the zero
// time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the inverse of Micros, UTC.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// IsDuplicate tells whether err says that a unique key was already taken.
func IsDuplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}

// Size is how many bytes the database takes on its disk.
func (d *DB) Size(ctx context.Context) (n int64, err error) {
	query := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if d.engine == Postgres {
		query = "SELECT pg_database_size(current_database())"
	}
	if err := d.read.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("size of database: %w", err)
	}
	return n, nil
}
