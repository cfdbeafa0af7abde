package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// start runs the program on addr; stop ends it as a signal does.
func start(t *testing.T, addr, file string) (server string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, in, addr, file)
		in.CloseWithError(fmt.Errorf("ended: %v", err))
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	server, found := strings.CutPrefix(strings.TrimSpace(line), "The chat is at ")
	if !found {
		t.Fatalf("it says %q", line)
	}
	return server, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// People stay logged in when the server comes back, and their sockets know that it will.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.gob")
	server, stop := start(t, "127.0.0.1:0", file)
	b := newBrowser(t, server)
	b.logIn("ann")
	ann := b.open()
	ann.wantNotice("joined", "ann", "ann")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	ann.wantClose(websocket.StatusGoingAway)
	<-stopped

	// Cookies belong to a host, not to a port, so any port will do.
	b.server, stop = start(t, "127.0.0.1:0", file)
	defer stop()
	ann = b.open()
	ann.wantNotice("joined", "ann", "ann")
	ann.conn.CloseNow()
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
