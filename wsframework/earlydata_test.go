package wsframework_test

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// An eagerConn sends bytes right behind the first that are written, in one packet with them.
type eagerConn struct {
	net.Conn
	behind []byte
	sent   chan error
}

func (c *eagerConn) Write(b []byte) (int, error) {
	if c.behind == nil {
		return c.Conn.Write(b)
	}
	packet := append(bytes.Clone(b), c.behind...)
	c.behind = nil
	go func() { // the server answers in the midst of it
		_, err := c.Conn.Write(packet)
		c.sent <- err
	}()
	return len(b), nil
}

// connectWith sends frames with the handshake, and tells when they are sent.
func (s *server) connectWith(frames []byte) (*wstest.Client, <-chan error) {
	s.t.Helper()
	sent := make(chan error, 1)
	return s.connect(wstest.Via(func() (net.Conn, error) {
		c, err := s.dial()
		return &eagerConn{c, frames, sent}, err
	})), sent
}

// A client may send frames right behind its request, in one packet with it.
func TestEarlyData(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		})
		for name, messages := range map[string][]string{
			"one":      {"hello"},
			"many":     strings.Fields(strings.Repeat("hello world ", 100)),
			"the most": {strings.Repeat("x", 3800), "y"}, // net/http reads 4 KiB at once
			"a piece":  {strings.Repeat("x", 100000), "y"},
		} {
			var frames []byte
			for _, m := range messages {
				frames = append(frames, wstest.EncodeFrame(wstest.TextFrame, []byte(m))...)
			}
			cl, sent := s.connectWith(frames)
			for _, m := range messages {
				cl.Expect(m)
			}
			if err := receive(t, sent); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			cl.Vanish()
		}
	})
}

// heldBack is a writer like gin's, which writes a header only when it is told to do so now.
type heldBack struct {
	http.ResponseWriter
	status int
}

func (w *heldBack) Unwrap() http.ResponseWriter { return w.ResponseWriter }
func (w *heldBack) WriteHeader(status int)      { w.status = status }
func (w *heldBack) WriteHeaderNow()             { w.ResponseWriter.WriteHeader(w.status) }

// readAhead is a writer whose connection has been read far ahead of the request.
type readAhead struct {
	http.ResponseWriter
	n int
}

func (w *readAhead) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	far := bufio.NewReaderSize(rw.Reader, w.n)
	if _, err := far.Peek(w.n); err != nil {
		return nil, nil, err
	}
	return c, bufio.NewReadWriter(far, rw.Writer), nil
}

func TestWritersOfOthers(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		message := strings.Repeat("x", 1000)
		frame := wstest.EncodeFrame(wstest.TextFrame, []byte(message))
		const frames = 50
		for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
			"as gin's":       func(w http.ResponseWriter) http.ResponseWriter { return &heldBack{ResponseWriter: w} },
			"read far ahead": func(w http.ResponseWriter) http.ResponseWriter { return &readAhead{w, frames*len(frame) - 10} },
		} {
			s := n.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
				endpoint := app.Upgrade(func() wsframework.Handler { return new(counter) })
				app.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { endpoint.ServeHTTP(wrap(w), r) })
			})
			cl, sent := s.connectWith(bytes.Repeat(frame, frames))
			for range frames {
				cl.Expect("1000")
			}
			if err := receive(t, sent); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			cl.Vanish()
		}
	})
}
