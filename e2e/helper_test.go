// Package e2e runs the framework and its chat with what other people make: a browser, WebSocket clients,
// routers and session middleware.
package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// patience is how long a test waits for something that is bound to happen, on a busy machine, too.
const patience = 30 * time.Second

// need returns what find finds. If that is nothing, the test is skipped and says which Debian package
// to install; with CI=true it fails.
func need(t *testing.T, debian string, find func() string) string {
	t.Helper()
	found := find()
	switch {
	case found != "":
	case os.Getenv("CI") == "true":
		t.Fatalf("This test needs %s: make setup, or apt-get install %s", debian, debian)
	default:
		t.Skipf("This test needs %s: make setup, or apt-get install %s", debian, debian)
	}
	return found
}

// receive waits for a value.
func receive[T any](t *testing.T, ch <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-ch:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return value
}

// A logRecorder keeps what is logged.
type logRecorder struct {
	mu   sync.Mutex // protects the following
	text bytes.Buffer
}

// logger leaves out what is no complaint: the access log's lines about what went well.
func (l *logRecorder) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (l *logRecorder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logRecorder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// shutDownAfter ends the application's connections with the test.
func shutDownAfter(t *testing.T, app *wsframework.Application) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := app.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// serve lets the application listen by itself, and returns "127.0.0.1:" and its port.
func serve(t *testing.T, app *wsframework.Application) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Serve(listener) }()
	t.Cleanup(func() {
		if err := receive(t, served); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	shutDownAfter(t, app) // runs first
	return listener.Addr().String()
}

// serveUnder lets somebody else's server and router have the application, and returns its URL.
func serveUnder(t *testing.T, app *wsframework.Application, router http.Handler) string {
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	shutDownAfter(t, app)
	return server.URL
}
