package wsframework

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The access log has a line for each request that was answered, and for each connection when it is over.
// What the server did wrong is an error in it, what the client did a warning, as in Tornado.

// logAnswer writes the line of a request. The status is 0 if none was sent; cause is why it was refused, or
// what else went wrong.
func (x *exchange) logAnswer(message string, status int, size int64, cause error) {
	level := x.answerLevel(status, cause)
	if x.app.access.Enabled(x.request.Context(), level) {
		x.logTo(x.app.access, level, message, status, size, cause)
	}
	if level == slog.LevelError && cause != nil && x.app.access != x.app.logger {
		// Who keeps the access log elsewhere, or none, is to hear of failures all the same.
		x.logTo(x.app.logger, level, message, status, size, cause)
	}
}

func (x *exchange) logTo(logger *slog.Logger, level slog.Level, message string, status int, size int64, cause error) {
	attrs := x.requestAttrs()
	if status > 0 {
		attrs = append(attrs, "status", status)
	}
	if size > 0 {
		attrs = append(attrs, "bytes", size)
	}
	if cause != nil {
		attrs = append(attrs, "cause", cause)
	}
	if _, _, setting := explain(cause); setting != "" {
		attrs = append(attrs, "setting", setting)
	}
	var panicked *PanicError
	if errors.As(cause, &panicked) {
		attrs = append(attrs, "stack", string(panicked.Stack))
	}
	logger.Log(context.WithoutCancel(x.request.Context()), level, message, attrs...)
}

// logClosed writes the line of a connection that is over.
func (c *conn) logClosed() {
	code, reason := c.closed()
	level := slog.LevelInfo
	if !c.peerFirst {
		level = codeLevel(code)
	}
	if !c.app.access.Enabled(c.values, level) {
		return
	}
	attrs := append(c.requestAttrs(), "code", code)
	if reason != "" {
		attrs = append(attrs, "reason", reason)
	}
	attrs = append(attrs, "received", c.in.received.Load(), "sent", c.out.sent())
	c.app.access.Log(context.WithoutCancel(c.values), level, "wsframework: socket closed", attrs...)
}

// requestAttrs say what was asked for. The query stays out: it may hold secrets.
func (x *exchange) requestAttrs() []any {
	attrs := []any{
		slog.String("method", x.request.Method),
		slog.String("path", x.request.URL.Path),
		slog.Duration("duration", time.Since(x.began)),
	}
	return append(attrs, x.logAttrs()...)
}

func (x *exchange) answerLevel(status int, cause error) slog.Level {
	var panicked *PanicError
	switch {
	case status >= 500 && status != http.StatusServiceUnavailable:
		return slog.LevelError
	case status >= 400:
		return slog.LevelWarn
	case cause == nil || cause == http.ErrAbortHandler:
		return slog.LevelInfo
	case errors.As(cause, &panicked) || x.request.Context().Err() == nil:
		return slog.LevelError // it failed when the header had been sent
	}
	return slog.LevelInfo // the client went away
}

func codeLevel(code int) slog.Level {
	switch code {
	case CloseInternalError:
		return slog.LevelError
	case CloseProtocolError, CloseUnsupportedData, CloseInvalidPayload, ClosePolicyViolation, CloseMessageTooBig:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// A loggedHandler is one that is not a page, and has its line in the access log.
type loggedHandler struct {
	endpoint
	next http.Handler
}

func (app *Application) logged(name string, next http.Handler) http.Handler {
	return &loggedHandler{endpoint{app: app, name: name}, next}
}

func (h *loggedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.app.access.Enabled(r.Context(), slog.LevelError) {
		h.next.ServeHTTP(w, r)
		return
	}
	x, counter := new(exchange), &countingWriter{ResponseWriter: w}
	x.init(&h.endpoint, r)
	returned := false
	defer func() {
		var cause error
		value := any(nil)
		switch {
		case returned && counter.status == http.StatusSwitchingProtocols:
			return // a connection has a line of its own
		case returned && !counter.hijacked:
			counter.status = max(counter.status, http.StatusOK) // what net/http sends
		case !returned:
			cause = http.ErrAbortHandler
			if value = recover(); value != nil && value != http.ErrAbortHandler {
				cause = recovered("the handler", value)
			}
		}
		x.logAnswer("wsframework: request", counter.status, counter.size, cmp.Or(cause, counter.refusal))
		if value != nil {
			panic(value) // net/http cuts the client off
		}
	}()
	h.next.ServeHTTP(counter, r)
	returned = true
}

// A countingWriter remembers what was answered. It hides nothing that net/http's writer can do, also from
// handlers that look for that in place of using http.ResponseController.
type countingWriter struct {
	http.ResponseWriter
	status   int
	size     int64
	hijacked bool
	refusal  error // why the handler was not called
}

// refusePlain answers with an error in place of a plain handler, and lets the access log say why.
func refusePlain(w http.ResponseWriter, err error) {
	for inner := w; inner != nil; {
		if counter, ok := inner.(*countingWriter); ok {
			counter.refusal = err
			break
		}
		wrapper, _ := inner.(interface{ Unwrap() http.ResponseWriter })
		if wrapper == nil {
			break
		}
		inner = wrapper.Unwrap()
	}
	status, message, _ := explain(err)
	http.Error(w, message, status)
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) WriteHeader(status int) {
	if w.status < http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.size += int64(n)
	return n, err
}

// ReadFrom lets the system copy a file.
func (w *countingWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.size += n
	return n, err
}

func (w *countingWriter) Flush() { http.NewResponseController(w.ResponseWriter).Flush() }

func (w *countingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return c, rw, err
}
