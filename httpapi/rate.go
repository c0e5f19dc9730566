package httpapi

import (
	"context"
	"math"
	"strconv"
	"sync"
	"time"

	"custos/evidence"
)

// Rates is how much one address, account or dock may ask for. The zero value
// is what holds if nothing is configured; a negative number is no limit.
type Rates struct {
	PerAddress float64 // requests a second from one address; 0: 200
	PerAccount float64 // requests a second of one person or dock; 0: 100
	SignIns    float64 // attempts to sign in a minute from one address; 0: 60
}

// A burst is what may come at once after a pause: a page with its pictures, or
// a station full of officers at the change of shift.
const (
	burstSeconds   = 5 // of requests
	burstMinutes   = 1 // of attempts to sign in
	bucketsAtMost  = 1 << 16
	leastRetry     = time.Second
	perAddressLeft = 200
	perAccountLeft = 100
	signInsLeft    = 60
)

// rates are the buckets of a server.
type rates struct{ address, account, signIn *buckets }

func newRates(c Rates, now func() time.Time) rates {
	or := func(v, left float64) float64 {
		if v == 0 {
			return left
		}
		return v
	}
	address, account, signIn := or(c.PerAddress, perAddressLeft), or(c.PerAccount, perAccountLeft), or(c.SignIns, signInsLeft)
	return rates{
		address: newBuckets(address, address*burstSeconds, now),
		account: newBuckets(account, account*burstSeconds, now),
		signIn:  newBuckets(signIn/60, signIn*burstMinutes, now),
	}
}

// buckets is a token bucket for each key. It keeps at most bucketsAtMost of
// them (about 8 MiB): those that have filled up again hold no information and
// are dropped; if all are in use, the one that was looked at is, and its key
// begins anew. It may be used concurrently.
type buckets struct {
	rate, burst float64 // tokens a second, and at most; rate < 0: no limit
	now         func() time.Time

	mu   sync.Mutex
	kept map[string]bucket // guarded by mu
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newBuckets(rate, burst float64, now func() time.Time) *buckets {
	return &buckets{rate: rate, burst: math.Max(burst, 1), now: now, kept: map[string]bucket{}}
}

// take takes one token of key, or tells after how long there is one.
func (b *buckets) take(key string) (wait time.Duration) {
	if b.rate < 0 {
		return 0
	}
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.kept[key]
	if !ok {
		b.room(now)
		k = bucket{tokens: b.burst, at: now}
	}
	// A clock that was set back gives nothing and takes nothing.
	k.tokens = math.Min(b.burst, k.tokens+b.rate*math.Max(0, now.Sub(k.at).Seconds()))
	k.at = now
	if k.tokens < 1 {
		b.kept[key] = k
		return time.Duration((1 - k.tokens) / b.rate * float64(time.Second))
	}
	k.tokens--
	b.kept[key] = k
	return 0
}

// empty tells after how long key has a token again, without taking one.
func (b *buckets) empty(key string) (wait time.Duration) {
	if b.rate < 0 {
		return 0
	}
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.kept[key]
	if have := k.tokens + b.rate*math.Max(0, now.Sub(k.at).Seconds()); ok && have < 1 {
		return time.Duration((1 - have) / b.rate * float64(time.Second))
	}
	return 0
}

// room makes place for one more bucket; called with mu held. It looks at a few
// at a time, in the random order of a map, so no request pays for all of them.
func (b *buckets) room(now time.Time) {
	looked := 0
	for key, k := range b.kept {
		if full := k.tokens+b.rate*now.Sub(k.at).Seconds() >= b.burst; full || len(b.kept) >= bucketsAtMost {
			delete(b.kept, key)
		}
		if looked++; looked == 8 {
			return
		}
	}
}

// limited is nil, or the refusal of one who asks too much.
func (s *Server) limited(ctx context.Context, b *buckets, key string) error {
	return refusal(ctx, b.take(key))
}

// refusal is nil where there is nothing to wait for.
func refusal(ctx context.Context, wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	wait = max(wait.Round(time.Second), leastRetry)
	stateOf(ctx).retry = wait
	return evidence.Errorf(evidence.TooMany, "There were too many requests. Nothing was changed by this one. Wait a moment, then try again.")
}

// setRetry tells programs when to come again (RFC 9110, 10.2.3).
func setRetry(set func(name, value string), st *state) {
	if st.retry > 0 {
		set("Retry-After", strconv.Itoa(int(st.retry.Seconds())))
	}
}
