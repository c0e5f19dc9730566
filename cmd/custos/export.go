package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"filippo.io/age"

	"custos/disclosure"
	"custos/evidence"
)

type exportCmd struct {
	Recordings []string `arg:"" help:"Identifiers of the recordings."`
	Out        string   `help:"Folder of the bundle; must not exist." required:"" type:"path"`
	To         string   `help:"Who gets it, as the trail is to name them." required:""`
	Purpose    string   `help:"Why: the purpose's code." default:"disclosure"`
	Reference  string   `help:"Case or incident number."`
	Recipient  []string `help:"Seal the masters to these age recipients (age1…), so that only they can open them." placeholder:"age1…"`
	JSON       bool     `help:"One JSON object."`
}

// Run writes the bundle, reads it back and verifies it.
func (e *exportCmd) Run(ctx context.Context, c *cli, s streams) error {
	q := disclosure.Request{
		Purpose: evidence.Purpose{Code: e.Purpose, Reference: e.Reference}, Recipient: e.To, Dir: e.Out,
		Software: "Custos " + version,
	}
	for _, text := range e.Recordings {
		id, err := evidence.ParseID(text)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		q.Recordings = append(q.Recordings, id)
	}
	for _, text := range e.Recipient {
		r, err := parseRecipient(text)
		if err != nil {
			return err
		}
		q.SealTo = append(q.SealTo, r)
	}
	return opened(ctx, c, s, func(a *app) error {
		q.Force, q.LogKey, q.ReceiptKey = a.cfg.Force, a.signers.logKey, a.signers.receiptKey
		if f, ok := s.err.(*os.File); ok && !e.JSON && isTerminal(f) {
			q.Progress = func(done, total int64) {
				if total > 0 {
					fmt.Fprintf(s.err, "\r%3d %%", 100*done/total)
				}
			}
		}
		stop := a.runLedger(ctx)
		summary, id, err := disclosure.Export(ctx, a.custody, operator(), q)
		if lerr := stop(); err == nil {
			err = lerr
		}
		if err != nil {
			return err
		}
		if e.JSON {
			return printJSON(s, map[string]any{"bundle": id, "dir": summary.Dir, "files": summary.Files, "bytes": summary.Bytes, "tagManifest": summary.TagManifest})
		}
		fmt.Fprintf(s.out, "Bundle %s: %d files, %d bytes, written to %s, read back and verified.\n", id, summary.Files, summary.Bytes, summary.Dir)
		fmt.Fprintf(s.out, "The receiver checks it with: custos-verify --log-key KEY %s\nGive them the key by another way: %s\n", summary.Dir, a.signers.logKey)
		return nil
	})
}

// runLedger puts this command's events into the log, whether or not a server
// runs beside it: sequencers of one database take turns. stop ends it.
func (a *app) runLedger(ctx context.Context) (stop func() error) {
	a.heedWitnesses(ctx)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { err = a.ledger.Run(ctx) })
	wg.Go(func() { _ = a.witness.Run(ctx) }) // it has no errors but the end
	return func() error {
		cancel()
		wg.Wait()
		return err
	}
}

func parseRecipient(text string) (age.Recipient, error) {
	if r, err := age.ParseHybridRecipient(text); err == nil {
		return r, nil
	}
	r, err := age.ParseX25519Recipient(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no age recipient", text)
	}
	return r, nil
}
