package wsframework

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A hijackable is a ResponseWriter of which nothing is left but what a handshake needs.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReaderSize(h.conn, 16), bufio.NewWriterSize(h.conn, 16)), nil
}

// What the framework adds to net/http's own work for a handshake behind somebody's http.ResponseWriter, and
// the end of the connection.
func BenchmarkHandshake(b *testing.B) {
	app := NewApplication(Settings{AccessLogger: silent})
	app.WebSocket("/", func() Handler { return new(hotHandler) })
	r := httptest.NewRequest("GET", "/", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(name, value)
	}
	b.ReportAllocs()
	for b.Loop() {
		c := new(goneConn)
		app.ServeHTTP(hijackable{httptest.NewRecorder(), c}, r)
	}
}

// A goneConn is one whose peer has gone at once.
type goneConn struct{ net.Conn }

func (c *goneConn) Read([]byte) (int, error) { return 0, net.ErrClosed }
func (c *goneConn) Close() error             { return nil }

var _ http.Hijacker = hijackable{}
