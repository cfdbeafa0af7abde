package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// states keeps what OnState is told.
type states struct{ all []wsframework.ReconnectState }

func (s *states) note(state wsframework.ReconnectState) { s.all = append(s.all, state) }

func (s *states) String() string {
	var all []string
	for _, state := range s.all {
		all = append(all, fmt.Sprintf("%v %d", state.Phase, state.Attempts))
	}
	return strings.Join(all, ", ")
}

func TestReconnectPhases(t *testing.T) {
	if got := fmt.Sprint(wsframework.ReconnectConnecting, wsframework.ReconnectOpen, wsframework.ReconnectWaiting,
		wsframework.ReconnectEnded, wsframework.ReconnectPhase(-1), wsframework.ReconnectPhase(4)); got != "connecting open waiting ended unknown unknown" {
		t.Error(got)
	}
}

// readAll serves a connection by reading.
func readAll(c *wsframework.ClientConn) error {
	for {
		if _, err := c.ReadMessage(context.Background()); err != nil {
			return err
		}
	}
}

// The ends of a connection after which Reconnect connects again, and those after which it does not.
func TestReconnectOnCloseCodes(t *testing.T) {
	for code, final := range map[int]bool{
		1000: true, 1001: false, 1002: true, 1003: true, 1005: true, 1006: false, 1007: true, 1008: false, 1009: false,
		1010: false, 1011: false, 1012: false, 1013: false, 1014: false, 3000: true, 4000: true, 4401: true, 4999: true,
	} {
		inBubble(t, func(t *testing.T, n network) {
			times := 0
			s := n.rawServe(t, func(p *rawPeer) {
				if times++; times > 1 {
					code = 1000
				}
				switch code {
				case 1005:
					p.accept(serverFrame(wstest.CloseFrame, ""))
				case 1006:
					p.accept("")
					return
				default:
					p.accept(serverFrame(wstest.CloseFrame, closeBody(code, "so")))
				}
				p.drain()
			})
			first := code
			got := new(states)
			err := wsframework.Reconnect(t.Context(), "ws://example.com/", &wsframework.ReconnectOptions{
				Connect: s.dialer(), OnState: got.note,
			}, readAll)
			want, last := "connecting 0, open 0, ended 0", first
			if !final {
				want, last = "connecting 0, open 0, waiting 1, connecting 1, open 1, ended 1", 1000
			}
			var end *wsframework.CloseError
			if got.String() != want || !errors.As(err, &end) || end.Code != last || got.all[len(got.all)-1].Err != err {
				t.Errorf("%d: %v, and the states %v; want %d, %s", first, err, got, last, want)
			}
		})
	}
}

// Answers to the handshake after which Reconnect tries again, and those after which it does not.
func TestReconnectOnRefusals(t *testing.T) {
	for status, final := range map[int]bool{
		200: false, 302: false, 400: true, 401: true, 403: true, 404: true, 408: false, 426: true, 429: false,
		500: false, 502: false, 503: false,
	} {
		inBubble(t, func(t *testing.T, n network) {
			times := 0
			s := n.rawServe(t, func(p *rawPeer) {
				if times++; times == 1 {
					p.write(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status))
					return
				}
				p.accept("")
				p.drain()
			})
			got := new(states)
			err := wsframework.Reconnect(t.Context(), "ws://example.com/", &wsframework.ReconnectOptions{
				Connect: s.dialer(), OnState: got.note,
			}, func(c *wsframework.ClientConn) error { return nil })
			var refused *wsframework.HandshakeError
			switch {
			case final && (got.String() != "connecting 0, ended 0" || !errors.As(err, &refused) || refused.Status != status):
				t.Errorf("%d: %v, and the states %v", status, err, got)
			case !final && (got.String() != "connecting 0, waiting 1, connecting 1, open 1, ended 1" || err != nil):
				t.Errorf("%d: %v, and the states %v", status, err, got)
			case !final && (!errors.As(got.all[1].Err, &refused) || refused.Status != status):
				t.Errorf("%d: it waits because of %v", status, got.all[1].Err)
			}
		})
	}
}

// The waits grow up to a bound, are spread below it, and begin anew after a connection that lasted.
func TestReconnectBackOff(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		away := errors.New("away")
		const attempts = 200
		dials := 0
		var s *rawServer
		options := dialWith(t, func() (net.Conn, error) {
			if dials++; dials%20 == 0 {
				return s.dial()
			}
			return nil, away
		})
		s = n.rawServe(t, func(p *rawPeer) {
			p.accept("")
			lasts := 4 * time.Second
			if dials%40 == 0 {
				lasts = 5 * time.Second
			}
			<-time.After(lasts)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		var shortest, longest [10]float64 // share of the bound, by attempt
		for i := range shortest {
			shortest[i] = 1
		}
		err := wsframework.Reconnect(ctx, "ws://example.com/", &wsframework.ReconnectOptions{
			Connect: options,
			OnState: func(state wsframework.ReconnectState) {
				if state.Phase != wsframework.ReconnectWaiting {
					return
				}
				bound := min(15*time.Second, 500*time.Millisecond<<min(state.Attempts-1, 10))
				share := float64(time.Until(state.Until)) / float64(bound)
				i := min(state.Attempts-1, 9)
				shortest[i], longest[i] = min(shortest[i], share), max(longest[i], share)
				want := (dials-1)%40 + 1
				if dials%40 == 0 {
					want = 1 // it lasted
				} else if dials > 40 {
					want++ // the wait behind the one that lasted counts
				}
				if state.Attempts != want {
					t.Errorf("after %d dials there were %d attempts, want %d", dials, state.Attempts, want)
				}
				if dials == attempts {
					cancel(stop)
				}
			},
		}, readAll)
		if err != stop || dials != attempts {
			t.Errorf("ended with %v after %d dials", err, dials)
		}
		// 100 and more waits with the last bound: that all miss a quarter of it has a chance of 1 to 10^12.
		if shortest[9] > 0.25 || longest[9] < 0.75 {
			t.Errorf("the waits are %.2f to %.2f of their bound", shortest[9], longest[9])
		}
		for i := range longest {
			if longest[i] > 1 {
				t.Errorf("a wait is %.2f of its bound", longest[i])
			}
		}
	})
}

// How it ends on our own side.
func TestReconnectEnds(t *testing.T) {
	own := errors.New("own")
	tests := []struct {
		name  string
		serve func(cancel func(), c *wsframework.ClientConn) error
		err   error
		code  int // as the server sees it
	}{
		{"nil", func(_ func(), c *wsframework.ClientConn) error { return nil }, nil, 1000},
		{"an error", func(_ func(), c *wsframework.ClientConn) error { return own }, own, 1000},
		{"Close", func(_ func(), c *wsframework.ClientConn) error { c.Close(4000, ""); return readAll(c) }, nil, 4000},
		{"Close, then an error", func(_ func(), c *wsframework.ClientConn) error { c.Close(4000, ""); return own }, own, 4000},
		{"Close, then a write", func(_ func(), c *wsframework.ClientConn) error { c.Close(4000, ""); return c.WriteText("") }, nil, 4000},
		{"the context", func(cancel func(), c *wsframework.ClientConn) error { cancel(); return readAll(c) }, context.Canceled, 1001},
	}
	for _, test := range tests {
		everywhere(t, func(t *testing.T, n network) {
			ended := make(chan int, 1)
			s := n.probes(t, wsframework.Settings{}, func(p *probe) { p.close = func() { ended <- p.closeCode } })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := new(states)
			err := wsframework.Reconnect(ctx, "ws://example.com/ws", &wsframework.ReconnectOptions{Connect: s.dialer(), OnState: got.note},
				func(c *wsframework.ClientConn) error { return test.serve(cancel, c) })
			if err != test.err || got.String() != "connecting 0, open 0, ended 0" {
				t.Errorf("%s: %v, and the states %v", test.name, err, got)
			}
			if code := receive(t, ended); code != test.code {
				t.Errorf("%s: the server saw %d, want %d", test.name, code, test.code)
			}
		})
	}
}

// A context that ends while nothing is connected, and the choices of the caller.
func TestReconnectOptions(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		dials := 0
		away := errors.New("away")
		options := &wsframework.ReconnectOptions{
			Connect:  dialWith(t, func() (net.Conn, error) { dials++; return nil, away }),
			MinDelay: time.Hour,
			MaxDelay: time.Minute,
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		began := time.Now()
		if err := wsframework.Reconnect(ctx, "ws://example.com/", options, readAll); err != context.DeadlineExceeded || time.Since(began) != 30*time.Minute {
			t.Errorf("ended after %v with %v", time.Since(began), err)
		}
		if dials < 30 || dials > 120 { // half a minute each
			t.Errorf("dialled %d times in half an hour", dials)
		}
		options.Final = func(err error) bool { return errors.Is(err, away) }
		dials = 0
		if err := wsframework.Reconnect(t.Context(), "ws://example.com/", options, readAll); !errors.Is(err, away) || dials != 1 {
			t.Errorf("after %d dials: %v", dials, err)
		}
		if err := wsframework.Reconnect(t.Context(), "nowhere", nil, readAll); err == nil {
			t.Error("a wrong URL is no error")
		}
		for _, delay := range []time.Duration{-1, 1} { // no waits to speak of
			dials = 0
			options.MinDelay, options.MaxDelay = delay, time.Duration(1)
			options.Final = func(error) bool { return dials == 1000 }
			if err := wsframework.Reconnect(t.Context(), "ws://example.com/", options, readAll); !errors.Is(err, away) {
				t.Error(err)
			}
		}
	})
}

// A server that does not read is lost, too.
func TestReconnectFromSlowServer(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		times := 0
		blocked := make(chan struct{})
		s := n.rawServe(t, func(p *rawPeer) {
			p.accept("")
			if times++; times == 1 {
				<-blocked
				return
			}
			p.drain()
		})
		options := s.dialer()
		options.MaxPendingOut = 1000
		got := new(states)
		err := wsframework.Reconnect(t.Context(), "ws://example.com/", &wsframework.ReconnectOptions{Connect: options, OnState: got.note},
			func(c *wsframework.ClientConn) error {
				if len(got.all) > 2 {
					return nil
				}
				defer close(blocked)
				for {
					if err := c.WriteBinary(make([]byte, 100)); err != nil {
						return err
					}
				}
			})
		if err != nil || got.String() != "connecting 0, open 0, waiting 1, connecting 1, open 1, ended 1" || !errors.Is(got.all[2].Err, wsframework.ErrSlowConsumer) {
			t.Errorf("%v, and the states %v", err, got)
		}
	})
}
