package witness

import (
	"context"
	"crypto/sha256"
	"math/big"
	"net/http"
	"sync"
	"time"

	"custos/evidence"
	"custos/timestamp"
)

// authority is a timestamp authority as it is known here.
type authority struct {
	Authority
	size    int64     // of the checkpoint stamped last
	at      time.Time // of that timestamp; zero = never
	trouble string    // why the last attempt failed; "" = it did not
	fails   int       // attempts in a row
	again   time.Time // not asked before
}

// clockMayBeOff is how far an authority's time may be from ours before its
// timestamp is refused: one of the two clocks is wrong, and people must know.
const clockMayBeOff = 5 * time.Minute

// Stamp is a timestamp of a checkpoint.
type Stamp struct {
	Authority string // its name in the configuration
	Response  []byte // TimeStampResp in DER, over the checkpoint's bytes
	Time      time.Time
}

// stampNowAndThen has the newest checkpoint stamped, each StampEvery that the
// log has grown in.
func (k *Keeper) stampNowAndThen(ctx context.Context, a *authority) {
	for {
		b, size, pause := k.due(a)
		if b == nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			continue
		}
		s, err := k.stamp(ctx, a.Authority, b)
		if err == nil {
			err = k.keepStamp(ctx, s, size, b)
		}
		if ctx.Err() != nil {
			return
		}
		k.stamped(a, s, size, err)
	}
}

// due is what a is to stamp now, cosigned where that is known; nil when it has
// nothing to stamp before pause is over.
func (k *Keeper) due(a *authority) (checkpoint []byte, size int64, pause time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if left := a.again.Sub(k.cfg.Now()); left > 0 {
		return nil, 0, left
	}
	c := k.newest
	if k.best.size == c.size {
		c = k.best
	}
	if c.size <= a.size { // the log has not grown
		return nil, 0, lastPause
	}
	return c.note, c.size, 0
}

func (k *Keeper) stamped(a *authority, s Stamp, size int64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if a.fails++; a.trouble == "" {
			k.cfg.Logger.Warn("a timestamp authority gives no timestamp", "authority", a.Name, "err", err)
		}
		a.trouble = evidence.MessageOf(err)
		a.again = k.cfg.Now().Add(min(10*pauseAfter(a.fails), k.cfg.StampEvery))
		return
	}
	if a.trouble != "" {
		k.cfg.Logger.Info("a timestamp authority answers again", "authority", a.Name)
	}
	a.size, a.at, a.trouble, a.fails = size, s.Time, "", 0
	a.again = k.cfg.Now().Add(k.cfg.StampEvery)
}

// Stamps has a checkpoint stamped by every authority at once. missing says of
// each that did not, why, in a sentence.
func (k *Keeper) Stamps(ctx context.Context, checkpoint []byte) (stamps []Stamp, missing []string) {
	got := make([]Stamp, len(k.authorities))
	errs := make([]error, len(k.authorities))
	var all sync.WaitGroup
	for i, a := range k.authorities {
		all.Go(func() { got[i], errs[i] = k.stamp(ctx, a.Authority, checkpoint) })
	}
	all.Wait()
	for i, a := range k.authorities {
		if errs[i] != nil {
			missing = append(missing, "The timestamp authority "+a.Name+" gave no timestamp: "+evidence.MessageOf(errs[i]))
			continue
		}
		stamps = append(stamps, got[i])
	}
	return stamps, missing
}

// stamp asks an authority and checks what it answers. Errors: Unavailable.
func (k *Keeper) stamp(ctx context.Context, a Authority, checkpoint []byte) (Stamp, error) {
	var random [8]byte
	k.mu.Lock()
	_, err := k.cfg.Rand.Read(random[:])
	k.mu.Unlock()
	if err != nil {
		return Stamp{}, evidence.Wrap(evidence.Internal, err, "no randomness")
	}
	random[0] &= 0x7f // a positive number
	nonce := new(big.Int).SetBytes(random[:])
	digest := evidence.Digest(sha256.Sum256(checkpoint))
	q, err := timestamp.Request(digest, nonce)
	if err != nil {
		return Stamp{}, err
	}
	b, resp, err := k.post(ctx, a.URL, "application/timestamp-query", q, timestamp.MaxResponse)
	if err != nil {
		return Stamp{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return Stamp{}, evidence.Errorf(evidence.Unavailable, "It refuses (status %d).", resp.StatusCode)
	}
	t, err := timestamp.Parse(b)
	if err == nil {
		err = t.Answers(digest, nonce)
	}
	if err == nil {
		err = t.Trusted(a.Roots)
	}
	if err != nil {
		return Stamp{}, evidence.Wrap(evidence.Unavailable, err, evidence.MessageOf(err))
	}
	if off := t.Time.Sub(k.cfg.Now()).Abs(); off > clockMayBeOff+t.Accuracy {
		return Stamp{}, evidence.Errorf(evidence.Unavailable, "Its clock and this server's differ by %s. Set the one that is wrong.", off.Round(time.Second))
	}
	return Stamp{a.Name, b, t.Time}, nil
}
