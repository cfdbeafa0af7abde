package wsframework

import (
	"bytes"
	"compress/flate"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// phrases returns n bytes of text that has something to compress, but not everything.
func phrases(n int) string {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"user":"user%d","text":"what user %d said about %d"},`, i, i*7%13, i*7%13, i*i)
	}
	return b.String()[:n]
}

// compressedFrame is a client's frame with a message that is compressed by itself.
func compressedFrame(op opcode, data string) []byte {
	payload := newDeflater(&CompressionOptions{Level: 6}, false, windowSize).compress([]byte(data))
	return append([]byte{0xC0 | byte(op)}, clientFrame(byte(op), string(payload))[1:]...)
}

// benchmarkNext reads the messages of size bytes that m brings, and does nothing with them.
func benchmarkNext(b *testing.B, c *conn, m *memory, size int) {
	m.times = b.N
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if message, err := c.in.next(); err != nil || len(message.Data) != size {
			b.Fatalf("%d bytes, %v", len(message.Data), err)
		}
	}
}

func BenchmarkCompressedMessage(b *testing.B) {
	for _, extensions := range []string{again, deflating} {
		for _, size := range []int{16, 128, 1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("%s/%d", extensions, size), func(b *testing.B) {
				c, m := newHot(NewApplication(Settings{AccessLogger: silent}), nil)
				c.deflate = termsOf(extensions)
				m.input = compressedFrame(opText, phrases(size))
				benchmarkNext(b, c, m, size)
			})
		}
	}
}

func BenchmarkFragmentedMessage(b *testing.B) {
	for _, size := range []int{128, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c, m := newHot(NewApplication(Settings{AccessLogger: silent}), nil)
			text := phrases(size)
			for _, f := range []struct {
				first byte
				part  string
			}{{byte(opText), text[:size/2]}, {finBit, text[size/2:]}} {
				m.input = append(m.input, append([]byte{f.first}, clientFrame(f.first, f.part)[1:]...)...)
			}
			benchmarkNext(b, c, m, size)
		})
	}
}

// A bomb costs what a message may have, and the window of a connection what deflate may refer to.
func TestMemoryOfInflating(t *testing.T) {
	const limit = 1 << 20
	for _, extensions := range []string{again, deflating} {
		c, m := newHot(NewApplication(Settings{MaxMessageSize: limit, AccessLogger: silent}), nil)
		c.deflate = termsOf(extensions)
		allocated := func(input []byte) (Message, int, error) {
			var before, after runtime.MemStats
			m.input, m.times = input, 1
			runtime.ReadMemStats(&before)
			message, err := c.in.message()
			runtime.ReadMemStats(&after)
			return message, int(after.TotalAlloc - before.TotalAlloc), err
		}
		for _, size := range []int{1, 10, 5000, 300, 30000, 70000, limit} {
			message, cost, err := allocated(compressedFrame(opBinary, strings.Repeat("x", size)))
			if err != nil || len(message.Data) != size || cap(message.Data) != size {
				t.Fatalf("%s: %d bytes with room for %d, %v, want %d", extensions, len(message.Data), cap(message.Data), err, size)
			}
			if cost > 3*size+300<<10 {
				t.Errorf("%s: a message of %d bytes costs %d", extensions, size, cost)
			}
			if room := cap(c.in.join.window); room > windowSize || room > 0 && extensions == again {
				t.Errorf("%s: a window of %d bytes behind a message of %d", extensions, room, size)
			}
		}
		_, cost, err := allocated(compressedFrame(opBinary, strings.Repeat("x", 64*limit)))
		if violation, ok := err.(*protocolError); !ok || violation.code != CloseMessageTooBig || cost > 3*limit {
			t.Errorf("%s: a bomb costs %d bytes and ends with %v", extensions, cost, err)
		}
	}
}

// What is deflated with pauses, final blocks and fragments anywhere comes out as it was.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("hello hello hello"), uint16(3), uint16(1), uint8(0x55), true)
	f.Add([]byte(phrases(5000)), uint16(700), uint16(100), uint8(0xF0), false)
	f.Add([]byte(phrases(60000)), uint16(9000), uint16(5000), uint8(2), true)
	f.Add([]byte{}, uint16(0), uint16(0), uint8(0), true)
	f.Fuzz(func(t *testing.T, data []byte, pause, fragment uint16, finals uint8, takeover bool) {
		if len(data) > 1<<16 {
			return
		}
		s := setups[2]
		if takeover {
			s = setups[1]
		}
		in, history := []byte(nil), []byte(nil)
		for range 2 {
			if !takeover {
				history = nil
			}
			var out bytes.Buffer
			w, _ := flate.NewWriterDict(&out, 6, history)
			rest := data
			for i := 0; len(rest) > 0; i++ {
				n := min(len(rest), max(int(pause), len(data)/8, 1))
				w.Write(rest[:n])
				history = append(history, rest[:n]...)
				rest = rest[n:]
				if finals>>(i%8)&1 == 0 {
					w.Flush()
					continue
				}
				w.Close()
				w, _ = flate.NewWriterDict(&out, 6, history[max(0, len(history)-windowSize):])
			}
			w.Flush()
			first, payload := byte(0x42), trimTail(out.Bytes())
			for len(payload) > int(fragment) && fragment > 0 {
				in = append(append(in, first), clientFrame(first, string(payload[:fragment]))[1:]...)
				first, payload = 0, payload[fragment:]
			}
			in = append(append(in, first|finBit), clientFrame(first, string(payload))[1:]...)
		}
		want := []string{event(int(opBinary), data), event(int(opBinary), data)}
		if got := (&wire{in: in, piece: int(pause)}).readByUs(s); !slices.Equal(got, want) {
			t.Errorf("got %.300q, want %.300q", got, want)
		}
	})
}
