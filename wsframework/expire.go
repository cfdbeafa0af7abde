package wsframework

import "time"

// ExpireAt closes the connection at t, with a code and reason as Close, unless it is called again before: with
// a later time when the peer has shown new credentials, or with the zero time to let the connection live. It
// is for credentials that are no session, such as a JSON Web Token with its "exp" (RFC 7519, 4.1.4). A time
// that is past closes at once. [CloseSessionEnded] is a code to use.
//
// It may be called from Prepare on. The cause of the connection's end then wraps [ErrExpired]. It returns
// ErrClosed once the connection is closing, ErrNotOpen on a handler that no route made, and an error, without
// any effect, for a code that may not be sent (RFC 6455, 7.4).
func (h *BaseHandler) ExpireAt(t time.Time, code int, reason string) error {
	c := h.conn()
	if c == nil {
		return ErrNotOpen
	}
	code, reason, invalid := resolveClose(code, reason)
	if invalid != nil {
		return invalid
	}
	return c.expireAt(t, &CloseError{Code: code, Reason: reason, Err: ErrExpired})
}

// An expiry is the time at which a connection is to be closed. It is one of the connection's enders.
type expiry struct {
	c *conn

	// Protected by the connection's mu.
	at    time.Time // zero: never
	end   *CloseError
	timer *time.Timer
}

func (c *conn) expireAt(t time.Time, end *CloseError) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return ErrClosed
	}
	e := c.expiryLocked()
	if e == nil {
		e = &expiry{c: c}
		if c.ends == nil {
			c.ends = make(map[ender]struct{})
		}
		c.ends[e] = struct{}{}
	}
	e.at, e.end = t, end
	switch {
	case e.timer == nil:
		e.timer = time.AfterFunc(time.Until(t), e.fire)
	default:
		e.timer.Reset(time.Until(t))
	}
	return nil
}

func (c *conn) expiryLocked() *expiry {
	for e := range c.ends {
		if e, ok := e.(*expiry); ok {
			return e
		}
	}
	return nil
}

// fire closes the connection, unless the time has been moved meanwhile, or the clock has.
func (e *expiry) fire() {
	e.c.mu.Lock()
	left, end := time.Until(e.at), e.end
	over := !e.at.IsZero() && left <= 0
	if !e.at.IsZero() && left > 0 {
		e.timer.Reset(left)
	}
	e.c.mu.Unlock()
	if over {
		e.c.revoke(end)
	}
}

func (e *expiry) connEnded(c *conn) {
	c.mu.Lock()
	e.timer.Stop()
	e.at = time.Time{}
	c.mu.Unlock()
}

// expireNever is for a handshake that has failed: nobody tells its enders.
func (c *conn) expireNever() {
	c.mu.Lock()
	e := c.expiryLocked()
	c.mu.Unlock()
	if e != nil {
		e.connEnded(c)
	}
}
