package wsframework

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// loadSession loads the session of a handshake and returns its data in the store.
func (c *conn) loadSession(r *http.Request) (data []byte, err error) {
	manager := c.app.settings.Sessions
	if manager == nil {
		return nil, nil
	}
	token := sessionToken(r, manager)
	if err := c.liveOn(token); err != nil { // first, so that an end of the session meanwhile is not missed
		return nil, err
	}
	var call storeCall
	s, err := c.exchange.loadSession(r.Context(), manager, token, &call)
	if err != nil {
		return nil, err
	}
	s.c = c
	s.token = manager.Token(s.ctx)
	if s.token != token { // the store does not have it, or a middleware has loaded another one
		if err := c.liveOn(s.token); err != nil {
			return nil, err
		}
	}
	c.session = s
	c.setValues(s.ctx)
	return call.data, nil
}

// liveOn puts the connection on the session with a token, or on none.
func (c *conn) liveOn(token string) error {
	if _, err := c.app.watchedStore(); err != nil {
		return err
	}
	if token == "" {
		if c.standing != nil {
			c.app.sessions.remove(c)
		}
		return nil
	}
	key, err := c.app.sessionKey(token)
	if err == nil {
		c.app.sessions.add(c, key)
	}
	return err
}

// saveSession saves the session of a handshake. data is what loadSession returned.
func (c *conn) saveSession(w http.ResponseWriter, data []byte) error {
	s := c.session
	if s == nil {
		return c.refuseRevoked()
	}
	before, now := s.token, s.manager.Token(s.ctx)
	if before != now { // renewed or destroyed in Prepare: that end is its own
		c.mu.Lock()
		if errors.Is(c.revoked, ErrSessionEnded) {
			c.revoked = nil
		}
		c.mu.Unlock()
	}
	if err := c.refuseRevoked(); err != nil {
		return err
	}
	commit := s.manager.Commit
	if now != "" && before == now {
		commit = func(ctx context.Context) (string, time.Time, error) { return s.commitOnto(ctx, data) }
	}
	err := c.saveSessionWith(w, commit)
	if errors.Is(err, ErrSessionEnded) {
		return refuse(http.StatusUnauthorized, "Log in first.", "the session ended during the handshake")
	}
	if err != nil {
		return err
	}
	if s.token = s.manager.Token(s.ctx); s.token != before {
		return c.liveOn(s.token)
	}
	return nil
}

// refuseRevoked refuses a handshake that somebody wants closed.
func (c *conn) refuseRevoked() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revoked == nil {
		return nil
	}
	return refuse(http.StatusUnauthorized, "Log in first.", "Application.CloseSession, CloseUser, ExpireAt")
}
