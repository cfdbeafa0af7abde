package wsframework

import (
	"net"
	"os"
	"time"
)

// A transport moves a connection's bytes. fill is called by one goroutine at a time,
// the writing ones by another one; close by any.
type transport interface {
	// fill waits for input and appends it to in. An implementation that can wait without a buffer
	// gives in's page back meanwhile.
	fill(in *inbuf) error

	// canTry reports whether tryWrite works. Where it does not, everything is written by write in a
	// goroutine of its own.
	canTry() bool

	// tryWrite writes as much as goes out at once, and never waits.
	tryWrite(bufs [][]byte) (int, error)

	// write writes all, waiting at most timeout (0: for ever) without progress. It calls drained each
	// time the peer had to take something first.
	write(bufs [][]byte, timeout time.Duration, drained func()) (int, error)

	conn() net.Conn
	close() error
}

// newTransport picks the raw path where nothing between the connection and the kernel could want to
// see the bytes (a wrapper may encrypt or count them), and the plain path everywhere else.
func newTransport(c net.Conn) transport {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		if raw := newRawTransport(c); raw != nil {
			return raw
		}
	}
	return &plainTransport{c: c}
}

// plainTransport works over any net.Conn.
type plainTransport struct {
	c        net.Conn
	deadline time.Time // for writing
}

func (t *plainTransport) fill(in *inbuf) error {
	in.large = false // the page is held while waiting
	n, err := t.c.Read(in.space())
	in.w += n
	if n > 0 {
		return nil
	}
	return err
}

func (t *plainTransport) canTry() bool { return false }

func (t *plainTransport) tryWrite([][]byte) (int, error) { return 0, nil }

func (t *plainTransport) write(bufs [][]byte, timeout time.Duration, drained func()) (int, error) {
	return writeAll(t.c, &t.deadline, bufs, timeout, drained)
}

func (t *plainTransport) conn() net.Conn { return t.c }

func (t *plainTransport) close() error { return t.c.Close() }

// maxWrite is how much a peer has to take within a time-out: a TLS connection can't go on after one, so
// there it has to mean that nothing moves.
const maxWrite = 16 << 10

// drainTime tells a write that had to wait until the peer took something from one that found room. A
// small one is not worth a look at the clock.
const (
	drainTime = 10 * time.Millisecond
	drainSize = 1 << 10
)

// writeAll is a transport's write. Setting a deadline costs as much as a small message, so it is set a
// quarter of the time-out too late, and stands for several writes.
func writeAll(c net.Conn, deadline *time.Time, bufs [][]byte, timeout time.Duration, drained func()) (written int, err error) {
	for _, b := range bufs {
		for len(b) > 0 {
			began := time.Now()
			if timeout > 0 && deadline.Sub(began) < timeout {
				*deadline = began.Add(timeout + timeout/4)
				if err := c.SetWriteDeadline(*deadline); err != nil {
					return written, err
				}
			}
			piece := b[:min(len(b), maxWrite)]
			n, err := c.Write(piece)
			written += n
			b = b[n:]
			if n >= drainSize && time.Since(began) > drainTime {
				drained()
			}
			// A deadline that passed while bytes were still moving is no stuck peer.
			if err != nil && !(n > 0 && os.IsTimeout(err)) {
				return written, err
			}
		}
	}
	return written, nil
}
