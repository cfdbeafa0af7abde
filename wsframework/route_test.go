package wsframework_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// misspelt has the mistakes that compile.
type misspelt struct{ lean }

func (*misspelt) OnOpen()                  {}
func (*misspelt) Onmessage(string)         {}
func (*misspelt) OnMesage(string)          {}
func (*misspelt) On_Message(string)        {}
func (*misspelt) OnCLose()                 {}
func (*misspelt) On_Close()                {}
func (*misspelt) OnConnectionClose()       {}
func (*misspelt) OnDisconnect()            {}
func (*misspelt) Prepar() error            { return nil }
func (*misspelt) CheckOrgin(string) bool   { return true }
func (*misspelt) Get_Current_User() any    { return nil }
func (*misspelt) SelectSubProtocol(string) {}
func (*misspelt) OnPongs()                 {}

// embedsMisspelt has them by embedding.
type embedsMisspelt struct{ *misspelt }

// ordinary has methods of its own whose names are like the hooks' only at first sight.
type ordinary struct{ lean }

func (*ordinary) Open() error          { return nil }
func (*ordinary) OnClose()             {}
func (*ordinary) OnJoin()              {}
func (*ordinary) OnLogin()             {}
func (*ordinary) OnError(error)        {}
func (*ordinary) OnTick() error        { return nil }
func (*ordinary) OnClick()             {}
func (*ordinary) OnTyping()            {}
func (*ordinary) Send(string) error    { return nil }
func (*ordinary) Messages() []string   { return nil }
func (*ordinary) Room() string         { return "" }
func (*ordinary) Users() []string      { return nil }
func (*ordinary) User() string         { return "" }
func (*ordinary) CurrentUsers() []int  { return nil }
func (*ordinary) Reopen()              {}
func (*ordinary) OpenRoom(string)      {}
func (*ordinary) Prep()                {}
func (*ordinary) String() string       { return "" }
func (*ordinary) ServeHTTP()           {}
func (*ordinary) Origin() string       { return "" }
func (*ordinary) Handle(m string) bool { return false }

func TestMisspeltHooks(t *testing.T) {
	register := func(factory func() wsframework.Handler) []string {
		log := wstest.NewLog(t)
		app := wsframework.NewApplication(wsframework.Settings{Logger: log.Logger(slog.LevelInfo)})
		app.WebSocket("/ws", factory)
		return slices.Collect(strings.Lines(log.String()))
	}
	want := map[string]string{
		"OnOpen": "Open", "Onmessage": "OnMessage", "OnMesage": "OnMessage", "On_Message": "OnMessage",
		"OnCLose": "OnClose", "On_Close": "OnClose", "OnConnectionClose": "OnClose", "OnDisconnect": "OnClose",
		"Prepar": "Prepare", "CheckOrgin": "CheckOrigin", "Get_Current_User": "GetCurrentUser", "SelectSubProtocol": "SelectSubprotocol",
		"OnPongs": "OnPong",
	}
	for name, factory := range map[string]func() wsframework.Handler{
		"its own":  func() wsframework.Handler { return new(misspelt) },
		"embedded": func() wsframework.Handler { return &embedsMisspelt{new(misspelt)} },
		"by value": func() wsframework.Handler { return embedsMisspelt{new(misspelt)} },
	} {
		lines := register(factory)
		if len(lines) != len(want) {
			t.Errorf("%s: %d lines, want %d:\n%s", name, len(lines), len(want), strings.Join(lines, ""))
		}
		for method, hook := range want {
			if !slices.ContainsFunc(lines, func(line string) bool {
				return strings.Contains(line, "level=WARN") && strings.Contains(line, "route=/ws") && strings.Contains(strings.ToLower(line), "misspelt") &&
					strings.HasSuffix(line, fmt.Sprintf(" method=%s hook=%s\n", method, hook))
			}) {
				t.Errorf("%s: no line about %s", name, method)
			}
		}
	}
	for name, factory := range map[string]func() wsframework.Handler{
		"ordinary":      func() wsframework.Handler { return new(ordinary) },
		"the harness's": func() wsframework.Handler { return new(probe) },
		// A factory that is not ready yet is no reason to panic.
		"nil":       func() wsframework.Handler { return nil },
		"typed nil": func() wsframework.Handler { return (*ordinary)(nil) },
		"panicking": func() wsframework.Handler { panic("not ready") },
	} {
		if lines := register(factory); len(lines) > 0 {
			t.Errorf("%s: %s", name, strings.Join(lines, ""))
		}
	}
}

// counter answers a message with its length.
type counter struct{ wsframework.BaseHandler }

func (c *counter) OnMessage(m wsframework.Message) error { return c.WriteText(fmt.Sprint(len(m.Data))) }

func TestMessageLimit(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		count := func() wsframework.Handler { return new(counter) }
		s := n.serve(t, wsframework.Settings{MaxMessageSize: 1000}, func(app *wsframework.Application) {
			app.WebSocket("/setting", count)
			app.WebSocket("/less", count, wsframework.MessageLimit(10))
			app.WebSocket("/more", count, wsframework.MessageLimit(100000))
			app.WebSocket("/any", count, wsframework.MessageLimit(-1))
		})
		for path, limit := range map[string]int{"/setting": 1000, "/less": 10, "/more": 100000} {
			for _, fragmented := range []bool{false, true} {
				cl := s.open(path)
				send := func(size int) {
					message := strings.Repeat("x", size)
					if fragmented {
						cl.WriteFrame(0x01, message[:size/2])
						cl.WriteFrame(0x80, message[size/2:])
					} else {
						cl.Write(message)
					}
				}
				send(limit)
				cl.Expect(fmt.Sprint(limit))
				send(limit + 1)
				shake(t, cl, 1009, fmt.Sprintf("message of more than %d bytes", limit))
			}
		}
		cl := s.open("/any")
		cl.WriteRaw(zeroFrame(wstest.BinaryFrame, 1<<20))
		cl.Expect(fmt.Sprint(1 << 20))
		cl.WriteRaw(zeroFrame(0x02, 1<<20))
		cl.WriteRaw(zeroFrame(0x80, 1<<20))
		cl.Expect(fmt.Sprint(2 << 20))
	})
}

// The default of 10 MiB holds to the byte.
func TestDefaultMessageLimit(t *testing.T) {
	cl := overTCP.route(t, wsframework.Settings{}, func() wsframework.Handler { return new(counter) }).connect()
	cl.WriteRaw(zeroFrame(wstest.BinaryFrame, 10<<20))
	cl.Expect(fmt.Sprint(10 << 20))
	cl.WriteRaw([]byte{wstest.BinaryFrame, 0x80 | 127, 0, 0, 0, 0, 0, 0xA0, 0, 1, 0, 0, 0, 0}) // its header is enough
	expectClose(t, cl, 1009, "message of more than 10485760 bytes")
}

// The factory is asked once when the route is registered and once for each handshake that is one.
func TestFactoryCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		var calls atomic.Int32
		s := n.route(t, wsframework.Settings{}, func() wsframework.Handler { calls.Add(1); return new(lean) })
		expect := func(want int32) {
			t.Helper()
			if got := calls.Swap(0); got != want {
				t.Errorf("%d calls, want %d", got, want)
			}
		}
		expect(1)
		s.connect()
		expect(1)
		s.connect()
		s.connect()
		expect(2)
		s.ask(with(goodRequest, "Upgrade:"), "")
		s.ask(with(goodRequest, "GET /elsewhere HTTP/1.1"), "")
		expect(0)
	})
}

func TestPatterns(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		who := func(name string) func() wsframework.Handler {
			return func() wsframework.Handler { // what Tornado passes to initialize is what this captures
				p := &probe{events: make(chan string, 100), done: make(chan struct{})}
				p.open = func() error {
					return p.WriteText(fmt.Sprintf("%s room=%s rest=%s q=%s ip=%s", name, p.PathValue("room"), p.PathValue("rest"), p.Argument("q"), p.RemoteIP()))
				}
				return p
			}
		}
		s := n.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
			app.WebSocket("GET /rooms/{room}", who("room"))
			app.WebSocket("GET /rooms/lobby", who("lobby"))
			app.WebSocket("/files/{rest...}", who("files"))
			app.WebSocket("other.test/rooms/{room}", who("other"))
			app.WebSocket("/{$}", who("root"))
		})
		for path, want := range map[string]string{
			"/rooms/tea":                 "room room=tea rest= q= ip=127.0.0.1",
			"/rooms/a%20b%2Fc?q=1&q=2":   "room room=a b/c rest= q=2 ip=127.0.0.1",
			"/rooms/lobby":               "lobby room= rest= q= ip=127.0.0.1",
			"/files/a/b?q=%E5%86%8D&x=1": "files room= rest=a/b q=再 ip=127.0.0.1",
			"/":                          "root room= rest= q= ip=127.0.0.1",
		} {
			s.open(path).Expect(want)
		}
		response, _ := s.ask(with(goodRequest, "GET /rooms/x HTTP/1.1", "Host: other.test"), "")
		if response.StatusCode != 101 {
			t.Error(response.Status)
		}
		for _, path := range []string{"/rooms/", "/rooms/a/b", "/nowhere"} {
			s.refused(path, 404)
		}
	})
}

func TestRoutesThatPanic(t *testing.T) {
	factory := func() wsframework.Handler { return new(lean) }
	for name, register := range map[string]func(*wsframework.Application){
		"no factory":            func(app *wsframework.Application) { app.WebSocket("/ws", nil) },
		"no factory to Upgrade": func(app *wsframework.Application) { app.Upgrade(nil) },
		"malformed":             func(app *wsframework.Application) { app.WebSocket("/{", factory) },
		"empty":                 func(app *wsframework.Application) { app.WebSocket("", factory) },
		"taken":                 func(app *wsframework.Application) { app.WebSocket("/a", factory); app.WebSocket("/a", factory) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			register(wsframework.NewApplication(wsframework.Settings{Logger: quiet}))
		}()
	}
}

func TestRemoteIP(t *testing.T) {
	got := make(chan string, 1)
	endpoint := wsframework.NewApplication(wsframework.Settings{Logger: quiet}).Upgrade(func() wsframework.Handler {
		p := &probe{}
		p.prepare = func() error { got <- p.RemoteIP(); return &wsframework.HTTPError{Status: 418} }
		return p
	})
	for addr, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "[fe80::1%eth0]:80": "fe80::1%eth0", "@": "@", "": "",
	} {
		r := recorderRequest()
		r.RemoteAddr = addr
		endpoint.ServeHTTP(httptest.NewRecorder(), r)
		if ip := <-got; ip != want {
			t.Errorf("%q: %q, want %q", addr, ip, want)
		}
	}
}
