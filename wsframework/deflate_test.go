package wsframework_test

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// dialCoder connects coder's client over a test's network.
func dialCoder(t *testing.T, s *server, mode websocket.CompressionMode) *websocket.Conn {
	t.Helper()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return s.dial() }}
	t.Cleanup(transport.CloseIdleConnections)
	c, _, err := websocket.Dial(t.Context(), "ws://example.com/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, CompressionMode: mode, CompressionThreshold: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func TestCompressionWithCodersClient(t *testing.T) {
	modes := map[string]websocket.CompressionMode{
		"off": websocket.CompressionDisabled, "takeover": websocket.CompressionContextTakeover,
		"no takeover": websocket.CompressionNoContextTakeover,
	}
	for name, mode := range modes {
		for _, takeover := range []bool{false, true} {
			t.Run(fmt.Sprintf("client %s server takeover %v", name, takeover), func(t *testing.T) {
				everywhere(t, func(t *testing.T, n network) {
					s := n.probes(t, wsframework.Settings{Compression: &wsframework.CompressionOptions{ContextTakeover: takeover, Threshold: -1}},
						func(p *probe) {
							p.open = func() error { return p.Join("g") }
							p.message = func(m wsframework.Message) error {
								p.WriteMessage(m)
								return p.Broadcast("g", m)
							}
						})
					c := dialCoder(t, s, mode)
					random := rand.New(rand.NewPCG(1, 2))
					for _, size := range []int{0, 1, 5, 127, 5000, 40000, 70000, 300000, 5, 5, 1} {
						data := make([]byte, size)
						for i := range data {
							data[i] = "abcdefgh"[random.IntN(8)]
						}
						typ := websocket.MessageType(1 + size%2)
						if err := c.Write(t.Context(), typ, data); err != nil {
							t.Fatal(err)
						}
						for range 2 {
							gotType, got, err := c.Read(t.Context())
							if err != nil || gotType != typ || !bytes.Equal(got, data) {
								t.Fatalf("message of %d bytes came back as %d of type %v, %v", size, len(got), gotType, err)
							}
						}
					}
					if err := c.Close(1000, ""); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

const deflateOffer = "permessage-deflate; client_max_window_bits"

// offering is an offer of extensions.
func offering(offer string) wstest.Option { return wstest.Header("Sec-WebSocket-Extensions", offer) }

func TestCompressionNegotiation(t *testing.T) {
	tests := []struct {
		offer, answer string
		options       *wsframework.CompressionOptions
	}{
		{"permessage-deflate", "", nil},
		{"", "", &wsframework.CompressionOptions{}},
		{"permessage-deflate", "permessage-deflate; server_no_context_takeover", &wsframework.CompressionOptions{}},
		{"permessage-deflate", "permessage-deflate", &wsframework.CompressionOptions{ContextTakeover: true}},
		{"permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover", &wsframework.CompressionOptions{}},
		{"permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover", &wsframework.CompressionOptions{ContextTakeover: true}},
		{"permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover", &wsframework.CompressionOptions{ContextTakeover: true}},
		{"x-other, permessage-deflate", "permessage-deflate; server_no_context_takeover", &wsframework.CompressionOptions{}},
		{"permessage-deflate; nonsense", "", &wsframework.CompressionOptions{}},
	}
	for _, tt := range tests {
		t.Run(tt.offer+" "+tt.answer, func(t *testing.T) {
			s := overTCP.probes(t, wsframework.Settings{}, func(*probe) {}, wsframework.Compression(tt.options))
			response := s.connect(offering(tt.offer)).Response()
			if got := response.Header.Get("Sec-WebSocket-Extensions"); got != tt.answer {
				t.Errorf("answered %q, want %q", got, tt.answer)
			}
		})
	}
}

// deflated compresses one message by itself.
func deflated(data []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 9)
	w.Write(data)
	w.Flush()
	return out.Bytes()[:out.Len()-4]
}

func inflated(t *testing.T, data []byte) string {
	t.Helper()
	got, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(data), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestCompressedMessages(t *testing.T) {
	const compressed = 0x40
	bomb := deflated(make([]byte, 64<<20))
	tests := []struct {
		name   string
		frames []byte
		want   string // a message, or
		code   int    // the close frame
		reason string
	}{
		{name: "one frame", frames: wstest.EncodeFrame(wstest.TextFrame|compressed, deflated([]byte("hello hello"))), want: "hello hello"},
		{name: "fragments", frames: func() []byte {
			d := deflated([]byte("hello hello"))
			f := wstest.EncodeFrame(0x01|compressed, d[:3])
			f = append(f, wstest.EncodeFrame(wstest.PingFrame, nil)...)
			f = append(f, wstest.EncodeFrame(0x00, nil)...)
			return append(f, wstest.EncodeFrame(0x80, d[3:])...)
		}(), want: "hello hello"},
		{name: "final block", frames: wstest.EncodeFrame(wstest.TextFrame|compressed, []byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}), want: "Hello"},
		{name: "plain although negotiated", frames: wstest.EncodeFrame(wstest.TextFrame, []byte("plain")), want: "plain"},
		{name: "not UTF-8", frames: wstest.EncodeFrame(wstest.TextFrame|compressed, deflated([]byte("a\xffb"))), code: 1007, reason: "text is not UTF-8"},
		{name: "ends in a character", frames: wstest.EncodeFrame(wstest.TextFrame|compressed, deflated([]byte("a\xe5\x86"))), code: 1007, reason: "text is not UTF-8"},
		{name: "corrupt", frames: wstest.EncodeFrame(wstest.TextFrame|compressed, []byte{0xff, 0xff, 0xff}), code: 1007, reason: "compressed data is corrupt"},
		{name: "bomb", frames: wstest.EncodeFrame(wstest.BinaryFrame|compressed, bomb), code: 1009, reason: "message of more than 1048576 bytes"},
		{name: "bit on a continuation", frames: append(wstest.EncodeFrame(0x01|compressed, deflated([]byte("x"))), wstest.EncodeFrame(0x80|compressed, nil)...), code: 1002, reason: "reserved bit set"},
		{name: "bit on a ping", frames: wstest.EncodeFrame(wstest.PingFrame|compressed, nil), code: 1002, reason: "reserved bit set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				_, p, cl := oneWith(t, n, wsframework.Settings{
					MaxMessageSize: 1 << 20, Compression: &wsframework.CompressionOptions{Threshold: -1},
				}, offering(deflateOffer))
				go cl.Conn().Write(append(bytes.Clone(tt.frames), wstest.EncodeFrame(wstest.TextFrame, []byte("next"))...))
				if tt.code != 0 {
					expectCloseSkippingPongs(t, cl, tt.code, tt.reason)
					cl.WriteClose(tt.code, "")
					<-p.done
					return
				}
				for _, want := range []string{tt.want, "next"} {
					first, payload, err := cl.ReadFrame()
					for first == wstest.PongFrame {
						first, payload, err = cl.ReadFrame()
					}
					if err != nil || first != wstest.TextFrame|compressed || inflated(t, payload) != want {
						t.Fatalf("got frame %x %q, %v, want %q", first, payload, err, want)
					}
				}
			})
		})
	}
}

// oneWith connects to an echo with options.
func oneWith(t *testing.T, n network, settings wsframework.Settings, options ...wstest.Option) (*server, *probe, *wstest.Client) {
	t.Helper()
	probes := make(chan *probe, 2)
	s := n.probes(t, settings, func(p *probe) {
		p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		probes <- p
	})
	<-probes // the one that only showed its type
	cl := s.connect(options...)
	return s, <-probes, cl
}

func expectCloseSkippingPongs(t *testing.T, cl *wstest.Client, code int, reason string) {
	t.Helper()
	for {
		first, payload, err := cl.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if first == wstest.PongFrame {
			continue
		}
		if first != wstest.CloseFrame || int(payload[0])<<8|int(payload[1]) != code || string(payload[2:]) != reason {
			t.Fatalf("got frame %x %q, want close %d %q", first, payload, code, reason)
		}
		return
	}
}

func TestBroadcastCompressesOnceAndPerConnection(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{Compression: &wsframework.CompressionOptions{}}, func(p *probe) {
			p.open = func() error { p.Join("g"); return p.WriteText("in") }
		})
		with, without := s.connect(offering(deflateOffer)), s.connect()
		with.Expect("in")
		without.Expect("in")
		long := strings.Repeat("hello ", 1000)
		if err := s.app.Broadcast(t.Context(), "g", long); err != nil {
			t.Fatal(err)
		}
		first, payload, err := with.ReadFrame()
		if err != nil || first != wstest.TextFrame|0x40 || inflated(t, payload) != long {
			t.Errorf("compressed peer got %x, %d bytes, %v", first, len(payload), err)
		}
		without.Expect(long)
	})
}

func TestDropOldestWithContextTakeoverKeepsTheStream(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{
			Compression:   &wsframework.CompressionOptions{ContextTakeover: true},
			MaxPendingOut: 1 << 20, SlowConsumer: wsframework.DropOldest,
		}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				random := rand.New(rand.NewPCG(1, 2))
				for range 100 {
					b := make([]byte, 100<<10)
					for i := range b {
						b[i] = byte(random.Uint32())
					}
					copy(b, "whole")
					copy(b[len(b)-5:], "whole")
					p.WriteBinary(b)
				}
				return p.Close(1000, "done")
			}
		})
		c := dialCoder(t, s, websocket.CompressionContextTakeover)
		c.Write(t.Context(), websocket.MessageText, []byte("go"))
		for {
			_, data, err := c.Read(t.Context())
			if err != nil {
				if websocket.CloseStatus(err) != 1000 {
					t.Error(err)
				}
				return
			}
			if len(data) != 100<<10 || !bytes.HasPrefix(data, []byte("whole")) || !bytes.HasSuffix(data, []byte("whole")) {
				t.Fatalf("a message of %d bytes is torn", len(data))
			}
		}
	})
}
