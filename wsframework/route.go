package wsframework

import (
	"cmp"
	"fmt"
	"net/http"
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
	app.watchStore()
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
	if h := probe(factory); h != nil {
		app.warnOfMisspelt(rt.name, h, socketHooks)
	}
	return rt
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
