package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

func TestLife8LivenessBesideALongCallback(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		release := make(chan struct{})
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				if m.String() == "block" {
					<-release
				}
				return p.WriteMessage(m)
			}
		})
		cl.Write("block")
		for i := range 10 { // pings are answered
			cl.Ping(fmt.Sprint(i))
			cl.ExpectPong(fmt.Sprint(i))
		}
		for i := range 100 { // data is read
			cl.Write(fmt.Sprint(i))
		}
		if err := p.Ping([]byte("p")); err != nil { // pongs count
			t.Fatal(err)
		}
		cl.ExpectPing("p")
		before := p.LastPong()
		cl.Pong("p")
		cl.Ping("x")
		cl.ExpectPong("x")
		if !p.LastPong().After(before) {
			t.Error("the pong did not count")
		}
		if err := p.WriteText("beside"); err != nil { // writes go out
			t.Fatal(err)
		}
		cl.Expect("beside")
		cl.WriteClose(1000, "left") // a peer that leaves cancels the context
		<-p.Context().Done()
		close(release)
		<-p.done
		p.expect(t, "open")
		p.expect(t, "message block")
		for i := range 10 {
			p.expect(t, fmt.Sprint("ping ", i))
		}
		for i := range 100 { // what came before the close frame is delivered
			p.expect(t, fmt.Sprint("message ", i))
		}
		p.expect(t, "pong p")
		p.expect(t, "ping x")
		p.expect(t, "close 1000 left")
	})
}

func TestLife8ReadingStopsAtTheBound(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{MaxPendingIn: 10 << 10}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				if m.String() == "block" {
					<-time.After(10 * time.Minute) // fake
				}
				return nil
			}
		})
		go io.Copy(io.Discard, cl.Conn()) // pings are not even answered
		cl.Write("block")
		sent := make(chan int)
		var count atomic.Int32
		go func() {
			for range 100 {
				cl.Write(strings.Repeat("x", 1000))
				count.Add(1)
			}
			sent <- 1
		}()
		<-time.After(9 * time.Minute)
		synctest.Wait()
		if c := count.Load(); c < 8 || c > 20 {
			t.Errorf("%d messages were read ahead", c)
		}
		if p.Context().Err() != nil {
			t.Error("closed although it was our reading that stopped")
		}
		<-sent
		cl.WriteClose(1000, "")
		<-p.done
		if p.closeCode != 1000 {
			t.Errorf("closed with %d, %v", p.closeCode, p.cause)
		}
	})
}

func TestLife8PeerThatVanishesDuringALongCallback(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				<-p.Context().Done()
				return context.Cause(p.Context())
			}
		})
		start := time.Now()
		cl.Write("block")
		cl.ExpectPing("") // and no answer
		<-p.done
		if took := time.Since(start); took != 45*time.Second {
			t.Errorf("found out after %v", took)
		}
		if p.closeCode != 1006 || !errors.Is(p.cause, wsframework.ErrPingTimeout) {
			t.Errorf("closed with %d, %v", p.closeCode, p.cause)
		}
	})
}

func TestLife9NoLockAroundCallbacks(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		everything := func(p *probe) {
			p.Join("a")
			p.Broadcast("a", "x")
			p.BroadcastOthers("a", "x")
			p.Leave("a")
			p.Join("a")
			p.Groups()
			p.IsOpen()
			p.Logger()
			p.After(time.Hour, func() error { return nil })()
			p.Ping(nil)
			p.Application().Broadcast(context.Background(), "a", "x")
			for h := range p.Application().Connections() {
				h.(*probe).WriteText("x")
			}
		}
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.open = func() error { everything(p); return nil }
			p.message = func(wsframework.Message) error { everything(p); return nil }
			p.ping = func([]byte) { everything(p) }
			p.pong = func([]byte) { everything(p) }
			p.close = func() { everything(p) }
		})
		go io.Copy(io.Discard, cl.Conn())
		cl.Write("x")
		cl.Ping("x")
		cl.Pong("x")
		cl.WriteClose(1000, "")
		<-p.done
	})
}

func TestLife10ShutdownInACallback(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				if err := p.Application().Shutdown(context.Background()); !errors.Is(err, wsframework.ErrInCallback) {
					t.Errorf("Shutdown in OnMessage: %v", err)
				}
				return p.Go(func(context.Context) error {
					if err := p.Application().Shutdown(context.Background()); !errors.Is(err, wsframework.ErrInCallback) {
						t.Errorf("Shutdown in Go: %v", err)
					}
					return p.WriteText("refused")
				})
			}
		})
		cl.Write("go")
		cl.Expect("refused")
		ended := make(chan error, 1)
		go func() { ended <- s.app.Shutdown(context.Background()) }()
		shake(t, cl, 1001, "the server shuts down")
		if err := receive(t, ended); err != nil {
			t.Error(err)
		}
		<-p.done
	})
}
