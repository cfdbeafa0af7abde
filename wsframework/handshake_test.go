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
