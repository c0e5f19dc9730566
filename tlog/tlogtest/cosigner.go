package tlogtest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"filippo.io/mldsa"

	"custos/tlog"
)

// How a Cosigner signs.
const (
	Ed25519 = 0x04
	MLDSA44 = 0x06
)

// Cosigner signs checkpoints as a witness does, and whatever it is given: what
// a witness may sign is not its business.
type Cosigner struct {
	Key  *tlog.WitnessKey
	sign func(msg []byte) []byte
}

// NewCosigner makes the witness key that belongs to name, of that kind.
func NewCosigner(name string, kind byte) *Cosigner {
	seed := sha256.Sum256([]byte("witness " + name))
	var public []byte
	c := &Cosigner{}
	if kind == MLDSA44 {
		key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed[:])
		if err != nil {
			panic(err) // a mistake in this package
		}
		public = key.PublicKey().Bytes()
		c.sign = func(msg []byte) []byte {
			b, err := key.Sign(nil, msg, nil)
			if err != nil {
				panic(err)
			}
			return b
		}
	} else {
		key := ed25519.NewKeyFromSeed(seed[:])
		public = key.Public().(ed25519.PublicKey)
		c.sign = func(msg []byte) []byte { return ed25519.Sign(key, msg) }
	}
	raw := append([]byte{kind}, public...)
	h := sha256.Sum256([]byte(name + "\n" + string(raw)))
	key, err := tlog.ParseWitnessKey(fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(h[:]), base64.StdEncoding.EncodeToString(raw)))
	if err != nil {
		panic(err)
	}
	c.Key = key
	return c
}

// Sign gives the witness's signature line on a checkpoint, with its line break.
func (c *Cosigner) Sign(checkpoint []byte, at time.Time) string {
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	msg, err := c.Key.Message([]byte(text+"\n"), uint64(at.Unix()))
	if err != nil {
		panic(err)
	}
	b := binary.BigEndian.AppendUint32(nil, c.Key.KeyHash())
	b = binary.BigEndian.AppendUint64(b, uint64(at.Unix()))
	b = append(b, c.sign(msg)...)
	return fmt.Sprintf("— %s %s\n", c.Key.Name(), base64.StdEncoding.EncodeToString(b))
}
