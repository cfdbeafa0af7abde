// The chat: people log in with a name and talk in one room.
//
// handler.go is the realtime part, and what to copy first. pages.go has the pages around it, protocol.go
// and roster.go what goes over the sockets and who is there, sessions.go keeps people logged in across
// restarts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gotornado/gotornado/static"
	"github.com/gotornado/gotornado/templates"
	"github.com/gotornado/gotornado/wsframework"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8000", "`host:port` to listen on")
	file := flag.String("sessions", defaultSessionsFile(), "`file` that keeps people logged in across restarts; empty for none")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Stdout, *addr, *file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// newChat puts the chat together.
func newChat(sessions *scs.SessionManager) *wsframework.Application {
	app := wsframework.NewApplication(wsframework.Settings{
		Sessions:       sessions,
		LoginURL:       "/login",
		Templates:      templates.FS,
		Static:         static.FS,
		MaxMessageSize: maxMessageSize,
		MaxBodySize:    64 << 10,
	})
	roster := newRoster()
	app.WebSocket("/websocket", func() wsframework.Handler { return &chatHandler{roster: roster} },
		wsframework.Authenticated())
	addPages(app)
	return app
}

// run serves the chat until ctx ends.
func run(ctx context.Context, out io.Writer, addr, sessionsFile string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return explainListen(err, addr)
	}
	sessions, store := newSessions()
	if sessionsFile != "" {
		if err := loadSessions(sessionsFile, sessions); err != nil {
			slog.Warn("chat: not everybody is still logged in", "err", err)
		}
	}

	app := newChat(sessions)
	served := make(chan error, 1)
	go func() { served <- app.Serve(listener) }()
	fmt.Fprintf(out, "The chat is at http://%s\n", listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}

	shutdown, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = app.Shutdown(shutdown)
	if sessionsFile != "" {
		err = errors.Join(err, saveSessions(sessionsFile, store))
	}
	return err
}

// explainListen says what to do when the port is taken, which is what nearly always goes wrong.
func explainListen(err error, addr string) error {
	const wsaeaddrinuse = syscall.Errno(10048) // what Windows says
	var failed *net.OpError
	if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, wsaeaddrinuse) || !errors.As(err, &failed) {
		return err
	}
	taken, ok := failed.Addr.(*net.TCPAddr)
	if !ok {
		return err
	}
	other := taken.Port + 1
	if other > 65535 {
		other = taken.Port - 1
	}
	host, _, _ := net.SplitHostPort(addr)
	return fmt.Errorf("port %d is in use; pick another one with -addr %s", taken.Port,
		net.JoinHostPort(host, strconv.Itoa(other)))
}
