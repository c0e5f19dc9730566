package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tools finds the programs or skips; CUSTOS_TEST_ALL makes that a failure.
func tools(t testing.TB) *Tools {
	t.Helper()
	k, err := Find(context.Background(), "")
	if err != nil {
		if os.Getenv("CUSTOS_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return k
}

// film makes a file with ffmpeg, outside the sandbox: it is ours.
func film(t testing.TB, name string, args ...string) *os.File {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-nostdin"}, args...), p)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return open(t, p)
}

func open(t testing.TB, p string) *os.File {
	t.Helper()
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func spooled(t testing.TB, b []byte) *os.File {
	t.Helper()
	f, err := Spool(context.Background(), t.TempDir(), bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

var source = []string{"-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=4", "-f", "lavfi", "-i", "sine=frequency=440:duration=4"}

func with(args ...string) []string { return append(append([]string{}, source...), args...) }

func TestProbeTellsHowAFileCanBeShown(t *testing.T) {
	k := tools(t)
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		args  []string
		plays Plays
		video string
		typ   string
	}{
		{"a.mp4", with("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"), Direct, "h264", "video/mp4"},
		{"ten-bit.mp4", with("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-an"), Converted, "h264", ""},
		{"a.avi", with("-c:v", "mpeg4", "-c:a", "mp3"), Converted, "mpeg4", ""},
		{"a.ts", with("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"), Converted, "h264", ""},
		{"a.mkv", with("-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "aac"), Converted, "hevc", ""},
		{"a.webm", with("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"), Direct, "vp8", "video/webm"},
		{"a.wav", []string{"-f", "lavfi", "-i", "sine=duration=2"}, Sound, "", "audio/wav"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i, err := k.Probe(ctx, film(t, c.name, c.args...))
			if err != nil {
				t.Fatal(err)
			}
			if i.Plays != c.plays || i.Video != c.video || i.Type != c.typ {
				t.Errorf("got %+v", i)
			}
			if i.Plays == Converted && i.Why == "" {
				t.Error("no reason given")
			}
			if i.Video != "" && (i.Width != 320 || i.Rate != 25 || i.Duration < 3900*time.Millisecond || i.Duration > 4200*time.Millisecond) {
				t.Errorf("got %+v", i)
			}
		})
	}
}

func TestHostileAndBrokenFilesAreExplainedAndNothingLeaks(t *testing.T) {
	k := tools(t)
	good, err := os.ReadFile(film(t, "a.mp4", with("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")...).Name())
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(secret, []byte("the secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A few kilobytes that announce pictures of 60000×60000.
	bomb, err := os.ReadFile(film(t, "b.avi", "-f", "lavfi", "-i", "color=size=64x64:duration=1", "-c:v", "mjpeg").Name())
	if err != nil {
		t.Fatal(err)
	}
	bomb = bytes.ReplaceAll(bomb, []byte{64, 0, 0, 0, 64, 0, 0, 0}, []byte{0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0})
	frame := []byte{0xff, 0xc0, 0, 17, 8} // JPEG start of frame, then height and width
	bomb = bytes.ReplaceAll(bomb, append(bytes.Clone(frame), 0, 64, 0, 64), append(bytes.Clone(frame), 0xea, 0x60, 0xea, 0x60))
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "empty"},
		{"cut short", good[:len(good)/2], ""},
		{"noise", bytes.Repeat([]byte{0x5a, 0xa5, 0x17}, 5000), "damaged"},
		{"text", []byte("hello, this is not footage\n"), ""},
		{"playlist", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://" + secret + "\n#EXT-X-ENDLIST\n"), ""},
		{"concat", []byte("ffconcat version 1.0\nfile '" + secret + "'\n"), ""},
		{"bomb", bomb, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i, err := k.Probe(context.Background(), spooled(t, c.data))
			if err != nil {
				t.Fatal(err)
			}
			if i.Plays != Nothing || i.Why == "" || !strings.Contains(i.Why, c.says) {
				t.Errorf("got %+v", i)
			}
			t.Log(i.Why)
			if strings.Contains(i.Why, "secret") {
				t.Error("the reason leaks")
			}
		})
	}
}

func TestTheSandboxHasNoFilesNoNetworkAndLimits(t *testing.T) {
	k := tools(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	try := func(script string) (string, error) {
		var out bytes.Buffer
		err := k.run(context.Background(), 10*time.Second, job{tool: "/usr/bin/bash", args: []string{"-c", script}, stdout: &out})
		return out.String(), err
	}
	if out, err := try("echo alive"); err != nil || out != "alive\n" {
		t.Fatalf("got %q, %v", out, err)
	}
	for _, script := range []string{
		"cat " + secret,
		"cat /etc/passwd",
		"echo > /usr/bin/x",
		"exec 5<>/dev/tcp/127.0.0.1/22 && echo open",
		"head -c 1000000000 /dev/zero | tail -c 1000000000 > /tmp/x",
	} {
		if out, err := try(script); err == nil {
			t.Errorf("%s: allowed, printed %q", script, out)
		}
	}
	start := time.Now()
	err := k.run(context.Background(), 300*time.Millisecond, job{tool: "/usr/bin/sleep", args: []string{"20"}})
	var f *Failure
	if !errors.As(err, &f) || !f.TimedOut || time.Since(start) > 10*time.Second {
		t.Errorf("a sleeping tool: %v after %v", err, time.Since(start))
	}
}

func TestWorkingCopies(t *testing.T) {
	k := tools(t)
	ctx := context.Background()
	f := film(t, "a.avi", with("-c:v", "mpeg4", "-g", "12", "-c:a", "mp3")...)
	i, err := k.Probe(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	poster, err := k.Poster(ctx, f, i.Duration/2)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(poster)); err != nil || c.Width != 320 || c.Height != 240 {
		t.Errorf("poster %dx%d, %v", c.Width, c.Height, err)
	}
	sheet, s, err := k.Trickplay(ctx, f, i)
	if err != nil {
		t.Fatal(err)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(sheet))
	if err != nil || c.Width != s.Columns*s.TileWidth || c.Height != s.Rows*s.TileHeight || s.EveryMs != 1000 {
		t.Errorf("sheet %dx%d for %+v, %v", c.Width, c.Height, s, err)
	}
	peaks, per, err := k.Waveform(ctx, f, i)
	if err != nil || per != 20 || len(peaks) < 76 || len(peaks) > 86 || bytes.Count(peaks, []byte{0}) > 4 {
		t.Errorf("waveform: %d peaks, %d a second, %v", len(peaks), per, err)
	}
	out, err := Scratch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	last := 0.0
	if err := k.Proxy(ctx, f, i, out, func(p float64) { last = p }); err != nil {
		t.Fatal(err)
	}
	p, err := k.Probe(ctx, out)
	if err != nil || p.Plays != Direct || p.Audio != "aac" || last < 0.9 {
		t.Errorf("proxy: %+v, progress %v, %v", p, last, err)
	}
}

func TestSpoolLeavesNoName(t *testing.T) {
	dir := t.TempDir()
	const big = spoolInMemory + 1
	if _, err := Spool(context.Background(), dir, zeros(big-1), int64(big)); err == nil {
		t.Fatal("a source that ends early was taken")
	}
	for _, size := range []int64{10, int64(big)} {
		f, err := Spool(context.Background(), dir, zeros(size), size)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := f.Stat(); err != nil || st.Size() != size {
			t.Errorf("%v, %v", st, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 0 {
			t.Errorf("the folder holds %v, %v", entries, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// zeros is a source of n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestPeaksAcrossOddWrites(t *testing.T) {
	w := &peakWriter{per: 2, max: 10}
	for _, b := range [][]byte{{0xff}, {0x7f, 0x00}, {0x00, 0x00, 0x80}} { // 32767, 0, -32768
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.close(); !bytes.Equal(got, []byte{255, 255}) {
		t.Errorf("got %v", got)
	}
}

func FuzzProgress(f *testing.F) {
	f.Add([]byte("out_time_us=12\nprogress=end\n"))
	f.Add([]byte("out_time_us=99999999999999999999\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := &progressWriter{total: time.Second, tell: func(p float64) {
			if p < 0 || p > 1 {
				t.Errorf("progress %v", p)
			}
		}}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "confined" {
		fmt.Fprintln(os.Stderr, Confine(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestLandlockServesWhereBubblewrapIsMissing(t *testing.T) {
	all := cages(os.Args[0])
	k := &Tools{cage: all[len(all)-1], ffmpeg: "/usr/bin/ffmpeg", ffprobe: "/usr/bin/ffprobe"}
	if err := k.run(context.Background(), time.Minute, job{tool: "/usr/bin/true"}); err != nil {
		t.Skipf("this kernel cannot: %v", err)
	}
	named := film(t, "a.mp4", with("-c:v", "libx264", "-pix_fmt", "yuv420p")...)
	data, err := os.ReadFile(named.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{named, spooled(t, data)} {
		i, err := k.Probe(context.Background(), f)
		if err != nil || i.Plays != Direct {
			t.Fatalf("got %+v, %v", i, err)
		}
		out, err := Scratch(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Proxy(context.Background(), f, i, out, nil); err != nil {
			t.Error(err)
		}
		if p, err := k.Probe(context.Background(), out); err != nil || p.Plays != Direct {
			t.Errorf("proxy: %+v, %v", p, err)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, args := range [][]string{{"/usr/bin/cat", "/etc/passwd"}, {"/usr/bin/touch", t.TempDir() + "/x"}} {
		if err := k.run(context.Background(), time.Minute, job{tool: args[0], args: args[1:]}); err == nil {
			t.Errorf("%v was allowed", args)
		}
	}
}
