package main

import (
	"io"
	"net"
	"sync"
	"syscall"
	"unsafe"
)

// bufferSize holds what one read can bring: some of the largest messages of the benchmark.
const bufferSize = 256 << 10

// A freeList keeps buffers for ever, other than a sync.Pool: new ones cost page faults.
type freeList struct {
	mu   sync.Mutex
	free []*[bufferSize]byte
}

func (l *freeList) get() *[bufferSize]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.free) - 1
	if last < 0 {
		return new([bufferSize]byte)
	}
	b := l.free[last]
	l.free = l.free[:last]
	return b
}

func (l *freeList) put(b *[bufferSize]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, b)
}

var buffers freeList

// A socket reads and writes with system calls that don't block, and waits in Go's poller. It holds a
// buffer only while it has bytes.
type socket struct {
	raw syscall.RawConn

	buf  *[bufferSize]byte
	have int // bytes in buf
	err  error

	tryRead, tryWrite func(fd uintptr) bool
	unsent            []byte
}

func newSocket(c *net.TCPConn) (*socket, error) {
	raw, err := c.SyscallConn()
	s := &socket{raw: raw}
	s.tryRead, s.tryWrite = s.readOnce, s.writeOnce
	return s, err
}

// read waits for more bytes and appends them to the buffer.
func (s *socket) read() error {
	if err := s.raw.Read(s.tryRead); err != nil {
		return err
	}
	return s.err
}

func (s *socket) readOnce(fd uintptr) (done bool) {
	if s.buf == nil {
		s.buf = buffers.get()
	}
	n, errno := call(syscall.SYS_RECVFROM, fd, s.buf[s.have:])
	switch {
	case errno == syscall.EAGAIN:
		s.release()
		return false
	case errno != 0:
		s.err = errno
	case n == 0:
		s.err = io.EOF
	default:
		s.have += n
	}
	return true
}

// consume drops the first n bytes of the buffer.
func (s *socket) consume(n int) {
	s.have = copy(s.buf[:], s.buf[n:s.have])
	s.release()
}

// release gives an empty buffer back.
func (s *socket) release() {
	if s.have == 0 && s.buf != nil {
		buffers.put(s.buf)
		s.buf = nil
	}
}

// write writes all of p.
func (s *socket) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	s.unsent = p
	if err := s.raw.Write(s.tryWrite); err != nil {
		return err
	}
	s.unsent = nil
	return nil
}

func (s *socket) writeOnce(fd uintptr) (done bool) {
	n, errno := call(syscall.SYS_SENDTO, fd, s.unsent)
	if errno == syscall.EAGAIN {
		return false
	}
	if errno != 0 {
		return true // the next read tells
	}
	s.unsent = s.unsent[n:]
	return len(s.unsent) == 0
}

// call reads or writes without telling the scheduler, which costs more than it brings: it never waits.
func call(trap uintptr, fd uintptr, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// A group writes to all its members.
type group struct {
	mu      sync.Mutex
	members map[*socket]struct{}
}

func (g *group) add(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members == nil {
		g.members = make(map[*socket]struct{})
	}
	g.members[s] = struct{}{}
}

func (g *group) remove(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.members, s)
}

func (g *group) write(p []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.members {
		_ = s.write(p) // a member that is gone leaves by its own read
	}
	return nil
}
