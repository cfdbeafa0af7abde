package wstest

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/internal/testvisit"
)

// Dial opens a WebSocket to a handler, which is an [wsframework.Application] or has one somewhere inside, and
// waits until Open has returned; see NoWait. The path may have a query. What the server answers other than 101
// fails the test; see DialRefused.
func Dial(t testing.TB, handler http.Handler, path string, list ...Option) *Client {
	t.Helper()
	return NewBrowser(t, handler, list...).dial(path, newOptions(list))
}

// DialRefused is Dial for a handshake that the server refuses with a status, and returns the answer. A status
// of 0 stands for all but 101.
func DialRefused(t testing.TB, handler http.Handler, path string, status int, list ...Option) *Page {
	t.Helper()
	return NewBrowser(t, handler, list...).dialRefused(path, status, newOptions(list))
}

// A Browser is a visitor: his cookies are kept, so that the socket that he opens has the session of the page
// on which he logged in. It sends its own site as the Origin of sockets and forms.
type Browser struct {
	t       testing.TB
	handler http.Handler
	list    []Option
	jar     *cookiejar.Jar
}

// NewBrowser makes a visitor of a handler. The options are those of all his requests.
func NewBrowser(t testing.TB, handler http.Handler, list ...Option) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("wstest: %v", err)
	}
	b := &Browser{t: t, handler: handler, list: list, jar: jar}
	b.keep(newOptions(list))
	return b
}

// keep gives the visitor the cookies and the session's values that options name.
func (b *Browser) keep(o *options) {
	b.t.Helper()
	b.jar.SetCookies(o.site(), o.cookies)
	if len(o.session) > 0 {
		b.putSession(o)
	}
}

// putSession puts values into the session, whose cookie is set if there is none yet.
func (b *Browser) putSession(o *options) {
	b.t.Helper()
	manager, err := sessionsOf(b.handler)
	if err != nil {
		b.t.Fatalf("wstest: no session for the visitor: %v", err)
	}
	ctx, err := manager.Load(context.Background(), b.Cookie(manager.Cookie.Name))
	if err != nil {
		b.t.Fatalf("wstest: loading the session: %v", err)
	}
	for _, v := range o.session {
		manager.Put(ctx, v.key, v.value)
	}
	token, _, err := manager.Commit(ctx)
	if err != nil {
		b.t.Fatalf("wstest: storing the session: %v", err)
	}
	b.jar.SetCookies(o.site(), []*http.Cookie{{Name: manager.Cookie.Name, Value: token, Path: "/"}})
}

// Dial opens a WebSocket. The path may have a query.
func (b *Browser) Dial(path string, list ...Option) *Client {
	b.t.Helper()
	return b.dial(path, b.options(list))
}

// DialRefused is Dial for a handshake that the server refuses with a status; 0 stands for all but 101.
func (b *Browser) DialRefused(path string, status int, list ...Option) *Page {
	b.t.Helper()
	return b.dialRefused(path, status, b.options(list))
}

// options are the browser's and those of one request, whose cookies stay.
func (b *Browser) options(list []Option) *options {
	b.t.Helper()
	b.keep(newOptions(list))
	o := newOptions(append(b.list[:len(b.list):len(b.list)], list...))
	if o.header.Get("Origin") == "" {
		o.header.Set("Origin", o.site().String())
	}
	return o
}

func (b *Browser) dial(path string, o *options) *Client {
	b.t.Helper()
	c, response := b.shake(path, o)
	if response.StatusCode != http.StatusSwitchingProtocols {
		page := readPage(b.t, path, response)
		b.t.Fatalf("wstest: the handshake on %s was answered with %s: %s", path, response.Status, quote([]byte(page.Body)))
	}
	if got, want := response.Header.Get("Sec-WebSocket-Accept"), acceptFor(handshakeKey); got != want && o.header["Sec-Websocket-Key"] == nil {
		b.t.Fatalf("wstest: the handshake on %s was answered with Sec-WebSocket-Accept %q, want %q", path, got, want)
	}
	c.begin(response)
	if o.visit != nil && !o.noWait {
		c.awaitOpen()
	}
	return c
}

func (b *Browser) dialRefused(path string, status int, o *options) *Page {
	b.t.Helper()
	c, response := b.shake(path, o)
	page := readPage(b.t, path, response)
	c.conn.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		b.t.Fatalf("wstest: the handshake on %s was accepted, want it refused", path)
	}
	if status != 0 && response.StatusCode != status {
		b.t.Fatalf("wstest: the handshake on %s was refused with %s, want %d: %s", path, response.Status, status, quote([]byte(page.Body)))
	}
	return page
}

// handshakeKey is the nonce of all clients: tests want the same bytes each time.
const handshakeKey = "dGhlIHNhbXBsZSBub25jZQ=="

// acceptFor is what a server answers to a nonce (RFC 6455, 4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// connect opens a connection, and adds to the header which visit the request is.
func (b *Browser) connect(o *options) net.Conn {
	b.t.Helper()
	dial := o.via
	if dial == nil {
		s := serverFor(b.t, b.handler)
		dial = s.on(b.t, o.network).dial
		o.visit = testvisit.New()
		o.visit.User, o.visit.Named = o.user, o.hasUser
		o.header.Set(visitHeader, s.expect(o.visit))
	} else if o.hasUser {
		b.t.Fatalf("wstest: User does not work with Via; use Session, Cookie or Header")
	}
	conn, err := dial()
	if err != nil {
		b.t.Fatalf("wstest: connecting: %v", err)
	}
	b.t.Cleanup(func() { conn.Close() })
	return conn
}

// shake sends a handshake (RFC 6455, 4.1) and reads the answer.
func (b *Browser) shake(path string, o *options) (*Client, *http.Response) {
	b.t.Helper()
	conn := b.connect(o)
	request := handshake(path, o, b.jar.Cookies(o.site()))
	conn.SetDeadline(time.Now().Add(o.within))
	if _, err := conn.Write(request); err != nil {
		b.t.Fatalf("wstest: the handshake on %s: %v", path, err)
	}
	br := bufio.NewReader(conn)
	response, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
	if err != nil {
		b.t.Fatalf("wstest: the handshake on %s: %v", path, err)
	}
	conn.SetDeadline(time.Time{})
	b.jar.SetCookies(o.site(), response.Cookies())
	return newClient(b.t, path, conn, br, o), response
}

// handshake is the request that opens a WebSocket. Headers of the test's own replace its own.
func handshake(path string, o *options, cookies []*http.Cookie) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\n", path)
	line := func(name, value string) {
		if o.header.Values(name) == nil {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	line("Host", o.site().Host)
	line("Upgrade", "websocket")
	line("Connection", "Upgrade")
	line("Sec-WebSocket-Version", "13")
	line("Sec-WebSocket-Key", handshakeKey)
	if len(o.protocols) > 0 {
		line("Sec-WebSocket-Protocol", strings.Join(o.protocols, ", "))
	}
	if len(cookies) > 0 {
		pairs := make([]string, len(cookies))
		for i, c := range cookies {
			pairs[i] = c.Name + "=" + c.Value
		}
		line("Cookie", strings.Join(pairs, "; "))
	}
	for name, values := range o.header {
		for _, value := range values {
			if value != "" {
				fmt.Fprintf(&b, "%s: %s\r\n", name, value)
			}
		}
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}
