package evidence

import "time"

// DockStatus is what a docking station says of itself, every second while
// something moves and every 15 s otherwise. The server shows the last one.
type DockStatus struct {
	Dock    string         `json:"dock"`    // the dock's ID, set by the server from its key
	Name    string         `json:"name"`    // as people call it
	Version string         `json:"version"` // of the agent
	At      time.Time      `json:"at"`      // by the dock's clock
	Message string         `json:"message,omitempty"`
	Cameras []CameraStatus `json:"cameras"`
}

// CameraStatus is one camera in a dock.
type CameraStatus struct {
	Device   string       `json:"device"`
	Officer  string       `json:"officer,omitempty"`
	Profile  string       `json:"profile"`
	State    CameraState  `json:"state"`
	Message  string       `json:"message,omitempty"` // what happened, what is safe, what to do
	Files    int          `json:"files"`             // media files on the camera
	Done     int          `json:"done"`              // with a receipt
	Wiped    int          `json:"wiped"`
	LeftOver int          `json:"leftOver"` // files that are not media, left alone
	Bytes    int64        `json:"bytes"`
	Sent     int64        `json:"sent"`
	Rate     int64        `json:"rate"` // bytes a second, over the last seconds
	Current  []FileStatus `json:"current,omitempty"`
}

// FileStatus is one file on its way.
type FileStatus struct {
	Name    string `json:"name"`
	State   string `json:"state"` // hashing, uploading, receipt, wiping, waiting, problem
	Length  int64  `json:"length"`
	Sent    int64  `json:"sent"`
	Message string `json:"message,omitempty"`
}

// CameraState is what a docked camera is doing.
type CameraState string

// Camera states.
const (
	CameraReading   CameraState = "reading"   // looking at files, hashing
	CameraUploading CameraState = "uploading" // bytes are moving
	CameraWaiting   CameraState = "waiting"   // server away or full; will go on by itself
	CameraReady     CameraState = "ready"     // everything is in the vault and wiped; take it
	CameraProblem   CameraState = "problem"   // a person should look
	CameraGone      CameraState = "gone"      // unplugged
)
