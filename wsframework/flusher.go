package wsframework

import (
	"errors"
	"os"
)

// The part of an outbound that writes. One goroutine at a time is the flusher.

// maxTake bounds what begins to leave at once, so that the rest can still be dropped.
const maxTake = 64 << 10

// departLocked sees to it that what was appended leaves: by the flusher that is at work, by the batch
// that has promised it, or right here. It unlocks mu.
func (o *outbound) departLocked(by *batch) {
	switch {
	case o.flushing || o.state == outClosed:
		o.mu.Unlock()
	case by.isOpen():
		add := !o.promised
		o.promised = true
		o.mu.Unlock()
		if add && !by.add(o) {
			o.flush()
		}
	default:
		o.flushing = true
		o.drainLocked()
	}
}

// writeThrough writes one frame that nothing waits before. The caller has become the flusher.
func (o *outbound) writeThrough(first byte, payload []byte) {
	size := frameSize(len(payload))
	if size <= chunkSize {
		c := chunks.Get().(*chunk)
		b := appendFrame(c[:0], first, payload)
		o.iovec = append(o.iovec[:0], b)
		n, err := o.tr.tryWrite(o.iovec)
		if n == size && err == nil {
			chunks.Put(c)
			o.writtenThrough(size)
			return
		}
		o.leftover(segment{b: b[n:], size: size, chunk: c}, err)
		return
	}
	head := appendHeader(o.head[:0], first, len(payload))
	o.iovec = append(o.iovec[:0], head, payload)
	n, err := o.tr.tryWrite(o.iovec)
	clear(o.iovec)
	if n == size && err == nil {
		o.writtenThrough(size)
		return
	}
	// The payload is the caller's: only what did not leave is copied.
	rest := make([]byte, 0, size-n)
	if n < len(head) {
		rest = append(rest, head[n:]...)
		rest = append(rest, payload...)
	} else {
		rest = append(rest, payload[n-len(head):]...)
	}
	o.leftover(segment{b: rest, size: size}, err)
}

// writtenThrough goes on when a whole frame has left.
func (o *outbound) writtenThrough(size int) {
	o.mu.Lock()
	o.gone += uint64(size)
	o.leaving -= uint64(size)
	o.drainLocked()
}

// leftover goes on with the rest of a frame.
func (o *outbound) leftover(rest segment, err error) {
	o.mu.Lock()
	o.queued += len(rest.b)
	o.cur = append(o.cur, rest)
	if err != nil {
		o.failLocked(err)
		return
	}
	o.leaveToDrainLocked()
}

// drainLocked writes until the queue is empty or the kernel takes no more. The caller is the flusher.
// It unlocks mu.
func (o *outbound) drainLocked() {
	for o.takeLocked() {
		if !o.tr.canTry() {
			o.leaveToDrainLocked()
			return
		}
		o.mu.Unlock()
		bufs, delta := o.vectors()
		n, err := o.tr.tryWrite(bufs)
		o.mu.Lock()
		o.departedLocked(n, delta)
		if err != nil {
			o.failLocked(err)
			return
		}
		if len(o.cur) > 0 {
			o.leaveToDrainLocked()
			return
		}
	}
	o.endLocked()
}

// leaveToDrainLocked passes the flusher's role to drainSlowly. It unlocks mu.
func (o *outbound) leaveToDrainLocked() {
	o.draining = true
	o.mu.Unlock()
	go o.drainSlowly()
}

// drainSlowly writes as fast as the peer reads, in a goroutine of its own, until the queue is empty.
// Its goroutine is the flusher.
func (o *outbound) drainSlowly() {
	o.mu.Lock()
	for o.takeLocked() {
		o.mu.Unlock()
		bufs, delta := o.vectors()
		n, err := o.tr.write(bufs, o.settings.WriteTimeout, o.owner.heardFrom)
		o.mu.Lock()
		o.departedLocked(n, delta)
		if err != nil {
			o.failLocked(err)
			return
		}
	}
	o.endLocked()
}

// takeLocked moves what leaves next to cur, and reports whether there is anything.
func (o *outbound) takeLocked() bool {
	if o.state == outClosed {
		return false
	}
	if len(o.cur) > 0 {
		return true
	}
	if o.pong != nil {
		o.cur = append(o.cur, segment{b: o.pong, control: true})
		o.pong = nil
		o.fresh = true
		return true
	}
	if o.pingDue {
		o.cur = append(o.cur, segment{b: emptyPing, control: true})
		o.queued += len(emptyPing)
		o.pingDue = false
		o.fresh = true
		return true
	}
	total, n := 0, 0
	for n < len(o.queue) && n < 16 && (n == 0 || total+len(o.queue[n].b) <= maxTake) {
		total += len(o.queue[n].b)
		n++
	}
	if n == 0 {
		return false
	}
	for _, s := range o.queue[:n] {
		s.size = len(s.b)
		o.cur = append(o.cur, s)
	}
	o.leaving += uint64(total)
	rest := copy(o.queue, o.queue[n:])
	clear(o.queue[rest:])
	o.queue = o.queue[:rest]
	o.fresh = true
	o.closing = o.state == outClosing && rest == 0
	return true
}

// vectors lists cur's bytes as they are to leave, and tells by how many compressing and masking them has
// changed their number. Only the flusher calls it, without the lock.
func (o *outbound) vectors() (bufs [][]byte, delta int) {
	if o.fresh && o.deflate.dependent() {
		delta = o.compressCur()
	}
	if o.fresh && o.masks {
		delta += o.maskCur()
	}
	o.fresh = false
	o.iovec = o.iovec[:0]
	for _, s := range o.cur {
		o.iovec = append(o.iovec, s.b)
	}
	return o.iovec, delta
}

// departedLocked takes n bytes off cur.
func (o *outbound) departedLocked(n, delta int) {
	o.queued += delta - n
	i := 0
	for ; i < len(o.cur) && n >= len(o.cur[i].b); i++ {
		n -= len(o.cur[i].b)
		o.gone += uint64(o.cur[i].size)
		o.leaving -= uint64(o.cur[i].size)
		o.cur[i].free()
	}
	if i < len(o.cur) {
		o.cur[i].b = o.cur[i].b[n:]
	}
	rest := copy(o.cur, o.cur[i:])
	clear(o.cur[rest:])
	o.cur = o.cur[:rest]
	clear(o.iovec)
	o.wakeLocked()
}

// endLocked gives up the flusher's role: all is written, or the queue was killed. It unlocks mu.
func (o *outbound) endLocked() {
	o.draining = false
	o.wakeLocked()
	if o.closing && len(o.cur) == 0 { // killed or not
		o.state = outClosed
		o.clearLocked()
		o.mu.Unlock()
		o.owner.closeFrameSent()
		o.mu.Lock()
	}
	o.stopFlushingLocked()
	switch {
	case o.state == outClosed:
		o.clearLocked()
	case cap(o.queue) > 64:
		o.queue, o.cur, o.iovec = nil, nil, nil // after a burst an idle connection is small again
	}
	o.mu.Unlock()
}

func (o *outbound) stopFlushingLocked() {
	o.flushing, o.draining = false, false
	if o.settled != nil {
		close(o.settled)
		o.settled = nil
	}
}

// failLocked gives up the flusher's role after an error. It unlocks mu.
func (o *outbound) failLocked(err error) {
	o.stopFlushingLocked()
	killed := o.state == outClosed
	o.state = outClosed
	o.clearLocked()
	o.mu.Unlock()
	if !killed {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = ErrWriteTimeout
		}
		o.owner.writeFailed(err)
	}
}
