// Package growth measures how the framework's own cost grows with the number of members and groups. The
// connections are in memory, so that neither the kernel nor the limit of open files has a part in it;
// they take the path on which TLS and wrapped connections write, too.
package growth

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A world is an application with connections that swallow what they are sent.
type world struct {
	app      *wsframework.Application
	members  []*member
	requests chan net.Conn
	served   chan error
	swallow  swallow
}

// timeout is long enough for everything that happens in memory.
const timeout = 10 * time.Second

type member struct {
	wsframework.BaseHandler
	opened chan<- *member
}

func (m *member) Open() error                         { m.opened <- m; return nil }
func (m *member) OnMessage(wsframework.Message) error { return nil }

// newWorld opens connections.
func newWorld(connections int) *world {
	w := &world{
		app: wsframework.NewApplication(wsframework.Settings{
			Logger:       slog.New(slog.DiscardHandler),
			PingInterval: -1, // nobody would answer
		}),
		requests: make(chan net.Conn),
		served:   make(chan error, 1),
	}
	opened := make(chan *member)
	w.app.WebSocket("/", func() wsframework.Handler { return &member{opened: opened} })
	go func() { w.served <- w.app.Serve(listener{w.requests}) }()
	for range connections {
		w.requests <- &conn{swallow: &w.swallow, expired: make(chan struct{}, 1), closed: make(chan struct{})}
		w.members = append(w.members, <-opened)
	}
	return w
}

func (w *world) close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nobody would answer a close frame
	_ = w.app.Shutdown(ctx)
	return <-w.served
}

// broadcast returns when every member of the group has been sent the message.
func (w *world) broadcast(group, text string, members int) error {
	const header = 2 // of a frame with a short payload
	done := w.swallow.expect(int64(members * (header + len(text))))
	if err := w.app.Broadcast(context.Background(), group, text); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-time.After(timeout):
		return errors.New("a broadcast did not reach everyone")
	}
}

// A swallow counts the bytes that all connections are sent.
type swallow struct {
	left atomic.Int64
	done chan struct{}
}

func (s *swallow) expect(bytes int64) <-chan struct{} {
	s.done = make(chan struct{})
	s.left.Store(bytes)
	return s.done
}

func (s *swallow) add(bytes int) {
	if s.left.Add(int64(-bytes)) == 0 {
		close(s.done)
	}
}

// A listener accepts what comes through a channel.
type listener struct{ conns chan net.Conn }

func (l listener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l listener) Close() error   { close(l.conns); return nil }
func (l listener) Addr() net.Addr { return address }

var address = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// request is RFC 6455's own example (1.3).
const request = "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// A conn sends a handshake and then nothing.
type conn struct {
	asked   bool
	swallow *swallow
	expired chan struct{} // the deadline for reading has passed
	closed  chan struct{}
	once    sync.Once
}

func (c *conn) Read(p []byte) (int, error) {
	if !c.asked {
		c.asked = true
		return copy(p, request), nil
	}
	select {
	case <-c.expired:
		return 0, os.ErrDeadlineExceeded
	case <-c.closed:
		return 0, io.EOF
	}
}

// SetReadDeadline knows no deadline and one in the past: so net/http ends its reading on a hijack.
func (c *conn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && t.Before(time.Now()) {
		c.expired <- struct{}{}
	}
	return nil
}

func (c *conn) Write(p []byte) (int, error) {
	c.swallow.add(len(p))
	return len(p), nil
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *conn) LocalAddr() net.Addr              { return address }
func (c *conn) RemoteAddr() net.Addr             { return address }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
