package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"filippo.io/age"

	"custos/evidence"
	"custos/seal"
)

func TestRewrapKeepsThePayload(t *testing.T) {
	plain := plaintext(seal.ChunkSize + 9)
	for _, from := range allKeys(t) {
		for _, to := range allKeys(t) { // classic to hybrid and back: a header each
			o := sealed(t, plain, from.to)
			p := must[seal.Prefix](t)(o.prefix.Rewrap([]age.Identity{from.id}, to.to))
			key, nonce, err := p.Open(to.id)
			if err != nil || key != o.key || nonce != o.nonce {
				t.Fatalf("%s to %s: another key or nonce: %v", from.name, to.name, err)
			}
			_, _, err = p.Open(from.id)
			wantCode(t, err, evidence.Denied)
			o.prefix = p
			r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(o.file()), to.id))
			if !bytes.Equal(must[[]byte](t)(io.ReadAll(r)), plain) {
				t.Errorf("%s to %s: age reads other bytes", from.name, to.name)
			}
		}
	}
	o := sealed(t, plain, allKeys(t)[0].to)
	_, err := o.prefix.Rewrap([]age.Identity{allKeys(t)[0].id}, allKeys(t)[0].to)
	wantCode(t, err, evidence.Denied)
}

func TestEveryRecipientOpens(t *testing.T) {
	for i := range allKeys(t) {
		var ids []age.Identity
		var to []age.Recipient
		for range 40 {
			k := allKeys(t)[i]
			ids, to = append(ids, k.id), append(to, k.to)
		}
		p, key, _, err := seal.NewPrefix(nil, to...)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if got, _, err := p.Open(allKeys(t)[0].id, id); err != nil || got != key {
				t.Fatalf("a recipient cannot open: %v", err)
			}
		}
	}
}

// odd is a recipient that gives whatever a test wants.
type odd struct {
	stanzas []*age.Stanza
	labels  []string
	err     error
}

func (o odd) Wrap([]byte) ([]*age.Stanza, error) { return o.stanzas, o.err }
func (o odd) WrapWithLabels([]byte) ([]*age.Stanza, []string, error) {
	return o.stanzas, o.labels, o.err
}

func TestRecipientsThatDoNotMix(t *testing.T) {
	k := allKeys(t)
	pass, err := age.NewScryptRecipient("a pass phrase")
	if err != nil {
		t.Fatal(err)
	}
	pass.SetWorkFactor(4)
	fine := []*age.Stanza{{Type: "x"}}
	ab, ba := odd{fine, []string{"a", "b"}, nil}, odd{fine, []string{"b", "a"}, nil}
	for name, c := range map[string]struct {
		to   []age.Recipient
		want evidence.Code
	}{
		"none":                {nil, evidence.Invalid},
		"classic and hybrid":  {[]age.Recipient{k[0].to, k[1].to}, evidence.Invalid},
		"hybrid and classic":  {[]age.Recipient{k[1].to, k[0].to}, evidence.Invalid},
		"pass phrase and key": {[]age.Recipient{pass, k[0].to}, evidence.Invalid},
		"two pass phrases":    {[]age.Recipient{pass, pass}, evidence.Invalid},
		"one pass phrase":     {[]age.Recipient{pass}, ""},
		"labels in any order": {[]age.Recipient{ab, ba}, ""},
		"labels in part":      {[]age.Recipient{ab, odd{fine, []string{"a"}, nil}}, evidence.Invalid},
		"cannot wrap":         {[]age.Recipient{odd{err: errors.New("device away")}}, evidence.Unavailable},
		"no stanzas":          {[]age.Recipient{odd{}}, evidence.Internal},
		"a line end inside":   {[]age.Recipient{odd{stanzas: []*age.Stanza{{Type: "x\n-> y"}}}}, evidence.Internal},
		"an empty argument":   {[]age.Recipient{odd{stanzas: []*age.Stanza{{Type: "x", Args: []string{""}}}}}, evidence.Internal},
		"an early end":        {[]age.Recipient{odd{stanzas: []*age.Stanza{{Type: "x\n\n--- " + strings.Repeat("A", 43) + "\n"}}}}, evidence.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := seal.WrapPrefix(seal.FileKey{1}, seal.Nonce{2}, c.to...)
			wantCode(t, err, c.want)
			if (err == nil) != (p != nil) {
				t.Errorf("prefix %q with error %v", p, err)
			}
			// age must judge the same.
			_, ageErr := age.Encrypt(io.Discard, c.to...)
			if c.want != evidence.Internal && (ageErr == nil) != (err == nil) {
				t.Errorf("age says %v, we say %v", ageErr, err)
			}
		})
	}
}

func TestLabelsAreNotSortedInPlace(t *testing.T) {
	r := odd{[]*age.Stanza{{Type: "x"}}, []string{"b", "a"}, nil}
	must[seal.Prefix](t)(seal.WrapPrefix(seal.FileKey{1}, seal.Nonce{2}, r))
	if r.labels[0] != "b" {
		t.Error("a recipient's labels were sorted in place")
	}
}

func TestStanzaBodiesOfAllLengthsComeBack(t *testing.T) {
	for n := range 200 {
		body := plaintext(n)
		p := must[seal.Prefix](t)(seal.WrapPrefix(seal.FileKey{1}, seal.Nonce{2}, odd{stanzas: []*age.Stanza{{Type: "x", Args: []string{"1", "~"}, Body: body}}}))
		id := &answer{key: append([]byte{1}, make([]byte, 15)...)}
		if _, _, err := p.Open(id); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(id.saw[0].Body, body) || id.saw[0].Args[1] != "~" {
			t.Fatalf("a body of %d bytes came back as %d", n, len(id.saw[0].Body))
		}
	}
}

// answer is an identity that gives whatever a test wants.
type answer struct {
	key []byte
	err error
	saw []*age.Stanza
}

func (a *answer) Unwrap(s []*age.Stanza) ([]byte, error) {
	a.saw = s
	return a.key, a.err
}

func TestOpenTellsItsFailuresApart(t *testing.T) {
	k, other := allKeys(t)[0], allKeys(t)[1]
	p := sealed(t, nil, k.to).prefix
	n := len(p) - seal.NonceSize
	mac := bytes.Clone(p)
	mac[n-5] ^= 1
	for name, c := range map[string]struct {
		p    seal.Prefix
		ids  []age.Identity
		want evidence.Code
	}{
		"no identity":           {p, nil, evidence.Invalid},
		"empty":                 {nil, []age.Identity{k.id}, evidence.Corrupt},
		"only a nonce":          {p[n:], []age.Identity{k.id}, evidence.Corrupt},
		"no nonce":              {p[:n], []age.Identity{k.id}, evidence.Corrupt},
		"cut":                   {p[:len(p)-1], []age.Identity{k.id}, evidence.Corrupt},
		"extended":              {append(bytes.Clone(p), 'x'), []age.Identity{k.id}, evidence.Corrupt},
		"wrong MAC":             {mac, []age.Identity{k.id}, evidence.Corrupt},
		"another's":             {p, []age.Identity{other.id}, evidence.Denied},
		"device does not fit":   {p, []age.Identity{&answer{err: age.ErrIncorrectIdentity}}, evidence.Denied},
		"device away":           {p, []age.Identity{&answer{err: errors.New("unplugged")}}, evidence.Unavailable},
		"device not needed":     {p, []age.Identity{&answer{err: errors.New("unplugged")}, k.id}, ""},
		"device gives nonsense": {p, []age.Identity{&answer{key: make([]byte, 16)}}, evidence.Corrupt},
	} {
		t.Run(name, func(t *testing.T) {
			key, _, err := c.p.Open(c.ids...)
			wantCode(t, err, c.want)
			if err != nil && key != (seal.FileKey{}) {
				t.Error("a key came with an error")
			}
		})
	}
	_, _, err := p.Open(other.id)
	var none *age.NoIdentityMatchError
	if !errors.As(err, &none) || none.StanzaTypes[0] != "X25519" {
		t.Errorf("age's error is lost: %v", err)
	}
}

func TestEveryFlippedByteOfThePrefixIsRefused(t *testing.T) {
	for _, k := range allKeys(t) {
		o := sealed(t, plaintext(10), k.to)
		step := max(1, len(o.prefix)/300)
		for i := 0; i < len(o.prefix); i += step {
			p := seal.Prefix(bytes.Clone(o.prefix))
			p[i] ^= 1 << (i % 8)
			key, nonce, err := p.Open(k.id)
			if err == nil { // a nonce is not under the header's MAC: the payload refuses
				if i < len(p)-seal.NonceSize {
					t.Fatalf("%s: opened with byte %d of the header flipped", k.name, i)
				}
				_, err = seal.NewReader(key, nonce, bytes.NewReader(o.payload), int64(len(o.payload)))
			}
			if c := evidence.CodeOf(err); c != evidence.Corrupt && c != evidence.Denied {
				t.Fatalf("%s: byte %d flipped: %v", k.name, i, err)
			}
		}
	}
}

func FuzzPrefix(f *testing.F) {
	text, err := os.ReadFile("testdata/x25519.identity.txt")
	if err != nil {
		f.Fatal(err)
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(text)))
	if err != nil {
		f.Fatal(err)
	}
	p, _, _, err := seal.NewPrefix(random(1), id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(p))
	golden, err := os.ReadFile("testdata/x25519.prefix.b64")
	if err != nil {
		f.Fatal(err)
	}
	if golden, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(golden))); err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(p[:20]))
	f.Add([]byte("age-encryption.org/v1\n-> X25519 x\n\n--- " + strings.Repeat("A", 43) + "\n0123456789abcdef"))
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Add(bytes.Repeat([]byte("-> "), 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		key, nonce, err := seal.Prefix(b).Open(id)
		if err != nil {
			if c := evidence.CodeOf(err); c != evidence.Corrupt && c != evidence.Denied {
				t.Fatalf("code %q: %v", c, err)
			}
			return
		}
		s := must[*seal.Sealer](t)(seal.NewSealer(key, nonce))
		r, err := age.Decrypt(bytes.NewReader(s.Seal(bytes.Clone(b), []byte("footage"), 0, true)), id)
		if err != nil {
			t.Fatalf("we open what age does not: %v", err)
		}
		if got := must[[]byte](t)(io.ReadAll(r)); string(got) != "footage" {
			t.Fatalf("age read %q", got)
		}
	})
}
