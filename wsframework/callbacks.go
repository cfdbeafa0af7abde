package wsframework

import (
	"errors"
	"time"
)

// The callbacks of an application itself run in a line of their own, or with Settings.Serial in that of
// all callbacks. It has no goroutine while it is empty.
type callbackLine struct {
	queue   []appCallback
	running bool // and counts as alive
	tickers map[*ticker]struct{}
}

type appCallback struct {
	name string
	f    func()
}

// AddCallback has fn called soon in the application's line of callbacks: one at a time, in the order of
// addition, and not within AddCallback even if a callback calls it. With Settings.Serial that is the line
// of all callbacks: the way back into it for functions given to Go and for other goroutines. A panic of
// fn is logged and ends nothing. It panics if fn is nil. As Tornado's IOLoop.add_callback.
//
// Once Shutdown has begun it returns ErrShutdown; what was added before still runs, and Shutdown waits for
// it.
func (app *Application) AddCallback(fn func()) error {
	if fn == nil {
		panic(errors.New("wsframework: AddCallback needs a function"))
	}
	return app.enqueue(appCallback{"AddCallback", fn})
}

// CallLater calls fn once, after d, as AddCallback does, unless stop is called or Shutdown begins before.
// As Tornado's IOLoop.call_later.
func (app *Application) CallLater(d time.Duration, fn func()) (stop func()) {
	return app.startTicker("CallLater", d, true, fn)
}

// Every calls fn every d as AddCallback does, until stop is called or Shutdown begins. A tick that is due
// while another waits or runs is skipped. After a panic, which is logged, it goes on. It panics if d is
// not positive. As Tornado's PeriodicCallback.
//
// Stop may be called at any time, also by fn, and more than once. When a callback in the same line calls it,
// no tick follows.
func (app *Application) Every(d time.Duration, fn func()) (stop func()) {
	if d <= 0 {
		panic(errors.New("wsframework: Every needs a positive interval"))
	}
	return app.startTicker("Every", d, false, fn)
}

func (app *Application) startTicker(method string, d time.Duration, once bool, fn func()) (stop func()) {
	if fn == nil {
		panic(errors.New("wsframework: " + method + " needs a function"))
	}
	t := &ticker{line: app, name: method, d: d, once: once, f: func() error { fn(); return nil }}
	return t.start()
}

func (app *Application) addTicker(t *ticker) bool {
	app.mu.Lock()
	defer app.mu.Unlock()
	if app.draining {
		return false
	}
	if app.callbacks.tickers == nil {
		app.callbacks.tickers = make(map[*ticker]struct{})
	}
	app.callbacks.tickers[t] = struct{}{}
	return true
}

func (app *Application) dropTicker(t *ticker) {
	app.mu.Lock()
	delete(app.callbacks.tickers, t)
	app.mu.Unlock()
}

// deliverTick brings a tick to the line.
func (app *Application) deliverTick(t *ticker) {
	app.enqueue(appCallback{t.name, func() { t.tick() }}) // it fails only when t is about to be stopped
}

// stopTickers stops all timers for good. Shutdown has begun.
func (app *Application) stopTickers() {
	app.mu.Lock()
	tickers := app.callbacks.tickers
	app.callbacks.tickers = nil
	app.mu.Unlock()
	for t := range tickers {
		t.stop()
	}
}

func (app *Application) enqueue(cb appCallback) error {
	app.mu.Lock()
	defer app.mu.Unlock()
	if app.draining {
		return ErrShutdown
	}
	app.callbacks.queue = append(app.callbacks.queue, cb)
	if !app.callbacks.running {
		app.callbacks.running = true
		app.alive++
		go app.runCallbacks()
	}
	return nil
}

// runCallbacks runs the line until it is empty.
func (app *Application) runCallbacks() {
	normal := false
	defer func() {
		if !normal { // runtime.Goexit in a callback ends this goroutine, but not the line
			go app.runCallbacks()
		}
	}()
	for cb, ok := app.nextCallback(); ok; cb, ok = app.nextCallback() {
		app.runCallback(cb)
	}
	normal = true
}

func (app *Application) nextCallback() (appCallback, bool) {
	app.mu.Lock()
	defer app.mu.Unlock()
	line := &app.callbacks
	if len(line.queue) == 0 {
		line.running, line.queue = false, nil
		app.endedLocked()
		return appCallback{}, false
	}
	cb := line.queue[0]
	line.queue[0] = appCallback{}
	line.queue = line.queue[1:]
	return cb, true
}

// runCallback contains a callback's panic.
func (app *Application) runCallback(cb appCallback) {
	returned := false
	defer func() {
		if !returned {
			app.logCallback(cb.name, recovered(cb.name, recover()))
		}
	}()
	app.inTurn(cb.name, cb.f)
	returned = true
}
