// Package identitytest has an authenticator in software, for tests of signing
// in with passkeys. It signs with ES256 as devices do (WebAuthn level 3) and
// shares no code with the service.
package identitytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
)

// Authenticator holds one passkey. Its methods are for one goroutine.
type Authenticator struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	id     []byte
	user   []byte
	Count  uint32 // of signatures; goes up with each
	Origin string // of the page that asks
	// Present and Verified are what it says of its person: touched it; gave a
	// finger or PIN. True at first.
	Present, Verified bool
}

// New is an authenticator in a browser at origin.
func New(t testing.TB, origin string) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &Authenticator{t: t, key: key, id: make([]byte, 32), Origin: origin, Present: true, Verified: true}
	if _, err := rand.Read(a.id); err != nil {
		t.Fatal(err)
	}
	return a
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (a *Authenticator) clientData(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

// data is authenticator data: WebAuthn level 3, 6.1.
func (a *Authenticator) data(site string, flags byte) []byte {
	hash := sha256.Sum256([]byte(site))
	if a.Present {
		flags |= 0x01
	}
	if a.Verified {
		flags |= 0x04
	}
	a.Count++
	return binary.BigEndian.AppendUint32(append(hash[:], flags), a.Count)
}

// Make answers a question for a new passkey; credential ID, client data and
// attestation object (format none) are base64url.
func (a *Authenticator) Make(challenge, site, user string) (credential, clientData, attestation string) {
	a.t.Helper()
	var err error
	if a.user, err = base64.RawURLEncoding.DecodeString(user); err != nil {
		a.t.Fatal(err)
	}
	public, err := a.key.PublicKey.Bytes() // 0x04 ‖ x ‖ y
	if err != nil {
		a.t.Fatal(err)
	}
	data := a.data(site, 0x40)
	data = append(data, make([]byte, 16)...) // AAGUID: none
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(data, a.id...)
	// COSE key: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20)
	data = append(append(data, public[1:33]...), 0x22, 0x58, 0x20)
	data = append(data, public[33:]...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(append(object, 0x67), "attStmt"...), 0xa0, 0x68)
	object = append(append(object, "authData"...), 0x58, byte(len(data)))
	if len(data) > 255 {
		a.t.Fatal(fmt.Sprint("authenticator data of ", len(data), " bytes"))
	}
	return b64(a.id), b64(a.clientData("webauthn.create", challenge)), b64(append(object, data...))
}

// Sign answers a question of a sign-in; all is base64url.
func (a *Authenticator) Sign(challenge, site string) (credential, clientData, data, signature, user string) {
	a.t.Helper()
	client, auth := a.clientData("webauthn.get", challenge), a.data(site, 0)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, auth...), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return b64(a.id), b64(client), b64(auth), b64(sig), b64(a.user)
}
