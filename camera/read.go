package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"custos/evidence"
)

// Found is a file that lies where media lies and is called like media.
// Whether it is media, Inspect says.
type Found struct {
	Path  string
	Stamp Stamp
}

// Left is something that is not taken from a camera, and why, in words that
// complete "left on the camera: …". Path is quoted where it cannot be shown.
type Left struct {
	Path string
	Why  string
}

// Listing is one look over a camera, both lists sorted by path.
type Listing struct {
	Files []Found
	Left  []Left // at most MaxEntries
}

// Recognise picks the first profile whose conditions hold; label is the name
// of the folder where the camera is mounted. It fails with NotFound when none
// fits, and without a code when the camera cannot be read.
func (ps Profiles) Recognise(card Card, label string) (*Profile, error) {
	for _, p := range ps {
		ok, err := p.matches(card, label)
		if err != nil {
			return nil, fmt.Errorf("recognise camera: %w", err)
		}
		if ok {
			return p, nil
		}
	}
	return nil, evidence.Errorf(evidence.NotFound, "No profile fits this camera. Nothing was read or changed. Add a profile for its maker.")
}

func (p *Profile) matches(card Card, label string) (bool, error) {
	if p.Match.label != nil && !p.Match.label.MatchString(label) {
		return false, nil
	}
	for _, name := range p.Match.All {
		_, err := card.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	if len(p.Match.Any) == 0 {
		return true, nil
	}
	for _, g := range p.Match.Any {
		ok, err := exists(card, ".", strings.Split(g, "/"))
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// exists reports whether anything below dir fits the glob.
func exists(card Card, dir string, glob []string) (bool, error) {
	entries, _, err := card.ReadDir(dir, 1000)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if ok, _ := path.Match(strings.ToLower(glob[0]), strings.ToLower(e.Name)); !ok {
			continue
		}
		if len(glob) == 1 {
			return true, nil
		}
		if !e.Mode.IsDir() {
			continue
		}
		if ok, err := exists(card, path.Join(dir, e.Name), glob[1:]); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// List walks the camera once, reading names and stamps only. It fails when
// the context ends or the root cannot be read (unplugged); a folder below
// that cannot be read is in Left.
func (p *Profile) List(ctx context.Context, card Card) (Listing, error) {
	w := walk{profile: p, card: card, room: MaxEntries}
	if err := w.folder(ctx, ".", 0); err != nil {
		return Listing{}, err
	}
	slices.SortFunc(w.Files, func(a, b Found) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(w.Left, func(a, b Left) int { return strings.Compare(a.Path, b.Path) })
	return w.Listing, nil
}

type walk struct {
	Listing
	profile *Profile
	card    Card
	room    int // entries that may still be looked at
}

func (w *walk) leave(name, why string) {
	if !printable(name) {
		name = strconv.QuoteToASCII(name)
	}
	if len(name) > MaxPath {
		name = name[:MaxPath] + "…"
	}
	w.Left = append(w.Left, Left{name, why})
}

func (w *walk) folder(ctx context.Context, dir string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, more, err := w.card.ReadDir(dir, w.room)
	if err != nil {
		if dir == "." {
			return fmt.Errorf("read camera: %w", err)
		}
		w.leave(dir, "the folder cannot be read")
		return nil
	}
	w.room -= len(entries)
	if more {
		w.leave(dir, "there are too many files on this camera")
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if why := safePath(name); why != "" {
			w.leave(name, why)
			continue
		}
		switch {
		case e.Mode.IsDir() && depth+1 > MaxDepth:
			w.leave(name, "its folders are nested too deep")
		case e.Mode.IsDir():
			if err := w.folder(ctx, name, depth+1); err != nil {
				return err
			}
		case e.Mode&fs.ModeSymlink != 0:
			w.leave(name, "it is a link")
		case !e.Mode.IsRegular():
			w.leave(name, "it is not an ordinary file")
		case !slices.Contains(w.profile.Media.Extensions, extension(e.Name)):
			w.leave(name, "it is not media")
		case !w.profile.inMediaFolder(name):
			w.leave(name, "it does not lie where this maker's cameras keep media")
		case e.Stamp.Size == 0:
			w.leave(name, "it is empty: the camera made it and wrote nothing into it")
		default:
			w.Files = append(w.Files, Found{name, e.Stamp})
		}
	}
	return nil
}

func (p *Profile) inMediaFolder(name string) bool {
	if len(p.Media.Folders) == 0 {
		return true
	}
	var parts []string
	if dir := path.Dir(name); dir != "." {
		parts = strings.Split(strings.ToLower(dir), "/")
	}
	return slices.ContainsFunc(p.Media.Folders, func(g string) bool {
		if g == "." {
			return len(parts) == 0
		}
		return globMatch(strings.Split(strings.ToLower(g), "/"), parts)
	})
}

func globMatch(glob, parts []string) bool {
	for len(glob) > 0 {
		if glob[0] == "**" {
			for i := range len(parts) + 1 {
				if globMatch(glob[1:], parts[i:]) {
					return true
				}
			}
			return false
		}
		if len(parts) == 0 {
			return false
		}
		if ok, err := path.Match(glob[0], parts[0]); !ok || err != nil {
			return false
		}
		glob, parts = glob[1:], parts[1:]
	}
	return len(parts) == 0
}

// Docked is what is known of a camera as a whole from the moment it is docked.
type Docked struct {
	Device  string             // "" when the camera does not say
	Officer string             // "" when the camera does not say
	Offset  *evidence.Duration // device clock minus true clock; nil: not measured
	Notes   []string           // what could not be read, for people
}

// Examine reads the files that speak of the whole camera and measures its
// clock. appeared is when the dock saw the camera come, zero when it was
// already there. It fails only when the camera cannot be read at all.
func (p *Profile) Examine(card Card, appeared time.Time) Docked {
	var d Docked
	f := fields{}
	for _, s := range p.About {
		if err := f.sidecar(card, s, s.Path); err != nil {
			d.Notes = append(d.Notes, path.Base(s.Path)+" cannot be read")
		}
	}
	d.Device, d.Officer = f["device"], f["officer"]
	if p.Clock != nil {
		offset, err := p.measure(card, appeared)
		if err != nil && !errors.Is(err, errNoValue) {
			d.Notes = append(d.Notes, "the camera's clock could not be measured")
		}
		d.Offset = offset
	}
	return d
}

// measure is nil without an error when the camera carries no clock file.
func (p *Profile) measure(card Card, appeared time.Time) (*evidence.Duration, error) {
	c := p.Clock
	text, written, err := readSmall(card, c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	at := func(key string) (time.Time, error) {
		switch key {
		case "mtime":
			return written, nil
		case "docking":
			if appeared.IsZero() {
				return appeared, errNoValue
			}
			return appeared, nil
		}
		v, err := c.Format.value(text, key)
		if err != nil {
			return time.Time{}, err
		}
		t, ok := parseTime(v, c.Layouts, cmpZone(c.Zone, p.Zone))
		if !ok {
			return t, fmt.Errorf("not a time in any of the layouts")
		}
		return t, nil
	}
	device, err := at(c.Device)
	if err != nil {
		return nil, err
	}
	truth, err := at(c.True)
	if err != nil {
		return nil, err
	}
	offset := evidence.Duration(device.Round(0).Sub(truth.Round(0)).Milliseconds())
	return &offset, nil
}

func cmpZone(own, general string) string {
	if own != "" {
		return own
	}
	return general
}

// Item is one media file with everything its camera tells of it.
type Item struct {
	Capture    evidence.Capture // without Digest and DockedAt
	Companions []string         // derived files that go when the file goes
	Notes      []string         // what could not be read, for people
}

// ErrNotMedia is why a file that is called like media is left alone.
var ErrNotMedia = errors.New("its first bytes are not what its name says")

// Inspect reads the first bytes of an open media file, its name and its
// sidecars. label stands for the device where nothing else tells it. It fails
// with ErrNotMedia, or with the camera's own error when it cannot be read.
func (p *Profile) Inspect(card Card, f File, found Found, d Docked, label string) (Item, error) {
	head := make([]byte, headLength)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Item{}, fmt.Errorf("read camera: %w", err)
	}
	if !fits(extension(found.Path), head[:n]) {
		return Item{}, ErrNotMedia
	}
	values, about := p.fields(found.Path)
	var item Item
	for _, s := range p.Sidecars {
		name, ok := fill(s.Path, values)
		if !ok || safePath(name) != "" {
			continue
		}
		if s.Zone == "" {
			s.Zone = p.Zone
		}
		if err := about.sidecar(card, s, name); err != nil {
			item.Notes = append(item.Notes, path.Base(name)+" cannot be read")
		}
	}
	item.Capture = p.capture(about, found, d, label)
	for _, c := range p.Companions {
		name, ok := fill(c, values)
		// A group may hold anything: only a neighbour that is not media.
		if ok && safePath(name) == "" && path.Dir(name) == path.Dir(found.Path) &&
			!slices.Contains(p.Media.Extensions, extension(name)) {
			item.Companions = append(item.Companions, name)
		}
	}
	return item, nil
}

func (p *Profile) capture(about fields, found Found, d Docked, label string) evidence.Capture {
	c := evidence.Capture{
		Device: d.Device, Officer: d.Officer, Category: evidence.Category(about["category"]),
		FileName: found.Path, Group: about["group"], Offset: d.Offset,
		Length: found.Stamp.Size, Profile: p.Name,
		Started: found.Stamp.ModTime.UTC(), Source: "mtime",
	}
	if v := about["device"]; v != "" {
		c.Device = v
	}
	if c.Device == "" {
		c.Device = clean(label)
	}
	if v := about["officer"]; v != "" {
		c.Officer = v
	}
	if to, ok := p.Categories[about["category"]]; ok {
		c.Category = evidence.Category(to)
	}
	if n, err := strconv.Atoi(about["sequence"]); err == nil && n > 0 && n <= 1e9 {
		c.Sequence = n
	}
	if t, ok := parseTime(about["started"], []string{time.RFC3339Nano}, ""); ok {
		c.Started, c.Zone, c.Source = t, about["zone"], about["source"]
	}
	return c
}

// fields are cleaned values by name: device, officer, category, group,
// sequence; started in RFC 3339, with zone and source.
type fields map[string]string

// fields takes what the path tells. values are for templates.
func (p *Profile) fields(name string) (values map[string]string, f fields) {
	base := path.Base(name)
	values = map[string]string{"dir": path.Dir(name), "stem": strings.TrimSuffix(base, path.Ext(base))}
	f = fields{}
	for _, r := range p.Rules {
		m := r.pattern.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		groups := map[string]string{}
		for i, g := range r.pattern.SubexpNames() {
			if g != "" {
				groups[g] = m[i]
			}
		}
		for _, k := range []string{"device", "officer", "category", "group", "sequence"} {
			if v := clean(groups[k]); v != "" {
				f[k] = v
			}
		}
		started, ok := groups["started"], true
		if r.Started != "" {
			started, ok = fill(r.Started, groups)
		}
		if ok && len(r.Layouts) > 0 {
			f.started(started, r.Layouts, cmpZone(r.Zone, p.Zone), "name")
		}
		dir, stem := values["dir"], values["stem"]
		maps.Copy(values, groups)
		values["dir"], values["stem"] = dir, stem
		break
	}
	return values, f
}

func (f fields) started(s string, layouts []string, zone, source string) {
	if t, ok := parseTime(s, layouts, zone); ok {
		f["started"], f["zone"], f["source"] = t.Format(time.RFC3339Nano), zone, source
	}
}

// sidecar adds what a sidecar tells; a sidecar that is not there tells nothing.
func (f fields) sidecar(card Card, s Sidecar, name string) error {
	text, _, err := readSmall(card, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	keys := map[string]string{
		"device": s.Device, "officer": s.Officer, "category": s.Category,
		"group": s.Group, "sequence": s.Sequence, "started": s.Started,
	}
	var bad error
	for field, key := range keys {
		if key == "" {
			continue
		}
		v, err := s.Format.value(text, key)
		switch {
		case errors.Is(err, errNoValue):
		case err != nil:
			bad = err
		case field == "started":
			f.started(v, s.Layouts, s.Zone, "sidecar")
		case clean(v) != "":
			f[field] = clean(v)
		}
	}
	return bad
}

// readSmall reads a whole small file and when it was written.
func readSmall(card Card, name string) ([]byte, time.Time, error) {
	f, err := card.Open(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	text, stamp, err := readOpen(f)
	return text, stamp.ModTime, errors.Join(err, f.Close())
}

func readOpen(f File) ([]byte, Stamp, error) {
	stamp, err := f.Stamp()
	if err != nil {
		return nil, stamp, err
	}
	if stamp.Size > MaxSidecar {
		return nil, stamp, errors.New("the file is too large for what it should be")
	}
	text := make([]byte, stamp.Size)
	n, err := f.ReadAt(text, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text[:n], stamp, err
}
