package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"custos/database"
	"custos/evidence"
)

// linkLife is how long an enrolment link may wait to be opened.
const linkLife = 24 * time.Hour

// hostName is the host of an address, "" where it is a number or no address.
func hostName(address string) string {
	u, err := url.Parse(address)
	if err != nil || net.ParseIP(u.Hostname()) != nil {
		return ""
	}
	return u.Hostname()
}

// Site is where browsers reach the service.
func (dir *Directory) Site() Site { return dir.site }

// PasskeyHost is the host that passkeys belong to, "" where there can be none.
func (dir *Directory) PasskeyHost() string { return dir.site.relyingParty() }

// Invite makes the link with which a person sets up how they sign in. It works
// once and for 24 hours; one made before stops working. Its secret stands
// behind #, which browsers do not send: it is in nobody's log. It fails with
// NotFound, and with Conflict for a closed account.
func (dir *Directory) Invite(ctx context.Context, tx *database.Tx, person evidence.ID) (link string, err error) {
	p, _, err := personBy(ctx, tx, "id = ?"+tx.Locking(), person)
	if err != nil {
		return "", err
	}
	if p.Disabled {
		return "", evidence.Errorf(evidence.Conflict, "That account is closed. Open it first.")
	}
	secret, stored, err := dir.newSecret("")
	if err != nil {
		return "", err
	}
	now := dir.now()
	if _, err := tx.Exec(ctx, "DELETE FROM enrolment_links WHERE person = ? OR expires_at < ?", person, database.Micros(now)); err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO enrolment_links (secret, person, expires_at) VALUES (?, ?, ?)", stored, person, database.Micros(now.Add(linkLife))); err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	return dir.site.URL + "/enrol#" + secret, nil
}

// Enrol begins an enrolling session with the secret of a link, which does not
// work again. It fails with Unauthenticated, in one wording, for a secret that
// is unknown, used or too old.
func (dir *Directory) Enrol(ctx context.Context, secret, address string) (in SignedIn, err error) {
	if checkText("address", address, 64) != nil {
		address = ""
	}
	now := dir.now()
	err = dir.db.Write(ctx, func(tx *database.Tx) error {
		bad := evidence.Errorf(evidence.Unauthenticated, "This link does not work: it was used, is older than a day, or a newer one was made. Ask for another one.")
		var person evidence.ID
		err := tx.QueryRow(ctx, "SELECT person FROM enrolment_links WHERE secret = ? AND expires_at > ?", storedSecret(secret), database.Micros(now)).Scan(&person)
		if errors.Is(err, sql.ErrNoRows) {
			return bad
		}
		if err != nil {
			return fmt.Errorf("look for link: %w", err)
		}
		n, err := tx.Exec(ctx, "DELETE FROM enrolment_links WHERE secret = ?", storedSecret(secret))
		if err != nil {
			return fmt.Errorf("use link: %w", err)
		}
		p, _, err := personBy(ctx, tx, "id = ?"+tx.Locking(), person)
		if err != nil {
			return err
		}
		if n == 0 || p.Disabled {
			return bad
		}
		in, err = dir.begin(ctx, tx, p, address, shown{method: ByLink, enrolling: true})
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}
