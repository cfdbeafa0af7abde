package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A decoder takes a server's frames apart as their bytes arrive, without keeping any payload.
type decoder struct {
	header []byte // an incomplete one

	frame      byte  // first byte of the current frame
	left       int64 // bytes of its payload that are still to come
	inFrame    bool
	message    byte // opcode of the message that is not complete yet, 0 if none
	compressed bool // whether that is compressed
}

// A piece is a part of the payload of a message or a control frame.
type piece struct {
	opcode     byte // of the message or control frame; 0 if p held no payload
	compressed bool
	last       bool // it ends the message or control frame
	data       []byte
}

var errMasked = errors.New("the server masks its frames (RFC 6455, 5.1)")

// next takes the first piece out of p.
func (d *decoder) next(p []byte) (_ piece, rest []byte, err error) {
	if !d.inFrame {
		if p, err = d.readHeader(p); err != nil || !d.inFrame {
			return piece{}, p, err
		}
	}
	n := int(min(int64(len(p)), d.left))
	d.left -= int64(n)
	d.inFrame = d.left > 0
	if d.frame&0x08 != 0 { // control frames may come between the frames of a message
		return piece{opcode: d.frame & 0x0f, last: !d.inFrame, data: p[:n]}, p[n:], nil
	}
	out := piece{d.message, d.compressed, !d.inFrame && d.frame&finalBit != 0, p[:n]}
	if out.last {
		d.message = 0
	}
	return out, p[n:], nil
}

// readHeader returns what follows the header; inFrame says if it was complete.
func (d *decoder) readHeader(p []byte) (rest []byte, err error) {
	src, kept := p, len(d.header)
	if kept > 0 {
		d.header = append(d.header, p[:min(len(p), maxHeader)]...)
		src = d.header
	}
	n, length, err := parseHeader(src)
	if err != nil {
		return p, err
	}
	if n == 0 {
		if kept == 0 {
			d.header = append(d.header, p...)
		}
		return nil, nil
	}
	first := src[0]
	d.header = d.header[:0]
	d.frame, d.left, d.inFrame = first, length, true
	return p[n-kept:], d.begin(first)
}

// parseHeader returns the length of a header and of its payload; n is 0 if src is too short.
func parseHeader(src []byte) (n int, length int64, err error) {
	if len(src) < 2 {
		return 0, 0, nil
	}
	if src[1]&maskBit != 0 {
		return 0, 0, errMasked
	}
	n, length = 2, int64(src[1])
	switch length {
	case 126:
		n = 4
	case 127:
		n = 10
	}
	switch {
	case len(src) < n:
		return 0, 0, nil
	case n == 4:
		length = int64(binary.BigEndian.Uint16(src[2:]))
	case n == 10:
		length = int64(binary.BigEndian.Uint64(src[2:]))
	}
	return n, length, nil
}

// begin checks that a frame may stand here, and notes which message it belongs to.
func (d *decoder) begin(first byte) error {
	switch opcode := first & 0x0f; {
	case opcode == opcodeText || opcode == opcodeBinary:
		if d.message != 0 {
			return errors.New("a message begins within another (RFC 6455, 5.4)")
		}
		d.message, d.compressed = opcode, first&compressedBit != 0
	case opcode == opcodeContinuation:
		if d.message == 0 {
			return errors.New("a continuation frame without a message (RFC 6455, 5.4)")
		}
	case opcode != opcodeClose && opcode != opcodePing && opcode != opcodePong:
		return fmt.Errorf("a frame with opcode %d (RFC 6455, 5.2)", opcode)
	}
	return nil
}
