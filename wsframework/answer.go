package wsframework

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// accept answers with 101 and makes the connection out of what is under the request.
func (rt *route) accept(c *conn, w http.ResponseWriter, r *http.Request) error {
	hijacker := findHijacker(w)
	if hijacker == nil {
		return errors.New("the http.ResponseWriter can't be hijacked: a middleware hides it without an Unwrap method")
	}
	takeover := &upgradeWriter{ResponseWriter: w, hijacker: hijacker}
	options := websocket.AcceptOptions{InsecureSkipVerify: true} // checkOrigin has decided
	if c.subproto != "" {
		options.Subprotocols = []string{c.subproto}
	}
	if rt.compression != nil {
		options.CompressionMode = websocket.CompressionContextTakeover
		r = withDeflateOffer(r, rt.compression)
	}
	_, err := websocket.Accept(takeover, r, &options)
	switch {
	case errors.Is(err, errTaken):
		c.startTransport(takeover)
		return nil
	case takeover.wroteHeader:
		return &answered{err}
	}
	return err
}

// answered wraps an error that comes too late to be told to the client.
type answered struct{ error }

// startTransport builds what lies between the socket and the callbacks.
func (c *conn) startTransport(t *upgradeWriter) {
	c.tr = newTransport(t.hijacked)
	c.out = outbound{tr: c.tr, owner: c, settings: &c.app.settings}
	if c.extensions = t.extensions; c.extensions != "" {
		c.out.deflate = newDeflater(c.route.compression)
		if strings.Contains(c.extensions, "server_no_context_takeover") {
			c.out.deflate.takeover = false
		}
	}
	c.in.c = c
	c.in.in.preload(t.early)
	c.parts.Store(initialParts)
}

// withDeflateOffer makes coder choose what we want of the client's offers: it answers with what an
// offer contains, and a server may always give up its own context (RFC 7692, 7.1.1.1).
func withDeflateOffer(r *http.Request, options *CompressionOptions) *http.Request {
	if options.ContextTakeover {
		return r
	}
	clone := *r
	clone.Header = r.Header.Clone()
	for i, value := range clone.Header["Sec-Websocket-Extensions"] {
		var offers []string
		for offer := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(offer, ";")
			if strings.TrimSpace(name) == "permessage-deflate" && !strings.Contains(offer, "server_no_context_takeover") {
				offer += "; server_no_context_takeover"
			}
			offers = append(offers, offer)
		}
		clone.Header["Sec-Websocket-Extensions"][i] = strings.Join(offers, ",")
	}
	return &clone
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
	extensions  string
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
	w.extensions = w.Header().Get("Sec-Websocket-Extensions")
	hijacked, rw, err := w.hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = hijacked
	if n := rw.Reader.Buffered(); n > 0 {
		buffered, _ := rw.Reader.Peek(n)
		w.early = append([]byte(nil), buffered...)
	}
	return nil, nil, errTaken
}
