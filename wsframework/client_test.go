package wsframework_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// dialer returns options with which Connect reaches the server.
func (s *server) dialer() *wsframework.ConnectOptions { return dialWith(s.t, s.dial) }

func dialWith(t *testing.T, dial func() (net.Conn, error)) *wsframework.ConnectOptions {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() }}
	t.Cleanup(transport.CloseIdleConnections)
	return &wsframework.ConnectOptions{HTTPClient: &http.Client{Transport: transport}}
}

// client opens a connection of the framework's own client.
func (s *server) client(options *wsframework.ConnectOptions) *wsframework.ClientConn {
	s.t.Helper()
	c, err := wsframework.Connect(s.t.Context(), "ws://example.com/ws", options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { endClient(s.t, c) })
	return c
}

// endClient closes a connection and waits for its end.
func endClient(t *testing.T, c *wsframework.ClientConn) {
	c.Close(0, "")
	if m, err := c.ReadMessage(context.Background()); err == nil {
		t.Errorf("a message after the close: %s", m)
	}
}

func wantMessage(t *testing.T, c *wsframework.ClientConn, kind wsframework.MessageType, data string) {
	t.Helper()
	m, err := c.ReadMessage(t.Context())
	if err != nil {
		t.Fatalf("ReadMessage: %v, want %.40q", err, data)
	}
	if m.Type != kind || m.String() != data {
		t.Fatalf("got %v of %d bytes %.40q, want %v of %d bytes %.40q", m.Type, len(m.Data), m, kind, len(data), data)
	}
}

// wantEnd waits for the end of a connection, and returns its cause.
func wantEnd(t *testing.T, c *wsframework.ClientConn, code int, reason string) *wsframework.CloseError {
	t.Helper()
	m, err := c.ReadMessage(context.Background())
	if err == nil {
		t.Fatalf("got the message %.40q, want the end", m)
	}
	var cause *wsframework.CloseError
	if !errors.As(err, &cause) || !errors.Is(err, wsframework.ErrClosed) {
		t.Fatalf("the end is the error %v", err)
	}
	if got := context.Cause(c.Context()); got != error(cause) {
		t.Errorf("the context's cause is %v, that of ReadMessage %v", got, cause)
	}
	if c.CloseCode() != code || c.CloseReason() != reason {
		t.Fatalf("closed with %d %q (%v), want %d %q", c.CloseCode(), c.CloseReason(), cause, code, reason)
	}
	return cause
}

func echoing(p *probe) { p.message = func(m wsframework.Message) error { return p.WriteMessage(m) } }

func TestClientEcho(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, echoing)
		c := s.client(s.dialer())
		for _, size := range []int{0, 1, 125, 126, 4096, 65535, 65536, 1 << 20} {
			text := strings.Repeat("x", size)
			if err := c.WriteText(text); err != nil {
				t.Fatal(err)
			}
			if err := c.WriteBinary([]byte(text)); err != nil {
				t.Fatal(err)
			}
			wantMessage(t, c, wsframework.TextMessage, text)
			wantMessage(t, c, wsframework.BinaryMessage, text)
		}
		if err := c.WriteJSON(map[string]int{"a": 1}); err != nil {
			t.Fatal(err)
		}
		wantMessage(t, c, wsframework.TextMessage, `{"a":1}`)
	})
}

// Each frame has a key of its own, also of those that leave together.
func TestClientMasks(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		const frames = 100
		keys := make(chan int, 1)
		s := n.rawServe(t, func(p *rawPeer) {
			p.accept("")
			for range frames {
				p.expect(wstest.TextFrame, "the same")
			}
			keys <- len(p.keys)
		})
		c := s.client(s.dialer())
		for range frames {
			c.WriteText("the same")
		}
		if got := receive(t, keys); got < frames-1 { // that three are equal has a chance of 1 to 10^13
			t.Errorf("%d frames were masked with %d keys", frames, got)
		}
	})
}
