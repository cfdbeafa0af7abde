package load

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"
)

// A tlsStream is a stream through TLS. crypto/tls goes on after a temporary error of the connection
// below it, so it can be used without blocking.
type tlsStream struct{ conn *tls.Conn }

// newTLSStream does the TLS handshake, and waits for it.
func newTLSStream(fd int) (tlsStream, error) {
	below := &tlsSocket{socket: socket(fd), wait: true}
	conn := tls.Client(below, &tls.Config{
		InsecureSkipVerify: true, // the certificate is the harness's own
	})
	err := conn.Handshake()
	below.wait = false
	return tlsStream{conn}, err
}

func (s tlsStream) read(p []byte) (int, error) {
	n, err := s.conn.Read(p)
	if n == 0 && errors.Is(err, errWouldBlock{}) {
		return 0, syscall.EAGAIN
	}
	return n, err
}

func (s tlsStream) write(p []byte) (int, error) { return s.conn.Write(p) }

// A tlsSocket is the connection below TLS. Its Write always waits; what the load writes through TLS is
// little.
type tlsSocket struct {
	socket
	wait bool // whether Read does, too
}

var _ net.Conn = (*tlsSocket)(nil)

func (s *tlsSocket) Read(p []byte) (int, error) {
	deadline := now() + stall
	for {
		n, err := s.read(p)
		if err != syscall.EAGAIN {
			return n, err
		}
		if !s.wait || now() > deadline {
			return 0, errWouldBlock{}
		}
	}
}

func (s *tlsSocket) Write(p []byte) (int, error) {
	deadline := now() + stall
	for sent := 0; ; {
		n, err := s.write(p[sent:])
		sent += n
		if sent == len(p) || err != nil && err != syscall.EAGAIN || now() > deadline {
			return sent, err
		}
	}
}

func (s *tlsSocket) Close() error                     { return nil }
func (s *tlsSocket) LocalAddr() net.Addr              { return nil }
func (s *tlsSocket) RemoteAddr() net.Addr             { return nil }
func (s *tlsSocket) SetDeadline(time.Time) error      { return nil }
func (s *tlsSocket) SetReadDeadline(time.Time) error  { return nil }
func (s *tlsSocket) SetWriteDeadline(time.Time) error { return nil }

// errWouldBlock says that there is nothing to read yet.
type errWouldBlock struct{}

var _ net.Error = errWouldBlock{}

func (errWouldBlock) Error() string   { return "nothing to read yet" }
func (errWouldBlock) Timeout() bool   { return true }
func (errWouldBlock) Temporary() bool { return true }
