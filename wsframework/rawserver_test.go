package wsframework_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A rawServer answers handshakes and frames as a test wants it, right or wrong.
type rawServer struct {
	t    *testing.T
	dial func() (net.Conn, error)
}

// A rawPeer is its end of one connection.
type rawPeer struct {
	t       *testing.T
	c       net.Conn
	br      *bufio.Reader
	request *http.Request
	keys    map[string]bool // of the frames that were read
}

// rawServe has serve answer every connection, in a goroutine of its own, until the test ends.
func (n network) rawServe(t *testing.T, serve func(*rawPeer)) *rawServer {
	t.Helper()
	listener, dial := n.make(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			p := &rawPeer{t: t, c: c, br: bufio.NewReader(c), keys: make(map[string]bool)}
			if p.request, err = http.ReadRequest(p.br); err != nil {
				t.Errorf("the request: %v", err)
			}
			serve(p)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-served
	})
	return &rawServer{t: t, dial: dial}
}

func (s *rawServer) dialer() *wsframework.ConnectOptions { return dialWith(s.t, s.dial) }

func (s *rawServer) client(options *wsframework.ConnectOptions) *wsframework.ClientConn {
	return (&server{t: s.t, dial: s.dial}).client(options)
}

// answer is the right answer to the handshake, with more header lines.
func (p *rawPeer) answer(header ...string) string {
	sum := sha1.Sum([]byte(p.request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	text := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	for _, line := range header {
		text += line + "\r\n"
	}
	return text + "\r\n"
}

// accept answers the handshake, with frames in the same breath.
func (p *rawPeer) accept(frames string, header ...string) { p.write(p.answer(header...) + frames) }

func (p *rawPeer) write(text string) {
	if _, err := io.WriteString(p.c, text); err != nil {
		p.t.Errorf("the server writes: %v", err)
	}
}

// read reads a client's frame.
func (p *rawPeer) read() (first byte, payload string, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(p.br, head); err != nil {
		return 0, "", err
	}
	if head[1]&0x80 == 0 {
		return 0, "", errors.New("the client does not mask")
	}
	n := uint64(head[1] & 0x7F)
	if n >= 126 {
		ext := make([]byte, 8)
		size := 2 + int(n-126)*6
		if _, err := io.ReadFull(p.br, ext[8-size:]); err != nil {
			return 0, "", err
		}
		n = binary.BigEndian.Uint64(ext)
	}
	key := make([]byte, 4)
	if _, err := io.ReadFull(p.br, key); err != nil {
		return 0, "", err
	}
	p.keys[string(key)] = true
	data := make([]byte, n)
	_, err = io.ReadFull(p.br, data)
	for i := range data {
		data[i] ^= key[i%4]
	}
	return head[0], string(data), err
}

func (p *rawPeer) expect(first byte, payload string) {
	f, data, err := p.read()
	if err != nil || f != first || data != payload {
		p.t.Errorf("the server got frame %x %.40q (%v), want %x %.40q", f, data, err, first, payload)
	}
}

// drain reads until the client is gone, and tells what closes came.
func (p *rawPeer) drain() (closes []string) {
	for {
		first, data, err := p.read()
		if err != nil {
			return closes
		}
		if first == wstest.CloseFrame {
			closes = append(closes, data)
		}
	}
}

// serverFrame encodes a frame as a server sends it; first is FIN, RSV and opcode.
func serverFrame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return string(b) + payload
}

// closeBody is the payload of a close frame.
func closeBody(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}
