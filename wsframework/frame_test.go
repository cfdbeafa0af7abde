package wsframework

import (
	"bytes"
	"fmt"
	"testing"
)

// sizes are lengths around those at which a frame's header changes (RFC 6455, 5.2).
var sizes = []int{0, 1, 2, 124, 125, 126, 127, 128, 0xFFFE, 0xFFFF, 0x10000, 0x10001}

func TestAppendHeader(t *testing.T) {
	tests := []struct {
		first byte
		n     int
		want  []byte
	}{
		{byte(opText), 0, []byte{0x81, 0}},
		{byte(opBinary), 125, []byte{0x82, 125}},
		{byte(opText), 126, []byte{0x81, 126, 0, 126}},
		{byte(opText), 256, []byte{0x81, 126, 1, 0}},
		{byte(opText), 0xFFFF, []byte{0x81, 126, 0xFF, 0xFF}},
		{byte(opBinary), 0x10000, []byte{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
		{byte(opBinary), 1<<30 | 5, []byte{0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 5}},
		{byte(opClose), 2, []byte{0x88, 2}},
		{byte(opPing), 0, []byte{0x89, 0}},
		{byte(opPong), 125, []byte{0x8A, 125}},
		{byte(opText) | rsv1Bit, 3, []byte{0xC1, 3}},
	}
	for _, tt := range tests {
		got := appendHeader([]byte("before"), tt.first, tt.n)
		if want := append([]byte("before"), tt.want...); !bytes.Equal(got, want) {
			t.Errorf("appendHeader(%#x, %d) = % x, want % x", tt.first, tt.n, got, want)
		}
		if size := frameSize(tt.n); size != len(tt.want)+tt.n {
			t.Errorf("frameSize(%d) = %d, want %d", tt.n, size, len(tt.want)+tt.n)
		}
	}
}

func TestSplitFrame(t *testing.T) {
	var stream []byte
	for i, n := range sizes {
		stream = appendFrame(stream, byte(opBinary), bytes.Repeat([]byte{byte(i)}, n))
	}
	for i, n := range sizes {
		first, header, payload := splitFrame(stream)
		if first != finBit|byte(opBinary) || header+n != frameSize(n) || !bytes.Equal(payload, bytes.Repeat([]byte{byte(i)}, n)) {
			t.Fatalf("frame %d of %d bytes: first %#x, header of %d, payload of %d", i, n, first, header, len(payload))
		}
		stream = stream[header+len(payload):]
	}
	if len(stream) > 0 {
		t.Errorf("%d bytes are left", len(stream))
	}
}

func TestOpcodes(t *testing.T) {
	for op := opcode(0); op < 16; op++ {
		known := op <= 2 || op >= 8 && op <= 10
		if op.isKnown() != known || op.isControl() != (op >= 8) {
			t.Errorf("opcode %d: known %v, control %v", op, op.isKnown(), op.isControl())
		}
	}
	h := header{first: finBit | rsv1Bit | byte(opText)}
	if !h.fin() || !h.compressed() || h.op() != opText {
		t.Errorf("header %#x: fin %v, compressed %v, opcode %d", h.first, h.fin(), h.compressed(), h.op())
	}
	h = header{first: byte(opPong)}
	if h.fin() || h.compressed() || h.op() != opPong {
		t.Errorf("header %#x: fin %v, compressed %v, opcode %d", h.first, h.fin(), h.compressed(), h.op())
	}
}

// slowUnmask is RFC 6455, 5.3, letter by letter, with the key's octets in the order of the wire.
func slowUnmask(src []byte, key [4]byte, at int) []byte {
	dst := make([]byte, len(src))
	for i, b := range src {
		dst[i] = b ^ key[(at+i)%4]
	}
	return dst
}

func checkUnmask(t *testing.T, data []byte, key [4]byte, align, split int) {
	t.Helper()
	want := slowUnmask(data, key, 0)
	word := uint32(key[0]) | uint32(key[1])<<8 | uint32(key[2])<<16 | uint32(key[3])<<24

	// Into other memory, with a guard on either side.
	room := bytes.Repeat([]byte{0xAA}, align+len(data)+8)
	dst := room[align : align+len(data)]
	src := append(make([]byte, align), data...)[align:]
	next := unmask(dst[:split], src[:split], word)
	unmask(dst[split:], src[split:], next)
	if !bytes.Equal(dst, want) {
		t.Fatalf("%d bytes at %d in two pieces of %d: wrong", len(data), align, split)
	}
	if !bytes.Equal(src, data) {
		t.Fatal("the source has changed")
	}
	for i, b := range room {
		if (i < align || i >= align+len(data)) && b != 0xAA {
			t.Fatalf("byte %d outside of the destination has changed", i)
		}
	}

	// In place.
	unmask(src[split:], src[split:], unmask(src[:split], src[:split], word))
	if !bytes.Equal(src, want) {
		t.Fatalf("%d bytes at %d in two pieces of %d, in place: wrong", len(data), align, split)
	}
}

func TestUnmask(t *testing.T) {
	data := make([]byte, 100)
	for i := range data {
		data[i] = byte(i * 7)
	}
	key := [4]byte{0x37, 0xFA, 0x21, 0x3D}
	for n := range data {
		for align := range 8 {
			for split := range n + 1 {
				checkUnmask(t, data[:n], key, align, split)
			}
		}
	}
	// The example of RFC 6455, 5.7.
	hello := []byte{0x7F, 0x9F, 0x4D, 0x51, 0x58}
	unmask(hello, hello, 0x3D21FA37)
	if string(hello) != "Hello" {
		t.Errorf("the RFC's example gives %q", hello)
	}
}

func FuzzUnmask(f *testing.F) {
	for _, n := range []int{0, 1, 7, 8, 31, 32, 33, 64, 129} {
		f.Add(bytes.Repeat([]byte{0x5A}, n), []byte{1, 2, 3, 4}, uint8(n), uint16(n/2))
	}
	f.Fuzz(func(t *testing.T, data, key []byte, align uint8, split uint16) {
		var k [4]byte
		copy(k[:], key)
		checkUnmask(t, data, k, int(align%16), int(split)%(len(data)+1))
	})
}

func BenchmarkUnmask(b *testing.B) {
	for _, n := range []int{16, 1024, 64 << 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data := make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				unmask(data, data, 0x3D21FA37)
			}
		})
	}
}
