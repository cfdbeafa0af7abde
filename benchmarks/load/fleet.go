package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A fleet is all connections of a run, and the loop that serves them.
type fleet struct {
	target   Target
	request  []byte
	source   func(number int) netip.Addr
	verifier verifier
	epoll    int
	events   []unix.EpollEvent
	buf      []byte
	conns    []*conn
	dialed   int
	time     time.Duration // when the current sweep began
	heard    time.Duration // when something last arrived

	// What the scenario wants to know. Those that are nil are errors.
	onOpen    func(*conn) error
	onMessage func(*conn, head) error
	onEnd     func(*conn) error // after the closing handshake
}

func newFleet(t Target, path string, p payload) (*fleet, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &fleet{
		target:   t,
		request:  request(t, path),
		source:   sources(),
		verifier: verifier{payload: p, compress: t.Compress},
		epoll:    epoll,
		events:   make([]unix.EpollEvent, 1024),
		buf:      make([]byte, 512<<10),
	}, nil
}

// close resets all connections.
func (f *fleet) close() {
	for _, c := range f.conns {
		f.drop(c)
	}
	unix.Close(f.epoll)
}

func (f *fleet) drop(c *conn) {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}

// dial begins a connection, which is to become conns[id]: the server's answer comes to onOpen.
func (f *fleet) dial(id int) (*conn, error) {
	born := now()
	fd, err := connect(f.source(f.dialed), f.target.Addr)
	if err != nil {
		return nil, err
	}
	f.dialed++
	c := &conn{id: id, fd: fd, born: born, stream: socket(fd)}
	if f.target.TLS {
		stream, err := newTLSStream(fd)
		if err != nil {
			f.drop(c)
			return nil, fmt.Errorf("TLS: %w", err)
		}
		c.stream = stream
	}
	err = c.send(f.request)
	if err == nil {
		err = unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{
			Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
			Fd:     int32(id),
		})
	}
	if err != nil {
		f.drop(c)
		return nil, fmt.Errorf("dialing: %w", err)
	}
	return c, nil
}

// dialWidth is how many handshakes are under way at a time.
const dialWidth = 32

// dialAll opens n more connections.
func (f *fleet) dialAll(n int) error {
	first := len(f.conns)
	opened := 0
	f.onOpen = func(c *conn) error {
		opened++
		return nil
	}
	defer func() { f.onOpen = nil }()
	for opened < n {
		for len(f.conns)-first < min(opened+dialWidth, n) {
			c, err := f.dial(len(f.conns))
			if err != nil {
				return fmt.Errorf("connection %d: %w", len(f.conns)+1, err)
			}
			f.conns = append(f.conns, c)
		}
		if err := f.sweep(); err != nil {
			return err
		}
		if err := f.checkStall(); err != nil {
			return err
		}
	}
	return nil
}

var errStalled = errors.New("the server owes an answer and has been silent for " + stall.String())

// checkStall is to be called in loops that wait for the server.
func (f *fleet) checkStall() error {
	if f.time-f.heard > stall {
		return errStalled
	}
	return nil
}

// expect restarts the patience of checkStall.
func (f *fleet) expect() { f.time = now(); f.heard = f.time }

// sweep handles everything that has arrived, without waiting for more.
func (f *fleet) sweep() error {
	n, errno := rawEpollWait(f.epoll, f.events)
	f.time = now()
	if f.heard == 0 {
		f.heard = f.time
	}
	if errno != 0 {
		if errno == syscall.EINTR {
			return nil
		}
		return fmt.Errorf("epoll: %w", errno)
	}
	for _, event := range f.events[:n] {
		c := f.conns[event.Fd]
		if c.fd < 0 {
			continue
		}
		if err := f.serve(c, event.Events); err != nil {
			return fmt.Errorf("connection %d: %w", c.id, err)
		}
	}
	return nil
}

func (f *fleet) serve(c *conn, events uint32) error {
	if events&unix.EPOLLOUT != 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return nil
	}
	_, plain := c.stream.(socket)
	for c.fd >= 0 {
		n, err := c.stream.read(f.buf)
		switch {
		case err == syscall.EAGAIN:
			return nil
		case err == io.EOF && c.state == closed && f.onEnd != nil:
			return f.onEnd(c)
		case err != nil:
			return fmt.Errorf("the server cut the connection: %w", err)
		}
		f.heard = f.time
		if err := f.feed(c, f.buf[:n]); err != nil {
			return err
		}
		if plain && n < len(f.buf) && events&unix.EPOLLRDHUP == 0 {
			return nil // all read: what comes now is another event
		}
	}
	return nil
}

func (f *fleet) feed(c *conn, p []byte) error {
	if c.state == shaking {
		var err error
		if p, err = f.feedResponse(c, p); err != nil {
			return err
		}
	}
	for len(p) > 0 {
		var next piece
		var err error
		if next, p, err = c.in.next(p); err != nil {
			return err
		}
		switch {
		case next.opcode == 0:
		case next.opcode&0x08 != 0:
			err = f.feedControl(c, next)
		default:
			var h head
			var complete bool
			if h, complete, err = f.verifier.take(&c.message, next); complete {
				if f.onMessage == nil {
					return errors.New("a message that nobody asked for")
				}
				err = f.onMessage(c, h)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) feedResponse(c *conn, p []byte) (rest []byte, err error) {
	c.response = append(c.response, p...)
	header, rest, complete := bytes.Cut(c.response, []byte("\r\n\r\n"))
	if !complete {
		return nil, nil
	}
	if c.message.takeover, err = checkResponse(header, f.target.Compress); err != nil {
		return nil, err
	}
	c.state = open
	c.response = nil
	return rest, f.onOpen(c)
}

func (f *fleet) feedControl(c *conn, p piece) error {
	c.control = append(c.control, p.data...)
	if !p.last {
		return nil
	}
	data := c.control
	c.control = nil
	switch p.opcode {
	case opcodePing:
		return c.send(appendFrame(nil, finalBit|opcodePong, data))
	case opcodeClose:
		if c.state != closing {
			return fmt.Errorf("the server closes: %q", data)
		}
		c.state = closed
	}
	return nil
}
