package wsframework_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Two applications in one process never meet, though they have the same routes, groups and sessions.
func TestTwoApplications(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		one := newMembers(t, n, func(*probe) {})
		two := newMembers(t, n, func(*probe) {})
		a, ap := one.join("g")
		b, bp := two.join("g")
		ap.Broadcast("g", "for one")
		one.app.Broadcast(t.Context(), "g", "for one, too")
		bp.Broadcast("g", "for two")
		a.Expect("for one")
		a.Expect("for one, too")
		b.Expect("for two")
		for h := range one.app.Connections() {
			if h != wsframework.Handler(ap) {
				t.Error("a connection of the other application")
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- one.app.Shutdown(t.Context()) }()
		shake(t, a, 1001, "the server shuts down")
		if err := receive(t, ended); err != nil {
			t.Error(err)
		}
		two.app.Broadcast(t.Context(), "g", "still there")
		b.Expect("still there")
		two.join("g")
	})
}

// Plain handlers have the session, and are safe from forged requests.
func TestPlainHandlers(t *testing.T) {
	sessions := wstest.NewSessions()
	settings := wsframework.Settings{AllowedOrigins: []string{"https://partner.test", "https://*.example.com"}}
	s := sessionServer(t, sessions, settings, func(*probe) {})
	s.app.HandleFunc("POST /count", func(w http.ResponseWriter, r *http.Request) {
		n := sessions.GetInt(r.Context(), "n") + 1
		sessions.Put(r.Context(), "n", n)
		fmt.Fprint(w, n)
	})
	s.app.Handle("GET /count", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, sessions.GetInt(r.Context(), "n"))
	}))
	_, token := s.login("ann")
	cookie := "Cookie: session=" + token
	post := func(header ...string) (int, string) {
		t.Helper()
		request := append([]string{"POST /count HTTP/1.1", "Host: example.com", "Content-Length: 0", cookie}, header...)
		response, body := s.ask(request, "")
		return response.StatusCode, body
	}
	want := 0
	for _, tt := range []struct {
		header []string
		passes bool
	}{
		{nil, true}, // no browser
		{[]string{"Sec-Fetch-Site: same-origin"}, true},
		{[]string{"Sec-Fetch-Site: cross-site"}, false},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.test"}, false},
		{[]string{"Origin: https://evil.test"}, false},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: https://partner.test"}, true},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: http://partner.test"}, false},
		{[]string{"Sec-Fetch-Site: same-site", "Origin: https://a.example.com"}, true},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: https://aexample.com"}, false},
	} {
		status, body := post(tt.header...)
		if tt.passes {
			want++
		}
		if tt.passes && (status != 200 || body != fmt.Sprint(want)) || !tt.passes && status != 403 {
			t.Errorf("%q: %d %q", tt.header, status, body)
		}
	}
	get := []string{"GET /count HTTP/1.1", "Host: example.com", "Sec-Fetch-Site: cross-site", "Origin: https://evil.test", cookie}
	if response, body := s.ask(get, ""); response.StatusCode != 200 || body != fmt.Sprint(want) {
		t.Errorf("GET: %s %q", response.Status, body)
	}
	if response, _ := s.ask([]string{"GET /nowhere HTTP/1.1", "Host: example.com"}, ""); response.StatusCode != 404 {
		t.Error(response.Status)
	}
}

// Mounted inside somebody's own LoadAndSave, there is one session and one cookie.
func TestPlainHandlersInsideLoadAndSave(t *testing.T) {
	sessions := wstest.NewSessions()
	app := wsframework.NewApplication(wsframework.Settings{Sessions: sessions, Logger: quiet})
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "inner", sessions.GetString(r.Context(), "outer"))
	})
	outer := httptest.NewServer(sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "outer", "seen")
		app.ServeHTTP(w, r)
	})))
	defer outer.Close()
	response, _ := dialing(t, outer.Listener.Addr().String()).ask([]string{"GET / HTTP/1.1", "Host: example.com"}, "")
	if cookies := response.Cookies(); len(cookies) != 1 || stored(t, sessions, cookies[0].Value, "inner") != "seen" || count(t, sessions) != 1 {
		t.Errorf("cookies %v, %d sessions", cookies, count(t, sessions))
	}
}

func TestPlainHandlersWithoutSessions(t *testing.T) {
	s := overTCP.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
		app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	})
	response, body := s.ask([]string{"GET /a HTTP/1.1", "Host: example.com"}, "")
	if response.StatusCode != 200 || body != "/a" || len(response.Cookies()) > 0 {
		t.Errorf("%s %q %v", response.Status, body, response.Cookies())
	}
}

// dialing makes a server of one that other code runs, for its clients.
func dialing(t *testing.T, address string) *server {
	return &server{t: t, dial: func() (net.Conn, error) { return net.Dial("tcp", address) }}
}

// An application, or one endpoint, is mounted in somebody else's server and behind their middleware.
func TestMounted(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	paths := make(chan string, 3)
	factory := func() wsframework.Handler {
		p := &probe{events: make(chan string, 100), done: make(chan struct{})}
		p.open = func() error {
			paths <- p.Request().URL.Path + " " + p.PathValue("id")
			return p.Join("g")
		}
		p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		return p
	}
	app.WebSocket("/ws/{id}", factory)
	middleware := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&unwrapping{w}, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/whole/", http.StripPrefix("/whole", app))
	mux.Handle("GET /endpoint/{id}", app.Upgrade(factory, wsframework.Name("endpoint")))
	mux.Handle("/behind/{id}", middleware(middleware(app.Upgrade(factory))))
	outer := httptest.NewServer(mux)
	defer outer.Close()

	s := dialing(t, outer.Listener.Addr().String())
	var clients []*wstest.Client
	for path, seen := range map[string]string{"/whole/ws/1": "/ws/1 1", "/endpoint/2": "/endpoint/2 2", "/behind/3": "/behind/3 3"} {
		cl := s.open(path)
		cl.Write("hello " + path)
		cl.Expect("hello " + path)
		if got := <-paths; got != seen {
			t.Errorf("%s: the handler sees %q, want %q", path, got, seen)
		}
		clients = append(clients, cl)
	}
	if err := app.Broadcast(t.Context(), "g", "to all"); err != nil {
		t.Error(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Shutdown(t.Context()) }() // of the application, not of their server
	for _, cl := range clients {
		cl.Expect("to all")
		shake(t, cl, 1001, "the server shuts down")
	}
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
	response, body := s.ask(with(goodRequest, "GET /endpoint/4 HTTP/1.1"), "")
	if response.StatusCode != 503 || !strings.Contains(body, "shutting down") {
		t.Errorf("%s %q", response.Status, body)
	}
}

// unwrapping is a middleware's http.ResponseWriter.
type unwrapping struct{ http.ResponseWriter }

func (w *unwrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// The settings are taken as they are when the application is made.
func TestSettingsAreCopied(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		origins := []string{"https://a.test"}
		settings := wsframework.Settings{AllowedOrigins: origins}
		s := n.probes(t, settings, func(*probe) {})
		origins[0] = "https://b.test"
		s.connect(wstest.Origin("https://a.test"))
	})
}
