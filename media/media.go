// Package media looks at footage and makes pictures of it, with ffprobe and
// ffmpeg locked in a sandbox. A file is hostile: no parser of it runs in this
// process, and the process that runs it has no network, no files but the one
// it is given, no capabilities, and limits on memory, time and output.
//
// The file is handed over as an open descriptor without a name (see Spool), so
// plaintext never has a path that a crash could leave behind.
//
// All methods of Tools may be called concurrently.
package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// What input may be. Formats are ffmpeg demuxer names, codecs its decoder
// names. Playlists (hls, dash, concat, imf) and devices are not among them, so
// a playlist renamed .mp4 is refused whatever it points at.
const (
	formats = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv,wav,mp3,ogg,aac,flac,amr,h264,hevc,mjpeg,mpjpeg"
	codecs  = "h264,hevc,mpeg4,msmpeg4v3,msmpeg4v2,mjpeg,mpeg2video,mpeg1video,h263,vp8,vp9,libdav1d,av1,wmv1,wmv2,wmv3,vc1,flv," +
		"aac,aac_latm,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,libopus,vorbis,libvorbis,flac,alac,amrnb,amrwb,wmav1,wmav2," +
		"pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_u8,pcm_f32le,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ms,adpcm_g726"
	maxPixels = 8192 * 4608 // a frame larger than 8K is a bomb, not footage
)

// Limits on one run in the sandbox.
const (
	memory    = 4 << 30 // address space, bytes
	probeTime = 30 * time.Second
)

// Tools are the programs found on this machine.
type Tools struct {
	ffmpeg, ffprobe string
	version         string
	cage            cage
}

// ErrNoTools says that footage cannot be looked at on this machine: ffmpeg or
// every sandbox is missing. Nothing is ever run outside a sandbox.
var ErrNoTools = errors.New("ffmpeg, ffprobe, prlimit and a sandbox (bubblewrap or Landlock) are needed to look at footage")

// Find looks for ffmpeg, ffprobe and a sandbox that works here, bubblewrap
// first, else Landlock through self, the path of a program whose main calls
// Confine for the argument "confined" (empty: no such program). It returns an
// error that wraps ErrNoTools if any is missing.
func Find(ctx context.Context, self string) (*Tools, error) {
	t := &Tools{}
	for name, into := range map[string]*string{"ffmpeg": &t.ffmpeg, "ffprobe": &t.ffprobe} {
		p, err := exec.LookPath(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoTools, err)
		}
		*into = p
	}
	var why []error
	for _, c := range cages(self) {
		t.cage = c
		var out bytes.Buffer
		err := t.run(ctx, probeTime, job{tool: t.ffmpeg, args: []string{"-version"}, stdout: &out})
		if err == nil {
			first, _, _ := strings.Cut(out.String(), "\n")
			if f := strings.Fields(first); len(f) >= 3 {
				t.version = "ffmpeg " + f[2]
			}
			return t, nil
		}
		why = append(why, fmt.Errorf("%s: %w", c.name, err))
	}
	return nil, fmt.Errorf("%w: %w", ErrNoTools, errors.Join(why...))
}

// Version is the tool and its version as working copies record it (R19), e.g.
// "ffmpeg 5.1.9-0+deb12u1".
func (t *Tools) Version() string { return t.version }

// Sandbox is the name of the sandbox in use: "bubblewrap" or "Landlock".
func (t *Tools) Sandbox() string { return t.cage.name }

// job is one run of a tool.
type job struct {
	tool   string
	args   []string
	in     *os.File  // the footage; nil: none. Seen inside as inputPath
	out    *os.File  // where the tool may write; nil: none. Seen inside as outputPath
	stdout io.Writer // what the tool prints
	limit  int64     // of bytes the tool may write to out; 0 = 64 MiB
}

// Inside the sandbox the footage is descriptor 3 and the output 4. Opening
// them by these paths gives a fresh offset and works for files without a name.
const (
	inputPath  = "/proc/self/fd/3"
	outputPath = "/proc/self/fd/4"
)

// Failure is a tool that ended badly. Its text is the tool's own words, cut to
// a line; it may quote the footage's metadata, so it is for logs and never for
// people. Use Reason for them.
type Failure struct {
	Said     string
	TimedOut bool
}

func (f *Failure) Error() string {
	if f.TimedOut {
		return "took too long and was stopped"
	}
	return "the tool failed: " + f.Said
}

func (t *Tools) run(ctx context.Context, limit time.Duration, j job) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	written := j.limit
	if written == 0 {
		written = 64 << 20
	}
	limits := []string{
		"--as=" + strconv.Itoa(memory), "--nofile=64", "--core=0",
		"--cpu=" + strconv.Itoa(int(limit.Seconds())+1),
		"--fsize=" + strconv.FormatInt(written, 10),
	}
	argv := t.cage.wrap(append(append([]string{"/usr/bin/prlimit"}, limits...), append([]string{"--", j.tool}, j.args...)...))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/bin", "LC_ALL=C.UTF-8"}
	// The sandbox must never wait on our own standard input.
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("run %s: %w", t.cage.name, err)
	}
	defer null.Close() // read-only
	cmd.Stdin = null
	in, out := j.in, j.out
	if in == nil {
		in = null
	}
	if out == nil {
		out = null
	}
	cmd.ExtraFiles = []*os.File{in, out}
	said := &tail{max: 2048}
	cmd.Stderr = said
	cmd.Stdout = j.stdout
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return &Failure{Said: said.line(), TimedOut: errors.Is(ctx.Err(), context.DeadlineExceeded)}
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return &Failure{Said: said.line() + " (" + exit.String() + ")"}
		}
		return fmt.Errorf("run %s: %w", t.cage.name, err)
	}
	return nil
}

// input is what every reading of footage begins with.
func input(extra ...string) []string {
	args := []string{"-v", "error", "-protocol_whitelist", "file,pipe", "-format_whitelist", formats,
		"-codec_whitelist", codecs, "-max_pixels", strconv.Itoa(maxPixels)}
	return append(append(args, extra...), "-i", inputPath)
}

// encode is ffmpeg's beginning for every working copy.
func encode(extra ...string) []string {
	return append([]string{"-nostdin", "-hide_banner"}, input(extra...)...)
}

// tail keeps the last max bytes written to it.
type tail struct {
	max int
	buf []byte
}

func (w *tail) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	if over := len(w.buf) - w.max; over > 0 {
		w.buf = append(w.buf[:0], w.buf[over:]...)
	}
	return len(p), nil
}

func (w *tail) line() string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(w.buf), "?"))
	return strings.TrimSpace(s)
}

// capped takes at most max bytes and then fails, so that a tool cannot fill
// this process's memory.
type capped struct {
	bytes.Buffer
	max int
}

func (w *capped) Write(p []byte) (int, error) {
	if w.Len()+len(p) > w.max {
		return 0, errors.New("more output than allowed")
	}
	return w.Buffer.Write(p)
}
