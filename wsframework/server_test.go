package wsframework_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A server is a running application.
type server struct {
	t    *testing.T
	app  *wsframework.Application
	log  *wstest.Log
	dial func() (net.Conn, error)
	fake bool // its network's time is fake
}

// serve runs an application on a network until the test ends.
func (n network) serve(t *testing.T, settings wsframework.Settings, register func(*wsframework.Application)) *server {
	t.Helper()
	s := &server{t: t, log: wstest.NewLog(t), fake: n.fake}
	settings.Logger = s.log.Logger(slog.LevelInfo)
	if settings.AccessLogger == nil {
		settings.AccessLogger = slog.New(refusalsOnly{settings.Logger.Handler()})
	}
	s.app = wsframework.NewApplication(settings)
	register(s.app)
	listener, dial := n.make(t)
	s.dial = dial
	served := make(chan error, 1)
	go func() { served <- s.app.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.app.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// route serves one handler under /ws.
func (n network) route(t *testing.T, settings wsframework.Settings, factory func() wsframework.Handler, options ...wsframework.RouteOption) *server {
	t.Helper()
	return n.serve(t, settings, func(app *wsframework.Application) { app.WebSocket("/ws", factory, options...) })
}

// probes serves probes under /ws with what configure gives each of them.
func (n network) probes(t *testing.T, settings wsframework.Settings, configure func(*probe), options ...wsframework.RouteOption) *server {
	t.Helper()
	return n.route(t, settings, func() wsframework.Handler {
		p := &probe{events: make(chan string, 10000), done: make(chan struct{})}
		configure(p)
		return p
	}, options...)
}

// refusalsOnly leaves out of an access log what went well, and failures, which Logger gets.
type refusalsOnly struct{ slog.Handler }

func (h refusalsOnly) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "refused") && r.Level < slog.LevelError {
		return h.Handler.Handle(ctx, r)
	}
	return nil
}

// quiet is for tests that do not look at the log.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// connect opens a WebSocket on /ws, for tests that play the peer frame by frame.
func (s *server) connect(options ...wstest.Option) *wstest.Client {
	s.t.Helper()
	return s.open("/ws", options...)
}

// open is connect on another path.
func (s *server) open(path string, options ...wstest.Option) *wstest.Client {
	s.t.Helper()
	return wstest.Dial(s.t, s.app, path, s.options(options)...)
}

// refused wants a handshake refused with a status.
func (s *server) refused(path string, status int, options ...wstest.Option) *wstest.Page {
	s.t.Helper()
	return wstest.DialRefused(s.t, s.app, path, status, s.options(options)...)
}

func (s *server) options(more []wstest.Option) []wstest.Option {
	within := time.Minute
	if s.fake {
		within = 24 * time.Hour // which pass in no time
	}
	return append([]wstest.Option{wstest.Frames(), wstest.Via(s.dial), wstest.Within(within)}, more...)
}

// expectClose wants a close frame with a code and a reason.
func expectClose(t *testing.T, cl *wstest.Client, code int, reason string) {
	t.Helper()
	if got := cl.ExpectClose(code); got != reason {
		t.Fatalf("close reason %q, want %q", got, reason)
	}
}

// shake answers a close frame and sees the connection end.
func shake(t *testing.T, cl *wstest.Client, code int, reason string) {
	t.Helper()
	expectClose(t, cl, code, reason)
	cl.WriteClose(1000, "")
	cl.ExpectEnd()
}
