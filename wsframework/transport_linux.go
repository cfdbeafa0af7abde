//go:build !386

package wsframework

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// rawTransport reads and writes a TCP or Unix socket with non-blocking system calls: it waits for input
// without holding a buffer, and it writes without a goroutine switch.
type rawTransport struct {
	c   net.Conn
	raw syscall.RawConn

	// Reading: what onReadable works on, and what it found.
	readFn  func(fd uintptr) bool
	in      *inbuf
	readErr error

	// Writing.
	writeFn  func(fd uintptr)
	bufs     [][]byte
	writeN   int
	writeErr error
}

func newRawTransport(c net.Conn) transport {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	t := &rawTransport{c: c, raw: raw}
	t.readFn, t.writeFn = t.onReadable, t.onWritable
	return t
}

func (t *rawTransport) fill(in *inbuf) error {
	t.in = in
	if err := t.raw.Read(t.readFn); err != nil {
		return err
	}
	return t.readErr
}

// onReadable is called first without knowing whether there is input, then each time some has come.
func (t *rawTransport) onReadable(fd uintptr) bool {
	p := t.in.space()
	n, errno := readSocket(fd, p)
	for errno == syscall.EINTR {
		n, errno = readSocket(fd, p)
	}
	switch {
	case errno == syscall.EAGAIN:
		t.in.rest()
		t.in.streak = 0
		return false
	case errno != 0:
		t.readErr = os.NewSyscallError("read", errno)
	case n == 0:
		t.readErr = io.EOF
	default:
		t.readErr = nil
		t.in.w += n
		if t.in.streak < 255 {
			t.in.streak++
		}
	}
	return true
}

func (t *rawTransport) canTry() bool { return true }

func (t *rawTransport) tryWrite(bufs [][]byte) (int, error) {
	t.bufs, t.writeN, t.writeErr = bufs, 0, nil
	err := t.raw.Control(t.writeFn)
	t.bufs = nil
	if err != nil {
		return 0, err
	}
	return t.writeN, t.writeErr
}

// onWritable does one write system call.
func (t *rawTransport) onWritable(fd uintptr) {
	n, errno := writeSocket(fd, t.bufs)
	for errno == syscall.EINTR {
		n, errno = writeSocket(fd, t.bufs)
	}
	switch errno {
	case 0:
		t.writeN = n
	case syscall.EAGAIN:
	default:
		t.writeErr = os.NewSyscallError("write", errno)
	}
}

// write is for what tryWrite has left.
func (t *rawTransport) write(bufs [][]byte, timeout time.Duration, drained func()) (int, error) {
	var deadline time.Time
	return writeAll(t.c, &deadline, bufs, timeout, drained)
}

func (t *rawTransport) conn() net.Conn { return t.c }

func (t *rawTransport) close() error { return t.c.Close() }
