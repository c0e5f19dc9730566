package certificate

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files of a certificate are looked at.
const lookEvery = 10 * time.Second

// Files is the source of a certificate that the force brings. When its files
// change they are read anew; while they do not belong together, as between the
// writing of one and of the other, the one before stays.
type Files struct {
	common    Common
	cert, key string

	mu     sync.Mutex
	shown  *tls.Certificate
	looked time.Time
	seen   [2]stamp
	bad    bool // the present files were complained of
}

// stamp tells whether a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

// NewFiles reads a certificate chain and its key, PEM.
func NewFiles(c Common, cert, key string) (*Files, error) {
	c.fill()
	f := &Files{common: c, cert: cert, key: key}
	f.seen = f.stamps()
	f.looked = c.Now()
	var err error
	f.shown, err = f.read()
	return f, err
}

func (f *Files) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	return &pair, nil
}

func (f *Files) stamps() (s [2]stamp) {
	for i, name := range []string{f.cert, f.key} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// Certificate gives what the files have.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.common.Now()
	if now.Sub(f.looked) < lookEvery {
		return f.shown, nil
	}
	f.looked = now
	seen := f.stamps()
	if seen == f.seen && !f.bad {
		return f.shown, nil
	}
	pair, err := f.read()
	if err != nil {
		if seen != f.seen || !f.bad {
			f.common.Logger.Error("the changed certificate cannot be used; the one before stays", "err", err)
		}
		f.bad = true
	} else {
		f.shown, f.bad = pair, false
		f.common.Logger.Info("the certificate was read anew", "until", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	f.seen = seen
	return f.shown, nil
}
