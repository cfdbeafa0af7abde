package wsframework

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gotornado/gotornado/internal/testvisit"
)

// A conn is one connection: it ties a handler to the gate its input comes through, the line its
// callbacks run in and the queue its output leaves by.
//
// Reading is a role that goes with a goroutine: the one that reads a message also runs its callback.
// If that takes long, the watch gives the role to a new goroutine, and the old one ends with the line.
type conn struct {
	exchange // its handshake

	route   *route
	handler Handler

	// Set during the handshake, read-only afterwards.
	subproto string
	deflate  deflateTerms // that were agreed on
	standing *standing
	opened   atomic.Bool
	isClient bool // the other end of a connection: see ClientConn

	tr    transport
	out   outbound
	batch batch

	// Owned by the reading role.
	in       gate
	callNo   uint64
	running  atomic.Uint64 // see watch
	watched  atomic.Bool
	parked   atomic.Bool // nobody has the reading role, until wake
	spot     int32       // parking's
	quietAt  uint32      // callNo at the last pong
	slow     bool        // the last OnMessage took its time
	givesWay bool        // it is parked for the sake of others

	line    line
	heard   atomic.Bool // something arrived since the last ping
	paused  atomic.Bool // the reader waits for the handler
	pongAt  atomic.Int64
	discard atomic.Bool // what still comes in is not for the handler
	parts   atomic.Int32
	id      atomic.Pointer[string]

	// Protected by the exchange's mu.
	cause       *CloseError
	revoked     *CloseError // somebody wants it closed before it is open
	peerCode    int         // of the peer's close frame, if it came before ours began to leave
	peerReason  string      // likewise
	closeTimer  *time.Timer
	keepalive   *time.Timer
	ends        map[ender]struct{}
	peerFirst   bool
	sentFrame   bool
	gotFrame    bool
	socketGone  bool
	waitingPong bool // the keep-alive timer's own

	// Protected by the hub's lock.
	memberships []*membership
	left        bool // no group takes it any more
	leftGroups  []string
	inAll       *membership // protected by app.all's lock
}

func newConn(rt *route, r *http.Request) *conn {
	c := &conn{route: rt}
	c.init(&rt.endpoint, r)
	c.upgrade = true
	return c
}

// A connection is done when all its parts are: OnClose has returned, the socket is closed, and every
// function given to Go has returned.
const initialParts = 2

func (c *conn) partDone() {
	if c.parts.Add(-1) == 0 {
		c.logClosed()
		c.app.forget(c)
	}
}

// start opens the connection. It runs in the connection's own goroutine, whose stack is fresh.
func (c *conn) start() {
	c.startKeepalive()
	open := task{kind: taskOpen}
	c.line.enter(open)
	c.sessionMayChange()
	if c.callInline(open) && !(c.in.in.buffered() == 0 && c.park()) {
		c.read()
	}
}

// park ends the reading until there is input or the socket is closed, and reports whether that is
// possible: then the caller has the reading role no more.
func (c *conn) park() bool {
	c.givesWay = false
	return c.parkUntil(parkEvents)
}

func (c *conn) parkUntil(events uint32) bool {
	c.quietAt = uint32(c.callNo)
	c.batch.end()
	c.in.in.rest()
	c.parked.Store(true)
	return c.app.parking.add(c, events) || !c.parked.CompareAndSwap(true, false)
}

// maxStreak is after how many reads in a row that did not have to wait a connection gives way.
const maxStreak = 32

// giveWay ends the reading for no longer than it takes to look whether others have input: Go's scheduler does
// not look while there is something to run, but for every 10 ms.
func (c *conn) giveWay() bool {
	c.in.in.streak = 0
	c.givesWay = true
	return c.parkUntil(passEvents)
}

// wake lets a goroutine read on if the connection is parked.
func (c *conn) wake() {
	if c.parked.CompareAndSwap(true, false) {
		c.app.parking.remove(c)
		if c.givesWay {
			go c.readLast()
		} else {
			go c.read()
		}
	}
}

// readLast reads when all others have had their turn that are there by now.
func (c *conn) readLast() {
	runtime.Gosched()
	c.read()
}

// isQuiet is asked when a pong has arrived, and reports whether nothing else has since the last one.
func (c *conn) isQuiet() bool {
	now := uint32(c.callNo)
	quiet := now == c.quietAt
	c.quietAt = now
	return quiet
}

// read reads and delivers messages for as long as the goroutine has the reading role.
func (c *conn) read() {
	for {
		if c.in.in.streak >= maxStreak && c.giveWay() {
			return
		}
		m, err := c.in.next()
		if err == errQuiet {
			if c.park() {
				return
			}
			continue
		}
		if err != nil {
			c.readingEnded()
			return
		}
		if c.discard.Load() {
			continue
		}
		switch {
		case c.slow || !c.route.quick.Load():
			c.batch.end()
		case c.in.in.buffered() > 0:
			c.batch.begin()
		}
		if st := c.standing; st != nil && !st.active.Load() {
			st.active.Store(true)
		}
		t := task{kind: taskMessage, message: m}
		if c.line.enter(t) {
			if !c.callInline(t) {
				return
			}
		} else {
			c.holdBack()
		}
	}
}

// holdBack stops the reading while more than MaxPendingIn waits for the handler.
func (c *conn) holdBack() {
	limit := c.app.settings.MaxPendingIn
	if !c.line.full(limit) {
		return
	}
	c.batch.end()
	c.paused.Store(true)
	c.line.waitForRoom(limit)
	c.heardFrom()
	c.paused.Store(false)
}

// callInline runs the line on the reading goroutine, beginning with t, and reports whether that
// goroutine still has the reading role.
func (c *conn) callInline(t task) bool {
	c.callNo++
	n := c.callNo
	c.running.Store(n)
	if !c.watched.Load() {
		c.app.watch.add(c)
	}
	began := c.app.watch.ticks.Load() - c.batch.excuse.Load()
	c.runLine(t, n)
	if !c.running.CompareAndSwap(n, 0) {
		return false
	}
	if t.kind == taskMessage {
		c.slow = c.app.watch.ticks.Load()-c.batch.excuse.Load() > began
		if !c.slow && !c.route.quick.Load() {
			c.route.quick.Store(true)
		}
	}
	return true
}

// deliver brings a task to the line from a goroutine that does not read, and may run it here.
func (c *conn) deliver(t task) {
	if c.line.enter(t) {
		c.runLine(t, 0)
	}
}

// deliverAside brings a task to the line without running it here.
func (c *conn) deliverAside(t task) {
	if c.line.enter(t) {
		go c.runLine(t, 0)
	}
}

// runLine runs t and then all that is queued. The caller has entered the line; callNo is that of
// callInline, or 0.
func (c *conn) runLine(t task, callNo uint64) {
	normal := false
	defer func() {
		if !normal { // runtime.Goexit in a callback ends this goroutine, but not the connection
			go c.takeOver(callNo)
		}
	}()
	for ok := true; ok; t, ok = c.line.next() {
		if t.kind != taskMessage || !c.discard.Load() {
			c.call(t)
		}
	}
	normal = true
}

// takeOver goes on in the place of a goroutine that a callback has ended.
func (c *conn) takeOver(callNo uint64) {
	if t, ok := c.line.next(); ok {
		c.runLine(t, callNo)
	}
	if callNo != 0 && c.running.CompareAndSwap(callNo, 0) {
		c.read()
	}
}

// call runs one callback, contains its panic and sees to its error.
func (c *conn) call(t task) {
	returned := false
	var err error
	defer func() {
		if !returned {
			err = recovered(t.kind.String(), recover())
		}
		if err != nil {
			c.callbackFailed(t.kind.String(), err)
		}
		switch t.kind {
		case taskOpen:
			if visit := testvisit.From(c.values); visit != nil {
				visit.SetOpened()
			}
		case taskClose:
			c.partDone()
		}
	}()
	if c.app.serial == nil {
		err = c.invoke(t)
	} else {
		err = c.invokeInTurn(t)
	}
	returned = true
}

func (c *conn) invoke(t task) error {
	switch t.kind {
	case taskOpen:
		return c.handler.Open()
	case taskMessage:
		return c.handler.OnMessage(t.message)
	case taskPing:
		c.handler.OnPing(t.message.Data)
	case taskPong:
		c.handler.OnPong(t.message.Data)
	case taskTick:
		return t.timer.tick()
	case taskSession:
		c.sessionChanged()
	case taskClose:
		c.handler.OnClose()
	}
	return nil
}

var errGoexit = errors.New("runtime.Goexit was called")

// recovered turns what recover returned into an error.
func recovered(callback string, value any) error {
	if value == nil {
		return fmt.Errorf("%s: %w", callback, errGoexit)
	}
	return &PanicError{Callback: callback, Value: value, Stack: debug.Stack()}
}

// callbackFailed closes the connection because of a callback's error, and logs it, unless the error
// is a wish to close or speaks of something that may happen to a program that is right.
func (c *conn) callbackFailed(callback string, err error) {
	judged := false
	defer func() {
		if !judged { // the error's own methods panicked
			err := recovered(callback, recover())
			c.logFailure(callback, CloseInternalError, err)
			c.startClose(&CloseError{Code: CloseInternalError, Err: err}, false)
		}
	}()
	c.judge(callback, err)
	judged = true
}

func (c *conn) judge(callback string, err error) {
	var wish *CloseError
	var panicked *PanicError
	switch {
	case !errors.As(err, &panicked) && errors.As(err, &wish) && wish != nil:
		if err := c.closeWith(wish.Code, wish.Reason, wish.Err); err != nil && err != ErrClosed {
			c.logFailure(callback, CloseInternalError, err)
		}
	case panicked != nil && panicked.Value == http.ErrAbortHandler:
		c.abort(&CloseError{Code: CloseAbnormal, Err: err}) // as net/http: end it, say nothing
	case panicked == nil && harmless(err):
		c.app.harmlessLog.log(c, callback, err)
	case panicked == nil && errors.Is(err, context.Canceled) && c.ended():
		// It was told to stop, and did.
	default:
		if panicked == nil {
			err = fmt.Errorf("%s: %w", callback, err)
		}
		c.logFailure(callback, CloseInternalError, err)
		c.startClose(&CloseError{Code: CloseInternalError, Err: err}, false)
	}
}

// goRun runs f beside the callbacks.
func (c *conn) goRun(f func(context.Context) error) error {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return ErrClosed
	}
	c.parts.Add(1)
	c.mu.Unlock()
	go func() {
		defer c.partDone()
		c.callGo(f)
	}()
	return nil
}

func (c *conn) callGo(f func(context.Context) error) {
	returned := false
	var err error
	defer func() {
		if !returned {
			err = recovered("Go", recover())
		}
		if err != nil {
			c.callbackFailed("Go", err)
		}
	}()
	err = f(c.context())
	returned = true
}

func (c *conn) pinged(data []byte) {
	c.out.answerPing(data, &c.batch)
	if !c.discard.Load() && !c.isClient {
		c.deliverAside(task{kind: taskPing, message: Message{Data: append([]byte(nil), data...)}})
		c.holdBack()
	}
}

func (c *conn) ponged(data []byte) {
	c.pongAt.Store(time.Now().UnixNano())
	if !c.discard.Load() && !c.isClient {
		c.deliverAside(task{kind: taskPong, message: Message{Data: append([]byte(nil), data...)}})
		c.holdBack()
	}
}
