package wsframework

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
)

// An endpoint is what all routes have.
type endpoint struct {
	app           *Application
	name          string // for logs and ReverseURL
	authenticated bool
}

// A route makes the handlers of one endpoint for sockets and upgrades its requests. It is an
// http.Handler.
type route struct {
	endpoint
	factory     func() Handler
	maxMessage  int
	compression *CompressionOptions
	quick       atomic.Bool // an OnMessage took no time to speak of: see batch
}

// routeOptions is what RouteOptions say.
type routeOptions struct {
	name          string
	authenticated bool
	maxMessage    *int
	compression   **CompressionOptions
}

// A RouteOption configures one endpoint.
type RouteOption func(*routeOptions)

// Authenticated wants a current user, as Tornado's authenticated. Without one a socket's handshake is
// refused with status 401; a page asked for with GET or HEAD redirects to Settings.LoginURL, with what was
// asked for in the parameter "next"; every other request is refused with 403.
func Authenticated() RouteOption {
	return func(o *routeOptions) { o.authenticated = true }
}

// Name names the endpoint for ReverseURL and in log lines, where its default is the pattern.
func Name(name string) RouteOption {
	return func(o *routeOptions) { o.name = name }
}

// MessageLimit overrides Settings.MaxMessageSize for a socket, in bytes; negative: no limit.
func MessageLimit(bytes int) RouteOption {
	return func(o *routeOptions) { o.maxMessage = &bytes }
}

// Compression overrides Settings.Compression for a socket; nil turns it off.
func Compression(options *CompressionOptions) RouteOption {
	return func(o *routeOptions) { o.compression = &options }
}

func newRouteOptions(options []RouteOption) (o routeOptions) {
	for _, option := range options {
		option(&o)
	}
	return o
}

// newRoute makes a route whose name is that of the pattern if the options give it none.
func (app *Application) newRoute(pattern string, factory func() Handler, options []RouteOption) *route {
	if factory == nil {
		panic(fmt.Errorf("wsframework: route %s has no factory; give it a func() wsframework.Handler", pattern))
	}
	o := newRouteOptions(options)
	rt := &route{
		endpoint:    endpoint{app, cmp.Or(o.name, pattern), o.authenticated},
		factory:     factory,
		maxMessage:  app.settings.MaxMessageSize,
		compression: app.settings.Compression,
	}
	if o.maxMessage != nil {
		rt.maxMessage = *o.maxMessage
	}
	if o.compression != nil {
		rt.compression = *o.compression
	}
	rt.warnOfMisspeltHooks()
	return rt
}

// warnOfMisspeltHooks looks at the type of the route's handlers for methods that are almost hooks. For
// that it asks the factory for one handler, which is thrown away.
func (rt *route) warnOfMisspeltHooks() {
	defer func() { recover() }() // a factory that is not ready yet is no reason not to start
	h := rt.factory()
	if h == nil {
		return
	}
	misspelt := misspeltHooks(reflect.TypeOf(h))
	for _, name := range slices.Sorted(maps.Keys(misspelt)) {
		hook := misspelt[name]
		rt.app.logger.Warn("wsframework: this method is never called; is it a misspelt hook?",
			"route", rt.name, "handler", reflect.TypeOf(h).String(), "method", name, "hook", hook)
	}
}

// hookAliases are what other frameworks call our hooks.
var hookAliases = map[string]string{
	"onopen": "Open", "onconnect": "Open", "onconnection": "Open",
	"onmsg": "OnMessage", "ontext": "OnMessage", "onreceive": "OnMessage", "ondata": "OnMessage",
	"ondisconnect": "OnClose", "onclosed": "OnClose", "onconnectionclose": "OnClose",
}

// misspeltHooks returns the methods of t that no one calls and what they were probably meant to be.
func misspeltHooks(t reflect.Type) map[string]string {
	found := make(map[string]string)
	base, hooks := reflect.TypeFor[*BaseHandler](), reflect.TypeFor[Handler]()
	for i := range t.NumMethod() {
		name := t.Method(i).Name
		if _, promoted := base.MethodByName(name); promoted {
			continue
		}
		if _, right := hooks.MethodByName(name); right {
			continue
		}
		plain := strings.ToLower(strings.ReplaceAll(name, "_", ""))
		if hook, ok := hookAliases[plain]; ok {
			found[name] = hook
			continue
		}
		for j := range hooks.NumMethod() {
			hook := hooks.Method(j)
			target := strings.ToLower(hook.Name)
			if hook.IsExported() && plain[:1] == target[:1] && editDistance(plain, target) <= min(2, len(target)/4) {
				found[name] = hook.Name
			}
		}
	}
	return found
}

// editDistance counts the letters to insert, remove or replace to get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// newHandler asks the factory for the handler of a connection and claims it.
func (rt *route) newHandler(c *conn) error {
	h := rt.factory()
	if isNil(h) {
		return &HTTPError{Status: http.StatusInternalServerError, Err: fmt.Errorf("the factory of route %s returned nil", rt.name)}
	}
	if !h.base().c.CompareAndSwap(nil, c) {
		return &HTTPError{Status: http.StatusInternalServerError, Err: fmt.Errorf(
			"the factory of route %s returned a handler that has been used; return a new one each time", rt.name)}
	}
	h.base().x.Store(&c.exchange)
	c.handler, c.hooks = h, h
	return nil
}
