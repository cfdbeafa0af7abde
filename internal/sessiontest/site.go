package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// A site is an application, and beside it, in the same process, a server that knows only net/http and scs.
type site struct {
	w          *world
	app        *wsframework.Application
	url, plain string
	opened     chan *socket
}

func (w *world) serve() *site {
	s := &site{w: w, app: wsframework.NewApplication(w.settings), opened: make(chan *socket, 1)}
	s.app.WebSocket("/ws", func() wsframework.Handler { return &socket{opened: s.opened} }, wsframework.Authenticated())
	s.app.Page("/page/logout", func() wsframework.Page { return &page{end: (*wsframework.Session).Destroy} })
	s.app.Page("/page/renew", func() wsframework.Page { return &page{end: (*wsframework.Session).RenewToken} })
	s.app.HandleFunc("/plain", w.plain)
	ours, beside := httptest.NewServer(s.app), httptest.NewServer(w.ours.LoadAndSave(http.HandlerFunc(w.plain)))
	s.url, s.plain = ours.URL, beside.URL
	w.Cleanup(func() {
		w.report(s.app.Shutdown(context.Background()))
		ours.Close()
		beside.Close()
	})
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

// A socket echoes.
type socket struct {
	wsframework.BaseHandler
	opened chan<- *socket
}

func (h *socket) Open() error { h.opened <- h; return nil }

func (h *socket) OnMessage(m wsframework.Message) error { return h.WriteMessage(m) }

// A visitor has a cookie, and a socket.
type visitor struct {
	*site
	client *http.Client
	token  string
	began  time.Time // no later than the session
	conn   *websocket.Conn
	socket *socket
}

// visit begins a session for a user, on a site of its own, and opens a socket on it.
func (w *world) visit(user string) *visitor { return w.serve().visit(user) }

func (s *site) visit(user string) *visitor {
	s.w.Helper()
	jar, err := cookiejar.New(nil)
	s.w.must(err)
	v := &visitor{site: s, client: &http.Client{Jar: jar}, began: time.Now()}
	v.get(s.plain + "?do=login&user=" + user)
	v.token = v.cookie()
	return v.another()
}

// another opens one more socket on the visitor's session.
func (v *visitor) another() *visitor {
	v.w.Helper()
	other := *v
	var err error
	other.conn, _, err = websocket.Dial(v.w.Context(), v.url+"/ws", &websocket.DialOptions{HTTPClient: v.client})
	v.w.must(err)
	v.w.Cleanup(func() { other.conn.CloseNow() })
	other.socket = <-v.opened
	return &other
}

// cookie returns the token that the visitor has now. (Cookies do not tell one port from another.)
func (v *visitor) cookie() string {
	address, err := url.Parse(v.url)
	v.w.must(err)
	for _, cookie := range v.client.Jar.Cookies(address) {
		if cookie.Name == v.w.ours.Cookie.Name {
			return cookie.Value
		}
	}
	return ""
}

func (v *visitor) get(url string) {
	v.w.Helper()
	response, err := v.client.Get(url)
	v.w.must(err)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		v.w.Fatalf("%s: %s", url, response.Status)
	}
}

func (v *visitor) say(text string) {
	v.w.Helper()
	v.w.must(v.conn.Write(v.w.Context(), websocket.MessageText, []byte(text)))
}

// patience is how long a test waits for something that is bound to happen.
const patience = time.Minute

func (v *visitor) wantMessage(want string) {
	v.w.Helper()
	ctx, cancel := context.WithTimeout(v.w.Context(), patience)
	defer cancel()
	if _, got, err := v.conn.Read(ctx); err != nil || string(got) != want {
		v.w.Errorf("message %q (%v), want %q", got, err, want)
	}
}

// wantOpen checks that the visitor is answered.
func (v *visitor) wantOpen() {
	v.w.Helper()
	v.say("still here?")
	v.wantMessage("still here?")
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
	ctx, cancel := context.WithTimeout(v.w.Context(), patience+within)
	defer cancel()
	for {
		_, _, err := v.conn.Read(ctx)
		if err == nil {
			continue // an echo
		}
		took := time.Since(began)
		if got := int(websocket.CloseStatus(err)); got != code {
			v.w.Fatalf("closed with %d (%v), want %d", got, err, code)
		}
		if took > within {
			v.w.Errorf("closed after %v, want %v", took, within)
		}
		<-v.socket.Context().Done()
		if got := context.Cause(v.socket.Context()); cause != nil && !errors.Is(got, cause) {
			v.w.Errorf("the cause is %v, want %v", got, cause)
		}
		return took
	}
}
