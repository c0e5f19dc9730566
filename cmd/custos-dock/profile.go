package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"custos/camera"
	"custos/evidence"
)

type profileCmd struct {
	List  profileList  `cmd:"" help:"List the profiles, in the order they are tried."`
	Check profileCheck `cmd:"" help:"Check a profile file."`
	Try   profileTry   `cmd:"" help:"Show what would be read from a folder. Nothing is sent, changed or removed."`
}

type profileList struct {
	Profiles string `help:"Folder of further profiles." placeholder:"DIR"`
}

// Run is `custos-dock profile list`.
func (l *profileList) Run(c *console) error {
	ps, err := camera.Load(l.Profiles)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, p := range ps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, p.Sure, p.Title, p.Source)
	}
	return w.Flush()
}

type profileCheck struct {
	Files []string `arg:"" name:"file" help:"Profile file (TOML)."`
}

// Run is `custos-dock profile check`.
func (p *profileCheck) Run(c *console) error {
	bad := false
	for _, file := range p.Files {
		text, err := os.ReadFile(file)
		if err == nil {
			_, err = camera.Parse(text)
		}
		if err != nil {
			bad = true
			fmt.Fprintf(c.stdout, "%s: %v\n", file, err)
			continue
		}
		fmt.Fprintf(c.stdout, "%s: fine\n", file)
	}
	if bad {
		return errNotWell
	}
	return nil
}

type profileTry struct {
	Dir      string `arg:"" help:"Folder where a camera is mounted, or a copy of one."`
	Profile  string `help:"Profile to use, instead of the first that fits." placeholder:"NAME"`
	Profiles string `help:"Folder of further profiles." placeholder:"DIR"`
	JSON     bool   `name:"json" help:"Print one JSON object a file."`
}

// Run is `custos-dock profile try`.
func (t *profileTry) Run(ctx context.Context, c *console) (err error) {
	ps, err := camera.Load(t.Profiles)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(t.Dir)
	if err != nil {
		return fmt.Errorf("the folder has no path: %w", err)
	}
	card, err := camera.OpenFolder(dir)
	if err != nil {
		return invalid(err, "the folder cannot be read")
	}
	defer func() { err = errors.Join(err, card.Close()) }()
	label := filepath.Base(dir)
	p, err := t.pick(ps, card, label)
	if err != nil {
		return err
	}
	listing, err := p.List(ctx, card)
	if err != nil {
		return err
	}
	docked := p.Examine(card, time.Time{})
	if !t.JSON {
		fmt.Fprintf(c.stdout, "profile %s (%s): %s\n", p.Name, p.Sure, p.Title)
	}
	for _, found := range listing.Files {
		item, err := inspect(p, card, found, docked, label)
		if err != nil {
			listing.Left = append(listing.Left, camera.Left{Path: found.Path, Why: err.Error()})
			continue
		}
		if err := t.print(c, item); err != nil {
			return err
		}
	}
	for _, l := range listing.Left {
		if !t.JSON {
			fmt.Fprintf(c.stdout, "left alone: %s: %s\n", l.Path, l.Why)
		}
	}
	for _, n := range docked.Notes {
		fmt.Fprintln(c.stderr, n)
	}
	return nil
}

func (t *profileTry) pick(ps camera.Profiles, card camera.Card, label string) (*camera.Profile, error) {
	if t.Profile == "" {
		return ps.Recognise(card, label)
	}
	for _, p := range ps {
		if p.Name == t.Profile {
			return p, nil
		}
	}
	return nil, evidence.Errorf(evidence.Invalid, "there is no profile %q", t.Profile)
}

func inspect(p *camera.Profile, card camera.Card, found camera.Found, d camera.Docked, label string) (item camera.Item, err error) {
	f, err := card.Open(found.Path)
	if err != nil {
		return item, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return p.Inspect(card, f, found, d, label)
}

func (t *profileTry) print(c *console, item camera.Item) error {
	if t.JSON {
		return json.NewEncoder(c.stdout).Encode(item.Capture)
	}
	x := item.Capture
	fmt.Fprintln(c.stdout, x.FileName)
	for _, f := range []evidence.Field{
		evidence.F("device", x.Device), evidence.F("officer", x.Officer), evidence.F("category", string(x.Category)),
		evidence.F("group", x.Group), evidence.F("sequence", x.Sequence), evidence.F("started", x.Started),
		evidence.F("zone", x.Zone), evidence.F("from", x.Source), evidence.F("bytes", x.Length),
	} {
		if f.Value != "" && f.Value != "0" {
			fmt.Fprintf(c.stdout, "  %-9s %s\n", f.Name, f.Value)
		}
	}
	for _, n := range item.Companions {
		fmt.Fprintf(c.stdout, "  %-9s %s\n", "with it", n)
	}
	return nil
}
