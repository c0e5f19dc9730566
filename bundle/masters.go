package bundle

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"custos/evidence"
	"custos/tlog"
)

// filesOf are the masters of one recording that metadata.json names.
func (v *verifier) filesOf(id evidence.ID) []file {
	var out []file
	for _, f := range v.metadata.Files {
		if f.Recording == id {
			out = append(out, f)
		}
	}
	return out
}

// checkComplete looks for the disclosure of this bundle at the end.
func (v *verifier) checkComplete(h *History) {
	id := string(h.Recording)
	if len(h.Events) == 0 {
		v.add("complete", id, Failed, "The history is empty.")
		return
	}
	var masters []Master
	for _, f := range v.filesOf(h.Recording) {
		masters = append(masters, Master{Segment: f.Segment, Digest: f.Digest, Length: f.Length})
	}
	last := h.Events[len(h.Events)-1]
	want := append([]evidence.Field{
		evidence.F("verb", string(evidence.Disclose)),
		evidence.F("phase", string(evidence.Intent)),
	}, Commit(v.metadata.Bundle, masters)...)
	for _, f := range want {
		if got, ok := last.Get(f.Name); ok && got == f.Value {
			continue
		}
		if f.Name == MastersField {
			v.add("complete", id, Failed, "The disclosure was recorded for other masters than those in the bundle: one was left out, added or changed.")
		} else {
			v.add("complete", id, Failed, "The history does not end with the disclosure of this bundle: what came last was left out (%s).", f.Name)
		}
		return
	}
	v.add("complete", id, Proven, "The last event is the disclosure of this very bundle with these masters: nothing before it was left out.")
}

// collections are the completed collections of a history by segment.
func collections(h *History) map[int][]tlog.Opening {
	out := map[int][]tlog.Opening{}
	for _, e := range h.Events {
		verb, _ := e.Get("verb")
		phase, _ := e.Get("phase")
		if verb != string(evidence.Collect) || phase != string(evidence.Outcome) {
			continue
		}
		s, _ := e.Get("segment")
		n, err := strconv.Atoi(s)
		if err != nil {
			n = 0 // no master has this number, and the segment is missed
		}
		out[n] = append(out[n], e)
	}
	return out
}

// checkMasters holds the masters of a recording against its collections.
func (v *verifier) checkMasters(h *History) {
	collected := collections(h)
	files := v.filesOf(h.Recording)
	for _, f := range files {
		v.checkMaster(f, collected[f.Segment])
		delete(collected, f.Segment)
	}
	v.report.Recordings[len(v.report.Recordings)-1].Masters = len(files)
	for _, n := range slices.Sorted(maps.Keys(collected)) {
		v.add("scope", string(h.Recording), NotProven, "Segment %d of this recording was collected as well and is not in the bundle.", n)
	}
}

func (v *verifier) checkMaster(f file, collected []tlog.Opening) {
	s := v.seen[f.Path]
	at := ""
	for _, e := range collected {
		digest, _ := e.Get("sha256")
		length, _ := e.Get("length")
		if digest != f.Digest.String() || length != strconv.FormatInt(f.Length, 10) {
			v.add("masters", f.Path, Failed, "Other bytes were collected from the camera than the bundle says: the history has SHA-256 %s.", digest)
			return
		}
		at, _ = e.Get("at")
	}
	switch {
	case len(collected) == 0:
		v.add("masters", f.Path, Failed, "The history does not say that this file was ever collected.")
	case s == nil || s.err != nil:
		v.add("masters", f.Path, Failed, "The master is missing or cannot be read.")
	case f.Sealed:
		v.add("masters", f.Path, NotProven, "The master is sealed for its receiver. Once decrypted, its SHA-256 must be %s.", f.Digest)
	case s.digest != f.Digest || s.length != f.Length:
		v.add("masters", f.Path, Failed, "This is not the file that was collected from the camera: its SHA-256 is %s and should be %s.", s.digest, f.Digest)
	default:
		v.add("masters", f.Path, Proven, "These are the bytes that were collected (%s): SHA-256 %s.", at, f.Digest)
	}
}

// checkMetadata holds metadata.json against the files and the events.
func (v *verifier) checkMetadata() {
	v.group("metadata", "", func() {
		v.checkFileList()
		histories := map[evidence.ID]*History{}
		for i := range v.custody.histories {
			h := &v.custody.histories[i]
			if histories[h.Recording] != nil {
				v.add("metadata", string(h.Recording), Failed, "The history of this recording is in the bundle twice.")
			}
			histories[h.Recording] = h
		}
		for _, f := range v.metadata.Files {
			if histories[f.Recording] == nil {
				v.add("masters", f.Path, Failed, "There is no history of this file's recording: nothing shows where it comes from.")
			}
		}
		described := map[evidence.ID]bool{}
		for _, r := range v.metadata.Recordings {
			h := histories[r.ID]
			if h == nil || described[r.ID] {
				v.add("metadata", string(r.ID), Failed, "The recording is described twice, or without a history.")
				continue
			}
			described[r.ID] = true
			v.checkRecording(r, h)
			v.checkDisclosure(r.ID, h)
		}
		for id := range histories {
			if !described[id] {
				v.add("metadata", string(id), Failed, "There is a history of a recording that is not described.")
			}
		}
		if b, ok := v.read("metadata", bagInfoFile, maxText); ok && bagInfoValue(b, "External-Identifier") != string(v.metadata.Bundle) {
			v.add("metadata", bagInfoFile, Failed, "The file names another bundle than metadata.json.")
		}
	}, "The description agrees with the files and with what is recorded of them. Officer, category and times in it are the force's word.")
}

// checkFileList compares the files that are described with those that are here.
func (v *verifier) checkFileList() {
	described := map[string]bool{}
	for _, f := range v.metadata.Files {
		switch _, listed := v.payload[f.Path]; {
		case described[f.Path] || f.Path != masterPath(f.Recording, f.Segment, f.FileName, f.Sealed):
			v.add("metadata", f.Path, Failed, "The master is described twice, or under a name that is not its own.")
		case !listed:
			v.add("metadata", f.Path, Failed, "A master is described that is not in the bundle.")
		}
		described[f.Path] = true
	}
	for _, name := range v.payload.paths() {
		if !described[name] {
			v.add("metadata", name, Failed, "The file is not described: nothing says what it is.")
		}
	}
}

func (v *verifier) checkRecording(r Recording, h *History) {
	for i := range v.report.Recordings {
		if row := &v.report.Recordings[i]; row.Recording == r.ID {
			row.Device, row.StartedAt = r.Device, r.StartedAt
		}
	}
	collected := collections(h)
	for _, f := range v.filesOf(r.ID) {
		events := collected[f.Segment]
		if !says(events, "file_name", f.FileName) {
			v.add("metadata", f.Path, Failed, "The file had another name on the camera than the bundle says.")
		}
		if !says(events, "device", r.Device) {
			v.add("metadata", f.Path, Failed, "The file was collected from another camera than the bundle says.")
		}
		for _, s := range r.Segments {
			if s.Number == f.Segment && (s.Digest != f.Digest || s.Length != f.Length || s.FileName != f.FileName) {
				v.add("metadata", f.Path, Failed, "The master is described in two ways that contradict each other.")
			}
		}
	}
}

// checkDisclosure holds what the bundle says of its own making against the
// last event, which is the intent to make it; see checkComplete for whether it
// is. A field that is withheld there cannot be compared.
func (v *verifier) checkDisclosure(id evidence.ID, h *History) {
	if len(h.Events) == 0 {
		return
	}
	intent := h.Events[len(h.Events)-1]
	m := v.metadata
	for _, f := range []struct{ name, value, what string }{
		{"recipient", m.Recipient, "for somebody else"},
		{"purpose", m.Purpose.Code, "for another purpose"},
		{"reference", m.Purpose.Reference, "under another reference"},
		{"note", m.Purpose.Note, "with another note"},
		{"actor_name", m.MadeBy, "by somebody else"},
		{"force", m.Force, "by another force"},
	} {
		i := slices.IndexFunc(intent.Fields, func(o tlog.OpenField) bool { return o.Name == f.name })
		switch {
		case i < 0 && (f.value == "" || f.name == "force" || f.name == "actor_name"): // nothing was recorded of it
		case i < 0 || intent.Fields[i].Value != nil && *intent.Fields[i].Value != f.value:
			v.add("metadata", string(id), Failed, "The bundle says that it was made %s than its disclosure was recorded with.", f.what)
		}
	}
}

// says tells whether one of the events has this value, or withholds it.
func says(events []tlog.Opening, name, value string) bool {
	open := false
	for _, e := range events {
		got, ok := e.Get(name)
		if ok && got == value {
			return true
		}
		open = open || ok
	}
	return !open
}

// checkView tells whether view.html shows what the bag's other files say, by
// the viewer of this release.
func (v *verifier) checkView() {
	b, ok := v.read("viewer", viewFile, maxJSON)
	if !ok {
		return
	}
	before, rest, ok := strings.Cut(string(b), dataOpen)
	data, after, ok2 := strings.Cut(rest, dataClose)
	var shown view
	if !ok || !ok2 || parseJSON([]byte(data), &shown) != nil {
		v.add("viewer", viewFile, Failed, "The viewer holds no data that can be read.")
		return
	}
	want := view{v.metadata, v.custody.histories, string(v.custody.checkpointText), v.report.LogKey}
	same, err := want.equal(shown)
	switch {
	case err != nil || !same:
		v.add("viewer", viewFile, Failed, "The viewer shows something else than the bundle's files say. Do not use it.")
	case before+dataOpen+"null"+dataClose+after != viewTemplate:
		v.add("viewer", viewFile, NotProven, "The viewer's data are right. Its program is not the one of this release of custos-verify: made by another release, or altered.")
	default:
		v.add("viewer", viewFile, Proven, "The viewer is the one of this release and shows what the bundle's files say.")
	}
}

// equal compares what two viewers show.
func (v view) equal(o view) (bool, error) {
	a, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	b, err := json.Marshal(o)
	return string(a) == string(b), err
}
