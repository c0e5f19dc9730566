package vault_test

import (
	"bytes"
	"testing"

	"custos/database/databasetest"
	"custos/durable/durabletest"
	"custos/evidence"
)

func TestBackupBringsBackWhatTheStoreLost(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	var ids []evidence.ID
	var sealed int64
	for _, n := range []int{0, 10, 3*chunk + 1} {
		id := newID()
		_, err := h.Put(ctx, id, bytes.NewReader(footage(n)))
		must(t, err)
		h.keep(t, id)
		ids = append(ids, id)
	}
	under := newID()
	must(t, h.Begin(ctx, under, -1))
	backup := folder(t, durabletest.NewMemory())
	for range 2 { // the second time there is nothing to copy
		sealed = 0
		must(t, h.Backup(ctx, backup, func(n int64) { sealed += n }))
	}
	if n, size, err := h.Totals(ctx); err != nil || n != 3 || size != sealed {
		t.Fatalf("%d objects of %d bytes, copied %d, %v", n, size, sealed, err)
	}
	h.fs = durabletest.NewMemory()
	h.store = h.store.After(folder(t, h.fs))
	h.open(t)
	want(t, evidence.Corrupt, h.Check(ctx, ids[0]))
	must(t, h.Restore(ctx, backup))
	for _, id := range ids {
		must(t, h.Check(ctx, id))
	}
	_, err := h.Received(ctx, under)
	want(t, evidence.NotFound, err)
	must(t, h.Accepts())
	h.store.Crash(1, false)
	want(t, evidence.Unavailable, h.Begin(ctx, newID(), 1))
	want(t, evidence.Unavailable, h.Accepts())
}
