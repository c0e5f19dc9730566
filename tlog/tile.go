package tlog

import (
	"encoding/binary"
	"math"
	"strings"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/evidence"
)

// Geometry of tiles (C2SP tlog-tiles).
const (
	TileHeight = 8
	TileWidth  = 256 // hashes or entries in a full tile
	Entries    = -1  // the level of entry bundles
)

// Tile names a tile: H is TileHeight, L its level from 0 or Entries, N its
// place in the level, W its width from 1 to TileWidth.
type Tile = xtlog.Tile

// TilePath is where the tile is served: tile/<L>/<N>[.p/<W>].
func TilePath(t Tile) string {
	t.H = TileHeight
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	if rest, ok := strings.CutPrefix(p, "data/"); ok {
		p = "entries/" + rest
	}
	return "tile/" + p
}

// ParseTilePath is the inverse of TilePath. It fails with Invalid.
func ParseTilePath(path string) (Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if e, isEntries := strings.CutPrefix(rest, "entries/"); isEntries {
		rest = "data/" + e
	} else if strings.HasPrefix(rest, "data/") {
		ok = false
	}
	if ok && len(path) <= 64 {
		t, err := xtlog.ParseTilePath("tile/8/" + rest)
		if err == nil && t.L <= 63 && t.N >= 0 && t.N <= MaxSize/TileWidth && TilePath(t) == path {
			return t, nil
		}
	}
	return Tile{}, evidence.Errorf(evidence.Invalid, "there are no tiles of that name")
}

// InTree tells whether a log of size leaves has tile t as a full tile, or has
// at least t.W hashes or entries of it.
func InTree(t Tile, size int64) bool {
	level := max(t.L, 0)
	if level*TileHeight >= 63 || t.N > MaxSize/TileWidth {
		return false
	}
	return t.N*TileWidth+int64(t.W) <= size>>(level*TileHeight)
}

// EncodeEntries writes an entry bundle: each leaf behind its length in two
// bytes. It fails with Invalid for a leaf of more than 65,535 bytes.
func EncodeEntries(leaves [][]byte) ([]byte, error) {
	var b []byte
	for _, leaf := range leaves {
		if len(leaf) > math.MaxUint16 {
			return nil, evidence.Errorf(evidence.Invalid, "a log entry has at most 65,535 bytes")
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(leaf)))
		b = append(b, leaf...)
	}
	return b, nil
}

// ParseEntries reads an entry bundle of 1 to TileWidth leaves. It fails with
// Corrupt.
func ParseEntries(b []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) || len(leaves) == TileWidth {
			return nil, evidence.Errorf(evidence.Corrupt, "this is not a bundle of log entries")
		}
		n := int(binary.BigEndian.Uint16(b))
		leaves = append(leaves, b[2:2+n:2+n])
		b = b[2+n:]
	}
	if len(leaves) == 0 {
		return nil, evidence.Errorf(evidence.Corrupt, "a bundle of log entries is never empty")
	}
	return leaves, nil
}
