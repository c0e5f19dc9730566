package dock

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"custos/camera"
	"custos/evidence"
)

// kind is what a job does.
type kind int

const (
	look     kind = iota // see whether a camera is there and what is on it
	hash                 // read a file for the first time
	announce             // tell the server of a file
	send                 // upload it
	ask                  // fetch its receipt
	wipe                 // remove it
)

// Job is one piece of work outside the Machine. It reads what it was given
// when it was made and nothing of the Machine's state, so jobs may run
// concurrently.
type Job struct {
	kind     kind
	bay      *bay
	file     *file // nil for look
	card     camera.Card
	profile  *camera.Profile
	docked   camera.Docked
	found    camera.Found
	capture  evidence.Capture
	upload   string
	with     []string  // companions, for wipe
	appeared time.Time // when the camera came, for look; zero: it was there before the agent
	sent     *atomic.Int64
}

// Result is what came of a Job.
type Result struct {
	err error

	card    camera.Card // look
	profile *camera.Profile
	docked  camera.Docked
	label   string
	listing camera.Listing

	item   camera.Item // hash
	digest evidence.Digest

	upload string // announce
	note   []byte // ask
}

// Outcomes of jobs that are no failures of anything.
var (
	errChanged = errors.New("the file has changed since it was hashed")
	errGone    = errors.New("no camera")
)

// Bench is what jobs work with.
type Bench struct {
	Station  Station
	Server   Server
	Profiles camera.Profiles
	Wait     time.Duration // how long to wait for a receipt in one request
}

// Run does the job. It returns early when ctx ends.
func (j *Job) Run(ctx context.Context, b Bench) Result {
	switch j.kind {
	case look:
		return j.look(ctx, b)
	case hash:
		return j.hash(ctx, b)
	case announce:
		upload, err := b.Server.Create(ctx, j.capture)
		return Result{upload: upload, err: err}
	case send:
		return Result{err: j.send(ctx, b)}
	case ask:
		note, err := b.Server.Receipt(ctx, j.upload, b.Wait)
		return Result{note: note, err: err}
	default:
		return Result{err: j.wipe()}
	}
}

// look opens the camera if it is not held yet. A card that is not handed back
// in the result is closed.
func (j *Job) look(ctx context.Context, b Bench) Result {
	r := Result{card: j.card, profile: j.profile, docked: j.docked}
	if r.card != nil && !b.Station.Same(j.bay.name, r.card) {
		return Result{err: errGone}
	}
	if r.card == nil {
		card, err := b.Station.Open(j.bay.name)
		if errors.Is(err, fs.ErrNotExist) {
			err = errGone
		}
		if err != nil {
			return Result{err: err}
		}
		r.card = card
		r.profile, r.err = b.Profiles.Recognise(card, b.Station.Label(j.bay.name))
		if r.err != nil {
			return r.shut(j.card)
		}
		r.docked = r.profile.Examine(card, j.appeared)
	}
	r.label = b.Station.Label(j.bay.name)
	r.listing, r.err = r.profile.List(ctx, r.card)
	if r.err != nil {
		return r.shut(j.card)
	}
	return r
}

// shut closes a card that this job opened.
func (r Result) shut(before camera.Card) Result {
	if before == nil {
		r.err = errors.Join(r.err, r.card.Close())
	}
	return Result{err: r.err}
}

// open opens the file and makes sure that it is still the one that was found.
func (j *Job) open() (camera.File, error) {
	f, err := j.card.Open(j.found.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errChanged
	}
	if err != nil {
		return nil, err
	}
	if err := j.unchanged(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (j *Job) unchanged(f camera.File) error {
	stamp, err := f.Stamp()
	if err == nil && !stamp.Equal(j.found.Stamp) {
		err = errChanged
	}
	return err
}

func (j *Job) hash(ctx context.Context, b Bench) (r Result) {
	f, err := j.open()
	if err != nil {
		return Result{err: err}
	}
	defer func() { r.err = errors.Join(r.err, f.Close()) }()
	if r.item, r.err = j.profile.Inspect(j.card, f, j.found, j.docked, b.Station.Label(j.bay.name)); r.err != nil {
		return r
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); at < j.found.Stamp.Size; {
		if r.err = ctx.Err(); r.err != nil {
			return r
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), j.found.Stamp.Size-at)], at)
		if n == 0 && errors.Is(err, io.EOF) {
			r.err = errChanged // shorter than it was
			return r
		}
		if err != nil && !errors.Is(err, io.EOF) {
			r.err = fmt.Errorf("read at byte %d: %w", at, err)
			return r
		}
		h.Write(buf[:n])
		at += int64(n)
	}
	r.digest = evidence.Digest(h.Sum(nil))
	r.err = j.unchanged(f)
	return r
}

func (j *Job) send(ctx context.Context, b Bench) (err error) {
	f, err := j.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := b.Server.Upload(ctx, j.upload, f, j.capture.Length, j.sent.Store); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errChanged
		}
		return err
	}
	return j.unchanged(f)
}

// errTidy means that the file is gone but something derived from it is not.
var errTidy = errors.New("a preview of it is still on the camera")

// wipe removes the file and then what the camera derived from it. The Machine
// made this job only after the receipt was checked and the intent journalled.
func (j *Job) wipe() error {
	f, err := j.open()
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := j.card.Remove(j.found.Path); err != nil {
		return err
	}
	var bad error
	for _, name := range j.with {
		if err := j.card.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			bad = errors.Join(bad, err)
		}
	}
	if bad != nil {
		return fmt.Errorf("%w: %w", errTidy, bad)
	}
	return nil
}
