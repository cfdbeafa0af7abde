// The chat of tornado/app.py, ported: docs/worked-port.md goes through it step by step.
package main

import (
	"context"
	"embed"
	"encoding/gob"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/alexedwards/scs/v2"

	"github.com/gotornado/gotornado/wsframework"
)

//go:embed templates
var files embed.FS

func main() {
	port := flag.Int("port", 8888, "port to listen on; 0 takes any that is free")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Stdout, *port, newMessageHandler()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// newMessageHandler makes the factory of handlers that share a set.
func newMessageHandler() func() wsframework.Handler {
	users := new(wsframework.Set[*messageHandler])
	return func() wsframework.Handler { return &messageHandler{users: users} }
}

// newApplication puts the chat together.
func newApplication(newHandler func() wsframework.Handler) (*wsframework.Application, error) {
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, err
	}
	gob.Register(user{}) // what sessions keep
	app := wsframework.NewApplication(wsframework.Settings{
		Serial:    true,
		Sessions:  scs.New(),
		LoginURL:  "/login",
		Templates: templates,
	})
	app.Page("/{$}", func() wsframework.Page { return new(chatPage) }, wsframework.Authenticated())
	app.Page("/login", func() wsframework.Page { return new(loginPage) })
	app.WebSocket("/websocket", newHandler, wsframework.Authenticated())
	return app, nil
}

// run serves the chat until ctx ends.
func run(ctx context.Context, out io.Writer, port int, newHandler func() wsframework.Handler) error {
	app, err := newApplication(newHandler)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() { stopped <- app.Shutdown(context.WithoutCancel(ctx)) })
	fmt.Fprintf(out, "The chat is at http://%s\n", listener.Addr())
	if err := app.Serve(listener); err != nil {
		return err
	}
	return <-stopped
}
