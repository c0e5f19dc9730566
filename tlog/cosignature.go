package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"filippo.io/mldsa"
	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
)

// Signature types of witnesses (C2SP signed-note, "Signature types").
const (
	ed25519Cosignature = 0x04
	mldsa44Cosignature = 0x06
)

// WitnessKey is the public key of a witness: Ed25519, or ML-DSA-44 (FIPS 204),
// as C2SP tlog-cosignature has them. It is a note.Verifier of the witness's
// signature lines.
type WitnessKey struct {
	name    string
	hash    uint32
	vkey    string
	public  string            // type and key, to tell two names of one key
	ed25519 ed25519.PublicKey // nil: ML-DSA-44
	mldsa44 *mldsa.PublicKey  // nil: Ed25519
}

// ParseWitnessKey reads a verifier key of signature type 0x04 or 0x06. It
// fails with Invalid.
func ParseWitnessKey(vkey string) (*WitnessKey, error) {
	fail := func(why string) (*WitnessKey, error) {
		return nil, evidence.Errorf(evidence.Invalid, "This is not the key of a witness: %s.", why)
	}
	name, rest, _ := strings.Cut(vkey, "+")
	digits, text, ok := strings.Cut(rest, "+")
	if !ok || !validKeyName(name) || len(digits) != 8 {
		return fail("it has not the shape NAME+8 digits+KEY")
	}
	hash, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || digits != strings.ToLower(digits) {
		return fail("the eight digits are not hexadecimal")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) == 0 || base64.StdEncoding.EncodeToString(raw) != text {
		return fail("the part after the last plus sign is not base64")
	}
	sum := sha256.Sum256([]byte(name + "\n" + string(raw)))
	if binary.BigEndian.Uint32(sum[:]) != uint32(hash) {
		return fail("the eight digits do not belong to the name and the key")
	}
	k := &WitnessKey{name: name, hash: uint32(hash), vkey: vkey, public: string(raw)}
	switch {
	case raw[0] == ed25519Cosignature && len(raw) == 1+ed25519.PublicKeySize:
		k.ed25519 = raw[1:]
	case raw[0] == mldsa44Cosignature && len(raw) == 1+mldsa.MLDSA44PublicKeySize:
		if k.mldsa44, err = mldsa.NewPublicKey(mldsa.MLDSA44(), raw[1:]); err != nil {
			return fail("the ML-DSA-44 key cannot be read")
		}
	default:
		return fail("it is neither of Ed25519 cosignatures (type 4) nor of ML-DSA-44 (type 6)")
	}
	return k, nil
}

// validKeyName is the rule of C2SP signed-note. An ML-DSA-44 cosignature holds
// the name behind one byte of length.
func validKeyName(name string) bool {
	return name != "" && len(name) <= math.MaxUint8 && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' })
}

// Name is the witness's name, as its signature lines have it.
func (k *WitnessKey) Name() string { return k.name }

// KeyHash is the number that its signature lines begin with.
func (k *WitnessKey) KeyHash() uint32 { return k.hash }

// String is the verifier key.
func (k *WitnessKey) String() string { return k.vkey }

// Algorithm is how the witness signs, for people.
func (k *WitnessKey) Algorithm() string {
	if k.mldsa44 != nil {
		return "ML-DSA-44"
	}
	return "Ed25519"
}

// Verify tells whether sig, a time in seconds and a signature, is the
// witness's on the checkpoint with this text. One without a time says nothing
// of the largest tree and is refused (C2SP tlog-witness).
func (k *WitnessKey) Verify(text, sig []byte) bool {
	if len(sig) < 8 {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	if at == 0 || at > math.MaxInt64 {
		return false
	}
	msg, err := k.Message(text, at)
	if err != nil {
		return false
	}
	if k.mldsa44 != nil {
		return mldsa.Verify(k.mldsa44, msg, sig[8:], nil) == nil
	}
	return len(sig) == 8+ed25519.SignatureSize && ed25519.Verify(k.ed25519, msg, sig[8:])
}

// Message is what the witness signs for the checkpoint with this text, at that
// many seconds after 1970. It fails with Invalid where the text is not a
// checkpoint.
func (k *WitnessKey) Message(text []byte, at uint64) ([]byte, error) {
	c, err := parseCheckpointText(string(text))
	if err != nil {
		return nil, err
	}
	if k.mldsa44 == nil {
		return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text), nil
	}
	if len(c.Origin) > math.MaxUint8 {
		return nil, evidence.Errorf(evidence.Invalid, "the origin is longer than an ML-DSA-44 cosignature can hold")
	}
	b := []byte("subtree/v1\n\x00")
	b = append(append(b, byte(len(k.name))), k.name...)
	b = binary.BigEndian.AppendUint64(b, at)
	b = append(append(b, byte(len(c.Origin))), c.Origin...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Size))
	return append(b, c.Root[:]...), nil
}

// Cosignature is a good signature of a witness on a checkpoint.
type Cosignature struct {
	Key  *WitnessKey
	Time time.Time // as the witness says; whole seconds
	Line string    // of the note, without line break
}

// Cosignatures are the good signatures of keys on a checkpoint, in the order
// of its lines, one of each key. Lines of others are not looked at, and nor is
// the log's own signature: see OpenCheckpoint. It fails with Corrupt where a
// line names one of the keys and is not that key's signature.
func Cosignatures(msg []byte, keys []*WitnessKey) ([]Cosignature, error) {
	known := make([]note.Verifier, len(keys))
	byName := map[string]*WitnessKey{}
	for i, k := range keys {
		known[i] = k
		byName[fmt.Sprint(k.name, "+", k.hash)] = k
	}
	n, err := note.Open(msg, note.VerifierList(known...))
	var none *note.UnverifiedNoteError
	var wrong *note.InvalidSignatureError
	switch {
	case errors.As(err, &none):
		return nil, nil
	case errors.As(err, &wrong):
		return nil, evidence.Wrap(evidence.Corrupt, err, fmt.Sprintf("The signature of the witness %s is not on this checkpoint.", wrong.Name))
	case err != nil:
		return nil, evidence.Wrap(evidence.Corrupt, err, "The checkpoint and its signatures cannot be read.")
	}
	var out []Cosignature
	for _, s := range n.Sigs {
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || len(raw) < 12 { // note.Open has read it before
			return nil, evidence.Wrap(evidence.Corrupt, err, "A signature of the checkpoint cannot be read.")
		}
		at := time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()
		out = append(out, Cosignature{byName[fmt.Sprint(s.Name, "+", s.Hash)], at, fmt.Sprintf("— %s %s", s.Name, s.Base64)})
	}
	return out, nil
}

// AddLines puts further signature lines under a signed note. Lines that stand
// there already are not put in again.
func AddLines(msg []byte, lines ...string) []byte {
	text, sigs, _ := strings.Cut(string(msg), "\n\n")
	have := strings.Split(strings.TrimSuffix(sigs, "\n"), "\n")
	for _, l := range lines {
		if !slices.Contains(have, l) {
			have = append(have, l)
		}
	}
	return []byte(text + "\n\n" + strings.Join(have, "\n") + "\n")
}

// Signers are the names on the signature lines of a note, unchecked.
func Signers(msg []byte) []string {
	_, sigs, _ := strings.Cut(string(msg), "\n\n")
	var names []string
	for line := range strings.Lines(sigs) {
		if rest, ok := strings.CutPrefix(line, "— "); ok {
			name, _, _ := strings.Cut(rest, " ")
			names = append(names, name)
		}
	}
	return names
}
