package wsframework

// How a socket learns that its session has been saved by somebody else: the registry leaves the data with its
// standing, and the connection looks at it between two callbacks.

// lookAtSession brings new data to the connection's line.
func (c *conn) lookAtSession() {
	if c.standing.started.Load() {
		c.deliverAside(task{kind: taskSession})
	}
}

// sessionMayChange is called once, when the line has its first task: Open.
func (c *conn) sessionMayChange() {
	if st := c.standing; st != nil {
		st.started.Store(true)
		if st.fresh.Load() != nil {
			c.lookAtSession()
		}
	}
}

// sessionChanged looks at new data, in the line. What goes wrong closes nothing.
func (c *conn) sessionChanged() {
	changed, err := c.renewValues()
	if err == nil && changed {
		err = c.askAgain()
	}
	if err != nil {
		c.app.harmlessLog.log(c, taskSession.String(), withoutSecrets(err, c.session.secrets()...))
	}
}

// takeSession looks at new data, and asks for the user again in any case.
func (c *conn) takeSession() error {
	if _, err := c.renewValues(); err != nil {
		return err
	}
	return c.askAgain()
}

// renewValues makes the session's values those of the new data, if there is some, and reports whether that has
// changed anything. They are changed in place, so that whoever has the connection's context or request sees
// them, too.
func (c *conn) renewValues() (changed bool, err error) {
	c.standing.refresh.Lock() // so that the latest data is the last
	defer c.standing.refresh.Unlock()
	data := c.standing.fresh.Swap(nil)
	if data == nil {
		return false, nil
	}
	fresh, err := c.session.decode(*data)
	if err != nil {
		return false, c.session.explain("loading", err)
	}
	return c.session.merge(c.session.ctx, fresh), nil
}

// stepDown takes a connection that closes, or whose handshake failed, off its session and its user.
func (c *conn) stepDown() {
	if c.standing != nil {
		c.app.sessions.remove(c)
		c.app.users.leave(c)
	}
}
