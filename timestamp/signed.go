package timestamp

import (
	"bytes"
	"crypto/sha1" // of RFC 2634's name for a certificate, never of a signature
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
	"math/big"
)

// Object identifiers of CMS (RFC 5652), ESS (RFC 5035) and the algorithms.
var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA384        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// signatureAlgorithms are those that name their digest.
var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.11": x509.SHA256WithRSA,
	"1.2.840.113549.1.1.12": x509.SHA384WithRSA,
	"1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.3.2":   x509.ECDSAWithSHA256,
	"1.2.840.10045.4.3.3":   x509.ECDSAWithSHA384,
	"1.2.840.10045.4.3.4":   x509.ECDSAWithSHA512,
	"1.3.101.112":           x509.PureEd25519,
}

// signed is a CMS SignedData with one signature over a TSTInfo.
type signed struct {
	content      []byte
	certificates []*x509.Certificate
	signer       *x509.Certificate
	info         signerInfo
}

type signerInfo struct {
	Version    int
	ID         asn1.RawValue
	Digest     pkix.AlgorithmIdentifier
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm  pkix.AlgorithmIdentifier
	Signature  []byte
	NotSigned  asn1.RawValue `asn1:"optional,tag:1"`
}

// parseSigned reads a ContentInfo (RFC 5652, 3) and finds who signed it.
func parseSigned(b []byte) (*signed, error) {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(b, &outer); err != nil || len(rest) > 0 || !outer.Type.Equal(oidSignedData) {
		return nil, corrupt("the token is not signed data")
	}
	var d struct {
		Version int
		Digests []pkix.AlgorithmIdentifier `asn1:"set"`
		Inner   struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		Lists        asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	if rest, err := asn1.Unmarshal(outer.Content.Bytes, &d); err != nil || len(rest) > 0 {
		return nil, corrupt("the signed data cannot be read")
	}
	if !d.Inner.Type.Equal(oidTSTInfo) || len(d.Signers) != 1 {
		return nil, corrupt("it must hold one timestamp, signed once")
	}
	s := &signed{content: d.Inner.Content, info: d.Signers[0]}
	for rest := d.Certificates.Bytes; len(rest) > 0; {
		var raw asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &raw); err != nil {
			return nil, corrupt("its certificates cannot be read")
		}
		// Other kinds of certificates may stand between, and are no use here.
		if c, err := x509.ParseCertificate(raw.FullBytes); err == nil {
			s.certificates = append(s.certificates, c)
			if s.signer == nil && s.info.by(c) {
				s.signer = c
			}
		}
	}
	if s.signer == nil {
		return nil, corrupt("the certificate of its signer is not in it")
	}
	return s, nil
}

// by tells whether the signature names this certificate.
func (i signerInfo) by(c *x509.Certificate) bool {
	if i.ID.Class == asn1.ClassContextSpecific && i.ID.Tag == 0 {
		return len(c.SubjectKeyId) > 0 && bytes.Equal(i.ID.Bytes, c.SubjectKeyId)
	}
	var id struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	rest, err := asn1.Unmarshal(i.ID.FullBytes, &id)
	return err == nil && len(rest) == 0 && bytes.Equal(id.Issuer.FullBytes, c.RawIssuer) && id.Serial.Cmp(c.SerialNumber) == 0
}

// check tells whether the signature is on the content, by the signer.
func (s *signed) check() error {
	digest := newHash(s.info.Digest.Algorithm)
	if digest == nil {
		return corrupt("it is signed over a digest that is not of SHA-2")
	}
	digest.Write(s.content) // a hash.Hash never fails
	attributes, err := s.attributes()
	if err != nil {
		return err
	}
	var kind asn1.ObjectIdentifier
	var sum []byte
	if !attributes.get(oidContentType, &kind) || !kind.Equal(oidTSTInfo) || !attributes.get(oidMessageDigest, &sum) {
		return corrupt("its signed attributes are not those of a timestamp")
	}
	if !bytes.Equal(sum, digest.Sum(nil)) {
		return corrupt("what it says was changed after it was signed")
	}
	if !attributes.name(s.signer) {
		return corrupt("the signature does not name its certificate")
	}
	algorithm, ok := signatureAlgorithms[s.info.Algorithm.Algorithm.String()]
	if s.info.Algorithm.Algorithm.Equal(oidRSA) {
		algorithm, ok = map[string]x509.SignatureAlgorithm{
			oidSHA256.String(): x509.SHA256WithRSA, oidSHA384.String(): x509.SHA384WithRSA, oidSHA512.String(): x509.SHA512WithRSA,
		}[s.info.Digest.Algorithm.String()]
	}
	if !ok {
		return corrupt("it is signed in a way that this program does not know")
	}
	// Signed is the SET that the attributes are, not the [0] that they stand as.
	set := bytes.Clone(s.info.Attributes.FullBytes)
	set[0] = asn1.TagSet | 0x20
	if s.signer.CheckSignature(algorithm, set, s.info.Signature) != nil {
		return corrupt("its signature is wrong")
	}
	return nil
}

func newHash(id asn1.ObjectIdentifier) hash.Hash {
	switch {
	case id.Equal(oidSHA256):
		return sha256.New()
	case id.Equal(oidSHA384):
		return sha512.New384()
	case id.Equal(oidSHA512):
		return sha512.New()
	}
	return nil
}

// attributes are signed attributes by their identifiers, each with one value.
type attributes map[string]asn1.RawValue

func (s *signed) attributes() (attributes, error) {
	all := attributes{}
	for rest := s.info.Attributes.Bytes; len(rest) > 0; {
		var a struct {
			Type   asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil || len(a.Values) != 1 {
			return nil, corrupt("its signed attributes cannot be read")
		}
		if _, twice := all[a.Type.String()]; twice {
			return nil, corrupt("a signed attribute occurs twice")
		}
		all[a.Type.String()] = a.Values[0]
	}
	if len(all) == 0 {
		return nil, corrupt("it has no signed attributes")
	}
	return all, nil
}

func (a attributes) get(id asn1.ObjectIdentifier, value any) bool {
	raw, ok := a[id.String()]
	if !ok {
		return false
	}
	rest, err := asn1.Unmarshal(raw.FullBytes, value)
	return err == nil && len(rest) == 0
}

// name tells whether the first certificate that the signature vouches for is c
// (RFC 5035; RFC 2634 before it). Without it, a signature could be moved to
// another certificate of the same key.
func (a attributes) name(c *x509.Certificate) bool {
	var v2 struct {
		Certificates []struct {
			Algorithm pkix.AlgorithmIdentifier `asn1:"optional"`
			Hash      []byte
			Issuer    asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if a.get(oidSigningCertV2, &v2) && len(v2.Certificates) > 0 {
		id := v2.Certificates[0]
		if id.Algorithm.Algorithm == nil {
			id.Algorithm.Algorithm = oidSHA256
		}
		h := newHash(id.Algorithm.Algorithm)
		if h == nil {
			return false
		}
		h.Write(c.Raw)
		return bytes.Equal(h.Sum(nil), id.Hash)
	}
	var v1 struct {
		Certificates []struct {
			Hash   []byte
			Issuer asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if !a.get(oidSigningCert, &v1) || len(v1.Certificates) == 0 {
		return false
	}
	sum := sha1.Sum(c.Raw)
	return bytes.Equal(v1.Certificates[0].Hash, sum[:])
}
