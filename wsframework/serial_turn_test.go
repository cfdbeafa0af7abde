package wsframework

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The turn goes to whom has asked for it first, and to nobody else.
func TestTurnsAreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := NewApplication(Settings{Serial: true, SlowCallback: -1, AccessLogger: silent})
		var got []int
		begin := make(chan struct{})
		go app.inTurn("first", func() { <-begin })
		synctest.Wait()
		for i := range 100 {
			go app.inTurn("later", func() {
				<-time.After(time.Millisecond)
				got = append(got, i)
			})
			synctest.Wait()
		}
		close(begin)
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
		if len(got) != 100 || !slices.IsSorted(got) {
			t.Errorf("%v", got)
		}
		if s := app.serial; s.taken || s.waiting != nil || s.current != (turn{}) {
			t.Errorf("the line is not at rest: %+v", s)
		}
	})
}

// Without Settings.Serial there is no line.
func TestInTurnWithoutALine(t *testing.T) {
	app := NewApplication(Settings{AccessLogger: silent})
	var names []string
	app.inTurn("a", func() { app.inTurn("b", func() { names = append(names, "b") }); names = append(names, "a") })
	if !slices.Equal(names, []string{"b", "a"}) {
		t.Errorf("%v", names)
	}
}

// A goroutine knows its turn from that of another application, and from that of another goroutine.
func TestHeld(t *testing.T) {
	apps := make([]*Application, 20)
	for i := range apps {
		apps[i] = NewApplication(Settings{Serial: true, SlowCallback: -1, AccessLogger: silent})
	}
	holds := func(which ...*Application) {
		t.Helper()
		for i, app := range apps {
			if got, want := app.serial.held(), slices.Contains(which, app); got != want {
				t.Errorf("application %d: held %v, want %v", i, got, want)
			}
		}
	}
	holds()
	for i, app := range apps {
		app.inTurn("outer", func() {
			holds(app)
			other := apps[(i+7)%len(apps)]
			other.inTurn("inner", func() {
				holds(app, other)
				app.inTurn("again", func() { holds(app, other) })
			})
			holds(app)
			deeply(500, func() { holds(app) })
			beside := make(chan struct{})
			go func() {
				defer close(beside)
				holds()
				other.inTurn("beside", func() { holds(other) })
			}()
			<-beside
			app.serial.aside(func() error { // the goroutine does not run user code meanwhile
				done := make(chan struct{})
				go app.inTurn("meanwhile", func() { close(done) })
				<-done
				return nil
			})
			holds(app)
		})
	}
	holds()
}

func deeply(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deeply(n-1, f)
}

// aside leaves alone the turn of another goroutine.
func TestAsideWithoutATurn(t *testing.T) {
	app, other := NewApplication(Settings{Serial: true, SlowCallback: -1, AccessLogger: silent}), NewApplication(Settings{Serial: true, SlowCallback: -1, AccessLogger: silent})
	app.inTurn("holder", func() {
		done := make(chan bool)
		go other.inTurn("in another application's turn", func() {
			app.serial.aside(func() error { done <- app.serial.tryTake(); return nil })
			close(done)
		})
		if <-done {
			t.Error("the turn was given up by who does not have it")
		}
		<-done
	})
}

// A message costs as many allocations in the line as without it.
func BenchmarkSerialMessage(b *testing.B) {
	for _, serial := range []bool{false, true} {
		b.Run(fmt.Sprint(serial), func(b *testing.B) {
			c, m := newHot(NewApplication(Settings{Serial: serial, SlowCallback: time.Minute, AccessLogger: silent}), hotReplies[0].reply)
			m.input = bytes.Repeat(clientFrame(byte(opText), strings.Repeat("x", 128)), 16)
			m.times = (b.N + 15) / 16
			b.ReportAllocs()
			b.ResetTimer()
			c.read()
		})
	}
}

// What a burst was answered with leaves while the rest of it waits for somebody else's callback.
func TestDeferredWritesDoNotWaitForATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := NewApplication(Settings{Serial: true, SlowCallback: -1, AccessLogger: silent})
		release, answered := make(chan struct{}), 0
		c, m := newHot(app, func(h *hotHandler, _ Message) error {
			if answered++; answered == 3 { // by now it is known to be quick
				go app.inTurn("somebody else", func() { <-release })
				synctest.Wait() // it is next
				if !h.conn().batch.isOpen() {
					t.Error("the writes are not deferred")
				}
			}
			return h.WriteText("hello")
		})
		m.input, m.times = bytes.Repeat(clientFrame(byte(opText), "x"), 5), 1
		ended := make(chan struct{})
		go func() { c.read(); close(ended) }()
		<-time.After(time.Millisecond) // less than the watch needs
		synctest.Wait()
		if want := 3 * frameSize(len("hello")); m.sent != want {
			t.Errorf("%d bytes left, want %d", m.sent, want)
		}
		close(release)
		<-ended
		if want := 5 * frameSize(len("hello")); m.sent != want {
			t.Errorf("%d bytes left in the end, want %d", m.sent, want)
		}
	})
}
