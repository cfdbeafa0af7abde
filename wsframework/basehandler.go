package wsframework

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// BaseHandler is what a handler embeds. It has a default for every method of [Handler] but OnMessage,
// and the methods with which a handler acts on its connection.
//
// All methods with which a handler acts may be called from any goroutine, at any time. None of them
// waits for the peer, except Flush. Before the handshake is complete, and on a value that no route
// made, they return [ErrNotOpen]; once the connection is closing they return [ErrClosed]. What one
// goroutine writes arrives in that order, broadcasts included.
//
// A BaseHandler must not be copied.
type BaseHandler struct {
	requestSide // what pages have, too

	c atomic.Pointer[conn]
}

func (h *BaseHandler) conn() *conn { return h.c.Load() }

// open returns the connection once it has been opened, also after it was closed.
func (h *BaseHandler) open() (*conn, error) {
	c := h.conn()
	if c == nil || !c.opened.Load() {
		return nil, ErrNotOpen
	}
	return c, nil
}

// WriteText sends a text message. Its error is ErrInvalidUTF8, ErrClosed, ErrNotOpen or, when the peer
// reads too slowly, ErrSlowConsumer.
func (h *BaseHandler) WriteText(text string) error {
	op, payload, err := encodeText(text)
	return h.write(op, payload, err)
}

// WriteBinary sends a binary message. It does not keep data. Its errors are those of WriteText.
func (h *BaseHandler) WriteBinary(data []byte) error {
	return h.write(BinaryMessage, data, nil)
}

// WriteJSON sends v as a text message, encoded by encoding/json.
func (h *BaseHandler) WriteJSON(v any) error {
	op, payload, err := encodeJSON(v)
	return h.write(op, payload, err)
}

// WriteMessage sends a message of any kind, as Tornado's write_message: a Message keeps its type, a
// string (of any string type) and a json.RawMessage go as text, a []byte as binary, and everything else
// as JSON text. Nil and error values are refused.
//
// It never waits for the peer; Flush does, as awaiting Tornado's write_message does.
func (h *BaseHandler) WriteMessage(message any) error {
	op, payload, err := encode(message)
	return h.write(op, payload, err)
}

func (h *BaseHandler) write(t MessageType, payload []byte, err error) error {
	if err != nil {
		return err
	}
	c, err := h.open()
	if err != nil {
		return err
	}
	return c.out.write(opcode(t), payload, &c.batch)
}

// Flush waits until all that has been written so far is handed to the operating system, or ctx is done.
// It returns ErrClosed if the connection ends before.
//
// In a callback under Settings.Serial other callbacks run while it waits, as with await, and it returns
// when it is this one's turn again.
func (h *BaseHandler) Flush(ctx context.Context) error {
	c, err := h.open()
	if err != nil {
		return err
	}
	if c.app.serial == nil || c.out.hasLeft() {
		return c.out.wait(ctx)
	}
	return c.app.serial.aside(func() error { return c.out.wait(ctx) })
}

// Ping sends a ping with up to 125 bytes of data (RFC 6455, 5.5.2). The peer's answer reaches OnPong.
func (h *BaseHandler) Ping(data []byte) error {
	c, err := h.open()
	if err != nil {
		return err
	}
	if len(data) > maxControl {
		return fmt.Errorf("wsframework: a ping carries at most %d bytes (RFC 6455, 5.5), not %d", maxControl, len(data))
	}
	return c.out.ping(data, &c.batch)
}

// Close closes the connection: what was written before still goes out, then a close frame; then the
// peer has Settings.CloseTimeout to answer, and what it still sends is discarded. Close does not wait
// for any of this. OnClose follows.
//
// Code 0 with an empty reason sends no code, code 0 with a reason means 1000, as in Tornado. A reason
// longer than 123 bytes is cut at a character. A code that may not be sent (RFC 6455, 7.4) is an error,
// and the connection closes with 1011.
func (h *BaseHandler) Close(code int, reason string) error {
	c, err := h.open()
	if err != nil {
		return err
	}
	return c.closeWith(code, reason, nil)
}

// Join makes the connection a member of a group of its application, until it leaves or closes. A member
// may join again; nothing changes.
func (h *BaseHandler) Join(group string) error {
	c, err := h.open()
	if err != nil {
		return err
	}
	return c.app.hub.join(c, group)
}

// Leave ends a membership. Leaving a group that one is no member of changes nothing.
func (h *BaseHandler) Leave(group string) error {
	c, err := h.open()
	if err != nil {
		return err
	}
	return c.app.hub.leave(c, group)
}

// Groups returns the groups that the connection is a member of, in no particular order; once it is
// closing, those that it was a member of last.
func (h *BaseHandler) Groups() []string {
	c, err := h.open()
	if err != nil {
		return nil
	}
	return c.app.hub.groupsOf(c)
}

// Broadcast sends a message, of any kind that WriteMessage takes, to all members of a group, this
// connection included if it is one. All members see one order. The error never speaks of single
// members. It works in OnClose, too.
func (h *BaseHandler) Broadcast(group string, message any) error {
	return h.broadcast(group, message, false)
}

// BroadcastOthers is Broadcast without this connection.
func (h *BaseHandler) BroadcastOthers(group string, message any) error {
	return h.broadcast(group, message, true)
}

func (h *BaseHandler) broadcast(group string, message any, others bool) error {
	op, payload, err := encode(message)
	if err != nil {
		return err
	}
	c, err := h.open()
	if err != nil {
		return err
	}
	var except *conn
	if others {
		except = c
	}
	began := c.app.watch.ticks.Load()
	c.app.hub.broadcast(group, newSharedFrame(opcode(op), payload), except, &c.batch)
	c.batch.excuse.Add(c.app.watch.ticks.Load() - began)
	return nil
}

// Go runs f in a goroutine beside the callbacks. Its context ends with the connection. An error or a
// panic of f ends the connection as one of a callback does. Settings.Serial does not concern it: what is
// shared under that it touches in [Application.AddCallback].
func (h *BaseHandler) Go(f func(ctx context.Context) error) error {
	if f == nil {
		panic(errors.New("wsframework: Go needs a function"))
	}
	c, err := h.open()
	if err != nil {
		return err
	}
	return c.goRun(f)
}

// Every calls f every d in the line of callbacks, never beside one, until stop is called or the
// connection closes. A tick that is due while another waits or runs is skipped. An error of f ends the
// connection as one of a callback does. It panics if d is not positive. On a connection that is not
// open it does nothing.
func (h *BaseHandler) Every(d time.Duration, f func() error) (stop func()) {
	if d <= 0 {
		panic(errors.New("wsframework: Every needs a positive interval"))
	}
	return h.startTicker("Every", d, false, f)
}

// After calls f once, after d, as Every does.
func (h *BaseHandler) After(d time.Duration, f func() error) (stop func()) {
	return h.startTicker("After", d, true, f)
}

func (h *BaseHandler) startTicker(method string, d time.Duration, once bool, f func() error) (stop func()) {
	if f == nil {
		panic(fmt.Errorf("wsframework: %s needs a function", method))
	}
	c, err := h.open()
	if err != nil {
		return func() {}
	}
	t := &ticker{line: c, d: d, once: once, f: f}
	return t.start()
}

// ID returns a random text that no other connection has, on no node.
func (h *BaseHandler) ID() string {
	c := h.conn()
	if c == nil {
		return ""
	}
	if id := c.id.Load(); id != nil {
		return *id
	}
	id := rand.Text()
	c.id.CompareAndSwap(nil, &id)
	return *c.id.Load()
}

// Subprotocol returns the subprotocol that both sides agreed on, or "".
func (h *BaseHandler) Subprotocol() string {
	if c, err := h.open(); err == nil {
		return c.subproto
	}
	return ""
}

// IsOpen reports whether messages can be written.
func (h *BaseHandler) IsOpen() bool {
	c, err := h.open()
	return err == nil && c.closeCause() == nil
}

// LastPong returns when the latest pong arrived; the zero time if none has.
func (h *BaseHandler) LastPong() time.Time {
	c := h.conn()
	if c == nil || c.pongAt.Load() == 0 {
		return time.Time{}
	}
	return time.Unix(0, c.pongAt.Load())
}

// CloseCode returns the code of the first close frame that was sent or received: CloseNoStatus (1005)
// if it had none, CloseAbnormal (1006) if there was no close frame, 0 while the connection is open.
func (h *BaseHandler) CloseCode() int {
	if c := h.conn(); c != nil {
		code, _ := c.closed()
		return code
	}
	return 0
}

// CloseReason returns the reason of the first close frame that was sent or received.
func (h *BaseHandler) CloseReason() string {
	if c := h.conn(); c != nil {
		_, reason := c.closed()
		return reason
	}
	return ""
}

// SetNoDelay turns Nagle's algorithm off (true, the default) or on, as Tornado's set_nodelay. It is an
// error on a connection that is not TCP.
func (h *BaseHandler) SetNoDelay(on bool) error {
	c, err := h.open()
	if err != nil {
		return err
	}
	conn, ok := c.tr.conn().(interface{ SetNoDelay(bool) error })
	if !ok {
		return fmt.Errorf("wsframework: SetNoDelay on a connection of type %T, which has no such option", c.tr.conn())
	}
	if c.closeCause() != nil {
		return ErrClosed
	}
	return conn.SetNoDelay(on)
}
