package bundle_test

import (
	"testing"

	"custos/bundle"
	"custos/bundle/bundletest"
	"os"
)

// Compare with sha256sum over the same bytes.
func BenchmarkVerify(b *testing.B) {
	s := bundletest.New(256<<20, 32<<20, 64<<20)
	s.Disclose()
	root, err := os.OpenRoot(mustWrite(b, s))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = root.Close() })
	b.SetBytes(352 << 20)
	for b.Loop() {
		r, err := bundle.Verify(b.Context(), root.FS(), bundle.Options{LogKey: s.Log.Key.VKey})
		if err != nil || r.Outcome() != bundle.Sound {
			b.Fatal(err, r.Outcome())
		}
	}
}
