package identity

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"custos/evidence"
)

// KeyLength is the length of Options.Key in bytes.
const KeyLength = 32

// key is the key for one use, made from the directory's.
func (dir *Directory) key(use string) []byte {
	k, err := hkdf.Key(sha256.New, dir.secret, nil, "custos identity "+use, 32)
	if err != nil {
		panic("identity: " + err.Error()) // only for lengths beyond any hash
	}
	return k
}

// seal hides a small secret from whoever has only the database. what is the
// place it is for: moved to another, it does not open.
func (dir *Directory) seal(what string, plain []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(dir.key("seal"))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if err := dir.random(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, []byte(what)), nil
}

// unseal opens what seal made. It fails with Corrupt.
func (dir *Directory) unseal(what string, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(dir.key("seal"))
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	if len(sealed) < aead.NonceSize() {
		return nil, evidence.Errorf(evidence.Corrupt, "A stored secret is damaged. Remove the code app and set it up anew.")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(what))
	return plain, evidence.Wrap(evidence.Corrupt, err, "A stored secret does not open with this service's key. Bring back the right folder of keys, or set the code app up anew.")
}

// challengeLife is how long somebody may take to answer a challenge.
const challengeLife = 5 * time.Minute

const challengeNonce = 16

// newChallenge is what a passkey must sign: 16 random bytes, the second (Unix)
// at which it ends, and a MAC over these, what it is for and for whom. Nothing
// is stored, so that strangers who ask for many fill no disk, and any server
// of the force can check it.
func (dir *Directory) newChallenge(use, subject string) ([]byte, error) {
	b := make([]byte, challengeNonce, challengeNonce+8+sha256.Size)
	if err := dir.random(b); err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint64(b, uint64(dir.now().Add(challengeLife).Unix()))
	return append(b, dir.challengeMAC(use, subject, b)...), nil
}

func (dir *Directory) challengeMAC(use, subject string, head []byte) []byte {
	m := hmac.New(sha256.New, dir.key("challenge"))
	fmt.Fprintf(m, "%s\x00%s\x00", use, subject)
	m.Write(head)
	return m.Sum(nil)
}

// challengeEnds tells whether b is a challenge of newChallenge for that use and
// subject, and when it ends.
func (dir *Directory) challengeEnds(use, subject string, b []byte) (time.Time, bool) {
	if len(b) != challengeNonce+8+sha256.Size {
		return time.Time{}, false
	}
	head, mac := b[:challengeNonce+8], b[challengeNonce+8:]
	ends := time.Unix(int64(binary.BigEndian.Uint64(head[challengeNonce:])), 0)
	return ends, hmac.Equal(mac, dir.challengeMAC(use, subject, head)) && dir.now().Before(ends)
}
