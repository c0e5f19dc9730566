package main

import (
	"context"
	"fmt"

	"custos/custody"
)

type fsckCmd struct {
	Quick bool `help:"Compare names and records only; do not read every byte."`
	JSON  bool `help:"One JSON object."`
}

// fsckReport is what --json prints.
type fsckReport struct {
	OK       bool              `json:"ok"`
	Deep     bool              `json:"deep"`
	Examined custody.Examined  `json:"examined"`
	Findings []custody.Finding `json:"findings"`
}

// Run compares store, ledger and catalogue. It changes nothing and may run
// beside the server; what arrives meanwhile may be left out.
func (f *fsckCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		r := fsckReport{Deep: !f.Quick, Findings: []custody.Finding{}}
		var err error
		r.Examined, err = a.custody.Check(ctx, r.Deep, func(x custody.Finding) {
			r.Findings = append(r.Findings, x)
			if !f.JSON {
				fmt.Fprintln(s.out, finding(x))
			}
		})
		if err != nil {
			return err
		}
		r.OK = len(r.Findings) == 0
		if f.JSON {
			if err := printJSON(s, r); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(s.out, "Examined %d objects (%d bytes read), %d collections, %d ledger entries.\n",
				r.Examined.Objects, r.Examined.Bytes, r.Examined.Recordings, r.Examined.Entries)
		}
		if !r.OK {
			fmt.Fprintf(s.err, "%d things are not as they must be. Nothing was changed.\n", len(r.Findings))
			return errSaid
		}
		if !f.JSON {
			fmt.Fprintln(s.out, "Store, ledger and catalogue agree.")
		}
		return nil
	})
}

func finding(x custody.Finding) string {
	where := ""
	if x.Recording != "" {
		where = " recording " + string(x.Recording)
	}
	if x.Segment > 0 {
		where += fmt.Sprintf(" segment %d", x.Segment)
	}
	if x.Object != "" {
		where += " object " + x.Object
	}
	return fmt.Sprintf("%-10s%s: %s", x.Kind, where, x.Says)
}
