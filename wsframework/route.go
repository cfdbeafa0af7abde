package wsframework

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
)

// A route makes the handlers of one endpoint and upgrades its requests. It is an http.Handler.
type route struct {
	app           *Application
	name          string // for logs
	factory       func() Handler
	authenticated bool
	maxMessage    int
	compression   *CompressionOptions
	quick         atomic.Bool // an OnMessage took no time to speak of: see batch
}

// A RouteOption configures one endpoint.
type RouteOption func(*route)

// Authenticated refuses with status 401 a request without a current user, as Tornado's authenticated.
func Authenticated() RouteOption {
	return func(rt *route) { rt.authenticated = true }
}

// Name names the endpoint in log lines. Default: its pattern.
func Name(name string) RouteOption {
	return func(rt *route) { rt.name = name }
}

// MessageLimit overrides Settings.MaxMessageSize, in bytes; negative: no limit.
func MessageLimit(bytes int) RouteOption {
	return func(rt *route) { rt.maxMessage = bytes }
}

// Compression overrides Settings.Compression; nil turns it off.
func Compression(options *CompressionOptions) RouteOption {
	return func(rt *route) { rt.compression = options }
}

func (app *Application) newRoute(name string, factory func() Handler, options []RouteOption) *route {
	if factory == nil {
		panic(fmt.Errorf("wsframework: route %s has no factory; give it a func() wsframework.Handler", name))
	}
	rt := &route{app: app, name: name, factory: factory}
	rt.maxMessage, rt.compression = app.settings.MaxMessageSize, app.settings.Compression
	for _, option := range options {
		option(rt)
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
	c.handler = h
	return nil
}
