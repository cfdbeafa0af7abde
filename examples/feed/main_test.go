package main

import (
	"context"
	"io"
	"net"
	"os"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }

// The program, as its users run it: it says where it is, and ends when it is told to.
func TestRun(t *testing.T) {
	addr, stop := testtool.Start(t, "The feed is at http://", func(ctx context.Context, out io.Writer) error {
		return run(ctx, out, "127.0.0.1:0")
	})

	b := wstest.NewBrowser(t, nil, wstest.Via(func() (net.Conn, error) { return net.Dial("tcp", addr) }))
	b.Get("/").ExpectStatus(200).ExpectContains(`data-last="0"`)
	c := b.Dial("/websocket")
	c.Write(`{"type":"post","text":"hello"}`)
	c.ExpectMatch(`"type":"added".*hello`)
	stop()
	c.ExpectClose(wsframework.CloseGoingAway)
}
