package wstest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A Client is the peer of a handler. It reads what arrives as it arrives, and answers pings and close frames,
// as browsers do; see Frames, NoPongs and StopReading for peers that do not.
type Client struct {
	t        testing.TB
	path     string
	conn     net.Conn
	tap      *tap
	frames   frameReader
	options  *options
	response *http.Response
	history  history
	arrivals arrivals // empty with Frames

	sending sync.Mutex // held by who writes, because the deadline is his
}

func newClient(t testing.TB, path string, conn net.Conn, br *bufio.Reader, o *options) *Client {
	c := &Client{t: t, path: path, conn: conn, tap: &tap{conn: conn, r: br}, options: o}
	c.frames.r = c.tap
	if o.frames {
		c.frames.r = br
	}
	return c
}

// begin takes up reading when the handshake is done.
func (c *Client) begin(response *http.Response) {
	c.response = response
	c.history.began = time.Now()
	if c.options.frames {
		return
	}
	c.arrivals.init()
	done := make(chan struct{})
	c.t.Cleanup(func() {
		c.conn.Close()
		c.tap.turn(true)
		<-done
	})
	go func() {
		defer close(done)
		c.readAll()
	}()
}

// awaitOpen waits until Open has returned.
func (c *Client) awaitOpen() {
	c.t.Helper()
	timer := time.NewTimer(c.options.within)
	defer timer.Stop()
	select {
	case <-c.options.visit.Opened():
	case <-timer.C:
		c.fail("Open has not returned within %v; if it need not, use wstest.NoWait", c.options.within)
	}
}

// Response is the answer to the handshake. Its Body is none.
func (c *Client) Response() *http.Response { return c.response }

// Subprotocol is the one that the server has chosen, or "".
func (c *Client) Subprotocol() string { return c.response.Header.Get("Sec-WebSocket-Protocol") }

// Conn is the connection under it, for what the methods do not do. Who reads from it uses Frames; deadlines that he
// sets last until the next call of a method.
func (c *Client) Conn() net.Conn { return c.conn }

// Write sends a text message. Like the other methods that send, it may be called from any goroutine.
func (c *Client) Write(text string) {
	c.t.Helper()
	c.WriteFrame(TextFrame, text)
}

// WriteBinary sends a binary message.
func (c *Client) WriteBinary(data []byte) {
	c.t.Helper()
	c.WriteFrame(BinaryFrame, string(data))
}

// WriteJSON sends a value as a text message of JSON.
func (c *Client) WriteJSON(value any) {
	c.t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		c.t.Fatalf("wstest: %v", err)
	}
	c.WriteFrame(TextFrame, string(data))
}

// Ping sends a ping. Its data has at most 125 bytes (RFC 6455, 5.5). See ExpectPong.
func (c *Client) Ping(data string) {
	c.t.Helper()
	c.WriteFrame(PingFrame, data)
}

// Pong sends a pong, whether or not a ping has asked for it (RFC 6455, 5.5.3). A client answers pings by itself,
// unless Frames or NoPongs leave that to the test.
func (c *Client) Pong(data string) {
	c.t.Helper()
	c.WriteFrame(PongFrame, data)
}

// WriteClose sends a close frame, and waits for nothing; 1005 stands for one without a code. See Close.
func (c *Client) WriteClose(code int, reason string) {
	c.t.Helper()
	c.WriteFrame(CloseFrame, closePayload(code, reason))
}

// WriteFrame sends a frame with any first byte: FIN, RSV1 to 3 and the opcode (RFC 6455, 5.2).
func (c *Client) WriteFrame(first byte, payload string) {
	c.t.Helper()
	c.write(describeFrame(first, []byte(payload)), EncodeFrame(first, []byte(payload)))
}

// WriteRaw sends bytes as they are: half a frame (see EncodeFrame), two in one segment, or garbage.
func (c *Client) WriteRaw(b []byte) {
	c.t.Helper()
	c.write("bytes "+quote(b), b)
}

func (c *Client) write(what string, b []byte) {
	c.t.Helper()
	c.history.add("->", what)
	if err := c.send(b); err != nil {
		c.fail("sending %s: %v", what, err)
	}
}

// send writes, and leaves no deadline behind to who uses Conn.
func (c *Client) send(b []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(c.options.within))
	defer c.conn.SetWriteDeadline(time.Time{})
	_, err := c.conn.Write(b)
	return err
}

// Close closes the connection in good order: it sends a close frame, and waits until the server has answered
// with one of the same code and has ended the connection. Messages that were under way are passed over.
func (c *Client) Close(code int, reason string) {
	c.t.Helper()
	c.WriteClose(code, reason)
	for {
		a := c.next("the answer to the close frame")
		if a.first != CloseFrame && a.err == nil {
			continue
		}
		if got, _ := parseClose(a.payload); a.err != nil || got != code {
			c.fail("want the close frame with %d answered with the same code, but got %s", code, a)
		}
		break
	}
	c.ExpectEnd()
}

// ExpectClose waits for the server's close frame with a code, and returns its reason; 1005 stands for none.
// A message that comes before it fails the test.
func (c *Client) ExpectClose(code int) (reason string) {
	c.t.Helper()
	want := fmt.Sprintf("a close frame with %d", code)
	a := c.nextButPings(want)
	got, reason := parseClose(a.payload)
	if a.err != nil || a.first != CloseFrame || got != code {
		c.fail("want %s, but got %s", want, a)
	}
	return reason
}

// ExpectEnd waits until the server has ended the connection. A frame that comes before fails the test; so this
// is what comes after ExpectClose, or in place of it where a connection is cut (1006).
func (c *Client) ExpectEnd() {
	c.t.Helper()
	if a := c.nextButPings("the end of the connection"); a.err == nil {
		c.fail("want the end of the connection, but got %s", a)
	}
}

// Vanish cuts the connection without a close frame, as a peer does whose process is killed.
func (c *Client) Vanish() {
	c.history.add("->", "nothing any more")
	c.conn.Close()
}

// StopReading leaves what arrives from now on in the network, as a peer does that hangs, and so answers
// nothing either.
func (c *Client) StopReading() { c.tap.turn(false) }

// ResumeReading takes up reading again.
func (c *Client) ResumeReading() { c.tap.turn(true) }

// messageOf returns the message that a frame is.
func messageOf(first byte, payload []byte) wsframework.Message {
	m := wsframework.Message{Type: wsframework.TextMessage, Data: payload}
	if first == BinaryFrame {
		m.Type = wsframework.BinaryMessage
	}
	return m
}
