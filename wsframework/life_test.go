package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// The tests of the files life*_test.go stand for the numbered points of the package documentation.

// one serves a single probe and connects a client to it.
func one(t *testing.T, n network, settings wsframework.Settings, configure func(*probe)) (*server, *probe, *wstest.Client) {
	t.Helper()
	var mu sync.Mutex
	var latest *probe
	s := n.probes(t, settings, func(p *probe) {
		configure(p)
		mu.Lock()
		latest = p
		mu.Unlock()
	})
	cl := s.connect()
	mu.Lock()
	defer mu.Unlock()
	return s, latest, cl
}

func TestLife2CallbacksNeverOverlap(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		var inside, overlaps atomic.Int32
		guard := func() {
			if inside.Add(1) != 1 {
				overlaps.Add(1)
			}
			for range 100 {
				runtime.Gosched()
			}
			inside.Add(-1)
		}
		count := 0 // a handler's field: no lock
		_, p, cl := one(t, n, wsframework.Settings{PingInterval: time.Millisecond}, func(p *probe) {
			p.open = func() error {
				p.Every(time.Millisecond, func() error { guard(); count++; return nil })
				p.After(time.Millisecond, func() error { guard(); count++; return nil })
				guard()
				return nil
			}
			p.message = func(m wsframework.Message) error { guard(); count++; return p.WriteMessage(m) }
			p.ping = func([]byte) { guard(); count++ }
			p.pong = func([]byte) { guard(); count++ }
			p.close = func() { guard(); count++ }
		})
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				if _, _, err := cl.ReadFrame(); err != nil {
					return
				}
			}
		}()
		for i := range 200 {
			cl.Ping("p")
			cl.Write(fmt.Sprint(i))
			cl.Pong("q")
		}
		cl.WriteClose(1000, "")
		<-p.done
		<-read
		if overlaps.Load() > 0 {
			t.Errorf("%d callbacks overlapped", overlaps.Load())
		}
		if count < 600 {
			t.Errorf("only %d callbacks ran", count)
		}
	})
}

func TestLife2MessagesWaitForOpen(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		release := make(chan struct{})
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.open = func() error {
				if n.fake {
					<-time.After(time.Minute) // fake: Open takes a minute
				} else {
					<-release
				}
				p.events <- "opened"
				return p.WriteText("opened")
			}
			p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		})
		cl.Write("one")
		cl.Write("two")
		cl.Ping("still alive?")
		cl.ExpectPong("still alive?") // while Open runs
		close(release)
		cl.Expect("opened")
		cl.Expect("one")
		cl.Expect("two")
		for _, want := range []string{"open", "opened", "message one", "message two"} {
			p.expect(t, want)
		}
	})
}

func TestLife3OnCloseRunsOnce(t *testing.T) {
	errFailed := errors.New("it failed")
	fail := func() error { return errFailed }
	blow := func() error { panic("kaboom") }
	tests := []struct {
		name      string
		settings  wsframework.Settings
		configure func(*probe)
		act       func(*server, *wstest.Client)
		code      int
		reason    string
		remote    bool
		cause     error // what the cause wraps
		logged    string
	}{
		{name: "clean close", act: func(s *server, cl *wstest.Client) {
			cl.WriteClose(4000, "bye")
			expectClose(s.t, cl, 4000, "")
			cl.ExpectEnd()
		},
			code: 4000, reason: "bye", remote: true},
		{name: "close without code", act: func(s *server, cl *wstest.Client) {
			cl.WriteClose(1005, "")
			expectClose(s.t, cl, 1005, "")
			cl.ExpectEnd()
		},
			code: 1005, remote: true},
		{name: "dropped", act: func(s *server, cl *wstest.Client) { cl.Vanish() },
			code: 1006, cause: wsframework.ErrPeerGone},
		{name: "Open fails", configure: func(p *probe) { p.open = fail },
			act: func(s *server, cl *wstest.Client) { shake(s.t, cl, 1011, "") }, code: 1011, cause: errFailed, logged: "it failed"},
		{name: "Open panics", configure: func(p *probe) { p.open = blow },
			act: func(s *server, cl *wstest.Client) { shake(s.t, cl, 1011, "") }, code: 1011, logged: "kaboom"},
		{name: "OnMessage fails", configure: func(p *probe) { p.message = func(wsframework.Message) error { return errFailed } },
			act: func(s *server, cl *wstest.Client) { cl.Write("x"); shake(s.t, cl, 1011, "") }, code: 1011, cause: errFailed, logged: "OnMessage"},
		{name: "OnMessage panics", configure: func(p *probe) { p.message = func(wsframework.Message) error { panic(errFailed) } },
			act: func(s *server, cl *wstest.Client) { cl.Write("x"); shake(s.t, cl, 1011, "") }, code: 1011, cause: errFailed, logged: "life_test.go"},
		{name: "OnPing panics", configure: func(p *probe) { p.ping = func([]byte) { panic("kaboom") } },
			act:  func(s *server, cl *wstest.Client) { cl.Ping("x"); cl.ExpectPong("x"); shake(s.t, cl, 1011, "") },
			code: 1011, logged: "OnPing"},
		{name: "OnPong panics", configure: func(p *probe) { p.pong = func([]byte) { panic("kaboom") } },
			act: func(s *server, cl *wstest.Client) { cl.Pong("x"); shake(s.t, cl, 1011, "") }, code: 1011, logged: "OnPong"},
		{name: "OnClose panics", configure: func(p *probe) { p.close = func() { panic("kaboom") } },
			act: func(s *server, cl *wstest.Client) {
				cl.WriteClose(1000, "bye")
				expectClose(s.t, cl, 1000, "")
				cl.ExpectEnd()
			},
			code: 1000, reason: "bye", remote: true, logged: "OnClose"},
		{name: "a timer fails", configure: func(p *probe) { p.open = func() error { p.After(time.Millisecond, fail); return nil } },
			act: func(s *server, cl *wstest.Client) { shake(s.t, cl, 1011, "") }, code: 1011, cause: errFailed, logged: "timer"},
		{name: "Go fails", configure: func(p *probe) {
			p.open = func() error { return p.Go(func(context.Context) error { return errFailed }) }
		},
			act: func(s *server, cl *wstest.Client) { shake(s.t, cl, 1011, "") }, code: 1011, cause: errFailed, logged: "Go"},
		{name: "Go panics", configure: func(p *probe) {
			p.open = func() error { return p.Go(func(context.Context) error { panic("kaboom") }) }
		}, act: func(s *server, cl *wstest.Client) { shake(s.t, cl, 1011, "") }, code: 1011, logged: "kaboom"},
		{name: "a close error", configure: func(p *probe) {
			p.message = func(wsframework.Message) error {
				return fmt.Errorf("wrapped: %w", &wsframework.CloseError{Code: 4100, Reason: "enough"})
			}
		}, act: func(s *server, cl *wstest.Client) { cl.Write("x"); shake(s.t, cl, 4100, "enough") }, code: 4100, reason: "enough"},
		{name: "Goexit", configure: func(p *probe) {
			p.message = func(wsframework.Message) error { runtime.Goexit(); return nil }
		}, act: func(s *server, cl *wstest.Client) { cl.Write("x"); shake(s.t, cl, 1011, "") }, code: 1011, logged: "Goexit"},
		{name: "shutdown", act: func(s *server, cl *wstest.Client) {
			go s.app.Shutdown(context.Background())
			shake(s.t, cl, 1001, "the server shuts down")
		}, code: 1001, reason: "the server shuts down", cause: wsframework.ErrShutdown},
		{name: "no pong", settings: wsframework.Settings{PingInterval: 20 * time.Millisecond, PingTimeout: 20 * time.Millisecond},
			act: func(s *server, cl *wstest.Client) { cl.ExpectPing(""); cl.ExpectEnd() }, code: 1006, cause: wsframework.ErrPingTimeout},
		{name: "slow peer", settings: wsframework.Settings{WriteTimeout: 50 * time.Millisecond, MaxPendingOut: -1},
			configure: func(p *probe) {
				p.open = func() error { return p.WriteBinary(make([]byte, 16<<20)) }
			}, act: func(s *server, cl *wstest.Client) {}, code: 1006, cause: wsframework.ErrWriteTimeout},
		{name: "not UTF-8", act: func(s *server, cl *wstest.Client) { cl.Write("\xff"); shake(s.t, cl, 1007, "text is not UTF-8") },
			code: 1007, reason: "text is not UTF-8"},
		{name: "too big", settings: wsframework.Settings{MaxMessageSize: 10},
			act: func(s *server, cl *wstest.Client) {
				cl.Write("12345678901")
				shake(s.t, cl, 1009, "message of more than 10 bytes")
			},
			code: 1009, reason: "message of more than 10 bytes"},
		{name: "not masked", act: func(s *server, cl *wstest.Client) {
			cl.WriteRaw([]byte{0x81, 1, 'x'})
			shake(s.t, cl, 1002, "frame is not masked")
		},
			code: 1002, reason: "frame is not masked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				s, p, cl := one(t, n, tt.settings, func(p *probe) {
					if tt.configure != nil {
						tt.configure(p)
					}
				})
				tt.act(s, cl)
				<-p.done
				if p.closeCode != tt.code || p.closeText != tt.reason {
					t.Errorf("closed with %d %q, want %d %q", p.closeCode, p.closeText, tt.code, tt.reason)
				}
				if p.cause == nil || p.cause.Remote != tt.remote || tt.cause != nil && !errors.Is(p.cause, tt.cause) {
					t.Errorf("cause %v, want %v", p.cause, tt.cause)
				}
				if p.Context().Err() == nil {
					t.Error("the context lives on")
				}
				s.app.Shutdown(context.Background()) // a second OnClose would close p.done again and panic
				if log := s.log.String(); tt.logged == "" && log != "" || !strings.Contains(log, tt.logged) {
					t.Errorf("log %q, want %q", log, tt.logged)
				}
			})
		})
	}
}
