package wsframework_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Whatever the application calls may touch one map without a lock. (No lock and no atomic here may order
// what Settings.Serial is to order: the race detector is the judge.)
func TestSerialSharedMap(t *testing.T) {
	for _, n := range networks[:2] {
		const connections, messages = 200, 5
		test := func(t *testing.T) {
			counts := make(map[string]int)
			count := func(name string) { counts[name]++ }
			s := n.probes(t, wsframework.Settings{Serial: true, PingInterval: -1}, func(p *probe) {
				count("factory")
				p.prepare = func() error { count("prepare"); return nil }
				p.user = func() (any, error) { count("user"); return "ann", nil }
				p.origin = func(string) bool { count("origin"); return true }
				p.subproto = func([]string) string { count("subprotocol"); return "" }
				p.open = func() error {
					count("open")
					p.After(0, func() error { count("tick"); return nil })
					p.Application().CallLater(0, func() { count("later") })
					return p.Go(func(context.Context) error {
						return p.Application().AddCallback(func() { count("added") })
					})
				}
				p.message = func(wsframework.Message) error { count("message"); return p.WriteText("x") }
				p.ping = func([]byte) { count("ping") }
				p.pong = func([]byte) { count("pong") }
				p.close = func() { count("close") }
			})
			stop := s.app.Every(time.Millisecond, func() { count("every") })
			for range connections / 20 {
				var group sync.WaitGroup
				for range 20 {
					cl := s.connect(wstest.Origin("http://example.com"))
					group.Go(func() {
						go io.Copy(io.Discard, cl.Conn())
						for range messages {
							cl.Write("x")
						}
						cl.Ping("")
						cl.Pong("")
						cl.WriteClose(1000, "")
					})
				}
				group.Wait()
			}
			if n.fake {
				<-time.After(ms(10))
			}
			want := map[string]int{"message": messages * connections}
			for _, name := range strings.Fields("factory prepare user origin subprotocol open added ping pong close") {
				want[name] = connections
			}
			want["factory"]++ // for the route
			for got, ticks := 0, 0; got != 2*connections || ticks == 0; {
				done := make(chan bool)
				look := func() { got, ticks = counts["close"]+counts["added"], counts["every"]; close(done) }
				if err := s.app.AddCallback(look); err != nil {
					t.Fatal(err)
				}
				<-done
			}
			stop()
			if err := s.app.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			// A timer may come too late for its connection or for Shutdown, and Every as often as it likes.
			for _, name := range []string{"tick", "later", "every"} {
				if counts[name] == 0 {
					t.Errorf("no %s", name)
				}
				delete(counts, name)
			}
			if !maps.Equal(counts, want) {
				t.Errorf("counted %v\nwant    %v", counts, want)
			}
		}
		t.Run(n.name, func(t *testing.T) {
			if n.fake {
				synctest.Test(t, test)
			} else {
				test(t)
			}
		})
	}
}

// holder serves probes one of which can keep the turn: "hold" does until release is called.
func holder(t *testing.T, n network, settings wsframework.Settings, configure func(*probe)) (s *server, cl *wstest.Client, release func()) {
	t.Helper()
	gate, held := make(chan struct{}), make(chan struct{}, 1)
	settings.Serial = true
	s = n.probes(t, settings, func(p *probe) {
		if configure != nil {
			configure(p)
		}
		next := p.message
		p.message = func(m wsframework.Message) error {
			switch {
			case m.String() == "hold":
				held <- struct{}{}
				<-gate
			case next != nil:
				return next(m)
			}
			return nil
		}
	})
	cl = s.connect()
	cl.Write("hold")
	receive(t, held)
	return s, cl, func() { close(gate) }
}

// A connection that waits for its turn lives: what reads, pings and writes does not wait.
func TestSerialLiveness(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		var latest *probe
		s, _, release := holder(t, n, wsframework.Settings{}, func(p *probe) {
			p.subproto = func([]string) string { return "" }
			latest = p
			p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		})
		opened := make(chan *wstest.Client)
		go func() { opened <- s.connect() }() // its handshake waits
		if n.fake {
			synctest.Wait()
		}
		select {
		case <-opened:
			t.Fatal("a handshake did not wait for its turn")
		default:
		}
		release()
		cl := receive(t, opened)
		p := latest
		p.expect(t, "open")

		again := s.connect()
		begun, first := make(chan struct{}), make(chan struct{})
		if err := s.app.AddCallback(func() { close(begun); <-first }); err != nil {
			t.Fatal(err)
		}
		<-begun
		cl.Write("waits")
		for i := range 10 { // pings are answered
			cl.Ping(fmt.Sprint(i))
			cl.ExpectPong(fmt.Sprint(i))
		}
		if err := p.WriteText("beside"); err != nil {
			t.Fatal(err)
		}
		if err := p.Ping([]byte("p")); err != nil {
			t.Fatal(err)
		}
		cl.Expect("beside")
		cl.ExpectPing("p")
		cl.Pong("p")
		cl.WriteClose(1000, "left")
		<-p.Context().Done() // a peer that leaves cancels the context
		if p.LastPong().IsZero() {
			t.Error("the pong did not count")
		}
		close(first)
		<-p.done
		p.expect(t, "message waits")
		again.Write("x")
		again.Expect("x")
	})
}

// Reading stops at the bound while a connection waits for its turn, as while its own callback runs.
func TestSerialBound(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{Serial: true, MaxPendingIn: 10 << 10}, func(p *probe) {})
		cl := s.connect()
		go io.Copy(io.Discard, cl.Conn())
		hold := make(chan struct{})
		s.app.AddCallback(func() { <-hold })
		synctest.Wait()
		sent, all := 0, make(chan struct{})
		go func() {
			defer close(all)
			for sent < 100 {
				cl.Write(strings.Repeat("x", 1000))
				sent++
			}
		}()
		<-time.After(9 * time.Minute)
		synctest.Wait()
		if sent < 8 || sent > 20 {
			t.Errorf("%d messages were read ahead", sent)
		}
		close(hold)
		<-all
	})
}

// While Flush waits others have the turn, and then it is taken back.
func TestSerialFlush(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		var lines []string // touched in the line only
		note := func(line string) { lines = append(lines, line) }
		hold := make(chan struct{})
		s := n.probes(t, wsframework.Settings{Serial: true, PingInterval: -1}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				note(m.String() + " begins")
				switch m.String() {
				case "flush":
					if err := p.WriteText("slow"); err != nil {
						return err
					}
					if err := p.Flush(p.Context()); err != nil {
						return err
					}
				case "hold":
					<-hold
				}
				note(m.String() + " ends")
				return nil
			}
		})
		a, b, c := s.connect(), s.connect(), s.connect()
		a.Write("flush")
		synctest.Wait() // it waits for a, who does not read
		b.Write("hold")
		synctest.Wait()
		a.Expect("slow")
		synctest.Wait() // the flush is done, and it is b's turn
		c.Write("last")
		synctest.Wait()
		close(hold)
		synctest.Wait()
		got := make(chan string)
		s.app.AddCallback(func() { got <- strings.Join(lines, ", ") })
		if got, want := <-got, "flush begins, hold begins, hold ends, flush ends, last begins, last ends"; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}

func TestSlowCallback(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings wsframework.Settings
		takes    time.Duration
		want     string
	}{
		{"long", wsframework.Settings{Serial: true}, ms(101), "callback=OnMessage duration=101ms"},
		{"short", wsframework.Settings{Serial: true}, ms(100), ""},
		{"allowed", wsframework.Settings{Serial: true, SlowCallback: time.Second}, ms(900), ""},
		{"set", wsframework.Settings{Serial: true, SlowCallback: ms(10)}, ms(20), "callback=OnMessage duration=20ms"},
		{"off", wsframework.Settings{Serial: true, SlowCallback: -1}, time.Hour, ""},
		{"not serial", wsframework.Settings{}, time.Hour, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				tt.settings.PingInterval, tt.settings.WriteTimeout = -1, -1
				s := n.probes(t, tt.settings, func(p *probe) {
					p.message = func(m wsframework.Message) error {
						if m.String() == "flush" { // waiting for a peer is no fault of ours
							p.WriteText("x")
							return p.Flush(p.Context())
						}
						<-time.After(tt.takes)
						return nil
					}
				})
				a, b := s.connect(), s.connect()
				a.Write("flush")
				synctest.Wait()
				<-time.After(time.Hour)
				a.Expect("x")
				synctest.Wait()
				a.Write("x")
				synctest.Wait()
				b.Ping("") // waits, which is not its fault either
				b.ExpectPong("")
				<-time.After(2 * time.Hour)
				synctest.Wait()
				log := s.log.String()
				if strings.Count(log, "took long") != min(1, len(tt.want)) || !strings.Contains(log, tt.want) {
					t.Errorf("log %q, want %q", log, tt.want)
				}
				if tt.want != "" && !strings.Contains(log, "level=WARN") || tt.want != "" && !strings.Contains(log, "route=/ws") {
					t.Errorf("log %q", log)
				}
			})
		})
	}
}

// However a callback ends, it gives up the turn.
func TestSerialTurnEnds(t *testing.T) {
	for name, end := range map[string]func() error{
		"error":  func() error { return errFailing },
		"panic":  func() error { panic("kaboom") },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				var where atomic.Value
				where.Store("")
				s := n.probes(t, wsframework.Settings{Serial: true}, func(p *probe) {
					here := where.Load()
					in := func(place string) error {
						if here == place {
							return end()
						}
						return nil
					}
					p.prepare = func() error { return in("prepare") }
					p.open = func() error { return in("open") }
					p.message = func(m wsframework.Message) error { p.WriteMessage(m); return in("message") }
					p.close = func() { in("close") }
				})
				for _, place := range []string{"prepare", "open", "message", "close"} {
					where.Store(place)
					if place == "prepare" {
						c, err := s.dial()
						if err != nil {
							t.Fatal(err)
						}
						fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
							"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", testKey)
						c.Read(make([]byte, 1))
						c.Close()
						continue
					}
					cl := s.connect()
					switch place {
					case "message":
						cl.Write("x")
						cl.Expect("x")
						expectClose(t, cl, 1011, "")
					case "open":
						expectClose(t, cl, 1011, "")
					}
					cl.WriteClose(1000, "")
				}
				where.Store("")
				done := make(chan struct{})
				if err := s.app.AddCallback(func() { close(done) }); err != nil {
					t.Fatal(err)
				}
				receive(t, done)
				cl := s.connect()
				cl.Write("on it goes")
				cl.Expect("on it goes")
			})
		})
	}
}

// Who is closed while it waits for its turn gets no message any more.
func TestSerialClosedWhileWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		var all []*probe
		s := n.probes(t, wsframework.Settings{Serial: true}, func(p *probe) {
			all = append(all, p)
			p.message = func(m wsframework.Message) error {
				<-time.After(time.Second)
				return all[len(all)-1].Close(4000, "enough")
			}
		})
		a, b := s.connect(), s.connect()
		synctest.Wait() // both are open
		a.Write("close it")
		synctest.Wait()
		b.Write("too late")
		shake(t, b, 4000, "enough")
		p := all[len(all)-1]
		<-p.done
		p.expect(t, "open")
		p.expect(t, "close 4000 enough")
	})
}

// Prepare may ask for the user: one hook within another is in the same turn.
func TestSerialNestedHook(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{Serial: true}, func(p *probe) {
			p.user = func() (any, error) { return "ann", nil }
			p.prepare = func() error { return p.SetHeader("X-User", fmt.Sprint(p.CurrentUser())) }
			p.message = func(wsframework.Message) error { return p.WriteMessage(p.CurrentUser()) }
		})
		p.expect(t, "open")
		cl.Write("who?")
		cl.Expect("ann")
	})
}

// Shutdown waits for those that wait for their turn, and is refused in one.
func TestSerialShutdown(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s, held, release := holder(t, n, wsframework.Settings{}, nil)
		refused := make(chan error, 1)
		if err := s.app.AddCallback(func() { refused <- s.app.Shutdown(context.Background()) }); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.app.Shutdown(context.Background()) }()
		expectClose(t, held, 1001, "the server shuts down")
		held.WriteClose(1000, "")
		select {
		case err := <-ended:
			t.Fatalf("Shutdown did not wait: %v", err)
		default:
		}
		release()
		if err := receive(t, refused); err != wsframework.ErrInCallback {
			t.Errorf("Shutdown in a turn: %v", err)
		}
		if err := receive(t, ended); err != nil {
			t.Error(err)
		}
	})
}
