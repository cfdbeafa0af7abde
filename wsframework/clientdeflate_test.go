package wsframework_test

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// A meteredConn counts what a client writes and reads.
type meteredConn struct {
	net.Conn
	in, out *atomic.Int64
}

func (c meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.Add(int64(n))
	return n, err
}

func (c meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.out.Add(int64(n))
	return n, err
}

// Each kind of compression of the client against each of the server, in both directions.
func TestClientCompression(t *testing.T) {
	kinds := map[string]*wsframework.CompressionOptions{
		"off":      nil,
		"on":       {Threshold: -1},
		"takeover": {Threshold: -1, ContextTakeover: true, Level: 9},
	}
	noise := make([]byte, 1<<10)
	rand.Read(noise)
	everywhere(t, func(t *testing.T, n network) {
		for server, offered := range kinds {
			s := n.probes(t, wsframework.Settings{Compression: offered}, echoing)
			for client, wanted := range kinds {
				var in, out atomic.Int64
				options := dialWith(t, func() (net.Conn, error) {
					c, err := s.dial()
					return meteredConn{c, &in, &out}, err
				})
				options.Compression = wanted
				c := s.client(options)
				pair := fmt.Sprintf("client %s, server %s (%s)", client, server, c.Header().Get("Sec-WebSocket-Extensions"))

				before := in.Load() + out.Load()
				for _, text := range []string{"", "a", strings.Repeat("明白", 10_000), "a", strings.Repeat("x", 1<<18)} {
					c.WriteText(text)
					wantMessage(t, c, wsframework.TextMessage, text)
				}
				compressed := in.Load()+out.Load()-before < 100_000
				if want := client != "off" && server != "off"; compressed != want {
					t.Errorf("%s: compressed: %t, want %t", pair, compressed, want)
				}

				before, beforeIn := out.Load(), in.Load()
				for range 6 {
					c.WriteBinary(noise)
					wantMessage(t, c, wsframework.BinaryMessage, string(noise))
				}
				remembers := out.Load()-before < 4*int64(len(noise))
				if want := client == "takeover" && server != "off"; remembers != want {
					t.Errorf("%s: the client remembers what it sent: %t, want %t", pair, remembers, want)
				}
				remembers = in.Load()-beforeIn < 4*int64(len(noise))
				if want := client == "takeover" && server == "takeover"; remembers != want {
					t.Errorf("%s: the server remembers what it sent: %t, want %t", pair, remembers, want)
				}
			}
		}
	})
}

// A compressed message that inflates beyond the limit, and one that is none.
func TestClientAgainstHostileDeflate(t *testing.T) {
	deflated := func(text string) string {
		var out bytes.Buffer
		w, _ := flate.NewWriter(&out, 9)
		w.Write([]byte(text))
		w.Flush()
		return strings.TrimSuffix(out.String(), "\x00\x00\xff\xff")
	}
	for name, test := range map[string]struct {
		frames string
		code   int
	}{
		"a bomb":                  {serverFrame(0xC2, deflated(strings.Repeat("0", 1<<20))), 1009},
		"corrupt":                 {serverFrame(0xC2, "\xff\xff\xff"), 1007},
		"Latin 1":                 {serverFrame(0xC1, deflated("\xe4\xe4\xe4")), 1007},
		"RSV1 on a continuation":  {serverFrame(0x42, deflated("a")) + serverFrame(0xC0, "a"), 1002},
		"RSV1 on a control frame": {serverFrame(0xC9, ""), 1002},
	} {
		everywhere(t, func(t *testing.T, n network) {
			s := n.rawServe(t, func(p *rawPeer) {
				p.accept(test.frames, "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15")
				p.drain()
			})
			options := s.dialer()
			options.Compression = &wsframework.CompressionOptions{}
			options.MaxMessageSize = 10_000
			options.CloseTimeout = 1
			c := s.client(options)
			<-c.Context().Done()
			if cause := wantEnd(t, c, test.code, c.CloseReason()); cause.Remote {
				t.Errorf("%s: closed with %v", name, cause)
			}
		})
	}
}
