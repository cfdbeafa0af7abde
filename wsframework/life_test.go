package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// The tests of this file stand for the numbered points of the package documentation.

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

func TestLife4WritesFromEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		const writers, each = 100, 50
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.open = func() error { return p.Join("g") }
			p.message = func(wsframework.Message) error { return p.WriteText("ready") }
		})
		cl.Write("go")
		cl.Expect("ready")
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					var err error
					if text := fmt.Sprintf("%d %d", w, i); i%5 == 4 {
						err = p.Broadcast("g", text)
					} else {
						err = p.WriteText(text)
					}
					if err != nil {
						t.Errorf("write: %v", err)
					}
				}
			})
		}
		next := make([]int, writers)
		for range writers * each {
			_, payload, err := cl.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			var w, i int
			fmt.Sscanf(string(payload), "%d %d", &w, &i)
			if next[w] != i {
				t.Fatalf("writer %d: message %d came in place of %d", w, i, next[w])
			}
			next[w]++
		}
		writing.Wait()
	})
}

func TestLife4WritesWhileThePeerCloses(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{SlowConsumer: wsframework.DropNewest}, func(p *probe) {})
		p.expect(t, "open")
		var writing sync.WaitGroup
		for range 100 {
			writing.Go(func() {
				for {
					err := p.WriteMessage("text")
					if errors.Is(err, wsframework.ErrClosed) {
						return
					}
					if err != nil && !errors.Is(err, wsframework.ErrSlowConsumer) {
						t.Errorf("write: %v", err)
						return
					}
				}
			})
		}
		go cl.WriteClose(1000, "bye")
		io.Copy(io.Discard, cl.Conn())
		writing.Wait()
		<-p.done
		if p.closeCode != 1000 || p.closeText != "bye" {
			t.Errorf("closed with %d %q", p.closeCode, p.closeText)
		}
	})
}

// acting lists the methods that act on a connection.
func acting(p *probe) map[string]func() error {
	return map[string]func() error{
		"WriteText":    func() error { return p.WriteText("x") },
		"WriteBinary":  func() error { return p.WriteBinary([]byte("x")) },
		"WriteJSON":    func() error { return p.WriteJSON(1) },
		"WriteMessage": func() error { return p.WriteMessage("x") },
		"Ping":         func() error { return p.Ping(nil) },
		"Close":        func() error { return p.Close(1000, "") },
		"Join":         func() error { return p.Join("g") },
		"Leave":        func() error { return p.Leave("g") },
		"SetNoDelay":   func() error { return p.SetNoDelay(true) },
		"Go":           func() error { return p.Go(func(context.Context) error { return nil }) },
		"SetHeader":    func() error { return p.SetHeader("X-A", "b") },
	}
}

func TestLife4BeforeOpenAndAfterClose(t *testing.T) {
	stray := new(probe)
	for name, call := range acting(stray) {
		if err := call(); !errors.Is(err, wsframework.ErrNotOpen) {
			t.Errorf("%s without a connection: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"Flush":           stray.Flush(t.Context()),
		"Broadcast":       stray.Broadcast("g", "x"),
		"BroadcastOthers": stray.BroadcastOthers("g", "x"),
	} {
		if !errors.Is(err, wsframework.ErrNotOpen) {
			t.Errorf("%s without a connection: %v", name, err)
		}
	}
	stray.Every(time.Second, func() error { return nil })()
	stray.After(time.Second, func() error { return nil })()
	if stray.CurrentUser() != nil || stray.Session() != nil || stray.Request() != nil || stray.PathValue("a") != "" ||
		stray.Argument("a") != "" || stray.RemoteIP() != "" || stray.ID() != "" || stray.Context() == nil ||
		stray.Application() != nil || stray.Logger() == nil || stray.Subprotocol() != "" || stray.IsOpen() ||
		!stray.LastPong().IsZero() || stray.CloseCode() != 0 || stray.CloseReason() != "" || stray.Groups() != nil {
		t.Error("a handler without a connection tells something")
	}

	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.prepare = func() error {
				for name, call := range acting(p) {
					if err := call(); name != "SetHeader" && !errors.Is(err, wsframework.ErrNotOpen) {
						t.Errorf("%s in Prepare: %v", name, err)
					}
				}
				return nil
			}
		})
		p.expect(t, "open")
		if err := p.SetHeader("X-A", "b"); !errors.Is(err, wsframework.ErrHandshakeDone) {
			t.Errorf("SetHeader after the handshake: %v", err)
		}
		if !p.IsOpen() || p.CloseCode() != 0 {
			t.Error("not open")
		}
		cl.WriteClose(1000, "")
		<-p.done
		for name, call := range acting(p) {
			err := call()
			ok := errors.Is(err, wsframework.ErrClosed)
			switch name {
			case "SetHeader":
				ok = errors.Is(err, wsframework.ErrHandshakeDone)
			case "SetNoDelay":
				ok = err != nil
			}
			if !ok {
				t.Errorf("%s after the close: %v", name, err)
			}
		}
		if id := p.ID(); p.IsOpen() || id == "" || p.ID() != id {
			t.Error("after the close it is open, or its ID changes")
		}
		p.Every(time.Second, func() error { t.Error("ticks after the close"); return nil })()
	})
}

func TestLife5WriteNeverBlocks(t *testing.T) {
	for name, policy := range map[string]wsframework.SlowConsumerPolicy{
		"close": wsframework.CloseSlow, "newest": wsframework.DropNewest, "oldest": wsframework.DropOldest,
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				_, p, cl := one(t, n, wsframework.Settings{MaxPendingOut: 1 << 20, SlowConsumer: policy}, func(p *probe) {})
				p.expect(t, "open")
				// The peer does not read.
				const size = 100 << 10
				var refused []int
				last := 0
				for i := 0; len(refused) < 3; i++ {
					last = i
					err := p.WriteText(fmt.Sprintf("%06d", i) + strings.Repeat("x", size))
					if errors.Is(err, wsframework.ErrClosed) && policy == wsframework.CloseSlow {
						break
					}
					if err != nil {
						if !errors.Is(err, wsframework.ErrSlowConsumer) {
							t.Fatal(err)
						}
						refused = append(refused, i)
					}
				}
				// Then it reads.
				var got []int
				switch policy {
				case wsframework.CloseSlow:
					for {
						first, payload, err := cl.ReadFrame()
						if err != nil {
							t.Fatal(err)
						}
						if first == wstest.CloseFrame {
							if string(payload[2:]) != "reads too slowly" {
								t.Errorf("close reason %q", payload)
							}
							cl.WriteClose(1008, "")
							break
						}
						if len(payload) != size+6 {
							t.Errorf("message of %d bytes", len(payload))
						}
					}
					<-p.done
					if p.closeCode != 1008 || !errors.Is(p.cause, wsframework.ErrSlowConsumer) {
						t.Errorf("closed with %d, %v", p.closeCode, p.cause)
					}
					return
				default:
					go p.Close(1000, "")
					for {
						first, payload, err := cl.ReadFrame()
						if err != nil {
							t.Fatal(err)
						}
						if first == wstest.CloseFrame {
							break
						}
						var i int
						fmt.Sscanf(string(payload[:6]), "%d", &i)
						got = append(got, i)
						if len(payload) != size+6 {
							t.Errorf("message of %d bytes", len(payload))
						}
					}
				}
				has := make(map[int]bool)
				for i, m := range got {
					has[m] = true
					if i > 0 && got[i-1] >= m {
						t.Errorf("order %v", got)
					}
				}
				for i, m := range refused {
					// With DropOldest it is accepted, but may be the oldest itself before long.
					if policy == wsframework.DropNewest && has[m] || policy == wsframework.DropOldest && i == len(refused)-1 && !has[m] {
						t.Errorf("refused %v, got %v", refused, got)
					}
				}
				if policy == wsframework.DropOldest && len(got) > last-2 {
					t.Errorf("nothing was dropped: %d of %d came", len(got), last+1)
				}
			})
		})
	}
}

func TestLife5Flush(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {})
		p.expect(t, "open")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		big := strings.Repeat("x", 32<<20) // more than any socket buffer takes
		if err := p.WriteText(big); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Flush(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("Flush: %v", err)
		}
		flushed := make(chan error, 1)
		go func() { flushed <- p.Flush(context.Background()) }()
		cl.Expect(big)
		if err := receive(t, flushed); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteText(big); err != nil {
			t.Fatal(err)
		}
		go func() { flushed <- p.Flush(context.Background()) }()
		cl.Vanish()
		if err := receive(t, flushed); !errors.Is(err, wsframework.ErrClosed) {
			t.Fatalf("Flush of a connection that broke: %v", err)
		}
	})
}

func TestLife6CloseCodes(t *testing.T) {
	chinese := strings.Repeat("再见", 33) + "再" // 201 bytes
	tests := []struct {
		code   int
		reason string
		sent   int
		text   string
		fails  bool
	}{
		{0, "", 1005, "", false},
		{0, "bye", 1000, "bye", false},
		{1000, "", 1000, "", false},
		{1000, "bye", 1000, "bye", false},
		{1001, chinese, 1001, chinese[:123], false},
		{4000, strings.Repeat("x", 121) + "再", 4000, strings.Repeat("x", 121), false},
		{4000, "\xff", 4000, "\uFFFD", false},
		{999, "x", 1011, "", true},
		{1004, "x", 1011, "", true},
		{1005, "x", 1011, "", true},
		{1006, "x", 1011, "", true},
		{1015, "x", 1011, "", true},
		{2999, "x", 1011, "", true},
		{3000, "x", 3000, "x", false},
		{4999, "x", 4999, "x", false},
		{5000, "x", 1011, "", true},
		{-1, "x", 1011, "", true},
		{1 << 20, "x", 1011, "", true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.code, len(tt.reason)), func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {})
				p.expect(t, "open")
				if err := p.Close(tt.code, tt.reason); (err != nil) != tt.fails {
					t.Errorf("Close: %v", err)
				}
				if err := p.Close(tt.code, tt.reason); !errors.Is(err, wsframework.ErrClosed) {
					t.Errorf("second Close: %v", err)
				}
				shake(t, cl, tt.sent, tt.text)
				<-p.done
				if p.closeCode != tt.sent || p.closeText != tt.text {
					t.Errorf("closed with %d %q", p.closeCode, p.closeText)
				}
			})
		})
	}
}

func TestLife6CloseInEveryCallback(t *testing.T) {
	for _, in := range []string{"Open", "OnMessage", "OnPing", "OnPong", "OnClose", "After", "Go", "two goroutines"} {
		t.Run(in, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
					bye := func() error { return p.Close(4000, "bye") }
					switch in {
					case "Open":
						p.open = bye
					case "OnMessage":
						p.message = func(wsframework.Message) error { return bye() }
					case "OnPing":
						p.ping = func([]byte) { bye() }
					case "OnPong":
						p.pong = func([]byte) { bye() }
					case "OnClose":
						p.close = func() {
							if err := bye(); !errors.Is(err, wsframework.ErrClosed) {
								t.Errorf("Close in OnClose: %v", err)
							}
						}
					case "After":
						p.open = func() error { p.After(time.Millisecond, bye); return nil }
					case "Go":
						p.open = func() error { return p.Go(func(context.Context) error { return bye() }) }
					case "two goroutines":
						p.message = func(wsframework.Message) error {
							var closing sync.WaitGroup
							for range 2 {
								closing.Go(func() { bye() })
							}
							closing.Wait()
							return nil
						}
					}
				})
				if in == "OnClose" {
					cl.WriteClose(4000, "bye")
					expectClose(t, cl, 4000, "")
					cl.ExpectEnd()
				} else {
					cl.Ping("a")
					cl.Pong("b")
					cl.Write("c")
					for {
						first, payload, err := cl.ReadFrame()
						if err != nil {
							t.Fatal(err)
						}
						if first == wstest.CloseFrame {
							if string(payload[2:]) != "bye" {
								t.Errorf("close %q", payload)
							}
							break
						}
					}
					cl.WriteClose(4000, "")
					cl.ExpectEnd()
				}
				<-p.done
				if p.closeCode != 4000 || p.closeText != "bye" {
					t.Errorf("closed with %d %q", p.closeCode, p.closeText)
				}
			})
		})
	}
}

func TestLife6WhatWasWrittenBeforeCloseArrives(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(wsframework.Message) error {
				for i := range 100 {
					p.WriteText(fmt.Sprint(i))
				}
				p.WriteBinary(make([]byte, 1<<20))
				p.Close(1000, "bye")
				if err := p.WriteText("late"); !errors.Is(err, wsframework.ErrClosed) {
					t.Errorf("write after Close: %v", err)
				}
				return nil
			}
		})
		cl.Write("go")
		for i := range 100 {
			cl.Expect(fmt.Sprint(i))
		}
		cl.ExpectFrame(wstest.BinaryFrame, string(make([]byte, 1<<20)))
		shake(t, cl, 1000, "bye")
		<-p.done
	})
}

func TestLife6WhatThePeerStillSendsIsDiscarded(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error { return p.Close(4000, "enough") }
		})
		cl.Write("go")
		// A megabyte, which the server has not asked for any more, and rubbish.
		go func() {
			megabyte := wstest.EncodeFrame(wstest.BinaryFrame, make([]byte, 1<<20))
			if _, err := cl.Conn().Write(megabyte); err != nil {
				t.Errorf("client writes: %v", err)
			}
			cl.Conn().Write(wstest.EncodeFrame(0xF3, []byte("rubbish")))
			cl.Conn().Write(wstest.EncodeFrame(wstest.CloseFrame, []byte{0x0F, 0xA0}))
		}()
		expectClose(t, cl, 4000, "enough")
		cl.ExpectEnd()
		<-p.done
		p.expect(t, "open")
		p.expect(t, "message go")
		p.expect(t, "close 4000 enough")
	})
}

func TestLife6PeerThatNeverAnswersAClose(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {})
		p.expect(t, "open")
		start := time.Now()
		p.Close(4000, "bye")
		expectClose(t, cl, 4000, "bye")
		cl.ExpectEnd()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("cut after %v", took)
		}
		p.expect(t, "close 4000 bye")
	})
}

func TestLife7HarmlessErrorsCloseNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		replies := map[string]error{
			"closed":      fmt.Errorf("sending: %w", wsframework.ErrClosed),
			"slow":        fmt.Errorf("sending: %w", wsframework.ErrSlowConsumer),
			"unavailable": fmt.Errorf("publishing: %w", wsframework.ErrUnavailable),
		}
		s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				p.WriteMessage(m)
				return replies[m.String()]
			}
		})
		for range 10 {
			for name := range replies {
				cl.Write(name)
				cl.Expect(name)
			}
		}
		cl.WriteClose(1000, "")
		<-p.done
		if lines := strings.Count(s.log.String(), "\n"); lines != 1 {
			t.Errorf("%d log lines, want 1:\n%s", lines, s.log)
		}
	})
}

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
