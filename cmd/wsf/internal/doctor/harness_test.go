package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/cmd/wsf/internal/doctor"
	"github.com/gotornado/gotornado/wsframework"
)

// patience is how long a test waits for something that is bound to happen, on a busy machine, too.
const patience = 30 * time.Second

// A finding is a check of the report.
type finding struct {
	Group, Name, Status, Seen string
	Change                    []string
}

// A report is what --json prints, with the exit code.
type report struct {
	URL     string
	Summary map[string]int
	Checks  []finding
	code    int
}

// examine runs the command with --json, without idle connections and on a machine that may be busy, unless
// args say otherwise.
func examine(t *testing.T, args ...string) *report {
	t.Helper()
	out, err := run(t, append([]string{"--json", "--idle=0", "--slow=5s"}, args...)...)
	r := &report{code: exitCode(err)}
	if e := json.Unmarshal([]byte(out), r); e != nil {
		t.Fatalf("%v: no report (%v): %v: %q", args, e, err, out)
	}
	return r
}

// run runs the command.
func run(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := doctor.NewCommand()
	var stdout bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stdout)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(ctx)
	return stdout.String(), err
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	return err.(interface{ ExitCode() int }).ExitCode()
}

// find returns a check by its name, "group/name".
func (r *report) find(t *testing.T, name string) finding {
	t.Helper()
	for _, f := range r.Checks {
		if f.Group+"/"+f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no check %q", name)
	return finding{}
}

// text is what was seen and what to change, on one line.
func (f finding) text() string { return f.Seen + " => " + strings.Join(f.Change, " | ") }

// only fails the test if another check than these has a problem or a warning.
func (r *report) only(t *testing.T, names ...string) {
	t.Helper()
	for _, f := range r.Checks {
		if f.Status != "problem" && f.Status != "warning" {
			continue
		}
		expected := false
		for _, name := range names {
			expected = expected || name == f.Group+"/"+f.Name
		}
		if !expected {
			t.Errorf("%s/%s: %s: %s", f.Group, f.Name, f.Status, f.text())
		}
	}
}

// A quietHandler takes what comes and says nothing, as no doctor may rely on an echo.
type quietHandler struct{ wsframework.BaseHandler }

func (*quietHandler) OnMessage(wsframework.Message) error { return nil }

var quiet = slog.New(slog.DiscardHandler)

// newApp makes an application with an endpoint.
func newApp(t *testing.T, settings wsframework.Settings, options ...wsframework.RouteOption) *wsframework.Application {
	settings.Logger = quiet
	app := wsframework.NewApplication(settings)
	app.WebSocket("/websocket", func() wsframework.Handler { return new(quietHandler) }, options...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := app.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return app
}

// serve serves on loopback and returns the address.
func serve(t *testing.T, handler http.Handler) (addr string) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// listen serves connections until the test ends, when they are closed.
func listen(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		served := make(chan struct{})
		n := 0
		for {
			c, err := listener.Accept()
			if err != nil {
				break
			}
			n++
			go func() {
				defer func() { served <- struct{}{} }()
				defer c.Close()
				stop := context.AfterFunc(ctx, func() { c.Close() })
				defer stop()
				serve(c)
			}()
		}
		for range n {
			<-served
		}
	}()
	t.Cleanup(func() {
		cancel()
		listener.Close()
		<-ended
	})
	return listener.Addr().String()
}
