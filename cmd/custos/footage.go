package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// camera is a simulated body-worn camera: a folder in the layout that the
// profile "custos" describes (docs/dock.md).
type simCamera struct {
	dir     string
	device  string
	officer string
	drift   time.Duration // how much its clock is fast
}

// prepare makes the folder and the file in which the camera speaks of itself.
func (k simCamera) prepare(now time.Time) error {
	if err := os.MkdirAll(filepath.Join(k.dir, "DCIM"), 0o755); err != nil {
		return fmt.Errorf("make camera: %w", err)
	}
	b, err := json.Marshal(map[string]string{
		"device": k.device, "officer": k.officer, "clock": now.Add(k.drift).UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(k.dir, "CAMERA.JSON"), append(b, '\n'), 0o644)
}

// take is one recording to put on a camera.
type take struct {
	started  time.Time // true time
	category string
	source   string        // the file to cut from
	from     time.Duration // where in it
	lengths  []time.Duration
	gap      time.Duration // between segment 2 and 3
	as       string        // mp4, avi, mkv, wav, or "as it is"
	cut      bool          // cut the last file short, as a dying battery does
}

// record writes a take's segments and sidecars. The newest file appears under
// its name only when it is whole.
func (k simCamera) record(ctx context.Context, t take) error {
	device := t.started.Add(k.drift).UTC()
	dir := filepath.Join(k.dir, "DCIM", device.Format("20060102"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make camera: %w", err)
	}
	group := fmt.Sprintf("%s_%s_%s", k.device, k.officer, device.Format("20060102T150405Z"))
	at, from := device, t.from
	for i, length := range t.lengths {
		ext := strings.TrimPrefix(filepath.Ext(t.source), ".")
		if t.as != "as it is" {
			ext = t.as
		}
		stem := fmt.Sprintf("%s_%03d", group, i+1)
		path := filepath.Join(dir, stem+"."+strings.ToUpper(ext))
		if err := k.segment(ctx, t, path, at, from, length, t.cut && i == len(t.lengths)-1); err != nil {
			return err
		}
		side, err := json.Marshal(map[string]any{
			"officer": k.officer, "category": t.category, "started": at.Format(time.RFC3339), "group": group, "sequence": i + 1,
		})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, stem+".JSON"), append(side, '\n'), 0o644); err != nil {
			return fmt.Errorf("write sidecar: %w", err)
		}
		from += length
		at = at.Add(length)
		if i == 1 {
			at = at.Add(t.gap)
		}
	}
	return nil
}

// segment writes one file: the source as it is, or a cut of it with the
// camera's clock in the picture.
func (k simCamera) segment(ctx context.Context, t take, path string, at time.Time, from, length time.Duration, cut bool) (err error) {
	tmp := filepath.Join(k.dir, ".new"+filepath.Ext(path))
	defer func() { err = errors.Join(err, removeIfThere(tmp)) }()
	if t.as == "as it is" {
		b, err := os.ReadFile(t.source)
		if err != nil {
			return err
		}
		if cut {
			b = b[:len(b)*2/5]
		}
		if err := os.WriteFile(tmp, b, 0o644); err != nil {
			return err
		}
	} else if err := encodeSegment(ctx, t, tmp, k.device, at, from, length); err != nil {
		return err
	}
	if err := os.Chtimes(tmp, time.Time{}, at.Add(length)); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func encodeSegment(ctx context.Context, t take, out, device string, at time.Time, from, length time.Duration) error {
	clock := fmt.Sprintf("drawtext=text='%s  %%{pts\\:gmtime\\:%d\\:%%Y-%%m-%%d %%H\\\\\\:%%M\\\\\\:%%S}Z':x=12:y=12:fontsize=20:fontcolor=white:box=1:boxcolor=black@0.5:boxborderw=6",
		device, at.Unix())
	args := []string{"-v", "error", "-nostdin", "-y", "-ss", fmt.Sprint(from.Seconds()), "-t", fmt.Sprint(length.Seconds()), "-i", t.source,
		"-f", "lavfi", "-t", fmt.Sprint(length.Seconds()), "-i", "anoisesrc=color=brown:amplitude=0.12:sample_rate=16000", "-map", "0:v:0", "-map", "1:a:0", "-shortest"}
	switch t.as {
	case "avi":
		args = append(args, "-c:v", "mpeg4", "-q:v", "4", "-g", "25", "-c:a", "mp3")
	default:
		args = append(args, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "48k")
	}
	run := func(filter string) ([]byte, error) {
		return exec.CommandContext(ctx, "ffmpeg", append(append([]string{}, args...), "-vf", filter, out)...).CombinedOutput()
	}
	said, err := run(clock)
	if err != nil && ctx.Err() == nil { // an ffmpeg without fonts: no clock in the picture then
		said, err = run("null")
	}
	if err != nil {
		return fmt.Errorf("cut footage with ffmpeg: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// footage finds real footage to work with: the folder given, else ../shared/media,
// else Debian's package opencv-doc.
func footage() (walking string, more map[string]string, err error) {
	more = map[string]string{}
	for _, name := range []string{"gp-karma.mp4", "asl.mkv", "jfk.wav"} {
		p := filepath.Join("..", "shared", "media", name)
		if _, err := os.Stat(p); err == nil {
			more[name] = p
		}
	}
	for _, p := range []string{
		"/usr/share/doc/opencv-doc/examples/data/vtest.avi",
		filepath.Join("..", "shared", "media", "one-by-one-person-detection.mp4"),
	} {
		if _, err := os.Stat(p); err == nil {
			return p, more, nil
		}
	}
	return "", nil, errors.New("no footage to show: install Debian's package opencv-doc")
}

type simCmd struct {
	Camera  string        `help:"Folder of the camera; made if absent." required:"" type:"path"`
	Device  string        `help:"The camera's number." default:"K-0900"`
	Officer string        `help:"Collar number of its officer." default:"4711"`
	Every   time.Duration `help:"How often a recording is made." default:"30s"`
	Count   int           `help:"How many recordings; 0 = until stopped." default:"0"`
}

// Run records until stopped.
func (m *simCmd) Run(ctx context.Context, s streams) error {
	source, _, err := footage()
	if err != nil {
		return err
	}
	k := simCamera{dir: m.Camera, device: m.Device, officer: m.Officer}
	for n := 1; ; n++ {
		now := time.Now()
		if err := k.prepare(now); err != nil {
			return err
		}
		length := 10 * time.Second
		if err := k.record(ctx, take{started: now.Add(-length), source: source, from: time.Duration(n%6) * 10 * time.Second, lengths: []time.Duration{length}, as: "mp4"}); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "recorded %d: %s of footage on %s\n", n, length, m.Device)
		if n == m.Count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(m.Every):
		}
	}
}
