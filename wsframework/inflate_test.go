package wsframework_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Opcodes with the bit of a compressed message (RFC 7692, 6), of whole messages and of first fragments.
const (
	zText, zBinary      = wstest.TextFrame | 0x40, wstest.BinaryFrame | 0x40
	zTextPart, zBinPart = 0x41, 0x42
	part, last          = 0x00, 0x80
)

// storedBlock is a deflate block without compression (RFC 1951, 3.2.4).
func storedBlock(final byte, data string) string {
	n := len(data)
	return string([]byte{final, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}) + data
}

// behind compresses a message with what was before it in mind.
func behind(history, data string) string {
	var out bytes.Buffer
	w, _ := flate.NewWriterDict(&out, 9, []byte(history))
	w.Write([]byte(data))
	w.Flush()
	return out.String()[:out.Len()-4]
}

func z(data string) string { return string(deflated([]byte(data))) }

func TestInflating(t *testing.T) {
	const hello = "\xf3H\xcd\xc9\xc9\x07\x00" // in a final block: RFC 7692, 7.2.3.4
	const limit, flush = 1000, "\x00\x00\xff\xff"
	const takeover, without = deflateOffer, "permessage-deflate; client_no_context_takeover"
	const corrupt, notText, reserved = "1007 compressed data is corrupt", "1007 text is not UTF-8", "1002 reserved bit set"
	const tooBig = "1009 message of more than 1000 bytes"
	long := strings.Repeat("0123456789", limit/10)
	noise := make([]byte, limit)
	for i, random := 0, rand.New(rand.NewPCG(1, 2)); i < limit; i++ {
		noise[i] = ' ' + byte(random.IntN(90))
	}
	tests := []struct {
		name   string
		frames []byte
		want   string // messages, each behind a |, and then the code and reason of the close frame, if it is not 1000
	}{
		{"no payload", join(f(zText, ""), f(zText, z("a"))), "||a"},
		{"no payload in fragments", join(f(zTextPart, ""), f(part, ""), f(last, "")), "|"},
		{"an empty block", f(zText, "\x00"), "|"},
		{"an empty block behind empty fragments", join(f(zTextPart, ""), f(part, ""), f(last, "\x00")), "|"},
		{"an empty block with Huffman codes", f(zText, "\x02\x00"), "|"},
		{"at the limit", f(zText, z(long)), "|" + long},
		{"noise at the limit", f(zText, z(string(noise))), "|" + string(noise)},
		{"beyond the limit", f(zText, z(long+"x")), tooBig},
		{"beyond the limit in two streams", f(zText, storedBlock(1, long)+storedBlock(0, "x")+"\x00"), tooBig},
		{"a bomb", f(zText, z(strings.Repeat("x", 1<<18))), tooBig},
		{"a bomb that does not end", f(zTextPart, z(strings.Repeat("x", 1<<18))), tooBig},
		{"payload that is longer than any message", f(zText, strings.Repeat("\x00\x00\x00\xff\xff", 500)), tooBig},
		{"more fragments than any message", join(f(zTextPart, strings.Repeat("\x00\x00\x00\xff\xff", 300)), f(part, strings.Repeat(flush+"\x00", 300))), tooBig},

		{"final block", f(zText, hello+"\x00"), "|Hello"},
		{"final block, and nothing behind it", join(f(zText, hello), f(zText, z("a"))), "|Hello|a"},
		{"final block that lacks its end", join(f(zText, "J\x04\x04"), f(zText, z("b"))), "|a|b"},
		{"final block in the first fragment", join(f(zTextPart, hello), f(last, "\x00")), "|Hello"},
		{"final block in the first fragment, and nothing behind it", join(f(zTextPart, hello), f(part, ""), f(last, "")), "|Hello"},
		{"final block, ping, last fragment", join(f(zTextPart, hello), f(wstest.PingFrame, "p"), f(last, "\x00")), "|Hello"},
		{"final block, new message", join(f(zTextPart, hello), f(zText, z("a"))), "1002 new message within a fragmented one"},
		{"final block, close", join(f(zTextPart, hello), f(wstest.CloseFrame, "\x03\xe8")), ""},
		{"final blocks with more behind them", f(zText, storedBlock(1, "a")+storedBlock(0, "b")+hello+storedBlock(1, "c")+z("d")), "|abHelloc" + "d"},
		{"more that refers to what is before a final block", f(zText, storedBlock(1, "hello hello")+behind("hello hello", "hello again")), "|hello hellohello again"},
		{"the message behind several final blocks", join(f(zText, storedBlock(1, "a")+storedBlock(1, "b")), f(zText, z("c"))), "|ab|c"},
		{"a corrupt block behind a final one", f(zText, hello+"\xff\xff"), corrupt},
		{"blocks", f(zText, storedBlock(0, "a")+storedBlock(0, "")+z("b")+flush+z("c")), "|abc"},

		{"cut in a block without compression", f(zText, storedBlock(0, "hello")[:8]), corrupt},
		{"cut in its length", f(zText, storedBlock(0, "hello")[:2]), corrupt},
		{"cut in a block with Huffman codes", f(zText, z("hello hello")[:4]), corrupt},
		{"cut in a final block", f(zText, hello[:4]), corrupt},
		{"cut in the codes", f(zText, "\x04\xc1"), corrupt},
		{"cut, and ended by an empty fragment", join(f(zTextPart, z("hello hello")[:4]), f(last, "")), corrupt},
		{"a reserved type of block", f(zText, "\x06"), corrupt},
		{"a length that does not match", f(zText, "\x00\x01\x00\xfe\xfea\x00"), corrupt},
		{"a reference to nothing", f(zText, behind("hello hello", "hello hello")), corrupt},
		{"corrupt behind good data", f(zTextPart, storedBlock(0, long[:500])+"\x06"), corrupt},
		{"a good message behind a corrupt one", join(f(zText, "\x06"), f(zText, z("a")), f(wstest.TextFrame, "b")), corrupt},

		{"a character in two fragments", join(f(zTextPart, z("\xe5\x86")[:2]), f(part, z("\xe5\x86")[2:]+flush), f(last, z("\x8d"))), "|再"},
		{"a character in two blocks", f(zText, storedBlock(0, "\xe5\x86")+storedBlock(0, "\x8d")+"\x00"), "|再"},
		{"a character in two streams", f(zText, storedBlock(1, "\xe5\x86")+storedBlock(0, "\x8d")+"\x00"), "|再"},
		{"half a character", f(zText, z("a\xe5\x86")), notText},
		{"half a character before a final block's end", f(zText, storedBlock(1, "\xe5\x86")), notText},
		{"half a character in a block, and something else", f(zText, storedBlock(0, "\xe5\x86")+storedBlock(0, "a")+"\x00"), notText},
		{"half a character in a message, and half in the next", join(f(zText, z("\xe5")), f(zText, z("\x86\x8d"))), notText},
		{"a wrong octet in a message that goes on", f(zTextPart, z("a\xff")+flush), notText},
		{"a wrong octet in a final block of a message that goes on", f(zTextPart, storedBlock(1, "a\xff")), notText},
		{"a wrong octet in a frame that goes on", f(zText, z("a\xff")+flush+long)[:40], notText},
		{"binary", f(zBinary, z("a\xff")), "|a\xff"},
		{"binary fragments", join(f(zBinPart, z("\xff")+flush), f(last, "\x00")), "|\xff"},

		{"plain messages in between", join(f(wstest.TextFrame, "a"), f(zText, z("b")), f(0x01, "c"), f(last, "d"), f(zText, z("e"))), "|a|b|cd|e"},
		{"pings and pongs in between", join(f(zTextPart, z("ab")[:1]), f(wstest.PingFrame, "p"), f(part, z("ab")[1:3]), f(wstest.PongFrame, "q"), f(last, z("ab")[3:])), "|ab"},
		{"a close frame in between", join(f(zTextPart, z("ab")[:1]), f(wstest.CloseFrame, "\x03\xe8")), ""},
		{"reserved bit of a continuation", join(f(zTextPart, z("a")), f(last|0x40, "")), reserved},
		{"reserved bit of a continuation that goes on", join(f(zTextPart, z("a")), f(part|0x40, "")), reserved},
		{"reserved bit of a continuation of a plain message", join(f(0x01, "a"), f(last|0x40, z("a"))), reserved},
		{"reserved bit of a ping", f(wstest.PingFrame|0x40, ""), reserved},
		{"reserved bit of a pong", f(wstest.PongFrame|0x40, ""), reserved},
		{"reserved bit of a close frame", f(wstest.CloseFrame|0x40, ""), reserved},
		{"reserved bit of a ping in between", join(f(zTextPart, z("a")), f(wstest.PingFrame|0x40, "")), reserved},
	}
	for _, tt := range tests {
		for _, offer := range []string{takeover, without} {
			for _, chop := range []int{1, 1 << 20} {
				if chop < len(tt.frames) && len(tt.frames) > 1000 {
					chop = 100
				}
				t.Run(fmt.Sprintf("%s %v %d", tt.name, offer == takeover, chop), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						_, p, cl := oneWith(t, networks[0], wsframework.Settings{
							MaxMessageSize: limit, CloseTimeout: time.Second, Compression: &wsframework.CompressionOptions{},
						}, offering(offer))
						p.message = func(wsframework.Message) error { return nil }
						go func() {
							b := tt.frames
							if strings.HasPrefix(tt.want, "|") {
								b = join(b, f(wstest.CloseFrame, "\x03\xe8"))
							}
							for len(b) > 0 {
								n, err := cl.Conn().Write(b[:min(chop, len(b))])
								if err != nil {
									return // the server has had enough
								}
								b = b[n:]
							}
						}()
						got := ""
						for first, payload, err := cl.ReadFrame(); err == nil; first, payload, err = cl.ReadFrame() {
							if first == wstest.CloseFrame && (payload[0] != 3 || payload[1] != 0xe8) {
								got = fmt.Sprintf("%d %s", int(payload[0])<<8|int(payload[1]), payload[2:])
							}
						}
						<-p.done
						messages := ""
						for len(p.events) > 0 {
							if m, ok := strings.CutPrefix(<-p.events, "message "); ok {
								messages += "|" + m
							}
						}
						if got = messages + got; got != tt.want {
							t.Errorf("got %q, want %q", got, tt.want)
						}
					})
				})
			}
		}
	}
}

// A peer's stream refers to as much as 32 KiB before it, across messages of all sizes, fragments and plain
// messages.
func TestContextTakeover(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		random := rand.New(rand.NewPCG(1, 2))
		noise := make([]byte, 20<<10)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		noise = bytes.Repeat(noise, 4)
		_, p, cl := oneWith(t, n, wsframework.Settings{Compression: &wsframework.CompressionOptions{}}, offering(deflateOffer))
		messages := make(chan []byte, 100)
		p.message = func(m wsframework.Message) error { messages <- m.Data; return nil }
		var out bytes.Buffer
		w, _ := flate.NewWriter(&out, 9)
		for i, size := range []int{20 << 10, 1, 0, 5000, 20 << 10, 70000, 30000, 100, 40000, 3, 300} {
			data := noise[len(noise)-size:]
			out.Reset()
			w.Write(data)
			w.Flush()
			payload := out.String()[:out.Len()-4]
			if i > 0 && len(payload) > 10+size/20 {
				t.Fatalf("%d bytes take %d: they do not refer to those before", size, len(payload))
			}
			cl.WriteFrame(zBinPart, payload[:len(payload)/2])
			cl.WriteFrame(last, payload[len(payload)/2:])
			cl.WriteFrame(wstest.BinaryFrame, "plain")
			if got := receive(t, messages); !bytes.Equal(got, data) {
				t.Fatalf("message %d has become %d bytes, want %d", i, len(got), size)
			}
			if got := receive(t, messages); string(got) != "plain" {
				t.Fatalf("message %q", got)
			}
		}
		const farthest = 32 << 10
		cl.WriteFrame(zBinary, storedBlock(0, "far"+string(noise[:farthest-3]))+"\x00")
		cl.WriteFrame(zText, "\x02\xde\xff\x0f\x00") // 3 bytes from there
		receive(t, messages)
		if got := receive(t, messages); string(got) != "far" {
			t.Errorf("the farthest reference gives %q", got)
		}
	})
}

// A peer that has promised not to refer to earlier messages is held to it.
func TestNoContextTakeover(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := oneWith(t, n, wsframework.Settings{Compression: &wsframework.CompressionOptions{}},
			offering("permessage-deflate; client_no_context_takeover"))
		p.message = func(wsframework.Message) error { return nil }
		cl.WriteFrame(zText, z("hello hello"))
		cl.WriteFrame(zText, storedBlock(1, "hello hello")+behind("hello hello", "hello hello"))
		cl.WriteFrame(zText, behind("hello hello", "hello hello"))
		shake(t, cl, 1007, "compressed data is corrupt")
		p.expect(t, "open")
		p.expect(t, "message hello hello")
		p.expect(t, "message hello hellohello hello")
		p.expect(t, "close 1007 compressed data is corrupt")
	})
}

// A connection that breaks off within a message has no other reason for its end, whatever has come.
func TestBrokenOffWithinAMessage(t *testing.T) {
	tests := map[string]string{
		"plain fragment":                    string(f(0x01, "a")),
		"header of a fragment":              string(f(0x01, "a")[:3]),
		"compressed":                        string(f(zText, z("hello hello"))[:10]),
		"compressed, all but an octet":      string(f(zText, z("hello hello"))[:6+len(z("hello hello"))-1]),
		"compressed fragment":               string(f(zTextPart, z("hello hello"))),
		"compressed, behind a final block":  string(f(zTextPart, storedBlock(1, "a"))),
		"compressed text that goes wrong":   string(f(zTextPart, z("a\xff"))),
		"compressed text, still masked":     "\xc1\xab\x6f\x18\x5d\x3e\x6b\xd8",
		"compressed text that has gone bad": string(f(zTextPart, z("a\xe5"))),
	}
	for name, frames := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				_, p, cl := oneWith(t, n, wsframework.Settings{Compression: &wsframework.CompressionOptions{}}, offering(deflateOffer))
				cl.WriteRaw([]byte(frames))
				cl.Vanish()
				p.expect(t, "open")
				p.expect(t, "close 1006 ")
				<-p.done
			})
		})
	}
}
