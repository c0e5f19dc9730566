package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"custos/evidence"
	"custos/organisation"
	"custos/staff"
)

type peopleCmd struct {
	Import peopleImportCmd `cmd:"" help:"Bring in people and postings from a CSV file (docs/formats/staff-csv.md)."`
}

type peopleImportCmd struct {
	File    string `arg:"" help:"The file, or - for standard input."`
	DryRun  bool   `help:"Show what would happen to each line, and the digest of that. Nothing is changed." xor:"run" required:""`
	Preview string `help:"The digest that a dry run showed: do exactly that." placeholder:"DIGEST" xor:"run" required:""`
	JSON    bool   `help:"One JSON object."`
}

// Run shows or does an import. Where lines are refused, it ends with 1.
func (p *peopleImportCmd) Run(ctx context.Context, c *cli, s streams) error {
	in := s.in
	if p.File != "-" {
		f, err := os.Open(p.File)
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		defer f.Close() // only read
		in = f
	}
	file, err := io.ReadAll(io.LimitReader(in, staff.MaxFile+1))
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return opened(ctx, c, s, func(a *app) error {
		var out staff.Preview
		if p.DryRun {
			out, err = a.staff.Preview(ctx, file)
		} else {
			var digest evidence.Digest
			if digest, err = evidence.ParseDigest(p.Preview); err != nil {
				return err
			}
			out, err = a.staff.Import(ctx, operator(), file, digest)
		}
		if err != nil {
			return err
		}
		if p.JSON {
			err = printJSON(s, out)
		} else {
			tellImport(s.out, out, p.DryRun)
		}
		if err == nil && out.Counts[staff.Refused] > 0 {
			err = errSaid
		}
		return err
	})
}

// tellImport writes what becomes of each line that is not unchanged.
func tellImport(w io.Writer, p staff.Preview, dry bool) {
	for _, l := range p.Lines {
		if l.Verdict == staff.Unchanged && len(l.Remarks) == 0 {
			continue
		}
		fmt.Fprintf(w, "line %-5d %-20s %s\n", l.Number, onScreen(l.Login), l.Verdict)
		for _, c := range l.Changes {
			before := ""
			if c.Before != "" {
				before = onScreen(c.Before) + " -> "
			}
			fmt.Fprintf(w, "           %s: %s%s\n", c.Column, before, onScreen(c.After))
		}
		for _, r := range l.Remarks {
			fmt.Fprintf(w, "           %s: %s\n", r.Column, r.Reason)
		}
	}
	for _, x := range p.Absent {
		fmt.Fprintf(w, "not in the file: %-20s %s; nothing happens to them\n", x.Login, onScreen(x.Name))
	}
	fmt.Fprintf(w, "%d new, %d changed, %d unchanged, %d refused.\n", p.Counts[staff.IsNew], p.Counts[staff.Changed], p.Counts[staff.Unchanged], p.Counts[staff.Refused])
	if dry {
		fmt.Fprintf(w, "Nothing was changed. To do exactly this: --preview %s\n", p.Digest)
	}
}

// onScreen is text of a file as a terminal may have it.
func onScreen(s string) string { return strings.Map(printable, s) }

type unitCmd struct {
	Add    unitAddCmd    `cmd:"" help:"Make a unit."`
	List   unitListCmd   `cmd:"" help:"List units."`
	Rename unitRenameCmd `cmd:"" help:"Give a unit another name."`
	Move   unitMoveCmd   `cmd:"" help:"Put a unit, with all below it, under another."`
	Close  unitCloseCmd  `cmd:"" help:"Close a unit for good."`
}

// unitByCode finds a unit; "" is the top, which has no identifier.
func unitByCode(ctx context.Context, a *app, code string) (evidence.ID, error) {
	if code == "" {
		return "", nil
	}
	units, err := a.organisation.Units(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range units {
		if u.Code == organisation.NormalCode(code) {
			return u.ID, nil
		}
	}
	return "", errors.New("there is no unit with that code; custos admin unit list shows them")
}

type unitAddCmd struct {
	Code  string `arg:"" help:"Short code, never used again."`
	Name  string `arg:"" help:"Name to show."`
	Below string `help:"Code of the unit above. Left out: it stands at the top." placeholder:"CODE"`
}

// Run makes the unit.
func (u *unitAddCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		parent, err := unitByCode(ctx, a, u.Below)
		if err != nil {
			return err
		}
		made, err := a.staff.AddUnit(ctx, operator(), organisation.Unit{Code: u.Code, Name: u.Name, Parent: parent})
		if err == nil {
			fmt.Fprintf(s.out, "%s %s is made.\n", made.Code, made.Name)
		}
		return err
	})
}

type unitListCmd struct {
	JSON bool `help:"One JSON array."`
}

// Run lists the units.
func (u *unitListCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		units, err := a.organisation.Units(ctx)
		if err != nil {
			return err
		}
		if u.JSON {
			return printJSON(s, units)
		}
		code := map[evidence.ID]string{}
		for _, x := range units {
			code[x.ID] = x.Code
		}
		for _, x := range units {
			state := ""
			if !x.ClosedAt.IsZero() {
				state = "  closed"
			}
			fmt.Fprintf(s.out, "%-16s %-16s %s%s\n", x.Code, code[x.Parent], x.Name, state)
		}
		return nil
	})
}

// onUnit makes a change of the unit that has a code.
func onUnit(ctx context.Context, c *cli, s streams, code string, do func(a *app, id evidence.ID) error) error {
	return opened(ctx, c, s, func(a *app) error {
		id, err := unitByCode(ctx, a, code)
		if err != nil {
			return err
		}
		if err := do(a, id); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "Done.")
		return nil
	})
}

type unitRenameCmd struct {
	Code string `arg:"" help:"The unit's code."`
	Name string `arg:"" help:"Its new name."`
}

// Run renames the unit.
func (u *unitRenameCmd) Run(ctx context.Context, c *cli, s streams) error {
	return onUnit(ctx, c, s, u.Code, func(a *app, id evidence.ID) error { return a.staff.RenameUnit(ctx, operator(), id, u.Name) })
}

type unitMoveCmd struct {
	Code  string `arg:"" help:"The unit's code."`
	Below string `arg:"" optional:"" help:"Code of the unit above. Left out: the top."`
}

// Run moves the unit.
func (u *unitMoveCmd) Run(ctx context.Context, c *cli, s streams) error {
	return onUnit(ctx, c, s, u.Code, func(a *app, id evidence.ID) error {
		parent, err := unitByCode(ctx, a, u.Below)
		if err != nil {
			return err
		}
		return a.staff.MoveUnit(ctx, operator(), id, parent)
	})
}

type unitCloseCmd struct {
	Code string `arg:"" help:"The unit's code."`
}

// Run closes the unit.
func (u *unitCloseCmd) Run(ctx context.Context, c *cli, s streams) error {
	return onUnit(ctx, c, s, u.Code, func(a *app, id evidence.ID) error { return a.staff.CloseUnit(ctx, operator(), id) })
}
