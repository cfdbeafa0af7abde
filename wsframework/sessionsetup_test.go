package wsframework_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What can't work fails at start-up, and says what to change.
func TestSessionSettingsThatCannotWork(t *testing.T) {
	broken := func(f func(*scs.SessionManager)) wsframework.Settings {
		sessions := wstest.NewSessions()
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
			Store: wstest.NewStore(), Codec: scs.GobCodec{}, Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "sid"}}},
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
			sessions, others := wstest.NewSessions(), scs.New() // which are of two kinds
			others.Store = wstest.NewStore()
			configure(sessions)
			s, connect := sockets(t, overTCP, wsframework.Settings{Sessions: sessions})
			token, foreign := begin(t, sessions, "user", "ann"), begin(t, others, "user", "eve")
			others.Cookie.Name = "theirs"
			cl, p := connect(cookieOf(sessions, token), wstest.Cookie("theirs", foreign), wstest.Header("X-Other", "1"))
			add := func(tx *wsframework.SessionTx) error { tx.Put("n", "x"); return nil }
			if err := p.Session().Update(p.Context(), add); err != nil || stored(t, sessions, token, "n") != "x" || stored(t, others, foreign, "n") != nil {
				t.Errorf("Update: %v", err)
			}
			change(t, others, foreign, func(ctx context.Context) { others.Destroy(ctx) })
			if !p.IsOpen() {
				t.Error("closed by another manager's session")
			}
			change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
			shake(t, cl, 4401, "the session has ended")
			if log := s.log.String(); log != "" {
				t.Errorf("log %s", log)
			}
		})
	}
}

// A store may be assigned until the application serves; later the handshake says what is wrong.
func TestStoreAssignedLate(t *testing.T) {
	sessions := wstest.NewSessions()
	log := wstest.NewLog(t)
	app := wsframework.NewApplication(wsframework.Settings{Sessions: sessions, Logger: log.Logger(slog.LevelInfo), AccessLogger: slog.New(slog.DiscardHandler)})
	opened := make(chan *probe, 1)
	app.WebSocket("/ws", func() wsframework.Handler {
		p := &probe{events: make(chan string, 10), done: make(chan struct{})}
		p.open = func() error { opened <- p; return nil }
		return p
	})
	sessions.Store = wstest.NewStore()
	token := begin(t, sessions, "user", "ann")
	wstest.Dial(t, app, "/ws", wstest.TCP(), cookieOf(sessions, token))
	p := receive(t, opened)
	change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
	<-p.Context().Done()

	sessions.Store = wstest.NewStore()
	wstest.DialRefused(t, app, "/ws", 500, wstest.TCP(), cookieOf(sessions, token))
	log.ExpectLine("the Store of Settings.Sessions was replaced", "what WatchStore returns")

	sessions.Store = wsframework.WatchStore(wstest.NewStore())
	token = begin(t, sessions, "user", "ben")
	wstest.Dial(t, app, "/ws", wstest.TCP(), cookieOf(sessions, token))
	p = receive(t, opened)
	change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
	<-p.Context().Done()
	app.Shutdown(t.Context())
}

// Two applications on one store both hear of an end, and Shutdown ends that.
func TestTwoApplicationsOnOneStore(t *testing.T) {
	sessions := wstest.NewSessions()
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
	shake(t, cl1, 4401, "the session has ended")
	shake(t, cl2, 4401, "the session has ended")
}
