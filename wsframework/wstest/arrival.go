package wstest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// An arrival is a frame, with all that continues it, or the end.
type arrival struct {
	first   byte
	payload []byte
	err     error
}

func (a arrival) String() string {
	switch {
	case errors.Is(a.err, io.EOF), errors.Is(a.err, io.ErrUnexpectedEOF):
		return "the end of the connection"
	case a.err != nil:
		return "the end of the connection (" + a.err.Error() + ")"
	}
	return describeFrame(a.first, a.payload)
}

// arrivals are what a client has read and a test has not yet asked for. One goroutine puts, one takes.
type arrivals struct {
	more chan struct{} // has a value when something has been put

	mu    sync.Mutex // protects the following
	queue []arrival  // an end is its last one, and stays
}

func (q *arrivals) init() { q.more = make(chan struct{}, 1) }

func (q *arrivals) put(a arrival) {
	q.mu.Lock()
	q.queue = append(q.queue, a)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *arrivals) take(patience time.Duration) (arrival, bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for late := false; ; {
		q.mu.Lock()
		if len(q.queue) > 0 {
			a := q.queue[0]
			if a.err == nil {
				q.queue = q.queue[1:]
			}
			q.mu.Unlock()
			return a, true
		}
		q.mu.Unlock()
		if late {
			return arrival{}, false
		}
		select {
		case <-q.more:
		case <-timer.C:
			late = true
		}
	}
}

// readAll reads until the connection ends.
func (c *Client) readAll() {
	answered := false
	for {
		a := c.read()
		c.arrivals.put(a)
		switch {
		case a.err != nil:
			return
		case a.first == PingFrame && !c.options.noPongs:
			c.answer(PongFrame, a.payload)
		case a.first == CloseFrame && !answered:
			answered = true
			c.answer(CloseFrame, a.payload[:min(2, len(a.payload))])
		}
	}
}

// answer writes what a peer's own software writes. Where the server has gone, nobody misses it.
func (c *Client) answer(first byte, payload []byte) {
	if err := c.send(EncodeFrame(first, payload)); err == nil {
		c.history.add("->", describeFrame(first, payload))
	}
}

// read reads a frame, and all that continues it.
func (c *Client) read() arrival {
	a := c.readFrame()
	for a.err == nil && a.first&0x88 == 0 && a.first != 0 { // no control frame, no FIN
		parts := c.readFrame()
		if parts.err != nil || parts.first&0x7F != 0 {
			return parts
		}
		a.payload = append(a.payload, parts.payload...)
		a.first |= parts.first
	}
	return a
}

func (c *Client) readFrame() (a arrival) {
	a.first, a.payload, a.err = c.frames.next()
	if !errors.Is(a.err, os.ErrDeadlineExceeded) {
		c.history.add("<-", a.String())
	}
	return a
}

// next returns what arrives next, or fails the test: "want … within 10s, but nothing came".
func (c *Client) next(want string) arrival {
	c.t.Helper()
	a, ok := c.await(c.options.within)
	if !ok {
		c.fail("want %s within %v, but nothing came", want, c.options.within)
	}
	return a
}

// nextButPings passes over pings without data, which keep the connection alive.
func (c *Client) nextButPings(want string) arrival {
	c.t.Helper()
	a := c.next(want)
	for c.passOver(a) {
		a = c.next(want)
	}
	return a
}

// passOver reports whether a frame is a ping that keeps the connection alive. A reading client has answered it.
func (c *Client) passOver(a arrival) bool {
	if a.err != nil || a.first != PingFrame || len(a.payload) > 0 {
		return false
	}
	if c.options.frames && !c.options.noPongs {
		c.answer(PongFrame, nil)
	}
	return true
}

// await returns what arrives next, or false when nothing does for some time.
func (c *Client) await(patience time.Duration) (arrival, bool) {
	if !c.options.frames {
		return c.arrivals.take(patience)
	}
	c.conn.SetReadDeadline(time.Now().Add(patience))
	defer c.conn.SetReadDeadline(time.Time{})
	a := c.readFrame()
	return a, !errors.Is(a.err, os.ErrDeadlineExceeded)
}

// A history is what went over a connection.
type history struct {
	began time.Time

	mu      sync.Mutex // protects the following
	entries []string
	dropped int
}

const maxHistory = 50

func (h *history) add(direction, what string) {
	entry := fmt.Sprintf("%10v %s %s", time.Since(h.began).Round(10*time.Microsecond), direction, what)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.entries) == maxHistory {
		h.entries = append(h.entries[:0], h.entries[1:]...)
		h.dropped++
	}
	h.entries = append(h.entries, entry)
}

func (h *history) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.entries) == 0 {
		return "nothing went over it yet"
	}
	head := "it went like this since the handshake (-> sent, <- arrived):"
	if h.dropped > 0 {
		head = fmt.Sprintf("it went like this in the end, after %d others (-> sent, <- arrived):", h.dropped)
	}
	return head + "\n" + strings.Join(h.entries, "\n")
}

// fail fails the test, with all that went over the connection.
func (c *Client) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("wstest: %s: %s\n%s", c.path, fmt.Sprintf(format, args...), &c.history)
}
