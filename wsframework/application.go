package wsframework

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"sync"
)

// An Application routes requests to handlers and owns their connections. It is an http.Handler, so it
// can be mounted under any router or run a server of its own with Run or Serve.
//
// Register all routes before serving. Then all methods may be called from any goroutine. Two
// applications in one process share nothing.
type Application struct {
	settings    Settings
	logger      *slog.Logger
	origins     originList
	csrf        *http.CrossOriginProtection
	mux         *http.ServeMux
	server      *http.Server
	hub         hub
	all         group // every connection, until all its parts are done
	watch       watch
	harmlessLog harmlessLog

	mu         sync.Mutex // protects the following
	alive      int        // connections, and handshakes under way
	draining   bool
	idle       chan struct{} // closed when draining and alive is 0
	terminated chan struct{} // closed when Shutdown has ended
}

// NewApplication makes an application. It panics if the settings contradict themselves, and starts no
// goroutine.
func NewApplication(settings Settings) *Application {
	app := &Application{
		settings:   settings.withDefaults(),
		origins:    newOriginList(settings.AllowedOrigins),
		mux:        http.NewServeMux(),
		idle:       make(chan struct{}),
		terminated: make(chan struct{}),
	}
	app.watch.wake = make(chan struct{}, 1)
	app.logger = app.settings.Logger
	app.csrf = newCrossOriginProtection(settings.AllowedOrigins)
	app.server = app.newServer()
	return app
}

// WebSocket registers an endpoint under a pattern of http.ServeMux ("/websocket", "GET /rooms/{room}",
// "example.com/ws"). The factory makes one handler for each connection: what Tornado passes to
// initialize is what it captures. It is also called once here, to look at the handler's type.
//
// It panics if the pattern is malformed or taken.
func (app *Application) WebSocket(pattern string, factory func() Handler, options ...RouteOption) {
	app.mux.Handle(pattern, app.newRoute(pattern, factory, options))
}

// Upgrade returns an endpoint as a bare http.Handler, for people who keep their own router.
func (app *Application) Upgrade(factory func() Handler, options ...RouteOption) http.Handler {
	return app.newRoute("(upgrade)", factory, options)
}

// Handle registers a plain handler. It runs with the session loaded (Settings.Sessions), and behind
// http.CrossOriginProtection, which refuses POST and the like from pages of other origins than
// Settings.AllowedOrigins.
func (app *Application) Handle(pattern string, handler http.Handler) {
	if app.settings.Sessions != nil {
		handler = withSession(app.settings.Sessions, handler)
	}
	app.mux.Handle(pattern, app.csrf.Handler(handler))
}

// HandleFunc registers a plain function as Handle does.
func (app *Application) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	app.Handle(pattern, http.HandlerFunc(handler))
}

// ServeHTTP routes a request.
func (app *Application) ServeHTTP(w http.ResponseWriter, r *http.Request) { app.mux.ServeHTTP(w, r) }

// Broadcast sends a message, of any kind that WriteMessage takes, to all members of a group. It does
// not wait for any of them, and its error never speaks of single members.
func (app *Application) Broadcast(ctx context.Context, group string, message any) error {
	op, payload, err := encode(message)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	app.hub.broadcast(group, newSharedFrame(opcode(op), payload), nil, nil)
	return nil
}

// Connections returns the handlers of all open connections, as they are when the iteration begins, in
// no particular order.
func (app *Application) Connections() iter.Seq[Handler] {
	return func(yield func(Handler) bool) {
		for _, c := range app.all.conns() {
			if c.closeCause() == nil && !yield(c.handler) {
				return
			}
		}
	}
}

// CloseSession closes every connection that was opened with the session of this token, as
// scs.SessionManager.Token returns it, with a code and reason as BaseHandler.Close. Call it when a
// session ends; CloseSessionEnded is the code to use.
func (app *Application) CloseSession(ctx context.Context, token string, code int, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if token == "" {
		return errors.New("wsframework: CloseSession needs the session's token; take it before the session is destroyed")
	}
	key := sha256.Sum256([]byte(token))
	var invalid error
	for _, c := range app.all.conns() {
		if c.session != nil && c.session.key == key {
			if err := c.closeWith(code, reason, nil); err != ErrClosed {
				invalid = err
			}
		}
	}
	return invalid
}

// beginHandshake makes Shutdown wait for a handshake, or returns false once it has begun.
func (app *Application) beginHandshake() bool {
	app.mu.Lock()
	defer app.mu.Unlock()
	if app.draining {
		return false
	}
	app.alive++
	return true
}

// open lets the connection live that has come out of a handshake.
func (app *Application) open(c *conn) {
	c.shake.Store(nil)
	c.opened.Store(true)
	c.inAll = &membership{c: c, group: &app.all}
	app.all.add(c.inAll)
	app.mu.Lock()
	draining := app.draining
	app.mu.Unlock()
	if draining { // Shutdown may have looked before the connection was listed
		c.startClose(goingAway(), false)
	}
	go c.start()
}

// forget is called when a handshake has failed (c is nil) or all parts of a connection are done.
func (app *Application) forget(c *conn) {
	if c != nil {
		app.all.remove(c.inAll)
	}
	app.mu.Lock()
	defer app.mu.Unlock()
	app.alive--
	if app.alive > 0 {
		return
	}
	app.watch.nudge()
	if app.draining {
		close(app.idle)
	}
}
