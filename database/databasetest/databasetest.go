// Package databasetest gives tests an empty database of each engine. The
// PostgreSQL server is the one named by CUSTOS_TEST_POSTGRES (a URL whose user
// may create databases), else one started on a scratch folder from Debian's
// package for the life of the test binary.
package databasetest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"custos/database"
)

// Each runs f once on an empty SQLite database and once on an empty PostgreSQL
// database, as subtests. Without a PostgreSQL server the second is skipped
// with the reason, unless CUSTOS_TEST_ALL is set: then it fails.
func Each(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite is an empty SQLite database that goes with the test.
func SQLite(t testing.TB) *database.DB {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
}

// Postgres is an empty PostgreSQL database that goes with the test.
func Postgres(t testing.TB) *database.DB {
	t.Helper()
	return open(t, PostgresURL(t))
}

func open(t testing.TB, address string) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var (
	server  = sync.OnceValues(func() (string, error) { return start("-c", "fsync=off", "-c", "full_page_writes=off") })
	durable = sync.OnceValues(func() (string, error) { return start() })
	serial  atomic.Int64
)

// PostgresURL makes an empty PostgreSQL database, dropped after the test, and
// gives its address. Its server does not sync, so it is fast and measures
// nothing: see DurablePostgresURL.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, server)
}

// DurablePostgresURL is PostgresURL on a server with PostgreSQL's own settings
// for durability, for measurements.
func DurablePostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, durable)
}

func postgresURL(t testing.TB, server func() (string, error)) string {
	t.Helper()
	base, err := server()
	if err != nil {
		if os.Getenv("CUSTOS_TEST_ALL") != "" {
			t.Fatalf("no PostgreSQL: %v", err)
		}
		t.Skipf("no PostgreSQL: %v", err)
	}
	admin, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("custos_test_%d_%d", os.Getpid(), serial.Add(1))
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// start runs a PostgreSQL of the test binary's own. It ends with the test
// binary: the kernel sends it SIGINT (fast shutdown) when its parent dies.
// settings are added to its command line.
func start(settings ...string) (string, error) {
	if u := os.Getenv("CUSTOS_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		return "", fmt.Errorf("no server here: install Debian's package postgresql")
	}
	slices.Sort(bins)
	bin := bins[len(bins)-1]
	dir, err := os.MkdirTemp("", "custos-pg-")
	if err != nil {
		return "", err
	}
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return "", err
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return "", err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return "", err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: attr.Credential}
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	// Sockets only: no port to clash over. The path is short, as sockets need.
	srv := exec.Command(filepath.Join(bin, "postgres"), append([]string{"-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "max_connections=200", "-c", "shared_buffers=64MB"}, settings...)...)
	srv.SysProcAttr = attr
	srv.Dir = dir
	var log bytes.Buffer
	srv.Stdout, srv.Stderr = &log, &log
	if err := startLocked(srv); err != nil {
		return "", err
	}
	base := "postgres:///postgres?user=postgres&host=" + url.QueryEscape(dir)
	for try := 0; ; try++ {
		db, err := sql.Open("pgx", base)
		if err == nil {
			err = db.Ping()
			if cerr := db.Close(); err == nil {
				err = cerr
			}
		}
		if err == nil {
			return base, nil
		}
		if try == 200 {
			return "", fmt.Errorf("postgres did not start: %w: %s", err, log.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// startLocked starts cmd from a goroutine whose thread lives as long as the
// process: Pdeathsig fires when the starting *thread* ends.
func startLocked(cmd *exec.Cmd) error {
	result := make(chan error)
	go lockedStart(cmd, result)
	return <-result
}
