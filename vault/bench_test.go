package vault_test

import (
	"io"
	"testing"

	"custos/database/databasetest"
	"custos/durable"
	"custos/durable/durabletest"
	"custos/vault"
)

// What an upload of 128 MiB costs on a real disk, from Begin to read-back.
func BenchmarkUpload(b *testing.B) {
	const size = 128 << 20
	d, err := durable.Open(b.TempDir())
	must(b, err)
	b.Cleanup(func() { must(b, d.Close()) })
	v, err := vault.Open(ctx, vault.Config{DB: databasetest.SQLite(b), Store: folder(b, d), Keys: keystore(b, durabletest.NewMemory())})
	must(b, err)
	b.SetBytes(size)
	for b.Loop() {
		id := newID()
		must(b, v.Begin(ctx, id, size))
		_, err := v.Append(ctx, id, 0, io.LimitReader(readerFunc(func(p []byte) (int, error) { return len(p), nil }), size))
		must(b, err)
		_, err = v.Finish(ctx, id)
		must(b, err)
		_, _, err = v.ReadBack(ctx, id)
		must(b, err)
		must(b, v.Abandon(ctx, id))
	}
}
