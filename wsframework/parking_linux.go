//go:build !386

package wsframework

import (
	"os"
	"sync"
	"syscall"
)

// A parking watches the sockets of connections that have been quiet for a while, so that they need no
// goroutine and no stack: one goroutine waits for all of them, and lives while there are any.
//
// It has an epoll instance of its own, and waits for that with Go's, so it holds no thread either.
type parking struct {
	mu    sync.Mutex // protects the following
	epoll *os.File   // nil while nobody is here
	fd    int        // epoll's
	spots []*conn    // by their sockets' file descriptors
	count int
}

// parkEvents is what wakes a connection, once: input, its end, or an error (which is always reported).
const parkEvents = syscall.EPOLLIN | syscall.EPOLLRDHUP | epollOneShot

// passEvents wakes it at once, unless its peer does not read: then when that does, or input comes.
const passEvents = parkEvents | syscall.EPOLLOUT

const epollOneShot = 1 << 30

// add has c woken by events of its socket, and reports whether that is possible.
func (p *parking) add(c *conn, events uint32) bool {
	t, ok := c.tr.(*rawTransport)
	if !ok {
		return false
	}
	added := false
	err := t.raw.Control(func(fd uintptr) { // which keeps the socket from being closed meanwhile
		p.mu.Lock()
		defer p.mu.Unlock()
		// Who has woken c already will not do so again.
		added = c.parked.Load() && p.openLocked() == nil && p.addLocked(c, int(fd), events) == nil
		if p.count == 0 {
			p.closeLocked()
		}
	})
	return err == nil && added
}

func (p *parking) addLocked(c *conn, fd int, events uint32) error {
	event := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	err := syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &event)
	if err == syscall.EEXIST {
		err = syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, fd, &event)
	}
	if err != nil {
		return err
	}
	for len(p.spots) <= fd {
		p.spots = append(p.spots, nil)
	}
	if p.spots[fd] == nil {
		p.count++
	}
	p.spots[fd] = c
	c.spot = int32(fd)
	return nil
}

// remove forgets a connection that has been woken.
func (p *parking) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(c.spot) < len(p.spots) && p.spots[c.spot] == c {
		p.spots[c.spot] = nil
		p.count--
	}
	if p.count == 0 {
		p.closeLocked()
	}
}

func (p *parking) openLocked() error {
	if p.epoll != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // else it could not be waited for
		syscall.Close(fd)
		return err
	}
	epoll := os.NewFile(uintptr(fd), "epoll")
	raw, err := epoll.SyscallConn()
	if err != nil {
		epoll.Close()
		return err
	}
	p.epoll, p.fd = epoll, fd
	go p.run(raw)
	return nil
}

func (p *parking) closeLocked() {
	if p.epoll != nil {
		p.epoll.Close() // ends run
		p.epoll = nil
	}
}

func (p *parking) run(raw syscall.RawConn) {
	var events [128]syscall.EpollEvent
	n := 0
	wait := func(fd uintptr) bool {
		var err error
		for n, err = syscall.EpollWait(int(fd), events[:], 0); err == syscall.EINTR; {
			n, err = syscall.EpollWait(int(fd), events[:], 0)
		}
		return n != 0
	}
	for raw.Read(wait) == nil {
		for _, event := range events[:max(n, 0)] {
			p.mu.Lock()
			var c *conn
			if fd := int(event.Fd); fd < len(p.spots) {
				c = p.spots[fd] // if its socket is not the one of the event, it wakes in vain
			}
			p.mu.Unlock()
			if c != nil {
				c.wake()
			}
		}
	}
}
