package wsframework

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// ReconnectOptions say how Reconnect behaves. A nil pointer and the zero value are the defaults.
type ReconnectOptions struct {
	// Connect is for each connection. Default: nil, the defaults of Connect.
	Connect *ConnectOptions

	// MinDelay bounds the wait before the first attempt after a loss. It doubles with each further one.
	// Default: 500 ms.
	MinDelay time.Duration

	// MaxDelay bounds every wait. Default: 15 s.
	MaxDelay time.Duration

	// StableAfter is how long a connection has to last for the waits to begin anew. Default: 5 s.
	StableAfter time.Duration

	// OnState is told of each change, in order, by the goroutine that called Reconnect. It must not take
	// long. Default: none.
	OnState func(ReconnectState)

	// Final decides whether a loss is the end; err is what Connect returned, or the *CloseError of a
	// connection. Default: IsFinal.
	Final func(err error) bool
}

// A ReconnectPhase is what Reconnect is doing.
type ReconnectPhase int

// The phases. Ended is the last.
const (
	ReconnectConnecting ReconnectPhase = iota
	ReconnectOpen
	ReconnectWaiting
	ReconnectEnded
)

func (p ReconnectPhase) String() string {
	if p < 0 || int(p) >= len(reconnectPhases) {
		return "unknown"
	}
	return reconnectPhases[p]
}

var reconnectPhases = [...]string{"connecting", "open", "waiting", "ended"}

// A ReconnectState is what OnState is told.
type ReconnectState struct {
	Phase    ReconnectPhase
	Attempts int       // connections in a row that failed or were short-lived
	Until    time.Time // waiting: when the next attempt begins
	Err      error     // waiting and ended: why; nil for an end that was asked for
}

// Reconnect keeps a connection to a URL. For each one it calls serve, which has the connection until it
// returns: it begins with what the server has to be told anew each time, and reads. Messages written
// while the connection is away are not kept; they are refused with [ErrClosed].
//
// What serve returns decides what comes next. Nil, any error that is not of its own connection's end, and
// a close of ours end it; the connection is then closed with 1000 and the error is returned, nil for a
// close. When the connection was lost, Reconnect waits and connects again: for a random time up to a bound
// that grows with each failure ("full jitter"), so that the clients of a server that restarts do not all
// come back at once. It ends with the error if that is final, see [IsFinal].
//
// When ctx is done, the connection is closed with 1001, and once serve has returned, so does Reconnect, with
// the cause.
func Reconnect(ctx context.Context, url string, options *ReconnectOptions, serve func(*ClientConn) error) error {
	if serve == nil {
		panic(errors.New("wsframework: Reconnect needs a function that serves the connections"))
	}
	r := newReconnector(options)
	for {
		lost, err := r.once(ctx, url, serve)
		switch {
		case ctx.Err() != nil:
			err, lost = context.Cause(ctx), false
		case lost && r.options.Final(err):
			lost = false
		}
		if lost {
			err = r.wait(ctx, err)
		}
		if !lost || err != nil {
			r.enter(ReconnectState{Phase: ReconnectEnded, Err: err})
			return err
		}
	}
}

// IsFinal reports whether connecting again makes no sense after an error of Connect or the end of a
// connection: the server refused the handshake with a status of 4xx, but for 408 and 429; the URL or the
// options are wrong; or the connection was closed with 1000, 1002, 1003, 1005, 1007, or with a code from 3000
// on, which is an application's decision.
func IsFinal(err error) bool {
	var refused *HandshakeError
	var end *CloseError
	switch {
	case errors.As(err, &refused):
		switch refused.Status {
		case http.StatusRequestTimeout, http.StatusTooManyRequests:
			return false
		}
		return refused.Status >= 400 && refused.Status < 500
	case errors.As(err, &end):
		switch end.Code {
		case CloseNormal, CloseProtocolError, CloseUnsupportedData, CloseNoStatus, CloseInvalidPayload:
			return true
		}
		return end.Code >= 3000
	}
	return errors.Is(err, errConnectOptions)
}

// A reconnector is the state of one Reconnect.
type reconnector struct {
	options  ReconnectOptions
	attempts int
}

func newReconnector(options *ReconnectOptions) *reconnector {
	r := new(reconnector)
	if options != nil {
		r.options = *options
	}
	setDefault(&r.options.MinDelay, 500*time.Millisecond)
	setDefault(&r.options.MaxDelay, 15*time.Second)
	setDefault(&r.options.StableAfter, 5*time.Second)
	if r.options.Final == nil {
		r.options.Final = IsFinal
	}
	return r
}

func (r *reconnector) enter(state ReconnectState) {
	state.Attempts = r.attempts
	if r.options.OnState != nil {
		r.options.OnState(state)
	}
}

// once connects and has the connection served, and tells whether it was lost.
func (r *reconnector) once(ctx context.Context, url string, serve func(*ClientConn) error) (lost bool, err error) {
	r.enter(ReconnectState{Phase: ReconnectConnecting})
	c, err := Connect(ctx, url, r.options.Connect)
	if err != nil {
		return true, err
	}
	defer c.finish()
	defer context.AfterFunc(ctx, func() { c.Close(CloseGoingAway, "") })()
	began := time.Now()
	r.enter(ReconnectState{Phase: ReconnectOpen})
	err = serve(c)
	if time.Since(began) >= r.options.StableAfter {
		r.attempts = 0
	}
	if errors.Is(err, ErrClosed) && !c.conn.out.isOpen() {
		<-c.conn.context().Done() // the queue may know of the end before the cause is set
	}
	end := c.conn.closeCause()
	switch {
	case end == nil || err == nil || !errors.Is(err, ErrClosed) && !errors.Is(err, ErrSlowConsumer):
		return false, err
	case !end.Remote && end.Err == nil:
		return false, nil // ours
	}
	return true, end
}

// finish closes a connection that nobody needs any more, and waits for its end.
func (c *ClientConn) finish() {
	c.Close(CloseNormal, "")
	<-c.ended
}

// wait waits before the next attempt.
func (r *reconnector) wait(ctx context.Context, why error) error {
	bound := r.options.MinDelay
	for i := 0; i < r.attempts && 0 < bound && bound < r.options.MaxDelay; i++ {
		bound *= 2
	}
	bound = min(bound, r.options.MaxDelay)
	delay := time.Duration(rand.Int64N(int64(bound) + 1))
	r.attempts++
	r.enter(ReconnectState{Phase: ReconnectWaiting, Until: time.Now().Add(delay), Err: why})
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
