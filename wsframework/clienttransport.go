package wsframework

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A lentBody is the connection as coder has it, until it is taken back.
type lentBody struct {
	io.ReadWriteCloser
	lent bool
}

// Read is what coder does with an answer that it refuses. One with status 101 has no body.
func (b *lentBody) Read([]byte) (int, error) { return 0, io.EOF }

func (b *lentBody) Close() error {
	if !b.lent {
		return nil
	}
	return b.ReadWriteCloser.Close()
}

// transport returns what the connection's bytes go through, and those that came right behind the answer.
func (h *clientHandshake) transport() (transport, []byte) {
	both := h.body.ReadWriteCloser
	switch h.conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return newTransport(h.conn), readAheadOf(both, h.conn)
	}
	return newTransport(&bodyConn{both, h.conn}), nil
}

// readAheadOf takes from a body what it has buffered. The deadline, which is over, keeps it from reading on
// from the connection.
func readAheadOf(body io.Reader, c net.Conn) (early []byte) {
	c.SetReadDeadline(time.Unix(1, 0))
	defer c.SetReadDeadline(time.Time{})
	for {
		p := make([]byte, pageSize)
		n, err := body.Read(p)
		early = append(early, p[:n]...)
		if err != nil {
			return early
		}
	}
}

// A bodyConn is a connection of which only a body is at hand, and perhaps the net.Conn below it for its
// deadlines and addresses.
type bodyConn struct {
	io.ReadWriteCloser
	below net.Conn // or nil
}

func (c *bodyConn) LocalAddr() net.Addr {
	if c.below == nil {
		return nil
	}
	return c.below.LocalAddr()
}

func (c *bodyConn) RemoteAddr() net.Addr {
	if c.below == nil {
		return nil
	}
	return c.below.RemoteAddr()
}

func (c *bodyConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *bodyConn) SetReadDeadline(t time.Time) error {
	if c.below == nil {
		return os.ErrNoDeadline
	}
	return c.below.SetReadDeadline(t)
}

// SetWriteDeadline does nothing where there are no deadlines: the ping time-out finds a dead peer, too.
func (c *bodyConn) SetWriteDeadline(t time.Time) error {
	if c.below == nil {
		return nil
	}
	return c.below.SetWriteDeadline(t)
}
