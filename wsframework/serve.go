package wsframework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
)

func (app *Application) newServer() *http.Server {
	return &http.Server{
		Handler:           app,
		ReadHeaderTimeout: app.settings.ReadHeaderTimeout,
		IdleTimeout:       app.settings.IdleTimeout,
		ErrorLog:          slog.NewLogLogger(app.logger.Handler(), slog.LevelWarn),
	}
}

// Run serves on a TCP address ("127.0.0.1:8000", ":8000") until ctx ends, then shuts down, for at most
// Settings.ShutdownTimeout. It returns nil after a shutdown in which every connection finished.
func (app *Application) Run(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("wsframework: %w", err)
	}
	app.logger.Info("wsframework: serving", "url", "http://"+listener.Addr().String())

	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		shutdown := context.WithoutCancel(ctx)
		if timeout := app.settings.ShutdownTimeout; timeout > 0 {
			var cancel context.CancelFunc
			shutdown, cancel = context.WithTimeout(shutdown, timeout)
			defer cancel()
		}
		stopped <- app.Shutdown(shutdown)
	})
	err = app.Serve(listener)
	if stop() || err != nil {
		return err
	}
	return <-stopped
}

// Serve serves the connections of a listener until Shutdown; then it waits for that to end and returns
// nil. For TLS give it a tls.NewListener whose configuration offers HTTP/1.1 only.
func (app *Application) Serve(listener net.Listener) error {
	app.watchStore()
	err := app.server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		<-app.terminated
		return nil
	}
	return fmt.Errorf("wsframework: %w", err)
}

func goingAway() *CloseError {
	return &CloseError{Code: CloseGoingAway, Reason: "the server shuts down", Err: ErrShutdown}
}

// Shutdown ends the application: it refuses new connections, closes the open ones with 1001 and waits
// until they are closed and every OnClose and every function given to Go or AddCallback has returned. When
// ctx ends before, it cuts what is left and returns ctx's error. An application does not serve again after it.
//
// In a callback, whatever application that belongs to, it returns ErrInCallback.
func (app *Application) Shutdown(ctx context.Context) error {
	if inCallback() {
		return ErrInCallback
	}
	app.mu.Lock()
	first := !app.draining
	app.draining = true
	if first && app.alive == 0 {
		close(app.idle)
	}
	app.mu.Unlock()
	if first {
		defer close(app.terminated)
		defer app.unwatchStore()
		app.stopTickers()
	}

	requests := make(chan error, 1)
	go func() { requests <- app.server.Shutdown(ctx) }()
	for _, c := range app.all.conns() {
		if c.opened.Load() {
			c.startClose(goingAway(), false)
		}
	}
	select {
	case <-app.idle:
	case <-ctx.Done():
		for _, c := range app.all.conns() {
			if c.opened.Load() {
				go c.abort(goingAway()) // closing a TLS connection may wait for its peer
			}
		}
	}
	err := <-requests
	if err != nil {
		app.server.Close()
	}
	select {
	case <-app.idle:
		return err
	default:
		return fmt.Errorf("wsframework: connections or callbacks had not ended: %w", context.Cause(ctx))
	}
}

// inCallback reports whether the calling goroutine is in a callback, in a hook of the handshake, in a
// function given to Go or in a turn of the serial line: Shutdown waits for those.
func inCallback() bool {
	for caller := range callers() {
		if slices.ContainsFunc(userFrames, func(name string) bool { return strings.HasSuffix(caller, name) }) {
			return true
		}
	}
	return false
}

// userFrames are the functions that stand below a handler's code on the stack.
var userFrames = []string{"/wsframework.(*conn).invoke", "/wsframework.(*conn).callGo", "/wsframework.contain",
	"/wsframework.(*Application).runCallback", "/wsframework.(*serial).run"}
