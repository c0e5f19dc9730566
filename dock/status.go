package dock

import (
	"strings"
	"time"

	"custos/evidence"
)

// maxCurrent is how many files of a camera a status names.
const maxCurrent = 20

// speed measures bytes a second over the last seconds.
type speed struct {
	at   [6]time.Duration
	sent [6]int64
	n    int
}

func (s *speed) rate(at time.Duration, sent int64) int64 {
	last := (s.n + len(s.at) - 1) % len(s.at)
	if s.n == 0 || at-s.at[last] >= time.Second {
		s.at[s.n%len(s.at)], s.sent[s.n%len(s.at)] = at, sent
		s.n++
	}
	oldest := 0
	if s.n > len(s.at) {
		oldest = s.n % len(s.at)
	}
	took := (at - s.at[oldest]).Seconds()
	if took < 0.5 {
		return 0
	}
	return max(0, int64(float64(sent-s.sent[oldest])/took))
}

// Status is how all cameras are. Name, Version and Dock are left to the caller.
func (m *Machine) Status(t Time) evidence.DockStatus {
	s := evidence.DockStatus{At: t.Wall.UTC(), Cameras: []evidence.CameraStatus{}}
	for _, b := range m.order() {
		if b.card != nil || b.trouble != "" || b.device != "" {
			c := m.camera(t, b)
			if c.State == evidence.CameraWaiting {
				s.Message = c.Message // only while somebody waits: else nobody knows
			}
			s.Cameras = append(s.Cameras, c)
		}
	}
	if m.broken != nil {
		s.Message = evidence.MessageOf(m.broken)
	}
	return s
}

func (m *Machine) camera(t Time, b *bay) evidence.CameraStatus {
	c := evidence.CameraStatus{Device: b.device, Officer: b.officer, LeftOver: len(b.left), State: evidence.CameraGone}
	if b.card == nil {
		if b.trouble != "" {
			c.State, c.Message = evidence.CameraProblem, b.trouble
		}
		return c
	}
	c.Profile = b.profile.Name
	for _, f := range b.gone {
		c.Files++
		c.Done++
		c.Wiped++
		c.Bytes += f.found.Stamp.Size
		c.Sent += f.found.Stamp.Size
	}
	var problem, alarm string
	busy := map[step]int{}
	waiting := 0
	for _, f := range b.sorted() {
		if f.step == notMedia {
			c.LeftOver++
			continue
		}
		c.Files++
		c.Bytes += f.found.Stamp.Size
		switch {
		case f.step == wipingUp || f.step == inVault:
			c.Done++
			c.Sent += f.found.Stamp.Size
		default:
			c.Sent += min(f.sent.Load(), f.found.Stamp.Size)
		}
		if f.busy || f.step == growing {
			busy[f.step]++
		}
		switch {
		case f.alarm != "":
			alarm = f.alarm
		case f.step == stuck || f.step == inVault:
			problem = f.message
		case !f.busy && f.step != growing:
			waiting++
		}
		if (f.busy || f.alarm != "" || f.step == stuck || f.step == inVault || f.message != "") && len(c.Current) < maxCurrent {
			c.Current = append(c.Current, f.status())
		}
	}
	c.Rate = b.speed.rate(t.Since, c.Sent)
	c.State, c.Message = m.state(b, busy, waiting, alarm, problem)
	return c
}

func (m *Machine) state(b *bay, busy map[step]int, waiting int, alarm, problem string) (evidence.CameraState, string) {
	held := m.reach.err
	if held == nil {
		held = m.room.err
	}
	switch {
	case alarm != "":
		return evidence.CameraProblem, alarm
	case held != nil && waiting+busy[sending]+busy[announced]+busy[asking] > 0:
		return evidence.CameraWaiting, evidence.MessageOf(held)
	case busy[sending]+busy[announced]+busy[asking]+busy[wipingUp] > 0:
		return evidence.CameraUploading, ""
	case waiting+busy[growing]+busy[hashing] > 0:
		return evidence.CameraReading, ""
	case problem != "":
		return evidence.CameraProblem, problem
	}
	return evidence.CameraReady, b.notes()
}

// notes are what people should know of a camera that is ready.
func (b *bay) notes() string {
	notes := append([]string(nil), b.docked.Notes...)
	empty := 0
	for _, l := range b.left {
		if strings.HasPrefix(l.Why, "it is empty") {
			empty++
		}
	}
	if empty > 0 {
		notes = append(notes, "there are empty files: the camera made them and wrote nothing into them")
	}
	return strings.Join(notes, "; ")
}

func (f *file) status() evidence.FileStatus {
	s := evidence.FileStatus{Name: f.found.Path, Length: f.found.Stamp.Size, Sent: f.sent.Load(), Message: f.message, State: "waiting"}
	if f.alarm != "" {
		s.Message, s.State = f.alarm, "problem"
		return s
	}
	switch {
	case f.step == stuck || f.step == inVault:
		s.State = "problem"
	case !f.busy:
	case f.step == hashing:
		s.State = "hashing"
	case f.step == sending || f.step == announced:
		s.State = "uploading"
	case f.step == asking:
		s.State = "receipt"
	case f.step == wipingUp:
		s.State = "wiping"
	}
	return s
}

// Settled reports whether nothing is left to do by itself: every bay has been
// looked at and every file is wiped, or stays where it is for good.
func (m *Machine) Settled() bool {
	for _, b := range m.bays {
		if !b.looked {
			return false
		}
		for _, f := range b.files {
			if f.busy || f.step != inVault && f.step != notMedia && f.step != stuck {
				return false
			}
		}
	}
	return m.began
}

// Well reports whether every camera of a status is ready or gone.
func Well(s evidence.DockStatus) bool {
	for _, c := range s.Cameras {
		if c.State != evidence.CameraReady && c.State != evidence.CameraGone {
			return false
		}
	}
	return s.Message == ""
}
