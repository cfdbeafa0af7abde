package wsframework

import (
	"crypto/subtle"
	"encoding/binary"
)

// opcode is the type of a frame (RFC 6455, 5.2).
type opcode byte

const (
	opContinuation opcode = 0x0
	opText         opcode = 0x1
	opBinary       opcode = 0x2
	opClose        opcode = 0x8
	opPing         opcode = 0x9
	opPong         opcode = 0xA
)

func (op opcode) isControl() bool { return op&0x8 != 0 }

func (op opcode) isKnown() bool { return op <= opBinary || op >= opClose && op <= opPong }

const (
	finBit  = 0x80
	rsv1Bit = 0x40 // a compressed message (RFC 7692, 6)
	rsvBits = 0x70
	maskBit = 0x80

	maxControl = 125 // bytes of a control frame's payload (RFC 6455, 5.5)
)

// frameSize returns how many bytes an unmasked frame with a payload of n bytes takes.
func frameSize(n int) int {
	switch {
	case n <= 125:
		return 2 + n
	case n <= 0xFFFF:
		return 4 + n
	}
	return 10 + n
}

// appendHeader appends the header of a final, unmasked frame: what a server sends. first is the
// opcode, with rsv1Bit for a compressed message.
func appendHeader(dst []byte, first byte, n int) []byte {
	first |= finBit
	switch {
	case n <= 125:
		return append(dst, first, byte(n))
	case n <= 0xFFFF:
		return append(dst, first, 126, byte(n>>8), byte(n))
	}
	dst = append(dst, first, 127)
	return binary.BigEndian.AppendUint64(dst, uint64(n))
}

// appendFrame appends a whole frame.
func appendFrame(dst []byte, first byte, payload []byte) []byte {
	return append(appendHeader(dst, first, len(payload)), payload...)
}

// splitFrame returns the first of the whole, unmasked frames in b: its first byte, the length of its
// header and its payload. It reads only what appendFrame wrote.
func splitFrame(b []byte) (first byte, header int, payload []byte) {
	n := int(b[1])
	header = 2
	switch n {
	case 126:
		n, header = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		n, header = int(binary.BigEndian.Uint64(b[2:])), 10
	}
	return b[0], header, b[header : header+n]
}

// A header is what a peer's frame begins with.
type header struct {
	first  byte // FIN, RSV1-3 and the opcode
	key    uint32
	length int64
}

func (h header) op() opcode       { return opcode(h.first & 0x0F) }
func (h header) fin() bool        { return h.first&finBit != 0 }
func (h header) compressed() bool { return h.first&rsv1Bit != 0 }

// unmask copies src to dst with the masking key applied (RFC 6455, 5.3) and returns the key as it
// continues behind them. dst and src may be the same.
func unmask(dst, src []byte, key uint32) uint32 {
	wide := uint64(key)<<32 | uint64(key)
	if len(src) >= 4096 {
		dst, src = unmaskMany(dst, src, wide)
	}
	for len(src) >= 64 && len(dst) >= 64 {
		d, s := (*[64]byte)(dst), (*[64]byte)(src)
		binary.LittleEndian.PutUint64(d[0:], binary.LittleEndian.Uint64(s[0:])^wide)
		binary.LittleEndian.PutUint64(d[8:], binary.LittleEndian.Uint64(s[8:])^wide)
		binary.LittleEndian.PutUint64(d[16:], binary.LittleEndian.Uint64(s[16:])^wide)
		binary.LittleEndian.PutUint64(d[24:], binary.LittleEndian.Uint64(s[24:])^wide)
		binary.LittleEndian.PutUint64(d[32:], binary.LittleEndian.Uint64(s[32:])^wide)
		binary.LittleEndian.PutUint64(d[40:], binary.LittleEndian.Uint64(s[40:])^wide)
		binary.LittleEndian.PutUint64(d[48:], binary.LittleEndian.Uint64(s[48:])^wide)
		binary.LittleEndian.PutUint64(d[56:], binary.LittleEndian.Uint64(s[56:])^wide)
		dst, src = dst[64:], src[64:]
	}
	for len(src) >= 8 && len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^wide)
		dst, src = dst[8:], src[8:]
	}
	for i, b := range src {
		dst[i] = b ^ byte(key)
		key = key>>8 | key<<24
	}
	return key
}

// unmaskMany does all but the last kilobyte with the standard library's vector instructions. It is not
// inlined, as its pattern would make the stack of every reading goroutine larger.
//
//go:noinline
func unmaskMany(dst, src []byte, wide uint64) (_, _ []byte) {
	var pattern [1024]byte
	for i := 0; i < len(pattern); i += 8 {
		binary.LittleEndian.PutUint64(pattern[i:], wide)
	}
	for len(src) >= len(pattern) {
		n := subtle.XORBytes(dst, src, pattern[:])
		dst, src = dst[n:], src[n:]
	}
	return dst, src
}
