package evidence

import "time"

// Recording is one take of one camera, as its officer made it: one file, or
// several segments that the camera cut. It is what people search for, watch
// and decide about. Its masters are never altered (R15).
type Recording struct {
	ID        ID        `json:"id"`
	Device    string    `json:"device"`            // camera's serial or asset number, as its profile read it
	Officer   string    `json:"officer,omitempty"` // collar number, where the camera or dock knew it
	Category  Category  `json:"category"`
	Group     string    `json:"group,omitempty"` // what ties segments together, unique within a device
	StartedAt time.Time `json:"startedAt"`       // trusted time: the device's time corrected by the offset measured at the dock
	Duration  Duration  `json:"durationMs"`      // of all segments, once probed; 0 = not known yet
	Segments  []Segment `json:"segments"`        // in the order people see: by sequence, else by device time (catalogue.Order)
	Arrivals  []Arrival `json:"arrivals,omitempty"`
	CreatedAt time.Time `json:"createdAt"` // first arrival on this server
	Placing   Placing   `json:"-"`         // what decides who may know of it
}

// Category is what sort of event was recorded; the force's list decides what
// follows from it. The empty category is "uncategorised".
type Category string

// Uncategorised is the category of footage nobody has marked.
const Uncategorised Category = ""

// Duration is a length of time in whole milliseconds.
type Duration int64

// Std is d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) * time.Millisecond }

// Segment is one master: one native file of a recording.
type Segment struct {
	Recording ID     `json:"recording"`
	Number    int    `json:"number"` // order of arrival, from 1; never changes, it is in receipts
	Object    ID     `json:"-"`      // opaque name in the vault
	FileName  string `json:"fileName"`
	Sequence  int    `json:"sequence,omitempty"` // the camera's own number, 0 = none
	Digest    Digest `json:"sha256"`
	Length    int64  `json:"length"` // bytes
	Clock     Clock  `json:"clock"`
	Media     Media  `json:"media"`
}

// Clock keeps the three times of R24 apart; none of them is ever rewritten.
type Clock struct {
	DeviceStarted time.Time `json:"deviceStarted"`      // as the camera wrote it, taken as UTC if it had no zone
	DeviceZone    string    `json:"zone,omitempty"`     // as the camera or its profile says, e.g. Europe/London
	Offset        *Duration `json:"offsetMs,omitempty"` // device clock minus the dock's, measured at docking; nil = not measured
	Source        string    `json:"source"`             // where DeviceStarted came from: name, sidecar, container, mtime
	Trusted       time.Time `json:"trusted"`            // DeviceStarted − Offset
}

// MediaState is how far a master has come on its way to the screen.
type MediaState string

// Media states.
const (
	MediaPending  MediaState = "pending"  // not looked at yet
	MediaPlayable MediaState = "playable" // a browser plays the master itself
	MediaProxy    MediaState = "proxy"    // needs a proxy, made on demand
	MediaAudio    MediaState = "audio"    // sound only
	MediaNone     MediaState = "none"     // cannot be shown as video; the master can still be exported
)

// Media is what probing a master found. Zero until it has been probed.
type Media struct {
	State    MediaState `json:"state"`
	Why      string     `json:"why,omitempty"` // for MediaNone and MediaProxy: one plain sentence
	Type     string     `json:"type,omitempty"`
	Format   string     `json:"format,omitempty"`
	Video    string     `json:"video,omitempty"` // codec
	Audio    string     `json:"audio,omitempty"` // codec
	Width    int        `json:"width,omitempty"`
	Height   int        `json:"height,omitempty"`
	Rate     float64    `json:"frameRate,omitempty"` // frames per second
	Duration Duration   `json:"durationMs,omitempty"`
}

// Arrival is one time that a file came in through a dock. A file docked twice
// has two arrivals and one segment.
type Arrival struct {
	ID       ID        `json:"id"`
	Segment  int       `json:"segment"`
	Device   string    `json:"device"`
	FileName string    `json:"fileName"`
	Dock     string    `json:"dock"`
	DockedAt time.Time `json:"dockedAt"` // when the dock first touched the file
	At       time.Time `json:"at"`       // when it was accepted here
}

// WorkingCopy is something made from a master: a poster, a trickplay sheet, a
// waveform, a proxy (R15, R19).
type WorkingCopy struct {
	Recording ID        `json:"recording"`
	Segment   int       `json:"segment"`
	Kind      CopyKind  `json:"kind"`
	Object    ID        `json:"-"`
	Type      string    `json:"type"` // media type
	Length    int64     `json:"length"`
	Digest    Digest    `json:"sha256"`
	Tool      string    `json:"tool"` // what made it, with version
	Info      string    `json:"info,omitempty"`
	MadeAt    time.Time `json:"madeAt"`
}

// CopyKind is what sort of working copy.
type CopyKind string

// Working copies.
const (
	Poster    CopyKind = "poster"    // one JPEG
	Trickplay CopyKind = "trickplay" // one JPEG sheet of key frames; Info says its geometry
	Waveform  CopyKind = "waveform"  // peaks, one byte each; Info says how many a second
	Proxy     CopyKind = "proxy"     // MP4 that browsers play
)

// Gap is a hole or an overlap between two segments of one recording.
type Gap struct {
	After   int      `json:"after"`             // segment number before the gap
	Length  Duration `json:"lengthMs"`          // negative: an overlap
	Missing []int    `json:"missing,omitempty"` // sequence numbers that never arrived
}

// Capture is what a dock says of a file it brings: everything the camera, its
// names and its sidecars told. All of it is hostile text.
type Capture struct {
	Device   string    `json:"device"`
	Officer  string    `json:"officer,omitempty"`
	Category Category  `json:"category,omitempty"`
	FileName string    `json:"fileName"` // path on the camera, with /
	Group    string    `json:"group,omitempty"`
	Sequence int       `json:"sequence,omitempty"`
	Started  time.Time `json:"started"`
	Zone     string    `json:"zone,omitempty"`
	Source   string    `json:"source,omitempty"`
	Offset   *Duration `json:"offsetMs,omitempty"`
	Digest   Digest    `json:"sha256"`
	Length   int64     `json:"length"`
	DockedAt time.Time `json:"dockedAt"`
	Profile  string    `json:"profile,omitempty"`
}
