package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Config is the server's configuration file. Every key may be left out; what
// then holds is said with it. Unknown keys are refused, so that a misspelt one
// is noticed. `custos admin init` writes a file with these words in it.
type Config struct {
	Force          string `toml:"force" comment:"The name of the force, as people and bundles show it."`
	Classification string `toml:"classification" comment:"The marking shown on every page. Left out: OFFICIAL-SENSITIVE."`

	Data     string `toml:"data" comment:"The folder of everything below that has no place of its own. Left out: the folder of this file."`
	Database string `toml:"database" comment:"sqlite:FILE or postgres://USER@HOST/NAME. Left out: sqlite in the data folder."`
	Store    string `toml:"store" comment:"The folder of the sealed objects. Left out: store in the data folder."`
	Reserve  string `toml:"reserve" comment:"How much room on the store's disk must stay free; under it uploads are refused with 507 and reads go on, e.g. 10GiB. Left out: 1 GiB or 2 % of the disk, whichever is less."`
	Keys     string `toml:"keys" comment:"The folder of the keys. It must not be on the same backup as the database. Left out: keys in the data folder."`
	Scratch  string `toml:"scratch" comment:"Where footage lies while ffmpeg reads it, in files without a name. A tmpfs or an encrypted disk keeps plaintext off the platters. Left out: scratch in the data folder."`

	Listen        string   `toml:"listen" comment:"Address and port. Left out: 127.0.0.1:8080. On anything but this machine's own address the service speaks TLS alone."`
	Names         []string `toml:"names" comment:"Names and addresses by which browsers and docks reach the service, as they stand in the certificate of its own authority, e.g. ['custos.force.example']. Left out: the machine's name. The machine's addresses need not be listed."`
	TLS           string   `toml:"tls" comment:"always: TLS also on this machine's own address, as behind something that passes connections on unread. Left out: TLS wherever other machines can reach the service."`
	TLSCert       string   `toml:"tls_cert" comment:"Certificate chain, PEM; read anew when it changes. Left out, with tls_key and acme: the service makes an authority of its own and certificates of it (custos admin tls)."`
	TLSKey        string   `toml:"tls_key" comment:"Private key of the certificate, PEM."`
	ACME          []string `toml:"acme" comment:"Names to get a certificate for from an ACME server, which must reach the service as port 443 of each. Left out: none."`
	ACMEDirectory string   `toml:"acme_directory" comment:"URL of the ACME server's directory. Left out: Let's Encrypt's."`
	ACMEContact   string   `toml:"acme_contact" comment:"E-mail address that the ACME server may write to. Left out: none."`
	ACMECA        string   `toml:"acme_ca" comment:"Certificate of the authority that signed the ACME server's own, PEM. Left out: the system's."`
	ACMEHTTP      string   `toml:"acme_http" comment:"Address and port for plain HTTP, which must be reached as port 80: it answers challenges (http-01) and sends everybody else to https. Left out: no plain HTTP."`
	Proxied       bool     `toml:"proxied" comment:"A proxy on this machine ends TLS in front of the service: cookies are marked secure though the service itself speaks plain HTTP. Left out: false."`

	RequestsPerAddress    int    `toml:"requests_per_address" comment:"How many requests a second one address may send; five times as many at once. Behind a proxy the address is the one that it passes on in X-Forwarded-For. Uploads are not counted. Left out: 200; -1: no limit."`
	RequestsPerAccount    int    `toml:"requests_per_account" comment:"How many requests a second one person or dock may send, uploads of docks included; five times as many at once. Left out: 100; -1: no limit."`
	SignInsPerAddress     int    `toml:"sign_ins_per_address" comment:"How many attempts to sign in a minute may come from one address. Left out: 60; -1: no limit."`
	ConnectionsPerAddress int    `toml:"connections_per_address" comment:"How many connections one address may hold open; more are closed at once. It does not count for a proxy on this machine. Left out: 512; -1: no limit."`
	MetricsToken          string `toml:"metrics_token" comment:"What a program must send as bearer token to read /metrics, 16 characters at least. Left out: programs on this machine may read it without one, and nobody else; with proxied nobody at all."`

	PublicURL string `toml:"public_url" comment:"Where browsers reach the service, e.g. https://custos.force.example. Passkeys belong to this name: changing it makes those of everybody useless. Left out: made from listen and names."`
	MFA       string `toml:"mfa" comment:"required: everybody needs a passkey, or a password with a code. optional: a password alone opens an account that has neither; for demonstrations and tests. Left out: required."`

	Policy   string `toml:"policy" comment:"A file that says who may do what, in place of the one that is shipped (access/policy.toml). Left out: the shipped one."`
	Purposes string `toml:"purposes" comment:"A file with the reasons that may be given for watching other people's footage, in place of the shipped list (access/purposes.toml). Left out: the shipped one."`

	Origin   string `toml:"origin" comment:"The name of the transparency log, for ever. admin init makes it from the force's name."`
	LogLevel string `toml:"log_level" comment:"debug, info, warn or error. Left out: info."`
	LogJSON  bool   `toml:"log_json" comment:"One JSON object a line instead of text. Left out: false."`

	Witnesses      string   `toml:"witnesses" comment:"A file in the format of C2SP tlog-policy: which witnesses cosign the log, where each is asked, and how many are enough. Left out: the log is not witnessed."`
	TimestampURLs  []string `toml:"timestamp_urls" comment:"Addresses of timestamp authorities (RFC 3161) that stamp the log's checkpoints and bundles. Left out: none."`
	TimestampRoots string   `toml:"timestamp_roots" comment:"A PEM file of the certificates that the authorities' own must lead to. Needed with timestamp_urls."`
	TimestampEvery string   `toml:"timestamp_every" comment:"How often the newest checkpoint is stamped while the log grows. Left out: 1h."`

	MaxUpload     string `toml:"max_upload" comment:"The largest file taken in, e.g. 64GiB. Left out: 64GiB."`
	UploadExpiry  string `toml:"upload_expiry" comment:"How long an upload may rest before it is given up; the camera still has the file. Left out: 336h (14 days)."`
	CollectAtOnce int    `toml:"collect_at_once" comment:"How many uploads are read back and collected at the same time. Left out: 4."`
}

// readConfig reads the file at path and fills in what was left out.
func readConfig(path string) (Config, error) {
	var c Config
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("there is no configuration at %s; `custos admin init --dir DIR` makes a new service", path)
	}
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return c, fmt.Errorf("%s has keys that this version does not know:\n%s", path, strict.String())
		}
		return c, fmt.Errorf("read %s: %w", path, err)
	}
	return c.filled(filepath.Dir(path))
}

func (c Config) filled(dir string) (Config, error) {
	at := func(base, p, left string) string {
		switch {
		case p == "":
			return filepath.Join(base, left)
		case filepath.IsAbs(p):
			return p
		}
		return filepath.Join(base, p)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return c, err
	}
	c.Data = at(abs, c.Data, "")
	c.Store = at(c.Data, c.Store, "store")
	c.Keys = at(c.Data, c.Keys, "keys")
	c.Scratch = at(c.Data, c.Scratch, "scratch")
	for _, file := range []*string{&c.Policy, &c.Purposes} {
		if *file != "" {
			*file = at(abs, *file, "")
		}
	}
	if c.Witnesses != "" {
		c.Witnesses = at(c.Data, c.Witnesses, "")
	}
	if c.TimestampRoots != "" {
		c.TimestampRoots = at(c.Data, c.TimestampRoots, "")
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "custos.db")
	} else if file, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		c.Database = "sqlite:" + at(c.Data, file, "custos.db")
	}
	orElse(&c.Force, "Unnamed force")
	orElse(&c.Classification, "OFFICIAL-SENSITIVE")
	orElse(&c.Listen, "127.0.0.1:8080")
	orElse(&c.LogLevel, "info")
	orElse(&c.TimestampEvery, "1h")
	orElse(&c.MFA, mfaRequired)
	orElse(&c.MaxUpload, "64GiB")
	orElse(&c.UploadExpiry, "336h")
	if c.ConnectionsPerAddress == 0 {
		c.ConnectionsPerAddress = 512
	}
	if c.CollectAtOnce == 0 {
		c.CollectAtOnce = 4
	}
	if c.Origin == "" {
		return c, errors.New("the configuration has no origin: the log needs its name")
	}
	return c, c.check()
}

func (c Config) check() error {
	if _, err := c.maxUpload(); err != nil {
		return fmt.Errorf("max_upload: %w", err)
	}
	if _, err := c.reserve(); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if _, err := time.ParseDuration(c.UploadExpiry); err != nil {
		return fmt.Errorf("upload_expiry: %w", err)
	}
	if c.MetricsToken != "" && len(c.MetricsToken) < 16 {
		return errors.New("metrics_token: it has fewer than 16 characters")
	}
	if d, err := time.ParseDuration(c.TimestampEvery); err != nil || d < time.Minute {
		return fmt.Errorf("timestamp_every: %q is not a time of a minute or more, like 1h", c.TimestampEvery)
	}
	if len(c.TimestampURLs) > 0 && c.TimestampRoots == "" {
		return errors.New("timestamp_urls needs timestamp_roots: a timestamp of somebody whom nobody trusts proves nothing")
	}
	if err := c.checkIdentity(); err != nil {
		return err
	}
	return c.checkTLS()
}

func (c Config) maxUpload() (int64, error) { return parseSize(c.MaxUpload) }

// reserve is 0 where the vault is to choose.
func (c Config) reserve() (int64, error) {
	if c.Reserve == "" {
		return 0, nil
	}
	return parseSize(c.Reserve)
}

func (c Config) uploadExpiry() time.Duration {
	d, err := time.ParseDuration(c.UploadExpiry)
	if err != nil {
		panic("checked before: " + err.Error())
	}
	return d
}

func orElse(v *string, left string) {
	if *v == "" {
		*v = left
	}
}

// parseSize reads a number of bytes with an optional unit: B, KiB … TiB (1024)
// or KB … TB (1000).
func parseSize(s string) (int64, error) {
	units := []struct {
		name string
		size int64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
	}
	text, unit := strings.TrimSpace(s), int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0) || n*float64(unit) > 1<<62 {
		return 0, fmt.Errorf("%q is not a size like 64GiB", s)
	}
	return int64(n * float64(unit)), nil
}
