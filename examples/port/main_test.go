package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }

// The program, as its users run it: it says where it is, and ends when it is told to.
func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, in, 0, newMessageHandler())
		in.CloseWithError(fmt.Errorf("ended: %v", err))
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr, found := strings.CutPrefix(strings.TrimSpace(line), "The chat is at http://")
	if !found {
		t.Fatalf("it says %q", line)
	}

	b := wstest.NewBrowser(t, nil, wstest.Via(func() (net.Conn, error) { return net.Dial("tcp", addr) }))
	b.PostForm("/login", url.Values{"name": {"ann"}}).ExpectRedirect("/")
	c := b.Dial("/websocket")
	c.Write("hello")
	c.ExpectMatch("^ann-.*-说:hello$")
	stop()
	c.ExpectClose(wsframework.CloseGoingAway)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
