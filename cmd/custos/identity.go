package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"

	"custos/database"
	"custos/durable"
	"custos/evidence"
	"custos/identity"
)

// identityKey is the file in the key folder that hides the secrets of code apps.
const identityKey = "identity.key"

// readIdentityKey reads the key, and makes it where there is none yet.
func readIdentityKey(disk durable.FS) ([]byte, error) {
	text, err := durable.ReadFile(disk, identityKey)
	if errors.Is(err, fs.ErrNotExist) {
		var b [identity.KeyLength]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, fmt.Errorf("make identity key: %w", err)
		}
		if err := durable.WriteFile(disk, identityKey, []byte(hex.EncodeToString(b[:])+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("make identity key: %w", err)
		}
		text, err = durable.ReadFile(disk, identityKey) // as it is now, should another process have made one, too
		if err != nil {
			return nil, fmt.Errorf("read identity key: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("read identity key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != identity.KeyLength {
		return nil, errors.New("the identity key is damaged; bring back the folder of keys from its backup") // the cause would quote it
	}
	return key, nil
}

func (a *app) openIdentity(ctx context.Context) error {
	disk, err := durable.Open(a.cfg.Keys)
	if err != nil {
		return err
	}
	key, err := readIdentityKey(disk)
	if err != nil {
		return err
	}
	a.identity, err = identity.Open(ctx, a.db, identity.Options{
		Role: func(name string) bool { return a.access.RoleName(name) != "" }, Key: key,
		Site: identity.Site{Name: a.cfg.Force, URL: a.cfg.publicURL()}, Optional: a.cfg.MFA == mfaOptional,
		Record: func(ctx context.Context, tx *database.Tx, h identity.Happened) error {
			return a.custody.Happened(ctx, tx, h)
		},
	})
	return err
}

const (
	mfaRequired = "required"
	mfaOptional = "optional"
)

// publicURL is where browsers reach the service: scheme, host and port.
func (c Config) publicURL() string {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/")
	}
	u, err := url.Parse(c.url())
	if err != nil {
		return c.url()
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		name := "localhost" // passkeys belong to a name
		if !ip.IsLoopback() {
			name = c.ownNames()[0]
		}
		u.Host = net.JoinHostPort(name, u.Port())
	}
	if u.Port() == "443" && u.Scheme == "https" {
		u.Host = u.Hostname()
	}
	return u.String()
}

func (c Config) checkIdentity() error {
	if c.MFA != mfaRequired && c.MFA != mfaOptional {
		return fmt.Errorf("mfa: %q is neither %s nor %s", c.MFA, mfaRequired, mfaOptional)
	}
	if c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("public_url: it must be like https://custos.force.example; plain http is for localhost alone")
	}
	return nil
}

type inviteCmd struct {
	Login  string `arg:"" help:"The name of the account. It is made where there is none, with --role."`
	Name   string `help:"The name to show on a new account. Left out: the sign-in name."`
	Number string `help:"Collar number of a new account, for officers."`
	Role   string `help:"Role of a new account, as for user add."`
}

// Run prints a link with which its person sets up a passkey, or a password and
// a code app.
func (i *inviteCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		p, err := person(ctx, a, i.Login)
		if err != nil && i.Role == "" {
			return fmt.Errorf("%w; to make it, say --role", err)
		}
		if err != nil {
			orElse(&i.Name, i.Login)
			if err := addUser(ctx, a, operator(), identity.Person{Login: i.Login, Name: i.Name, Number: i.Number, Role: i.Role}, ""); err != nil {
				return err
			}
			if p, err = person(ctx, a, i.Login); err != nil {
				return err
			}
		} else if i.Role != "" && i.Role != p.Role {
			return fmt.Errorf("there is an account %q already, with another role; leave out --role to make a link for it", i.Login)
		}
		var link string
		if err := a.custody.Administer(ctx, operator(), []evidence.Field{evidence.F("what", "enrolment link made"), evidence.F("account", string(p.ID)), evidence.F("login", p.Login)},
			func(tx *database.Tx) (err error) {
				link, err = a.identity.Invite(ctx, tx, p.ID)
				return err
			}); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s sets up how they sign in with this link. It works once, for 24 hours:\n\n  %s\n\nWhoever has it is %s: hand it over in person or by a safe way.\n", p.Name, link, p.Name)
		return nil
	})
}
