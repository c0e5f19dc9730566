package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// secs writes a time as ffmpeg takes it.
func secs(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// Poster is one JPEG of at most 640×640 from at into the film. A film whose
// frame there cannot be decoded gives an error of type *Failure.
func (t *Tools) Poster(ctx context.Context, f *os.File, at time.Duration) ([]byte, error) {
	out := &capped{max: 4 << 20}
	args := append(encode("-ss", secs(at)), "-map", "0:v:0", "-frames:v", "1",
		"-vf", "scale='min(640,iw)':'min(640,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2",
		"-q:v", "4", "-map_metadata", "-1", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1")
	if err := t.run(ctx, time.Minute, job{tool: t.ffmpeg, args: args, in: f, stdout: out}); err != nil {
		return nil, fmt.Errorf("poster: %w", err)
	}
	if out.Len() == 0 {
		return nil, fmt.Errorf("poster: %w", &Failure{Said: "no frame came out"})
	}
	return out.Bytes(), nil
}

// Sheet is the geometry of a trickplay sheet: tile n (from 0, row by row)
// shows the film at n × EveryMs.
type Sheet struct {
	Columns    int   `json:"columns"`
	Rows       int   `json:"rows"`
	Count      int   `json:"count"`
	EveryMs    int64 `json:"everyMs"`
	TileWidth  int   `json:"tileWidth"`
	TileHeight int   `json:"tileHeight"`
}

// Trickplay is one JPEG sheet of up to 100 small pictures made from key frames
// only, so that a 12-hour film costs seconds.
func (t *Tools) Trickplay(ctx context.Context, f *os.File, i Info) ([]byte, Sheet, error) {
	if i.Video == "" || i.Width == 0 || i.Height == 0 {
		return nil, Sheet{}, fmt.Errorf("trickplay: %w", &Failure{Said: "no picture"})
	}
	s := Sheet{TileWidth: 160}
	s.EveryMs = max(1000, int64(math.Ceil(float64(i.Duration.Milliseconds())/100)))
	s.Count = int(min(100, max(1, (i.Duration.Milliseconds()+s.EveryMs-1)/s.EveryMs)))
	s.Columns = min(10, s.Count)
	s.Rows = (s.Count + s.Columns - 1) / s.Columns
	s.TileHeight = min(284, max(2, int(math.Round(float64(s.TileWidth)*float64(i.Height)/float64(i.Width)/2))*2))
	out := &capped{max: 16 << 20}
	filter := fmt.Sprintf("fps=fps=1000/%d:start_time=0:round=up:eof_action=pass,scale=%d:%d,tile=%dx%d",
		s.EveryMs, s.TileWidth, s.TileHeight, s.Columns, s.Rows)
	args := append(encode("-skip_frame", "nokey"), "-map", "0:v:0", "-an", "-vf", filter, "-frames:v", "1",
		"-q:v", "5", "-map_metadata", "-1", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1")
	if err := t.run(ctx, 10*time.Minute, job{tool: t.ffmpeg, args: args, in: f, stdout: out}); err != nil {
		return nil, Sheet{}, fmt.Errorf("trickplay: %w", err)
	}
	if out.Len() == 0 {
		return nil, Sheet{}, fmt.Errorf("trickplay: %w", &Failure{Said: "no frame came out"})
	}
	return out.Bytes(), s, nil
}

// Waveform is the loudness of the first sound track: one byte (0 silent, 255
// full scale) for each 1/perSecond second, at most 72,000 of them.
func (t *Tools) Waveform(ctx context.Context, f *os.File, i Info) (peaks []byte, perSecond int, err error) {
	const sampleRate = 8000
	perSecond = 20
	for perSecond > 1 && i.Duration.Seconds()*float64(perSecond) > 72000 {
		perSecond /= 2
	}
	w := &peakWriter{per: sampleRate / perSecond, max: 72000}
	args := append(encode(), "-map", "0:a:0", "-vn", "-ac", "1", "-ar", strconv.Itoa(sampleRate), "-f", "s16le", "pipe:1")
	if err := t.run(ctx, 10*time.Minute, job{tool: t.ffmpeg, args: args, in: f, stdout: w}); err != nil {
		return nil, 0, fmt.Errorf("waveform: %w", err)
	}
	return w.close(), perSecond, nil
}

// peakWriter turns 16-bit samples into one peak for each per samples.
type peakWriter struct {
	per, max int
	peaks    []byte
	rest     []byte // half a sample
	n, top   int
}

func (w *peakWriter) Write(p []byte) (int, error) {
	total := len(p)
	if len(w.rest) == 1 && len(p) > 0 {
		w.sample([2]byte{w.rest[0], p[0]})
		p, w.rest = p[1:], nil
	}
	for ; len(p) >= 2; p = p[2:] {
		w.sample([2]byte(p))
	}
	w.rest = append(w.rest[:0], p...)
	return total, nil
}

func (w *peakWriter) sample(b [2]byte) {
	v := int(int16(binary.LittleEndian.Uint16(b[:])))
	w.top = max(w.top, v, -v)
	if w.n++; w.n == w.per {
		w.flush()
	}
}

func (w *peakWriter) flush() {
	if len(w.peaks) < w.max {
		w.peaks = append(w.peaks, byte(min(255, w.top>>7)))
	}
	w.n, w.top = 0, 0
}

func (w *peakWriter) close() []byte {
	if w.n > 0 {
		w.flush()
	}
	return w.peaks
}

// Proxy makes an MP4 that browsers play (H.264 and AAC, at most 1280 wide,
// index first) and writes it to out, an empty file from Scratch. Frames keep
// their times. progress, if not nil, is called with 0 to 1 from one goroutine.
func (t *Tools) Proxy(ctx context.Context, f *os.File, i Info, out *os.File, progress func(float64)) error {
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	args := append([]string{"-progress", "pipe:1"}, encode()...)
	args = append(args, "-map", "0:v:0?", "-map", "0:a:0?", "-map_metadata", "-1", "-sn", "-dn",
		"-vf", "scale='min(1280,iw)':-2:flags=bicubic,format=yuv420p", "-vsync", "passthrough",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-g", "60", "-threads", "2",
		"-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-f", "mp4", "-y", outputPath)
	// Real time with a generous factor for small machines, an hour at least.
	limit := max(time.Hour, 4*i.Duration)
	if err := t.run(ctx, limit, job{
		tool: t.ffmpeg, args: args, in: f, out: out,
		limit:  max(1<<30, 4*st.Size()),
		stdout: &progressWriter{total: i.Duration, tell: progress},
	}); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}

// progressWriter reads ffmpeg's -progress lines.
type progressWriter struct {
	total time.Duration
	tell  func(float64)
	part  []byte
}

func (w *progressWriter) Write(p []byte) (int, error) {
	w.part = append(w.part, p...)
	for {
		i := bytes.IndexByte(w.part, '\n')
		if i < 0 {
			break
		}
		line := string(w.part[:i])
		w.part = append(w.part[:0], w.part[i+1:]...)
		if v, ok := strings.CutPrefix(line, "out_time_us="); ok && w.tell != nil && w.total > 0 {
			if us, err := strconv.ParseInt(v, 10, 64); err == nil {
				w.tell(min(1, max(0, float64(us)/float64(w.total.Microseconds()))))
			}
		}
	}
	if len(w.part) > 4096 {
		w.part = w.part[:0] // not a progress line
	}
	return len(p), nil
}
