package wsframework_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Close codes on their way from the client, as the client and the server see them.
func TestClientCloses(t *testing.T) {
	long := strings.Repeat("明", 42)
	tests := []struct {
		code, sent      int
		reason, arrives string
		invalid         bool
	}{
		{0, 1005, "", "", false},
		{0, 1000, "bye", "bye", false},
		{1000, 1000, "", "", false},
		{1001, 1001, "leaving", "leaving", false},
		{4999, 4999, long, long[:123], false},
		{4000, 4000, "\xff", "\uFFFD", false},
		{1005, 1011, "x", "", true},
		{1006, 1011, "", "", true},
		{1015, 1011, "", "", true},
		{999, 1011, "", "", true},
		{5000, 1011, "", "", true},
	}
	everywhere(t, func(t *testing.T, n network) {
		probes := make(chan *probe, 1)
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.open = func() error { probes <- p; return nil }
		})
		for _, test := range tests {
			c := s.client(s.dialer())
			p := receive(t, probes)
			c.WriteText("last")
			if err := c.Close(test.code, test.reason); (err != nil) != test.invalid {
				t.Errorf("Close(%d, %q): %v", test.code, test.reason, err)
			}
			for name, err := range map[string]error{
				"Close": c.Close(4000, ""), "WriteText": c.WriteText("a"), "WriteJSON": c.WriteJSON(1),
				"WriteBinary": c.WriteBinary(nil), "WriteMessage": c.WriteMessage("a"), "Ping": c.Ping(nil),
			} {
				if err != wsframework.ErrClosed {
					t.Errorf("%s after Close: %v", name, err)
				}
			}
			if cause := wantEnd(t, c, test.sent, test.arrives); cause.Remote || (cause.Err != nil) != test.invalid {
				t.Errorf("the cause is %v", cause)
			}
			receive(t, p.done)
			p.expect(t, "open")
			p.expect(t, "message last")
			if p.closeCode != test.sent || p.closeText != test.arrives || !p.cause.Remote {
				t.Errorf("the server saw %d %q (%v), want %d %q", p.closeCode, p.closeText, p.cause, test.sent, test.arrives)
			}
			if err := c.Flush(t.Context()); err != nil && err != wsframework.ErrClosed {
				t.Errorf("Flush after the end: %v", err)
			}
		}
	})
}

// What came before the server's close is read first, however late.
func TestServerClosesClient(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		for code, reason := range map[int]string{1000: "", 1001: "restart", 4321: "到此为止", 0: ""} {
			s := n.probes(t, wsframework.Settings{}, func(p *probe) {
				p.open = func() error {
					p.WriteText("1")
					p.WriteText("2")
					return p.Close(code, reason)
				}
			})
			c := s.client(s.dialer())
			want := cmp.Or(code, wsframework.CloseNoStatus)
			<-c.Context().Done()
			wantMessage(t, c, wsframework.TextMessage, "1")
			wantMessage(t, c, wsframework.TextMessage, "2")
			for range 2 {
				if cause := wantEnd(t, c, want, reason); !cause.Remote || cause.Code != want || cause.Err != nil {
					t.Errorf("the cause is %v", cause)
				}
			}
		}
	})
}

// A context bounds one call of ReadMessage and nothing else.
func TestClientReadContext(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		probes := make(chan *probe, 1)
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.open = func() error { probes <- p; return nil }
		})
		connecting, connected := context.WithCancel(t.Context())
		options := s.dialer()
		c, err := wsframework.Connect(connecting, "ws://example.com/ws", options)
		if err != nil {
			t.Fatal(err)
		}
		connected() // bounds the handshake only
		defer endClient(t, c)
		over := errors.New("over")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(over)
		if _, err := c.ReadMessage(ctx); err != over {
			t.Errorf("ReadMessage: %v", err)
		}
		receive(t, probes).WriteText("still here")
		wantMessage(t, c, wsframework.TextMessage, "still here")
	})
}

// A server that does not answer a close frame.
func TestClientCloseTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, time.Second: time.Second} {
			s := n.rawServe(t, func(p *rawPeer) {
				p.accept(serverFrame(wstest.TextFrame, "dropped"))
				if closes := p.drain(); len(closes) != 1 || closes[0] != closeBody(4000, "") {
					t.Errorf("the server got the closes %q", closes)
				}
			})
			options := s.dialer()
			options.CloseTimeout = timeout
			c := s.client(options)
			began := time.Now()
			c.Close(4000, "")
			wantEnd(t, c, 4000, "")
			if took := time.Since(began); took != want {
				t.Errorf("with a CloseTimeout of %v it took %v", timeout, took)
			}
		}
	})
}
