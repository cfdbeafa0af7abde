package wsframework

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"
)

// logAttrs identify a request or a connection in a log line.
func (x *exchange) logAttrs() []any {
	attrs := []any{slog.String("route", x.endpoint.name), slog.String("remote", x.remote())}
	if user := x.knownUser(); user != nil {
		attrs = append(attrs, userAttr(user))
	}
	return attrs
}

// remote is the address of who sent the request: the peer's, with its port, or what a trusted proxy says.
func (x *exchange) remote() string {
	if x.app.proxies.trustsPeer(x.request) {
		return x.app.proxies.remoteIP(x.request)
	}
	return x.request.RemoteAddr
}

// userAttr shows a user as far as that can't give secrets away: structs show themselves only if they
// say how.
func userAttr(user any) slog.Attr {
	switch u := user.(type) {
	case slog.LogValuer:
		return slog.Any("user", u)
	case fmt.Stringer:
		return slog.String("user", fmt.Sprint(u)) // which survives a String method that panics
	}
	switch v := reflect.ValueOf(user); v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return slog.Any("user", user)
	}
	return slog.String("user", fmt.Sprintf("%T", user))
}

// logFailure writes the line for a failed callback.
func (c *conn) logFailure(callback string, code int, err error) {
	if cause := c.closeCause(); cause != nil {
		code = cause.Code
	}
	attrs := append(c.logAttrs(), "callback", callback, "code", code, "cause", err)
	var panicked *PanicError
	if errors.As(err, &panicked) {
		attrs = append(attrs, "stack", string(panicked.Stack))
	}
	c.app.logger.Error("wsframework: a callback failed, the connection closes", attrs...)
}

// logCallback writes the line for a failed callback of the application itself.
func (app *Application) logCallback(callback string, err error) {
	attrs := []any{"callback", callback, "cause", err}
	var panicked *PanicError
	if errors.As(err, &panicked) {
		attrs = append(attrs, "stack", string(panicked.Stack))
	}
	app.logger.Error("wsframework: a callback failed", attrs...)
}

// A harmlessLog writes of errors that close nothing one line in a while.
type harmlessLog struct {
	mu      sync.Mutex // protects the following
	last    time.Time
	skipped int
}

const harmlessInterval = 10 * time.Second

func (l *harmlessLog) log(c *conn, callback string, err error) {
	if errors.Is(err, ErrClosed) {
		return // peers leave all the time
	}
	l.mu.Lock()
	now := time.Now()
	if !l.last.IsZero() && now.Sub(l.last) < harmlessInterval {
		l.skipped++
		l.mu.Unlock()
		return
	}
	skipped := l.skipped
	l.last, l.skipped = now, 0
	l.mu.Unlock()
	c.app.logger.Warn("wsframework: a callback returned an error that closes nothing",
		append(c.logAttrs(), "callback", callback, "cause", err, "more", skipped)...)
}
