package dock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"custos/camera"
	"custos/evidence"
)

// Done takes a job's result. It fails only when the journal cannot be
// written; then the agent must stop.
func (m *Machine) Done(t Time, j *Job, r Result) error {
	if m.broken != nil {
		return m.broken
	}
	if j.kind == look {
		m.looked(t, j.bay, r)
		return nil
	}
	j.bay.inFlight--
	f := j.file
	f.busy = false
	if j.kind == wipe {
		return m.wiped(t, j, r.err)
	}
	if f.stale || j.card != j.bay.card {
		// Another docking, or another file under this name.
		if j.bay.files[f.found.Path] == f {
			delete(j.bay.files, f.found.Path)
		}
		return nil
	}
	if errors.Is(r.err, context.Canceled) {
		return nil
	}
	if errors.Is(r.err, errChanged) {
		m.changed(t, j.bay, f)
		return nil
	}
	switch j.kind {
	case hash:
		return m.hashed(t, j.bay, f, r)
	case announce:
		return m.announced(t, f, r)
	case send:
		return m.sent(t, f, r)
	default:
		return m.asked(t, f, r)
	}
}

// changed starts a file over: what is on the card now is a new file.
func (m *Machine) changed(t Time, b *bay, f *file) {
	delete(b.files, f.found.Path)
	b.nextLook = t.Since
}

func (m *Machine) hashed(t Time, b *bay, f *file, r Result) error {
	switch {
	case errors.Is(r.err, camera.ErrNotMedia):
		f.step, f.message = notMedia, camera.ErrNotMedia.Error()
		return nil
	case r.err != nil:
		m.cardFailed(t, f, r.err)
		return nil
	}
	f.reads = 0
	before := f.digest
	if !before.IsZero() && before != r.digest {
		if f.differs++; f.differs >= maxDiffers {
			f.fail("The card reads differently each time. The file stays on the camera. Copy the card by other means and replace it.")
			return nil
		}
	}
	f.item, f.digest = r.item, r.digest
	b.device, b.officer = r.item.Capture.Device, r.item.Capture.Officer
	f.item.Capture.Digest, f.item.Capture.DockedAt = r.digest, t.Wall.UTC()
	e := m.entry(f)
	if e == nil {
		f.to(announced)
		return m.write(t, f, hashed, func(rec *record) { c := f.item.Capture; rec.Capture = &c })
	}
	// Known bytes: what was measured when they were first touched stands.
	if e.capture.Digest == r.digest {
		f.item.Capture = e.capture
	}
	switch {
	case len(e.receipt) > 0:
		f.to(wipingUp)
	case e.upload != "":
		f.to(sending)
	default:
		f.to(announced)
	}
	return nil
}

// cardFailed is for a file that cannot be read or removed.
func (m *Machine) cardFailed(t Time, f *file, err error) {
	m.cfg.Log.Warn("a file cannot be read from its camera", "err", err)
	if f.reads++; f.reads < maxReads {
		m.retry(t, f, err, "This file cannot be read. It is tried again.")
		return
	}
	f.fail("This file cannot be read from the card. It stays on the camera; the others go on. Have the card looked at.")
}

// serverFailed is for a call that the server refused or that did not reach it.
func (m *Machine) serverFailed(t Time, f *file, err error) error {
	code := evidence.CodeOf(err)
	switch code {
	case evidence.Internal:
		m.cardFailed(t, f, err)
		return nil
	case evidence.NotFound:
		f.to(announced)
		m.retry(t, f, err, "The server has lost this upload. It begins again.")
		return m.write(t, f, lost, func(r *record) { r.Why = "unknown to the server" })
	case evidence.Full:
		m.reach = gate{}
		m.room.fail(m, t, err)
	case evidence.Unavailable, evidence.Unauthenticated, evidence.Denied:
		m.reach.fail(m, t, err)
		m.room.unanswered(t)
	case evidence.Invalid:
		m.retry(t, f, err, evidence.MessageOf(err))
		f.next = t.Since + slowRetry
		return nil
	}
	if f.tries++; code == evidence.Conflict {
		f.next = t.Since + m.cfg.Backoff.Wait(f.tries, err, m.cfg.Rand)
	}
	return nil
}

func (m *Machine) announced(t Time, f *file, r Result) error {
	if r.err != nil {
		return m.serverFailed(t, f, r.err)
	}
	m.reach, m.room = gate{}, gate{}
	f.to(sending)
	return m.write(t, f, uploaded, func(rec *record) { rec.Upload = r.upload })
}

func (m *Machine) sent(t Time, f *file, r Result) error {
	if r.err != nil {
		return m.serverFailed(t, f, r.err)
	}
	m.reach, m.room = gate{}, gate{}
	f.to(asking)
	return nil
}

func (m *Machine) asked(t Time, f *file, r Result) error {
	switch code := evidence.CodeOf(r.err); {
	case code == evidence.Corrupt:
		// The server got other bytes. Read the card again before blaming anyone.
		f.to(hashing)
		f.sent.Store(0)
		f.damaged++
		f.next = t.Since + m.cfg.Backoff.Wait(f.damaged, r.err, m.cfg.Rand)
		f.message = "The server received other bytes than were read. The file is read and sent again."
		if f.damaged >= maxReads {
			f.alarm = "The server keeps receiving other bytes than were read. The file stays on the camera. Have the dock's network and disk looked at."
		}
		return m.write(t, f, lost, func(rec *record) { rec.Why = "other bytes arrived" })
	case r.err != nil:
		return m.serverFailed(t, f, r.err)
	case r.note == nil:
		m.reach = gate{}
		f.next = t.Since + time.Second
		return nil
	}
	m.reach = gate{}
	if err := m.cfg.Check(r.note, f.item.Capture); err != nil {
		m.alarm(t, f, err)
		return nil
	}
	f.alarm = ""
	f.to(wipingUp)
	return m.write(t, f, received, func(rec *record) { rec.Receipt = string(r.note) })
}

// wiped takes the outcome of a removal, even when the camera has gone since.
func (m *Machine) wiped(t Time, j *Job, err error) error {
	f := j.file
	switch {
	case err == nil, errors.Is(err, errTidy):
		f.step = removed
		if err != nil {
			m.cfg.Log.Warn("a preview could not be removed", "err", err)
		}
		if j.bay.files[f.found.Path] == f {
			delete(j.bay.files, f.found.Path)
		}
		if j.card == j.bay.card {
			j.bay.gone = append(j.bay.gone, f)
		}
		return m.write(t, f, wiped, nil)
	case errors.Is(err, errChanged):
		if !f.stale {
			m.changed(t, j.bay, f)
		}
		return m.write(t, f, kept, func(r *record) { r.Why = "changed before it was removed" })
	}
	m.cfg.Log.Warn("a file could not be removed from its camera", "err", err)
	f.step, f.message = inVault, "This file is in the vault but cannot be removed from the card. Nothing is lost. Have the card looked at."
	return m.write(t, f, kept, func(r *record) { r.Why = fmt.Sprintf("%.200v", err) })
}
