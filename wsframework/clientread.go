package wsframework

import "context"

// How a client reads: one goroutine takes all that comes, so that pings and closes never wait for anybody,
// and ReadMessage takes from the line in which that puts the messages.

// ReadMessage waits for the next message of the server, as Tornado's read_message. When ctx is done it
// returns the cause of that, and the connection and its messages stay as they are.
//
// After the end it first returns the messages that came before, and then a *[CloseError], which is an
// ErrClosed, too: with Remote and the server's code if the server closed, with CloseAbnormal (1006) and
// why if there was no close frame. After Close it drops what came, and returns once the server has
// answered or CloseTimeout is over: it waits for the end of a close.
func (c *ClientConn) ReadMessage(ctx context.Context) (Message, error) {
	for {
		if m, ok := c.take(); ok {
			return m, nil
		}
		select {
		case <-c.arrived:
		case <-c.ended:
			if m, ok := c.take(); ok { // it may have come since
				return m, nil
			}
			return Message{}, c.conn.closeCause()
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		}
	}
}

// take returns the next message of the line if there is one.
func (c *ClientConn) take() (Message, bool) {
	for {
		t, ok, more := c.conn.line.take()
		if !ok {
			return Message{}, false
		}
		if t.kind != taskMessage || c.dropping.Load() {
			continue
		}
		if more {
			c.notify() // somebody else may wait as well
		}
		return t.message, true
	}
}

func (c *ClientConn) notify() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// read has the reading role for as long as there is something to read.
func (c *ClientConn) read() {
	defer close(c.ended)
	for {
		m, err := c.conn.in.next()
		switch {
		case err == errQuiet:
		case err != nil:
			c.conn.readingEnded()
			return
		case !c.conn.discard.Load():
			c.conn.line.enter(task{kind: taskMessage, message: m})
			c.notify()
			c.conn.holdBack()
		}
	}
}
