// Package seal makes and reads age v1 files cut in two: a prefix (the age
// header and the 16-byte payload nonce) and a payload (the sealed chunks).
// Prefix and payload joined are an ordinary .age file, and will be: whatever
// this package has sealed, the stock age tool opens. The format is described
// in docs/formats/vault-object.md, after C2SP age.md
// (https://age-encryption.org/v1).
//
// It adds to filippo.io/age what that has no function for: a header for a file
// key that already exists, sealing from any chunk on, and reading ranges
// without a buffer per chunk. All cryptography is that of age and x/crypto.
package seal

import (
	"errors"
	"fmt"
	"log/slog"

	"custos/evidence"
)

// Format is the id under which objects sealed by this package are recorded.
const Format = "age-v1"

// Sizes, in bytes.
const (
	ChunkSize = 64 << 10 // plaintext of every chunk but the last
	Overhead  = 16       // what sealing adds to a chunk: the Poly1305 tag
	NonceSize = 16       // the payload nonce that ends a prefix

	sealedChunk = ChunkSize + Overhead
)

// FileKey opens one object: 128 random bits. It shows itself to no printer, log
// or encoder; whoever needs the bytes slices it on purpose.
type FileKey [16]byte

const hidden = "(file key)"

// String is a fixed text.
func (FileKey) String() string { return hidden }

// GoString is a fixed text.
func (FileKey) GoString() string { return hidden }

// Format writes a fixed text for every verb.
func (FileKey) Format(s fmt.State, _ rune) {
	// A printer has nowhere to report a failed write to.
	_, _ = s.Write([]byte(hidden))
}

// LogValue is a fixed text.
func (FileKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText always fails, so that no encoder writes a key by accident.
func (FileKey) MarshalText() ([]byte, error) {
	return nil, errors.New("seal: a file key is stored only inside a prefix")
}

// Nonce tells apart the payloads of one file key; each object has its own. It
// is not secret.
type Nonce [NonceSize]byte

// SealedSize is the length of the payload for plain bytes of plaintext,
// 0 <= plain < 2^62.
func SealedSize(plain int64) int64 {
	chunks := max(1, (plain+ChunkSize-1)/ChunkSize)
	return plain + chunks*Overhead
}

// PlainSize is the length of the plaintext of a payload of sealed bytes. It
// fails with Corrupt where no plaintext gives that length.
func PlainSize(sealed int64) (int64, error) {
	if sealed >= Overhead && sealed < 1<<62 {
		chunks := (sealed + sealedChunk - 1) / sealedChunk
		if plain := sealed - chunks*Overhead; plain >= 0 && SealedSize(plain) == sealed {
			return plain, nil
		}
	}
	return 0, evidence.Errorf(evidence.Corrupt, "a sealed object cannot be %d bytes long: it was cut or extended", sealed)
}
