package dock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"custos/camera"
)

// Folders is a Station of folders on this machine: each folder below a root
// is a bay (where the system mounts drives by their label), and each of
// Cameras is one (a fixed mount point). A fixed mount point without anything
// in it is an empty bay.
type Folders struct {
	Roots   []string
	Cameras []string
}

// Bays is as Station says. It lists what it can even when it fails.
func (f Folders) Bays() ([]string, error) {
	bays := slices.Clone(f.Cameras)
	var failed error
	for _, root := range f.Roots {
		entries, err := os.ReadDir(root)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("watch %s: %w", root, err))
		}
		for _, e := range entries {
			// IsDir is false for a link.
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				bays = append(bays, filepath.Join(root, e.Name()))
			}
		}
	}
	return bays, failed
}

// Open is as Station says.
func (f Folders) Open(bay string) (camera.Card, error) {
	card, err := camera.OpenFolder(bay)
	if err != nil {
		return nil, err
	}
	entries, _, err := card.ReadDir(".", 1)
	if err == nil && len(entries) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, errors.Join(err, card.Close())
	}
	return card, nil
}

// Same is as Station says.
func (f Folders) Same(bay string, card camera.Card) bool { return camera.SameFolder(card, bay) }

// Label is the name of the folder.
func (f Folders) Label(bay string) string { return filepath.Base(bay) }
