package wsframework_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Each request has one line, whatever answered it; what the client did is a warning, what the server did
// an error, and the query is never in it.
func TestAccessLog(t *testing.T) {
	sessions := wstest.NewSessions()
	s := newSite(t, wsframework.Settings{Sessions: sessions})
	s.page(hooks{user: func(*sheet) (any, error) { return "ann", nil }, get: func(p *sheet) error {
		p.CurrentUser()
		_, err := p.WriteString("12345")
		return err
	}}, wsframework.Name("home"))
	s.app.Page("/status/{status}", sheets(hooks{get: func(p *sheet) error {
		status := 0
		fmt.Sscan(p.PathValue("status"), &status)
		return p.SendError(status)
	}}))
	s.app.Page("/panic", sheets(hooks{get: func(*sheet) error { panic("in Get") }}))
	s.app.HandleFunc("GET /plain", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "1234567") })
	s.app.HandleFunc("/plain/empty", func(w http.ResponseWriter, r *http.Request) {})
	s.app.HandleFunc("/plain/500", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "oh", 500) })
	s.app.HandleFunc("/plain/early", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(201)
	})
	s.app.WebSocket("/ws", func() wsframework.Handler { return new(lean) })
	for _, tt := range []struct {
		method, target string
		header         string
		parts          []string
		not            string
	}{
		{"GET", "/?token=swordfish", "", []string{"INFO", "status=200", "bytes=5", "path=/ ", "method=GET", "route=home", "user=ann", "duration=", "remote=192.0.2.1:1234"}, "cause="},
		{"HEAD", "/", "", []string{"INFO", "status=200", "method=HEAD"}, "bytes="},
		{"GET", "/status/404?token=swordfish", "", []string{"WARN", "status=404", `cause="HTTP 404: Not Found"`, "path=/status/404 "}, "setting="},
		{"GET", "/status/503", "", []string{"WARN", "status=503"}, "stack="},
		{"GET", "/status/502", "", []string{"ERROR", "status=502"}, "stack="},
		{"GET", "/panic?token=swordfish", "", []string{"ERROR", "status=500", "Get panicked: in Get", "stack=", "accesslog_test.go"}, ""},
		{"GET", "/plain?token=swordfish", "", []string{"INFO", "status=200", "bytes=7", "path=/plain ", `route="GET /plain"`, "duration="}, "cause="},
		{"GET", "/plain/empty", "", []string{"INFO", "status=200"}, "bytes="},
		{"GET", "/plain/500", "", []string{"ERROR", "status=500", "bytes=3"}, ""},
		{"GET", "/plain/early", "", []string{"INFO", "status=201"}, ""},
		{"POST", "/plain/empty", "Sec-Fetch-Site: cross-site", []string{"WARN", "status=403"}, ""},
		{"GET", "/nowhere?token=swordfish", "", []string{"WARN", "status=404", `route="(not found)"`}, ""},
		{"GET", "/ws?token=swordfish", "", []string{"WARN", "handshake refused", "status=400", "path=/ws ", "route=/ws"}, ""},
	} {
		s.log.Forget()
		header := []string{"X-None: 1"}
		if tt.header != "" {
			header = append(header, tt.header)
		}
		s.ask(tt.method, tt.target, header...)
		s.log.ExpectLine(append(tt.parts, "level=")...)
		if line := s.log.String(); strings.Contains(line, "swordfish") || tt.not != "" && strings.Contains(line, tt.not) {
			t.Errorf("%s %s: %s", tt.method, tt.target, line)
		}
	}
}

// A socket has its line when it is over, with the level of how that came.
func TestAccessLogOfSockets(t *testing.T) {
	for _, tt := range []struct {
		code  int
		level string
		frame byte // what the client sends
	}{
		{1000, "INFO", wstest.TextFrame}, {1001, "INFO", wstest.TextFrame}, {4401, "INFO", wstest.TextFrame}, {4000, "INFO", wstest.TextFrame},
		{1003, "WARN", wstest.TextFrame}, {1008, "WARN", wstest.TextFrame}, {1011, "ERROR", wstest.TextFrame},
		{1002, "WARN", 0xF1},
		{1009, "INFO", wstest.CloseFrame}, // the client's own
	} {
		log := wstest.NewLog(t)
		inBubble(t, func(t *testing.T, n network) {
			s, _, cl := one(t, n, wsframework.Settings{AccessLogger: log.Logger(slog.LevelInfo)}, func(p *probe) {
				p.user = func() (any, error) { return "ann", nil }
				p.message = func(wsframework.Message) error { p.WriteText("reply"); return p.Close(tt.code, "why") }
			})
			switch tt.frame {
			case wstest.CloseFrame:
				cl.WriteClose(tt.code, "why")
				expectClose(t, cl, tt.code, "")
			case wstest.TextFrame:
				cl.Write("hello")
				cl.Expect("reply")
				shake(t, cl, tt.code, "why")
			default:
				cl.WriteFrame(tt.frame, "")
				if first, _, err := cl.ReadFrame(); first != wstest.CloseFrame || err != nil {
					t.Errorf("%x, %v", first, err)
				}
				cl.WriteClose(1000, "")
			}
			cl.ExpectEnd()
			if err := s.app.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
		log.ExpectLine("level="+tt.level, "socket closed", fmt.Sprint("code=", tt.code), "reason=", "received=", "sent=", "path=/ws ", "user=ann", "duration=")
	}
}

// Without an access logger nothing is said, and plain handlers get the writer as it came.
func TestNoAccessLog(t *testing.T) {
	s := newSite(t, wsframework.Settings{AccessLogger: slog.New(slog.DiscardHandler)}).page(hooks{get: func(*sheet) error { return errFailing }})
	var writer http.ResponseWriter
	s.app.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { writer = w })
	s.expect("GET", "/", 500, "Internal Server Error\n")
	s.ask("GET", "/nowhere")
	s.ask("GET", "/plain")
	if _, same := writer.(*httptest.ResponseRecorder); !same {
		t.Errorf("the writer is a %T", writer)
	}
	// But a failure of the server's own is told.
	if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "status=500") || !strings.Contains(log, "cause=failing") {
		t.Errorf("log %q", log)
	}
}

// A plain handler that panics is answered by net/http, which cuts the client off, and has its line.
func TestAccessLogOfPlainHandlersThatPanic(t *testing.T) {
	for name, tt := range map[string]struct {
		fail  func(w http.ResponseWriter)
		parts []string
		not   string
	}{
		"panic":             {func(http.ResponseWriter) { panic("oh") }, []string{"ERROR", `cause="wsframework: the handler panicked: oh"`, "stack=", "accesslog_test.go"}, "status="},
		"panic after begun": {func(w http.ResponseWriter) { io.WriteString(w, "12"); panic("oh") }, []string{"ERROR", "status=200", "bytes=2"}, "INFO"},
		"abort":             {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, []string{"INFO", "abort Handler"}, "stack="},
		"Goexit":            {func(http.ResponseWriter) { runtime.Goexit() }, []string{"INFO", "abort Handler"}, "stack="},
	} {
		log := wstest.NewLog(t)
		s := overTCP.serve(t, wsframework.Settings{AccessLogger: log.Logger(slog.LevelInfo)}, func(app *wsframework.Application) {
			app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { tt.fail(w) })
		})
		c, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
		if answer, _ := io.ReadAll(c); len(answer) > 0 && name != "panic after begun" {
			t.Errorf("%s: answer %q", name, answer)
		}
		c.Close()
		if err := s.app.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		log.ExpectLine(append(tt.parts, "wsframework: request")...)
		if strings.Contains(log.String(), tt.not) {
			t.Errorf("%s: %s", name, log)
		}
	}
}

// The writer of a plain handler can do what that of net/http can.
func TestAccessLogHidesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", 1<<16)), 0o600); err != nil {
		t.Fatal(err)
	}
	log := make(lineWriter, 10)
	copied := make(chan bool, 1)
	s := overTCP.serve(t, wsframework.Settings{AccessLogger: slog.New(slog.NewTextHandler(log, nil))}, func(app *wsframework.Application) {
		app.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
			_, can := w.(io.ReaderFrom)
			copied <- can
			http.ServeFile(w, r, file)
		})
		app.HandleFunc("/flush", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "flushed")
			w.(http.Flusher).Flush()
			<-r.Context().Done() // the client has it, and leaves
		})
		app.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			c.Close()
		})
		endpoint := app.Upgrade(func() wsframework.Handler { return new(lean) })
		app.Handle("/ws", endpoint)
	})
	if response, body := s.ask([]string{"GET /file HTTP/1.1", "Host: example.com"}, ""); response.StatusCode != 200 || len(body) != 1<<16 || !<-copied {
		t.Errorf("%s, %d bytes", response.Status, len(body))
	}
	if response, _ := s.ask([]string{"GET /hijack HTTP/1.1", "Host: example.com"}, ""); response.StatusCode != 204 {
		t.Error(response.Status)
	}
	c, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET /flush HTTP/1.1\r\nHost: example.com\r\n\r\n")
	expectFlushed(t, c)
	c.Close()
	cl := s.connect()
	cl.WriteClose(1000, "")
	expectClose(t, cl, 1000, "")
	cl.ExpectEnd()
	var lines []string // some come only after their client has left
	for range 4 {
		lines = append(lines, receive(t, log))
	}
	for path, part := range map[string]string{"/file ": " status=200 bytes=65536\n", "/flush ": " status=200 bytes=7\n", "/hijack ": "route=/hijack ", "/ws ": " code=1000 "} {
		if !slices.ContainsFunc(lines, func(line string) bool {
			return strings.Contains(line, "path="+path) && strings.Contains(line, part) && (path != "/hijack " || !strings.Contains(line, "status="))
		}) {
			t.Errorf("no line of %s with %q:\n%s", path, part, lines)
		}
	}
}

// A lineWriter passes on each line of a log.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func expectFlushed(t *testing.T, c net.Conn) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	part := make([]byte, len("flushed"))
	if _, err := io.ReadFull(response.Body, part); err != nil || string(part) != "flushed" {
		t.Errorf("%q, %v", part, err)
	}
}
