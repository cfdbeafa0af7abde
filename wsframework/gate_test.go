package wsframework_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// join concatenates frames.
func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func f(first byte, payload string) []byte { return wstest.EncodeFrame(first, []byte(payload)) }

func TestFrames(t *testing.T) {
	const limit = 70000
	long := strings.Repeat("0123456789", limit/10)
	violation := func(reason string) []string { return []string{fmt.Sprintf("close 1002 %s", reason)} }
	tests := []struct {
		name   string
		frames []byte
		want   []string // events of the handler; without a close the client closes with 1000
	}{
		{"empty", join(f(wstest.TextFrame, ""), f(wstest.BinaryFrame, "")), []string{"message ", "message "}},
		{"125, 126, 65535, 65536 bytes", join(f(wstest.TextFrame, long[:125]), f(wstest.TextFrame, long[:126]), f(wstest.TextFrame, long[:65535]), f(wstest.TextFrame, long[:65536])),
			[]string{"message " + long[:125], "message " + long[:126], "message " + long[:65535], "message " + long[:65536]}},
		{"at the limit", f(wstest.TextFrame, long), []string{"message " + long}},
		{"beyond the limit", f(wstest.TextFrame, long+"x"), []string{"close 1009 message of more than 70000 bytes"}},
		{"fragments", join(f(0x01, "a"), f(0x00, "b"), f(0x80, "c")), []string{"message abc"}},
		{"binary fragments", join(f(0x02, "\xff"), f(0x80, "\xff")), []string{"message \xff\xff"}},
		{"empty fragments", join(f(0x01, ""), f(0x00, ""), f(0x80, "")), []string{"message "}},
		{"large fragments", join(f(0x01, long[:40000]), f(0x80, long[40000:])), []string{"message " + long}},
		{"fragments beyond the limit", join(f(0x01, long[:40000]), f(0x80, long)), []string{"close 1009 message of more than 70000 bytes"}},
		{"ping between fragments", join(f(0x01, "a"), f(wstest.PingFrame, "p"), f(0x80, "b")), []string{"ping p", "message ab"}},
		{"pong between fragments", join(f(0x01, "a"), f(wstest.PongFrame, "p"), f(0x80, "b")), []string{"pong p", "message ab"}},
		{"close between fragments", join(f(0x01, "a"), f(wstest.CloseFrame, "\x03\xe8bye")), []string{"close 1000 bye"}},
		{"fragments and a short text in one segment", join(f(0x01, "a"), f(0x80, "b"), f(wstest.TextFrame, "c")), []string{"message ab", "message c"}},
		{"a character in two fragments", join(f(0x01, "\xe5\x86"), f(0x80, "\x8d")), []string{"message 再"}},
		{"half a character at the end of fragments", join(f(0x01, "\xe5"), f(0x80, "\x86")), []string{"close 1007 text is not UTF-8"}},
		{"a wrong octet in the first fragment", f(0x01, "a\xff"), []string{"close 1007 text is not UTF-8"}},
		{"a wrong octet", f(wstest.TextFrame, "a\xffb"), []string{"close 1007 text is not UTF-8"}},
		{"a surrogate", f(wstest.TextFrame, "\xed\xa0\x80"), []string{"close 1007 text is not UTF-8"}},
		{"overlong", f(wstest.TextFrame, "\xc0\xaf"), []string{"close 1007 text is not UTF-8"}},
		{"half a character", f(wstest.TextFrame, "a\xe5\x86"), []string{"close 1007 text is not UTF-8"}},
		{"a wrong octet deep in a long text", f(wstest.TextFrame, long[:60000]+"\xff"), []string{"close 1007 text is not UTF-8"}},
		{"a wrong octet at once", []byte{0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 0xff}, []string{"close 1007 text is not UTF-8"}},
		{"a huge length at once", []byte{0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, []string{"close 1009 message of more than 70000 bytes"}},
		{"a length with its top bit", []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, violation("length not in its shortest form")},
		{"a 16-bit length below 126", []byte{0x82, 0xfe, 0, 125, 0, 0, 0, 0}, violation("length not in its shortest form")},
		{"a 64-bit length below 65536", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, violation("length not in its shortest form")},
		{"reserved bit 1", f(wstest.TextFrame|0x40, "a"), violation("reserved bit set")},
		{"reserved bit 2", f(wstest.TextFrame|0x20, "a"), violation("reserved bit set")},
		{"reserved bit 3", f(wstest.PingFrame|0x10, "a"), violation("reserved bit set")},
		{"opcode 3", f(0x83, "a"), violation("unknown opcode 3")},
		{"opcode 11", f(0x8b, "a"), violation("unknown opcode 11")},
		{"not masked", []byte{0x81, 1, 'a'}, violation("frame is not masked")},
		{"long ping", f(wstest.PingFrame, long[:126]), violation("control frame of more than 125 bytes")},
		{"fragmented ping", f(0x09, "a"), violation("fragmented control frame")},
		{"fragmented close", f(0x08, ""), violation("fragmented control frame")},
		{"continuation of nothing", f(0x80, "a"), violation("continuation of no message")},
		{"text within fragments", join(f(0x01, "a"), f(wstest.TextFrame, "b")), violation("new message within a fragmented one")},
		{"violation within fragments", join(f(0x01, "a"), f(0x83, "b")), violation("unknown opcode 3")},
		{"longest ping", f(wstest.PingFrame, long[:125]), []string{"ping " + long[:125]}},
		{"close with half a code", f(wstest.CloseFrame, "\x03"), violation("close frame with half a code")},
		{"close with code 1005", f(wstest.CloseFrame, "\x03\xed"), violation("close frame with code 1005")},
		{"close with code 2999", f(wstest.CloseFrame, "\x0b\xb7"), violation("close frame with code 2999")},
		{"close with a reason that is no text", f(wstest.CloseFrame, "\x03\xe8\xff"), []string{"close 1007 close reason is not UTF-8"}},
		{"messages behind a close", join(f(wstest.CloseFrame, "\x03\xe8bye"), f(wstest.TextFrame, "late")), []string{"close 1000 bye"}},
	}
	for _, tt := range tests {
		for _, chop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s chopped %v", tt.name, chop), func(t *testing.T) {
				everywhere(t, func(t *testing.T, n network) {
					if chop && len(tt.frames) > 1000 {
						return // nothing new, and slow
					}
					_, p, cl := one(t, n, wsframework.Settings{MaxMessageSize: limit, CloseTimeout: 100 * time.Millisecond}, func(*probe) {})
					drained := make(chan struct{})
					go func() { // pongs and the close frame
						defer close(drained)
						for {
							if _, _, err := cl.ReadFrame(); err != nil {
								return
							}
						}
					}()
					end := wstest.EncodeFrame(wstest.CloseFrame, []byte{3, 232})
					if chop {
						for i := range tt.frames {
							if _, err := cl.Conn().Write(tt.frames[i : i+1]); err != nil {
								break // the server may have had enough
							}
						}
						cl.Conn().Write(end)
					} else {
						cl.Conn().Write(append(bytes.Clone(tt.frames), end...))
					}
					p.expect(t, "open")
					for _, want := range tt.want {
						p.expect(t, want)
					}
					if !strings.HasPrefix(tt.want[len(tt.want)-1], "close") {
						p.expect(t, "close 1000 ")
					}
					cl.Vanish()
					<-drained
					<-p.done
				})
			})
		}
	}
}
