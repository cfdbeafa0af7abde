package load

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A state is how far a connection has come.
type state int

const (
	shaking state = iota // the request is sent
	open                 // the server has answered with 101
	closing              // our close frame is sent
	closed               // the server's close frame has come
)

// A conn is one connection of the load.
type conn struct {
	id     int
	fd     int
	state  state
	stream stream
	born   time.Duration

	in       decoder
	response []byte // of the handshake, incomplete
	message  inbox
	control  []byte // payload of an incomplete control frame
	unsent   []byte
}

// A stream moves bytes without blocking: syscall.EAGAIN means later.
type stream interface {
	read(p []byte) (int, error)
	write(p []byte) (int, error)
}

// A socket is the plain stream.
type socket int

func (s socket) read(p []byte) (int, error) {
	n, errno := rawRead(int(s), p)
	switch {
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (s socket) write(p []byte) (int, error) {
	n, errno := rawWrite(int(s), p)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// send writes as much as the kernel takes and keeps the rest.
func (c *conn) send(p []byte) error {
	if len(c.unsent) == 0 {
		n, err := c.stream.write(p)
		if err != nil && err != syscall.EAGAIN {
			return err
		}
		p = p[n:]
	}
	c.unsent = append(c.unsent, p...)
	return nil
}

// flush writes what send has kept.
func (c *conn) flush() error {
	if len(c.unsent) == 0 {
		return nil
	}
	n, err := c.stream.write(c.unsent)
	if err != nil && err != syscall.EAGAIN {
		return err
	}
	c.unsent = append(c.unsent[:0], c.unsent[n:]...)
	return nil
}

// sendBuffer is large enough that the load is rarely held up while a server reads slowly.
const sendBuffer = 1 << 20

// connect returns a connected socket that doesn't block. The kernel completes the connection without the
// server's help.
func connect(source netip.Addr, target netip.AddrPort) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer),
		// A reset on closing leaves no port behind in TIME_WAIT. The server has closed by then.
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		// Else bind would choose a port that no other connection uses, to whomever.
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: source.As4()}),
	)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: target.Addr().As4(), Port: int(target.Port())})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connecting to %s: %w", target, err)
	}
	return fd, nil
}

// perSource is how many connections one source address makes. The kernel has 28,000 ports for each, and
// searches longer the more of them are taken.
const perSource = 14_000

var runs atomic.Uint32

// sources returns the source address of each connection of a run; no two runs in a row share one.
func sources() func(number int) netip.Addr {
	run := runs.Add(1)
	return func(number int) netip.Addr {
		return netip.AddrFrom4([4]byte{127, byte(1 + run/200%200), byte(1 + run%200), byte(1 + number/perSource)})
	}
}
