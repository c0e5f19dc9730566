package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"custos/timestamp"
	"custos/tlog"
	"custos/witness"
)

// openWitness reads whom the configuration has vouch for the log.
func (a *app) openWitness(ctx context.Context) (*witness.Keeper, error) {
	c := witness.Config{DB: a.db, Log: a.ledger, Logger: a.log}
	if a.cfg.Witnesses != "" {
		b, err := os.ReadFile(a.cfg.Witnesses)
		if err != nil {
			return nil, fmt.Errorf("witnesses: %w", err)
		}
		if c.Policy, err = tlog.ParsePolicy(b); err != nil {
			return nil, fmt.Errorf("witnesses: %s: %w", a.cfg.Witnesses, err)
		}
		if logs := c.Policy.Logs; len(logs) > 0 && !slices.Contains(logs, a.signers.logKey) {
			return nil, fmt.Errorf("witnesses: %s is for other logs than this one; its key is %s", a.cfg.Witnesses, a.signers.logKey)
		}
		for _, w := range c.Policy.Witnesses {
			if err := webAddress(w.URL); err != nil {
				return nil, fmt.Errorf("witnesses: %s: witness %s: %w", a.cfg.Witnesses, w.Name, err)
			}
		}
	}
	var err error
	if c.StampEvery, err = time.ParseDuration(a.cfg.TimestampEvery); err != nil {
		return nil, fmt.Errorf("timestamp_every: %w", err)
	}
	if c.Authorities, err = authorities(a.cfg.TimestampURLs, a.cfg.TimestampRoots); err != nil {
		return nil, err
	}
	return witness.Open(ctx, c)
}

// authorities are those at urls, each called by its host.
func authorities(urls []string, roots string) ([]witness.Authority, error) {
	if len(urls) == 0 {
		return nil, nil
	}
	b, err := os.ReadFile(roots)
	if err != nil {
		return nil, fmt.Errorf("timestamp_roots: %w", err)
	}
	pool, err := timestamp.ParseRoots(b)
	if err != nil {
		return nil, fmt.Errorf("timestamp_roots: %s: %w", roots, err)
	}
	var all []witness.Authority
	taken := map[string]int{}
	for _, text := range urls {
		if err := webAddress(text); err != nil {
			return nil, fmt.Errorf("timestamp_urls: %w", err)
		}
		u, _ := url.Parse(text) // read by webAddress
		name := strings.Trim(strings.Map(hostLetter, strings.ToLower(u.Hostname())), ".-")
		if taken[name]++; taken[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, taken[name])
		}
		all = append(all, witness.Authority{Name: name, URL: text, Roots: pool})
	}
	return all, nil
}

// hostLetter keeps what a file name may have; an address of IPv6 has colons.
func hostLetter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
		return r
	}
	return '-'
}

func webAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("%q is not an address that begins with https:// or http://", text)
	}
	return nil
}

// startPatience is how long a start waits for witnesses to say what they have
// seen. One that is down must not keep the service from starting.
const startPatience = 3 * time.Second

// heedWitnesses refuses to go on with a database that is behind what a witness
// has signed: an old copy, even one restored with its own published checkpoint.
func (a *app) heedWitnesses(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if size, who := a.witness.Seen(ctx); size > 0 {
		a.ledger.Behind(ctx, size, who)
	}
}
