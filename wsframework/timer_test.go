package wsframework_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A diary notes what happened when, in milliseconds.
type diary struct {
	start time.Time

	mu    sync.Mutex // protects the following
	lines []string
}

func newDiary() *diary { return &diary{start: time.Now()} }

func (d *diary) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%s %d", what, time.Since(d.start).Milliseconds()))
}

func (d *diary) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := strings.Join(d.lines, ", "); got != want {
		t.Errorf("it was: %s\nwant:   %s", got, want)
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// timed opens a connection whose Open starts timers, and closes it after d.
func timed(t *testing.T, n network, d time.Duration, open func(*probe, *diary)) (*server, *probe, *diary) {
	t.Helper()
	var notes *diary
	s, p, cl := one(t, n, wsframework.Settings{PingInterval: -1}, func(p *probe) {
		p.open = func() error {
			notes = newDiary()
			open(p, notes)
			return nil
		}
		p.close = func() { notes.note("close") }
	})
	synctest.Wait()
	<-time.After(d)
	p.Close(1000, "")
	if first, _, err := cl.ReadFrame(); err != nil || first != wstest.CloseFrame {
		t.Errorf("the client got %x, %v", first, err)
	}
	cl.WriteClose(1000, "")
	<-p.done
	<-time.After(time.Hour) // nothing may happen any more
	return s, p, notes
}

func TestEvery(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, _, notes := timed(t, n, ms(3500), func(p *probe, notes *diary) {
			p.Every(time.Second, func() error { notes.note("tick"); return nil })
		})
		notes.expect(t, "tick 1000, tick 2000, tick 3000, close 3500")
	})
}

func TestAfter(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, _, notes := timed(t, n, ms(3500), func(p *probe, notes *diary) {
			p.After(time.Second, func() error { notes.note("after"); return nil })
			p.After(0, func() error { notes.note("now"); return nil })
			p.After(-time.Second, func() error { notes.note("long ago"); return nil })
			p.After(time.Minute, func() error { notes.note("too late"); return nil })
			<-time.After(ms(1)) // the last two are due by then, and wait for Open
			notes.note("opened")
		})
		want := "opened 1, now 1, long ago 1, after 1000, close 3500"
		if notes.lines[1] == "long ago 1" { // both are due at once
			want = "opened 1, long ago 1, now 1, after 1000, close 3500"
		}
		notes.expect(t, want)
	})
}

// Ticks that are due while one waits or runs are skipped, and the schedule is kept.
func TestTicksCoalesce(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		long := true
		_, _, notes := timed(t, n, ms(6500), func(p *probe, notes *diary) {
			p.Every(time.Second, func() error {
				notes.note("begin")
				if long {
					long = false
					<-time.After(ms(2700))
				}
				notes.note("end")
				return nil
			})
		})
		notes.expect(t, "begin 1000, end 3700, begin 4000, end 4000, begin 5000, end 5000, begin 6000, end 6000, close 6500")
	})
	// The same while another callback keeps the line: one tick waits for it, and no more.
	inBubble(t, func(t *testing.T, n network) {
		_, _, notes := timed(t, n, ms(5500), func(p *probe, notes *diary) {
			p.Every(time.Second, func() error { notes.note("tick"); return nil })
			p.After(ms(500), func() error { <-time.After(ms(3000)); notes.note("done"); return nil })
		})
		notes.expect(t, "done 3500, tick 3500, tick 4000, tick 5000, close 5500")
	})
}

func TestStop(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, _, notes := timed(t, n, ms(9500), func(p *probe, notes *diary) {
			stop := p.Every(time.Second, func() error { notes.note("tick"); return nil })
			p.After(ms(2500), func() error { stop(); stop(); return nil })

			left := 3
			var stopSelf func()
			stopSelf = p.Every(ms(1100), func() error {
				if left--; left == 0 {
					stopSelf()
				}
				notes.note("self")
				return nil
			})

			// A tick that waits in the line when it is stopped does not run.
			waiting := p.After(ms(5000), func() error { notes.note("stopped too late"); return nil })
			waitingToo := p.Every(ms(5000), func() error { notes.note("stopped too late"); return nil })
			p.After(ms(4900), func() error { <-time.After(ms(200)); waiting(); waitingToo(); return nil })

			var stopAfter func()
			stopAfter = p.After(ms(6000), func() error { stopAfter(); notes.note("after"); return nil })
			p.After(ms(7000), func() error { stopAfter(); return nil }) // long done
		})
		notes.expect(t, "tick 1000, self 1100, tick 2000, self 2200, self 3300, after 6000, close 9500")
	})
}

// The close stops them all, those that wait in the line, too, and none starts after it.
func TestTimersEndWithTheConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, notes := timed(t, n, ms(1500), func(p *probe, notes *diary) {
			p.Every(time.Second, func() error { notes.note("tick"); return nil })
			p.Every(ms(1600), func() error { notes.note("too late"); return nil })
			p.After(ms(1400), func() error { // is still running at the close
				p.After(ms(50), func() error { notes.note("waited in the line"); return nil })
				<-time.After(ms(200))
				notes.note("long")
				return nil
			})
		})
		p.Every(time.Second, func() error { notes.note("after the close"); return nil })
		p.After(time.Second, func() error { notes.note("after the close"); return nil })
		<-time.After(time.Hour)
		notes.expect(t, "tick 1000, long 1600, close 1600")
	})
}

// From the moment that a connection begins to close no timer starts, although OnClose is still to come.
func TestTimersOnAClosingConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{PingInterval: -1}, func(p *probe) {})
		p.expect(t, "open")
		notes := newDiary()
		p.Close(1000, "")
		p.After(0, func() error { notes.note("after"); return nil })
		p.Every(ms(100), func() error { notes.note("tick"); return nil })
		expectClose(t, cl, 1000, "")
		<-time.After(time.Second)
		cl.WriteClose(1000, "")
		<-p.done
		notes.expect(t, "")
	})
}

func TestTickErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		for name, tt := range map[string]struct {
			fail   func() error
			code   int
			reason string
			logged string
		}{
			"an error": {func() error { return errFailing }, 1011, "", "failing"},
			"a panic":  {func() error { panic("kaboom") }, 1011, "", "kaboom"},
			"a wish":   {func() error { return &wsframework.CloseError{Code: 4001, Reason: "time is up"} }, 4001, "time is up", ""},
		} {
			s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
				p.open = func() error { p.Every(time.Second, tt.fail); return nil }
			})
			start := time.Now()
			shake(t, cl, tt.code, tt.reason)
			<-p.done
			if took := time.Since(start); took != time.Second {
				t.Errorf("%s: closed after %v", name, took)
			}
			if tt.logged == "" && s.log.String() != "" || !strings.Contains(s.log.String(), tt.logged) {
				t.Errorf("%s: log %q", name, s.log)
			}
		}
	})
}

func TestEveryNeedsAnInterval(t *testing.T) {
	for _, d := range []time.Duration{0, -time.Second} {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "positive") {
					t.Errorf("Every(%v): %v", d, err)
				}
			}()
			new(probe).Every(d, func() error { return nil })
		}()
	}
}
