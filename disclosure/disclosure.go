// Package disclosure lets recordings out: as a bundle that anybody can check
// without this service.
package disclosure

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"custos/bundle"
	"custos/catalogue"
	"custos/custody"
	"custos/evidence"
)

// Request is what somebody wants to let out, why and to whom.
type Request struct {
	Recordings []evidence.ID
	Purpose    evidence.Purpose
	Recipient  string // who gets it, as the trail is to name them
	Dir        string // folder of the bundle; must not exist
	// SealTo, if any, are the receiver's age recipients: masters go into the
	// bundle as .age files that only they can open.
	SealTo []age.Recipient

	Force      string
	Software   string // name and version, for the bundle
	LogKey     string
	ReceiptKey string
	Progress   func(done, total int64) // bytes; may be nil
}

// Export writes a bundle. The intent is recorded before the first byte is
// read, the outcome after the written bundle was read back and verified. The
// folder appears under its name only then. Errors: as custody.Disclose;
// Conflict if the folder exists; Corrupt if a master is not what it must be.
func Export(ctx context.Context, c *custody.Custody, actor evidence.Actor, q Request) (s bundle.Summary, id evidence.ID, err error) {
	err = c.Disclose(ctx, actor, q.Recordings, q.Purpose, q.Recipient, q.Force, func(ctx context.Context, d *custody.Disclosure) (evidence.Digest, error) {
		id = d.Bundle
		s, err = write(ctx, d, q, c)
		return s.TagManifest, err
	})
	return s, id, err
}

func write(ctx context.Context, d *custody.Disclosure, q Request, c *custody.Custody) (bundle.Summary, error) {
	info := bundle.Info{
		Bundle: d.Bundle, Force: d.Force, MadeAt: c.Now().UTC(), MadeBy: d.Actor.Name, Recipient: d.Recipient, Purpose: d.Purpose,
		Software: q.Software, LogKey: q.LogKey, ReceiptKey: q.ReceiptKey,
	}
	for _, r := range d.Recordings {
		info.Recordings = append(info.Recordings, bundle.Recording{Recording: r, Gaps: catalogue.Gaps(r)})
	}
	w, err := bundle.Create(q.Dir, info)
	if err != nil {
		return bundle.Summary{}, err
	}
	summary, err := fill(ctx, d, q, w)
	if err != nil {
		// What was written so far stays as DIR.partial, for a person to look at.
		return bundle.Summary{}, errors.Join(err, w.Abort())
	}
	return summary, nil
}

func fill(ctx context.Context, d *custody.Disclosure, q Request, w *bundle.Writer) (bundle.Summary, error) {
	masters := d.Masters()
	var total, done int64
	for _, m := range masters {
		total += m.Length
	}
	for _, m := range masters {
		if len(q.SealTo) > 0 {
			m.Seal = func(dst io.Writer) (io.WriteCloser, error) { return age.Encrypt(dst, q.SealTo...) }
		}
		if err := addMaster(ctx, d, w, m, func(n int64) {
			done += n
			if q.Progress != nil {
				q.Progress(done, total)
			}
		}); err != nil {
			return bundle.Summary{}, err
		}
	}
	histories, vouched, err := d.Histories(ctx)
	if err != nil {
		return bundle.Summary{}, err
	}
	for _, h := range histories {
		if err := w.SetHistory(h); err != nil {
			return bundle.Summary{}, err
		}
	}
	w.SetVouched(vouched)
	return w.Close(ctx)
}

func addMaster(ctx context.Context, d *custody.Disclosure, w *bundle.Writer, m bundle.Master, tell func(int64)) (err error) {
	content, err := d.Open(ctx, m)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := content.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close master: %w", cerr)
		}
	}()
	return w.AddMaster(ctx, m, &telling{content.Cursor(), tell})
}

// telling reports what is read.
type telling struct {
	io.Reader
	tell func(int64)
}

func (r *telling) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.tell(int64(n))
	return n, err
}
