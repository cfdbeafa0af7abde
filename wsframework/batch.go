package wsframework

import (
	"sync"
	"sync/atomic"
)

// A batch lets the writes of a callback wait for each other while more input of its connection is
// buffered, so that a burst leaves in one write for each receiver. It is opened only for a handler that
// is known to be quick, and never makes a write wait for the callback itself: the first deferred write
// also sends a goroutine on its way, which flushes as soon as a processor is free.
//
// A nil batch is never open. All methods may be called from any goroutine.
type batch struct {
	open   atomic.Bool
	excuse atomic.Int64 // the watch's ticks that passed within Broadcast: those are not the handler's fault

	mu     sync.Mutex // protects the following
	dirty  []*outbound
	spare  []*outbound // dirty's next memory
	helper bool        // a goroutine is on its way
}

// begin opens the batch: there is more input.
func (b *batch) begin() { b.open.Store(true) }

func (b *batch) isOpen() bool { return b != nil && b.open.Load() }

// add takes over to flush outs, or returns false when the batch has ended.
func (b *batch) add(outs ...*outbound) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open.Load() {
		return false
	}
	if b.dirty == nil {
		b.dirty, b.spare = b.spare, nil
	}
	b.dirty = append(b.dirty, outs...)
	if !b.helper {
		b.helper = true
		go b.help()
	}
	return true
}

// end flushes all that was deferred, and what is written from now on is written at once.
func (b *batch) end() {
	if b.open.Load() {
		b.flush(true)
	}
}

func (b *batch) help() {
	b.mu.Lock()
	b.helper = false
	b.mu.Unlock()
	b.flush(false)
}

func (b *batch) flush(end bool) {
	b.mu.Lock()
	if end {
		b.open.Store(false)
	}
	dirty := b.dirty
	b.dirty = nil
	b.mu.Unlock()

	for _, o := range dirty {
		o.flush()
	}

	if cap(dirty) > 0 {
		clear(dirty)
		b.mu.Lock()
		if cap(dirty) <= 1024 && cap(dirty) > cap(b.spare) {
			b.spare = dirty[:0]
		}
		b.mu.Unlock()
	}
}
