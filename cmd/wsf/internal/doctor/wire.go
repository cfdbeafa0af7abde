package doctor

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// An opcode is the kind of a frame (RFC 6455, 5.2).
type opcode byte

const (
	opContinuation opcode = 0
	opText         opcode = 1
	opBinary       opcode = 2
	opClose        opcode = 8
	opPing         opcode = 9
	opPong         opcode = 10
)

func (op opcode) control() bool { return op >= opClose }

// A frame is one of the server's. Of data there is only the length: nobody here reads what an application says.
type frame struct {
	op      opcode
	payload []byte // of a control frame
}

// A wire is a WebSocket seen frame by frame, because what is of interest here, pings and how it ends, a good
// client keeps to itself. One goroutine reads; any may send.
type wire struct {
	net.Conn
	in      *bufio.Reader
	timeout time.Duration
	release func() bool

	mu sync.Mutex // frames do not overlap
}

// A violation is a frame that breaks RFC 6455.
type violation string

func (v violation) Error() string { return string(v) }

// A closedError says that the server sent a close frame.
type closedError struct {
	code   int // 1005 if it had none
	reason string
}

func (e *closedError) Error() string {
	text := fmt.Sprintf("closed with %d", e.code)
	if e.code == 1005 {
		text = "closed without a code"
	}
	if e.reason != "" {
		text += fmt.Sprintf(" %.125q", e.reason)
	}
	return text
}

// readFrame reads one frame of a server with which no extension was agreed on.
func readFrame(r io.Reader) (frame, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return frame{}, err
	}
	f, fin, n := frame{op: opcode(head[0] & 0xf)}, head[0]&0x80 != 0, uint64(head[1]&0x7f)
	switch {
	case head[0]&0x40 != 0:
		return f, violation("a frame is marked as compressed (RSV1), although no compression was agreed on")
	case head[0]&0x30 != 0:
		return f, violation("a frame has reserved bits set")
	case f.op > opPong || f.op > opBinary && f.op < opClose:
		return f, violation(fmt.Sprintf("a frame has the unknown opcode %d", f.op))
	case head[1]&0x80 != 0:
		return f, violation("a frame is masked, which only clients do")
	case f.op.control() && (!fin || n > 125):
		return f, violation("a control frame is fragmented or too long")
	}
	switch n {
	case 126:
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return f, err
		}
		n = uint64(binary.BigEndian.Uint16(head[:]))
	case 127:
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return f, err
		}
		if n = binary.BigEndian.Uint64(head[:]); n > 1<<63-1 {
			return f, violation("a frame has a length beyond 63 bits")
		}
	}
	if f.op.control() {
		f.payload = make([]byte, n)
		_, err := io.ReadFull(r, f.payload)
		return f, err
	}
	_, err := io.CopyN(io.Discard, r, int64(n))
	return f, err
}

// closed reads the payload of a close frame.
func (f frame) closed() *closedError {
	if len(f.payload) < 2 {
		return &closedError{code: 1005}
	}
	return &closedError{int(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])}
}

// next reads a frame that comes until then.
func (w *wire) next(until time.Time) (frame, error) {
	w.SetReadDeadline(until)
	return readFrame(w.in)
}

// await reads up to the frame that is wanted. As in a browser pings are answered on the way, and a close frame ends it.
func (w *wire) await(until time.Time, wanted func(frame) bool) error {
	for {
		f, err := w.next(until)
		if err != nil {
			return err
		}
		if wanted(f) {
			return nil
		}
		switch f.op {
		case opPing:
			if err := w.send(opPong, true, f.payload); err != nil {
				return err
			}
		case opClose:
			w.send(opClose, true, f.payload)
			return f.closed()
		}
	}
}

// awaitPong waits for the pong with this payload.
func (w *wire) awaitPong(payload []byte) error {
	return w.await(time.Now().Add(w.timeout), func(f frame) bool {
		return f.op == opPong && bytes.Equal(f.payload, payload)
	})
}

// send sends a frame, masked (RFC 6455, 5.3).
func (w *wire) send(op opcode, fin bool, payload []byte) error {
	first := byte(op)
	if fin {
		first |= 0x80
	}
	p := make([]byte, 0, 14+len(payload))
	switch n := len(payload); {
	case n <= 125:
		p = append(p, first, 0x80|byte(n))
	case n <= 0xffff:
		p = binary.BigEndian.AppendUint16(append(p, first, 0x80|126), uint16(n))
	default:
		p = binary.BigEndian.AppendUint64(append(p, first, 0x80|127), uint64(n))
	}
	var mask [4]byte
	rand.Read(mask[:])
	p = append(p, mask[:]...)
	for i, b := range payload {
		p = append(p, b^mask[i%4])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.SetWriteDeadline(time.Now().Add(w.timeout))
	_, err := w.Conn.Write(p)
	return err
}

// sendClose sends a close frame with a code.
func (w *wire) sendClose(code int) error {
	return w.send(opClose, true, binary.BigEndian.AppendUint16(nil, uint16(code)))
}

// leave ends the connection as a browser does when the page is left, and does not wait for the answer.
func (w *wire) leave() {
	w.sendClose(1001)
	w.Close()
}

func (w *wire) Close() error {
	w.release()
	return w.Conn.Close()
}

// howEnded says in words how a connection ended, or that nothing came.
func (w *wire) howEnded(err error) string {
	var closed *closedError
	var broken violation
	switch {
	case errors.As(err, &closed), errors.As(err, &broken):
		return err.Error()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer within " + w.timeout.String()
	}
	return "cut without a close frame"
}

// wasCut reports whether the connection ended without a close frame.
func wasCut(err error) bool {
	var closed *closedError
	var broken violation
	return err != nil && !errors.As(err, &closed) && !errors.As(err, &broken) && !errors.Is(err, os.ErrDeadlineExceeded)
}
