package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"

	"custos/evidence"
)

// Prefix is the front of an age v1 file: its header and payload nonce. It is
// not secret to a holder of none of its identities.
type Prefix []byte

// NewPrefix draws a file key and a nonce from random (nil = crypto/rand) and
// wraps the key to recipients. Errors are those of WrapPrefix.
func NewPrefix(random io.Reader, recipients ...age.Recipient) (Prefix, FileKey, Nonce, error) {
	if random == nil {
		random = rand.Reader
	}
	var drawn [len(FileKey{}) + NonceSize]byte
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return nil, FileKey{}, Nonce{}, evidence.Wrap(evidence.Internal, err, "no random numbers for a new key could be drawn")
	}
	key, nonce := FileKey(drawn[:len(FileKey{})]), Nonce(drawn[len(FileKey{}):])
	p, err := WrapPrefix(key, nonce, recipients...)
	if err != nil {
		return nil, FileKey{}, Nonce{}, err
	}
	return p, key, nonce, nil
}

// WrapPrefix makes a prefix for a file key and nonce that exist. As in age, all
// recipients must carry equal labels: post-quantum and classic ones do not mix.
//
// Codes: Invalid without recipients or where they do not mix; Unavailable where
// a recipient (a plugin's, say) cannot wrap now; Internal where a recipient
// answered with what age could not read back.
func WrapPrefix(key FileKey, nonce Nonce, recipients ...age.Recipient) (Prefix, error) {
	if len(recipients) == 0 {
		return nil, evidence.Errorf(evidence.Invalid, "a key must be wrapped to at least one recipient")
	}
	var stanzas []*age.Stanza
	var labels []string
	for i, r := range recipients {
		s, l, err := wrap(r, key)
		if err != nil {
			return nil, evidence.Wrap(evidence.Unavailable, err, fmt.Sprintf("the key could not be wrapped to recipient %d of %d", i+1, len(recipients)))
		}
		slices.Sort(l)
		if i == 0 {
			labels = l
		} else if !slices.Equal(labels, l) {
			return nil, evidence.Errorf(evidence.Invalid, "recipient %d of %d does not mix with those before it: post-quantum and classic recipients need a header each", i+1, len(recipients))
		}
		stanzas = append(stanzas, s...)
	}
	header, err := marshalHeader(key, stanzas)
	if err != nil {
		return nil, err
	}
	return append(header, nonce[:]...), nil
}

func wrap(r age.Recipient, key FileKey) (stanzas []*age.Stanza, labels []string, err error) {
	// A copy: what a recipient does to its argument stays with it.
	b := slices.Clone(key[:])
	if l, ok := r.(age.RecipientWithLabels); ok {
		stanzas, labels, err = l.WrapWithLabels(b)
		return stanzas, slices.Clone(labels), err
	}
	stanzas, err = r.Wrap(b)
	return stanzas, nil, err
}

// columns is how long a full line of a stanza's body is; the body ends with
// the first shorter line, which may be empty (C2SP age.md, "Header").
const columns = 64

func marshalHeader(key FileKey, stanzas []*age.Stanza) ([]byte, error) {
	b64 := base64.RawStdEncoding
	var b bytes.Buffer
	b.WriteString("age-encryption.org/v1\n")
	for _, s := range stanzas {
		b.WriteString("-> " + s.Type)
		for _, a := range s.Args {
			b.WriteString(" " + a)
		}
		b.WriteByte('\n')
		body := b64.EncodeToString(s.Body)
		for len(body) >= columns {
			b.WriteString(body[:columns] + "\n")
			body = body[columns:]
		}
		b.WriteString(body + "\n")
	}
	b.WriteString("---")
	mac, err := headerMAC(key, b.Bytes())
	if err != nil {
		return nil, err
	}
	b.WriteString(" " + b64.EncodeToString(mac) + "\n")
	// Types and arguments come from the recipients. What age would not read
	// back exactly must never be stored.
	if err := checkHeader(b.Bytes()); err != nil {
		return nil, evidence.Wrap(evidence.Internal, err, "a recipient gave what is no age header")
	}
	return b.Bytes(), nil
}

func headerMAC(key FileKey, header []byte) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, key[:], nil, "header", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("seal: derive header key: %w", err)
	}
	h := hmac.New(sha256.New, k)
	h.Write(header)
	return h.Sum(nil), nil
}

// checkHeader tells whether header is one age header in its only spelling,
// with nothing after it.
func checkHeader(header []byte) error {
	same, err := age.ExtractHeader(bytes.NewReader(header))
	if err != nil {
		return err
	}
	if !bytes.Equal(same, header) {
		return errors.New("the age header is followed by other bytes")
	}
	return nil
}

// Open unwraps the file key with the first identity that fits and checks the
// header's MAC. As in age, identities that live in this process are tried
// before plugins.
//
// Codes: Corrupt where this is no prefix or its MAC is wrong; Denied where no
// identity fits, which a damaged wrapped key cannot be told from (errors.As
// finds the *age.NoIdentityMatchError); Unavailable where a plugin's identity
// could not answer; Invalid without identities.
func (p Prefix) Open(ids ...age.Identity) (FileKey, Nonce, error) {
	if len(ids) == 0 {
		return FileKey{}, Nonce{}, evidence.Errorf(evidence.Invalid, "opening a sealed object needs an identity")
	}
	header, nonce, err := p.split()
	if err != nil {
		return FileKey{}, Nonce{}, err
	}
	watched, failure := watch(ids)
	b, err := age.DecryptHeader(header, watched...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return FileKey{}, Nonce{}, evidence.Wrap(evidence.Denied, err, "none of the keys at hand opens this object")
	case err != nil && *failure != nil:
		return FileKey{}, Nonce{}, evidence.Wrap(evidence.Unavailable, err, "the device or program that keeps the key did not answer")
	case err != nil:
		return FileKey{}, Nonce{}, evidence.Wrap(evidence.Corrupt, err, "the header of a sealed object is damaged")
	case len(b) != len(FileKey{}):
		return FileKey{}, Nonce{}, evidence.Errorf(evidence.Corrupt, "a header unwrapped to a key of %d bytes", len(b))
	}
	return FileKey(b), nonce, nil
}

// Rewrap makes a prefix of the same key and nonce for new recipients: the
// payload stays as it is. It takes nothing away from holders of p. Codes are
// those of Open and WrapPrefix.
func (p Prefix) Rewrap(ids []age.Identity, recipients ...age.Recipient) (Prefix, error) {
	key, nonce, err := p.Open(ids...)
	if err != nil {
		return nil, err
	}
	return WrapPrefix(key, nonce, recipients...)
}

func (p Prefix) split() (header []byte, nonce Nonce, err error) {
	n := len(p) - NonceSize
	if n <= 0 {
		return nil, Nonce{}, evidence.Errorf(evidence.Corrupt, "the header of a sealed object is cut off")
	}
	if err := checkHeader(p[:n]); err != nil {
		return nil, Nonce{}, evidence.Wrap(evidence.Corrupt, err, "the header of a sealed object is damaged")
	}
	return p[:n], Nonce(p[n:]), nil
}

// watched notes why an identity outside this process failed, to tell a silent
// device from a damaged header.
type watched struct {
	age.Identity
	failure *error
}

func (w watched) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	key, err := w.Identity.Unwrap(stanzas)
	if err != nil && !errors.Is(err, age.ErrIncorrectIdentity) {
		*w.failure = err
	}
	return key, err
}

// watch leaves age's own identities as they are: age knows them by their types.
func watch(ids []age.Identity) ([]age.Identity, *error) {
	failure := new(error)
	out := slices.Clone(ids)
	for i, id := range out {
		switch id.(type) {
		case *age.X25519Identity, *age.HybridIdentity, *age.ScryptIdentity:
		default:
			out[i] = watched{id, failure}
		}
	}
	return out, failure
}
