package camera

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"custos/evidence"
)

// Profile tells how one maker's cameras are read. docs/dock.md describes the
// file; the comments here are its reference. Keys that are not listed are
// refused, so a misspelt key never silently loses a field.
type Profile struct {
	Name   string `toml:"name"`   // one lower-case word; a later profile of the same name replaces this one
	Title  string `toml:"title"`  // as people call these cameras
	Sure   Sure   `toml:"sure"`   // how well the layout is known
	Source string `toml:"source"` // where it is documented

	Match Match `toml:"match"` // how such a camera is recognised
	Media Media `toml:"media"` // what is read from it

	Zone       string            `toml:"zone"`       // IANA zone of times written without one; empty: UTC, and no zone is claimed
	Rules      []Rule            `toml:"rule"`       // what paths tell; the first that matches counts
	About      []Sidecar         `toml:"about"`      // files that speak of the whole camera
	Sidecars   []Sidecar         `toml:"sidecar"`    // files that speak of one media file; they win over names
	Clock      *Clock            `toml:"clock"`      // how the clock offset is measured; absent: it is not
	Categories map[string]string `toml:"categories"` // from the camera's word to the force's
	Companions []string          `toml:"companions"` // paths of files derived from a media file, removed after it; {dir}, {stem} and groups of the rule
}

// Sure says how well a layout is known.
type Sure string

// Degrees of certainty.
const (
	Published  Sure = "published"  // in the maker's own public documentation
	Observed   Sure = "observed"   // seen on real cards by others, not documented by the maker
	Convention Sure = "convention" // agreed here or locally; check with `custos-dock profile try`
)

// Match recognises a camera. Every condition given must hold; a profile with
// none takes any camera that no other profile wants.
type Match struct {
	All   []string `toml:"all"`   // paths that must all exist
	Any   []string `toml:"any"`   // globs of folders or files of which one must exist
	Label string   `toml:"label"` // regular expression over the volume label (the folder's name)

	label *regexp.Regexp
}

// Media says where media lies. Globs compare without regard to case; * stays
// within a name and ** stands for any number of folders.
type Media struct {
	Folders    []string `toml:"folders"`    // globs of folders; empty: anywhere
	Extensions []string `toml:"extensions"` // lower case, without the dot
}

// Rule takes fields from a path. Pattern is a regular expression (RE2) over
// the path from the camera's root; named groups device, officer, group,
// sequence, category and started become fields. Other groups serve Started
// and Companions.
type Rule struct {
	Pattern string   `toml:"pattern"`
	Started string   `toml:"started"` // template such as "{date}{time}"; empty: the group started
	Layouts []string `toml:"layouts"` // Go time layouts for it, or "unix"
	Zone    string   `toml:"zone"`    // overrides the profile's

	pattern *regexp.Regexp
}

// Sidecar takes fields from a file beside the media. Device and so on are key
// paths: JSON "a.b.0", XML "Root.Child.@attribute", INI "section.key" or
// "key", text a regular expression whose first group is the value.
type Sidecar struct {
	Path     string   `toml:"path"`   // {dir}, {stem} and groups of the rule may stand in it
	Format   Format   `toml:"format"` // json, xml, ini, text
	Device   string   `toml:"device"`
	Officer  string   `toml:"officer"`
	Category string   `toml:"category"`
	Group    string   `toml:"group"`
	Sequence string   `toml:"sequence"`
	Started  string   `toml:"started"`
	Layouts  []string `toml:"layouts"`
	Zone     string   `toml:"zone"`
}

// Clock measures the camera's clock: the offset is Device minus True. Each is
// a key path into the file, or one of the words "mtime" (when the file was
// written, by the camera's clock) and, for True only, "docking" (when the
// dock saw the camera appear, by the dock's clock; not measured when the
// camera was there before the agent).
type Clock struct {
	Path    string   `toml:"path"`
	Format  Format   `toml:"format"`
	Device  string   `toml:"device"`
	True    string   `toml:"true"`
	Layouts []string `toml:"layouts"`
	Zone    string   `toml:"zone"`
}

//go:embed profiles/*.toml
var shipped embed.FS

// Profiles are tried in order; the ones without conditions stand last.
type Profiles []*Profile

// Shipped are the profiles that come with the program.
func Shipped() (Profiles, error) {
	sub, err := fs.Sub(shipped, "profiles")
	if err != nil {
		return nil, fmt.Errorf("shipped profiles: %w", err)
	}
	return load(nil, sub)
}

// Load adds the *.toml files of a folder to the shipped profiles; one of the
// same name replaces a shipped one. A file that does not parse fails the whole
// call with Invalid: a dock must not guess.
func Load(dir string) (Profiles, error) {
	ps, err := Shipped()
	if err != nil || dir == "" {
		return ps, err
	}
	return load(ps, os.DirFS(dir))
}

func load(ps Profiles, fsys fs.FS) (Profiles, error) {
	names, err := fs.Glob(fsys, "*.toml")
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read profile: %w", err)
		}
		p, err := Parse(text)
		if err != nil {
			return nil, evidence.Wrap(evidence.Invalid, err, "the camera profile "+path.Base(name)+" cannot be used")
		}
		ps = slices.DeleteFunc(ps, func(q *Profile) bool { return q.Name == p.Name })
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b *Profile) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a.Name, b.Name))
	})
	return ps, nil
}

// order puts particular profiles before the ones that take anything.
func order(p *Profile) int {
	if p.Match.empty() {
		return 1
	}
	return 0
}

func (m Match) empty() bool { return len(m.All) == 0 && len(m.Any) == 0 && m.Label == "" }

// Parse reads one profile file. It fails with Invalid and a sentence that
// names the key.
func Parse(text []byte) (*Profile, error) {
	p := new(Profile)
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return nil, evidence.Errorf(evidence.Invalid, "there is no such key: %s", strings.Join(strict.Errors[0].Key(), "."))
		}
		return nil, evidence.Wrap(evidence.Invalid, err, "this is not a TOML file")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

var profileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (p *Profile) check() error {
	bad := func(format string, args ...any) error { return evidence.Errorf(evidence.Invalid, format, args...) }
	switch {
	case !profileName.MatchString(p.Name):
		return bad("name must be one lower-case word of at most 32 letters, digits and hyphens")
	case p.Title == "" || p.Source == "":
		return bad("title and source must be given")
	case !slices.Contains([]Sure{Published, Observed, Convention}, p.Sure):
		return bad("sure must be published, observed or convention")
	case len(p.Media.Extensions) == 0:
		return bad("media.extensions must name at least one extension")
	}
	for _, e := range p.Media.Extensions {
		if !known(e) {
			return bad("media.extensions: %q is not a kind of media this program can recognise", e)
		}
	}
	var err error
	if p.Match.Label != "" {
		if p.Match.label, err = expression(p.Match.Label); err != nil {
			return bad("match.label: %v", err)
		}
	}
	if err := zone(p.Zone); err != nil {
		return bad("zone: %v", err)
	}
	groups := []string{"dir", "stem"}
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.pattern, err = expression(r.Pattern); err != nil {
			return bad("rule %d: pattern: %v", i+1, err)
		}
		names := r.pattern.SubexpNames()
		groups = append(groups, names...)
		if err := cmp.Or(zone(r.Zone), placeholders(r.Started, names)); err != nil {
			return bad("rule %d: %v", i+1, err)
		}
		if (r.Started != "" || slices.Contains(names, "started")) != (len(r.Layouts) > 0) {
			return bad("rule %d: started and layouts go together", i+1)
		}
	}
	for i, s := range p.About {
		if err := s.check(nil); err != nil {
			return bad("about %d: %v", i+1, err)
		}
	}
	for i, s := range p.Sidecars {
		if err := s.check(groups); err != nil {
			return bad("sidecar %d: %v", i+1, err)
		}
	}
	for i, c := range p.Companions {
		if err := companion(c, groups, p.Media.Extensions); err != nil {
			return bad("companions %d: %v", i+1, err)
		}
	}
	if p.Clock != nil {
		if err := p.Clock.check(); err != nil {
			return bad("clock: %v", err)
		}
	}
	return p.globs(bad)
}

func (p *Profile) globs(bad func(string, ...any) error) error {
	for _, g := range slices.Concat(p.Media.Folders, p.Match.Any) {
		for part := range strings.SplitSeq(g, "/") {
			if _, err := path.Match(part, ""); err != nil || part == "" {
				return bad("%q is not a glob", g)
			}
		}
	}
	for _, m := range p.Match.All {
		if !fs.ValidPath(m) {
			return bad("match.all: %q is not a plain path", m)
		}
	}
	return nil
}

func (s Sidecar) check(groups []string) error {
	if err := cmp.Or(s.Format.check(), zone(s.Zone), placeholders(s.Path, groups)); err != nil {
		return err
	}
	if !fs.ValidPath(s.Path) {
		return fmt.Errorf("path %q is not a plain path", s.Path)
	}
	if (s.Started != "") != (len(s.Layouts) > 0) {
		return errors.New("started and layouts go together")
	}
	for _, key := range []string{s.Device, s.Officer, s.Category, s.Group, s.Sequence, s.Started} {
		if err := s.Format.checkKey(key); err != nil {
			return err
		}
	}
	return nil
}

func (c *Clock) check() error {
	switch {
	case !fs.ValidPath(c.Path):
		return fmt.Errorf("path %q is not a plain path", c.Path)
	case c.Device == "" || c.True == "" || c.Device == "docking" || c.Device == c.True:
		return errors.New("device and true must be two different things, and device cannot be docking")
	}
	if err := cmp.Or(c.Format.check(), zone(c.Zone)); err != nil {
		return err
	}
	for _, k := range []string{c.Device, c.True} {
		if k == "mtime" || k == "docking" {
			continue
		}
		if err := c.Format.checkKey(k); err != nil {
			return err
		}
		if len(c.Layouts) == 0 {
			return errors.New("layouts must be given")
		}
	}
	return nil
}

// companion refuses a template that could ever name a media file: what is not
// in the vault must not be reachable by a rule that removes.
func companion(c string, groups, media []string) error {
	if err := placeholders(c, groups); err != nil {
		return err
	}
	ext := extension(c)
	if !strings.HasPrefix(c, "{dir}/") || !fs.ValidPath(c) || strings.Count(c, "/") != 1 {
		return fmt.Errorf("%q must be in the media file's own folder: {dir}/NAME", c)
	}
	if ext == "" || strings.ContainsAny(ext, "{}") || slices.Contains(media, ext) {
		return fmt.Errorf("%q must have a fixed extension that is not one of media", c)
	}
	return nil
}

func expression(s string) (*regexp.Regexp, error) {
	if s == "" || len(s) > 1000 {
		return nil, errors.New("a regular expression has 1 to 1000 characters")
	}
	return regexp.Compile(s)
}

func zone(name string) error {
	if name == "Local" {
		return errors.New("a zone must be named, not Local")
	}
	_, err := time.LoadLocation(name)
	return err
}

var placeholder = regexp.MustCompile(`\{([a-z]*)\}`)

func placeholders(template string, groups []string) error {
	for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
		if m[1] == "" || !slices.Contains(groups, m[1]) {
			return fmt.Errorf("%s: there is no group of that name", m[0])
		}
	}
	return nil
}

// fill puts values into a template; ok is false when one is missing.
func fill(template string, values map[string]string) (s string, ok bool) {
	ok = true
	s = placeholder.ReplaceAllStringFunc(template, func(m string) string {
		v, found := values[m[1:len(m)-1]]
		ok = ok && found
		return v
	})
	return s, ok
}
