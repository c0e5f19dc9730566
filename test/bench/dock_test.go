package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"custos/evidence"
	"custos/test/rig"
)

const cameras = 20

// benchDock docks twenty full cameras at once at a station and waits until the
// last file has its receipt. The peer is one cp of the same files with fsync:
// no network, no hash, no sealing, no reading back, no wiping.
func benchDock(t *testing.T, b *bench) {
	s := rig.New(t, b.bin, "", unlimited...)
	s.Start(noTools)
	var pairs []pair
	for i := range b.count(1, 3) { // forty files are many repetitions
		pairs = append(pairs, shift(t, b, s, i))
	}
	b.add(t, compared("20 cameras, dock to receipt", "MB/s", "cp, fsync", pairs))
}

// shift brings in one shift's footage: 32 to 256 MB a file, 4 GB in all.
func shift(t *testing.T, b *bench, s *rig.Service, number int) pair {
	t.Helper()
	d := s.NewDock(fmt.Sprintf("Central-%d", number))
	total := int64(0)
	for i := range cameras {
		device := fmt.Sprintf("K-%d%03d", number, i)
		card := d.Camera(fmt.Sprintf("bay-%d", i), device, "4711")
		sizes := []int64{b.size(32e6+int64(i)*224e6/(cameras-1), 8e6)}
		if !b.quick {
			sizes = append(sizes, 56e6) // makes 4 GB
		}
		for n, size := range sizes {
			newNoise(size).write(t, filepath.Join(card, "DCIM", "20261121", fmt.Sprintf("%s_4711_20261121T%02d1500Z_001.MP4", device, 8+n)))
			total += size
		}
	}
	raw := copied(t, d.Cameras)
	return pair{megabytes(total, emptied(t, s, d)), megabytes(total, raw)}
}

// emptied runs the agent and tells how long it took from the first camera seen
// to the last receipt.
func emptied(t *testing.T, s *rig.Service, d *rig.Dock) time.Duration {
	t.Helper()
	cmd := d.Command(t.Context(), "run", "--once", "--json", "--stable", "1s")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var first, last time.Time
	done := map[string]int{} // files with a receipt, by camera
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, mib)
	for lines.Scan() {
		var e struct {
			Camera *evidence.CameraStatus
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if e.Camera == nil {
			continue
		}
		if first.IsZero() {
			first = time.Now()
		}
		if c := e.Camera; c.Done > done[c.Device] {
			done[c.Device], last = c.Done, time.Now()
		}
	}
	if err := cmd.Wait(); err != nil || len(done) != cameras {
		t.Fatalf("%d cameras are done, %v\n%s", len(done), err, s.Log())
	}
	return last.Sub(first)
}
