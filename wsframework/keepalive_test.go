package wsframework_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// notePings notes when pings come, and has them answered.
func notePings(t *testing.T, cl *wstest.Client, notes *diary, answer func(n int)) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			first, payload, err := cl.ReadFrame()
			switch {
			case err != nil:
				notes.note("end")
				return
			case first == wstest.CloseFrame:
				notes.note("close")
				return
			case first == wstest.PongFrame:
				n--
				continue
			case first != wstest.PingFrame || len(payload) > 0:
				t.Errorf("got frame %x %q", first, payload)
			}
			notes.note("ping")
			answer(n)
		}
	}()
	return done
}

func TestKeepAlive(t *testing.T) {
	second := time.Second
	tests := []struct {
		name              string
		interval, timeout time.Duration
		answers           func(cl *wstest.Client, n int)
		want              string
		code              int
		cause             error
	}{
		{"no answer", 0, 0, func(cl *wstest.Client, n int) {},
			"ping 25000, end 45000", 1006, wsframework.ErrPingTimeout},
		{"pongs", 0, 0, func(cl *wstest.Client, n int) {
			if n <= 3 {
				cl.Pong("")
			}
		}, "ping 25000, ping 50000, ping 75000, ping 100000, end 120000", 1006, wsframework.ErrPingTimeout},
		{"late pongs", 0, 0, func(cl *wstest.Client, n int) {
			if n <= 2 {
				<-time.After(19 * time.Second)
				cl.Pong("")
			}
		}, "ping 25000, ping 50000, ping 75000, end 95000", 1006, wsframework.ErrPingTimeout},
		{"too late a pong", 0, 0, func(cl *wstest.Client, n int) {
			<-time.After(21 * time.Second)
		}, "ping 25000, end 46000", 1006, wsframework.ErrPingTimeout},
		{"messages in the place of pongs", 0, 0, func(cl *wstest.Client, n int) {
			if n <= 2 {
				cl.Write("still here")
			}
		}, "ping 25000, ping 50000, ping 75000, end 95000", 1006, wsframework.ErrPingTimeout},
		{"pings in the place of pongs", 0, 0, func(cl *wstest.Client, n int) {
			if n <= 2 {
				cl.Ping("are you there?")
			}
		}, "ping 25000, ping 50000, ping 75000, end 95000", 1006, wsframework.ErrPingTimeout},
		{"half a message", 0, 0, func(cl *wstest.Client, n int) {
			switch n {
			case 1:
				cl.WriteRaw([]byte{wstest.TextFrame, 0x80 | 5, 0, 0, 0, 0, 'h'})
			case 2:
				cl.WriteRaw([]byte("ello"))
			}
		}, "ping 25000, ping 50000, ping 75000, end 95000", 1006, wsframework.ErrPingTimeout},
		{"a close frame", 0, 0, func(cl *wstest.Client, n int) {
			if n == 1 {
				cl.Pong("")
			} else {
				cl.WriteClose(1000, "")
			}
		}, "ping 25000, ping 50000, close 50000", 1000, nil},
		{"other times", 3 * second, second, func(cl *wstest.Client, n int) {
			if n <= 2 {
				cl.Pong("")
			}
		}, "ping 3000, ping 6000, ping 9000, end 10000", 1006, wsframework.ErrPingTimeout},
		{"the same times", 2 * second, 2 * second, func(cl *wstest.Client, n int) {
			if n <= 2 {
				cl.Pong("")
			}
		}, "ping 2000, ping 4000, ping 6000, end 8000", 1006, wsframework.ErrPingTimeout},
		{"timeout longer than interval", second, 5 * second, func(cl *wstest.Client, n int) {
			if n <= 2 {
				cl.Pong("")
			}
		}, "ping 1000, ping 6000, ping 11000, end 16000", 1006, wsframework.ErrPingTimeout},
		{"no timeout", 100 * second, -1, func(cl *wstest.Client, n int) {
			if n == 3 {
				cl.WriteClose(1000, "")
			}
		}, "ping 100000, ping 200000, ping 300000, close 300000", 1000, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				s, p, cl := one(t, n, wsframework.Settings{PingInterval: tt.interval, PingTimeout: tt.timeout}, func(p *probe) {})
				notes := newDiary()
				<-notePings(t, cl, notes, func(n int) { tt.answers(cl, n) })
				<-p.done
				notes.expect(t, tt.want)
				if p.closeCode != tt.code || !errors.Is(p.cause, tt.cause) && tt.cause != nil {
					t.Errorf("closed with %d, %v", p.closeCode, p.cause)
				}
				if log := s.log.String(); log != "" {
					t.Errorf("log %q", log)
				}
			})
		})
	}
}

func TestKeepAliveOff(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{PingInterval: -1}, func(p *probe) {})
		<-time.After(24 * time.Hour)
		if !p.IsOpen() {
			t.Error("closed")
		}
		cl.WriteClose(1000, "")
		cl.ExpectFrame(wstest.CloseFrame, "\x03\xE8")
	})
}

func TestPing(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {})
		p.expect(t, "open")
		if !p.LastPong().IsZero() {
			t.Errorf("a pong at %v", p.LastPong())
		}
		for _, data := range []string{"", "x", "\x00\xFF", strings.Repeat("p", 125)} {
			before := time.Now()
			if err := p.Ping([]byte(data)); err != nil {
				t.Errorf("Ping of %d bytes: %v", len(data), err)
			}
			cl.ExpectPing(data)
			cl.Pong(data)
			p.expect(t, "pong "+data)
			if at := p.LastPong(); at.Before(before) || at.After(time.Now()) {
				t.Errorf("the pong came at %v, and not after %v", at, before)
			}
		}
		if err := p.Ping(make([]byte, 126)); err == nil || !strings.Contains(err.Error(), "125") {
			t.Errorf("Ping of 126 bytes: %v", err)
		}
		expectNothing(t, cl)
		p.expect(t, "ping nothing?")
		// A pong that nobody asked for is one (RFC 6455, 5.5.3).
		cl.Pong("unasked")
		p.expect(t, "pong unasked")
	})
}

// LastPong is exact, and stays after the close.
func TestLastPong(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{PingInterval: -1}, func(p *probe) {})
		<-time.After(time.Minute)
		at := time.Now()
		cl.Pong("")
		<-time.After(time.Minute)
		cl.Write("no pong")
		cl.WriteClose(1000, "")
		cl.ExpectFrame(wstest.CloseFrame, "\x03\xE8")
		<-p.done
		if !p.LastPong().Equal(at) {
			t.Errorf("the last pong came at %v, want %v", p.LastPong(), at)
		}
	})
}
