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
		app := NewApplication(Settings{Serial: true})
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
	app := NewApplication(Settings{})
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
		apps[i] = NewApplication(Settings{Serial: true})
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
	app, other := NewApplication(Settings{Serial: true}), NewApplication(Settings{Serial: true})
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
			c, m := newHot(NewApplication(Settings{Serial: serial}), hotReplies[0].reply)
			m.input = bytes.Repeat(clientFrame(byte(opText), strings.Repeat("x", 128)), 16)
			m.times = (b.N + 15) / 16
			b.ReportAllocs()
			b.ResetTimer()
			c.read()
		})
	}
}
