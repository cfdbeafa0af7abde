package wsframework

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"unicode/utf8"
)

// A gate reads one connection's frames and checks them (RFC 6455, 5). It handles control frames, reads
// plain messages itself, and leaves to a joiner those that are fragmented or compressed.
//
// One goroutine at a time uses it: the one that has the connection's reading role.
type gate struct {
	c    *conn
	in   inbuf
	left int64   // bytes of the current frame's payload that have not been read
	join *joiner // made when first needed

	received atomic.Int64 // bytes so far

	lenient bool // after a violation frames are only skipped
}

// A protocolError is a violation by the peer, and the close code that answers it.
type protocolError struct {
	code   int
	reason string
}

func (e *protocolError) Error() string {
	return "wsframework: the peer broke the protocol: " + e.reason
}

// errCloseReceived ends the reading: nothing may follow a close frame.
var errCloseReceived = errors.New("wsframework: close frame received")

// readAhead is how much memory a message gets before that much has arrived.
const readAhead = 64 << 10

// errQuiet says that nothing has come for a while but pongs.
var errQuiet = errors.New("wsframework: quiet")

// next returns the next message, errQuiet, or another error when the reading has ended. After a violation
// and after our own close frame it reads on and discards, so that the peer is not reset before it has
// seen our frame.
func (g *gate) next() (Message, error) {
	for {
		m, err := g.message()
		if err == nil || err == errQuiet {
			return m, err
		}
		if violation, ok := err.(*protocolError); ok {
			g.lenient = true
			g.c.violated(violation)
			continue
		}
		if err != errCloseReceived {
			g.c.readFailed(err)
		}
		return Message{}, err
	}
}

func (g *gate) message() (Message, error) {
	if err := g.skip(); err != nil {
		return Message{}, err
	}
	for {
		discard := g.lenient || g.c.discard.Load()
		h, err := g.header(discard)
		if err != nil {
			return Message{}, err
		}
		switch {
		case h.op().isControl():
			err = g.control(h)
			if err == nil && h.op() == opPong && g.c.isQuiet() && g.in.buffered() == 0 {
				err = errQuiet
			}
		case discard:
			g.left = h.length
			err = g.skip()
		case h.op() == opContinuation:
			err = &protocolError{CloseProtocolError, "continuation of no message"}
		case h.fin() && !h.compressed():
			data, err := g.payload(h)
			return Message{MessageType(h.op()), data}, err
		default:
			if g.join == nil {
				g.join = newJoiner(g)
			}
			data, err := g.join.message(h)
			return Message{MessageType(h.op()), data}, err
		}
		if err != nil {
			return Message{}, err
		}
	}
}

// need waits until n bytes are buffered, at most a page.
func (g *gate) need(n int) error {
	for g.in.buffered() < n {
		if err := g.fill(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gate) fill() error {
	g.c.batch.end() // what a burst's replies waited for is over
	before := g.in.buffered()
	err := g.c.tr.fill(&g.in)
	g.received.Add(int64(g.in.buffered() - before))
	g.c.heardFrom()
	return err
}

// header reads a frame's header and, unless lenient, checks it as far as it can be checked. A header
// that is refused stays in the buffer, to be read again leniently.
func (g *gate) header(lenient bool) (h header, err error) {
	if err := g.need(2); err != nil {
		return h, err
	}
	b := g.in.bytes()
	h.first = b[0]
	masked, n := b[1]&maskBit != 0, int64(b[1]&^maskBit)
	if !lenient {
		if violation := g.check(h, masked, n); violation != nil {
			return h, violation
		}
	}
	size := 2
	if n == 126 {
		size += 2
	} else if n == 127 {
		size += 8
	}
	if masked {
		size += 4
	}
	if err := g.need(size); err != nil {
		return h, err
	}
	b = g.in.bytes()
	h.length = n
	short := false
	switch n {
	case 126:
		h.length = int64(binary.BigEndian.Uint16(b[2:]))
		short = h.length < 126
	case 127:
		length := binary.BigEndian.Uint64(b[2:])
		h.length = int64(min(length, 1<<63-1))
		short = length <= 0xFFFF || length >= 1<<63
	}
	if !lenient {
		if short {
			return h, &protocolError{CloseProtocolError, "length not in its shortest form"}
		}
		if violation := g.checkSize(h); violation != nil {
			return h, violation
		}
	}
	if masked {
		h.key = binary.LittleEndian.Uint32(b[size-4:])
	}
	g.in.consume(size)
	return h, nil
}

// check judges a header by its first two bytes (RFC 6455, 5.1, 5.2, 5.5; RFC 7692, 6).
func (g *gate) check(h header, masked bool, n int64) *protocolError {
	op := h.op()
	rsv := h.first & rsvBits
	if rsv == rsv1Bit && g.c.deflate.on && (op == opText || op == opBinary) {
		rsv = 0
	}
	reason := ""
	switch {
	case rsv != 0:
		reason = "reserved bit set"
	case !op.isKnown():
		reason = fmt.Sprintf("unknown opcode %d", op)
	case !masked && !g.c.isClient:
		reason = "frame is not masked"
	case masked && g.c.isClient:
		reason = "frame of a server is masked"
	case op.isControl() && !h.fin():
		reason = "fragmented control frame"
	case op.isControl() && n > maxControl:
		reason = "control frame of more than 125 bytes"
	case g.joining() && (op == opText || op == opBinary):
		reason = "new message within a fragmented one"
	default:
		return nil
	}
	return &protocolError{CloseProtocolError, reason}
}

func (g *gate) checkSize(h header) *protocolError {
	if h.op().isControl() {
		return nil
	}
	if h.length > math.MaxInt32 && h.length > math.MaxInt {
		return &protocolError{CloseMessageTooBig, "message of more than this machine can address"}
	}
	size, limit := h.length, int64(g.c.route.maxMessage)
	deflated := h.compressed()
	if g.joining() {
		size += g.join.size
		deflated = g.join.deflated
	}
	if limit > 0 && deflated {
		limit += limit/256 + 1024 // deflate may make a message that has no pattern a little longer
	}
	if limit > 0 && (size > limit || size < 0) {
		return tooBig(g.c.route.maxMessage)
	}
	return nil
}

// joining reports whether a fragmented message is under way.
func (g *gate) joining() bool { return g.join != nil && g.join.reading }

func tooBig(limit int) *protocolError {
	return &protocolError{CloseMessageTooBig, fmt.Sprintf("message of more than %d bytes", limit)}
}

// control reads and handles a control frame.
func (g *gate) control(h header) error {
	if h.length > maxControl { // only after a violation
		g.left = h.length
		return g.skip()
	}
	n := int(h.length)
	if err := g.need(n); err != nil {
		return err
	}
	payload := g.in.bytes()[:n]
	unmask(payload, payload, h.key)
	// The handling copies what it keeps.
	defer g.in.consume(n)
	switch h.op() {
	case opPing:
		g.c.pinged(payload)
	case opPong:
		g.c.ponged(payload)
	case opClose:
		code, reason, violation := parseClosePayload(payload)
		if violation != nil {
			g.c.violated(violation)
			code, reason = violation.code, ""
		}
		g.c.peerClosed(code, reason, !g.lenient)
		return errCloseReceived
	}
	return nil
}

// payload reads a message that is one plain frame. Its memory follows what has arrived.
func (g *gate) payload(h header) ([]byte, error) {
	isText := h.op() == opText
	n := int(h.length)
	g.in.large = n > pageSize
	if n <= g.in.buffered() {
		data := make([]byte, n)
		unmask(data, g.in.bytes()[:n], h.key)
		g.in.consume(n)
		if isText && !utf8.Valid(data) {
			return nil, errNotUTF8
		}
		return data, nil
	}
	g.left = h.length
	data := make([]byte, min(n, readAhead))
	var text utf8Check
	key := h.key
	for got := 0; got < n; {
		if g.in.buffered() == 0 {
			if err := g.fill(); err != nil {
				return nil, err
			}
			continue
		}
		if got == len(data) {
			grown := make([]byte, min(2*len(data), n))
			copy(grown, data)
			data = grown
		}
		fresh := data[got:min(len(data), got+g.in.buffered())]
		key = unmask(fresh, g.in.bytes()[:len(fresh)], key)
		g.in.consume(len(fresh))
		got += len(fresh)
		g.left -= int64(len(fresh))
		if isText && !text.write(fresh) {
			return nil, errNotUTF8
		}
	}
	if !text.complete() {
		return nil, errNotUTF8
	}
	return data, nil
}

var errNotUTF8 = &protocolError{CloseInvalidPayload, "text is not UTF-8"}

// skip reads what is left of the current frame and forgets it.
func (g *gate) skip() error {
	for g.left > 0 {
		if g.in.buffered() == 0 {
			if err := g.fill(); err != nil {
				return err
			}
		}
		n := min(int64(g.in.buffered()), g.left)
		g.in.consume(int(n))
		g.left -= n
	}
	return nil
}
