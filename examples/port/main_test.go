package main

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }

// The program, as its users run it: it says where it is, and ends when it is told to.
func TestRun(t *testing.T) {
	addr, stop := testtool.Start(t, "The chat is at http://", func(ctx context.Context, out io.Writer) error {
		return run(ctx, out, 0, newMessageHandler())
	})

	b := wstest.NewBrowser(t, nil, wstest.Via(func() (net.Conn, error) { return net.Dial("tcp", addr) }))
	b.PostForm("/login", url.Values{"name": {"ann"}}).ExpectRedirect("/")
	c := b.Dial("/websocket")
	c.Write("hello")
	c.ExpectMatch("^ann-.*-说:hello$")
	stop()
	c.ExpectClose(wsframework.CloseGoingAway)
}
