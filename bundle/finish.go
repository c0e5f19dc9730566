package bundle

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"custos/evidence"
	"custos/tlog"
)

// Close writes everything that is not a master, brings all of it to the disk,
// then reads the whole bag again and verifies it as its receiver would. Only
// then does the bag get its name. It fails with Invalid when there is no
// history, with Corrupt when the bag does not verify, with Full or Unavailable
// when it cannot be written.
func (w *Writer) Close(ctx context.Context) (Summary, error) {
	if err := w.writeTags(); err != nil {
		return Summary{}, err
	}
	if err := w.syncFolders(); err != nil {
		return Summary{}, err
	}
	if err := w.verify(ctx); err != nil {
		return Summary{}, err
	}
	sum, err := w.root.ReadFile(tagManifestFile)
	if err != nil {
		return Summary{}, trouble(err)
	}
	// Windows does not rename a folder that is open.
	if err := w.root.Close(); err != nil {
		return Summary{}, trouble(err)
	}
	if err := os.Rename(w.dir+partial, w.dir); err != nil {
		return Summary{}, trouble(err)
	}
	if err := syncFolder(os.Open(filepath.Dir(w.dir))); err != nil {
		return Summary{}, trouble(err)
	}
	return Summary{w.dir, len(w.files), w.octets, sha256.Sum256(sum)}, nil
}

func (w *Writer) writeTags() error {
	if len(w.histories) == 0 {
		return evidence.Errorf(evidence.Invalid, "A bundle without the history of its recordings proves nothing.")
	}
	slices.SortFunc(w.files, func(a, b file) int { return cmp.Compare(a.Path, b.Path) })
	v := view{
		Metadata: metadata{
			Version: version, Bundle: w.info.Bundle, Force: w.info.Force, MadeAt: w.info.MadeAt.UTC(),
			Software: w.info.Software, MadeBy: w.info.MadeBy, Recipient: w.info.Recipient, Purpose: w.info.Purpose,
			Files: w.files, Recordings: w.info.Recordings, Missing: w.vouched.Missing,
		},
		Histories: w.histories, Checkpoint: w.checkpoint, LogKey: strings.TrimSpace(w.info.LogKey),
	}
	page, err := v.page()
	if err != nil {
		return err
	}
	put := func(name, text string) {
		err = cmp.Or(err, w.put(w.tags, name, []byte(text)))
	}
	put(bagitFile, bagit)
	put(bagInfoFile, w.bagInfo())
	put(readmeFile, readme(v.Metadata, tlog.Signers([]byte(v.Checkpoint)), w.vouched.Timestamps))
	put(viewFile, page)
	put(checkpointFile, v.Checkpoint)
	for _, t := range w.vouched.Timestamps {
		put(stampPath(t.Authority), string(t.Response))
	}
	put(logKeyFile, v.LogKey+"\n")
	if w.info.ReceiptKey != "" {
		put(receiptKeyFile, strings.TrimSpace(w.info.ReceiptKey)+"\n")
	}
	err = cmp.Or(err, w.putJSON(metadataFile, v.Metadata), w.putHistories())
	put(manifestFile, string(w.payload.bytes()))
	return cmp.Or(err, w.put(manifest{}, tagManifestFile, w.tags.bytes()))
}

func (w *Writer) put(m manifest, name string, b []byte) error {
	return w.create(m, name, newFileHash(nil), func(f io.Writer) error {
		_, err := f.Write(b)
		return err
	})
}

func (w *Writer) putJSON(name string, value any) error {
	b, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return evidence.Wrap(evidence.Internal, err, "write "+name)
	}
	return w.put(w.tags, name, append(b, '\n'))
}

// putHistories writes the events, and each event's proof as a file of its own.
func (w *Writer) putHistories() error {
	all, n := events{Version: version}, 0
	for _, h := range w.histories {
		for _, e := range h.Events {
			n++
			p := tlog.Proof{Index: e.Index, Path: h.Proofs[e.Index], Checkpoint: []byte(w.checkpoint)}
			if err := w.put(w.tags, proofPath(n), p.Marshal()); err != nil {
				return err
			}
		}
		h.Proofs = nil // each is a file of its own
		all.Histories = append(all.Histories, h)
	}
	return w.putJSON(eventsFile, all)
}

func (w *Writer) bagInfo() string {
	return bagInfoLine("Source-Organization", w.info.Force) +
		bagInfoLine("External-Identifier", string(w.info.Bundle)) +
		bagInfoLine("Bagging-Date", w.info.MadeAt.UTC().Format(time.DateOnly)) +
		bagInfoLine("Bag-Software-Agent", w.info.Software) +
		bagInfoLine("Payload-Oxum", oxum(w.octets, len(w.payload)))
}

func oxum(octets int64, files int) string { return fmt.Sprintf("%d.%d", octets, files) }

// syncFolders makes the names of all files durable.
func (w *Writer) syncFolders() error {
	for name := range w.folders {
		if err := syncFolder(w.root.Open(name)); err != nil {
			return trouble(err)
		}
	}
	return nil
}

// syncFolder takes what opening the folder gave. Windows cannot fsync a
// folder; its names are journalled.
func syncFolder(d *os.File, err error) error {
	if err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return d.Close()
	}
	return errors.Join(d.Sync(), d.Close())
}

// verify reads the bag as it lies on the disk.
func (w *Writer) verify(ctx context.Context) error {
	for name := range w.payload {
		if err := w.forget(name); err != nil {
			return err
		}
	}
	r, err := Verify(ctx, w.root.FS(), Options{LogKey: w.info.LogKey})
	if err != nil {
		return err
	}
	var wrong []error
	for _, c := range r.Failed() {
		wrong = append(wrong, fmt.Errorf("%s %s: %s", c.Name, c.Subject, c.Says))
	}
	return evidence.Wrap(evidence.Corrupt, errors.Join(wrong...), "The bundle was read again after writing and is not in order. It was not handed out; nothing in the vault has changed.")
}

// forget asks the system to drop its copy of a file from memory, so that
// verifying reads the medium.
func (w *Writer) forget(name string) error {
	f, err := w.root.Open(name)
	if err != nil {
		return trouble(err)
	}
	dropCache(f)
	if err := f.Close(); err != nil {
		return trouble(err)
	}
	return nil
}

// page is view.html: the viewer with v inside.
func (v view) page() (string, error) {
	var b bytes.Buffer
	// The encoder's escapes of <, > and & are what keeps names inside.
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return "", evidence.Wrap(evidence.Internal, err, "write the viewer's data")
	}
	before, after, ok := strings.Cut(viewTemplate, dataOpen+"null"+dataClose)
	if !ok {
		return "", evidence.Errorf(evidence.Internal, "the viewer has no place for data")
	}
	return before + dataOpen + strings.TrimSuffix(b.String(), "\n") + dataClose + after, nil
}
