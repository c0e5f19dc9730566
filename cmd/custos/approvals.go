package main

import (
	"context"
	"errors"
	"fmt"

	"custos/approval"
	"custos/evidence"
)

// openApprovals opens the room of two people. What it tells goes to browsers
// once there are any.
func (a *app) openApprovals(ctx context.Context) (err error) {
	a.approvals, err = approval.Open(ctx, approval.Config{
		DB: a.db, Custody: a.custody, Access: a.access, Identity: a.identity, ReportsTo: a.organisation.ReportsTo, Logger: a.log,
		Changed: func() {
			if a.onApproval != nil {
				a.onApproval()
			}
		},
		Glass: func(e approval.Emergency) {
			if a.onGlass != nil {
				a.onGlass(e)
			}
		},
	}, approval.RoleGrant(a.identity, a.access), approval.DockRevoke(a.identity))
	return err
}

// endExpired ends requests and emergency access past their time. The next run
// tries again what failed; nothing is allowed meanwhile.
func (s *server) endExpired(ctx context.Context) error {
	if err := s.app.approvals.EndExpired(ctx); err != nil && ctx.Err() == nil {
		s.app.log.Warn("end what is past its time", "err", err)
	}
	return nil
}

type approvalsCmd struct {
	JSON bool `help:"One JSON array."`
}

// Run lists the requests that wait for a second person.
func (p *approvalsCmd) Run(ctx context.Context, c *cli, s streams) error {
	return opened(ctx, c, s, func(a *app) error {
		list := []waitingRequest{}
		for before := evidence.ID(""); ; {
			page, err := a.approvals.List(ctx, operator(), approval.ToDecide, before)
			if err != nil {
				return err
			}
			for _, r := range page.Items {
				list = append(list, waitingRequest{r.ID, r.Kind, r.SubjectName, r.Was, r.Wanted, r.AskedBy.Name, r.Reason, evidence.FormatTime(r.ExpiresAt)})
			}
			if before = page.Next; before == "" {
				break
			}
		}
		if p.JSON {
			return printJSON(s, list)
		}
		for _, r := range list {
			fmt.Fprintf(s.out, "%s  %s: %s, from %q to %q, asked for by %s: %s\n", r.ID, r.Kind, r.Subject, r.Was, r.Wanted, r.AskedBy, r.Reason)
		}
		return nil
	})
}

// waitingRequest is a request as the command line shows it.
type waitingRequest struct {
	ID      evidence.ID `json:"id"`
	Kind    string      `json:"kind"`
	Subject string      `json:"subject"`
	Was     string      `json:"was"`
	Wanted  string      `json:"wanted"`
	AskedBy string      `json:"askedBy"`
	Reason  string      `json:"reason"`
	Expires string      `json:"expires"`
}

type approveCmd struct {
	ID string `arg:"" help:"The request, from admin approvals."`
}

// Run approves a request, for a service that has nobody else who could.
func (p *approveCmd) Run(ctx context.Context, c *cli, s streams) error {
	id, err := evidence.ParseID(p.ID)
	if err != nil {
		return errors.New("that is not the identifier of a request; `custos admin approvals` lists them")
	}
	return opened(ctx, c, s, func(a *app) error {
		by := operator()
		r, err := a.approvals.Approve(ctx, by, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "Done: %s, from %q to %q. It is on record that %s asked and %s approved.\n", r.SubjectName, r.Was, r.Wanted, r.AskedBy.Name, by.Name)
		return nil
	})
}
