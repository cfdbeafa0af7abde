package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

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
			500, "Internal Server Error\n", []string{"ERROR", "status=500", "swordfish", "stack=", "handshakehooks_test.go"}},
		{"panics with nil", func() error { panic(nil) }, // a *runtime.PanicNilError
			500, "Internal Server Error\n", []string{"ERROR", "status=500", "stack=", "handshakehooks_test.go"}},
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
