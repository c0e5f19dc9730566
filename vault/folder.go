package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"custos/durable"
	"custos/evidence"
)

// Folder is a Store in a folder: incoming/NAME and objects/AB/NAME, where AB
// are the last two characters of NAME. See docs/formats/keystore.md.
type Folder struct {
	fsys    durable.FS
	reserve int64
}

var _ Store = (*Folder)(nil)

const (
	incomingDir = "incoming"
	objectsDir  = "objects"

	defaultReserve = 1 << 30
)

// OpenFolder opens the store in fsys, made if absent. reserve is how many free
// bytes it leaves to others: with less than that free, Begin and PutPart fail
// with Full, and reading and finishing go on. 0 means 1 GiB or 2 % of the file
// system, whichever is less; a negative number means none.
func OpenFolder(fsys durable.FS, reserve int64) (*Folder, error) {
	for _, dir := range []string{incomingDir, objectsDir} {
		if err := durable.MkdirAll(fsys, dir, 0o700); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	if err := fsys.SyncDir("."); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	f := &Folder{fsys: fsys, reserve: max(0, reserve)}
	if reserve == 0 {
		if _, total, err := f.Space(); err == nil {
			f.reserve = min(defaultReserve, total/50)
		} else if !errors.Is(err, errors.ErrUnsupported) {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	return f, nil
}

// Space tells how many bytes are free and how many the file system has in all.
// It fails with errors.ErrUnsupported where nobody knows.
func (f *Folder) Space() (free, total int64, err error) {
	s, ok := f.fsys.(interface {
		Free() (free, total int64, err error)
	})
	if !ok {
		return 0, 0, errors.ErrUnsupported
	}
	return s.Free()
}

// room fails with Full where need more bytes would touch the reserve.
func (f *Folder) room(need int64) error {
	if f.reserve == 0 {
		return nil
	}
	free, _, err := f.Space()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return evidence.Wrap(evidence.Unavailable, err, "The storage does not say how much room it has")
	}
	if free-need < f.reserve {
		return full(nil)
	}
	return nil
}

func full(err error) error {
	return &evidence.Error{Code: evidence.Full, Err: err,
		Message: "The storage is full. Nothing was lost; footage stays on the cameras until there is room, and what is stored can be watched"}
}

// coded gives the errors of a file system the codes that Store promises.
func coded(err error) error {
	switch {
	case err == nil:
		return nil
	case durable.IsFull(err):
		return full(err)
	case errors.Is(err, fs.ErrNotExist):
		return evidence.Wrap(evidence.NotFound, err, "The store has no such object")
	}
	return fmt.Errorf("store: %w", err)
}

func file(place Place, name string) string {
	if place == Incoming {
		return path.Join(incomingDir, name)
	}
	return path.Join(objectsDir, name[len(name)-2:], name)
}

func ready(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return evidence.Wrap(evidence.Unavailable, err, "The request was given up")
	}
	return validName(name)
}

// notFinal fails with Conflict where name is final.
func (f *Folder) notFinal(name string) error {
	_, err := f.fsys.Stat(file(Final, name))
	if err == nil {
		return evidence.Errorf(evidence.Conflict, "The object is finished; it cannot be written to")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return coded(err)
	}
	return nil
}

// Begin is as Store says.
func (f *Folder) Begin(ctx context.Context, name string) error {
	if err := ready(ctx, name); err != nil {
		return err
	}
	if err := f.notFinal(name); err != nil {
		return err
	}
	if err := f.room(0); err != nil {
		return err
	}
	h, err := f.fsys.OpenFile(file(Incoming, name), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return coded(err)
	}
	if err := h.Close(); err != nil {
		return coded(err)
	}
	return coded(f.fsys.SyncDir(incomingDir))
}

// PutPart is as Store says.
func (f *Folder) PutPart(ctx context.Context, name string, offset int64, p []byte) error {
	if err := ready(ctx, name); err != nil {
		return err
	}
	if offset < 0 {
		return evidence.Errorf(evidence.Invalid, "An object has no offset %d", offset)
	}
	if err := f.room(int64(len(p))); err != nil {
		return err
	}
	h, err := f.fsys.OpenFile(file(Incoming, name), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.notFinal(name); err != nil {
			return err
		}
	}
	if err != nil {
		return coded(err)
	}
	_, err = h.WriteAt(p, offset)
	if err == nil {
		err = h.Sync()
	}
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	return coded(err)
}

// Finish is as Store says.
func (f *Folder) Finish(ctx context.Context, name string, size int64) error {
	if err := ready(ctx, name); err != nil {
		return err
	}
	shard := path.Dir(file(Final, name))
	switch info, err := f.fsys.Stat(file(Final, name)); {
	case err == nil && info.Size() != size:
		return evidence.Errorf(evidence.Conflict, "The object is finished with %d bytes, not %d", info.Size(), size)
	case err == nil: // a crash may have come before the folders were synced
	case !errors.Is(err, fs.ErrNotExist):
		return coded(err)
	default:
		if err := f.complete(name, size); err != nil {
			return err
		}
		if err := durable.MkdirAll(f.fsys, shard, 0o700); err != nil {
			return coded(err)
		}
		if err := f.fsys.Rename(file(Incoming, name), file(Final, name)); err != nil {
			return coded(err)
		}
	}
	// The shard's own name is synced again too: what made it may have crashed
	// between making and syncing.
	for _, dir := range []string{objectsDir, shard, incomingDir} {
		if err := f.fsys.SyncDir(dir); err != nil {
			return coded(err)
		}
	}
	return nil
}

// complete makes the incoming object exactly size bytes long, on the medium.
func (f *Folder) complete(name string, size int64) error {
	h, err := f.fsys.OpenFile(file(Incoming, name), os.O_RDWR, 0)
	if err != nil {
		return coded(err)
	}
	info, err := h.Stat()
	if err == nil && info.Size() < size {
		err = evidence.Errorf(evidence.Conflict, "The object has %d of %d bytes; it cannot be finished", info.Size(), size)
	}
	if err == nil && info.Size() > size {
		err = h.Truncate(size)
	}
	if err == nil {
		err = h.Sync()
	}
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	if evidence.CodeOf(err) == evidence.Conflict {
		return err
	}
	return coded(err)
}

// Open is as Store says.
func (f *Folder) Open(ctx context.Context, place Place, name string) (Object, error) {
	if err := ready(ctx, name); err != nil {
		return nil, err
	}
	h, err := f.fsys.OpenFile(file(place, name), os.O_RDONLY, 0)
	if err != nil {
		return nil, coded(err)
	}
	info, err := h.Stat()
	if err != nil {
		return nil, errors.Join(coded(err), h.Close())
	}
	return &folderObject{File: h, size: info.Size()}, nil
}

// folderObject is a file with the length it had when it was opened.
type folderObject struct {
	durable.File
	size int64
}

func (o *folderObject) Size() int64 { return o.size }

func (o *folderObject) Uncache() error {
	if u, ok := o.File.(uncacher); ok {
		return u.Uncache()
	}
	return errors.ErrUnsupported
}

// Remove is as Store says.
func (f *Folder) Remove(ctx context.Context, place Place, name string) error {
	if err := ready(ctx, name); err != nil {
		return err
	}
	err := f.fsys.Remove(file(place, name))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		// Synced also if it was gone: a crash may have come in between.
		err = f.fsys.SyncDir(path.Dir(file(place, name)))
	}
	if errors.Is(err, fs.ErrNotExist) { // a shard nobody made
		return nil
	}
	return coded(err)
}

// List is as Store says: by folder, then by name.
func (f *Folder) List(ctx context.Context, place Place, after string, fn func(name string) error) error {
	if place == Incoming {
		return f.list(ctx, incomingDir, after, fn)
	}
	shards, err := f.fsys.ReadDir(objectsDir)
	if err != nil {
		return coded(err)
	}
	from := ""
	if after != "" {
		if err := validName(after); err != nil {
			return err
		}
		from = after[len(after)-2:]
	}
	for _, s := range shards {
		if s.Name() < from || !s.IsDir() {
			continue
		}
		start := ""
		if s.Name() == from {
			start = after
		}
		if err := f.list(ctx, path.Join(objectsDir, s.Name()), start, fn); err != nil {
			return err
		}
	}
	return nil
}

func (f *Folder) list(ctx context.Context, dir, after string, fn func(name string) error) error {
	entries, err := f.fsys.ReadDir(dir)
	if err != nil {
		return coded(err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return evidence.Wrap(evidence.Unavailable, err, "The request was given up")
		}
		if e.Name() <= after {
			continue
		}
		if err := fn(e.Name()); err != nil {
			return err
		}
	}
	return nil
}
