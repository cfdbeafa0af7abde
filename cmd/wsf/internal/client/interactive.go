package client

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

const (
	pongWait = 10 * time.Second     // after it, a ping counts as not answered
	pongLook = 2 * time.Millisecond // how often we look for the pong
)

// errLeft ends a connection that a person does not wait for any more.
var errLeft = &ExitError{Code: exitAbnormal, Err: errors.New("left without the server's answer to the close")}

// A talk is a connection with a person at it.
type talk struct {
	conn    *wsframework.ClientConn
	console console
	style   *style

	closing bool
	pinged  time.Time // of a ping without a pong; zero if there is none
}

// run passes on what is typed and shows what comes, until the connection has ended. It returns what is to be
// said of the end.
func (t *talk) run(ctx context.Context, signals <-chan os.Signal) (said string, failure error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrivals := receive(ctx, t.conn)
	pongs := time.NewTicker(pongLook)
	defer pongs.Stop()
	pongs.Stop() // until there is a ping
	for {
		select {
		case a := <-arrivals:
			if a.err != nil {
				return endOf(a.err)
			}
			t.console.Print(t.style.message(a.message))
		case e := <-t.console.Events():
			if e.kind == eventLine {
				t.enter(e.line, pongs)
			} else if !t.end(e.kind == eventInterrupt) {
				return "", errLeft
			}
		case <-signals:
			if !t.end(true) {
				return "", errLeft
			}
		case <-pongs.C:
			if t.tellPong() {
				pongs.Stop()
			}
		}
	}
}

// end closes the connection; it returns false if it was closing and the person does not want to wait.
func (t *talk) end(impatient bool) bool {
	if t.closing && impatient {
		return false
	}
	if !t.closing {
		t.closing = true
		t.conn.Close(wsframework.CloseNormal, "")
	}
	return true
}

// enter does what a line says.
func (t *talk) enter(line string, pongs *time.Ticker) {
	typed, err := parseInput(line)
	if err == nil {
		switch typed.kind {
		case inputText:
			err = t.conn.WriteText(typed.text)
		case inputBinary:
			err = t.conn.WriteBinary(typed.data)
		case inputPing:
			t.pinged = time.Now()
			pongs.Reset(pongLook)
			err = t.conn.Ping(typed.data)
		case inputClose:
			t.closing = true
			err = t.conn.Close(typed.code, typed.text)
		case inputHelp:
			t.console.Print(inputHelpText)
		}
	}
	// Of a connection that is closing, the end says what is to be said.
	if err != nil && !errors.Is(err, wsframework.ErrClosed) {
		t.console.Print(t.style.problem(err))
	}
}

// tellPong tells of the pong when it is there, or late; it returns false while it may still come.
func (t *talk) tellPong() bool {
	if at := t.conn.LastPong(); at.After(t.pinged) {
		t.console.Print(t.style.note("pong after %v", at.Sub(t.pinged).Round(10*time.Microsecond)))
		return true
	}
	if time.Since(t.pinged) > pongWait {
		t.console.Print(t.style.note("no pong within %v", pongWait))
		return true
	}
	return false
}
