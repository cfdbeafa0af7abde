package wsframework

import (
	"sync"
	"time"
)

// A ticker calls a function in a line of callbacks, every d or once. It holds one timer and no
// goroutine. Ticks that are due while one waits or runs are not made up for.
type ticker struct {
	line tickLine
	name string // for the log of an application
	d    time.Duration
	once bool
	f    func() error

	mu      sync.Mutex // protects the following; the line's lock may be taken under it
	timer   *time.Timer
	due     time.Time
	waiting bool // a tick is in the line
	stopped bool
}

// A tickLine is the line in which a ticker's function runs: a connection's or an application's.
type tickLine interface {
	addTicker(t *ticker) bool // false when it is too late
	dropTicker(t *ticker)
	deliverTick(t *ticker)
}

// start returns the function that stops the ticker.
func (t *ticker) start() (stop func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.line.addTicker(t) {
		return func() {}
	}
	t.due = time.Now().Add(t.d)
	t.timer = time.AfterFunc(t.d, t.fire)
	return func() {
		t.stop()
		t.line.dropTicker(t)
	}
}

func (c *conn) addTicker(t *ticker) bool { return c.whenEnded(t) }
func (c *conn) dropTicker(t *ticker)     { c.forgetEnder(t) }
func (c *conn) deliverTick(t *ticker)    { c.deliver(task{kind: taskTick, timer: t}) }

func (t *ticker) connEnded(*conn) { t.stop() }

func (t *ticker) stop() {
	t.mu.Lock()
	t.stopped = true
	t.timer.Stop()
	t.mu.Unlock()
}

// fire brings a tick to the line, and keeps to the schedule that began with the first.
func (t *ticker) fire() {
	t.mu.Lock()
	if t.stopped {
		t.mu.Unlock()
		return
	}
	deliver := !t.waiting
	t.waiting = true
	if !t.once {
		late := time.Since(t.due)
		t.due = t.due.Add(t.d * (1 + late/t.d))
		t.timer.Reset(time.Until(t.due))
	}
	t.mu.Unlock()
	if deliver {
		t.line.deliverTick(t)
	}
}

// tick runs in the line.
func (t *ticker) tick() error {
	t.mu.Lock()
	stopped := t.stopped
	t.mu.Unlock()
	if stopped {
		return nil
	}
	defer func() {
		t.mu.Lock()
		t.waiting = false
		t.mu.Unlock()
		if t.once {
			t.line.dropTicker(t)
		}
	}()
	return t.f()
}
