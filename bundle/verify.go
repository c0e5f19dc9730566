package bundle

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"custos/evidence"
)

// Options of Verify.
type Options struct {
	LogKey     string                  // pinned note verifier key of the log, "" = none
	ReceiptKey string                  // likewise of receipts
	Newer      []byte                  // a later checkpoint of the log, nil = none
	Policy     []byte                  // whose cosignatures are enough: a C2SP tlog-policy; nil = none
	TimeRoots  []byte                  // certificates of timestamp authorities, PEM; nil = none
	Progress   func(done, total int64) // bytes hashed; called from one goroutine at a time; nil = none
}

// Largest files that are read into memory: what a hostile bag can make the
// verifier hold.
const (
	maxText = 64 << 20
	maxJSON = 512 << 20
)

// Verify checks everything in a bag, however broken or hostile it is, and
// names each thing that is wrong in its report. It fails only when ctx ends,
// with Invalid when an option cannot be read, and with NotFound when fsys
// cannot be read at all. fsys must not follow links out of the bag: use
// os.Root.FS.
func Verify(ctx context.Context, fsys fs.FS, opt Options) (Report, error) {
	v := &verifier{ctx: ctx, fsys: fsys, opt: opt, found: map[string]int64{}, seen: map[string]*seen{}}
	if err := cmp.Or(v.custody.pin(opt), v.outside.read(opt)); err != nil {
		return Report{}, err
	}
	if err := v.walk(); err != nil {
		return Report{}, err
	}
	if v.manifests() {
		if err := v.hashAll(); err != nil {
			return Report{}, err
		}
		v.compare()
		v.structure()
	}
	v.checkCustody()
	v.checkView()
	v.checkWitnesses()
	v.checkTimestamps()
	return v.report, ctx.Err()
}

// verifier is one run of Verify.
type verifier struct {
	ctx      context.Context
	fsys     fs.FS
	opt      Options
	report   Report
	found    map[string]int64 // regular files and their lengths
	payload  manifest
	tags     manifest
	seen     map[string]*seen // what hashing found
	metadata metadata
	custody  custody
	outside  outside
}

// seen is a file as it was read.
type seen struct {
	length int64
	digest evidence.Digest
	chunks []evidence.Digest // of files under data/
	err    error
}

func (v *verifier) add(name, subject string, state State, format string, args ...any) {
	v.report.Checks = append(v.report.Checks, Check{Name: name, Subject: subject, State: state, Says: fmt.Sprintf(format, args...)})
}

// group adds one proven check unless f adds failed ones.
func (v *verifier) group(name, subject string, f func(), format string, args ...any) {
	before := len(v.report.Failed())
	f()
	if len(v.report.Failed()) == before {
		v.add(name, subject, Proven, format, args...)
	}
}

// walk lists the files.
func (v *verifier) walk() error {
	return fs.WalkDir(v.fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if ctxErr := v.ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		if name == "." && (err != nil || !e.IsDir()) {
			return evidence.Wrap(evidence.NotFound, errors.Join(err), "There is no folder to read there.")
		}
		if err != nil {
			v.add("bag", name, Failed, "This cannot be read: the medium is damaged or access is denied.")
			return nil
		}
		if e.IsDir() {
			return nil
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			v.add("bag", name, Failed, "This is not an ordinary file. A bundle holds nothing else.")
			return nil
		}
		v.found[name] = info.Size()
		return nil
	})
}

// manifests reads both manifests; without them nothing else can be looked at.
func (v *verifier) manifests() bool {
	for name, m := range map[string]*manifest{manifestFile: &v.payload, tagManifestFile: &v.tags} {
		b, ok := v.read("bag", name, maxText)
		if !ok {
			continue
		}
		parsed, err := parseManifest(b)
		if err != nil {
			v.add("bag", name, Failed, "The list of files cannot be read: %s.", evidence.MessageOf(err))
			continue
		}
		*m = parsed
	}
	return v.payload != nil && v.tags != nil
}

// read gets a whole file, or says why not.
func (v *verifier) read(check, name string, limit int64) ([]byte, bool) {
	size, ok := v.found[name]
	if !ok {
		v.add(check, name, Failed, "The file is missing.")
		return nil, false
	}
	if size > limit {
		v.add(check, name, Failed, "The file is far larger than it can be.")
		return nil, false
	}
	f, err := v.fsys.Open(name)
	if err != nil {
		v.add(check, name, Failed, "The file cannot be read.")
		return nil, false
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err = errors.Join(err, f.Close()); err != nil {
		v.add(check, name, Failed, "The file cannot be read: the medium is damaged.")
		return nil, false
	}
	return b, true
}

// hashAll reads every listed file once, several at a time, long ones first so
// that none is left alone at the end.
func (v *verifier) hashAll() error {
	var names []string
	var total int64
	for name, size := range v.found {
		if name != tagManifestFile {
			names = append(names, name)
			total += size
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := v.found[b] - v.found[a]; d != 0 {
			return int(d>>63 | 1)
		}
		return strings.Compare(a, b)
	})
	var mu sync.Mutex // guards done, v.seen and calls of Progress
	var done int64
	progress := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		if done += int64(n); v.opt.Progress != nil {
			v.opt.Progress(done, total)
		}
	}
	work := make(chan string)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			buffer := make([]byte, chunkSize)
			for name := range work {
				s := v.hash(name, buffer, progress)
				mu.Lock()
				v.seen[name] = s
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		work <- name
	}
	close(work)
	wg.Wait()
	v.report.Files, v.report.Bytes = len(v.found), done
	return v.ctx.Err()
}

func (v *verifier) hash(name string, buffer []byte, progress func(int)) *seen {
	s := &seen{}
	var each func(evidence.Digest)
	if strings.HasPrefix(name, "data/") {
		each = func(d evidence.Digest) { s.chunks = append(s.chunks, d) }
	}
	f, err := v.fsys.Open(name)
	if err != nil {
		s.err = err
		return s
	}
	h := newFileHash(each)
	// Hiding the file's other methods keeps io from copying past the buffer.
	in := struct{ io.Reader }{&source{v.ctx, f}}
	_, err = io.CopyBuffer(io.MultiWriter(h, counting(progress)), in, buffer)
	s.err = errors.Join(err, f.Close())
	s.digest, s.length = h.sum(), h.length
	return s
}

// counting is told the lengths of writes.
type counting func(int)

func (c counting) Write(p []byte) (int, error) {
	c(len(p))
	return len(p), nil
}

// compare holds what was read against the manifests.
func (v *verifier) compare() {
	v.group("files", "", func() {
		for _, m := range []manifest{v.payload, v.tags} {
			for _, name := range m.paths() {
				s := v.seen[name]
				switch {
				case s == nil: // missing: named by structure
				case s.err != nil:
					v.add("files", name, Failed, "The file cannot be read to its end: the medium is damaged.")
				case s.digest != m[name]:
					v.add("files", name, Failed, "The file was changed or damaged after the bundle was made: its SHA-256 is not the one in the manifest.")
				}
			}
		}
	}, "Every one of %d files has the SHA-256 of its manifest.", len(v.payload)+len(v.tags))
	v.group("chunks", "", v.compareChunks, "Every chunk list fits its file.")
}

func (v *verifier) compareChunks() {
	for _, name := range v.payload.paths() {
		var list chunkList
		s := v.seen[name]
		if s == nil || s.err != nil || !v.readJSON("chunks", chunkPath(name), &list) {
			continue
		}
		if list.File != name || list.ChunkSize != chunkSize {
			v.add("chunks", chunkPath(name), Failed, "The chunk list is not one of this file.")
			continue
		}
		if list.Length == s.length && slices.Equal(list.SHA256, s.chunks) {
			continue
		}
		var where []string
		for i := range max(len(list.SHA256), len(s.chunks)) {
			if i >= len(list.SHA256) || i >= len(s.chunks) || list.SHA256[i] != s.chunks[i] {
				where = append(where, fmt.Sprint(i+1))
			}
		}
		v.add("chunks", name, Failed, "The file has %d bytes, its chunk list %d. They differ in MiB number %s.", s.length, list.Length, some(where))
	}
}

// some lists the first few of many.
func some(all []string) string {
	if len(all) > 12 {
		return strings.Join(all[:12], ", ") + fmt.Sprintf(" and %d more", len(all)-12)
	}
	return strings.Join(all, ", ")
}

// structure checks which files there are.
func (v *verifier) structure() {
	v.group("bag", "", func() {
		for name := range v.payload {
			if !strings.HasPrefix(name, "data/") {
				v.add("bag", name, Failed, "The file is listed as a master and lies outside the folder data.")
			}
		}
		for _, name := range slices.Concat(v.payload.paths(), v.tags.paths()) {
			if _, ok := v.found[name]; !ok {
				v.add("bag", name, Failed, "The file is missing.")
			}
		}
		v.foreign()
		for _, name := range []string{bagitFile, bagInfoFile, readmeFile, viewFile, metadataFile, manifestFile, eventsFile, checkpointFile, logKeyFile} {
			if _, ok := v.tags[name]; !ok {
				v.add("bag", name, Failed, "The file is not in the list of files, and every bundle has it.")
			}
		}
		if b, ok := v.read("bag", bagitFile, maxText); ok && !bytes.Equal(b, []byte(bagit)) {
			v.add("bag", bagitFile, Failed, "The file does not say that this is a BagIt bag, version 1.0, in UTF-8.")
		}
		v.checkOxum()
	}, "Nothing is missing and nothing was added: %d files.", len(v.found))
}

// foreign names files that no manifest lists, and those that no bag has.
func (v *verifier) foreign() {
	chunks := map[string]bool{}
	for name := range v.payload {
		chunks[chunkPath(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(v.found)) {
		_, payload := v.payload[name]
		_, tag := v.tags[name]
		switch {
		case name == tagManifestFile:
		case !payload && !tag:
			v.add("bag", name, Failed, "The file is not in the list of files: it was added after the bundle was made.")
		case tag && !knownTag(name) && !chunks[name]:
			v.add("bag", name, Failed, "No bundle has a file of this name.")
		}
	}
}

func knownTag(name string) bool {
	switch name {
	case bagitFile, bagInfoFile, readmeFile, viewFile, metadataFile, manifestFile, eventsFile, checkpointFile, logKeyFile, receiptKeyFile:
		return true
	}
	if t, ok := strings.CutPrefix(name, stampFolder); ok {
		return !strings.Contains(t, "/") && strings.HasSuffix(t, ".tsr")
	}
	return strings.HasPrefix(name, proofFolder) // counted with the events
}

func (v *verifier) checkOxum() {
	var octets int64
	for name := range v.payload {
		octets += v.found[name]
	}
	b, ok := v.read("bag", bagInfoFile, maxText)
	if want := oxum(octets, len(v.payload)); ok && bagInfoValue(b, "Payload-Oxum") != want {
		v.add("bag", bagInfoFile, Failed, "The bundle says that it has other bytes and files than it has (Payload-Oxum, here %s).", want)
	}
}
