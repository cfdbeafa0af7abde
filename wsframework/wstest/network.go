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
		l := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		return l, l.dial, nil
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

// A memoryListener's connections are pipes, whose ends have addresses as those of a network have.
type memoryListener struct {
	conns  chan net.Conn
	ports  atomic.Int32
	once   sync.Once
	closed chan struct{}
}

func (l *memoryListener) dial() (net.Conn, error) {
	client, server := net.Pipe()
	theirs := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1024 + int(l.ports.Add(1))}
	select {
	case l.conns <- memoryConn{server, memoryAddr, theirs}:
		return memoryConn{client, theirs, memoryAddr}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr }

var memoryAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}

type memoryConn struct {
	net.Conn
	local, remote net.Addr
}

func (c memoryConn) LocalAddr() net.Addr  { return c.local }
func (c memoryConn) RemoteAddr() net.Addr { return c.remote }
