package identity

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"custos/database"
	"custos/evidence"
)

// Passkey is a key on somebody's device or security token (WebAuthn level 3).
// The service has its public half only.
type Passkey struct {
	ID        evidence.ID `json:"id"`
	Person    evidence.ID `json:"person"`
	Name      string      `json:"name"`   // as the person calls it
	Synced    bool        `json:"synced"` // its maker keeps copies of it (the backup flag)
	CreatedAt time.Time   `json:"createdAt"`
	UsedAt    time.Time   `json:"usedAt,omitzero"` // zero = never
	record    webauthn.Credential
	stored    string // record as it is stored
}

const passkeysMost = 20 // of one person; a list that long is a mistake

// What a challenge is for; see newChallenge.
const (
	forSignIn  = "sign-in"
	forStepUp  = "step-up"
	forPasskey = "passkey"
)

// PasskeyQuestion is what a browser asks a passkey to sign. Texts are
// base64url.
type PasskeyQuestion struct {
	Challenge string   `json:"challenge"`
	Site      string   `json:"site"`  // the relying party's ID
	Allow     []string `json:"allow"` // credential IDs; empty = any of this site
}

// PasskeyAnswer is what a passkey signed. Texts are base64url.
type PasskeyAnswer struct {
	Credential        string `json:"credential" maxLength:"2000"`
	ClientData        string `json:"clientData" maxLength:"4000"`
	AuthenticatorData string `json:"authenticatorData" maxLength:"4000"`
	Signature         string `json:"signature" maxLength:"8000"`
	UserHandle        string `json:"userHandle" maxLength:"200"`
}

// NewPasskeyQuestion is what a browser needs to make a passkey.
type NewPasskeyQuestion struct {
	Challenge string   `json:"challenge"`
	Site      string   `json:"site"`
	SiteName  string   `json:"siteName"`
	User      string   `json:"user"` // user handle, base64url; the account's ID
	Login     string   `json:"login"`
	Name      string   `json:"name"`
	Exclude   []string `json:"exclude"` // credential IDs that the person has
}

// NewPasskeyAnswer is a passkey just made. Texts are base64url.
type NewPasskeyAnswer struct {
	Credential  string   `json:"credential" maxLength:"2000"`
	ClientData  string   `json:"clientData" maxLength:"4000"`
	Attestation string   `json:"attestation" maxLength:"40000"`
	Transports  []string `json:"transports" maxItems:"10"`
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func badPasskey() error {
	return evidence.Errorf(evidence.Unauthenticated, "That passkey did not work here. Try again, use another way to sign in, or ask an administrator.")
}

func noPasskeys() error {
	return evidence.Errorf(evidence.Unavailable, "Passkeys need this service to have a name, not a number, as its address. Sign in with a password; whoever runs the service can set public_url.")
}

// newRelyingParty is nil where the site's address cannot have passkeys.
func newRelyingParty(s Site) (*webauthn.WebAuthn, error) {
	id := s.relyingParty()
	if id == "" {
		return nil, nil
	}
	rp, err := webauthn.New(&webauthn.Config{RPID: id, RPDisplayName: s.Name, RPOrigins: []string{s.URL}})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return rp, nil
}

// Site is where browsers reach the service.
type Site struct {
	Name string // shown by authenticators
	URL  string // scheme, host and port, no path
}

// relyingParty is the host that passkeys are bound to; "" where it is a number
// (WebAuthn level 3, 5.1.3: an RP ID is a domain).
func (s Site) relyingParty() string { return hostName(s.URL) }

// PasskeySignIn is the question for anybody who wants to sign in: which account
// it is, the passkey says.
func (dir *Directory) PasskeySignIn() (PasskeyQuestion, error) { return dir.ask(forSignIn, "", nil) }

func (dir *Directory) ask(use, subject string, allow []Passkey) (PasskeyQuestion, error) {
	if dir.rp == nil {
		return PasskeyQuestion{}, noPasskeys()
	}
	c, err := dir.newChallenge(use, subject)
	q := PasskeyQuestion{Challenge: b64(c), Site: dir.rp.Config.RPID, Allow: []string{}}
	for _, k := range allow {
		q.Allow = append(q.Allow, b64(k.record.ID))
	}
	return q, err
}

// SignInByPasskey begins a session for whoever's passkey signed the question
// of PasskeySignIn. It fails with Unauthenticated in one wording.
func (dir *Directory) SignInByPasskey(ctx context.Context, answer PasskeyAnswer, address string) (SignedIn, error) {
	if checkText("address", address, 64) != nil {
		address = ""
	}
	return dir.provePasskey(ctx, answer, forSignIn, "", address, func(ctx context.Context, tx *database.Tx, p Person) (SignedIn, error) {
		return dir.begin(ctx, tx, p, address, shown{method: ByPasskey})
	})
}

// PasskeyStepUp is the question for the person of a session; its Allow is empty
// where they have no passkey.
func (dir *Directory) PasskeyStepUp(ctx context.Context, s Session) (PasskeyQuestion, error) {
	var keys []Passkey
	if err := dir.db.Read(ctx, func(tx *database.Tx) (err error) {
		keys, err = passkeysOf(ctx, tx, s.Person)
		return err
	}); err != nil {
		return PasskeyQuestion{}, err
	}
	if dir.rp == nil || len(keys) == 0 {
		return PasskeyQuestion{Allow: []string{}}, nil
	}
	return dir.ask(forStepUp, string(s.ID), keys)
}

// StepUpByPasskey is StepUp with a passkey that signed PasskeyStepUp's question.
func (dir *Directory) StepUpByPasskey(ctx context.Context, token string, answer PasskeyAnswer, address string) (SignedIn, error) {
	var s Session
	if err := dir.db.Read(ctx, func(tx *database.Tx) (err error) {
		_, s, err = sessionBy(ctx, tx, token, dir.now())
		return err
	}); err != nil {
		return SignedIn{}, err
	}
	in, err := dir.provePasskey(ctx, answer, forStepUp, string(s.ID), address, func(ctx context.Context, tx *database.Tx, p Person) (SignedIn, error) {
		if p.ID != s.Person {
			return SignedIn{}, badPasskey()
		}
		return dir.renew(ctx, tx, token, ByPasskey)
	})
	if evidence.CodeOf(err) == evidence.Unauthenticated {
		err = badStepUp()
	}
	return in, err
}

// provePasskey checks an answer and goes on with its person; a failure is
// recorded.
func (dir *Directory) provePasskey(ctx context.Context, answer PasskeyAnswer, use, subject, address string, then func(context.Context, *database.Tx, Person) (SignedIn, error)) (in SignedIn, err error) {
	if dir.rp == nil {
		return SignedIn{}, noPasskeys()
	}
	parsed, challenge, ends, err := dir.parseAnswer(answer, use, subject)
	if err != nil {
		return SignedIn{}, err
	}
	var p Person
	var k Passkey
	if err := dir.db.Read(ctx, func(tx *database.Tx) (err error) {
		p, k, err = passkeyBy(ctx, tx, parsed.RawID)
		return err
	}); err != nil {
		return SignedIn{}, err
	}
	after, why := dir.verify(parsed, p, k)
	if why != "" {
		return SignedIn{}, dir.failed(ctx, p.ID, address, ByPasskey, why, badPasskey())
	}
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		p, _, err := personBy(ctx, tx, "id = ?"+tx.Locking(), p.ID)
		if err != nil {
			return err
		}
		if p.Disabled {
			return badPasskey()
		}
		if err := dir.useChallenge(ctx, tx, challenge, ends); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "UPDATE passkeys SET record = ?, used_at = ? WHERE id = ? AND record = ?", after, database.Micros(dir.now()), k.ID, k.stored)
		if err != nil {
			return fmt.Errorf("use passkey: %w", err)
		}
		if n == 0 { // removed, or used at the same moment
			return badPasskey()
		}
		in, err = then(ctx, tx, p)
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

// parseAnswer reads an answer, whose challenge must be ours. It fails with
// Unauthenticated.
func (dir *Directory) parseAnswer(a PasskeyAnswer, use, subject string) (*protocol.ParsedCredentialAssertionData, []byte, time.Time, error) {
	b, err := json.Marshal(map[string]any{"id": a.Credential, "rawId": a.Credential, "type": "public-key", "response": map[string]string{
		"clientDataJSON": a.ClientData, "authenticatorData": a.AuthenticatorData, "signature": a.Signature, "userHandle": a.UserHandle}})
	if err != nil {
		return nil, nil, time.Time{}, badPasskey()
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(b)
	if err != nil {
		return nil, nil, time.Time{}, badPasskey()
	}
	challenge, ends, ok := dir.ourChallenge(parsed.Response.CollectedClientData.Challenge, use, subject)
	if !ok {
		return nil, nil, time.Time{}, badPasskey()
	}
	return parsed, challenge, ends, nil
}

func (dir *Directory) ourChallenge(text, use, subject string) (challenge []byte, ends time.Time, ok bool) {
	challenge, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, time.Time{}, false
	}
	ends, ok = dir.challengeEnds(use, subject, challenge)
	return challenge, ends, ok
}

// useChallenge makes sure that a challenge is answered once.
func (dir *Directory) useChallenge(ctx context.Context, tx *database.Tx, challenge []byte, ends time.Time) error {
	if _, err := tx.Exec(ctx, "DELETE FROM used_challenges WHERE expires_at < ?", database.Micros(dir.now())); err != nil {
		return fmt.Errorf("use challenge: %w", err)
	}
	n, err := tx.Exec(ctx, "INSERT INTO used_challenges (challenge, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING", challenge, database.Micros(ends))
	if err != nil {
		return fmt.Errorf("use challenge: %w", err)
	}
	if n == 0 {
		return badPasskey()
	}
	return nil
}

// verify checks an answer's signature, origin and flags; why it is no good, or
// the record to keep from now on.
func (dir *Directory) verify(parsed *protocol.ParsedCredentialAssertionData, p Person, k Passkey) (after, why string) {
	if p.ID == "" {
		return "", "unknown passkey"
	}
	if p.Disabled {
		return "", "account disabled"
	}
	if dir.now().Sub(p.ActiveAt) > idleLimit {
		return "", "account unused for 90 days"
	}
	session := webauthn.SessionData{Challenge: parsed.Response.CollectedClientData.Challenge, UserVerification: protocol.VerificationRequired}
	owner := func([]byte, []byte) (webauthn.User, error) { return keyHolder{p, []Passkey{k}}, nil }
	record, err := dir.rp.ValidateDiscoverableLogin(owner, session, parsed)
	if err != nil {
		return "", "signature or origin not good"
	}
	if record.Authenticator.CloneWarning {
		return "", "the passkey's counter went back: there may be a copy of it"
	}
	b, err := json.Marshal(record)
	if err != nil {
		return "", "record cannot be kept"
	}
	return string(b), ""
}

// keyHolder is a person as the library asks for one.
type keyHolder struct {
	p    Person
	keys []Passkey
}

func (h keyHolder) WebAuthnID() []byte          { return []byte(h.p.ID) }
func (h keyHolder) WebAuthnName() string        { return h.p.Login }
func (h keyHolder) WebAuthnDisplayName() string { return h.p.Name }
func (h keyHolder) WebAuthnCredentials() (out []webauthn.Credential) {
	for _, k := range h.keys {
		out = append(out, k.record)
	}
	return out
}

// BeginPasskey is the question with which a browser makes a passkey for the
// person of a session.
func (dir *Directory) BeginPasskey(ctx context.Context, token string) (q NewPasskeyQuestion, err error) {
	if dir.rp == nil {
		return q, noPasskeys()
	}
	err = dir.db.Read(ctx, func(tx *database.Tx) error {
		p, s, err := sessionBy(ctx, tx, token, dir.now())
		if err != nil {
			return err
		}
		keys, err := passkeysOf(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		c, err := dir.newChallenge(forPasskey, string(s.ID))
		q = NewPasskeyQuestion{Challenge: b64(c), Site: dir.rp.Config.RPID, SiteName: dir.site.Name, User: b64([]byte(p.ID)), Login: p.Login, Name: p.Name, Exclude: []string{}}
		for _, k := range keys {
			q.Exclude = append(q.Exclude, b64(k.record.ID))
		}
		return err
	})
	return q, err
}

// AddPasskey keeps a passkey made for BeginPasskey's question, and renews the
// session. It fails with Invalid for one that does not check out or has no
// user verification, Conflict for one that is known, and Unauthenticated.
func (dir *Directory) AddPasskey(ctx context.Context, tx *database.Tx, token, name string, answer NewPasskeyAnswer) (Passkey, SignedIn, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		name = "Passkey"
	}
	if err := checkText("name of the passkey", name, 64); err != nil {
		return Passkey{}, SignedIn{}, err
	}
	p, s, err := sessionBy(ctx, tx, token, dir.now())
	if err != nil {
		return Passkey{}, SignedIn{}, err
	}
	keys, err := passkeysOf(ctx, tx, p.ID)
	if err != nil {
		return Passkey{}, SignedIn{}, err
	}
	if len(keys) >= passkeysMost {
		return Passkey{}, SignedIn{}, evidence.Errorf(evidence.Conflict, "You have %d passkeys. Remove one that you do not use first.", passkeysMost)
	}
	record, challenge, ends, err := dir.checkNew(p, s, answer)
	if err != nil {
		return Passkey{}, SignedIn{}, err
	}
	if err := dir.useChallenge(ctx, tx, challenge, ends); err != nil {
		return Passkey{}, SignedIn{}, err
	}
	b, err := json.Marshal(record)
	if err != nil {
		return Passkey{}, SignedIn{}, fmt.Errorf("add passkey: %w", err)
	}
	now := database.Micros(dir.now())
	k := Passkey{ID: dir.newID(), Person: p.ID, Name: name, Synced: record.Flags.BackupEligible, CreatedAt: database.Time(now)}
	_, err = tx.Exec(ctx, "INSERT INTO passkeys (id, person, credential, record, name, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?, 0)",
		k.ID, k.Person, record.ID, string(b), name, now)
	if database.IsDuplicate(err) {
		return Passkey{}, SignedIn{}, evidence.Wrap(evidence.Conflict, err, "This passkey is known already.")
	}
	if err != nil {
		return Passkey{}, SignedIn{}, fmt.Errorf("add passkey: %w", err)
	}
	in, err := dir.enrolled(ctx, tx, token, s, ByPasskey)
	return k, in, err
}

// checkNew checks what a browser made for BeginPasskey's question.
func (dir *Directory) checkNew(p Person, s Session, a NewPasskeyAnswer) (*webauthn.Credential, []byte, time.Time, error) {
	bad := func(cause error) error {
		return &evidence.Error{Code: evidence.Invalid, Message: "The passkey could not be set up. Nothing was changed; try again, on the address that this service is known by.", Err: cause}
	}
	if dir.rp == nil {
		return nil, nil, time.Time{}, noPasskeys()
	}
	b, err := json.Marshal(map[string]any{"id": a.Credential, "rawId": a.Credential, "type": "public-key", "response": map[string]any{
		"clientDataJSON": a.ClientData, "attestationObject": a.Attestation, "transports": a.Transports}})
	if err != nil {
		return nil, nil, time.Time{}, bad(err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(b)
	if err != nil {
		return nil, nil, time.Time{}, bad(err)
	}
	challenge, ends, ok := dir.ourChallenge(parsed.Response.CollectedClientData.Challenge, forPasskey, string(s.ID))
	if !ok {
		return nil, nil, time.Time{}, bad(errors.New("the challenge is not ours or too old"))
	}
	session := webauthn.SessionData{Challenge: parsed.Response.CollectedClientData.Challenge, UserID: []byte(p.ID),
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault()}
	record, err := dir.rp.CreateCredential(keyHolder{p: p}, session, parsed)
	if err != nil {
		return nil, nil, time.Time{}, bad(err)
	}
	return record, challenge, ends, nil
}

// RemovePasskey takes a passkey of a person away at once. It fails with
// NotFound, and with Conflict where lost is false and they could not sign in
// any more. A lost one goes in any case.
func (dir *Directory) RemovePasskey(ctx context.Context, tx *database.Tx, person, id evidence.ID, lost bool) error {
	n, err := tx.Exec(ctx, "DELETE FROM passkeys WHERE id = ? AND person = ?", id, person)
	if err != nil {
		return fmt.Errorf("remove passkey: %w", err)
	}
	if n == 0 {
		return evidence.Errorf(evidence.NotFound, "There is no such passkey; it may have been removed.")
	}
	if lost {
		return nil
	}
	return dir.notTheLast(ctx, tx, person)
}

const passkeyColumns = "id, person, record, name, created_at, used_at"

func scanPasskey(r interface{ Scan(...any) error }) (k Passkey, err error) {
	var created, used int64
	if err := r.Scan(&k.ID, &k.Person, &k.stored, &k.Name, &created, &used); err != nil {
		return k, err
	}
	k.CreatedAt, k.UsedAt = database.Time(created), database.Time(used)
	if err := json.Unmarshal([]byte(k.stored), &k.record); err != nil {
		return k, evidence.Wrap(evidence.Corrupt, err, "A stored passkey is damaged. Remove it and set up another.")
	}
	k.Synced = k.record.Flags.BackupEligible
	return k, nil
}

// passkeysOf are a person's, oldest first.
func passkeysOf(ctx context.Context, tx *database.Tx, person evidence.ID) ([]Passkey, error) {
	rows, err := tx.Query(ctx, "SELECT "+passkeyColumns+" FROM passkeys WHERE person = ? ORDER BY id", person)
	keys, err := database.Collect(rows, err, func(r *sql.Rows) (Passkey, error) { return scanPasskey(r) })
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	return keys, nil
}

// passkeyBy is the passkey with a credential ID and whose it is; zero values
// where nobody has it.
func passkeyBy(ctx context.Context, tx *database.Tx, credential []byte) (Person, Passkey, error) {
	k, err := scanPasskey(tx.QueryRow(ctx, "SELECT "+passkeyColumns+" FROM passkeys WHERE credential = ?", bytes.Clone(credential)))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, Passkey{}, nil
	}
	if err != nil {
		return Person{}, Passkey{}, err
	}
	p, _, err := personBy(ctx, tx, "id = ?", k.Person)
	return p, k, err
}
