package load

import "encoding/binary"

// RFC 6455, 5.2 and, for the compression bit, RFC 7692, 6.
const (
	opcodeContinuation = 0
	opcodeText         = 1
	opcodeBinary       = 2
	opcodeClose        = 8
	opcodePing         = 9
	opcodePong         = 10

	finalBit      = 0x80
	compressedBit = 0x40
	maskBit       = 0x80

	maxHeader = 14
)

// maskingKey masks all frames of the load. Real clients take a new one for each.
var maskingKey = [4]byte{0x5a, 0xc3, 0x1e, 0x97}

// appendFrame appends a client's frame.
func appendFrame(dst []byte, first byte, data []byte) []byte {
	dst = append(dst, first)
	switch n := len(data); {
	case n <= 125:
		dst = append(dst, maskBit|byte(n))
	case n <= 0xffff:
		dst = append(dst, maskBit|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, maskBit|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, maskingKey[:]...)
	for i, b := range data {
		dst = append(dst, b^maskingKey[i%4])
	}
	return dst
}

// A batch is a row of frames with the same payload, ready to be sent but for their heads.
type batch struct {
	bytes  []byte
	frame  int // length of one frame
	headAt int // within a frame
	phase  int // of the masking key at the head
}

func newBatch(n int, p payload, compress bool) *batch {
	first, data, headAt := finalBit|p.opcode(), p.text, 0
	if compress {
		data, headAt = p.deflated()
		first |= compressedBit
	}
	one := appendFrame(nil, first, data)
	b := &batch{frame: len(one), headAt: len(one) - len(data) + headAt, phase: headAt % 4}
	for range n {
		b.bytes = append(b.bytes, one...)
	}
	return b
}

// setHead fills in the head of frame i.
func (b *batch) setHead(i int, h head) {
	dst := b.bytes[i*b.frame+b.headAt:][:headSize]
	h.put(dst)
	for i := range dst {
		dst[i] ^= maskingKey[(b.phase+i)%4]
	}
}

// first returns the first n frames.
func (b *batch) first(n int) []byte { return b.bytes[:n*b.frame] }
