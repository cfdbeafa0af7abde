package wsframework

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// accept answers with 101 and makes the connection out of what is under the request.
//
// Where nothing lies between net/http and the route, the answer is written here, in one system call.
// Everywhere else coder answers, and the header goes out through the writers that are around net/http's.
// Compression is negotiated here in any case: coder declines offers that it could accept, and accepts some
// that it should not.
func (rt *route) accept(c *conn, w http.ResponseWriter, r *http.Request) error {
	hijacker := findHijacker(w)
	if hijacker == nil {
		return errors.New("the http.ResponseWriter can't be hijacked: a middleware hides it without an Unwrap method")
	}
	if rt.compression != nil {
		offers, _ := parseExtensions(r.Header["Sec-Websocket-Extensions"]) // checkRequest has seen to that
		c.deflate = chooseDeflate(offers, rt.compression)
	}
	header := w.Header()
	if delete(header, "Sec-Websocket-Extensions"); c.deflate.on {
		header["Sec-Websocket-Extensions"] = []string{c.deflate.String()}
	}
	if isBare(w) {
		return c.answer(header, r, hijacker)
	}
	takeover := &upgradeWriter{ResponseWriter: w, hijacker: hijacker}
	options := websocket.AcceptOptions{InsecureSkipVerify: true} // checkOrigin has decided
	if c.subproto != "" {
		options.Subprotocols = []string{c.subproto}
	}
	_, err := websocket.Accept(takeover, r, &options)
	switch {
	case errors.Is(err, errTaken):
		c.startTransport(takeover.hijacked, takeover.early)
		return nil
	case takeover.wroteHeader:
		return &answered{err}
	}
	delete(header, "Sec-Websocket-Extensions")
	return err
}

// isBare reports whether w is net/http's own writer. A type that embeds it may want to see the header.
func isBare(w http.ResponseWriter) bool {
	t := reflect.TypeOf(w)
	if t.Kind() != reflect.Pointer {
		return false
	}
	t = t.Elem()
	return t.Name() == "response" && t.PkgPath() == "net/http"
}

// answer writes what net/http would write for coder (RFC 6455, 4.2.2). To have the request checked a second
// time and the header kept, copied and sorted is a tenth of what a handshake costs.
func (c *conn) answer(header http.Header, r *http.Request, hijacker http.Hijacker) error {
	if c.subproto != "" {
		header.Set("Sec-WebSocket-Protocol", c.subproto)
	}
	hijacked, early, err := hijack(hijacker)
	if err != nil {
		return err
	}
	c.startTransport(hijacked, early)

	page := chunks.Get().(*chunk)
	defer chunks.Put(page)
	b := append(page[:0], "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-Websocket-Accept: "...)
	b = appendAccept(b, r.Header.Get("Sec-Websocket-Key"))
	b = append(b, "\r\nUpgrade: websocket\r\n"...)
	if _, dated := header["Date"]; !dated {
		b = append(b, "Date: "...)
		b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	if len(header) > 0 {
		rest := bytes.NewBuffer(b)
		header.WriteSubset(rest, answerHeaders) // which lets no value begin a line
		b = rest.Bytes()
	}
	b = append(b, "\r\n"...)

	if c.writeAnswer(b) != nil {
		hijacked.Close() // the reader finds out
	}
	return nil
}

// answerHeaders are those of answer itself, and those that mean nothing without a body.
var answerHeaders = map[string]bool{
	"Connection": true, "Upgrade": true, "Sec-Websocket-Accept": true,
	"Content-Length": true, "Transfer-Encoding": true,
}

// writeAnswer writes past the queue: nobody else knows of the connection yet.
func (c *conn) writeAnswer(b []byte) error {
	o := &c.out
	o.iovec = append(o.iovec, b)
	defer func() { clear(o.iovec); o.iovec = o.iovec[:0] }()
	if c.tr.canTry() {
		n, err := c.tr.tryWrite(o.iovec)
		if n == len(b) || err != nil {
			return err
		}
		o.iovec[0] = b[n:]
	}
	_, err := c.tr.write(o.iovec, c.app.settings.WriteTimeout, c.heardFrom)
	return err
}

// appendAccept appends the answer to a Sec-WebSocket-Key (RFC 6455, 4.2.2).
func appendAccept(b []byte, key string) []byte {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	var room [64]byte
	sum := sha1.Sum(append(append(room[:0], strings.TrimSpace(key)...), guid...))
	return base64.StdEncoding.AppendEncode(b, sum[:])
}

// answered wraps an error that comes too late to be told to the client.
type answered struct{ error }

// startTransport builds what lies between the socket and the callbacks. early is what the client sent right
// behind its request.
func (c *conn) startTransport(hijacked net.Conn, early []byte) {
	c.tr = newTransport(hijacked)
	c.out = outbound{tr: c.tr, owner: c, settings: &c.app.settings}
	if c.deflate.on {
		c.out.deflate = newDeflater(c.route.compression, !c.deflate.serverNoTakeover, c.deflate.serverWindow())
	}
	c.in.c = c
	c.in.in.preload(early)
	c.parts.Store(initialParts)
}

// findHijacker returns the outermost writer that can be hijacked. Some have the method whether or not
// what they wrap has it, so the innermost one decides.
func findHijacker(w http.ResponseWriter) (outermost http.Hijacker) {
	for {
		hijacker, ok := w.(http.Hijacker)
		if ok && outermost == nil {
			outermost = hijacker
		}
		wrapper, wraps := w.(interface{ Unwrap() http.ResponseWriter })
		if !wraps {
			if !ok {
				return nil
			}
			return outermost
		}
		w = wrapper.Unwrap()
	}
}

// An upgradeWriter is the http.ResponseWriter that coder sees. The header goes out through the outer
// writers, as sessions and logs hang on them. Hijacking takes the connection from coder, who answers the
// handshake and is then told that there is none. What coder says to that goes nowhere.
type upgradeWriter struct {
	http.ResponseWriter
	hijacker    http.Hijacker
	hijacked    net.Conn
	early       []byte // what the client sent right behind its request
	wroteHeader bool
}

// errTaken tells coder's Accept that the connection is in other hands.
var errTaken = errors.New("taken")

func (w *upgradeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *upgradeWriter) Header() http.Header {
	if w.hijacked != nil {
		return make(http.Header)
	}
	return w.ResponseWriter.Header()
}

func (w *upgradeWriter) Write(p []byte) (int, error) {
	if w.hijacked != nil {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

func (w *upgradeWriter) WriteHeader(status int) {
	if w.hijacked == nil {
		w.wroteHeader = true
		w.ResponseWriter.WriteHeader(status)
	}
}

// WriteHeaderNow is gin's: its writer keeps a header back until it is told.
func (w *upgradeWriter) WriteHeaderNow() {
	if gin, ok := w.ResponseWriter.(interface{ WriteHeaderNow() }); ok {
		gin.WriteHeaderNow()
	}
}

func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	var err error
	if w.hijacked, w.early, err = hijack(w.hijacker); err != nil {
		return nil, nil, err
	}
	return nil, nil, errTaken
}

// hijack takes the connection from net/http, and what it has read of it.
func hijack(h http.Hijacker) (conn net.Conn, early []byte, err error) {
	conn, rw, err := h.Hijack()
	if err != nil {
		return nil, nil, err
	}
	if n := rw.Reader.Buffered(); n > 0 {
		buffered, _ := rw.Reader.Peek(n)
		early = append([]byte(nil), buffered...)
	}
	return conn, early, nil
}
