package wsframework

import (
	"sync"
	"sync/atomic"
	"time"
)

// A watch finds callbacks that take long, so that somebody else reads their connections meanwhile. It
// costs a callback two atomic operations; its timer runs only while there are callbacks to watch.
//
// A callback that the reading goroutine runs itself has a number, which stands in conn.running. Whoever
// swaps it for zero has the reading role: the goroutine itself when the callback returns, or the watch
// when it finds the same number twice.
type watch struct {
	ticks atomic.Int64 // a clock that goes while there is something to watch

	mu      sync.Mutex // protects the following
	conns   []watched
	timer   *time.Timer
	running bool // the timer is set, or look is on its way
}

type watched struct {
	c    *conn
	seen uint64
}

// watchInterval: a callback that takes longer than one to two of these gets a reader beside it.
const watchInterval = 10 * time.Millisecond

func (w *watch) add(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.watched.Swap(true) {
		return
	}
	w.conns = append(w.conns, watched{c: c})
	switch {
	case w.running:
		return
	case w.timer == nil:
		w.timer = time.AfterFunc(watchInterval, w.look)
	default:
		w.timer.Reset(watchInterval)
	}
	w.running = true
}

// look is called by the timer, and sets it again while there is something to watch.
func (w *watch) look() {
	w.ticks.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.conns[:0]
	for _, e := range w.conns {
		now := e.c.running.Load()
		if now != 0 && now == e.seen && e.c.running.CompareAndSwap(now, 0) {
			e.c.slow = true
			go e.c.read()
			now = 0
		}
		if now == 0 {
			// The reader stores its number before it looks at watched, so one of us sees the other.
			e.c.watched.Store(false)
			if now = e.c.running.Load(); now == 0 || e.c.watched.Swap(true) {
				continue
			}
		}
		e.seen = now
		kept = append(kept, e)
	}
	clear(w.conns[len(kept):])
	w.conns = kept
	w.running = len(kept) > 0
	if w.running {
		w.timer.Reset(watchInterval)
	} else if cap(kept) > 1024 {
		w.conns = nil
	}
}
