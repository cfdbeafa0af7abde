package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// serverFrame returns a frame as servers send them.
func serverFrame(first byte, data []byte) []byte {
	frame := []byte{first}
	switch n := len(data); {
	case n <= 125:
		frame = append(frame, byte(n))
	case n <= 0xffff:
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 127), uint64(n))
	}
	return append(frame, data...)
}

// decode feeds a decoder with chunks and returns the messages and control frames that come out.
func decode(chunks ...[]byte) (got []string, err error) {
	var d decoder
	var message, control []byte
	for _, p := range chunks {
		for len(p) > 0 {
			var next piece
			if next, p, err = d.next(p); err != nil {
				return got, err
			}
			into := &message
			if next.opcode&0x08 != 0 {
				into = &control
			}
			*into = append(*into, next.data...)
			if next.last {
				got = append(got, fmt.Sprintf("%d:%s", next.opcode, *into))
				*into = nil
			}
		}
	}
	return got, nil
}

func TestDecodingInAnyChunks(t *testing.T) {
	long := bytes.Repeat([]byte("abcdefgh"), 40)
	var stream []byte
	for _, frame := range [][]byte{
		serverFrame(finalBit|opcodeText, []byte("one")),
		serverFrame(finalBit|opcodeBinary, long),
		serverFrame(opcodeText, []byte("begin-")),
		serverFrame(finalBit|opcodePing, []byte("between")),
		serverFrame(opcodeContinuation, nil),
		serverFrame(finalBit|opcodeContinuation, []byte("end")),
		serverFrame(finalBit|opcodeText, nil),
		serverFrame(finalBit|opcodeClose, []byte{3, 232}),
	} {
		stream = append(stream, frame...)
	}
	want := []string{"1:one", "2:" + string(long), "9:between", "1:begin-end", "1:", "8:\x03\xe8"}
	for i := range stream {
		got, err := decode(stream[:i], stream[i:])
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("cut at %d: %q, %v", i, got, err)
		}
	}
	for size := 1; size < 20; size++ {
		got, err := decode(slices.Collect(slices.Chunk(stream, size))...)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("in chunks of %d: %q, %v", size, got, err)
		}
	}
}

func TestDecodingALargeFrame(t *testing.T) {
	data := bytes.Repeat([]byte{'x'}, 70_000)
	got, err := decode(slices.Collect(slices.Chunk(serverFrame(finalBit|opcodeText, data), 1000))...)
	if err != nil || len(got) != 1 || len(got[0]) != len(data)+2 {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

func TestWhatServersMustNotSend(t *testing.T) {
	for name, stream := range map[string][]byte{
		"a masked frame":                 {finalBit | opcodeText, maskBit | 1, 1, 2, 3, 4, 5},
		"a continuation of nothing":      serverFrame(finalBit|opcodeContinuation, nil),
		"a message in a message":         append(serverFrame(opcodeText, []byte("a")), serverFrame(finalBit|opcodeText, nil)...),
		"a reserved opcode":              serverFrame(finalBit|3, nil),
		"a reserved opcode of a control": serverFrame(finalBit|11, nil),
	} {
		if got, err := decode(stream); err == nil {
			t.Errorf("%s passes as %q", name, got)
		}
	}
}
