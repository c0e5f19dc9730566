package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/database"
	"custos/evidence"
	"custos/tlog"
)

const hashSize = len(tlog.Hash{})

// edge is the right edge of a tree: the tile that is being filled at each
// level. It is all that is needed to add leaves and to know the root.
type edge struct {
	size  int64
	tiles [][]byte // by level; hashes of the tile that is not full, maybe none
}

// leaf adds a leaf hash. full is called for each tile that fills up, bottom
// first.
func (e *edge) leaf(h tlog.Hash, full func(level int, idx int64, hashes []byte) error) error {
	for level := 0; ; level++ {
		if level == len(e.tiles) {
			e.tiles = append(e.tiles, nil)
		}
		e.tiles[level] = append(e.tiles[level], h[:]...)
		if len(e.tiles[level]) < tlog.TileWidth*hashSize {
			break
		}
		tile := e.tiles[level]
		e.tiles[level] = nil
		if err := full(level, e.size>>((level+1)*tlog.TileHeight), tile); err != nil {
			return err
		}
		h = subtree(tile)
	}
	e.size++
	return nil
}

// partial calls f for each tile of the edge that has hashes but is not full.
func (e *edge) partial(f func(level int, idx int64, hashes []byte) error) error {
	for level, hashes := range e.tiles {
		if len(hashes) == 0 {
			continue
		}
		if err := f(level, e.size>>((level+1)*tlog.TileHeight), hashes); err != nil {
			return err
		}
	}
	return nil
}

// root is the RFC 6962 root of the tree.
func (e *edge) root() (tlog.Hash, error) {
	return xtlog.TreeHash(e.size, xtlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			t := xtlog.TileForIndex(tlog.TileHeight, x)
			if t.L >= len(e.tiles) {
				return nil, fmt.Errorf("the edge has no level %d", t.L)
			}
			var err error
			if out[i], err = xtlog.HashFromTile(t, e.tiles[t.L], x); err != nil {
				return nil, err
			}
		}
		return out, nil
	}))
}

// subtree is the hash of a full tile.
func subtree(hashes []byte) tlog.Hash {
	if len(hashes) == hashSize {
		return tlog.Hash(hashes)
	}
	half := len(hashes) / 2
	return xtlog.NodeHash(subtree(hashes[:half]), subtree(hashes[half:]))
}

// head is the tree as the database has it.
type head struct {
	Size int64
	Root tlog.Hash
}

func readHead(ctx context.Context, tx *database.Tx, locking string) (head, error) {
	var h head
	var root string
	if err := tx.QueryRow(ctx, "SELECT size, root FROM ledger_head WHERE id = 1"+locking).Scan(&h.Size, &root); err != nil {
		return h, fmt.Errorf("read head: %w", err)
	}
	var err error
	if h.Root, err = xtlog.ParseHash(root); err != nil || h.Size < 0 {
		return h, evidence.Errorf(evidence.Corrupt, "The head of the log in the database cannot be read. Nothing more is signed; run custos admin fsck.")
	}
	return h, nil
}

// readEdge reads the edge of the tree that h is the head of. It fails with
// Corrupt where the tiles do not give the root.
func readEdge(ctx context.Context, tx *database.Tx, h head) (*edge, error) {
	e := &edge{size: h.Size}
	for level := 0; h.Size>>(level*tlog.TileHeight) > 0; level++ {
		width := int(h.Size >> (level * tlog.TileHeight) % tlog.TileWidth)
		var hashes []byte
		if width > 0 {
			err := tx.QueryRow(ctx, "SELECT hashes FROM ledger_tiles WHERE level = ? AND idx = ?",
				level, h.Size>>((level+1)*tlog.TileHeight)).Scan(&hashes)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, fmt.Errorf("read tile: %w", err)
			}
			if len(hashes) != width*hashSize {
				return nil, disagree()
			}
		}
		e.tiles = append(e.tiles, hashes)
	}
	root, err := e.root()
	if err != nil {
		return nil, fmt.Errorf("compute root: %w", err)
	}
	if root != h.Root {
		return nil, disagree()
	}
	return e, nil
}

func disagree() error {
	return evidence.Errorf(evidence.Corrupt, "The ledger is damaged: what is stored of the log contradicts itself. "+
		"Nothing more is recorded or signed. Checkpoints already given out still prove what they covered. Run custos admin fsck to see what is damaged.")
}

func writeTile(ctx context.Context, tx *database.Tx) func(level int, idx int64, hashes []byte) error {
	return func(level int, idx int64, hashes []byte) error {
		_, err := tx.Exec(ctx, "INSERT INTO ledger_tiles (level, idx, hashes) VALUES (?, ?, ?) ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes",
			level, idx, hashes)
		return err
	}
}

// tileReader reads nodes of the tree from the tiles.
type tileReader struct {
	ctx context.Context // of the one call that made it
	tx  *database.Tx
}

// ReadHashes implements x/mod's HashReader with one query.
func (r tileReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	type place struct {
		level int
		idx   int64
	}
	tiles := map[place][]byte{}
	var where []string
	var args []any
	for _, x := range indexes {
		t := xtlog.TileForIndex(tlog.TileHeight, x)
		p := place{t.L, t.N}
		if _, ok := tiles[p]; !ok {
			tiles[p] = nil
			where = append(where, "level = ? AND idx = ?")
			args = append(args, p.level, p.idx)
		}
	}
	rows, err := r.tx.Query(r.ctx, "SELECT level, idx, hashes FROM ledger_tiles WHERE "+strings.Join(where, " OR "), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // Err below tells of failures
	for rows.Next() {
		var p place
		var hashes []byte
		if err := rows.Scan(&p.level, &p.idx, &hashes); err != nil {
			return nil, err
		}
		tiles[p] = hashes
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		t := xtlog.TileForIndex(tlog.TileHeight, x)
		if out[i], err = xtlog.HashFromTile(t, tiles[place{t.L, t.N}], x); err != nil {
			return nil, evidence.Wrap(evidence.Corrupt, err, "A part of the log is missing from the database. Run custos admin fsck.")
		}
	}
	return out, nil
}
