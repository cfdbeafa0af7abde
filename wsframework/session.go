package wsframework

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
)

// A Session is the session that came with a request. On a page its values can be changed until the response
// is sent.
//
// On a socket they can be changed in Prepare, too, which is saved before the handshake is answered, and not at
// all if that is refused (but a LoadAndSave of somebody else's around the handler saves what it finds). Then
// they are what the store had at the handshake, or what Reload and Update have found since. When the framework
// sees that somebody else has saved others, it takes these over between two callbacks and asks GetCurrentUser
// again. When the session ends, its sockets are closed: see Settings.SessionCheckInterval.
//
// Its methods may be called from any goroutine. What changes it returns [ErrFinished] or [ErrHandshakeDone]
// when that is too late.
type Session struct {
	manager *scs.SessionManager
	ctx     context.Context // holds the session's values
	x       *exchange
	c       *conn  // nil on a page
	outer   bool   // somebody else's LoadAndSave has loaded it, and will save it
	token   string // on a socket; "" if the store has no such session
}

// Get returns a value, or nil if there is none.
func (s *Session) Get(key string) any { return s.manager.Get(s.ctx, key) }

// GetString returns a value that is a string, or "".
func (s *Session) GetString(key string) string { return s.manager.GetString(s.ctx, key) }

// SessionValue returns a value of a session as a T, and whether it is one. It takes a [Session] and a
// [SessionTx].
func SessionValue[T any](s interface{ Get(key string) any }, key string) (T, bool) {
	value, ok := s.Get(key).(T)
	return value, ok
}

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
// that were opened with the old token are closed with Settings.SessionEndedCode.
func (s *Session) RenewToken() error {
	return s.end(func() error { return s.manager.RenewToken(s.ctx) })
}

// Destroy ends the session, as for a visitor who logs out, on a page. Its sockets are closed with
// Settings.SessionEndedCode.
func (s *Session) Destroy() error {
	return s.end(func() error { return s.manager.Destroy(s.ctx) })
}

func (s *Session) end(f func() error) error {
	switch {
	case s.c != nil:
		return errors.New("wsframework: a session is renewed and destroyed on a page: a socket's cookie can't follow")
	case s.x.header.Load() == nil:
		return s.x.answered()
	}
	token := s.manager.Token(s.ctx)
	if err := f(); err != nil {
		return withoutSecrets(err, s.x.app.secrets(token)...)
	}
	return nil
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
		probe := &probeContext{Context: r.Context()}
		if loaded, err := manager.Load(probe, ""); err == nil && loaded == context.Context(probe) {
			next.ServeHTTP(w, r)
			return
		}
		loadAndSave.ServeHTTP(w, r)
	})
}

// probeContext tells whether scs found a session in it: then Load returns it as it is.
type probeContext struct {
	context.Context
	call atomic.Pointer[storeCall] // for the store; nil once the session is loaded
}

func (p *probeContext) Value(key any) any {
	if key == (storeCallKey{}) {
		if call := p.call.Load(); call != nil {
			return call
		}
	}
	return p.Context.Value(key)
}

// loadPageSession loads the session of a page's request.
func (x *exchange) loadPageSession() error {
	manager := x.app.settings.Sessions
	if manager == nil {
		return nil
	}
	session, err := x.loadSession(x.ctx, manager, sessionToken(x.request, manager), new(storeCall))
	if err != nil {
		return err
	}
	x.session, x.ctx = session, session.ctx
	x.request = x.request.WithContext(x.ctx)
	return nil
}

// loadSession loads the session with a token, unless ctx holds one already.
func (x *exchange) loadSession(ctx context.Context, manager *scs.SessionManager, token string, call *storeCall) (*Session, error) {
	probe := &probeContext{Context: ctx}
	probe.call.Store(call)
	loaded, err := manager.Load(probe, token)
	probe.call.Store(nil)
	if err != nil {
		return nil, fmt.Errorf("loading the session: %w", withoutSecrets(gobHint(err), x.app.secrets(token)...))
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

// saveSession commits what the handler changed and adds the cookie to the answer's header.
func (x *exchange) saveSession(w http.ResponseWriter) error {
	return x.saveSessionWith(w, x.session.manager.Commit)
}

func (x *exchange) saveSessionWith(w http.ResponseWriter, commit func(context.Context) (string, time.Time, error)) error {
	manager, ctx := x.session.manager, x.session.ctx
	switch manager.Status(ctx) {
	case scs.Modified:
		token, expiry, err := commit(ctx)
		if err != nil {
			return fmt.Errorf("saving the session: %w", withoutSecrets(gobHint(err), x.session.secrets()...))
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

// secrets are what no error may show.
func (s *Session) secrets() []string { return s.x.app.secrets(s.manager.Token(s.ctx)) }

func (app *Application) secrets(token string) []string {
	if token == "" {
		return nil
	}
	key, _ := app.sessionKey(token)
	return []string{token, key}
}
