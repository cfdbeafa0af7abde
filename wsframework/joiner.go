package wsframework

import (
	"bufio"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// A joiner reads the messages that are fragmented or compressed, with coder's reader. It is the net.Conn
// under a Conn of coder's and shows that the frames of one message: no control frame, and no byte of a
// later message, so that coder holds nothing in between. What coder writes on an error becomes our own
// close.
//
// Most connections never need one, so it is made when the first such message comes.
type joiner struct {
	net.Conn // for its addresses and deadlines
	gate     *gate
	ws       *websocket.Conn
	br       *bufio.Reader // coder's own buffer

	// The message at hand.
	reading  bool   // coder may ask for its bytes
	head     []byte // a frame's header, still to be handed over
	headMem  [maxHeader]byte
	fin      bool
	key      uint32
	size     int64 // the payload of its frames so far
	deflated bool
	checking bool // it is uncompressed text
	text     utf8Check
	err      error // what ended it
}

// newJoiner makes coder believe that it has just accepted a connection with the extensions that were
// negotiated.
func newJoiner(g *gate, extensions string) (*joiner, error) {
	j := &joiner{Conn: g.c.tr.conn(), gate: g}
	request := &http.Request{Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
		"Connection":               {"Upgrade"},
		"Upgrade":                  {"websocket"},
		"Sec-Websocket-Version":    {"13"},
		"Sec-Websocket-Key":        {"AAAAAAAAAAAAAAAAAAAAAA=="},
		"Sec-Websocket-Extensions": {extensions},
	}}
	ws, err := websocket.Accept(joinerWriter{j, make(http.Header)}, request,
		&websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1) // the gate counts
	j.ws = ws
	return j, nil
}

// A joinerWriter takes the answer of a handshake that nobody waits for.
type joinerWriter struct {
	j      *joiner
	header http.Header
}

func (w joinerWriter) Header() http.Header         { return w.header }
func (w joinerWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w joinerWriter) WriteHeader(int)             {}

// Hijack hands out the joiner with coder's buffers. Headers are read through the first, and payloads
// past it; a control frame fits whole into the second.
func (w joinerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	rw := coderBuffers(w.j)
	w.j.br = rw.Reader
	return w.j, rw, nil
}

const coderWriteBuffer = 2 + maxControl

func coderBuffers(c net.Conn) *bufio.ReadWriter {
	return bufio.NewReadWriter(bufio.NewReaderSize(c, 16), bufio.NewWriterSize(c, coderWriteBuffer))
}

// message reads the message of which h is the first header.
func (j *joiner) message(h header) ([]byte, error) {
	j.reading, j.size, j.err = true, 0, nil
	j.deflated, j.text = h.compressed(), utf8Check{}
	j.checking = h.op() == opText && !j.deflated
	j.setFrame(h)
	defer func() { j.reading = false }()

	_, r, err := j.ws.Reader(context.Background())
	if err != nil {
		return nil, j.failed(err)
	}
	limit := j.gate.c.route.maxMessage
	checkInflated := h.op() == opText && j.deflated
	data := make([]byte, 0, 512)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		if checkInflated && !j.text.write(data[len(data):len(data)+n]) {
			return nil, errNotUTF8
		}
		data = data[:len(data)+n]
		if limit > 0 && len(data) > limit {
			return nil, tooBig(limit)
		}
		if err != nil {
			if j.err != nil || err != io.EOF {
				return nil, j.failed(err)
			}
			break
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
	if !j.fin {
		return nil, &protocolError{CloseProtocolError, "compressed data ends before its message"}
	}
	if !j.text.complete() {
		return nil, errNotUTF8
	}
	// Behind a final deflate block coder leaves bytes of the frame unread (RFC 7692, 7.2.3.4).
	j.br.Discard(j.br.Buffered())
	if err := j.gate.skip(); err != nil {
		return nil, err
	}
	return data[:len(data):len(data)], nil
}

// failed finds the reason for an error of coder's reader: ours, or the compressed data.
func (j *joiner) failed(err error) error {
	if j.err != nil {
		return j.err
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) {
		return &protocolError{CloseInvalidPayload, "compressed data is corrupt"}
	}
	return &protocolError{CloseProtocolError, "message can't be read: " + err.Error()}
}

func (j *joiner) setFrame(h header) {
	j.fin, j.key, j.gate.left = h.fin(), h.key, h.length
	j.size += h.length
	j.head = appendHeader(j.headMem[:0], 0, int(h.length))
	j.head[0] = h.first
	j.head[1] |= maskBit
	j.head = binary.LittleEndian.AppendUint32(j.head, h.key)
}

// errBeyondMessage would mean that coder reads on after the end of a message.
var errBeyondMessage = errors.New("wsframework: read beyond the message")

// Read gives coder's reader the next bytes of the message at hand. Control frames between its fragments
// are handled on the way.
func (j *joiner) Read(p []byte) (int, error) {
	n, err := j.next(p)
	if err != nil && j.err == nil {
		j.err = err
	}
	return n, err
}

func (j *joiner) next(p []byte) (n int, err error) {
	if !j.reading {
		return 0, errBeyondMessage
	}
	for {
		if len(j.head) > 0 {
			n = copy(p, j.head)
			j.head = j.head[n:]
			return n, nil
		}
		if left := j.gate.left; left > 0 {
			return j.payload(p[:min(int64(len(p)), left)])
		}
		if j.fin {
			return 0, errBeyondMessage
		}
		h, err := j.gate.header(false)
		if err != nil {
			return 0, err
		}
		if h.op().isControl() {
			if err := j.gate.control(h); err != nil {
				return 0, err
			}
			continue
		}
		j.setFrame(h)
	}
}

func (j *joiner) payload(p []byte) (n int, err error) {
	g := j.gate
	if g.in.buffered() == 0 {
		g.in.large = g.left > pageSize
		if err := g.fill(); err != nil {
			return 0, err
		}
	}
	n = copy(p, g.in.bytes())
	g.in.consume(n)
	g.left -= int64(n)
	if j.checking {
		plain := make([]byte, n)
		j.key = unmask(plain, p[:n], j.key)
		if !j.text.write(plain) {
			return 0, errNotUTF8
		}
	}
	return n, nil
}

// errForeignFrame would mean that coder writes what is ours to write.
var errForeignFrame = errors.New("wsframework: unexpected frame from the message reader")

// Write accepts a whole close frame, which is what coder writes on an error, and nothing else.
func (j *joiner) Write(p []byte) (int, error) {
	if len(p) < 2 || len(p) > coderWriteBuffer || p[0] != finBit|byte(opClose) || int(p[1]) != len(p)-2 {
		return 0, errForeignFrame
	}
	code, reason, violation := parseClosePayload(p[2:])
	if violation != nil {
		return 0, violation
	}
	j.gate.c.violated(&protocolError{code, reason})
	return len(p), nil
}

// Close is coder's. The socket is closed by its owner, after the queue.
func (j *joiner) Close() error { return nil }

// end lets go of coder's Conn, which else its finalizer would keep alive for a while.
func (j *joiner) end() { j.ws.CloseNow() }
