// Package playback turns masters into what a screen shows: it looks into each
// new master and makes its poster, trickplay sheet and waveform, makes proxies
// on demand, and says how a recording can be watched. Every byte goes through
// custody.
package playback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"custos/custody"
	"custos/database"
	"custos/evidence"
	"custos/media"
	"custos/work"
)

// Kinds of work.
const (
	prepareKind = "prepare" // probe, poster, trickplay, waveform
	proxyKind   = "proxy"
)

// Config is what a Player is made of.
type Config struct {
	DB        *database.DB
	Custody   *custody.Custody
	Catalogue Catalogue
	Queue     *work.Queue
	Tools     *media.Tools // nil: none on this machine; work waits and says so
	Scratch   string       // folder for footage on its way through a tool; see media.Spool
	Logger    *slog.Logger
	Changed   func(recording evidence.ID) // told when something new can be shown; may be nil
	Now       func() time.Time            // nil: time.Now
}

// Catalogue is what playback needs to know of recordings.
type Catalogue interface {
	Get(ctx context.Context, id evidence.ID) (evidence.Recording, error)
	Copies(ctx context.Context, recording evidence.ID) ([]evidence.WorkingCopy, error)
}

// Player prepares and shows. Its methods may be called concurrently.
type Player struct{ Config }

// New makes a Player and registers its work with the queue. A machine has few
// cores and one decoder uses them all, so one job of each kind runs at a time.
func New(c Config) *Player {
	if c.Changed == nil {
		c.Changed = func(evidence.ID) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Player{c}
	c.Queue.Handle(prepareKind, 1, p.prepareJob)
	c.Queue.Handle(proxyKind, 1, p.proxyJob)
	return p
}

// order is the payload of a job.
type order struct {
	Recording evidence.ID `json:"recording"`
	Segment   int         `json:"segment"`
}

func enqueue(ctx context.Context, q *work.Queue, tx *database.Tx, kind string, o order) error {
	payload, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("queue %s: %w", kind, err)
	}
	_, err = q.Enqueue(ctx, tx, work.Job{
		Kind: kind, Key: fmt.Sprintf("%s/%s/%d", kind, o.Recording, o.Segment),
		Subject: string(o.Recording), Payload: payload, MaxTries: 5,
	})
	return err
}

// Enqueue asks for a new segment to be prepared, in the transaction that
// collects it.
func Enqueue(ctx context.Context, q *work.Queue, tx *database.Tx, recording evidence.ID, segment int) error {
	return enqueue(ctx, q, tx, prepareKind, order{recording, segment})
}

var actor = evidence.Server("playback")

var errNoTools = work.NotYet(errors.New("ffmpeg and a sandbox (package bubblewrap) are not installed on the server"))

func (p *Player) prepareJob(ctx context.Context, j work.Job) error {
	var o order
	if err := json.Unmarshal(j.Payload, &o); err != nil {
		return work.Permanent(fmt.Errorf("read order: %w", err))
	}
	if p.Tools == nil {
		return errNoTools
	}
	r, err := p.Catalogue.Get(ctx, o.Recording)
	if err != nil {
		return err
	}
	for _, s := range r.Segments {
		if s.Number == o.Segment && s.Media.State != evidence.MediaPending {
			return nil // done before a crash could say so
		}
	}
	err = p.Custody.Derive(ctx, actor, o.Recording, o.Segment, "prepare", p.prepare)
	if err == nil {
		p.Changed(o.Recording)
	}
	return judged(err)
}

// judged marks what no repetition can mend, and what is not the master's
// fault: a full store or a stopped ledger, for however long.
func judged(err error) error {
	switch evidence.CodeOf(err) {
	case evidence.NotFound, evidence.Denied, evidence.Corrupt, evidence.Invalid:
		return work.Permanent(err)
	case evidence.Full, evidence.Unavailable:
		return work.NotYet(err)
	}
	return err
}

// prepare looks into a master and makes all the small copies from one reading.
func (p *Player) prepare(ctx context.Context, s evidence.Segment, master *custody.Content) (custody.Derived, error) {
	f, err := media.Spool(ctx, p.Scratch, master.Cursor(), master.Length)
	if err != nil {
		return custody.Derived{}, err
	}
	defer closing(ctx, p.Logger, f)
	info, err := p.Tools.Probe(ctx, f)
	if err != nil {
		return custody.Derived{}, err
	}
	d := custody.Derived{Media: facts(info)}
	if info.Video != "" && info.Plays != media.Nothing {
		if err := p.pictures(ctx, f, info, &d); err != nil {
			return custody.Derived{}, err
		}
	}
	if info.Audio != "" && d.Media.State != evidence.MediaNone {
		peaks, perSecond, err := p.Tools.Waveform(ctx, f, info)
		if err == nil && len(peaks) > 0 {
			d.Copies = append(d.Copies, p.copy(evidence.Waveform, "application/octet-stream", map[string]int{"perSecond": perSecond, "count": len(peaks)}, peaks))
		} else if err := unlessDamaged(err); err != nil {
			return custody.Derived{}, err
		}
	}
	return d, nil
}

// pictures adds poster and trickplay, and takes the word back that the file is
// a film if not one frame of it can be decoded.
func (p *Player) pictures(ctx context.Context, f *os.File, info media.Info, d *custody.Derived) error {
	poster, err := p.Tools.Poster(ctx, f, min(info.Duration/10, 10*time.Second))
	if damaged(err) {
		poster, err = p.Tools.Poster(ctx, f, 0)
	}
	if damaged(err) {
		d.Media.State, d.Media.Type = evidence.MediaNone, ""
		d.Media.Why = "The file says that it is a film, but not one picture of it can be decoded. It is damaged."
		return nil
	}
	if err != nil {
		return err
	}
	d.Copies = append(d.Copies, p.copy(evidence.Poster, "image/jpeg", nil, poster))
	sheet, geometry, err := p.Tools.Trickplay(ctx, f, info)
	if err == nil {
		d.Copies = append(d.Copies, p.copy(evidence.Trickplay, "image/jpeg", geometry, sheet))
		return nil
	}
	return unlessDamaged(err)
}

func damaged(err error) bool {
	var f *media.Failure
	return errors.As(err, &f)
}

// unlessDamaged lets a copy go missing when the master is at fault.
func unlessDamaged(err error) error {
	if damaged(err) {
		return nil
	}
	return err
}

func (p *Player) copy(kind evidence.CopyKind, typ string, info any, data []byte) custody.NewCopy {
	n := custody.NewCopy{Kind: kind, Type: typ, Tool: p.Tools.Version(), Data: custody.InMemory(data)}
	if info != nil {
		b, err := json.Marshal(info)
		if err != nil {
			panic("playback: " + err.Error()) // numbers always marshal
		}
		n.Info = string(b)
	}
	return n
}

// facts puts what was found in the words of the catalogue.
func facts(i media.Info) *evidence.Media {
	m := &evidence.Media{
		Why: i.Why, Type: i.Type, Format: i.Format, Video: i.Video, Audio: i.Audio,
		Width: i.Width, Height: i.Height, Rate: i.Rate, Duration: evidence.Duration(i.Duration.Milliseconds()),
	}
	switch i.Plays {
	case media.Direct:
		m.State = evidence.MediaPlayable
	case media.Converted:
		m.State = evidence.MediaProxy
	case media.Sound:
		m.State = evidence.MediaAudio
	default:
		m.State = evidence.MediaNone
	}
	return m
}

func (p *Player) proxyJob(ctx context.Context, j work.Job) error {
	var o order
	if err := json.Unmarshal(j.Payload, &o); err != nil {
		return work.Permanent(fmt.Errorf("read order: %w", err))
	}
	if p.Tools == nil {
		return errNoTools
	}
	if has, err := p.has(ctx, o, evidence.Proxy); err != nil || has {
		return judged(err)
	}
	// The proxy is a file without a name that must live until it is sealed.
	var out *os.File
	err := p.Custody.Derive(ctx, actor, o.Recording, o.Segment, "proxy", func(ctx context.Context, s evidence.Segment, master *custody.Content) (custody.Derived, error) {
		f, err := media.Spool(ctx, p.Scratch, master.Cursor(), master.Length)
		if err != nil {
			return custody.Derived{}, err
		}
		defer closing(ctx, p.Logger, f)
		info, err := p.Tools.Probe(ctx, f)
		if err != nil {
			return custody.Derived{}, err
		}
		if out, err = media.Scratch(p.Scratch); err != nil {
			return custody.Derived{}, err
		}
		if err := p.Tools.Proxy(ctx, f, info, out, nil); err != nil {
			return custody.Derived{}, err
		}
		st, err := out.Stat()
		if err != nil {
			return custody.Derived{}, fmt.Errorf("proxy: %w", err)
		}
		return custody.Derived{Copies: []custody.NewCopy{{
			Kind: evidence.Proxy, Type: "video/mp4", Tool: p.Tools.Version() + ", libx264 crf 23",
			Data: io.NewSectionReader(out, 0, st.Size()),
		}}}, nil
	})
	if out != nil {
		closing(ctx, p.Logger, out)
	}
	if damaged(err) {
		return work.Permanent(evidence.Wrap(evidence.Corrupt, err, "The file is too damaged to make a proxy of it."))
	}
	if err == nil {
		p.Changed(o.Recording)
	}
	return judged(err)
}

func (p *Player) has(ctx context.Context, o order, kind evidence.CopyKind) (bool, error) {
	copies, err := p.Catalogue.Copies(ctx, o.Recording)
	for _, w := range copies {
		if w.Segment == o.Segment && w.Kind == kind {
			return true, nil
		}
	}
	return false, err
}

// closing closes a nameless file; nothing of it was to be kept.
func closing(ctx context.Context, log *slog.Logger, f *os.File) {
	if err := f.Close(); err != nil {
		log.WarnContext(ctx, "close scratch", "err", err)
	}
}
