package vault_test

import (
	"context"
	"testing"

	"custos/durable"
	"custos/durable/durabletest"
	"custos/evidence"
	"custos/vault"
	"custos/vault/vaulttest"
)

func folder(t testing.TB, fsys durable.FS) *vault.Folder {
	t.Helper()
	f, err := vault.OpenFolder(fsys, -1)
	must(t, err)
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, code evidence.Code, err error) {
	t.Helper()
	if got := evidence.CodeOf(err); got != code {
		t.Fatalf("got %q (%v), want %q", got, err, code)
	}
}

func TestFolderIsAStore(t *testing.T) {
	t.Run("disk", func(t *testing.T) {
		vaulttest.Store(t, func(t *testing.T) vault.Store {
			d, err := durable.Open(t.TempDir())
			must(t, err)
			t.Cleanup(func() { must(t, d.Close()) })
			return folder(t, d)
		})
	})
	t.Run("memory", func(t *testing.T) {
		vaulttest.Store(t, func(t *testing.T) vault.Store { return folder(t, durabletest.NewMemory()) })
	})
}

func TestFolderSurvivesPowerCuts(t *testing.T) {
	vaulttest.PowerCuts(t, func(fsys durable.FS) (vault.Store, error) { return vault.OpenFolder(fsys, -1) })
}

func TestFolderLeavesItsReserve(t *testing.T) {
	ctx := context.Background()
	m := durabletest.NewMemory()
	m.SetCapacity(1000)
	f, err := vault.OpenFolder(m, 400)
	must(t, err)
	must(t, f.Begin(ctx, "abc"))
	must(t, f.PutPart(ctx, "abc", 0, make([]byte, 500)))
	want(t, evidence.Full, f.PutPart(ctx, "abc", 500, make([]byte, 101)))
	must(t, f.PutPart(ctx, "abc", 500, make([]byte, 100)))
	must(t, m.Rename("incoming/abc", "incoming/abcd")) // anything else that fills the disk
	m.SetCapacity(900)
	want(t, evidence.Full, f.Begin(ctx, "xyz"))
	must(t, f.Finish(ctx, "abcd", 600)) // what has room already goes on
	if got := vaulttest.Read(t, f, vault.Final, "abcd"); len(got) != 600 {
		t.Fatalf("read %d bytes", len(got))
	}
	must(t, f.Remove(ctx, vault.Final, "abcd"))
	must(t, f.Begin(ctx, "xyz"))
	if free, total, err := f.Space(); err != nil || free != 900 || total != 900 {
		t.Fatalf("free %d of %d, %v", free, total, err)
	}
	by2percent, err := vault.OpenFolder(m, 0)
	must(t, err)
	must(t, by2percent.PutPart(ctx, "xyz", 0, make([]byte, 882)))
	want(t, evidence.Full, by2percent.PutPart(ctx, "xyz", 882, make([]byte, 1)))
}
