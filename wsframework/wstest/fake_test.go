package wstest_test

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }

// A fakeTB is a test that may fail.
type fakeTB struct {
	testing.TB
	failures []string
	logs     []string
	cleanups []func()
}

func (f *fakeTB) Helper()           {}
func (f *fakeTB) Failed() bool      { return len(f.failures) > 0 }
func (f *fakeTB) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *fakeTB) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Logf(format string, args ...any) {
	f.logs = append(f.logs, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// failing runs a test that must fail, and returns what it says.
func failing(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	f := runFake(t, test)
	if !f.Failed() {
		t.Fatal("it did not fail")
	}
	return strings.Join(f.failures, "\n")
}

func runFake(t *testing.T, test func(t testing.TB)) *fakeTB {
	f := &fakeTB{TB: t}
	inGoroutine(func() { test(f) })
	for len(f.cleanups) > 0 {
		last := f.cleanups[len(f.cleanups)-1]
		f.cleanups = f.cleanups[:len(f.cleanups)-1]
		inGoroutine(last)
	}
	return f
}

// inGoroutine lets a function end by Goexit.
func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// newApp has the handlers that tests talk to.
func newApp(settings wsframework.Settings) *wsframework.Application {
	if settings.Logger == nil {
		settings.Logger = slog.New(slog.DiscardHandler)
	}
	app := wsframework.NewApplication(settings)
	app.WebSocket("/echo", func() wsframework.Handler { return new(echo) })
	app.WebSocket("/room", func() wsframework.Handler { return new(room) })
	app.WebSocket("/private", func() wsframework.Handler { return new(echo) }, wsframework.Authenticated())
	return app
}

// An echo answers each message, and obeys a few.
type echo struct{ wsframework.BaseHandler }

func (h *echo) SelectSubprotocol(offered []string) string {
	for _, name := range offered {
		if name == "v2" {
			return name
		}
	}
	return ""
}

func (h *echo) OnMessage(m wsframework.Message) error {
	switch m.String() {
	case "who":
		return h.WriteMessage(fmt.Sprint(h.CurrentUser()))
	case "leave":
		return h.Close(4000, "as you wish")
	case "ping":
		return h.Ping([]byte("are you there"))
	case "stay silent":
		return nil
	}
	return h.WriteMessage(m)
}

// A room has one group.
type room struct{ wsframework.BaseHandler }

func (h *room) Open() error { return h.Join("room") }

func (h *room) OnMessage(m wsframework.Message) error { return h.Broadcast("room", m) }
