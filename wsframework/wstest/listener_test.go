package wstest_test

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A program's own server is tested in a bubble, with its own time-outs.
func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := wstest.NewListener()
		app := newApp(wsframework.Settings{})
		server := &http.Server{Handler: app, ReadHeaderTimeout: time.Minute}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()

		a := wstest.Dial(t, app, "/echo", wstest.Via(l.Dial))
		b := wstest.Dial(t, app, "/echo", wstest.Via(l.Dial))
		if a.Conn().RemoteAddr().String() != l.Addr().String() || a.Conn().LocalAddr().String() == b.Conn().LocalAddr().String() {
			t.Errorf("from %v and %v to %v", a.Conn().LocalAddr(), b.Conn().LocalAddr(), a.Conn().RemoteAddr())
		}
		a.Write("hello")
		a.Expect("hello")

		slow, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := slow.Read(make([]byte, 1)); err == nil || time.Since(began) != time.Minute {
			t.Errorf("cut after %v: %v", time.Since(began), err)
		}

		if err := app.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
		if _, err := l.Dial(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dialing what is closed: %v", err)
		}
	})
}
