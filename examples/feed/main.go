// The feed: the other well-known shape of a chat. What people post is JSON with a type, the latest 200 posts
// are kept, and the server renders the HTML of each.
//
// feed.go has the state and the socket, page.go the page. Settings.Serial lets both share plain variables
// without a lock, as on Tornado's loop.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/gotornado/gotornado/static"
	"github.com/gotornado/gotornado/templates"
	"github.com/gotornado/gotornado/wsframework"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8001", "`host:port` to listen on")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Stdout, *addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// newApplication puts the feed together.
func newApplication() *wsframework.Application {
	app := wsframework.NewApplication(wsframework.Settings{
		Serial:         true,
		Templates:      templates.FS,
		Static:         static.FS,
		MaxMessageSize: 16 << 10,
	})
	f := new(feed)
	app.Page("/{$}", func() wsframework.Page { return &feedPage{feed: f} })
	app.WebSocket("/websocket", func() wsframework.Handler { return &feedHandler{feed: f} })
	return app
}

// run serves the feed until ctx ends.
func run(ctx context.Context, out io.Writer, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	app := newApplication()
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() { stopped <- app.Shutdown(context.WithoutCancel(ctx)) })
	fmt.Fprintf(out, "The feed is at http://%s\n", listener.Addr())
	if err := app.Serve(listener); err != nil {
		return err
	}
	return <-stopped
}
