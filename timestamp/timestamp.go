// Package timestamp asks for and judges timestamps of RFC 3161: the statement
// of an authority outside the force that a digest existed at a time. It sends
// nothing; who asks an authority does that.
//
// The reader is of the standard library's parts only and takes DER alone, one
// signature, and digests of SHA-2: what authorities give today, and little
// enough to be read in a court's verifier (docs/decisions/0011). All functions
// may be called concurrently.
package timestamp

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"time"

	"custos/evidence"
)

// MaxResponse is how many bytes an answer may have at most.
const MaxResponse = 256 << 10

type messageImprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

type request struct {
	Version int
	Imprint messageImprint
	Nonce   *big.Int
	CertReq bool
}

var oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}

// Request asks for a timestamp of a SHA-256 digest, with the authority's
// certificate in the answer (RFC 3161, 2.4.1). nonce should be 64 random bits,
// positive.
func Request(digest evidence.Digest, nonce *big.Int) ([]byte, error) {
	b, err := asn1.Marshal(request{1, messageImprint{pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}, digest[:]}, nonce, true})
	return b, evidence.Wrap(evidence.Internal, err, "make a timestamp request")
}

// Token is a timestamp whose signature fits it. By whom, Trusted tells.
type Token struct {
	Digest    evidence.Digest // SHA-256 of what was stamped
	Time      time.Time       // when it existed, as the authority says; UTC
	Accuracy  time.Duration   // how far off Time can be; 0 = not said
	Nonce     *big.Int        // of the request; nil = none
	Authority string          // subject of the certificate that signed; anybody can choose it
	signer    *x509.Certificate
	others    []*x509.Certificate
}

// Parse reads an authority's answer (TimeStampResp, a .tsr file) and checks all
// that can be checked of it alone: that it was granted, the signature, and that
// its certificate is one for timestamps. It fails with Unavailable where the
// authority refused, and with Corrupt where the answer is not a good timestamp.
func Parse(response []byte) (*Token, error) {
	if len(response) > MaxResponse {
		return nil, corrupt("it is far too long")
	}
	var r struct {
		Status struct {
			Status  int
			Text    []asn1.RawValue `asn1:"optional"`
			Failure asn1.BitString  `asn1:"optional"`
		}
		Token asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(response, &r); err != nil || len(rest) > 0 {
		return nil, corrupt("it is not a timestamp response in DER")
	}
	if r.Status.Status != 0 && r.Status.Status != 1 { // granted, granted with modifications
		return nil, evidence.Errorf(evidence.Unavailable, "The timestamp authority refused: status %d%s.", r.Status.Status, reasons(r.Status.Text))
	}
	if len(r.Token.FullBytes) == 0 {
		return nil, corrupt("there is no token in it")
	}
	s, err := parseSigned(r.Token.FullBytes)
	if err != nil {
		return nil, err
	}
	t, err := parseInfo(s.content)
	if err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	t.signer, t.others, t.Authority = s.signer, s.certificates, s.signer.Subject.String()
	return t, stampsOnly(t.signer)
}

func corrupt(why string) error {
	return evidence.Errorf(evidence.Corrupt, "This is not a good timestamp: %s.", why)
}

// reasons is what the authority says of a refusal, in printable ASCII.
func reasons(texts []asn1.RawValue) string {
	var b strings.Builder
	for _, t := range texts {
		b.WriteString(", ")
		for _, c := range t.Bytes[:min(len(t.Bytes), 200)] {
			if c >= ' ' && c <= '~' {
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

// parseInfo reads the TSTInfo (RFC 3161, 2.4.2).
func parseInfo(b []byte) (*Token, error) {
	var info struct {
		Version  int
		Policy   asn1.ObjectIdentifier
		Imprint  messageImprint
		Serial   *big.Int
		Time     time.Time `asn1:"generalized"`
		Accuracy struct {
			Seconds int64 `asn1:"optional"`
			Millis  int64 `asn1:"optional,tag:0"`
			Micros  int64 `asn1:"optional,tag:1"`
		} `asn1:"optional"`
		Ordering   bool             `asn1:"optional"`
		Nonce      *big.Int         `asn1:"optional"`
		TSA        asn1.RawValue    `asn1:"optional,tag:0"`
		Extensions []pkix.Extension `asn1:"optional,tag:1"`
	}
	if rest, err := asn1.Unmarshal(b, &info); err != nil || len(rest) > 0 || info.Version != 1 {
		return nil, corrupt("what was signed is not a timestamp of version 1")
	}
	if !info.Imprint.Algorithm.Algorithm.Equal(oidSHA256) || len(info.Imprint.Digest) != sha256.Size {
		return nil, corrupt("it is not over a SHA-256 digest")
	}
	for _, e := range info.Extensions {
		if e.Critical {
			return nil, corrupt("it has a critical extension that this program does not know")
		}
	}
	a := info.Accuracy
	if a.Seconds < 0 || a.Seconds > 86400 || a.Millis < 0 || a.Millis > 999 || a.Micros < 0 || a.Micros > 999 {
		return nil, corrupt("its accuracy is none")
	}
	return &Token{
		Digest: evidence.Digest(info.Imprint.Digest), Time: info.Time.UTC(), Nonce: info.Nonce,
		Accuracy: time.Duration(a.Seconds)*time.Second + time.Duration(a.Millis)*time.Millisecond + time.Duration(a.Micros)*time.Microsecond,
	}, nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// stampsOnly tells whether the certificate is for timestamps and nothing else
// (RFC 3161, 2.3).
func stampsOnly(c *x509.Certificate) error {
	only := len(c.UnknownExtKeyUsage) == 0 && slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping})
	if !only || !slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidExtKeyUsage) && e.Critical }) {
		return corrupt("the certificate that signed it is not one for timestamps only")
	}
	return nil
}

// Trusted is nil where the authority's certificate leads to one of roots and
// was valid when it stamped. Whether it was revoked later is not looked up. It
// fails with Invalid.
func (t *Token) Trusted(roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, c := range t.others {
		between.AddCert(c)
	}
	_, err := t.signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	return evidence.Wrap(evidence.Invalid, err, "The timestamp's certificate does not lead to an authority that is trusted here, or was not valid at the time.")
}

// Answers is nil where t is the answer to a request for this digest and nonce;
// Corrupt otherwise.
func (t *Token) Answers(digest evidence.Digest, nonce *big.Int) error {
	switch {
	case t.Digest != digest:
		return corrupt("it is of another digest than was asked for")
	case t.Nonce == nil || t.Nonce.Cmp(nonce) != 0:
		return corrupt("it answers another request")
	}
	return nil
}

// ParseRoots reads certificates in PEM. It fails with Invalid for a text
// without one, or with one that cannot be read.
func ParseRoots(text []byte) (*x509.CertPool, error) {
	pool, n := x509.NewCertPool(), 0
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, evidence.Errorf(evidence.Invalid, "The file of timestamp roots holds something that is not a certificate.")
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 || len(bytes.TrimSpace(text)) > 0 && bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, evidence.Errorf(evidence.Invalid, "The file of timestamp roots holds no certificate in PEM, or one that is cut off.")
	}
	return pool, nil
}
