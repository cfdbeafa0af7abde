package wsframework

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
)

// An Application routes requests to handlers and owns their connections. It is an http.Handler, so it
// can be mounted under any router or run a server of its own with Run or Serve.
//
// Register all routes before serving. Then all methods may be called from any goroutine. Two
// applications in one process share nothing.
type Application struct {
	router // what registers routes

	settings    Settings
	logger      *slog.Logger
	access      *slog.Logger
	origins     originList
	proxies     trustedProxies
	keyring     keyring      // empty without Settings.CookieSecrets
	templates   *templateSet // nil without Settings.Templates
	static      *staticFiles // nil without Settings.Static
	mux         *http.ServeMux
	mounts      map[string]*mounted // by pattern
	names       map[string]*mounted
	notFound    func() Page
	ready       sync.Once // all routes are there
	server      *http.Server
	hub         hub
	all         group // every connection, from its handshake until all its parts are done
	watch       watch
	parking     parking
	store       atomic.Pointer[watchedStore] // of the sessions
	sessions    sessionRegistry
	users       userIndex
	nodes       announcer
	harmlessLog harmlessLog
	serial      *serial // nil unless Settings.Serial

	mu         sync.Mutex // protects the following
	alive      int        // connections, handshakes under way, and callbacks if it runs
	callbacks  callbackLine
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
		mounts:     make(map[string]*mounted),
		names:      make(map[string]*mounted),
		idle:       make(chan struct{}),
		terminated: make(chan struct{}),
	}
	app.router.app = app
	app.logger, app.access = app.settings.Logger, app.settings.AccessLogger
	app.serial = newSerial(&app.settings)
	app.nodes = oneNode{app}
	if err := app.setUpSessions(); err != nil {
		panic(err)
	}
	if err := app.setUpPages(); err != nil {
		panic(err)
	}
	app.server = app.newServer()
	return app
}

// setUpPages prepares what only pages need, and finds mistakes in their settings.
func (app *Application) setUpPages() (err error) {
	s := &app.settings
	if app.proxies, err = newTrustedProxies(s.TrustedProxies); err != nil {
		return err
	}
	if app.keyring, err = newKeyring(s.CookieSecrets, s.CookieKeyVersion, s.CookieMinVersion); err != nil {
		return err
	}
	if err := checkXSRFOptions(s.XSRFCookieOptions); err != nil {
		return err
	}
	if s.Templates != nil {
		if err := checkFolder("Settings.Templates", s.Templates); err != nil {
			return err
		}
		app.templates = newTemplateSet(s.Templates, s.TemplateFuncs, s.Debug)
		if err := app.templates.check(); err != nil && !s.Debug {
			return err
		}
	}
	if s.Static == nil {
		return nil
	}
	if err := checkFolder("Settings.Static", s.Static); err != nil {
		return err
	}
	app.static = newStaticFiles(s.Static, s.StaticPrefix, s.Debug)
	app.mountStatic(pattern{path: app.static.prefix}, app.static)
	return nil
}

// Settings returns the application's settings, with the defaults filled in, and 0 for what is off. As Tornado's
// application.settings.
func (app *Application) Settings() Settings { return app.settings }

// Upgrade returns an endpoint as a bare http.Handler, for people who keep their own router.
func (app *Application) Upgrade(factory func() Handler, options ...RouteOption) http.Handler {
	return app.newRoute("(upgrade)", factory, options)
}

// ServeHTTP routes a request.
func (app *Application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	app.ready.Do(app.getReady)
	if len(r.Header["Upgrade"]) > 0 { // a handshake does without a second look
		app.mux.ServeHTTP(w, r)
		return
	}
	switch handler, _ := app.mux.Handler(r); handler.(type) {
	case *route, *pageRoute, *loggedHandler:
		app.mux.ServeHTTP(w, r)
	default: // http.ServeMux answers itself: "//rooms" is /rooms, "/static" is /static/
		app.logged("(redirect)", app.mux).ServeHTTP(w, r)
	}
}

// getReady is called before the first request.
func (app *Application) getReady() {
	app.watchStore()
	app.mountRest()
}

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
			if c.opened.Load() && c.closeCause() == nil && !yield(c.handler) {
				return
			}
		}
	}
}

// begin lists a connection whose handshake begins, so that Shutdown knows of it. It returns false once Shutdown has begun.
func (app *Application) begin(c *conn) bool {
	app.mu.Lock()
	defer app.mu.Unlock()
	if app.draining {
		return false
	}
	app.alive++
	c.inAll = &membership{c: c, group: &app.all}
	app.all.add(c.inAll)
	return true
}

// open lets the connection live whose handshake was accepted.
func (app *Application) open(c *conn) {
	c.header.Store(nil)
	c.mu.Lock()
	c.opened.Store(true)
	end := c.revoked
	c.mu.Unlock()
	// Only now: Shutdown passes over what is not open, so one of us has to see the other.
	app.mu.Lock()
	draining := app.draining
	app.mu.Unlock()
	if end == nil && draining {
		end = goingAway()
	}
	if end != nil {
		c.startClose(end, false)
	}
	go c.start()
}

// forget is called when a handshake has failed or all parts of a connection are done.
func (app *Application) forget(c *conn) {
	app.all.remove(c.inAll)
	app.mu.Lock()
	defer app.mu.Unlock()
	app.endedLocked()
}

// endedLocked counts one of those that are alive off.
func (app *Application) endedLocked() {
	app.alive--
	if app.alive == 0 && app.draining {
		close(app.idle)
	}
}
