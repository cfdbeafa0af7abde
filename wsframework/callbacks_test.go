package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// inBothLines runs a test of an application's callbacks with a line of their own, and in that of all.
func inBothLines(t *testing.T, test func(t *testing.T, app *wsframework.Application, log *wstest.Log)) {
	t.Helper()
	for _, serial := range []bool{false, true} {
		t.Run(fmt.Sprint("serial ", serial), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := wstest.NewLog(t)
				app := wsframework.NewApplication(wsframework.Settings{Serial: serial, SlowCallback: -1, Logger: log.Logger(slog.LevelInfo)})
				test(t, app, log)
				if err := app.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAddCallbackKeepsTheOrder(t *testing.T) {
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		var got []int
		for i := range 1000 {
			err := app.AddCallback(func() {
				if i%100 == 0 {
					before := len(got)
					if err := app.AddCallback(func() { got = append(got, 1000+i) }); err != nil {
						t.Error(err)
					}
					if len(got) != before {
						t.Error("a callback was called within another one")
					}
				}
				got = append(got, i)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(got) != 1010 {
			t.Fatalf("%d callbacks", len(got))
		}
		nested := slices.DeleteFunc(slices.Clone(got), func(i int) bool { return i < 1000 })
		got = slices.DeleteFunc(got, func(i int) bool { return i >= 1000 })
		if !slices.IsSorted(got) || !slices.IsSorted(nested) {
			t.Errorf("%v %v", got, nested)
		}
	})
}

// Callbacks and timers share a variable; the race detector looks on.
func TestCallbacksNeverOverlap(t *testing.T) {
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		sum := 0
		stop := app.Every(time.Microsecond, func() { sum++ })
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				for range 20 {
					app.AddCallback(func() { sum++ })
					app.CallLater(time.Microsecond, func() { sum++ })
				}
			})
		}
		all.Wait()
		<-time.After(ms(1))
		stop()
		synctest.Wait()
		if sum < 2001 {
			t.Errorf("%d", sum)
		}
	})
}

func TestCallLater(t *testing.T) {
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		notes := newDiary()
		app.CallLater(ms(500), func() { notes.note("later") })
		app.CallLater(0, func() { notes.note("now") })
		stop := app.CallLater(ms(200), func() { notes.note("stopped too late") })
		app.CallLater(ms(100), func() { stop(); stop() })
		app.AddCallback(func() {
			var self func()
			self = app.CallLater(ms(300), func() { self(); notes.note("self") })
			app.CallLater(ms(900), func() { self() }) // long done
		})
		<-time.After(ms(1000))
		notes.expect(t, "now 0, self 300, later 500")
	})
}

func TestApplicationEvery(t *testing.T) {
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		notes := newDiary()
		app.AddCallback(func() {
			n := 0
			var stop func()
			stop = app.Every(ms(1000), func() {
				notes.note("tick")
				switch n++; n {
				case 2: // what is due meanwhile is skipped
					<-time.After(ms(2500))
				case 4:
					stop()
				}
			})
		})
		<-time.After(ms(9500))
		notes.expect(t, "tick 1000, tick 2000, tick 5000, tick 6000")
	})
	// One tick waits for another callback, and not more.
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		notes := newDiary()
		stop := app.Every(ms(1000), func() { notes.note("tick") })
		app.CallLater(ms(500), func() { <-time.After(ms(3000)) })
		<-time.After(ms(5500))
		stop()
		notes.expect(t, "tick 3500, tick 4000, tick 5000")
	})
	// A tick that waits when it is stopped does not run.
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		notes := newDiary()
		stop := app.Every(ms(1000), func() { notes.note("tick") })
		app.CallLater(ms(500), func() { <-time.After(ms(1000)); stop() })
		<-time.After(ms(5500))
		notes.expect(t, "")
	})
}

// A callback that fails is logged and harms nothing.
func TestCallbackFailures(t *testing.T) {
	for name, fail := range map[string]func(){
		"panic":  func() { panic("kaboom") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			inBothLines(t, func(t *testing.T, app *wsframework.Application, log *wstest.Log) {
				check := func(callback string) {
					t.Helper()
					synctest.Wait()
					text := log.String()
					log.Forget()
					want := []string{"level=ERROR", "callback=" + callback, name}
					if name == "panic" {
						want = append(want, "kaboom", "stack=", "callbacks_test.go")
					}
					for _, w := range want {
						if !strings.Contains(text, w) {
							t.Errorf("the log lacks %q: %s", w, text)
						}
					}
				}
				app.AddCallback(fail)
				check("AddCallback")
				app.CallLater(0, fail)
				check("CallLater")
				notes := newDiary()
				stop := app.Every(ms(1000), func() { notes.note("tick"); fail() })
				<-time.After(ms(2500))
				check("Every")
				stop()
				app.AddCallback(func() { notes.note("on it goes") })
				notes.expect(t, "tick 1000, tick 2000, on it goes 2500")
			})
		})
	}
}

func TestCallbacksNeedAFunction(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{})
	for want, call := range map[string]func(){
		"AddCallback needs a function":     func() { app.AddCallback(nil) },
		"CallLater needs a function":       func() { app.CallLater(time.Second, nil) },
		"Every needs a function":           func() { app.Every(time.Second, nil) },
		"Every needs a positive interval":  func() { app.Every(0, func() {}) },
		"wsframework: Every needs a posit": func() { app.Every(-time.Second, func() {}) },
	} {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}()
			call()
		}()
	}
}

// Shutdown waits for what runs and what was added, and for no timer.
func TestShutdownAndCallbacks(t *testing.T) {
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		notes := newDiary()
		app.Every(ms(100), func() { notes.note("tick") })
		app.CallLater(ms(1000), func() { notes.note("later") })
		<-time.After(ms(150))
		app.AddCallback(func() {
			notes.note("begins")
			<-time.After(ms(500))
			if err := app.AddCallback(func() { notes.note("refused") }); err != wsframework.ErrShutdown {
				t.Errorf("AddCallback during Shutdown: %v", err)
			}
			if err := app.Shutdown(context.Background()); err != wsframework.ErrInCallback {
				t.Errorf("Shutdown in a callback: %v", err)
			}
			notes.note("ends")
		})
		app.AddCallback(func() { notes.note("queued") })
		synctest.Wait()
		if err := app.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		notes.note("shut down")
		app.CallLater(0, func() { notes.note("refused") })
		app.Every(ms(1), func() { notes.note("refused") })()
		app.AddCallback(func() { notes.note("refused") })
		<-time.After(time.Hour)
		notes.expect(t, "tick 100, begins 150, ends 650, queued 650, shut down 650")
	})
	// A tick that waits when Shutdown begins does not run.
	inBothLines(t, func(t *testing.T, app *wsframework.Application, _ *wstest.Log) {
		notes := newDiary()
		app.Every(ms(100), func() { notes.note("tick") })
		app.AddCallback(func() { <-time.After(ms(500)) })
		<-time.After(ms(200))
		app.Shutdown(context.Background())
		notes.note("shut down")
		notes.expect(t, "shut down 500")
	})
}

// A callback that does not end does not keep Shutdown longer than its context.
func TestShutdownLeavesAStuckCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := wsframework.NewApplication(wsframework.Settings{})
		release := make(chan struct{})
		app.AddCallback(func() { <-release })
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := app.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "callbacks") {
			t.Errorf("Shutdown: %v", err)
		}
		close(release)
	})
}
