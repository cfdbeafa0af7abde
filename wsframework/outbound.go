package wsframework

import "sync"

// An outbound is the queue of one connection's outgoing frames. Nobody who writes ever waits for the
// peer, and writes combine: whoever writes while nobody is flushing becomes the flusher and hands the
// frame to the kernel itself; whoever writes meanwhile only appends, and the flusher takes that along.
// What the kernel does not take is left to a goroutine that lives until the queue is empty.
//
// All methods may be called from any goroutine. Frames leave in the order in which they were accepted,
// but for pongs and keep-alive pings, which overtake the data that waits.
//
// This file is how frames get into the queue, admission.go what happens when there is no room, flusher.go
// how they leave, flushwait.go how Flush waits for that.
type outbound struct {
	// Set before the connection is used.
	tr       transport
	owner    outboundOwner
	settings *Settings
	deflate  *deflater // nil unless compression was negotiated
	masks    bool      // what leaves, as a client has to

	mu sync.Mutex // protects the following

	state    outboundState
	queue    []segment
	queued   int  // bytes in queue, pong and cur
	flushing bool // somebody owns the writing side of tr, and cur
	draining bool // and waits for the peer
	promised bool // a batch will flush this queue

	pong    []byte // a frame that waits, or nil
	pingDue bool   // a keep-alive ping waits

	// Positions in the stream of accepted frames, for Flush: in bytes before compression, and without
	// the pings and pongs that overtake data.
	accepted uint64
	leaving  uint64 // of those accepted, what the flusher has taken
	gone     uint64
	waiters  []*flushWaiter
	closing  bool // the close frame has begun to leave
	settled  chan struct{}

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

// write accepts one data message. It does not keep payload. by is the batch on whose behalf the caller
// writes, or nil.
func (o *outbound) write(op opcode, payload []byte, by *batch) error {
	first := byte(op)
	if o.deflate.independent(len(payload)) {
		first, payload = first|rsv1Bit, o.deflate.compress(payload)
	}
	size := frameSize(len(payload))
	if size > chunkSize {
		by = nil // to copy it would cost more than a system call for it alone
	}

	o.mu.Lock()
	o.yieldLocked(size)
	err := o.admitLocked(size)
	if err != nil && err != errDroppedOldest {
		o.mu.Unlock()
		return o.refused(err)
	}
	if o.idleLocked() && !by.isOpen() && !o.deflate.dependent() && !o.masks {
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

// settle waits, behind kill, until it is known whether our close frame has left: for a write that is under
// way, which ends as the socket is closed, and for the owner to be told.
func (o *outbound) settle() {
	o.mu.Lock()
	if !o.closing || !o.flushing {
		o.mu.Unlock()
		return
	}
	settled := make(chan struct{})
	o.settled = settled
	o.mu.Unlock()
	<-settled
}

// isOpen reports whether anything is still accepted.
func (o *outbound) isOpen() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state == outOpen
}

// flush hands to the kernel what waits, if nobody else does so already.
func (o *outbound) flush() {
	o.mu.Lock()
	o.promised = false
	o.departLocked(nil)
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

func (s *segment) free() {
	if s.chunk != nil {
		chunks.Put(s.chunk)
	}
	*s = segment{}
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

// sent returns how many bytes of data frames have left.
func (o *outbound) sent() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone
}
