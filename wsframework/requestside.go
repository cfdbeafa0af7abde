package wsframework

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
)

// A requestSide is what [BaseHandler] and [RequestHandler] share: the request that it all began with, and
// the header of its answer. On a socket it works for as long as the socket lives, but for what changes
// the answer, which is sent after Prepare.
//
// Its methods may be called from any goroutine, at any time, but for those that change the answer: these are
// for the goroutine that runs Prepare or the page.
type requestSide struct {
	x atomic.Pointer[exchange]
}

// Prepare does nothing.
func (h *requestSide) Prepare() error { return nil }

// GetCurrentUser asks Settings.CurrentUser if that is set, and else takes the value "user" of the
// session.
func (h *requestSide) GetCurrentUser() (any, error) {
	x := h.x.Load()
	switch {
	case x == nil:
		return nil, ErrNotOpen
	case x.app.settings.CurrentUser != nil:
		return x.app.settings.CurrentUser(x.publicRequest())
	case x.session != nil:
		return x.session.Get("user"), nil
	}
	return nil, nil
}

// CurrentUser returns what GetCurrentUser returned last: nil for nobody. [UserAs] returns it typed.
func (h *requestSide) CurrentUser() any {
	x := h.x.Load()
	if x == nil {
		return nil
	}
	user, _ := x.currentUser()
	return user
}

// UserAs returns the current user of a handler as a T, and whether it is one. A struct type that is kept
// in a session has to be known to encoding/gob, else the request fails with a log line that says so: call
// gob.Register(T{}) at start-up.
func UserAs[T any](h interface{ CurrentUser() any }) (T, bool) {
	user, ok := h.CurrentUser().(T)
	return user, ok
}

// Session returns the session that came with the request, or nil if Settings.Sessions is not set.
func (h *requestSide) Session() *Session {
	if x := h.x.Load(); x != nil {
		return x.session
	}
	return nil
}

// Request returns the request; on a socket that of the handshake, without a body. Its context is that of
// Context.
//
// Some routers recycle what they keep in a request's context when their handler returns, which is when
// a connection opens: chi.URLParam, say, is right in a socket's Prepare only. PathValue is always right.
func (h *requestSide) Request() *http.Request {
	if x := h.x.Load(); x != nil {
		return x.publicRequest()
	}
	return nil
}

// PathValue returns the value of a wildcard in the route's pattern, as http.Request.PathValue.
func (h *requestSide) PathValue(name string) string {
	if x := h.x.Load(); x != nil {
		return x.request.PathValue(name)
	}
	return ""
}

// Cookie returns the value of a cookie of the request, or "". As Tornado's get_cookie.
func (h *requestSide) Cookie(name string) string {
	if x := h.x.Load(); x != nil {
		if cookie, err := x.request.Cookie(name); err == nil {
			return cookie.Value
		}
	}
	return ""
}

// RemoteIP returns the address of who sent the request, without a port; behind a proxy that is listed in
// Settings.TrustedProxies, what that says.
func (h *requestSide) RemoteIP() string {
	if x := h.x.Load(); x != nil {
		return x.app.proxies.remoteIP(x.request)
	}
	return ""
}

// Scheme returns "http" or "https", as who sent the request sees it: see Settings.TrustedProxies. As Tornado's
// request.protocol.
func (h *requestSide) Scheme() string {
	if x := h.x.Load(); x != nil {
		return x.app.proxies.scheme(x.request)
	}
	return ""
}

// NextURL returns the argument "next" if it leads to a page of this site in every browser, and else the
// fallback: where to go after a login.
func (h *requestSide) NextURL(fallback string) string {
	if next, ok := localPath(h.Argument("next")); ok {
		return next
	}
	return fallback
}

// Context has the values of the request's context. A page's ends with the request. A socket's lives as
// long as the connection, and is cancelled as soon as either side begins to close it; context.Cause then
// returns a *CloseError.
func (h *requestSide) Context() context.Context {
	if x := h.x.Load(); x != nil {
		return x.context()
	}
	return context.Background()
}

// Application returns the application that the handler belongs to.
func (h *requestSide) Application() *Application {
	if x := h.x.Load(); x != nil {
		return x.app
	}
	return nil
}

// Settings returns the application's settings, with the defaults filled in.
func (h *requestSide) Settings() Settings {
	if x := h.x.Load(); x != nil {
		return x.app.settings
	}
	return Settings{}
}

// Logger returns Settings.Logger with the route, the remote address and the user.
func (h *requestSide) Logger() *slog.Logger {
	x := h.x.Load()
	if x == nil {
		return slog.Default()
	}
	return x.app.logger.With(x.logAttrs()...)
}

// SetHeader sets a header of the answer. On a socket call it in Prepare; later it returns
// ErrHandshakeDone. On a page it returns ErrFinished once the header has been sent. A name that is none (RFC
// 9110, 5.1), and a value of more than one line, is an error.
func (h *requestSide) SetHeader(name, value string) error {
	header, err := h.replyHeader(name, value)
	if err != nil {
		return err
	}
	header.Set(name, value)
	return nil
}

// AddHeader adds a value to a header of the answer. Its errors are those of SetHeader.
func (h *requestSide) AddHeader(name, value string) error {
	header, err := h.replyHeader(name, value)
	if err != nil {
		return err
	}
	header.Add(name, value)
	return nil
}

// SetCookie adds a cookie to the answer. Its path is "/" if it has none, as in Tornado. Its errors are
// those of SetHeader, and http.Cookie.Valid's.
func (h *requestSide) SetCookie(cookie *http.Cookie) error {
	header, err := h.replyHeader("Set-Cookie", "")
	if err != nil {
		return err
	}
	if err := cookie.Valid(); err != nil {
		return fmt.Errorf("wsframework: %w", err)
	}
	whole := *cookie
	if whole.Path == "" {
		whole.Path = "/"
	}
	header.Add("Set-Cookie", whole.String())
	return nil
}

// ClearCookie makes the browser forget a cookie with the path "/". For another path or a domain call
// SetCookie with the same ones and a negative MaxAge.
func (h *requestSide) ClearCookie(name string) error {
	return h.SetCookie(&http.Cookie{Name: name, MaxAge: -1})
}

// replyHeader returns the answer's header if that one may still be changed, and to this value.
func (h *requestSide) replyHeader(name, value string) (http.Header, error) {
	x := h.x.Load()
	if x == nil {
		return nil, ErrNotOpen
	}
	header := x.header.Load()
	if header == nil {
		return nil, x.answered()
	}
	if x.upgrade && ofHandshake(name) {
		return nil, fmt.Errorf("wsframework: header %s belongs to the handshake itself; for a subprotocol override SelectSubprotocol", name)
	}
	if name == "" || strings.ContainsFunc(name, notInToken) || strings.ContainsAny(value, "\r\n\x00") {
		return nil, fmt.Errorf("wsframework: %q: %q is no header; its name is one token, its value one line", name, value)
	}
	return *header, nil
}

// notInToken reports whether a character can't be in the name of a header (RFC 9110, 5.6.2).
func notInToken(c rune) bool {
	return c <= ' ' || c >= 0x7F || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c)
}

func ofHandshake(header string) bool {
	switch name := http.CanonicalHeaderKey(header); name {
	case "Connection", "Upgrade", "Content-Length":
		return true
	default:
		return strings.HasPrefix(name, "Sec-Websocket-")
	}
}
