package wsframework

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gotornado/gotornado/internal/testvisit"
)

// An exchange is a request as its handler sees it, whether a page answers it or it becomes a connection:
// what came with it, whose it is, and the answer for as long as that can still be changed.
type exchange struct {
	app      *Application
	endpoint *endpoint
	began    time.Time
	upgrade  bool         // it is to become a connection
	hooks    requestHooks // the handler; nil until the factory has made it

	// Set before the handler is called, read-only afterwards.
	request *http.Request
	public  atomic.Pointer[http.Request] // see publicRequest
	values  context.Context              // those of Context, which ends at another time
	session *Session
	form    url.Values // of a page's body

	header atomic.Pointer[http.Header] // of the answer, until it is sent

	mu      sync.Mutex // protects the following, and what a conn says it does
	user    any
	userErr error
	hasUser bool            // user and userErr are set, or about to be
	ctx     context.Context // made when somebody asks for it, as few do
	cancel  context.CancelCauseFunc
	over    error      // why ctx is cancelled
	xsrf    *xsrfToken // of the cookie that the answer sets; nil if it sets none
}

// answered is the error of what would change an answer that has been sent.
func (x *exchange) answered() error {
	if x.upgrade {
		return ErrHandshakeDone
	}
	return ErrFinished
}

// requestHooks are the methods that pages and sockets both may override.
type requestHooks interface {
	Prepare() error
	GetCurrentUser() (any, error)
}

// init begins an exchange.
func (x *exchange) init(e *endpoint, r *http.Request) {
	x.app, x.endpoint, x.request, x.values, x.began = e.app, e, r, r.Context(), time.Now()
}

// setValues gives Context the values of another one.
func (x *exchange) setValues(values context.Context) {
	x.mu.Lock()
	cancel := x.cancel
	x.values, x.ctx, x.cancel = values, nil, nil
	x.mu.Unlock()
	if cancel != nil {
		cancel(nil)
	}
	x.public.Store(nil)
}

// context returns the context that ends with the exchange.
func (x *exchange) context() context.Context {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ctx == nil {
		x.ctx, x.cancel = context.WithCancelCause(context.WithoutCancel(x.values))
		if x.over != nil {
			x.cancel(x.over)
		}
	}
	return x.ctx
}

// end cancels the context.
func (x *exchange) end(cause error) {
	x.mu.Lock()
	x.over = cause
	cancel := x.cancel
	x.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}

// ended reports whether the context is cancelled.
func (x *exchange) ended() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.over != nil
}

// publicRequest is the request as handlers see it: with the exchange's context. Few sockets ask for it.
func (x *exchange) publicRequest() *http.Request {
	if r := x.public.Load(); r != nil {
		return r
	}
	r := x.request.WithContext(x.context())
	r.Body = http.NoBody
	x.public.CompareAndSwap(nil, r)
	return x.public.Load()
}

// currentUser asks the handler once: that of a socket before the answer is sent, a page at any time.
func (x *exchange) currentUser() (any, error) {
	x.mu.Lock()
	user, err, known := x.user, x.userErr, x.hasUser
	ask := !known && x.hooks != nil && (!x.upgrade || x.header.Load() != nil)
	x.hasUser = known || ask // before the call: GetCurrentUser may ask for its own result
	x.mu.Unlock()
	if !ask {
		return user, err
	}
	user, err = x.askForUser(x.hooks)
	x.mu.Lock()
	x.user, x.userErr = user, err
	x.mu.Unlock()
	return user, err
}

// askForUser calls GetCurrentUser, unless a test says who the user is.
func (x *exchange) askForUser(hooks requestHooks) (user any, err error) {
	x.mu.Lock()
	values := x.values
	x.mu.Unlock()
	user, named := testvisit.UserOf(values)
	if !named {
		err = x.contain("GetCurrentUser", func() (err error) {
			user, err = hooks.GetCurrentUser()
			return err
		})
	}
	if err != nil || isNil(user) {
		user = nil
	}
	return user, err
}

// userError returns the error of GetCurrentUser if the handler has been asked.
func (x *exchange) userError() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.userErr
}

// knownUser returns the current user if the handler has been asked.
func (x *exchange) knownUser() any {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.user
}

// isNil reports whether a value is nil, or an interface around a nil: nobody, if it is a user.
func isNil(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		return v.IsNil()
	}
	return false
}

// contain calls a hook and turns its panic into an error.
func contain(hook string, f func() error) (err error) {
	returned := false
	defer func() {
		if !returned {
			if value := recover(); value == http.ErrAbortHandler {
				panic(value) // net/http ends the request and says nothing
			} else if value != nil {
				err = recovered(hook, value)
			}
		}
	}()
	err = f()
	returned = true
	return err
}
