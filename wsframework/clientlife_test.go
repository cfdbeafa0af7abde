package wsframework_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestClientKeepAlive(t *testing.T) {
	tests := []struct {
		name              string
		interval, timeout time.Duration
		answers           int
		end               time.Duration
	}{
		{"no answer", 0, 0, 0, 45 * time.Second},
		{"two answers", 0, 0, 2, 95 * time.Second},
		{"settings", 10 * time.Second, 3 * time.Second, 1, 23 * time.Second},
	}
	for _, test := range tests {
		inBubble(t, func(t *testing.T, n network) {
			s := n.rawServe(t, func(p *rawPeer) {
				p.accept("")
				for i := 0; ; i++ {
					first, data, err := p.read()
					if err != nil {
						return
					}
					if first != wstest.PingFrame || data != "" {
						t.Errorf("%s: the server got frame %x %q", test.name, first, data)
					}
					if i < test.answers {
						p.write(serverFrame(wstest.PongFrame, ""))
					}
				}
			})
			options := s.dialer()
			options.PingInterval, options.PingTimeout = test.interval, test.timeout
			c := s.client(options)
			began := time.Now()
			cause := wantEnd(t, c, wsframework.CloseAbnormal, "")
			if took := time.Since(began); took != test.end || !errors.Is(cause, wsframework.ErrPingTimeout) {
				t.Errorf("%s: ended after %v with %v", test.name, took, cause)
			}
		})
	}
}

// Nobody is in ReadMessage, and the connection lives: pings are answered, closes are seen.
func TestClientReadsByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		s := n.rawServe(t, func(p *rawPeer) {
			p.accept(serverFrame(wstest.TextFrame, "1"))
			for i := range 3 {
				<-time.After(20 * time.Second) // within PingInterval of 25 s
				p.write(serverFrame(wstest.PingFrame, fmt.Sprint(i)))
				first, data, err := p.read()
				for err == nil && first == wstest.PingFrame {
					p.write(serverFrame(wstest.PongFrame, data))
					first, data, err = p.read()
				}
				if err != nil || first != wstest.PongFrame || data != fmt.Sprint(i) {
					t.Errorf("the server got frame %x %q (%v), want the pong %d", first, data, err, i)
				}
			}
			p.write(serverFrame(wstest.TextFrame, "2") + serverFrame(wstest.CloseFrame, closeBody(1001, "")))
			p.expect(wstest.CloseFrame, closeBody(1001, ""))
		})
		c := s.client(s.dialer())
		<-c.Context().Done()
		wantMessage(t, c, wsframework.TextMessage, "1")
		wantMessage(t, c, wsframework.TextMessage, "2")
		wantEnd(t, c, 1001, "")
	})
}

// Beyond MaxPendingIn reading stops, and goes on once somebody reads.
func TestClientMaxPendingIn(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		const messages = 100
		sent := make(chan int, messages)
		s := n.rawServe(t, func(p *rawPeer) {
			p.accept("")
			for i := range messages {
				p.write(serverFrame(wstest.BinaryFrame, strings.Repeat("a", 1000)))
				sent <- i
			}
			p.drain()
		})
		options := s.dialer()
		options.MaxPendingIn = 10_000
		options.PingInterval = -1
		c := s.client(options)
		synctest.Wait()
		// Ten and what the pipe, the reader and its buffer hold.
		if n := len(sent); n < 10 || n > 20 {
			t.Errorf("%d messages of 1000 bytes were read ahead, with a bound of 10000 bytes", n)
		}
		for range messages {
			wantMessage(t, c, wsframework.BinaryMessage, strings.Repeat("a", 1000))
		}
		synctest.Wait()
		if len(sent) != messages {
			t.Errorf("%d messages were sent", len(sent))
		}
	})
}

// A server that takes nothing.
func TestClientToSlowServer(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		block := make(chan struct{})
		s := n.rawServe(t, func(p *rawPeer) {
			p.accept("")
			<-block
		})
		defer close(block)
		options := s.dialer()
		options.MaxPendingOut, options.SlowConsumer = 10_000, wsframework.DropNewest
		c := s.client(options)
		refused := 0
		for range 20 {
			if err := c.WriteBinary(make([]byte, 1000)); err == wsframework.ErrSlowConsumer {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused < 8 || refused > 11 {
			t.Errorf("%d of 20 messages of 1000 bytes were refused, with a bound of 10000 bytes", refused)
		}
		began := time.Now()
		cause := wantEnd(t, c, wsframework.CloseAbnormal, "")
		if took := time.Since(began); !errors.Is(cause, wsframework.ErrWriteTimeout) || took < 30*time.Second || took > 38*time.Second {
			t.Errorf("ended after %v with %v", took, cause)
		}
	})
}

func TestClientPing(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		probes := make(chan *probe, 1)
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.ping = func(data []byte) { p.WriteText("pinged " + string(data)) }
			p.open = func() error { probes <- p; return nil }
		})
		c := s.client(s.dialer())
		if !c.LastPong().IsZero() {
			t.Error("a pong before a ping")
		}
		if err := c.Ping([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		wantMessage(t, c, wsframework.TextMessage, "pinged hi")
		if c.LastPong().IsZero() { // it left before the text
			t.Error("no pong")
		}
		if err := c.Ping(make([]byte, 126)); err == nil {
			t.Error("a ping of 126 bytes is accepted")
		}
		if err := c.WriteText("\xff"); err != wsframework.ErrInvalidUTF8 {
			t.Errorf("text in Latin 1: %v", err)
		}
		if err := c.WriteMessage(nil); err == nil {
			t.Error("nil is accepted")
		}
		p := receive(t, probes)
		p.expect(t, "open")
		p.expect(t, "ping hi")
		if err := p.Ping([]byte("back")); err != nil {
			t.Fatal(err)
		}
		p.expect(t, "pong back")
	})
}

// Many write, read, ping and close at the same time.
func TestClientFromManyGoroutines(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		const writers, each = 100, 20
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.events = make(chan string, 4*writers*each)
			p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		})
		options := s.dialer()
		options.MaxPendingIn = 1000
		c := s.client(options)
		var all, readers sync.WaitGroup
		var mu sync.Mutex
		got := 0
		enough := make(chan struct{})
		for range 3 {
			readers.Go(func() {
				for {
					if _, err := c.ReadMessage(t.Context()); err != nil {
						return
					}
					mu.Lock()
					if got++; got == writers*each/2 {
						close(enough)
					}
					mu.Unlock()
				}
			})
		}
		for w := range writers {
			all.Go(func() {
				for i := range each {
					if err := c.WriteText(fmt.Sprintf("%d %d", w, i)); err != nil && err != wsframework.ErrClosed {
						t.Error(err)
					}
					if w == 0 {
						c.Ping(nil)
					}
				}
			})
		}
		all.Go(func() {
			<-enough
			for range 3 {
				all.Go(func() { c.Close(4000, "enough") })
			}
		})
		all.Wait()
		readers.Wait()
		wantEnd(t, c, 4000, "enough")
	})
}

// What one goroutine writes arrives in that order, also when the queue has to wait.
func TestClientOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, echoing)
		c := s.client(s.dialer())
		const messages = 2000
		var written sync.WaitGroup
		written.Go(func() {
			for i := range messages {
				c.WriteMessage(i)
			}
			if err := c.Flush(t.Context()); err != nil {
				t.Errorf("Flush: %v", err)
			}
		})
		for i := range messages {
			wantMessage(t, c, wsframework.TextMessage, fmt.Sprint(i))
		}
		written.Wait()
	})
}
