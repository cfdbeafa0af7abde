package wsframework

import "time"

// startKeepalive begins to ping the peer. The connection holds one timer and no goroutine for it.
func (c *conn) startKeepalive() {
	interval := c.app.settings.PingInterval
	if interval <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.keepalive = time.AfterFunc(interval, c.keepAlive)
	}
}

// keepAlive sends a ping, or looks whether anything arrived since the last one. The time-out pauses
// while the reader waits for the handler: the answer may be among what it has not read.
func (c *conn) keepAlive() {
	interval, timeout := c.app.settings.PingInterval, c.app.settings.PingTimeout
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return
	}
	var after time.Duration
	ping, dead := false, false
	switch {
	case !c.waitingPong:
		ping, after = true, interval
		if timeout > 0 {
			c.waitingPong, after = true, timeout
		}
		c.heard.Store(false)
	case c.heard.Load() || c.paused.Load():
		c.waitingPong, after = false, max(interval-timeout, 1)
	default:
		dead = true
	}
	if !dead {
		c.keepalive.Reset(after)
	}
	c.mu.Unlock()
	switch {
	case dead:
		c.abort(&CloseError{Code: CloseAbnormal, Err: ErrPingTimeout})
	case ping:
		c.out.keepAlivePing()
	}
}

// heardFrom notes that the peer is alive.
func (c *conn) heardFrom() {
	if !c.heard.Load() {
		c.heard.Store(true)
	}
}
