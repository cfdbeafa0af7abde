package wsframework

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// An outbound is the queue of one connection's outgoing frames. Nobody who writes ever waits for the
// peer, and writes combine: whoever writes while nobody is flushing becomes the flusher and hands the
// frame to the kernel itself; whoever writes meanwhile only appends, and the flusher takes that along.
// What the kernel does not take is left to a goroutine that lives until the queue is empty.
//
// All methods may be called from any goroutine. Frames leave in the order in which they were accepted,
// but for a pong, which overtakes the data that waits.
type outbound struct {
	// Set before the connection is used.
	tr      transport
	owner   outboundOwner
	limit   int // bytes
	policy  SlowConsumerPolicy
	timeout time.Duration
	deflate *deflater // nil unless compression was negotiated

	mu sync.Mutex // protects the following

	state    outboundState
	queue    []segment
	queued   int  // bytes in queue, pong and cur
	flushing bool // somebody owns the writing side of tr, and cur
	promised bool // a batch will flush this queue

	pong []byte // a frame that waits, or nil

	pingDue bool // a keep-alive ping waits

	// Positions in the stream of accepted frames, for Flush: in bytes before compression, and without
	// the pings and pongs that overtake data.
	accepted uint64
	leaving  uint64 // of those accepted, what the flusher has taken
	gone     uint64
	waiters  []*flushWaiter
	closing  bool // the close frame has begun to leave

	// Owned by the flusher.
	cur   []segment // has begun to leave
	fresh bool      // cur has just been taken from the queue
	iovec [][]byte
	head  [10]byte // a header that goes out before a payload written by reference
}

// outboundOwner is told how the queue ended. It is called without a lock.
type outboundOwner interface {
	writeFailed(err error)
	closeFrameSent()
	tooSlow()
	heardFrom() // the peer takes what it is sent
}

type outboundState uint8

const (
	outOpen    outboundState = iota
	outClosing               // the close frame is queued; nothing may follow it
	outClosed
)

// A segment is a run of whole frames, except that the first one of cur may lack its beginning.
type segment struct {
	b       []byte
	size    int    // in cur: what it counts in the stream's positions
	chunk   *chunk // b's memory if it is pooled, so that it can be appended to
	control bool   // one control frame, not to be dropped
}

// Small frames are copied together into chunks. Larger ones stand alone.
const chunkSize = 4096

type chunk [chunkSize]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// maxTake bounds what begins to leave at once, so that the rest can still be dropped.
const maxTake = 64 << 10

type flushWaiter struct {
	at   uint64
	gone bool          // all before at has left
	done chan struct{} // closed when gone, or when the queue has ended
}

// write accepts one data message. It does not keep payload. by is the batch on whose behalf the caller
// writes, or nil.
func (o *outbound) write(op opcode, payload []byte, by *batch) error {
	first := byte(op)
	if o.deflate.independent(len(payload)) {
		first, payload = first|rsv1Bit, o.deflate.compress(payload)
	}
	size := frameSize(len(payload))

	o.mu.Lock()
	err := o.admitLocked(size)
	if err != nil && err != errDroppedOldest {
		o.mu.Unlock()
		return o.refused(err)
	}
	if o.idleLocked() && !by.isOpen() && !o.deflate.dependent() {
		o.flushing = true
		o.accepted += uint64(size)
		o.leaving += uint64(size)
		o.mu.Unlock()
		o.writeThrough(first, payload)
		return err.visible()
	}
	o.appendLocked(first, payload)
	o.departLocked(by)
	return err.visible()
}

// writeShared accepts a frame that many connections send. It only appends, by reference where it can.
// flush tells the caller to see to it that flush is called, slow to call owner.tooSlow, both once the
// caller holds no lock.
func (o *outbound) writeShared(f *sharedFrame) (flush, slow bool) {
	b := f.bytesFor(o.deflate)
	o.mu.Lock()
	if err := o.admitLocked(len(b)); err != nil && err != errDroppedOldest {
		o.mu.Unlock()
		return false, err == errTooSlow
	}
	if len(o.queue) > 0 && len(b) <= chunkSize {
		o.appendBytesLocked(b)
	} else {
		o.pushLocked(segment{b: b})
	}
	flush = !o.flushing && !o.promised
	if flush {
		o.promised = true
	}
	o.mu.Unlock()
	return flush, false
}

// ping queues a ping frame.
func (o *outbound) ping(data []byte, by *batch) error {
	size := frameSize(len(data))
	o.mu.Lock()
	if err := o.admitLocked(size); err != nil && err != errDroppedOldest {
		o.mu.Unlock()
		return o.refused(err)
	}
	frame := appendFrame(make([]byte, 0, size), byte(opPing), data)
	o.pushLocked(segment{b: frame, control: true})
	o.departLocked(by)
	return nil
}

// keepAlivePing queues an empty ping. It is never refused, and overtakes data: it finds out whether the
// peer is alive.
func (o *outbound) keepAlivePing() {
	o.mu.Lock()
	if o.state != outOpen {
		o.mu.Unlock()
		return
	}
	o.pingDue = true
	o.departLocked(nil)
}

var emptyPing = []byte{finBit | byte(opPing), 0}

// answerPing queues a pong. Pongs do not pile up: of those that wait only the latest is sent
// (RFC 6455, 5.5.3).
func (o *outbound) answerPing(data []byte, by *batch) {
	o.mu.Lock()
	if o.state != outOpen {
		o.mu.Unlock()
		return
	}
	o.queued -= len(o.pong)
	o.pong = appendFrame(o.pong[:0], byte(opPong), data)
	o.queued += len(o.pong)
	o.departLocked(by)
}

// close queues a close frame behind all that was accepted; nothing is accepted after it. With
// dropData, what has not begun to leave is dropped first.
func (o *outbound) close(payload []byte, dropData bool) {
	o.mu.Lock()
	if o.state != outOpen {
		o.mu.Unlock()
		return
	}
	if dropData {
		o.dropOldestLocked(o.queued)
	}
	frame := appendFrame(make([]byte, 0, frameSize(len(payload))), byte(opClose), payload)
	o.pushLocked(segment{b: frame, control: true})
	o.state = outClosing
	o.departLocked(nil)
}

// kill ends the queue: nothing leaves any more.
func (o *outbound) kill() {
	o.mu.Lock()
	o.state = outClosed
	o.clearLocked()
	o.mu.Unlock()
}

// closeHasBegun reports whether our close frame has begun to leave.
func (o *outbound) closeHasBegun() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

// flush hands to the kernel what waits, if nobody else does so already.
func (o *outbound) flush() {
	o.mu.Lock()
	o.promised = false
	o.departLocked(nil)
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

// admitLocked decides whether size more bytes are accepted. A message that is alone always is: the
// bound is on what piles up.
func (o *outbound) admitLocked(size int) *admitError {
	if o.state != outOpen {
		return errQueueClosed
	}
	if o.limit <= 0 || o.queued == 0 || o.queued+size <= o.limit {
		return nil
	}
	switch o.policy {
	case DropOldest:
		if stays := o.queued - o.droppableLocked(); stays > 0 && stays+size > o.limit {
			return errDroppedNewest // dropping would not make room
		}
		o.dropOldestLocked(o.queued + size - o.limit)
		return errDroppedOldest
	case DropNewest:
		return errDroppedNewest
	}
	return errTooSlow
}

func (o *outbound) refused(err *admitError) error {
	if err == errTooSlow {
		o.owner.tooSlow()
	}
	return err.error
}

func (o *outbound) idleLocked() bool {
	return !o.flushing && len(o.queue) == 0 && o.pong == nil && !o.pingDue && o.tr.canTry()
}

func (o *outbound) pushLocked(s segment) {
	o.queue = append(o.queue, s)
	o.queued += len(s.b)
	o.accepted += uint64(len(s.b))
}

// appendLocked encodes a frame behind the queue.
func (o *outbound) appendLocked(first byte, payload []byte) {
	size := frameSize(len(payload))
	if size > chunkSize {
		o.pushLocked(segment{b: appendFrame(make([]byte, 0, size), first, payload)})
		return
	}
	s := o.chunkLocked(size)
	s.b = appendFrame(s.b, first, payload)
	o.queued += size
	o.accepted += uint64(size)
}

// appendBytesLocked copies a small frame behind the queue.
func (o *outbound) appendBytesLocked(frame []byte) {
	s := o.chunkLocked(len(frame))
	s.b = append(s.b, frame...)
	o.queued += len(frame)
	o.accepted += uint64(len(frame))
}

// chunkLocked returns the queue's last segment if size more bytes fit into its chunk, or a new one.
func (o *outbound) chunkLocked(size int) *segment {
	if n := len(o.queue); n > 0 {
		if s := &o.queue[n-1]; s.chunk != nil && len(s.b)+size <= cap(s.b) {
			return s
		}
	}
	c := chunks.Get().(*chunk)
	o.queue = append(o.queue, segment{b: c[:0], chunk: c})
	return &o.queue[len(o.queue)-1]
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
	o.mu.Unlock()
	go o.drainSlowly()
}

// drainLocked writes until the queue is empty or the kernel takes no more. The caller is the flusher.
// It unlocks mu.
func (o *outbound) drainLocked() {
	for o.takeLocked() {
		if !o.tr.canTry() {
			o.mu.Unlock()
			go o.drainSlowly()
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
			o.mu.Unlock()
			go o.drainSlowly()
			return
		}
	}
	o.endLocked()
}

// drainSlowly writes as fast as the peer reads, in a goroutine of its own, until the queue is empty.
// Its goroutine is the flusher.
func (o *outbound) drainSlowly() {
	o.mu.Lock()
	for o.takeLocked() {
		o.mu.Unlock()
		bufs, delta := o.vectors()
		n, err := o.tr.write(bufs, o.timeout, o.owner.heardFrom)
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
		return true
	}
	if o.pingDue {
		o.cur = append(o.cur, segment{b: emptyPing, control: true})
		o.queued += len(emptyPing)
		o.pingDue = false
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

// vectors lists cur's bytes as they are to leave, and tells by how many compressing them has changed
// their number. Only the flusher calls it, without the lock.
func (o *outbound) vectors() (bufs [][]byte, delta int) {
	if o.fresh && o.deflate.dependent() {
		delta = o.compressCur()
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

func (s *segment) free() {
	if s.chunk != nil {
		chunks.Put(s.chunk)
	}
	*s = segment{}
}

// endLocked gives up the flusher's role: all is written, or the queue was killed. It unlocks mu.
func (o *outbound) endLocked() {
	o.flushing = false
	o.wakeLocked()
	sent := o.state == outClosing
	switch {
	case sent:
		o.state = outClosed
		o.clearLocked()
	case o.state == outClosed:
		o.clearLocked()
	case cap(o.queue) > 64:
		o.queue, o.cur, o.iovec = nil, nil, nil // after a burst an idle connection is small again
	}
	o.mu.Unlock()
	if sent {
		o.owner.closeFrameSent()
	}
}

// failLocked gives up the flusher's role after an error. It unlocks mu.
func (o *outbound) failLocked(err error) {
	o.flushing = false
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

// clearLocked lets go of all that waits, once nothing leaves any more. What the flusher works on is
// left to the flusher.
func (o *outbound) clearLocked() {
	for i := range o.queue {
		o.queue[i].free()
	}
	o.queue, o.pong, o.pingDue = nil, nil, false
	if !o.flushing {
		for i := range o.cur {
			o.cur[i].free()
		}
		o.cur, o.iovec = nil, nil
	}
	o.queued = 0
	for _, w := range o.waiters {
		close(w.done)
	}
	o.waiters = nil
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
