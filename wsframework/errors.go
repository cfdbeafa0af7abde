package wsframework

import (
	"errors"
	"fmt"
	"net/http"
)

// The errors that methods of [BaseHandler] and [Application] return, and that the cause of a closed
// connection wraps. Test for them with [errors.Is].
var (
	// ErrClosed is returned by every method that needs an open connection once the connection is
	// closing or closed. A program may ignore it: nothing was sent and nothing broke.
	ErrClosed = errors.New("wsframework: the connection is closed")

	// ErrNotOpen is returned before the handshake is complete (from Prepare, say) and on a handler
	// that no route made.
	ErrNotOpen = errors.New("wsframework: the connection is not open yet; write from Open on, on a handler that a route's factory made")

	// ErrHandshakeDone is returned by what only Prepare and GetCurrentUser can do: set headers,
	// cookies and session values that travel with the handshake's response. Session.Update changes a
	// session later.
	ErrHandshakeDone = errors.New("wsframework: the handshake has been answered; set headers, cookies and session values in Prepare")

	// ErrFinished is returned by what changes a page's response, once that has been sent.
	ErrFinished = errors.New("wsframework: the response has been sent; nothing can be added to it")

	// ErrSlowConsumer says that a peer reads more slowly than it is written to, so that a message did
	// not fit into Settings.MaxPendingOut; Settings.SlowConsumer says what became of it.
	ErrSlowConsumer = errors.New("wsframework: the peer reads too slowly, its queue is full (the setting MaxPendingOut)")

	// ErrUnavailable is wrapped by errors of a broker that is away for a while.
	ErrUnavailable = errors.New("wsframework: the broker is unavailable")

	// ErrPeerGone is the cause of a connection that ended without a close frame.
	ErrPeerGone = errors.New("wsframework: the peer went away without a close frame")

	// ErrPingTimeout is the cause of a connection whose peer did not answer a ping in time.
	ErrPingTimeout = errors.New("wsframework: no answer to a ping in time (the setting PingTimeout)")

	// ErrWriteTimeout is the cause of a connection whose peer took no byte for Settings.WriteTimeout.
	ErrWriteTimeout = errors.New("wsframework: the peer took nothing for too long (the setting WriteTimeout)")

	// ErrShutdown is the cause of a connection that Application.Shutdown closed, and returned by
	// Application.AddCallback from then on.
	ErrShutdown = errors.New("wsframework: the application shuts down")

	// ErrInCallback is returned by Application.Shutdown when a callback calls it: it would wait for
	// itself. Call it in a goroutine of its own.
	ErrInCallback = errors.New("wsframework: Shutdown was called from a callback and would wait for it; call it in a goroutine of its own")

	// ErrNoSession is returned by Session.Update and Session.Reload on a socket whose handshake came with no
	// session that the store has, and began none.
	ErrNoSession = errors.New("wsframework: the socket has no session; Put something in Prepare to begin one")

	// ErrSessionEnded is returned by Session.Update and Session.Reload once the session has been destroyed or
	// renewed, or has expired, and is the cause of the connections that were closed for that.
	ErrSessionEnded = errors.New("wsframework: the session has ended")

	// ErrNoUser is the cause of a connection that had a user whom its session has no more.
	ErrNoUser = errors.New("wsframework: the session has no user any more")

	// ErrSessionUnchecked is the cause of a connection whose session could not be checked for
	// Settings.SessionCheckGrace.
	ErrSessionUnchecked = errors.New("wsframework: the session store has not answered for too long (Settings.SessionCheckGrace)")

	// ErrExpired is the cause of a connection that BaseHandler.ExpireAt has closed.
	ErrExpired = errors.New("wsframework: the time that ExpireAt gave the connection is over")

	// ErrInvalidUTF8 is returned for text that is not UTF-8, which RFC 6455 (8.1) forbids to send.
	ErrInvalidUTF8 = errors.New("wsframework: text is not valid UTF-8; send bytes with WriteBinary")
)

// An HTTPError answers a request with a plain HTTP response in place of a page or a connection. Return one
// from Prepare, GetCurrentUser or a page's Get and the like; any other error is answered with status 500
// and a body that gives nothing away. As Tornado's HTTPError.
type HTTPError struct {
	Status  int    // 400 to 599; anything else is answered as 500
	Message string // the body; the status text when empty
	Err     error  // for the log, never sent
}

func (e *HTTPError) Error() string {
	if e == nil {
		return "a nil *HTTPError"
	}
	text := fmt.Sprintf("HTTP %d: %s", e.status(), e.message())
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}

// Unwrap returns Err.
func (e *HTTPError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

func (e *HTTPError) status() int {
	if e == nil || e.Status < 400 || e.Status > 599 {
		return http.StatusInternalServerError
	}
	return e.Status
}

func (e *HTTPError) message() string {
	if e == nil || e.Message == "" {
		return http.StatusText(e.status())
	}
	return e.Message
}

// A refusal is an HTTPError with what only the framework itself says.
type refusal struct {
	HTTPError
	setting string // the name of the setting or method that decides about it
}

func refuse(status int, message, setting string) *refusal {
	return &refusal{HTTPError{Status: status, Message: message}, setting}
}

// explain returns the status that answers an error, what the visitor is told, and for the log the setting
// that decides about it.
func explain(err error) (status int, message, setting string) {
	var ours *refusal
	var theirs *HTTPError
	switch {
	case errors.As(err, &ours):
		return ours.status(), ours.message(), ours.setting
	case errors.As(err, &theirs):
		return theirs.status(), theirs.message(), ""
	}
	return http.StatusInternalServerError, "Internal Server Error", ""
}

// A PanicError is what a callback's panic becomes: the cause of its connection's end, or of an error page.
type PanicError struct {
	Callback string // "OnMessage", say
	Value    any    // what was passed to panic
	Stack    []byte // as debug.Stack formats it
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("wsframework: %s panicked: %v", e.Callback, e.Value)
}

// Unwrap returns the value passed to panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// harmless reports whether a callback's error concerns something that happens in the life of a
// program that is right, and that must not throw its own peer out: another connection that is closed
// or slow, or a broker that blinks.
func harmless(err error) bool {
	return errors.Is(err, ErrClosed) || errors.Is(err, ErrSlowConsumer) || errors.Is(err, ErrUnavailable)
}
