package wsframework

import (
	"sync"
	"time"
)

// A ticker calls a function in the line of callbacks, every d or once. It holds one timer and no
// goroutine. Ticks that are due while one waits or runs are not made up for.
type ticker struct {
	c    *conn
	d    time.Duration
	once bool
	f    func() error

	mu      sync.Mutex // protects the following
	timer   *time.Timer
	due     time.Time
	waiting bool // a tick is in the line
	stopped bool
}

// startTicker returns the function that stops the ticker.
func (c *conn) startTicker(d time.Duration, once bool, f func() error) (stop func()) {
	t := &ticker{c: c, d: d, once: once, f: f, due: time.Now().Add(d)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return func() {}
	}
	if c.tickers == nil {
		c.tickers = make(map[*ticker]struct{})
	}
	c.tickers[t] = struct{}{}
	t.mu.Lock()
	t.timer = time.AfterFunc(d, t.fire)
	t.mu.Unlock()
	return func() {
		t.stop()
		c.dropTicker(t)
	}
}

func (c *conn) dropTicker(t *ticker) {
	c.mu.Lock()
	delete(c.tickers, t)
	c.mu.Unlock()
}

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
		t.c.deliver(task{kind: taskTick, timer: t})
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
			t.c.dropTicker(t)
		}
	}()
	return t.f()
}
