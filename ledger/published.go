package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

// readPublished reads the last checkpoint that left the house. A file that is
// there but cannot be understood refuses the ledger.
func (l *Ledger) readPublished() error {
	if l.cfg.Published == "" {
		return nil
	}
	b, err := os.ReadFile(l.cfg.Published)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return evidence.Wrap(evidence.Unavailable, err, "The file with the last published checkpoint cannot be read.")
	}
	info, err := os.Stat(l.cfg.Published)
	if err != nil {
		return evidence.Wrap(evidence.Unavailable, err, "The file with the last published checkpoint cannot be read.")
	}
	c, err := tlog.ParseCheckpoint(b)
	if err == nil && c.Origin != l.cfg.Origin {
		err = errors.New("it is of another log")
	}
	if err != nil {
		l.refuse(evidence.Wrap(evidence.Conflict, err, "The file that should hold the last published checkpoint holds something else. "+
			"The ledger can be read but takes no events. Put the newest checkpoint that anybody has (a receipt, a witness, a copy of the log) into the file and start again."))
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published, l.note, l.at = c, b, info.ModTime().UTC()
	return nil
}

// checkStart compares the database with what was published. It fails with
// Conflict where they are not of one story and Corrupt where the database
// contradicts itself.
func (l *Ledger) checkStart(ctx context.Context) error {
	l.mu.Lock()
	last, found := l.published, l.note != nil
	l.mu.Unlock()
	return l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		h, err := readHead(ctx, tx, "")
		if err != nil {
			return err
		}
		var before int64
		if err := tx.QueryRow(ctx, "SELECT published FROM ledger_head WHERE id = 1").Scan(&before); err != nil {
			return unavailable(err)
		}
		if !found && before > 0 && l.cfg.Published != "" {
			return evidence.Errorf(evidence.Conflict, "The file with the last published checkpoint is missing, so nobody can tell whether this database is the newest. "+
				"The ledger can be read but takes no events. Put the newest checkpoint that anybody has (a receipt, a witness, a copy of the log) into the file and start again.")
		}
		if err := extends(ctx, tx, l.cfg.Origin, h, last); err != nil {
			return err
		}
		return checkTail(ctx, tx, h)
	})
}

// extends tells whether the tree with head h begins with the tree that was
// published last. It fails with Conflict where it does not.
func extends(ctx context.Context, tx *database.Tx, origin string, h head, last tlog.Checkpoint) error {
	switch {
	case last.Size == 0:
		return nil
	case h.Size < last.Size:
		return evidence.Errorf(evidence.Conflict, "The database is older than what was published: it has %d events in the log, the last published checkpoint covers %d. "+
			"The ledger can be read but takes no events, because going on would make a second history. Restore a newer backup.", h.Size, last.Size)
	}
	path, err := consistency(ctx, tx, last.Size, h.Size)
	if err != nil {
		return err
	}
	newer := tlog.Checkpoint{Origin: origin, Size: h.Size, Root: h.Root}
	return evidence.Wrap(evidence.Conflict, newer.CheckConsistency(path, last),
		"The database tells another history than the one whose checkpoint was published. The ledger can be read but takes no events. Restore the right database.")
}

func consistency(ctx context.Context, tx *database.Tx, older, newer int64) ([]tlog.Hash, error) {
	path, err := xtlog.ProveTree(newer, older, tileReader{ctx, tx})
	if err != nil {
		return nil, fmt.Errorf("prove consistency: %w", err)
	}
	return path, nil
}

// checkTail compares the newest tile of leaf hashes with the leaves themselves,
// and the edge with the head. The rest is for Audit.
func checkTail(ctx context.Context, tx *database.Tx, h head) error {
	if h.Size == 0 {
		return nil
	}
	if _, err := readEdge(ctx, tx, h); err != nil {
		return err
	}
	first := (h.Size - 1) / tlog.TileWidth * tlog.TileWidth
	var hashes []byte
	err := tx.QueryRow(ctx, "SELECT hashes FROM ledger_tiles WHERE level = 0 AND idx = ?", first/tlog.TileWidth).Scan(&hashes)
	if errors.Is(err, sql.ErrNoRows) {
		return disagree()
	}
	if err != nil {
		return unavailable(err)
	}
	leaves, err := readLeaves(ctx, tx, first, h.Size)
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		if h := tlog.LeafHash(leaf); len(hashes) != len(leaves)*hashSize || h != tlog.Hash(hashes[i*hashSize:(i+1)*hashSize]) {
			return disagree()
		}
	}
	return nil
}

// readLeaves reads the leaves from, …, to-1. It fails with Corrupt where one
// is missing.
func readLeaves(ctx context.Context, tx *database.Tx, from, to int64) ([][]byte, error) {
	rows, err := tx.Query(ctx, "SELECT idx, leaf FROM ledger_leaves WHERE idx >= ? AND idx < ? ORDER BY idx", from, to)
	if err != nil {
		return nil, fmt.Errorf("read leaves: %w", err)
	}
	defer rows.Close() // Err below tells of failures
	var leaves [][]byte
	for rows.Next() {
		var idx int64
		var leaf []byte
		if err := rows.Scan(&idx, &leaf); err != nil {
			return nil, fmt.Errorf("read leaves: %w", err)
		}
		if idx != from+int64(len(leaves)) {
			return nil, disagree()
		}
		leaves = append(leaves, leaf)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read leaves: %w", err)
	}
	return leaves, nil
}

// writePublished makes the checkpoint durable outside the database: whole or
// not at all, and still there after a power cut.
func writePublished(file string, checkpoint []byte) (err error) {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, ".checkpoint-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(f.Name())))
		}
	}()
	_, err = f.Write(checkpoint)
	if err == nil {
		err = f.Chmod(0o644) // a checkpoint is public
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err == nil {
		err = syncFolder(dir)
	}
	if err == nil {
		// XFS says yes to the sync of a folder after it has died, and no to
		// that of a file: without this, a checkpoint could be handed out that
		// the next start knows nothing of.
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Behind tells the ledger that a witness has signed a log of size entries. A
// database that has fewer is an old copy and is refused, as one that is behind
// what was published. To be called before Run.
func (l *Ledger) Behind(ctx context.Context, size int64, witness string) {
	err := l.cfg.DB.Read(ctx, func(tx *database.Tx) error {
		h, err := readHead(ctx, tx, "")
		if err == nil && h.Size < size {
			err = evidence.Errorf(evidence.Conflict, "The database is older than what the witness %s has signed: it has %d events in the log, the witness signed %d. "+
				"The ledger can be read but takes no events, because going on would make a second history. Restore a newer backup. "+
				"If you know that the witness is wrong, take it out of the witness policy and start again.", witness, h.Size, size)
		}
		return err
	})
	if evidence.CodeOf(err) == evidence.Conflict {
		l.refuse(err)
	}
}
