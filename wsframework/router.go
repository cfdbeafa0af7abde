package wsframework

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// A router registers routes, all of them under one prefix and with the same options.
type router struct {
	app     *Application
	prefix  pattern
	options []RouteOption
}

// Routes registers routes under a prefix: see [Application.Under].
type Routes struct{ router }

// Under returns a place to register routes whose patterns begin with a prefix: a path ("/api"), a host
// ("example.com") or both ("example.com/api"). A path may contain wildcards. The options apply to each
// WebSocket and Page there, before their own; Authenticated protects what Handle and Static register as well.
func (rs *router) Under(prefix string, options ...RouteOption) *Routes {
	p := splitPattern(prefix)
	whole, err := p.under(rs.prefix)
	if p.method != "" {
		err = errors.New("it is a path, a host, or a host and a path")
	}
	if err != nil {
		panic(fmt.Errorf("wsframework: %s: prefix %q: %w", callerOutside(), prefix, err))
	}
	return &Routes{router{rs.app, whole, append(rs.options[:len(rs.options):len(rs.options)], options...)}}
}

// WebSocket registers an endpoint under a pattern of http.ServeMux ("/websocket", "GET /rooms/{room}",
// "example.com/ws"). The factory makes one handler for each connection: what Tornado passes to
// initialize is what it captures. It is also called once here, to look at the handler's type.
//
// It panics if the pattern is malformed or taken, or the name is.
func (rs *router) WebSocket(pattern string, factory func() Handler, options ...RouteOption) {
	options = append(rs.options[:len(rs.options):len(rs.options)], options...)
	p := rs.pattern(pattern)
	rs.mount(p, newRouteOptions(options).name, rs.app.newRoute(p.String(), factory, options))
}

// Handle registers a plain handler. It runs with the session loaded (Settings.Sessions), and behind
// http.CrossOriginProtection, which refuses POST and the like from pages of other origins than those
// that Settings.AllowedOrigins names ("*" does not count here).
func (rs *router) Handle(pattern string, handler http.Handler) {
	if handler == nil {
		panic(fmt.Errorf("wsframework: %s: pattern %q has no handler", callerOutside(), pattern))
	}
	app, p := rs.app, rs.pattern(pattern)
	guarded := app.withSession(rs.protected(handler))
	rs.mount(p, "", app.logged(p.String(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusal := app.origins.checkUnsafe(r); refusal != nil {
			refusePlain(w, refusal)
			return
		}
		guarded.ServeHTTP(w, r)
	})))
}

// Redirect sends visitors of a pattern on to another path or URL. Wildcards there, in braces, stand for what
// the pattern's have caught: Redirect("/old/{room}", "/rooms/{room}"). The query goes along, unless the target
// has one. The status is 301 (Moved Permanently), which browsers keep, or the one given. As Tornado's
// RedirectHandler. It panics if the target has a wildcard that the pattern has not.
func (rs *router) Redirect(pattern, to string, status ...int) {
	code := http.StatusMovedPermanently
	if len(status) > 0 {
		code = status[0]
	}
	p := rs.pattern(pattern)
	r, err := newRedirect(p, to, code)
	if err != nil {
		panic(fmt.Errorf("wsframework: %s: redirect of %q: %w", callerOutside(), pattern, err))
	}
	rs.mount(p, "", rs.app.logged(p.String(), r))
}

// Static serves the files of a file system under a prefix ("/downloads/"), as those of Settings.Static: with
// ETags and ranges, without listings of folders, and nothing whose name begins with a dot. Use [Dir] for a
// folder on disk. It panics if that can't be used.
func (rs *router) Static(prefix string, files fs.FS) {
	if err := checkFolder("Static "+prefix, files); err != nil {
		panic(err)
	}
	p := rs.pattern(strings.TrimSuffix(prefix, "/") + "/")
	rs.mountStatic(p, newStaticFiles(files, p.path, rs.app.settings.Debug))
}

func (rs *router) mountStatic(p pattern, files *staticFiles) {
	if strings.ContainsAny(p.path, "{}%") {
		panic(fmt.Errorf("wsframework: %s: static files under %q: the prefix has to be a plain path, without wildcards and escapes", callerOutside(), p))
	}
	var handler http.Handler = files // without the session, which nobody needs and no cache likes
	if newRouteOptions(rs.options).authenticated {
		files.private = true
		handler = rs.app.withSession(rs.app.requireUser(files))
	}
	rs.mount(p, "", rs.app.logged(p.String(), handler))
}

// HandleFunc registers a plain function as Handle does.
func (rs *router) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	if handler == nil {
		rs.Handle(pattern, nil)
	}
	rs.Handle(pattern, http.HandlerFunc(handler))
}

// A mounted route is what ReverseURL and the messages about conflicts know of it.
type mounted struct {
	pattern pattern
	where   string // the line that registered it
}

// pattern returns the whole of a pattern that is registered here.
func (rs *router) pattern(text string) pattern {
	p, err := splitPattern(text).under(rs.prefix)
	if err != nil {
		panic(fmt.Errorf("wsframework: %s: pattern %q: %w", callerOutside(), text, err))
	}
	return p
}

// protected applies Under's Authenticated to a handler that is no page.
func (rs *router) protected(handler http.Handler) http.Handler {
	if newRouteOptions(rs.options).authenticated {
		return rs.app.requireUser(handler)
	}
	return handler
}

// mount registers a handler. It panics with the line of the program that can't be right.
func (rs *router) mount(p pattern, name string, handler http.Handler) {
	app, where := rs.app, callerOutside()
	if other, taken := app.names[name]; taken {
		panic(fmt.Errorf("wsframework: %s: the name %q is taken by %q, registered at %s", where, name, other.pattern, other.where))
	}
	func() {
		defer func() {
			if v := recover(); v != nil {
				panic(fmt.Errorf("wsframework: %s: %s", where, app.withPlaces(fmt.Sprint(v), where)))
			}
		}()
		app.mux.Handle(p.String(), handler)
	}()
	route := &mounted{p, where}
	app.mounts[p.String()] = route
	if name != "" {
		app.names[name] = route
	}
}

// muxPlace is how http.ServeMux says where a pattern comes from: always from this file.
var muxPlace = regexp.MustCompile(`pattern ("(?:[^"\\]|\\.)*") \(registered at [^)]*\)`)

// withPlaces puts the program's own lines into a message of http.ServeMux, which names the pattern that is
// being registered first and then the one that is in its way.
func (app *Application) withPlaces(message, where string) string {
	first := true
	return muxPlace.ReplaceAllStringFunc(message, func(place string) string {
		quoted, at := muxPlace.FindStringSubmatch(place)[1], where
		if text, err := strconv.Unquote(quoted); err == nil && !first && app.mounts[text] != nil {
			at = app.mounts[text].where
		}
		first = false
		return fmt.Sprintf("pattern %s (registered at %s)", quoted, at)
	})
}

// callerOutside returns the file and line of the program that called into this package.
func callerOutside() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if !strings.Contains(frame.Function, "/wsframework.") || !more {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
}

// ReverseURL returns the path of the route with a name (see [Name]), its wildcards filled in their order
// with args as fmt.Sprint shows them, escaped. It fails for an unknown name, for too few or too many args,
// and for one that would lead to another path: "", ".", ".." or "/". A text with slashes is one segment, but
// for a wildcard that takes the rest ("{path...}"). As Tornado's reverse_url.
func (app *Application) ReverseURL(name string, args ...any) (string, error) {
	route, ok := app.names[name]
	if !ok {
		return "", fmt.Errorf("wsframework: no route has the name %q; give it one with wsframework.Name", name)
	}
	path, err := route.pattern.reverse(args)
	if err != nil {
		return "", fmt.Errorf("wsframework: the URL of route %q: %w", name, err)
	}
	return path, nil
}
