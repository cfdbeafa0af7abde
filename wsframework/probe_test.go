package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A probe is a handler whose hooks a test sets.
type probe struct {
	wsframework.BaseHandler
	prepare   func() error
	user      func() (any, error)
	origin    func(string) bool
	subproto  func([]string) string
	open      func() error
	message   func(wsframework.Message) error
	ping      func([]byte)
	pong      func([]byte)
	close     func()
	events    chan string
	done      chan struct{} // closed when OnClose has returned
	closeCode int
	closeText string
	cause     *wsframework.CloseError
}

func (p *probe) Prepare() error {
	if p.prepare != nil {
		return p.prepare()
	}
	return p.BaseHandler.Prepare()
}

func (p *probe) GetCurrentUser() (any, error) {
	if p.user != nil {
		return p.user()
	}
	return p.BaseHandler.GetCurrentUser()
}

func (p *probe) CheckOrigin(origin string) bool {
	if p.origin != nil {
		return p.origin(origin)
	}
	return p.BaseHandler.CheckOrigin(origin)
}

func (p *probe) SelectSubprotocol(offered []string) string {
	if p.subproto != nil {
		return p.subproto(offered)
	}
	return p.BaseHandler.SelectSubprotocol(offered)
}

func (p *probe) Open() error {
	p.events <- "open"
	if p.open != nil {
		return p.open()
	}
	return p.BaseHandler.Open()
}

func (p *probe) OnMessage(m wsframework.Message) error {
	p.events <- "message " + m.String()
	if p.message != nil {
		return p.message(m)
	}
	return nil
}

func (p *probe) OnPing(data []byte) {
	p.events <- "ping " + string(data)
	p.BaseHandler.OnPing(data)
	if p.ping != nil {
		p.ping(data)
	}
}

func (p *probe) OnPong(data []byte) {
	p.events <- "pong " + string(data)
	p.BaseHandler.OnPong(data)
	if p.pong != nil {
		p.pong(data)
	}
}

func (p *probe) OnClose() {
	p.closeCode, p.closeText = p.CloseCode(), p.CloseReason()
	errors.As(context.Cause(p.Context()), &p.cause)
	p.events <- fmt.Sprintf("close %d %s", p.closeCode, p.closeText)
	defer close(p.done)
	p.BaseHandler.OnClose()
	if p.close != nil {
		p.close()
	}
}

// expect waits for the next event.
func (p *probe) expect(t *testing.T, want string) {
	t.Helper()
	if got := receive(t, p.events); got != want {
		t.Fatalf("event %q, want %q", got, want)
	}
}

// receive waits for a value, but not for ever.
func receive[T any](t *testing.T, ch <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-ch:
	case <-time.After(20 * time.Minute): // fake time passes, and go test has its own limit
		t.Fatal("nothing came")
	}
	return value
}
