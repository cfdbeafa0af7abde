package wstest

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"sync"
	"sync/atomic"
)

// A network is what lies between client and server.
type network int

const (
	inMemory network = iota
	overTCP
	overTLS
)

// listen opens a listener, and says how to reach it.
func (n network) listen() (net.Listener, func() (net.Conn, error), error) {
	if n == inMemory {
		l := NewListener()
		return l, l.Dial, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	address := l.Addr().String()
	if n == overTCP {
		return l, func() (net.Conn, error) { return net.Dial("tcp", address) }, nil
	}
	config := &tls.Config{Certificates: certificates(), NextProtos: []string{"http/1.1"}}
	return tls.NewListener(l, config), func() (net.Conn, error) {
		return tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	}, nil
}

// certificates are those that httptest carries along.
var certificates = sync.OnceValue(func() []tls.Certificate {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return s.TLS.Certificates
})

// A Listener is a network in memory, for tests of servers that the program itself starts: give it to
// [http.Server.Serve] or [wsframework.Application.Serve], and its Dial to [Via]. It works in the bubbles of
// testing/synctest.
type Listener struct {
	conns  chan net.Conn
	ports  atomic.Int32
	once   sync.Once
	closed chan struct{}
}

// NewListener returns a listener whose address seems to be 127.0.0.1:80.
func NewListener() *Listener {
	return &Listener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the listener, and waits until that has been accepted. The connection is a [net.Pipe], whose
// Write waits for the other end's Read. It may be called from any goroutine.
func (l *Listener) Dial() (net.Conn, error) {
	client, server := net.Pipe()
	theirs := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1024 + int(l.ports.Add(1))}
	select {
	case l.conns <- memoryConn{server, memoryAddr, theirs}:
		return memoryConn{client, theirs, memoryAddr}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]. Who dials from now on gets [net.ErrClosed].
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return memoryAddr }

var memoryAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}

// A memoryConn has addresses as the connections of other networks have.
type memoryConn struct {
	net.Conn
	local, remote net.Addr
}

func (c memoryConn) LocalAddr() net.Addr  { return c.local }
func (c memoryConn) RemoteAddr() net.Addr { return c.remote }
