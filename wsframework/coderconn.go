package wsframework

import (
	"bufio"
	"errors"
	"net"
	"sync/atomic"
)

// A coderConn is the net.Conn under coder's Conn. Reading, it shows the frames of one message after the
// other, and no control frame. What coder writes on an error becomes our own close. Closing it unblocks
// coder; the socket is closed by its owner, after the queue.
type coderConn struct {
	net.Conn // for its addresses and deadlines
	gate     *gate
	br       *bufio.Reader
	closed   atomic.Bool
}

// These are coder's own buffers. It reads headers through the first, and payloads past it; a control
// frame must fit whole into the second.
const (
	coderReadBuffer  = 16
	coderWriteBuffer = 2 + maxControl
)

func newCoderConn(c net.Conn, g *gate) (*coderConn, *bufio.ReadWriter) {
	cc := &coderConn{Conn: c, gate: g}
	cc.br = bufio.NewReaderSize(cc, coderReadBuffer)
	return cc, bufio.NewReadWriter(cc.br, bufio.NewWriterSize(cc, coderWriteBuffer))
}

func (cc *coderConn) Read(p []byte) (int, error) {
	if cc.closed.Load() {
		return 0, net.ErrClosed
	}
	return cc.gate.readForCoder(p)
}

// errForeignFrame would mean that coder writes what is ours to write.
var errForeignFrame = errors.New("wsframework: unexpected frame from the message reader")

func (cc *coderConn) Write(p []byte) (int, error) {
	if len(p) < 2 || len(p) > coderWriteBuffer || p[0] != finBit|byte(opClose) || int(p[1]) != len(p)-2 {
		return 0, errForeignFrame
	}
	code, reason, violation := parseClosePayload(p[2:])
	if violation != nil {
		return 0, violation
	}
	cc.gate.c.violated(&protocolError{code, reason})
	return len(p), nil
}

func (cc *coderConn) Close() error {
	cc.closed.Store(true)
	return nil
}

// dropBuffered forgets what coder has been given and did not read.
func (cc *coderConn) dropBuffered() { cc.br.Discard(cc.br.Buffered()) }
