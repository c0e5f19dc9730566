package seal_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"testing"

	"custos/seal"
)

// What ingest does to every byte: one hash of the plaintext, one sealing.
func BenchmarkSealAndHash(b *testing.B) {
	plain := plaintext(4 << 20)
	s := must[*seal.Sealer](b)(seal.NewSealer(seal.FileKey{1}, seal.Nonce{}))
	dst := make([]byte, 0, seal.SealedSize(int64(len(plain))))
	h := sha256.New()
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		h.Write(plain)
		dst = s.Seal(dst[:0], plain, 0, false)
	}
}

func BenchmarkSeal(b *testing.B) {
	plain := plaintext(4 << 20)
	s := must[*seal.Sealer](b)(seal.NewSealer(seal.FileKey{1}, seal.Nonce{}))
	dst := make([]byte, 0, seal.SealedSize(int64(len(plain))))
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		dst = s.Seal(dst[:0], plain, 0, false)
	}
}

// What a range request does: read at an offset nobody read before.
func BenchmarkReadAt(b *testing.B) {
	o := sealed(b, plaintext(64<<20), allKeys(b)[0].to)
	for _, n := range []int{1, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := o.reader(b)
			p := make([]byte, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			off := int64(0)
			for b.Loop() {
				if _, err := r.ReadAt(p, off); err != nil {
					b.Fatal(err)
				}
				off = (off + 7919*1009) % (r.Size() - int64(n))
			}
		})
	}
}

// What playing a master through does: 32 KiB at a time, as net/http copies.
func BenchmarkCursor(b *testing.B) {
	r := sealed(b, plaintext(16<<20), allKeys(b)[0].to).reader(b)
	p := make([]byte, 32<<10)
	b.SetBytes(r.Size())
	b.ReportAllocs()
	for b.Loop() {
		c := r.Cursor()
		for {
			if _, err := c.Read(p); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkOpenPrefix(b *testing.B) {
	for _, k := range allKeys(b) {
		o := sealed(b, nil, k.to)
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := o.prefix.Open(k.id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
