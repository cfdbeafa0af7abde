package wsframework_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What goes to a peer with a smaller window refers no farther back than that (RFC 7692, 7.1.2.1), whatever
// the settings, and each of the receivers of a broadcast gets its own.
func TestServerWindow(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		for _, options := range []wsframework.CompressionOptions{{Threshold: -1}, {Threshold: -1, Level: 9, ContextTakeover: true}} {
			s := n.probes(t, wsframework.Settings{Compression: &options}, func(p *probe) {
				p.open = func() error { return p.Join("all") }
				p.message = func(m wsframework.Message) error {
					if m.IsText() {
						return p.WriteMessage(m)
					}
					return p.Broadcast("all", m)
				}
			})
			clients := make(map[int]*wstest.Client)
			for bits := 8; bits <= 15; bits++ {
				clients[bits] = s.connect(offering(fmt.Sprintf("permessage-deflate; server_no_context_takeover; server_max_window_bits=%d", bits)))
			}
			for bits, cl := range clients {
				window := 1 << bits
				noise := make([]byte, window+1)
				for i, random := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
					noise[i] = ' ' + byte(random.IntN(90))
				}
				far, near := strings.Repeat(string(noise), 3), strings.Repeat("the same, ", window)
				for _, message := range []string{"a", near[:window-1], near[:window], near[:window+1], near, far} {
					cl.Write(message)
					first, payload, err := cl.ReadFrame()
					if err != nil || first != zText || inflated(t, payload) != message {
						t.Fatalf("%d bits: frame %x of %d bytes (%v) for a message of %d bytes", bits, first, len(payload), err, len(message))
					}
					if message == near && len(payload) > len(near)/3 {
						t.Errorf("%d bits: %d bytes became %d", bits, len(near), len(payload))
					}
					if message == far && len(payload) < len(far)*3/4 {
						t.Errorf("%d bits: a message refers farther back: %d bytes became %d", bits, len(far), len(payload))
					}
				}
			}
			message := strings.Repeat("to all ", 5000)
			clients[8].WriteFrame(wstest.BinaryFrame, message)
			sizes := make(map[int]bool)
			for bits, cl := range clients {
				first, payload, err := cl.ReadFrame()
				if err != nil || first != zBinary || inflated(t, payload) != message {
					t.Fatalf("%d bits: frame %x of %d bytes (%v)", bits, first, len(payload), err)
				}
				sizes[len(payload)] = true
			}
			if len(sizes) < 8 {
				t.Errorf("a message was compressed to %v bytes for eight windows", sizes)
			}
		}
	})
}

// Our client keeps to the window that a server asks for (RFC 7692, 7.1.2.2).
func TestClientWindow(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		for bits := 8; bits <= 15; bits++ {
			noise := make([]byte, 1<<bits+1)
			for i, random := 0, rand.New(rand.NewPCG(3, 4)); i < len(noise); i++ {
				noise[i] = ' ' + byte(random.IntN(90))
			}
			far, near := strings.Repeat(string(noise), 3), strings.Repeat("the same, ", 1<<bits)
			s := n.rawServe(t, func(p *rawPeer) {
				p.accept("", fmt.Sprintf("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=%d", bits))
				for _, message := range []string{near, far} {
					first, payload, err := p.read()
					if err != nil || first != zText || inflated(t, []byte(payload)) != message {
						t.Errorf("%d bits: frame %x of %d bytes (%v)", bits, first, len(payload), err)
					}
					if far := message == far; far && len(payload) < len(message)*3/4 || !far && len(payload) > len(message)/3 {
						t.Errorf("%d bits: %d bytes became %d", bits, len(message), len(payload))
					}
				}
				p.expect(wstest.CloseFrame, "")
			})
			options := s.dialer()
			options.Compression = &wsframework.CompressionOptions{ContextTakeover: bits < 15, Level: 9}
			c := s.client(options)
			c.WriteText(near)
			c.WriteText(far)
			c.Close(0, "")
			wantEnd(t, c, wsframework.CloseNoStatus, "")
		}
	})
}
