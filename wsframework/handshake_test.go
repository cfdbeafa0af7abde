package wsframework_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

const testKey = "dGhlIHNhbXBsZSBub25jZQ=="

// goodRequest is a handshake as it should be, line by line.
var goodRequest = []string{
	"GET /ws HTTP/1.1",
	"Host: example.com",
	"Upgrade: websocket",
	"Connection: Upgrade",
	"Sec-WebSocket-Version: 13",
	"Sec-WebSocket-Key: " + testKey,
}

// with replaces the lines that begin like one of the given ones up to the colon, or the request line.
// A line that ends with the colon just goes away, one with + in front is added.
func with(lines []string, changes ...string) []string {
	lines = slices.Clone(lines)
	for _, change := range changes {
		if added, ok := strings.CutPrefix(change, "+"); ok {
			lines = append(lines, added)
			continue
		}
		name, value, isHeader := strings.Cut(change, ":")
		i := 0
		if isHeader {
			i = slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+":") })
		}
		if isHeader && value == "" {
			lines = slices.Delete(lines, i, i+1)
		} else {
			lines[i] = change
		}
	}
	return lines
}

// ask sends a request as it stands and returns the answer and its body.
func (s *server) ask(lines []string, body string) (*http.Response, string) {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"+body)
	method, _, _ := strings.Cut(lines[0], " ")
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		s.t.Fatal(err)
	}
	answer := []byte("(a WebSocket)")
	if response.StatusCode != 101 {
		if answer, err = io.ReadAll(response.Body); err != nil {
			s.t.Fatal(err)
		}
	}
	return response, string(answer)
}

func TestRefusedRequests(t *testing.T) {
	tests := []struct {
		name    string
		changes []string
		body    string
		status  int
		says    string // in the body
		header  string // in the answer
	}{
		{name: "a plain GET", changes: []string{"Upgrade:", "Connection:", "Sec-WebSocket-Version:", "Sec-WebSocket-Key:"},
			status: 400, says: "Upgrade: websocket"},
		{name: "another protocol", changes: []string{"Upgrade: h2c"}, status: 400, says: "Upgrade: websocket"},
		{name: "no Connection", changes: []string{"Connection:"}, status: 400, says: "Connection: Upgrade"},
		{name: "Connection without upgrade", changes: []string{"Connection: keep-alive, upgraded"}, status: 400, says: "Connection: Upgrade"},
		{name: "no version", changes: []string{"Sec-WebSocket-Version:"}, status: 426, says: "version 13", header: "Sec-Websocket-Version: 13"},
		{name: "version 8", changes: []string{"Sec-WebSocket-Version: 8"}, status: 426, says: "version 13", header: "Sec-Websocket-Version: 13"},
		{name: "POST", changes: []string{"POST /ws HTTP/1.1"}, status: 405, says: "GET", header: "Allow: GET"},
		{name: "POST with a body", changes: []string{"POST /ws HTTP/1.1", "+Content-Length: 5"}, body: "hello", status: 405, says: "GET", header: "Allow: GET"},
		{name: "PUT", changes: []string{"PUT /ws HTTP/1.1"}, status: 405, says: "GET", header: "Allow: GET"},
		{name: "HEAD", changes: []string{"HEAD /ws HTTP/1.1"}, status: 405, header: "Allow: GET"},
		{name: "HTTP/1.0", changes: []string{"GET /ws HTTP/1.0"}, status: 400, says: "HTTP/1.1"},
		{name: "no key", changes: []string{"Sec-WebSocket-Key:"}, status: 400, says: "Sec-WebSocket-Key"},
		{name: "two keys", changes: []string{"+Sec-WebSocket-Key: " + testKey}, status: 400, says: "Sec-WebSocket-Key"},
		{name: "a short key", changes: []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"}, status: 400, says: "16 bytes"},
		{name: "a long key", changes: []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="}, status: 400, says: "16 bytes"},
		{name: "a key that is not base64", changes: []string{"Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="}, status: 400, says: "base64"},
		{name: "a body", changes: []string{"+Content-Length: 5"}, body: "hello", status: 400, says: "without a body"},
		{name: "a body in chunks", changes: []string{"+Transfer-Encoding: chunked"}, body: "0\r\n\r\n", status: 400, says: "without a body"},
		{name: "another host's page", changes: []string{"+Origin: https://evil.test"}, status: 403, says: "AllowedOrigins"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				asked := 0
				s := n.probes(t, wsframework.Settings{}, func(p *probe) {
					p.prepare = func() error { asked++; return nil }
				}, wsframework.Name("the chat"))
				response, body := s.ask(with(goodRequest, tt.changes...), tt.body)
				if response.StatusCode != tt.status || !strings.Contains(body, tt.says) {
					t.Errorf("%s %q, want %d %q", response.Status, body, tt.status, tt.says)
				}
				if name, value, ok := strings.Cut(tt.header, ": "); ok && response.Header.Get(name) != value {
					t.Errorf("header %s: %q, want %q", name, response.Header.Get(name), value)
				}
				setting := `setting="RFC 6455, 4.2.1"`
				if tt.status == 403 {
					setting = `setting="Settings.AllowedOrigins, CheckOrigin"`
				}
				s.log.ExpectLine("WARN", "handshake refused", `route="the chat"`, "remote=127.0.0.1:", fmt.Sprint("status=", tt.status), setting)
				if tt.status == 403 {
					s.log.ExpectLine(`https://evil.test`, `example.com`)
				}
				if asked > 0 {
					t.Error("Prepare was called")
				}
				s.expectAlive()
			})
		})
	}
}

// expectAlive wants no handler left open, and a next client to be served. Here that fails only in the
// routes that always do.
func (s *server) expectAlive() {
	s.t.Helper()
	for h := range s.app.Connections() {
		s.t.Errorf("%T is open", h)
	}
	s.connect()
}

func TestAcceptedRequests(t *testing.T) {
	for name, changes := range map[string][]string{
		"as it should be":  nil,
		"other cases":      {"Upgrade: WebSocket", "Connection: upgrade"},
		"lists":            {"Upgrade: h2c, websocket", "Connection: keep-alive, Upgrade"},
		"several headers":  {"Connection: keep-alive", "+Connection: Upgrade"},
		"own host's page":  {"+Origin: http://example.com"},
		"no body":          {"+Content-Length: 0"},
		"an empty message": {"+Sec-WebSocket-Protocol: chat"}, // offered, and none is selected
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				s := n.probes(t, wsframework.Settings{}, func(*probe) {})
				response, body := s.ask(with(goodRequest, changes...), "")
				// The accept key is that of RFC 6455, 1.3.
				if response.StatusCode != 101 || response.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" ||
					response.Header["Sec-Websocket-Protocol"] != nil || response.Header["Sec-Websocket-Extensions"] != nil {
					t.Errorf("%s %v %s", response.Status, response.Header, body)
				}
				if log := s.log.String(); log != "" {
					t.Errorf("log %q", log)
				}
			})
		})
	}
}

func TestHooksThatRefuse(t *testing.T) {
	secret := errors.New("the password is swordfish")
	refusals := []struct {
		name   string
		fail   func() error // what the hook does
		status int
		body   string
		logged []string
	}{
		{"refuses", func() error {
			return &wsframework.HTTPError{Status: 410, Message: "The room is closed.", Err: secret}
		}, 410, "The room is closed.\n", []string{"WARN", "status=410", "swordfish"}},
		{"refuses, wrapped", func() error {
			return fmt.Errorf("wrapped: %w", &wsframework.HTTPError{Status: 404})
		}, 404, "Not Found\n", []string{"WARN", "status=404", "wrapped"}},
		{"is unavailable", func() error { return &wsframework.HTTPError{Status: 503, Message: "Later."} },
			503, "Later.\n", []string{"WARN", "status=503"}},
		{"answers what is no refusal", func() error { return &wsframework.HTTPError{Status: 200, Message: "Fine."} },
			500, "Fine.\n", []string{"ERROR", "status=500"}},
		{"fails", func() error { return secret },
			500, "Internal Server Error\n", []string{"ERROR", "status=500", "swordfish"}},
		{"panics", func() error { panic(secret) },
			500, "Internal Server Error\n", []string{"ERROR", "status=500", "swordfish", "stack=", "handshake_test.go"}},
		{"panics with nil", func() error { panic(nil) }, // a *runtime.PanicNilError
			500, "Internal Server Error\n", []string{"ERROR", "status=500", "stack=", "handshake_test.go"}},
	}
	hooks := map[string]func(p *probe, fail func() error){
		"Prepare":        func(p *probe, fail func() error) { p.prepare = fail },
		"GetCurrentUser": func(p *probe, fail func() error) { p.user = func() (any, error) { return "eve", fail() } },
		"CurrentUser in Prepare": func(p *probe, fail func() error) {
			p.prepare = func() error {
				if p.CurrentUser() != nil {
					return errors.New("a user in spite of the error")
				}
				return nil
			}
			p.user = func() (any, error) { return "eve", fail() }
		},
		"CheckOrigin":       func(p *probe, fail func() error) { p.origin = func(string) bool { fail(); return true } },
		"SelectSubprotocol": func(p *probe, fail func() error) { p.subproto = func([]string) string { fail(); return "" } },
	}
	for hook, set := range hooks {
		for _, tt := range refusals {
			if (hook == "CheckOrigin" || hook == "SelectSubprotocol") && !strings.HasPrefix(tt.name, "panics") {
				continue // they return no error
			}
			t.Run(hook+" "+tt.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, n network) {
					first := true
					s := n.probes(t, wsframework.Settings{}, func(p *probe) {
						p.open = func() error {
							if p.IsOpen() {
								return nil
							}
							return errors.New("not open")
						}
						if first {
							set(p, tt.fail)
							p.open = func() error { t.Error("Open was called"); return nil }
							p.close = func() { t.Error("OnClose was called") }
						}
						first = false
					})
					first = true // one was made when the route was registered
					response, body := s.ask(with(goodRequest, "+Origin: http://example.com"), "")
					if response.StatusCode != tt.status || body != tt.body {
						t.Errorf("%s %q, want %d %q", response.Status, body, tt.status, tt.body)
					}
					s.log.ExpectLine(append(tt.logged, "handshake refused", "route=/ws", "remote=127.0.0.1:")...)
					if strings.Contains(s.log.String(), "user=eve") {
						t.Error("the log shows a user in spite of the error")
					}
					s.expectAlive()
				})
			})
		}
	}
}

func TestAuthenticated(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		var user any
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.user = func() (any, error) { return user, nil }
		}, wsframework.Authenticated())
		response, body := s.ask(goodRequest, "")
		if response.StatusCode != 401 || !strings.Contains(body, "Log in") {
			t.Errorf("%s %q", response.Status, body)
		}
		s.log.ExpectLine("WARN", "status=401", `setting="Authenticated, GetCurrentUser"`, "route=/ws", "remote=127.0.0.1:")
		for _, user = range []any{"ann", "", 0, false, struct{}{}} { // only nil is nobody
			s.connect()
		}
	})
}

func TestFactoriesThatFail(t *testing.T) {
	var used *probe
	type byValue struct{ *probe }
	for name, tt := range map[string]struct {
		factory func() wsframework.Handler
		logged  string
	}{
		"nil":          {func() wsframework.Handler { return nil }, "returned nil"},
		"typed nil":    {func() wsframework.Handler { return (*probe)(nil) }, "returned nil"},
		"nil embedded": {func() wsframework.Handler { return byValue{} }, "stack="},
		"used before":  {func() wsframework.Handler { return used }, "return a new one each time"},
		"panicking":    {func() wsframework.Handler { panic("kaboom") }, "kaboom"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				used = nil
				s := n.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
					app.WebSocket("/bad", tt.factory)
					app.WebSocket("/ws", func() wsframework.Handler {
						used = &probe{events: make(chan string, 100), done: make(chan struct{})}
						return used
					})
				})
				cl := s.connect() // which makes used
				cl.WriteClose(1000, "")
				<-used.done
				response, body := s.ask(with(goodRequest, "GET /bad HTTP/1.1"), "")
				if response.StatusCode != 500 || body != "Internal Server Error\n" {
					t.Errorf("%s %q", response.Status, body)
				}
				s.log.ExpectLine("ERROR", "route=/bad", "status=500", "remote=127.0.0.1:", tt.logged)
				s.expectAlive()
			})
		})
	}
}

func TestOrderOfHooks(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		var calls []string
		note := func(call string) { calls = append(calls, call) }
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.origin = func(string) bool { note("CheckOrigin"); return true }
			p.prepare = func() error { note("Prepare"); return nil }
			p.user = func() (any, error) { note("GetCurrentUser"); return "ann", nil }
			p.subproto = func(offered []string) string { note(fmt.Sprint("SelectSubprotocol ", offered)); return "" }
			p.open = func() error { note(fmt.Sprint("Open ", p.CurrentUser())); return nil }
			p.message = func(m wsframework.Message) error { note("OnMessage"); return nil }
			p.close = func() { note("OnClose") }
		}, wsframework.Authenticated())
		cl := s.connect(wstest.Origin("http://example.com"))
		cl.Write("x")
		cl.WriteClose(1000, "")
		expectClose(t, cl, 1000, "")
		cl.ExpectEnd()
		s.app.Shutdown(t.Context())
		want := "CheckOrigin, Prepare, GetCurrentUser, SelectSubprotocol [], Open ann, OnMessage, OnClose"
		if got := strings.Join(calls, ", "); got != want {
			t.Errorf("calls %s\nwant %s", got, want)
		}
	})
}

func TestCurrentUserInPrepare(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		asked := 0
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.user = func() (any, error) {
				if asked++; p.CurrentUser() != nil {
					t.Error("there is a user while it is asked for")
				}
				return "ann", nil
			}
			p.prepare = func() error {
				for range 2 {
					if p.CurrentUser() != "ann" {
						t.Errorf("user %v in Prepare", p.CurrentUser())
					}
				}
				return nil
			}
		})
		s.connect()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestWhatPrepareSeesAndSets(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		type key struct{}
		s := n.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {})
		endpoint := s.app.Upgrade(func() wsframework.Handler {
			p := &probe{events: make(chan string, 100), done: make(chan struct{})}
			p.prepare = func() error {
				if p.Request().Header.Get("X-Question") != "why?" || p.Argument("a") != "1 2" || p.Argument("b") != "" {
					t.Errorf("request %v", p.Request())
				}
				if p.Context().Value(key{}) != "value" || p.Request().Context() != p.Context() || p.Context().Err() != nil {
					t.Error("the context is not the request's")
				}
				if n, err := p.Request().Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("body: %d, %v", n, err)
				}
				for name, value := range map[string]string{"X-Answer": "42", "x-other": "yes", "Content-Language": "en"} {
					if err := p.SetHeader(name, value); err != nil {
						t.Errorf("SetHeader %s: %v", name, err)
					}
				}
				p.SetHeader("X-Answer", "43")
				for _, name := range []string{
					"Upgrade", "connection", "Content-Length", "Sec-WebSocket-Accept", "sec-websocket-protocol",
					"SEC-WEBSOCKET-EXTENSIONS", "Sec-WebSocket-Version",
				} {
					if err := p.SetHeader(name, "x"); err == nil || !strings.Contains(err.Error(), name) {
						t.Errorf("SetHeader %s: %v", name, err)
					}
				}
				if err := p.SetCookie(&http.Cookie{Name: "a", Value: "1", HttpOnly: true}); err != nil {
					t.Errorf("SetCookie: %v", err)
				}
				if err := p.SetCookie(&http.Cookie{Name: "b", Value: "2"}); err != nil {
					t.Errorf("SetCookie: %v", err)
				}
				if err := p.SetCookie(&http.Cookie{Name: "bad name", Value: "2"}); err == nil {
					t.Error("SetCookie takes a bad name")
				}
				return nil
			}
			p.open = func() error {
				if err := p.SetHeader("X-Late", "x"); !errors.Is(err, wsframework.ErrHandshakeDone) {
					t.Errorf("SetHeader in Open: %v", err)
				}
				if err := p.SetCookie(&http.Cookie{Name: "c", Value: "3"}); !errors.Is(err, wsframework.ErrHandshakeDone) {
					t.Errorf("SetCookie in Open: %v", err)
				}
				if p.Context().Value(key{}) != "value" || p.Context().Err() != nil || p.Argument("a") != "1 2" {
					t.Error("the request is lost")
				}
				return p.WriteText("opened")
			}
			return p
		})
		s.app.Handle("/ws", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(context.WithValue(r.Context(), key{}, "value"))
			defer cancel() // which must not be the connection's end
			w.Header().Set("X-Middleware", "was here")
			endpoint.ServeHTTP(w, r.WithContext(ctx))
		}))
		cl := s.open("/ws?a=1+2", wstest.Header("X-Question", "why?"))
		response := cl.Response()
		for name, value := range map[string]string{"X-Answer": "43", "X-Other": "yes", "Content-Language": "en", "X-Middleware": "was here", "Upgrade": "websocket"} {
			if got := response.Header.Values(name); len(got) != 1 || got[0] != value {
				t.Errorf("header %s: %q, want %q", name, got, value)
			}
		}
		if cookies := response.Header.Values("Set-Cookie"); !slices.Equal(cookies, []string{"a=1; Path=/; HttpOnly", "b=2; Path=/"}) {
			t.Errorf("cookies %q", cookies)
		}
		cl.Expect("opened")
	})
}

func TestSetCookieWithoutConnection(t *testing.T) {
	if err := new(probe).SetCookie(&http.Cookie{Name: "a"}); !errors.Is(err, wsframework.ErrNotOpen) {
		t.Error(err)
	}
}

func TestSubprotocol(t *testing.T) {
	tests := []struct {
		offers   []string // headers
		selected string
		offered  string // what the hook sees
		status   int
	}{
		{nil, "", "[]", 101},
		{[]string{"chat, superchat"}, "", `["chat" "superchat"]`, 101},
		{[]string{"chat, superchat"}, "superchat", `["chat" "superchat"]`, 101},
		{[]string{"chat", "superchat,x"}, "x", `["chat" "superchat" "x"]`, 101},
		{[]string{",, chat ,"}, "chat", `["chat"]`, 101},
		{[]string{"chat"}, "other", `["chat"]`, 500},
		{[]string{"chat"}, "Chat", `["chat"]`, 500}, // RFC 6455, 4.1: they are compared as they are
		{nil, "chat", "[]", 500},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.offers, tt.selected), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				var seen []string
				s := n.probes(t, wsframework.Settings{}, func(p *probe) {
					p.subproto = func(offered []string) string {
						seen = append(seen, fmt.Sprintf("%q", offered))
						return tt.selected
					}
					p.open = func() error { return p.WriteText("speaks " + p.Subprotocol()) }
				})
				var options []wstest.Option
				for _, offer := range tt.offers {
					options = append(options, wstest.Header("Sec-WebSocket-Protocol", offer))
				}
				expectSeen := func() {
					t.Helper()
					if !slices.Equal(seen, []string{tt.offered}) {
						t.Errorf("seen %q", seen)
					}
				}
				if tt.status == 500 {
					if page := s.refused("/ws", 500, options...); page.Body != "Internal Server Error\n" {
						t.Error(page)
					}
					expectSeen()
					s.log.ExpectLine("ERROR", "SelectSubprotocol", "did not offer", tt.selected)
					return
				}
				cl := s.connect(options...)
				expectSeen()
				if got := cl.Response().Header.Values("Sec-Websocket-Protocol"); tt.selected == "" && got != nil || tt.selected != "" && !slices.Equal(got, []string{tt.selected}) {
					t.Errorf("answered %q", got)
				}
				cl.Expect("speaks " + tt.selected)
			})
		})
	}
}

func TestHandshakeDuringShutdown(t *testing.T) {
	// One that comes too late.
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	app.WebSocket("/ws", func() wsframework.Handler { return new(probe) })
	if err := app.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("GET", "/ws", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "shutting down") || w.Header().Get("Connection") != "close" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}

	// One that is under way is answered, and the connection closed in the proper way.
	everywhere(t, func(t *testing.T, n network) {
		preparing, release := make(chan struct{}), make(chan struct{})
		var latest *probe
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			latest = p
			p.prepare = func() error { close(preparing); <-release; return nil }
		})
		ended := make(chan error, 1)
		go func() {
			<-preparing
			go func() { ended <- s.app.Shutdown(context.Background()) }()
			for late := 0; late != 503; { // until Shutdown is at work
				w := httptest.NewRecorder()
				s.app.ServeHTTP(w, httptest.NewRequest("POST", "/ws", nil))
				late = w.Code
				<-time.After(time.Millisecond)
			}
			close(release)
		}()
		cl := s.connect()
		shake(t, cl, 1001, "the server shuts down")
		if err := receive(t, ended); err != nil {
			t.Error(err)
		}
		<-latest.done
		latest.expect(t, "open")
		latest.expect(t, "close 1001 the server shuts down")
	})
}

// A handler that was refused has no connection, and says so.
func TestRefusedHandler(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		var refused *probe
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			refused = p
			p.user = func() (any, error) { return "ann", nil }
			p.prepare = func() error { return &wsframework.HTTPError{Status: 403} }
		})
		if response, body := s.ask(goodRequest, ""); response.StatusCode != 403 || body != "Forbidden\n" {
			t.Errorf("%s %q", response.Status, body)
		}
		synctest.Wait()
		if refused.CurrentUser() != nil || refused.IsOpen() || refused.Context().Err() == nil {
			t.Error("it is open, or has a user whom nobody asked for")
		}
		if err := refused.WriteText("x"); !errors.Is(err, wsframework.ErrNotOpen) {
			t.Errorf("WriteText: %v", err)
		}
		if err := refused.SetHeader("X-A", "x"); !errors.Is(err, wsframework.ErrHandshakeDone) {
			t.Errorf("SetHeader: %v", err)
		}
	})
}

// A hook that ends its goroutine (t.FailNow does) ends the request, and nothing waits for it.
func TestGoexitInTheHandshake(t *testing.T) {
	for _, hook := range []string{"Prepare", "GetCurrentUser", "CheckOrigin", "SelectSubprotocol"} {
		t.Run(hook, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				s := n.probes(t, wsframework.Settings{}, func(p *probe) {
					switch hook {
					case "Prepare":
						p.prepare = func() error { runtime.Goexit(); return nil }
					case "GetCurrentUser":
						p.user = func() (any, error) { runtime.Goexit(); return nil, nil }
					case "CheckOrigin":
						p.origin = func(string) bool { runtime.Goexit(); return true }
					case "SelectSubprotocol":
						p.subproto = func([]string) string { runtime.Goexit(); return "" }
					}
				})
				c, err := s.dial()
				if err != nil {
					t.Fatal(err)
				}
				go io.WriteString(c, strings.Join(with(goodRequest, "+Origin: http://example.com"), "\r\n")+"\r\n\r\n")
				if answer, _ := io.ReadAll(c); len(answer) > 0 {
					t.Errorf("answer %q", answer)
				}
				if err := s.app.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Shutdown would wait for the handshake as well.
func TestShutdownInTheHandshake(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.prepare = func() error {
				if err := p.Application().Shutdown(context.Background()); !errors.Is(err, wsframework.ErrInCallback) {
					t.Errorf("Shutdown in Prepare: %v", err)
				}
				return nil
			}
		})
		s.connect()
	})
}

// All methods may be called at any time, also beside the handshake.
func TestMethodsBesideTheHandshake(t *testing.T) {
	probes := make(chan *probe, 1)
	s := overTCP.probes(t, wsframework.Settings{}, func(p *probe) {
		p.prepare = func() error { probes <- p; return nil }
		p.user = func() (any, error) { return "ann", nil }
		p.subproto = func([]string) string { return "a" }
	})
	done := make(chan struct{})
	go func() { // the race detector watches
		defer close(done)
		p := <-probes
		for closed := false; !closed; {
			p.CurrentUser()
			p.Logger()
			p.Subprotocol()
			p.Session()
			p.Request()
			p.Context()
			p.ID()
			p.LastPong()
			p.CloseCode()
			p.Groups()
			p.IsOpen()
			p.WriteText("x")
			closed = errors.Is(p.Close(1000, ""), wsframework.ErrClosed)
		}
	}()
	s.connect(wstest.Subprotocols("a"))
	<-done
}

// recorderRequest is the request of a handshake without a connection.
func recorderRequest() *http.Request {
	r := httptest.NewRequest("GET", "/ws", nil)
	for _, line := range goodRequest[2:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

type unhijackable struct{ *httptest.ResponseRecorder }

func (unhijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errFailing }

// A writer that can't be hijacked is a mistake in how the application is mounted.
func TestWritersThatCannotBeHijacked(t *testing.T) {
	for name, tt := range map[string]struct {
		writer func(*httptest.ResponseRecorder) http.ResponseWriter
		status int
		logged string
	}{
		"no Hijack":    {func(w *httptest.ResponseRecorder) http.ResponseWriter { return w }, 500, "can't be hijacked"},
		"Hijack fails": {func(w *httptest.ResponseRecorder) http.ResponseWriter { return unhijackable{w} }, 101, "failing"},
	} {
		t.Run(name, func(t *testing.T) {
			log := wstest.NewLog(t)
			app := wsframework.NewApplication(wsframework.Settings{Logger: log.Logger(slog.LevelInfo)})
			w := httptest.NewRecorder()
			app.Upgrade(func() wsframework.Handler { return new(probe) }).ServeHTTP(tt.writer(w), recorderRequest())
			// By the time that hijacking fails, the header is written.
			if w.Code != tt.status || !strings.Contains(log.String(), tt.logged) || !strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("%d %q, log %q", w.Code, w.Body, log)
			}
			if err := app.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
