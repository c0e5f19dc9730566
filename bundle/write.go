package bundle

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"custos/evidence"
	"custos/tlog"
)

// Writer writes one bag. What it has written is called DIR.partial until Close
// has verified it. After an error other than one of AddMaster's reader being
// refused with Conflict or Invalid, only Abort is left to call.
type Writer struct {
	dir        string // the finished bag
	root       *os.Root
	info       Info
	payload    manifest
	tags       manifest
	files      []file
	histories  []History // without Checkpoint and LogKey
	checkpoint string
	vouched    Vouched
	octets     int64 // under data/
	folders    map[string]bool
}

// Summary is what a finished bag is.
type Summary struct {
	Dir         string
	Files       int             // masters
	Bytes       int64           // of them, as they lie in the bag
	TagManifest evidence.Digest // fixes every byte of the bag; goes into the outcome of the disclosure
}

// Create begins a bag that will be called dir. It fails with Conflict if dir
// or dir.partial is there: a finished bundle is never written over, and what
// an attempt that was cut off has left is for a person to look at and delete.
func Create(dir string, info Info) (*Writer, error) {
	if _, err := evidence.ParseID(string(info.Bundle)); err != nil {
		return nil, err
	}
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return nil, evidence.Errorf(evidence.Conflict, "There is already something at %s. Nothing was written.", dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, trouble(err)
	}
	switch err := os.Mkdir(dir+partial, 0o700); {
	case errors.Is(err, fs.ErrExist):
		return nil, evidence.Errorf(evidence.Conflict, "An earlier export to %s was cut off. Delete %s and try again.", dir, dir+partial)
	case err != nil:
		return nil, trouble(err)
	}
	root, err := os.OpenRoot(dir + partial)
	if err != nil {
		return nil, trouble(err)
	}
	return &Writer{
		dir: dir, root: root, info: info,
		payload: manifest{}, tags: manifest{}, folders: map[string]bool{".": true},
	}, nil
}

const partial = ".partial"

// trouble gives a failure of the file system its code.
func trouble(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return evidence.Wrap(evidence.Full, err, "There is no room left where the bundle is written. Nothing in the vault has changed.")
	}
	return evidence.Wrap(evidence.Unavailable, err, "The bundle could not be written. Nothing in the vault has changed.")
}

// AddMaster copies a master of m.Length bytes from r into the bag and hashes
// it on its way; memory does not grow with its length. It fails with Corrupt
// when r does not give exactly the bytes of m.Digest, with Conflict when the
// segment is in the bag already, with Full or Unavailable when it cannot be
// written, and with r's error when it cannot be read.
func (w *Writer) AddMaster(ctx context.Context, m Master, r io.Reader) error {
	if _, err := evidence.ParseID(string(m.Recording)); err != nil || m.Segment < 1 {
		return evidence.Errorf(evidence.Invalid, "a master needs a recording and a number from 1")
	}
	if slices.ContainsFunc(w.files, func(f file) bool { return f.Recording == m.Recording && f.Segment == m.Segment }) {
		return evidence.Errorf(evidence.Conflict, "segment %d of recording %s is in the bundle already", m.Segment, m.Recording)
	}
	name := masterPath(m.Recording, m.Segment, m.FileName, m.Seal != nil)
	var chunks chunkWriter
	written, plain := newFileHash(chunks.add), newFileHash(nil)
	err := w.create(w.tags, chunkPath(name), newFileHash(nil), func(list io.Writer) error {
		buffered := bufio.NewWriter(list)
		chunks.w = buffered
		chunks.begin(name)
		err := w.create(w.payload, name, written, func(f io.Writer) error {
			return copyMaster(ctx, f, plain, m, r)
		})
		return cmp.Or(err, chunks.end(written.length), buffered.Flush())
	})
	if err != nil {
		return err
	}
	if plain.length != m.Length || plain.sum() != m.Digest {
		return evidence.Errorf(evidence.Corrupt, "Segment %d of recording %s did not come out of the vault as it went in. The export was stopped.", m.Segment, m.Recording)
	}
	w.octets += written.length
	w.files = append(w.files, file{name, m.Recording, m.Segment, m.FileName, m.Digest, m.Length, m.Seal != nil})
	return nil
}

// copyMaster copies m from r to f, sealed if that is asked for, and to plain.
func copyMaster(ctx context.Context, f io.Writer, plain *fileHash, m Master, r io.Reader) error {
	out, end := f, func() error { return nil }
	if m.Seal != nil {
		sealed, err := m.Seal(f)
		if err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		out, end = sealed, sealed.Close
	}
	// One byte more than there should be is enough to know that it is wrong.
	in := io.LimitReader(&source{ctx, r}, m.Length+1)
	_, err := io.CopyBuffer(io.MultiWriter(out, plain), in, make([]byte, chunkSize))
	return cmp.Or(err, end())
}

// source stops reading when its context ends.
type source struct {
	ctx context.Context
	r   io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// create writes a file through fill, hashes it into h, brings it to the disk
// and enters it in m.
func (w *Writer) create(m manifest, name string, h *fileHash, fill func(io.Writer) error) error {
	if err := w.mkdir(path.Dir(name)); err != nil {
		return err
	}
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return trouble(err)
	}
	if err := fill(io.MultiWriter(disk{f}, h)); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := cmp.Or(f.Sync(), f.Close()); err != nil {
		return trouble(err)
	}
	m[name] = h.sum()
	return nil
}

// disk gives failing writes a code, so that they are told apart from failing
// reads.
type disk struct{ f *os.File }

func (d disk) Write(p []byte) (int, error) {
	n, err := d.f.Write(p)
	if err != nil {
		err = trouble(err)
	}
	return n, err
}

func (w *Writer) mkdir(name string) error {
	if w.folders[name] {
		return nil
	}
	if err := w.mkdir(path.Dir(name)); err != nil {
		return err
	}
	if err := w.root.Mkdir(name, 0o700); err != nil {
		return trouble(err)
	}
	w.folders[name] = true
	return nil
}

// SetHistory puts the history of one recording into the bag, in place of one
// set before. All histories must end in the same checkpoint; Conflict
// otherwise: take them again at the newest one. The last event must be the
// intent of the disclosure, with the fields of Commit; Close finds out.
func (w *Writer) SetHistory(h History) error {
	if len(w.histories) > 0 && w.checkpoint != h.Checkpoint {
		return evidence.Errorf(evidence.Conflict, "the histories lead to different checkpoints")
	}
	proofs := map[int64][]tlog.Hash{}
	for _, e := range h.Events {
		path, ok := h.Proofs[e.Index]
		if !ok {
			return evidence.Errorf(evidence.Conflict, "an event of recording %s is not in the log yet", h.Recording)
		}
		proofs[e.Index] = append([]tlog.Hash{}, path...) // an empty path is [] in JSON, never null
	}
	w.checkpoint = h.Checkpoint
	h.Proofs, h.Checkpoint, h.LogKey = proofs, "", ""
	w.histories = slices.DeleteFunc(w.histories, func(o History) bool { return o.Recording == h.Recording })
	w.histories = append(w.histories, h)
	return nil
}

// SetVouched puts into the bag what outsiders say of the checkpoint that the
// histories end in.
func (w *Writer) SetVouched(v Vouched) { w.vouched = v }

// Abort gives up and deletes what was written. Do not call it after Close has
// succeeded.
func (w *Writer) Abort() error {
	err := errors.Join(w.root.Close(), os.RemoveAll(w.dir+partial))
	return evidence.Wrap(evidence.Unavailable, err, "What was written of the bundle could not be deleted.")
}
