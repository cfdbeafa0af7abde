package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

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
