package wsframework

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
)

// A pageRoute makes the pages of one endpoint and lets each answer a request. It is an http.Handler.
type pageRoute struct {
	endpoint
	factory func() Page
	isRest  bool // it answers what no other route does
}

// Page registers a page under a pattern of http.ServeMux ("/login", "GET /rooms/{room}"). The factory makes
// one page for each request: what Tornado passes to initialize is what it captures. It is also called once
// here, to look at the page's methods. Pages run as plain handlers do: see Handle.
//
// It panics if the pattern is malformed or taken, the name is, or the page has no method to answer with.
func (rs *router) Page(pattern string, factory func() Page, options ...RouteOption) {
	options = append(rs.options[:len(rs.options):len(rs.options)], options...)
	p := rs.pattern(pattern)
	rs.mount(p, newRouteOptions(options).name, rs.app.newPageRoute(p.String(), factory, options))
}

func (app *Application) newPageRoute(pattern string, factory func() Page, options []RouteOption) *pageRoute {
	if factory == nil {
		panic(fmt.Errorf("wsframework: route %s has no factory; give it a func() wsframework.Page", pattern))
	}
	o := newRouteOptions(options)
	rt := &pageRoute{endpoint: endpoint{app, cmp.Or(o.name, pattern), o.authenticated}, factory: factory}
	if page := probe(factory); page != nil {
		if err := checkPage(page); err != nil {
			panic(fmt.Errorf("wsframework: %s: page %s: %w", callerOutside(), pattern, err))
		}
		app.warnOfMisspelt(rt.name, page, pageHooks)
	}
	return rt
}

// probe asks a factory for a handler to look at. One that is not ready yet is no reason not to start.
func probe[H any](factory func() H) (h H) {
	defer func() { recover() }()
	return factory()
}

// ServeHTTP lets a page answer one request.
func (rt *pageRoute) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := new(exchange)
	x.init(&rt.endpoint, r)
	x.ctx = r.Context()
	unloaded := x.loadPageSession()
	x.public.Store(x.request)
	s := newResponse(x, w)
	returned := false
	defer func() {
		if err := x.userError(); err != nil && !errors.Is(s.cause, err) {
			s.also(err) // WriteError or OnFinish was the first to ask
		}
		if !returned && s.cause == nil {
			s.cause = http.ErrAbortHandler
		}
		s.ended = true
		x.header.Store(nil)
		x.logAnswer("wsframework: request", s.sentStatus(), s.size, s.cause)
	}()
	if err := rt.newPage(s); err != nil {
		s.claim(new(errorPage))
		s.end(err)
		returned = true
		return
	}
	defer func() { // also when the client has to be cut off
		if err := x.contain("OnFinish", func() error { s.page.OnFinish(); return nil }); err != nil {
			s.also(err)
		}
	}()
	err := unloaded
	if err == nil {
		err = s.receive()
	}
	if s.files != nil {
		defer s.files.RemoveAll()
	}
	if err == nil {
		err = rt.run(s)
	}
	s.end(err)
	returned = true
}

// receive reads what the page is to work with. Nobody else waits meanwhile, even in an application with one
// line for all.
func (s *response) receive() (err error) {
	x, app, r := s.x, s.x.app, s.x.request
	if refusal := app.origins.checkUnsafe(r); refusal != nil {
		return refusal
	}
	if err := checkArguments(x.query()); err != nil {
		return err
	}
	if x.form, s.files, err = parseBody(s.w, r, app.settings.MaxBodySize); err != nil || app.serial == nil {
		return err
	}
	if _, err := readAgain(r); err != nil {
		return bodyError(err)
	}
	return nil
}

// An errorPage stands in for one that the factory did not make.
type errorPage struct{ RequestHandler }

// newPage asks the factory for the page of a request and claims it.
func (rt *pageRoute) newPage(s *response) error {
	return s.x.contain("factory", func() error {
		page := rt.factory()
		if isNil(page) {
			return fmt.Errorf("the factory of route %s returned nil", rt.name)
		}
		if !s.claim(page) {
			return fmt.Errorf("the factory of route %s returned a page that has been used; return a new one each time", rt.name)
		}
		return nil
	})
}

// run calls what answers a request, in the order that Page gives.
func (rt *pageRoute) run(s *response) error {
	r := s.x.request
	if rt.app.settings.XSRFCookies && needsXSRFCheck(r.Method) {
		if err := s.x.contain("CheckXSRFCookie", s.page.CheckXSRFCookie); err != nil {
			return err
		}
	}
	if err := s.x.contain("Prepare", s.page.Prepare); err != nil {
		return err
	}
	if err := s.x.userError(); err != nil || s.ended {
		return err
	}
	if rt.authenticated {
		user, err := s.x.currentUser()
		if err != nil {
			return err
		}
		if user == nil {
			to, err := rt.app.askToLogIn(r)
			if err != nil {
				return err
			}
			return s.page.requestHandler().Redirect(to)
		}
	}
	name, method := methodOf(s.page, r.Method)
	if rt.isRest {
		if allow := rt.app.otherMethods(r); allow != "" {
			return s.refuseMethod(allow)
		}
		s.status = http.StatusNotFound
		if method == nil {
			return refuse(http.StatusNotFound, "Not Found", "")
		}
	}
	if method == nil {
		return s.refuseMethod(allowed(s.page))
	}
	return s.x.contain(name, method)
}

// refuseMethod is for a request whose method is none of those.
func (s *response) refuseMethod(allow string) error {
	s.initial.Set("Allow", allow) // the error page keeps it
	return refuse(http.StatusMethodNotAllowed, "Method Not Allowed", "")
}
