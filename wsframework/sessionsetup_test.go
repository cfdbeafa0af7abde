package wsframework_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gotornado/gotornado/wsframework"
)

// What can't work fails at start-up, and says what to change.
func TestSessionSettingsThatCannotWork(t *testing.T) {
	broken := func(f func(*scs.SessionManager)) wsframework.Settings {
		sessions := newSessions()
		f(sessions)
		return wsframework.Settings{Sessions: sessions}
	}
	for want, settings := range map[string]wsframework.Settings{
		"has no Store":        broken(func(m *scs.SessionManager) { m.Store = nil }),
		"has no Codec":        broken(func(m *scs.SessionManager) { m.Codec = nil }),
		"has no Lifetime":     broken(func(m *scs.SessionManager) { m.Lifetime = 0 }),
		"invalid Cookie.Name": broken(func(m *scs.SessionManager) { m.Cookie.Name = "" }),
		"Cookie.Path":         broken(func(m *scs.SessionManager) { m.Cookie.Path = "a;b" }),
		"can't be told from other session managers": {Sessions: &scs.SessionManager{
			Store: memstore.NewWithCleanupInterval(0), Codec: scs.GobCodec{}, Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "sid"}}},
		"Settings.SessionEndedCode: close code 1006 may not be sent": {SessionEndedCode: 1006},
		"Settings.NoUserCode: close code -1 may not be sent":         {NoUserCode: -1},
	} {
		if text := panicOf(func() { wsframework.NewApplication(settings) }); !strings.Contains(text, want) || !strings.HasPrefix(text, "wsframework: ") {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

// A codec that is not scs's own.
type jsonCodec struct{}

type jsonSession struct {
	Deadline time.Time
	Values   map[string]any
}

func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(jsonSession{deadline, values})
}

func (jsonCodec) Decode(data []byte) (time.Time, map[string]any, error) {
	var s jsonSession
	err := json.Unmarshal(data, &s)
	return s.Deadline, s.Values, err
}

// Whatever managers and stores there are, an end reaches the sockets, and an update the store.
func TestSessionManagersAndStores(t *testing.T) {
	for name, configure := range map[string]func(*scs.SessionManager){
		"hashed":         func(m *scs.SessionManager) { m.HashTokenInStore = true },
		"codec":          func(m *scs.SessionManager) { m.Codec = jsonCodec{} },
		"cookie":         func(m *scs.SessionManager) { m.Cookie.Name = "__Host-sid"; m.Cookie.Secure = true },
		"plain store":    func(m *scs.SessionManager) { m.Store = plainStore{m.Store} },
		"ctx store":      func(m *scs.SessionManager) { m.Store = &ctxStore{plainStore: plainStore{m.Store}} },
		"watched before": func(m *scs.SessionManager) { m.Store = wsframework.WatchStore(m.Store) },
		"idle":           func(m *scs.SessionManager) { m.IdleTimeout = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			sessions, others := newSessions(), newSessions()
			configure(sessions)
			s, connect := sockets(t, overTCP, wsframework.Settings{Sessions: sessions})
			token, foreign := begin(t, sessions, "user", "ann"), begin(t, others, "user", "eve")
			others.Cookie.Name = "theirs"
			cl, p := connect(cookieOf(sessions, token)+"; theirs="+foreign, "X-Other: 1")
			add := func(tx *wsframework.SessionTx) error { tx.Put("n", "x"); return nil }
			if err := p.Session().Update(p.Context(), add); err != nil || stored(t, sessions, token, "n") != "x" || stored(t, others, foreign, "n") != nil {
				t.Errorf("Update: %v", err)
			}
			change(t, others, foreign, func(ctx context.Context) { others.Destroy(ctx) })
			if !p.IsOpen() {
				t.Error("closed by another manager's session")
			}
			change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
			cl.shake(4401, "the session has ended")
			if log := s.log.String(); log != "" {
				t.Errorf("log %s", log)
			}
		})
	}
}

// A store may be assigned until the application serves; later the handshake says what is wrong.
func TestStoreAssignedLate(t *testing.T) {
	sessions := newSessions()
	log := new(logRecorder)
	app := wsframework.NewApplication(wsframework.Settings{Sessions: sessions, Logger: newLogger(log)})
	opened := make(chan *probe, 1)
	app.WebSocket("/ws", func() wsframework.Handler {
		p := &probe{events: make(chan string, 10), done: make(chan struct{})}
		p.open = func() error { opened <- p; return nil }
		return p
	})
	sessions.Store = memstore.NewWithCleanupInterval(0)
	server := httptest.NewServer(app)
	defer server.Close()
	s := &upgrader{server, t}
	token := begin(t, sessions, "user", "ann")
	if response := s.upgrade(cookieOf(sessions, token)); response.StatusCode != 101 {
		t.Fatal(response.Status)
	}
	p := receive(t, opened)
	change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
	<-p.Context().Done()

	sessions.Store = memstore.NewWithCleanupInterval(0)
	if response := s.upgrade(cookieOf(sessions, token)); response.StatusCode != 500 {
		t.Error(response.Status)
	}
	(&site{t: t, log: log}).expectLine("the Store of Settings.Sessions was replaced", "what WatchStore returns")

	sessions.Store = wsframework.WatchStore(memstore.NewWithCleanupInterval(0))
	token = begin(t, sessions, "user", "ben")
	if response := s.upgrade(cookieOf(sessions, token)); response.StatusCode != 101 {
		t.Fatal(response.Status)
	}
	p = receive(t, opened)
	change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
	<-p.Context().Done()
	app.Shutdown(t.Context())
}

// An upgrader is one of net/http/httptest that is asked for upgrades.
type upgrader struct {
	*httptest.Server
	t *testing.T
}

func (s *upgrader) upgrade(cookie string) *http.Response {
	s.t.Helper()
	request, err := http.NewRequest("GET", s.URL+"/ws", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + testKey, cookie} {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	response, err := s.Client().Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { response.Body.Close() })
	return response
}

// Two applications on one store both hear of an end, and Shutdown ends that.
func TestTwoApplicationsOnOneStore(t *testing.T) {
	sessions := newSessions()
	token := begin(t, sessions, "user", "ann")
	_, connect1 := sockets(t, overTCP, wsframework.Settings{Sessions: sessions})
	_, connect2 := sockets(t, overTCP, wsframework.Settings{Sessions: sessions})
	gone, _ := sockets(t, overTCP, wsframework.Settings{Sessions: sessions})
	if err := gone.app.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	cl1, p1 := connect1(cookieOf(sessions, token))
	cl2, p2 := connect2(cookieOf(sessions, token))
	if err := p1.Session().Update(t.Context(), increment); err != nil {
		t.Error(err)
	}
	if err := p2.Session().Update(t.Context(), increment); err != nil || stored(t, sessions, token, "n") != 2 {
		t.Errorf("n is %v: %v", stored(t, sessions, token, "n"), err)
	}
	change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
	cl1.shake(4401, "the session has ended")
	cl2.shake(4401, "the session has ended")
}
