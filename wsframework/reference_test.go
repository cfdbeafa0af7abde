package wsframework

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A reference finds out, slowly and step by step, what our side has to do.
type reference struct {
	setup
	in     []byte
	events []string
	codes  []int  // the last event may close with any of them
	point  string // the first difference that applies
	before int    // the events before it
	closed bool   // by a close frame

	// The message at hand.
	op                  opcode
	open, deflated, fin bool
	size, left          int // on the wire: of its frames so far, and of the last one's rest
	key                 [4]byte
	at                  int           // in that frame
	stream              *bufio.Reader // of its deflate data
	tail                *strings.Reader
	window              []byte        // the messages before it
	piece               [1 << 15]byte // as much as an inflater gives at once
}

// stop ends the reading. Without a point coder's side has to do the same.
func (r *reference) stop(point string, codes ...int) bool {
	if r.closed {
		return false
	}
	if point == "" && r.open && r.deflated && r.left > len(r.in) { // coder inflates the last piece still masked
		point = "the stream ends within a message"
	}
	r.differ(point)
	r.codes = codes
	return false
}

// differ notes that coder's side may do something else from here on.
func (r *reference) differ(point string) {
	if r.point == "" && point != "" {
		r.point, r.before = point, len(r.events)
	}
}

// frame handles control frames and begins the next data frame.
func (r *reference) frame() bool {
	for {
		cut, b := "", r.in
		if r.open {
			cut = "the stream ends within a message"
		}
		if len(b) < 2 {
			return r.stop(cut, none)
		}
		h, n, masked := header{first: b[0]}, int(b[1]&0x7F), b[1] >= 0x80
		extended := map[int]int{126: 2, 127: 8}[n]
		size, length := 2+extended+int(b[1]>>7)*4, uint64(n)
		whole := len(b) >= size
		if whole && extended > 0 {
			length = binary.BigEndian.Uint64(append(make([]byte, 8-extended), b[2:2+extended]...))
		}
		op, control := h.op(), h.op() >= 8
		short := whole && (n == 126 && length < 126 || n == 127 && length < 1<<16 || length >= 1<<63)
		reserved := b[0]&0x70 != 0 && (b[0]&0x70 != 0x40 || r.extensions == "" || op != opText && op != opBinary)
		unknown, misplaced := op > 2 && op < 8 || op > 10, !control && (op == 0) != r.open
		atOnce := reserved || unknown || !masked || control && (!h.fin() || n > 125) || misplaced && op != 0
		coders := whole && length < 1<<63 && // what coder refuses, too
			(reserved || masked && (unknown || misplaced || control && (!h.fin() || length > 125)))
		switch {
		case coders && (atOnce || short):
			return r.stop("", 1002)
		case atOnce && !whole:
			return r.stop("a header is refused before it is whole", 1002)
		case !whole:
			return r.stop(cut, none)
		case !masked:
			return r.stop("a frame is not masked", 1002)
		case atOnce || short:
			return r.stop("a length is not in its shortest form", 1002)
		}
		r.key, r.at, r.in = [4]byte(b[size-4:]), 0, b[size:]
		if control && len(r.in) < n {
			return r.stop(cut, none)
		} else if control {
			payload := slowUnmask(r.in[:n], r.key, 0)
			if r.in = r.in[n:]; op == opPing {
				r.events = append(r.events, event(0x8A, payload))
			} else if op == opClose {
				return r.close(payload)
			}
			continue
		}
		if !r.open {
			r.op, r.deflated, r.size = op, h.compressed(), 0
		}
		limit := r.limit + map[bool]int{true: r.limit/256 + 1024}[r.deflated]
		switch tooLong := uint64(r.size)+length > uint64(limit); {
		case tooLong && (misplaced || r.deflated || r.size+len(r.in) <= r.limit):
			return r.stop("a message is announced too long", 1009)
		case tooLong:
			return r.stop("", 1009)
		case misplaced:
			return r.stop("", 1002)
		}
		r.open, r.fin, r.left, r.size = true, h.fin(), int(length), r.size+int(length)
		return true
	}
}

func (r *reference) close(payload []byte) bool {
	point, code := "", int(binary.BigEndian.Uint16(append(bytes.Clone(payload), 0, 0)))
	valid := code >= 1000 && code <= 1014 && (code < 1004 || code > 1006) || code >= 3000 && code <= 4999
	if len(payload) == 1 || len(payload) > 1 && !valid {
		code = 1002
	} else if len(payload) > 0 && !utf8.Valid(payload[2:]) {
		point, code = "a close reason is not UTF-8", 1007
	}
	r.stop(point, none)
	r.closed = true
	r.events = append(r.events, fmt.Sprint("close ", code))
	return false
}

// Read gives the payload of the message at hand.
func (r *reference) Read(p []byte) (int, error) {
	for r.left == 0 && !r.fin {
		if !r.frame() {
			return 0, io.ErrClosedPipe
		}
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), r.left, len(r.in))
	if n == 0 {
		r.stop("the stream ends within a message", none)
		return 0, io.ErrClosedPipe
	}
	copy(p, slowUnmask(r.in[:n], r.key, r.at))
	r.in, r.left, r.at = r.in[n:], r.left-n, r.at+n
	return n, nil
}

// hopeless tells that text can't become UTF-8 any more.
func hopeless(text []byte) bool {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if !utf8.FullRune(text[len(text)-i:]) {
			return !utf8.Valid(text[:len(text)-i])
		}
	}
	return !utf8.Valid(text)
}

// message reads a message and reports whether another may follow.
func (r *reference) message() bool {
	data, ok := []byte(nil), false
	if !r.deflated {
		data, ok = r.read(r, nil)
	} else {
		data, ok = r.inflate()
	}
	if !ok {
		return false
	}
	if r.op == opText && !utf8.Valid(data) {
		return r.stop("text is not UTF-8", 1007)
	}
	r.events = append(r.events, event(int(r.op), data))
	r.open = false
	if r.deflated && r.extensions == deflating {
		r.window = append(r.window, data...)
		r.window = r.window[max(0, len(r.window)-1<<15):]
	}
	return true
}

// read appends what comes from a reader to data, up to its end.
func (r *reference) read(from io.Reader, data []byte) ([]byte, bool) {
	text, n, err := r.op == opText, 0, error(nil)
	for err == nil {
		n, err = from.Read(r.piece[:])
		data = append(data, r.piece[:n]...)
		if r.deflated && n > 0 && r.tailUsed() > 4 {
			r.differ("compressed data ends within a block")
		}
		switch tooLong := len(data) > r.limit; {
		case err == io.ErrClosedPipe:
			if tooLong {
				r.differ("a compressed message fails past its limit")
			}
			return nil, false
		case text && hopeless(data[:min(len(data), r.limit)]):
			return nil, r.stop("text is not UTF-8", 1007)
		case text && hopeless(data):
			return nil, r.stop("text is not UTF-8", 1007, 1009) // what is inflated is looked at in pieces
		case tooLong && err != nil && len(data) == r.limit+1:
			return nil, r.stop("a compressed message fails past its limit", 1009)
		case tooLong:
			return nil, r.stop("", 1009)
		}
	}
	if err != io.EOF {
		return nil, r.stop("compressed data is corrupt", 1007)
	}
	return data, true
}

// inflate reads one stream of deflate data after the other.
func (r *reference) inflate() (data []byte, ok bool) {
	r.tail = strings.NewReader(referenceTail)
	r.stream = bufio.NewReader(io.MultiReader(r, r.tail))
	for {
		if _, err := r.stream.Peek(1); err == io.ErrClosedPipe {
			return nil, false
		}
		switch r.tailUsed() {
		case 0, 4, len(referenceTail):
			return data, true
		case -1:
		default:
			return nil, r.stop("compressed data ends within a block", 1007)
		}
		if data, ok = r.read(flate.NewReaderDict(r.stream, slices.Concat(r.window, data)), data); !ok {
			return nil, false
		}
		if r.tailUsed() < 0 && (r.stream.Buffered() > 0 || r.left > 0 || !r.fin) {
			r.differ("a final block is not the end")
		}
	}
}

// referenceTail is what a sender removes (RFC 7692, 7.2.2), and a final block.
const referenceTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// tailUsed returns how much of the tail has been inflated, or -1 before its time.
func (r *reference) tailUsed() int {
	if r.tail.Len() > 0 {
		return -1
	}
	return len(referenceTail) - r.stream.Buffered()
}
