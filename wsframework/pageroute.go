package wsframework

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// A pageRoute makes the pages of one endpoint and lets each answer a request. It is an http.Handler, to be
// mounted behind Application.withSession.
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
	rt := rs.app.newPageRoute(p.String(), factory, options)
	rs.mount(p, newRouteOptions(options).name, rs.app.withSession(rt))
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
	x.public.Store(r)
	if manager := rt.app.settings.Sessions; manager != nil {
		x.session = &Session{manager: manager, ctx: x.ctx, x: x, outer: true}
	}
	s := newResponse(x, w)
	defer func() { x.logAnswer("wsframework: request", s.status, s.size, s.cause) }()
	if err := rt.newPage(s); err != nil {
		s.claim(new(errorPage))
		s.fail(err)
		s.finish()
		return
	}
	defer func() { // also when the client has to be cut off
		if err := x.contain("OnFinish", func() error { s.page.OnFinish(); return nil }); err != nil {
			s.cause = errors.Join(s.cause, err)
		}
	}()
	err := s.receive(w, r)
	if s.files != nil {
		defer s.files.RemoveAll()
	}
	if err == nil {
		err = rt.run(s, r)
	}
	if err != nil {
		s.fail(err)
	}
	s.finish()
}

// receive reads what the page is to work with. Nobody else waits meanwhile, even in an application with one
// line for all.
func (s *response) receive(w http.ResponseWriter, r *http.Request) (err error) {
	x, app := s.x, s.x.app
	if refusal := app.origins.checkUnsafe(r); refusal != nil {
		return refusal
	}
	if err := checkArguments(x.query()); err != nil {
		return err
	}
	if x.form, s.files, err = parseBody(w, r, app.settings.MaxBodySize); err != nil || app.serial == nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyError(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
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
func (rt *pageRoute) run(s *response, r *http.Request) error {
	if err := s.x.contain("Prepare", s.page.Prepare); err != nil || s.ended {
		return err
	}
	if rt.authenticated {
		user, err := s.x.currentUser()
		if err != nil {
			return err
		}
		if user == nil {
			return rt.askToLogIn(s, r)
		}
	}
	method := methodOf(s.page, r.Method)
	allow := allowed(s.page)
	if rt.isRest {
		if allow = rt.app.otherMethods(r); allow == "" {
			s.status = http.StatusNotFound
			if method == nil {
				return refuse(http.StatusNotFound, "Not Found", "")
			}
		} else {
			method = nil
		}
	}
	if method == nil {
		s.w.Header().Set("Allow", allow)
		s.initial.Set("Allow", allow)
		return refuse(http.StatusMethodNotAllowed, "Method Not Allowed", "")
	}
	return s.x.contain(handlerMethod(r.Method), method)
}

// askToLogIn answers a request without a current user.
func (rt *pageRoute) askToLogIn(s *response, r *http.Request) error {
	login := rt.app.settings.LoginURL
	if login == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return refuse(http.StatusForbidden, "Log in first.", "Authenticated, GetCurrentUser, Settings.LoginURL")
	}
	return s.page.requestHandler().Redirect(loginURL(login, rt.app.proxies.scheme(r), r))
}
