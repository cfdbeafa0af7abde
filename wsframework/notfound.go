package wsframework

import (
	"fmt"
	"net/http"
	"strings"
)

// NotFound sets the page that answers, with status 404, what no route does, and with 405 what routes do for
// other methods only. Its own method is called if it has one for the request and the status is 404;
// WriteError is for the rest. Default: a line of text. As Tornado's default_handler_class.
//
// It panics if the page has a method with the name of one of HTTP that is no func() error.
func (app *Application) NotFound(factory func() Page) {
	if factory != nil {
		if page := probe(factory); page != nil {
			if err := checkMethods(page); err != nil {
				panic(fmt.Errorf("wsframework: %s: page for NotFound: %w", callerOutside(), err))
			}
			app.warnOfMisspelt(restName, page, pageHooks)
		}
	}
	app.notFound = factory
}

// restPattern is less specific than any other.
const restPattern = "/"

// restName is what its log lines call it.
const restName = "(not found)"

// mountRest registers what the program has not: the files that browsers look for at the top, and the route
// for the rest.
func (app *Application) mountRest() {
	for _, name := range []string{"favicon.ico", "robots.txt"} {
		if app.static != nil && app.static.hash(name) != "" {
			app.mountTopFile(name)
		}
	}
	factory := app.notFound
	if factory == nil {
		factory = func() Page { return new(errorPage) }
	}
	rt := &pageRoute{endpoint: endpoint{app: app, name: restName}, factory: factory, isRest: true}
	defer func() { recover() }() // "/", or the same in other words, is taken
	app.mux.Handle(restPattern, rt)
}

// mountTopFile serves one of the static files at the top, unless the program does.
func (app *Application) mountTopFile(name string) {
	path := "/" + name
	for _, m := range app.mounts {
		if m.pattern.host == "" && m.pattern.path == path {
			return
		}
	}
	handler := app.logged(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = app.static.prefix+name, ""
		app.static.ServeHTTP(w, r)
	}))
	defer func() {
		if recover() != nil { // a pattern like "GET /{page}" is in its way, but not in that of this one
			defer func() { recover() }()
			app.mux.Handle("GET "+path, handler)
		}
	}()
	app.mux.Handle(path, handler)
}

// otherMethods lists the methods for which a route answers the request, for the header Allow.
func (app *Application) otherMethods(r *http.Request) string {
	var methods []string
	other := *r
	for _, m := range httpMethods {
		other.Method = m.request
		if _, pattern := app.mux.Handler(&other); pattern != restPattern {
			methods = append(methods, m.request)
		}
	}
	return strings.Join(methods, ", ")
}
