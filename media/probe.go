package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Info is what is in a file. The zero Info is a file in which nothing that can
// be shown was found; Why says it in one sentence.
type Info struct {
	Format        string // demuxer, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
	Duration      time.Duration
	Video         string // codec of the first video stream, "" = none
	Profile       string
	PixelFormat   string
	Width, Height int     // pixels, as shown: a quarter turn is applied
	Rate          float64 // frames a second, mean
	Audio         string  // codec of the first audio stream, "" = none
	Plays         Plays
	Type          string // media type for browsers, when Plays is Direct or Sound
	Why           string // for people, when Plays is Converted or Nothing
}

// Plays is how a browser gets to show a file.
type Plays int

// The ways.
const (
	Nothing   Plays = iota // it cannot be shown
	Direct                 // as it is
	Converted              // through a proxy
	Sound                  // as it is, there is only sound
)

type probed struct {
	Streams []struct {
		Type     string `json:"codec_type"`
		Codec    string `json:"codec_name"`
		Profile  string `json:"profile"`
		Pixels   string `json:"pix_fmt"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		Rate     string `json:"avg_frame_rate"`
		Duration string `json:"duration"`
		Side     []struct {
			Rotation float64 `json:"rotation"`
		} `json:"side_data_list"`
		Disposition struct {
			Picture int `json:"attached_pic"`
		} `json:"disposition"`
	} `json:"streams"`
	Format struct {
		Name     string `json:"format_name"`
		Duration string `json:"duration"`
	} `json:"format"`
}

// Probe looks into a file. What cannot be read as footage is no error: it is
// an Info with Plays = Nothing and the reason. An error means that looking
// itself failed (no sandbox, interrupted) and is worth another try.
func (t *Tools) Probe(ctx context.Context, f *os.File) (Info, error) {
	st, err := f.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("probe: %w", err)
	}
	if st.Size() == 0 {
		return Info{Why: "The file is empty: the camera wrote a name but no footage."}, nil
	}
	out := &capped{max: 1 << 20}
	args := append(input(), "-show_format", "-show_streams", "-of", "json")
	if err := t.run(ctx, probeTime, job{tool: t.ffprobe, args: args, in: f, stdout: out}); err != nil {
		var fail *Failure
		if errors.As(err, &fail) && ctx.Err() == nil {
			return Info{Why: reason(fail)}, nil
		}
		return Info{}, fmt.Errorf("probe: %w", err)
	}
	var p probed
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		return Info{Why: reason(&Failure{Said: err.Error()})}, nil
	}
	return judge(p), nil
}

// reason is a tool's failure in words for people.
func reason(f *Failure) string {
	said := strings.ToLower(f.Said)
	switch {
	case f.TimedOut:
		return "Looking into the file took too long and was stopped: it may be damaged, or made to do so."
	case strings.Contains(said, "moov atom not found"):
		return "The file is cut short: the index that the camera writes at the end is missing."
	case strings.Contains(said, "not on whitelist"), strings.Contains(said, "format not on"):
		return "The file is of a kind that is not accepted as footage, for example a playlist that points elsewhere."
	case strings.Contains(said, "picture size"), strings.Contains(said, "pixels"):
		return "The file announces pictures far larger than any camera makes. It was not opened further."
	default:
		return "The file is damaged, or of a kind that this system cannot show."
	}
}

func judge(p probed) Info {
	i := Info{Format: p.Format.Name, Duration: seconds(p.Format.Duration)}
	streamPixels := 0
	for _, s := range p.Streams {
		switch {
		case s.Type == "video" && i.Video == "" && s.Codec != "" && s.Disposition.Picture == 0 && s.Width > 0:
			i.Video, i.Profile, i.PixelFormat, i.Width, i.Height = s.Codec, s.Profile, s.Pixels, s.Width, s.Height
			i.Rate = rate(s.Rate)
			streamPixels = s.Width * s.Height
			for _, d := range s.Side {
				if r := int(math.Abs(d.Rotation)); r == 90 || r == 270 {
					i.Width, i.Height = i.Height, i.Width
				}
			}
			if i.Duration == 0 {
				i.Duration = seconds(s.Duration)
			}
		case s.Type == "audio" && i.Audio == "" && s.Codec != "":
			i.Audio = s.Codec
			if i.Duration == 0 {
				i.Duration = seconds(s.Duration)
			}
		}
	}
	is := func(names ...string) bool {
		return slices.ContainsFunc(strings.Split(i.Format, ","), func(f string) bool { return slices.Contains(names, f) })
	}
	switch {
	case streamPixels > maxPixels:
		i.Why = "The file announces pictures far larger than any camera makes. It was not opened further."
	case i.Video == "" && i.Audio == "":
		i.Why = "There is neither picture nor sound in the file."
	case i.Video == "":
		i.Plays, i.Type = Sound, soundType(i, is)
		if i.Type == "" {
			i.Plays, i.Why = Converted, "Browsers cannot play this kind of sound; a proxy is made on demand."
		}
	default:
		i.Plays, i.Type, i.Why = videoPlays(i, is)
	}
	return i
}

func soundType(i Info, is func(...string) bool) string {
	switch {
	case is("wav") && slices.Contains([]string{"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"}, i.Audio):
		return "audio/wav"
	case is("mp3"):
		return "audio/mpeg"
	case is("mp4", "mov") && i.Audio == "aac":
		return "audio/mp4"
	case is("ogg"), is("flac"):
		return "audio/ogg"
	}
	return ""
}

func videoPlays(i Info, is func(...string) bool) (Plays, string, string) {
	eightBit := slices.Contains([]string{"yuv420p", "yuvj420p"}, i.PixelFormat)
	sound := i.Audio == "" || slices.Contains([]string{"aac", "mp3", "opus", "flac"}, i.Audio)
	switch {
	case is("mp4", "mov") && i.Video == "h264" && eightBit && sound:
		return Direct, "video/mp4", ""
	case is("webm") && slices.Contains([]string{"vp8", "vp9", "av1"}, i.Video) && (i.Audio == "" || i.Audio == "opus" || i.Audio == "vorbis"):
		return Direct, "video/webm", ""
	case i.Video == "hevc":
		return Converted, "", "Browsers cannot play H.265; a proxy is made on demand."
	case is("mp4", "mov") && i.Video == "h264" && !sound:
		return Converted, "", "Browsers cannot play this file's sound; a proxy is made on demand."
	default:
		return Converted, "", "Browsers cannot play this kind of file; a proxy is made on demand."
	}
}

func seconds(s string) time.Duration {
	v, err := strconv.ParseFloat(s, 64)
	// A year of footage in one file is a lie in its header.
	if err != nil || math.IsNaN(v) || v < 0 || v > 366*86400 {
		return 0
	}
	return time.Duration(v * float64(time.Second)).Round(time.Millisecond)
}

func rate(s string) float64 {
	a, b, ok := strings.Cut(s, "/")
	n, err := strconv.ParseFloat(a, 64)
	if err != nil {
		return 0
	}
	if ok {
		d, err := strconv.ParseFloat(b, 64)
		if err != nil || d == 0 {
			return 0
		}
		n /= d
	}
	if math.IsNaN(n) || n < 0 || n > 1000 {
		return 0
	}
	return math.Round(n*1000) / 1000
}
