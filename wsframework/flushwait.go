package wsframework

import (
	"context"
)

// How Flush waits.

type flushWaiter struct {
	at   uint64
	gone bool          // all before at has left
	done chan struct{} // closed when gone, or when the queue has ended
}

// wait waits until all that has been accepted so far is handed to the kernel.
func (o *outbound) wait(ctx context.Context) error {
	o.mu.Lock()
	if o.gone == o.accepted {
		o.mu.Unlock()
		return nil
	}
	if o.state == outClosed {
		o.mu.Unlock()
		return ErrClosed
	}
	w := &flushWaiter{at: o.accepted, done: make(chan struct{})}
	o.waiters = append(o.waiters, w)
	o.departLocked(nil)

	select {
	case <-w.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !w.gone {
		return ErrClosed
	}
	return nil
}

// hasLeft reports whether all that has been accepted so far is handed to the kernel.
func (o *outbound) hasLeft() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone == o.accepted
}

// wakeLocked wakes those whose messages have left.
func (o *outbound) wakeLocked() {
	kept := o.waiters[:0]
	for _, w := range o.waiters {
		if w.at <= o.gone {
			w.gone = true
			close(w.done)
		} else {
			kept = append(kept, w)
		}
	}
	clear(o.waiters[len(kept):])
	o.waiters = kept
}
