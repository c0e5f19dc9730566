package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"custos/durable"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/vault"

	"filippo.io/age"
)

func keystore(t testing.TB, fsys durable.FS) *vault.Keystore {
	t.Helper()
	k, err := vault.CreateKeystore(fsys)
	must(t, err)
	return k
}

func TestKeystoreKeepsItsBuckets(t *testing.T) {
	ctx := context.Background()
	recovery, err := age.GenerateHybridIdentity()
	must(t, err)
	d, err := durable.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	_, err = vault.OpenKeystore(d)
	want(t, evidence.NotFound, err)
	k, err := vault.CreateKeystore(d, recovery.Recipient())
	must(t, err)
	_, err = vault.CreateKeystore(d)
	want(t, evidence.Conflict, err)
	_, err = k.Existing(ctx, "day-2026-11-22")
	want(t, evidence.NotFound, err)
	a, err := k.Bucket(ctx, "day-2026-11-22")
	must(t, err)
	again, err := vault.OpenKeystore(d)
	must(t, err)
	b, err := again.Existing(ctx, "day-2026-11-22")
	must(t, err)
	if fmt.Sprint(a.Recipient) != fmt.Sprint(b.Recipient) || again.Recipient().String() != k.Recipient().String() {
		t.Error("a bucket has another key after opening again")
	}
	for _, name := range []string{"", "-a", "../x", "A", "a.b", "a/b"} {
		_, err := k.Bucket(ctx, name)
		want(t, evidence.Invalid, err)
	}
	// The recovery identity alone, with stock age, gives the bucket's.
	data, err := durable.ReadFile(d, "buckets/day-2026-11-22.age")
	must(t, err)
	r, err := age.Decrypt(bytes.NewReader(data), recovery)
	must(t, err)
	ids, err := age.ParseIdentities(r)
	must(t, err)
	if got := ids[0].(*age.HybridIdentity).Recipient().String(); got != fmt.Sprint(a.Recipient) {
		t.Error("the recovery recipient opens another key")
	}
	for _, name := range []string{"server.key", "tail.age", "buckets/day-2026-11-22.age"} {
		info, err := d.Stat(name)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestBucketIsMadeOnce(t *testing.T) {
	m := durabletest.NewMemory()
	keystore(t, m)
	var mu sync.Mutex
	keys := map[string]bool{}
	var wg sync.WaitGroup
	for range 2 { // two processes
		k, err := vault.OpenKeystore(m)
		must(t, err)
		for range 4 {
			wg.Go(func() {
				b, err := k.Bucket(context.Background(), "day-2026-11-22")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				keys[fmt.Sprint(b.Recipient)] = true
			})
		}
	}
	wg.Wait()
	if len(keys) != 1 {
		t.Fatalf("%d keys for one bucket", len(keys))
	}
}

func TestKeystoreSurvivesPowerCuts(t *testing.T) {
	ctx := context.Background()
	base := durabletest.NewMemory()
	keystore(t, base)
	for step := 1; step < 8; step++ {
		for seed := range uint64(4) {
			m := base.Crash(0)
			k, err := vault.OpenKeystore(m)
			must(t, err)
			m.Fail(durabletest.Fault{Nth: step, Short: true, Stays: true})
			b, berr := k.Bucket(ctx, "b1")
			after := m.Crash(seed)
			k, err = vault.OpenKeystore(after)
			must(t, err)
			c, err := k.Existing(ctx, "b1")
			if berr == nil {
				must(t, err)
				if fmt.Sprint(b.Recipient) != fmt.Sprint(c.Recipient) {
					t.Fatalf("step %d, seed %d: another key", step, seed)
				}
			} else if err != nil {
				want(t, evidence.NotFound, err)
				_, err = k.Bucket(ctx, "b1")
				must(t, err)
			}
		}
	}
}

// A bucket whose making failed after its file had its name is there for
// whoever asks again; what is then sealed to it must not lose it.
func TestBucketThatIsUsedLasts(t *testing.T) {
	ctx := context.Background()
	base := durabletest.NewMemory()
	keystore(t, base)
	for step := 1; step < 8; step++ {
		for _, again := range []bool{false, true} {
			for seed := range uint64(8) {
				m := base.Crash(0)
				k, err := vault.OpenKeystore(m)
				must(t, err)
				m.Fail(durabletest.Fault{Nth: step})
				if _, err := k.Bucket(ctx, "b1"); err != nil {
					if again { // in a process of its own
						k, err = vault.OpenKeystore(m)
						must(t, err)
					}
					_, err = k.Bucket(ctx, "b1")
					must(t, err)
				}
				k, err = vault.OpenKeystore(m.Crash(seed))
				must(t, err)
				if _, err := k.Existing(ctx, "b1"); err != nil {
					t.Fatalf("step %d, seed %d: a bucket that was handed out is gone: %v", step, seed, err)
				}
			}
		}
	}
}

func TestKeystoreSaysWhatIsWrong(t *testing.T) {
	ctx := context.Background()
	base := durabletest.NewMemory()
	k := keystore(t, base)
	_, err := k.Bucket(ctx, "b1")
	must(t, err)
	write := func(name string, data []byte) *durabletest.Memory {
		m := base.Crash(0)
		must(t, m.Remove(name))
		must(t, durable.WriteFile(m, name, data, 0o600))
		return m
	}
	for _, name := range []string{"format", "server.key", "recovery.txt", "tail.age"} {
		_, err := vault.OpenKeystore(write(name, []byte("nonsense\n")))
		want(t, evidence.Corrupt, err)
	}
	k, err = vault.OpenKeystore(write("buckets/b1.age", []byte("nonsense")))
	must(t, err)
	_, err = k.Bucket(ctx, "b1")
	want(t, evidence.Corrupt, err)
	m := base.Crash(0)
	key, err := durable.ReadFile(m, "server.key")
	must(t, err)
	must(t, m.Remove("server.key"))
	must(t, durable.WriteFile(m, "server.key", key, 0o640))
	_, err = vault.OpenKeystore(m)
	want(t, evidence.Denied, err)
	lock, err := base.Lock("lock")
	must(t, err)
	short, cancel := context.WithCancel(ctx)
	cancel()
	k, err = vault.OpenKeystore(base)
	must(t, err)
	_, err = k.Bucket(short, "b2")
	want(t, evidence.Unavailable, err)
	must(t, lock.Close())
}
