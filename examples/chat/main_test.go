package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }

// start runs the program, as its users do; stop ends it as a signal does.
func start(t *testing.T, file string) (addr string, stop func()) {
	t.Helper()
	return testtool.Start(t, "The chat is at http://", func(ctx context.Context, out io.Writer) error {
		return run(ctx, out, "127.0.0.1:0", file)
	})
}

// People stay logged in when the server comes back, and their sockets know that it will.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.gob")
	addr, stop := start(t, file)
	b := wstest.NewBrowser(t, nil, wstest.Via(func() (net.Conn, error) { return net.Dial("tcp", addr) }))
	logIn(b, "ann")
	ann := b.Dial("/websocket")
	ann.ExpectJSON(joined("ann", "ann"))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	ann.ExpectClose(wsframework.CloseGoingAway)
	<-stopped

	addr, stop = start(t, file)
	defer stop()
	ann = b.Dial("/websocket")
	ann.ExpectJSON(joined("ann", "ann"))
	ann.Vanish()
}

func TestPortTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr := listener.Addr().(*net.TCPAddr)
	other := addr.Port + 1
	if other > 65535 {
		other = addr.Port - 1
	}
	want := fmt.Sprintf("port %d is in use; pick another one with -addr 127.0.0.1:%d", addr.Port, other)
	err = run(t.Context(), io.Discard, addr.String(), "")
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}
