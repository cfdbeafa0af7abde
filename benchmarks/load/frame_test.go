package load

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// unmask takes a client's frame apart as a server does.
func unmask(t *testing.T, frame []byte) (first byte, data, rest []byte) {
	t.Helper()
	if frame[1]&maskBit == 0 {
		t.Fatal("the frame is not masked")
	}
	n, length := 2, int(frame[1]&^maskBit)
	switch length {
	case 126:
		n, length = 4, int(binary.BigEndian.Uint16(frame[2:]))
	case 127:
		n, length = 10, int(binary.BigEndian.Uint64(frame[2:]))
	}
	key := frame[n : n+4]
	data = bytes.Clone(frame[n+4 : n+4+length])
	for i := range data {
		data[i] ^= key[i%4]
	}
	return frame[0], data, frame[n+4+length:]
}

func TestFramesOfAllLengths(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536} {
		want := bytes.Repeat([]byte{'x'}, n)
		first, got, rest := unmask(t, appendFrame(nil, finalBit|opcodeText, want))
		if first != finalBit|opcodeText || !bytes.Equal(got, want) || len(rest) != 0 {
			t.Errorf("a frame of %d bytes came back as %d, first byte %#x, followed by %d bytes", n, len(got), first, len(rest))
		}
	}
}

func TestBatchesCarryTheirHeads(t *testing.T) {
	for _, compress := range []bool{false, true} {
		p := newPayload(300, false)
		b := newBatch(3, p, compress)
		rest := b.first(3)
		for i := range 3 {
			want := head{sender: 7, seq: uint32(100 + i)}
			b.setHead(i, want)
			var first byte
			var data []byte
			first, data, rest = unmask(t, rest)
			if first&compressedBit != 0 != compress {
				t.Errorf("compress %t: first byte %#x", compress, first)
			}
			if compress {
				var err error
				if data, err = new(inflater).inflate(append(data, inflateTail...), nil); err != nil {
					t.Fatal(err)
				}
			}
			if got, ok := parseHead(data); !ok || got != want {
				t.Errorf("compress %t: head %v (%t), want %v", compress, got, ok, want)
			}
			if !bytes.Equal(data[headSize:], p.text[headSize:]) {
				t.Errorf("compress %t: the rest of the payload has changed", compress)
			}
		}
	}
}

func TestHeads(t *testing.T) {
	var buf [headSize]byte
	want := head{0xdeadbeef, 0x00c0ffee}
	want.put(buf[:])
	if got, ok := parseHead(buf[:]); string(buf[:]) != "deadbeef00c0ffee" || !ok || got != want {
		t.Errorf("%q is %v, %t", buf, got, ok)
	}
	for i := range buf {
		bad := buf
		bad[i] = 'g'
		if _, ok := parseHead(bad[:]); ok {
			t.Errorf("%q passes", bad)
		}
	}
}
