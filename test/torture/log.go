package torture

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"custos/tlog"
)

// Log follows the published log of one service from outside: it keeps every
// checkpoint it ever saw and rebuilds the tree from the published leaves.
type Log struct {
	url    string
	key    note.Verifier
	tally  *Tally
	client http.Client

	mu   sync.Mutex
	seen map[string]tlog.Checkpoint // guarded by mu; by text
	last int64                      // guarded by mu: size of the newest checkpoint seen
}

// NewLog follows the log at url (as far as /log/), whose vkey is given.
func NewLog(url, vkey string, y *Tally) (*Log, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	return &Log{url: url, key: v, tally: y, client: http.Client{Timeout: 10 * time.Second}, seen: map[string]tlog.Checkpoint{}}, nil
}

func (l *Log) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := l.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, res.Status)
	}
	return b, err
}

// Look reads the newest checkpoint; a service that is away is no matter.
func (l *Log) Look(ctx context.Context) (tlog.Checkpoint, error) {
	l.mu.Lock()
	before := l.last
	l.mu.Unlock()
	b, err := l.get(ctx, "checkpoint")
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	c, err := l.Saw(b)
	if err != nil {
		return c, err
	}
	if c.Size < before {
		l.tally.Violation("the log shrank: a checkpoint of %d was published, now there is one of %d", before, c.Size)
	}
	return c, nil
}

// Saw keeps a checkpoint that came from anywhere, as in a receipt.
func (l *Log) Saw(msg []byte) (tlog.Checkpoint, error) {
	c, err := tlog.OpenCheckpoint(msg, l.key.Name(), l.key)
	if err != nil {
		l.tally.Violation("a checkpoint does not check out: %v", err)
		return c, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.seen[c.Text()]; !ok {
		l.seen[c.Text()] = c
		l.tally.Add("checkpoints seen", 1)
	}
	l.last = max(l.last, c.Size)
	return c, nil
}

// Watch looks every 50 ms until stop is called.
func (l *Log) Watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_, _ = l.Look(ctx) // the service is being killed; what is wrong is noted by Look
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// Check reads the whole log and compares it with every checkpoint ever seen:
// each must be the head of a beginning of it. Each item's leaves must follow
// one another without gap or repetition. It gives the leaves.
func (l *Log) Check(ctx context.Context) ([][]byte, error) {
	head, err := l.Look(ctx)
	if err != nil {
		return nil, err
	}
	leaves, err := l.leaves(ctx, head.Size)
	if err != nil {
		return nil, err
	}
	var stored []xtlog.Hash
	reader := xtlog.HashReaderFunc(func(indexes []int64) ([]xtlog.Hash, error) {
		out := make([]xtlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	type place struct {
		seq  uint64
		hash tlog.Hash
	}
	items := map[tlog.Hash]place{}
	for i, b := range leaves {
		hashes, err := xtlog.StoredHashes(int64(i), b, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
		leaf, err := tlog.ParseLeaf(b)
		if err != nil {
			l.tally.Violation("leaf %d cannot be read: %v", i, err)
			continue
		}
		if was := items[leaf.Tag]; leaf.Seq != was.seq+1 || leaf.Prev != was.hash {
			l.tally.Violation("leaf %d has place %d in its item's history, after %d", i, leaf.Seq, was.seq)
		}
		items[leaf.Tag] = place{leaf.Seq, tlog.LeafHash(b)}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.seen {
		if c.Size > head.Size { // published while the leaves were read
			continue
		}
		root, err := xtlog.TreeHash(c.Size, reader)
		if err != nil {
			return nil, err
		}
		if root != c.Root {
			l.tally.Violation("the log no longer begins with the %d entries of a checkpoint that was published", c.Size)
		}
	}
	l.tally.Add("log entries re-hashed", len(leaves))
	l.tally.Add("checkpoints compared", len(l.seen))
	return leaves, nil
}

// leaves are the published leaves of a log of size.
func (l *Log) leaves(ctx context.Context, size int64) ([][]byte, error) {
	var leaves [][]byte
	for n := int64(0); n*tlog.TileWidth < size; n++ {
		w := int(min(tlog.TileWidth, size-n*tlog.TileWidth))
		b, err := l.get(ctx, tlog.TilePath(tlog.Tile{H: tlog.TileHeight, L: tlog.Entries, N: n, W: w}))
		if err != nil {
			return nil, err
		}
		part, err := tlog.ParseEntries(b)
		if err != nil {
			return nil, err
		}
		if len(part) < w {
			return nil, fmt.Errorf("bundle %d has %d of %d entries", n, len(part), w)
		}
		leaves = append(leaves, part[:w]...)
	}
	return leaves, nil
}
