package witness

import (
	"time"
)

// Outside is how outsiders vouch for the log.
type Outside struct {
	Size        int64             `json:"size" doc:"Entries that enough witnesses have signed; 0 = none yet."`
	At          time.Time         `json:"at" doc:"When they had; zero = never."`
	Since       time.Time         `json:"since" doc:"Since when the log has had entries that not enough witnesses have signed; zero = it has none."`
	Witnesses   []WitnessStatus   `json:"witnesses"`
	Authorities []AuthorityStatus `json:"authorities"`
}

// WitnessStatus is how one witness is.
type WitnessStatus struct {
	Name      string    `json:"name" doc:"In the witness policy."`
	KeyName   string    `json:"keyName"`
	Algorithm string    `json:"algorithm"`
	Size      int64     `json:"size" doc:"Of the last checkpoint that it signed."`
	At        time.Time `json:"at" doc:"When, by its own clock; zero = never."`
	Since     time.Time `json:"since" doc:"Since when the log has had entries that it has not signed; zero = it has none."`
	Trouble   string    `json:"trouble" doc:"Why it did not sign when asked last."`
}

// AuthorityStatus is how one timestamp authority is.
type AuthorityStatus struct {
	Name    string    `json:"name"`
	Size    int64     `json:"size" doc:"Of the checkpoint stamped last."`
	At      time.Time `json:"at" doc:"Of that timestamp; zero = none yet."`
	Late    bool      `json:"late" doc:"The log has grown, and no timestamp came when it was due."`
	Trouble string    `json:"trouble"`
}

// Witnessed tells whether enough witnesses have signed everything but what came
// in the last minute.
func (s Outside) Witnessed(now time.Time) bool {
	return len(s.Witnesses) > 0 && s.Size > 0 && (s.Since.IsZero() || now.Sub(s.Since) < Grace)
}

// Grace is how long a new checkpoint may be without its cosignatures before
// people are told.
const Grace = time.Minute

// Status tells how witnesses and authorities are.
func (k *Keeper) Status() Outside {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.cfg.Now()
	s := Outside{Size: k.best.size, At: k.best.at.UTC(), Witnesses: []WitnessStatus{}, Authorities: []AuthorityStatus{}}
	if len(k.parties) > 0 {
		s.Since = k.since(k.best.size).UTC()
	}
	for _, p := range k.parties {
		s.Witnesses = append(s.Witnesses, WitnessStatus{p.Name, p.Key.Name(), p.Key.Algorithm(), p.size, p.at.UTC(), k.since(p.size).UTC(), p.trouble})
	}
	for _, a := range k.authorities {
		last := a.at
		if last.Before(k.started) {
			last = k.started
		}
		late := a.size < k.newest.size && now.Sub(last) > 2*k.cfg.StampEvery
		s.Authorities = append(s.Authorities, AuthorityStatus{a.Name, a.size, a.at.UTC(), late, a.trouble})
	}
	return s
}
