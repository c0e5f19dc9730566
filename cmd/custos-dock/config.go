package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"custos/evidence"
)

// Config is the agent's configuration. The file that `custos admin docks add`
// writes is one, with the first five keys filled in; flags of the same names
// win over it. Keys that are not listed are refused.
type Config struct {
	Server     string   `toml:"server" help:"Address of the server, such as https://custos.force.example." placeholder:"URL"`
	Key        string   `toml:"key" kong:"-"`         // this dock's key; a secret, so there is no flag for it
	ReceiptKey string   `toml:"receipt_key" kong:"-"` // the key that signs receipts, pinned at enrolment (note verifier key)
	LogKey     string   `toml:"log_key" kong:"-"`     // the key that signs the log's checkpoints, likewise
	CA         string   `toml:"ca" help:"Certificates (PEM, or a file of them) to trust instead of the system's." placeholder:"FILE"`
	KeyFile    string   `toml:"key_file" help:"File that holds this dock's key, instead of key in the configuration." placeholder:"FILE"`
	Trust      string   `toml:"trust" help:"TOML file with receipt_key and log_key, instead of having them in the configuration." placeholder:"FILE"`
	Name       string   `toml:"name" help:"What people call this docking station. Default: the machine's name."`
	Watch      []string `toml:"watch" help:"Folder in which cameras appear as folders, such as /media. May be given again." placeholder:"DIR"`
	Cameras    []string `toml:"cameras" name:"camera" help:"Folder that is the mount point of one camera. May be given again." placeholder:"DIR"`
	Journal    string   `toml:"journal" help:"Folder for the journal, on a disk of this machine that is kept. Default: $STATE_DIRECTORY, or /var/lib/custos-dock." placeholder:"DIR"`
	Bandwidth  string   `toml:"bandwidth" help:"Bytes a second for all uploads together, such as 5MB. Default: no limit." placeholder:"RATE"`
	Parallel   int      `toml:"parallel" help:"Uploads at a time, 1 to 64. Default: 4."`
	Profiles   string   `toml:"profiles" help:"Folder of camera profiles (*.toml) that are added to the ones that come with the program." placeholder:"DIR"`
	Stable     string   `toml:"stable" help:"How long a file must not have changed before it is read, 1s to 10m. Default: 3s." placeholder:"TIME"`
}

// loadConfig reads the file, puts the flags over it and fills in defaults.
func loadConfig(file string, flags Config, env func(string) string) (Config, error) {
	var c Config
	if file != "" {
		if err := readSecretTOML(file, &c); err != nil {
			return c, err
		}
		// Paths in the file are relative to the file.
		for _, p := range []*string{&c.KeyFile, &c.Trust, &c.Journal, &c.Profiles} {
			relative(file, p)
		}
		if !strings.Contains(c.CA, "-----BEGIN") {
			relative(file, &c.CA)
		}
		for _, list := range [][]string{c.Watch, c.Cameras} {
			for i := range list {
				relative(file, &list[i])
			}
		}
	}
	c.Server = cmp.Or(flags.Server, c.Server)
	c.CA = cmp.Or(flags.CA, c.CA)
	c.KeyFile = cmp.Or(flags.KeyFile, c.KeyFile)
	c.Trust = cmp.Or(flags.Trust, c.Trust)
	c.Name = cmp.Or(flags.Name, c.Name)
	c.Journal = cmp.Or(flags.Journal, c.Journal, env("STATE_DIRECTORY"), "/var/lib/custos-dock")
	c.Bandwidth = cmp.Or(flags.Bandwidth, c.Bandwidth)
	c.Parallel = cmp.Or(flags.Parallel, c.Parallel, 4)
	c.Profiles = cmp.Or(flags.Profiles, c.Profiles)
	c.Stable = cmp.Or(flags.Stable, c.Stable, "3s")
	if len(flags.Watch)+len(flags.Cameras) > 0 {
		c.Watch, c.Cameras = flags.Watch, flags.Cameras
	}
	if c.Name == "" {
		name, err := os.Hostname()
		if err != nil {
			return c, invalid(err, "the machine has no name; give the dock one with name")
		}
		c.Name = name
	}
	return c, nil
}

func relative(file string, p *string) {
	if *p != "" && !filepath.IsAbs(*p) {
		*p = filepath.Join(filepath.Dir(file), *p)
	}
}

// secrets reads key, pinned keys and certificates from the files that hold
// them, and says what is missing.
func (c *Config) secrets() (ca []byte, err error) {
	if c.KeyFile != "" {
		text, err := readSecret(c.KeyFile)
		if err != nil {
			return nil, err
		}
		c.Key = strings.TrimSpace(string(text))
	}
	if c.Trust != "" {
		var t struct {
			ReceiptKey string `toml:"receipt_key"`
			LogKey     string `toml:"log_key"`
		}
		text, err := os.ReadFile(c.Trust)
		if err != nil {
			return nil, invalid(err, "the trust file cannot be read")
		}
		if err := strict(text, &t); err != nil {
			return nil, invalid(err, c.Trust+" cannot be used")
		}
		c.ReceiptKey, c.LogKey = t.ReceiptKey, t.LogKey
	}
	for _, k := range []struct{ name, value string }{
		{"server", c.Server}, {"key", c.Key}, {"receipt_key", c.ReceiptKey}, {"log_key", c.LogKey},
	} {
		if k.value == "" {
			return nil, evidence.Errorf(evidence.Invalid,
				"%s is missing. On the server, `custos admin docks add NAME` prints a file that has it: give it with --config.", k.name)
		}
	}
	if len(c.Watch)+len(c.Cameras) == 0 {
		return nil, evidence.Errorf(evidence.Invalid, "no folder to look for cameras in: give watch or cameras")
	}
	switch {
	case c.CA == "":
		return nil, nil
	case strings.Contains(c.CA, "-----BEGIN"):
		return []byte(c.CA), nil
	}
	ca, err = os.ReadFile(c.CA)
	return ca, invalid(err, "the certificate file cannot be read")
}

func readSecretTOML(file string, v any) error {
	text, err := readSecret(file)
	if err != nil {
		return err
	}
	return invalid(strict(text, v), file+" cannot be used")
}

// readSecret refuses a file that others on this machine may read.
func readSecret(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, invalid(err, "the file cannot be read")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		return nil, evidence.Errorf(evidence.Invalid, "everybody on this machine may read %s, which holds the dock's key: run chmod o= on it", file)
	}
	text, err := os.ReadFile(file)
	return text, invalid(err, "the file cannot be read")
}

func strict(text []byte, v any) error {
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(v)
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		return fmt.Errorf("there is no such key: %s", strings.Join(unknown.Errors[0].Key(), "."))
	}
	return err
}

func invalid(err error, message string) error { return evidence.Wrap(evidence.Invalid, err, message) }

var rateForm = regexp.MustCompile(`^(\d{1,9})\s*(|[kKMG])B?(?:/s)?$`)

// bytesPerSecond reads 5MB, 800k, 1000000; units are powers of ten.
func bytesPerSecond(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	m := rateForm.FindStringSubmatch(s)
	if m == nil {
		return 0, evidence.Errorf(evidence.Invalid, "bandwidth must be like 800k or 5MB, in bytes a second")
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, invalid(err, "bandwidth")
	}
	n *= map[string]int64{"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}[m[2]]
	if n < 10_000 {
		return 0, evidence.Errorf(evidence.Invalid, "bandwidth must be at least 10kB: below that, uploads would be taken for dead")
	}
	return n, nil
}

func stableTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 10*time.Minute {
		return 0, evidence.Errorf(evidence.Invalid, "stable must be a time from 1s to 10m")
	}
	return d, nil
}
