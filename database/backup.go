package database

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Dump writes a copy of the database, of one moment, to file, which must not
// exist: a SQLite database, or what pg_dump makes for pg_restore. Writers are
// not held up. The caller makes the file durable.
func (d *DB) Dump(ctx context.Context, file string) error {
	if d.engine == SQLite {
		if _, err := d.write.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
			return fmt.Errorf("copy database: %w", err)
		}
		return nil
	}
	return tool(ctx, "pg_dump", "--format=custom", "--no-owner", "--file="+file, "--dbname="+d.address)
}

// LoadPostgres fills the empty PostgreSQL database at address from a file that
// Dump wrote.
func LoadPostgres(ctx context.Context, address, file string) error {
	return tool(ctx, "pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", "--dbname="+address, file)
}

// tool runs one of PostgreSQL's own programs (Debian's postgresql-client).
func tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		line, _, _ := strings.Cut(said.String(), "\n")
		return fmt.Errorf("%s: %w: %s", name, err, line)
	}
	return nil
}
