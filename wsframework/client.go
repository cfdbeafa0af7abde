package wsframework

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// A ClientConn is a connection to a server, as Tornado's WebSocketClientConnection. It speaks the same
// language as [BaseHandler]: what is written never waits for the peer, and Close closes in the same way.
//
// All methods may be called from any goroutine, at any time, also after the close. What one goroutine
// writes arrives in that order; of several that read, each message reaches one. Pings are answered, and a
// close of the server is answered and seen, whether or not somebody is in ReadMessage.
//
// Close it when it is no longer needed, else its goroutine stays for as long as the server does.
type ClientConn struct {
	conn   *conn
	base   BaseHandler // for what a connection does on both sides
	header http.Header

	arrived chan struct{} // has a value when there may be a message
	ended   chan struct{} // closed when the last message is there

	dropping atomic.Bool // Close was called: nobody wants what came
}

// Connect opens a connection to a ws or wss URL (http and https mean the same), as Tornado's
// websocket_connect. Its context bounds the handshake, and its values are those of the connection's
// context; to cancel it later changes nothing. Nil options are the defaults.
//
// The error is a *[HandshakeError] if the server answered with anything but the connection.
func Connect(ctx context.Context, url string, options *ConnectOptions) (*ClientConn, error) {
	if options == nil {
		options = new(ConnectOptions)
	}
	h, err := options.handshake(ctx, url)
	if err != nil {
		return nil, err
	}
	c := newClientConn(ctx, h, options)
	c.conn.startKeepalive()
	go c.read()
	return c, nil
}

// newClientConn makes a connection of the same parts as a server's. It belongs to an application of its
// own, which is nothing but its settings: nobody calls its callbacks, and its line of them is what
// ReadMessage reads.
func newClientConn(ctx context.Context, h *clientHandshake, options *ConnectOptions) *ClientConn {
	app := &Application{settings: options.settings()}
	app.logger, app.access = app.settings.Logger, app.settings.AccessLogger
	c := &conn{
		route:    &route{endpoint: endpoint{app: app}, maxMessage: app.settings.MaxMessageSize},
		isClient: true,
		subproto: h.response.Header.Get("Sec-Websocket-Protocol"),
	}
	c.app, c.endpoint, c.values, c.began = app, &c.route.endpoint, ctx, time.Now()
	var early []byte
	c.tr, early = h.transport()
	c.out = outbound{tr: c.tr, owner: c, settings: &app.settings, masks: true}
	if c.deflate = h.deflate; c.deflate.on {
		window := c.deflate.clientWindow()
		takeover := options.Compression.ContextTakeover && !c.deflate.clientNoTakeover && window == windowSize
		c.out.deflate = newDeflater(options.Compression, takeover, window)
	}
	c.in.c = c
	c.in.in.preload(early)
	c.parts.Store(initialParts) // of which OnClose is never done: there is no server to tell
	c.line.enter(task{})
	c.opened.Store(true)

	client := &ClientConn{
		conn:    c,
		header:  h.response.Header,
		arrived: make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
	client.base.c.Store(c)
	return client
}

// WriteText sends a text message. Its error is ErrInvalidUTF8, ErrClosed or, when the server reads too
// slowly, ErrSlowConsumer.
func (c *ClientConn) WriteText(text string) error { return c.base.WriteText(text) }

// WriteBinary sends a binary message. It does not keep data. Its errors are those of WriteText.
func (c *ClientConn) WriteBinary(data []byte) error { return c.base.WriteBinary(data) }

// WriteJSON sends v as a text message, encoded by encoding/json.
func (c *ClientConn) WriteJSON(v any) error { return c.base.WriteJSON(v) }

// WriteMessage sends a message of any kind, as [BaseHandler.WriteMessage] does.
func (c *ClientConn) WriteMessage(message any) error { return c.base.WriteMessage(message) }

// Flush waits until all that has been written so far is handed to the operating system, or ctx is done.
// It returns ErrClosed if the connection ends before.
func (c *ClientConn) Flush(ctx context.Context) error { return c.base.Flush(ctx) }

// Ping sends a ping with up to 125 bytes of data (RFC 6455, 5.5.2). LastPong tells of the answer.
func (c *ClientConn) Ping(data []byte) error { return c.base.Ping(data) }

// LastPong returns when the latest pong arrived; the zero time if none has.
func (c *ClientConn) LastPong() time.Time { return c.base.LastPong() }

// Close closes the connection: what was written before still goes out, then a close frame; then the
// server has ConnectOptions.CloseTimeout to answer, and what it still sends is discarded. Close does not
// wait for any of this; ReadMessage does.
//
// Code 0 with an empty reason sends no code, code 0 with a reason means 1000, as in Tornado. A reason
// longer than 123 bytes is cut at a character. A code that may not be sent (RFC 6455, 7.4) is an error,
// and the connection closes with 1011.
func (c *ClientConn) Close(code int, reason string) error {
	c.dropping.Store(true)
	return c.base.Close(code, reason)
}

// CloseCode returns the code of the first close frame that was sent or received: CloseNoStatus (1005)
// if it had none, CloseAbnormal (1006) if there was no close frame, 0 while the connection is open.
func (c *ClientConn) CloseCode() int { return c.base.CloseCode() }

// CloseReason returns the reason of the first close frame that was sent or received.
func (c *ClientConn) CloseReason() string { return c.base.CloseReason() }

// Context returns a context that ends when the connection begins to close; its cause is a *[CloseError].
func (c *ClientConn) Context() context.Context { return c.conn.context() }

// Subprotocol returns the subprotocol that the server chose, or "".
func (c *ClientConn) Subprotocol() string { return c.conn.subproto }

// Header returns the header of the handshake's answer. It is the caller's to read only. Tornado: headers.
func (c *ClientConn) Header() http.Header { return c.header }
