package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A site is an application, and beside it, in the same process, a handler that knows only net/http and scs.
type site struct {
	w      *world
	app    *wsframework.Application
	both   http.Handler
	opened chan *socket
}

func (w *world) serve() *site {
	both := http.NewServeMux()
	s := &site{w: w, app: wsframework.NewApplication(w.settings), both: both, opened: make(chan *socket, 1)}
	s.app.WebSocket("/ws", func() wsframework.Handler { return &socket{opened: s.opened} }, wsframework.Authenticated())
	s.app.Page("/page/logout", func() wsframework.Page { return &page{end: (*wsframework.Session).Destroy} })
	s.app.Page("/page/renew", func() wsframework.Page { return &page{end: (*wsframework.Session).RenewToken} })
	s.app.HandleFunc("/plain", w.plain)
	both.Handle("/", s.app)
	both.Handle("/beside", w.ours.LoadAndSave(http.HandlerFunc(w.plain)))
	wstest.Serve(w.T, both)
	wstest.Serve(w.T, s.app) // so that it ends with the test
	return s
}

// plain is a handler as people have them, which knows only scs.
func (w *world) plain(_ http.ResponseWriter, r *http.Request) {
	switch r.FormValue("do") {
	case "login":
		w.ours.Put(r.Context(), "user", r.FormValue("user"))
	case "logout":
		w.report(w.ours.Destroy(r.Context()))
	case "renew":
		w.report(w.ours.RenewToken(r.Context()))
	}
}

// A page ends its session.
type page struct {
	wsframework.RequestHandler
	end func(*wsframework.Session) error
}

func (p *page) Get() error { return p.end(p.Session()) }

// A socket echoes, but for "here".
type socket struct {
	wsframework.BaseHandler
	opened chan<- *socket
}

func (h *socket) Open() error { h.opened <- h; return nil }

func (h *socket) OnMessage(m wsframework.Message) error {
	if m.String() == "here" {
		return nil
	}
	return h.WriteMessage(m)
}

// A visitor has a cookie, and a socket.
type visitor struct {
	*site
	*wstest.Client
	browser *wstest.Browser
	token   string
	began   time.Time // no later than the session
	socket  *socket
}

// visit begins a session for a user, on a site of its own, and opens a socket on it.
func (w *world) visit(user string) *visitor { return w.serve().visit(user) }

func (s *site) visit(user string) *visitor {
	s.w.Helper()
	browser := wstest.NewBrowser(s.w.T, s.both, wstest.Within(time.Minute+20*s.w.tick))
	v := &visitor{site: s, browser: browser, began: time.Now()}
	v.get("/beside?do=login&user=" + user)
	v.token = v.cookie()
	return v.another()
}

// another opens one more socket on the visitor's session.
func (v *visitor) another() *visitor {
	v.w.Helper()
	other := *v
	other.Client = v.browser.Dial("/ws")
	other.socket = <-v.opened
	return &other
}

// cookie returns the token that the visitor has now.
func (v *visitor) cookie() string { return v.browser.Cookie(v.w.ours.Cookie.Name) }

func (v *visitor) get(path string) {
	v.w.Helper()
	v.browser.Get(path).ExpectStatus(http.StatusOK)
}

// wantOpen checks that the visitor is answered.
func (v *visitor) wantOpen() {
	v.w.Helper()
	v.Write("still here?")
	v.Expect("still here?")
}

// atOnce is how long the end of a session takes to be felt in its process, on a busy machine, too.
const atOnce = time.Second

// slack is what a busy machine needs besides a number of intervals. (Those are exact in wsframework's own tests, whose
// time is not the machine's.)
const slack = 5 * time.Second

// wantClose waits for a close frame, and returns how long that took.
func (v *visitor) wantClose(code int, cause error, within time.Duration) time.Duration {
	v.w.Helper()
	began := time.Now()
	v.ExpectClose(code)
	took := time.Since(began)
	if took > within {
		v.w.Errorf("closed after %v, want %v", took, within)
	}
	<-v.socket.Context().Done()
	if got := context.Cause(v.socket.Context()); cause != nil && !errors.Is(got, cause) {
		v.w.Errorf("the cause is %v, want %v", got, cause)
	}
	return took
}
