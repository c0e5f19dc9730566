package dock

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"custos/camera"
	"custos/evidence"
)

// looked takes what is on a camera now.
func (m *Machine) looked(t Time, b *bay, r Result) {
	b.looking, b.looked = false, true
	b.nextLook = t.Since + m.cfg.Poll
	if r.err != nil {
		m.lookFailed(t, b, r.err)
		return
	}
	b.trouble = ""
	if b.card == nil {
		b.arrive(r)
	}
	b.left = r.listing.Left
	seen := make(map[string]bool, len(r.listing.Files))
	for _, found := range r.listing.Files {
		seen[found.Path] = true
		m.saw(t, b, found)
	}
	for name, f := range b.files {
		if seen[name] {
			continue
		}
		if f.busy {
			f.stale = f.step != wipingUp
			continue
		}
		delete(b.files, name)
	}
}

func (b *bay) arrive(r Result) {
	b.card, b.profile, b.docked = r.card, r.profile, r.docked
	b.device, b.officer = cmp.Or(r.docked.Device, r.label), r.docked.Officer
	b.files, b.gone, b.speed = map[string]*file{}, nil, speed{}
}

// saw takes one file of a listing.
func (m *Machine) saw(t Time, b *bay, found camera.Found) {
	f := b.files[found.Path]
	switch {
	case f == nil:
		b.files[found.Path] = &file{found: found, since: t.Since}
	case f.found.Stamp.Equal(found.Stamp):
	case f.busy:
		// The job finds out by itself; what it brings no longer counts.
		f.stale = f.step != wipingUp
		if f.stale {
			b.files[found.Path] = &file{found: found, since: t.Since}
		}
	default:
		b.files[found.Path] = &file{found: found, since: t.Since}
	}
}

// lookFailed is for a bay without a readable camera.
func (m *Machine) lookFailed(t Time, b *bay, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	b.trouble = ""
	if !errors.Is(err, errGone) && !errors.Is(err, fs.ErrNotExist) {
		b.trouble = "This camera cannot be read. Nothing was changed on it. Dock it again; if that does not help, have the card looked at."
		if evidence.CodeOf(err) == evidence.NotFound {
			b.trouble = evidence.MessageOf(err)
		}
		m.cfg.Log.Warn("a camera cannot be read", "err", err)
	}
	if b.card == nil {
		return
	}
	m.leave(b)
}

// leave forgets a camera that was unplugged. Jobs under way fail or their
// results are passed over; the journal knows how far each file had come.
func (m *Machine) leave(b *bay) {
	if err := b.card.Close(); err != nil {
		m.cfg.Log.Warn("close camera", "err", err)
	}
	b.card, b.profile, b.left = nil, nil, nil
	for _, f := range b.files {
		f.stale = true
	}
	b.files = map[string]*file{}
	b.nextLook = 0
}

// Close lets go of every camera. No job may be under way.
func (m *Machine) Close() {
	for _, b := range m.bays {
		if b.card != nil {
			m.leave(b)
		}
	}
}
