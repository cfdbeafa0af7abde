package e2e

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

type middleware = func(http.Handler) http.Handler

// routers mount a whole application under /app and one of its endpoints at /rooms/{room}, behind
// middleware. seen is told the status that the router's own middleware sees.
var routers = []struct {
	name  string
	mount func(app, room http.Handler, outer middleware, seen func(status int)) http.Handler
}{
	{"nethttp", func(app, room http.Handler, outer middleware, seen func(int)) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/app/", http.StripPrefix("/app", app))
		mux.Handle("/rooms/{room}", room)
		return outer(logging(seen)(mux))
	}},
	{"chi", func(app, room http.Handler, outer middleware, seen func(int)) http.Handler {
		r := chi.NewRouter()
		r.Use(outer, logging(seen))
		r.Mount("/app", http.StripPrefix("/app", app))
		r.Handle("/rooms/{room}", room)
		return r
	}},
	{"gin", func(app, room http.Handler, outer middleware, seen func(int)) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		r := gin.New()
		r.Use(gin.LoggerWithWriter(io.Discard), gin.Recovery(), func(c *gin.Context) {
			c.Next()
			seen(c.Writer.Status())
		})
		r.Any("/app/*path", gin.WrapH(http.StripPrefix("/app", app)))
		r.GET("/rooms/:room", func(c *gin.Context) {
			c.Request.SetPathValue("room", c.Param("room")) // gin keeps its parameters to itself
			room.ServeHTTP(c.Writer, c.Request)
		})
		return outer(r)
	}},
	{"echo", func(app, room http.Handler, outer middleware, seen func(int)) http.Handler {
		e := echo.New()
		e.Use(echo.WrapMiddleware(outer), func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				err := next(c)
				seen(c.Response().Status)
				return err
			}
		})
		e.Any("/app/*", echo.WrapHandler(http.StripPrefix("/app", app)))
		e.GET("/rooms/:room", func(c echo.Context) error {
			c.Request().SetPathValue("room", c.Param("room")) // and so does echo
			room.ServeHTTP(c.Response(), c.Request())
			return nil
		})
		return e
	}},
}

// eachRouter runs a test with each of the routers.
func eachRouter(t *testing.T, settings wsframework.Settings, outer func() middleware, test func(t *testing.T, m *mounted)) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			m := &mounted{t: t, log: wstest.NewLog(t), statuses: make(chan int, 100)}
			settings.Logger = m.log.Logger(slog.LevelWarn)
			app := wsframework.NewApplication(settings)
			app.WebSocket("/rooms/{room}", newRoomHandler)
			app.HandleFunc("GET /plain", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "plain") })
			handler := router.mount(app, app.Upgrade(newRoomHandler), outer(), func(status int) { m.statuses <- status })
			m.url = serveUnder(t, app, handler)
			test(t, m)
		})
	}
}

// serveUnder lets somebody else's router have the application, and returns its URL.
func serveUnder(t *testing.T, app *wsframework.Application, router http.Handler) string {
	t.Helper()
	url := wstest.Serve(t, router, wstest.TCP())
	wstest.Serve(t, app) // so that it ends with the test
	return url
}

// mounted is an application under a router.
type mounted struct {
	t        *testing.T
	url      string
	log      *wstest.Log
	statuses chan int // that the router's middleware has seen
}

// endpoints are the same room, in the application and as a bare handler.
var endpoints = []string{"/app/rooms/blue", "/rooms/blue"}

func (m *mounted) dial(path string, client *http.Client) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	return websocket.Dial(ctx, m.url+path, &websocket.DialOptions{HTTPClient: client})
}

// ask sends a message and returns the answer.
func (m *mounted) ask(conn *websocket.Conn, question string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(question)); err != nil {
		m.t.Fatal(err)
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(answer)
}

// get returns the body of a plain page.
func (m *mounted) get(path string, client *http.Client) string {
	m.t.Helper()
	response, err := client.Get(m.url + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		m.t.Errorf("GET %s: %s", path, response.Status)
	}
	return string(body)
}

// A roomHandler answers with its room and what it was sent. With a session it remembers the room.
type roomHandler struct{ wsframework.BaseHandler }

func newRoomHandler() wsframework.Handler { return new(roomHandler) }

func (h *roomHandler) Prepare() error {
	if s := h.Session(); s != nil {
		return s.Put("room", h.PathValue("room"))
	}
	return nil
}

func (h *roomHandler) OnMessage(m wsframework.Message) error {
	user, _ := wsframework.UserAs[string](h)
	return h.WriteText(h.PathValue("room") + "/" + user + ": " + m.String())
}

func none(next http.Handler) http.Handler { return next }

// logging is a middleware as there are many: it wraps the ResponseWriter to see the status.
func logging(seen func(status int)) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sw := &statusWriter{ResponseWriter: w}
			next.ServeHTTP(sw, r)
			seen(sw.status)
		})
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestRouters(t *testing.T) {
	eachRouter(t, wsframework.Settings{}, func() middleware { return none }, func(t *testing.T, m *mounted) {
		for _, path := range endpoints {
			conn, _, err := m.dial(path, http.DefaultClient)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if status := receive(t, m.statuses); status != http.StatusSwitchingProtocols {
				t.Errorf("%s: the router's middleware saw status %d, want 101", path, status)
			}
			if got := m.ask(conn, "你好"); got != "blue/: 你好" {
				t.Errorf("%s: the answer is %q", path, got)
			}
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Errorf("%s: Close: %v", path, err)
			}
		}
		if body := m.get("/app/plain", http.DefaultClient); body != "plain" {
			t.Errorf("a plain page of the application: %q", body)
		}
		m.log.ExpectNothing()
	})
}

// A refusal under a router is an ordinary answer.
func TestRoutersRefuse(t *testing.T) {
	eachRouter(t, wsframework.Settings{}, func() middleware { return none }, func(t *testing.T, m *mounted) {
		for _, path := range endpoints {
			request, err := http.NewRequestWithContext(t.Context(), "GET", m.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "Upgrade: websocket") {
				t.Errorf("%s: %s: %s", path, response.Status, body)
			}
			if status := receive(t, m.statuses); status != http.StatusBadRequest {
				t.Errorf("%s: the router's middleware saw status %d, want 400", path, status)
			}
		}
	})
}

// A middleware may hide that the connection can be taken over. Then nothing works, and the log says why.
func TestHiddenHijacker(t *testing.T) {
	hide := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
		})
	}
	eachRouter(t, wsframework.Settings{}, func() middleware { return hide }, func(t *testing.T, m *mounted) {
		for i, path := range endpoints {
			_, response, err := m.dial(path, http.DefaultClient)
			if response == nil {
				t.Errorf("%s: no answer: %v", path, err)
				continue
			}
			if response.StatusCode != http.StatusInternalServerError {
				t.Errorf("%s: status %d, want 500", path, response.StatusCode)
			}
			log := m.log.String()
			if lines := strings.Count(log, "\n"); lines != i+1 || !strings.Contains(log, "hijack") || !strings.Contains(log, "Unwrap") {
				t.Errorf("%s: the log does not say in one line what to do:\n%s", path, log)
			}
		}
	})
}

// A middleware may panic while the handshake is answered; net/http catches that. It must not look like a
// connection that Shutdown, after the test, has to wait for.
func TestMiddlewarePanics(t *testing.T) {
	abort := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(abortingWriter{w}, r)
		})
	}
	app := wsframework.NewApplication(wsframework.Settings{})
	m := &mounted{t: t, url: serveUnder(t, app, abort(app.Upgrade(newRoomHandler)))}
	if _, _, err := m.dial("/", http.DefaultClient); err == nil {
		t.Error("the handshake succeeded")
	}
}

type abortingWriter struct{ http.ResponseWriter }

func (w abortingWriter) WriteHeader(int)             { panic(http.ErrAbortHandler) }
func (w abortingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// The framework inside somebody's own LoadAndSave shares the session that this has loaded.
func TestInsideLoadAndSave(t *testing.T) {
	store := &countingStore{MemStore: memstore.NewWithCleanupInterval(0)}
	sessions := scs.New()
	sessions.Store = store
	logIn := func(next http.Handler) http.Handler {
		return sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/login":
				sessions.Put(r.Context(), "user", "小明")
			case "/room":
				io.WriteString(w, sessions.GetString(r.Context(), "room"))
			default:
				next.ServeHTTP(w, r)
			}
		}))
	}
	settings := wsframework.Settings{Sessions: sessions}
	eachRouter(t, settings, func() middleware { return logIn }, func(t *testing.T, m *mounted) {
		for _, path := range endpoints {
			// Who has a session already needs one look at the store to load it, and one to see, before Prepare's
			// change is saved, that it has not ended meanwhile; who gets one now needs none.
			for user, want := range map[string]int64{"小明": 2, "": 0} {
				jar, err := cookiejar.New(nil)
				if err != nil {
					t.Fatal(err)
				}
				client := &http.Client{Jar: jar}
				if user != "" {
					m.get("/login", client)
				}

				before := store.finds.Load()
				conn, response, err := m.dial(path, client)
				if err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				if finds := store.finds.Load() - before; finds != want {
					t.Errorf("%s: user %q: %d looks at the store, want %d", path, user, finds, want)
				}
				if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].Name != sessions.Cookie.Name {
					t.Errorf("%s: user %q: the cookies of the 101 are %v, want that of the session once", path, user, cookies)
				}
				if got, want := m.ask(conn, "hi"), "blue/"+user+": hi"; got != want {
					t.Errorf("%s: the answer is %q, want %q", path, got, want)
				}
				if room := m.get("/room", client); room != "blue" {
					t.Errorf("%s: user %q: the session's room is %q afterwards, want what Prepare put", path, user, room)
				}
				conn.Close(websocket.StatusNormalClosure, "")
			}
		}
		m.log.ExpectNothing()
	})
}

// A countingStore counts how often sessions are looked up.
type countingStore struct {
	*memstore.MemStore
	finds atomic.Int64
}

func (s *countingStore) Find(token string) ([]byte, bool, error) {
	s.finds.Add(1)
	return s.MemStore.Find(token)
}
