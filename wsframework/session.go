package wsframework

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
)

// A Session is the session that came with a request. On a page its values can be changed until the response
// is sent. On a socket they are what they were at the handshake; in Prepare they can be changed, too, which is
// saved before the handshake is answered, and not at all if that is refused (but a LoadAndSave of somebody
// else's around the handler saves what it finds).
//
// Its methods may be called from any goroutine. What changes it returns [ErrFinished] or [ErrHandshakeDone]
// when that is too late.
type Session struct {
	manager *scs.SessionManager
	ctx     context.Context // holds the session's values
	x       *exchange
	outer   bool // somebody else's LoadAndSave has loaded it, and will save it
}

// Get returns a value, or nil if there is none.
func (s *Session) Get(key string) any { return s.manager.Get(s.ctx, key) }

// GetString returns a value that is a string, or "".
func (s *Session) GetString(key string) string { return s.manager.GetString(s.ctx, key) }

// Exists reports whether there is a value.
func (s *Session) Exists(key string) bool { return s.manager.Exists(s.ctx, key) }

// Keys returns the names of all values, sorted.
func (s *Session) Keys() []string { return s.manager.Keys(s.ctx) }

// Put sets a value.
func (s *Session) Put(key string, value any) error {
	return s.change(func() { s.manager.Put(s.ctx, key, value) })
}

// Remove removes a value.
func (s *Session) Remove(key string) error {
	return s.change(func() { s.manager.Remove(s.ctx, key) })
}

func (s *Session) change(f func()) error {
	if s.x.header.Load() == nil {
		return s.x.answered()
	}
	f()
	return nil
}

// RenewToken gives the session a new token and keeps its values. Call it when a visitor logs in, on a page:
// a token that somebody may have planted in his browser before must not become a logged-in one. Sockets
// that were opened with the old token are closed with CloseSessionEnded.
func (s *Session) RenewToken() error {
	return s.end(func() error { return s.manager.RenewToken(s.ctx) })
}

// Destroy ends the session, as for a visitor who logs out, on a page. Its sockets are closed with
// CloseSessionEnded.
func (s *Session) Destroy() error {
	return s.end(func() error { return s.manager.Destroy(s.ctx) })
}

func (s *Session) end(f func() error) error {
	switch {
	case s.x.upgrade:
		return errors.New("wsframework: a session is renewed and destroyed on a page: a socket's cookie can't follow")
	case s.x.header.Load() == nil:
		return s.x.answered()
	}
	token := s.manager.Token(s.ctx)
	if err := f(); err != nil || token == "" {
		return err
	}
	return s.x.app.CloseSession(context.WithoutCancel(s.ctx), token, CloseSessionEnded, "the session has ended")
}

// withSession is scs's LoadAndSave, unless somebody else's around it has loaded the session and will save
// it.
func (app *Application) withSession(next http.Handler) http.Handler {
	manager := app.settings.Sessions
	if manager == nil {
		return next
	}
	loadAndSave := manager.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := &probeContext{r.Context()}
		if loaded, err := manager.Load(probe, ""); err == nil && loaded == context.Context(probe) {
			next.ServeHTTP(w, r)
			return
		}
		loadAndSave.ServeHTTP(w, r)
	})
}

// probeContext tells whether scs found a session in it: then Load returns it as it is.
type probeContext struct{ context.Context }

// loadPageSession loads the session of a page's request.
func (x *exchange) loadPageSession() error {
	manager := x.app.settings.Sessions
	if manager == nil {
		return nil
	}
	session, err := x.loadSession(x.ctx, manager, sessionToken(x.request, manager))
	if err != nil {
		return err
	}
	x.session, x.ctx = session, session.ctx
	x.request = x.request.WithContext(x.ctx)
	return nil
}

// loadSession loads the session of a handshake.
func loadSession(ctx context.Context, r *http.Request, manager *scs.SessionManager, c *conn) (*Session, error) {
	token := sessionToken(r, manager)
	c.setSessionKey(token) // first, so that an end of the session meanwhile is not missed
	s, err := c.exchange.loadSession(ctx, manager, token)
	if err == nil && s.outer {
		c.setSessionKey(manager.Token(s.ctx))
	}
	return s, err
}

// loadSession loads the session with a token, unless ctx holds one already.
func (x *exchange) loadSession(ctx context.Context, manager *scs.SessionManager, token string) (*Session, error) {
	probe := &probeContext{ctx}
	loaded, err := manager.Load(probe, token)
	if err != nil {
		return nil, fmt.Errorf("loading the session: %w", gobHint(err))
	}
	return &Session{manager: manager, ctx: loaded, x: x, outer: loaded == context.Context(probe)}, nil
}

// sessionToken returns the token in a request's cookie, or "".
func sessionToken(r *http.Request, manager *scs.SessionManager) string {
	if cookie, err := r.Cookie(manager.Cookie.Name); err == nil {
		return cookie.Value
	}
	return ""
}

func (c *conn) setSessionKey(token string) {
	if token != "" {
		key := sha256.Sum256([]byte(token))
		c.mu.Lock()
		c.sessionKey = &key
		c.mu.Unlock()
	}
}

// revoke closes the connection if it lives on the session with this key, also if it is yet to open.
func (c *conn) revoke(key [32]byte, end *CloseError) {
	c.mu.Lock()
	mine, opened := c.sessionKey != nil && *c.sessionKey == key, c.opened.Load()
	if mine && !opened {
		c.revoked = end
	}
	c.mu.Unlock()
	if mine && opened {
		c.startClose(end, false)
	}
}

// isRevoked reports whether the session ended during the handshake.
func (c *conn) isRevoked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revoked != nil
}

// saveSession saves the session of a handshake.
func (c *conn) saveSession(w http.ResponseWriter) error {
	if err := c.exchange.saveSession(w); err != nil {
		return err
	}
	c.setSessionKey(c.session.manager.Token(c.session.ctx))
	return nil
}

// saveSession commits what the handler changed and adds the cookie to the answer's header.
func (x *exchange) saveSession(w http.ResponseWriter) error {
	manager, ctx := x.session.manager, x.session.ctx
	switch manager.Status(ctx) {
	case scs.Modified:
		token, expiry, err := manager.Commit(ctx)
		if err != nil {
			return fmt.Errorf("saving the session: %w", gobHint(err))
		}
		if !x.session.outer { // which writes the cookie itself, when the answer's header is written
			manager.WriteSessionCookie(ctx, w, token, expiry)
		}
	case scs.Destroyed:
		if !x.session.outer {
			manager.WriteSessionCookie(ctx, w, "", time.Time{})
		}
	}
	return nil
}

// gobHint says what to do about a type that encoding/gob has not been told of.
func gobHint(err error) error {
	if strings.Contains(err.Error(), "not registered for interface") {
		return fmt.Errorf("%w; call gob.Register with a value of this type at start-up", err)
	}
	return err
}
