package wsframework

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// A Page answers the requests of one route. Embed [RequestHandler] in a struct and add the methods that
// it answers, each of them a func() error: Get, Post, Put, Patch, Delete, Head, Options. A route makes one
// value for each request. Only RequestHandler can make a type a Page, so that this interface can grow.
//
// They are called in this order: CheckXSRFCookie with Settings.XSRFCookies, Prepare, GetCurrentUser if
// somebody asks for it or the route is [Authenticated], the method, and OnFinish. An error in one of them,
// or a panic, is answered by WriteError: an *[HTTPError] with its status, everything else with 500.
type Page interface {
	// CheckXSRFCookie refuses a request that may be forged, if Settings.XSRFCookies is set and the method is
	// none of GET, HEAD and OPTIONS. Override it to let others' programs in, which have no cookies. As
	// Tornado's check_xsrf_cookie.
	CheckXSRFCookie() error

	// Prepare runs before the method. If it finishes the response (Redirect and SendError do), the
	// method is not called. As Tornado's prepare.
	Prepare() error

	// GetCurrentUser returns who sends the request, or nil for nobody. It is called once. The default
	// asks Settings.CurrentUser if set, else takes the session's "user". As Tornado's get_current_user.
	GetCurrentUser() (any, error)

	// WriteError writes the body of an error; the status is set already, and what was written before is
	// gone. err is what was returned, or an *HTTPError. The default writes the status text, or an
	// HTTPError's message, and everything there is to know with Settings.Debug. As Tornado's
	// write_error.
	WriteError(status int, err error) error

	// OnFinish is called last, exactly once, however the request ended. The response can't be changed any
	// more, but the client may get the end of it only when OnFinish has returned; for what takes long call
	// Finish before. As Tornado's on_finish.
	OnFinish()

	requestHandler() *RequestHandler
}

// httpMethods are the methods that a page may have, as requests and as handlers name them.
var httpMethods = []struct{ request, handler string }{
	{http.MethodGet, "Get"},
	{http.MethodHead, "Head"},
	{http.MethodPost, "Post"},
	{http.MethodPut, "Put"},
	{http.MethodPatch, "Patch"},
	{http.MethodDelete, "Delete"},
	{http.MethodOptions, "Options"},
}

// methodOf returns the page's method for that of a request and its name, or nil.
func methodOf(page Page, request string) (name string, method func() error) {
	switch request {
	case http.MethodGet:
		if p, ok := page.(interface{ Get() error }); ok {
			return "Get", p.Get
		}
	case http.MethodHead:
		if p, ok := page.(interface{ Head() error }); ok {
			return "Head", p.Head
		}
		return methodOf(page, http.MethodGet) // the response leaves the body out
	case http.MethodPost:
		if p, ok := page.(interface{ Post() error }); ok {
			return "Post", p.Post
		}
	case http.MethodPut:
		if p, ok := page.(interface{ Put() error }); ok {
			return "Put", p.Put
		}
	case http.MethodPatch:
		if p, ok := page.(interface{ Patch() error }); ok {
			return "Patch", p.Patch
		}
	case http.MethodDelete:
		if p, ok := page.(interface{ Delete() error }); ok {
			return "Delete", p.Delete
		}
	case http.MethodOptions:
		if p, ok := page.(interface{ Options() error }); ok {
			return "Options", p.Options
		}
	}
	return "", nil
}

// allowed lists the methods that a page answers, for the header Allow.
func allowed(page Page) string {
	var methods []string
	for _, m := range httpMethods {
		if _, method := methodOf(page, m.request); method != nil {
			methods = append(methods, m.request)
		}
	}
	return strings.Join(methods, ", ")
}

// checkMethods finds what the compiler can't: a method that has the name of one of HTTP and another form.
func checkMethods(page Page) error {
	t := reflect.TypeOf(page)
	right := reflect.FuncOf([]reflect.Type{t}, []reflect.Type{reflect.TypeFor[error]()}, false)
	for _, m := range httpMethods {
		if method, ok := t.MethodByName(m.handler); ok && method.Type != right {
			return fmt.Errorf("method %s of %s has to be a func() error", m.handler, t)
		}
	}
	return nil
}

// checkPage finds what checkMethods does, and a page that has no method at all.
func checkPage(page Page) error {
	if err := checkMethods(page); err != nil {
		return err
	}
	if allowed(page) == "" {
		return fmt.Errorf("%T answers nothing; give it a method Get() error, or Post, Put, Patch, Delete, Head or Options", page)
	}
	return nil
}
