package httpapi

import (
	"net"
	"sync"
)

// LimitConnections is ln with at most perAddress connections (negative: any
// number) open from one address; one more is closed as soon as it is accepted,
// before a byte of it is read. Connections of a proxy on this machine do not
// count: they are everybody's.
func LimitConnections(ln net.Listener, perAddress int, proxied bool) net.Listener {
	if perAddress < 0 {
		return ln
	}
	return &limitedListener{Listener: ln, most: perAddress, proxied: proxied, open: map[string]int{}}
}

type limitedListener struct {
	net.Listener
	most    int
	proxied bool

	mu   sync.Mutex
	open map[string]int // by address; guarded by mu
}

// Accept gives the next connection that may be open.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if ip := net.ParseIP(host); err != nil || l.proxied && ip != nil && ip.IsLoopback() {
			return c, nil
		}
		if l.begin(host) {
			return &limitedConn{Conn: c, ended: sync.OnceFunc(func() { l.end(host) })}, nil
		}
		_ = c.Close() // nobody is told: they hold more than enough connections already
	}
}

func (l *limitedListener) begin(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host] >= l.most {
		return false
	}
	l.open[host]++
	return true
}

func (l *limitedListener) end(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host]--; l.open[host] <= 0 {
		delete(l.open, host)
	}
}

type limitedConn struct {
	net.Conn
	ended func()
}

// Close ends the connection and makes room for another.
func (c *limitedConn) Close() error {
	defer c.ended()
	return c.Conn.Close()
}
