package identity

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"custos/evidence"
)

// cost is what one check of a password takes: memory in KiB, passes over it,
// threads.
type cost struct {
	memory, passes uint32
	threads        uint8
}

// owasp is the first choice of the OWASP Password Storage Cheat Sheet for
// argon2id: 46 MiB, one pass, one thread. Measured: 28 ms on one core of an
// EPYC server.
var owasp = cost{memory: 46 * 1024, passes: 1, threads: 1}

const (
	passwordMin   = 12   // characters (ASVS 5.0, 6.2.1 asks for 8, advises 15)
	passwordMax   = 1024 // bytes: bounds what a stranger can make the server hash
	distinctMin   = 5
	saltLength    = 16
	hashLength    = 32
	costLimit     = 1 << 20 // KiB; a stored hash that asks for more is damaged
	passLimit     = 16
	passwordWords = "A password needs at least 12 characters, and must not be made of the account's own name or number or of a few characters repeated. Four unrelated words make a good one."
)

// checkPassword fails with Invalid for a password that is too easy for p.
// There are no rules about kinds of characters and no expiry (NIST SP 800-63B,
// 3.1.1.2).
func checkPassword(password string, p Person) error {
	weak := evidence.Errorf(evidence.Invalid, passwordWords)
	if len(password) > passwordMax {
		return evidence.Errorf(evidence.Invalid, "A password has at most %d bytes.", passwordMax)
	}
	if !utf8.ValidString(password) || utf8.RuneCountInString(password) < passwordMin {
		return weak
	}
	rest := strings.ToLower(password)
	for _, known := range append(strings.Fields(strings.ToLower(p.Name)), p.Login, strings.ToLower(p.Number)) {
		if len(known) >= 3 {
			rest = strings.ReplaceAll(rest, known, "")
		}
	}
	distinct := map[rune]bool{}
	for _, r := range rest {
		distinct[r] = true
	}
	if len(distinct) < distinctMin {
		return weak
	}
	return nil
}

// hash makes the text that is stored for a password: the PHC string format
// with its parameters and a random salt.
func (dir *Directory) hash(password string) (string, error) {
	salt := make([]byte, saltLength)
	if err := dir.random(salt); err != nil {
		return "", err
	}
	c := dir.cost
	key := argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, hashLength)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// matches tells whether password is the one that stored was made from. It
// fails with Corrupt for a text that hash cannot have written.
func matches(stored, password string) (bool, error) {
	c, salt, want, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, hashLength)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// parseHash reads what hash wrote, also with other parameters within limits.
func parseHash(stored string) (c cost, salt, key []byte, err error) {
	damaged := evidence.Errorf(evidence.Corrupt, "A stored password is damaged. Nothing was changed; set the password anew.")
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return c, nil, nil, damaged
	}
	var version int
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.memory, &c.passes, &c.threads); err != nil {
		return c, nil, nil, damaged
	}
	again := fmt.Sprintf("v=%d$m=%d,t=%d,p=%d", argon2.Version, c.memory, c.passes, c.threads)
	if again != parts[2]+"$"+parts[3] || c.memory == 0 || c.memory > costLimit || c.passes == 0 || c.passes > passLimit || c.threads == 0 {
		return c, nil, nil, damaged
	}
	b64 := base64.RawStdEncoding.Strict()
	if salt, err = b64.DecodeString(parts[4]); err != nil || len(salt) != saltLength {
		return c, nil, nil, damaged
	}
	if key, err = b64.DecodeString(parts[5]); err != nil || len(key) != hashLength {
		return c, nil, nil, damaged
	}
	return c, salt, key, nil
}
