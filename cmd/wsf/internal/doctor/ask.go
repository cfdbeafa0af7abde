package doctor

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A question is one HTTP request. Each goes over a connection of its own, as a handshake does.
type question struct {
	method    string // GET if empty
	path      string // the target's if empty
	version   string // Sec-WebSocket-Version; no handshake if empty
	origin    string // none if empty
	plainPort string // without TLS, to this port, and so without what may be secret
}

// An answer is what came back. With status 101 there is a connection, which is the caller's to close.
type answer struct {
	*http.Response
	key  string
	text string // the body's first KiB; empty with 101
	wire *wire
	took time.Duration // from the request to the answer
}

// handshake is what a browser asks whose page is of the endpoint's own host.
func (p *probe) handshake() question {
	q := question{version: "13", origin: p.origin}
	if p.noOrigin {
		q.origin = ""
	}
	return q
}

// notAgain is for a handshake that has succeeded before and now does not.
func notAgain(err error) finding {
	return problem("a further handshake failed: "+whyNot(err),
		"An earlier one succeeded: is there a limit of connections or requests from one address (nginx: limit_conn, limit_req)?")
}

// connect makes a handshake that has succeeded before.
func (p *probe) connect(ctx context.Context) (*wire, error) {
	a, err := p.ask(ctx, p.handshake())
	if err != nil {
		return nil, err
	}
	if a.wire == nil {
		return nil, errors.New(a.saw())
	}
	return a.wire, nil
}

// ask sends a request and reads the answer. The error is of the network, or what came is no HTTP.
func (p *probe) ask(ctx context.Context, q question) (*answer, error) {
	port, secure := p.port(), p.encrypted()
	if q.plainPort != "" {
		port, secure = q.plainPort, false
	}
	c, err := p.dial(ctx, p.address, port)
	if err != nil {
		return nil, err
	}
	if secure {
		c = tls.Client(c, &tls.Config{
			ServerName:         p.target.Hostname(),
			RootCAs:            p.roots,
			InsecureSkipVerify: p.insecure, // the user has asked for it, and the certificate is checked once
			NextProtos:         []string{"http/1.1"},
		})
	}
	w := newWire(ctx, c, p.timeout)
	a, err := p.exchange(w, q, port)
	if err != nil || a.wire == nil {
		w.Close()
	}
	return a, err
}

func (p *probe) exchange(w *wire, q question, port string) (*answer, error) {
	if q.method == "" {
		q.method = http.MethodGet
	}
	if q.path == "" {
		q.path = p.target.RequestURI()
	}
	a := &answer{key: newKey()}
	header, host := p.requestHeader(q, a.key), p.target.Host
	if q.plainPort != "" {
		host = net.JoinHostPort(p.target.Hostname(), port)
		if port == "80" {
			host = strings.TrimSuffix(host, ":80")
		}
	} else if own := p.header.Get("Host"); own != "" {
		host = own
	}
	var request strings.Builder
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.method, q.path, host)
	header.Write(&request)
	request.WriteString("\r\n")

	w.SetDeadline(time.Now().Add(p.timeout))
	if t, ok := w.Conn.(*tls.Conn); ok { // its round trips are not the server's
		if err := t.Handshake(); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	if _, err := io.WriteString(w.Conn, request.String()); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(w.in, &http.Request{Method: q.method})
	if err != nil {
		return nil, err
	}
	a.Response, a.took = response, time.Since(began)
	p.cookies = append(p.cookies, response.Cookies()...)
	if response.StatusCode == http.StatusSwitchingProtocols {
		w.SetDeadline(time.Time{})
		a.wire = w
		return a, nil
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1024)) // as much as came
	a.text = string(text)
	return a, nil
}

// requestHeader is the header without Host.
func (p *probe) requestHeader(q question, key string) http.Header {
	header := make(http.Header)
	if q.plainPort == "" {
		header = p.header.Clone()
		header.Del("Host")
	}
	header.Del("Origin")
	if q.origin != "" {
		header.Set("Origin", q.origin)
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", "wsf-doctor")
	}
	if q.version == "" {
		header.Set("Connection", "close")
		return header
	}
	header.Set("Upgrade", "websocket")
	header.Set("Connection", "Upgrade")
	header["Sec-WebSocket-Version"] = []string{q.version}
	header["Sec-WebSocket-Key"] = []string{key}
	if len(p.subprotocols) > 0 {
		header["Sec-WebSocket-Protocol"] = []string{strings.Join(p.subprotocols, ", ")}
	}
	// A proxy that compresses pages must know better than to compress this.
	header.Set("Accept-Encoding", "gzip, deflate, br")
	return header
}

// saw describes an answer in a line. What the server wrote is quoted, as it may be made for terminals.
func (a *answer) saw() string {
	seen := fmt.Sprintf("%d %s", a.StatusCode, http.StatusText(a.StatusCode))
	if location := a.Header.Get("Location"); location != "" {
		return seen + fmt.Sprintf(" to %.100q", location)
	}
	if text := strings.TrimSpace(a.text); text != "" && !strings.HasPrefix(text, "<") && a.Header.Get("Content-Encoding") == "" {
		line, _, _ := strings.Cut(text, "\n")
		return seen + fmt.Sprintf(": %.120q", line)
	}
	return seen
}

// leave ends a connection that has served its purpose, in the manner of a page that is left.
func (a *answer) leave() {
	if a != nil && a.wire != nil {
		a.wire.leave()
	}
}

func newKey() string {
	var key [16]byte
	rand.Read(key[:])
	return base64.StdEncoding.EncodeToString(key[:])
}

// acceptFor is RFC 6455, 4.2.2.
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hasToken looks for a token in a header that lists some (RFC 9110, 5.6.1).
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// newWire makes a connection that ends with ctx.
func newWire(ctx context.Context, c net.Conn, timeout time.Duration) *wire {
	w := &wire{Conn: c, in: bufio.NewReader(c), timeout: timeout}
	w.release = context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)); c.Close() })
	return w
}
