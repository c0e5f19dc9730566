package bench

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"custos/database"
	"custos/database/databasetest"
	"custos/durable"
	"custos/evidence"
	"custos/seal"
	"custos/vault"
)

// benchSeal compares CPU, not wall clock, with what a station without Custos
// would run over the same file: sha256sum for the record, age for the sealing.
func benchSeal(t *testing.T, b *bench) {
	length := b.size(1<<30, 128<<20)
	file := newNoise(length).write(t, filepath.Join(t.TempDir(), "footage"))
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	rate := func(cpu time.Duration) float64 { return megabytes(length, cpu) }
	v := newVault(t, databasetest.SQLite(t))
	for _, tool := range []struct{ name, path string }{{"Debian age", "age"}, {"age 1.3.2", os.Getenv("CUSTOS_AGE")}} {
		if tool.path == "" {
			continue
		}
		if _, err := exec.LookPath(tool.path); err != nil {
			t.Errorf("the peer is missing: %v", err)
			continue
		}
		peer := func() time.Duration {
			_, sum := took(t, "sha256sum", file)
			_, sealed := took(t, tool.path, "-r", id.Recipient().String(), "-o", os.DevNull, file)
			return sum + sealed
		}
		var alone, whole []pair
		for i := range 4 {
			cpu := [3]time.Duration{ownCPU(t)}
			sealAndHash(t, file)
			cpu[1] = ownCPU(t)
			if tool.path == "age" {
				keep(t, v, file)
			}
			cpu[2] = ownCPU(t)
			if p := peer(); i > 0 { // the first one warms up
				alone = append(alone, pair{rate(cpu[1] - cpu[0]), rate(p)})
				whole = append(whole, pair{rate(cpu[2] - cpu[1]), rate(p)})
			}
		}
		b.add(t, compared("seal and SHA-256", "MB/CPU-s", "sha256sum, "+tool.name+" -r", alone).ratioAtLeast(2))
		if tool.path == "age" {
			b.add(t, compared("vault takes in, durably", "MB/CPU-s", "sha256sum, "+tool.name+" -r", whole))
		}
	}
}

// sealAndHash does what the peers do: reads the file once, hashes it, and
// writes what is sealed to /dev/null.
func sealAndHash(t *testing.T, file string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	_, key, nonce, err := seal.NewPrefix(nil, mustRecipient(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.NewSealer(key, nonce)
	if err != nil {
		t.Fatal(err)
	}
	const chunks = 16
	sum, plain := sha256.New(), make([]byte, chunks*seal.ChunkSize)
	sealed := make([]byte, 0, seal.SealedSize(int64(len(plain))))
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < info.Size(); at += int64(len(plain)) {
		n, err := io.ReadFull(in, plain)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		sum.Write(plain[:n])
		sealed = s.Seal(sealed[:0], plain[:n], uint64(at/seal.ChunkSize), at+int64(n) == info.Size())
		if _, err := out.Write(sealed); err != nil {
			t.Fatal(err)
		}
	}
	sum.Sum(nil)
}

func mustRecipient(t *testing.T) age.Recipient {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient()
}

// newVault is a vault in a folder of the real disk.
func newVault(t *testing.T, db *database.DB) *vault.Vault {
	t.Helper()
	keys, err := vault.CreateKeystore(openDisk(t))
	if err != nil {
		t.Fatal(err)
	}
	store, err := vault.OpenFolder(openDisk(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), vault.Config{DB: db, Store: store, StoreName: "bench", Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func openDisk(t *testing.T) *durable.Disk {
	t.Helper()
	d, err := durable.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// keep brings a file through the vault to final storage, and drops it again.
func keep(t *testing.T, v *vault.Vault, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	id := evidence.NewID(time.Now(), rand.Reader)
	if _, err := v.Put(t.Context(), id, f); err != nil {
		t.Fatal(err)
	}
	if err := v.Abandon(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}
