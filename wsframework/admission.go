package wsframework

import "runtime"

// What happens to a message for which there is no room.

// An admitError says why a message was not simply accepted.
type admitError struct{ error }

// visible is the error that the caller of an accepted message sees.
func (e *admitError) visible() error {
	if e == nil {
		return nil
	}
	return e.error
}

var (
	errQueueClosed   = &admitError{ErrClosed}
	errTooSlow       = &admitError{ErrSlowConsumer} // and the connection is to be closed
	errDroppedNewest = &admitError{ErrSlowConsumer}
	errDroppedOldest = &admitError{ErrSlowConsumer} // and this one was accepted
)

// fullLocked reports whether there is no room for size more bytes. For a message that is alone there
// always is: the bound is on what piles up.
func (o *outbound) fullLocked(size int) bool {
	limit := o.settings.MaxPendingOut
	return limit > 0 && o.queued > 0 && o.queued+size > limit
}

// admitLocked decides whether size more bytes are accepted.
func (o *outbound) admitLocked(size int) *admitError {
	if o.state != outOpen {
		return errQueueClosed
	}
	if !o.fullLocked(size) {
		return nil
	}
	switch o.settings.SlowConsumer {
	case DropOldest:
		limit := o.settings.MaxPendingOut
		if stays := o.queued - o.droppableLocked(); stays > 0 && stays+size > limit {
			return errDroppedNewest // dropping would not make room
		}
		o.dropOldestLocked(o.queued + size - limit)
		return errDroppedOldest
	case DropNewest:
		return errDroppedNewest
	}
	return errTooSlow
}

// yieldLocked waits while there is no room only because the flusher, who does not wait for the peer, has
// not been given a processor: that is not the peer's fault.
func (o *outbound) yieldLocked(size int) {
	for o.state == outOpen && o.flushing && !o.draining && o.fullLocked(size) {
		o.mu.Unlock()
		runtime.Gosched()
		o.mu.Lock()
	}
}

func (o *outbound) refused(err *admitError) error {
	if err == errTooSlow {
		o.owner.tooSlow()
	}
	return err.error
}

// dropOldestLocked drops whole data frames that have not begun to leave, the oldest first, until at
// least want bytes are free or none is left.
func (o *outbound) dropOldestLocked(want int) {
	kept := o.queue[:0]
	pos := o.gone + o.leaving // where the queue begins
	for i, s := range o.queue {
		if want <= 0 || s.control {
			pos += uint64(len(s.b))
			kept = append(kept, o.queue[i])
			continue
		}
		cut := 0
		for cut < len(s.b) && want > 0 {
			_, header, payload := splitFrame(s.b[cut:])
			size := header + len(payload)
			cut += size
			want -= size
			o.droppedLocked(pos, size)
		}
		if cut == len(s.b) {
			s.free()
			continue
		}
		s.b = s.b[cut:]
		pos += uint64(len(s.b))
		kept = append(kept, s)
	}
	clear(o.queue[len(kept):])
	o.queue = kept
}

// droppableLocked returns how many bytes of whole data frames have not begun to leave.
func (o *outbound) droppableLocked() (n int) {
	for _, s := range o.queue {
		if !s.control {
			n += len(s.b)
		}
	}
	return n
}

// droppedLocked takes a frame of size bytes that began at pos out of the stream's positions.
func (o *outbound) droppedLocked(pos uint64, size int) {
	o.queued -= size
	o.accepted -= uint64(size)
	for i := range o.waiters {
		if o.waiters[i].at > pos {
			o.waiters[i].at -= uint64(size)
		}
	}
}
