package wsframework

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// How a connection ends. Whoever is first to call one of startClose, peerClosed and abort sets the
// cause; from then on nothing is written and the context is cancelled. The reading ends when the peer's
// close frame is there or the socket is gone, and then OnClose runs, in the line of callbacks. The
// socket is closed when both close frames have passed, when CloseTimeout is over, or by abort.

// closeWith closes as BaseHandler.Close describes.
func (c *conn) closeWith(code int, reason string, because error) error {
	code, reason, invalid := resolveClose(code, reason)
	if invalid != nil && because == nil {
		because = invalid
	}
	if !c.startClose(&CloseError{Code: code, Reason: reason, Err: because}, false) {
		return ErrClosed
	}
	return invalid
}

// startClose sends a close frame behind all that is queued, or, with dropData, in its place.
func (c *conn) startClose(e *CloseError, dropData bool) bool {
	if !c.end(e) {
		return false
	}
	c.discard.Store(true)
	c.line.stopWaiting()
	c.out.close(closePayload(e.Code, e.Reason), dropData)
	return true
}

// An ender is told when its connection begins to close, before OnClose runs: a timer, or a Set that the
// handler is in. It is called without a lock.
type ender interface{ connEnded(c *conn) }

// whenEnded has e told, unless the connection is closing already: then it returns false.
func (c *conn) whenEnded(e ender) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return false
	}
	if c.ends == nil {
		c.ends = make(map[ender]struct{})
	}
	c.ends[e] = struct{}{}
	return true
}

func (c *conn) forgetEnder(e ender) {
	c.mu.Lock()
	delete(c.ends, e)
	c.mu.Unlock()
}

// end sets the cause, once.
func (c *conn) end(e *CloseError) bool {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return false
	}
	c.cause = e
	if c.keepalive != nil {
		c.keepalive.Stop()
	}
	ends := c.ends
	c.ends = nil
	c.mu.Unlock()
	for e := range ends {
		e.connEnded(c)
	}
	c.app.hub.leaveAll(c)
	c.stepDown()
	c.exchange.end(e)
	return true
}

func (c *conn) closeCause() *CloseError {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// violated closes because the peer broke the protocol or a limit.
func (c *conn) violated(v *protocolError) {
	c.startClose(&CloseError{Code: v.code, Reason: cutReason(v.reason), Err: v}, false)
}

// tooSlow closes because the queue is full.
func (c *conn) tooSlow() {
	c.startClose(&CloseError{Code: ClosePolicyViolation, Reason: "reads too slowly", Err: ErrSlowConsumer}, true)
}

// closeFrameSent is called when our close frame, and all before it, is with the kernel.
func (c *conn) closeFrameSent() {
	c.mu.Lock()
	c.sentFrame = true
	done := c.gotFrame
	if !done {
		if timeout := c.app.settings.CloseTimeout; timeout > 0 && !c.socketGone {
			c.closeTimer = time.AfterFunc(timeout, c.closeSocket)
		}
	}
	c.mu.Unlock()
	if done {
		c.closeSocket()
	}
}

// peerClosed is called when the peer's close frame has arrived. Its code does not count once the peer has broken
// the protocol: this may even be the frame that did so (RFC 6455, 7.1.7).
func (c *conn) peerClosed(code int, reason string, counts bool) {
	ours := !counts || c.out.closeHasBegun()
	c.mu.Lock()
	c.gotFrame = true
	sent := c.sentFrame
	if !ours {
		c.peerFirst, c.peerCode, c.peerReason = true, code, reason
	}
	c.mu.Unlock()
	if c.end(&CloseError{Code: code, Reason: reason, Remote: true}) {
		c.line.stopWaiting()
		c.out.close(closePayload(code, ""), false)
	} else if sent {
		c.closeSocket()
	}
}

// readFailed is called when the socket gives no more input.
func (c *conn) readFailed(err error) {
	cause := ErrPeerGone
	if !errors.Is(err, io.EOF) {
		cause = fmt.Errorf("%w: %w", ErrPeerGone, err)
	}
	c.abort(&CloseError{Code: CloseAbnormal, Err: cause})
	c.out.settle() // the peer may have gone because it has our close frame
}

// writeFailed is called when the socket takes no more output.
func (c *conn) writeFailed(err error) {
	if !errors.Is(err, ErrWriteTimeout) {
		err = fmt.Errorf("%w: %w", ErrPeerGone, err)
	}
	c.abort(&CloseError{Code: CloseAbnormal, Err: err})
}

// abort ends the connection without a close frame, or cuts a closing one short.
func (c *conn) abort(e *CloseError) {
	c.end(e)
	c.line.stopWaiting()
	c.out.kill()
	c.closeSocket()
}

func (c *conn) closeSocket() {
	c.mu.Lock()
	if c.socketGone {
		c.mu.Unlock()
		return
	}
	c.socketGone = true
	if c.closeTimer != nil {
		c.closeTimer.Stop()
	}
	c.mu.Unlock()
	c.tr.close()
	c.wake() // to see that
	c.out.kill()
	c.partDone()
}

// readingEnded is called once, by the goroutine that had the reading role last.
func (c *conn) readingEnded() {
	c.batch.end()
	c.in.join = nil // its window is not for handlers that are kept
	c.in.in.consume(c.in.in.buffered())
	c.in.in.rest()
	if !c.ended() { // whoever set the cause is not through with ending memberships
		<-c.context().Done()
	}
	c.deliver(task{kind: taskClose})
}

// closed tells the code and reason for CloseCode and CloseReason.
func (c *conn) closed() (code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cause == nil:
		return 0, ""
	case c.peerFirst:
		return c.peerCode, c.peerReason
	case c.socketGone && !c.sentFrame && !c.gotFrame:
		return CloseAbnormal, ""
	}
	return c.cause.Code, c.cause.Reason
}
