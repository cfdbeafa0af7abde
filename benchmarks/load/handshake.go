package load

import "time"

// Handshake opens and closes connections, some at a time.
type Handshake struct {
	Connections int
	Width       int // connections at a time
}

// closeNormal is a close frame with code 1000 (RFC 6455, 7.4.1).
var closeNormal = appendFrame(nil, finalBit|opcodeClose, []byte{1000 >> 8, 1000 & 0xff})

// Run measures whole lives: connecting, the opening handshake, the closing one, and the end of the
// connection, which is the server's to bring about (RFC 6455, 7.1.1). The latency is that of the opening
// handshake. It goes by the number of connections instead of the window, since the kernel has only so
// many ports.
func (s Handshake) Run(t Target, _ Window) (Result, error) {
	f, err := newFleet(t, "/echo", newPayload(headSize, false))
	if err != nil {
		return Result{}, err
	}
	defer f.close()
	m := meter{target: t}
	warmUp := s.Connections / 10
	if err := s.live(f, warmUp, func(time.Duration) {}); err != nil {
		return Result{}, err
	}
	if err := m.start(); err != nil {
		return Result{}, err
	}
	if err := s.live(f, s.Connections-warmUp, m.add); err != nil {
		return Result{}, err
	}
	return m.stop()
}

// live opens and closes n connections.
func (s Handshake) live(f *fleet, n int, opened func(latency time.Duration)) error {
	left := n
	f.conns = f.conns[:0]
	f.onOpen = func(c *conn) error {
		opened(now() - c.born)
		c.state = closing
		return c.send(closeNormal)
	}
	toBegin := max(n-s.Width, 0)
	f.onEnd = func(c *conn) error {
		f.drop(c)
		left--
		if toBegin == 0 {
			return nil
		}
		toBegin--
		next, err := f.dial(c.id)
		if err == nil {
			f.conns[c.id] = next
		}
		return err
	}
	for id := range n - toBegin {
		c, err := f.dial(id)
		if err != nil {
			return err
		}
		f.conns = append(f.conns, c)
	}
	for f.expect(); left > 0; {
		if err := f.sweep(); err != nil {
			return err
		}
		if err := f.checkStall(); err != nil {
			return err
		}
	}
	return nil
}
